//! The settings of runs beside each other: every one by its key in the configuration, and those in which runs differ.

use std::collections::{BTreeMap, BTreeSet};

use crate::training::TrainingConfig;

/// The keys that people look for first, in their order; others follow by name, the seed last.
const FIRST: [&str; 8] =
    ["model", "data", "optimizer.kind", "learning_rate", "schedule.kind", "batch_size", "epochs", "initialisation"];
/// The key of the seed: runs that differ in it alone are repeats of one another.
pub const SEED: &str = "seed";

/// All settings of a configuration as its file writes them: `learning_rate` is `0.001`, `optimizer.kind` is `adam`. What is
/// as usual has no entry where the file leaves it out.
pub fn all(config: &TrainingConfig) -> BTreeMap<String, String> {
    let mut settings = BTreeMap::new();
    if let Ok(table) = toml::from_str::<toml::Table>(&config.to_toml()) {
        flatten("", &table, &mut settings);
    }
    settings.remove("version");
    settings
}

fn flatten(before: &str, table: &toml::Table, settings: &mut BTreeMap<String, String>) {
    for (name, value) in table {
        let key = if before.is_empty() { name.clone() } else { format!("{before}.{name}") };
        match value {
            toml::Value::Table(inner) => flatten(&key, inner, settings),
            toml::Value::String(text) => {
                settings.insert(key, text.clone());
            }
            other => {
                settings.insert(key, other.to_string());
            }
        }
    }
}

/// The keys whose values are not the same in all of them, the usual ones first and the seed last.
pub fn differing<'a>(runs: impl Iterator<Item = &'a BTreeMap<String, String>> + Clone) -> Vec<String> {
    let Some(first) = runs.clone().next() else { return Vec::new() };
    let keys: BTreeSet<&String> = runs.clone().flat_map(BTreeMap::keys).collect();
    let differs = |key: &&String| runs.clone().any(|run| run.get(*key) != first.get(*key));
    let mut keys: Vec<String> = keys.into_iter().filter(differs).cloned().collect();
    let rank = |key: &String| match FIRST.iter().position(|known| known == key) {
        Some(place) => place,
        None if key == SEED => FIRST.len() + 1,
        None => FIRST.len(),
    };
    keys.sort_by_key(rank);
    keys
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(change: &str) -> BTreeMap<String, String> {
        let text =
            "model = \"mlp\"\nepochs = 2\nbatch_size = 64\nlearning_rate = 0.001\n[optimizer]\nkind = \"adam\"\n";
        all(&TrainingConfig::from_toml(&format!("{change}{text}")).unwrap())
    }

    #[test]
    fn only_settings_that_differ_are_named() {
        let runs = [config(""), config("seed = 2\n"), config("seed = 3\nwarm_up = 0.05\nclip_norm = 1.0\n")];
        assert_eq!(differing(runs.iter()), ["clip_norm", "warm_up", "seed"]);
        assert_eq!(differing(runs[..2].iter()), ["seed"]);
        assert!(differing(runs[..1].iter()).is_empty() && differing(runs[..0].iter()).is_empty());
        assert_eq!((runs[0]["optimizer.kind"].as_str(), runs[2]["warm_up"].as_str()), ("adam", "0.05"));
        assert!(!runs[0].contains_key("warm_up"), "what is as usual stays out");
    }
}
