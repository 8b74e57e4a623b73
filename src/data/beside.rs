//! Images that train beside those of a data set: recorded pens, drawn digits, and drawn things that are no digits.

use std::path::{Path, PathBuf};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::load::{DATA_VARIABLE, data_folder};
use super::{DataError, strokes_file};
use crate::drawing::{Drawing, PIXELS, digit_image, drawn_image, stranger_image};

/// The label of an image that shows no digit.
pub const NO_DIGIT: u8 = u8::MAX;

/// Images that train beside those of the data set; none by default.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Beside {
    /// A file of recorded pens with labels, one JSON object a line, or its name in the folder `strokes` of the data folder.
    /// They are made into images as the pad does it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pens: Option<String>,
    /// Writers of that file whom nothing is learnt from, because the network is judged on them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub without_writers: Vec<String>,
    /// How often each of these drawings is met in an epoch, so that a few of one's own count beside thousands; 0 and 1 are
    /// both once.
    #[serde(skip_serializing_if = "is_once")]
    pub pens_times: usize,
    /// Whether every second drawing of each digit, in the order of the file, is held out: nothing is learnt from it, and it
    /// judges before and after.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub pens_hold_out_half: bool,
    /// So many drawn digits.
    pub drawn: usize,
    /// So many drawn letters, signs and scribbles, which no digit is to be read in.
    pub strangers: usize,
}

/// What is once anyway need not be said.
fn is_once(times: &usize) -> bool {
    *times <= 1
}

/// Images with labels of digits or [`NO_DIGIT`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ImagesBeside {
    pub images: Vec<[u8; PIXELS]>,
    pub labels: Vec<u8>,
}

impl ImagesBeside {
    fn add(&mut self, images: impl IndexedParallelIterator<Item = ([u8; PIXELS], u8)>) {
        let (images, labels): (Vec<_>, Vec<_>) = images.unzip();
        self.images.extend(images);
        self.labels.extend(labels);
    }
}

impl Beside {
    /// # Errors
    /// A sentence on the first amount that cannot be.
    pub fn validate(&self) -> Result<(), String> {
        const MOST: usize = 1_000_000;
        const MOST_TIMES: usize = 1_000;
        for (name, amount) in [("drawn", self.drawn), ("strangers", self.strangers)] {
            if amount > MOST {
                return Err(format!("{name} images beside the data set are at most {MOST}, got {amount}"));
            }
        }
        if self.pens_times > MOST_TIMES {
            return Err(format!(
                "pens_times, how often each drawing is met, is at most {MOST_TIMES}, got {}",
                self.pens_times
            ));
        }
        if self.pens.is_none() && (self.pens_times > 1 || self.pens_hold_out_half) {
            return Err(
                "pens_times and pens_hold_out_half speak of a file of pens, but none is named: set pens".to_owned()
            );
        }
        if self.pens.is_none() && !self.without_writers.is_empty() {
            return Err(
                "without_writers leaves writers out of a file of pens, but no file is named: set pens".to_owned()
            );
        }
        Ok(())
    }

    /// Reads and draws them, on the threads of the calling pool; the same seed gives the same images.
    ///
    /// # Errors
    /// Where the file of pens is not found, cannot be read, or has a line without drawing or label.
    pub fn load(&self, seed: u64) -> Result<ImagesBeside, DataError> {
        let mut beside = ImagesBeside::default();
        if let Some(pens) = &self.pens {
            beside.add(self.pens_images(pens, false)?.into_par_iter());
            let (images, labels) = (beside.images.clone(), beside.labels.clone());
            for _ in 1..self.pens_times {
                beside.images.extend_from_slice(&images);
                beside.labels.extend_from_slice(&labels);
            }
        }
        let digit = |index: usize| {
            let label = (index % 10) as u8;
            (drawn_image(label, seed, index as u64).pixels, label)
        };
        beside.add((0..self.drawn).into_par_iter().map(digit));
        let stranger = |index: usize| (stranger_image(false, seed, index as u64).pixels, NO_DIGIT);
        beside.add((0..self.strangers).into_par_iter().map(stranger));
        Ok(beside)
    }

    /// The drawings that are held out, as images with their labels; empty where none are.
    ///
    /// # Errors
    /// As [`Beside::load`].
    pub fn held_out(&self) -> Result<ImagesBeside, DataError> {
        let mut held_out = ImagesBeside::default();
        if let Some(pens) = self.pens.as_ref().filter(|_| self.pens_hold_out_half) {
            held_out.add(self.pens_images(pens, true)?.into_par_iter());
        }
        Ok(held_out)
    }

    /// The images of the file of pens, each once: those that are learnt from, or those that are held out.
    fn pens_images(&self, pens: &str, held_out: bool) -> Result<Vec<([u8; PIXELS], u8)>, DataError> {
        let mut drawings = read_pens(&find_strokes(pens)?, &self.without_writers)?;
        if self.pens_hold_out_half {
            let labels: Vec<u8> = drawings.iter().map(|(_, label)| *label).collect();
            let mut sides = is_held_out(&labels).into_iter();
            drawings.retain(|_| sides.next() == Some(held_out));
        }
        let image = |(drawing, label): (Drawing, u8)| (digit_image(&drawing).unwrap_or_default().pixels, label);
        Ok(drawings.into_par_iter().map(image).collect())
    }
}

