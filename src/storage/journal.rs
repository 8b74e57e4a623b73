//! `journal.jsonl`: what was changed while a run went on, written before it acts, so that going on from an older checkpoint, or
//! running it once more, makes the same changes at the same updates.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use super::write_atomically;
use crate::training::LiveChange;

const NAME: &str = "journal.jsonl";

/// The journal of the run in this folder; empty where nothing was changed. A last line that was cut off while it was written
/// had not acted yet, and is left out.
///
/// # Errors
/// Where the file, or a line before the last, cannot be read.
pub fn read(run: &Path) -> Result<Vec<LiveChange>> {
    let path = run.join(NAME);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => {
            return Err(error).with_context(|| format!("the run's journal cannot be read: {}", path.display()));
        }
    };
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    let change = |(number, line): (usize, &str)| {
        serde_json::from_str(line)
            .with_context(|| format!("line {} of the run's journal cannot be read: {}", number + 1, path.display()))
    };
    whole.lines().enumerate().map(change).collect()
}

/// Adds a change, durably.
///
/// # Errors
/// Where it cannot be written.
pub(super) fn add(run: &Path, change: &LiveChange) -> Result<()> {
    let mut changes = read(run)?;
    changes.push(*change);
    write(run, &changes)
}

/// The journal of a run that makes these changes again, durably.
///
/// # Errors
/// Where it cannot be written.
pub(super) fn write(run: &Path, changes: &[LiveChange]) -> Result<()> {
    let path = run.join(NAME);
    let write = || -> Result<()> {
        let lines: Vec<String> = changes.iter().map(serde_json::to_string).collect::<Result<_, _>>()?;
        Ok(write_atomically(&path, (lines.join("\n") + "\n").as_bytes())?)
    };
    write().with_context(|| format!("the run's journal cannot be written: {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::training::LiveSettings;

    #[test]
    fn changes_are_read_as_they_were_added_and_a_torn_line_is_none() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(read(folder.path()).unwrap(), []);
        let change = |update| LiveChange { update, epochs: 1, set: LiveSettings::rate(0.1 / update as f64) };
        add(folder.path(), &change(3)).unwrap();
        add(folder.path(), &change(7)).unwrap();
        assert_eq!(read(folder.path()).unwrap(), [change(3), change(7)]);
        let path = folder.path().join(NAME);
        let torn = fs::read(&path).unwrap();
        fs::write(&path, &torn[..torn.len() - 5]).unwrap();
        assert_eq!(read(folder.path()).unwrap(), [change(3)]);
        add(folder.path(), &change(9)).unwrap();
        assert_eq!(read(folder.path()).unwrap(), [change(3), change(9)]);
        fs::write(&path, "nonsense\n{}\n").unwrap();
        assert!(read(folder.path()).unwrap_err().to_string().starts_with("line 1 of the run's journal"));
    }
}
