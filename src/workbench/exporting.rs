//! Curves as files: figures that a panel has put together, and the table of all points.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::jobs::JobEvent;
use super::{Curves, Workbench};
use crate::models::CLASSES;
use crate::storage::figure::{CurveRow, CurveTable, Figure};

/// Curves on their way into a file.
#[derive(Clone, Debug, PartialEq)]
pub enum CurvesExport {
    /// A PNG or SVG file, by its ending.
    Figure(Figure, PathBuf),
    /// A CSV file.
    Table(CurveTable, PathBuf),
}

impl Workbench {
    pub(super) fn export_curves(&self, export: CurvesExport) {
        self.jobs.spawn("Exporting curves", JobEvent::Failed, move |tell| {
            let (path, written) = match export {
                CurvesExport::Figure(figure, path) => (path.clone(), figure.write(&path)),
                CurvesExport::Table(table, path) => (path.clone(), table.write(&path)),
            };
            tell(match written {
                Ok(()) => JobEvent::Saved(format!("Saved the curves as {}", path.display())),
                Err(error) => JobEvent::Failed(format!("The curves are not exported: {error:#}")),
            });
        });
    }
}

impl Curves {
    /// All points, one row for every update after which something was measured; `epoch_at` tells where an update stands.
    pub fn table(&self, epoch_at: impl Fn(u64) -> f64) -> CurveTable {
        let mut columns: Vec<String> =
            ["training_loss", "training_accuracy", "validation_loss", "validation_accuracy", "validation_images"]
                .map(str::to_owned)
                .into();
        columns.extend((0..CLASSES).map(|digit| format!("f1_{digit}")));
        let mut rows: BTreeMap<u64, CurveRow> = BTreeMap::new();
        let mut row_of = |step: u64, seconds: f64, first: usize, values: &[f64]| {
            let row = rows.entry(step).or_insert_with(|| CurveRow {
                run: String::new(),
                step,
                epoch: epoch_at(step),
                seconds,
                values: vec![None; 5 + CLASSES],
            });
            row.seconds = row.seconds.max(seconds);
            for (place, value) in row.values[first..].iter_mut().zip(values) {
                *place = Some(*value);
            }
        };
        for point in &self.steps {
            row_of(point.step, point.seconds, 0, &[point.loss, point.accuracy]);
        }
        for tick in &self.ticks {
            row_of(tick.step, tick.seconds, 2, &[tick.loss, tick.accuracy, f64::from(tick.images)]);
            row_of(tick.step, tick.seconds, 5, &tick.f1);
        }
        CurveTable { columns, rows: rows.into_values().collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workbench::{StepPoint, TickPoint};

    #[test]
    fn points_of_one_update_share_a_row() {
        let step = |step, loss| StepPoint { step, seconds: step as f64, loss, accuracy: 0.5 };
        let tick = TickPoint {
            step: 20,
            seconds: 20.5,
            loss: 0.4,
            accuracy: 0.875,
            f1: std::array::from_fn(|digit| digit as f64 / 10.0),
            images: 100,
            whole: true,
        };
        let curves = Curves { steps: vec![step(10, 2.0), step(20, 1.0)], ticks: vec![tick], ..Curves::default() };
        let table = curves.table(|step| step as f64 / 20.0);
        assert_eq!(table.columns.len(), 15);
        assert_eq!(table.rows.iter().map(|row| row.step).collect::<Vec<_>>(), [10, 20]);
        assert_eq!(table.rows[0].values[..3], [Some(2.0), Some(0.5), None]);
        let last = &table.rows[1];
        assert_eq!((last.epoch, last.seconds), (1.0, 20.5));
        assert_eq!(last.values[..6], [Some(1.0), Some(0.5), Some(0.4), Some(0.875), Some(100.0), Some(0.0)]);
        assert_eq!(last.values[14], Some(0.9));
    }
}
