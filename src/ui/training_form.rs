//! The settings of the next training, as typed: texts that may be wrong, and the configuration they make.

use crate::data::Augmentation;
use crate::models::{self, Backward};
use crate::nn::{Initialisation, Loss};
use crate::optim::{OptimizerConfig, Schedule};
use crate::storage::presets;
use crate::training::{EarlyStopping, LiveSettings, TrainingConfig};

/// A field of the form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    Rate,
    Batch,
    Epochs,
    Seed,
    Momentum,
    Decay,
    Clip,
    Validation,
    Limit,
    Dropout,
    Other,
}

/// The form's content.
#[derive(Clone, Debug, PartialEq)]
pub struct TrainingForm {
    pub model: &'static str,
    /// `mnist`, `drawn`, or [`FROM_FILE`] where a configuration names other digits.
    pub source: &'static str,
    pub optimizer: &'static str,
    /// Momentum's coefficient or Adam's β₁; kept for later where the optimiser has none.
    pub momentum: String,
    /// Kept for later where the optimiser has none.
    pub decay: String,
    /// Index into [`Schedule::CHOICES`].
    pub schedule: usize,
    /// One of every kind, in the order of [`Schedule::CHOICES`]: those that are not chosen keep their settings.
    pub schedules: [Schedule; Schedule::CHOICES.len()],
    /// As in the configuration.
    pub warm_up: f32,
    /// Of the targets of a cross-entropy; kept for later where the model has another loss.
    pub smoothing: f32,
    /// As in the configuration.
    pub early_stopping: Option<EarlyStopping>,
    /// The longest gradient; empty for none.
    pub clip: String,
    /// Images of the training set that judge and do not train.
    pub validation: String,
    /// So many of the others train; empty for all.
    pub limit: String,
    /// The rate of every dropout layer; empty for the model's own. Kept for later where it has none.
    pub dropout: String,
    pub initialisation: Initialisation,
    /// Weights to start from, as a configuration names them.
    pub from: Option<String>,
    /// Kept for later where the training starts from nothing.
    pub freeze_up_to: Option<String>,
    pub rate: String,
    pub batch: String,
    pub epochs: String,
    pub seed: String,
    pub distorts: bool,
    pub augmentation: Augmentation,
    base: TrainingConfig,
}

/// Stands for digits that only a configuration names.
pub const FROM_FILE: &str = "file";
/// Drawn digits kept for validation: there are fewer of them than of MNIST's.
const DRAWN_VALIDATION: usize = 1_000;
/// Of MNIST, where a preset keeps none.
const VALIDATION: usize = 5_000;

impl TrainingForm {
    /// The settings of a preset, such as a model's id.
    pub fn preset(id: &str, source: &'static str) -> Option<Self> {
        let mut base = presets::settings(id)?.ok()?;
        base.data = source.to_owned();
        if source == "drawn" {
            base.validation = DRAWN_VALIDATION;
        } else if base.validation == 0 {
            // the window shows each digit's F1 while a network learns, on images that it does not learn from
            base.validation = VALIDATION;
        }
        Some(Self::from_config(base, source))
    }

    /// The settings of a configuration; [`TrainingForm::config`] gives the same one back.
    pub fn of(config: TrainingConfig) -> Self {
        let source = ["mnist", "drawn"].into_iter().find(|source| *source == config.data).unwrap_or(FROM_FILE);
        Self::from_config(config, source)
    }

    fn from_config(base: TrainingConfig, source: &'static str) -> Self {
        let mut schedules = Schedule::CHOICES.map(|(_, schedule)| schedule);
        schedules[base.schedule.choice()] = base.schedule;
        Self {
            model: models::find(&base.model).map_or("lenet5", |architecture| architecture.id),
            source,
            optimizer: base.optimizer.id(),
            momentum: base.optimizer.momentum().map_or_else(String::new, |share| share.to_string()),
            decay: base.optimizer.weight_decay().map_or_else(String::new, |decay| decay.to_string()),
            schedule: base.schedule.choice(),
            schedules,
            warm_up: base.warm_up,
            early_stopping: base.early_stopping,
            smoothing: if let Loss::SmoothedCrossEntropy { smoothing } = base.loss { smoothing } else { 0.0 },
            clip: base.clip_norm.map_or_else(String::new, |longest| longest.to_string()),
            validation: base.validation.to_string(),
            limit: base.train_limit.map_or_else(String::new, |limit| limit.to_string()),
            dropout: base.dropout.map_or_else(String::new, |rate| rate.to_string()),
            initialisation: base.initialisation,
            from: base.from.clone(),
            freeze_up_to: base.freeze_up_to.clone(),
            rate: base.learning_rate.to_string(),
            batch: base.batch_size.to_string(),
            epochs: base.epochs.to_string(),
            seed: base.seed.to_string(),
            distorts: base.augmentation != Augmentation::default(),
            augmentation: base.augmentation,
            base,
        }
    }

