//! The recipe that turns ink into a digit image the way MNIST's were made: crop to the ink's box, bring the strokes to
//! MNIST's width, scale the longer side to 20 pixels, put the centre of mass at pixel 14. Each step can be left out,
//! and each shows what it made. How ink is rendered is not here (`raster`), nor how it is given another width (`ink`).

use super::ink::Ink;
use super::raster::{Frame, InkBox, Raster};
use super::{DigitImage, Drawing, SIDE};

/// Side of a [`Thumbnail`] in pixels, four to each pixel of a digit image.
pub const THUMBNAIL_SIDE: usize = 4 * SIDE;

/// Longer side of a digit in its image, in pixels; true of every image of MNIST.
pub(super) const DIGIT_SIZE: f32 = 20.0;
/// Where the centre of mass goes, in pixel indices: MNIST's mean is (14.01, 14.00).
const CENTRE: f32 = 14.0;
/// Centres of mass this close to half-way between two pixels go to the upper left.
const TIE: f32 = 0.002;
/// Diameter of the pen in pixels of the digit image. Real pen strokes rendered with it are as wide as MNIST's lines by
/// twice area over outline (measured alike: MNIST 2.5, SD 0.7; ours 2.5), have as many grey pixels (43 %), and are read
/// best by networks trained on MNIST.
pub(super) const PEN: f32 = 2.4;
/// Rendered pixels in one pixel of the digit image, along each side.
const OVERSAMPLING: usize = 8;

/// Which steps to take. All of them is right; fewer show what each is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recipe {
    /// Cut the ink's box out of the pad.
    pub crop: bool,
    /// Bring the strokes to MNIST's mean width.
    pub width: bool,
    /// Scale the longer side to 20 pixels; without, to the full 28.
    pub size: bool,
    /// Put the centre of mass at pixel 14; without, the middle of the box in the middle of the image.
    pub centre: bool,
}

impl Default for Recipe {
    fn default() -> Self {
        Self { crop: true, width: true, size: true, centre: true }
    }
}

/// A small square picture of one step: row-major, [`THUMBNAIL_SIDE`] squared bytes, 0 is paper and 255 is ink.
#[derive(Clone, PartialEq, Eq)]
pub struct Thumbnail {
    /// `pixels[row * THUMBNAIL_SIDE + column]`.
    pub pixels: Vec<u8>,
}

impl std::fmt::Debug for Thumbnail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Thumbnail({THUMBNAIL_SIDE}x{THUMBNAIL_SIDE})")
    }
}

/// A drawing on its way to a digit image.
#[derive(Clone, Debug)]
pub struct Preparation {
    /// The whole pad as drawn.
    pub ink: Thumbnail,
    /// What was cut out, made square.
    pub crop: Thumbnail,
    /// The same with the strokes' new width.
    pub width: Thumbnail,
    /// The digit image before centring: the box in the middle.
    pub size: Thumbnail,
    /// The digit image.
    pub centre: Thumbnail,
    /// What was cut out, in units of the pad.
    pub crop_box: InkBox,
    /// Mean width of the strokes as drawn, in pixels of the digit image.
    pub line_width_before: f32,
    /// Mean width of the strokes in the digit image, in its pixels; MNIST's mean is 2.5.
    pub line_width_after: f32,
    /// The ink's centre of mass `[x, y]` before centring, in pixel indices of the digit image.
    pub centre_of_mass: [f32; 2],
    /// Whole pixels `[right, down]` by which centring moved the digit.
    pub shift: [i32; 2],
    /// What the network gets.
    pub image: DigitImage,
}

