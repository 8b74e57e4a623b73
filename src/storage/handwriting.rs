//! The drawings that a person keeps with their labels: a file of JSON lines, read leniently and written whole. A line that
//! cannot be read stays in the file as it is.

use std::collections::HashSet;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{WriteError, write_atomically};
use crate::data::DrawingJson;
use crate::drawing::Drawing;

/// A kept drawing.
#[derive(Clone, Debug, PartialEq)]
pub struct KeptDrawing {
    /// Its name in files; no other of the file has it.
    pub id: String,
    /// The digit that was meant, 0 to 9.
    pub label: u8,
    /// Who wrote it, where a file it came from says so.
    pub writer: Option<String>,
    pub drawing: Arc<Drawing>,
}

/// A line of the file.
#[derive(Serialize, Deserialize)]
struct Line {
    #[serde(default)]
    id: Value,
    #[serde(default)]
    label: Option<u8>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    writer: Option<String>,
    #[serde(flatten)]
    drawing: DrawingJson,
}

impl KeptDrawing {
    /// The drawing as a line of JSON, without its end.
    pub fn to_line(&self) -> String {
        let line = Line {
            id: Value::from(self.id.as_str()),
            label: Some(self.label),
            writer: self.writer.clone(),
            drawing: DrawingJson::from(&*self.drawing),
        };
        serde_json::to_string(&line).unwrap_or_default()
    }

    /// Reads a line that [`KeptDrawing::to_line`] or another program wrote; one without a name is called `name`.
    ///
    /// # Errors
    /// What is wrong with the line, without its number.
    pub fn from_line(text: &str, name: &str) -> Result<Self, String> {
        let line: Line = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let label = match line.label {
            Some(label) if label < 10 => label,
            Some(label) => return Err(format!("its label {label} is no digit from 0 to 9")),
            None => return Err("it has no label; add \"label\" with the digit that it is".to_owned()),
        };
        let drawing = line.drawing.drawing().map_err(|error| error.to_string())?;
        if drawing.is_empty() {
            return Err("it has no ink".to_owned());
        }
        let id = match line.id {
            Value::Null => name.to_owned(),
            Value::String(id) => id,
            other => other.to_string(),
        };
        Ok(Self { id, label, writer: line.writer, drawing: Arc::new(drawing) })
    }
}

/// Kept drawings with the lines of their file that could not be read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Handwriting {
    /// In the order in which they were kept.
    pub drawings: Vec<KeptDrawing>,
    /// Lines that hold no drawing, as they are; they stay in the file, after the others.
    pub damaged: Vec<String>,
}

/// More drawings than this are not kept: the file is written anew with every change.
pub const MOST_DRAWINGS: usize = 20_000;
/// A longer file is none of ours.
const MOST_BYTES: u64 = 512 << 20;

impl Handwriting {
    /// Reads the file; none at all is an empty one. The second value is a sentence about what could not be read.
    ///
    /// # Errors
    /// Where the file is there and cannot be read at all: it must not be written over then.
    pub fn read(path: &Path) -> std::io::Result<(Self, Option<String>)> {
        let bytes = match std::fs::metadata(path) {
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Vec::new(),
            Err(error) => return Err(error),
            Ok(metadata) if !metadata.is_file() => return Err(std::io::Error::other("this is no ordinary file")),
            Ok(metadata) if metadata.len() > MOST_BYTES => return Err(std::io::Error::other("it is far too long")),
            Ok(_) => std::fs::read(path)?,
        };
        let (handwriting, problems) = Self::parse(&bytes);
        let note = problems.first().map(|(line, problem)| {
            let others = problems.len() - 1;
            let more = if others == 0 { String::new() } else { format!(" and {others} more") };
            format!(
                "Line {line}{more} of the kept drawings cannot be read ({problem}); it stays in the file, the others are \
                 here: {}",
                path.display()
            )
        });
        Ok((handwriting, note))
    }

    /// The drawings in these lines, and what is wrong with the others by their numbers from 1 on.
    fn parse(bytes: &[u8]) -> (Self, Vec<(usize, String)>) {
        let mut handwriting = Self::default();
        let (mut found, mut problems) = (Vec::new(), Vec::new());
        for (number, line) in (1..).zip(bytes.split(|&byte| byte == b'\n')) {
            let text = String::from_utf8_lossy(line);
            if text.trim().is_empty() {
                continue;
            }
            let name = format!("line {number}");
            let read = match std::str::from_utf8(line) {
                Ok(text) => KeptDrawing::from_line(text, &name),
                Err(error) => Err(error.to_string()),
            };
            match read {
                Ok(kept) if found.len() < MOST_DRAWINGS => found.push(kept),
                Ok(_) => {
                    problems.push((number, format!("only {MOST_DRAWINGS} drawings are kept")));
                    handwriting.damaged.push(text.into_owned());
                }
                Err(problem) => {
                    problems.push((number, problem));
                    handwriting.damaged.push(text.into_owned());
                }
            }
        }
        handwriting.add(found);
        (handwriting, problems)
    }

