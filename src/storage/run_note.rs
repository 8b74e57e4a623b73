//! What a person says about a run, in a file of its own in the run's folder: `note.toml`. A run is renamed there, and not
//! by moving a folder that a training may be writing to.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};

use super::write_atomically;

const NAME: &str = "note.toml";
/// Letters of a title, and of a note.
const LONGEST_TITLE: usize = 120;
const LONGEST_NOTE: usize = 10_000;
const LARGEST_FILE: u64 = 1 << 20;

/// Name and note of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunNote {
    /// Empty where the run goes by its folder's name.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub title: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

/// The note in a run's folder; an empty one where there is none.
///
/// # Errors
/// Where the file cannot be read, or is none of ours.
pub fn read(run: &Path) -> Result<RunNote> {
    let path = run.join(NAME);
    let mut text = String::new();
    let length = match File::open(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(RunNote::default()),
        opened => opened.and_then(|file| file.take(LARGEST_FILE + 1).read_to_string(&mut text)),
    };
    let cannot = || format!("the run's name and note cannot be read: {}", path.display());
    ensure!(length.with_context(cannot)? as u64 <= LARGEST_FILE, cannot());
    toml::from_str(&text).map_err(|error| anyhow::anyhow!("{} ({})", cannot(), error.message()))
}

/// Writes name and note; of each only so much as a person reads.
///
/// # Errors
/// Where the folder is gone or takes no file.
pub fn write(run: &Path, note: &RunNote) -> Result<()> {
    let tidy = |text: &str, longest: usize| text.trim().chars().take(longest).collect::<String>();
    let title = tidy(&note.title, LONGEST_TITLE).replace(char::is_control, " ");
    let note = RunNote { title, note: tidy(&note.note, LONGEST_NOTE) };
    let path = run.join(NAME);
    if note == RunNote::default() {
        match fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("the run keeps its name: {}", path.display()));
            }
            _ => return Ok(()),
        }
    }
    Ok(write_atomically(&path, toml::to_string(&note)?.as_bytes())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_notes_are_kept_and_nothing_leaves_no_file() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(read(folder.path()).unwrap(), RunNote::default());
        let note = RunNote { title: "ü 日本 \"quoted\"".to_owned(), note: "two\nlines = 3".to_owned() };
        write(folder.path(), &note).unwrap();
        assert_eq!(read(folder.path()).unwrap(), note);
        write(folder.path(), &RunNote { title: " a\nb\u{7} ".to_owned(), note: String::new() }).unwrap();
        assert_eq!(read(folder.path()).unwrap().title, "a b ");
        write(folder.path(), &RunNote::default()).unwrap();
        assert!(!folder.path().join(NAME).exists());
        let long = RunNote { title: "x".repeat(5_000), note: String::new() };
        write(folder.path(), &long).unwrap();
        assert_eq!(read(folder.path()).unwrap().title.len(), LONGEST_TITLE);
    }

    #[test]
    fn what_is_no_note_is_told_with_its_path() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(NAME), "title = [").unwrap();
        let error = read(folder.path()).unwrap_err().to_string();
        assert!(error.contains("cannot be read") && error.contains(NAME), "{error}");
        assert!(write(&folder.path().join("gone"), &RunNote { title: "a".into(), note: String::new() }).is_err());
    }
}
