//! The line at the bottom.

use eframe::egui::{Align, Layout, Ui};

use super::places::Place;
use super::{text, theme};
use crate::workbench::{FetchView, Phase, Workbench};

/// How fast the pad is answered, what is being fetched, which keys help here.
pub(super) fn line(ui: &mut Ui, workbench: &Workbench, place: Place, of_runs: &str) {
    let p = theme::of(ui);
    ui.spacing_mut().interact_size.y = 18.0;
    ui.horizontal(|ui| {
        let words = match (workbench.fetch(), workbench.answer_seconds(), workbench.training()) {
            (FetchView::Under { bytes, total, .. }, ..) => {
                format!("Fetching MNIST, {}", text::percent(*bytes as f64 / (*total).max(1) as f64, 0))
            }
            (.., Some(view)) if view.images_per_second > 0.0 && view.phase == Phase::Running => {
                format!("{} images a second", text::count(view.images_per_second as u64))
            }
            (_, Some(seconds), _) if workbench.prediction().is_some() => {
                format!("Answered in {} ms", text::number(1e3 * seconds, 1))
            }
            _ => "Ready".to_owned(),
        };
        ui.label(text::small(words).color(p.text2));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let keys = match place {
                Place::Draw => "C clears, Ctrl+Z undoes, Space trains, F1 shows all keys",
                Place::Train => "Space trains and pauses, . steps a batch, Shift+. an epoch",
                Place::Inside => "Press a digit to compare with its code; arrows move the reject line",
                Place::Mistakes => "Arrows move, Enter opens, Esc closes",
                Place::Runs => of_runs,
                Place::Data => "Arrows move, Delete deletes, 0 to 9 relabel, Ctrl+Z undoes",
            };
            ui.label(text::small(keys).color(p.text2));
        });
    });
}
