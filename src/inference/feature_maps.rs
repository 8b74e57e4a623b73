//! What the layers of a network make of one image.

use anyhow::{Result, ensure};

use super::TrainedModel;
use crate::drawing::PIXELS;
use crate::nn::{Pass, batch, rows};

/// The activations of one layer for one image.
#[derive(Clone, Debug, PartialEq)]
pub struct FeatureMaps {
    pub layer: String,
    /// "5×5 convolution, tanh".
    pub description: String,
    /// Maps, or features of a dense layer.
    pub channels: usize,
    pub height: usize,
    pub width: usize,
    /// `[channels, height, width]` in row order.
    pub values: Vec<f32>,
}

impl FeatureMaps {
    /// One map in row order.
    pub fn map(&self, channel: usize) -> &[f32] {
        &self.values[channel * self.height * self.width..][..self.height * self.width]
    }

    /// The greatest absolute value, for a scale about zero.
    pub fn extent(&self) -> f32 {
        self.values.iter().fold(0.0, |extent, x| extent.max(x.abs()))
    }
}

impl TrainedModel {
    /// The activations of layer `layer`, counted from 0. Fails where there is no such layer.
    pub fn feature_maps(&self, image: &[u8; PIXELS], layer: usize) -> Result<FeatureMaps> {
        let layers = self.network.layers();
        ensure!(layer < layers.len(), "there are {} layers, asked for number {layer}", layers.len());
        let operators = self.compute.operators.for_images(1);
        let images = std::iter::once(image.as_slice());
        let x = batch(images, self.network.input(), &self.value_of, operators, &self.compute.device)?;
        let found = self.network.activations(layer, &x, &self.tensors, &mut Pass::evaluate(operators))?;
        let place = &layers[layer];
        Ok(FeatureMaps {
            layer: place.name.clone(),
            description: place.layer.describe(),
            channels: place.output.channels,
            height: place.output.height,
            width: place.output.width,
            values: rows(&found, place.output, 1, operators)?,
        })
    }
}
