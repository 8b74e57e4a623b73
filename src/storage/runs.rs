//! All runs of a folder, read from what stands in their own folders, so that they can be listed and compared. A folder
//! that is damaged is listed with a sentence that says how. Nothing is written here; names and notes are in
//! `run_note.rs`, settings that differ in `run_settings.rs`.

use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

use super::run_folder::{is_run, stem_and_stamp};
use super::{config_file, run_note, run_settings};
use crate::inference::wilson_interval;
use crate::models::{self, CLASSES};
use crate::training::TrainingConfig;

/// A history or record larger than this is none: 10,000 epochs have some 12 MB.
const LARGEST_FILE: u64 = 256 << 20;

/// How a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RunState {
    /// A program writes it: its `LOCK` is held.
    Running,
    Completed,
    Stopped,
    EarlyStopped,
    Diverged,
    /// Nobody writes it, and it has not told its end.
    Interrupted,
    /// What is left of it cannot be gone on with.
    Failed,
}

impl RunState {
    /// As the command line writes it.
    pub fn id(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Completed => "completed",
            Self::Stopped => "stopped",
            Self::EarlyStopped => "early-stopped",
            Self::Diverged => "diverged",
            Self::Interrupted => "interrupted",
            Self::Failed => "failed",
        }
    }

    /// The state that an ending of a run leaves, by its name in files.
    fn of_ending(id: &str) -> Option<Self> {
        let states = [Self::Completed, Self::Stopped, Self::EarlyStopped, Self::Diverged];
        states.into_iter().find(|state| state.id() == id)
    }

    /// Whether a run can go on from here.
    pub fn can_go_on(self) -> bool {
        matches!(self, Self::Stopped | Self::Interrupted)
    }
}

/// A share of images read right, with its Wilson 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Accuracy {
    pub share: f64,
    pub interval: [f64; 2],
    pub images: u32,
}

/// The epoch that a run stands for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BestEpoch {
    pub epoch: u32,
    /// On validation images.
    pub accuracy: Accuracy,
    /// The digit with the lowest F1, and that F1.
    pub worst_digit: Option<(u8, f64)>,
}

/// An epoch of a run's history.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EpochRecord {
    pub epoch: u32,
    /// Updates so far.
    pub step: u64,
    /// Since the run's start, the ones before included.
    pub seconds: f64,
    pub train_loss: Option<f64>,
    pub validation_loss: Option<f64>,
    pub validation_accuracy: Option<f64>,
}

/// A run as it is listed.
#[derive(Clone, Debug)]
pub struct Run {
    pub path: PathBuf,
    /// What its folder's name begins with, before the stamp.
    pub name: String,
    /// The folder's stamp, `YYYYMMDD_HHMMSS` in UTC; empty where it has none.
    pub stamp: String,
    /// What the person calls it; empty for nothing else than its name.
    pub title: String,
    pub note: String,
    pub state: RunState,
    pub config: Option<TrainingConfig>,
    /// Every setting by its key, see [`run_settings::all`].
    pub settings: BTreeMap<String, String>,
    /// Numbers that training changes.
    pub parameters: Option<usize>,
    /// Finished ones, in order.
    pub history: Vec<EpochRecord>,
    /// `None` without validation images, or before the first epoch has ended.
    pub best: Option<BestEpoch>,
    /// On the test set, for the record of a finished run.
    pub test: Option<Accuracy>,
    pub seconds: f64,
    /// What is wrong with the folder, in sentences.
    pub problems: Vec<String>,
}

impl Run {
    /// Its title, or else the name of its folder without the stamp.
    pub fn shown_name(&self) -> &str {
        if self.title.is_empty() { &self.name } else { &self.title }
    }

    /// The folder's whole name.
    pub fn folder(&self) -> String {
        self.path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
    }

    /// Finished epochs.
    pub fn epochs(&self) -> u32 {
        self.history.last().map_or(0, |last| last.epoch)
    }

