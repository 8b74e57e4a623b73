//! What can go wrong with data, told so that a person can act on it. No recovery here: callers choose.

use std::path::{Path, PathBuf};

use super::idx::IdxProblem;

/// Everything that stands between a request and its digits. The path, where there is one, comes last.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// Nothing is there to read. The window answers with an offer to fetch; the command line prints what to do.
    #[error("{what}. {advice}. Looked in: {}", list(.searched))]
    NotFound {
        /// What is missing, as a sentence without its full stop.
        what: String,
        /// What to do, as a sentence without its full stop.
        advice: String,
        /// Every folder that was looked into, in order.
        searched: Vec<PathBuf>,
    },
    /// The name is neither a known source nor a folder that exists.
    #[error(
        "\"{name}\" is neither a data set that Digitpad knows ({known}) nor a folder; name one of these or a folder with IDX files"
    )]
    UnknownSource {
        /// What was asked for.
        name: String,
        /// Ids of the known sources.
        known: String,
    },
    /// A file that is no data set in a format that Digitpad reads.
    #[error("{problem}: {}", .path.display())]
    Unsupported {
        /// What was found and what was expected.
        problem: String,
        /// The file.
        path: PathBuf,
    },
    /// The file is there but is not the IDX file it should be.
    #[error("{problem}: {}", .path.display())]
    Malformed {
        /// What is wrong with it.
        problem: IdxProblem,
        /// The file.
        path: PathBuf,
    },
    /// A well-formed file whose content is not that of the known data set.
    #[error(
        "this file is not {title}'s: its unpacked content has SHA-256 {found}, expected {expected}; \
         remove it and fetch it again, or name its folder to read it as a data set of your own: {}", .path.display()
    )]
    WrongContent {
        /// Title of the known source.
        title: String,
        /// SHA-256 of what it should hold.
        expected: String,
        /// SHA-256 of what it holds.
        found: String,
        /// The file.
        path: PathBuf,
    },
    /// Reading or writing failed.
    #[error("could not {action} ({cause}): {}", .path.display())]
    Io {
        /// What was tried, as in "could not …".
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system said. The sentence has it; as `source` it would be told again behind it.
        cause: std::io::Error,
    },
    /// Images and labels do not fit together.
    #[error("{problem} (data set {name})")]
    Inconsistent {
        /// Name of the data set.
        name: String,
        /// What does not fit, with expected and found.
        problem: String,
    },
    /// More images asked for validation than there are.
    #[error("cannot keep {asked} images for validation out of {images}: choose a number below {images}, or 0 for none")]
    SplitTooLarge {
        /// Images asked for.
        asked: usize,
        /// Images there are.
        images: usize,
    },
    /// No address gave the right content.
    #[error("{message}")]
    FetchFailed {
        /// What each address answered, and how to bring the files by hand.
        message: String,
    },
    /// The person said stop.
    #[error("stopped: nothing incomplete was kept, what had arrived whole stays")]
    Cancelled,
    /// Neither a folder option nor a home folder tells where data belongs.
    #[error("no home folder is known, so there is no place for data: name a folder, or set DIGITPAD_DATA to one")]
    NoDataFolder,
}

impl DataError {
    /// For `map_err`: `DataError::io("read the file", path)`.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        move |cause| Self::Io { action, path: path.to_path_buf(), cause }
    }

    pub(crate) fn malformed(path: &Path) -> impl FnOnce(IdxProblem) -> Self {
        move |problem| Self::Malformed { problem, path: path.to_path_buf() }
    }
}

fn list(folders: &[PathBuf]) -> String {
    folders.iter().map(|folder| folder.display().to_string()).collect::<Vec<_>>().join(", ")
}
