//! From pen strokes and pictures to a digit image the way MNIST's were made. No screen, no files, no tensors.

mod image;

pub use image::{DigitImage, PIXELS, SIDE};
