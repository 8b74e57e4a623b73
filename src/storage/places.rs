//! Where the program keeps its things. Makes no folder: whoever writes there does.

use std::path::{Path, PathBuf};

use etcetera::AppStrategy;

use crate::data;

/// The program's folders.
///
/// On Linux these are `~/.config/digitpad`, `~/.local/share/digitpad` and `~/.local/state/digitpad`, or what the XDG
/// variables say; other systems have their own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Places {
    /// What a person chose.
    pub config: PathBuf,
    /// Runs and data sets: what took work to make or to fetch.
    pub data: PathBuf,
    /// What may be lost without harm, such as notes on a crash.
    pub state: PathBuf,
}

impl Places {
    /// The folders that the system assigns; `None` without a home folder.
    pub fn of_the_system() -> Option<Self> {
        let folders = data::load::application()?;
        let data = folders.data_dir();
        let state = folders.state_dir().unwrap_or_else(|| data.join("state"));
        Some(Self { config: folders.config_dir(), data, state })
    }

    /// Everything inside one folder, as on a memory stick.
    pub fn inside(folder: &Path) -> Self {
        Self { config: folder.to_path_buf(), data: folder.to_path_buf(), state: folder.join("state") }
    }

    /// The file of [`super::Settings`].
    pub fn settings_file(&self) -> PathBuf {
        self.config.join("settings.toml")
    }

    /// The file of the pinned drawings.
    pub fn pins_file(&self) -> PathBuf {
        self.data.join("pins.json")
    }

    /// The folder of the drawings that a person keeps.
    pub fn drawings(&self) -> PathBuf {
        self.data.join("drawings")
    }

    /// The folder that has a folder per run.
    pub fn runs(&self) -> PathBuf {
        self.data.join("runs")
    }
}

/// The folder of runs: the one that was named, or else the program's own. `None` when neither is known.
pub fn runs_folder(named: Option<&Path>) -> Option<PathBuf> {
    named.map(Path::to_path_buf).or_else(|| Places::of_the_system().map(|places| places.runs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_named_folder_goes_before_the_systems() {
        assert_eq!(runs_folder(Some(Path::new("mine"))), Some(PathBuf::from("mine")));
    }

    #[test]
    fn runs_lie_beside_the_data_sets_and_carry_the_programs_name() {
        if let Some(places) = Places::of_the_system() {
            assert_eq!(Some(places.data.clone()), data::data_folder());
            assert_eq!(places.runs().parent(), Some(places.data.as_path()));
            for folder in [&places.config, &places.data, &places.state] {
                assert!(folder.is_absolute() && folder.to_string_lossy().contains("digitpad"), "{}", folder.display());
            }
        }
        assert_eq!(Places::inside(Path::new("stick")).settings_file(), Path::new("stick/settings.toml"));
    }
}
