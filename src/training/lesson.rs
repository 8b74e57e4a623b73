//! What one update has learnt from, for whoever looks at it: nothing is copied and nothing is worked out unless somebody asks.

use candle_core::Result;

use super::batches::Batch;
use super::objective::Gradients;
use crate::drawing::PIXELS;
use crate::nn::ParamStore;

/// The batch of an update, and what it taught.
#[derive(Clone, Copy)]
pub struct Lesson<'a> {
    pub(super) batch: &'a Batch,
    pub(super) found: &'a Gradients,
    pub(super) params: &'a ParamStore,
}

impl Lesson<'_> {
    /// The images as the network met them, distorted.
    pub fn images(&self) -> &[[u8; PIXELS]] {
        &self.batch.images
    }

    /// What they show, [`crate::data::NO_DIGIT`] for what shows none.
    pub fn labels(&self) -> &[u8] {
        &self.batch.labels
    }

    /// What the network read each of them as, before the update, with its silent units.
    pub fn answers(&self) -> impl Iterator<Item = u8> + '_ {
        self.found.answers.iter().flatten().copied()
    }

    /// The length of the batch's gradient in every layer that learns, √Σ g² over its parameters, by the layer's name; as it was
    /// clipped, without weight decay.
    ///
    /// # Errors
    /// Where the device fails.
    pub fn gradient_lengths(&self) -> Result<Vec<(String, f64)>> {
        let mut layers: Vec<(String, f64)> = Vec::new();
        for (index, _) in self.params.learning() {
            let name = &self.params.names()[index];
            let layer = name.split_once('.').map_or(name.as_str(), |(layer, _)| layer);
            let mut sum: Vec<f32> = Vec::new();
            for part in &self.found.parts {
                let values = part[index].flatten_all()?.to_vec1::<f32>()?;
                if sum.is_empty() {
                    sum = values;
                } else {
                    sum.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
                }
            }
            let squares: f64 = sum.iter().map(|&g| f64::from(g).powi(2)).sum();
            match layers.last_mut().filter(|(last, _)| last == layer) {
                Some((_, so_far)) => *so_far += squares,
                None => layers.push((layer.to_owned(), squares)),
            }
        }
        layers.iter_mut().for_each(|(_, length)| *length = length.sqrt());
        Ok(layers)
    }
}
