//! Ending a run that gets no better (Prechelt 1998, "Early stopping – but when?", in the form most frameworks use).

use serde::{Deserialize, Serialize};

use crate::optim::{Validation, Watch};

/// A run ends after `patience` epochs in a row that were not better by more than `min_delta` than the best before them. The
/// weights of the best epoch are kept in any case.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EarlyStopping {
    pub patience: u32,
    /// In units of the loss, or as a share of the validation images.
    #[serde(default)]
    pub min_delta: f64,
    /// What is to get better on the validation images.
    #[serde(default = "loss")]
    pub on: Watch,
}

fn loss() -> Watch {
    Watch::Loss
}

impl EarlyStopping {
    /// With this patience, and nothing else asked.
    pub fn after(patience: u32) -> Self {
        Self { patience, min_delta: 0.0, on: loss() }
    }

    /// Whether a run whose epochs brought `validations` has ended.
    pub fn is_over(&self, validations: &[Validation]) -> bool {
        let (mut best, mut waited) = (f64::NEG_INFINITY, 0);
        for validation in validations {
            let merit = match self.on {
                Watch::Accuracy => validation.accuracy,
                Watch::Loss => -validation.loss,
            };
            if merit > best + self.min_delta || best == f64::NEG_INFINITY {
                (best, waited) = (merit, 0);
            } else {
                waited += 1;
            }
        }
        waited >= self.patience
    }

    /// A sentence for the first setting that cannot be.
    pub fn validate(&self) -> Result<(), String> {
        if self.patience == 0 {
            return Err("early stopping waits one epoch at least, got a patience of 0".to_owned());
        }
        if !(self.min_delta.is_finite() && self.min_delta >= 0.0) {
            return Err(format!("min_delta of early stopping must be 0 or more, got {}", self.min_delta));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_ends_after_its_patience_without_a_real_gain() {
        let results = |values: &[f64]| -> Vec<Validation> {
            values.iter().map(|&x| Validation { loss: 1.0 - x, accuracy: x }).collect()
        };
        for on in [Watch::Accuracy, Watch::Loss] {
            let rule = EarlyStopping { patience: 2, min_delta: 0.05, on };
            for (values, over, reason) in [
                (&[][..], false, "nothing is known yet"),
                (&[0.5, 0.4], false, "one epoch is borne"),
                (&[0.5, 0.4, 0.3], true, "two are not"),
                (&[0.5, 0.52, 0.54], true, "gains below the least one are none"),
                (&[0.5, 0.4, 0.6, 0.5], false, "a real gain begins the count anew"),
                (&[0.5, 0.53, 0.56], false, "gains are counted from the best"),
            ] {
                assert_eq!(rule.is_over(&results(values)), over, "{on:?}: {reason}");
            }
        }
    }
}
