//! Built-in drawn digits: a skeleton in some hand, drawn with haste, slant, tremor and a pen of some width. Any number
//! of them, from any seed, the same on every machine, and through the pad's own pipeline.

pub(super) mod chance;
mod shapes;
mod skeletons;

use chance::Chance;
use skeletons::{Point, sine_and_cosine, skeleton};

use super::normalize::{PEN, digit_image_with};
use super::{DigitImage, Drawing, Sample, Stroke};

/// Rendered pixels in one pixel of a drawn image, along each side; half of what the pad takes the time for.
const OVERSAMPLING: usize = 4;
/// Keeps the chance of strangers apart from that of the digits of the same seed.
const STRANGERS: u64 = 0x7374_7261_6e67_6572;

/// The drawn digit `label` (0 to 9) number `index` under `seed`, on the middle of the pad. Panics on another label.
pub fn drawn_digit(label: u8, seed: u64, index: u64) -> Drawing {
    draw(label, &mut Chance::new(label, seed, index)).0
}

/// The digit image of [`drawn_digit`], its lines as various in width as MNIST's are. Panics on another label.
pub fn drawn_image(label: u8, seed: u64, index: u64) -> DigitImage {
    let (drawing, pen) = draw(label, &mut Chance::new(label, seed, index));
    digit_image_with(&drawing, pen, OVERSAMPLING).unwrap_or_default()
}

/// What is no digit, number `index` under `seed`: a letter or sign that looks like none, a scribble, or two digits at once.
/// The letters and signs that are `strange` are others than those that are not, among which are also signs that nobody uses.
pub fn drawn_stranger(strange: bool, seed: u64, index: u64) -> Drawing {
    stranger(strange, index, &mut Chance::new(u8::from(strange), seed ^ STRANGERS, index)).0
}

/// The digit image of [`drawn_stranger`].
pub fn stranger_image(strange: bool, seed: u64, index: u64) -> DigitImage {
    let (drawing, pen) = stranger(strange, index, &mut Chance::new(u8::from(strange), seed ^ STRANGERS, index));
    digit_image_with(&drawing, pen, OVERSAMPLING).unwrap_or_default()
}

fn stranger(strange: bool, index: u64, chance: &mut Chance) -> (Drawing, f32) {
    let kind = chance.between(0.0, 1.0);
    let (strokes, lean) = if kind < 0.25 && !strange {
        (shapes::sign(chance), 0.1)
    } else if kind < 0.75 {
        (shapes::shape(strange, (index % shapes::count(strange) as u64) as usize, chance), 0.1)
    } else if kind < 0.9 {
        (shapes::scribble(chance), 0.0)
    } else {
        let mut pair = skeleton(chance.between(0.0, 9.99) as u8, chance);
        let by = chance.between(0.7, 1.0);
        let second = skeleton(chance.between(0.0, 9.99) as u8, chance);
        pair.extend(second.into_iter().map(|stroke| stroke.into_iter().map(|[x, y]| [x + by, y]).collect()));
        (pair, 0.1)
    };
    written(strokes, lean, chance)
}

/// A digit, and the width its lines have in its image.
fn draw(label: u8, chance: &mut Chance) -> (Drawing, f32) {
    assert!(label <= 9, "digits are 0 to 9, not {label}");
    // MNIST's writers lean to the right, more in some digits than in others.
    let lean = [0.25, 0.27, 0.18, 0.08, 0.24, 0.18, 0.06, 0.06, 0.19, 0.15][usize::from(label)];
    written(skeleton(label, chance), lean, chance)
}

/// A skeleton as a hand in a hurry writes it, and the width its lines have in its image.
fn written(mut strokes: Vec<Vec<Point>>, lean: f32, chance: &mut Chance) -> (Drawing, f32) {
    let haste = chance.between(0.0, 3.2) as usize;
    for stroke in &mut strokes {
        for _ in 0..haste {
            round_off(stroke);
        }
    }
    distort(&mut strokes, lean, chance);
    let spread = 1.0 + chance.about(0.0, 0.15);
    let pen = PEN * (spread * spread).clamp(0.5, 2.2);
    let drawing = on_pad(&strokes, pen / 20.0, chance);
    (drawing, pen)
}

/// A quick hand cuts corners: every inner point moves towards the middle of its neighbours.
fn round_off(points: &mut [Point]) {
    for index in 1..points.len().saturating_sub(1) {
        let (before, after) = (points[index - 1], points[index + 1]);
        for (axis, here) in points[index].iter_mut().enumerate() {
            *here = (*here + (before[axis] + after[axis]) / 2.0) / 2.0;
        }
    }
}

