//! Changes that bring a drawing nearer to how MNIST's digits are written. Each gives a new drawing: strokes stay strokes
//! with their times, and a picture is changed as pixels where that can be done.

use std::sync::Arc;

use super::{Shape, Typical};
use crate::drawing::ink::Ink;
use crate::drawing::normalize::{DIGIT_SIZE, PEN};
use crate::drawing::raster::{InkBox, Raster};
use crate::drawing::strokes::InkPoint;
use crate::drawing::{Drawing, Picture, SIDE, Sample, Stroke, digit_image};

/// Share of the pad that a digit fills, as 20 pixels of 28 are.
const FILL: f32 = DIGIT_SIZE / SIDE as f32;
/// A drawing that grows over this share of the pad is brought back to it.
const MOST_OF_PAD: f32 = 0.9;
/// Gaps between ends of strokes, as shares of the digit's longer side: closer ends touch, wider gaps are meant.
const GAP: std::ops::Range<f32> = 0.10..0.30;
/// Shorter strokes, as a share of all the way the pen went, are strays where they touch nothing.
const STRAY: f32 = 0.12;
/// Reach of the smoothing, as a share of the digit's longer side.
const SMOOTHING: f32 = 0.035;
/// A picture that is moved has at least this many pixels in its side, so that its lines stay smooth.
const LEAST_SIDE: usize = 140;

/// One change of a drawing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fix {
    /// In the middle of the pad, as large as a digit of MNIST is in its image.
    Centred,
    /// One pen throughout, as wide as MNIST's lines.
    LineWidth,
    /// Sheared to MNIST's mean slant.
    Straightened,
    /// Narrowed or widened to MNIST's mean proportions.
    Proportions,
    /// The end of a stroke drawn on to the line that it nearly reaches.
    GapClosed,
    /// Without the trembling of the hand.
    Smoothed,
    /// Without a short stroke that touches nothing.
    StrayRemoved,
}

impl Fix {
    /// All of them, in the order in which equals are tried.
    pub const ALL: [Self; 7] = [
        Self::Centred,
        Self::LineWidth,
        Self::Straightened,
        Self::GapClosed,
        Self::StrayRemoved,
        Self::Proportions,
        Self::Smoothed,
    ];

    /// The changed drawing; `None` where there is no ink, or nothing that this fix could change.
    pub fn apply(self, drawing: &Drawing, towards: &Typical) -> Option<Drawing> {
        let found = Ink::of(drawing).ink_box()?;
        let middle = [(found.left + found.right) / 2.0, (found.top + found.bottom) / 2.0];
        match self {
            Self::Centred => {
                let scale = FILL / found.longer();
                let [x, y] = middle;
                let map = Affine { xx: scale, xy: 0.0, yy: scale, from: [x, y], to: [0.5, 0.5] };
                Some(map.applied(drawing, scale))
            }
            Self::LineWidth => with_even_pen(drawing, found),
            Self::Straightened => {
                let shape = Shape::of(&digit_image(drawing)?)?;
                let lean = |degrees: f32| degrees.to_radians().tan();
                // y grows downwards: what leans to the right has less x further down
                let shear = lean(shape.slant) - lean(towards.slant.mean);
                fitted(Affine { xx: 1.0, xy: shear, yy: 1.0, from: middle, to: middle }.applied(drawing, 1.0))
            }
            Self::Proportions => {
                let shape = Shape::of(&digit_image(drawing)?)?;
                let pen = PEN / DIGIT_SIZE * found.longer();
                // the box grows with the pen, the way of the pen is what can be stretched
                let way = [found.width() - pen, found.height() - pen];
                if way[0] <= 0.5 * pen || way[1] <= 0.5 * pen || shape.aspect <= 0.0 {
                    return None;
                }
                let factor = (towards.aspect.mean / shape.aspect).clamp(0.6, 1.7);
                fitted(Affine { xx: factor, xy: 0.0, yy: 1.0, from: middle, to: middle }.applied(drawing, 1.0))
            }
            Self::GapClosed => with_gap_closed(drawing, found.longer()),
            Self::Smoothed => smoothed(drawing, found.longer()),
            Self::StrayRemoved => without_stray(drawing, found.longer()),
        }
    }
}

/// `x ↦ to + xx (x − from) + xy (y − from)`, and the same without shear for y.
#[derive(Clone, Copy)]
struct Affine {
    xx: f32,
    xy: f32,
    yy: f32,
    from: [f32; 2],
    to: [f32; 2],
}

