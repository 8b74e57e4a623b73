//! Pen strokes in the pad's unit square, and the smooth curve through them that both the window's ink and the raster
//! follow. Strokes stay vectors: nothing here knows a pixel.

use std::sync::Arc;

use super::picture::Picture;

/// The pen's diameter as a share of the pad's side, unless somebody chose another.
pub const DEFAULT_PEN: f32 = 0.10;

/// How much of the pad's side the ink of [`Drawing::from_polylines`] takes.
const POLYLINE_EXTENT: f64 = 0.7;
/// More points than this in one drawing are refused: no hand makes them.
const MOST_POINTS: usize = 1_000_000;
/// Coordinates beyond this are refused: differences between them would have lost their digits.
const LARGEST_COORDINATE: f32 = 1e9;
/// How far a piece of the polyline may lie from the curve, as a share of the pad's side.
const FLATNESS: f32 = 0.0006;
/// Samples further out than this many pads are held there, so that no stroke asks for an endless raster.
const REACH: f32 = 1.0;

/// One report of the pointer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// From the pad's left edge, 0 to 1.
    pub x: f32,
    /// From the pad's upper edge, 0 to 1, growing downwards.
    pub y: f32,
    /// Since the drawing began.
    pub seconds: f32,
    /// 0 to 1; 1 where the platform tells none.
    pub pressure: f32,
}

/// What the pen left between touching the pad and leaving it.
#[derive(Clone, Debug, PartialEq)]
pub struct Stroke {
    /// In the order of time; one sample alone is a dot.
    pub samples: Vec<Sample>,
    /// Diameter of the pen at full pressure, as a share of the pad's side.
    pub width: f32,
    /// An erasing stroke takes ink away where it runs.
    pub erases: bool,
}

/// Everything on the pad: a picture perhaps, and strokes over it in the order they were made.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Drawing {
    /// An opened or pasted image; it fills the pad and lies under the strokes.
    pub picture: Option<Arc<Picture>>,
    /// Oldest first.
    pub strokes: Vec<Stroke>,
}

/// Why a list of polylines is no drawing.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum StrokesError {
    /// A coordinate is NaN or infinite.
    #[error("point {point} of stroke {stroke} is ({x}, {y}); both coordinates must be finite numbers")]
    NotFinite {
        /// Index of the stroke, from 0.
        stroke: usize,
        /// Index of the point in its stroke, from 0.
        point: usize,
        /// As found.
        x: f32,
        /// As found.
        y: f32,
    },
    /// A coordinate is too large to compute with.
    #[error("point {point} of stroke {stroke} is ({x}, {y}); coordinates may reach 1e9, scale the strokes down")]
    TooFar {
        /// Index of the stroke, from 0.
        stroke: usize,
        /// Index of the point in its stroke, from 0.
        point: usize,
        /// As found.
        x: f32,
        /// As found.
        y: f32,
    },
    /// More points than any hand makes.
    #[error("the strokes have {found} points together; at most 1000000 are taken, thin them out")]
    TooManyPoints {
        /// As found.
        found: usize,
    },
    /// The pen has no sensible width.
    #[error("the pen's width is {0}; it is a share of the pad's side, above 0 and at most 1")]
    PenWidth(f32),
}

impl Drawing {
    /// True where nothing was drawn and nothing opened. Ink that was erased again still counts as drawn: whether any
    /// is left is known only after rendering ([`super::prepare`] returns `None` then).
    pub fn is_empty(&self) -> bool {
        self.picture.is_none() && self.strokes.iter().all(|stroke| stroke.erases || stroke.samples.is_empty())
    }

    /// Samples of all strokes together.
    pub fn points(&self) -> usize {
        self.strokes.iter().map(|stroke| stroke.samples.len()).sum()
    }

    /// What had been drawn after the first `points` samples; a picture was there from the beginning.
    pub fn after(&self, points: usize) -> Self {
        let mut left = points;
        let mut strokes = Vec::new();
        for stroke in &self.strokes {
            let taken = left.min(stroke.samples.len());
            if taken > 0 {
                strokes.push(Stroke { samples: stroke.samples[..taken].to_vec(), ..*stroke });
            }
            left -= taken;
        }
        Self { picture: self.picture.clone(), strokes }
    }

