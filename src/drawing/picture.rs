//! An image file's pixels as ink: which grey is paper, how dark the ink is, and where it lies. Decoding files is not
//! here; the caller brings RGBA bytes.

use super::blobs::keep_main_group;
use super::paper::{is_even, unlike_paper_around};
use super::raster::Raster;
use super::{DigitImage, PIXELS, SIDE};

/// Ink made from an image; it fills the pad.
#[derive(Clone, PartialEq, Eq)]
pub struct Picture {
    /// Row-major, `ink[row * side + column]`, 0 is paper and 255 is ink.
    pub ink: Vec<u8>,
    /// Pixels in each row and column, at least 1.
    pub side: usize,
}

impl std::fmt::Debug for Picture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Picture({0}x{0})", self.side)
    }
}

/// Why no ink could be made of an image.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PictureError {
    /// The image has no pixels.
    #[error("the image is {width}×{height} pixels; it has none to read, open another")]
    NoPixels {
        /// As found.
        width: usize,
        /// As found.
        height: usize,
    },
    /// The bytes do not match the size.
    #[error(
        "an image of {width}×{height} pixels has 4 bytes for each, but {found} bytes came; the file may be damaged"
    )]
    WrongLength {
        /// As told.
        width: usize,
        /// As told.
        height: usize,
        /// As found.
        found: usize,
    },
    /// One shade everywhere, or nearly.
    #[error("the image has one shade everywhere; nothing in it stands out as ink, open another")]
    Blank,
}

/// Images are first brought down to this longer side.
const WORKING_SIDE: usize = 1024;
/// Images up to this size keep their place on the pad; ink of larger ones is brought to its middle.
const SMALL: usize = 64;
/// Share of the pad that the ink of a larger image takes.
const EXTENT: f32 = 0.7;
/// Pixels in a picture's side; finer ink than this is not kept.
const SIDE_LIMIT: usize = 400;
/// Ink must stand out from the paper by this much, of 255.
const LEAST_CONTRAST: f32 = 12.0;
/// Paper whose shade strays by less than this, of 255, counts as clean.
const CLEAN: f32 = 3.0;

impl Picture {
    /// A digit image as a picture that comes through the recipe as it is.
    pub fn from_digit(image: &DigitImage) -> Self {
        Self { ink: image.pixels.to_vec(), side: SIDE }
    }

    /// True where the picture is made as MNIST's images are: 28×28, the longer side of the ink 20 pixels, its centre
    /// of mass at pixel 14. The recipe has nothing to do then, and changes of stroke width would only harm.
    pub fn is_digit_image(&self) -> bool {
        self.side == SIDE && self.ink.len() == PIXELS && is_digit(&self.ink)
    }

    /// Ink from the pixels of an image of any size: 4 bytes a pixel (red, green, blue, opacity), row-major. Paper is
    /// the shade of the border, light or dark or transparent, or where light falls unevenly what surrounds each pixel, and
    /// ink what differs from it; the darkest ink becomes 255, and noise, ruled lines and whatever lies away from the
    /// largest patch become paper. An image of 28×28 pixels made as MNIST's stays as it is.
    pub fn from_rgba(width: usize, height: usize, rgba: &[u8]) -> Result<Self, PictureError> {
        if width == 0 || height == 0 {
            return Err(PictureError::NoPixels { width, height });
        }
        if width.checked_mul(height).and_then(|count| count.checked_mul(4)) != Some(rgba.len()) {
            return Err(PictureError::WrongLength { width, height, found: rgba.len() });
        }
        let channels = light(width, height, rgba);
        let mut ink = unlike_paper(&channels);
        if (width, height) == (SIDE, SIDE) {
            let bytes: Vec<u8> = ink.ink.iter().map(|&ink| ink as u8).collect();
            if is_digit(&bytes) {
                return Ok(Self { ink: bytes, side: SIDE });
            }
        }
        let longer = width.max(height);
        let is_photograph = longer > SMALL && !is_even(&ink);
        if is_photograph {
            ink = unlike_paper_around(&channels);
        }
        let mut noise = quantile(border(&ink), 0.75);
        // in a photograph the border may be a table, but most of the image is paper
        if is_photograph && noise > 0.25 * ink.ink.iter().copied().fold(0.0, f32::max) {
            noise = quantile(ink.ink.clone(), 0.5);
        }
        stretch(&mut ink, noise)?;
        keep_main_group(&mut ink, is_photograph);
        let found = ink.ink_box(0.25).ok_or(PictureError::Blank)?;
        if longer <= SMALL {
            let corner = [(width as f32 - longer as f32) / 2.0, (height as f32 - longer as f32) / 2.0];
            let square = ink.averaged([corner[0].floor(), corner[1].floor()], 1.0, longer, longer);
            return Ok(Self { ink: square.bytes().collect(), side: longer });
        }
        let extent = found.longer() / EXTENT;
        let side = (extent.ceil() as usize).clamp(1, SIDE_LIMIT);
        let middle = [(found.left + found.right) / 2.0, (found.top + found.bottom) / 2.0];
        let corner = middle.map(|middle| middle - extent / 2.0);
        let square = ink.averaged(corner, extent / side as f32, side, side);
        Ok(Self { ink: square.bytes().collect(), side })
    }
}

