//! Ablations: what a setting is worth, found by trainings that differ in it alone. `plan.rs` tells what is compared,
//! `statistics.rs` what the seeds tell, `report.rs` what is written of it; `shipped.rs` has the plans inside the program.
//!
//! An ablation has a folder among the runs, `<plan>_YYYYMMDD_HHMMSS`, with `plan.toml`, an ordinary run
//! `<variant>-seed<k>_YYYYMMDD_HHMMSS` for every variant and seed, `results.json` with what was found so far, and `report.md`
//! once all are done. It goes on where it was left, in the middle of a run too.

mod plan;
mod report;
mod shipped;
mod statistics;

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use plan::{Plan, Variant};
pub use report::{Found, Results, Verdict, divergence, points};
pub use shipped::{PLANS, find as find_shipped};
pub use statistics::Estimate;

use super::recorded_run::{self, CHECKPOINT_EVERY, Recording};
use super::resumption::{self, Opened};
use super::weights_file::WeightsFile;
use super::{config_file, run_folder, shipped as shipped_weights, write_atomically};
use crate::data::{self, Corpus, Request};
use crate::inference::{TrainedModel, evaluate};
use crate::nn::Compute;
use crate::training::{Clock, Ending, Event, Stop, TrainingConfig, TrainingData};

pub(super) const PLAN: &str = "plan.toml";
const RESULTS: &str = "results.json";
const REPORT: &str = "report.md";
/// As runs tell their ending.
const DIVERGED: &str = "diverged";
/// A file larger than this is no plan, and no results of one.
const LARGEST_PLAN: u64 = 1 << 20;

/// The images by which variants are compared. Whatever chooses an epoch looks at validation images alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Split {
    Validation,
    Test,
}

