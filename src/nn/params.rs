//! Parameters: ordered, named, seeded variables for training, and frozen deep copies for everybody else.

use std::sync::Arc;

use candle_core::{Device, Result, Tensor, Var, bail};
use rand::Rng;
use sha2::{Digest, Sha256};

use super::random::{Purpose, stream};
use super::{Initialisation, Network};

/// How a parameter begins.
#[derive(Clone, Debug, PartialEq)]
pub enum Init {
    Zeros,
    /// These values, in row order.
    Values(Arc<[f32]>),
    /// The same value everywhere.
    Constant {
        value: f32,
    },
    /// Uniform in ±bound.
    Uniform {
        bound: f32,
    },
}

impl Init {
    /// Uniform in ±√(6 / (in + out)): keeps variances through tanh layers (Glorot & Bengio 2010, eq. 16).
    pub fn xavier(fan_in: usize, fan_out: usize) -> Self {
        Self::Uniform { bound: (6.0 / (fan_in + fan_out) as f32).sqrt() }
    }

    /// Uniform in ±√(6 / in): keeps variances through rectified layers (He et al. 2015, eq. 10).
    pub fn kaiming(fan_in: usize) -> Self {
        Self::Uniform { bound: (6.0 / fan_in as f32).sqrt() }
    }

    /// `count` values; `index` is the parameter's in its network.
    pub(super) fn values(&self, count: usize, seed: u64, index: usize) -> Vec<f32> {
        match *self {
            Self::Zeros => vec![0.0; count],
            Self::Values(ref values) => values.to_vec(),
            Self::Constant { value } => vec![value; count],
            Self::Uniform { bound } => {
                let mut rng = stream(seed, Purpose::Initialise, index as u64, 0);
                (0..count).map(|_| rng.random_range(-bound..=bound)).collect()
            }
        }
    }
}

/// What a parameter does in its layer. Schemes begin each kind in a way of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParamKind {
    /// Multiplies one input of a unit.
    Weight,
    Bias,
    /// Multiplies the sum of a unit's inputs.
    Coefficient,
    /// A point that distances are measured from; it begins the same way under every scheme.
    Centre,
    /// Scales or shifts what has been normalised; it begins the same way under every scheme.
    Affine,
    /// Not learnt but seen: a mean or a variance over the images so far, or which inputs count. No optimiser moves it; it
    /// begins the same way under every scheme and moves by [`ParamStore::observe`], if a layer observes it
    /// ([`super::Pass::observed`]).
    Statistic,
}

impl ParamKind {
    /// Whether training can change it.
    pub fn is_learnt(self) -> bool {
        self != Self::Statistic
    }
}

/// A parameter that a layer asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct ParamSpec {
    /// `layer.weight`, `layer.bias`: unique in a network and part of the file format.
    pub name: String,
    pub shape: Vec<usize>,
    /// How it usually begins.
    pub init: Init,
    pub kind: ParamKind,
    /// Inputs of the units that the parameter belongs to, without the bias: one number for every entry of its first axis.
    pub fan_in: Vec<usize>,
}

impl ParamSpec {
    /// One bias for every unit, usually 0.
    pub(super) fn bias(fan_in: Vec<usize>) -> Self {
        Self { name: "bias".to_owned(), shape: vec![fan_in.len()], init: Init::Zeros, kind: ParamKind::Bias, fan_in }
    }
}

/// The variables of one training, in the network's order.
pub struct ParamStore {
    names: Vec<String>,
    vars: Vec<Var>,
    /// Which ones optimisers move: no statistics, nothing frozen.
    learns: Vec<bool>,
}

/// What a part of a batch showed of the statistics of a network.
pub struct Observed {
    pub images: usize,
    /// What [`super::Pass::observed`] held: the same parameters in every part.
    pub statistics: Vec<(usize, Tensor)>,
}

impl ParamStore {
    /// How far a statistic moves towards what a batch shows; what all training images show is what it is.
    pub const TOWARDS_BATCH: f64 = 0.1;

    /// Fresh parameters as every layer asks for them; the same seed gives the same values on every device.
    pub fn initialise(network: &Network, seed: u64, device: &Device) -> Result<Self> {
        Self::initialise_by(network, Initialisation::Usual, seed, device)
    }

    /// Fresh parameters by a scheme; the same seed gives the same values on every device.
    pub fn initialise_by(network: &Network, scheme: Initialisation, seed: u64, device: &Device) -> Result<Self> {
        let mut store = Self { names: Vec::new(), vars: Vec::new(), learns: learns(network) };
        for (index, spec) in network.params().iter().enumerate() {
            let values = scheme.values(spec, seed, index);
            store.names.push(spec.name.clone());
            store.vars.push(Var::from_tensor(&Tensor::from_vec(values, spec.shape.clone(), device)?)?);
        }
        Ok(store)
    }

