//! Which pixels tell digits apart, found in the training images before the first update.

use anyhow::Result;
use candle_core::Tensor;

use super::TrainingData;
use crate::drawing::PIXELS;
use crate::nn::{Network, ParamStore};

/// Lets a network that chooses pixels ([`crate::nn::KeepPixels`]) choose them in the training images, if it is `fresh`; weights
/// that somebody brought come with their choice. How many it keeps, and of how many; `None` for other networks.
pub(super) fn choose(
    network: &Network,
    params: &ParamStore,
    data: &TrainingData,
    fresh: bool,
) -> Result<Option<(usize, usize)>> {
    let Some((index, layer)) = network.keep_pixels() else { return Ok(None) };
    let var = &params.vars()[index];
    if fresh {
        let kept = layer.choose(&deviations(data));
        var.set(&Tensor::from_vec(kept, var.shape(), var.device())?)?;
    }
    let kept = var.as_tensor().to_vec1::<f32>()?;
    Ok(Some((kept.iter().filter(|kept| **kept != 0.0).count(), kept.len())))
}

/// The standard deviation of every pixel over the training images, with paper at 0 and ink at 1.
fn deviations(data: &TrainingData) -> Vec<f32> {
    // bytes add up to whole numbers, so that nothing is rounded
    let mut sums = vec![(0u64, 0u64); PIXELS];
    for &index in &data.train {
        for ((sum, squares), &byte) in sums.iter_mut().zip(data.corpus.train.image(index as usize)) {
            *sum += u64::from(byte);
            *squares += u64::from(byte) * u64::from(byte);
        }
    }
    let images = data.train.len() as f64;
    let deviation = |(sum, squares): (u64, u64)| {
        let mean = sum as f64 / images;
        ((squares as f64 / images - mean * mean).max(0.0).sqrt() / 255.0) as f32
    };
    sums.into_iter().map(deviation).collect()
}
