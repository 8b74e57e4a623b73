//! The thread of one training: what it trains, and what it tells. How it obeys is told in `wishes.rs`.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::mpsc::Sender;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Result;

use super::changing::Beginning;
use super::corpora::Corpora;
use super::wishes::{Finished, Wishes, obey, wishes_to_see};
use super::{BatchView, Speed, Wake, WorkerEvent, interrupted};
use crate::inference::{DeadUnits, Evaluation, Thresholds, TrainedModel};
use crate::models::CLASSES;
use crate::nn::{Compute, DeviceChoice, Weights};
use crate::storage::recorded_run::{self, Recording};
use crate::storage::run_folder::RunFolder;
use crate::storage::{
    FineTuning,
    resumption::{self, Resumption},
};
use crate::training::{Clock, Ending, Event, LiveChange, LiveSettings, TrainingConfig, TrainingData};

/// What a training tells the workbench.
pub(super) enum TrainerEvent {
    Begun {
        run: PathBuf,
        train_images: usize,
        validation_images: usize,
        source: String,
    },
    /// The network keeps so many of its pixels.
    Pixels {
        kept: usize,
        of: usize,
    },
    Progress {
        step: u64,
        updates: u64,
        epoch: u32,
        /// Of training so far, pauses left out; so in the next two.
        seconds: f64,
        loss: f64,
        error: f64,
        learning_rate: f64,
        /// `None` where an evaluation has taken part of the time.
        images_per_second: Option<f64>,
    },
    Tick {
        step: u64,
        seconds: f64,
        loss: f64,
        accuracy: f64,
        f1: [f64; CLASSES],
        images: u32,
        dead_units: Vec<DeadUnits>,
    },
    Epoch {
        epoch: u32,
        step: u64,
        seconds: f64,
        validation: Option<(f64, f64, [f64; CLASSES])>,
        train_loss: f64,
        train_error: f64,
        is_best: bool,
        /// Of an earlier life of the run, whose updates are not told any more.
        is_of_before: bool,
        dead_units: Vec<DeadUnits>,
    },
    /// Settings change, or will.
    Changed(LiveChange),
    /// The batch of an update.
    Batch(Arc<BatchView>),
    /// The network as it is now, for the pad.
    Model(Arc<TrainedModel>),
    /// The run goes on, but something needs to be known.
    Warning(String),
    /// Worth knowing, and as it should be.
    Note(String),
    /// It waits, or no longer.
    Paused(bool),
    Ended(Result<Box<Ended>, String>),
}

/// How a training ended.
pub(super) struct Ended {
    pub ending: Ending,
    pub seconds: f64,
    /// Accuracy of the best weights on the test set, for the record.
    pub test: Option<Evaluation>,
    /// What it was worth, where it began from other weights and held drawings out.
    pub fine_tuning: Option<FineTuning>,
}

/// How far a paused training goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Until {
    Batch,
    Epoch,
}

/// What a training is to do.
pub(super) struct Order {
    pub run: u64,
    pub config: TrainingConfig,
    pub beginning: Beginning,
    /// Pause there instead of running on.
    pub until: Option<Until>,
    pub speed: Speed,
    pub corpora: Arc<Corpora>,
    pub compute: Arc<Compute>,
    /// At least this long between two snapshots for the screen.
    pub snapshot_every: Duration,
    pub runs: PathBuf,
    pub sender: Sender<WorkerEvent>,
    pub wake: Wake,
}

/// News of a training can wait for the answer of its newest network to the drawing, so that one picture shows both.
const WITH_THE_ANSWER: Duration = Duration::from_millis(30);

/// A training under way. Dropping it stops the training; nobody waits.
pub(super) struct Trainer {
    wishes: Arc<(Mutex<Wishes>, Condvar)>,
    thread: std::thread::JoinHandle<()>,
}

