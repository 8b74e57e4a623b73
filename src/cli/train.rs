//! `digitpad train`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use clap::Args;

use super::training_output::{CheckpointArgs, TrainingOutput};
use super::{ComputeArgs, output};
use crate::data::{self, Beside, Corpus, Request};
use crate::optim::OptimizerConfig;
use crate::storage::places::runs_folder;
use crate::storage::recorded_run::{self, Recording};
use crate::storage::{config_file, journal, presets, run_folder, shipped};
use crate::training::{LiveChange, TrainingConfig, TrainingData};

#[derive(Args)]
pub struct TrainArgs {
    /// A model's id, for its recommended settings, another preset (ninety-nine), a configuration file, or a run (its folder or
    /// name), which is trained once more with the changes that were made while it went on
    #[arg(value_name = "PRESET | CONFIG.toml | RUN")]
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
    #[command(flatten)]
    checkpoints: CheckpointArgs,
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
    /// The preset, file or run, overridden by the flags, and the journal of the run.
    fn config(&self, runs: &Path) -> Result<(TrainingConfig, Vec<LiveChange>)> {
        let named = self.preset.as_deref().or(self.model.as_deref()).unwrap_or("lenet5");
        let mut live = Vec::new();
        let mut config = match presets::settings(named) {
            Some(config) => config?,
            None if self.preset.is_some()
                && let Some(run) = run_folder::find(runs, named) =>
            {
                live = journal::read(&run)?;
                config_file::read(&run.join("config.toml"))?
            }
            None if self.preset.is_some() && looks_like_a_file(named) => config_file::read(Path::new(named))?,
            None if let Some(without) = shipped::find(named) => without.config()?,
            None => {
                let known: Vec<&str> = presets::all().map(|preset| preset.id).collect();
                bail!(
                    "there is no preset, model, configuration file or run \"{named}\"; presets are {}",
                    known.join(", ")
                )
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
        Ok((config, live))
    }

    /// Whether the preset's digits were replaced by images of the user's own.
    fn names_other_images(&self, corpus: &Corpus) -> bool {
        let is_preset = self.preset.as_deref().is_none_or(|named| presets::settings(named).is_some());
        self.data.is_some() && is_preset && data::source(&corpus.source).is_none()
    }
}

/// Whether this means a file, there or not, rather than a preset that is spelt wrong.
fn looks_like_a_file(named: &str) -> bool {
    let path = Path::new(named);
    path.extension().is_some() || path.components().count() > 1 || path.exists()
}

pub fn run(args: &TrainArgs) -> Result<u8> {
    let runs =
        runs_folder(args.runs.as_deref()).context("this system names no folder for runs; name one with --runs")?;
    let (mut config, live) = args.config(&runs)?;
    let compute = args.compute.open()?;
    let corpus = read(&config)?;
    if args.names_other_images(&corpus) && config.beside != Beside::default() {
        output::note(&format!(
            "what {} learns beside MNIST is left out beside other images; a configuration with [beside] keeps it",
            config.model
        ));
        config.beside = Beside::default();
    }
    let data = TrainingData::split(&config, corpus)?;
    let recording = Recording {
        runs: &runs,
        name: args.name.as_deref().unwrap_or(&config.model),
        checkpoint_every: args.checkpoints.every(),
    };
    let mut output = TrainingOutput::new(args.json, &config, &data, &compute)?;
    let teller = output.teller();
    let result = recorded_run::repeat(
        (&config, &live),
        &data,
        &compute,
        recording,
        &mut |folder, start| teller.begun(folder, start, 0),
        &mut |warning| output::note(&warning),
        &mut |event, _| output.saw(&event),
    )?;
    Ok(output.end(&config, &result))
}

/// The images of a run, with what is to be known about them told.
pub(super) fn load(config: &TrainingConfig) -> Result<TrainingData> {
    Ok(TrainingData::split(config, read(config)?)?)
}

/// The data set that a configuration names, with what is to be known about it told.
fn read(config: &TrainingConfig) -> Result<Arc<Corpus>> {
    let corpus = Arc::new(data::load(&Request::parse(&config.data))?);
    for note in &corpus.notes {
        output::note(note);
    }
    Ok(corpus)
}
