//! The loss of a batch and its gradients, worked out in a fixed number of parts: the same bits on any number of threads.

use anyhow::{Context, Result};
use candle_core::Tensor;
use rayon::prelude::*;

use super::batches::Batch;
use crate::models::InputScale;
use crate::nn::random::{Purpose, stream};
use crate::nn::{
    Compute, LANES, Network, Operators, ParamStore, Pass, batch, rows, softmax_cross_entropy, with_floats,
};

/// What a network should make small, on a device.
pub(super) struct Objective<'a> {
    network: &'a Network,
    value_of: [f32; 256],
    compute: &'a Compute,
}

/// The loss of one batch, before the update.
pub(super) struct Gradients {
    /// Mean over the batch.
    pub loss: f64,
    /// Images of the batch that were read right.
    pub correct: usize,
    /// In the order of the parameters.
    pub gradients: Vec<Tensor>,
}

/// Images in a part, at least: smaller parts spend more on adding gradients up than they gain.
const IMAGES_PER_PART: usize = 32;
/// Parts of a batch, at most.
const MOST_PARTS: usize = 8;

impl<'a> Objective<'a> {
    pub fn new(network: &'a Network, input: InputScale, compute: &'a Compute) -> Self {
        Self { network, value_of: input.table(), compute }
    }

    /// Loss and gradients at the present parameters; `seed` and `step` decide what dropout silences.
    pub fn evaluate(&self, params: &ParamStore, batch: &Batch, seed: u64, step: u64) -> Result<Gradients> {
        let tensors = params.tensors();
        let parts = match self.compute.operators {
            Operators::Stock => 1,
            Operators::Lanes => (batch.len() / IMAGES_PER_PART).clamp(1, MOST_PARTS),
        };
        let images_per_part = batch.len().div_ceil(parts).next_multiple_of(LANES);
        let part = |(part, from): (usize, usize)| {
            let to = batch.len().min(from + images_per_part);
            let dropout = stream(seed, Purpose::Dropout, step, part as u64);
            self.part(params, &tensors, batch, from..to, Pass::train(self.compute.operators, dropout))
        };
        let starts: Vec<(usize, usize)> = (0..batch.len()).step_by(images_per_part).enumerate().collect();
        let mut results: Vec<Gradients> = if starts.len() == 1 {
            vec![part(starts[0])?]
        } else {
            self.compute.pool.install(|| starts.into_par_iter().map(part).collect::<Result<_>>())?
        };
        let mut sum = results.remove(0);
        for result in results {
            sum.loss += result.loss;
            sum.correct += result.correct;
            for (total, gradient) in sum.gradients.iter_mut().zip(&result.gradients) {
                *total = added(total, gradient)?;
            }
        }
        Ok(sum)
    }

    fn part(
        &self,
        params: &ParamStore,
        tensors: &[Tensor],
        whole: &Batch,
        range: std::ops::Range<usize>,
        mut pass: Pass,
    ) -> Result<Gradients> {
        let (images, labels) = (&whole.images[range.clone()], &whole.labels[range]);
        let operators = pass.operators;
        let pixels = images.iter().map(<[u8; _]>::as_slice);
        let x = batch(pixels, self.network.input(), &self.value_of, operators, &self.compute.device)?;
        let scores = self.network.forward(&x, tensors, &mut pass)?;
        let loss = softmax_cross_entropy(&scores, labels, whole.len(), operators)?;
        let mut store = loss.backward()?;
        let gradients = params.vars().iter().map(|var| {
            store.remove(var.as_tensor()).context("a parameter without a gradient: it does not reach the loss")
        });
        let gradients = gradients.collect::<Result<_>>()?;
        let scores = rows(&scores, labels.len(), operators)?;
        let classes = scores.len() / labels.len();
        let correct = scores.chunks_exact(classes).zip(labels).filter(|(scores, label)| {
            let best = scores.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
            best.is_some_and(|(class, _)| class == usize::from(**label))
        });
        Ok(Gradients { loss: f64::from(loss.to_scalar::<f32>()?), correct: correct.count(), gradients })
    }
}

/// The sum of two tensors on the processor, without Candle's own threads.
fn added(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    let mut sum = with_floats(a, <[f32]>::to_vec)?;
    with_floats(b, |b| sum.iter_mut().zip(b).for_each(|(sum, b)| *sum += b))?;
    Ok(Tensor::from_vec(sum, a.shape(), a.device())?)
}