impl Trainer {
    pub fn start(order: Order) -> Result<Self> {
        let wishes = Arc::new((
            Mutex::new(Wishes { until: order.until, speed: order.speed, ..Wishes::default() }),
            Condvar::new(),
        ));
        let shared = Arc::clone(&wishes);
        let thread = std::thread::Builder::new().name("trainer".to_owned());
        let thread = thread.spawn(move || {
            let reporter = Reporter { run: order.run, sender: order.sender.clone(), wake: Arc::clone(&order.wake) };
            let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| train(&order, &shared, &reporter)));
            reporter.tell(TrainerEvent::Ended(match result {
                Ok(Ok(ended)) => Ok(Box::new(ended)),
                Ok(Err(error)) => Err(format!("{error:#}")),
                Err(panic) => Err(format!("the trainer failed unexpectedly: {}", panic_message(&*panic))),
            }));
        })?;
        Ok(Self { wishes, thread })
    }

    /// Whether its thread still runs: training, or writing the last weights.
    pub fn is_busy(&self) -> bool {
        !self.thread.is_finished()
    }

    pub fn pause(&self) {
        self.wish(|wishes| wishes.paused = true);
    }

    pub fn resume(&self) {
        self.wish(|wishes| (wishes.paused, wishes.until) = (false, None));
    }

    pub fn step(&self, until: Until) {
        self.wish(|wishes| (wishes.paused, wishes.until) = (false, Some(until)));
    }

    pub fn stop(&self) {
        self.wish(|wishes| wishes.stop = true);
    }

    /// As stop, for a program that ends: the run is offered again at the next start.
    pub fn leave(&self) {
        self.wish(|wishes| (wishes.stop, wishes.leaves) = (true, true));
    }

    pub fn change(&self, set: LiveSettings) {
        self.wish(|wishes| wishes.live.take(set));
    }

    pub fn set_speed(&self, speed: Speed) {
        self.wish(|wishes| wishes.speed = speed);
    }

    fn wish(&self, change: impl FnOnce(&mut Wishes)) {
        let (wishes, changed) = &*self.wishes;
        change(&mut wishes.lock().unwrap_or_else(PoisonError::into_inner));
        changed.notify_all();
    }
}

impl Drop for Trainer {
    fn drop(&mut self) {
        self.stop();
    }
}

fn panic_message(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}

struct Reporter {
    run: u64,
    sender: Sender<WorkerEvent>,
    wake: Wake,
}

impl Reporter {
    fn tell(&self, event: TrainerEvent) {
        // a workbench that is gone wants to know nothing
        let _gone = self.sender.send(WorkerEvent::Trainer(self.run, event));
        (self.wake)(WITH_THE_ANSWER);
    }
}

