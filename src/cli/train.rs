//! `digitpad train`.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::Args;
use serde_json::json;

use super::{ComputeArgs, output};
use crate::data::{self, Request};
use crate::optim::OptimizerConfig;
use crate::storage::places::runs_folder;
use crate::storage::{config_file, presets, record, recorded_run, shipped};
use crate::training::{Ending, Event, Stop, TrainingConfig, TrainingData};

#[derive(Args)]
pub struct TrainArgs {
    /// A model's id, for its recommended settings, another preset (ninety-nine), or a configuration file
    #[arg(value_name = "PRESET | CONFIG.toml")]
    preset: Option<String>,
    /// The model to train
    #[arg(long, value_name = "ID")]
    model: Option<String>,
    #[arg(long, value_name = "N")]
    epochs: Option<u32>,
    /// Images per update
    #[arg(long, value_name = "N")]
    batch_size: Option<usize>,
    #[arg(long, visible_alias = "lr", value_name = "X", allow_negative_numbers = true)]
    learning_rate: Option<f64>,
    /// sgd, momentum, adam, adamw, sdlm or conjugate-gradient
    #[arg(long, value_name = "ID")]
    optimizer: Option<String>,
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Train on only so many images
    #[arg(long, value_name = "N")]
    train_limit: Option<usize>,
    /// Images kept for validation; 0 trains on all
    #[arg(long, value_name = "N")]
    validation: Option<usize>,
    /// mnist, drawn, or a folder with IDX files or CIFAR-10's binary ones
    #[arg(long, value_name = "SOURCE|DIR")]
    data: Option<String>,
    /// Start from these weights instead of fresh ones: a shipped model, a run or a weights file. Layers are copied where
    /// names and shapes agree
    #[arg(long, value_name = "MODEL")]
    from: Option<String>,
    /// Leave the layers up to this one, itself included, as they were copied
    #[arg(long, value_name = "LAYER")]
    freeze_up_to: Option<String>,
    #[command(flatten)]
    compute: ComputeArgs,
    /// Folder of the runs
    #[arg(long, value_name = "DIR")]
    runs: Option<PathBuf>,
    /// Begins the name of the run's folder
    #[arg(long)]
    name: Option<String>,
    /// Print JSON lines
    #[arg(long)]
    json: bool,
}

impl TrainArgs {
    /// The preset or file, overridden by the flags.
    fn config(&self) -> Result<TrainingConfig> {
        let named = self.preset.as_deref().or(self.model.as_deref()).unwrap_or("lenet5");
        let mut config = match presets::find(named) {
            Some(preset) => preset.config()?,
            None if self.preset.is_some() && looks_like_a_file(named) => config_file::read(Path::new(named))?,
            None if let Some(without) = shipped::find(named) => without.config()?,
            None => {
                let known: Vec<&str> = presets::all().map(|preset| preset.id).collect();
                bail!("there is no preset, model or configuration file \"{named}\"; presets are {}", known.join(", "))
            }
        };
        if let Some(model) = &self.model {
            config.model.clone_from(model);
        }
        if let Some(id) = &self.optimizer {
            let optimizer = OptimizerConfig::find(id).with_context(|| {
                let known = OptimizerConfig::CHOICES.map(|(id, ..)| id).join(", ");
                format!("there is no optimiser \"{id}\"; known are {known}")
            })?;
            if optimizer.id() != config.optimizer.id() {
                config.optimizer = optimizer;
                config.learning_rate = optimizer.usual_learning_rate();
            }
        }
        config.epochs = self.epochs.unwrap_or(config.epochs);
        config.batch_size = self.batch_size.unwrap_or(config.batch_size);
        config.learning_rate = self.learning_rate.unwrap_or(config.learning_rate);
        config.seed = self.seed.unwrap_or(config.seed);
        config.train_limit = self.train_limit.or(config.train_limit);
        config.validation = self.validation.unwrap_or(config.validation);
        if let Some(data) = &self.data {
            config.data.clone_from(data);
        }
        config.from = self.from.clone().or(config.from);
        config.freeze_up_to = self.freeze_up_to.clone().or(config.freeze_up_to);
        config.validate()?;
        Ok(config)
    }
}

/// Whether this means a file, there or not, rather than a preset that is spelt wrong.
fn looks_like_a_file(named: &str) -> bool {
    let path = Path::new(named);
    path.extension().is_some() || path.components().count() > 1 || path.exists()
}

