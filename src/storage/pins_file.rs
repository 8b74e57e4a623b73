//! The file of pinned drawings: `{"version":1,"pins":[{"label":7,"drawing":{…}}]}`, written atomically. A damaged one is
//! kept under another name.

use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::settings::set_aside;
use super::{WriteError, write_atomically};
use crate::data::{DrawingJson, DrawingJsonError};
use crate::drawing::Drawing;

/// Written into the file; a higher number comes from a newer program and is left alone.
const VERSION: u32 = 1;
/// Ten pictures of the pad are far shorter.
const MOST_BYTES: u64 = 64 << 20;

/// A drawing that somebody wants to keep in view.
#[derive(Clone, Debug, PartialEq)]
pub struct PinnedDrawing {
    pub drawing: Drawing,
    /// The digit that the person says it is.
    pub label: Option<u8>,
}

/// The file, and whether it may be written.
pub struct PinsFile {
    path: PathBuf,
    may_write: bool,
}

#[derive(Serialize, Deserialize)]
struct Whole {
    version: u32,
    pins: Vec<Pinned>,
}

#[derive(Serialize, Deserialize)]
struct Pinned {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    label: Option<u8>,
    drawing: DrawingJson,
}

enum Unread {
    Absent,
    Newer(u32),
    Refused(std::io::Error),
    Corrupt(String),
}

impl PinsFile {
    /// Reads the pins; none where there is no file yet. What cannot be used is told in a sentence and never overwritten: a
    /// damaged file is kept under another name, that of a newer program stays as it is.
    pub fn open(path: &Path) -> (Self, Vec<PinnedDrawing>, Option<String>) {
        let file = |may_write| Self { path: path.to_path_buf(), may_write };
        match read(path) {
            Ok(pins) => (file(true), pins, None),
            Err(Unread::Absent) => (file(true), Vec::new(), None),
            Err(Unread::Newer(version)) => {
                let note = format!(
                    "The pinned drawings are those of a newer Digitpad (version {version}, this one knows {VERSION}); \
                     they are left alone, and what is pinned now is not kept: {}",
                    path.display()
                );
                (file(false), Vec::new(), Some(note))
            }
            Err(Unread::Refused(error)) => {
                let note = format!(
                    "The pinned drawings could not be read ({error}); what is pinned now is not kept: {}",
                    path.display()
                );
                (file(false), Vec::new(), Some(note))
            }
            Err(Unread::Corrupt(problem)) => {
                let (kept, may_write) = set_aside(path);
                let note = format!("The pinned drawings are damaged ({problem}). {kept}");
                (file(may_write), Vec::new(), Some(note))
            }
        }
    }

    /// Writes the pins in place of those that were there.
    ///
    /// # Errors
    /// [`WriteError`] when the folder cannot be made or the file not be written; what was there before is untouched then.
    pub fn save(&self, pins: &[PinnedDrawing]) -> Result<(), WriteError> {
        if !self.may_write {
            return Ok(());
        }
        let failed = |source| WriteError { path: self.path.clone(), source };
        let pinned = |pin: &PinnedDrawing| Pinned { label: pin.label, drawing: DrawingJson::from(&pin.drawing) };
        let whole = Whole { version: VERSION, pins: pins.iter().map(pinned).collect() };
        let text = serde_json::to_string(&whole).map_err(|error| failed(error.into()))?;
        if let Some(folder) = self.path.parent() {
            std::fs::create_dir_all(folder).map_err(failed)?;
        }
        write_atomically(&self.path, text.as_bytes())
    }
}