    /// The same ink as if it had been drawn on the pad: polylines in any unit (y downwards), scaled so that the longer
    /// side of their bounding box is 70 % of the pad's side, in its middle. A stroke of one point is a dot, a stroke
    /// of none is left out, no strokes at all are an empty drawing. `width` is the pen's, as in [`Stroke`].
    pub fn from_polylines(polylines: &[Vec<[f32; 2]>], width: f32) -> Result<Self, StrokesError> {
        if !(width > 0.0 && width <= 1.0) {
            return Err(StrokesError::PenWidth(width));
        }
        let found = polylines.iter().map(Vec::len).sum();
        if found > MOST_POINTS {
            return Err(StrokesError::TooManyPoints { found });
        }
        let (mut low, mut high) = ([f64::INFINITY; 2], [f64::NEG_INFINITY; 2]);
        for (stroke, points) in polylines.iter().enumerate() {
            for (point, &[x, y]) in points.iter().enumerate() {
                if !x.is_finite() || !y.is_finite() {
                    return Err(StrokesError::NotFinite { stroke, point, x, y });
                }
                if x.abs().max(y.abs()) > LARGEST_COORDINATE {
                    return Err(StrokesError::TooFar { stroke, point, x, y });
                }
                for (axis, value) in [f64::from(x), f64::from(y)].into_iter().enumerate() {
                    low[axis] = low[axis].min(value);
                    high[axis] = high[axis].max(value);
                }
            }
        }
        let extent = (high[0] - low[0]).max(high[1] - low[1]);
        let scale = if extent > 0.0 { POLYLINE_EXTENT / extent } else { 0.0 };
        let place =
            |value: f32, axis: usize| (0.5 + (f64::from(value) - (low[axis] + high[axis]) / 2.0) * scale) as f32;
        let mut count = 0;
        let strokes = polylines
            .iter()
            .filter(|points| !points.is_empty())
            .map(|points| {
                let samples = points.iter().map(|&[x, y]| {
                    count += 1;
                    Sample { x: place(x, 0), y: place(y, 1), seconds: count as f32 * 0.01, pressure: 1.0 }
                });
                Stroke { samples: samples.collect(), width, erases: false }
            })
            .collect();
        Ok(Self { picture: None, strokes })
    }
}

/// A point of the smooth curve through a stroke's samples.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct InkPoint {
    /// As in [`Sample`].
    pub x: f32,
    /// As in [`Sample`].
    pub y: f32,
    /// Diameter of the ink here, as a share of the pad's side.
    pub diameter: f32,
}

/// Diameter of the ink of a pen of `width` under `pressure`: a light touch is two fifths of the full width.
pub fn ink_diameter(width: f32, pressure: f32) -> f32 {
    let pressure = if pressure.is_finite() { pressure.clamp(0.0, 1.0) } else { 1.0 };
    width * (0.4 + 0.6 * pressure)
}

impl Stroke {
    /// The smooth curve through the samples as a polyline dense enough to look round (flat to 0.06 % of the pad).
    /// One sample gives one point. Samples that are not finite are passed over, those far outside are held a pad's
    /// side away.
    pub fn curve(&self) -> Vec<InkPoint> {
        let width = if self.width.is_finite() { self.width.clamp(0.0, 1.0) } else { DEFAULT_PEN };
        let mut knots: Vec<InkPoint> = Vec::with_capacity(self.samples.len());
        for sample in self.samples.iter().filter(|sample| sample.x.is_finite() && sample.y.is_finite()) {
            let knot = InkPoint {
                x: sample.x.clamp(-REACH, 1.0 + REACH),
                y: sample.y.clamp(-REACH, 1.0 + REACH),
                diameter: ink_diameter(width, sample.pressure),
            };
            // A pen at rest repeats its place; the curve needs places that differ.
            if knots.last().is_none_or(|last| (last.x - knot.x).abs() + (last.y - knot.y).abs() > 1e-5) {
                knots.push(knot);
            }
        }
        smooth(&knots)
    }
}

