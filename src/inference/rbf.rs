//! How a network with distances comes to its answer: the states that it compares with the code of every class.

use std::sync::Arc;

use anyhow::Result;

use super::TrainedModel;
use crate::drawing::PIXELS;
use crate::models::CLASSES;
use crate::nn::{Pass, batch, rows};

/// The states of one image, the codes, and the squared distances between them.
#[derive(Clone, Debug, PartialEq)]
pub struct RbfReading {
    /// Name of the layer whose states are compared: "F6".
    pub layer: String,
    /// `[features]`.
    pub states: Vec<f32>,
    /// `[classes · features]`, class by class.
    pub codes: Arc<[f32]>,
    /// Squared distance to the code of every class, as the network worked it out; the least is the answer.
    pub distances: [f32; CLASSES],
}

impl RbfReading {
    /// The code of a class, `[features]`.
    pub fn code(&self, class: usize) -> &[f32] {
        &self.codes[class * self.states.len()..][..self.states.len()]
    }

    /// What every state adds to the distance of a class, (x − code)²: `[features]`.
    pub fn contributions(&self, class: usize) -> Vec<f32> {
        self.states.iter().zip(self.code(class)).map(|(x, code)| (x - code).powi(2)).collect()
    }

    /// The classes from the nearest to the farthest; equal ones in their own order.
    pub fn ranked(&self) -> [usize; CLASSES] {
        let mut classes: [usize; CLASSES] = std::array::from_fn(|class| class);
        classes.sort_by(|&a, &b| self.distances[a].total_cmp(&self.distances[b]));
        classes
    }
}

impl TrainedModel {
    /// How the answer to an image comes about, worked out in one pass on the calling thread; `None` for a network without
    /// distances.
    pub fn rbf(&self, image: &[u8; PIXELS]) -> Result<Option<RbfReading>> {
        let layers = self.network.layers();
        let (Some(codes), [.., before, last]) = (self.codes(), layers) else { return Ok(None) };
        let operators = self.compute.operators.for_images(1);
        let images = std::iter::once(image.as_slice());
        let x = batch(images, self.network.input(), &self.value_of, operators, &self.compute.device)?;
        let mut pass = Pass::recording(operators);
        let scores = self.network.forward(&x, &self.tensors, &mut pass)?;
        let record = pass.record.unwrap_or_default();
        let states = rows(&record[layers.len() - 2], before.output, 1, operators)?;
        let scores = rows(&scores, last.output, 1, operators)?;
        let distances = std::array::from_fn(|class| -scores[class]);
        Ok(Some(RbfReading { layer: before.name.clone(), states, codes: Arc::clone(codes), distances }))
    }
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;
    use crate::drawing::drawn_image;
    use crate::models;
    use crate::nn::{Compute, DeviceChoice, ParamStore};

    fn fresh(id: &str) -> TrainedModel {
        let architecture = models::find(id).unwrap_or_else(|| panic!("no model {id}"));
        let network = (architecture.network)().expect("a network");
        let store = ParamStore::initialise(&network, 4, &Device::Cpu).expect("weights");
        let compute = Arc::new(Compute::new(DeviceChoice::Cpu, Some(1)).expect("a processor"));
        let weights = store.weights().expect("weights");
        TrainedModel::new(architecture, &weights, crate::inference::Thresholds::default(), compute).expect("a model")
    }

    #[test]
    fn contributions_add_up_to_the_distances_and_these_are_the_scores() {
        let image = drawn_image(5, 4, 9).pixels;
        for (id, codes) in
            [("lenet5-1998", models::codes::pictures()), ("lenet5-1998-random-codes", models::codes::random(1998))]
        {
            let model = fresh(id);
            let reading = model.rbf(&image).expect("a pass").expect("distances");
            let scores = model.predict(&image).expect("an answer").scores;
            assert_eq!((reading.layer.as_str(), reading.states.len()), ("F6", 84));
            for class in 0..CLASSES {
                assert_eq!(reading.code(class), codes[class], "{id}, {class}");
                let (distance, sum) = (reading.distances[class], reading.contributions(class).iter().sum::<f32>());
                assert!((sum - distance).abs() < 1e-3, "{id}, {class}: {sum} against {distance}");
                assert!((scores[class] + distance).abs() < 1e-3, "{id}, {class}: score {}", scores[class]);
            }
            let ranked = reading.ranked();
            assert!(ranked.windows(2).all(|pair| reading.distances[pair[0]] <= reading.distances[pair[1]]));
        }
    }

    #[test]
    fn networks_without_distances_have_nothing_to_tell() {
        for id in ["lenet5", "lenet5-1998-linear"] {
            let model = fresh(id);
            assert!(model.codes().is_none());
            assert!(model.rbf(&[0; PIXELS]).expect("no failure").is_none());
        }
    }
}
