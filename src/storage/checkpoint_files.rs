//! A checkpoint as files, and back: `model.safetensors`, `optimizer.safetensors`, `best.safetensors` where the best weights are
//! not the present ones, `state.json`, and `MANIFEST.json` with the sizes and checksums of the others. Where they lie is told
//! in `checkpoint_folder.rs`.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};

use super::weights_file::{WeightsFile, state_from_bytes, state_to_bytes};
use crate::inference::Thresholds;
use crate::nn::{Compute, Weights};
use crate::training::{Checkpoint, Position, TrainingConfig, TrainingData};

/// The version that this program writes; checkpoints of later versions are refused.
const VERSION: u32 = 1;
/// A file larger than this is none of ours.
const LARGEST_FILE: u64 = 256 << 20;

const MODEL: &str = "model.safetensors";
const OPTIMIZER: &str = "optimizer.safetensors";
const BEST: &str = "best.safetensors";
const STATE: &str = "state.json";
/// Written last: a folder without it is no checkpoint.
pub(super) const MANIFEST: &str = "MANIFEST.json";

/// What a run is, beside its place: whoever goes on compares it with what is at hand.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunFacts {
    pub seed: u64,
    /// Of the whole run.
    pub epochs: u32,
    pub train_images: usize,
    pub validation_images: usize,
    /// See [`TrainingData::sha256`].
    pub images_sha256: String,
    pub device: String,
    pub threads: usize,
    /// The processor's kind and the kernels on it: the same ones give the same bits.
    pub processor: String,
    /// The program's version.
    pub program: String,
}

