//! Whether the files of a data set are sound, told file by file. Loads nothing to keep.

use std::path::PathBuf;

use super::idx::{self, FILES};
use super::load::{find, find_in_path};
use super::{DataError, Request, SOURCES, cifar};

/// What [`verify`] found out about one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileReport {
    /// The file.
    pub path: PathBuf,
    /// Images or labels in it, when it can be read.
    pub count: Option<usize>,
    /// SHA-256 of its unpacked content, when it can be read.
    pub sha256: Option<String>,
    /// Title of the known source whose file this is.
    pub known_as: Option<&'static str>,
    /// What is wrong with it, as a sentence.
    pub problem: Option<String>,
}

/// Reads every file of a data set and says about each whether it is sound. Drawn digits have none.
///
/// # Errors
/// [`DataError::NotFound`] and the like when the files are not all there; what is wrong inside them is in the reports.
pub fn verify(request: &Request) -> Result<Vec<FileReport>, DataError> {
    if let Request::Path(path) = request
        && let Some(folder) = cifar::find(path)
    {
        return Ok(cifar::FILES.iter().map(|file| cifar_report(folder.join(file))).collect());
    }
    let (located, expected) = match request {
        Request::Drawn(_) => return Ok(Vec::new()),
        Request::Known(known) => (find(known, None)?, Some(*known)),
        Request::Path(path) => (find_in_path(path)?, None),
    };
    let reports = FILES.iter().zip(&located.files).enumerate().map(|(index, ((_, kind), path))| {
        let path = path.clone();
        match idx::read(&path, *kind) {
            Err(error) => {
                FileReport { path, count: None, sha256: None, known_as: None, problem: Some(error.to_string()) }
            }
            Ok(file) => {
                let hash = file.sha256();
                let known_as = SOURCES
                    .iter()
                    .find(|known| known.files.get(index).is_some_and(|file| file.sha256 == hash))
                    .map(|known| known.title);
                let problem = expected
                    .filter(|known| known_as != Some(known.title))
                    .map(|known| format!("its content is not that of {}: {}", known.title, path.display()));
                FileReport { path, count: Some(file.count), sha256: Some(hash), known_as, problem }
            }
        }
    });
    Ok(reports.collect())
}

fn cifar_report(path: PathBuf) -> FileReport {
    let (found, problem) = match cifar::check(&path) {
        Ok(found) => (Some(found), None),
        Err(error) => (None, Some(error.to_string())),
    };
    let (count, sha256) = found.unzip();
    FileReport { path, count, sha256, known_as: None, problem }
}

#[cfg(test)]
mod tests {
    use std::ops::ControlFlow;

    use super::super::{Drawn, IdxProblem, load};
    use super::*;

    #[test]
    fn verifying_tells_about_every_file() {
        let folder = tempfile::tempdir().unwrap();
        let drawn = Drawn { train: 20, test: 10, seed: 1 };
        let corpus = drawn.generate(&mut |_, _| ControlFlow::Continue(())).unwrap();
        idx::write_folder(folder.path(), &corpus.train, &corpus.test).unwrap();
        std::fs::write(folder.path().join("train-labels-idx1-ubyte"), "<html>").unwrap();
        let reports = verify(&Request::Path(folder.path().to_path_buf())).unwrap();
        let counts: Vec<Option<usize>> = reports.iter().map(|report| report.count).collect();
        assert_eq!(counts, [Some(20), None, Some(10), Some(10)]);
        assert!(reports[1].problem.as_ref().unwrap().contains("web page"));
        assert!(matches!(
            load(&Request::Path(folder.path().to_path_buf())),
            Err(DataError::Malformed { problem: IdxProblem::NotIdx { .. }, .. })
        ));
    }
}
