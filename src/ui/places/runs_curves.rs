//! The curves of the chosen runs: seeds of a closed group are one curve, the mean, in a band.

use eframe::egui::{Align, Layout, Ui, vec2};

use super::runs_rows::{Kind, Row};
use super::runs_table::Table;
use crate::storage::XAxis;
use crate::storage::runs::{EpochRecord, Run};
use crate::ui::widgets::overlay::{self, Overlay, OverlayCurve};
use crate::ui::widgets::segmented;
use crate::ui::widgets::shared_axis::SharedAxis;
use crate::ui::widgets::value_scale::Scale;

/// What is plotted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Value {
    #[default]
    Accuracy,
    Loss,
}

/// What the curves remember between frames.
#[derive(Default)]
pub(super) struct RunCurves {
    value: Value,
    against: XAxis,
    axis: SharedAxis,
    curves: Vec<OverlayCurve>,
    /// For every curve the places of its runs.
    members: Vec<Vec<usize>>,
    /// What the curves were made for.
    key: Option<(u64, Value, XAxis, Vec<Vec<usize>>)>,
}

impl RunCurves {
    /// Makes the curves anew where other runs are chosen; true then.
    pub fn update(&mut self, table: &Table, runs: &[Run], revision: u64) -> bool {
        let members = chosen(table, runs);
        let key = Some((revision, self.value, self.against, members.clone()));
        let changed = self.key != key;
        if changed {
            let of = |members: &Vec<usize>| curve(runs, members, self.value, self.against);
            self.curves = members.iter().map(of).collect();
            self.members = members;
            self.key = key;
        }
        changed
    }

    /// The place of the curve that this run belongs to, if it is drawn.
    pub fn place(&self, run: usize) -> Option<usize> {
        self.members.iter().take(overlay::MOST_CURVES).position(|members| members.contains(&run))
    }

    pub fn ui(&mut self, ui: &mut Ui, size: eframe::egui::Vec2) {
        let row = vec2(size.x, 28.0);
        ui.allocate_ui_with_layout(row, Layout::left_to_right(Align::Center), |ui| {
            let values = [(Value::Accuracy, "Accuracy"), (Value::Loss, "Loss")];
            segmented::segmented(ui, "Curves of", &mut self.value, &values, 152.0);
            let against = [(XAxis::Epochs, "Epochs"), (XAxis::Updates, "Updates"), (XAxis::Seconds, "Seconds")];
            if segmented::segmented(ui, "Curves against", &mut self.against, &against, 232.0) {
                self.axis = SharedAxis::default();
            }
        });
        ui.add_space(4.0);
        let has_band = self.curves.iter().take(overlay::MOST_CURVES).any(|curve| !curve.band.is_empty());
        let (title, unit_of_value, scale) = match self.value {
            Value::Accuracy => ("Validation accuracy", "%", Scale::Percent),
            Value::Loss => ("Validation loss", "", Scale::Log),
        };
        let note = match (unit_of_value, has_band) {
            ("%", true) => "%, bands from the least to the greatest of the seeds",
            (_, true) => "bands from the least to the greatest of the seeds",
            (unit, false) => unit,
        };
        let empty = if self.curves.is_empty() {
            "Choose runs to see their curves, several with Ctrl or Shift"
        } else {
            "No epoch of these runs was judged on validation images"
        };
        let height = (size.y - 32.0 - ui.spacing().item_spacing.y * 2.0).clamp(140.0, 460.0);
        Overlay { title, note, unit: self.against, height, scale, curves: &self.curves, empty }.show(
            ui,
            &mut self.axis,
            size.x,
        );
    }
}

/// The runs of every curve: rows that are wholly chosen, and of a closed group that is chosen in part its chosen runs.
fn chosen(table: &Table, runs: &[Run]) -> Vec<Vec<usize>> {
    let is_chosen = |at: &usize| table.selected.contains(&runs[*at].path);
    let curves = table.rows.rows.iter().filter_map(|row: &Row| {
        let members: Vec<usize> = row.members.iter().copied().filter(|at| is_chosen(at)).collect();
        // the seeds of an open group have rows of their own
        let is_listed_below = matches!(row.kind, Kind::Group { .. }) && table.is_open(runs, &row.members);
        (!members.is_empty() && !is_listed_below).then_some(members)
    });
    curves.collect()
}

fn curve(runs: &[Run], members: &[usize], value: Value, against: XAxis) -> OverlayCurve {
    let of = |record: &EpochRecord| match value {
        Value::Accuracy => record.validation_accuracy,
        Value::Loss => record.validation_loss,
    };
    let x = |record: &EpochRecord| match against {
        XAxis::Epochs => f64::from(record.epoch),
        XAxis::Updates => record.step as f64,
        XAxis::Seconds => record.seconds,
    };
    let histories: Vec<Vec<[f64; 2]>> = members
        .iter()
        .map(|&at| runs[at].history.iter().filter_map(|record| Some([x(record), of(record)?])).collect())
        .collect();
    let first = members.first().map_or("", |&at| runs[at].shown_name());
    match histories.as_slice() {
        [only] => OverlayCurve { name: first.to_owned(), points: only.clone(), band: Vec::new() },
        several => {
            let (points, band) = mean_and_band(several);
            OverlayCurve { name: format!("{first} × {}", members.len()), points, band }
        }
    }
}

/// The mean over histories, epoch by epoch, of those that have come so far, and the least and greatest value.
fn mean_and_band(histories: &[Vec<[f64; 2]>]) -> (Vec<[f64; 2]>, Vec<[f64; 3]>) {
    let longest = histories.iter().map(Vec::len).max().unwrap_or(0);
    let mut points = Vec::with_capacity(longest);
    let mut band = Vec::with_capacity(longest);
    for epoch in 0..longest {
        let values = || histories.iter().filter_map(|history| history.get(epoch));
        let count = values().count() as f64;
        let [x, y] = values().fold([0.0, 0.0], |[x, y], point| [x + point[0] / count, y + point[1] / count]);
        let least = values().map(|point| point[1]).fold(f64::INFINITY, f64::min);
        let greatest = values().map(|point| point[1]).fold(f64::NEG_INFINITY, f64::max);
        // where few runs have come so far their mean time may be less than that of many an epoch before
        let x = points.last().map_or(x, |[before, _]: &[f64; 2]| x.max(*before));
        points.push([x, y]);
        band.push([x, least, greatest]);
    }
    (points, band)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_band_holds_every_seed_and_goes_on_with_those_that_are_left() {
        let (points, band) =
            mean_and_band(&[vec![[1.0, 0.25], [2.0, 0.5]], vec![[3.0, 0.75]], vec![[2.0, 0.5], [3.0, 1.0]]]);
        assert_eq!(points, [[2.0, 0.5], [2.5, 0.75]]);
        assert_eq!(band, [[2.0, 0.25, 0.75], [2.5, 0.5, 1.0]]);
        assert_eq!(mean_and_band(&[]), (Vec::new(), Vec::new()));
    }
}
