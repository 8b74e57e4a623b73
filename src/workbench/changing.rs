//! Settings that change while a training goes on, and runs that are trained once more with all such changes.

use std::path::{Path, PathBuf};

use anyhow::Result;

use super::trainer::Trainer;
use super::{NoticeKind, TrainingView, Workbench};
use crate::storage::{config_file, journal};
use crate::training::{LiveChange, LiveSettings, Pace, TrainingConfig};

/// Where settings changed while the run went on.
#[derive(Clone, Debug, PartialEq)]
pub struct LiveChangePoint {
    /// Updates before it.
    pub step: u64,
    /// "rate 0.01→0.003".
    pub what: String,
}

/// The settings that act, and the changes that will.
#[derive(Clone, Debug)]
pub(super) struct Changes {
    acting: TrainingConfig,
    /// In order.
    coming: Vec<LiveChange>,
    pub pace: Pace,
}

impl Changes {
    /// Of a run on so many training images, as it begins.
    pub fn new(config: &TrainingConfig, images: usize) -> Self {
        Self { acting: config.clone(), coming: Vec::new(), pace: Pace::new(config, images) }
    }

    pub fn add(&mut self, change: LiveChange) {
        self.coming.push(change);
        self.coming = LiveChange::in_order(&self.coming);
    }

    /// The changes that act on the update after `step` others and have not been told yet.
    pub fn take_due(&mut self, step: u64) -> Vec<(LiveSettings, LiveChangePoint)> {
        let due = self.coming.iter().take_while(|change| change.update <= step + 1).count();
        let take = |change: LiveChange| {
            let what = change.set.words(&self.acting).join(", ");
            change.set.apply(&mut self.acting);
            if let Some(size) = change.set.batch_size {
                self.pace.change(change.update, size);
            }
            (change.set, LiveChangePoint { step: change.update.saturating_sub(1), what })
        };
        self.coming.drain(..due).map(take).collect()
    }
}

impl Workbench {
    /// Other settings for the run under way, from its next update on.
    pub(super) fn change_live(&mut self, set: LiveSettings) {
        let Some(view) = self.training.as_mut().filter(|view| view.phase.is_under_way()) else { return };
        let mut config = view.config.clone();
        set.apply(&mut config);
        // what its optimiser does not know changes nothing
        let set = LiveSettings::between(&view.config, &config);
        if let Err(error) = config.validate() {
            self.notify(NoticeKind::Problem, format!("The run goes on as it was: {error}"));
        } else if !set.is_empty() {
            view.config = config;
            self.control(|trainer: &Trainer| trainer.change(set));
        }
    }

    /// Trains what the run in this folder trained once more, with its changes at their updates; with another seed where one is
    /// given.
    pub(super) fn repeat_run(&mut self, run: &Path, seed: Option<u64>) {
        let read = || -> Result<(TrainingConfig, Vec<LiveChange>)> {
            let mut config = config_file::read(&run.join("config.toml"))?;
            config.seed = seed.unwrap_or(config.seed);
            Ok((config, journal::read(run)?))
        };
        match read() {
            Ok((config, journal)) => self.begin_training(config, None, Beginning::Repeat(journal)),
            Err(error) => self.notify(NoticeKind::Problem, format!("This run cannot be repeated: {error:#}")),
        }
    }
}

/// How a training begins.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Beginning {
    /// A run of its own.
    New,
    /// With the interrupted run in this folder.
    Resumed(PathBuf),
    /// A run of its own that makes the changes of another one's journal again.
    Repeat(Vec<LiveChange>),
}

impl TrainingView {
    /// Where the update after `step` others stands: epochs with their fraction, whatever the batch sizes were.
    pub fn epoch_at(&self, step: u64) -> f64 {
        self.changes.as_ref().map_or(0.0, |changes| changes.pace.epochs_after(step))
    }

    /// Updates after which so many epochs are done, whatever the batch sizes were.
    pub fn updates_after(&self, epochs: u32) -> u64 {
        self.changes.as_ref().map_or(0, |changes| changes.pace.updates_after(epochs))
    }

    /// Takes over the changes that have come up.
    pub(super) fn changes_came_up(&mut self) {
        let Some(changes) = &mut self.changes else { return };
        for (set, point) in changes.take_due(self.step) {
            set.apply(&mut self.config);
            if !point.what.is_empty() {
                self.curves.changes.push(point);
            }
        }
        self.updates = changes.pace.updates();
    }
}
