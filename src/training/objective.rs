//! The loss of a batch and its gradients, worked out in a fixed number of parts: the same bits on any number of threads.

use std::sync::{Mutex, PoisonError};

use anyhow::Result;
use candle_core::{Tensor, Var};
use rayon::prelude::*;

use super::batches::Batch;
use crate::models::InputScale;
use crate::nn::random::{Purpose, stream};
use crate::nn::{Compute, LANES, Loss, Network, Observed, Operators, ParamStore, Pass, batch, loss, rows};

/// What a network should make small, on a device.
pub(super) struct Objective<'a> {
    network: &'a Network,
    loss: Loss,
    value_of: [f32; 256],
    compute: &'a Compute,
    /// Tensors like the parameters for every part of a batch so far, overwritten at every update.
    gradients: Mutex<Vec<Vec<Tensor>>>,
}

/// The loss of one batch, before the update.
pub(super) struct Gradients {
    /// Mean over the batch.
    pub loss: f64,
    /// Images of the batch that were read right.
    pub correct: usize,
    /// Sum over the batch of the distances to the right centres, where the loss is one of distances; else 0.
    pub right_distance: f64,
    /// One list a part, in the order of the parameters; their sum is the batch's gradient. The next evaluation overwrites
    /// them.
    pub parts: Vec<Vec<Tensor>>,
    /// What each part showed of the network's statistics.
    pub observed: Vec<Observed>,
}

/// Multiplications of a forward pass for every parameter that make a part worth having: each part writes a gradient for
/// every parameter, and the update reads them all.
const MULTIPLICATIONS_PER_PARAMETER: usize = 200;
/// Parts of a batch, at most.
const MOST_PARTS: usize = 8;
/// From so many images on a batch has two parts in any case.
const IMAGES_OF_TWO_PARTS: usize = 32;

impl<'a> Objective<'a> {
    pub fn new(network: &'a Network, loss: Loss, input: InputScale, compute: &'a Compute) -> Self {
        Self { network, loss, value_of: input.table(), compute, gradients: Mutex::default() }
    }

    /// The mean curvature of every parameter over some images, as they are.
    pub fn curvature<'i>(
        &self,
        params: &ParamStore,
        images: impl ExactSizeIterator<Item = &'i [u8]>,
    ) -> Result<Vec<Tensor>> {
        let (count, operators) = (images.len(), self.compute.operators);
        let x = batch(images, self.network.input(), &self.value_of, operators, &self.compute.device)?;
        Ok(self.network.curvature(&x, &params.tensors(), self.loss, count, operators)?)
    }

    /// Parts of a batch of so many images: whatever the number of threads, so that sums have one order.
    fn parts(&self, images: usize) -> usize {
        match self.compute.operators {
            Operators::Stock => 1,
            Operators::Lanes(_) => {
                let least = if images >= IMAGES_OF_TWO_PARTS { 2 } else { 1 };
                let worth = images * self.network.multiplications()
                    / (MULTIPLICATIONS_PER_PARAMETER * self.network.parameter_count());
                // powers of two share evenly among the usual numbers of cores
                let most = MOST_PARTS.min(images.div_ceil(LANES));
                if worth == 0 { least } else { (1 << worth.ilog2()).clamp(least, MOST_PARTS).min(most) }
            }
        }
    }

    /// Loss and gradients at the present parameters; `seed` and `step` decide what dropout silences.
    pub fn evaluate(&self, params: &ParamStore, batch: &Batch, seed: u64, step: u64) -> Result<Gradients> {
        let tensors = params.tensors();
        let images_per_part = batch.len().div_ceil(self.parts(batch.len())).next_multiple_of(LANES);
        let mut kept = self.gradients.lock().unwrap_or_else(PoisonError::into_inner);
        let count = batch.len().div_ceil(images_per_part);
        while kept.len() < count {
            kept.push(tensors.iter().map(Tensor::zeros_like).collect::<candle_core::Result<_>>()?);
        }
        let part = |number: usize| {
            let from = number * images_per_part;
            let range = from..batch.len().min(from + images_per_part);
            let dropout = stream(seed, Purpose::Dropout, step, number as u64);
            let mut pass = Pass::train(self.compute.operators.for_images(batch.len()), range.len(), dropout);
            pass.gradients = Some(kept[number].clone());
            self.part(params, &tensors, batch, range, pass)
        };
        let results: Vec<Gradients> =
            if count == 1 { vec![part(0)?] } else { (0..count).into_par_iter().map(part).collect::<Result<_>>()? };
        let mut sum = Gradients { loss: 0.0, correct: 0, right_distance: 0.0, parts: Vec::new(), observed: Vec::new() };
        for result in results {
            sum.loss += result.loss;
            sum.correct += result.correct;
            sum.right_distance += result.right_distance;
            sum.parts.extend(result.parts);
            sum.observed.extend(result.observed);
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
        let given = pass.gradients.clone();
        let scores = self.network.forward(&x, tensors, &mut pass)?;
        let classes = self.network.output().channels;
        let loss = loss(self.loss, &scores, classes, labels, whole.len(), operators)?;
        let mut store = loss.backward()?;
        // what our kernels have not written lies in Candle's store
        let gradient = |(index, var): (usize, &Var)| match (store.remove(var.as_tensor()), &given) {
            (Some(gradient), _) => Ok(gradient),
            (None, Some(given)) if operators != Operators::Stock || !params.learns(index) => Ok(given[index].clone()),
            _ => anyhow::bail!("a parameter without a gradient: it does not reach the loss"),
        };
        let gradients = params.vars().iter().enumerate().map(gradient).collect::<Result<_>>()?;
        let scores = rows(&scores, self.network.output(), labels.len(), operators)?;
        let correct = scores.chunks_exact(classes).zip(labels).filter(|(scores, label)| {
            let best = scores.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
            best.is_some_and(|(class, _)| class == usize::from(**label))
        });
        let correct = correct.count();
        let right = |(scores, label): (&[f32], &u8)| -f64::from(scores[usize::from(*label)]);
        let right_distance =
            if self.loss.is_of_distances() { scores.chunks_exact(classes).zip(labels).map(right).sum() } else { 0.0 };
        let observed = vec![Observed { images: labels.len(), statistics: pass.observed }];
        let loss = f64::from(loss.to_scalar::<f32>()?);
        Ok(Gradients { loss, correct, right_distance, parts: vec![gradients], observed })
    }
}
