//! What can be wrong with an IDX file, in words. Finds nothing out by itself but what a file looks like.

use super::MOST_ITEMS;

/// Why a file is not the IDX file it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdxProblem {
    /// Zero bytes.
    #[error("the file is empty")]
    Empty,
    /// A folder, a device, a pipe.
    #[error("this is no ordinary file")]
    NoFile,
    /// Something else entirely.
    #[error("expected an IDX file of {expected}, but this looks like {found}")]
    NotIdx {
        /// "images" or "labels".
        expected: &'static str,
        /// What it looks like.
        found: String,
    },
    /// Images where labels should be, or the other way round.
    #[error("expected an IDX file of {expected}, found one of {found}: two files have changed names")]
    Swapped {
        /// "images" or "labels".
        expected: &'static str,
        /// The other one.
        found: &'static str,
    },
    /// IDX of another element type or with other dimensions.
    #[error("expected IDX magic number {expected:#010x} ({kind} as bytes), found {found:#010x}")]
    OtherIdx {
        /// "images" or "labels".
        kind: &'static str,
        /// Magic number of that.
        expected: u32,
        /// Magic number of the file.
        found: u32,
    },
    /// The file ends inside its header.
    #[error("the file ends inside its header: expected {expected} bytes, found {found}")]
    HeaderCut {
        /// Length of the header.
        expected: usize,
        /// Bytes there are.
        found: usize,
    },
    /// A count of zero.
    #[error("the file declares no {kind} at all")]
    Nothing {
        /// "images" or "labels".
        kind: &'static str,
    },
    /// Images of another size.
    #[error("expected images of 28×28 pixels, found {rows}×{columns} (rows × columns)")]
    OtherSide {
        /// Declared rows.
        rows: u32,
        /// Declared columns.
        columns: u32,
    },
    /// More than any data set of digits has.
    #[error("the file declares {count} {kind}; Digitpad reads at most {MOST_ITEMS}")]
    TooMany {
        /// "images" or "labels".
        kind: &'static str,
        /// Declared number.
        count: u32,
    },
    /// Fewer bytes than declared.
    #[error("the file is cut short: its header declares {expected} bytes, found {found}")]
    Truncated {
        /// Bytes after unpacking, header included.
        expected: u64,
        /// Bytes there are (at most, for a gzip file that cannot hold the declared size).
        found: u64,
    },
    /// More bytes than declared.
    #[error("the file goes on after the {expected} bytes that its header declares")]
    Oversized {
        /// Bytes after unpacking, header included.
        expected: u64,
    },
    /// The gzip stream ends too early.
    #[error("the gzip file is cut short: it ends in the middle, as after an interrupted download")]
    GzipTruncated,
    /// The gzip stream is broken.
    #[error("the gzip file is damaged ({0})")]
    GzipDamaged(String),
    /// Bytes after the end of the gzip stream.
    #[error("the gzip file has other bytes after its end")]
    GzipTrailing,
    /// No digit.
    #[error("label {label} at position {index} is no digit, expected 0 to 9")]
    LabelOutOfRange {
        /// Position of the first such label.
        index: usize,
        /// Its value.
        label: u8,
    },
    /// Two files that do not belong together.
    #[error("found {images} images for {labels} labels: these two files do not belong together")]
    CountMismatch {
        /// Images in the file.
        images: usize,
        /// Labels in the file beside it.
        labels: usize,
    },
}

/// A guess at what the beginning of a file belongs to, for a message.
pub(crate) fn looks_like(start: &[u8]) -> String {
    const SIGNATURES: [(&[u8], &str); 9] = [
        (b"\x89PNG", "a PNG picture"),
        (b"\xff\xd8\xff", "a JPEG picture"),
        (b"GIF8", "a GIF picture"),
        (b"PK\x03\x04", "a zip archive"),
        (b"\x1f\x8b", "a gzip file"),
        (b"BZh", "a bzip2 file"),
        (b"%PDF", "a PDF document"),
        (b"MATLAB", "a MATLAB file"),
        (b"version https://git-lfs", "a Git LFS pointer instead of the file itself"),
    ];
    if let Some((_, name)) = SIGNATURES.iter().find(|(signature, _)| start.starts_with(signature)) {
        return (*name).to_string();
    }
    let text = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start).trim_ascii_start();
    if text.first() == Some(&b'<') && text.get(1).is_some_and(|next| b"!?".contains(next) || next.is_ascii_alphabetic())
    {
        return "a web page".to_string();
    }
    let start = &start[..start.len().min(64)];
    if start.iter().all(|byte| byte.is_ascii_graphic() || byte.is_ascii_whitespace()) {
        return "text".to_string();
    }
    let bytes: Vec<String> = start.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    format!("something else (it begins with the bytes {})", bytes.join(" "))
}