/// Every step of the way from a drawing to its digit image. `None` where the pad holds no ink.
pub fn prepare(drawing: &Drawing, recipe: &Recipe) -> Option<Preparation> {
    let drawn = Ink::of(drawing);
    let drawn_box = drawn.ink_box()?;
    let whole = Frame::around(InkBox::PAD, THUMBNAIL_SIDE as f32);
    let ink = Thumbnail::of(&drawn.render(&whole));
    let crop_box = if recipe.crop { drawn_box } else { InkBox::PAD };
    let show = |ink: &Ink<'_>, window: InkBox| {
        let window = if recipe.crop { window.squared().grown(0.02 * window.longer()) } else { window };
        let frame = Frame {
            width: THUMBNAIL_SIDE,
            height: THUMBNAIL_SIDE,
            ..Frame::around(window, THUMBNAIL_SIDE as f32 / window.longer())
        };
        let raster = ink.render(&frame);
        let width = raster.line_width() / frame.scale;
        (Thumbnail::of(&raster), width)
    };
    let (crop, width_drawn) = show(&drawn, crop_box);
    let (inked, ink_box) = if recipe.width { drawn.with_pen(PEN, drawn_box) } else { (drawn, drawn_box) };
    let window = if recipe.crop { ink_box } else { InkBox::PAD };
    let (width, width_inked) = show(&inked, window);
    let size = if recipe.size { DIGIT_SIZE } else { SIDE as f32 };
    let placed = Placed::of(&inked, window, size, recipe.centre, OVERSAMPLING)?;
    Some(Preparation {
        ink,
        crop,
        width,
        size: Thumbnail::magnified(&placed.at(placed.middle)),
        centre: Thumbnail::magnified(&placed.at(placed.corner)),
        crop_box,
        line_width_before: width_drawn * size / crop_box.longer(),
        line_width_after: width_inked * size / window.longer(),
        centre_of_mass: [0, 1].map(|axis| placed.centre_of_mass[axis] + placed.middle[axis] as f32),
        shift: [0, 1].map(|axis| placed.corner[axis] - placed.middle[axis]),
        image: placed.at(placed.corner),
    })
}

/// The digit image alone, by the whole recipe. `None` where the pad holds no ink.
pub fn digit_image(drawing: &Drawing) -> Option<DigitImage> {
    digit_image_with(drawing, PEN, OVERSAMPLING)
}

/// The whole recipe with another pen (pixels of the digit image) and another fineness of rendering.
pub(super) fn digit_image_with(drawing: &Drawing, pen: f32, oversampling: usize) -> Option<DigitImage> {
    let drawn = Ink::of(drawing);
    let drawn_box = drawn.ink_box()?;
    let (inked, ink_box) = drawn.with_pen(pen, drawn_box);
    let placed = Placed::of(&inked, ink_box, DIGIT_SIZE, true, oversampling)?;
    Some(placed.at(placed.corner))
}

/// The digit at its final size, and where to put it in the image.
struct Placed {
    digit: Raster,
    /// Column and row of the digit's first pixel when its box is in the middle.
    middle: [i32; 2],
    /// Column and row of the digit's first pixel in the digit image.
    corner: [i32; 2],
    /// `[x, y]` in pixel indices of the digit alone.
    centre_of_mass: [f32; 2],
}

impl Placed {
    /// Scales what `window` shows so that its longer side has `size` pixels, each the mean of `oversampling` squared
    /// rendered ones. `None` where that leaves no ink.
    fn of(ink: &Ink<'_>, window: InkBox, size: f32, centre: bool, oversampling: usize) -> Option<Self> {
        let coarse = Frame::around(window, size / window.longer());
        let fine = Frame {
            scale: coarse.scale * oversampling as f32,
            width: coarse.width * oversampling,
            height: coarse.height * oversampling,
            ..coarse
        };
        let digit = ink.render(&fine).averaged([0.0, 0.0], oversampling as f32, coarse.width, coarse.height);
        let (mut mass, mut moments) = (0.0_f64, [0.0_f64; 2]);
        for (row, line) in digit.ink.chunks_exact(digit.width).enumerate() {
            for (column, &ink) in line.iter().enumerate() {
                mass += f64::from(ink);
                moments[0] += f64::from(ink) * column as f64;
                moments[1] += f64::from(ink) * row as f64;
            }
        }
        // Less than one grey value in one pixel would round to nothing.
        let inked = digit.ink_box(0.5 / 255.0)?;
        let centre_of_mass = moments.map(|moment| (moment / mass) as f32);
        let middle = [digit.width, digit.height].map(|length| (SIDE as i32 - length as i32) / 2);
        let ends = [[inked.left, inked.right], [inked.top, inked.bottom]];
        let corner = [0, 1].map(|axis| {
            let wanted = match ink.own_corner(window) {
                _ if !centre => middle[axis],
                Some(corner) if size == DIGIT_SIZE => corner[axis],
                // Even digits lie half-way between two places; rounding errors shall not choose.
                _ => (CENTRE - TIE - centre_of_mass[axis]).round() as i32,
            };
            // No ink may fall off the image.
            wanted.clamp(-ends[axis][0] as i32, SIDE as i32 - ends[axis][1] as i32)
        });
        Some(Self { digit, middle, corner, centre_of_mass })
    }

