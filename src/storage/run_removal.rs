//! Deleting runs so that it can be taken back: a run's folder gets a name that nobody lists, and what has such a name is
//! removed for good later.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

const PREFIX: &str = ".deleted-";

/// Puts a run aside, in the folder where it is. Answers where it lies then, for [`restore`].
///
/// # Errors
/// Where a program is writing the run, or its folder cannot be renamed.
pub fn put_aside(run: &Path) -> Result<PathBuf> {
    if let Ok(lock) = File::open(run.join("LOCK"))
        && let Err(TryLockError::WouldBlock) = lock.try_lock()
    {
        bail!("this run is being written; stop it before it is deleted: {}", run.display());
    }
    let name = run.file_name().with_context(|| format!("this is no run: {}", run.display()))?.to_string_lossy();
    let aside = (1..1_000)
        .map(|n| if n == 1 { format!("{PREFIX}{name}") } else { format!("{PREFIX}{n}-{name}") })
        .map(|aside| run.with_file_name(aside))
        .find(|path| !path.exists())
        .with_context(|| format!("too many runs of this name were deleted: {}", run.display()))?;
    fs::rename(run, &aside).with_context(|| format!("this run cannot be deleted: {}", run.display()))?;
    Ok(aside)
}

/// Gives a run that was put aside its folder back.
///
/// # Errors
/// Where another start of the program has removed it, or another run has its name now.
pub fn restore(aside: &Path, run: &Path) -> Result<()> {
    if run.exists() {
        bail!("another run has this name now: {}", run.display());
    }
    fs::rename(aside, run).with_context(|| format!("this run cannot be brought back: {}", run.display()))
}

/// Removes for good what was put aside in the folder of runs. What cannot be removed now is tried again at the next start.
pub fn remove_for_good(runs: &Path) {
    let Ok(entries) = fs::read_dir(runs) else { return };
    for entry in entries.flatten() {
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if is_folder && entry.file_name().to_string_lossy().starts_with(PREFIX) {
            let _tried_again = fs::remove_dir_all(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::{run_folder, runs};

    #[test]
    fn a_deleted_run_is_nowhere_listed_and_comes_back_whole() {
        let folder = tempfile::tempdir().unwrap();
        let run = folder.path().join("a_20240101_000000");
        fs::create_dir_all(run.join("checkpoints")).unwrap();
        fs::write(run.join("config.toml"), "kept").unwrap();
        let aside = put_aside(&run).unwrap();
        assert!(!run.exists() && runs::read_all(folder.path(), &|| false).unwrap().unwrap().is_empty());
        for name in ["last", "a", "a_20240101_000000"] {
            assert_eq!(run_folder::find(folder.path(), name), None, "{name}");
        }
        restore(&aside, &run).unwrap();
        assert_eq!(fs::read_to_string(run.join("config.toml")).unwrap(), "kept");

        // twice the same name, and a name that is taken again
        let first = put_aside(&run).unwrap();
        fs::create_dir(&run).unwrap();
        assert!(restore(&first, &run).unwrap_err().to_string().contains("another run has this name"));
        let second = put_aside(&run).unwrap();
        assert_ne!(first, second);
        fs::create_dir(folder.path().join("other")).unwrap();
        remove_for_good(folder.path());
        let left: Vec<_> = fs::read_dir(folder.path()).unwrap().flatten().map(|entry| entry.file_name()).collect();
        assert_eq!(left, ["other"]);
        assert!(restore(&second, &run).unwrap_err().to_string().contains("cannot be brought back"));
    }

    #[test]
    fn a_run_that_is_being_written_is_not_deleted() {
        let folder = tempfile::tempdir().unwrap();
        let run = folder.path().join("a_20240101_000000");
        fs::create_dir(&run).unwrap();
        let lock = File::create(run.join("LOCK")).unwrap();
        lock.try_lock().unwrap();
        assert!(put_aside(&run).unwrap_err().to_string().contains("being written"));
        assert!(run.exists());
        drop(lock);
        put_aside(&run).unwrap();
        assert!(put_aside(&run).is_err(), "what is not there cannot be deleted");
    }
}
