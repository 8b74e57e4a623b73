//! Seeded distortion of a digit image: affine (shift, turn, scale, shear) and elastic. One image in, one image out;
//! which images are distorted, and when, is the caller's matter.

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use crate::drawing::{PIXELS, SIDE};

/// Standard deviation of the Gaussian that smooths elastic displacements, in pixels (Simard, Steinkraus and Platt 2003
/// found 4 best for MNIST).
const ELASTIC_SIGMA: f32 = 4.0;
/// Taps on each side: three standard deviations hold all but 0.3 % of the weight.
const ELASTIC_REACH: usize = 12;

/// How far images may be distorted. Every amount is the largest one: each image draws its own, uniformly from
/// −amount to +amount. All zero leaves images as they are.
#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Debug, Default)]
#[serde(default, deny_unknown_fields)]
pub struct Augmentation {
    /// Shift along each axis, in pixels.
    pub shift_pixels: f32,
    /// Turn about the image's centre, in degrees.
    pub rotation_degrees: f32,
    /// Change of size: 0.1 makes the digit up to a tenth smaller or larger.
    pub scale: f32,
    /// Horizontal slant: horizontal displacement per row above or below the centre, both in pixels.
    pub shear: f32,
    /// Horizontal compression with vertical elongation, or the reverse: 0.1 changes both sides by up to a tenth.
    #[serde(skip_serializing_if = "is_zero")]
    pub squeeze: f32,
    /// The share of images that stay as they are.
    #[serde(skip_serializing_if = "is_zero")]
    pub undistorted: f32,
    /// Root mean square length of the elastic displacements, in pixels; this one is not a range.
    pub elastic_pixels: f32,
}

// what older files do not know is left out where it is not used
#[allow(clippy::trivially_copy_pass_by_ref, reason = "the form that serde calls")]
fn is_zero(amount: &f32) -> bool {
    *amount == 0.0
}

impl Augmentation {
    /// Mild changes of place, turn, size and slant, which help every model here to read digits it has not seen.
    pub const MILD: Self = Self {
        shift_pixels: 1.0,
        rotation_degrees: 10.0,
        scale: 0.1,
        shear: 0.15,
        squeeze: 0.0,
        undistorted: 0.0,
        elastic_pixels: 0.0,
    };

    /// True when [`Augmentation::distort`] changes nothing.
    pub fn is_off(&self) -> bool {
        Self { undistorted: 0.0, ..*self } == Self::default()
    }

    /// # Errors
    /// A sentence on the first amount that is not a number in its range.
    pub fn validate(&self) -> Result<(), String> {
        let ranges = [
            ("shift_pixels", self.shift_pixels, 14.0),
            ("rotation_degrees", self.rotation_degrees, 180.0),
            ("scale", self.scale, 0.9),
            ("shear", self.shear, 2.0),
            ("squeeze", self.squeeze, 0.9),
            ("undistorted", self.undistorted, 1.0),
            ("elastic_pixels", self.elastic_pixels, 10.0),
        ];
        for (name, amount, most) in ranges {
            if !(0.0..=most).contains(&amount) {
                return Err(format!("augmentation {name} must be between 0 (off) and {most}, found {amount}"));
            }
        }
        Ok(())
    }

