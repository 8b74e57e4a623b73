//! A training that is written down as it goes: the same for the window and the command line.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Result;

use super::run_folder::RunFolder;
use super::{FineTuning, shipped};
use crate::inference::{Evaluation, TrainedModel, evaluate};
use crate::nn::Compute;
use crate::training::{self, Event, Observer, Outcome, TrainingConfig, TrainingData};

/// A finished run with its record.
pub struct RecordedRun {
    /// The run's folder.
    pub folder: PathBuf,
    pub outcome: Outcome,
    /// The best weights on the test set, for the record of a completed run; never used to choose
    /// anything.
    pub test: Option<Evaluation>,
    /// Before and after, of a completed run from other weights that holds drawings out.
    pub fine_tuning: Option<FineTuning>,
}

/// Runs [`training::run`] and writes its folder: the configuration before the first update, every epoch before
/// `observe` hears of it, and the metrics at the end.
///
/// The weights that the configuration starts from are looked for among shipped models and the runs in `runs`; the run's own
/// configuration names them so that they are found again (a run by its full name, not as the last one).
///
/// `begun` is told the folder, and in words what was copied from other weights. A record that cannot be written once the run goes on does not end it: `warn` is told, and
/// the next epoch tries again.
pub fn train(
    config: &TrainingConfig,
    data: &TrainingData,
    compute: &Arc<Compute>,
    (runs, name): (&Path, &str),
    begun: &mut dyn FnMut(&RunFolder, Option<&str>),
    warn: &mut (dyn FnMut(String) + Send),
    observe: Observer<'_>,
) -> Result<RecordedRun> {
    let mut config = config.clone();
    config.validate()?;
    let start = match &config.from {
        None => None,
        Some(from) => {
            let known = shipped::find_weights(from, Some(runs))?;
            config.from = Some(known.name);
            let plan = training::plan_transfer(&config, &known.file.weights)?;
            Some((known.file.weights, training::describe_transfer(&config, &plan)))
        }
    };
    let mut folder = RunFolder::create(runs, name, &config)?;
    begun(&folder, start.as_ref().map(|(_, words)| words.as_str()));
    let outcome = training::run(&config, data, compute, start.as_ref().map(|(weights, _)| weights), &mut |event| {
        if let Event::Epoch(summary) = &event
            && let Err(error) = folder.epoch(summary)
        {
            warn(format!("The run goes on, but epoch {} could not be written: {error:#}", summary.epoch));
        }
        observe(event)
    })?;
    let test = if data.corpus.test.is_empty() || !outcome.ending.is_finished() {
        None
    } else {
        let model =
            TrainedModel::new(config.architecture()?, &outcome.best_weights, outcome.thresholds, Arc::clone(compute))?;
        let all: Vec<u32> = (0..data.corpus.test.len() as u32).collect();
        evaluate(&model, Some(config.loss), &data.corpus.test, &all, |_| ControlFlow::Continue(()))?
    };
    let fine_tuning = match &start {
        Some((before, _)) if outcome.ending.is_finished() && config.beside.pens_hold_out_half => {
            // weights of another architecture gave some layers only: there is no network before
            let compared = FineTuning::of_run(&config, data, compute, [before, &outcome.best_weights]);
            compared.unwrap_or_else(|error| {
                warn(format!("The run is done, but it cannot be told what it was worth: {error:#}"));
                None
            })
        }
        _ => None,
    };
    if let Err(error) = folder.finish(&outcome, compute.device_id(), test.as_ref(), fine_tuning.as_ref()) {
        warn(format!("The run is done, but its record could not be written: {error:#}"));
    }
    Ok(RecordedRun { folder: folder.path().to_owned(), outcome, test, fine_tuning })
}
