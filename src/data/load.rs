//! From a request to digits: where a data set is looked for, and how its files are held against what they should be.
//! Fetches nothing.

use std::ffi::OsStr;
use std::io::{ErrorKind, Read};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use etcetera::{AppStrategy, AppStrategyArgs, choose_app_strategy};

use super::idx::{self, FILES, Idx};
use super::{Corpus, DataError, Dataset, Drawn, SOURCES, Source, cifar, source};

/// Environment variable that names a folder with data sets.
pub const DATA_VARIABLE: &str = "DIGITPAD_DATA";

/// Which digits are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// Digits that the program draws itself.
    Drawn(Drawn),
    /// A known data set, wherever it is found.
    Known(&'static Source),
    /// A folder with the four IDX files (or with a folder `mnist` that has them), or one of these files; or the same of
    /// CIFAR-10's binary files.
    Path(PathBuf),
}

impl Request {
    /// Understands what follows `--data`: the id of a source, or else a path.
    ///
    /// A path stands for itself alone: when nothing is there, the search does not go on elsewhere, because training on
    /// other digits than those that were named would go unnoticed.
    pub fn parse(text: &str) -> Self {
        match source(text) {
            Some(known) if known.is_built_in() => Self::Drawn(Drawn::default()),
            Some(known) => Self::Known(known),
            None => Self::Path(PathBuf::from(text)),
        }
    }
}

impl Default for Request {
    fn default() -> Self {
        Self::Known(&SOURCES[0])
    }
}

impl std::fmt::Display for Request {
    /// The text that [`Request::parse`] understands.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Drawn(_) => f.write_str("drawn"),
            Self::Known(known) => f.write_str(known.id),
            Self::Path(path) => write!(f, "{}", path.display()),
        }
    }
}

/// The four files of a data set, in the order of [`FILES`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located {
    /// The folder that has them all.
    pub folder: PathBuf,
    /// Train images, train labels, test images, test labels.
    pub files: [PathBuf; 4],
}

/// [`load_with`] without telling progress.
///
/// # Errors
/// As [`load_with`].
pub fn load(request: &Request) -> Result<Corpus, DataError> {
    load_with(request, &mut |_, _| ControlFlow::Continue(()))
}

/// Reads or draws the digits that are asked for. `progress` is told (steps done, steps in all) and may stop.
///
/// The files of a known source must have its checksums. In a folder of the user's own they may hold anything that is
/// well-formed; when only some of them are those of a known source, [`Corpus::notes`] says so.
///
/// # Errors
/// [`DataError::NotFound`] when nothing is there; otherwise what is wrong with which file.
pub fn load_with(
    request: &Request,
    progress: &mut dyn FnMut(usize, usize) -> ControlFlow<()>,
) -> Result<Corpus, DataError> {
    match request {
        Request::Drawn(drawn) => drawn.generate(progress),
        Request::Known(known) => read_corpus(&find(known, None)?, Some(known), progress),
        Request::Path(path) => match cifar::find(path) {
            Some(folder) => cifar::read_corpus(&folder, progress),
            None => read_corpus(&find_in_path(path)?, None, progress),
        },
    }
}

/// Looks for a known source: in `folder` (itself or its `mnist`), then in `$DIGITPAD_DATA` likewise, then in the data
/// folder of the program.
///
/// # Errors
/// [`DataError::NotFound`] with all the folders that were looked into.
pub fn find(known: &'static Source, folder: Option<&Path>) -> Result<Located, DataError> {
    let variable = std::env::var_os(DATA_VARIABLE).filter(|value| !value.is_empty()).map(PathBuf::from);
    let bases = [folder.map(Path::to_path_buf), variable, data_folder()].into_iter().flatten().collect::<Vec<_>>();
    let advice = format!("Bring it here with \"digitpad data fetch {}\" or name a folder that has it", known.id);
    find_in(&bases, known.id, &format!("{} is not on this computer", known.title), &advice)
}