/// Whether 28×28 bytes are laid out as MNIST's are.
fn is_digit(ink: &[u8]) -> bool {
    let raster = Raster { width: SIDE, height: SIDE, ink: ink.iter().map(|&ink| f32::from(ink)).collect() };
    let Some(found) = raster.ink_box(0.0) else {
        return false;
    };
    let (mut mass, mut x, mut y) = (0.0, 0.0, 0.0);
    for (index, ink) in raster.ink.iter().enumerate() {
        mass += ink;
        x += ink * (index % SIDE) as f32;
        y += ink * (index / SIDE) as f32;
    }
    found.longer() == 20.0 && (x / mass - 14.0).abs() <= 0.75 && (y / mass - 14.0).abs() <= 0.75
}

/// Red, green and blue light, 0 to 255, brought to at most [`WORKING_SIDE`], with something behind what is transparent.
fn light(width: usize, height: usize, rgba: &[u8]) -> [Raster; 3] {
    let shrink = (width.max(height) as f32 / WORKING_SIDE as f32).max(1.0);
    let (columns, rows) = ((width as f32 / shrink).ceil() as usize, (height as f32 / shrink).ceil() as usize);
    let clear_border = {
        let (mut clear, mut all) = (0, 0);
        for pixel in rgba.chunks_exact(4).enumerate().filter(|&(index, _)| on_border(index, width, height)) {
            all += 1;
            clear += usize::from(pixel.1[3] < 128);
        }
        2 * clear > all
    };
    // Transparent pixels take the shade that lets the opaque ones stand out.
    let backdrop = {
        let (mut sum, mut count) = (0.0_f64, 0.0_f64);
        for pixel in rgba.chunks_exact(4) {
            let opacity = f64::from(pixel[3]);
            sum += opacity * (f64::from(pixel[0]) + f64::from(pixel[1]) + f64::from(pixel[2])) / 3.0;
            count += opacity;
        }
        let mean = if count > 0.0 { sum / count } else { 0.0 };
        let dark_ink = mean < 127.5;
        if clear_border == dark_ink { 255.0 } else { 0.0 }
    };
    [0, 1, 2].map(|channel| {
        let shade = |pixel: &[u8]| {
            let opacity = f32::from(pixel[3]) / 255.0;
            f32::from(pixel[channel]) * opacity + backdrop * (1.0 - opacity)
        };
        let full = Raster { width, height, ink: rgba.chunks_exact(4).map(shade).collect() };
        if shrink > 1.0 { full.averaged([0.0, 0.0], shrink, columns, rows) } else { full }
    })
}

