//! What panels see of a training: its phase, its figures, its curves.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::changing::Changes;
use super::trainer::{Ended, TrainerEvent};
use super::{BatchView, LiveChangePoint, NoticeKind};
use crate::inference::DeadUnits;
use crate::models::{self, CLASSES};
use crate::storage::FineTuning;
use crate::training::{Ending, TrainingConfig};

/// Where a training stands.
#[derive(Clone, Debug, PartialEq)]
pub enum Phase {
    /// Digits are read or drawn; no update yet.
    Preparing,
    Running,
    Paused,
    Ended(Ending),
    /// It could not go on; the sentence says why.
    Failed(String),
}

impl Phase {
    pub fn is_under_way(&self) -> bool {
        matches!(self, Self::Preparing | Self::Running | Self::Paused)
    }
}

/// Training as it was met: means over the updates since the point before.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepPoint {
    pub step: u64,
    /// Of training so far, pauses left out; so in the other points.
    pub seconds: f64,
    pub loss: f64,
    pub accuracy: f64,
}

/// A look at a fixed part of the validation images.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TickPoint {
    pub step: u64,
    pub seconds: f64,
    pub loss: f64,
    pub accuracy: f64,
    pub f1: [f64; CLASSES],
    /// How many images it looked at.
    pub images: u32,
    /// All validation images at the end of an epoch, not a part.
    pub whole: bool,
}

/// The end of an epoch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EpochPoint {
    pub epoch: u32,
    pub step: u64,
    pub seconds: f64,
    pub train_loss: f64,
    pub train_accuracy: f64,
    pub is_best: bool,
}

/// Everything that is plotted, by update.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Curves {
    pub steps: Vec<StepPoint>,
    pub ticks: Vec<TickPoint>,
    pub epochs: Vec<EpochPoint>,
    /// Settings that changed while the run went on.
    pub changes: Vec<LiveChangePoint>,
}

/// More training points than this are thinned to half, so that a long run stays quick to draw.
const MOST_STEPS: usize = 4_000;
/// The same for looks at a part of the validation images; those at all of them stay.
const MOST_PARTS: usize = 2_000;

/// One training, from its start on.
#[derive(Clone, Debug)]
pub struct TrainingView {
    pub config: TrainingConfig,
    pub phase: Phase,
    pub run: Option<PathBuf>,
    /// Title of the data.
    pub source: String,
    pub train_images: usize,
    pub validation_images: usize,
    /// Pixels that the network keeps, and all of them, where it chooses.
    pub pixels: Option<(usize, usize)>,
    pub step: u64,
    pub updates: u64,
    pub epoch: u32,
    pub learning_rate: f64,
    pub images_per_second: f64,
    pub curves: Curves,
    /// Of every rectified layer, at the newest look at the network.
    pub dead_units: Vec<DeadUnits>,
    /// Accuracy on the test set with its interval, once the run is completed.
    pub test: Option<(f64, [f64; 2])>,
    /// What it was worth to one's own drawings, where it began from other weights and held some out.
    pub fine_tuning: Option<FineTuning>,
    pub seconds: Option<f64>,
    /// The batch of the last update, while every one is shown.
    batch: Option<Arc<BatchView>>,
    pub(super) changes: Option<Changes>,
    began: Instant,
}

impl TrainingView {
    pub(super) fn new(config: TrainingConfig) -> Self {
        Self {
            learning_rate: config.learning_rate,
            config,
            phase: Phase::Preparing,
            run: None,
            source: String::new(),
            train_images: 0,
            validation_images: 0,
            pixels: None,
            step: 0,
            updates: 0,
            epoch: 0,
            images_per_second: 0.0,
            curves: Curves::default(),
            dead_units: Vec::new(),
            test: None,
            fine_tuning: None,
            seconds: None,
            batch: None,
            changes: None,
            began: Instant::now(),
        }
    }

    /// "LeNet-5".
    pub fn title(&self) -> &str {
        models::find(&self.config.model).map_or(&self.config.model, |architecture| architecture.title)
    }

    /// Updates of one epoch, once known.
    pub fn updates_per_epoch(&self) -> Option<f64> {
        (self.updates > 0).then(|| self.updates as f64 / f64::from(self.config.epochs))
    }

    /// Share of the run that is done.
    pub fn done(&self) -> f64 {
        if self.updates == 0 { 0.0 } else { self.step as f64 / self.updates as f64 }
    }

    /// Seconds until the end, from the pace so far, pauses left out.
    pub fn seconds_left(&self) -> Option<f64> {
        let newest = self.curves.steps.last()?;
        let is_telling = newest.step > 0 && newest.seconds > 0.5 && self.phase.is_under_way();
        is_telling.then(|| newest.seconds / newest.step as f64 * self.updates.saturating_sub(self.step) as f64)
    }

    /// Seconds since the training was asked for.
    pub fn age(&self) -> Duration {
        self.began.elapsed()
    }

    /// The best epoch so far.
    pub fn best(&self) -> Option<&EpochPoint> {
        self.curves.epochs.iter().rev().find(|point| point.is_best)
    }

    /// The last F1 values, and those of the look at the end of the epoch before.
    pub fn f1(&self) -> Option<([f64; CLASSES], Option<[f64; CLASSES]>)> {
        let (last, before) = self.curves.ticks.split_last()?;
        let before = before.iter().rev().find(|point| point.whole).or(before.first());
        Some((last.f1, before.map(|point| point.f1)))
    }

