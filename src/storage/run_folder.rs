//! A folder per run: `config.toml` first, a line of `history.jsonl` after every epoch and every change that was made live, `best.safetensors` and
//! `last.safetensors`, `metrics.json` at the end, and `LOCK`, held while the run is written. A run that
//! keeps its epochs has `epochs/001.safetensors` and so on, too. What going on later needs is in `checkpoints/`
//! (`checkpoint_folder.rs`), what was changed live in `journal.jsonl`,
//! the weights of moments to look back at in `moments/` (`moments.rs`).

use std::fs::{self, File, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context, Result, anyhow, bail};
use serde_json::{Value, json};

use super::runs::missing_epochs;
use super::weights_file::WeightsFile;
use super::{FineTuning, ablation, config_file, record, write_atomically};
use crate::inference::{Evaluation, Thresholds};
use crate::nn::Weights;
use crate::training::{EpochSummary, LiveChange, Outcome, TrainingConfig};

const HISTORY: &str = "history.jsonl";
/// Bytes of a run's name: with the time behind it, it stays below the 255 that file systems take.
const LONGEST_NAME: usize = 200;

/// A run that is being written.
pub struct RunFolder {
    path: PathBuf,
    config: TrainingConfig,
    history: File,
    /// Held while the run is written, so that others can tell a run under way from one that was interrupted.
    _lock: File,
}

impl RunFolder {
    /// Makes `<name>_YYYYMMDD_HHMMSS` (UTC) inside `runs` and writes the configuration there, before any training.
    pub fn create(runs: &Path, name: &str, config: &TrainingConfig) -> Result<Self> {
        let path = make(runs, name)?;
        write_atomically(&path.join("config.toml"), config.to_toml().as_bytes())?;
        let lock = File::create(path.join("LOCK"))?;
        // where a file system knows no locks the run goes on without
        let _unsupported = lock.try_lock();
        let history = Self::open_history(&path)?;
        Ok(Self { path, config: config.clone(), history, _lock: lock })
    }

    /// Takes up the run in this folder.
    ///
    /// # Errors
    /// Where its configuration cannot be read, or another program writes it.
    pub fn reopen(path: &Path) -> Result<Self> {
        let config = config_file::read(&path.join("config.toml"))?;
        let cannot = || format!("the run cannot be taken up: {}", path.display());
        let lock =
            File::options().create(true).write(true).truncate(false).open(path.join("LOCK")).with_context(cannot)?;
        if let Err(TryLockError::WouldBlock) = lock.try_lock() {
            bail!("another program is writing this run; wait until it has ended, or stop it there: {}", path.display());
        }
        let history = Self::open_history(path).with_context(cannot)?;
        Ok(Self { path: path.to_owned(), config, history, _lock: lock })
    }

    fn open_history(path: &Path) -> std::io::Result<File> {
        File::options().create(true).append(true).open(path.join(HISTORY))
    }

    /// The run is to train so many epochs in all.
    ///
    /// # Errors
    /// Where a run cannot have so many.
    pub(super) fn set_epochs(&mut self, epochs: u32) -> Result<()> {
        let config = TrainingConfig { epochs, ..self.config.clone() };
        config.validate()?;
        self.config = config;
        Ok(())
    }

    /// What of the first `epochs` its history does not tell: "epochs 8 to 13".
    ///
    /// # Errors
    /// Where it cannot be read.
    pub(super) fn missing_epochs(&self, epochs: u32) -> Result<Option<String>> {
        let lines = self.history(epochs)?;
        let told = lines.iter().filter(|line| line["event"] != "change").filter_map(|line| line["epoch"].as_u64());
        let told = told.filter_map(|epoch| u32::try_from(epoch).ok());
        Ok(missing_epochs(told.chain(std::iter::once(epochs + 1))))
    }

