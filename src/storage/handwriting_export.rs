//! Kept drawings in the forms that other programs read: strokes as JSON lines, images as MNIST's files, a folder of
//! pictures a digit; and drawings from such files of strokes.

use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use flate2::Compression;
use flate2::write::GzEncoder;

use super::handwriting::{Handwriting, KeptDrawing, MOST_DRAWINGS, write_new};
use super::picture_file;
use crate::data::{Dataset, idx, is_held_out};
use crate::drawing::{PIXELS, SIDE, digit_image};

/// Files beyond this size are refused.
const LARGEST_FILE: u64 = 512 << 20;

/// The form of an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ExportForm {
    /// Strokes with time and pressure, a JSON object a line: one file, read by `digitpad predict --strokes`.
    Strokes,
    /// Images and labels as MNIST's four files, compressed, in a folder: read by `--data DIR`. Every second drawing of
    /// each digit is in the test files, the others are in the training files.
    Idx,
    /// A folder a digit with a PNG file a drawing, 28×28, white on black as MNIST's images are.
    Pictures,
}

/// Writes the drawings; `path` is a file for strokes, a folder for the others. Answers a sentence about what was written.
///
/// # Errors
/// Where nothing could be written there, and where there are too few drawings for the form.
pub fn export(drawings: &[KeptDrawing], form: ExportForm, path: &Path) -> Result<String> {
    ensure!(!drawings.is_empty(), "no drawing is kept yet, so there is nothing to export");
    let written = match form {
        ExportForm::Strokes => export_strokes(drawings, path),
        ExportForm::Idx => export_idx(drawings, path),
        ExportForm::Pictures => export_pictures(drawings, path),
    };
    written.with_context(|| format!("the drawings could not be exported to {}", path.display()))?;
    let count = if drawings.len() == 1 { "1 drawing".to_owned() } else { format!("{} drawings", drawings.len()) };
    Ok(format!("Exported {count} to {}", path.display()))
}

fn export_strokes(drawings: &[KeptDrawing], path: &Path) -> Result<()> {
    Ok(Handwriting { drawings: drawings.to_vec(), damaged: Vec::new() }.write(path)?)
}

fn export_idx(drawings: &[KeptDrawing], folder: &Path) -> Result<()> {
    let labels: Vec<u8> = drawings.iter().map(|kept| kept.label).collect();
    let half = |wanted: bool| -> Result<Dataset> {
        let chosen = drawings.iter().zip(is_held_out(&labels)).filter(|(_, held_out)| *held_out == wanted);
        let (images, labels): (Vec<[u8; PIXELS]>, Vec<u8>) =
            chosen.map(|(kept, _)| (image_of(kept), kept.label)).unzip();
        ensure!(
            !labels.is_empty(),
            "MNIST's files hold images to learn from and images to judge on, which takes two drawings of a digit at \
             least: keep more"
        );
        Ok(Dataset::new("my handwriting", images.concat(), labels)?)
    };
    let (train, test) = (half(false)?, half(true)?);
    for (index, (name, kind)) in idx::FILES.into_iter().enumerate() {
        let part = if index < 2 { &train } else { &test };
        let bytes = match kind {
            idx::Kind::Images => idx::encode_images(part.images()),
            idx::Kind::Labels => idx::encode_labels(part.labels()),
        };
        let mut packed = GzEncoder::new(Vec::new(), Compression::best());
        packed.write_all(&bytes)?;
        write_new(&folder.join(format!("{name}.gz")), &packed.finish()?)?;
    }
    Ok(())
}

fn export_pictures(drawings: &[KeptDrawing], folder: &Path) -> Result<()> {
    for kept in drawings {
        let name: String =
            kept.id.chars().map(|c| if c.is_ascii_alphanumeric() || "-_".contains(c) { c } else { '_' }).collect();
        let digit = folder.join(kept.label.to_string());
        std::fs::create_dir_all(&digit).with_context(|| format!("{} cannot be made", digit.display()))?;
        picture_file::write_grey(&digit.join(format!("{name}.png")), SIDE, SIDE, &image_of(kept))?;
    }
    Ok(())
}

fn image_of(kept: &KeptDrawing) -> [u8; PIXELS] {
    digit_image(&kept.drawing).unwrap_or_default().pixels
}

/// What a file of strokes brought.
#[derive(Clone, Debug, PartialEq)]
pub struct Imported {
    pub drawings: Vec<KeptDrawing>,
    /// What was wrong with other lines, the first one by its number.
    pub note: Option<String>,
}

