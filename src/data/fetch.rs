//! Bringing a known data set here: several addresses in turn, and nothing gets its final name before its unpacked
//! content has the right checksum. How a server is waited for is told in `patience.rs`.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use ureq::Error;
use ureq::tls::RootCerts;

use super::idx::{self, FILES, Kind};
use super::load::{data_folder, locate};
use super::patience::{Limits, Patience};
use super::sources::SourceFile;
use super::{DataError, Source};

const LIMITS: Limits = Limits { connect: Duration::from_secs(10), silence: Duration::from_secs(20) };
/// Pause between two tries to get a lock that another process holds.
const LOCK_PAUSE: Duration = Duration::from_millis(200);
const LOCK_NAME: &str = ".fetch.lock";
const PARTIAL_PREFIX: &str = ".fetch-";
const PARTIAL_SUFFIX: &str = ".part";

/// How far a fetch has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FetchProgress<'a> {
    /// The file that is on its way.
    pub file: &'a str,
    /// Where it is coming from; empty while another process is fetching into the same folder.
    pub address: &'a str,
    /// Bytes of the whole set that are here.
    pub bytes: u64,
    /// Bytes of the whole set.
    pub total: u64,
}

/// Told how far the fetch has come, at least about once a second even while nothing arrives; `Break` stops it.
pub type FetchWatch = Arc<dyn Fn(&FetchProgress<'_>) -> ControlFlow<()> + Send + Sync>;

/// What a fetch that succeeded did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    /// Where the files are.
    pub folder: PathBuf,
    /// Files that were brought.
    pub fetched: usize,
    /// Files that were there already, and right.
    pub kept: usize,
}

/// Brings a known data set from its own addresses into the data folder of the program, where [`super::find`] looks.
///
/// # Errors
/// As [`fetch`]; [`DataError::NoDataFolder`] without a home folder.
pub fn fetch_known(source: &Source, watch: FetchWatch) -> Result<Fetched, DataError> {
    let folder = data_folder().ok_or(DataError::NoDataFolder)?.join(source.id);
    fetch(source, source.addresses, &folder, watch)
}

/// Brings the files of `source` into `folder`, trying the folders of `addresses` in turn. Files that are already right
/// are kept; two processes that fetch into one folder wait for each other. Proxies are taken from the environment
/// (`HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`). A built-in source needs nothing.
///
/// # Errors
/// [`DataError::FetchFailed`] with what each address answered and how to bring the files by hand,
/// [`DataError::Cancelled`], or [`DataError::Io`] when the folder cannot be written.
pub fn fetch(
    source: &Source,
    addresses: &[impl AsRef<str>],
    folder: &Path,
    watch: FetchWatch,
) -> Result<Fetched, DataError> {
    fetch_within(LIMITS, source, addresses, folder, watch)
}

fn fetch_within(
    limits: Limits,
    source: &Source,
    addresses: &[impl AsRef<str>],
    folder: &Path,
    watch: FetchWatch,
) -> Result<Fetched, DataError> {
    let jobs: Vec<(&SourceFile, Kind)> = source.files.iter().zip(FILES).map(|(file, (_, kind))| (file, kind)).collect();
    let all_right = Fetched { folder: folder.to_path_buf(), fetched: 0, kept: jobs.len() };
    // Before anything is written: a complete set in a read-only folder is no failure.
    if jobs.iter().all(|(file, kind)| is_right(folder, file, *kind)) {
        return Ok(all_right);
    }
    std::fs::create_dir_all(folder).map_err(DataError::io("create the folder for data", folder))?;
    let total = source.packed_bytes();
    let _lock = lock(folder, &|| watch(&FetchProgress { file: source.title, address: "", bytes: 0, total }))?;
    remove_partial_files(folder);

    let mut outcome = Fetched { kept: 0, ..all_right };
    let mut addresses: Vec<&str> = addresses.iter().map(AsRef::as_ref).collect();
    let mut done = 0;
    for (file, kind) in jobs {
        if is_right(folder, file, kind) {
            outcome.kept += 1;
        } else {
            let mut answers = Vec::new();
            let mut arrived = false;
            for position in 0..addresses.len() {
                let address = addresses[position];
                let exchange = Exchange::new(file, kind, address, done, total, &watch);
                match exchange.bring(limits, folder) {
                    Ok(()) => {
                        // The next file starts where this one was found.
                        addresses[..=position].rotate_right(1);
                        arrived = true;
                        break;
                    }
                    Err(Failure::Here(error)) => return Err(error),
                    Err(Failure::There(answer)) => answers.push(format!("  {}: {answer}", exchange.url)),
                }
            }
            if !arrived {
                return Err(DataError::FetchFailed { message: by_hand(source, file, &answers, folder) });
            }
            outcome.fetched += 1;
        }
        done += file.packed_bytes;
    }
    sync_folder(folder);
    Ok(outcome)
}