    /// Back to the end of epoch `epochs`: what history tells of later ones will be told again. Changes that were made live before
    /// the next epoch ends are told where the journal has them. The configuration is written anew, and the run is no longer one
    /// that has ended.
    pub(super) fn rewind(&mut self, epochs: u32, journal: &[LiveChange]) -> Result<()> {
        let toml = self.config.to_toml();
        let path = self.path.join("config.toml");
        if fs::read_to_string(&path).is_ok_and(|written| written != toml) {
            write_atomically(&path, toml.as_bytes())?;
        }
        let path = self.path.join(HISTORY);
        let history = fs::read_to_string(&path).with_context(|| format!("cannot be read: {}", path.display()))?;
        let changes = LiveChange::told(&self.config, journal);
        let changes_after = |epochs: u32| {
            let made_then = changes.iter().filter(move |(change, _)| change.epochs == epochs);
            made_then.map(|(change, words)| format!("{}\n", record::change(change, words))).collect::<String>()
        };
        let mut kept = changes_after(0);
        for line in history.lines() {
            let Some(told) = line_of(epochs, line).filter(|told| told["event"] != "change") else { continue };
            kept.push_str(line);
            kept.push('\n');
            kept.push_str(&changes_after(told["epoch"].as_u64().unwrap_or(0) as u32));
        }
        if kept != history {
            write_atomically(&path, kept.as_bytes())?;
            self.history = Self::open_history(&self.path)?;
        }
        match fs::remove_file(self.path.join("metrics.json")) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(error).with_context(|| format!("the run cannot be taken up: {}", self.path.display()))
            }
            _ => Ok(()),
        }
    }

    /// The lines of history up to the end of epoch `epochs`.
    pub(super) fn history(&self, epochs: u32) -> Result<Vec<Value>> {
        let path = self.path.join(HISTORY);
        let history = fs::read_to_string(&path).with_context(|| format!("cannot be read: {}", path.display()))?;
        Ok(history.lines().filter_map(|line| line_of(epochs, line)).collect())
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The settings that the run was begun with.
    pub fn config(&self) -> &TrainingConfig {
        &self.config
    }

    /// The folder's own name.
    pub fn name(&self) -> String {
        self.path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
    }

    /// One line of history, the last weights, and the best ones where this epoch is the best.
    pub fn epoch(&mut self, summary: &EpochSummary<'_>) -> Result<()> {
        let mut line = record::epoch(summary).to_string();
        line.push('\n');
        self.history.write_all(line.as_bytes()).context("the run's history cannot be written")?;
        self.history.sync_data().context("the run's history cannot be written")?;
        // chosen at the end of the run
        let thresholds = Thresholds::default();
        self.weights("last.safetensors", summary.weights, thresholds)?;
        if self.config.keep_epochs {
            let folder = self.path.join("epochs");
            fs::create_dir_all(&folder).context("the run's folder takes no folder for its epochs")?;
            self.weights(&format!("epochs/{:03}.safetensors", summary.epoch), summary.weights, thresholds)?;
        }
        if summary.is_best {
            self.weights("best.safetensors", summary.weights, thresholds)?;
        }
        Ok(())
    }

    /// A line of history.
    pub(super) fn changed(&mut self, change: &LiveChange, words: &str) -> Result<()> {
        let line = format!("{}\n", record::change(change, words));
        self.history.write_all(line.as_bytes()).context("the run's history cannot be written")
    }

    /// The last and the best weights, and `metrics.json`.
    pub fn finish(
        &mut self,
        outcome: &Outcome,
        device: &str,
        test: Option<&Evaluation>,
        fine_tuning: Option<&FineTuning>,
    ) -> Result<()> {
        self.weights("last.safetensors", &outcome.last_weights, outcome.thresholds)?;
        self.weights("best.safetensors", &outcome.best_weights, outcome.thresholds)?;
        let mut metrics = self.metrics(outcome, device, test);
        if let Some(fine_tuning) = fine_tuning {
            metrics["fine_tuning"] = json!(fine_tuning);
        }
        let metrics = serde_json::to_string_pretty(&metrics)?;
        write_atomically(&self.path.join("metrics.json"), metrics.as_bytes())?;
        Ok(())
    }

    fn metrics(&self, outcome: &Outcome, device: &str, test: Option<&Evaluation>) -> Value {
        json!({
            "run": self.name(),
            "model": self.config.model,
            "ending": outcome.ending.id(),
            "epochs": outcome.epochs,
            "updates": outcome.steps,
            "seconds": outcome.seconds,
            "device": device,
            "pixels_kept": outcome.pixels.map(|(kept, _)| kept),
            "best_epoch": outcome.best_epoch,
            "sure_above": outcome.thresholds.sure_above,
            "digit_above": outcome.thresholds.digit_above,
            "weights_sha256": outcome.best_weights.sha256(),
            "last_weights_sha256": outcome.last_weights.sha256(),
            "test": test.map(record::evaluation),
        })
    }

    fn weights(&self, file: &str, weights: &Weights, thresholds: Thresholds) -> Result<()> {
        let file_to_write =
            WeightsFile { architecture: self.config.architecture()?, thresholds, weights: weights.clone() };
        file_to_write.write(&self.path.join(file))
    }
}