/// At most so many lines of single updates a second.
const STEP_LINES_EVERY: Duration = Duration::from_millis(100);

pub fn run(args: &TrainArgs) -> Result<u8> {
    let config = args.config()?;
    let compute = args.compute.open()?;
    let runs =
        runs_folder(args.runs.as_deref()).context("this system names no folder for runs; name one with --runs")?;
    let corpus = Arc::new(data::load(&Request::parse(&config.data))?);
    for note in &corpus.notes {
        output::note(note);
    }
    let data = TrainingData::split(&config, corpus)?;
    let interrupted = interruption()?;

    let parameters = config.architecture()?.parameters;
    let updates = config.updates_per_epoch(data.train.len()) * u64::from(config.epochs);
    let bar = output::progress(updates, "{bar:30} {pos}/{len} updates, {eta} left, loss {msg}");
    let mut last_line: Option<Instant> = None;
    let json = args.json;
    let result = recorded_run::train(
        &config,
        &data,
        &compute,
        (&runs, args.name.as_deref().unwrap_or(&config.model)),
        &mut |folder, start| {
            if json {
                output::json(&json!({
                    "event": "started",
                    "run": folder.path(),
                    "model": config.model,
                    "parameters": parameters,
                    "device": compute.device_id(),
                    "threads": compute.threads(),
                    "train_images": data.train.len(),
                    "validation_images": data.validation.len(),
                    "config": folder.config(),
                    "start": start,
                }));
            } else {
                output::line(format!(
                    "Training {} ({parameters} parameters) on {} images, {} kept for validation; {}",
                    config.model,
                    data.train.len(),
                    data.validation.len(),
                    compute.describe()
                ));
                if let Some(start) = start {
                    output::line(start);
                }
            }
        },
        &mut |warning| output::note(&warning),
        &mut |event| {
            match event {
                Event::Step { step, loss, learning_rate, .. } => {
                    bar.set_position(step);
                    let due = last_line.is_none_or(|last| last.elapsed() >= STEP_LINES_EVERY);
                    if due {
                        last_line = Some(Instant::now());
                        bar.set_message(format!("{loss:.4}"));
                    }
                    if due && json {
                        output::json(
                            &json!({"event": "step", "step": step, "loss": loss, "learning_rate": learning_rate}),
                        );
                    }
                }
                Event::Pixels { kept, of } if json => {
                    output::json(&json!({"event": "pixels", "kept": kept, "of": of}));
                }
                Event::Pixels { kept, of } => bar.suspend(|| {
                    let left_out = of - kept;
                    output::line(format!(
                        "{left_out} of {of} pixels are nearly the same in all training images and left out; {kept} count"
                    ));
                }),
                Event::Reading | Event::Resumable(_) => {}
                Event::Tick(tick) if json => output::json(&record::tick(&tick)),
                Event::Tick(_) => {}
                Event::Epoch(summary) if json => output::json(&record::epoch(&summary)),
                Event::Epoch(summary) => bar.suspend(|| {
                    let validation = summary.validation.map_or_else(String::new, |v| {
                        format!(", validation {} (loss {:.4})", output::percent(v.confusion.accuracy()), v.loss)
                    });
                    output::line(format!(
                        "epoch {:>2}: training loss {:.4}{validation}, {:.1} s, {:.0} images/s",
                        summary.epoch, summary.train_loss, summary.seconds, summary.images_per_second
                    ));
                }),
            }
            if interrupted.load(Ordering::Relaxed) { ControlFlow::Break(Stop) } else { ControlFlow::Continue(None) }
        },
    )?;
    bar.finish_and_clear();
    report(&config, &result, json);
    Ok(match result.outcome.ending {
        Ending::Stopped => 130,
        Ending::Completed | Ending::EarlyStopped | Ending::Diverged(_) => 0,
    })
}

fn report(config: &TrainingConfig, result: &recorded_run::RecordedRun, json: bool) {
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
        Ending::EarlyStopped => format!("stopped early after {} epochs, no better for as long as its patience", outcome.epochs),
        Ending::Stopped => "stopped; the weights so far are kept".to_owned(),
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
fn interruption() -> Result<Arc<AtomicBool>> {
    let flag = Arc::new(AtomicBool::new(false));
    #[cfg(unix)]
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        signal_hook::flag::register_conditional_shutdown(signal, 130, Arc::clone(&flag))?;
        signal_hook::flag::register(signal, Arc::clone(&flag))?;
    }
    Ok(flag)
}
