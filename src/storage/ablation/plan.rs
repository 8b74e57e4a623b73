//! The plan of an ablation: a base configuration, and variants of it that each change a few keys.
//!
//! ```toml
//! question = "Does dropout help a small MLP?"
//! bet = "with dropout"       # which will win; may be left out
//! seeds = 3                  # every variant is trained with the seeds 1, 2 and 3
//!
//! [base]
//! name = "with dropout"      # "base" unless it says so
//! preset = "mlp-deep"        # begins as these settings; may be left out
//! epochs = 5
//!
//! [[variants]]
//! name = "without"
//! dropout = 0.0
//! ```
//!
//! A table that names its `kind` takes the place of the base's; of another table only the keys change that it has.

use anyhow::{Context, Result, anyhow, bail, ensure};
use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use crate::storage::presets;
use crate::training::{ConfigError, TrainingConfig, toml_place};

/// The version that this program writes; plans of later versions are refused.
const VERSION: u32 = 1;
/// A hundred seeds make an interval a tenth as wide as one; nobody waits for more.
const MOST_SEEDS: u32 = 100;

/// A question that trainings answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Begins the name of its folder.
    pub name: String,
    pub question: String,
    /// The name of the variant that somebody believes will win.
    pub bet: Option<String>,
    /// Every variant is trained with the seeds from 1 to this one.
    pub seeds: u32,
    /// The base first.
    pub variants: Vec<Variant>,
}

/// One of the configurations that are compared.
#[derive(Clone, Debug, PartialEq)]
pub struct Variant {
    /// Begins the names of its runs.
    pub name: String,
    /// What it has other than the base, as TOML; nothing in the base itself.
    pub changes: Table,
    pub config: TrainingConfig,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PlanFile {
    #[serde(default = "version")]
    version: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    question: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    bet: Option<String>,
    #[serde(default = "seeds")]
    seeds: u32,
    base: Table,
    #[serde(default)]
    variants: Vec<Table>,
}

fn version() -> u32 {
    VERSION
}
fn seeds() -> u32 {
    3
}

impl Plan {
    /// Reads TOML. `name` is the plan's own where the text gives it none.
    ///
    /// # Errors
    /// A sentence with line and column where the text is no plan, and with the name of the variant whose settings cannot be.
    pub fn from_toml(text: &str, name: &str) -> Result<Self> {
        let mut file: PlanFile = toml::from_str(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            anyhow!("{}: {}", toml_place::place(text, at), error.message())
        })?;
        ensure!(
            file.version == VERSION,
            "this plan is of version {}, this program reads version {VERSION}",
            file.version
        );
        let base_name = take_name(&mut file.base)?.unwrap_or_else(|| "base".to_owned());
        let base = base_settings(&mut file.base)?;
        let own = config(&base, &base_name, (text, &["base"]))?;
        let mut variants = vec![Variant { config: own, name: base_name, changes: Table::new() }];
        for (number, mut changes) in file.variants.into_iter().enumerate() {
            let name = take_name(&mut changes)?.context("a variant has no name; give it one with the key name")?;
            refuse_seed(&changes, &name)?;
            let mut settings = base.clone();
            changed(&mut settings, &changes);
            let config = config(&settings, &name, (text, &["variants", &number.to_string()]))?;
            variants.push(Variant { config, name, changes });
        }
        let name = file.name.unwrap_or_else(|| name.to_owned());
        Self { name, question: file.question, bet: file.bet, seeds: file.seeds, variants }.checked()
    }

    fn checked(self) -> Result<Self> {
        let names: Vec<&str> = self.variants.iter().map(|variant| variant.name.as_str()).collect();
        ensure!(names.len() > 1, "a plan compares the base with variants, and this one has none; add [[variants]]");
        for (i, variant) in self.variants.iter().enumerate() {
            ensure!(!names[..i].contains(&variant.name.as_str()), "two variants are called \"{}\"", variant.name);
            // a run that is found by its name would be taken for the other's
            let shared = self.variants[..i].iter().find(|other| other.run_name(1) == variant.run_name(1));
            if let Some(other) = shared {
                bail!(
                    "the runs of \"{}\" and of \"{}\" would have the same name, {}; call one of the two otherwise",
                    other.name,
                    variant.name,
                    variant.run_name(1)
                );
            }
            let same = self.variants[..i].iter().find(|other| other.config == variant.config);
            if let Some(same) = same {
                bail!(
                    "the variant \"{}\" is the same as \"{}\": a comparison would say nothing",
                    variant.name,
                    same.name
                );
            }
        }
        if let Some(bet) = &self.bet {
            ensure!(
                names.contains(&bet.as_str()),
                "the bet is on \"{bet}\", and the variants are {}",
                names.join(", ")
            );
        }
        self.with_seeds(None)
    }