/// Makes `<name>_YYYYMMDD_HHMMSS` (UTC) inside `runs`, and nothing in it.
pub(super) fn make(runs: &Path, name: &str) -> Result<PathBuf> {
    if name.is_empty() || name.starts_with('.') || name.chars().any(|c| c.is_control() || "/\\:*?\"<>|".contains(c)) {
        bail!("\"{name}\" cannot name a run: take letters, figures, dashes");
    }
    if name.len() > LONGEST_NAME {
        bail!("a name of {} letters is too long for a run: take at most {LONGEST_NAME}", name.len());
    }
    let refused = |error: std::io::Error| {
        anyhow!("no run can be kept in the runs folder ({error}); name another one with --runs: {}", runs.display())
    };
    fs::create_dir_all(runs).map_err(refused)?;
    let stamp = stamp(SystemTime::now());
    (1..1_000)
        .map(|n| if n == 1 { format!("{name}_{stamp}") } else { format!("{name}_{stamp}-{n}") })
        .map(|folder| runs.join(folder))
        .find_map(|path| match fs::create_dir(&path) {
            Ok(()) => Some(Ok(path)),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => None,
            Err(error) => Some(Err(error)),
        })
        .context("a thousand runs began in this second")?
        .map_err(refused)
}

/// A line of history, if it is whole and tells of one of the first `epochs`.
fn line_of(epochs: u32, line: &str) -> Option<Value> {
    let line: Value = serde_json::from_str(line).ok()?;
    line["epoch"].as_u64().is_some_and(|epoch| epoch <= u64::from(epochs)).then_some(line)
}

/// Whether a folder is a run, whole or not: it has a run's name, or a file that only runs have. Those of ablations are none;
/// they hold runs. What begins with a dot was deleted, and can come back.
pub(super) fn is_run(path: &Path) -> bool {
    let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let has_a_run = ["config.toml", HISTORY].iter().any(|file| path.join(file).exists());
    let is_ablation = path.join(ablation::PLAN).exists();
    !name.starts_with('.') && path.is_dir() && !is_ablation && (has_a_run || !stem_and_stamp(&name).1.is_empty())
}

/// `lenet5_20260101_120000-2` is `lenet5` and `20260101_120000-2`; other names have no stamp.
pub(super) fn stem_and_stamp(folder: &str) -> (&str, &str) {
    let Some((at, _)) = folder.match_indices('_').rev().nth(1) else { return (folder, "") };
    let stamp = &folder[at + 1..];
    let pattern = |(place, c): (usize, u8)| if place == 8 { c == b'_' } else { c.is_ascii_digit() };
    let is_stamp = stamp.len() >= 15 && stamp.bytes().take(15).enumerate().all(pattern);
    if is_stamp { (&folder[..at], stamp) } else { (folder, "") }
}

/// The folder of the run that `name` means: a folder, a run's full name, its name without the stamp (the newest), or `last`, the
/// newest of all. Folders without a stamp are older than all others; one that is damaged is meant by its full name alone.
pub fn find(runs: &Path, name: &str) -> Option<PathBuf> {
    let given = Path::new(name);
    if has_settings(given) {
        return Some(given.to_owned());
    }
    let own = runs.join(name);
    if given.components().count() == 1 && is_run(&own) {
        return Some(own);
    }
    find_all(runs, name).pop()
}

