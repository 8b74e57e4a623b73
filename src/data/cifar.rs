//! CIFAR-10's binary files (A. Krizhevsky 2009) as grey 28×28 images, for what networks of digits do with other things.
//! Colour is not kept, and the files are not fetched.
//!
//! A file is records of 3,073 bytes, nothing before and nothing between: a label, then the red, the green and the blue plane
//! of 32×32 pixels, row by row. Grey is the luma 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601), and every pixel of the smaller
//! image is the mean of the 8/7 × 8/7 pixels that it covers: the things in these pictures often reach the edge, which a crop
//! would cut off. Light counts as ink, as it stands: there is no paper that would say otherwise.
//!
//! The ten classes are shown as the digits that are their labels; [`CLASSES`] names them.

use std::fs::File;
use std::io::Read;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::idx::{hex, looks_like};
use super::{Corpus, DataError, Dataset};
use crate::drawing::{PIXELS, SIDE};

/// What the labels 0 to 9 mean.
pub const CLASSES: [&str; 10] =
    ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];

/// The batches to learn from, in order, and the one to test on.
pub const FILES: [&str; 6] = [
    "data_batch_1.bin",
    "data_batch_2.bin",
    "data_batch_3.bin",
    "data_batch_4.bin",
    "data_batch_5.bin",
    "test_batch.bin",
];

/// The folder that the archive unpacks to.
const FOLDER: &str = "cifar-10-batches-bin";
/// Side of a picture.
const WIDE: usize = 32;
const PLANE: usize = WIDE * WIDE;
const RECORD: usize = 1 + 3 * PLANE;
/// A batch has 10,000 records; a file of many more is something else.
const MOST_BYTES: u64 = 200_000 * RECORD as u64;

/// The folder with CIFAR-10's files that a path means: itself, the one that the archive makes inside it, or that of a file
/// of the set. `None` where there is none of the files.
pub(super) fn find(path: &Path) -> Option<PathBuf> {
    let is_of_set = path.file_name().is_some_and(|name| FILES.iter().any(|file| name == *file)) && path.is_file();
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let folders = if is_of_set { vec![parent.to_path_buf()] } else { vec![path.to_path_buf(), path.join(FOLDER)] };
    folders.into_iter().find(|folder| FILES.iter().any(|file| folder.join(file).exists()))
}

/// Reads all six files in `folder`. `progress` is told (files read, files in all) and may stop.
///
/// # Errors
/// [`DataError::NotFound`] where a file is missing, [`DataError::Unsupported`] where one is not of this format,
/// [`DataError::Io`] when the system refuses to read.
pub(super) fn read_corpus(
    folder: &Path,
    progress: &mut dyn FnMut(usize, usize) -> ControlFlow<()>,
) -> Result<Corpus, DataError> {
    let missing: Vec<&str> = FILES.into_iter().filter(|file| !folder.join(file).exists()).collect();
    if !missing.is_empty() {
        return Err(DataError::NotFound {
            what: format!("CIFAR-10 is not complete: {} missing", missing.join(", ")),
            advice: "Unpack cifar-10-binary.tar.gz, which has all six files".to_owned(),
            searched: vec![folder.to_path_buf()],
        });
    }
    let mut parts = [(Vec::new(), Vec::new()), (Vec::new(), Vec::new())];
    for (number, file) in FILES.iter().enumerate() {
        let (images, labels) = &mut parts[number / 5];
        for record in read(&folder.join(file))?.chunks_exact(RECORD) {
            labels.push(record[0]);
            images.extend(grey(record));
        }
        if progress(number + 1, FILES.len()).is_break() {
            return Err(DataError::Cancelled);
        }
    }
    let [train, test] = parts;
    let named: Vec<String> = CLASSES.iter().enumerate().map(|(label, name)| format!("{label} {name}")).collect();
    Ok(Corpus {
        source: folder.display().to_string(),
        title: "CIFAR-10, grey".to_owned(),
        train: Dataset::new("CIFAR-10 training", train.0, train.1)?,
        test: Dataset::new("CIFAR-10 test", test.0, test.1)?,
        notes: vec![format!("CIFAR-10 in grey 28×28; classes are shown as digits: {}", named.join(", "))],
    })
}

/// Records of one file and the SHA-256 of its content.
///
/// # Errors
/// As [`read_corpus`].
pub(super) fn check(path: &Path) -> Result<(usize, String), DataError> {
    let bytes = read(path)?;
    Ok((bytes.len() / RECORD, hex(&Sha256::digest(&bytes))))
}