    /// Variables that begin as a copy of `weights`. Fails where they do not fit the network.
    pub fn from_weights(network: &Network, weights: &Weights, device: &Device) -> Result<Self> {
        let tensors = weights.tensors(network, device)?;
        let vars = tensors.iter().map(Var::from_tensor).collect::<Result<_>>()?;
        let names = network.params().iter().map(|spec| spec.name.clone()).collect();
        Ok(Self { names, vars, learns: learns(network) })
    }

    /// Optimisers leave the first `count` parameters alone from now on.
    pub fn freeze(&mut self, count: usize) {
        self.learns.iter_mut().take(count).for_each(|learns| *learns = false);
    }

    /// Whether optimisers move the parameter of that index.
    pub fn learns(&self, index: usize) -> bool {
        self.learns[index]
    }

    /// What optimisers move, with its index in the store.
    pub fn learning(&self) -> impl Iterator<Item = (usize, &Var)> {
        self.vars.iter().enumerate().filter(|(index, _)| self.learns[*index])
    }

    /// Moves every observed statistic the share `towards` of the way to the mean of what the parts showed, each part
    /// weighing as many images as it has.
    pub fn observe(&self, parts: &[Observed], towards: f64) -> Result<()> {
        let images: usize = parts.iter().map(|part| part.images).sum();
        let weight = |part: &Observed| towards * part.images as f64 / images as f64;
        let Some(first) = parts.first() else { return Ok(()) };
        for (place, &(index, _)) in first.statistics.iter().enumerate() {
            let var = &self.vars[index];
            let mut moved = (var.as_detached_tensor() * (1.0 - towards))?;
            for part in parts {
                moved = (moved + (&part.statistics[place].1 * weight(part))?)?;
            }
            var.set(&moved)?;
        }
        Ok(())
    }

    pub fn names(&self) -> &[String] {
        &self.names
    }

    pub fn vars(&self) -> &[Var] {
        &self.vars
    }

    /// The variables as the tensors that a forward pass takes; gradients flow back to them.
    pub fn tensors(&self) -> Vec<Tensor> {
        self.vars.iter().map(|var| var.as_tensor().clone()).collect()
    }

    /// A deep copy of the present values.
    pub fn weights(&self) -> Result<Weights> {
        let entries = self.names.iter().zip(&self.vars).map(|(name, var)| {
            let values: Vec<f32> = var.as_tensor().flatten_all()?.to_vec1()?;
            Ok(WeightEntry { name: name.clone(), shape: var.dims().to_vec(), values: values.into() })
        });
        Ok(Weights { entries: entries.collect::<Result<_>>()? })
    }
}

fn learns(network: &Network) -> Vec<bool> {
    network.params().iter().map(|spec| spec.kind.is_learnt()).collect()
}

/// One frozen parameter.
#[derive(Clone, Debug, PartialEq)]
pub struct WeightEntry {
    pub name: String,
    pub shape: Vec<usize>,
    pub values: Arc<[f32]>,
}

/// Frozen parameters in store order: plain numbers, cheap to clone, safe to hand to another thread.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Weights {
    pub entries: Vec<WeightEntry>,
}

impl Weights {
    /// Tensors outside any graph. Fails, naming the parameter, unless names, order and shapes are the network's.
    pub fn tensors(&self, network: &Network, device: &Device) -> Result<Vec<Tensor>> {
        let specs = network.params();
        if specs.len() != self.entries.len() {
            bail!("the network has {} parameters, the weights have {}", specs.len(), self.entries.len());
        }
        let tensors = specs.iter().zip(&self.entries).map(|(spec, entry)| {
            if spec.name != entry.name || spec.shape != entry.shape {
                bail!(
                    "expected {} of shape {:?}, found {} of shape {:?}",
                    spec.name,
                    spec.shape,
                    entry.name,
                    entry.shape
                );
            }
            Tensor::from_slice(&entry.values, entry.shape.clone(), device)
        });
        tensors.collect()
    }

    /// Numbers in all parameters together.
    pub fn parameter_count(&self) -> usize {
        self.entries.iter().map(|entry| entry.values.len()).sum()
    }

    /// The first parameter that holds a value that is not finite.
    pub fn first_not_finite(&self) -> Option<&str> {
        self.entries.iter().find(|entry| entry.values.iter().any(|x| !x.is_finite())).map(|entry| entry.name.as_str())
    }

    /// SHA-256, in hexadecimal, of the little-endian bytes of all values in store order.
    pub fn sha256(&self) -> String {
        let mut hash = Sha256::new();
        for value in self.entries.iter().flat_map(|entry| entry.values.iter()) {
            hash.update(value.to_le_bytes());
        }
        hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}