    /// With another number of seeds, where one is given.
    ///
    /// # Errors
    /// Where it is none that can be trained.
    pub fn with_seeds(mut self, seeds: Option<u32>) -> Result<Self> {
        self.seeds = seeds.unwrap_or(self.seeds);
        ensure!(
            (1..=MOST_SEEDS).contains(&self.seeds),
            "the number of seeds lies between 1 and {MOST_SEEDS}, got {}",
            self.seeds
        );
        Ok(self)
    }

    /// As TOML that [`Plan::from_toml`] reads back to the same plan, whatever becomes of the preset.
    pub fn to_toml(&self) -> Result<String> {
        let (base, variants) = self.variants.split_first().context("a plan has a base")?;
        let named = |name: &str, table: &Table| {
            let mut table = table.clone();
            table.insert("name".to_owned(), Value::String(name.to_owned()));
            table
        };
        let mut settings = table(&base.config.to_toml())?;
        settings.remove("seed");
        let file = PlanFile {
            version: VERSION,
            name: Some(self.name.clone()),
            question: self.question.clone(),
            bet: self.bet.clone(),
            seeds: self.seeds,
            base: named(&base.name, &settings),
            variants: variants.iter().map(|variant| named(&variant.name, &variant.changes)).collect(),
        };
        Ok(toml::to_string(&file)?)
    }
}

impl Variant {
    /// What it has other than the base, in a line; empty for the base.
    pub fn differences(&self) -> String {
        self.changes.iter().map(|(key, value)| format!("{key} = {value}")).collect::<Vec<_>>().join(", ")
    }

    /// Begins the names of its runs with this seed.
    pub fn run_name(&self, seed: u32) -> String {
        format!("{}-seed{seed}", self.name.replace(' ', "-"))
    }
}

/// Takes the key `name` out. Fails where it cannot begin the name of a folder.
fn take_name(table: &mut Table) -> Result<Option<String>> {
    let Some(name) = table.remove("name") else { return Ok(None) };
    let Value::String(name) = name else { bail!("the name of a variant is a text, got {name}") };
    let fits = |c: char| c.is_alphanumeric() || " -.+".contains(c);
    ensure!(
        !name.is_empty() && name.len() <= 60 && !name.starts_with('.') && name.chars().all(fits),
        "\"{name}\" cannot name a variant: take letters, figures, spaces and dashes"
    );
    Ok(Some(name))
}

fn refuse_seed(table: &Table, name: &str) -> Result<()> {
    ensure!(
        !table.contains_key("seed"),
        "{name} has a seed of its own: every variant is trained with the same ones, as many as the key seeds says"
    );
    Ok(())
}

/// All settings of the base: those of its preset, changed by its own keys.
fn base_settings(base: &mut Table) -> Result<Table> {
    refuse_seed(base, "the base")?;
    let Some(preset) = base.remove("preset") else { return Ok(base.clone()) };
    let named = preset.as_str().and_then(presets::find);
    let Some(named) = named else {
        let known: Vec<&str> = presets::all().map(|preset| preset.id).collect();
        bail!("there is no preset {preset}; presets are {}", known.join(", "))
    };
    let mut settings = table(&named.config()?.to_toml())?;
    changed(&mut settings, base);
    Ok(settings)
}

fn table(toml: &str) -> Result<Table> {
    toml::from_str(toml).context("a configuration that was written cannot be read")
}

/// As the head of this file says.
fn changed(settings: &mut Table, changes: &Table) {
    for (key, value) in changes {
        match (settings.get_mut(key), value) {
            (Some(Value::Table(old)), Value::Table(new)) if !new.contains_key("kind") => changed(old, new),
            _ => {
                settings.insert(key.clone(), value.clone());
            }
        }
    }
}