/// Finds what a path names. See [`Request::parse`].
pub(super) fn find_in_path(path: &Path) -> Result<Located, DataError> {
    let metadata = match std::fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if is_absent(&error) && path.components().count() == 1 && path.extension().is_none() => {
            let known = SOURCES.iter().map(|known| known.id).collect::<Vec<_>>().join(", ");
            return Err(DataError::UnknownSource { name: path.display().to_string(), known });
        }
        Err(error) if is_absent(&error) => {
            let known = SOURCES.iter().map(|known| known.id).collect::<Vec<_>>().join(", ");
            let advice = format!("Name {known}, or a folder that is there. {}", what_a_folder_has());
            return Err(DataError::NotFound {
                what: "There is no such file or folder of digits".to_owned(),
                advice,
                searched: vec![path.to_path_buf()],
            });
        }
        Err(error) => return Err(DataError::io("open the data set", path)(error)),
    };
    if metadata.is_dir() {
        let advice = what_a_folder_has();
        return find_in(&[path.to_path_buf()], "mnist", "There is no data set here", &advice);
    }
    if !metadata.is_file() {
        return Err(DataError::malformed(path)(idx::IdxProblem::NoFile));
    }
    let is_one_of_four =
        FILES.iter().any(|(name, _)| spellings(name).iter().any(|s| path.file_name() == Some(OsStr::new(s))));
    if is_one_of_four {
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        return find_in_path(parent);
    }
    let mut start = Vec::new();
    let file = std::fs::File::open(path).map_err(DataError::io("open the data set", path))?;
    file.take(256).read_to_end(&mut start).map_err(DataError::io("read the data set", path))?;
    let problem = format!(
        "expected a folder with the files {}, but this file looks like {}",
        FILES.map(|(name, _)| name).join(", "),
        idx::looks_like(&start)
    );
    Err(DataError::Unsupported { problem, path: path.to_path_buf() })
}

fn what_a_folder_has() -> String {
    format!("A folder of digits has the four files {}, plain or .gz", FILES.map(|(name, _)| name).join(", "))
}

/// The first of the folders `base` and `base/<id>` that has all four files.
fn find_in(bases: &[PathBuf], id: &str, what: &str, advice: &str) -> Result<Located, DataError> {
    let mut searched = Vec::new();
    let mut incomplete = None;
    for folder in bases.iter().flat_map(|base| [base.clone(), base.join(id)]) {
        let found = FILES.map(|(name, _)| locate(&folder, name));
        let missing: Vec<&str> =
            FILES.iter().zip(&found).filter(|(_, path)| path.is_none()).map(|((name, _), _)| *name).collect();
        if let [Some(a), Some(b), Some(c), Some(d)] = found {
            return Ok(Located { folder, files: [a, b, c, d] });
        }
        if missing.len() < FILES.len() && incomplete.is_none() {
            incomplete = Some(format!("{} lacks {}. ", folder.display(), missing.join(", ")));
        }
        searched.push(folder);
    }
    let advice = incomplete.unwrap_or_default() + advice;
    Err(DataError::NotFound { what: what.to_string(), advice, searched })
}

/// The file under any of the names it goes by; compressed first, because gzip has a checksum of its own.
pub(super) fn locate(folder: &Path, name: &str) -> Option<PathBuf> {
    // A file that is there but may not be looked at counts as found: reading it then says why it cannot be read.
    spellings(name)
        .into_iter()
        .map(|spelling| folder.join(spelling))
        .find(|path| std::fs::metadata(path).map_or_else(|error| !is_absent(&error), |_| true))
}

/// `train-images-idx3-ubyte` is also spelt `train-images.idx3-ubyte`; each may be compressed.
fn spellings(name: &str) -> [String; 4] {
    let dotted = name.replacen("-idx", ".idx", 1);
    [format!("{name}.gz"), format!("{dotted}.gz"), name.to_string(), dotted]
}