/// The whole runs among `runs` that have this name without their stamp, or all of them for `last`; the newest last.
pub(super) fn find_all(runs: &Path, name: &str) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(runs) else { return Vec::new() };
    let fitting = |path: PathBuf| {
        let (stem, stamp) = stem_and_stamp(path.file_name()?.to_str()?);
        let fits = name == "last" || name == stem;
        fits.then(|| (stamp.to_owned(), path.clone()))
    };
    let whole = entries.flatten().map(|entry| entry.path()).filter(|path| is_run(path) && has_settings(path));
    let mut found: Vec<(String, PathBuf)> = whole.filter_map(fitting).collect();
    found.sort();
    found.into_iter().map(|(_, path)| path).collect()
}

fn has_settings(path: &Path) -> bool {
    path.join("config.toml").is_file()
}

/// As [`find`].
///
/// # Errors
/// Where no run is meant, with where it was looked for.
pub fn find_or_say(runs: &Path, name: &str) -> Result<PathBuf> {
    find(runs, name).with_context(|| format!("there is no run \"{name}\" in the runs folder: {}", runs.display()))
}

/// `YYYYMMDD_HHMMSS` in UTC.
fn stamp(time: SystemTime) -> String {
    clock(time).replace(['-', ':'], "").replace(' ', "_")
}

/// `YYYY-MM-DD HH:MM:SS` in UTC.
pub(super) fn clock(time: SystemTime) -> String {
    let seconds = time.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let (year, month, day) = date(seconds / 86_400);
    let (hour, minute, second) = (seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
}

/// The civil date of a day counted from 1 January 1970.
fn date(mut days: u64) -> (u64, u64, u64) {
    let leap = |year: u64| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let mut year = 1970;
    while days >= if leap(year) { 366 } else { 365 } {
        days -= if leap(year) { 366 } else { 365 };
        year += 1;
    }
    let lengths = [31, if leap(year) { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut month = 1;
    for length in lengths {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    (year, month, days + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_are_dates() {
        assert_eq!(date(0), (1970, 1, 1));
        assert_eq!(date(19_782), (2024, 2, 29));
        assert_eq!(date(20_088), (2024, 12, 31));
        assert_eq!(date(20_089), (2025, 1, 1));
        let time = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_700_000_000);
        assert_eq!(stamp(time), "20231114_221320");
    }

    #[test]
    fn a_run_is_found_by_folder_by_name_and_as_the_last() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["first_try_20240101_000000", "first_try_20240102_000000", "other_20230101_000000"] {
            let path = folder.path().join(name);
            fs::create_dir(&path).unwrap();
            fs::write(path.join("config.toml"), "").unwrap();
        }
        let find = |name: &str| find(folder.path(), name).map(|path| path.file_name().unwrap().to_owned());
        assert_eq!(find("first_try").unwrap(), "first_try_20240102_000000");
        assert_eq!(find("first_try_20240101_000000").unwrap(), "first_try_20240101_000000");
        assert_eq!(find("last").unwrap(), "first_try_20240102_000000");
        assert_eq!(find("missing"), None);
        // copies and renamed folders have no stamp, and are none of the newest
        for name in ["first_try_backup_copy", "renamed"] {
            fs::create_dir(folder.path().join(name)).unwrap();
            fs::write(folder.path().join(name).join("config.toml"), "").unwrap();
        }
        fs::create_dir(folder.path().join("damaged_20250101_000000")).unwrap();
        assert_eq!(find("last").unwrap(), "first_try_20240102_000000");
        assert_eq!(find("renamed").unwrap(), "renamed");
        assert_eq!(find("first"), None);
        assert_eq!(find("damaged_20250101_000000").unwrap(), "damaged_20250101_000000");
        assert_eq!(find(".."), None);
    }

    #[test]
    fn names_that_could_leave_the_folder_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let config = crate::training::TrainingConfig::from_toml(
            "model = \"mlp\"\nepochs = 1\nbatch_size = 64\nlearning_rate = 0.001\n[optimizer]\nkind = \"adam\"\n",
        )
        .unwrap();
        for name in ["", "../x", "a/b", ".hidden", "a\nb"] {
            assert!(RunFolder::create(folder.path(), name, &config).is_err(), "{name:?}");
        }
        let first = RunFolder::create(folder.path(), "twice", &config).unwrap();
        let second = RunFolder::create(folder.path(), "twice", &config).unwrap();
        assert_ne!(first.path(), second.path(), "two runs of one second keep apart");
    }
}
