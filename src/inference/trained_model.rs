//! A network with frozen weights, ready to be asked from any thread.

use std::sync::Arc;

use anyhow::{Context, Result};
use candle_core::Tensor;

use super::{Prediction, Thresholds};
use crate::drawing::PIXELS;
use crate::models::{Architecture, CLASSES};
use crate::nn::{Compute, Network, Pass, Weights, batch, rows};

/// What a person is told about a layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LayerInfo {
    pub name: String,
    /// "5×5 convolution, tanh".
    pub description: String,
    /// `[channels, height, width]` that leave it.
    pub output: [usize; 3],
    /// Of a layer that chooses pixels: which ones it keeps, row by row.
    pub kept: Option<Vec<bool>>,
    /// Of a layer of several networks: their ids, one a map, each a row of ten probabilities.
    pub members: Vec<String>,
}

/// A classifier with its weights. Cheap to ask, never changed.
pub struct TrainedModel {
    architecture: &'static Architecture,
    thresholds: Thresholds,
    pub(super) network: Network,
    pub(super) tensors: Vec<Tensor>,
    codes: Option<Arc<[f32]>>,
    kept: Option<Vec<bool>>,
    pub(super) value_of: [f32; 256],
    pub(super) compute: Arc<Compute>,
}

impl TrainedModel {
    /// Fails, naming the parameter, where the weights are not those of the architecture or not all finite.
    pub fn new(
        architecture: &'static Architecture,
        weights: &Weights,
        thresholds: Thresholds,
        compute: Arc<Compute>,
    ) -> Result<Self> {
        let network = (architecture.network)()?;
        if let Some(name) = weights.first_not_finite() {
            anyhow::bail!("the weights of {} hold values that are not numbers, in {name}", architecture.id);
        }
        let tensors = weights
            .tensors(&network, &compute.device)
            .with_context(|| format!("these are not weights of {}", architecture.id))?;
        let codes = network.centres(&tensors)?.map(Arc::from);
        let kept = match network.keep_pixels() {
            Some((index, _)) => Some(tensors[index].to_vec1::<f32>()?.into_iter().map(|kept| kept != 0.0).collect()),
            None => None,
        };
        let value_of = architecture.input.table();
        Ok(Self { architecture, thresholds, network, tensors, codes, kept, value_of, compute })
    }

    pub fn architecture(&self) -> &'static Architecture {
        self.architecture
    }

    /// The same weights, worked out elsewhere.
    pub fn on(&self, compute: Arc<Compute>) -> Result<Self> {
        let tensors = self.tensors.iter().map(|tensor| tensor.to_device(&compute.device));
        Ok(Self {
            architecture: self.architecture,
            thresholds: self.thresholds,
            network: (self.architecture.network)()?,
            tensors: tensors.collect::<candle_core::Result<_>>()?,
            codes: self.codes.clone(),
            kept: self.kept.clone(),
            value_of: self.value_of,
            compute,
        })
    }

    /// From when on its answers count, chosen on validation images.
    pub fn thresholds(&self) -> Thresholds {
        self.thresholds
    }

    /// The codes whose distances are the answer, `[classes · features]` class by class; `None` for a network without distances.
    pub fn codes(&self) -> Option<&Arc<[f32]>> {
        self.codes.as_ref()
    }

    /// The layers in order.
    pub fn layers(&self) -> Vec<LayerInfo> {
        let info = |place: &crate::nn::Place| LayerInfo {
            name: place.name.clone(),
            description: place.layer.describe(),
            output: [place.output.channels, place.output.height, place.output.width],
            kept: self.kept.clone().filter(|_| place.layer.keep_pixels().is_some()),
            members: place.layer.members(),
        };
        self.network.layers().iter().map(info).collect()
    }

    /// Scores of a batch, one row an image, on the calling thread.
    pub fn scores<'a>(&self, images: impl ExactSizeIterator<Item = &'a [u8]>) -> Result<Vec<[f32; CLASSES]>> {
        let count = images.len();
        if count == 0 {
            return Ok(Vec::new());
        }
        let operators = self.compute.operators.for_images(count);
        let x = batch(images, self.network.input(), &self.value_of, operators, &self.compute.device)?;
        let scores = self.network.forward(&x, &self.tensors, &mut Pass::evaluate(operators))?;
        let rows = rows(&scores, self.network.output(), count, operators)?;
        Ok(rows.chunks_exact(CLASSES).map(|row| std::array::from_fn(|class| row[class])).collect())
    }

    /// The answer to one image.
    pub fn predict(&self, image: &[u8; PIXELS]) -> Result<Prediction> {
        let scores = self.scores(std::iter::once(image.as_slice()))?;
        Ok(Prediction::from_scores(scores[0]))
    }
}
