//! A training configuration in a file of its own. What stands in it is the affair of [`crate::training`].

use std::fs::File;
use std::io::Read;
use std::path::Path;

use anyhow::{Result, anyhow, ensure};

use super::write_atomically;
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

/// Reads the configuration at `path`. Fails with the place in the file where it cannot be understood.
pub fn read(path: &Path) -> Result<TrainingConfig> {
    let mut text = String::new();
    let mut read = || File::open(path)?.take(LARGEST_FILE + 1).read_to_string(&mut text);
    let length = read().map_err(|error| anyhow!("this configuration cannot be read ({error}): {}", path.display()))?;
    ensure!(length as u64 <= LARGEST_FILE, "more than 1 MB is no configuration: {}", path.display());
    TrainingConfig::from_toml(&text)
        .map_err(|error| anyhow!("this configuration cannot be used ({error}): {}", path.display()))
}
