//! A training that is written down as it goes: the same for the window and the command line.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;

use super::checkpoint_files::RunFacts;
use super::checkpoint_writer::CheckpointWriter;
pub use super::recorder::CHECKPOINT_EVERY;
use super::recorder::{Recorder, Warn};
use super::resumption::Resumption;
use super::run_folder::RunFolder;
use super::run_records::{RunRecords, logging};
use super::{FineTuning, config_file, moments, shipped};
use crate::inference::{Evaluation, TrainedModel, evaluate};
use crate::nn::{Compute, Weights};
use crate::training::{self, Clock, Event, LiveChange, Observer, Origin, Outcome, TrainingConfig, TrainingData};

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

/// Where a run is written, and how often what going on needs.
#[derive(Clone, Copy)]
pub struct Recording<'a> {
    /// The folder of the runs.
    pub runs: &'a Path,
    /// Begins the name of a new run's folder.
    pub name: &'a str,
    /// At least this long between two checkpoints; usually [`CHECKPOINT_EVERY`].
    pub checkpoint_every: Duration,
}

/// Told the folder of a run before its first update, and in words what it starts from, where that is not nothing.
pub type Begun<'a> = &'a mut dyn FnMut(&RunFolder, Option<&str>);

/// Runs [`training::run`] and writes its folder: the configuration before the first update, every epoch before
/// `observe` hears of it, changes before they act, checkpoints on a thread of their own, and the metrics at the end.
///
/// The weights that the configuration starts from are looked for among shipped models and the runs in `runs`; the run's own
/// configuration names them so that they are found again (a run by its full name, not as the last one).
///
/// A record that cannot be written once the run goes on does not end it: `warn` is told, and the next time tries again.
pub fn train(
    config: &TrainingConfig,
    data: &TrainingData,
    compute: &Arc<Compute>,
    recording: Recording<'_>,
    begun: Begun<'_>,
    warn: Warn<'_>,
    observe: Observer<'_>,
) -> Result<RecordedRun> {
    repeat((config, &[]), data, compute, recording, begun, warn, observe)
}

/// As [`train`], with a journal: the changes that were made live in another run are made again at the same updates, so that the
/// same configuration gives the same bits as that run.
pub fn repeat(
    (config, journal): (&TrainingConfig, &[LiveChange]),
    data: &TrainingData,
    compute: &Arc<Compute>,
    recording: Recording<'_>,
    begun: Begun<'_>,
    warn: Warn<'_>,
    observe: Observer<'_>,
) -> Result<RecordedRun> {
    let mut config = config_file::with_whole_paths(config);
    config.validate()?;
    let start = match &config.from {
        None => None,
        Some(from) => {
            let known = shipped::find_weights(from, Some(recording.runs))?;
            config.from = Some(known.name);
            let plan = training::plan_transfer(&config, &known.file.weights)?;
            Some((known.file.weights, training::describe_transfer(&config, &plan)))
        }
    };
    let mut folder = RunFolder::create(recording.runs, recording.name, &config)?;
    if !journal.is_empty() {
        super::journal::write(folder.path(), journal)?;
        folder.rewind(0, journal)?;
    }
    begun(&folder, start.as_ref().map(|(_, words)| words.as_str()));
    let facts = RunFacts::of(&config, data, compute);
    let checkpoints = CheckpointWriter::start(folder.path(), None, &config, facts)?;
    let words = start.as_ref().map(|(_, words)| words.as_str());
    let records = RunRecords::begin(&folder, (data, compute), (None, words), warn);
    let recorder = Recorder::new((folder, records), checkpoints, recording.checkpoint_every, None, journal);
    let before = start.as_ref().map(|(weights, _)| weights);
    let run = Run { config: &config, data, compute, recorder, before };
    run.drive(Origin::Start(before), journal, warn, observe)
}

