//! Units of a rectified layer that are 0 whatever the image: no gradient reaches them, so they learn no more.

use anyhow::Result;
use rayon::prelude::*;

use super::TrainedModel;
use crate::nn::{Pass, batch, rows};

/// How many units of a layer are dead: 0 for every image that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadUnits {
    pub layer: String,
    pub dead: usize,
    /// Maps of a convolution, features of a dense layer.
    pub units: usize,
}

impl DeadUnits {
    /// Share of a layer's units from which on dead ones are worth a word.
    pub const MANY: f64 = 0.25;

    pub fn share(&self) -> f64 {
        self.dead as f64 / self.units.max(1) as f64
    }
}

/// Images that are looked at at once. In a healthy network the first so many show most units alive, and the rest need not
/// be looked at.
const CHUNK: usize = 64;

impl TrainedModel {
    /// The dead units of every rectified layer, in the order of the layers, over images of 28×28 bytes each. Where the first
    /// few images leave fewer than [`DeadUnits::MANY`] of every layer in doubt, the others are not looked at, and the counts
    /// are of those few. On the threads of the pool that it is called in.
    ///
    /// # Errors
    /// Where the device fails.
    pub fn dead_units(&self, images: &[&[u8]]) -> Result<Vec<DeadUnits>> {
        let rectified: Vec<usize> = (0..self.network.layers().len())
            .filter(|&layer| self.network.layers()[layer].layer.is_rectified())
            .collect();
        if rectified.is_empty() || images.is_empty() {
            return Ok(Vec::new());
        }
        let (first, rest) = images.split_at(images.len().min(CHUNK));
        let mut alive = self.alive(&rectified, first)?;
        let doubtful = |units: &Vec<bool>| {
            let dead = units.iter().filter(|alive| !**alive).count();
            dead as f64 >= DeadUnits::MANY * units.len() as f64
        };
        if alive.iter().any(doubtful) {
            let others: Vec<Vec<Vec<bool>>> =
                rest.par_chunks(CHUNK).map(|chunk| self.alive(&rectified, chunk)).collect::<Result<_>>()?;
            for chunk in &others {
                for (alive, others) in alive.iter_mut().zip(chunk) {
                    alive.iter_mut().zip(others).for_each(|(alive, other)| *alive |= other);
                }
            }
        }
        let told = rectified.iter().zip(&alive).map(|(&layer, alive)| DeadUnits {
            layer: self.network.layers()[layer].name.clone(),
            dead: alive.iter().filter(|alive| !**alive).count(),
            units: alive.len(),
        });
        Ok(told.collect())
    }

    /// Of every layer in `layers`, which of its units are above 0 somewhere in one of the images.
    fn alive(&self, layers: &[usize], images: &[&[u8]]) -> Result<Vec<Vec<bool>>> {
        let operators = self.compute.operators.for_images(images.len());
        let x = batch(images.iter().copied(), self.network.input(), &self.value_of, operators, &self.compute.device)?;
        let mut pass = Pass::recording(operators);
        self.network.forward(&x, &self.tensors, &mut pass)?;
        let record = pass.record.unwrap_or_default();
        let of_layer = |&layer: &usize| -> Result<Vec<bool>> {
            let output = self.network.layers()[layer].output;
            let values = rows(&record[layer], output, images.len(), operators)?;
            let mut alive = vec![false; output.channels];
            for (map, values) in values.chunks_exact((output.height * output.width).max(1)).enumerate() {
                alive[map % output.channels] |= values.iter().any(|&value| value > 0.0);
            }
            Ok(alive)
        };
        layers.iter().map(of_layer).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::inference::Thresholds;
    use crate::models;
    use crate::nn::{Compute, DeviceChoice, Initialisation, ParamStore};

    /// The dead units of a fresh network, `killed` of whose first biases are far below what its weights can bring up.
    fn dead(id: &str, killed: usize) -> Vec<DeadUnits> {
        let architecture = models::find(id).unwrap();
        let compute = Arc::new(Compute::new(DeviceChoice::Cpu, Some(1)).unwrap());
        let network = (architecture.network)().unwrap();
        let params = ParamStore::initialise_by(&network, Initialisation::default(), 1, &compute.device).unwrap();
        let mut weights = params.weights().unwrap();
        let bias = weights.entries.iter_mut().find(|entry| entry.name.ends_with("bias")).unwrap();
        let mut values = bias.values.to_vec();
        values[..killed].fill(-1e6);
        bias.values = values.into();
        let model = TrainedModel::new(architecture, &weights, Thresholds::default(), compute).unwrap();
        let images: Vec<Vec<u8>> = (0..100).map(|i| (0..784).map(|p| ((p * (i + 3)) % 251) as u8).collect()).collect();
        model.dead_units(&images.iter().map(Vec::as_slice).collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn units_that_no_image_wakes_are_counted_in_their_layer() {
        let fresh = dead("mlp", 0);
        assert_eq!(fresh.iter().map(|layer| layer.units).collect::<Vec<_>>(), [128]);
        let killed = dead("mlp", 60);
        assert!(killed[0].dead >= 60 && fresh[0].dead < 40, "{killed:?} and {fresh:?}");
        assert_eq!(dead("cnn", 5)[0].units, 16, "a map of a convolution is a unit");
        assert!(dead("cnn", 5)[0].dead >= 5);
        assert_eq!(dead("lenet5", 0), [], "tanh dies in no unit");
    }
}
