//! The few things that writing a checkpoint asks of a disk, behind a trait: tests put one in its place that fails, or stops,
//! at every single one of them.

use std::fs::{self, File};
use std::io;
use std::path::Path;

/// What a disk can be asked for. Each call can fail.
pub(super) trait Files: Send {
    /// Makes a folder, if there is none.
    fn create_folder(&mut self, path: &Path) -> io::Result<()>;
    /// Writes a new file, or over one.
    fn write(&mut self, path: &Path, bytes: &[u8]) -> io::Result<()>;
    /// Makes a file's content survive a power cut.
    fn sync(&mut self, path: &Path) -> io::Result<()>;
    /// The same for the names in a folder.
    fn sync_folder(&mut self, path: &Path) -> io::Result<()>;
    /// Gives a folder another name that nothing has, at one instant.
    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()>;
    /// Removes a folder with all that is in it.
    fn remove_folder(&mut self, path: &Path) -> io::Result<()>;
}

/// The disk itself.
pub(super) struct Disk;

impl Files for Disk {
    fn create_folder(&mut self, path: &Path) -> io::Result<()> {
        fs::create_dir_all(path)
    }

    fn write(&mut self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        fs::write(path, bytes)
    }

    fn sync(&mut self, path: &Path) -> io::Result<()> {
        File::options().write(true).open(path)?.sync_all()
    }

    fn sync_folder(&mut self, path: &Path) -> io::Result<()> {
        super::atomic::sync_folder(path);
        Ok(())
    }

    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove_folder(&mut self, path: &Path) -> io::Result<()> {
        fs::remove_dir_all(path)
    }
}