    /// Id of the model, empty where the configuration cannot be read.
    pub fn model(&self) -> &str {
        self.config.as_ref().map_or("", |config| &config.model)
    }
}

/// All runs in the folder `runs`, the newest first; `None` where `is_overtaken` has become true meanwhile. A folder that is
/// not there has none.
///
/// # Errors
/// Where the folder itself cannot be read.
pub fn read_all(runs: &Path, is_overtaken: &dyn Fn() -> bool) -> io::Result<Option<Vec<Run>>> {
    let entries = match fs::read_dir(runs) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Some(Vec::new())),
        Err(error) => return Err(error),
    };
    let mut found = Vec::new();
    for path in entries.flatten().map(|entry| entry.path()) {
        if is_overtaken() {
            return Ok(None);
        }
        if is_run(&path) {
            found.push(read(&path));
        }
    }
    found.sort_by(|a, b| b.stamp.cmp(&a.stamp).then_with(|| a.path.cmp(&b.path)));
    Ok(Some(found))
}

/// The run in this folder, with what is wrong with it.
pub fn read(path: &Path) -> Run {
    let mut problems = Vec::new();
    let config = config_file::read(&path.join("config.toml"));
    let config = config.map_err(|error| problems.push(in_a_sentence(&format!("{error:#}")))).ok();
    let lines = read_history(&path.join("history.jsonl"), &mut problems);
    let metrics = read_metrics(&path.join("metrics.json"), &mut problems);
    let note = run_note::read(path).unwrap_or_else(|error| {
        problems.push(in_a_sentence(&format!("{error:#}")));
        run_note::RunNote::default()
    });
    let ending = metrics.as_ref().and_then(|metrics| RunState::of_ending(metrics["ending"].as_str()?));
    let state = match (ending, &config) {
        (Some(ending), _) => ending,
        (None, _) if is_locked(path) => RunState::Running,
        (None, Some(_)) => RunState::Interrupted,
        (None, None) => RunState::Failed,
    };
    let history = history_of(&lines);
    let missing = missing_epochs(history.iter().map(|record| record.epoch));
    problems.extend(missing.map(|missing| format!("Its history has no line of {missing}: {}", path.display())));
    let seconds = metrics.as_ref().and_then(|metrics| metrics["seconds"].as_f64());
    let folder = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let (name, stamp) = stem_and_stamp(&folder);
    Run {
        path: path.to_owned(),
        name: name.to_owned(),
        stamp: stamp.to_owned(),
        title: note.title,
        note: note.note,
        state,
        settings: config.as_ref().map_or_else(BTreeMap::new, run_settings::all),
        parameters: config.as_ref().and_then(|config| models::find(&config.model)).map(|model| model.parameters),
        best: best_epoch(&lines, metrics.as_ref(), config.as_ref()),
        test: metrics.as_ref().and_then(|metrics| accuracy_of(&metrics["test"])),
        seconds: seconds.unwrap_or_else(|| history.last().map_or(0.0, |last| last.seconds)),
        history,
        config,
        problems,
    }
}