/// Whose fault a failure is: another address may help, or not.
enum Failure {
    Here(DataError),
    There(String),
}

/// One file from one address.
struct Exchange<'a> {
    file: &'a SourceFile,
    kind: Kind,
    url: String,
    state: Arc<State>,
}

/// What the callback is told; shared with the waiting inside of the connection.
struct State {
    watch: FetchWatch,
    file: String,
    url: String,
    bytes: AtomicU64,
    total: u64,
    stopped: AtomicBool,
}

impl State {
    fn is_stopped(&self) -> bool {
        let bytes = self.bytes.load(Ordering::Relaxed);
        let progress = FetchProgress { file: &self.file, address: &self.url, bytes, total: self.total };
        if !self.stopped.load(Ordering::Relaxed) && (self.watch)(&progress).is_break() {
            self.stopped.store(true, Ordering::Relaxed);
        }
        self.stopped.load(Ordering::Relaxed)
    }
}

impl<'a> Exchange<'a> {
    fn new(file: &'a SourceFile, kind: Kind, address: &str, done: u64, total: u64, watch: &FetchWatch) -> Self {
        let url = format!("{}/{}", address.trim_end_matches('/'), file.name);
        let state = State {
            watch: watch.clone(),
            file: file.name.to_string(),
            url: url.clone(),
            bytes: AtomicU64::new(done),
            total,
            stopped: AtomicBool::new(false),
        };
        Self { file, kind, url, state: Arc::new(state) }
    }

    /// Download to a temporary file beside the final one, check, and only then give it its name.
    fn bring(&self, limits: Limits, folder: &Path) -> Result<(), Failure> {
        let path = folder.join(self.file.name);
        let here = |action| {
            let path = path.clone();
            move |cause| Failure::Here(DataError::Io { action, path: path.clone(), cause })
        };
        let mut partial = partial_file(folder).map_err(here("create a file beside"))?;
        let downloaded = self.download(limits, partial.as_file_mut(), &here("write the data file"));
        if self.state.stopped.load(Ordering::Relaxed) {
            return Err(Failure::Here(DataError::Cancelled));
        }
        downloaded?;
        partial.as_file().sync_all().map_err(here("write the data file"))?;
        self.check(partial.path())?;
        partial.persist(&path).map_err(|error| here("give its name to the data file")(error.error))?;
        Ok(())
    }

    fn download(
        &self,
        limits: Limits,
        partial: &mut File,
        here: &dyn Fn(std::io::Error) -> Failure,
    ) -> Result<(), Failure> {
        let state = self.state.clone();
        let patience = Patience { limits, is_over: Arc::new(move || state.is_stopped()) };
        // First the certificates that the system trusts, a company's own among them; a bare system has none, and then
        // Mozilla's list serves. The checksum decides in any case.
        let ask = |roots| patience.agent(&self.url, roots).get(&self.url).call();
        let mut answer = ask(RootCerts::PlatformVerifier);
        if self.url.starts_with("https:") && matches!(answer, Err(Error::Io(_) | Error::Rustls(_) | Error::Tls(_))) {
            answer = ask(RootCerts::WebPki);
        }
        let response = answer.map_err(there)?;
        let mut body = response.into_body().into_reader();
        // Packers differ a little, so the size is no proof; it only bounds what is read.
        let most = self.file.packed_bytes + self.file.packed_bytes / 8 + 4096;
        let (mut received, mut buffer) = (0, vec![0; 1 << 16]);
        loop {
            if self.state.is_stopped() {
                return Err(Failure::Here(DataError::Cancelled));
            }
            match body.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(count) => {
                    received += count as u64;
                    if received > most {
                        let size = self.file.packed_bytes;
                        return Err(Failure::There(format!("sends more than the {size} bytes that the file has")));
                    }
                    partial.write_all(&buffer[..count]).map_err(here)?;
                    self.state.bytes.fetch_add(count as u64, Ordering::Relaxed);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(there(Error::from(error))),
            }
        }
    }

