//! Everything that decides a run, in one type: the file `digitpad train config.toml` reads, the window's form, the
//! presets, and the first file of every run folder.

use serde::{Deserialize, Serialize};

use super::{EarlyStopping, toml_place};
use crate::data::{Augmentation, Beside};
use crate::models::{self, Architecture, Backward};
use crate::nn::{Initialisation, Loss, Network};
use crate::optim::{OptimizerConfig, RateCurve, Schedule};

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
    /// The rate of every dropout layer in place of the model's own; 0 switches them off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dropout: Option<f32>,
    /// Weights to start from instead: a shipped model's id, a run, or a weights file. Layers are copied where their names and
    /// shapes agree; the others begin as `initialisation` says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The layers up to the one of this name, itself included, stay as they were copied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub freeze_up_to: Option<String>,
    /// The greatest length of a batch's gradient, all parameters taken as one vector; longer ones are scaled down to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clip_norm: Option<f64>,
    /// The share of the run in which the learning rate rises from almost 0, in front of the schedule.
    #[serde(default, skip_serializing_if = "is_usual")]
    pub warm_up: f32,
    /// Whether the run keeps the weights of every epoch, and not the best and the last alone.
    #[serde(default, skip_serializing_if = "is_usual")]
    pub keep_epochs: bool,
    /// The epoch whose weights the run stands for.
    #[serde(default, skip_serializing_if = "is_usual")]
    pub chosen: Chosen,
    /// Whether every epoch meets the images in an order of its own.
    #[serde(default, skip_serializing_if = "is_usual")]
    pub order: Order,
    pub optimizer: OptimizerConfig,
    #[serde(default)]
    pub schedule: Schedule,
    /// Random distortions of the training images; all 0 is none.
    #[serde(default)]
    pub augmentation: Augmentation,
    /// Images that train beside those of the data set.
    #[serde(default, skip_serializing_if = "is_usual")]
    pub beside: Beside,
    /// When a run that gets no better ends before its last epoch; without it, never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub early_stopping: Option<EarlyStopping>,
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

/// The epoch whose weights a run stands for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Chosen {
    /// The best one on validation images; where there are none, the last.
    #[default]
    Best,
    /// The last: for schedules that end at a small learning rate, and for runs that learn more than the validation images
    /// can tell.
    Last,
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
    #[error("{place}: {message}")]
    Syntax {
        place: String,
        /// The same place as an offset in the text.
        at: usize,
        message: String,
    },
    #[error("{0}")]
    Setting(String),
}

impl ConfigError {
    fn syntax(text: &str, at: usize, message: String) -> Self {
        Self::Syntax { place: toml_place::place(text, at), at, message }
    }
}

/// Tables that name their kind, each with one that they can have.
const KINDS: [(&str, &str); 3] = [("loss", "cross-entropy"), ("optimizer", "adam"), ("schedule", "cosine")];

/// What is wrong, in words for people, where something else stands in place of a table that names its kind.
fn lacks_kind(text: &str, at: usize, message: &str) -> Option<String> {
    let is_told = message.contains("expected internally tagged enum");
    let keys = is_told.then(|| toml_place::keys_at(text, at))?;
    let (key, kind) = KINDS.iter().find(|(key, _)| keys.first().is_some_and(|own| own == key))?;
    Some(format!("{key} is a table that names its kind, such as {key} = {{ kind = \"{kind}\" }}"))
}