fn train(order: &Order, wishes: &(Mutex<Wishes>, Condvar), reporter: &Reporter) -> Result<Ended> {
    let (resumption, journal) = match &order.beginning {
        Beginning::New => (None, Vec::new()),
        Beginning::Resumed(run) => (Some(interrupted::take_up(run)?), Vec::new()),
        Beginning::Repeat(journal) => (None, journal.clone()),
    };
    let before = resumption.as_ref().map(interrupted::told_before).transpose()?;
    let corpus = order.corpora.get(&order.config.data)?;
    for note in &corpus.notes {
        reporter.tell(TrainerEvent::Warning(note.clone()));
    }
    let source = corpus.title.clone();
    let data = TrainingData::split(&order.config, corpus)?;
    let mut before = before.unwrap_or_default();
    let mut watch = Watch::new(order, reporter)?;
    let mut begun = |folder: &RunFolder, start: Option<&str>| {
        if let Some(start) = start {
            reporter.tell(TrainerEvent::Note(start.to_owned()));
        }
        reporter.tell(TrainerEvent::Begun {
            run: folder.path().to_owned(),
            train_images: data.train.len(),
            validation_images: data.validation.len(),
            source: source.clone(),
        });
        journal.iter().for_each(|change| reporter.tell(TrainerEvent::Changed(*change)));
        before.drain(..).for_each(|event| reporter.tell(event));
    };
    let mut warn = |warning| reporter.tell(TrainerEvent::Warning(warning));
    let position = resumption.as_ref().and_then(Resumption::position);
    let (mut step, mut epochs) = position.map_or((0, 0), |position| (position.step, position.epochs));
    let mut observe = |event: Event<'_>, clock: &mut Clock| {
        let mut first_update = step + 1;
        match &event {
            Event::Step { step: now, .. } => (step, first_update) = (*now, now + 1),
            Event::Epoch(summary) => epochs = summary.epoch,
            // the update under way has its rate already
            Event::Reading => first_update += 1,
            Event::Pixels { .. } | Event::Tick(_) | Event::Resumable(_) => {}
        }
        let finished = watch.saw(&event, clock.seconds());
        if finished == Finished::Batch && wishes_to_see(wishes) {
            BatchView::told(&event).into_iter().for_each(|batch| reporter.tell(batch));
        }
        clock.pause();
        let (flow, rested) = obey(wishes, finished, || watch.rests(&event, clock.seconds()));
        clock.resume();
        if rested {
            // its time is none of training
            watch.last = Instant::now();
        }
        if let ControlFlow::Continue(Some(set)) = flow {
            reporter.tell(TrainerEvent::Changed(LiveChange { update: first_update, epochs, set }));
        }
        flow
    };
    let (runs, name, compute) = (&*order.runs, &*order.config.model, &order.compute);
    let recording = Recording { runs, name, checkpoint_every: recorded_run::CHECKPOINT_EVERY };
    let run = match resumption {
        None => recorded_run::repeat(
            (&order.config, &journal),
            &data,
            compute,
            recording,
            &mut begun,
            &mut warn,
            &mut observe,
        ),
        Some(run) => recorded_run::resume(run, &data, compute, recording, &mut begun, &mut warn, &mut observe),
    }?;
    let leaves = wishes.0.lock().unwrap_or_else(PoisonError::into_inner).leaves;
    if leaves && run.outcome.ending == Ending::Stopped {
        resumption::leave_open(&run.folder)?;
    }
    watch.model(&run.outcome.best_weights, run.outcome.thresholds)?;
    let (ending, seconds) = (run.outcome.ending, run.outcome.seconds);
    Ok(Ended { ending, seconds, test: run.test, fine_tuning: run.fine_tuning })
}

/// Ends the pause on the screen too.
pub(super) struct Reporting(Reporter);

impl Reporting {
    pub fn over(self) {
        self.0.tell(TrainerEvent::Paused(false));
    }
}

/// Turns a run's events into snapshots for the screen.
struct Watch<'a> {
    order: &'a Order,
    reporter: &'a Reporter,
    /// Live models answer on the predictor's thread, beside the threads that train.
    reader: Arc<Compute>,
    last: Instant,
    /// Updates since the last snapshot with the sums of their figures, and where the newest stands.
    steps: u64,
    images: usize,
    loss: f64,
    error: f64,
    newest: Option<Newest>,
    /// An evaluation took a part of the time since the last snapshot.
    evaluated: bool,
}

/// Images whose mean figures are worth a point of the curve between two snapshots.
const LEAST_IMAGES: usize = 1_000;

/// Where an update stands.
#[derive(Clone, Copy)]
struct Newest {
    step: u64,
    updates: u64,
    epoch: u32,
    learning_rate: f64,
}

impl<'a> Watch<'a> {
    fn new(order: &'a Order, reporter: &'a Reporter) -> Result<Self> {
        let reader = Arc::new(Compute::new(DeviceChoice::Cpu, Some(1))?);
        let last = Instant::now();
        Ok(Self {
            order,
            reporter,
            reader,
            last,
            steps: 0,
            images: 0,
            loss: 0.0,
            error: 0.0,
            newest: None,
            evaluated: false,
        })
    }