    /// The batch of the present update, in slow motion and after a single step.
    pub fn batch(&self) -> Option<&BatchView> {
        self.batch.as_deref().filter(|batch| batch.step >= self.step && self.phase.is_under_way())
    }

    /// Takes in an event; the answer is a sentence for the person, where there is one.
    pub(super) fn apply(&mut self, event: TrainerEvent) -> Option<(NoticeKind, String)> {
        match event {
            TrainerEvent::Begun { run, train_images, validation_images, source } => {
                self.run = Some(run);
                (self.train_images, self.validation_images, self.source) = (train_images, validation_images, source);
                let changes = self.changes.insert(Changes::new(&self.config, train_images));
                self.updates = changes.pace.updates();
                self.phase = Phase::Running;
            }
            TrainerEvent::Pixels { kept, of } => self.pixels = Some((kept, of)),
            TrainerEvent::Progress { step, updates, epoch, seconds, loss, error, learning_rate, images_per_second } => {
                if step > self.curves.steps.last().map_or(0, |point| point.step) {
                    self.curves.steps.push(StepPoint { step, seconds, loss, accuracy: 1.0 - error });
                    self.images_per_second = images_per_second.unwrap_or(self.images_per_second);
                }
                (self.step, self.epoch, self.learning_rate) = (step, epoch, learning_rate);
                self.changes_came_up();
                self.updates = updates;
                self.thin();
            }
            TrainerEvent::Tick { step, seconds, loss, accuracy, f1, images, dead_units } => {
                self.dead_units = dead_units;
                self.curves.ticks.push(TickPoint { step, seconds, loss, accuracy, f1, images, whole: false });
                self.thin();
            }
            TrainerEvent::Epoch {
                epoch,
                step,
                seconds,
                validation,
                train_loss,
                train_error,
                is_best,
                is_of_before,
                dead_units,
            } => {
                self.dead_units = dead_units;
                (self.epoch, self.step) = (epoch, step);
                if is_of_before {
                    self.curves.steps.push(StepPoint { step, seconds, loss: train_loss, accuracy: 1.0 - train_error });
                }
                self.changes_came_up();
                if let Some((loss, accuracy, f1)) = validation {
                    let images = self.validation_images as u32;
                    self.curves.ticks.push(TickPoint { step, seconds, loss, accuracy, f1, images, whole: true });
                }
                let train_accuracy = 1.0 - train_error;
                self.curves.epochs.push(EpochPoint { epoch, step, seconds, train_loss, train_accuracy, is_best });
            }
            TrainerEvent::Paused(paused) => {
                self.phase = if paused { Phase::Paused } else { Phase::Running };
            }
            TrainerEvent::Changed(change) => {
                if let Some(changes) = &mut self.changes {
                    changes.add(change);
                }
                self.changes_came_up();
            }
            TrainerEvent::Batch(batch) => self.batch = Some(batch),
            TrainerEvent::Ended(result) => return self.ended(result),
            TrainerEvent::Model(_) | TrainerEvent::Warning(_) | TrainerEvent::Note(_) => {}
        }
        None
    }

    fn ended(&mut self, result: Result<Box<Ended>, String>) -> Option<(NoticeKind, String)> {
        match result {
            Ok(ended) => {
                self.phase = Phase::Ended(ended.ending);
                self.seconds = Some(ended.seconds);
                self.test = ended.test.map(|test| (test.confusion.accuracy(), test.interval()));
                self.fine_tuning = ended.fine_tuning;
                match ended.ending {
                    Ending::Completed => None,
                    Ending::EarlyStopped => {
                        let best = self.best().map_or(0, |best| best.epoch);
                        let text = format!(
                            "Training stopped early after {} epochs: no better than epoch {best} for its patience. The \
                             best weights are kept",
                            self.epoch
                        );
                        Some((NoticeKind::Info, text))
                    }
                    Ending::Stopped => {
                        Some((NoticeKind::Info, "Training stopped; the run is kept with its weights so far".to_owned()))
                    }
                    Ending::Diverged(why) => Some((
                        NoticeKind::Problem,
                        format!(
                            "Training diverged after {} updates: {}. The last good weights are kept; {}",
                            self.step,
                            why.sentence(),
                            why.advice()
                        ),
                    )),
                }
            }
            Err(why) => {
                let sentence = format!("Training could not go on: {why}");
                self.phase = Phase::Failed(why);
                Some((NoticeKind::Problem, sentence))
            }
        }
    }

    fn thin(&mut self) {
        if self.curves.steps.len() > MOST_STEPS {
            let pairs = self.curves.steps.chunks(2).map(|pair| {
                let count = pair.len() as f64;
                StepPoint {
                    step: pair[pair.len() - 1].step,
                    seconds: pair[pair.len() - 1].seconds,
                    loss: pair.iter().map(|point| point.loss).sum::<f64>() / count,
                    accuracy: pair.iter().map(|point| point.accuracy).sum::<f64>() / count,
                }
            });
            self.curves.steps = pairs.collect();
        }
        if self.curves.ticks.iter().filter(|tick| !tick.whole).count() > MOST_PARTS {
            let mut part = 0;
            self.curves.ticks.retain(|tick| {
                part += usize::from(!tick.whole);
                tick.whole || part % 2 == 0
            });
        }
    }
}
