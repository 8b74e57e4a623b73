//! The settings that come inside the program by name: every shipped model's own, and those of a purpose. A preset of a
//! purpose is a file in `models/presets/` and a line in `PURPOSES`.

use anyhow::{Context, Result};

use super::shipped;
use crate::models;
use crate::training::TrainingConfig;

/// Settings with a name.
#[derive(Clone, Copy)]
pub struct Preset {
    /// As commands name it; the model's id for a model's own settings.
    pub id: &'static str,
    /// As the window writes it, beside the model.
    pub title: &'static str,
    toml: &'static str,
}

macro_rules! purpose {
    ($id:literal, $title:literal) => {
        Preset { id: $id, title: $title, toml: include_str!(concat!("../../models/presets/", $id, ".toml")) }
    };
}

const PURPOSES: &[Preset] = &[
    purpose!("ninety-nine", "99 % in seconds"),
    purpose!("lenet5-1998-literal", "To the letter"),
    purpose!("lenet5-1998-map", "MAP loss"),
    purpose!("early-stopping", "Stops early"),
];

impl Preset {
    pub fn config(&self) -> Result<TrainingConfig> {
        TrainingConfig::from_toml(self.toml).with_context(|| format!("the preset {} is damaged", self.id))
    }
}

/// All presets: the models' own first, in their order.
pub fn all() -> impl Iterator<Item = Preset> {
    let own = |model: &shipped::Shipped| Some(Preset { id: model.id, title: "Recommended", toml: model.config? });
    shipped::SHIPPED.iter().filter_map(own).chain(PURPOSES.iter().copied())
}

/// The preset of that name.
pub fn find(id: &str) -> Option<Preset> {
    all().find(|preset| preset.id == id)
}

/// The settings that `id` names: those of a preset, or of a variation, which are those recommended for the model it varies.
pub fn settings(id: &str) -> Option<Result<TrainingConfig>> {
    if let Some(preset) = find(id) {
        return Some(preset.config());
    }
    let variation = models::VARIATIONS.iter().find(|variation| variation.id == id)?;
    let base = find(models::base_of(id))?.config();
    Some(base.map(|base| TrainingConfig { model: variation.id.to_owned(), ..base }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variation_has_the_settings_of_its_model() {
        for variation in models::VARIATIONS {
            let base = models::base_of(variation.id);
            let config = settings(variation.id).unwrap().unwrap();
            assert_eq!(config.model, variation.id);
            assert_eq!(TrainingConfig { model: base.to_owned(), ..config }, find(base).unwrap().config().unwrap());
        }
        assert!(settings("nothing").is_none() && models::base_of("mlp") == "mlp");
    }

    #[test]
    fn every_preset_can_be_read_and_has_a_name_of_its_own() {
        let ids: Vec<&str> = all().map(|preset| preset.id).collect();
        for (i, preset) in all().enumerate() {
            assert!(!ids[..i].contains(&preset.id), "{} twice", preset.id);
            let config = preset.config().unwrap();
            assert!(preset.title != "Recommended" || config.model == preset.id);
        }
        assert!(find("lenet-5").is_none());
    }
}
