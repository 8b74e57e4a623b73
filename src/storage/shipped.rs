//! The models that come inside the program: weights, the configuration that makes them again, and their card.
//! A shipped model is a folder in `models/` and a line in [`SHIPPED`].

use std::path::Path;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use super::weights_file::WeightsFile;
use super::{config_file, run_folder};
use crate::inference::Thresholds;
use crate::models::{self, ensemble, ensemble::Member};
use crate::nn::{WeightEntry, Weights};
use crate::training::TrainingConfig;

/// A model with what is known of it.
pub struct Shipped {
    /// Id of the model in the catalogue.
    pub id: &'static str,
    /// The preset: the settings that made the weights; none of weights that are those of other models.
    pub config: Option<&'static str>,
    /// `None` for an ensemble, whose weights are those of its members.
    weights: Option<&'static [u8]>,
    /// Weights of further seeds with the same settings, by their seed.
    further: &'static [(u64, &'static [u8])],
    card: &'static str,
    /// A line of JSON for every epoch of the run that made the weights.
    pub history: &'static str,
}

/// What a model is known to reach, written when its weights were made.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Card {
    pub model: String,
    /// Share of the 10,000 test images read right.
    pub test_accuracy: f64,
    /// Wilson 95 % interval of it.
    pub test_interval: [f64; 2],
    pub macro_f1: f64,
    /// Of the weights' little-endian bytes in store order.
    pub weights_sha256: String,
    /// The same of the weights of further seeds that are shipped, from seed 2 on.
    #[serde(default)]
    pub further_sha256: Vec<String>,
    pub trained_on: String,
    /// Test accuracy of every seed trained with these settings, in the order of the seeds from 1 on. The shipped weights
    /// are those of `seed`.
    pub accuracy_of_seeds: Vec<f64>,
    pub seed: u64,
    /// Of the seeds.
    pub median_accuracy: f64,
    pub best_epoch: u32,
    /// Training and evaluation, on `machine`.
    pub seconds: f64,
    pub machine: String,
    /// The command that makes the weights again.
    pub command: String,
    /// Share of test digits read right when they are drawn again with pens of 1.5, 2.9, 4.5 and 5.7 pixels
    /// (`digitpad eval --redrawn`).
    pub redrawn: [f64; 4],
    /// Of the shipped weights; chosen on validation images.
    pub thresholds: Thresholds,
    /// What each ingredient is worth: settings that grow line by line, all trained for the same few epochs with one seed.
    #[serde(default)]
    pub ladder: Vec<Rung>,
}

/// One line of a [`Card::ladder`].
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rung {
    /// What this line has more than the one before.
    pub with: String,
    pub epochs: u32,
    /// Share of the validation images read right after the last epoch.
    pub validation_accuracy: f64,
}

macro_rules! shipped {
    ($id:literal $(, $further:literal)*) => {
        Shipped {
            id: $id,
            config: Some(include_str!(concat!("../../models/", $id, "/config.toml"))),
            weights: Some(include_bytes!(concat!("../../models/", $id, "/weights.safetensors"))),
            further: &[$(
                ($further, include_bytes!(concat!("../../models/", $id, "/seed-", $further, ".safetensors")))
            ),*],
            card: include_str!(concat!("../../models/", $id, "/card.toml")),
            history: include_str!(concat!("../../models/", $id, "/history.jsonl")),
        }
    };
}

/// All of them; the first is the pad's default.
pub const SHIPPED: &[Shipped] = &[
    shipped!("pad"),
    shipped!("lenet5"),
    shipped!("cnn"),
    shipped!("cnn-bn", 2, 3),
    shipped!("resnet", 2, 3),
    Shipped {
        id: "ensemble",
        config: None,
        weights: None,
        further: &[],
        card: include_str!("../../models/ensemble/card.toml"),
        history: "",
    },
    shipped!("mlp"),
    shipped!("mlp-deep"),
    shipped!("lenet5-1998"),
    shipped!("lenet5-1998-distorted"),
    shipped!("lenet5-1998-random-codes"),
    shipped!("lenet5-1998-trained-codes"),
    shipped!("lenet5-1998-linear"),
    shipped!("scratch"),
    shipped!("scratch-deep"),
];

impl Shipped {
    /// The settings that made the weights. Fails for an ensemble, which is not trained itself.
    pub fn config(&self) -> Result<TrainingConfig> {
        let config = self.config.with_context(|| untrainable(self.id))?;
        TrainingConfig::from_toml(config).with_context(|| format!("the preset {} is damaged", self.id))
    }

    pub fn weights(&self) -> Result<WeightsFile> {
        let weights = match self.weights {
            Some(weights) => WeightsFile::from_bytes(weights),
            None => weights_of_members(self.id),
        };
        let weights = weights.with_context(|| format!("the shipped weights of {} are damaged", self.id))?;
        Ok(WeightsFile { thresholds: self.card()?.thresholds, ..weights })
    }

