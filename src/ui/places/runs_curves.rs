//! The curves of the chosen runs: seeds of a closed group are one curve, the mean, in a band.

use std::path::PathBuf;

use eframe::egui::{Align, Layout, Ui, vec2};

use super::export;
use super::runs_rows::{Kind, Row};
use super::runs_table::Table;
use crate::storage::XAxis;
use crate::storage::figure::{
    CurveRow, CurveTable, CurvesForm, Figure, FigureBand, FigureChart, FigureCurve, LineStyle,
};
use crate::storage::runs::{EpochRecord, Run};
use crate::ui::dialogs::{CurvesOf, Dialogs};
use crate::ui::theme;
use crate::ui::widgets::overlay::{self, Overlay, OverlayCurve};
use crate::ui::widgets::segmented;
use crate::ui::widgets::shared_axis::SharedAxis;
use crate::ui::widgets::value_scale::Scale;
use crate::workbench::{Command, CurvesExport};

/// What is plotted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Value {
    #[default]
    Accuracy,
    Loss,
}

impl Value {
    /// Name, unit and scale.
    fn told(self) -> (&'static str, &'static str, Scale) {
        match self {
            Self::Accuracy => ("Validation accuracy", "%", Scale::Percent),
            Self::Loss => ("Validation loss", "", Scale::Log),
        }
    }
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

    pub fn ui(&mut self, ui: &mut Ui, dialogs: &mut Dialogs, size: eframe::egui::Vec2) {
        let row = vec2(size.x, 32.0);
        ui.allocate_ui_with_layout(row, Layout::left_to_right(Align::Center), |ui| {
            let values = [(Value::Accuracy, "Accuracy"), (Value::Loss, "Loss")];
            segmented::segmented(ui, "Curves of", &mut self.value, &values, 152.0);
            let against = [(XAxis::Epochs, "Epochs"), (XAxis::Updates, "Updates"), (XAxis::Seconds, "Seconds")];
            if segmented::segmented(ui, "Curves against", &mut self.against, &against, 232.0) {
                self.axis = SharedAxis::default();
            }
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                let has_curves = self.curves.iter().any(|curve| !curve.points.is_empty());
                export::button(ui, has_curves, CurvesOf::Runs, dialogs);
            });
        });
        ui.add_space(4.0);
        let has_band = self.curves.iter().take(overlay::MOST_CURVES).any(|curve| !curve.band.is_empty());
        let (title, unit_of_value, scale) = self.value.told();
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
        let height = (size.y - 36.0 - ui.spacing().item_spacing.y * 2.0).clamp(140.0, 460.0);
        Overlay { title, note, unit: self.against, height, scale, curves: &self.curves, empty }.show(
            ui,
            &mut self.axis,
            size.x,
        );
    }
}

impl RunCurves {
    /// The command that writes the curves as they are shown into a file, or all that is recorded of their runs as a table;
    /// `None` where there are none.
    pub fn export(&self, form: CurvesForm, path: PathBuf, runs: &[Run]) -> Option<Command> {
        let members = self.members.iter().flatten().map(|&at| runs.get(at)).collect::<Option<Vec<&Run>>>()?;
        if members.is_empty() {
            return None;
        }
        let path = export::with_ending(path, form);
        let export = match form {
            CurvesForm::Png | CurvesForm::Svg => CurvesExport::Figure(self.figure(), path),
            CurvesForm::Csv => CurvesExport::Table(table(&members), path),
        };
        Some(Command::ExportCurves(Box::new(export)))
    }

