//! The IDX format of MNIST, plain and gzip, read as if every file were hostile. Knows nothing of checksums or places.
//!
//! A file is a big-endian header (magic number, count, and for images rows and columns) and then one byte per pixel
//! or label. What the header declares is held against what the file can contain before a byte is allocated for it.

mod problem;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind, Read};
use std::path::Path;

use flate2::bufread::GzDecoder;
use sha2::{Digest, Sha256};

use super::{DataError, Dataset};
use crate::drawing::{PIXELS, SIDE};

pub use problem::IdxProblem;
pub(super) use problem::looks_like;

/// No data set of digits comes near: EMNIST, the largest, has 814,255 images. Bounds what one file may allocate.
const MOST_ITEMS: u32 = 1_000_000;
/// Deflate cannot shrink further than this (258 bytes from two bits).
const HIGHEST_GZIP_RATIO: u64 = 1032;

/// The four files of a data set, in the order train images, train labels, test images, test labels.
pub const FILES: [(&str, Kind); 4] = [
    ("train-images-idx3-ubyte", Kind::Images),
    ("train-labels-idx1-ubyte", Kind::Labels),
    ("t10k-images-idx3-ubyte", Kind::Images),
    ("t10k-labels-idx1-ubyte", Kind::Labels),
];

/// What an IDX file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Unsigned bytes in three dimensions, `[count, 28, 28]`.
    Images,
    /// Unsigned bytes in one dimension, `[count]`.
    Labels,
}

impl Kind {
    const fn magic(self) -> u32 {
        match self {
            Self::Images => 0x0803,
            Self::Labels => 0x0801,
        }
    }

    /// Bytes before the first pixel or label.
    pub const fn header_bytes(self) -> usize {
        match self {
            Self::Images => 16,
            Self::Labels => 8,
        }
    }

    /// Bytes of one image or one label.
    pub const fn item_bytes(self) -> usize {
        match self {
            Self::Images => PIXELS,
            Self::Labels => 1,
        }
    }

    const fn plural(self) -> &'static str {
        match self {
            Self::Images => "images",
            Self::Labels => "labels",
        }
    }
}

/// A file as read: header and content.
#[derive(Debug)]
pub struct Idx {
    header: Vec<u8>,
    /// Pixels or labels, one byte each.
    pub content: Vec<u8>,
    /// Number of images or labels.
    pub count: usize,
}

