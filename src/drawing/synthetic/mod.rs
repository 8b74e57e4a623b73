//! Built-in drawn digits: a skeleton in some hand, drawn with haste, slant, tremor and a pen of some width. Any number
//! of them, from any seed, the same on every machine, and through the pad's own pipeline.

mod chance;
mod skeletons;

use chance::Chance;
use skeletons::{Point, sine_and_cosine, skeleton};

use super::normalize::{PEN, digit_image_with};
use super::{DigitImage, Drawing, Sample, Stroke};

/// Rendered pixels in one pixel of a drawn image, along each side; half of what the pad takes the time for.
const OVERSAMPLING: usize = 4;

/// The drawn digit `label` (0 to 9) number `index` under `seed`, on the middle of the pad. Panics on another label.
pub fn drawn_digit(label: u8, seed: u64, index: u64) -> Drawing {
    draw(label, &mut Chance::new(label, seed, index)).0
}

/// The digit image of [`drawn_digit`], its lines as various in width as MNIST's are. Panics on another label.
pub fn drawn_image(label: u8, seed: u64, index: u64) -> DigitImage {
    let (drawing, pen) = draw(label, &mut Chance::new(label, seed, index));
    digit_image_with(&drawing, pen, OVERSAMPLING).unwrap_or_default()
}

/// A drawing, and the width its lines have in its digit image.
fn draw(label: u8, chance: &mut Chance) -> (Drawing, f32) {
    assert!(label <= 9, "digits are 0 to 9, not {label}");
    let mut strokes = skeleton(label, chance);
    let haste = chance.between(0.0, 3.2) as usize;
    for stroke in &mut strokes {
        for _ in 0..haste {
            round_off(stroke);
        }
    }
    distort(&mut strokes, label, chance);
    let spread = 1.0 + chance.about(0.0, 0.15);
    let pen = PEN * (spread * spread).clamp(0.5, 2.2);
    let drawing = on_pad(&strokes, pen / 20.0, chance);
    (drawing, pen)
}

/// A quick hand cuts corners: every inner point moves towards the middle of its neighbours.
fn round_off(points: &mut [Point]) {
    for index in 1..points.len().saturating_sub(1) {
        for axis in 0..2 {
            let neighbours = (points[index - 1][axis] + points[index + 1][axis]) / 2.0;
            points[index][axis] = (points[index][axis] + neighbours) / 2.0;
        }
    }
}

/// Slant, turn, proportion, and a smooth elastic displacement.
fn distort(strokes: &mut [Vec<Point>], label: u8, chance: &mut Chance) {
    // MNIST's writers lean to the right, more in some digits than in others.
    let lean = [0.22, 0.27, 0.16, 0.1, 0.2, 0.24, 0.08, 0.06, 0.2, 0.16][usize::from(label)];
    let slant = chance.about(lean, 0.26);
    let (sine, cosine) = sine_and_cosine(chance.about(0.0, 6.0));
    let stretch = 1.0 + chance.about(0.0, 0.2).clamp(-0.5, 0.8);
    // Waves of displacement across the page, each with its own direction and phase.
    let strength = chance.between(0.0, 0.07);
    let waves: [[f32; 5]; 4] = [(); 4].map(|()| {
        [
            chance.about(0.0, 180.0),
            chance.about(0.0, 180.0),
            chance.between(0.0, 360.0),
            chance.about(0.0, strength),
            chance.about(0.0, strength),
        ]
    });
    let taper = chance.about(0.0, 0.15);
    let tremor = chance.between(-0.006, 0.012).max(0.0);
    for point in strokes.iter_mut().flatten() {
        let [mut x, mut y] = *point;
        for [along_x, along_y, phase, shift_x, shift_y] in waves {
            let (wave, _) = sine_and_cosine(along_x * point[0] + along_y * point[1] + phase);
            x += shift_x * wave;
            y += shift_y * wave;
        }
        x += chance.about(0.0, tremor);
        y += chance.about(0.0, tremor);
        x = x * stretch * (1.0 + taper * (y - 0.5)) - slant * (y - 0.5);
        *point = [x * cosine - y * sine, x * sine + y * cosine];
    }
}

/// The skeleton as pen strokes: its longer side 70 % of the pad, about in the middle; pressure swells and fades.
fn on_pad(strokes: &[Vec<Point>], share: f32, chance: &mut Chance) -> Drawing {
    let (mut low, mut high) = ([f32::MAX; 2], [f32::MIN; 2]);
    for point in strokes.iter().flatten() {
        for axis in 0..2 {
            low[axis] = low[axis].min(point[axis]);
            high[axis] = high[axis].max(point[axis]);
        }
    }
    let scale = 0.7 * (1.0 - share) / (high[0] - low[0]).max(high[1] - low[1]).max(1e-3);
    let place = |point: Point, axis: usize| 0.5 + (point[axis] - (low[axis] + high[axis]) / 2.0) * scale;
    let swell = chance.between(0.0, 0.3);
    let mut seconds = 0.0;
    let strokes = strokes.iter().map(|points| {
        let phase = chance.between(0.0, 360.0);
        let turn = chance.between(4.0, 14.0);
        let samples = points.iter().enumerate().map(|(index, &point)| {
            seconds += 0.012;
            let (wave, _) = sine_and_cosine(phase + turn * index as f32);
            Sample { x: place(point, 0), y: place(point, 1), seconds, pressure: 1.0 - swell * (0.5 + 0.5 * wave) }
        });
        let stroke = Stroke { samples: samples.collect(), width: 0.7 * share, erases: false };
        seconds += 0.15;
        stroke
    });
    Drawing { picture: None, strokes: strokes.collect() }
}
