//! The thread that writes the checkpoints and the moments of a run: the training itself only copies. The one thread outside the workbench: a
//! run is written the same way without a window.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;

use anyhow::{Context, Result};

use super::checkpoint_files::{self, RunFacts};
use super::checkpoint_folder::CheckpointFolder;
use super::files::{Disk, Files};
use super::moments::{self, Moment, MomentsFolder};
use crate::training::{Checkpoint, TrainingConfig};

/// Writes the newest checkpoint that it was given. Dropping it waits until that is written.
pub(super) struct CheckpointWriter {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    desk: Mutex<Desk>,
    changed: Condvar,
}

#[derive(Default)]
struct Desk {
    next: Option<Checkpoint>,
    /// In order; of those that are not being written yet no more wait than are kept.
    moments: Vec<Moment>,
    /// Why the last one that was tried could not be written.
    problem: Option<String>,
    is_closing: bool,
}

/// What is written where.
struct Writing {
    config: TrainingConfig,
    run: RunFacts,
    folder: CheckpointFolder,
    moments: MomentsFolder,
    path: PathBuf,
    disk: Box<dyn Files>,
}

impl CheckpointWriter {
    /// For the run in the folder `run`, in which the checkpoint at `found` has been read, where one was.
    pub fn start(run: &Path, found: Option<&Path>, config: &TrainingConfig, facts: RunFacts) -> Result<Self> {
        let writing = Writing {
            config: config.clone(),
            run: facts,
            folder: CheckpointFolder::new(run, found),
            moments: MomentsFolder::open(run),
            path: run.to_owned(),
            disk: Box::new(Disk),
        };
        let shared = Arc::new(Shared::default());
        let desk = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("checkpoints".to_owned()).spawn(move || write(writing, &desk));
        let thread = Some(thread.context("no thread can be started to write checkpoints")?);
        Ok(Self { shared, thread })
    }

    /// Takes the place of one that is not being written yet.
    pub fn hand_over(&self, checkpoint: Checkpoint) {
        self.desk(|desk| desk.next = Some(checkpoint));
    }

    /// As the others, to be looked back at.
    pub fn hand_over_moment(&self, moment: Moment) {
        self.desk(|desk| {
            let bytes = moment.weights.entries.iter().map(|entry| 4 * entry.values.len()).sum();
            moments::insert(&mut desk.moments, moment, |moment| &moment.facts);
            moments::thin(&mut desk.moments, moments::most(bytes), |moment| &moment.facts);
        });
    }

    /// Why the last one that was tried could not be written, once.
    pub fn take_problem(&self) -> Option<String> {
        self.desk(|desk| desk.problem.take())
    }

    /// Waits until everything is written; why the last one could not be.
    pub fn finish(mut self) -> Option<String> {
        self.close();
        self.take_problem()
    }

    fn close(&mut self) {
        self.desk(|desk| desk.is_closing = true);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            let text = "The last checkpoint could not be written: its thread failed".to_owned();
            self.desk(|desk| desk.problem = Some(text));
        }
    }

    fn desk<T>(&self, act: impl FnOnce(&mut Desk) -> T) -> T {
        let result = act(&mut self.shared.desk.lock().unwrap_or_else(PoisonError::into_inner));
        self.shared.changed.notify_all();
        result
    }
}

impl Drop for CheckpointWriter {
    fn drop(&mut self) {
        self.close();
    }
}

fn write(mut writing: Writing, shared: &Shared) {
    loop {
        let mut desk = shared.desk.lock().unwrap_or_else(PoisonError::into_inner);
        while desk.next.is_none() && desk.moments.is_empty() && !desk.is_closing {
            desk = shared.changed.wait(desk).unwrap_or_else(PoisonError::into_inner);
        }
        let (checkpoint, moments) = (desk.next.take(), std::mem::take(&mut desk.moments));
        if checkpoint.is_none() && moments.is_empty() {
            return;
        }
        drop(desk);
        let tried = checkpoint.is_some();
        let problem = checkpoint.and_then(|checkpoint| writing.write(&checkpoint).err()).map(|error| {
            format!(
                "The run goes on, but its checkpoint could not be written ({error:#}); the one before is untouched and the \
                 next will be tried: {}",
                writing.path.display()
            )
        });
        let lost = moments.iter().find_map(|moment| writing.write_moment(moment).err()).map(|error| {
            format!(
                "The run goes on, but a moment of it could not be kept ({error:#}); it cannot be looked back at: {}",
                writing.path.display()
            )
        });
        let problem = problem.or(lost);
        // what is wrong with a checkpoint is told until another one is tried
        if tried || problem.is_some() {
            shared.desk.lock().unwrap_or_else(PoisonError::into_inner).problem = problem;
        }
    }
}

impl Writing {
    fn write(&mut self, checkpoint: &Checkpoint) -> Result<()> {
        let files = checkpoint_files::encode(checkpoint, &self.config, &self.run)?;
        Ok(self.folder.save(&mut *self.disk, checkpoint.position.step, &files)?)
    }

    fn write_moment(&mut self, moment: &Moment) -> Result<()> {
        self.moments.save(moment, self.config.architecture()?)
    }
}
