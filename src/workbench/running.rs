//! How trainings are begun, stepped, stopped and put aside. What they say is heard in `mod.rs`.

use std::sync::Arc;

use super::changing::Beginning;
use super::trainer::{self, Trainer};
use super::{ModelChoice, NoticeKind, TrainingView, Workbench};
use crate::training::TrainingConfig;

impl Workbench {
    pub(super) fn start_training(&mut self, config: TrainingConfig, until: Option<trainer::Until>) {
        self.begin_training(config, until, Beginning::New);
    }

    /// Starts a training, or goes on with one.
    pub(super) fn begin_training(
        &mut self,
        config: TrainingConfig,
        until: Option<trainer::Until>,
        beginning: Beginning,
    ) {
        if !self.is_free() {
            return;
        }
        if let Err(error) = config.validate() {
            self.notify(NoticeKind::Problem, format!("This training cannot start: {error}"));
            return;
        }
        self.runs_started += 1;
        let started = Trainer::start(trainer::Order {
            run: self.runs_started,
            config: config.clone(),
            beginning,
            until,
            speed: self.speed,
            corpora: Arc::clone(&self.corpora),
            compute: Arc::clone(&self.training_compute),
            snapshot_every: self.options.snapshot_every,
            runs: self.options.runs.clone(),
            sender: self.sender.clone(),
            wake: Arc::clone(&self.options.wake),
        });
        match started {
            Ok(trainer) => {
                self.trainer = Some(trainer);
                self.training = Some(TrainingView::new(config));
                self.beside.time.forget_training();
                self.forget_pin_histories();
                // the drawing's answers come from the network that learns, as soon as it has some
                self.awaits_live = true;
            }
            Err(error) => self.notify(NoticeKind::Problem, format!("This training cannot start: {error:#}")),
        }
    }

    pub(super) fn step(&mut self, config: TrainingConfig, until: trainer::Until) {
        if self.training_is_under_way() {
            self.control(|trainer| trainer.step(until));
        } else {
            self.start_training(config, Some(until));
        }
    }

    pub(super) fn control(&mut self, act: impl FnOnce(&Trainer)) {
        if let Some(trainer) = &self.trainer {
            act(trainer);
        }
    }

    /// Ends a training that is under way (its run is kept) and clears the curves.
    pub(super) fn reset_training(&mut self) {
        self.cancel_repeats();
        self.control(Trainer::stop);
        self.runs_started += 1;
        self.leaving.retain(Trainer::is_busy);
        self.leaving.extend(self.trainer.take());
        self.training = None;
        self.live = None;
        self.beside.time.forget_training();
        self.awaits_live = false;
        self.forget_pin_histories();
        if self.choice == ModelChoice::Live
            && let Some(first) = self.models.first()
        {
            self.choose(first.entry.choice.clone());
        }
    }
}