    fn check(&self, partial: &Path) -> Result<(), Failure> {
        match idx::read(partial, self.kind) {
            Ok(found) if found.sha256() == self.file.sha256 => Ok(()),
            Ok(found) => {
                let answer = format!("sent other content: SHA-256 {}, expected {}", found.sha256(), self.file.sha256);
                Err(Failure::There(answer))
            }
            Err(DataError::Malformed { problem, .. }) => Err(Failure::There(format!("sent something else: {problem}"))),
            Err(error) => Err(Failure::Here(error)),
        }
    }
}

fn there(error: Error) -> Failure {
    Failure::There(match error {
        Error::StatusCode(status) => format!("answered with HTTP status {status}"),
        Error::HostNotFound => "its name is not known here; is there a network?".to_string(),
        Error::Timeout(_) => "did not answer in time".to_string(),
        Error::Io(error) if error.kind() == ErrorKind::UnexpectedEof => "broke off in the middle".to_string(),
        other => other.to_string(),
    })
}

fn is_right(folder: &Path, file: &SourceFile, kind: Kind) -> bool {
    let name = file.name.trim_end_matches(".gz");
    locate(folder, name).is_some_and(|path| idx::read(&path, kind).is_ok_and(|found| found.sha256() == file.sha256))
}

fn by_hand(source: &Source, failed: &SourceFile, answers: &[String], folder: &Path) -> String {
    let files: Vec<String> =
        source.files.iter().map(|file| format!("  {} (SHA-256 after unpacking: {})", file.name, file.sha256)).collect();
    format!(
        "{} could not be fetched: no address gave the right {}.\n{}\n\
         To bring it by hand, get these files from any of\n  {}\n{}\nand put them into {}",
        source.title,
        failed.name,
        answers.join("\n"),
        source.addresses.join("\n  "),
        files.join("\n"),
        folder.display()
    )
}

/// Holds the folder's lock until dropped; the system lets go of it when a process dies.
fn lock(folder: &Path, keep_waiting: &dyn Fn() -> ControlFlow<()>) -> Result<Option<File>, DataError> {
    let path = folder.join(LOCK_NAME);
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(DataError::io("write into the folder for data", &path))?;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(Some(file)),
            Err(TryLockError::WouldBlock) if keep_waiting().is_break() => return Err(DataError::Cancelled),
            Err(TryLockError::WouldBlock) => std::thread::sleep(LOCK_PAUSE),
            // Some network file systems have no locks. Names are given atomically anyway; only work may be done twice.
            Err(TryLockError::Error(_)) => return Ok(None),
        }
    }
}

fn partial_file(folder: &Path) -> std::io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(PARTIAL_PREFIX).suffix(PARTIAL_SUFFIX);
    #[cfg(unix)]
    {
        // Temporary files are private by default; this one becomes an ordinary file (the umask still applies).
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o644));
    }
    builder.tempfile_in(folder)
}

/// What a process left that was killed. Only called under the lock.
fn remove_partial_files(folder: &Path) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with(PARTIAL_PREFIX) && name.ends_with(PARTIAL_SUFFIX) {
            // Leftovers harm nobody, so one that cannot be removed is not worth a failure.
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

/// Makes the new names survive a power cut, where the system can do that for folders.
fn sync_folder(folder: &Path) {
    #[cfg(unix)]
    if let Ok(folder) = File::open(folder) {
        let _ = folder.sync_all();
    }
    #[cfg(not(unix))]
    let _ = folder;
}

#[cfg(test)]
mod tests;
