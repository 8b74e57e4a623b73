//! The event file of a run, `events.out.tfevents.<seconds since 1970>.digitpad`, which TensorBoard reads.
//!
//! | tag | after | what |
//! |---|---|---|
//! | `loss/batch`, `error/batch`, `learning_rate` | some two thousand updates of a run | of that batch alone, as it was met |
//! | `loss/training`, `error/training` | every epoch | means over its batches |
//! | `loss/validation`, `accuracy/validation`, `f1/0` to `f1/9` | every epoch | of the validation images |
//! | `epoch` | every epoch | its number |
//! | `confusion_matrix` | some twenty epochs of a run | a picture: rows are true digits |
//! | `training_images` | update 0 | a picture of the first images, distorted as the network meets them |
//!
//! Steps are updates. A run that is taken up again gets a file that holds what was told up to there and nothing beyond it,
//! so that no reader sees a point twice; where something had to go, the file has a new name, and a TensorBoard that is
//! running reads it from its beginning. What the bytes mean is told in `message.rs`, how they are framed in `framing.rs`.

mod framing;
mod message;
mod pictures;

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};

use self::framing::{first_record, framed};
use self::message::Value;
use super::write_atomically;
use crate::drawing::PIXELS;
use crate::training::EpochSummary;

const BEGIN: &str = "events.out.tfevents.";
const END: &str = ".digitpad";
/// The tag by which epochs are told from updates when a file is taken up again.
const EPOCH: &str = "epoch";
/// So many points of a curve are more than a screen shows.
const POINTS: u64 = 2_000;
/// So many matrices of a run; TensorBoard itself shows ten of them.
const MATRICES: u32 = 20;

/// One update, as it is told.
#[derive(Clone, Copy, Debug)]
pub(super) struct Update {
    /// Updates so far, and those of the whole run.
    pub step: u64,
    pub updates: u64,
    pub loss: f64,
    /// Share of the batch that was read wrong.
    pub error: f64,
    pub learning_rate: f64,
}

/// The file while a run is written.
pub(super) struct EventFile {
    file: File,
    /// Bytes of whole records.
    length: u64,
    /// The last record may be there in part.
    is_torn: bool,
    /// Of the whole run.
    epochs: u32,
}

impl EventFile {
    /// A fresh file in the folder `run` of a run of so many epochs, in place of those that are there.
    ///
    /// # Errors
    /// Where it cannot be written, as all functions here.
    pub fn begin(run: &Path, epochs: u32) -> Result<Self> {
        Self::with(run, &framed(&message::version(now())), epochs)
    }

    /// The file of a run that goes on after `step` updates and `done` epochs: what it told of later ones will be told again.
    pub fn go_on(run: &Path, (step, done): (u64, u32), epochs: u32) -> Result<Self> {
        let Some(newest) = files(run)?.pop() else { return Self::begin(run, epochs) };
        let bytes = fs::read(&newest).with_context(|| format!("cannot be read: {}", newest.display()))?;
        let kept = rewound(&bytes, step, done);
        if kept == bytes {
            return Self::open(&newest, kept.len(), epochs);
        }
        Self::with(run, &kept, epochs)
    }

    /// A file of this content under a name of this second, and no other.
    fn with(run: &Path, content: &[u8], epochs: u32) -> Result<Self> {
        let path = run.join(format!("{BEGIN}{}{END}", now() as u64));
        let others = files(run)?;
        write_atomically(&path, content)?;
        for other in others.iter().filter(|other| **other != path) {
            fs::remove_file(other).with_context(|| format!("cannot be removed: {}", other.display()))?;
        }
        Self::open(&path, content.len(), epochs)
    }

    fn open(path: &Path, length: usize, epochs: u32) -> Result<Self> {
        let file = File::options().append(true).open(path);
        let file = file.with_context(|| format!("cannot be opened: {}", path.display()))?;
        Ok(Self { file, length: length as u64, is_torn: false, epochs })
    }