impl Affine {
    fn at(&self, [x, y]: [f32; 2]) -> [f32; 2] {
        let (dx, dy) = (x - self.from[0], y - self.from[1]);
        [self.to[0] + self.xx * dx + self.xy * dy, self.to[1] + self.yy * dy]
    }

    fn back(&self, [x, y]: [f32; 2]) -> [f32; 2] {
        let dy = (y - self.to[1]) / self.yy;
        [self.from[0] + (x - self.to[0] - self.xy * dy) / self.xx, self.from[1] + dy]
    }

    /// The moved drawing, its pens `pen` times as wide.
    fn applied(&self, drawing: &Drawing, pen: f32) -> Drawing {
        let strokes = drawing.strokes.iter().map(|stroke| {
            let samples = stroke.samples.iter().map(|sample| {
                let [x, y] = self.at([sample.x, sample.y]);
                Sample { x, y, ..*sample }
            });
            Stroke { samples: samples.collect(), width: (stroke.width * pen).min(1.0), erases: stroke.erases }
        });
        let picture = drawing.picture.as_deref().map(|picture| Arc::new(self.picture(picture)));
        Drawing { picture, strokes: strokes.collect() }
    }

    fn picture(&self, picture: &Picture) -> Picture {
        let source = Raster {
            width: picture.side,
            height: picture.side,
            ink: picture.ink.iter().map(|&ink| f32::from(ink)).collect(),
        };
        let side = picture.side.max(LEAST_SIDE);
        let ink = (0..side * side).map(|index| {
            let unit = |pixel: usize| (pixel as f32 + 0.5) / side as f32;
            let [x, y] = self.back([unit(index % side), unit(index / side)]);
            let pixel = |unit: f32| unit * picture.side as f32 - 0.5;
            source.between(pixel(x), pixel(y)).round() as u8
        });
        Picture { ink: ink.collect(), side }
    }
}

/// Moved back onto the pad, and made smaller where it has grown too large.
fn fitted(drawing: Drawing) -> Option<Drawing> {
    let found = Ink::of(&drawing).ink_box()?;
    let scale = (MOST_OF_PAD / found.longer()).min(1.0);
    let place = |low: f32, high: f32| {
        let half = scale * (high - low) / 2.0;
        ((low + high) / 2.0).clamp(half.min(0.5), (1.0 - half).max(0.5))
    };
    let from = [(found.left + found.right) / 2.0, (found.top + found.bottom) / 2.0];
    let to = [place(found.left, found.right), place(found.top, found.bottom)];
    if scale == 1.0 && from == to {
        return Some(drawing);
    }
    Some(Affine { xx: scale, xy: 0.0, yy: scale, from, to }.applied(&drawing, scale))
}

fn laying(drawing: &Drawing) -> impl Iterator<Item = (usize, &Stroke)> {
    drawing.strokes.iter().enumerate().filter(|(_, stroke)| !stroke.erases && !stroke.samples.is_empty())
}

fn with_even_pen(drawing: &Drawing, found: InkBox) -> Option<Drawing> {
    let widest = laying(drawing).map(|(_, stroke)| stroke.width).reduce(f32::max)?;
    let way = (found.longer() - widest).max(0.3 * widest);
    let share = PEN / DIGIT_SIZE;
    let mut changed = drawing.clone();
    for stroke in changed.strokes.iter_mut().filter(|stroke| !stroke.erases) {
        stroke.width = share / (1.0 - share) * way;
        stroke.samples.iter_mut().for_each(|sample| sample.pressure = 1.0);
    }
    Some(changed)
}

fn distance(a: [f32; 2], b: [f32; 2]) -> f32 {
    (a[0] - b[0]).hypot(a[1] - b[1])
}

/// The curve with how far the pen had gone at each point.
fn way(stroke: &Stroke) -> Vec<([f32; 2], f32)> {
    let mut gone = 0.0;
    let mut last: Option<InkPoint> = None;
    let step = |point: InkPoint| {
        gone += last.map_or(0.0, |last| distance([last.x, last.y], [point.x, point.y]));
        last = Some(point);
        ([point.x, point.y], gone)
    };
    stroke.curve().into_iter().map(step).collect()
}

