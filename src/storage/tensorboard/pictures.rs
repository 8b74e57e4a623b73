//! The pictures in an event file: a confusion matrix, and a row of images.

use std::io::Cursor;

use anyhow::Result;
use image::{ImageFormat, Rgb, RgbImage};

use super::message::Picture;
use crate::drawing::{PIXELS, SIDE};
use crate::models::CLASSES;

/// Pixels of a cell of the matrix, of the rim that names its digits, and of a figure's dot.
const CELL: u32 = 38;
const RIM: u32 = 16;
const DOT: u32 = 2;

const PAPER: [u8; 3] = [255, 255, 255];
const LINE: [u8; 3] = [208, 208, 208];
const INK: [u8; 3] = [32, 32, 32];
/// Of a full cell: right answers, and wrong ones.
const RIGHT: [u8; 3] = [46, 125, 110];
const WRONG: [u8; 3] = [214, 96, 20];

/// The figures 0 to 9, three dots wide and five high, a row in three bits.
const FIGURES: [[u8; 5]; 10] = [
    [0b111, 0b101, 0b101, 0b101, 0b111],
    [0b010, 0b110, 0b010, 0b010, 0b111],
    [0b111, 0b001, 0b111, 0b100, 0b111],
    [0b111, 0b001, 0b111, 0b001, 0b111],
    [0b101, 0b101, 0b111, 0b001, 0b001],
    [0b111, 0b100, 0b111, 0b001, 0b111],
    [0b111, 0b100, 0b111, 0b101, 0b111],
    [0b111, 0b001, 0b001, 0b010, 0b010],
    [0b111, 0b101, 0b111, 0b101, 0b111],
    [0b111, 0b101, 0b111, 0b001, 0b111],
];

/// Counts by true digit (rows) and answer (columns). A cell is as full as its share of its row, wrong answers drawn to four
/// times their share, so that single per cents are seen.
pub(super) fn confusion(counts: &[[u32; CLASSES]; CLASSES]) -> Result<Picture> {
    let side = RIM + CLASSES as u32 * CELL + 1;
    let mut canvas = RgbImage::from_pixel(side, side, Rgb(PAPER));
    for (row, cells) in counts.iter().enumerate() {
        let all: u32 = cells.iter().sum();
        let from = RIM + row as u32 * CELL;
        write(&mut canvas, [RIM / 2, from + CELL / 2], row as u32, INK);
        write(&mut canvas, [from + CELL / 2, RIM / 2], row as u32, INK);
        for (column, &count) in cells.iter().enumerate() {
            let share = f64::from(count) / f64::from(all.max(1));
            let (colour, fill) = if row == column { (RIGHT, share) } else { (WRONG, (4.0 * share).min(1.0)) };
            let mixed = std::array::from_fn(|i| {
                (f64::from(PAPER[i]) + fill * (f64::from(colour[i]) - f64::from(PAPER[i]))).round() as u8
            });
            let [x, y] = [RIM + column as u32 * CELL, from];
            for (dx, dy) in (0..=CELL).flat_map(|dx| (0..=CELL).map(move |dy| (dx, dy))) {
                let is_line = dx % CELL == 0 || dy % CELL == 0;
                canvas.put_pixel(x + dx, y + dy, Rgb(if is_line { LINE } else { mixed }));
            }
            if count > 0 {
                let ink = if fill > 0.5 { PAPER } else { INK };
                write(&mut canvas, [x + CELL / 2, y + CELL / 2], count, ink);
            }
        }
    }
    png(&canvas)
}

/// A number about a centre.
fn write(canvas: &mut RgbImage, centre: [u32; 2], number: u32, ink: [u8; 3]) {
    let text = number.to_string();
    let width = (4 * text.len() as u32 - 1) * DOT;
    let (left, top) = (centre[0].saturating_sub(width / 2), centre[1].saturating_sub(5 * DOT / 2));
    for (place, figure) in text.bytes().enumerate() {
        let rows = FIGURES[usize::from(figure - b'0')];
        for (row, column) in (0..5 * DOT).flat_map(|row| (0..3 * DOT).map(move |column| (row, column))) {
            let is_ink = rows[(row / DOT) as usize] >> (2 - column / DOT) & 1 == 1;
            let (x, y) = (left + place as u32 * 4 * DOT + column, top + row);
            if is_ink && x < canvas.width() && y < canvas.height() {
                canvas.put_pixel(x, y, Rgb(ink));
            }
        }
    }
}

/// Digit images beside each other, ink dark on light, every pixel doubled.
pub(super) fn row(images: &[[u8; PIXELS]]) -> Result<Picture> {
    const STRIDE: usize = 2 * SIDE + 4;
    let mut canvas = RgbImage::from_pixel((images.len() * STRIDE) as u32, STRIDE as u32, Rgb(PAPER));
    for (number, image) in images.iter().enumerate() {
        for (x, y) in (0..2 * SIDE).flat_map(|x| (0..2 * SIDE).map(move |y| (x, y))) {
            let grey = 255 - image[y / 2 * SIDE + x / 2];
            canvas.put_pixel((number * STRIDE + 2 + x) as u32, (2 + y) as u32, Rgb([grey; 3]));
        }
    }
    png(&canvas)
}

fn png(canvas: &RgbImage) -> Result<Picture> {
    let mut png = Vec::new();
    canvas.write_to(&mut Cursor::new(&mut png), ImageFormat::Png)?;
    Ok(Picture { width: canvas.width(), height: canvas.height(), png })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn right_answers_fill_the_diagonal_and_errors_have_a_colour_of_their_own() {
        let mut counts = [[0; CLASSES]; CLASSES];
        (0..CLASSES).for_each(|digit| counts[digit][digit] = 90);
        counts[3][5] = 10;
        let picture = confusion(&counts).unwrap();
        let image = image::load_from_memory(&picture.png).unwrap().to_rgb8();
        assert_eq!((image.width(), image.height()), (picture.width, picture.height));
        // the corner of a cell, where no figure stands
        let cell = |row: u32, column: u32| image.get_pixel(RIM + column * CELL + 3, RIM + row * CELL + 3).0;
        assert_eq!((cell(0, 0), cell(0, 1)), (RIGHT, PAPER));
        let [red, green, blue] = cell(3, 5);
        assert!(red > green && green > blue && green < 200, "{red} {green} {blue}");
    }

    #[test]
    fn a_row_shows_every_image_dark_on_light() {
        let mut images = vec![[0; PIXELS]; 3];
        images[2][0] = 255;
        let picture = row(&images).unwrap();
        let image = image::load_from_memory(&picture.png).unwrap().to_luma8();
        let second = 2 * (2 * SIDE as u32 + 4);
        assert_eq!((image.get_pixel(2, 2).0, image.get_pixel(second + 2, 2).0), ([255], [0]));
    }
}
