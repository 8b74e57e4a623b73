//! The checkpoints of a run: `checkpoints/<updates>/`, each written aside and then named, so that a folder of that name is
//! whole or damaged by others, and at least two are kept. What stands in them is told in `checkpoint_files.rs`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::checkpoint_files::{self, RunFacts};
use super::files::Files;
use crate::training::{Checkpoint, TrainingConfig};

/// So many are kept: one that is lost by a fault of the disk leaves another.
const KEPT: usize = 2;

/// The folder while a run is written.
pub(super) struct CheckpointFolder {
    path: PathBuf,
    /// Those known to be whole, oldest first.
    kept: Vec<PathBuf>,
}

impl CheckpointFolder {
    /// In the folder of a run, in which `found` has been read, where one was.
    pub fn new(run: &Path, found: Option<&Path>) -> Self {
        Self { path: run.join("checkpoints"), kept: found.into_iter().map(Path::to_path_buf).collect() }
    }

    /// Writes files into a folder of their own, makes them durable, and only then gives it its name; then the oldest is
    /// removed.
    ///
    /// # Errors
    /// What the disk said. What was kept before is untouched then, and nothing is left behind if that can be.
    pub fn save(&mut self, disk: &mut dyn Files, step: u64, files: &[(&'static str, Vec<u8>)]) -> io::Result<()> {
        disk.create_folder(&self.path)?;
        let aside = self.path.join(format!(".tmp-{step}-{}", std::process::id()));
        let named = self.write_aside(disk, &aside, files).and_then(|()| {
            let named = self.free_name(step);
            disk.rename(&aside, &named)?;
            Ok(named)
        });
        let named = named.inspect_err(|_| {
            let _what_cannot_be_removed_is_removed_by_the_next = disk.remove_folder(&aside);
        })?;
        self.kept.push(named);
        disk.sync_folder(&self.path)?;
        self.prune(disk);
        Ok(())
    }

    fn write_aside(&self, disk: &mut dyn Files, aside: &Path, files: &[(&'static str, Vec<u8>)]) -> io::Result<()> {
        disk.create_folder(aside)?;
        for (name, bytes) in files {
            let path = aside.join(name);
            disk.write(&path, bytes)?;
            disk.sync(&path)?;
        }
        disk.sync_folder(aside)
    }

    /// `1200`, or `1200-2` beside another one of the same update, which may be the only one.
    fn free_name(&self, step: u64) -> PathBuf {
        let first = self.path.join(step.to_string());
        let others = (2u32..).map(|n| self.path.join(format!("{step}-{n}")));
        std::iter::once(first.clone()).chain(others).find(|path| !path.exists()).unwrap_or(first)
    }

    /// Leaves the newest two that are known to be whole, and nothing else. What cannot be removed now is tried again later.
    fn prune(&mut self, disk: &mut dyn Files) {
        let surplus = self.kept.len().saturating_sub(KEPT);
        self.kept.drain(..surplus);
        if self.kept.len() < KEPT {
            return;
        }
        let Ok(entries) = fs::read_dir(&self.path) else { return };
        for path in entries.flatten().map(|entry| entry.path()).filter(|path| !self.kept.contains(path)) {
            let _tried_again = disk.remove_folder(&path);
        }
    }
}

/// A checkpoint that was read and found whole.
pub struct FoundCheckpoint {
    pub path: PathBuf,
    pub checkpoint: Checkpoint,
    /// Of the run that made it.
    pub run: RunFacts,
}

/// The newest whole checkpoint of the run in `run`, and a sentence for every newer one that is damaged.
pub fn newest(run: &Path, config: &TrainingConfig) -> (Option<FoundCheckpoint>, Vec<String>) {
    let number = |path: &Path| -> Option<(u64, u32)> {
        let name = path.file_name()?.to_str()?;
        match name.split_once('-') {
            None => Some((name.parse().ok()?, 1)),
            Some((step, again)) => Some((step.parse().ok()?, again.parse().ok()?)),
        }
    };
    let entries = fs::read_dir(run.join("checkpoints")).into_iter().flatten().flatten();
    let mut paths: Vec<((u64, u32), PathBuf)> =
        entries.map(|entry| entry.path()).filter_map(|path| Some((number(&path)?, path))).collect();
    paths.sort();
    let mut damaged = Vec::new();
    for (_, path) in paths.into_iter().rev() {
        match checkpoint_files::decode(&path, config) {
            Ok((checkpoint, run)) => return (Some(FoundCheckpoint { path, checkpoint, run }), damaged),
            Err(error) => damaged.push(format!("A checkpoint cannot be used ({error:#}): {}", path.display())),
        }
    }
    (None, damaged)
}

#[cfg(test)]
mod tests;