    /// The first images of the run, as the network meets them.
    pub fn training_images(&mut self, images: &[[u8; PIXELS]]) -> Result<()> {
        let picture = Value::Picture(pictures::row(images)?);
        self.tell(0, &[("training_images".to_owned(), picture)])
    }

    /// After every update; most are passed over.
    pub fn update(&mut self, update: &Update) -> Result<()> {
        let Update { step, updates, loss, error, learning_rate } = *update;
        if !step.is_multiple_of(updates.div_ceil(POINTS).max(1)) {
            return Ok(());
        }
        let values = [("loss/batch", loss), ("error/batch", error), ("learning_rate", learning_rate)];
        self.tell(step, &values.map(|(tag, value)| (tag.to_owned(), Value::Scalar(value))))
    }

    /// After every epoch.
    pub fn epoch(&mut self, summary: &EpochSummary<'_>) -> Result<()> {
        let mut values = vec![
            (EPOCH.to_owned(), f64::from(summary.epoch)),
            ("loss/training".to_owned(), summary.train_loss),
            ("error/training".to_owned(), summary.train_error),
        ];
        if let Some(validation) = summary.validation {
            values.push(("loss/validation".to_owned(), validation.loss));
            values.push(("accuracy/validation".to_owned(), validation.confusion.accuracy()));
            let f1 = validation.confusion.f1();
            values.extend(f1.iter().enumerate().map(|(digit, f1)| (format!("f1/{digit}"), *f1)));
        }
        let mut values: Vec<(String, Value)> =
            values.into_iter().map(|(tag, value)| (tag, Value::Scalar(value))).collect();
        let shows_matrix = summary.epoch.is_multiple_of(self.epochs.div_ceil(MATRICES)) || summary.epoch == self.epochs;
        if let Some(validation) = summary.validation.filter(|_| shows_matrix) {
            let picture = pictures::confusion(&validation.confusion.counts)?;
            values.push(("confusion_matrix".to_owned(), Value::Picture(picture)));
        }
        self.tell(summary.step, &values)
    }

    /// Makes durable what was told.
    pub fn sync(&self) -> Result<()> {
        self.file.sync_data().context("the event file cannot be made durable")
    }

    fn tell(&mut self, step: u64, values: &[(String, Value)]) -> Result<()> {
        let record = framed(&message::values(now(), step, values));
        let write = || -> std::io::Result<()> {
            // whatever follows a part of a record cannot be read
            if self.is_torn {
                self.file.set_len(self.length)?;
            }
            (&self.file).write_all(&record)
        };
        let written = write().context("the event file for TensorBoard cannot be written");
        self.is_torn = written.is_err();
        written?;
        self.length += record.len() as u64;
        Ok(())
    }
}

/// Seconds since 1970.
fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}

/// The event files in a run's folder, oldest first.
fn files(run: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(run).with_context(|| format!("cannot be read: {}", run.display()))?;
    let second = |path: PathBuf| {
        let name = path.file_name()?.to_str()?;
        let second: u64 = name.strip_prefix(BEGIN)?.strip_suffix(END)?.parse().ok()?;
        Some((second, path))
    };
    let mut files: Vec<(u64, PathBuf)> = entries.flatten().filter_map(|entry| second(entry.path())).collect();
    files.sort();
    Ok(files.into_iter().map(|(_, path)| path).collect())
}

/// The whole records of a file that tell of the first `step` updates and of the first `done` epochs. An epoch may have been
/// told after the update at which the run goes on.
fn rewound(bytes: &[u8], step: u64, done: u32) -> Vec<u8> {
    let (mut rest, mut kept) = (bytes, Vec::new());
    while let Some((record, after)) = first_record(rest) {
        let is_of_the_past = message::read(record).is_some_and(|event| {
            let epoch = event.scalars.iter().find(|(tag, _)| tag == EPOCH);
            event.step <= step && epoch.is_none_or(|(_, epoch)| *epoch <= done as f32)
        });
        if is_of_the_past {
            kept.extend_from_slice(&rest[..rest.len() - after.len()]);
        }
        rest = after;
    }
    kept
}

#[cfg(test)]
mod tests;
