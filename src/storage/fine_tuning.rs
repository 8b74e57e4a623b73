//! What a training from other weights on one's own drawings was worth: the same digits before and after it.

use std::ops::ControlFlow;
use std::sync::Arc;

use anyhow::{Context, Result};
use serde::Serialize;

use crate::data::Dataset;
use crate::inference::{Evaluation, Thresholds, TrainedModel, evaluate};
use crate::nn::{Compute, Weights};
use crate::training::{TrainingConfig, TrainingData};

/// The same digits read by two networks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct BeforeAfter {
    pub images: u32,
    /// Read right before.
    pub before: u32,
    /// Read right after.
    pub after: u32,
    /// Wrong before and right after.
    pub mended: u32,
    /// Right before and wrong after.
    pub broken: u32,
}

/// One's own digits that were held out, and the test set of the digits that were trained beside them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FineTuning {
    pub own: BeforeAfter,
    pub test: BeforeAfter,
    /// Title of the data set whose test set it is.
    pub test_title: String,
}

impl BeforeAfter {
    /// Counts answers to the same digits in the same order.
    fn of(before: &Evaluation, after: &Evaluation) -> Self {
        let mut counts = Self::default();
        for (before, after) in before.answers.iter().zip(&after.answers) {
            let (was_right, is_right) = (before.digit == before.truth, after.digit == after.truth);
            counts.images += 1;
            counts.before += u32::from(was_right);
            counts.after += u32::from(is_right);
            counts.mended += u32::from(!was_right && is_right);
            counts.broken += u32::from(was_right && !is_right);
        }
        counts
    }
}

impl FineTuning {
    /// Reads all these digits with the weights that the run began from and with those that it ended with. `None` where no
    /// drawings are held out or there is no test set; nothing is chosen by what comes out.
    ///
    /// # Errors
    /// Where the file of drawings is gone, or the weights do not fit the network.
    pub(super) fn of_run(
        config: &TrainingConfig,
        data: &TrainingData,
        compute: &Arc<Compute>,
        [before, after]: [&Weights; 2],
    ) -> Result<Option<Self>> {
        let held_out = config.beside.held_out()?;
        if held_out.labels.is_empty() || data.corpus.test.is_empty() {
            return Ok(None);
        }
        let own = Dataset::new("held-out drawings", held_out.images.concat(), held_out.labels)?;
        let models = [before, after].map(|weights| {
            TrainedModel::new(config.architecture()?, weights, Thresholds::default(), Arc::clone(compute))
        });
        let [before, after] = models;
        let (before, after) = (before?, after?);
        let read = |model: &TrainedModel, digits: &Dataset| -> Result<Evaluation> {
            let all: Vec<u32> = (0..digits.len() as u32).collect();
            let evaluation = evaluate(model, Some(config.loss), digits, &all, |_| ControlFlow::Continue(()))?;
            evaluation.context("an evaluation nobody stopped has ended early")
        };
        let compare = |digits: &Dataset| -> Result<BeforeAfter> {
            Ok(BeforeAfter::of(&read(&before, digits)?, &read(&after, digits)?))
        };
        Ok(Some(Self { own: compare(&own)?, test: compare(&data.corpus.test)?, test_title: data.corpus.title.clone() }))
    }

    /// In words, one's own digits first.
    pub fn sentences(&self) -> [String; 2] {
        let words = |what: &str, counts: &BeforeAfter| {
            format!(
                "{what}: {} of {} right before, {} after ({} mended, {} broken)",
                counts.before, counts.images, counts.after, counts.mended, counts.broken
            )
        };
        [words("your held-out drawings", &self.own), words(&format!("test set of {}", self.test_title), &self.test)]
    }
}
