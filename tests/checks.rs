//! The sanity checks of `digitpad check`, for every model that can be trained, unasked: a new line in the catalogue is
//! checked here.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

use std::ops::ControlFlow;
use std::sync::{Arc, OnceLock};

use digitpad::data::{Corpus, Drawn};
use digitpad::models;
use digitpad::nn::{Compute, DeviceChoice};
use digitpad::storage::shipped;
use digitpad::training::checks::Check;

fn corpus() -> Arc<Corpus> {
    static DIGITS: OnceLock<Arc<Corpus>> = OnceLock::new();
    let drawn = Drawn { train: Check::IMAGES, test: 0, seed: 1 };
    let digits = || Arc::new(drawn.generate(&mut |_, _| ControlFlow::Continue(())).unwrap());
    Arc::clone(DIGITS.get_or_init(digits))
}

/// All failures at once, each with what was measured.
fn every_model_passes(check: Check) {
    let compute = Arc::new(Compute::new(DeviceChoice::Cpu, Some(1)).unwrap());
    let mut failures = Vec::new();
    for architecture in models::trainable() {
        let config = shipped::find(architecture.id).unwrap().config().unwrap();
        let found = check.run(&config, &corpus(), &compute, &mut || true).unwrap().unwrap();
        let line = format!("{}: {} ({:.1} s)", architecture.id, found.sentence, found.seconds);
        if !found.passed {
            failures.push(line);
        }
    }
    assert!(failures.is_empty(), "\n{}\n", failures.join("\n"));
}

#[test]
fn every_model_learns_128_images_by_heart() {
    every_model_passes(Check::Overfit128);
}

#[test]
fn every_model_stays_at_chance_where_labels_tell_nothing() {
    every_model_passes(Check::RandomLabels);
}

#[test]
fn every_model_brings_the_loss_of_one_batch_near_zero() {
    every_model_passes(Check::OneBatch);
}