    /// A distorted copy, sampled bilinearly; paper comes in from outside. The same `rng` state gives the same copy.
    ///
    /// Each pixel `(column, row)` about the centre takes its ink from `M · (column, row) + shift + elastic`.
    pub fn distort(&self, image: &[u8; PIXELS], rng: &mut ChaCha8Rng) -> [u8; PIXELS] {
        if self.is_off() {
            return *image;
        }
        // Drawn even where an amount is zero, so that switching one kind off leaves the others as they were.
        let mut uniform = || rng.random::<f32>() * 2.0 - 1.0;
        let shift = [uniform() * self.shift_pixels, uniform() * self.shift_pixels];
        let angle = (uniform() * self.rotation_degrees).to_radians();
        let scale = 1.0 + uniform() * self.scale;
        let shear = uniform() * self.shear;
        let squeeze = 1.0 + uniform() * self.squeeze;
        if (uniform() + 1.0) / 2.0 < self.undistorted {
            return *image;
        }
        let (sin, cos) = angle.sin_cos();
        // The inverse of turn · shear · scale, because ink is fetched, not pushed.
        let (across, down) = (scale * squeeze, scale / squeeze);
        let inverse = [[(cos + shear * sin) / across, (sin - shear * cos) / across], [-sin / down, cos / down]];
        let elastic = (self.elastic_pixels > 0.0).then(|| displacements(self.elastic_pixels, rng));
        sample(image, |column, row| {
            let wobble = elastic.as_ref().map_or([0.0; 2], |field| [field[0][row][column], field[1][row][column]]);
            let centre = (SIDE as f32 - 1.0) / 2.0;
            let (x, y) = (column as f32 - centre - shift[0], row as f32 - centre - shift[1]);
            [
                inverse[0][0] * x + inverse[0][1] * y + centre + wobble[0],
                inverse[1][0] * x + inverse[1][1] * y + centre + wobble[1],
            ]
        })
    }
}

/// Bilinear sampling at the place `from(column, row)` gives, in pixels with pixel centres at whole numbers.
fn sample(image: &[u8; PIXELS], from: impl Fn(usize, usize) -> [f32; 2]) -> [u8; PIXELS] {
    // A frame of paper all round makes every neighbour exist.
    const FRAMED: usize = SIDE + 2;
    let mut framed = [[0.0_f32; FRAMED]; FRAMED];
    for (line, row) in framed[1..].iter_mut().zip(image.chunks_exact(SIDE)) {
        for (framed_pixel, &pixel) in line[1..].iter_mut().zip(row) {
            *framed_pixel = f32::from(pixel);
        }
    }
    let mut result = [0; PIXELS];
    for (index, pixel) in result.iter_mut().enumerate() {
        let [x, y] = from(index % SIDE, index / SIDE);
        // Not a number or outside: paper.
        if !(x > -1.0 && y > -1.0 && x < SIDE as f32 && y < SIDE as f32) {
            continue;
        }
        let (x, y) = (x + 1.0, y + 1.0);
        let (column, row) = ((x as usize).min(SIDE), (y as usize).min(SIDE));
        let (right, down) = (x - column as f32, y - row as f32);
        let upper = framed[row][column] * (1.0 - right) + framed[row][column + 1] * right;
        let lower = framed[row + 1][column] * (1.0 - right) + framed[row + 1][column + 1] * right;
        *pixel = (upper * (1.0 - down) + lower * down + 0.5) as u8;
    }
    result
}

type Field = [[f32; SIDE]; SIDE];

/// Horizontal and vertical displacements: uniform noise, smoothed, scaled so that their root mean square length is
/// `pixels` (Simard's fields; he gives the factor before the smoothing, which is harder to picture).
fn displacements(pixels: f32, rng: &mut ChaCha8Rng) -> [Field; 2] {
    let mut weights = [0.0; ELASTIC_REACH + 1];
    for (distance, weight) in weights.iter_mut().enumerate() {
        *weight = (-0.5 * (distance as f32 / ELASTIC_SIGMA).powi(2)).exp();
    }
    let mut fields = [[[0.0_f32; SIDE]; SIDE]; 2];
    for field in &mut fields {
        for value in field.iter_mut().flatten() {
            *value = rng.random::<f32>() * 2.0 - 1.0;
        }
        *field = smooth_rows_and_transpose(field, &weights);
        *field = smooth_rows_and_transpose(field, &weights);
    }
    let squares: f32 = fields.iter().flatten().flatten().map(|value| value * value).sum();
    let factor = pixels / (squares / PIXELS as f32).sqrt().max(f32::MIN_POSITIVE);
    for value in fields.iter_mut().flatten().flatten() {
        *value *= factor;
    }
    fields
}

