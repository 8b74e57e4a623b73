//! Measures of a digit image, and how MNIST's training digits are spread in each.

use crate::drawing::raster::Raster;
use crate::drawing::{DigitImage, SIDE};

/// Patches of ink or paper with fewer pixels than this are no pieces and no loops.
const LEAST_PATCH: usize = 3;
/// Ink as dark as this belongs to a line, as MNIST's grey edges half do.
const LINE: u8 = 128;

/// What can be measured of one digit image.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shape {
    /// Mean width of the lines in pixels: twice the area over the outline.
    pub line_width: f32,
    /// Degrees by which the digit leans to the right; negative to the left. The shear that makes the second moments
    /// uncorrelated, `atan(−μ₁₁ / μ₀₂)`.
    pub slant: f32,
    /// Width of the ink's box over its height.
    pub aspect: f32,
    /// Pieces of ink that do not touch.
    pub pieces: usize,
    /// Pieces of paper with ink all around: 1 in a 0, 2 in an 8.
    pub loops: usize,
}

/// Mean and standard deviation of a measure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    pub mean: f32,
    pub deviation: f32,
}

/// How one digit is usually written, by MNIST's training images.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Typical {
    /// Pixels, as [`Shape::line_width`].
    pub line_width: Spread,
    /// Degrees, as [`Shape::slant`].
    pub slant: Spread,
    /// As [`Shape::aspect`].
    pub aspect: Spread,
    /// Share of the images that are in one piece.
    pub one_piece: f32,
    /// Share of the images with no loop, with one, with two or more.
    pub loops: [f32; 3],
}

/// How many loops a digit usually has.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Loops {
    /// 2 stands for two or more.
    pub count: usize,
    /// Share of MNIST's training images of the digit.
    pub share: f32,
}

impl Shape {
    /// Measures an image; `None` where nothing in it is as dark as a line.
    pub fn of(image: &DigitImage) -> Option<Self> {
        let raster =
            Raster { width: SIDE, height: SIDE, ink: image.pixels.iter().map(|&ink| f32::from(ink) / 255.0).collect() };
        let found = raster.ink_box(0.5)?;
        let (mut mass, mut x, mut y) = (0.0_f32, 0.0, 0.0);
        for (index, ink) in raster.ink.iter().enumerate() {
            mass += ink;
            x += ink * (index % SIDE) as f32;
            y += ink * (index / SIDE) as f32;
        }
        let (x, y) = (x / mass, y / mass);
        let (mut across, mut along) = (0.0_f32, 0.0);
        for (index, ink) in raster.ink.iter().enumerate() {
            let (dx, dy) = ((index % SIDE) as f32 - x, (index / SIDE) as f32 - y);
            across += ink * dx * dy;
            along += ink * dy * dy;
        }
        let shear = if along > 0.0 { -across / along } else { 0.0 };
        Some(Self {
            line_width: raster.line_width(),
            slant: shear.atan().to_degrees(),
            aspect: found.width() / found.height(),
            pieces: patches(image, true),
            loops: patches(image, false),
        })
    }
}

impl Typical {
    /// What most images of the digit have.
    pub fn usual_loops(&self) -> Loops {
        let count = (0..3).max_by(|&a, &b| self.loops[a].total_cmp(&self.loops[b])).unwrap_or(0);
        Loops { count, share: self.loops[count] }
    }
}

impl Spread {
    /// How many deviations `value` lies above the mean.
    pub fn deviations(&self, value: f32) -> f32 {
        (value - self.mean) / self.deviation
    }
}

/// Connected patches: of ink, joined also over corners, or of paper that reaches no edge, joined over sides only.
fn patches(image: &DigitImage, of_ink: bool) -> usize {
    let wanted = |index: usize| (image.pixels[index] >= LINE) == of_ink;
    let mut seen = [false; SIDE * SIDE];
    let (mut count, mut pending) = (0, Vec::new());
    for start in 0..seen.len() {
        if seen[start] || !wanted(start) {
            continue;
        }
        let (mut size, mut reaches_edge) = (0, false);
        seen[start] = true;
        pending.push(start);
        while let Some(index) = pending.pop() {
            size += 1;
            let (row, column) = (index / SIDE, index % SIDE);
            reaches_edge |= row == 0 || column == 0 || row + 1 == SIDE || column + 1 == SIDE;
            for y in row.saturating_sub(1)..(row + 2).min(SIDE) {
                for x in column.saturating_sub(1)..(column + 2).min(SIDE) {
                    let near = y * SIDE + x;
                    if (of_ink || y == row || x == column) && wanted(near) && !seen[near] {
                        seen[near] = true;
                        pending.push(near);
                    }
                }
            }
        }
        count += usize::from(size >= LEAST_PATCH && (of_ink || !reaches_edge));
    }
    count
}

