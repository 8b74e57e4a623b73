//! The drawing doctor: what it is worth on digits that are misread, and the table that it compares with, made again from
//! MNIST's training images.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]
#![allow(clippy::print_stdout, reason = "the table is there to be copied")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use digitpad::data::{self, Request, strokes_file};
use digitpad::drawing::doctor::{Shape, Spread, Typical, typical};
use digitpad::drawing::{DigitImage, Drawing, drawn_digit};
use digitpad::nn::DeviceChoice;
use digitpad::workbench::{Command, Options, Workbench};

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

/// Drawn digits, or recorded ones where `DIGITPAD_STROKES` names a file of them.
fn digits() -> Vec<(u8, Drawing)> {
    if let Some(path) = std::env::var_os("DIGITPAD_STROKES") {
        let recorded = strokes_file::read(path.as_ref()).unwrap().take(1500).map(|(_, recorded)| recorded.unwrap());
        let drawing = |r: strokes_file::RecordedDrawing| (r.label.unwrap(), r.drawing.drawing().unwrap());
        return recorded.map(drawing).collect();
    }
    (0..300).map(|i| ((i % 10) as u8, drawn_digit((i % 10) as u8, 11, i))).collect()
}

fn until(workbench: &mut Workbench, done: impl Fn(&Workbench) -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !done(workbench) {
        assert!(Instant::now() < deadline, "no answer within a minute");
        workbench.poll();
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// At least a third of the digits that `lenet5` misreads is read as its writer meant it after the ladder's changes.
#[test]
fn many_misread_digits_are_read_rightly_after_the_ladder() {
    let folder = tempfile::tempdir().unwrap();
    let mut workbench = Workbench::start(Options {
        drawings: None,
        runs: folder.path().to_owned(),
        device: DeviceChoice::Cpu,
        threads: Some(1),
        wake: Arc::new(|_| {}),
        snapshot_every: Duration::from_millis(100),
    })
    .unwrap();
    let (mut misread, mut turned, mut rungs) = (0, 0, 0);
    let mut first = std::collections::BTreeMap::<String, usize>::new();
    for (label, drawing) in digits() {
        workbench.handle(Command::SetDrawing(drawing));
        until(&mut workbench, |workbench| workbench.prediction().is_some() && workbench.answer_is_current());
        if workbench.prediction().is_none_or(|prediction| prediction.best() == label) {
            continue;
        }
        misread += 1;
        workbench.handle(Command::LabelDrawing(Some(label)));
        workbench.handle(Command::Examine);
        until(&mut workbench, |workbench| workbench.examination_is_current());
        let found = workbench.examination().unwrap();
        assert!(found.is_ill);
        rungs += found.ladder.len();
        for rung in &found.ladder {
            *first.entry(format!("{:?}", rung.fix)).or_default() += 1;
        }
        turned += usize::from(found.ladder.last().is_some_and(|rung| rung.reading.prediction.best() == label));
    }
    println!("{turned} of {misread} misread digits turn, {rungs} changes in their ladders: {first:?}");
    assert!(misread > 0 && 3 * turned >= misread, "{turned} of {misread}");
}
