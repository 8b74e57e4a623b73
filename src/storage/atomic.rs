//! Writing a file so that a reader finds the old one or the new one, never half of one, also after a power cut.
//! What the bytes mean is not known here.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// A file could not be written; what was there before is untouched.
#[derive(Debug, thiserror::Error)]
#[error("could not write ({source}); what was there before is untouched: {}", .path.display())]
pub struct WriteError {
    /// The file that should have been written.
    pub path: PathBuf,
    /// What the system said.
    pub source: std::io::Error,
}

/// Writes `bytes` beside `path`, makes them durable, and only then gives them the name. The folder must exist. Where
/// `path` is a symbolic link, the file that it points to is replaced.
///
/// # Errors
/// [`WriteError`] with the path, such as on a full disk or in a read-only folder. Nothing is left behind then.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), WriteError> {
    let target = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    replace(&target, bytes).map_err(|source| WriteError { path: path.to_path_buf(), source })
}

fn replace(target: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = beside(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(target).map_err(|error| error.error)?;
    sync_folder(folder);
    Ok(())
}

/// A temporary file in the same folder, because a name can only be given atomically within one file system. It is
/// removed when dropped without a name.
fn beside(folder: &Path) -> std::io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".digitpad-").suffix(".tmp");
    #[cfg(unix)]
    {
        // Temporary files are private by default; this one becomes an ordinary file (the umask still applies).
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(folder)
}

/// Makes new names in `folder` survive a power cut, where the system can do that for folders. The content is safe
/// already, so a refusal is not worth a failure.
pub fn sync_folder(folder: &Path) {
    #[cfg(unix)]
    if let Ok(folder) = File::open(folder) {
        let _ = folder.sync_all();
    }
    #[cfg(not(unix))]
    let _: (&Path, Option<File>) = (folder, None);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(folder).unwrap().flatten();
        entries.map(|entry| entry.file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn a_file_is_replaced_whole_and_nothing_else_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ü 日本.toml");
        for content in ["first, and longer", "second", ""] {
            write_atomically(&path, content.as_bytes()).unwrap();
            assert_eq!(std::fs::read_to_string(&path).unwrap(), content);
        }
        assert_eq!(names(folder.path()), ["ü 日本.toml"]);
    }

    #[test]
    fn a_failure_names_the_file_and_keeps_what_was_there() {
        let folder = tempfile::tempdir().unwrap();
        let absent = folder.path().join("absent").join("file");
        let message = write_atomically(&absent, b"x").unwrap_err().to_string();
        assert!(message.starts_with("could not write (") && message.ends_with("file"), "{message}");
        // A folder cannot be replaced by a file.
        let taken = folder.path().join("taken");
        std::fs::create_dir(&taken).unwrap();
        assert!(write_atomically(&taken, b"x").is_err());
        assert_eq!(names(folder.path()), ["taken"]);
    }

    #[cfg(unix)]
    #[test]
    fn the_file_is_an_ordinary_one_and_a_link_stays_a_link() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let (plain, written, link) =
            (folder.path().join("plain"), folder.path().join("written"), folder.path().join("link"));
        std::fs::write(&plain, "").unwrap();
        write_atomically(&written, b"").unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode(&written), mode(&plain));
        std::os::unix::fs::symlink(&written, &link).unwrap();
        write_atomically(&link, b"through the link").unwrap();
        assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(std::fs::read(&written).unwrap(), b"through the link");
    }
}