/// Goes on with a run that was taken up, as if it had never been left: the same weights to the last bit, with the same program
/// on the same kind of processor, and a history without gap or repeat. Live changes made after the checkpoint are made again.
///
/// # Errors
/// Other images than those of before, and those of [`train`].
pub fn resume(
    resumption: Resumption,
    data: &TrainingData,
    compute: &Arc<Compute>,
    recording: Recording<'_>,
    begun: Begun<'_>,
    warn: Warn<'_>,
    observe: Observer<'_>,
) -> Result<RecordedRun> {
    let words = resumption.describe();
    let Resumption { mut folder, found, live, damaged } = resumption;
    damaged.into_iter().for_each(&mut *warn);
    let config = folder.config().clone();
    let facts = RunFacts::of(&config, data, compute);
    if let Some(found) = &found {
        found.run.refuse_other_data(&facts)?;
        found.run.differences(&facts).into_iter().for_each(&mut *warn);
    }
    // the weights that it once started from: to begin again, or to compare with at the end
    let before = match &config.from {
        Some(from) if found.is_none() || config.beside.pens_hold_out_half => {
            match shipped::find_weights(from, Some(recording.runs)) {
                Ok(known) => Some(known.file.weights),
                Err(error) if found.is_none() => return Err(error),
                Err(error) => {
                    warn(format!("It cannot be told what the run will have been worth: {error:#}"));
                    None
                }
            }
        }
        _ => None,
    };
    let position = found.as_ref().map(|found| &found.checkpoint.position);
    folder.rewind(position.map_or(0, |position| position.epochs), &live)?;
    moments::rewind(folder.path(), position.map_or(0, |position| position.step));
    begun(&folder, Some(&words));
    if let Some(missing) = folder.missing_epochs(position.map_or(0, |position| position.epochs))? {
        warn(format!("The run goes on, but its history has lost {missing}: {}", folder.path().display()));
    }
    let path = found.as_ref().map(|found| found.path.as_path());
    let checkpoints = CheckpointWriter::start(folder.path(), path, &config, facts)?;
    let records = RunRecords::begin(&folder, (data, compute), (position, Some(&words)), warn);
    let recorder = Recorder::new((folder, records), checkpoints, recording.checkpoint_every, position, &live);
    let run = Run { config: &config, data, compute, recorder, before: before.as_ref() };
    let origin = match &found {
        Some(found) => Origin::Checkpoint(&found.checkpoint),
        None => Origin::Start(before.as_ref()),
    };
    run.drive(origin, &live, warn, observe)
}

/// A run that is about to go on.
struct Run<'a> {
    config: &'a TrainingConfig,
    data: &'a TrainingData,
    compute: &'a Arc<Compute>,
    recorder: Recorder,
    /// What it started from, if not from fresh parameters.
    before: Option<&'a Weights>,
}

impl Run<'_> {
    fn drive(
        self,
        origin: Origin<'_>,
        live: &[LiveChange],
        warn: Warn<'_>,
        observe: Observer<'_>,
    ) -> Result<RecordedRun> {
        let Self { config, data, compute, mut recorder, before } = self;
        let log = recorder.records.log.clone();
        let warn = &mut logging(&log, warn);
        let mut watch = |event: Event<'_>, clock: &mut Clock| recorder.saw((event, clock), warn, observe);
        let mut outcome = training::begin(config, data, compute, origin, (live, &mut watch))?;
        recorder.write_last(outcome.checkpoint.take());
        let test = if data.corpus.test.is_empty() || !outcome.ending.is_finished() {
            None
        } else {
            let architecture = config.architecture()?;
            let model =
                TrainedModel::new(architecture, &outcome.best_weights, outcome.thresholds, Arc::clone(compute))?;
            let all: Vec<u32> = (0..data.corpus.test.len() as u32).collect();
            evaluate(&model, Some(config.loss), &data.corpus.test, &all, |_| ControlFlow::Continue(()))?
        };
        let fine_tuning = match before {
            Some(before) if outcome.ending.is_finished() && config.beside.pens_hold_out_half => {
                // weights of another architecture gave some layers only: there is no network before
                let compared = FineTuning::of_run(config, data, compute, [before, &outcome.best_weights]);
                compared.unwrap_or_else(|error| {
                    warn(format!("The run is done, but it cannot be told what it was worth: {error:#}"));
                    None
                })
            }
            _ => None,
        };
        recorder.records.ended(&outcome, test.as_ref());
        let mut folder = recorder.finish(warn);
        if let Err(error) = folder.finish(&outcome, compute.device_id(), test.as_ref(), fine_tuning.as_ref()) {
            warn(format!("The run is done, but its record could not be written: {error:#}"));
        }
        Ok(RecordedRun { folder: folder.path().to_owned(), outcome, test, fine_tuning })
    }
}