/// Told while an ablation goes on, on the thread that runs it.
pub enum Told<'a> {
    /// A run begins or goes on: the `number`-th of so many.
    Run { variant: &'a Variant, seed: u32, number: usize, runs: usize },
    /// What that run tells.
    Event(Event<'a>),
    /// The run is done, now or before: the share of right answers, and whether it has diverged.
    Value { variant: &'a Variant, seed: u32, value: f64, diverged: bool },
    /// What could not be written, and what else one should know.
    Warning(String),
}

/// Who watches; breaking ends the ablation, which can go on later.
pub type Watch<'a> = &'a mut (dyn FnMut(Told<'_>) -> ControlFlow<Stop> + Send);

/// An ablation with its folder.
pub struct Ablation {
    pub plan: Plan,
    pub folder: PathBuf,
    /// Whether the folder was made for it just now.
    is_new: bool,
}

impl Ablation {
    /// A new one, in a folder of its own inside `runs`.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn create(plan: Plan, runs: &Path) -> Result<Self> {
        let folder = run_folder::make(runs, &plan.name)?;
        let ablation = Self { plan, folder, is_new: true };
        ablation.write_plan()?;
        Ok(ablation)
    }

    /// The one in this folder, with a plan that takes the place of the one there.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn go_on(plan: Plan, folder: &Path) -> Result<Self> {
        let ablation = Self { plan, folder: folder.to_owned(), is_new: false };
        ablation.write_plan()?;
        Ok(ablation)
    }

    /// The one in this folder, with another number of seeds where one is given.
    ///
    /// # Errors
    /// Where there is no plan that can be read.
    pub fn open(folder: &Path, seeds: Option<u32>) -> Result<Self> {
        Self::go_on(read_plan(&folder.join(PLAN))?.with_seeds(seeds)?, folder)
    }

    /// Whoever goes on may have another bet or more seeds.
    fn write_plan(&self) -> Result<()> {
        Ok(write_atomically(&self.folder.join(PLAN), self.plan.to_toml()?.as_bytes())?)
    }

    /// Trains what is not trained yet, seed after seed, so that a few seeds of all variants are there early; then judges and
    /// writes the report. `None` where `watch` has ended it.
    ///
    /// # Errors
    /// Images that are not there, a run that another program writes, or one that cannot be taken up again. Where nothing could
    /// begin in a new ablation's folder, it is gone.
    pub fn run(&self, split: Split, compute: &Arc<Compute>, watch: Watch<'_>) -> Result<Option<Results>> {
        let results = self.train_all(split, compute, watch);
        if results.is_err() && self.is_new {
            self.remove_without_runs();
        }
        results
    }

    /// Removes the folder if it holds the plan alone. What cannot be removed stays, and does no harm.
    fn remove_without_runs(&self) {
        let Ok(entries) = fs::read_dir(&self.folder) else { return };
        if entries.flatten().all(|entry| entry.file_name() == PLAN) {
            let _stays = fs::remove_file(self.folder.join(PLAN)).and_then(|()| fs::remove_dir(&self.folder));
        }
    }

    fn train_all(&self, split: Split, compute: &Arc<Compute>, watch: Watch<'_>) -> Result<Option<Results>> {
        for variant in &self.plan.variants {
            ensure!(
                split == Split::Test || variant.config.validation > 0,
                "\"{}\" keeps no validation images to be judged by; set validation in the plan's base",
                variant.name
            );
        }
        let mut results = Results::new(&self.plan, split);
        let mut corpora = Vec::new();
        let runs = self.plan.variants.len() * self.plan.seeds as usize;
        let mut number = 0;
        for seed in 1..=self.plan.seeds {
            for (place, variant) in self.plan.variants.iter().enumerate() {
                number += 1;
                let config = TrainingConfig { seed: u64::from(seed), ..variant.config.clone() };
                let data = TrainingData::split(&config, corpus(&mut corpora, &config.data)?)?;
                if watch(Told::Run { variant, seed, number, runs }).is_break() {
                    return Ok(None);
                }
                let name = variant.run_name(seed);
                let Some(run) = self.train(&name, &config, &data, compute, watch)? else { return Ok(None) };
                let value = judge(&run, &config, &data, split, compute)?;
                let metrics = metrics(&run);
                let diverged = metrics["ending"] == DIVERGED;
                results.add(place, value, diverged, metrics["seconds"].as_f64().unwrap_or(0.0));
                write_atomically(&self.folder.join(RESULTS), &serde_json::to_vec(&results)?)?;
                if watch(Told::Value { variant, seed, value, diverged }).is_break() {
                    return Ok(None);
                }
            }
        }
        write_atomically(&self.folder.join(REPORT), results.markdown(&self.plan)?.as_bytes())?;
        Ok(Some(results))
    }

    /// The newest run of this name that has these settings. The plan may have been changed since a run was trained: what has
    /// others stays where it is, and answers another question.
    fn find_run(&self, name: &str, config: &TrainingConfig) -> Option<PathBuf> {
        // as runs write it
        let wanted = config_file::with_whole_paths(&TrainingConfig::from_toml(&config.to_toml()).ok()?);
        let agrees = |run: &PathBuf| {
            let read = config_file::read(&run.join("config.toml"));
            read.is_ok_and(|own| {
                TrainingConfig { from: wanted.from.clone(), ..own.clone() } == wanted
                    && self.begins_alike(own.from.as_deref(), wanted.from.as_deref())
            })
        };
        run_folder::find_all(&self.folder, name).into_iter().rev().find(agrees)
    }

    /// Whether the weights that a run has started from, under their full name, are those that a plan asks for.
    fn begins_alike(&self, own: Option<&str>, wanted: Option<&str>) -> bool {
        match (own, wanted) {
            // whichever was the last when the run began
            (Some(_), Some("last")) => true,
            (Some(own), Some(wanted)) if own != wanted => {
                shipped_weights::find_weights(wanted, Some(&self.folder)).is_ok_and(|known| known.name == own)
            }
            _ => own == wanted,
        }
    }

    /// The folder of a finished run, trained now unless it is there. `None` where it was stopped.
    fn train(
        &self,
        name: &str,
        config: &TrainingConfig,
        data: &TrainingData,
        compute: &Arc<Compute>,
        watch: Watch<'_>,
    ) -> Result<Option<PathBuf>> {
        let recording = Recording { runs: &self.folder, name, checkpoint_every: CHECKPOINT_EVERY };
        let mut warnings = Vec::new();
        let (mut begun, mut warn) = (|_: &_, _: Option<&str>| (), |sentence| warnings.push(sentence));
        let mut observe = |event: Event<'_>, _: &mut Clock| match watch(Told::Event(event)) {
            ControlFlow::Continue(()) => ControlFlow::Continue(None),
            ControlFlow::Break(stop) => ControlFlow::Break(stop),
        };
        let found = self.find_run(name, config);
        if let Some(found) = found.as_ref().filter(|found| has_ended(found)) {
            return Ok(Some(found.clone()));
        }
        let run = match found {
            None => recorded_run::train(config, data, compute, recording, &mut begun, &mut warn, &mut observe)?,
            Some(found) => match resumption::open(&found, None)? {
                Opened::Finished(_) => return Ok(Some(found)),
                Opened::Unfinished(resumption) => {
                    recorded_run::resume(*resumption, data, compute, recording, &mut begun, &mut warn, &mut observe)?
                }
            },
        };
        let stopped = warnings.into_iter().any(|sentence| watch(Told::Warning(sentence)).is_break());
        Ok((run.outcome.ending != Ending::Stopped && !stopped).then_some(run.folder))
    }
}

/// Reads the plan at `path`, called as its file.
///
/// # Errors
/// With the place in the file where it cannot be understood.
pub fn read_plan(path: &Path) -> Result<Plan> {
    let name = path.file_stem().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let read = || -> Result<Plan> {
        ensure!(fs::metadata(path)?.len() <= LARGEST_PLAN, "more than 1 MB is no plan");
        Plan::from_toml(&fs::read_to_string(path)?, &name)
    };
    read().map_err(|error| anyhow::anyhow!("this plan cannot be used ({error:#}): {}", path.display()))
}

/// The folder of an ablation that `named` means: a folder, or the name of one among the runs.
pub fn find(runs: &Path, named: &str) -> Option<PathBuf> {
    [PathBuf::from(named), runs.join(named)].into_iter().find(|path| path.join(PLAN).is_file())
}

/// An ablation's folder.
pub struct FoundAblation {
    pub plan: Plan,
    pub folder: PathBuf,
    /// What was found so far.
    pub results: Option<Results>,
    /// Once all its runs are done.
    pub report: Option<String>,
}

/// The newest ablation of every plan among the runs; none where the folder cannot be read.
pub fn found_in(runs: &Path) -> Vec<FoundAblation> {
    let Ok(entries) = fs::read_dir(runs) else { return Vec::new() };
    let mut folders: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    // the names end in the time: the newest of a plan last
    folders.sort();
    let mut found: Vec<FoundAblation> = Vec::new();
    for folder in folders {
        let Ok(plan) = read_plan(&folder.join(PLAN)) else { continue };
        let report = fs::read_to_string(folder.join(REPORT)).ok();
        found.retain(|other| other.plan.name != plan.name);
        let results = read_results(&folder.join(RESULTS), &plan);
        found.push(FoundAblation { plan, folder, results, report });
    }
    found
}

/// What was found of this plan; `None` where that cannot be read, or is of another one: it is found again when the ablation goes
/// on.
fn read_results(path: &Path, plan: &Plan) -> Option<Results> {
    let is_small = fs::metadata(path).is_ok_and(|found| found.len() <= LARGEST_PLAN);
    let results: Results = serde_json::from_slice(&is_small.then(|| fs::read(path).ok())??).ok()?;
    results.are_of(plan).then_some(results)
}

/// Whether a file is a plan rather than the settings of one training; what is neither is not a plan.
pub fn is_plan(path: &Path) -> bool {
    let is_small = fs::metadata(path).is_ok_and(|found| found.len() <= LARGEST_PLAN);
    let table = || fs::read_to_string(path).ok()?.parse::<toml::Table>().ok();
    is_small && table().is_some_and(|table| table.contains_key("question") || table.contains_key("variants"))
}

fn corpus(known: &mut Vec<(String, Arc<Corpus>)>, source: &str) -> Result<Arc<Corpus>> {
    if let Some((_, corpus)) = known.iter().find(|(name, _)| name == source) {
        return Ok(Arc::clone(corpus));
    }
    let corpus = Arc::new(data::load(&Request::parse(source))?);
    known.push((source.to_owned(), Arc::clone(&corpus)));
    Ok(corpus)
}

/// The weights that the run stands for, on images that it has not learnt from.
fn judge(
    run: &Path,
    config: &TrainingConfig,
    data: &TrainingData,
    split: Split,
    compute: &Arc<Compute>,
) -> Result<f64> {
    let file = WeightsFile::read(&run.join("best.safetensors"))?;
    let model = TrainedModel::new(file.architecture, &file.weights, file.thresholds, Arc::clone(compute))?;
    let test: Vec<u32> = (0..data.corpus.test.len() as u32).collect();
    let (dataset, images) = match split {
        Split::Validation => (&data.corpus.train, &data.validation),
        Split::Test => (&data.corpus.test, &test),
    };
    ensure!(!images.is_empty(), "there are no images to judge by: {}", run.display());
    let found = evaluate(&model, Some(config.loss), dataset, images, |_| ControlFlow::Continue(()))?;
    Ok(found.context("an evaluation nobody stopped has ended early")?.confusion.accuracy())
}

fn metrics(run: &Path) -> Value {
    fs::read(run.join("metrics.json")).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
}

/// Whether nothing is left to train; what diverged is a result too.
fn has_ended(run: &Path) -> bool {
    metrics(run)["ending"].as_str().is_some_and(|ending| ending != Ending::Stopped.id())
}

#[cfg(test)]
mod tests;