/// Fails with the name of the variant, and where a key is to blame, with its place in the plan: among the variant's own keys, at
/// `own`, or in the base.
fn config(settings: &Table, name: &str, (plan, own): (&str, &[&str])) -> Result<TrainingConfig> {
    let text = toml::to_string(settings)?;
    TrainingConfig::from_toml(&text).map_err(|error| {
        let ConfigError::Syntax { at, message, .. } = error else {
            return anyhow!("the settings of \"{name}\" cannot be: {error}");
        };
        let keys = toml_place::keys_at(&text, at);
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        let within = |table: &[&str]| toml_place::start_of(plan, &[table, &keys].concat());
        let place = within(own).or_else(|| within(&["base"])).filter(|_| !keys.is_empty());
        let place = place.map_or_else(String::new, |at| format!("{}: ", toml_place::place(plan, at)));
        anyhow!("{place}the settings of \"{name}\" cannot be: {message}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optim::OptimizerConfig;

    const PLAN: &str = "question = \"Which?\"\nbet = \"slow\"\nseeds = 2\n[base]\npreset = \"ninety-nine\"\nepochs = 2\n\
                        [[variants]]\nname = \"slow\"\nlearning_rate = 0.0001\n\
                        [[variants]]\nname = \"plain sgd\"\noptimizer = { kind = \"sgd\" }\n\
                        [[variants]]\nname = \"upright\"\naugmentation = { rotation_degrees = 0.0 }\n";

    #[test]
    fn variants_change_what_they_name_and_nothing_else() {
        let plan = Plan::from_toml(PLAN, "file").unwrap();
        let [base, slow, sgd, upright] = &plan.variants[..] else { panic!("four variants") };
        assert_eq!((base.name.as_str(), plan.name.as_str(), plan.seeds), ("base", "file", 2));
        assert_eq!((base.config.epochs, base.config.model.as_str()), (2, "lenet5"));
        assert_eq!(slow.config, TrainingConfig { learning_rate: 0.0001, ..base.config.clone() });
        assert_eq!(sgd.config.optimizer, OptimizerConfig::Sgd { momentum: 0.0, weight_decay: 0.0 });
        let (before, after) = (base.config.augmentation, upright.config.augmentation);
        assert_eq!((after.rotation_degrees, after.scale), (0.0, before.scale));
        assert_eq!(
            (sgd.run_name(2), slow.differences()),
            ("plain-sgd-seed2".to_owned(), "learning_rate = 0.0001".into())
        );
        assert_eq!(base.differences(), "");
        // its folder holds all of it
        assert_eq!(Plan::from_toml(&plan.to_toml().unwrap(), "other").unwrap(), plan);
    }

    #[test]
    fn what_cannot_be_is_told_with_its_place_or_its_variant() {
        for (plan, expected) in [
            (PLAN.replace("seeds", "seed"), "line 3, column 1: unknown field `seed`"),
            (PLAN.replace("seeds = 2", "seeds = 0"), "between 1 and 100, got 0"),
            (PLAN.replace("\"ninety-nine\"", "\"ninety\""), "there is no preset \"ninety\"; presets are pad"),
            (
                PLAN.replace("bet = \"slow\"", "bet = \"fast\""),
                "the bet is on \"fast\", and the variants are base, slow",
            ),
            (
                PLAN.replace("learning_rate", "learning_rat"),
                "line 9, column 1: the settings of \"slow\" cannot be: unknown field",
            ),
            (PLAN.replace("epochs", "epoch"), "line 6, column 1: the settings of \"base\" cannot be: unknown field"),
            (
                PLAN.replace("{ kind = \"sgd\" }", "\"sgd\""),
                "line 12, column 1: the settings of \"plain sgd\" cannot be",
            ),
            (PLAN.replace("rotation_degrees", "rotation"), "line 15, column 18: the settings of \"upright\" cannot be"),
            (PLAN.replace("0.0001", "-1.0"), "the settings of \"slow\" cannot be: the learning rate must be above 0"),
            (PLAN.replace("learning_rate = 0.0001", "seed = 3"), "slow has a seed of its own"),
            (PLAN.replace("learning_rate = 0.0001", "epochs = 2"), "\"slow\" is the same as \"base\""),
            (PLAN.replace("plain sgd", "slow"), "two variants are called \"slow\""),
            (
                PLAN.replace("\"upright\"", "\"plain-sgd\""),
                "the runs of \"plain sgd\" and of \"plain-sgd\" would have the same name, plain-sgd-seed1",
            ),
            (PLAN.replace("plain sgd", "../sgd"), "cannot name a variant"),
            (PLAN.replace("name = \"upright\"\n", ""), "a variant has no name"),
            (PLAN[..PLAN.find("[[").unwrap()].replace("bet = \"slow\"\n", ""), "this one has none"),
            (format!("version = 2\n{PLAN}"), "version 2"),
            (String::new(), "missing field"),
        ] {
            let error = format!("{:#}", Plan::from_toml(&plan, "file").unwrap_err());
            assert!(error.contains(expected), "expected {expected:?} in {error:?}");
        }
    }
}