impl TrainingConfig {
    /// Reads TOML. Unknown keys, wrong types and later versions are refused, with line and column.
    pub fn from_toml(text: &str) -> Result<Self, ConfigError> {
        if text.len() > 1 << 20 {
            return Err(ConfigError::Setting(format!("a configuration of {} bytes is no configuration", text.len())));
        }
        let text = text.trim_start_matches('\u{feff}');
        let config: Self = toml::from_str(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            let message = lacks_kind(text, at, error.message()).unwrap_or_else(|| error.message().to_owned());
            ConfigError::syntax(text, at, message)
        })?;
        if config.version != VERSION {
            return Err(ConfigError::Setting(format!(
                "this configuration is of version {}, this program reads version {VERSION}",
                config.version
            )));
        }
        config.refuse_idle_keys(text)?;
        config.validate()?;
        Ok(config)
    }

    /// Serde lets kinds without settings of their own have any; a setting that does nothing is a mistake all the same.
    fn refuse_idle_keys(&self, text: &str) -> Result<(), ConfigError> {
        let read = |text: &str| toml::from_str::<toml::Table>(text).unwrap_or_default();
        let (given, own) = (read(text), read(&self.to_toml()));
        for (section, _) in KINDS {
            let keys = |table: &toml::Table| -> Vec<String> {
                table
                    .get(section)
                    .and_then(toml::Value::as_table)
                    .map_or(Vec::new(), |keys| keys.keys().cloned().collect())
            };
            let known = keys(&own);
            if let Some(idle) = keys(&given).into_iter().find(|key| key != "kind" && !known.contains(key)) {
                let kind = &given[section]["kind"];
                let at = toml_place::start_of(text, &[section, &idle]).unwrap_or(0);
                let sentence = format!("the {section} {kind} has no setting \"{idle}\"");
                return Err(ConfigError::syntax(text, at, sentence));
            }
        }
        Ok(())
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
        if let Some(longest) = self.clip_norm
            && !(longest.is_finite() && longest > 0.0)
        {
            return refuse(format!("the longest gradient, clip_norm, must be above 0, got {longest}"));
        }
        if !(0.0..1.0).contains(&self.warm_up) {
            return refuse(format!("the warm-up takes a share of the run in [0, 1), got {}", self.warm_up));
        }
        if self.schedule.needs_validation() && self.validation == 0 {
            return refuse("a schedule that looks for plateaus needs validation images, and 0 are kept".to_owned());
        }
        if let Some(rule) = &self.early_stopping {
            rule.validate().map_err(ConfigError::Setting)?;
            if self.validation == 0 {
                return refuse("early stopping needs validation images, and 0 are kept".to_owned());
            }
        }
        self.validate_loss()?;
        self.validate_transfer()?;
        self.optimizer.validate().map_err(ConfigError::Setting)?;
        self.schedule.validate().map_err(ConfigError::Setting)?;
        self.augmentation.validate().map_err(ConfigError::Setting)?;
        if self.beside.strangers > 0 && self.loss.is_of_distances() {
            return refuse(format!(
                "strangers train with cross-entropy alone, and the loss of {} is one of distances",
                self.model
            ));
        }
        self.validate_reach()?;
        self.beside.validate().map_err(ConfigError::Setting)
    }

    /// Settings that the way of training would pass over.
    fn validate_reach(&self) -> Result<(), ConfigError> {
        let refuse = |sentence: String| Err(ConfigError::Setting(sentence));
        if matches!(self.optimizer, OptimizerConfig::ConjugateGradient { .. }) && self.clip_norm.is_some() {
            return refuse(
                "clip_norm bounds the steps of small batches; a line search chooses its steps itself".to_owned(),
            );
        }
        if matches!(self.optimizer, OptimizerConfig::Sdlm { .. })
            && let Some(place) = self.network()?.without_curvature()
        {
            return refuse(format!(
                "sdlm needs the curvature of every layer, and nobody has worked out that of {} ({}) of {}",
                place.name,
                place.layer.describe(),
                self.model
            ));
        }
        if self.architecture()?.backward == Backward::Scratch {
            let idle = [
                ("label smoothing", self.loss != Loss::CrossEntropy),
                ("freeze_up_to", self.freeze_up_to.is_some()),
                ("strangers", self.beside.strangers > 0),
            ];
            if let Some((name, _)) = idle.into_iter().find(|(_, is_set)| *is_set) {
                return refuse(format!("{} is plain back-propagation and knows no {name}", self.model));
            }
        }
        Ok(())
    }

    /// Distances have losses of their own, and these losses know nothing else.
    fn validate_loss(&self) -> Result<(), ConfigError> {
        let refuse = |sentence: String| Err(ConfigError::Setting(sentence));
        let network = self.network()?;
        if let Loss::SmoothedCrossEntropy { smoothing } = self.loss
            && !(0.0..1.0).contains(&smoothing)
        {
            return refuse(format!("label smoothing lies in [0, 1), got {smoothing}"));
        }
        if let Loss::DistanceMap { j } = self.loss
            && !(j.is_finite() && j > 0.0)
        {
            return refuse(format!("j of the loss, the distance of a rubbish class, must be above 0, got {j}"));
        }
        if network.learns_centres() && self.loss == Loss::Distance {
            return refuse(format!(
                "the codes of {} learn: with the loss \"distance\" they would all meet in one point, its loss is \"distance-map\"",
                self.model
            ));
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

    /// Something must be copied before it is frozen, and something must be left to learn.
    fn validate_transfer(&self) -> Result<(), ConfigError> {
        let Some(layer) = &self.freeze_up_to else { return Ok(()) };
        if self.from.is_none() {
            return Err(ConfigError::Setting(format!(
                "layers up to {layer} are to be frozen, but nothing says what they begin from: name weights with from"
            )));
        }
        let network = self.network()?;
        let frozen = network.params_up_to(self.frozen_layers(&network)?);
        if network.params()[frozen..].iter().all(|spec| !spec.kind.is_learnt()) {
            return Err(ConfigError::Setting(format!("with layers up to {layer} frozen nothing is left to learn")));
        }
        Ok(())
    }

    /// How many layers from the first on are frozen. Fails, naming all layers, where none has the name that is asked for.
    pub fn frozen_layers(&self, network: &Network) -> Result<usize, ConfigError> {
        let Some(layer) = &self.freeze_up_to else { return Ok(0) };
        network.layers_up_to(layer).map_err(|error| ConfigError::Setting(format!("freeze_up_to: {error}")))
    }

    /// The model's layers, as this run trains them.
    pub(super) fn network(&self) -> Result<Network, ConfigError> {
        let refuse = |sentence: String| ConfigError::Setting(sentence);
        let mut network = (self.architecture()?.network)()
            .map_err(|error| refuse(format!("the model {} cannot be built: {error}", self.model)))?;
        if let Some(rate) = self.dropout {
            if !(0.0..1.0).contains(&rate) {
                return Err(refuse(format!("a dropout rate lies in [0, 1), got {rate}")));
            }
            if !network.set_dropout(rate) {
                return Err(refuse(format!("{} has no dropout layer, so dropout would do nothing", self.model)));
            }
        }
        Ok(network)
    }

    /// The factor on the learning rate over a run of so many updates.
    pub fn rate_curve(&self, updates: u64) -> RateCurve {
        RateCurve { schedule: self.schedule, warm_up: self.warm_up, updates }
    }

    /// Whether a run of more epochs would have other learning rates from the start.
    pub fn rate_follows_epochs(&self) -> bool {
        self.schedule.follows_epochs() || self.warm_up > 0.0
    }

    /// Updates of one epoch of so many training images.
    pub fn updates_per_epoch(&self, images: usize) -> u64 {
        self.optimizer.updates_per_epoch(images, self.batch_size)
    }

    /// The model that is trained.
    pub fn architecture(&self) -> Result<&'static Architecture, ConfigError> {
        let known = || models::trainable().map(|architecture| architecture.id).collect::<Vec<_>>().join(", ");
        match models::find(&self.model) {
            Some(architecture) if architecture.backward != Backward::Nothing => Ok(architecture),
            Some(made_of_others) => Err(ConfigError::Setting(format!(
                "{} is {}, and learns nothing itself; what can be trained are {}",
                made_of_others.id,
                made_of_others.summary,
                known()
            ))),
            None => Err(ConfigError::Setting(format!("there is no model \"{}\"; known are {}", self.model, known()))),
        }
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
    fn every_key_survives_being_written_and_what_is_not_used_is_not_written() {
        let loss = "loss = { kind = \"smoothed-cross-entropy\", smoothing = 0.1 }";
        let keys = format!(
            "{loss}\ninitialisation = \"kaiming\"\nfrom = \"lenet5\"\nfreeze_up_to = \"Hidden\"\n\
             clip_norm = 1.5\nwarm_up = 0.05\n"
        );
        for schedule in [
            "kind = \"one-cycle\"",
            "kind = \"one-cycle\"\nrise = 0.2\nstart_factor = 0.1\nfinal_factor = 0.01",
            "kind = \"reduce-on-plateau\"",
            "kind = \"reduce-on-plateau\"\nwatch = \"loss\"\nfactor = 0.1\npatience = 0\nleast = 0.001",
        ] {
            let config = TrainingConfig::from_toml(&format!("{keys}{MINIMAL}[schedule]\n{schedule}\n")).unwrap();
            assert_eq!(TrainingConfig::from_toml(&config.to_toml()).unwrap(), config, "{schedule}");
            assert_eq!((config.warm_up, config.clip_norm), (0.05, Some(1.5)));
        }
        let plain = TrainingConfig::from_toml(MINIMAL).unwrap().to_toml();
        for key in ["loss", "initialisation", "from", "freeze", "clip", "warm"] {
            assert!(!plain.contains(key), "{key} in {plain}");
        }
    }

    #[test]
    fn what_cannot_be_is_told_with_its_place() {
        for (change, expected) in [
            (MINIMAL.replace("epochs", "epoch"), "line 2, column 1"),
            (MINIMAL.replace("0.001", "nan"), "learning rate must be above 0"),
            (MINIMAL.replace("0.001", "-1.0"), "learning rate must be above 0"),
            (MINIMAL.replace("0.001", "1e30"), "learning rate must be above 0"),
            (MINIMAL.replace("64", "\"many\""), "line 3, column 14"),
            (MINIMAL.replace("mlp", "mlp-9000"), "known are pad, lenet5"),
            (format!("version = 2\n{MINIMAL}"), "version 2"),
            (MINIMAL.replace("epochs = 2", "epochs = 0"), "epochs lies between"),
            (format!("{MINIMAL}beta1 = 1.0\n"), "beta1 lies in"),
            (
                MINIMAL.replace("\"mlp\"", "\"cnn-bn\"").replace("\"adam\"", "\"sdlm\""),
                "nobody has worked out that of Conv1",
            ),
            (MINIMAL.replace("\"mlp\"", "\"ensemble\""), "learns nothing itself"),
            (format!("clip_norm = 1.0\n{}", MINIMAL.replace("\"adam\"", "\"conjugate-gradient\"")), "line search"),
            (
                format!("freeze_up_to = \"Input\"\nfrom = \"scratch\"\n{}", MINIMAL.replace("\"mlp\"", "\"scratch\"")),
                "knows no freeze",
            ),
            (format!("{MINIMAL}[beside]\nwithout_writers = [\"a\"]\n"), "no file is named"),
            (format!("{MINIMAL}[beside]\nstrangers = 2000000\n"), "at most 1000000"),
            (format!("dropout = 0.2\n{MINIMAL}"), "mlp has no dropout layer"),
            (format!("dropout = 1.0\n{}", MINIMAL.replace("\"mlp\"", "\"mlp-deep\"")), "lies in [0, 1), got 1"),
            (format!("clip_norm = 0.0\n{MINIMAL}"), "clip_norm, must be above 0"),
            (format!("warm_up = 1.0\n{MINIMAL}"), "share of the run in [0, 1), got 1"),
            (format!("warm = 0.1\n{MINIMAL}"), "line 1, column 1"),
            (format!("freeze_up_to = \"Hidden\"\n{MINIMAL}"), "nothing says what they begin from"),
            (format!("from = \"mlp\"\nfreeze_up_to = \"S4\"\n{MINIMAL}"), "the layers are Hidden, Output"),
            (format!("from = \"mlp\"\nfreeze_up_to = \"Output\"\n{MINIMAL}"), "nothing is left to learn"),
            (format!("loss = {{ kind = \"smoothed-cross-entropy\", smoothing = 1.0 }}\n{MINIMAL}"), "lies in [0, 1)"),
            (
                format!("loss = {{ kind = \"cross-entropy\", smoothing = 0.1 }}\n{MINIMAL}"),
                "line 1, column 34: the loss \"cross-entropy\" has no setting \"smoothing\"",
            ),
            (
                format!("{MINIMAL}[schedule]\nkind = \"constant\"\nfoo = 1\n"),
                "line 9, column 1: the schedule \"constant\"",
            ),
            (format!("schedule = \"cosine\"\n{MINIMAL}"), "line 1, column 12: schedule is a table that names its kind"),
            (format!("loss = 1\n{MINIMAL}"), "such as loss = { kind = \"cross-entropy\" }"),
            (MINIMAL.replace("[optimizer]\nkind", "optimizer"), "such as optimizer = { kind = \"adam\" }"),
            (format!("validation = 0\n{MINIMAL}[early_stopping]\npatience = 5\n"), "needs validation images"),
            (format!("{MINIMAL}[early_stopping]\npatience = 0\n"), "a patience of 0"),
            (format!("{MINIMAL}[early_stopping]\npatience = 5\nmin_delta = -0.1\n"), "must be 0 or more"),
            (format!("{MINIMAL}[early_stopping]\npatience = 5\non = \"f1\"\n"), "line 9"),
            (format!("validation = 0\n{MINIMAL}[schedule]\nkind = \"reduce-on-plateau\"\n"), "needs validation images"),
            (format!("{MINIMAL}[schedule]\nkind = \"reduce-on-plateau\"\nfactor = 1.0\n"), "factor in (0, 1)"),
            (format!("{MINIMAL}[schedule]\nkind = \"one-cycle\"\nrise = 1.0\n"), "a rise in [0, 1)"),
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
