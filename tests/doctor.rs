//! The table that the drawing doctor compares with, made again from MNIST's training images.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]
#![allow(clippy::print_stdout, reason = "the table is there to be copied")]

use digitpad::data::{self, Request};
use digitpad::drawing::DigitImage;
use digitpad::drawing::doctor::{Shape, Spread, Typical, typical};

fn spread(values: impl Iterator<Item = f32>) -> Spread {
    let values: Vec<f64> = values.map(f64::from).collect();
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / values.len() as f64;
    Spread { mean: mean as f32, deviation: variance.sqrt() as f32 }
}

fn table_row(shapes: &[Shape]) -> Typical {
    let share =
        |is: &dyn Fn(&Shape) -> bool| shapes.iter().filter(|shape| is(shape)).count() as f32 / shapes.len() as f32;
    Typical {
        line_width: spread(shapes.iter().map(|shape| shape.line_width)),
        slant: spread(shapes.iter().map(|shape| shape.slant)),
        aspect: spread(shapes.iter().map(|shape| shape.aspect)),
        one_piece: share(&|shape| shape.pieces == 1),
        loops: [share(&|shape| shape.loops == 0), share(&|shape| shape.loops == 1), share(&|shape| shape.loops >= 2)],
    }
}

fn numbers(row: &Typical) -> Vec<f32> {
    let spreads = [row.line_width, row.slant, row.aspect];
    let measures = spreads.iter().flat_map(|spread| [spread.mean, spread.deviation]);
    measures.chain([row.one_piece]).chain(row.loops).collect()
}

#[test]
#[ignore = "reads MNIST's training images, which are not part of the program"]
fn the_table_of_typical_digits_is_that_of_mnists_training_images() {
    let train = data::load(&Request::parse("mnist")).unwrap().train;
    let shape = |index: usize| Shape::of(&DigitImage { pixels: *train.image(index) }).map(|s| (train.label(index), s));
    let shapes: Vec<(u8, Shape)> = (0..train.len()).filter_map(shape).collect();
    let mut wrong = Vec::new();
    for digit in (0..10).map(Some).chain([None]) {
        let own = shapes.iter().filter(|(label, _)| digit.is_none_or(|digit| digit == *label));
        let found = numbers(&table_row(&own.map(|(_, shape)| *shape).collect::<Vec<_>>()));
        println!("{digit:?} {}", found.iter().map(|x| format!("{x:.3}")).collect::<Vec<_>>().join(", "));
        let kept = numbers(typical(digit));
        if found.iter().zip(&kept).any(|(found, kept)| (found - kept).abs() > 0.006) {
            wrong.push(digit);
        }
    }
    assert!(wrong.is_empty(), "these rows are others now: {wrong:?}");
}
