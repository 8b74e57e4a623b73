//! What is written down while a run goes on: every epoch, every change that was made live, moments to look back at, and a
//! checkpoint now and then.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use super::checkpoint_writer::CheckpointWriter;
use super::journal;
use super::moments::{Moment, MomentFacts};
use super::run_folder::RunFolder;
use super::run_records::RunRecords;
use crate::nn::Weights;
use crate::training::{Checkpoint, Clock, Event, LiveChange, LiveSettings, Observer, Position, Resumable, Stop};

/// Usually at least this long between two checkpoints of a run. What a crash can cost is the time since the last one.
pub const CHECKPOINT_EVERY: Duration = Duration::from_secs(10);

/// Hears of what cannot be written, in sentences.
pub(super) type Warn<'a> = &'a mut (dyn FnMut(String) + Send);

pub(super) struct Recorder {
    pub folder: RunFolder,
    pub records: RunRecords,
    checkpoints: CheckpointWriter,
    checkpoint_every: Duration,
    last_checkpoint: Instant,
    /// Where the run stands.
    step: u64,
    epochs: u32,
    /// Changes that were made live so far, and those of an earlier life that are made again.
    changes: Vec<LiveChange>,
}

impl Recorder {
    /// For a run that begins at `position` and makes `changes` again. The folder tells those up to there.
    pub fn new(
        (folder, records): (RunFolder, RunRecords),
        checkpoints: CheckpointWriter,
        checkpoint_every: Duration,
        position: Option<&Position>,
        changes: &[LiveChange],
    ) -> Self {
        let (step, epochs) = position.map_or((0, 0), |position| (position.step, position.epochs));
        Self {
            folder,
            records,
            checkpoints,
            checkpoint_every,
            last_checkpoint: Instant::now(),
            step,
            epochs,
            changes: changes.to_vec(),
        }
    }

    /// Writes down what an event tells before `observe` hears of it, and what `observe` changes before it acts. What cannot be
    /// written does not end the run: `warn` is told, and the next time tries again.
    pub fn saw(
        &mut self,
        (event, clock): (Event<'_>, &mut Clock),
        warn: Warn<'_>,
        observe: Observer<'_>,
    ) -> ControlFlow<Stop, Option<LiveSettings>> {
        let mut first_update = self.step + 1;
        match &event {
            Event::Resumable(resumable) => {
                self.write_checkpoint(resumable, warn);
                return ControlFlow::Continue(None);
            }
            // the update under way has its rate already
            Event::Reading => first_update += 1,
            Event::Step { step, .. } => {
                self.step = *step;
                first_update = step + 1;
            }
            Event::Epoch(summary) => {
                self.epochs = summary.epoch;
                self.keep_moment(MomentFacts::of_epoch(summary, clock.seconds()), summary.weights);
                if let Err(error) = self.folder.epoch(summary) {
                    warn(format!("The run goes on, but epoch {} could not be written: {error:#}", summary.epoch));
                }
                // those that are made again within the next epoch
                self.tell_changes(|change, epochs| change.epochs == epochs, warn);
            }
            Event::Tick(tick) => self.keep_moment(MomentFacts::of_tick(tick, clock.seconds()), tick.weights),
            Event::Pixels { .. } => {}
        }
        self.records.saw(&event, warn);
        let flow = observe(event, clock);
        if let ControlFlow::Continue(Some(set)) = flow {
            let change = LiveChange { update: first_update, epochs: self.epochs, set };
            self.records.changed(&change);
            if let Err(error) = journal::add(self.folder.path(), &change) {
                warn(format!("The setting changes, but the run could not be repeated from its record: {error:#}"));
            }
            self.changes.push(change);
            self.tell_changes(|other, _| *other == change, warn);
        }
        flow
    }

    fn keep_moment(&self, facts: MomentFacts, weights: &Weights) {
        // weights that are no longer numbers can be asked nothing; the run itself will say so
        if weights.first_not_finite().is_none() {
            self.checkpoints.hand_over_moment(Moment { facts, weights: weights.clone() });
        }
    }

    /// Lines of history for some of the changes.
    fn tell_changes(&mut self, wanted: impl Fn(&LiveChange, u32) -> bool, warn: Warn<'_>) {
        for (change, words) in LiveChange::told(self.folder.config(), &self.changes) {
            if wanted(&change, self.epochs)
                && let Err(error) = self.folder.changed(&change, &words)
            {
                warn(format!("The run goes on, but a change could not be written into its history: {error:#}"));
            }
        }
    }

    fn write_checkpoint(&mut self, resumable: &Resumable<'_>, warn: Warn<'_>) {
        if self.last_checkpoint.elapsed() < self.checkpoint_every {
            return;
        }
        self.last_checkpoint = Instant::now();
        if let Some(problem) = self.checkpoints.take_problem() {
            warn(problem);
        }
        self.records.before_checkpoint(warn);
        match resumable.checkpoint() {
            Ok(Some(checkpoint)) => self.checkpoints.hand_over(checkpoint),
            // weights that are no longer numbers: the run will say so itself
            Ok(None) => {}
            Err(error) => warn(format!("The run goes on, but no checkpoint of it could be made: {error:#}")),
        }
    }

    /// The last checkpoint is written from now on, beside whatever else is done.
    pub fn write_last(&self, checkpoint: Option<Checkpoint>) {
        if let Some(checkpoint) = checkpoint {
            self.checkpoints.hand_over(checkpoint);
        }
    }

    /// Waits until the last checkpoint is written.
    pub fn finish(self, warn: Warn<'_>) -> RunFolder {
        if let Some(problem) = self.checkpoints.finish() {
            warn(problem);
        }
        self.folder
    }
}