/// Another descriptor holds the lock, of this program or of another one. It is asked for together with others who only ask, so
/// that two who look at the same time do not take each other for writers.
fn is_locked(path: &Path) -> bool {
    let lock = File::open(path.join("LOCK"));
    lock.is_ok_and(|lock| matches!(lock.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

/// A line of history.
#[derive(Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
enum Told {
    Epoch(Box<Line>),
    /// Settings were changed while the run went on.
    Change {},
}

/// What is read of an epoch; keys are those of [`super::record::epoch`].
#[derive(Deserialize)]
struct Line {
    epoch: u32,
    step: u64,
    seconds: f64,
    #[serde(default)]
    train_loss: Option<f64>,
    #[serde(default)]
    validation_loss: Option<f64>,
    #[serde(default)]
    validation_accuracy: Option<f64>,
    #[serde(default)]
    f1: Option<[f64; CLASSES]>,
    #[serde(default)]
    confusion: Option<[[u32; CLASSES]; CLASSES]>,
    #[serde(default)]
    best: bool,
}

fn read_history(path: &Path, problems: &mut Vec<String>) -> Vec<Line> {
    let text = match read_text(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Vec::new(),
        Err(error) => {
            problems.push(format!("Its history cannot be read ({error}): {}", path.display()));
            return Vec::new();
        }
    };
    let all: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let told: Vec<Told> = all.iter().filter_map(|line| serde_json::from_str(line).ok()).collect();
    // a last line may be torn, or just being written
    let torn = usize::from(!text.is_empty() && !text.ends_with('\n'));
    let damaged = all.len() - told.len();
    if damaged > torn {
        problems.push(format!("{damaged} of {} lines of its history cannot be read: {}", all.len(), path.display()));
    }
    let epoch = |told| match told {
        Told::Epoch(line) => Some(*line),
        Told::Change {} => None,
    };
    told.into_iter().filter_map(epoch).collect()
}

fn read_metrics(path: &Path, problems: &mut Vec<String>) -> Option<Value> {
    let text = match read_text(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
        Err(error) => {
            problems.push(format!("Its record cannot be read ({error}): {}", path.display()));
            return None;
        }
    };
    let metrics = serde_json::from_str(&text);
    metrics.map_err(|error| problems.push(format!("Its record is damaged ({error}): {}", path.display()))).ok()
}

fn read_text(path: &Path) -> io::Result<String> {
    let mut bytes = Vec::new();
    File::open(path)?.take(LARGEST_FILE + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST_FILE {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "more than 256 MB is none"));
    }
    // a line that is no text is one that cannot be read, and no reason to lose the others
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// "epochs 8 to 13", where the numbers from 1 to the last have gaps: the first one.
pub(super) fn missing_epochs(told: impl Iterator<Item = u32>) -> Option<String> {
    let mut next = 1;
    for epoch in told {
        if epoch > next {
            let last = epoch - 1;
            return Some(if next == last { format!("epoch {next}") } else { format!("epochs {next} to {last}") });
        }
        next = epoch + 1;
    }
    None
}

fn history_of(lines: &[Line]) -> Vec<EpochRecord> {
    let mut seconds = 0.0;
    let record = |line: &Line| {
        seconds += line.seconds.max(0.0);
        EpochRecord {
            epoch: line.epoch,
            step: line.step,
            seconds,
            train_loss: line.train_loss,
            validation_loss: line.validation_loss,
            validation_accuracy: line.validation_accuracy,
        }
    };
    lines.iter().map(record).collect()
}

/// The epoch that the record names, or else the last one that was the best when it ended.
fn best_epoch(lines: &[Line], metrics: Option<&Value>, config: Option<&TrainingConfig>) -> Option<BestEpoch> {
    let named = metrics.and_then(|metrics| metrics["best_epoch"].as_u64());
    let line = lines.iter().rev().find(|line| match named {
        Some(epoch) => u64::from(line.epoch) == epoch,
        None => line.best,
    })?;
    let share = line.validation_accuracy?;
    let images = line.confusion.map(|counts| counts.iter().flatten().sum());
    let images = images.or_else(|| u32::try_from(config?.validation).ok())?;
    let correct = (share * f64::from(images)).round() as u32;
    let accuracy = Accuracy { share, interval: wilson_interval(correct.min(images), images), images };
    let worst = |f1: [f64; CLASSES]| (0u8..).zip(f1).min_by(|a, b| a.1.total_cmp(&b.1));
    Some(BestEpoch { epoch: line.epoch, accuracy, worst_digit: line.f1.and_then(worst) })
}

fn accuracy_of(evaluation: &Value) -> Option<Accuracy> {
    Some(Accuracy {
        share: evaluation["accuracy"].as_f64()?,
        interval: [evaluation["interval"][0].as_f64()?, evaluation["interval"][1].as_f64()?],
        images: u32::try_from(evaluation["images"].as_u64()?).ok()?,
    })
}

fn in_a_sentence(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests;
