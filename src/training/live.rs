//! What may change while a run goes on, when it acts, and how a change is told. Who asks for changes, and what writes them
//! down, is told elsewhere.

use serde::{Deserialize, Serialize};

use super::{TrainingConfig, exact};
use crate::data::Augmentation;
use crate::optim::OptimizerConfig;

/// What may change while a run goes on; it acts at the next update. `None` leaves a setting as it is.
///
/// | setting | acts on |
/// |---|---|
/// | learning rate | every optimiser |
/// | momentum | SGD (its coefficient), Adam and AdamW (β₁) |
/// | weight decay | SGD and AdamW |
/// | batch size, augmentation | all but conjugate gradient, whose updates read all images as the epoch met them first |
///
/// An epoch meets every training image once, in its own order, whatever the batch sizes: a new batch size takes the images
/// from where the last batch ended, and the last batch of an epoch is as short as what is left. The run keeps its number of
/// epochs, so its number of updates changes. A schedule goes by the images that were met: its progress is the number of
/// updates that a run of the first batch size would have made for them, so that the learning rate falls at the same place of
/// the epoch; nobody scales it with the batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LiveSettings {
    /// Before the schedule's factor.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "exact::optional")]
    pub learning_rate: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "exact::optional")]
    pub momentum: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "exact::optional")]
    pub weight_decay: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch_size: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub augmentation: Option<Augmentation>,
}

/// A change that was made while a run went on, as its journal keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "Line")]
pub struct LiveChange {
    /// The first update that it acts on, counted from 1.
    pub update: u64,
    /// Epochs that had ended when it was made.
    pub epochs: u32,
    pub set: LiveSettings,
}

/// As journals have it; those of earlier programs have a learning rate and nothing else.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    update: u64,
    epochs: u32,
    #[serde(default, with = "exact::optional")]
    learning_rate: Option<f64>,
    #[serde(default)]
    set: LiveSettings,
}

impl From<Line> for LiveChange {
    fn from(Line { update, epochs, learning_rate, set }: Line) -> Self {
        Self { update, epochs, set: LiveSettings { learning_rate: learning_rate.or(set.learning_rate), ..set } }
    }
}

impl LiveSettings {
    /// A learning rate and nothing else.
    pub fn rate(learning_rate: f64) -> Self {
        Self { learning_rate: Some(learning_rate), ..Self::default() }
    }

    /// What of the way from one configuration to another can be gone while the run of the first goes on.
    pub fn between(running: &TrainingConfig, wanted: &TrainingConfig) -> Self {
        let changed = |now: Option<f64>, then: Option<f64>| then.filter(|_| now.is_some() && now != then);
        let same_kind = std::mem::discriminant(&running.optimizer) == std::mem::discriminant(&wanted.optimizer);
        let reads_batches = Self::batches_can_change(&running.optimizer);
        let optimizer = |of: fn(&OptimizerConfig) -> Option<f64>| {
            let pair = (of(&running.optimizer), of(&wanted.optimizer));
            if same_kind && reads_batches { changed(pair.0, pair.1) } else { None }
        };
        Self {
            learning_rate: changed(Some(running.learning_rate), Some(wanted.learning_rate)),
            momentum: optimizer(OptimizerConfig::momentum),
            weight_decay: optimizer(OptimizerConfig::weight_decay),
            batch_size: Some(wanted.batch_size).filter(|size| reads_batches && *size != running.batch_size),
            augmentation: Some(wanted.augmentation).filter(|a| reads_batches && *a != running.augmentation),
        }
    }

    /// Whether the size of the batches and what they hold can change while a run with this optimiser goes on.
    pub fn batches_can_change(optimizer: &OptimizerConfig) -> bool {
        !matches!(optimizer, OptimizerConfig::ConjugateGradient { .. })
    }

    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Takes over what `newer` sets.
    pub fn take(&mut self, newer: Self) {
        self.learning_rate = newer.learning_rate.or(self.learning_rate);
        self.momentum = newer.momentum.or(self.momentum);
        self.weight_decay = newer.weight_decay.or(self.weight_decay);
        self.batch_size = newer.batch_size.or(self.batch_size);
        self.augmentation = newer.augmentation.or(self.augmentation);
    }

