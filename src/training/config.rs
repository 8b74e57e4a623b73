//! Everything that decides a run, in one type: the file `digitpad train config.toml` reads, the window's form, the
//! presets, and the first file of every run folder.

use serde::{Deserialize, Serialize};

use crate::data::Augmentation;
use crate::models::{self, Architecture};
use crate::nn::{Initialisation, Loss};
use crate::optim::{OptimizerConfig, Schedule};

/// The version that this program writes; files of later versions are refused.
const VERSION: u32 = 1;

/// A run's settings. The same configuration on the same kind of processor gives the same weights.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainingConfig {
    /// Of the file format: 1.
    #[serde(default = "version")]
    pub version: u32,
    /// Id of the model, as in [`models::CATALOG`].
    pub model: String,
    /// `mnist`, `drawn`, or a folder with IDX files.
    #[serde(default = "data")]
    pub data: String,
    /// Decides initial weights, order, dropout and distortions.
    #[serde(default = "seed")]
    pub seed: u64,
    pub epochs: u32,
    /// Images per update.
    pub batch_size: usize,
    /// Before the schedule's factor.
    pub learning_rate: f64,
    /// Images of the training set kept for validation, every digit in its share; 0 trains on all.
    #[serde(default = "validation")]
    pub validation: usize,
    /// Train on only so many of the rest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub train_limit: Option<usize>,
    /// What training makes small; models that end in distances have losses of their own.
    #[serde(default, skip_serializing_if = "is_usual")]
    pub loss: Loss,
    /// How the parameters begin.
    #[serde(default, skip_serializing_if = "is_usual")]
    pub initialisation: Initialisation,
    /// Whether the run keeps the weights of every epoch, and not the best and the last alone.
    #[serde(default, skip_serializing_if = "is_usual")]
    pub keep_epochs: bool,
    /// Whether every epoch meets the images in an order of its own.
    #[serde(default, skip_serializing_if = "is_usual")]
    pub order: Order,
    pub optimizer: OptimizerConfig,
    #[serde(default)]
    pub schedule: Schedule,
    /// Random distortions of the training images; all 0 is none.
    #[serde(default)]
    pub augmentation: Augmentation,
}

/// The order in which an epoch meets the training images.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// Random, another one every epoch.
    #[default]
    Fresh,
    /// Random, the same one every epoch (LeCun et al. 1998, section III-B).
    Constant,
}

/// What most runs leave as it is stays out of their files.
fn is_usual<T: Default + PartialEq>(setting: &T) -> bool {
    *setting == T::default()
}

fn version() -> u32 {
    VERSION
}
fn data() -> String {
    "mnist".to_owned()
}
fn seed() -> u64 {
    1
}
fn validation() -> usize {
    5_000
}

/// What is wrong with a configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A sentence with line and column.
    #[error("{0}")]
    Syntax(String),
    #[error("{0}")]
    Setting(String),
}

impl TrainingConfig {
    /// Reads TOML. Unknown keys, wrong types and later versions are refused, with line and column.
    pub fn from_toml(text: &str) -> Result<Self, ConfigError> {
        if text.len() > 1 << 20 {
            return Err(ConfigError::Syntax(format!("a configuration of {} bytes is no configuration", text.len())));
        }
        let text = text.trim_start_matches('\u{feff}');
        let config: Self = toml::from_str(text).map_err(|error| {
            let at = error.span().map_or(String::new(), |span| {
                let before = &text[..span.start.min(text.len())];
                let line = before.matches('\n').count() + 1;
                let column = before.chars().rev().take_while(|&c| c != '\n').count() + 1;
                format!("line {line}, column {column}: ")
            });
            ConfigError::Syntax(format!("{at}{}", error.message()))
        })?;
        if config.version != VERSION {
            return Err(ConfigError::Setting(format!(
                "this configuration is of version {}, this program reads version {VERSION}",
                config.version
            )));
        }
        config.validate()?;
        Ok(config)
    }

    /// As TOML that [`TrainingConfig::from_toml`] reads back to the same configuration.
    pub fn to_toml(&self) -> String {
        toml::to_string(self).unwrap_or_else(|error| format!("# this configuration cannot be written: {error}\n"))
    }