/// The bytes of a file, all of them whole records with labels of the ten classes.
fn read(path: &Path) -> Result<Vec<u8>, DataError> {
    let metadata = std::fs::metadata(path).map_err(DataError::io("read the data file", path))?;
    let refuse = |problem: String| Err(DataError::Unsupported { problem, path: path.to_path_buf() });
    if !metadata.is_file() {
        return refuse("this is no ordinary file".to_owned());
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(DataError::io("open the data file", path))?;
    file.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(DataError::io("read the data file", path))?;
    if bytes.is_empty() {
        return refuse("the file is empty".to_owned());
    }
    if bytes.len() as u64 > MOST_BYTES {
        return refuse(format!(
            "the file has more than {} records, which no batch of CIFAR-10 has",
            MOST_BYTES / RECORD as u64
        ));
    }
    if !bytes.len().is_multiple_of(RECORD) {
        let (whole, over) = (bytes.len() / RECORD, bytes.len() % RECORD);
        let like = looks_like(&bytes);
        let guess =
            if like.starts_with("something else") { "cut short, or of another format".to_owned() } else { like };
        return refuse(format!(
            "expected records of {RECORD} bytes, found {whole} of them and {over} bytes more: this file is {guess}"
        ));
    }
    if let Some((record, label)) = bytes.iter().step_by(RECORD).enumerate().find(|(_, label)| **label > 9) {
        return refuse(format!(
            "label {label} of record {record} is no class of CIFAR-10, expected 0 to 9: the file is damaged or of another \
             format"
        ));
    }
    Ok(bytes)
}

/// The luma of a record's picture, each pixel the mean of what it covers. Worked out in whole numbers: with sevenths of a
/// pixel as unit a pixel that is read is 7 wide and one that is made 8.
fn grey(record: &[u8]) -> [u8; PIXELS] {
    let (red, rest) = record[1..].split_at(PLANE);
    let (green, blue) = rest.split_at(PLANE);
    let luma = |at: usize| 299 * u32::from(red[at]) + 587 * u32::from(green[at]) + 114 * u32::from(blue[at]);
    std::array::from_fn(|pixel| {
        let (row, column) = (pixel / SIDE, pixel % SIDE);
        let mut sum = 0;
        for (y, height) in covered(row) {
            for (x, width) in covered(column) {
                sum += height * width * luma(y * WIDE + x);
            }
        }
        // 8 · 8 parts of thousandths, rounded
        ((sum + 32_000) / 64_000) as u8
    })
}

/// The two pixels that pixel `at` of the smaller image covers along an axis, with the sevenths of each.
fn covered(at: usize) -> [(usize, u32); 2] {
    let (from, to) = (8 * at, 8 * at + 8);
    let first = from / 7;
    let of_first = (7 * (first + 1)).min(to) - from;
    [(first, of_first as u32), ((first + 1).min(WIDE - 1), (8 - of_first) as u32)]
}

#[cfg(test)]
mod tests {
    use super::super::{Request, load, verify};
    use super::*;

    /// A record whose planes are of one value each, but for one white pixel at its upper left corner.
    fn record(label: u8, colour: [u8; 3]) -> Vec<u8> {
        let mut record = vec![label];
        for value in colour {
            record.push(255);
            record.extend(vec![value; PLANE - 1]);
        }
        record
    }

    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (number, file) in FILES.iter().enumerate() {
            let records = [record(number as u8, [200, 100, 50]), record(9, [0, 0, 0])];
            std::fs::write(folder.path().join(file), records.concat()).unwrap();
        }
        folder
    }

    #[test]
    fn a_folder_of_batches_becomes_grey_digits_in_order() {
        let folder = folder();
        let path = folder.path().to_path_buf();
        let corpus = load(&Request::Path(path.clone())).unwrap();
        assert_eq!(corpus.train.labels(), [0, 9, 1, 9, 2, 9, 3, 9, 4, 9]);
        assert_eq!(corpus.test.labels(), [5, 9]);
        assert_eq!((corpus.title.as_str(), corpus.source.as_str()), ("CIFAR-10, grey", path.to_str().unwrap()));
        assert!(corpus.notes[0].contains("3 cat"), "{:?}", corpus.notes);
        // 0.299 · 200 + 0.587 · 100 + 0.114 · 50 = 124.2
        let image = corpus.train.image(0);
        assert_eq!((image[PIXELS - 1], image[SIDE + 5]), (124, 124));
        // the white corner covers 49 of the first pixel's 64 parts
        assert_eq!(image[0], ((49.0 * 255.0 + 15.0 * 124.2f64) / 64.0).round() as u8);
        assert_eq!(corpus.train.image(1)[1], 0, "and nothing of the second's");
        // the archive's own folder, found from outside, and one of the files
        let outside = tempfile::tempdir().unwrap();
        std::fs::rename(folder.path(), outside.path().join(FOLDER)).unwrap();
        for path in [outside.path().to_path_buf(), outside.path().join(FOLDER).join("test_batch.bin")] {
            assert_eq!(load(&Request::Path(path)).unwrap().train, corpus.train);
        }
    }

    #[test]
    fn the_smaller_image_covers_the_larger_one_evenly() {
        let mut parts = [0; WIDE];
        for at in 0..SIDE {
            let covered = covered(at);
            assert_eq!(covered[0].1 + covered[1].1, 8);
            covered.iter().for_each(|&(pixel, sevenths)| parts[pixel] += sevenths);
        }
        assert_eq!(parts, [7; WIDE]);
    }

    #[test]
    fn files_that_are_cut_foreign_or_missing_are_told() {
        let whole = [record(1, [1, 2, 3]), record(2, [4, 5, 6])].concat();
        let mut label = whole.clone();
        label[RECORD] = 77;
        for (bytes, expected) in [
            (whole[..whole.len() - 1].to_vec(), "found 1 of them and 3072 bytes more: this file is cut short"),
            (b"<html>404</html>".to_vec(), "this file is a web page"),
            (Vec::new(), "the file is empty"),
            (label, "label 77 of record 1 is no class of CIFAR-10"),
        ] {
            let folder = folder();
            let path = folder.path().join("data_batch_4.bin");
            std::fs::write(&path, bytes).unwrap();
            let request = Request::Path(folder.path().to_path_buf());
            let told = load(&request).unwrap_err().to_string();
            assert!(told.contains(expected) && told.ends_with("data_batch_4.bin"), "{told}");
            let reports = verify(&request).unwrap();
            assert_eq!(reports.iter().map(|report| report.count.is_some()).filter(|ok| *ok).count(), 5);
            assert!(reports[3].problem.as_ref().unwrap().contains(expected));
        }
        let folder = folder();
        std::fs::remove_file(folder.path().join("test_batch.bin")).unwrap();
        let told = load(&Request::Path(folder.path().to_path_buf())).unwrap_err().to_string();
        assert!(told.contains("CIFAR-10 is not complete: test_batch.bin missing. Unpack"), "{told}");
    }
}
