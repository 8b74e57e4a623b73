//! In what a drawing is unlike MNIST's images of a digit, the most unusual first. The words are the window's affair.

use super::shape::{Loops, Shape, Spread, Typical};
use crate::drawing::normalize::DIGIT_SIZE;
use crate::drawing::{Drawing, InkBox, Recipe, SIDE, prepare};

/// From so many standard deviations on a measure is told: two digits in fifteen stray as far.
const UNUSUAL: f32 = 1.5;
/// What fewer images than this share have is unusual.
const RARE: f32 = 0.12;
/// A middle further than this share of the pad from its centre is told.
const OFF_CENTRE: f32 = 0.10;
/// Sizes within these shares of MNIST's are usual.
const USUAL_SIZES: std::ops::Range<f32> = 0.7..1.3;

/// One way in which a drawing differs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Difference {
    /// Degrees, as [`Shape::slant`].
    Slant {
        degrees: f32,
        usual: Spread,
    },
    /// Width over height.
    Aspect {
        found: f32,
        usual: Spread,
    },
    /// Pieces that do not touch; the share of images in one piece.
    Pieces {
        found: usize,
        one_piece: f32,
    },
    Loops {
        found: usize,
        usual: Loops,
    },
    /// Pixels once the digit is 20 pixels long. The recipe's second step mends it.
    LineWidth {
        pixels: f32,
        usual: Spread,
    },
    /// Longer side as a share of the pad's; MNIST's is 20 / 28. The recipe's first and third step mend it.
    Size {
        share: f32,
    },
    /// `[right, down]` from the pad's centre, as shares of its side. The recipe's fourth step mends it.
    Place {
        off: [f32; 2],
    },
}

impl Difference {
    /// Whether the steps from ink to image that are switched on make it good.
    pub fn is_mended_by(&self, recipe: &Recipe) -> bool {
        match self {
            Self::Slant { .. } | Self::Aspect { .. } | Self::Pieces { .. } | Self::Loops { .. } => false,
            Self::LineWidth { .. } => recipe.width,
            Self::Size { .. } => recipe.crop && recipe.size,
            Self::Place { .. } => recipe.crop && recipe.centre,
        }
    }

    /// How unusual it is, in standard deviations or what stands for them.
    fn weight(&self) -> f32 {
        match self {
            Self::Slant { degrees: found, usual }
            | Self::Aspect { found, usual }
            | Self::LineWidth { pixels: found, usual } => usual.deviations(*found).abs(),
            Self::Pieces { .. } => 2.5,
            Self::Loops { usual, .. } => 3.0 * usual.share,
            Self::Size { share } => (share / LARGE).ln().abs() * 4.0,
            Self::Place { off } => off[0].hypot(off[1]) * 5.0,
        }
    }
}

/// Longer side of MNIST's digits as a share of their images' side.
const LARGE: f32 = DIGIT_SIZE / SIDE as f32;

/// In what `drawing` differs from the images that `usual` was made of: first what the recipe leaves as it is, then what
/// it mends, each beginning with the most unusual. Empty for an empty pad.
pub fn differences(drawing: &Drawing, usual: &Typical, recipe: &Recipe) -> Vec<Difference> {
    let as_drawn = Recipe { width: false, ..Recipe::default() };
    let (Some(whole), Some(thick)) = (prepare(drawing, &Recipe::default()), prepare(drawing, &as_drawn)) else {
        return Vec::new();
    };
    let (Some(shape), Some(thick)) = (Shape::of(&whole.image), Shape::of(&thick.image)) else { return Vec::new() };
    let mut found = Vec::new();
    if usual.slant.deviations(shape.slant).abs() > UNUSUAL {
        found.push(Difference::Slant { degrees: shape.slant, usual: usual.slant });
    }
    if usual.aspect.deviations(shape.aspect).abs() > UNUSUAL {
        found.push(Difference::Aspect { found: shape.aspect, usual: usual.aspect });
    }
    if shape.pieces > 1 && 1.0 - usual.one_piece < RARE {
        found.push(Difference::Pieces { found: shape.pieces, one_piece: usual.one_piece });
    }
    if usual.loops[shape.loops.min(2)] < RARE {
        found.push(Difference::Loops { found: shape.loops, usual: usual.usual_loops() });
    }
    if usual.line_width.deviations(thick.line_width).abs() > UNUSUAL {
        found.push(Difference::LineWidth { pixels: thick.line_width, usual: usual.line_width });
    }
    let InkBox { left, top, right, bottom } = whole.crop_box;
    let share = whole.crop_box.longer();
    if !USUAL_SIZES.contains(&(share / LARGE)) {
        found.push(Difference::Size { share });
    }
    let off = [(left + right) / 2.0 - 0.5, (top + bottom) / 2.0 - 0.5];
    if off[0].hypot(off[1]) > OFF_CENTRE {
        found.push(Difference::Place { off });
    }
    found.sort_by(|a, b| {
        let mended = a.is_mended_by(recipe).cmp(&b.is_mended_by(recipe));
        mended.then(b.weight().total_cmp(&a.weight()))
    });
    found
}