    fn at(&self, corner: [i32; 2]) -> DigitImage {
        let mut image = DigitImage::default();
        for (index, ink) in self.digit.bytes().enumerate() {
            let column = corner[0] + (index % self.digit.width) as i32;
            let row = corner[1] + (index / self.digit.width) as i32;
            if (0..SIDE as i32).contains(&column) && (0..SIDE as i32).contains(&row) {
                image.pixels[row as usize * SIDE + column as usize] = ink;
            }
        }
        image
    }
}

impl Thumbnail {
    fn of(raster: &Raster) -> Self {
        Self { pixels: raster.bytes().collect() }
    }

    fn magnified(image: &DigitImage) -> Self {
        let pixel = |index: usize| {
            let (row, column) = (index / THUMBNAIL_SIDE, index % THUMBNAIL_SIDE);
            image.pixels[row * SIDE / THUMBNAIL_SIDE * SIDE + column * SIDE / THUMBNAIL_SIDE]
        };
        Self { pixels: (0..THUMBNAIL_SIDE * THUMBNAIL_SIDE).map(pixel).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drawing::{Picture, Sample, Stroke};
    use std::sync::Arc;

    fn stroke(points: &[[f32; 2]], width: f32) -> Stroke {
        let samples = points.iter().map(|&[x, y]| Sample { x, y, seconds: 0.0, pressure: 1.0 }).collect();
        Stroke { samples, width, erases: false }
    }

    fn drawing(strokes: Vec<Stroke>) -> Drawing {
        Drawing { picture: None, strokes }
    }

    /// A small hand-drawn set: a 1, an open 4, a 7 and a 9, anywhere on the pad.
    fn digits(width: f32) -> Vec<Drawing> {
        let nine: Vec<[f32; 2]> = (0..=12)
            .map(|i| (0.3 - 0.5 * i as f32).sin_cos())
            .map(|(s, c)| [0.5 + 0.12 * c, 0.3 + 0.12 * s])
            .chain([[0.62, 0.3], [0.6, 0.5], [0.55, 0.75]])
            .collect();
        vec![
            drawing(vec![stroke(&[[0.6, 0.1], [0.55, 0.5], [0.5, 0.9]], width)]),
            drawing(vec![
                stroke(&[[0.2, 0.2], [0.18, 0.35], [0.2, 0.4], [0.5, 0.4]], width),
                stroke(&[[0.42, 0.15], [0.4, 0.7]], width),
            ]),
            drawing(vec![stroke(&[[0.5, 0.6], [0.9, 0.58], [0.88, 0.62], [0.7, 0.99]], width)]),
            drawing(vec![stroke(&nine, width)]),
        ]
    }

    fn bounds(image: &DigitImage) -> [usize; 4] {
        let inked = |index: &usize| image.pixels[*index] > 0;
        let columns = || (0..image.pixels.len()).filter(inked).map(|index| index % SIDE);
        let rows = || (0..image.pixels.len()).filter(inked).map(|index| index / SIDE);
        [columns().min(), rows().min(), columns().max(), rows().max()].map(|edge| edge.unwrap())
    }

    fn centre_of_mass(image: &DigitImage) -> [f32; 2] {
        let (mut mass, mut x, mut y) = (0.0, 0.0, 0.0);
        for (index, &ink) in image.pixels.iter().enumerate() {
            let ink = f32::from(ink);
            mass += ink;
            x += ink * (index % SIDE) as f32;
            y += ink * (index / SIDE) as f32;
        }
        [x / mass, y / mass]
    }

    #[test]
    fn the_longer_side_is_20_pixels_and_the_centre_of_mass_at_pixel_14() {
        for width in [0.02, 0.1, 0.2] {
            for drawing in digits(width) {
                let image = digit_image(&drawing).unwrap();
                let [left, top, right, bottom] = bounds(&image);
                assert_eq!((right - left + 1).max(bottom - top + 1), 20, "{image:?}");
                let [x, y] = centre_of_mass(&image);
                assert!((x - 14.0).abs() <= 0.51 && (y - 14.0).abs() <= 0.51, "({x}, {y}) {image:?}");
            }
        }
    }

    #[test]
    fn every_pen_gives_the_same_image() {
        let fine = digits(0.02);
        let thick = digits(0.2);
        for (fine, thick) in fine.iter().zip(&thick) {
            assert_eq!(digit_image(fine), digit_image(thick));
            let found = prepare(thick, &Recipe::default()).unwrap();
            assert!((found.line_width_after - 2.4).abs() < 0.4, "{}", found.line_width_after);
            assert!(found.line_width_before > 3.0);
        }
    }

    #[test]
    fn place_and_size_on_the_pad_make_no_difference() {
        for drawing in digits(0.1) {
            let mut moved = drawing.clone();
            for sample in moved.strokes.iter_mut().flat_map(|stroke| &mut stroke.samples) {
                sample.x = 0.25 + sample.x * 0.5;
                sample.y *= 0.5;
            }
            let (a, b) = (digit_image(&drawing).unwrap(), digit_image(&moved).unwrap());
            let worst = a.pixels.iter().zip(&b.pixels).map(|(a, b)| a.abs_diff(*b)).max().unwrap();
            assert!(worst <= 24, "{worst}\n{a:?}\n{b:?}");
        }
    }

    #[test]
    fn a_pad_without_ink_has_no_image() {
        assert!(digit_image(&Drawing::default()).is_none());
        assert!(prepare(&Drawing::default(), &Recipe::default()).is_none());
        let line = stroke(&[[0.2, 0.5], [0.8, 0.5]], 0.1);
        let eraser = Stroke { erases: true, ..stroke(&[[0.0, 0.5], [1.0, 0.5]], 0.3) };
        assert!(prepare(&drawing(vec![eraser.clone()]), &Recipe::default()).is_none());
        assert!(prepare(&drawing(vec![line, eraser]), &Recipe::default()).is_none());
        let nowhere = stroke(&[[f32::NAN, 0.5]], 0.1);
        assert!(digit_image(&drawing(vec![nowhere])).is_none());
    }

    #[test]
    fn half_a_line_erased_is_half_a_line() {
        let line = stroke(&[[0.5, 0.1], [0.5, 0.9]], 0.1);
        let eraser = Stroke { erases: true, ..stroke(&[[0.0, 0.8], [1.0, 0.8]], 0.6) };
        let found = prepare(&drawing(vec![line, eraser]), &Recipe::default()).unwrap();
        assert!((found.crop_box.bottom - 0.5).abs() < 0.01, "{:?}", found.crop_box);
        let [_, top, _, bottom] = bounds(&found.image);
        assert_eq!(bottom - top + 1, 20);
    }

    #[test]
    fn dots_blobs_borders_and_a_full_pad_all_give_an_image() {
        let corner = stroke(&[[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]], 0.3);
        let full = stroke(&[[0.0, 0.5], [1.0, 0.5]], 1.0);
        let speck = stroke(&[[0.5, 0.5]], 0.001);
        let short = stroke(&[[0.5, 0.5], [0.501, 0.5]], 0.2);
        let outside = stroke(&[[-40.0, 0.5], [1e30, 0.6]], 0.1);
        for stroke in [corner, full, speck, short, outside] {
            let drawing = drawing(vec![stroke]);
            for off in 0..16 {
                let recipe =
                    Recipe { crop: off & 1 == 0, width: off & 2 == 0, size: off & 4 == 0, centre: off & 8 == 0 };
                if let Some(found) = prepare(&drawing, &recipe) {
                    assert!(found.image.pixels.iter().any(|&ink| ink > 0));
                    assert!(found.centre_of_mass.iter().all(|x| x.is_finite()));
                    assert!(found.line_width_before.is_finite() && found.line_width_after.is_finite());
                    assert_eq!(found.ink.pixels.len(), THUMBNAIL_SIDE * THUMBNAIL_SIDE);
                } else {
                    assert!(off & 1 != 0, "only a speck on an uncropped pad may vanish");
                }
            }
        }
        for ink in [vec![255; 100], vec![1; 100], (0..100).map(|i| u8::from(i == 0) * 255).collect()] {
            let picture = Some(Arc::new(Picture { ink, side: 10 }));
            assert!(digit_image(&Drawing { picture, strokes: Vec::new() }).is_some());
        }
    }

    #[test]
    fn a_dot_is_a_disc_of_20_pixels() {
        let image = digit_image(&drawing(vec![stroke(&[[0.3, 0.7]], 0.1)])).unwrap();
        assert_eq!(bounds(&image), [4, 4, 23, 23]);
        let ink: u32 = image.pixels.iter().map(|&ink| u32::from(ink)).sum();
        assert!((ink as f32 / 255.0 / 314.16 - 1.0).abs() < 0.01);
    }

    #[test]
    fn each_step_can_be_left_out() {
        let seven = &digits(0.1)[2];
        let all = prepare(seven, &Recipe::default()).unwrap();
        assert_eq!(Some(&all.image), digit_image(seven).as_ref());
        let without = |recipe: Recipe| prepare(seven, &recipe).unwrap();
        let uncentred = without(Recipe { centre: false, ..Recipe::default() });
        assert_eq!(uncentred.shift, [0, 0]);
        assert_eq!(uncentred.size, all.size);
        assert_ne!(uncentred.image, all.image);
        let [left, top, right, bottom] = bounds(&uncentred.image);
        assert!(left.abs_diff(27 - right) <= 1 && top.abs_diff(27 - bottom) <= 1);
        let unsized_digit = without(Recipe { size: false, ..Recipe::default() });
        let [left, top, right, bottom] = bounds(&unsized_digit.image);
        assert_eq!((right - left + 1).max(bottom - top + 1), 28);
        let thick = without(Recipe { width: false, ..Recipe::default() });
        assert_eq!(thick.crop, thick.width);
        assert!((thick.line_width_after - thick.line_width_before).abs() < 1e-3);
        let uncropped = without(Recipe { crop: false, size: false, centre: false, width: false });
        assert_eq!(uncropped.crop_box, InkBox::PAD);
        let [left, _, _, bottom] = bounds(&uncropped.image);
        assert!(left >= 12 && bottom == 27, "the pad shrunk as it is");
    }

    #[test]
    fn strokes_over_a_picture_are_part_of_the_digit() {
        let one = digit_image(&digits(0.1)[0]).unwrap();
        let mut drawing = Drawing { picture: Some(Arc::new(Picture::from_digit(&one))), strokes: Vec::new() };
        assert_eq!(digit_image(&drawing), Some(one.clone()));
        drawing.strokes.push(stroke(&[[0.1, 0.9], [0.9, 0.9]], 0.1));
        let [left, _, right, _] = bounds(&digit_image(&drawing).unwrap());
        assert!(right - left > 17);
    }
}
