//! Starting a network from the weights of another: whole layers are copied where names and shapes agree.

use candle_core::{Result, Tensor};

use super::{Network, ParamStore, Weights};

/// Which layers of a network begin as copies. Layers without parameters are in neither list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Transfer {
    /// Every parameter of theirs was found, of its shape.
    pub copied: Vec<String>,
    pub fresh: Vec<String>,
}

impl Transfer {
    /// What fits `network` among parameters known by name: `shape_of` tells the shape of each.
    pub fn plan<'a>(network: &Network, shape_of: impl Fn(&str) -> Option<&'a [usize]>) -> Self {
        let mut plan = Self::default();
        for place in network.layers().iter().filter(|place| !place.params.is_empty()) {
            let specs = &network.params()[place.params.clone()];
            let fits = specs.iter().all(|spec| shape_of(&spec.name) == Some(&spec.shape));
            if fits { &mut plan.copied } else { &mut plan.fresh }.push(place.name.clone());
        }
        plan
    }

    /// What fits `network` among `weights`.
    pub fn of_weights(network: &Network, weights: &Weights) -> Self {
        let find = |name: &str| weights.entries.iter().find(|entry| entry.name == name);
        Self::plan(network, |name| find(name).map(|entry| entry.shape.as_slice()))
    }

    /// What fits `network` among the parameters of another.
    pub fn between(network: &Network, other: &Network) -> Self {
        let find = |name: &str| other.params().iter().find(|spec| spec.name == name);
        Self::plan(network, |name| find(name).map(|spec| spec.shape.as_slice()))
    }
}

impl ParamStore {
    /// Takes over the layers that `plan` copies, from the weights that it was made for.
    pub fn copy_layers(&self, network: &Network, plan: &Transfer, weights: &Weights) -> Result<()> {
        for place in network.layers().iter().filter(|place| plan.copied.contains(&place.name)) {
            for (name, var) in self.names()[place.params.clone()].iter().zip(&self.vars()[place.params.clone()]) {
                if let Some(entry) = weights.entries.iter().find(|entry| entry.name == *name) {
                    var.set(&Tensor::from_slice(&entry.values, entry.shape.clone(), var.device())?)?;
                }
            }
        }
        Ok(())
    }
}