    /// Those of another seed with the same settings.
    ///
    /// # Errors
    /// Where these are not shipped.
    pub fn weights_of_seed(&self, seed: u64) -> Result<WeightsFile> {
        if self.card()?.seed == seed {
            return self.weights();
        }
        let further = self.further.iter().find(|(of, _)| *of == seed);
        let (_, weights) =
            further.with_context(|| format!("the weights of {} with seed {seed} are not shipped", self.id))?;
        WeightsFile::from_bytes(weights)
            .with_context(|| format!("the weights of {}, seed {seed}, are damaged", self.id))
    }

    /// What finds the weights of every further seed that is shipped: `cnn-bn-seed-2`.
    pub fn further_names(&self) -> impl Iterator<Item = String> + use<'_> {
        self.further.iter().map(|(seed, _)| format!("{}-seed-{seed}", self.id))
    }

    /// Further seeds whose weights are shipped.
    pub fn further_seeds(&self) -> impl Iterator<Item = u64> + use<> {
        self.further.iter().map(|(seed, _)| *seed)
    }

    pub fn card(&self) -> Result<Card> {
        toml::from_str(self.card).with_context(|| format!("the card of {} is damaged", self.id))
    }
}

fn untrainable(id: &str) -> String {
    format!(
        "{id} is the mean of {} and learns nothing itself: train these",
        ensemble::MEMBERS.map(Member::name).join(", ")
    )
}

/// The weights of the ensemble, put together from those of its members.
fn weights_of_members(id: &str) -> Result<WeightsFile> {
    let architecture = models::find(id).context("an ensemble without an architecture")?;
    let mut together = WeightsFile { architecture, thresholds: Thresholds::default(), weights: Weights::default() };
    for member in ensemble::MEMBERS {
        let name = member.name();
        let shipped = find(member.model).with_context(|| format!("its member {name} is not shipped"))?;
        let file = shipped.weights_of_seed(member.seed)?;
        let renamed =
            |entry: WeightEntry| WeightEntry { name: format!("{}.{name}.{}", ensemble::LAYER, entry.name), ..entry };
        together.weights.entries.extend(file.weights.entries.into_iter().map(renamed));
    }
    Ok(together)
}

/// The shipped model of that id.
pub fn find(id: &str) -> Option<&'static Shipped> {
    SHIPPED.iter().find(|shipped| shipped.id == id)
}

/// Weights, and the configuration that made them where it is known.
pub struct Known {
    /// What finds them again, whatever runs come after: the shipped model's id, the file's path, or the run's full name.
    pub name: String,
    pub file: WeightsFile,
    pub config: Option<TrainingConfig>,
}

/// The test accuracy that the card of the shipped weights called `name` tells, see [`find_weights`].
///
/// # Errors
/// Where no such weights are shipped, so that there is no card.
pub fn accuracy_of(name: &str) -> Result<f64> {
    let of_seed =
        |(shipped, seed): (&Shipped, u64)| shipped.card().ok()?.accuracy_of_seeds.get(seed as usize - 1).copied();
    match find(name) {
        Some(shipped) => Ok(shipped.card()?.test_accuracy),
        None => find_seed(name).and_then(of_seed).with_context(|| format!("{name} is not shipped, so it has no card")),
    }
}

/// The shipped model and the further seed that `name` means: `cnn-bn-seed-2`.
fn find_seed(name: &str) -> Option<(&'static Shipped, u64)> {
    let (id, seed) = name.rsplit_once("-seed-")?;
    let (shipped, seed) = (find(id)?, seed.parse().ok()?);
    shipped.further.iter().any(|(further, _)| *further == seed).then_some((shipped, seed))
}

/// The weights that `name` means: a shipped model's id, or one with a further seed (`cnn-bn-seed-2`), a weights file (a configuration may stand beside it), or a run (its
/// best weights).
pub fn find_weights(name: &str, runs: Option<&Path>) -> Result<Known> {
    if let Some(shipped) = find(name) {
        return Ok(Known { name: shipped.id.to_owned(), file: shipped.weights()?, config: shipped.config().ok() });
    }
    if let Some((shipped, seed)) = find_seed(name) {
        let config = shipped.config().ok().map(|config| TrainingConfig { seed, ..config });
        return Ok(Known { name: name.to_owned(), file: shipped.weights_of_seed(seed)?, config });
    }
    let path = Path::new(name);
    if path.is_file() {
        return beside_its_configuration(name.to_owned(), path);
    }
    if let Some(folder) = runs.and_then(|runs| run_folder::find(runs, name)) {
        let own = folder.file_name().map(|own| own.to_string_lossy().into_owned());
        let own = own.filter(|_| folder.parent() == runs).unwrap_or_else(|| folder.display().to_string());
        return beside_its_configuration(own, &folder.join("best.safetensors"));
    }
    let ids: Vec<&str> = SHIPPED.iter().map(|shipped| shipped.id).collect();
    bail!("there is no model, run or weights file \"{name}\"; shipped models are {}", ids.join(", "))
}

fn beside_its_configuration(name: String, weights: &Path) -> Result<Known> {
    let file = WeightsFile::read(weights)?;
    let config = weights.parent().and_then(|folder| config_file::read(&folder.join("config.toml")).ok());
    Ok(Known { name, config: config.filter(|config| config.model == file.architecture.id), file })
}
