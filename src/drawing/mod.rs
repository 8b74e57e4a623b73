//! From pen strokes and pictures to a digit image the way MNIST's were made. No screen, no files, no tensors.
//!
//! A [`Drawing`] is strokes over perhaps a [`Picture`] (`strokes`; `picture` with `paper` and `blobs`, which find its ink);
//! it is rendered with smooth edges at high resolution (`raster`) and reduced by MNIST's recipe (`normalize`; `ink` and
//! `thickness` for the width of its lines). [`doctor`] measures what is unlike MNIST about a drawing and mends it.
//! Drawings need no hand: `synthetic` makes labelled ones in any number, `redrawn` makes them of digit images.

mod blobs;
pub mod doctor;
mod image;
mod ink;
mod normalize;
mod paper;
mod picture;
mod raster;
mod redrawn;
mod strokes;
mod synthetic;
mod thickness;

pub use image::{DigitImage, PIXELS, SIDE};
pub use normalize::{Preparation, Recipe, THUMBNAIL_SIDE, Thumbnail, digit_image, prepare};
pub use picture::{Picture, PictureError};
pub use raster::{InkBox, ink};
pub use redrawn::redrawn;
pub use strokes::{DEFAULT_PEN, Drawing, InkPoint, Sample, Stroke, StrokesError, ink_diameter};
pub use synthetic::{drawn_digit, drawn_image, drawn_stranger, stranger_image};
