//! Settings of a training as files: opened into the form, and saved from it.

use std::path::{Path, PathBuf};

use super::app::App;
use super::places::Place;
use super::training_form::TrainingForm;
use super::widgets::notice::NoticeKind;
use crate::storage::config_file;

impl App {
    /// Takes the settings of a configuration file. One that cannot be used changes nothing, and the sentence says where it is
    /// wrong.
    pub(super) fn open_config(&mut self, path: &Path) {
        match config_file::read(path) {
            Ok(config) => {
                self.form = TrainingForm::of(config);
                self.go(Place::Train);
            }
            Err(error) => {
                self.notices.push(NoticeKind::Warning, format!("{error:#}"), None);
            }
        }
    }

    /// Writes the form's settings. Where one of them cannot be, nothing is written.
    pub(super) fn save_config(&mut self, path: PathBuf) {
        let path = if path.extension().is_some() { path } else { path.with_extension("toml") };
        let written = match self.form.config() {
            Ok(config) => config_file::write(&path, &config).map_err(|error| format!("{error:#}")),
            Err((_, sentence)) => Err(format!("Not saved, because a setting cannot be: {sentence}")),
        };
        match written {
            Ok(()) => self.notices.push(NoticeKind::Done, format!("Settings saved: {}", path.display()), None),
            Err(sentence) => self.notices.push(NoticeKind::Warning, sentence, None),
        };
    }
}
