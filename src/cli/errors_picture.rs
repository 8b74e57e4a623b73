//! The images that a model misreads as one picture, each over "label → answer": figure 8 of LeCun et al. 1998 for any
//! model.

use crate::data::Dataset;
use crate::drawing::SIDE;
use crate::inference::Answer;
use crate::models::codes;

/// Every pixel of an image is a square of so many.
const SCALE: usize = 2;
/// Around every image.
const MARGIN: usize = 4;
/// Of the digits in the writing below an image: pictures of 7×12 pixels.
const LETTER: (usize, usize) = (7, 12);
const COLUMNS: usize = 12;
const CELL: (usize, usize) = (SCALE * SIDE + 2 * MARGIN, SCALE * SIDE + LETTER.1 + 3 * MARGIN);

/// Ink on paper, 0 is black.
pub struct ErrorsPicture {
    pub width: usize,
    pub height: usize,
    pub grey: Vec<u8>,
    /// Images in it.
    pub errors: usize,
}

/// All misread images, in the order of the set; `indices` and `answers` as they were evaluated.
pub fn draw(dataset: &Dataset, indices: &[u32], answers: &[Answer]) -> ErrorsPicture {
    let wrong: Vec<(u32, &Answer)> =
        indices.iter().copied().zip(answers).filter(|(_, answer)| answer.digit != answer.truth).collect();
    let (width, height) = (COLUMNS * CELL.0, wrong.len().div_ceil(COLUMNS).max(1) * CELL.1);
    let mut picture = ErrorsPicture { width, height, grey: vec![255; width * height], errors: wrong.len() };
    let letters = codes::pictures();
    for (place, (index, answer)) in wrong.into_iter().enumerate() {
        let (left, top) = (place % COLUMNS * CELL.0 + MARGIN, place / COLUMNS * CELL.1 + MARGIN);
        for (pixel, &ink) in dataset.image(index as usize).iter().enumerate() {
            let (x, y) = (left + pixel % SIDE * SCALE, top + pixel / SIDE * SCALE);
            for (right, down) in (0..SCALE * SCALE).map(|part| (part % SCALE, part / SCALE)) {
                picture.grey[(y + down) * width + x + right] = 255 - ink;
            }
        }
        let line = top + SCALE * SIDE + MARGIN;
        picture.write(&letters[usize::from(answer.truth)], left + 12, line);
        picture.arrow(left + 24, line + LETTER.1 / 2);
        picture.write(&letters[usize::from(answer.digit)], left + 38, line);
    }
    picture
}

impl ErrorsPicture {
    /// A digit of ±1, row by row.
    fn write(&mut self, letter: &[f32], left: usize, top: usize) {
        for (pixel, _) in letter.iter().enumerate().filter(|(_, ink)| **ink > 0.0) {
            self.grey[(top + pixel / LETTER.0) * self.width + left + pixel % LETTER.0] = 0;
        }
    }

    fn arrow(&mut self, left: usize, middle: usize) {
        for x in 0..9 {
            self.grey[middle * self.width + left + x] = 0;
        }
        for x in 6..8 {
            let up = 8 - x;
            self.grey[(middle - up) * self.width + left + x] = 0;
            self.grey[(middle + up) * self.width + left + x] = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drawing::PIXELS;

    #[test]
    fn misread_images_and_no_others_are_drawn() {
        let dataset = Dataset::new("black", vec![255; 30 * PIXELS], vec![3; 30]).unwrap();
        let answer = |digit| Answer { truth: 3, digit, confidence: 0.9, loss: 1.0, margin: 2.0, score: 5.0 };
        let answers: Vec<Answer> = (0..30).map(|i| answer(if i % 2 == 0 { 5 } else { 3 })).collect();
        let indices: Vec<u32> = (0..30).collect();
        let picture = draw(&dataset, &indices, &answers);
        assert_eq!((picture.errors, picture.width, picture.height), (15, 12 * CELL.0, 2 * CELL.1));
        assert_eq!(picture.grey.len(), picture.width * picture.height);
        let black = |place: usize| {
            let (left, top) = (place % COLUMNS * CELL.0 + MARGIN, place / COLUMNS * CELL.1 + MARGIN);
            picture.grey[(top + 5) * picture.width + left + 5] == 0
        };
        assert!((0..15).all(black) && !(15..24).any(black));
    }
}