impl Idx {
    /// SHA-256 of the unpacked file in lower-case hexadecimal digits.
    pub fn sha256(&self) -> String {
        hex(&Sha256::new().chain_update(&self.header).chain_update(&self.content).finalize())
    }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Reads one file, plain or gzip (told by its first bytes, not by its name).
///
/// # Errors
/// [`DataError::Malformed`] with the path and what is wrong; [`DataError::Io`] when the system refuses to read.
pub fn read(path: &Path, kind: Kind) -> Result<Idx, DataError> {
    // Asked before opening: opening a named pipe would wait for its writer.
    let metadata = std::fs::metadata(path).map_err(DataError::io("read the data file", path))?;
    if !metadata.is_file() {
        return Err(DataError::malformed(path)(IdxProblem::NoFile));
    }
    let file = File::open(path).map_err(DataError::io("open the data file", path))?;
    decode(BufReader::with_capacity(1 << 16, file), metadata.len(), kind).map_err(|failure| match failure {
        Failure::Problem(problem) => DataError::malformed(path)(problem),
        Failure::System(error) => DataError::io("read the data file", path)(error),
    })
}

/// Reads images and labels that belong together, labels first because they are small.
///
/// # Errors
/// As [`read`], and [`IdxProblem::CountMismatch`] named after the file of images.
pub fn read_pair(images: &Path, labels: &Path) -> Result<(Idx, Idx), DataError> {
    let label_file = read(labels, Kind::Labels)?;
    let image_file = read(images, Kind::Images)?;
    if image_file.count != label_file.count {
        let problem = IdxProblem::CountMismatch { images: image_file.count, labels: label_file.count };
        return Err(DataError::malformed(images)(problem));
    }
    Ok((image_file, label_file))
}

enum Failure {
    Problem(IdxProblem),
    System(std::io::Error),
}

impl From<IdxProblem> for Failure {
    fn from(problem: IdxProblem) -> Self {
        Self::Problem(problem)
    }
}

/// What a gzip reader says about its stream is a problem of the file; anything else comes from the system.
fn gzip_failure(error: std::io::Error) -> Failure {
    match error.kind() {
        ErrorKind::UnexpectedEof => IdxProblem::GzipTruncated.into(),
        ErrorKind::InvalidInput | ErrorKind::InvalidData => IdxProblem::GzipDamaged(error.to_string()).into(),
        _ => Failure::System(error),
    }
}

/// `stored_bytes` is the size of the file as it lies on the disk.
fn decode(mut reader: impl BufRead, stored_bytes: u64, kind: Kind) -> Result<Idx, Failure> {
    let start = reader.fill_buf().map_err(Failure::System)?;
    if start.is_empty() {
        return Err(IdxProblem::Empty.into());
    }
    if !start.starts_with(&[0x1f, 0x8b]) {
        let count = check_header(start, kind)?;
        let expected = unpacked_bytes(kind, count);
        return match stored_bytes.cmp(&expected) {
            std::cmp::Ordering::Less => Err(IdxProblem::Truncated { expected, found: stored_bytes }.into()),
            std::cmp::Ordering::Greater => Err(IdxProblem::Oversized { expected }.into()),
            std::cmp::Ordering::Equal => read_content(&mut reader, kind, count, Failure::System),
        };
    }
    let mut decoder = GzDecoder::new(reader);
    let mut header = Vec::with_capacity(kind.header_bytes());
    decoder.by_ref().take(kind.header_bytes() as u64).read_to_end(&mut header).map_err(gzip_failure)?;
    let count = check_header(&header, kind)?;
    let most = stored_bytes * HIGHEST_GZIP_RATIO;
    if unpacked_bytes(kind, count) > most {
        return Err(IdxProblem::Truncated { expected: unpacked_bytes(kind, count), found: most }.into());
    }
    let mut reader = std::io::Cursor::new(header).chain(decoder);
    let idx = read_content(&mut reader, kind, count, gzip_failure)?;
    let rest = reader.into_inner().1.into_inner().fill_buf().map_err(Failure::System)?.len();
    if rest > 0 {
        return Err(IdxProblem::GzipTrailing.into());
    }
    Ok(idx)
}

/// Reads header and content, and one byte more to be sure of the end (which is also what checks gzip's CRC).
fn read_content(
    reader: &mut impl Read,
    kind: Kind,
    count: usize,
    failure: fn(std::io::Error) -> Failure,
) -> Result<Idx, Failure> {
    let expected = unpacked_bytes(kind, count);
    let mut header = vec![0; kind.header_bytes()];
    reader.read_exact(&mut header).map_err(failure)?;
    let content_bytes = count * kind.item_bytes();
    let mut content = Vec::with_capacity(content_bytes + 1);
    reader.take(content_bytes as u64 + 1).read_to_end(&mut content).map_err(failure)?;
    if content.len() < content_bytes {
        let found = (header.len() + content.len()) as u64;
        return Err(IdxProblem::Truncated { expected, found }.into());
    }
    if content.len() > content_bytes {
        return Err(IdxProblem::Oversized { expected }.into());
    }
    if kind == Kind::Labels
        && let Some((index, &label)) = content.iter().enumerate().find(|(_, label)| **label > 9)
    {
        return Err(IdxProblem::LabelOutOfRange { index, label }.into());
    }
    Ok(Idx { header, content, count })
}

fn unpacked_bytes(kind: Kind, count: usize) -> u64 {
    kind.header_bytes() as u64 + count as u64 * kind.item_bytes() as u64
}

/// The number of items that the header at the beginning of `start` declares.
fn check_header(start: &[u8], kind: Kind) -> Result<usize, IdxProblem> {
    let found = start.len().min(kind.header_bytes());
    let word = |at: usize| start.get(at..at + 4)?.try_into().ok().map(u32::from_be_bytes);
    let cut = IdxProblem::HeaderCut { expected: kind.header_bytes(), found };
    let other = if kind == Kind::Images { Kind::Labels } else { Kind::Images };
    match word(0) {
        Some(magic) if magic == kind.magic() => {}
        Some(magic) if magic == other.magic() => {
            return Err(IdxProblem::Swapped { expected: kind.plural(), found: other.plural() });
        }
        // Two zeros, an element type, a number of dimensions: IDX, but not of ours.
        Some(magic) if (0x0800..0x1000).contains(&magic) && (1..8).contains(&(magic & 0xff)) => {
            return Err(IdxProblem::OtherIdx { kind: kind.plural(), expected: kind.magic(), found: magic });
        }
        None if kind.magic().to_be_bytes().starts_with(start) => return Err(cut),
        _ => return Err(IdxProblem::NotIdx { expected: kind.plural(), found: looks_like(start) }),
    }
    let count = word(4).ok_or_else(|| cut.clone())?;
    if kind == Kind::Images {
        let (Some(rows), Some(columns)) = (word(8), word(12)) else { return Err(cut) };
        if (rows, columns) != (SIDE as u32, SIDE as u32) {
            return Err(IdxProblem::OtherSide { rows, columns });
        }
    }
    match count {
        0 => Err(IdxProblem::Nothing { kind: kind.plural() }),
        count if count > MOST_ITEMS => Err(IdxProblem::TooMany { kind: kind.plural(), count }),
        count => Ok(count as usize),
    }
}

/// An IDX file of images, `images` as in [`Dataset::images`].
pub fn encode_images(images: &[u8]) -> Vec<u8> {
    let words = [Kind::Images.magic(), (images.len() / PIXELS) as u32, SIDE as u32, SIDE as u32];
    let mut file: Vec<u8> = words.into_iter().flat_map(u32::to_be_bytes).collect();
    file.extend_from_slice(images);
    file
}

/// An IDX file of labels.
pub fn encode_labels(labels: &[u8]) -> Vec<u8> {
    let mut file: Vec<u8> =
        [Kind::Labels.magic(), labels.len() as u32].into_iter().flat_map(u32::to_be_bytes).collect();
    file.extend_from_slice(labels);
    file
}

/// Writes the four plain files into `folder`, which must exist.
///
/// # Errors
/// [`DataError::Io`] when a file cannot be written.
pub fn write_folder(folder: &Path, train: &Dataset, test: &Dataset) -> Result<(), DataError> {
    for (index, (name, kind)) in FILES.into_iter().enumerate() {
        let part = if index < 2 { train } else { test };
        let bytes = match kind {
            Kind::Images => encode_images(part.images()),
            Kind::Labels => encode_labels(part.labels()),
        };
        let path = folder.join(name);
        std::fs::write(&path, bytes).map_err(DataError::io("write the data file", &path))?;
    }
    Ok(())
}
