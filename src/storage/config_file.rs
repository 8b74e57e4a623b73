//! A training configuration in a file of its own. What stands in it is the affair of [`crate::training`].

use std::fs::File;
use std::io::Read;
use std::path::Path;

use anyhow::{Result, anyhow, ensure};

use crate::training::TrainingConfig;

/// A file larger than this is no configuration.
const LARGEST_FILE: u64 = 1 << 20;

/// Reads the configuration at `path`. Fails with the place in the file where it cannot be understood.
pub fn read(path: &Path) -> Result<TrainingConfig> {
    let mut text = String::new();
    let mut read = || File::open(path)?.take(LARGEST_FILE + 1).read_to_string(&mut text);
    let length = read().map_err(|error| anyhow!("this configuration cannot be read ({error}): {}", path.display()))?;
    ensure!(length as u64 <= LARGEST_FILE, "more than 1 MB is no configuration: {}", path.display());
    TrainingConfig::from_toml(&text)
        .map_err(|error| anyhow!("this configuration cannot be used ({error}): {}", path.display()))
}