    /// Adds drawings, each under a name that no other has: its own one where that is free, else "own-12".
    pub fn add(&mut self, drawings: Vec<KeptDrawing>) {
        let number = |kept: &KeptDrawing| kept.id.strip_prefix("own-")?.parse::<u64>().ok();
        let mut last = self.drawings.iter().chain(&drawings).filter_map(number).max().unwrap_or(0);
        let mut taken: HashSet<String> = self.drawings.iter().map(|kept| kept.id.clone()).collect();
        for mut kept in drawings {
            if kept.id.is_empty() || taken.contains(&kept.id) {
                last = last.saturating_add(1);
                kept.id = format!("own-{last}");
            }
            taken.insert(kept.id.clone());
            self.drawings.push(kept);
        }
    }

    /// The whole file.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        for line in self.drawings.iter().map(KeptDrawing::to_line).chain(self.damaged.iter().cloned()) {
            text.push_str(line.trim_end_matches(['\n', '\r']));
            text.push('\n');
        }
        text
    }

    /// Writes the file anew, wholly or not at all; makes its folder.
    ///
    /// # Errors
    /// [`WriteError`] with the path; what was there before is untouched.
    pub fn write(&self, path: &Path) -> Result<(), WriteError> {
        write_new(path, self.to_text().as_bytes())
    }

    /// Writes these drawings beside the file of all, under a name made of their content, for a run to learn from: the run
    /// can then be repeated whatever is kept later.
    ///
    /// # Errors
    /// [`WriteError`] with the path.
    pub fn write_snapshot(drawings: &[KeptDrawing], folder: &Path) -> Result<PathBuf, WriteError> {
        use sha2::Digest;
        let snapshot = Self { drawings: drawings.to_vec(), damaged: Vec::new() };
        let text = snapshot.to_text();
        let hash = sha2::Sha256::digest(text.as_bytes());
        let name: String = hash.iter().take(6).map(|byte| format!("{byte:02x}")).collect();
        let path = folder.join("learnt-from").join(format!("{name}.jsonl"));
        write_new(&path, text.as_bytes())?;
        Ok(path)
    }
}

/// Writes a file atomically into a folder that may not be there yet.
pub(super) fn write_new(path: &Path, bytes: &[u8]) -> Result<(), WriteError> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(|source| WriteError { path: path.to_path_buf(), source })?;
    }
    write_atomically(path, bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drawing::drawn_digit;

    fn kept(label: u8, index: u64) -> KeptDrawing {
        let drawing = Arc::new(drawn_digit(label, 1, index));
        KeptDrawing { id: String::new(), label, writer: None, drawing }
    }

    #[test]
    fn what_is_kept_is_there_the_next_day_under_names_of_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep").join("handwriting.jsonl");
        assert_eq!(Handwriting::read(&path).unwrap(), (Handwriting::default(), None));
        let mut handwriting = Handwriting::default();
        handwriting.add([7, 3, 7].map(|label| kept(label, label.into())).to_vec());
        handwriting.drawings.remove(0);
        handwriting.add(vec![KeptDrawing { id: "own-2".to_owned(), writer: Some("ü".to_owned()), ..kept(1, 0) }]);
        handwriting.write(&path).unwrap();
        let (again, note) = Handwriting::read(&path).unwrap();
        assert_eq!((&again, note), (&handwriting, None));
        let ids: Vec<&str> = again.drawings.iter().map(|kept| kept.id.as_str()).collect();
        assert_eq!(ids, ["own-2", "own-3", "own-4"]);
    }

    #[test]
    fn damaged_lines_are_told_by_number_and_stay_in_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("handwriting.jsonl");
        let good = kept(4, 0).to_line();
        let cut = &good[..good.len() / 2];
        let foreign = "{\"id\":12,\"label\":9,\"strokes\":[[[5,5],[7,90]]]}";
        let bytes = [
            good.as_bytes(),
            b"\n",
            cut.as_bytes(),
            b"\n\n",
            foreign.as_bytes(),
            b"\n{\"label\":10,\"strokes\":[[[1,2]]]}\n\xff\xfe\n{\"strokes\":[[[1,2]]]}\n{\"label\":1,\"strokes\":[]}",
        ]
        .concat();
        std::fs::write(&path, &bytes).unwrap();
        let (handwriting, note) = Handwriting::read(&path).unwrap();
        assert_eq!(handwriting.drawings.iter().map(|kept| kept.label).collect::<Vec<_>>(), [4, 9]);
        assert_eq!(handwriting.drawings[1].id, "12");
        assert_eq!(handwriting.damaged.len(), 5);
        let note = note.unwrap();
        assert!(note.contains("Line 2 and 4 more") && note.contains("handwriting.jsonl"), "{note}");
        handwriting.write(&path).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(cut) && text.contains("\"label\":10"), "{text}");
        assert_eq!(Handwriting::read(&path).unwrap().0, handwriting);
    }

    #[test]
    fn what_is_no_file_is_refused_and_not_written_over() {
        let folder = tempfile::tempdir().unwrap();
        assert!(Handwriting::read(folder.path()).is_err());
    }

    #[test]
    fn a_snapshot_is_the_same_file_for_the_same_drawings() {
        let folder = tempfile::tempdir().unwrap();
        let first = Handwriting::write_snapshot(&[kept(1, 0)], folder.path()).unwrap();
        assert_eq!(Handwriting::write_snapshot(&[kept(1, 0)], folder.path()).unwrap(), first);
        assert_ne!(Handwriting::write_snapshot(&[kept(1, 1)], folder.path()).unwrap(), first);
    }
}
