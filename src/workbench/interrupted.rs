//! Runs that were interrupted: found at the start, offered, and gone on with when somebody asks.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::changing::Beginning;
use super::trainer::TrainerEvent;
use super::{NoticeKind, Workbench, WorkerEvent};
use crate::models::{self, CLASSES};
use crate::storage::resumption::{self, Opened, Resumption};
use crate::storage::run_removal;

impl Workbench {
    /// Looks for the newest interrupted run, on a thread of its own, which first removes what was deleted before this start.
    pub(super) fn look_for_interrupted(&self) {
        let (runs, sender) = (self.options.runs.clone(), self.sender.clone());
        let wake = Arc::clone(&self.options.wake);
        // without a thread nothing is offered, and the command line still goes on with the run
        let _offered_without = std::thread::Builder::new().name("interrupted".to_owned()).spawn(move || {
            run_removal::remove_for_good(&runs);
            if let Some(run) = resumption::newest_interrupted(&runs) {
                let _gone = sender.send(WorkerEvent::Interrupted(Box::new(run)));
                wake(Duration::ZERO);
            }
        });
    }

    /// The newest run that was interrupted, until a training begins: its folder, and what it is in a sentence.
    pub fn interrupted_run(&self) -> Option<(&Path, String)> {
        let run = self.interrupted.as_ref().filter(|_| self.training.is_none())?;
        let title = models::find(&run.config.model).map_or(run.config.model.as_str(), |model| model.title);
        let sentence =
            format!("A training of {title} was interrupted after {} of {} epochs", run.epochs, run.config.epochs);
        Some((&run.path, sentence))
    }

    /// Goes on with the run that is offered, or with one of the list that can go on.
    pub(super) fn resume_run(&mut self, path: PathBuf) {
        match self.interrupted.take() {
            Some(run) if run.path == path => self.begin_training(run.config, None, Beginning::Resumed(path)),
            other => {
                self.interrupted = other;
                let listed = self.runs().find(&path).filter(|run| run.state.can_go_on());
                if let Some(config) = listed.and_then(|run| run.config.clone()) {
                    self.begin_training(config, None, Beginning::Resumed(path));
                    return;
                }
                let text = format!("This run is not known to be interrupted: {}", path.display());
                self.notify(NoticeKind::Problem, text);
            }
        }
    }
}

/// Takes up the run in this folder.
pub(super) fn take_up(path: &Path) -> Result<Resumption> {
    match resumption::open(path, None)? {
        Opened::Unfinished(resumption) => Ok(*resumption),
        Opened::Finished(_) => bail!("the run has come to its end: {}", path.display()),
    }
}

/// The changes and the epochs of before, as a training would have told them.
pub(super) fn told_before(resumption: &Resumption) -> Result<Vec<TrainerEvent>> {
    let mut events: Vec<_> = resumption.journal().iter().map(|change| TrainerEvent::Changed(*change)).collect();
    let mut seconds = 0.0;
    for line in resumption.history()?.iter().filter(|line| line["event"] != "change") {
        seconds += line["seconds"].as_f64().unwrap_or(0.0);
        events.push(epoch(line, seconds).context("the run's history cannot be read")?);
    }
    Ok(events)
}

fn epoch(line: &Value, seconds: f64) -> Option<TrainerEvent> {
    let numbers: Vec<f64> = line["f1"].as_array().into_iter().flatten().filter_map(Value::as_f64).collect();
    let f1: Option<[f64; CLASSES]> = numbers.try_into().ok();
    let (loss, accuracy) = (line["validation_loss"].as_f64(), line["validation_accuracy"].as_f64());
    Some(TrainerEvent::Epoch {
        epoch: u32::try_from(line["epoch"].as_u64()?).ok()?,
        step: line["step"].as_u64()?,
        seconds,
        validation: loss.zip(accuracy).zip(f1).map(|((loss, accuracy), f1)| (loss, accuracy, f1)),
        train_loss: line["train_loss"].as_f64()?,
        train_error: line["train_error"].as_f64()?,
        is_best: line["best"].as_bool()?,
        is_of_before: true,
        // not recorded; the next look tells them anew
        dead_units: Vec::new(),
    })
}