/// How far every pixel's shade is from the paper's, 0 to 255. Paper is the median of the border; the channel that differs
/// most counts, so that red ink shows on green.
fn unlike_paper(channels: &[Raster; 3]) -> Raster {
    let paper = [0, 1, 2].map(|channel| quantile(border(&channels[channel]), 0.5));
    let mut ink = channels[0].clone();
    for (index, ink) in ink.ink.iter_mut().enumerate() {
        let apart = |channel: usize| (channels[channel].ink[index] - paper[channel]).abs();
        *ink = apart(0).max(apart(1)).max(apart(2));
    }
    ink
}

/// Whether a pixel lies on the rim of an image.
fn on_border(index: usize, columns: usize, rows: usize) -> bool {
    let (row, column) = (index / columns, index % columns);
    row == 0 || column == 0 || row + 1 == rows || column + 1 == columns
}

/// The values on the rim.
fn border(raster: &Raster) -> Vec<f32> {
    let rim = |&index: &usize| on_border(index, raster.width, raster.height);
    (0..raster.ink.len()).filter(rim).map(|index| raster.ink[index]).collect()
}

/// Turns differences of shade into ink from 0 to 1: what strays no further than `noise` is paper, and the shade that the
/// darker part of the ink reaches is full ink.
fn stretch(ink: &mut Raster, noise: f32) -> Result<(), PictureError> {
    let strongest = ink.ink.iter().copied().fold(0.0, f32::max);
    if strongest < LEAST_CONTRAST.max(2.0 * noise) {
        return Err(PictureError::Blank);
    }
    // A few pixels darker than all others do not set the shade of full ink.
    let certain = ink.ink.iter().copied().filter(|&ink| ink > 0.5 * strongest).collect();
    let full = quantile(certain, 0.9);
    let floor = if noise < CLEAN { 0.0 } else { (2.0 * noise).max(0.25 * full) };
    let floor = floor.min(0.5 * full);
    for ink in &mut ink.ink {
        *ink = ((*ink - floor) / (full - floor)).clamp(0.0, 1.0);
    }
    Ok(())
}