#[cfg(test)]
mod tests {
    use super::super::{Fix, typical};
    use super::*;
    use crate::drawing::{Sample, Stroke, digit_image};

    /// Strokes through points in units of the pad, a tenth of a second from each to the next.
    fn drawing(polylines: &[&[[f32; 2]]], width: f32) -> Drawing {
        let stroke = |points: &&[[f32; 2]]| {
            let sample = |(i, &[x, y]): (usize, &[f32; 2])| Sample { x, y, seconds: 0.1 * i as f32, pressure: 1.0 };
            Stroke { samples: points.iter().enumerate().map(sample).collect(), width, erases: false }
        };
        Drawing { picture: None, strokes: polylines.iter().map(stroke).collect() }
    }

    fn ring(from: usize, to: usize) -> Vec<[f32; 2]> {
        let turn = |i: usize| (i as f32 * std::f32::consts::TAU / 40.0).sin_cos();
        (from..=to).map(turn).map(|(s, c)| [0.5 + 0.25 * c, 0.5 + 0.35 * s]).collect()
    }

    fn shape(drawing: &Drawing) -> Shape {
        Shape::of(&digit_image(drawing).unwrap()).unwrap()
    }

    fn differs(drawing: &Drawing, digit: u8) -> Vec<Difference> {
        differences(drawing, typical(Some(digit)), &Recipe::default())
    }

    #[test]
    fn a_leaning_one_leans_less_once_it_is_straightened() {
        let leaning = drawing(&[&[[0.85, 0.15], [0.5, 0.5], [0.15, 0.85]]], 0.08);
        let leans = |d: &Difference| matches!(d, Difference::Slant { degrees, .. } if *degrees > 38.0);
        assert!(differs(&leaning, 1).iter().any(leans), "{:?}", differs(&leaning, 1));
        let straight = Fix::Straightened.apply(&leaning, typical(Some(1))).unwrap();
        let found = shape(&straight).slant;
        assert!((found - typical(Some(1)).slant.mean).abs() < 3.0, "{found}");
        assert_eq!(straight.strokes[0].samples[1].seconds, 0.1, "times stay");
    }

    #[test]
    fn an_open_ring_is_missed_its_loop_and_gets_it() {
        let points = ring(0, 36);
        let open = drawing(&[&points], 0.05);
        let loops = |drawing: &Drawing| differs(drawing, 0).into_iter().find(|d| matches!(d, Difference::Loops { .. }));
        assert!(matches!(loops(&open), Some(Difference::Loops { found: 0, usual: Loops { count: 1, .. } })));
        let closed = Fix::GapClosed.apply(&open, typical(None)).unwrap();
        assert_eq!(shape(&closed).loops, 1);
        assert_eq!(loops(&closed), None);
        assert!(Fix::GapClosed.apply(&closed, typical(None)).is_none(), "there is no second gap");
    }

