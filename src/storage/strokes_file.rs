//! Recorded pen strokes: a JSON object a line, as other programs record them. What is made of them is not known here.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use anyhow::{Context, Result, anyhow, ensure};
use serde::Deserialize;
use serde_json::Value;

use crate::data::dataset::CLASSES;

/// One recorded drawing; further keys are ignored.
#[derive(Debug, Deserialize)]
pub struct RecordedDrawing {
    /// What the recorder calls it; null where it has no name.
    #[serde(default)]
    pub id: Value,
    /// The digit that was meant.
    #[serde(default)]
    pub label: Option<u8>,
    /// Points `[x, y]` of every stroke, y downwards, in any units.
    pub strokes: Vec<Vec<[f32; 2]>>,
}

/// The drawings of a file with the numbers of their lines, counted from 1; blank lines are passed over. A line that is
/// none is an error of its own, and the next ones are read all the same.
///
/// # Errors
/// When the file cannot be opened.
pub fn read(path: &Path) -> Result<impl Iterator<Item = (usize, Result<RecordedDrawing>)>> {
    ensure!(!path.is_dir(), "this is a folder, not a file of strokes: {}", path.display());
    let file =
        File::open(path).map_err(|error| anyhow!("these strokes cannot be read ({error}): {}", path.display()))?;
    let lines = BufReader::new(file).lines().enumerate();
    Ok(lines.filter_map(|(index, line)| {
        let drawing = match line {
            Ok(line) if line.trim().is_empty() => return None,
            Ok(line) => parse(&line),
            Err(error) => Err(error.into()),
        };
        Some((index + 1, drawing.context("no drawing")))
    }))
}

fn parse(line: &str) -> Result<RecordedDrawing> {
    let drawing: RecordedDrawing = serde_json::from_str(line)?;
    ensure!(drawing.label.is_none_or(|label| usize::from(label) < CLASSES), "its label is no digit from 0 to 9");
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
        assert_eq!((first.id.as_str(), first.label, first.strokes[0][1]), (Some("a"), Some(7), [2.0, 3.0]));
        assert!(drawings[1].1.is_err());
        assert!(drawings[2].1.as_ref().unwrap().id.is_null());
        assert!(format!("{:#}", drawings[3].1.as_ref().unwrap_err()).contains("no digit"));
        assert!(read(folder.path()).is_err());
    }
}