/// Slant, turn, proportion, and a smooth elastic displacement.
fn distort(strokes: &mut [Vec<Point>], lean: f32, chance: &mut Chance) {
    let slant = chance.about(lean, 0.23);
    let (sine, cosine) = sine_and_cosine(chance.about(0.0, 6.0));
    let stretch = 1.0 + chance.about(0.0, 0.16).clamp(-0.4, 0.6);
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
            Sample {
                x: place(point, 0),
                y: place(point, 1),
                seconds,
                pressure: 1.0 - swell * (0.5 + 0.5 * wave).max(0.0),
            }
        });
        let stroke = Stroke { samples: samples.collect(), width: 0.7 * share, erases: false };
        seconds += 0.15;
        stroke
    });
    Drawing { picture: None, strokes: strokes.collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drawing::SIDE;

    /// Changes with every change of the generator or the recipe, and only then.
    const CHECKSUM: u64 = 18_161_945_995_777_719_255;

    #[test]
    fn the_same_label_seed_and_index_give_the_same_digit_and_any_other_another() {
        let image = drawn_image(3, 7, 11);
        assert_eq!(image, drawn_image(3, 7, 11));
        for other in [drawn_image(4, 7, 11), drawn_image(3, 8, 11), drawn_image(3, 7, 12), drawn_image(3, 7, u64::MAX)]
        {
            assert_ne!(image, other);
        }
    }

    #[test]
    fn drawn_digits_are_the_same_on_every_machine() {
        let mut sum = 0_u64;
        for index in 0..50 {
            for (place, &ink) in drawn_image((index % 10) as u8, 2026, index).pixels.iter().enumerate() {
                sum = sum.wrapping_mul(31).wrapping_add(u64::from(ink) + place as u64);
            }
        }
        assert_eq!(sum, CHECKSUM, "drawn digits changed: shipped results made from them no longer hold");
    }

    #[test]
    fn every_drawn_digit_is_laid_out_as_mnists_are() {
        for index in 0..400 {
            let image = drawn_image((index % 10) as u8, 1, index);
            let (mut mass, mut x, mut y) = (0.0, 0.0, 0.0);
            let (mut low, mut high) = ([SIDE; 2], [0; 2]);
            for (place, &ink) in image.pixels.iter().enumerate().filter(|(_, ink)| **ink > 0) {
                let at = [place % SIDE, place / SIDE];
                mass += f32::from(ink);
                x += f32::from(ink) * at[0] as f32;
                y += f32::from(ink) * at[1] as f32;
                for axis in 0..2 {
                    low[axis] = low[axis].min(at[axis]);
                    high[axis] = high[axis].max(at[axis]);
                }
            }
            assert_eq!((high[0] - low[0]).max(high[1] - low[1]) + 1, 20, "{image:?}");
            assert!((x / mass - 14.0).abs() < 0.6 && (y / mass - 14.0).abs() < 0.6, "{image:?}");
        }
    }

    #[test]
    fn a_drawn_digit_lies_on_the_pad_and_its_time_runs_forward() {
        for index in 0..100 {
            let drawing = drawn_digit((index % 10) as u8, 5, index);
            let samples: Vec<_> = drawing.strokes.iter().flat_map(|stroke| &stroke.samples).collect();
            assert!(samples.iter().all(|s| (0.1..0.9).contains(&s.x) && (0.1..0.9).contains(&s.y)));
            assert!(samples.iter().all(|s| (0.0..=1.0).contains(&s.pressure)));
            assert!(samples.windows(2).all(|pair| pair[0].seconds < pair[1].seconds));
        }
    }

    #[test]
    fn strangers_are_laid_out_like_digits_and_follow_their_seed() {
        for index in 0..200 {
            for strange in [false, true] {
                let image = stranger_image(strange, 3, index);
                assert_eq!(image, stranger_image(strange, 3, index));
                let ink = image.pixels.iter().filter(|ink| **ink > 0).count();
                assert!((10..=400).contains(&ink), "{index}: {image:?}");
                let samples = drawn_stranger(strange, 3, index).strokes;
                let samples = samples.iter().flat_map(|stroke| &stroke.samples);
                assert!(samples.clone().all(|s| (0.1..0.9).contains(&s.x) && (0.1..0.9).contains(&s.y)));
            }
            assert_ne!(stranger_image(false, 3, index), stranger_image(true, 3, index));
            assert_ne!(stranger_image(false, 3, index), stranger_image(false, 4, index));
        }
    }

    #[test]
    #[should_panic(expected = "digits are 0 to 9")]
    fn there_is_no_digit_ten() {
        drawn_digit(10, 0, 0);
    }
}