    /// The settings of a run from here on. What its optimiser does not know stays out.
    pub fn apply(&self, config: &mut TrainingConfig) {
        config.learning_rate = self.learning_rate.unwrap_or(config.learning_rate);
        if !Self::batches_can_change(&config.optimizer) {
            return;
        }
        config.optimizer = config.optimizer.with(self.momentum, self.weight_decay);
        config.batch_size = self.batch_size.unwrap_or(config.batch_size);
        config.augmentation = self.augmentation.unwrap_or(config.augmentation);
    }

    /// In words, what they change of a run with these settings: "batch 64→256".
    pub fn words(&self, before: &TrainingConfig) -> Vec<String> {
        let mut after = before.clone();
        self.apply(&mut after);
        let mut words = Vec::new();
        let mut note = |name: &str, from: Option<String>, to: Option<String>| {
            if let (Some(from), Some(to)) = (from, to)
                && from != to
            {
                words.push(format!("{name} {from}→{to}"));
            }
        };
        let text = |number: Option<f64>| number.map(|number| number.to_string());
        note("rate", text(Some(before.learning_rate)), text(Some(after.learning_rate)));
        let momentum = if matches!(before.optimizer, OptimizerConfig::Sgd { .. }) { "momentum" } else { "β₁" };
        note(momentum, text(before.optimizer.momentum()), text(after.optimizer.momentum()));
        note("decay", text(before.optimizer.weight_decay()), text(after.optimizer.weight_decay()));
        note("batch", Some(before.batch_size.to_string()), Some(after.batch_size.to_string()));
        let amounts = |a: &Augmentation| {
            [a.shift_pixels, a.rotation_degrees, a.scale, a.shear, a.squeeze, a.undistorted, a.elastic_pixels]
        };
        let names = ["shift", "turn", "scale", "shear", "squeeze", "originals", "elastic"];
        for ((name, from), to) in names.into_iter().zip(amounts(&before.augmentation)).zip(amounts(&after.augmentation))
        {
            note(name, Some(from.to_string()), Some(to.to_string()));
        }
        words
    }
}

impl LiveChange {
    /// Changes in the order in which they act.
    pub fn in_order(changes: &[Self]) -> Vec<Self> {
        let mut changes = changes.to_vec();
        // changes that were made after going on from an older checkpoint stand at the end of a journal
        changes.sort_by_key(|change| (change.update, change.epochs));
        changes
    }

    /// Every change in order, with its words; `config` is what the run was begun with.
    pub fn told(config: &TrainingConfig, changes: &[Self]) -> Vec<(Self, String)> {
        let mut now = config.clone();
        let told = Self::in_order(changes).into_iter().map(|change| {
            let words = change.set.words(&now).join(", ");
            change.set.apply(&mut now);
            (change, words)
        });
        told.collect()
    }
}

/// Where every update of a run stands among its epochs, batch sizes that changed live included.
#[derive(Clone, Debug)]
pub struct Pace {
    epochs: u32,
    /// Training images; 1 an update where updates do not come in batches.
    images: u64,
    /// From so many updates on: finished epochs, images of the one under way, and images an update.
    parts: Vec<(u64, u64, u64, u64)>,
}

impl Pace {
    /// Of a run on so many training images.
    pub fn new(config: &TrainingConfig, images: usize) -> Self {
        let (images, batch) = match LiveSettings::batches_can_change(&config.optimizer) {
            true => (images, config.batch_size),
            false => (config.updates_per_epoch(images) as usize, 1),
        };
        Self { epochs: config.epochs, images: images.max(1) as u64, parts: vec![(0, 0, 0, batch.max(1) as u64)] }
    }

    /// From `update` (counted from 1) on so many images make one.
    pub fn change(&mut self, update: u64, batch_size: usize) {
        let done = update.saturating_sub(1);
        let (epochs, met) = self.place(done);
        self.parts.retain(|part| part.0 < done);
        self.parts.push((done, epochs, met, batch_size.max(1) as u64));
    }

    /// Epochs, with their fraction, after so many updates.
    pub fn epochs_after(&self, updates: u64) -> f64 {
        let (epochs, met) = self.place(updates);
        epochs as f64 + met as f64 / self.images as f64
    }

    /// Updates after which so many epochs are done, as the run goes on now.
    pub fn updates_after(&self, epochs: u32) -> u64 {
        let epochs = u64::from(epochs);
        let part = self.parts.iter().rev().find(|part| part.1 < epochs);
        let Some(&(done, finished, met, batch)) = part else { return 0 };
        // what is left of the epoch under way, and the epochs after it
        done + (self.images - met).div_ceil(batch) + (epochs - finished - 1) * self.images.div_ceil(batch)
    }