/// Outside the image there is no displacement. Twice this smooths both axes and turns the field back again.
fn smooth_rows_and_transpose(field: &Field, weights: &[f32; ELASTIC_REACH + 1]) -> Field {
    let mut result = [[0.0; SIDE]; SIDE];
    for (row, values) in field.iter().enumerate() {
        let mut padded = [0.0; SIDE + 2 * ELASTIC_REACH];
        padded[ELASTIC_REACH..ELASTIC_REACH + SIDE].copy_from_slice(values);
        // a whole row at each distance: compilers make vectors of it
        let mut sums: [f32; SIDE] = std::array::from_fn(|column| padded[ELASTIC_REACH + column] * weights[0]);
        for (distance, weight) in weights.iter().enumerate().skip(1) {
            let (before, after) = (&padded[ELASTIC_REACH - distance..], &padded[ELASTIC_REACH + distance..]);
            for (sum, (before, after)) in sums.iter_mut().zip(before.iter().zip(after)) {
                *sum += (before + after) * weight;
            }
        }
        for (line, sum) in result.iter_mut().zip(sums) {
            line[row] = sum;
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    const OFF: Augmentation = Augmentation {
        shift_pixels: 0.0,
        rotation_degrees: 0.0,
        scale: 0.0,
        shear: 0.0,
        squeeze: 0.0,
        undistorted: 0.0,
        elastic_pixels: 0.0,
    };
    const ALL: Augmentation = Augmentation {
        shift_pixels: 2.0,
        rotation_degrees: 15.0,
        scale: 0.15,
        shear: 0.2,
        squeeze: 0.1,
        undistorted: 0.0,
        elastic_pixels: 1.5,
    };

    /// A bar with a foot: neither axis nor turn leaves it as it is.
    fn boot() -> [u8; PIXELS] {
        let mut image = [0; PIXELS];
        for row in 6..22 {
            for column in 12..16 {
                image[row * SIDE + column] = 200;
            }
        }
        for column in 16..21 {
            image[20 * SIDE + column] = 255;
        }
        image
    }

    fn mass(image: &[u8; PIXELS]) -> f32 {
        image.iter().map(|&ink| f32::from(ink)).sum()
    }

    /// Mean column and row of the ink.
    fn centre(image: &[u8; PIXELS]) -> [f32; 2] {
        let mut sums = [0.0; 2];
        for (index, &ink) in image.iter().enumerate() {
            sums[0] += f32::from(ink) * (index % SIDE) as f32;
            sums[1] += f32::from(ink) * (index / SIDE) as f32;
        }
        sums.map(|sum| sum / mass(image))
    }

    fn distorted(augmentation: Augmentation, seed: u64) -> [u8; PIXELS] {
        augmentation.distort(&boot(), &mut ChaCha8Rng::seed_from_u64(seed))
    }

    #[test]
    fn switched_off_it_changes_nothing_and_draws_nothing() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        assert_eq!(OFF.distort(&boot(), &mut rng), boot());
        assert_eq!(rng, ChaCha8Rng::seed_from_u64(1));
    }

    #[test]
    fn the_seed_decides() {
        assert_eq!(distorted(ALL, 4), distorted(ALL, 4));
        assert_ne!(distorted(ALL, 4), distorted(ALL, 5));
    }

    #[test]
    fn every_kind_changes_the_image_and_keeps_most_of_its_ink() {
        for (name, one) in [
            ("shift", Augmentation { shift_pixels: 2.0, ..OFF }),
            ("rotation", Augmentation { rotation_degrees: 15.0, ..OFF }),
            ("scale", Augmentation { scale: 0.1, ..OFF }),
            ("shear", Augmentation { shear: 0.2, ..OFF }),
            ("squeeze", Augmentation { squeeze: 0.2, ..OFF }),
            ("elastic", Augmentation { elastic_pixels: 1.0, ..OFF }),
            ("all", ALL),
        ] {
            for seed in 0..20 {
                let image = distorted(one, seed);
                assert_ne!(image, boot(), "{name}");
                let share = mass(&image) / mass(&boot());
                assert!((0.5..2.0).contains(&share), "{name} seed {seed}: {share}");
            }
        }
    }

    #[test]
    fn a_squeeze_narrows_what_it_lengthens_and_originals_stay() {
        let mut block = [0; PIXELS];
        for row in 8..20 {
            block[row * SIDE + 8..row * SIDE + 20].fill(255);
        }
        let spread = |image: &[u8; PIXELS]| {
            let [x, y] = centre(image);
            let mut sums = [0.0_f32; 2];
            for (index, &ink) in image.iter().enumerate() {
                sums[0] += f32::from(ink) * ((index % SIDE) as f32 - x).powi(2);
                sums[1] += f32::from(ink) * ((index / SIDE) as f32 - y).powi(2);
            }
            sums.map(|sum| (sum / mass(image)).sqrt())
        };
        let mut originals = 0;
        for seed in 0..200 {
            let squeezed = Augmentation { squeeze: 0.25, undistorted: 0.3, ..OFF };
            let image = squeezed.distort(&block, &mut ChaCha8Rng::seed_from_u64(seed));
            originals += u32::from(image == block);
            let ([width, height], [x, y]) = (spread(&image), spread(&block));
            assert!(((width / x) * (height / y) - 1.0).abs() < 0.06, "seed {seed}: {width} by {height}");
        }
        assert!((40..80).contains(&originals), "{originals} of 200 stay as they are, for 30 %");
    }

    #[test]
    fn a_shift_moves_the_centre_within_its_range_and_turns_do_not_move_the_middle() {
        let [x, y] = centre(&boot());
        let mut farthest = 0.0_f32;
        for seed in 0..50 {
            let moved = centre(&distorted(Augmentation { shift_pixels: 2.0, ..OFF }, seed));
            let (right, down) = (moved[0] - x, moved[1] - y);
            assert!(right.abs() < 2.01 && down.abs() < 2.01, "{right} {down}");
            farthest = farthest.max(right.abs());
        }
        assert!(farthest > 1.5, "{farthest}");
        let mut cross = [0; PIXELS];
        cross[13 * SIDE + 13..13 * SIDE + 15].fill(255);
        cross[14 * SIDE + 13..14 * SIDE + 15].fill(255);
        let turned = Augmentation { rotation_degrees: 90.0, ..OFF }.distort(&cross, &mut ChaCha8Rng::seed_from_u64(2));
        let [x, y] = centre(&turned);
        assert!((x - 13.5).abs() < 0.05 && (y - 13.5).abs() < 0.05, "{x} {y}");
    }

    #[test]
    fn elastic_displacements_have_the_length_asked_for_and_are_smooth() {
        let fields = displacements(1.5, &mut ChaCha8Rng::seed_from_u64(3));
        let squares: f32 = fields.iter().flatten().flatten().map(|value| value * value).sum();
        assert!(((squares / PIXELS as f32).sqrt() - 1.5).abs() < 1e-3);
        for line in fields.iter().flatten() {
            assert!(line.windows(2).all(|pair| (pair[0] - pair[1]).abs() < 1.0));
        }
    }

    #[test]
    fn amounts_out_of_range_are_told_by_name() {
        assert!(ALL.validate().is_ok() && OFF.validate().is_ok());
        for (bad, name) in [
            (Augmentation { shift_pixels: -1.0, ..OFF }, "shift_pixels"),
            (Augmentation { rotation_degrees: f32::NAN, ..OFF }, "rotation_degrees"),
            (Augmentation { scale: 1.0, ..OFF }, "scale"),
            (Augmentation { shear: f32::INFINITY, ..OFF }, "shear"),
            (Augmentation { elastic_pixels: 11.0, ..OFF }, "elastic_pixels"),
        ] {
            assert!(bad.validate().unwrap_err().contains(name));
        }
    }

    #[test]
    fn an_unknown_key_is_refused_and_missing_ones_are_off() {
        assert_eq!(toml::from_str::<Augmentation>("shear = 0.5").unwrap(), Augmentation { shear: 0.5, ..OFF });
        assert!(toml::from_str::<Augmentation>("sheer = 0.5").is_err());
    }
}
