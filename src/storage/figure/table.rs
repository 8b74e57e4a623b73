//! Curves as numbers: a CSV file with one row a point.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context, Result};

use crate::storage::write_atomically;

/// The points of a run, or of one run after the other, each in its order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CurveTable {
    /// Names of the values of every row; made of letters, digits and `_`.
    pub columns: Vec<String>,
    pub rows: Vec<CurveRow>,
}

/// What was measured after an update.
#[derive(Clone, Debug, PartialEq)]
pub struct CurveRow {
    /// Which run; empty in a table of one.
    pub run: String,
    /// Updates so far.
    pub step: u64,
    /// Epochs so far, with their fraction.
    pub epoch: f64,
    /// Of training so far, pauses left out.
    pub seconds: f64,
    /// One for every column; empty where it was not measured here.
    pub values: Vec<Option<f64>>,
}

impl CurveTable {
    /// Comma-separated values (RFC 4180) with a line of names; empty where nothing was measured.
    pub fn csv(&self) -> String {
        let names_runs = self.rows.iter().any(|row| !row.run.is_empty());
        let first = if names_runs { "run," } else { "" };
        let mut text = format!("{first}step,epoch,seconds,{}\r\n", self.columns.join(","));
        for CurveRow { run, step, epoch, seconds, values } in &self.rows {
            if names_runs {
                text.push_str(&quoted(run));
                text.push(',');
            }
            // writing into a string cannot fail
            let _never = write!(text, "{step},{epoch:.4},{seconds:.2}");
            for value in values {
                text.push(',');
                if let Some(value) = value.filter(|value| value.is_finite()) {
                    let _never = write!(text, "{value}");
                }
            }
            text.push_str("\r\n");
        }
        text
    }

    /// Writes the table as a CSV file.
    ///
    /// # Errors
    /// Where the file cannot be written.
    pub fn write(&self, path: &Path) -> Result<()> {
        write_atomically(path, self.csv().as_bytes()).context("the curves could not be saved")
    }
}

/// A name as a field: in quotes where it holds what would end it.
fn quoted(name: &str) -> String {
    if name.contains(['"', ',', '\r', '\n']) { format!("\"{}\"", name.replace('"', "\"\"")) } else { name.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(run: &str, step: u64, epoch: f64, values: Vec<Option<f64>>) -> CurveRow {
        CurveRow { run: run.to_owned(), step, epoch, seconds: 2.5 * epoch, values }
    }

    #[test]
    fn runs_are_named_where_there_are_several() {
        let rows = vec![row("a", 1, 1.0, vec![Some(0.5)]), row("my \"best\", again", 1, 1.0, vec![None])];
        let table = CurveTable { columns: vec!["training_loss".to_owned()], rows };
        assert_eq!(
            table.csv(),
            "run,step,epoch,seconds,training_loss\r\na,1,1.0000,2.50,0.5\r\n\"my \"\"best\"\", again\",1,1.0000,2.50,\r\n"
        );
    }

    #[test]
    fn every_point_is_a_row_and_what_was_not_measured_is_empty() {
        let table = CurveTable {
            columns: vec!["training_loss".to_owned(), "f1_0".to_owned()],
            rows: vec![row("", 10, 0.5, vec![Some(0.5), None]), row("", 20, 1.0, vec![Some(f64::NAN), Some(0.125)])],
        };
        assert_eq!(
            table.csv(),
            "step,epoch,seconds,training_loss,f1_0\r\n10,0.5000,1.25,0.5,\r\n20,1.0000,2.50,,0.125\r\n"
        );
    }
}