    #[test]
    fn a_small_thick_digit_in_a_corner_is_told_after_what_the_recipe_cannot_mend() {
        let points: Vec<[f32; 2]> = ring(0, 34).into_iter().map(|[x, y]| [0.3 * x, 0.3 * y]).collect();
        let found = differs(&drawing(&[&points], 0.1), 0);
        let names: Vec<bool> = found.iter().map(|difference| difference.is_mended_by(&Recipe::default())).collect();
        assert!(names.is_sorted() && names.len() >= 4, "{found:?}");
        assert!(found.iter().any(|d| matches!(d, Difference::LineWidth { pixels, .. } if *pixels > 4.0)), "{found:?}");
        assert!(found.iter().any(|d| matches!(d, Difference::Size { share } if *share < 0.4)));
        assert!(found.iter().any(|d| matches!(d, Difference::Place { off } if off[0] < -0.3 && off[1] < -0.3)));
        let off = Recipe { width: false, ..Recipe::default() };
        assert!(found.iter().all(|d| !matches!(d, Difference::LineWidth { .. }) || !d.is_mended_by(&off)));
    }

    #[test]
    fn a_usual_digit_differs_in_nothing() {
        let seven = drawing(&[&[[0.25, 0.15], [0.75, 0.15], [0.6, 0.5], [0.45, 0.85]]], 0.085);
        assert_eq!(differs(&seven, 7), []);
        assert_eq!(differs(&Drawing::default(), 7), []);
    }

    #[test]
    fn fixes_leave_what_they_cannot_change_and_keep_ink_on_the_pad() {
        let one = drawing(&[&[[0.5, 0.1], [0.5, 0.9]]], 0.08);
        for fix in [Fix::GapClosed, Fix::StrayRemoved, Fix::Smoothed, Fix::Proportions] {
            assert_eq!(fix.apply(&one, typical(Some(1))), None, "{fix:?}");
        }
        let wide = drawing(&[&[[0.02, 0.02], [0.98, 0.1], [0.6, 0.98]], &[[0.05, 0.7], [0.1, 0.72]]], 0.04);
        for fix in Fix::ALL {
            assert_eq!(fix.apply(&Drawing::default(), typical(None)), None, "{fix:?}");
            let Some(fixed) = fix.apply(&wide, typical(Some(1))) else { continue };
            let samples = || fixed.strokes.iter().flat_map(|stroke| &stroke.samples);
            assert!(samples().all(|s| (0.0..=1.0).contains(&s.x) && (0.0..=1.0).contains(&s.y)), "{fix:?}");
        }
        let without = Fix::StrayRemoved.apply(&wide, typical(None)).unwrap();
        assert_eq!(without.strokes.len(), 1);
    }

    #[test]
    fn a_trembling_line_is_smoothed_and_keeps_its_ends() {
        let points: Vec<[f32; 2]> =
            (0..60).map(|i| [0.5 + 0.02 * if i % 2 == 0 { 1.0 } else { -1.0 }, 0.1 + i as f32 * 0.0135]).collect();
        let smooth = Fix::Smoothed.apply(&drawing(&[&points], 0.05), typical(None)).unwrap();
        let samples = &smooth.strokes[0].samples;
        assert_eq!([samples[0].x, samples[0].y], points[0]);
        let worst = samples[8..52].iter().map(|sample| (sample.x - 0.5).abs()).fold(0.0, f32::max);
        assert!(worst < 0.006, "{worst}");
    }

    #[test]
    fn a_picture_is_moved_as_pixels() {
        let leaning = drawing(&[&[[0.8, 0.15], [0.5, 0.5], [0.2, 0.85]]], 0.08);
        let rgba: Vec<u8> =
            crate::drawing::ink(&leaning, 120).iter().flat_map(|ink| [255 - ink, 255 - ink, 255 - ink, 255]).collect();
        let picture = crate::drawing::Picture::from_rgba(120, 120, &rgba).unwrap();
        let picture = Drawing { picture: Some(std::sync::Arc::new(picture)), strokes: Vec::new() };
        assert!(Fix::Smoothed.apply(&picture, typical(None)).is_none());
        let straight = Fix::Straightened.apply(&picture, typical(Some(1))).unwrap();
        assert!(straight.strokes.is_empty());
        let found = shape(&straight).slant;
        assert!((found - typical(Some(1)).slant.mean).abs() < 4.0, "{found} after {}", shape(&picture).slant);
    }
}