/// Centripetal Catmull-Rom through `knots` (Barry and Goldman 1988; Yuksel et al. 2011: no loops, no cusps), each
/// piece as a Bézier cubic cut into as many segments as its bend asks for.
fn smooth(knots: &[InkPoint]) -> Vec<InkPoint> {
    let Some(&first) = knots.first() else {
        return Vec::new();
    };
    let mut curve = Vec::with_capacity(knots.len() * 2);
    curve.push(first);
    for (index, pair) in knots.windows(2).enumerate() {
        let (from, to) = (pair[0], pair[1]);
        let before = if index > 0 { knots[index - 1] } else { from };
        let after = knots.get(index + 2).copied().unwrap_or(to);
        let root = |a: InkPoint, b: InkPoint| ((a.x - b.x).powi(2) + (a.y - b.y).powi(2)).sqrt().sqrt();
        let (d1, d2, d3) = (root(before, from), root(from, to), root(to, after));
        // Bézier handles.
        let handle = |p0: f32, p1: f32, p2: f32, near: f32| {
            (near * near * p2 - d2 * d2 * p0 + (2.0 * near * near + 3.0 * near * d2 + d2 * d2) * p1)
                / (3.0 * near * (near + d2))
        };
        let mut c1 = [handle(before.x, from.x, to.x, d1), handle(before.y, from.y, to.y, d1)];
        let mut c2 = [handle(after.x, to.x, from.x, d3), handle(after.y, to.y, from.y, d3)];
        // An end of the stroke has no neighbour beyond it; the curve runs out straight there.
        match (d1 > 0.0, d3 > 0.0) {
            (true, true) => {}
            (false, true) => c1 = [(from.x + c2[0]) / 2.0, (from.y + c2[1]) / 2.0],
            (true, false) => c2 = [(to.x + c1[0]) / 2.0, (to.y + c1[1]) / 2.0],
            (false, false) => {
                curve.push(to);
                continue;
            }
        }
        let bend = |a: f32, b: f32, c: f32| (a - 2.0 * b + c).abs();
        let bend = (bend(from.x, c1[0], c2[0]) + bend(from.y, c1[1], c2[1]))
            .max(bend(c1[0], c2[0], to.x) + bend(c1[1], c2[1], to.y));
        let pieces = (0.75 * bend / FLATNESS).sqrt().ceil().clamp(1.0, 64.0) as usize;
        for piece in 1..pieces {
            let t = piece as f32 / pieces as f32;
            let u = 1.0 - t;
            let cubic = |a: f32, b: f32, c: f32, d: f32| {
                u * u * u * a + 3.0 * u * u * t * b + 3.0 * u * t * t * c + t * t * t * d
            };
            curve.push(InkPoint {
                x: cubic(from.x, c1[0], c2[0], to.x),
                y: cubic(from.y, c1[1], c2[1], to.y),
                diameter: from.diameter + (to.diameter - from.diameter) * t,
            });
        }
        curve.push(to);
    }
    curve
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stroke(points: &[[f32; 2]]) -> Stroke {
        let samples = points.iter().map(|&[x, y]| Sample { x, y, seconds: 0.0, pressure: 1.0 }).collect();
        Stroke { samples, width: DEFAULT_PEN, erases: false }
    }

    #[test]
    fn a_drawing_with_only_erasing_strokes_is_empty() {
        let mut drawing = Drawing::default();
        assert!(drawing.is_empty());
        drawing.strokes.push(Stroke { erases: true, ..stroke(&[[0.5, 0.5]]) });
        assert!(drawing.is_empty());
        drawing.strokes.push(stroke(&[[0.5, 0.5]]));
        assert!(!drawing.is_empty());
    }

    #[test]
    fn a_drawing_can_be_seen_as_it_was_after_every_point() {
        let drawing =
            Drawing { picture: None, strokes: vec![stroke(&[[0.1, 0.1], [0.2, 0.2]]), stroke(&[[0.5, 0.5]])] };
        assert_eq!(drawing.points(), 3);
        assert!(drawing.after(0).strokes.is_empty());
        assert_eq!(drawing.after(1).strokes, [stroke(&[[0.1, 0.1]])]);
        assert_eq!(drawing.after(2).strokes, drawing.strokes[..1]);
        assert_eq!((drawing.after(3), drawing.after(99)), (drawing.clone(), drawing));
    }

    #[test]
    fn polylines_fill_seven_tenths_of_the_pad_in_its_middle() {
        let drawing = Drawing::from_polylines(&[vec![[100.0, 1000.0], [300.0, 1400.0]]], 0.1).unwrap();
        let samples = &drawing.strokes[0].samples;
        assert!((samples[0].y - 0.15).abs() < 1e-6 && (samples[1].y - 0.85).abs() < 1e-6);
        assert!((samples[0].x - 0.325).abs() < 1e-6 && (samples[1].x - 0.675).abs() < 1e-6);
    }

    #[test]
    fn one_point_is_a_dot_in_the_middle_and_no_points_are_an_empty_drawing() {
        let drawing = Drawing::from_polylines(&[vec![], vec![[7.0, -3.0]]], 0.1).unwrap();
        assert_eq!(drawing.strokes.len(), 1);
        assert_eq!((drawing.strokes[0].samples[0].x, drawing.strokes[0].samples[0].y), (0.5, 0.5));
        assert_eq!(drawing.strokes[0].curve().len(), 1);
        assert!(Drawing::from_polylines(&[vec![]], 0.1).unwrap().is_empty());
    }

    #[test]
    fn numbers_nobody_can_draw_are_refused_by_name() {
        let at = |x, y| Drawing::from_polylines(&[vec![[0.0, 0.0]], vec![[1.0, 1.0], [x, y]]], 0.1);
        assert!(matches!(at(f32::NAN, 0.0), Err(StrokesError::NotFinite { stroke: 1, point: 1, .. })));
        assert!(matches!(at(0.0, f32::INFINITY), Err(StrokesError::NotFinite { .. })));
        assert!(matches!(at(1e20, 0.0), Err(StrokesError::TooFar { .. })));
        for width in [0.0, -1.0, f32::NAN, 2.0] {
            assert!(matches!(Drawing::from_polylines(&[], width), Err(StrokesError::PenWidth(_))));
        }
        let many = vec![vec![[0.0, 0.0]; MOST_POINTS + 1]];
        assert_eq!(Drawing::from_polylines(&many, 0.1), Err(StrokesError::TooManyPoints { found: MOST_POINTS + 1 }));
    }

    #[test]
    fn the_curve_runs_through_every_sample_and_rounds_the_corners_between() {
        let points: Vec<[f32; 2]> =
            (0..12).map(|i| (i as f32 * 0.5).sin_cos()).map(|(s, c)| [0.5 + 0.3 * c, 0.5 + 0.3 * s]).collect();
        let curve = stroke(&points).curve();
        for [x, y] in points {
            assert!(curve.iter().any(|p| (p.x - x).abs() + (p.y - y).abs() < 1e-6));
        }
        let worst = curve.iter().map(|p| ((p.x - 0.5).hypot(p.y - 0.5) - 0.3).abs()).fold(0.0, f32::max);
        assert!(worst < 0.01, "a circle of 12 samples stays round: {worst}");
        assert!(curve.len() > 40);
    }

    #[test]
    fn a_straight_line_needs_no_more_points_than_it_has() {
        assert_eq!(stroke(&[[0.1, 0.1], [0.5, 0.5], [0.9, 0.9]]).curve().len(), 3);
    }

    #[test]
    fn resting_wild_and_missing_samples_do_no_harm() {
        let curve = stroke(&[[0.5, 0.5], [0.5, 0.5], [f32::NAN, 0.2], [1e30, -1e30], [0.5, 0.5]]).curve();
        assert!(curve.iter().all(|p| p.x.abs() <= 3.0 && p.y.abs() <= 3.0 && p.diameter.is_finite()));
        assert!(stroke(&[]).curve().is_empty());
    }
}
