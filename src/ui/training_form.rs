//! The settings of the next training, as typed: texts that may be wrong, and the configuration they make.

use crate::data::Augmentation;
use crate::models;
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
        let mut base = presets::find(id)?.config().ok()?;
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
        let own = presets::all().filter(|preset| preset.config().is_ok_and(|config| config.model == self.model));
        own.map(|preset| (preset.id, preset.title)).collect()
    }

    /// The preset that these settings are, whatever their digits and seed.
    pub fn chosen_preset(&self) -> Option<&'static str> {
        let config = self.config().ok()?;
        let same = |id: &str| {
            let preset = Self::preset(id, self.source)?.config().ok()?;
            Some(TrainingConfig { seed: config.seed, ..preset } == config)
        };
        self.presets().into_iter().map(|(id, _)| id).find(|id| same(id) == Some(true))
    }

    /// Takes another preset for the same digits and seed.
    pub fn choose_preset(&mut self, id: &str) {
        if let Some(preset) = Self::preset(id, self.source) {
            *self = Self { seed: self.seed.clone(), ..preset.on_digits_of(self) };
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
            (self.base.data, self.base.validation) = (other.base.data.clone(), other.base.validation);
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
            (self.base.data, self.base.validation) = (preset.base.data, preset.base.validation);
        }
    }

    /// Whether the model's loss has targets to smooth.
    pub fn has_targets(&self) -> bool {
        !self.base.loss.is_of_distances()
    }

    /// The chosen schedule, to change its settings.
    pub fn chosen_schedule(&mut self) -> &mut Schedule {
        &mut self.schedules[self.schedule.min(Schedule::CHOICES.len() - 1)]
    }

    /// Settings beyond the usual ones that say something.
    pub fn further_settings(&self) -> usize {
        let set = [
            self.from.is_some(),
            self.from.is_none() && self.initialisation != Initialisation::default(),
            self.from.is_some() && self.freeze_up_to.is_some(),
            self.warm_up > 0.0,
            self.early_stopping.is_some(),
            self.has_targets() && self.smoothing > 0.0,
            !self.clip.trim().is_empty(),
        ];
        set.into_iter().filter(|set| *set).count()
    }

    /// The configuration, or what is wrong: a field and a sentence.
    pub fn config(&self) -> Result<TrainingConfig, (Field, String)> {
        let mut config = self.base.clone();
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
        config.initialisation = self.initialisation;
        config.from = self.from.clone();
        config.freeze_up_to = self.freeze_up_to.clone().filter(|_| self.from.is_some());
        config.augmentation = if self.distorts { self.augmentation } else { Augmentation::default() };
        config.validate().map_err(|error| {
            let sentence = error.to_string();
            (if sentence.contains("learning rate") { Field::Rate } else { Field::Other }, sentence)
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
mod tests {
    use super::*;

    #[test]
    fn a_form_makes_its_preset_and_tells_what_is_wrong() {
        let form = TrainingForm::preset("lenet5", "mnist").unwrap();
        assert_eq!(form.config().unwrap(), presets::find("lenet5").unwrap().config().unwrap());
        for (field, change) in [
            (Field::Rate, TrainingForm { rate: "NaN".to_owned(), ..form.clone() }),
            (Field::Rate, TrainingForm { rate: "fast".to_owned(), ..form.clone() }),
            (Field::Rate, TrainingForm { rate: "-1".to_owned(), ..form.clone() }),
            (Field::Rate, TrainingForm { rate: "0,002".to_owned(), ..form.clone() }),
            (Field::Batch, TrainingForm { batch: "0".to_owned(), ..form.clone() }),
            (Field::Epochs, TrainingForm { epochs: "1e3".to_owned(), ..form.clone() }),
            (Field::Seed, TrainingForm { seed: "-1".to_owned(), ..form.clone() }),
            (Field::Momentum, TrainingForm { momentum: "1".to_owned(), ..form.clone() }),
        ] {
            assert_eq!(change.config().unwrap_err().0, field, "{change:?}");
        }
    }

    #[test]
    fn every_configuration_comes_back_as_it_went_in() {
        let presets = presets::all().map(|preset| preset.config().unwrap());
        let own = "model = \"mlp\"\nepochs = 7\nbatch_size = 10\nlearning_rate = 0.003\ndata = \"/some/where\"\nvalidation = 9\n\
                   keep_epochs = true\norder = \"constant\"\nchosen = \"last\"\ntrain_limit = 20\nclip_norm = 1.5\n\
                   warm_up = 0.07\nfrom = \"mlp\"\n[optimizer]\nkind = \"adam-w\"\nbeta1 = 0.85\nbeta2 = 0.9\nweight_decay = 0.3\n\
                   [schedule]\nkind = \"one-cycle\"\nrise = 0.21\n[augmentation]\nsqueeze = 0.07\nundistorted = 0.3\n\
                   [beside]\ndrawn = 12\nstrangers = 3\n[early_stopping]\npatience = 30\nmin_delta = 0.5\non = \"accuracy\"\n";
        let optimizers = OptimizerConfig::CHOICES.iter().map(|(.., optimizer)| {
            let config = presets::find("mlp").unwrap().config().unwrap();
            TrainingConfig { optimizer: *optimizer, clip_norm: None, ..config }
        });
        let own = TrainingConfig::from_toml(own).unwrap();
        for config in presets.chain([own]).chain(optimizers) {
            assert_eq!(TrainingForm::of(config.clone()).config().unwrap(), config);
        }
        // another model learns from the same digits, and other digits leave the rest as it was
        let own = presets::find("mlp").unwrap().config().unwrap();
        let own = TrainingConfig { data: "/some/where".to_owned(), validation: 9, keep_epochs: true, ..own };
        let mut form = TrainingForm::of(own.clone());
        form.choose_model("lenet5");
        assert_eq!((form.config().unwrap().data, form.own_digits()), (own.data.clone(), Some("where")));
        let mut form = TrainingForm::of(own.clone());
        form.choose_source("drawn");
        let drawn = TrainingConfig { data: "drawn".to_owned(), validation: DRAWN_VALIDATION, ..own };
        assert_eq!(form.config().unwrap(), drawn);
    }

    #[test]
    fn a_form_knows_which_preset_it_shows() {
        let mut form = TrainingForm::preset("ninety-nine", "mnist").unwrap();
        assert_eq!((form.model, form.chosen_preset()), ("lenet5", Some("ninety-nine")));
        form.choose_source("drawn");
        form.seed = "7".to_owned();
        assert_eq!(form.chosen_preset(), Some("ninety-nine"));
        form.epochs = "1000".to_owned();
        assert_eq!(form.chosen_preset(), None);
        assert!(form.presets().contains(&("lenet5", "Recommended")));
    }

    #[test]
    fn further_settings_reach_the_configuration_and_wait_while_they_mean_nothing() {
        let mut form = TrainingForm::preset("lenet5", "mnist").unwrap();
        let plain = form.config().unwrap();
        (form.warm_up, form.smoothing, form.clip) = (0.05, 0.1, " 1.5 ".to_owned());
        form.initialisation = Initialisation::Kaiming;
        form.freeze_up_to = Some("S4".to_owned());
        let config = form.config().unwrap();
        assert_eq!(config.loss, Loss::SmoothedCrossEntropy { smoothing: 0.1 });
        assert_eq!((config.warm_up, config.clip_norm), (0.05, Some(1.5)));
        assert_eq!((config.initialisation, &config.freeze_up_to), (Initialisation::Kaiming, &None));
        assert_eq!(form.further_settings(), 4);
        form.from = Some("cnn".to_owned());
        assert_eq!(form.config().unwrap().freeze_up_to.as_deref(), Some("S4"));
        assert_eq!(
            form.changes(&plain)[..3],
            ["start fresh to cnn".to_owned(), "frozen nothing to S4".into(), "warm-up 0 to 0.05".into()]
        );
        form.clip = "short".to_owned();
        assert_eq!(form.config().unwrap_err().0, Field::Clip);
        // a loss of distances has no targets to smooth
        let mut distances = TrainingForm::preset("lenet5-1998", "mnist").unwrap();
        distances.smoothing = 0.1;
        assert_eq!(distances.config().unwrap().loss, Loss::Distance);
        assert_eq!(distances.further_settings(), 1, "its recommended initial weights");
    }

    #[test]
    fn a_schedule_keeps_its_settings_while_another_is_chosen() {
        let mut form = TrainingForm::preset("lenet5", "mnist").unwrap();
        let own = form.schedule;
        *form.chosen_schedule() = Schedule::Cosine { final_factor: 0.2 };
        for kind in 0..Schedule::CHOICES.len() {
            form.schedule = kind;
            assert_eq!(form.config().unwrap().schedule.choice(), kind);
        }
        form.schedule = own;
        assert_eq!(form.config().unwrap().schedule, Schedule::Cosine { final_factor: 0.2 });
    }

    #[test]
    fn changes_are_named_and_can_be_discarded() {
        let mut form = TrainingForm::preset("lenet5", "mnist").unwrap();
        let running = form.config().unwrap();
        assert!(form.changes(&running).is_empty());
        (form.batch, form.momentum) = ("32".to_owned(), "0.8".to_owned());
        assert!(form.changes(&running).is_empty(), "both act on the run under way");
        form.choose_optimizer("momentum");
        form.choose_source("drawn");
        assert_eq!(form.changes(&running)[..2], ["digits mnist to drawn", "optimiser adam to momentum"]);
        form.discard(&running);
        assert_eq!(form.config().unwrap(), running);
    }
}