fn quantile(mut values: Vec<f32>, share: f32) -> f32 {
    if values.is_empty() {
        return 0.0;
    }
    let rank = ((values.len() - 1) as f32 * share).round() as usize;
    *values.select_nth_unstable_by(rank, f32::total_cmp).1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drawing::{Drawing, digit_image, drawn_digit, drawn_image};
    use std::sync::Arc;

    /// RGBA from a grey value for each pixel.
    fn grey(width: usize, height: usize, shade: impl Fn(usize, usize) -> u8) -> Vec<u8> {
        (0..width * height).flat_map(|i| [shade(i % width, i / width); 3].into_iter().chain([255])).collect()
    }

    fn read(picture: Picture) -> DigitImage {
        digit_image(&Drawing { picture: Some(Arc::new(picture)), strokes: Vec::new() }).unwrap()
    }

    fn apart(a: &DigitImage, b: &DigitImage) -> f32 {
        let sum: u32 = a.pixels.iter().zip(&b.pixels).map(|(&a, &b)| u32::from(a.abs_diff(b))).sum();
        let ink: u32 = a.pixels.iter().map(|&a| u32::from(a)).sum();
        sum as f32 / ink as f32
    }

    #[test]
    fn an_image_made_as_mnists_comes_through_unchanged_white_on_black_and_black_on_white() {
        for label in 0..10 {
            let image = drawn_image(label, 3, 0);
            for flip in [0, 255] {
                let rgba = grey(SIDE, SIDE, |x, y| image.pixels[y * SIDE + x] ^ flip);
                assert_eq!(read(Picture::from_rgba(SIDE, SIDE, &rgba).unwrap()), image);
            }
            assert_eq!(read(Picture::from_digit(&image)), image);
        }
    }

    #[test]
    fn a_large_noisy_image_with_specks_gives_the_same_digit() {
        for label in 0..10 {
            let image = digit_image(&drawn_digit(label, 4, 1)).unwrap();
            let (width, height) = (400, 300);
            let shade = |x: usize, y: usize| {
                let noise = ((x * 7919 + y * 104_729) % 17) as u8;
                if (20..24).contains(&x) && (30..34).contains(&y) {
                    return 60;
                }
                // 7 pixels for each of the digit's, drawn with soft edges, off the middle.
                let (u, v) = ((x as f32 - 180.5) / 7.0, (y as f32 - 60.5) / 7.0);
                let at = |u: f32, v: f32| {
                    let inside = (0.0..28.0).contains(&u) && (0.0..28.0).contains(&v);
                    if inside { f32::from(image.pixels[v as usize * SIDE + u as usize]) } else { 0.0 }
                };
                let (a, b) = (u - u.floor(), v - v.floor());
                let (u, v) = (u.floor(), v.floor());
                let ink = (at(u, v) * (1.0 - a) + at(u + 1.0, v) * a) * (1.0 - b)
                    + (at(u, v + 1.0) * (1.0 - a) + at(u + 1.0, v + 1.0) * a) * b;
                (210.0 - ink * 0.6) as u8 + noise
            };
            let picture = Picture::from_rgba(width, height, &grey(width, height, shade)).unwrap();
            let found = read(picture);
            let difference = apart(&image, &found);
            assert!(difference < 0.5, "{label}: {difference}\n{image:?}\n{found:?}");
        }
    }

    #[test]
    fn colour_and_transparency_tell_ink_from_paper() {
        let (width, height) = (80, 80);
        let stem = |index: usize| (30..44).contains(&(index % width)) && (10..70).contains(&(index / width));
        let paint = |ink: [u8; 4], paper: [u8; 4]| -> Vec<u8> {
            (0..width * height).flat_map(|index| if stem(index) { ink } else { paper }).collect()
        };
        let expected = read(Picture::from_rgba(width, height, &paint([0, 0, 0, 255], [255, 255, 255, 255])).unwrap());
        for (ink, paper) in [
            ([255, 255, 255, 255], [0, 0, 0, 255]),
            ([200, 0, 0, 255], [0, 120, 0, 255]),
            ([0, 0, 0, 255], [0, 0, 0, 0]),
            ([255, 255, 255, 255], [255, 255, 255, 0]),
        ] {
            let found = read(Picture::from_rgba(width, height, &paint(ink, paper)).unwrap());
            assert!(apart(&expected, &found) < 0.01, "{ink:?} on {paper:?}");
        }
    }

    #[test]
    fn what_holds_no_ink_is_refused_and_nothing_panics() {
        let blank = |w, h| Picture::from_rgba(w, h, &grey(w, h, |_, _| 200));
        assert_eq!(Picture::from_rgba(0, 0, &[]), Err(PictureError::NoPixels { width: 0, height: 0 }));
        assert_eq!(Picture::from_rgba(0, 9, &[]), Err(PictureError::NoPixels { width: 0, height: 9 }));
        let short = Picture::from_rgba(2, 2, &[0; 15]);
        assert_eq!(short, Err(PictureError::WrongLength { width: 2, height: 2, found: 15 }));
        let huge = Picture::from_rgba(usize::MAX, 2, &[0; 16]);
        assert_eq!(huge, Err(PictureError::WrongLength { width: usize::MAX, height: 2, found: 16 }));
        for (width, height) in [(1, 1), (1, 65535), (65535, 1), (28, 28), (300, 200)] {
            assert_eq!(blank(width, height), Err(PictureError::Blank), "{width}x{height}");
        }
        assert_eq!(Picture::from_rgba(40, 40, &[0; 6400]), Err(PictureError::Blank));
    }

    #[test]
    fn odd_shapes_with_some_ink_are_read_without_a_panic() {
        for (width, height) in [(2, 1), (1, 65535), (65535, 1), (3, 3), (28, 28), (64, 65), (1000, 30)] {
            let rgba = grey(width, height, |x, y| if (x + y) * 3 > width + height { 0 } else { 255 });
            if let Ok(picture) = Picture::from_rgba(width, height, &rgba) {
                assert_eq!(picture.ink.len(), picture.side * picture.side);
                read(picture);
            }
        }
    }
}