/// The smallest gap between an end of a stroke and a line, closed with a straight piece.
fn with_gap_closed(drawing: &Drawing, longer: f32) -> Option<Drawing> {
    let ways: Vec<_> = laying(drawing).map(|(index, stroke)| (index, way(stroke))).collect();
    let mut best: Option<(f32, usize, bool, [f32; 2])> = None;
    for (index, own) in &ways {
        let (Some(&(first, _)), Some(&(last, length))) = (own.first(), own.last()) else { continue };
        for (at_start, end, from) in [(true, first, 0.0), (false, last, length)] {
            // how near the end comes to any line; the part of its own line that leads to it does not count
            let lines = ways.iter().flat_map(|(other, points)| points.iter().map(move |point| (other, point)));
            let nearest = lines
                .filter(|(other, (_, gone))| *other != index || (gone - from).abs() > 2.0 * GAP.end * longer)
                .map(|(_, &(point, _))| (distance(end, point), point))
                .min_by(|a, b| a.0.total_cmp(&b.0));
            if let Some((gap, point)) = nearest
                && GAP.contains(&(gap / longer))
                && best.is_none_or(|(smallest, ..)| gap < smallest)
            {
                best = Some((gap, *index, at_start, point));
            }
        }
    }
    let (_, index, at_start, [x, y]) = best?;
    let mut changed = drawing.clone();
    let samples = &mut changed.strokes.get_mut(index)?.samples;
    if at_start {
        samples.insert(0, Sample { x, y, ..*samples.first()? });
    } else {
        samples.push(Sample { x, y, ..*samples.last()? });
    }
    Some(changed)
}

/// Every sample becomes the mean of its neighbours along the line, weighted by a Gaussian of their way to it; the ends
/// stay where they are.
fn smoothed(drawing: &Drawing, longer: f32) -> Option<Drawing> {
    let sigma = SMOOTHING * longer;
    let mut changed = drawing.clone();
    let mut any = false;
    for stroke in changed.strokes.iter_mut().filter(|stroke| !stroke.erases && stroke.samples.len() > 2) {
        any = true;
        let before = stroke.samples.clone();
        let mut gone = Vec::with_capacity(before.len());
        let mut sum = 0.0;
        for (index, sample) in before.iter().enumerate() {
            let last = before[index.saturating_sub(1)];
            sum += distance([last.x, last.y], [sample.x, sample.y]);
            gone.push(sum);
        }
        let end = before.len() - 1;
        for index in 1..end {
            // near an end the mean reaches no further than the end does, or the line would grow shorter
            let reach = (3.0 * sigma).min(gone[index]).min(gone[end] - gone[index]);
            let (mut weights, mut x, mut y) = (0.0, 0.0, 0.0);
            for (other, sample) in before.iter().enumerate() {
                let off = (gone[other] - gone[index]).abs();
                if off > reach {
                    continue;
                }
                // samples stand for the way between their neighbours: a slow pen leaves more of them
                let stretch = (gone[(other + 1).min(end)] - gone[other.saturating_sub(1)]).max(1e-6);
                let weight = stretch * (-off * off / (2.0 * sigma * sigma)).exp();
                weights += weight;
                x += weight * sample.x;
                y += weight * sample.y;
            }
            if weights > 0.0 {
                (stroke.samples[index].x, stroke.samples[index].y) = (x / weights, y / weights);
            }
        }
    }
    (any && changed != *drawing).then_some(changed)
}

/// Without the strokes that are short and touch no other.
fn without_stray(drawing: &Drawing, longer: f32) -> Option<Drawing> {
    let ways: Vec<_> = laying(drawing).map(|(index, stroke)| (index, way(stroke))).collect();
    let length = |points: &[([f32; 2], f32)]| points.last().map_or(0.0, |point| point.1);
    let all: f32 = ways.iter().map(|(_, points)| length(points)).sum();
    let is_stray = |index: usize, points: &[([f32; 2], f32)]| {
        let others = ways.iter().filter(|(other, _)| *other != index).flat_map(|(_, others)| others);
        let nearest = others
            .flat_map(|(other, _)| points.iter().map(|(point, _)| distance(*point, *other)))
            .fold(f32::INFINITY, f32::min);
        length(points) < STRAY * all && nearest > GAP.start * longer
    };
    let strays: Vec<usize> =
        ways.iter().filter(|(index, points)| is_stray(*index, points)).map(|(index, _)| *index).collect();
    if strays.is_empty() || strays.len() == ways.len() {
        return None;
    }
    let kept = drawing.strokes.iter().enumerate().filter(|(index, _)| !strays.contains(index));
    Some(Drawing { picture: drawing.picture.clone(), strokes: kept.map(|(_, stroke)| stroke.clone()).collect() })
}
