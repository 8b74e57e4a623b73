//! Weights as safetensors files: no code in them, checked before use, the same bytes for the same weights.

use std::collections::HashMap;
use std::path::Path;

use anyhow::{Context, Result, anyhow, bail, ensure};
use safetensors::tensor::{Dtype, SafeTensors, TensorView, serialize};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::write_atomically;
use crate::inference::Thresholds;
use crate::models::{self, Architecture};
use crate::nn::{WeightEntry, Weights};

/// A file larger than this is none of ours.
const LARGEST_FILE: u64 = 256 << 20;
/// The one key of the metadata: several would be written in any order.
pub(super) const METADATA_KEY: &str = "digitpad";

/// What stands beside the tensors.
#[derive(Debug, Serialize, Deserialize)]
struct Metadata {
    version: u32,
    model: String,
    sure_above: f32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    digit_above: Option<f32>,
}

/// Weights with the model they are of.
pub struct WeightsFile {
    pub architecture: &'static Architecture,
    /// From when on its answers count.
    pub thresholds: Thresholds,
    pub weights: Weights,
}

impl WeightsFile {
    /// The bytes of a file; equal weights give equal bytes.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        self.to_bytes_telling(&Value::Null)
    }

    /// As [`Self::to_bytes`], with the entries of an object among the metadata; whoever reads weights passes over them.
    pub(super) fn to_bytes_telling(&self, more: &Value) -> Result<Vec<u8>> {
        let metadata = Metadata {
            version: 1,
            model: self.architecture.id.to_owned(),
            sure_above: self.thresholds.sure_above,
            digit_above: self.thresholds.digit_above,
        };
        let entries = self.weights.entries.iter().map(|entry| (&entry.name, &entry.shape, &*entry.values));
        let Value::Object(more) = more else { return encode(entries, Some(serde_json::to_string(&metadata)?)) };
        let mut metadata = serde_json::to_value(&metadata)?;
        more.iter().for_each(|(key, value)| metadata[key] = value.clone());
        encode(entries, Some(metadata.to_string()))
    }

    /// Reads a file's bytes. Fails, saying what was expected, unless every tensor of the model is there, of its shape,
    /// in `f32` and finite, and nothing else.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let (_, header) = SafeTensors::read_metadata(bytes).context("this is no safetensors file")?;
        let metadata = header.metadata().as_ref().and_then(|all| all.get(METADATA_KEY));
        let metadata = metadata.context("the file does not say which model its weights are of")?;
        let metadata: Metadata = serde_json::from_str(metadata).context("the file's metadata cannot be read")?;
        ensure!(metadata.version == 1, "the file is of version {}, this program reads version 1", metadata.version);
        let architecture = models::find(&metadata.model).with_context(|| {
            format!("the weights are of \"{}\", a model this program does not know", metadata.model)
        })?;
        let thresholds = Thresholds { sure_above: metadata.sure_above, digit_above: metadata.digit_above };
        let is_finite = thresholds.sure_above.is_finite() && thresholds.digit_above.is_none_or(f32::is_finite);
        ensure!(is_finite, "the file's thresholds for sure answers and digits are not numbers");
        let tensors = SafeTensors::deserialize(bytes).context("this is no safetensors file")?;
        let network = (architecture.network)()?;
        ensure!(
            tensors.len() == network.params().len(),
            "{} has {} parameters, the file has {}",
            architecture.id,
            network.params().len(),
            tensors.len()
        );
        let entries = network.params().iter().map(|spec| {
            let view = tensors.tensor(&spec.name).with_context(|| format!("the file lacks {}", spec.name))?;
            ensure!(view.dtype() == Dtype::F32, "{} is of type {:?}, expected F32", spec.name, view.dtype());
            if view.shape() != spec.shape {
                bail!("{} is of shape {:?}, expected {:?}", spec.name, view.shape(), spec.shape);
            }
            let values: Vec<f32> = decode(view.data());
            ensure!(values.iter().all(|x| x.is_finite()), "{} holds values that are not numbers", spec.name);
            Ok(WeightEntry { name: spec.name.clone(), shape: spec.shape.clone(), values: values.into() })
        });
        let weights = Weights { entries: entries.collect::<Result<_>>()? };
        Ok(Self { architecture, thresholds, weights })
    }

    /// Reads a file.
    pub fn read(path: &Path) -> Result<Self> {
        let read = || -> Result<Self> {
            let size = std::fs::metadata(path)?.len();
            ensure!(size <= LARGEST_FILE, "the file has {size} bytes, more than weights can have");
            Self::from_bytes(&std::fs::read(path)?)
        };
        read().map_err(|error| anyhow!("these weights cannot be loaded ({error:#}): {}", path.display()))
    }

    /// Writes a file, wholly or not at all.
    pub fn write(&self, path: &Path) -> Result<()> {
        Ok(write_atomically(path, &self.to_bytes()?)?)
    }
}

