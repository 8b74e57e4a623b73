//! Taking up a run where its newest whole checkpoint has left it. How it then goes on is told in `recorded_run.rs`.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::checkpoint_folder::{FoundCheckpoint, newest};
use super::journal;
use super::run_folder::RunFolder;
use crate::training::{LiveChange, Position, TrainingConfig};

/// A run that somebody wants to go on.
pub enum Opened {
    /// It has come to its end; its metrics.
    Finished(Value),
    /// It can go on, or begin again where it was interrupted before its first checkpoint.
    Unfinished(Box<Resumption>),
}

/// A run that was taken up: nobody else writes it.
pub struct Resumption {
    pub(super) folder: RunFolder,
    pub(super) found: Option<FoundCheckpoint>,
    pub(super) live: Vec<LiveChange>,
    /// A sentence for every newer checkpoint that is damaged.
    pub damaged: Vec<String>,
}

impl Resumption {
    /// The settings that the run goes on with.
    pub fn config(&self) -> &TrainingConfig {
        self.folder.config()
    }

    /// The run's folder.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Changes that were made while it went on.
    pub fn journal(&self) -> &[LiveChange] {
        &self.live
    }

    /// Where it goes on; `None` where it begins again.
    pub fn position(&self) -> Option<&Position> {
        self.found.as_ref().map(|found| &found.checkpoint.position)
    }

    /// The lines of its history up to there.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn history(&self) -> Result<Vec<Value>> {
        self.folder.history(self.position().map_or(0, |position| position.epochs))
    }

    /// In a sentence.
    pub fn describe(&self) -> String {
        match self.position() {
            Some(position) => format!(
                "Goes on after update {} ({} of {} epochs are done)",
                position.step,
                position.epochs,
                self.config().epochs
            ),
            None => "Begins again: it was interrupted before its first checkpoint".to_owned(),
        }
    }
}

/// Takes up the run in the folder `run`, so that it trains `epochs` in all, or as many as it was begun with. Nothing is changed
/// yet.
///
/// # Errors
/// Where another program writes the run, where its configuration or journal cannot be read, where checkpoints are there and none
/// can be used, where it diverged, or where its number of epochs cannot change.
pub fn open(run: &Path, epochs: Option<u32>) -> Result<Opened> {
    let mut folder = RunFolder::reopen(run)?;
    let metrics = fs::read(run.join("metrics.json")).ok();
    let metrics: Option<Value> = metrics.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let wanted = epochs.unwrap_or(folder.config().epochs);
    if let Some(metrics) = metrics {
        match metrics["ending"].as_str() {
            Some("completed") if metrics["epochs"].as_u64().is_none_or(|done| done >= u64::from(wanted)) => {
                return Ok(Opened::Finished(metrics));
            }
            Some("early-stopped") if epochs.is_some() => bail!(
                "the run stopped early after {} epochs, and more epochs would not change that; train anew with another \
                 [early_stopping]: {}",
                metrics["epochs"],
                run.display()
            ),
            Some("early-stopped") => return Ok(Opened::Finished(metrics)),
            Some("diverged") => bail!(
                "the run diverged after {} updates, and going on would lead there again; train anew with a lower \
                 learning rate: {}",
                metrics["updates"],
                run.display()
            ),
            _ => {}
        }
    }
    let (found, damaged) = newest(run, folder.config());
    if let (None, [first, ..]) = (&found, damaged.as_slice()) {
        bail!(
            "none of its checkpoints can be used, so it cannot go on: {first}. To begin anew, train it once more: \
             digitpad train {}, or Repeat in Runs",
            run.display()
        );
    }
    if let Some(found) = &found {
        allow_epochs(folder.config(), found, wanted).with_context(|| run.display().to_string())?;
    }
    folder.set_epochs(wanted)?;
    let live = journal::read(run)?;
    Ok(Opened::Unfinished(Box::new(Resumption { folder, found, live, damaged })))
}

/// A rate that stretches over a run has already been another one than it would have been in a longer run.
fn allow_epochs(config: &TrainingConfig, found: &FoundCheckpoint, wanted: u32) -> Result<()> {
    let (begun, position) = (found.run.epochs, &found.checkpoint.position);
    ensure!(
        wanted == begun || !config.rate_follows_epochs(),
        "the run was begun with {begun} epochs, its learning rate stretches over them, and {wanted} would have had other \
         rates from the start; begin a new run from its weights with digitpad train --from"
    );
    ensure!(wanted >= position.epochs, "the run has trained {} epochs already, more than {wanted}", position.epochs);
    Ok(())
}

/// A run that was stopped because the program ends counts as interrupted.
///
/// # Errors
/// Where its folder cannot be written.
pub fn leave_open(run: &Path) -> Result<()> {
    let metrics = run.join("metrics.json");
    fs::remove_file(&metrics).with_context(|| format!("cannot be removed: {}", metrics.display()))
}

/// A run that was neither ended nor is being written, and has a checkpoint.
pub struct InterruptedRun {
    /// Its folder.
    pub path: PathBuf,
    pub config: TrainingConfig,
    /// Finished epochs.
    pub epochs: u32,
}

/// The newest interrupted run in the folder of runs, if one of the last few is.
pub fn newest_interrupted(runs: &Path) -> Option<InterruptedRun> {
    let entries = fs::read_dir(runs).ok()?.flatten().map(|entry| entry.path());
    let is_deleted = |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
    let mut paths: Vec<(SystemTime, PathBuf)> = entries
        .filter(|path| !is_deleted(path))
        .filter(|path| !path.join("metrics.json").exists() && path.join("checkpoints").is_dir())
        .filter_map(|path| Some((fs::metadata(path.join("config.toml")).ok()?.modified().ok()?, path)))
        .collect();
    paths.sort();
    // whoever has left a hundred runs half-done is not waiting for the first of them
    paths.into_iter().rev().take(5).find_map(|(_, path)| match open(&path, None) {
        Ok(Opened::Unfinished(resumption)) => {
            let epochs = resumption.position()?.epochs;
            Some(InterruptedRun { config: resumption.config().clone(), epochs, path })
        }
        _ => None,
    })
}