    fn saw(&mut self, event: &Event<'_>, seconds: f64) -> Finished {
        match event {
            Event::Pixels { kept, of } => {
                self.reporter.tell(TrainerEvent::Pixels { kept: *kept, of: *of });
                Finished::Nothing
            }
            Event::Reading | Event::Resumable(_) => Finished::Nothing,
            Event::Step { step, updates, epoch, loss, learning_rate, error, images, .. } => {
                self.steps += 1;
                self.images += images;
                self.loss += loss;
                self.error += error;
                let (step, updates, epoch, learning_rate) = (*step, *updates, *epoch, *learning_rate);
                self.newest = Some(Newest { step, updates, epoch, learning_rate });
                if self.last.elapsed() >= self.order.snapshot_every || step == 1 {
                    self.snapshot(event, seconds);
                }
                Finished::Batch
            }
            Event::Tick(tick) => {
                self.progress(false, seconds);
                // the very network that is looked at, for all that is shown with the look
                let _diverging = self.model(tick.weights, Thresholds::default());
                let confusion = &tick.evaluation.confusion;
                self.reporter.tell(TrainerEvent::Tick {
                    step: tick.step,
                    seconds,
                    loss: tick.evaluation.loss,
                    accuracy: confusion.accuracy(),
                    f1: confusion.f1(),
                    images: confusion.images(),
                    dead_units: tick.dead_units.clone(),
                });
                Finished::Nothing
            }
            Event::Epoch(summary) => {
                self.progress(false, seconds);
                let validation = summary.validation.map(|v| (v.loss, v.confusion.accuracy(), v.confusion.f1()));
                // the network of the epoch itself, so that what is judged now is what the curves tell
                let _diverging = self.model(summary.weights, Thresholds::default());
                self.reporter.tell(TrainerEvent::Epoch {
                    epoch: summary.epoch,
                    step: summary.step,
                    seconds,
                    validation,
                    train_loss: summary.train_loss,
                    train_error: summary.train_error,
                    is_best: summary.is_best,
                    is_of_before: false,
                    dead_units: summary.dead_units.clone(),
                });
                Finished::Epoch
            }
        }
    }

    /// Mean figures since the last snapshot, and the network as it is now.
    fn snapshot(&mut self, event: &Event<'_>, seconds: f64) {
        self.progress(true, seconds);
        if let Event::Step { params, .. } = event
            && let Ok(weights) = params.weights()
        {
            // weights that are no longer numbers make no model; the run itself will say that it diverged
            let _diverging = self.model(&weights, Thresholds::default());
        }
        self.last = Instant::now();
    }

    /// Mean figures since the last time, where there are any; counting begins anew. The pace is told only when all of the
    /// time was training.
    fn progress(&mut self, all_of_it_training: bool, seconds: f64) {
        self.evaluated |= !all_of_it_training;
        // the mean of a batch or two would stand out of the curve; it goes into the next one
        if !all_of_it_training && self.images < LEAST_IMAGES {
            return;
        }
        let all_of_it_training = !std::mem::take(&mut self.evaluated);
        if let Some(Newest { step, updates, epoch, learning_rate }) = self.newest.take() {
            let count = self.steps as f64;
            self.reporter.tell(TrainerEvent::Progress {
                step,
                updates,
                epoch,
                seconds,
                loss: self.loss / count,
                error: self.error / count,
                learning_rate,
                images_per_second: all_of_it_training
                    .then(|| self.images as f64 / self.last.elapsed().as_secs_f64().max(1e-6)),
            });
        }
        (self.steps, self.images, self.loss, self.error, self.last) = (0, 0, 0.0, 0.0, Instant::now());
    }

    fn model(&self, weights: &Weights, thresholds: Thresholds) -> Result<()> {
        let architecture = self.order.config.architecture()?;
        let model = TrainedModel::new(architecture, weights, thresholds, Arc::clone(&self.reader))?;
        self.reporter.tell(TrainerEvent::Model(Arc::new(model)));
        Ok(())
    }

    /// The pause begins: everything visible is brought up to date.
    fn rests(&mut self, event: &Event<'_>, seconds: f64) -> Reporting {
        self.snapshot(event, seconds);
        self.reporter.tell(TrainerEvent::Paused(true));
        let Reporter { run, sender, wake } = self.reporter;
        Reporting(Reporter { run: *run, sender: sender.clone(), wake: Arc::clone(wake) })
    }
}