/// An optimiser's state as a file's bytes.
pub fn state_to_bytes(state: &[(String, Vec<f32>)]) -> Result<Vec<u8>> {
    let shapes: Vec<Vec<usize>> = state.iter().map(|(_, values)| vec![values.len()]).collect();
    encode(state.iter().zip(&shapes).map(|((name, values), shape)| (name, shape, values.as_slice())), None)
}

/// An optimiser's state from a file's bytes, in the order of names. Fails where the bytes are no safetensors file of `f32`.
pub fn state_from_bytes(bytes: &[u8]) -> Result<Vec<(String, Vec<f32>)>> {
    let tensors = SafeTensors::deserialize(bytes).context("this is no safetensors file")?;
    let mut state = Vec::with_capacity(tensors.len());
    for (name, view) in tensors.iter() {
        ensure!(view.dtype() == Dtype::F32, "{name} is of type {:?}, expected F32", view.dtype());
        // their bits may mean whole numbers or halves of longer ones: any are good
        state.push((name.to_owned(), decode(view.data())));
    }
    Ok(state)
}

fn encode<'a>(
    entries: impl Iterator<Item = (&'a String, &'a Vec<usize>, &'a [f32])>,
    metadata: Option<String>,
) -> Result<Vec<u8>> {
    let bytes: Vec<(&String, &Vec<usize>, Vec<u8>)> = entries
        .map(|(name, shape, values)| (name, shape, values.iter().flat_map(|x| x.to_le_bytes()).collect()))
        .collect();
    let views = bytes
        .iter()
        .map(|(name, shape, bytes)| Ok((name.as_str(), TensorView::new(Dtype::F32, shape.to_vec(), bytes)?)));
    let views: Vec<(&str, TensorView<'_>)> = views.collect::<Result<_>>()?;
    let metadata = metadata.map(|text| HashMap::from([(METADATA_KEY.to_owned(), text)]));
    Ok(serialize(views, metadata)?)
}

fn decode(bytes: &[u8]) -> Vec<f32> {
    bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::ParamStore;
    use candle_core::Device;

    fn file() -> WeightsFile {
        let architecture = models::find("mlp").unwrap();
        let network = (architecture.network)().unwrap();
        let weights = ParamStore::initialise(&network, 1, &Device::Cpu).unwrap().weights().unwrap();
        WeightsFile { architecture, thresholds: Thresholds { sure_above: 0.9, digit_above: Some(-1.5) }, weights }
    }

    #[test]
    fn a_file_gives_back_what_was_written_and_the_same_bytes() {
        let file = file();
        let bytes = file.to_bytes().unwrap();
        let again = WeightsFile::from_bytes(&bytes).unwrap();
        assert_eq!((&again.weights, again.thresholds), (&file.weights, file.thresholds));
        assert_eq!(again.to_bytes().unwrap(), bytes);
    }

    #[test]
    fn damaged_files_are_refused_whole() {
        let bytes = file().to_bytes().unwrap();
        for length in (0..400).chain([bytes.len() - 1, bytes.len() / 2]) {
            assert!(WeightsFile::from_bytes(&bytes[..length]).is_err(), "cut at {length}");
        }
        let mut nan = file();
        let mut values = nan.weights.entries[1].values.to_vec();
        values[3] = f32::NAN;
        nan.weights.entries[1].values = values.into();
        let message = WeightsFile::from_bytes(&nan.to_bytes().unwrap()).err().unwrap().to_string();
        assert!(message.contains("Hidden.bias holds values that are not numbers"), "{message}");
        let mut lacking = file();
        lacking.weights.entries.pop();
        assert!(WeightsFile::from_bytes(&lacking.to_bytes().unwrap()).is_err());
        let mut huge = bytes.clone();
        huge[..8].copy_from_slice(&(u64::MAX / 2).to_le_bytes());
        assert!(WeightsFile::from_bytes(&huge).is_err());
    }
}