/// Which of these drawings are held out: the second, fourth, … of each digit.
pub fn is_held_out(labels: &[u8]) -> Vec<bool> {
    let mut seen = [0usize; 256];
    let side = |&label: &u8| {
        let count = &mut seen[usize::from(label)];
        *count += 1;
        count.is_multiple_of(2)
    };
    labels.iter().map(side).collect()
}

/// A file of strokes: a path, or a name in the folder `strokes` of the data folders.
///
/// # Errors
/// [`DataError::NotFound`] with all the places that were looked at.
pub fn find_strokes(name: &str) -> Result<PathBuf, DataError> {
    let variable = std::env::var_os(DATA_VARIABLE).filter(|value| !value.is_empty()).map(PathBuf::from);
    let folders = [variable, data_folder()].into_iter().flatten().map(|base| base.join("strokes").join(name));
    let searched: Vec<PathBuf> = std::iter::once(PathBuf::from(name)).chain(folders).collect();
    match searched.iter().find(|path| path.is_file()) {
        Some(path) => Ok(path.clone()),
        None => Err(DataError::NotFound {
            what: format!("The recorded pens {name} are not on this computer"),
            advice: "Put the file into the folder strokes of the data folder, or name its path".to_owned(),
            searched,
        }),
    }
}

/// All labelled drawings of a file, but those of some writers.
fn read_pens(path: &Path, without_writers: &[String]) -> Result<Vec<(Drawing, u8)>, DataError> {
    let wrong = |line: usize, problem: String| DataError::Unsupported {
        problem: format!("line {line}: {problem}"),
        path: path.to_path_buf(),
    };
    let mut drawings = Vec::new();
    for (line, recorded) in strokes_file::read(path)? {
        let recorded = recorded.map_err(|error| wrong(line, error.to_string()))?;
        if recorded.writer.as_ref().is_some_and(|writer| without_writers.contains(writer)) {
            continue;
        }
        let Some(label) = recorded.label else {
            return Err(wrong(line, "a drawing without a label cannot be learnt from".to_owned()));
        };
        let drawing = recorded.drawing.drawing();
        drawings.push((drawing.map_err(|error| wrong(line, error.to_string()))?, label));
    }
    Ok(drawings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pens_drawn_digits_and_strangers_come_in_this_order() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pens.jsonl");
        let line = |writer: &str, label: u8| {
            format!("{{\"writer\":\"{writer}\",\"label\":{label},\"strokes\":[[[0,0],[0,9]],[[5,1],[6,2]]]}}\n")
        };
        std::fs::write(&path, [line("a", 4), line("b", 5), line("a", 6)].concat()).unwrap();
        let pens = Some(path.display().to_string());
        let without_writers = vec!["b".to_owned()];
        let beside = Beside { pens, without_writers, drawn: 3, strangers: 2, ..Beside::default() };
        let loaded = beside.load(1).unwrap();
        assert_eq!(loaded.labels, [4, 6, 0, 1, 2, NO_DIGIT, NO_DIGIT]);
        assert_eq!(loaded.images[0], loaded.images[1]);
        assert_eq!(loaded, beside.load(1).unwrap());
        assert_ne!(loaded.images[2..], beside.load(2).unwrap().images[2..]);
    }

    #[test]
    fn half_of_each_digit_is_held_out_and_the_rest_is_met_as_often_as_asked() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("own.jsonl");
        let line = |label: u8, x: usize| format!("{{\"label\":{label},\"strokes\":[[[0,0],[{x},9]]]}}\n");
        let lines = [(4, 1), (4, 2), (5, 3), (4, 4), (5, 5)].map(|(label, x)| line(label, x));
        std::fs::write(&path, lines.concat()).unwrap();
        let all = Beside { pens: Some(path.display().to_string()), ..Beside::default() };
        let half = Beside { pens_times: 3, pens_hold_out_half: true, ..all.clone() };
        let (all, learnt, held_out) = (all.load(1).unwrap(), half.load(1).unwrap(), half.held_out().unwrap());
        assert_eq!(learnt.labels, [4, 5, 4, 4, 5, 4, 4, 5, 4]);
        assert_eq!(learnt.images[3..6], [all.images[0], all.images[2], all.images[3]]);
        assert_eq!(held_out.labels, [4, 5]);
        assert_eq!(held_out.images, [all.images[1], all.images[4]]);
        assert!(Beside { pens_times: 1_001, ..half }.validate().is_err());
        assert!(Beside { pens_hold_out_half: true, ..Beside::default() }.validate().unwrap_err().contains("set pens"));
    }

    #[test]
    fn what_cannot_be_learnt_from_is_told_with_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pens.jsonl");
        std::fs::write(&path, "{\"label\":1,\"strokes\":[[[0,0],[0,9]]]}\n{\"strokes\":[[[0,0],[0,9]]]}\n").unwrap();
        let beside = Beside { pens: Some(path.display().to_string()), ..Beside::default() };
        let message = beside.load(1).unwrap_err().to_string();
        assert!(message.contains("line 2") && message.contains("label"), "{message}");
        let missing = Beside { pens: Some("no-such-pens.jsonl".to_owned()), ..Beside::default() };
        assert!(missing.load(1).unwrap_err().to_string().contains("not on this computer"));
        assert!(Beside { without_writers: vec!["a".to_owned()], ..Beside::default() }.validate().is_err());
    }
}