    fn figure(&self) -> Figure {
        let (title, unit, scale) = self.value.told();
        let factor = if scale == Scale::Percent { 100.0 } else { 1.0 };
        let colour = |place: usize| {
            let colour = overlay::colour(&theme::LIGHT, place);
            [colour.r(), colour.g(), colour.b()]
        };
        let drawn = || self.curves.iter().take(overlay::MOST_CURVES).enumerate();
        let bands = drawn().filter(|(_, curve)| !curve.band.is_empty()).map(|(place, curve)| FigureBand {
            color: colour(place),
            points: curve.band.iter().map(|[x, low, high]| [*x, factor * low, factor * high]).collect(),
        });
        let curves = drawn().map(|(place, curve)| FigureCurve {
            name: curve.name.clone(),
            color: colour(place),
            line: LineStyle::Solid,
            points: curve.points.iter().map(|[x, y]| [*x, factor * y]).collect(),
        });
        let bands: Vec<FigureBand> = bands.collect();
        let left_out = self.curves.len().saturating_sub(overlay::MOST_CURVES);
        let mut notes = Vec::new();
        if !bands.is_empty() {
            notes.push("means of several seeds, in bands from the least to the greatest".to_owned());
        }
        if left_out > 0 {
            notes.push(format!("{left_out} more were chosen and are not drawn"));
        }
        let mut note = notes.join("; ");
        if let Some(first) = note.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        let y_label = if unit.is_empty() { title.to_owned() } else { format!("{title} ({unit})") };
        let chart =
            FigureChart { y_label, is_log: scale == Scale::Log, bands, curves: curves.collect(), ..Default::default() };
        Figure {
            title: title.to_owned(),
            note,
            x_label: export::x_label(self.against),
            x_range: self.axis.range(),
            charts: vec![chart],
        }
    }
}

/// Every epoch of the runs, one run after the other.
fn table(runs: &[&Run]) -> CurveTable {
    let rows = runs.iter().flat_map(|run| {
        run.history.iter().map(|record| CurveRow {
            run: run.folder(),
            step: record.step,
            epoch: f64::from(record.epoch),
            seconds: record.seconds,
            values: vec![record.train_loss, record.validation_loss, record.validation_accuracy],
        })
    });
    CurveTable {
        columns: ["training_loss", "validation_loss", "validation_accuracy"].map(str::to_owned).into(),
        rows: rows.collect(),
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
    fn the_figure_tells_what_is_shown() {
        let curves = RunCurves {
            curves: vec![
                OverlayCurve { name: "a".to_owned(), points: vec![[1.0, 0.5], [2.0, 0.75]], band: Vec::new() },
                OverlayCurve {
                    name: "b × 3".to_owned(),
                    points: vec![[1.0, 0.25], [2.0, 0.5]],
                    band: vec![[1.0, 0.125, 0.375], [2.0, 0.25, 0.75]],
                },
            ],
            ..RunCurves::default()
        };
        let figure = curves.figure();
        let chart = &figure.charts[0];
        assert_eq!((figure.x_label.as_str(), chart.y_label.as_str()), ("Epochs", "Validation accuracy (%)"));
        assert_eq!(chart.curves[0].points, [[1.0, 50.0], [2.0, 75.0]]);
        assert_eq!(chart.bands[0].points, [[1.0, 12.5, 37.5], [2.0, 25.0, 75.0]]);
        assert_eq!(chart.bands[0].color, chart.curves[1].color);
        assert!(figure.note.starts_with("Means of several seeds"), "{}", figure.note);
        assert!(RunCurves::default().export(CurvesForm::Csv, PathBuf::from("a"), &[]).is_none());
    }

    #[test]
    fn a_band_holds_every_seed_and_goes_on_with_those_that_are_left() {
        let (points, band) =
            mean_and_band(&[vec![[1.0, 0.25], [2.0, 0.5]], vec![[3.0, 0.75]], vec![[2.0, 0.5], [3.0, 1.0]]]);
        assert_eq!(points, [[2.0, 0.5], [2.5, 0.75]]);
        assert_eq!(band, [[2.0, 0.25, 0.75], [2.5, 0.5, 1.0]]);
        assert_eq!(mean_and_band(&[]), (Vec::new(), Vec::new()));
    }
}