fn read(path: &Path) -> Result<Vec<PinnedDrawing>, Unread> {
    let refused = |error: std::io::Error| match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => Unread::Absent,
        _ => Unread::Refused(error),
    };
    if !std::fs::metadata(path).map_err(refused)?.is_file() {
        return Err(Unread::Refused(std::io::Error::other("this is no ordinary file")));
    }
    let mut bytes = Vec::new();
    std::fs::File::open(path).map_err(refused)?.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(refused)?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(Unread::Corrupt("far too long".to_owned()));
    }
    // the version first: what a newer program wrote need not fit our types
    let value: serde_json::Value =
        serde_json::from_slice(&bytes).map_err(|error| Unread::Corrupt(error.to_string()))?;
    if let Some(version) = value.get("version").and_then(serde_json::Value::as_u64)
        && version > u64::from(VERSION)
    {
        return Err(Unread::Newer(u32::try_from(version).unwrap_or(u32::MAX)));
    }
    let whole: Whole = serde_json::from_value(value).map_err(|error| Unread::Corrupt(error.to_string()))?;
    let pinned = |(number, pin): (usize, Pinned)| {
        if let Some(label) = pin.label.filter(|label| *label > 9) {
            return Err(Unread::Corrupt(format!("pin {number} has the label {label}, which is no digit")));
        }
        let drawing = pin.drawing.drawing().map_err(|error| match error {
            DrawingJsonError::Newer(version) => Unread::Newer(version),
            error => Unread::Corrupt(format!("pin {number}: {error}")),
        })?;
        Ok(PinnedDrawing { drawing, label: pin.label })
    };
    (1..).zip(whole.pins).map(pinned).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::drawing::{DEFAULT_PEN, DigitImage, Picture};

    fn two() -> Vec<PinnedDrawing> {
        let seven = Drawing::from_polylines(&[vec![[0.1, 0.1], [0.9, 0.1], [0.4, 0.9]]], DEFAULT_PEN).unwrap();
        let picture = Picture::from_digit(&DigitImage { pixels: std::array::from_fn(|i| (i % 256) as u8) });
        let picture = Drawing { picture: Some(Arc::new(picture)), strokes: seven.strokes.clone() };
        vec![PinnedDrawing { drawing: seven, label: Some(7) }, PinnedDrawing { drawing: picture, label: None }]
    }

    #[test]
    fn pins_are_there_again_as_they_were() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep").join("pins.json");
        let (file, none, note) = PinsFile::open(&path);
        assert!(none.is_empty() && note.is_none());
        file.save(&two()).unwrap();
        let (_, pins, note) = PinsFile::open(&path);
        assert_eq!((pins, note), (two(), None));
        file.save(&[]).unwrap();
        assert!(PinsFile::open(&path).1.is_empty());
    }

    #[test]
    fn a_damaged_file_is_kept_aside_and_a_newer_one_is_left_alone() {
        let stroke = |point: &str| {
            format!(r#"{{"version":1,"pins":[{{"drawing":{{"version":1,"strokes":[[{point}]],"widths":[0.1]}}}}]}}"#)
        };
        for (what, content) in [
            ("no JSON", "pins".to_owned()),
            ("cut short", r#"{"version":1,"pins":[{"#.to_owned()),
            ("no pins", r#"{"version":1}"#.to_owned()),
            ("no digit", r#"{"version":1,"pins":[{"label":10,"drawing":{"version":1,"strokes":[]}}]}"#.to_owned()),
            ("no place", stroke("[1e30,0.5,0,1]")),
            ("no drawing", r#"{"version":1,"pins":[{}]}"#.to_owned()),
            ("nested too deeply", "[".repeat(50_000)),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("pins.json");
            std::fs::write(&path, &content).unwrap();
            let (file, pins, note) = PinsFile::open(&path);
            assert!(pins.is_empty(), "{what}");
            assert!(note.is_some_and(|note| note.contains("pins.json.bad")), "{what}");
            assert_eq!(std::fs::read_to_string(folder.path().join("pins.json.bad")).unwrap(), content, "{what}");
            file.save(&two()).unwrap();
            assert_eq!(PinsFile::open(&path).1, two(), "{what}");
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pins.json");
        let newer = r#"{"version":2,"pins":"on the moon"}"#;
        std::fs::write(&path, newer).unwrap();
        let (file, _, note) = PinsFile::open(&path);
        assert!(note.is_some_and(|note| note.contains("newer Digitpad (version 2")));
        file.save(&two()).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), newer);
    }

    #[test]
    fn a_folder_in_the_place_of_the_file_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let (file, _, note) = PinsFile::open(folder.path());
        assert!(note.is_some_and(|note| note.contains("could not be read")));
        assert!(file.save(&two()).is_ok(), "nothing is written over what could not be read");
    }
}
