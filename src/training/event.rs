//! What a run tells while it goes on, and what may be answered.

use super::checkpoint::{Checkpoint, Resumable};
use super::lesson::Lesson;
use crate::inference::{DeadUnits, Evaluation, Thresholds};
use crate::nn::{ParamStore, Weights};

/// Told to the callback of a run, on the run's own thread.
pub enum Event<'a> {
    /// Before the first update of a network that chooses its pixels: so many of them differ enough between the training images
    /// to be kept.
    Pixels { kept: usize, of: usize },
    /// Within an update that reads all training images, after each of their batches: nothing has moved yet. For whoever wants
    /// the run to rest or to end.
    Reading,
    /// After every update.
    Step {
        /// Updates so far.
        step: u64,
        /// Updates of the whole run, as it goes on now.
        updates: u64,
        /// The epoch under way, counted from 1.
        epoch: u32,
        /// Mean loss of the batch, before the update; of all training images after it, where it reads all of them.
        loss: f64,
        learning_rate: f64,
        /// Share of the batch that was read wrong.
        error: f64,
        /// Images that the update has read, every time that it read them.
        images: usize,
        /// To take a copy of the present weights, if somebody wants to see them.
        params: &'a ParamStore,
        /// What the update has learnt from; `None` where it reads all training images.
        lesson: Option<Lesson<'a>>,
    },
    /// About once a second: the network on a fixed part of the validation images.
    Tick(Tick<'a>),
    /// After every epoch: the network on all validation images.
    Epoch(EpochSummary<'a>),
    /// Between two updates, once everything about the one before is told: whoever copies the run here can go on from here.
    Resumable(&'a Resumable<'a>),
}

/// A quick look at the network between epochs.
pub struct Tick<'a> {
    pub step: u64,
    /// Epochs so far, with their fraction.
    pub epoch: f64,
    pub evaluation: &'a Evaluation,
    /// Of every rectified layer, over the same images.
    pub dead_units: Vec<DeadUnits>,
    pub weights: &'a Weights,
}

/// One finished epoch.
pub struct EpochSummary<'a> {
    /// Counted from 1.
    pub epoch: u32,
    pub step: u64,
    /// Mean over the epoch's batches, each as it was met.
    pub train_loss: f64,
    /// Share of training images read wrong as they were met, distorted and with dropout.
    pub train_error: f64,
    /// `None` when the run keeps no validation images.
    pub validation: Option<&'a Evaluation>,
    pub learning_rate: f64,
    pub seconds: f64,
    /// Training alone, evaluation left out.
    pub images_per_second: f64,
    /// The least and the greatest step of the epoch's last update in every parameter tensor, by name, where the optimiser
    /// gives every parameter its own; else empty.
    pub step_sizes: Vec<(String, f64, f64)>,
    /// Of every rectified layer, over the images of a [`Tick`]; empty without validation images.
    pub dead_units: Vec<DeadUnits>,
    /// No epoch before did better on the validation images.
    pub is_best: bool,
    pub weights: &'a Weights,
}

/// Answered to end the run after the present update.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stop;

/// Why a run ended. None of these is an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    Completed,
    /// Somebody wanted it to end; it can go on later.
    Stopped,
    /// The configuration's [`super::EarlyStopping`] saw it get no better.
    EarlyStopped,
    /// Nothing was to be hoped for any more; the weights are the last ones that were found finite.
    Diverged(Divergence),
}

/// How one sees that a run has diverged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Divergence {
    /// A loss or a weight was no longer a finite number.
    NotFinite,
    /// The mean squared distance to the right code rose above 150, where an untrained network has 84: the states before the
    /// last layer are stuck at the ends of their range.
    CodesLost,
}

impl Divergence {
    /// What is wrong, to follow a colon.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::NotFinite => "the loss is no longer a number",
            Self::CodesLost => "the last layer is stuck far from every code (mean distance above 150)",
        }
    }

    /// What may help, as the end of a sentence.
    pub fn advice(self) -> &'static str {
        match self {
            Self::NotFinite => "try a lower learning rate",
            Self::CodesLost => {
                "try the initialisation sqrt-fan-in, a higher floor under the curvature, or a lower learning rate"
            }
        }
    }
}

impl Ending {
    /// Whether the run has come to the end that its configuration gives it.
    pub fn is_finished(self) -> bool {
        matches!(self, Self::Completed | Self::EarlyStopped)
    }

    /// As files and the command line write it.
    pub fn id(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Stopped => "stopped",
            Self::EarlyStopped => "early-stopped",
            Self::Diverged(_) => "diverged",
        }
    }
}

/// What a run leaves.
pub struct Outcome {
    pub ending: Ending,
    /// Finished epochs.
    pub epochs: u32,
    pub steps: u64,
    pub seconds: f64,
    /// Pixels that the network keeps, and all of them, where it chooses.
    pub pixels: Option<(usize, usize)>,
    /// The epoch with the best validation accuracy; the last one where there are no validation images.
    pub best_epoch: u32,
    pub best_weights: Weights,
    /// From when on the best weights' answers count.
    pub thresholds: Thresholds,
    /// The last weights that were found all finite; of a run that diverged, those of about a second before.
    pub last_weights: Weights,
    /// To go on from later; `None` where it diverged.
    pub checkpoint: Option<Checkpoint>,
}