impl RunFacts {
    pub fn of(config: &TrainingConfig, data: &TrainingData, compute: &Compute) -> Self {
        Self {
            seed: config.seed,
            epochs: config.epochs,
            train_images: data.train.len(),
            validation_images: data.validation.len(),
            images_sha256: data.sha256(),
            device: compute.device_id().to_owned(),
            threads: compute.threads(),
            processor: compute.processor(),
            program: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }

    /// A sentence where a run that was made of `self` cannot go on with what `now` tells: other images.
    pub fn refuse_other_data(&self, now: &Self) -> Result<()> {
        let counts = |facts: &Self| (facts.train_images, facts.validation_images);
        if counts(self) != counts(now) {
            bail!(
                "the run learnt from {} images and kept {} aside, now there are {} and {}; bring back the data set that \
                 its config.toml names",
                self.train_images,
                self.validation_images,
                now.train_images,
                now.validation_images
            );
        }
        ensure!(
            self.images_sha256 == now.images_sha256,
            "these are not the images that the run has learnt from: there are as many, but they \
             differ; bring the data set that its config.toml names"
        );
        Ok(())
    }

    /// A sentence where going on may not lead to the same bits as never leaving would have.
    pub fn differences(&self, now: &Self) -> Option<String> {
        let of = |facts: &Self| format!("Digitpad {} on {} ({})", facts.program, facts.device, facts.processor);
        let (before, now) = (of(self), of(now));
        (before != now).then(|| {
            format!(
                "The run was made by {before} and goes on with {now}: its last bits may differ from those of one go"
            )
        })
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct State {
    version: u32,
    position: Position,
    run: RunFacts,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    version: u32,
    program: String,
    step: u64,
    /// See [`config_sha256`].
    config_sha256: String,
    files: Vec<Listed>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Listed {
    name: String,
    bytes: u64,
    sha256: String,
}

/// SHA-256 of the configuration's text without what a run may go on with otherwise: more epochs, and files that have moved. The
/// images themselves have a checksum of their own, see [`RunFacts`], and the weights that it began with have done their part.
pub fn config_sha256(config: &TrainingConfig) -> String {
    let same_for_all = TrainingConfig { epochs: 1, data: String::new(), from: None, ..config.clone() };
    sha256(same_for_all.to_toml().as_bytes())
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The files of a checkpoint, names with contents, the manifest last.
pub(super) fn encode(
    checkpoint: &Checkpoint,
    config: &TrainingConfig,
    run: &RunFacts,
) -> Result<Vec<(&'static str, Vec<u8>)>> {
    let architecture = config.architecture()?;
    let weights = |weights: &Weights| {
        WeightsFile { architecture, thresholds: Thresholds::default(), weights: weights.clone() }.to_bytes()
    };
    let state = State { version: VERSION, position: checkpoint.position.clone(), run: run.clone() };
    let mut files = vec![
        (MODEL, weights(&checkpoint.weights)?),
        (OPTIMIZER, state_to_bytes(&checkpoint.optimizer)?),
        (STATE, serde_json::to_vec_pretty(&state)?),
    ];
    if let Some(best) = checkpoint.best.as_ref().filter(|best| **best != checkpoint.weights) {
        files.push((BEST, weights(best)?));
    }
    let listed = |(name, bytes): &(&'static str, Vec<u8>)| Listed {
        name: (*name).to_owned(),
        bytes: bytes.len() as u64,
        sha256: sha256(bytes),
    };
    let manifest = Manifest {
        version: VERSION,
        program: env!("CARGO_PKG_VERSION").to_owned(),
        step: checkpoint.position.step,
        config_sha256: config_sha256(config),
        files: files.iter().map(listed).collect(),
    };
    files.push((MANIFEST, serde_json::to_vec_pretty(&manifest)?));
    Ok(files)
}

/// Reads the checkpoint in `folder`. Fails, saying what is wrong, unless every file is there as the manifest lists it and fits
/// the configuration.
pub(super) fn decode(folder: &Path, config: &TrainingConfig) -> Result<(Checkpoint, RunFacts)> {
    let manifest: Manifest = parse(MANIFEST, &read(folder, MANIFEST)?)?;
    ensure!(manifest.version == VERSION, "it is of version {}, this program reads version {VERSION}", manifest.version);
    ensure!(
        manifest.config_sha256 == config_sha256(config),
        "it is of another configuration than the run's config.toml"
    );
    let file = |name: &str| -> Result<Vec<u8>> {
        let listed = manifest.files.iter().find(|listed| listed.name == name);
        let listed = listed.with_context(|| format!("its manifest lists no {name}"))?;
        let bytes = read(folder, name)?;
        let (found, expected) = (bytes.len() as u64, listed.bytes);
        ensure!(found == expected, "{name} has {found} bytes, expected {expected}");
        ensure!(sha256(&bytes) == listed.sha256, "{name} has another checksum than its manifest says");
        Ok(bytes)
    };
    let model_id = config.architecture()?.id;
    let weights = |name: &str| -> Result<Weights> {
        let read = WeightsFile::from_bytes(&file(name)?).with_context(|| format!("{name} cannot be read"))?;
        ensure!(read.architecture.id == model_id, "{name} is of {}, expected {model_id}", read.architecture.id);
        Ok(read.weights)
    };
    let State { version, position, run } = parse(STATE, &file(STATE)?)?;
    ensure!(version == VERSION, "{STATE} is of version {version}, this program reads version {VERSION}");
    let model = weights(MODEL)?;
    let best = match &position.best {
        None => None,
        Some(_) if manifest.files.iter().any(|listed| listed.name == BEST) => Some(weights(BEST)?),
        Some(_) => Some(model.clone()),
    };
    let optimizer = state_from_bytes(&file(OPTIMIZER)?).with_context(|| format!("{OPTIMIZER} cannot be read"))?;
    Ok((Checkpoint { position, weights: model, optimizer, best }, run))
}

fn read(folder: &Path, name: &str) -> Result<Vec<u8>> {
    let path = folder.join(name);
    let size = fs::metadata(&path).with_context(|| format!("{name} cannot be read"))?.len();
    ensure!(size <= LARGEST_FILE, "{name} has {size} bytes, more than a checkpoint can have");
    fs::read(&path).with_context(|| format!("{name} cannot be read"))
}

fn parse<T: DeserializeOwned>(name: &str, bytes: &[u8]) -> Result<T> {
    serde_json::from_slice(bytes).with_context(|| format!("{name} cannot be read"))
}
