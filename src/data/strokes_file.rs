//! Recorded pen strokes: a JSON object a line, as other programs record them. What is made of them is not known here.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use super::dataset::CLASSES;
use super::{DataError, DrawingJson};

/// A line longer than this is no drawing.
const LONGEST_LINE: u64 = 16 << 20;

/// One recorded drawing; further keys are ignored.
#[derive(Debug, Deserialize)]
pub struct RecordedDrawing {
    /// What the recorder calls it; null where it has no name.
    #[serde(default)]
    pub id: Value,
    /// Who wrote it, where the recorder knows.
    #[serde(default)]
    pub writer: Option<String>,
    /// The digit that was meant.
    #[serde(default)]
    pub label: Option<u8>,
    /// The strokes: points `[x, y]` in any units, or all that the pad knows of them.
    #[serde(flatten)]
    pub drawing: DrawingJson,
}

/// Why a line is no drawing.
#[derive(Debug, thiserror::Error)]
#[error("no drawing: {0}")]
pub struct NoDrawing(String);

/// The drawings of a file with the numbers of their lines, counted from 1; blank lines are passed over. A line that is
/// none is an error of its own, and the next ones are read all the same.
///
/// # Errors
/// When the file cannot be opened.
pub fn read(path: &Path) -> Result<impl Iterator<Item = (usize, Result<RecordedDrawing, NoDrawing>)>, DataError> {
    if path.is_dir() {
        let problem = "this is a folder, not a file of strokes".to_owned();
        return Err(DataError::Unsupported { problem, path: path.to_path_buf() });
    }
    let file = File::open(path).map_err(DataError::io("read these strokes", path))?;
    let mut reader = BufReader::new(file);
    let mut number = 0;
    let mut broken = false;
    Ok(std::iter::from_fn(move || {
        while !broken {
            number += 1;
            let mut line = Vec::new();
            let length = match (&mut reader).take(LONGEST_LINE + 1).read_until(b'\n', &mut line) {
                Ok(0) => return None,
                Ok(length) => length,
                Err(error) => {
                    // what cannot be read now cannot be read further on
                    broken = true;
                    return Some((number, Err(NoDrawing(format!("the rest of the file cannot be read ({error})")))));
                }
            };
            if length as u64 > LONGEST_LINE {
                broken = true;
                return Some((number, Err(NoDrawing(format!("the line has more than {LONGEST_LINE} bytes")))));
            }
            let drawing = match std::str::from_utf8(&line) {
                Ok(text) if text.trim().is_empty() => continue,
                Ok(text) => parse(text),
                Err(error) => Err(NoDrawing(error.to_string())),
            };
            return Some((number, drawing));
        }
        None
    }))
}

fn parse(line: &str) -> Result<RecordedDrawing, NoDrawing> {
    let drawing: RecordedDrawing = serde_json::from_str(line).map_err(|error| NoDrawing(error.to_string()))?;
    if drawing.label.is_some_and(|label| usize::from(label) >= CLASSES) {
        return Err(NoDrawing("its label is no digit from 0 to 9".to_owned()));
    }
    Ok(drawing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bad_lines_are_told_and_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("strokes.jsonl");
        let text = "{\"id\":\"a\",\"label\":7,\"strokes\":[[[0,1],[2,3]]],\"pen\":\"red\"}\n\nnonsense\n{\"strokes\":[]}\n\
                    {\"label\":10,\"strokes\":[]}\n";
        std::fs::write(&path, text).unwrap();
        let drawings: Vec<_> = read(&path).unwrap().collect();
        assert_eq!(drawings.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [1, 3, 4, 5]);
        let first = drawings[0].1.as_ref().unwrap();
        let drawing = first.drawing.drawing().unwrap();
        assert_eq!((first.id.as_str(), first.label, drawing.strokes[0].samples.len()), (Some("a"), Some(7), 2));
        assert!(drawings[1].1.is_err());
        assert!(drawings[2].1.as_ref().unwrap().id.is_null());
        assert!(format!("{:#}", drawings[3].1.as_ref().unwrap_err()).contains("no digit"));
        assert!(read(folder.path()).is_err());
    }
}