const fn row(measures: [f32; 6], one_piece: f32, loops: [f32; 3]) -> Typical {
    let [width, width_deviation, slant, slant_deviation, aspect, aspect_deviation] = measures;
    Typical {
        line_width: Spread { mean: width, deviation: width_deviation },
        slant: Spread { mean: slant, deviation: slant_deviation },
        aspect: Spread { mean: aspect, deviation: aspect_deviation },
        one_piece,
        loops,
    }
}

/// How `digit` is usually written; all ten together for `None` and for what is no digit.
pub fn typical(digit: Option<u8>) -> &'static Typical {
    digit.and_then(|digit| TYPICAL.get(usize::from(digit))).unwrap_or(&ALL)
}

/// One row a digit: line width, slant, aspect (mean and deviation each), share in one piece, shares of loops. Made of
/// MNIST's 60,000 training images by [`Shape::of`]; `tests/doctor.rs` makes it again and holds it against this one.
const TYPICAL: [Typical; 10] = [
    row([2.86, 0.72, 11.93, 11.35, 0.91, 0.20], 0.99, [0.11, 0.87, 0.02]),
    row([2.54, 0.59, 12.29, 13.93, 0.41, 0.20], 0.99, [1.00, 0.00, 0.00]),
    row([2.71, 0.63, 5.08, 14.62, 0.95, 0.24], 0.99, [0.64, 0.36, 0.01]),
    row([2.53, 0.56, 3.01, 13.48, 0.79, 0.18], 0.98, [0.97, 0.03, 0.00]),
    row([2.49, 0.55, 3.04, 16.30, 0.78, 0.18], 0.99, [0.94, 0.06, 0.00]),
    row([2.37, 0.52, 11.43, 15.96, 0.96, 0.28], 0.92, [0.97, 0.03, 0.00]),
    row([2.68, 0.70, 1.35, 12.09, 0.72, 0.17], 0.99, [0.25, 0.74, 0.01]),
    row([2.54, 0.56, 1.35, 13.90, 0.77, 0.18], 0.99, [1.00, 0.00, 0.00]),
    row([2.62, 0.67, 9.64, 13.14, 0.75, 0.18], 0.99, [0.05, 0.33, 0.63]),
    row([2.48, 0.58, -0.11, 13.43, 0.66, 0.14], 0.98, [0.23, 0.77, 0.01]),
];

/// All ten digits together, made in the same way.
const ALL: Typical = row([2.58, 0.62, 5.90, 14.64, 0.76, 0.25], 0.98, [0.62, 0.31, 0.07]);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drawing::{Drawing, digit_image};

    fn shape(polylines: &[Vec<[f32; 2]>]) -> Shape {
        Shape::of(&digit_image(&Drawing::from_polylines(polylines, 0.1).unwrap()).unwrap()).unwrap()
    }

    fn ring(x: f32, y: f32, radius: f32) -> Vec<[f32; 2]> {
        (0..=40)
            .map(|i| (i as f32 * std::f32::consts::TAU / 40.0).sin_cos())
            .map(|(s, c)| [x + radius * c, y + radius * s])
            .collect()
    }

    #[test]
    fn a_line_leans_as_far_as_it_was_drawn() {
        for degrees in [-30.0_f32, -10.0, 0.0, 15.0, 35.0] {
            let reach = degrees.to_radians().tan();
            let found = shape(&[vec![[reach, 0.0], [0.0, 1.0]]]);
            assert!((found.slant - degrees).abs() < 2.5, "{degrees}: {found:?}");
            assert_eq!((found.pieces, found.loops), (1, 0));
        }
    }

    #[test]
    fn pieces_and_loops_are_counted() {
        let eight = shape(&[ring(0.5, 0.25, 0.25), ring(0.5, 0.75, 0.25)]);
        assert_eq!((eight.pieces, eight.loops), (1, 2));
        assert!((eight.aspect - 0.55).abs() < 0.1 && eight.slant.abs() < 1.0, "{eight:?}");
        let broken = shape(&[vec![[0.0, 0.0], [1.0, 0.0]], vec![[0.0, 1.0], [1.0, 1.0]]]);
        assert_eq!((broken.pieces, broken.loops), (2, 0));
        let open = shape(&[ring(0.5, 0.5, 0.5)[..34].to_vec()]);
        assert_eq!((open.pieces, open.loops), (1, 0));
    }

    #[test]
    fn paper_has_no_shape() {
        assert_eq!(Shape::of(&DigitImage::default()), None);
    }

    #[test]
    fn the_usual_is_what_most_have() {
        assert_eq!(typical(Some(8)).usual_loops().count, 2);
        assert_eq!(typical(Some(0)).usual_loops().count, 1);
        assert_eq!(typical(Some(1)).usual_loops().count, 0);
        assert_eq!(typical(None), typical(Some(10)));
    }
}
