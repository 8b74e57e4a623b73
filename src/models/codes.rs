//! What the last layer of LeNet-5 compares with: a code of 84 values, −1 or +1, for every digit.

use rand::Rng;

use super::CLASSES;
use crate::nn::random::{Purpose, stream};

/// Pictures of the ten digits, 7×12 pixels (LeCun et al. 1998, figure 3): rows from the top, and in each row the leftmost
/// column in bit 6. The detached bars over 0, 2, 4 and 5 are the paper's: they stand for capitals of the same outline.
const PICTURES: [[u8; 12]; CLASSES] = [
    [0x3e, 0x00, 0x1c, 0x36, 0x63, 0x63, 0x63, 0x63, 0x36, 0x1c, 0x00, 0x00],
    [0x0c, 0x1c, 0x3c, 0x0c, 0x0c, 0x0c, 0x0c, 0x0c, 0x0c, 0x3f, 0x00, 0x00],
    [0x3e, 0x00, 0x3e, 0x63, 0x43, 0x06, 0x1c, 0x30, 0x60, 0x7f, 0x00, 0x00],
    [0x7f, 0x03, 0x06, 0x0c, 0x1e, 0x03, 0x03, 0x03, 0x63, 0x3e, 0x00, 0x00],
    [0x3e, 0x00, 0x00, 0x33, 0x33, 0x73, 0x63, 0x63, 0x67, 0x3f, 0x03, 0x03],
    [0x3e, 0x00, 0x7f, 0x60, 0x60, 0x3c, 0x1e, 0x03, 0x63, 0x3e, 0x00, 0x00],
    [0x1e, 0x30, 0x60, 0x60, 0x7e, 0x73, 0x63, 0x63, 0x73, 0x3e, 0x00, 0x00],
    [0x7f, 0x03, 0x03, 0x06, 0x0c, 0x0c, 0x18, 0x18, 0x18, 0x18, 0x00, 0x00],
    [0x3e, 0x63, 0x63, 0x63, 0x3e, 0x63, 0x63, 0x63, 0x63, 0x3e, 0x00, 0x00],
    [0x3e, 0x67, 0x63, 0x63, 0x67, 0x3f, 0x03, 0x03, 0x06, 0x3c, 0x00, 0x00],
];

/// Columns of a picture.
const COLUMNS: usize = 7;
/// Values of a code: the pixels of a picture.
pub const CODE_LENGTH: usize = 84;

/// The paper's codes of the digits 0 to 9: ink is +1 and paper −1, row by row.
pub fn pictures() -> Vec<Vec<f32>> {
    let pixel = |row: u8, column: usize| if row >> (COLUMNS - 1 - column) & 1 == 1 { 1.0 } else { -1.0 };
    let code = |rows: &[u8; 12]| rows.iter().flat_map(|&row| (0..COLUMNS).map(move |c| pixel(row, c))).collect();
    PICTURES.iter().map(code).collect()
}

/// Codes without a meaning, each value −1 or +1 by an even chance: the paper names them as an alternative.
pub fn random(seed: u64) -> Vec<Vec<f32>> {
    let mut rng = stream(seed, Purpose::Initialise, 0, 0);
    let mut code = || (0..CODE_LENGTH).map(|_| if rng.random::<bool>() { 1.0 } else { -1.0 }).collect();
    (0..CLASSES).map(|_| code()).collect()
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::*;

    #[test]
    fn the_pictures_are_those_of_the_paper() {
        let codes = pictures();
        let ink: Vec<usize> = codes.iter().map(|code| code.iter().filter(|x| **x == 1.0).count()).collect();
        assert_eq!(ink, [35, 27, 33, 32, 41, 35, 39, 25, 43, 39]);
        let digits: String = codes.concat().iter().map(|x| if *x == 1.0 { '1' } else { '0' }).collect();
        assert_eq!(digits.len(), CLASSES * CODE_LENGTH);
        let hash: String = Sha256::digest(digits).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hash, "8437a8e0d44d9c3f5ba09489c1f8d950aefec5da185dd91f0b121390747ddf8b");
    }

    #[test]
    fn random_codes_lie_far_apart_and_follow_their_seed() {
        let codes = random(1998);
        assert_eq!(codes, random(1998));
        assert_ne!(codes, random(1999));
        for (i, a) in codes.iter().enumerate() {
            assert!(a.len() == CODE_LENGTH && a.iter().all(|x| x.abs() == 1.0));
            for b in &codes[..i] {
                let distance = a.iter().zip(b).filter(|(a, b)| a != b).count();
                assert!(distance > 25, "{distance} of {CODE_LENGTH} differ");
            }
        }
    }
}
