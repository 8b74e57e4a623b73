//! A training configuration in a file of its own. What stands in it is the affair of [`crate::training`].

use std::fs::File;
use std::io::Read;
use std::path::Path;

use anyhow::{Result, anyhow, ensure};

use super::{shipped, write_atomically};
use crate::data::Request;
use crate::training::TrainingConfig;

/// A file larger than this is no configuration.
const LARGEST_FILE: u64 = 1 << 20;

/// Writes the configuration to `path`, wholly or not at all.
///
/// # Errors
/// Where the file cannot be written.
pub fn write(path: &Path, config: &TrainingConfig) -> Result<()> {
    write_atomically(path, config.to_toml().as_bytes())
        .map_err(|error| anyhow!("the settings could not be saved ({error}): {}", path.display()))
}

/// The same settings with every file and folder named so that it is found from anywhere: a run is gone on with, and repeated, from
/// other folders than the one where it was begun.
pub fn with_whole_paths(config: &TrainingConfig) -> TrainingConfig {
    let whole =
        |path: &str| std::path::absolute(path).map_or_else(|_| path.to_owned(), |path| path.display().to_string());
    let file = |named: &String| if Path::new(named).is_file() { whole(named) } else { named.clone() };
    let mut config = config.clone();
    if matches!(Request::parse(&config.data), Request::Path(_)) {
        config.data = whole(&config.data);
    }
    // a shipped model has its name before any file
    config.from = config.from.map(|from| if shipped::find(&from).is_some() { from } else { file(&from) });
    config.beside.pens = config.beside.pens.as_ref().map(file);
    config
}

/// Reads the configuration at `path`. Fails with the place in the file where it cannot be understood.
pub fn read(path: &Path) -> Result<TrainingConfig> {
    let mut text = String::new();
    let mut read = || File::open(path)?.take(LARGEST_FILE + 1).read_to_string(&mut text);
    let length = read().map_err(|error| anyhow!("this configuration cannot be read ({error}): {}", path.display()))?;
    ensure!(length as u64 <= LARGEST_FILE, "more than 1 MB is no configuration: {}", path.display());
    TrainingConfig::from_toml(&text)
        .map_err(|error| anyhow!("this configuration cannot be used ({error}): {}", path.display()))
}
