//! What a run needs to go on later as if nothing had happened. Random numbers are not among it: every stream follows from the
//! seed and a place in the run ([`crate::nn::random`]). Evaluations by the clock are not either: they steer nothing.

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::{LiveSettings, exact};
use crate::nn::{ParamStore, Weights};
use crate::optim::{Optimizer, Validation};

/// Where a run stands between two updates.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Position {
    /// Updates so far.
    pub step: u64,
    /// Finished epochs. Updates beyond theirs belong to the one under way.
    pub epochs: u32,
    /// Before the schedule's factor, as it was last set.
    #[serde(with = "exact::number")]
    pub learning_rate: f64,
    /// What else was set while the run went on; its learning rate stands above.
    #[serde(default, skip_serializing_if = "LiveSettings::is_empty")]
    pub live: LiveSettings,
    /// What the finished epochs brought, for schedules and for stopping early.
    #[serde(with = "exact::validations")]
    pub validations: Vec<Validation>,
    pub best: Option<BestEpoch>,
    /// Of the epoch under way.
    pub met: Met,
    /// The mean squared distance to the right centre over about the last thousand images, where the loss is one of distances.
    #[serde(with = "exact::number")]
    pub distance: f64,
    /// That the run has trained so far, pauses left out.
    #[serde(with = "exact::number")]
    pub seconds: f64,
}

/// The finished epoch that did best on the validation images.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BestEpoch {
    pub epoch: u32,
    /// On the validation images; 0 without any.
    #[serde(with = "exact::number")]
    pub accuracy: f64,
}

/// Sums over the training images that an epoch has met so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Met {
    #[serde(with = "exact::number")]
    pub loss: f64,
    pub correct: usize,
    pub images: usize,
    /// Every time that one was read.
    pub read: usize,
    /// Learning rate of the last update.
    #[serde(default, with = "exact::number")]
    pub rate: f64,
    #[serde(with = "exact::number")]
    pub seconds: f64,
}

/// A run that can go on later: copies of all that its next update depends on.
#[derive(Clone, Debug, PartialEq)]
pub struct Checkpoint {
    pub position: Position,
    pub weights: Weights,
    /// As [`Optimizer::state`] gives it.
    pub optimizer: Vec<(String, Vec<f32>)>,
    /// The weights of the best finished epoch, once there is one.
    pub best: Option<Weights>,
}

impl Position {
    /// Takes a change in; it acts on the next update.
    pub(super) fn set(&mut self, set: LiveSettings) {
        self.learning_rate = set.learning_rate.unwrap_or(self.learning_rate);
        self.live.take(LiveSettings { learning_rate: None, ..set });
    }
}

/// A run between two updates. Nothing is copied unless somebody asks.
pub struct Resumable<'a> {
    pub(super) params: &'a ParamStore,
    pub(super) optimizer: &'a dyn Optimizer,
    pub(super) position: &'a Position,
    pub(super) best: Option<&'a Weights>,
    /// Of training, in the run and in the epoch under way.
    pub(super) seconds: [f64; 2],
}

impl Resumable<'_> {
    /// Updates so far.
    pub fn step(&self) -> u64 {
        self.position.step
    }

    /// A copy. `None` where a weight is no longer a finite number: nobody wants to go on from there.
    ///
    /// # Errors
    /// Where the device fails.
    pub fn checkpoint(&self) -> Result<Option<Checkpoint>> {
        let weights = self.params.weights()?;
        if weights.first_not_finite().is_some() {
            return Ok(None);
        }
        let mut position = self.position.clone();
        [position.seconds, position.met.seconds] = self.seconds;
        let optimizer = self.optimizer.state().context("the optimiser's state cannot be copied")?;
        Ok(Some(Checkpoint { position, weights, optimizer, best: self.best.cloned() }))
    }
}