    /// A sentence for the first setting that cannot be.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let refuse = |sentence: String| Err(ConfigError::Setting(sentence));
        self.architecture()?;
        if !(self.learning_rate.is_finite() && self.learning_rate > 0.0 && self.learning_rate <= 100.0) {
            return refuse(format!("the learning rate must be above 0 and at most 100, got {}", self.learning_rate));
        }
        if !(1..=10_000).contains(&self.epochs) {
            return refuse(format!("the number of epochs lies between 1 and 10,000, got {}", self.epochs));
        }
        if !(1..=10_000).contains(&self.batch_size) {
            return refuse(format!("the batch size lies between 1 and 10,000, got {}", self.batch_size));
        }
        if self.train_limit == Some(0) {
            return refuse("a limit of 0 training images leaves nothing to train on".to_owned());
        }
        if i64::try_from(self.seed).is_err() {
            return refuse(format!("the seed lies between 0 and {}, got {}", i64::MAX, self.seed));
        }
        self.validate_loss()?;
        self.optimizer.validate().map_err(ConfigError::Setting)?;
        self.schedule.validate().map_err(ConfigError::Setting)?;
        self.augmentation.validate().map_err(ConfigError::Setting)
    }

    /// Distances have losses of their own, and these losses know nothing else.
    fn validate_loss(&self) -> Result<(), ConfigError> {
        let refuse = |sentence: String| Err(ConfigError::Setting(sentence));
        let network = (self.architecture()?.network)()
            .map_err(|error| ConfigError::Setting(format!("the model {} cannot be built: {error}", self.model)))?;
        if let Loss::DistanceMap { j } = self.loss
            && !(j.is_finite() && j > 0.0)
        {
            return refuse(format!("j of the loss, the distance of a rubbish class, must be above 0, got {j}"));
        }
        match (network.gives_distances(), self.loss.is_of_distances()) {
            (true, false) => refuse(format!(
                "{} ends in distances: its loss is \"distance\" or \"distance-map\", not cross-entropy",
                self.model
            )),
            (false, true) => refuse(format!("{} has no distances: its loss is \"cross-entropy\"", self.model)),
            _ => Ok(()),
        }
    }

    /// Updates of one epoch of so many training images.
    pub fn updates_per_epoch(&self, images: usize) -> u64 {
        self.optimizer.updates_per_epoch(images, self.batch_size)
    }

    /// The model that is trained.
    pub fn architecture(&self) -> Result<&'static Architecture, ConfigError> {
        models::find(&self.model).ok_or_else(|| {
            let known: Vec<&str> = models::CATALOG.iter().map(|architecture| architecture.id).collect();
            ConfigError::Setting(format!("there is no model \"{}\"; known are {}", self.model, known.join(", ")))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINIMAL: &str =
        "model = \"mlp\"\nepochs = 2\nbatch_size = 64\nlearning_rate = 0.001\n[optimizer]\nkind = \"adam\"\n";

    #[test]
    fn what_is_written_reads_back_the_same() {
        let config = TrainingConfig::from_toml(MINIMAL).unwrap();
        assert_eq!(TrainingConfig::from_toml(&config.to_toml()).unwrap(), config);
        assert_eq!((config.validation, config.seed), (5_000, 1));
    }

    #[test]
    fn what_cannot_be_is_told_with_its_place() {
        for (change, expected) in [
            (MINIMAL.replace("epochs", "epoch"), "line 2, column 1"),
            (MINIMAL.replace("0.001", "nan"), "learning rate must be above 0"),
            (MINIMAL.replace("0.001", "-1.0"), "learning rate must be above 0"),
            (MINIMAL.replace("0.001", "1e30"), "learning rate must be above 0"),
            (MINIMAL.replace("64", "\"many\""), "line 3, column 14"),
            (MINIMAL.replace("mlp", "mlp-9000"), "known are lenet5"),
            (format!("version = 2\n{MINIMAL}"), "version 2"),
            (MINIMAL.replace("epochs = 2", "epochs = 0"), "epochs lies between"),
            (format!("{MINIMAL}beta1 = 1.0\n"), "beta1 lies in"),
        ] {
            let error = TrainingConfig::from_toml(&change).unwrap_err().to_string();
            assert!(error.contains(expected), "expected {expected:?} in {error:?}");
        }
    }

    #[test]
    fn deep_nesting_and_strange_bytes_are_refused_without_harm() {
        for text in ["[".repeat(10_000), "a = ".repeat(5_000), "\u{feff}".to_owned(), "x".repeat(2 << 20)] {
            assert!(TrainingConfig::from_toml(&text).is_err());
        }
    }
}
