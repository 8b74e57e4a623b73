//! What `train` and `resume` print while a run goes on, and at its end.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::Result;
use clap::Args;
use indicatif::ProgressBar;
use serde_json::json;

use super::output;
use crate::nn::Compute;
use crate::storage::record;
use crate::storage::recorded_run::{CHECKPOINT_EVERY, RecordedRun};
use crate::storage::run_folder::RunFolder;
use crate::training::{Ending, Event, LiveSettings, Stop, TrainingConfig, TrainingData};

/// How often what going on needs is written.
#[derive(Args)]
pub(super) struct CheckpointArgs {
    /// Seconds between two checkpoints, at least; what a crash can cost. One more is written at the end. Usually 10
    #[arg(long, value_name = "X", value_parser = seconds)]
    checkpoint_seconds: Option<Duration>,
}

impl CheckpointArgs {
    pub fn every(&self) -> Duration {
        self.checkpoint_seconds.unwrap_or(CHECKPOINT_EVERY)
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|error| format!("{error}"))?;
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}

/// At most so many lines of single updates a second.
const STEP_LINES_EVERY: Duration = Duration::from_millis(100);

pub(super) struct TrainingOutput {
    json: bool,
    bar: ProgressBar,
    last_line: Option<Instant>,
    interrupted: Arc<AtomicBool>,
    teller: Teller,
}

/// What the first line needs.
#[derive(Clone)]
pub(super) struct Teller {
    json: bool,
    train_images: usize,
    /// In words.
    images: String,
    validation_images: usize,
    compute: Arc<Compute>,
}

impl Teller {
    /// The run's folder is there, and training begins after `step` updates.
    pub fn begun(&self, folder: &RunFolder, start: Option<&str>, step: u64) {
        let config = folder.config();
        let parameters = config.architecture().map_or(0, |architecture| architecture.parameters);
        if self.json {
            output::json(&json!({
                "event": "started",
                "run": folder.path(),
                "model": config.model,
                "parameters": parameters,
                "device": self.compute.device_id(),
                "threads": self.compute.threads(),
                "train_images": self.train_images,
                "validation_images": self.validation_images,
                "config": config,
                "start": start,
                "step": step,
            }));
            return;
        }
        output::line(format!(
            "Training {} ({parameters} parameters) on {}, {} kept for validation; {}",
            config.model,
            self.images,
            self.validation_images,
            self.compute.describe()
        ));
        if let Some(start) = start {
            output::line(start);
        }
    }
}

impl TrainingOutput {
    pub fn new(json: bool, config: &TrainingConfig, data: &TrainingData, compute: &Arc<Compute>) -> Result<Self> {
        let updates = config.updates_per_epoch(data.train.len()) * u64::from(config.epochs);
        let (train_images, validation_images) = (data.train.len(), data.validation.len());
        Ok(Self {
            json,
            bar: output::progress(updates, "{bar:30} {pos}/{len} updates, {eta} left, loss {msg}"),
            last_line: None,
            interrupted: interruption()?,
            teller: Teller {
                json,
                train_images,
                images: data.describe_images(config),
                validation_images,
                compute: Arc::clone(compute),
            },
        })
    }

    pub fn teller(&self) -> Teller {
        self.teller.clone()
    }