/// Reads the labelled drawings of a file of strokes, this program's or another's. Lines that are none are passed over and
/// told.
///
/// # Errors
/// Where the file cannot be read, or no line of it is a labelled drawing.
pub fn import(path: &Path) -> Result<Imported> {
    let metadata = std::fs::metadata(path).with_context(|| format!("there is no such file: {}", path.display()))?;
    ensure!(metadata.is_file(), "this is no file of strokes: {}", path.display());
    ensure!(metadata.len() <= LARGEST_FILE, "the file is far too long for strokes: {}", path.display());
    let bytes = std::fs::read(path).with_context(|| format!("these strokes cannot be read: {}", path.display()))?;
    let (mut drawings, mut problems) = (Vec::new(), Vec::new());
    for (number, line) in (1..).zip(bytes.split(|&byte| byte == b'\n')) {
        let read = match std::str::from_utf8(line) {
            Ok(text) if text.trim().is_empty() => continue,
            Ok(text) => KeptDrawing::from_line(text, ""),
            Err(error) => Err(error.to_string()),
        };
        match read {
            Ok(kept) => drawings.push(kept),
            Err(problem) => problems.push(format!("line {number}: {problem}")),
        }
    }
    let first = problems.first().cloned().unwrap_or_else(|| "the file is empty".to_owned());
    ensure!(!drawings.is_empty(), "no line is a labelled drawing ({first}): {}", path.display());
    ensure!(
        drawings.len() <= MOST_DRAWINGS,
        "the file has {} drawings, at most {MOST_DRAWINGS} are kept: {}",
        drawings.len(),
        path.display()
    );
    let note = (!problems.is_empty()).then(|| format!("{} lines were passed over ({first})", problems.len()));
    Ok(Imported { drawings, note })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Request, load, strokes_file};
    use crate::drawing::drawn_digit;
    use std::sync::Arc;

    fn drawings() -> Vec<KeptDrawing> {
        let one = |index: usize| {
            let label = (index % 3) as u8;
            let drawing = Arc::new(drawn_digit(label, 1, index as u64));
            KeptDrawing { id: format!("own-{index}"), label, writer: None, drawing }
        };
        (0..8).map(one).collect()
    }

    #[test]
    fn strokes_come_back_as_they_were_and_recorded_pens_are_read_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mine.jsonl");
        let sentence = export(&drawings(), ExportForm::Strokes, &path).unwrap();
        assert!(sentence.contains("8 drawings"), "{sentence}");
        assert_eq!(import(&path).unwrap(), Imported { drawings: drawings(), note: None });
        // the reader of `digitpad predict --strokes`
        for ((_, recorded), kept) in strokes_file::read(&path).unwrap().zip(drawings()) {
            let recorded = recorded.unwrap();
            assert_eq!((recorded.id.as_str(), recorded.label), (Some(kept.id.as_str()), Some(kept.label)));
            assert_eq!(recorded.drawing.drawing().unwrap(), *kept.drawing);
        }
    }

    #[test]
    fn images_and_labels_are_read_as_a_data_set() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("idx");
        export(&drawings(), ExportForm::Idx, &path).unwrap();
        let corpus = load(&Request::Path(path)).unwrap();
        // 0 1 2 | 0 1 2 | 0 1: the second of each digit judges
        assert_eq!(corpus.train.labels(), [0, 1, 2, 0, 1]);
        assert_eq!(corpus.test.labels(), [0, 1, 2]);
        let image = |index: usize| digit_image(&drawings()[index].drawing).unwrap().pixels;
        assert!(*corpus.train.image(3) == image(6) && *corpus.test.image(2) == image(5));
    }

    #[test]
    fn pictures_lie_in_a_folder_a_digit_and_open_as_the_same_image() {
        let folder = tempfile::tempdir().unwrap();
        let mut drawings = drawings();
        drawings[4].id = "../up".to_owned();
        export(&drawings, ExportForm::Pictures, folder.path()).unwrap();
        for (index, name) in [(2, "2/own-2.png"), (4, "1/___up.png")] {
            let picture = picture_file::read(&folder.path().join(name)).unwrap();
            assert_eq!(picture.ink, image_of(&drawings[index]), "{name}");
        }
    }

    #[test]
    fn what_cannot_be_exported_or_imported_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file.jsonl");
        let refused = |result: Result<String>, expected: &str| {
            let message = format!("{:#}", result.unwrap_err());
            assert!(message.contains(expected), "expected {expected:?} in {message:?}");
        };
        refused(export(&[], ExportForm::Strokes, &file), "no drawing is kept yet");
        refused(export(&drawings()[..2], ExportForm::Idx, folder.path()), "two drawings of a digit");
        std::fs::write(&file, "nonsense\n{\"strokes\":[[[1,2]]]}\n").unwrap();
        refused(export(&drawings(), ExportForm::Pictures, &file), "could not be exported");
        refused(import(&file).map(|_| String::new()), "no line is a labelled drawing (line 1");
        refused(import(&folder.path().join("missing")).map(|_| String::new()), "no such file");
        std::fs::write(&file, "nonsense\n{\"label\":4,\"strokes\":[[[1,2],[3,4]]]}\n").unwrap();
        let imported = import(&file).unwrap();
        assert_eq!(imported.drawings.len(), 1);
        assert!(imported.note.unwrap().contains("1 lines were passed over (line 1"));
    }
}
