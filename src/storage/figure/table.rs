//! Curves as numbers: a CSV file with one row a point.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context, Result};

use crate::storage::write_atomically;

/// The points of a run, in its order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CurveTable {
    /// Names of the values of every row; made of letters, digits and `_`.
    pub columns: Vec<String>,
    pub rows: Vec<CurveRow>,
}

/// What was measured after an update.
#[derive(Clone, Debug, PartialEq)]
pub struct CurveRow {
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
        let mut text = format!("step,epoch,seconds,{}\r\n", self.columns.join(","));
        for CurveRow { step, epoch, seconds, values } in &self.rows {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_point_is_a_row_and_what_was_not_measured_is_empty() {
        let table = CurveTable {
            columns: vec!["training_loss".to_owned(), "f1_0".to_owned()],
            rows: vec![
                CurveRow { step: 10, epoch: 0.5, seconds: 1.25, values: vec![Some(0.5), None] },
                CurveRow { step: 20, epoch: 1.0, seconds: 2.5, values: vec![Some(f64::NAN), Some(0.125)] },
            ],
        };
        assert_eq!(
            table.csv(),
            "step,epoch,seconds,training_loss,f1_0\r\n10,0.5000,1.25,0.5,\r\n20,1.0000,2.50,,0.125\r\n"
        );
    }
}