    /// Updates of the whole run, as it goes on now.
    pub fn updates(&self) -> u64 {
        self.updates_after(self.epochs)
    }

    fn place(&self, updates: u64) -> (u64, u64) {
        let part = self.parts.iter().rev().find(|part| part.0 <= updates);
        let Some(&(from, epochs, met, batch)) = part else { return (0, 0) };
        let made = updates - from;
        let left = (self.images - met).div_ceil(batch);
        if made < left {
            return (epochs, met + made * batch);
        }
        let per_epoch = self.images.div_ceil(batch);
        (epochs + 1 + (made - left) / per_epoch, (made - left) % per_epoch * batch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(optimizer: &str) -> TrainingConfig {
        let head = "model = \"mlp\"\nepochs = 3\nbatch_size = 40\nlearning_rate = 0.01\n[optimizer]\nkind = ";
        TrainingConfig::from_toml(&format!("{head}{optimizer}\n")).unwrap()
    }

    #[test]
    fn journals_of_before_are_read_and_what_is_unknown_is_refused() {
        let old = "{\"update\":7,\"epochs\":1,\"learning_rate\":\"0.003\"}";
        let change: LiveChange = serde_json::from_str(old).unwrap();
        assert_eq!(change, LiveChange { update: 7, epochs: 1, set: LiveSettings::rate(0.003) });
        let set = LiveSettings { momentum: Some(0.1 + 0.2), batch_size: Some(8), ..LiveSettings::default() };
        let change = LiveChange { set: LiveSettings { augmentation: Some(Augmentation::MILD), ..set }, ..change };
        let line = serde_json::to_string(&change).unwrap();
        assert_eq!(serde_json::from_str::<LiveChange>(&line).unwrap(), change, "{line}");
        for line in ["{\"update\":7,\"epochs\":1,\"dropout\":1}", "{\"update\":7,\"epochs\":1,\"set\":{\"dropout\":1}}"]
        {
            assert!(serde_json::from_str::<LiveChange>(line).is_err(), "{line}");
        }
    }

    #[test]
    fn only_what_acts_can_change_and_is_named() {
        let (sgd, adam) = (config("\"sgd\"\nmomentum = 0.9"), config("\"adam\""));
        let mut wanted = sgd.clone();
        (wanted.learning_rate, wanted.batch_size, wanted.epochs) = (0.003, 256, 9);
        wanted.optimizer = OptimizerConfig::Sgd { momentum: 0.5, weight_decay: 0.001 };
        wanted.augmentation.shift_pixels = 2.0;
        let set = LiveSettings::between(&sgd, &wanted);
        assert_eq!(
            set.words(&sgd),
            ["rate 0.01→0.003", "momentum 0.9→0.5", "decay 0→0.001", "batch 40→256", "shift 0→2"]
        );
        let mut after = sgd.clone();
        set.apply(&mut after);
        assert_eq!(after, TrainingConfig { epochs: 3, ..wanted.clone() }, "epochs need a new run");
        let other_kind = LiveSettings::between(&adam, &wanted);
        assert_eq!((other_kind.momentum, other_kind.weight_decay), (None, None));
        let whole = config("\"conjugate-gradient\"");
        wanted.optimizer = OptimizerConfig::ConjugateGradient { weight_decay: 0.1, iterations: 5 };
        assert_eq!(LiveSettings::between(&whole, &wanted), LiveSettings::rate(0.003));
    }

    #[test]
    fn changed_batches_share_the_epoch_that_they_change_in() {
        let mut pace = Pace::new(&config("\"adam\""), 100);
        assert_eq!((pace.updates(), pace.epochs_after(3), pace.epochs_after(4)), (9, 1.0, 1.4));
        // 40 images of the second epoch are met, 60 are left: three of 25, then four an epoch
        pace.change(5, 25);
        assert_eq!((pace.updates(), pace.epochs_after(6)), (4 + 3 + 4, 1.9));
        assert_eq!([1, 2, 3].map(|epochs| pace.updates_after(epochs)), [3, 7, 11]);
        assert_eq!((pace.epochs_after(7), pace.epochs_after(11)), (2.0, 3.0));
        // twice before the same update: the last counts
        pace.change(5, 60);
        assert_eq!((pace.updates(), pace.epochs_after(5)), (4 + 1 + 2, 2.0));
    }
}