    /// Prints what an event tells; breaks once somebody has interrupted the program.
    pub fn saw(&mut self, event: &Event<'_>) -> ControlFlow<Stop, Option<LiveSettings>> {
        let json = self.json;
        match event {
            Event::Step { step, updates, loss, learning_rate, .. } => {
                self.bar.set_length(*updates);
                self.bar.set_position(*step);
                let due = self.last_line.is_none_or(|last| last.elapsed() >= STEP_LINES_EVERY);
                if due {
                    self.last_line = Some(Instant::now());
                    self.bar.set_message(format!("{loss:.4}"));
                }
                if due && json {
                    output::json(&json!({"event": "step", "step": step, "loss": loss, "learning_rate": learning_rate}));
                }
            }
            Event::Pixels { kept, of } if json => output::json(&json!({"event": "pixels", "kept": kept, "of": of})),
            Event::Pixels { kept, of } => self.bar.suspend(|| {
                let left_out = of - kept;
                output::line(format!(
                    "{left_out} of {of} pixels are nearly the same in all training images and left out; {kept} count"
                ));
            }),
            Event::Tick(tick) if json => output::json(&record::tick(tick)),
            Event::Epoch(summary) if json => output::json(&record::epoch(summary)),
            Event::Epoch(summary) => self.bar.suspend(|| {
                let validation = summary.validation.map_or_else(String::new, |v| {
                    format!(", validation {} (loss {:.4})", output::percent(v.confusion.accuracy()), v.loss)
                });
                output::line(format!(
                    "epoch {:>2}: training loss {:.4}{validation}, {:.1} s, {:.0} images/s",
                    summary.epoch, summary.train_loss, summary.seconds, summary.images_per_second
                ));
            }),
            Event::Reading | Event::Resumable(_) | Event::Tick(_) => {}
        }
        if self.interrupted.load(Ordering::Relaxed) { ControlFlow::Break(Stop) } else { ControlFlow::Continue(None) }
    }

    /// The last lines, and the exit code.
    pub fn end(self, config: &TrainingConfig, result: &RecordedRun) -> u8 {
        self.bar.finish_and_clear();
        report(config, result, self.json);
        match result.outcome.ending {
            Ending::Stopped => INTERRUPTED,
            Ending::Completed | Ending::EarlyStopped | Ending::Diverged(_) => 0,
        }
    }
}

/// The exit code of a run that was interrupted and can go on.
pub(super) const INTERRUPTED: u8 = 130;

/// The run's own name.
fn name_of(folder: &Path) -> String {
    folder.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}

fn report(config: &TrainingConfig, result: &RecordedRun, json: bool) {
    let outcome = &result.outcome;
    if json {
        let mut line = json!({
            "event": "finished",
            "ending": outcome.ending.id(),
            "run": result.folder,
            "epochs": outcome.epochs,
            "updates": outcome.steps,
            "seconds": outcome.seconds,
            "best_epoch": outcome.best_epoch,
            "weights_sha256": outcome.best_weights.sha256(),
        });
        if let Some(test) = &result.test {
            line["test"] = record::evaluation(test);
            line["test"]["model"] = config.model.clone().into();
        }
        if let Some(fine_tuning) = &result.fine_tuning {
            line["fine_tuning"] = json!(fine_tuning);
        }
        output::json(&line);
        return;
    }
    let ending = match outcome.ending {
        Ending::Completed => "done".to_owned(),
        Ending::EarlyStopped => {
            format!("stopped early after {} epochs, no better for as long as its patience", outcome.epochs)
        }
        Ending::Stopped => format!("stopped; digitpad resume {} goes on from here", name_of(&result.folder)),
        Ending::Diverged(why) => {
            format!("diverged after {} updates: {}; {}", outcome.steps, why.sentence(), why.advice())
        }
    };
    output::line(format!("{ending}, {:.1} s, best epoch {}", outcome.seconds, outcome.best_epoch));
    if let Some(test) = &result.test {
        let [low, high] = test.interval();
        output::line(format!(
            "test set: {} right ({} to {} with 95 % confidence)",
            output::percent(test.confusion.accuracy()),
            output::percent(low),
            output::percent(high)
        ));
    }
    for sentence in result.fine_tuning.iter().flat_map(|fine_tuning| fine_tuning.sentences()) {
        output::line(sentence);
    }
    output::line(format!("weights and history are in {}", result.folder.display()));
}

/// Set by the first SIGINT or SIGTERM; a second one ends the program at once.
pub(super) fn interruption() -> Result<Arc<AtomicBool>> {
    let flag = Arc::new(AtomicBool::new(false));
    #[cfg(unix)]
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        signal_hook::flag::register_conditional_shutdown(signal, 130, Arc::clone(&flag))?;
        signal_hook::flag::register(signal, Arc::clone(&flag))?;
    }
    Ok(flag)
}