    /// The presets of this model, with their titles.
    pub fn presets(&self) -> Vec<(&'static str, &'static str)> {
        let own = presets::all()
            .filter(|preset| preset.config().is_ok_and(|config| config.model == models::base_of(self.model)));
        own.map(|preset| (preset.id, preset.title)).collect()
    }

    /// The preset that these settings are, whatever their digits, seed and variation.
    pub fn chosen_preset(&self) -> Option<&'static str> {
        let config = self.config().ok()?;
        let same = |id: &str| {
            let preset = Self::preset(id, self.source)?.config().ok()?;
            Some(TrainingConfig { seed: config.seed, model: config.model.clone(), ..preset } == config)
        };
        self.presets().into_iter().map(|(id, _)| id).find(|id| same(id) == Some(true))
    }

    /// Takes another preset for the same digits and seed.
    pub fn choose_preset(&mut self, id: &str) {
        if let Some(preset) = Self::preset(id, self.source) {
            *self = Self { seed: self.seed.clone(), model: self.model, ..preset.on_digits_of(self) };
        }
    }

    /// Takes another model's own settings for the same digits.
    pub fn choose_model(&mut self, id: &str) {
        if let Some(preset) = Self::preset(id, self.source) {
            *self = preset.on_digits_of(self);
        }
    }

    /// The same settings for digits that only the configuration of `other` names.
    fn on_digits_of(mut self, other: &Self) -> Self {
        if other.source == FROM_FILE {
            (self.base.data, self.validation) = (other.base.data.clone(), other.validation.clone());
        }
        self
    }

    /// Takes another optimiser with a learning rate that suits it.
    pub fn choose_optimizer(&mut self, id: &'static str) {
        self.optimizer = id;
        if let Some(optimizer) = OptimizerConfig::find(id) {
            self.rate = optimizer.usual_learning_rate().to_string();
            self.momentum = optimizer.momentum().map_or_else(String::new, |share| share.to_string());
            self.decay = optimizer.weight_decay().map_or_else(String::new, |decay| decay.to_string());
        }
    }

    /// The chosen optimiser with the settings that have no row.
    pub fn base_optimizer(&self) -> OptimizerConfig {
        let kind = std::mem::discriminant(&self.base.optimizer);
        let chosen = OptimizerConfig::find(self.optimizer);
        chosen.filter(|chosen| std::mem::discriminant(chosen) != kind).unwrap_or(self.base.optimizer)
    }

    /// The digits, as a configuration names them.
    pub fn data(&self) -> &str {
        if self.source == FROM_FILE { &self.base.data } else { self.source }
    }

    /// What the digits are called that only the configuration names.
    pub fn own_digits(&self) -> Option<&str> {
        let data = Some(self.base.data.as_str()).filter(|_| self.source == FROM_FILE)?;
        Some(data.rsplit(['/', '\\']).next().unwrap_or(data))
    }

    /// Takes other digits, with as many of them kept aside as suits their number.
    pub fn choose_source(&mut self, source: &'static str) {
        let preset = self.chosen_preset().unwrap_or(self.model);
        if let Some(preset) = Self::preset(preset, source) {
            self.source = source;
            (self.base.data, self.validation) = (preset.base.data, preset.validation);
        }
    }

    /// Whether the model's loss has targets to smooth.
    pub fn has_targets(&self) -> bool {
        !self.base.loss.is_of_distances() && self.learns_by_layers()
    }

    /// Whether the model learns through its layers: then some of them can be frozen.
    pub fn learns_by_layers(&self) -> bool {
        models::find(self.model).is_some_and(|architecture| architecture.backward == Backward::Layers)
    }

    /// Whether the model has dropout layers.
    pub fn has_dropout(&self) -> bool {
        let network = models::find(self.model).map(|architecture| (architecture.network)());
        network.is_some_and(|network| network.is_ok_and(|mut network| network.set_dropout(0.0)))
    }

    /// The chosen schedule, to change its settings.
    pub fn chosen_schedule(&mut self) -> &mut Schedule {
        &mut self.schedules[self.schedule.min(Schedule::CHOICES.len() - 1)]
    }

    /// Settings beyond the usual ones that say something.
    pub fn further_settings(&self) -> usize {
        let set = [
            models::base_of(self.model) != self.model,
            self.from.is_some(),
            self.from.is_none() && self.initialisation != Initialisation::default(),
            self.from.is_some() && self.freeze_up_to.is_some() && self.learns_by_layers(),
            self.warm_up > 0.0,
            self.early_stopping.is_some(),
            self.has_targets() && self.smoothing > 0.0,
            !self.clip.trim().is_empty(),
            !self.limit.trim().is_empty(),
            self.has_dropout() && !self.dropout.trim().is_empty(),
        ];
        set.into_iter().filter(|set| *set).count()
    }

    /// The configuration, or what is wrong: a field and a sentence.
    pub fn config(&self) -> Result<TrainingConfig, (Field, String)> {
        let mut config = TrainingConfig { model: self.model.to_owned(), ..self.base.clone() };
        config.learning_rate =
            self.rate.trim().parse().ok().filter(|rate| *rate > 0.0 && *rate <= 100.0).ok_or_else(|| {
                (
                    Field::Rate,
                    "The rate is a number above 0 and at most 100 with a decimal point, such as 0.001".to_owned(),
                )
            })?;
        config.batch_size = whole(&self.batch)
            .filter(|batch| (1..=10_000).contains(batch))
            .ok_or_else(|| (Field::Batch, "Images per update: a whole number from 1 to 10,000".to_owned()))?;
        config.epochs = whole(&self.epochs)
            .filter(|epochs| (1..=10_000).contains(epochs))
            .ok_or_else(|| (Field::Epochs, "A whole number from 1 to 10,000".to_owned()))?;
        config.seed = whole(&self.seed)
            .filter(|seed| i64::try_from(*seed).is_ok())
            .ok_or_else(|| (Field::Seed, "A whole number, 0 or above".to_owned()))?;
        let optimizer = self.base_optimizer();
        let share = |text: &str, most: f64| text.trim().parse().ok().filter(|x: &f64| (0.0..=most).contains(x));
        let momentum = optimizer.momentum().map(|_| {
            let wrong = || (Field::Momentum, "A number from 0 to below 1, such as 0.9".to_owned());
            share(&self.momentum, 1.0 - f64::EPSILON).ok_or_else(wrong)
        });
        let decay = optimizer.weight_decay().map(|_| {
            share(&self.decay, 1.0).ok_or_else(|| (Field::Decay, "A number from 0 to 1, such as 0.0001".to_owned()))
        });
        config.optimizer = optimizer.with(momentum.transpose()?, decay.transpose()?);
        config.schedule = self.schedules[self.schedule.min(Schedule::CHOICES.len() - 1)];
        config.warm_up = self.warm_up;
        config.early_stopping = self.early_stopping;
        if self.has_targets() {
            let smoothing = self.smoothing;
            config.loss = if smoothing > 0.0 { Loss::SmoothedCrossEntropy { smoothing } } else { Loss::CrossEntropy };
        }
        config.clip_norm = match self.clip.trim() {
            "" => None,
            longest => Some(longest.parse().ok().filter(|x: &f64| x.is_finite() && *x > 0.0).ok_or_else(|| {
                (Field::Clip, "The longest gradient is a number above 0, such as 1; empty for no bound".to_owned())
            })?),
        };
        config.validation = whole(&self.validation)
            .ok_or_else(|| (Field::Validation, "A whole number of images, 0 for none".to_owned()))?;
        let limit = Some(self.limit.as_str()).filter(|limit| !limit.trim().is_empty());
        let wrong_limit = || (Field::Limit, "A whole number of images; empty for all".to_owned());
        config.train_limit =
            limit.map(|limit| whole(limit).filter(|limit: &usize| *limit > 0).ok_or_else(wrong_limit)).transpose()?;
        let dropout = Some(self.dropout.trim()).filter(|rate| !rate.is_empty() && self.has_dropout());
        let wrong_dropout = || (Field::Dropout, "A number from 0 to below 1; empty for the model's own".to_owned());
        config.dropout = dropout
            .map(|rate| rate.parse().ok().filter(|rate| (0.0..1.0).contains(rate)).ok_or_else(wrong_dropout))
            .transpose()?;
        config.initialisation = self.initialisation;
        config.from = self.from.clone();
        config.freeze_up_to = self.freeze_up_to.clone().filter(|_| self.from.is_some() && self.learns_by_layers());
        config.augmentation = if self.distorts { self.augmentation } else { Augmentation::default() };
        config.validate().map_err(|error| {
            let sentence = error.to_string();
            let field = match () {
                () if sentence.contains("learning rate") => Field::Rate,
                () if sentence.contains("and 0 are kept") => Field::Validation,
                () => Field::Other,
            };
            (field, sentence)
        })?;
        Ok(config)
    }

    /// In words, what differs from `running` and needs a new run: "epochs 10 to 20".
    pub fn changes(&self, running: &TrainingConfig) -> Vec<String> {
        let Ok(new) = self.config() else { return Vec::new() };
        // what acts on the run under way is no reason for another one
        let mut running = running.clone();
        LiveSettings::between(&running, &new).apply(&mut running);
        let mut changes = Vec::new();
        let mut note = |name: &str, from: String, to: String| {
            if from != to {
                changes.push(format!("{name} {from} to {to}"));
            }
        };
        let title = |id: &str| models::find(id).map_or_else(|| id.to_owned(), |model| model.title.to_owned());
        let optimizer = |config: &OptimizerConfig| config.id().to_owned();
        let schedule = |schedule: &Schedule| Schedule::CHOICES[schedule.choice()].0.to_lowercase();
        note("model", title(&running.model), title(&new.model));
        note("digits", running.data.clone(), new.data.clone());
        note("optimiser", optimizer(&running.optimizer), optimizer(&new.optimizer));
        note("schedule", schedule(&running.schedule), schedule(&new.schedule));
        note("batch", running.batch_size.to_string(), new.batch_size.to_string());
        note("validation images", running.validation.to_string(), new.validation.to_string());
        note("epochs", running.epochs.to_string(), new.epochs.to_string());
        note("seed", running.seed.to_string(), new.seed.to_string());
        let start = |config: &TrainingConfig| config.from.clone().unwrap_or_else(|| "fresh".to_owned());
        let frozen = |config: &TrainingConfig| config.freeze_up_to.clone().unwrap_or_else(|| "nothing".to_owned());
        note("start", start(&running), start(&new));
        note("frozen", frozen(&running), frozen(&new));
        note("warm-up", running.warm_up.to_string(), new.warm_up.to_string());
        let same_kind = running.schedule.choice() == new.schedule.choice();
        for (name, differs) in [
            ("the schedule's settings", same_kind && running.schedule != new.schedule),
            ("initial weights", running.initialisation != new.initialisation),
            (
                "label smoothing",
                running.loss != new.loss && running.loss.is_of_distances() == new.loss.is_of_distances(),
            ),
            ("early stopping", running.early_stopping != new.early_stopping),
            ("clipping", running.clip_norm != new.clip_norm),
            ("number of training images", running.train_limit != new.train_limit),
            ("dropout", running.dropout != new.dropout),
            ("distortions", running.augmentation != new.augmentation),
        ] {
            if differs {
                changes.push(name.to_owned());
            }
        }
        if changes.is_empty() && running != new {
            changes.push("other settings".to_owned());
        }
        changes
    }

    /// Back to the settings of `running`.
    pub fn discard(&mut self, running: &TrainingConfig) {
        *self = Self::of(running.clone());
    }
}

/// A whole number, as people type it: commas may stand between the thousands.
fn whole<T: std::str::FromStr>(text: &str) -> Option<T> {
    text.trim().replace(',', "").parse().ok()
}

#[cfg(test)]
mod tests;
