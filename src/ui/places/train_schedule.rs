//! The settings of the chosen schedule, under its name in Train's form.

use std::ops::RangeInclusive;

use eframe::egui::Ui;

use super::train_form::{FIELD, row};
use crate::optim::{Schedule, Watch};
use crate::ui::text;
use crate::ui::widgets::field::{self, Mark};

pub(super) fn settings(ui: &mut Ui, schedule: &mut Schedule, width: f32) {
    match schedule {
        Schedule::Constant | Schedule::LeCun1998 => {}
        Schedule::Step { factor, steps } => {
            share(ui, "Each step", factor, 0.05..=1.0, 0.05, width);
            count(ui, "Parts", steps, 1..=10, width);
        }
        Schedule::Cosine { final_factor } => share(ui, "Ends at", final_factor, 0.0..=1.0, 0.01, width),
        Schedule::OneCycle { rise, start_factor, final_factor } => {
            share(ui, "Rises for", rise, 0.0..=0.9, 0.05, width);
            share(ui, "Begins at", start_factor, 0.01..=1.0, 0.01, width);
            share(ui, "Ends at", final_factor, 0.0..=1.0, 0.01, width);
        }
        Schedule::ReduceOnPlateau { watch, factor, patience, least } => {
            let options = [(Watch::Accuracy, "Accuracy"), (Watch::Loss, "Loss")];
            row("Watches", Mark::None, None)
                .show(ui, width, FIELD, |ui, w| field::choice(ui, "Watches", watch, &options, w));
            share(ui, "Each time", factor, 0.05..=0.95, 0.05, width);
            count(ui, "Patience", patience, 0..=10, width);
            share(ui, "At least", least, 0.0..=1.0, 0.01, width);
        }
    }
}

/// A share of the rate, or of the run.
fn share(ui: &mut Ui, label: &str, value: &mut f64, range: RangeInclusive<f32>, step: f32, width: f32) {
    let mut shown = *value as f32;
    if field::slider_row(ui, label, &mut shown, range, step, |v| text::percent(v.into(), 0), width) {
        // the decimal number that is shown, not its nearest neighbour in single precision
        *value = (f64::from(shown) * 1e6).round() / 1e6;
    }
}

fn count(ui: &mut Ui, label: &str, value: &mut u32, range: RangeInclusive<u32>, width: f32) {
    let mut shown = *value as f32;
    let range = *range.start() as f32..=*range.end() as f32;
    if field::slider_row(ui, label, &mut shown, range, 1.0, |v| format!("{v:.0}"), width) {
        *value = shown.round() as u32;
    }
}
