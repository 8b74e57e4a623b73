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
    /// So many drawn digits.
    pub drawn: usize,
    /// So many drawn letters, signs and scribbles, which no digit is to be read in.
    pub strangers: usize,
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
        for (name, amount) in [("drawn", self.drawn), ("strangers", self.strangers)] {
            if amount > MOST {
                return Err(format!("{name} images beside the data set are at most {MOST}, got {amount}"));
            }
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
            let drawings = read_pens(&find_strokes(pens)?, &self.without_writers)?;
            let image = |(drawing, label): (Drawing, u8)| (digit_image(&drawing).unwrap_or_default().pixels, label);
            beside.add(drawings.into_par_iter().map(image));
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
        let beside = Beside { pens, without_writers: vec!["b".to_owned()], drawn: 3, strangers: 2 };
        let loaded = beside.load(1).unwrap();
        assert_eq!(loaded.labels, [4, 6, 0, 1, 2, NO_DIGIT, NO_DIGIT]);
        assert_eq!(loaded.images[0], loaded.images[1]);
        assert_eq!(loaded, beside.load(1).unwrap());
        assert_ne!(loaded.images[2..], beside.load(2).unwrap().images[2..]);
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