fn is_absent(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

fn read_corpus(
    located: &Located,
    expected: Option<&Source>,
    progress: &mut dyn FnMut(usize, usize) -> ControlFlow<()>,
) -> Result<Corpus, DataError> {
    let [train_images, train_labels, test_images, test_labels] = &located.files;
    let train = idx::read_pair(train_images, train_labels)?;
    if progress(1, 2).is_break() {
        return Err(DataError::Cancelled);
    }
    let test = idx::read_pair(test_images, test_labels)?;
    let hashes = [&train.0, &train.1, &test.0, &test.1].map(Idx::sha256);
    let identity = identify(located, &hashes, expected)?;
    let corpus = Corpus {
        train: Dataset::new(format!("{} training", identity.title), train.0.content, train.1.content)?,
        test: Dataset::new(format!("{} test", identity.title), test.0.content, test.1.content)?,
        source: identity.source,
        title: identity.title,
        notes: identity.notes,
    };
    if progress(2, 2).is_break() {
        return Err(DataError::Cancelled);
    }
    Ok(corpus)
}

struct Identity {
    source: String,
    title: String,
    notes: Vec<String>,
}

/// Which data set these four files are, by their checksums.
fn identify(located: &Located, hashes: &[String; 4], expected: Option<&Source>) -> Result<Identity, DataError> {
    if let Some(known) = expected {
        for ((file, found), path) in known.files.iter().zip(hashes).zip(&located.files) {
            if file.sha256 != found {
                let (title, expected) = (known.title.to_string(), file.sha256.to_string());
                return Err(DataError::WrongContent { title, expected, found: found.clone(), path: path.clone() });
            }
        }
        return Ok(Identity { source: known.id.into(), title: known.title.into(), notes: Vec::new() });
    }
    let mut notes = Vec::new();
    for known in SOURCES.iter().filter(|known| !known.is_built_in()) {
        let differing: Vec<&str> = known
            .files
            .iter()
            .zip(hashes)
            .filter(|(file, hash)| file.sha256 != *hash)
            .map(|(file, _)| file.name)
            .collect();
        if differing.is_empty() {
            return Ok(Identity { source: known.id.into(), title: known.title.into(), notes: Vec::new() });
        }
        if differing.len() < FILES.len() {
            notes.push(format!(
                "the other files here are {}'s, but {} is not: damaged, or changed on purpose",
                known.title,
                differing.join(" and ")
            ));
        }
    }
    let name = located.folder.file_name().unwrap_or(located.folder.as_os_str());
    Ok(Identity { source: located.folder.display().to_string(), title: name.to_string_lossy().into_owned(), notes })
}

/// The program's folders as the system places them; `None` without a home folder.
pub(crate) fn application() -> Option<impl AppStrategy> {
    choose_app_strategy(AppStrategyArgs {
        top_level_domain: "org".to_string(),
        author: "digitpad".to_string(),
        app_name: "digitpad".to_string(),
    })
    .ok()
}

/// Where the program keeps data sets: a folder per source inside it. `None` without a home folder.
pub fn data_folder() -> Option<PathBuf> {
    application().map(|folders| folders.data_dir())
}

#[cfg(test)]
mod tests {
    use super::super::idx::write_folder;
    use super::*;

    fn small() -> Corpus {
        Drawn { train: 20, test: 10, seed: 1 }.generate(&mut |_, _| ControlFlow::Continue(())).unwrap()
    }

    /// A folder with the four plain files.
    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        write_folder(folder.path(), &small().train, &small().test).unwrap();
        folder
    }

    fn message(request: &Request) -> String {
        load(request).unwrap_err().to_string()
    }

    #[test]
    fn a_request_is_understood_and_shown_the_same() {
        for text in ["mnist", "drawn", "some/folder"] {
            assert_eq!(Request::parse(text).to_string(), text);
        }
        assert_eq!(Request::parse("drawn"), Request::Drawn(Drawn::default()));
        assert_eq!(Request::parse("mnist"), Request::default());
    }

    #[test]
    fn a_folder_of_the_users_own_is_read_under_any_spelling_of_its_files() {
        let folder = folder();
        let read = load(&Request::Path(folder.path().to_path_buf())).unwrap();
        assert_eq!((read.train.images(), read.test.labels()), (small().train.images(), small().test.labels()));
        assert_eq!((read.source.as_str(), read.notes.len()), (folder.path().to_str().unwrap(), 0));
        for (name, _) in FILES {
            std::fs::rename(folder.path().join(name), folder.path().join(&spellings(name)[3])).unwrap();
        }
        assert_eq!(load(&Request::Path(folder.path().to_path_buf())).unwrap(), read);
        // One of the files stands for its folder.
        let file = folder.path().join("t10k-labels.idx1-ubyte");
        assert_eq!(load(&Request::Path(file)).unwrap(), read);
    }

    #[test]
    fn a_folder_named_mnist_inside_is_found_too_and_the_first_base_wins() {
        let (first, second) = (tempfile::tempdir().unwrap(), folder());
        let inner = first.path().join("mnist");
        std::fs::create_dir(&inner).unwrap();
        let bases = [first.path().to_path_buf(), second.path().to_path_buf()];
        assert_eq!(find_in(&bases, "mnist", "MNIST", "").unwrap().folder, second.path());
        write_folder(&inner, &small().train, &small().test).unwrap();
        assert_eq!(find_in(&bases, "mnist", "MNIST", "").unwrap().folder, inner);
    }

    #[test]
    fn what_is_missing_is_told_with_what_to_do() {
        let folder = folder();
        std::fs::remove_file(folder.path().join("t10k-labels-idx1-ubyte")).unwrap();
        let told = find_in(&[folder.path().to_path_buf()], "mnist", "MNIST", "Bring it").unwrap_err();
        assert!(matches!(told, DataError::NotFound { .. }));
        assert!(told.to_string().contains("lacks t10k-labels-idx1-ubyte. Bring it. Looked in: "), "{told}");
        let told = message(&Request::Path("no-such-folder".into()));
        assert!(told.contains("neither a data set that Digitpad knows (mnist, drawn) nor a folder"), "{told}");
        let told = message(&Request::Path(folder.path().join("gone")));
        assert!(told.ends_with("gone") && told.contains("Name mnist, drawn, or a folder that is there"), "{told}");
        let error = anyhow::Error::new(DataError::io("open", folder.path())(ErrorKind::PermissionDenied.into()));
        assert_eq!(format!("{error:#}").matches("permission denied").count(), 1, "{error:#}");
    }

    #[test]
    fn a_known_source_with_other_content_is_refused_and_a_folder_of_ones_own_is_not() {
        let folder = folder();
        let located = find_in_path(folder.path()).unwrap();
        let told = read_corpus(&located, Some(&SOURCES[0]), &mut |_, _| ControlFlow::Continue(())).unwrap_err();
        assert!(matches!(&told, DataError::WrongContent { path, .. } if path.ends_with("train-images-idx3-ubyte")));
        assert!(told.to_string().contains(SOURCES[0].files[0].sha256));
    }

    #[test]
    fn a_set_that_is_known_but_for_one_file_says_so() {
        let located = Located { folder: "digits".into(), files: [const { PathBuf::new() }; 4] };
        let mut hashes: [String; 4] = std::array::from_fn(|index| SOURCES[0].files[index].sha256.to_string());
        assert_eq!(identify(&located, &hashes, None).unwrap().source, "mnist");
        hashes[1] = "0".repeat(64);
        let identity = identify(&located, &hashes, None).unwrap();
        assert_eq!((identity.source.as_str(), identity.notes.len()), ("digits", 1));
        assert!(identity.notes[0].contains("train-labels-idx1-ubyte.gz is not"), "{}", identity.notes[0]);
    }

    #[test]
    fn a_file_that_is_no_data_set_is_called_by_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("digits.csv");
        std::fs::write(&path, "5,0,0,255\n").unwrap();
        let told = message(&Request::Path(path));
        assert!(told.contains("this file looks like text") && told.ends_with("digits.csv"), "{told}");
    }
}
