//! An image file's pixels as ink: which grey is paper, how dark the ink is, and where it lies. Decoding files is not
//! here; the caller brings RGBA bytes.

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
/// Patches smaller than this share of the largest are specks.
const SPECK: f32 = 0.03;

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
    /// the shade of the border, light or dark or transparent, and ink what differs from it; the darkest ink becomes
    /// 255 and noise and specks become paper. An image of 28×28 pixels made as MNIST's stays as it is.
    pub fn from_rgba(width: usize, height: usize, rgba: &[u8]) -> Result<Self, PictureError> {
        if width == 0 || height == 0 {
            return Err(PictureError::NoPixels { width, height });
        }
        if width.checked_mul(height).and_then(|count| count.checked_mul(4)) != Some(rgba.len()) {
            return Err(PictureError::WrongLength { width, height, found: rgba.len() });
        }
        let mut ink = contrast(width, height, rgba)?;
        if (width, height) == (SIDE, SIDE) {
            let bytes: Vec<u8> = ink.bytes().collect();
            if is_digit(&bytes) {
                return Ok(Self { ink: bytes, side: SIDE });
            }
        }
        drop_specks(&mut ink);
        let found = ink.ink_box(0.25).ok_or(PictureError::Blank)?;
        let longer = width.max(height);
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

/// Ink as what differs from the border's shade, brought to at most [`WORKING_SIDE`], stretched from 0 to 1.
fn contrast(width: usize, height: usize, rgba: &[u8]) -> Result<Raster, PictureError> {
    let shrink = (width.max(height) as f32 / WORKING_SIDE as f32).max(1.0);
    let (columns, rows) = ((width as f32 / shrink).ceil() as usize, (height as f32 / shrink).ceil() as usize);
    let border = |index: usize, columns: usize, rows: usize| {
        let (row, column) = (index / columns, index % columns);
        row == 0 || column == 0 || row + 1 == rows || column + 1 == columns
    };
    let clear_border = {
        let (mut clear, mut all) = (0, 0);
        for pixel in rgba.chunks_exact(4).enumerate().filter(|&(index, _)| border(index, width, height)) {
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
    let channels: [Raster; 3] = [0, 1, 2].map(|channel| {
        let shade = |pixel: &[u8]| {
            let opacity = f32::from(pixel[3]) / 255.0;
            f32::from(pixel[channel]) * opacity + backdrop * (1.0 - opacity)
        };
        let full = Raster { width, height, ink: rgba.chunks_exact(4).map(shade).collect() };
        if shrink > 1.0 { full.averaged([0.0, 0.0], shrink, columns, rows) } else { full }
    });
    let on_border: Vec<usize> = (0..columns * rows).filter(|&index| border(index, columns, rows)).collect();
    let paper = [0, 1, 2].map(|channel| {
        let shades = on_border.iter().map(|&index| channels[channel].ink[index]).collect();
        quantile(shades, 0.5)
    });
    let mut ink = channels[0].clone();
    for (index, ink) in ink.ink.iter_mut().enumerate() {
        let apart = |channel: usize| (channels[channel].ink[index] - paper[channel]).abs();
        *ink = apart(0).max(apart(1)).max(apart(2));
    }
    let noise = quantile(on_border.iter().map(|&index| ink.ink[index]).collect(), 0.75);
    let strongest = ink.ink.iter().copied().fold(0.0, f32::max);
    if strongest < LEAST_CONTRAST.max(2.0 * noise) {
        return Err(PictureError::Blank);
    }
    // The shade of full ink: that of the darker half of all that is ink for certain; a few bright specks do not set it.
    let certain = ink.ink.iter().copied().filter(|&ink| ink > 0.5 * strongest).collect();
    let full = quantile(certain, 0.9);
    let floor = if noise < CLEAN { 0.0 } else { (2.0 * noise).max(0.25 * full) };
    let floor = floor.min(0.5 * full);
    for ink in &mut ink.ink {
        *ink = ((*ink - floor) / (full - floor)).clamp(0.0, 1.0);
    }
    Ok(ink)
}

fn quantile(mut values: Vec<f32>, share: f32) -> f32 {
    if values.is_empty() {
        return 0.0;
    }
    let rank = ((values.len() - 1) as f32 * share).round() as usize;
    *values.select_nth_unstable_by(rank, f32::total_cmp).1
}

/// Turns every connected patch of ink that is small beside the largest into paper.
fn drop_specks(raster: &mut Raster) {
    let (width, height) = (raster.width, raster.height);
    let mut patch = vec![usize::MAX; raster.ink.len()];
    let mut sizes: Vec<f32> = Vec::new();
    let mut pending = Vec::new();
    for start in 0..raster.ink.len() {
        if raster.ink[start] <= 0.0 || patch[start] != usize::MAX {
            continue;
        }
        let mut size = 0.0;
        patch[start] = sizes.len();
        pending.push(start);
        while let Some(index) = pending.pop() {
            size += raster.ink[index];
            let (row, column) = (index / width, index % width);
            for y in row.saturating_sub(1)..(row + 2).min(height) {
                for x in column.saturating_sub(1)..(column + 2).min(width) {
                    let near = y * width + x;
                    if raster.ink[near] > 0.0 && patch[near] == usize::MAX {
                        patch[near] = sizes.len();
                        pending.push(near);
                    }
                }
            }
        }
        sizes.push(size);
    }
    let largest = sizes.iter().copied().fold(0.0, f32::max);
    for (ink, patch) in raster.ink.iter_mut().zip(patch) {
        if patch != usize::MAX && sizes[patch] < SPECK * largest {
            *ink = 0.0;
        }
    }
}
