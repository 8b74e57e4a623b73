//! The loss of a batch and its gradients, worked out in a fixed number of parts: the same bits on any number of threads.

use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use anyhow::Result;
use candle_core::{Device, Tensor, Var};
use rayon::prelude::*;

use super::batches::Batch;
use super::{TrainingConfig, TrainingData};
use crate::data::NO_DIGIT;
use crate::models::{Architecture, Backward, scratch};
use crate::nn::random::{Purpose, stream};
use crate::nn::{
    Compute, LANES, Loss, NO_CLASS, Network, Observed, Operators, ParamKind, ParamStore, Pass, batch, loss, rows,
    with_all_floats,
};

/// What a network should make small, on a device.
pub(super) struct Objective<'a> {
    network: &'a Network,
    loss: Loss,
    backward: Backward,
    value_of: [f32; 256],
    compute: &'a Compute,
    /// Layers from the first on for which no gradient is worked out.
    frozen: usize,
    /// Tensors like the parameters for every part of a batch so far, overwritten at every update.
    gradients: Mutex<Vec<Vec<Tensor>>>,
}

/// The loss of one batch, before the update.
#[derive(Default)]
pub(super) struct Gradients {
    /// Mean over the batch.
    pub loss: f64,
    pub images: usize,
    /// Images of the batch that were read right.
    pub correct: usize,
    /// Sum over the batch of the distances to the right centres, where the loss is one of distances; else 0.
    pub right_distance: f64,
    /// One list a part, in the order of the parameters; their sum is the batch's gradient. The next evaluation overwrites
    /// them.
    pub parts: Vec<Vec<Tensor>>,
    /// What each part showed of the network's statistics.
    pub observed: Vec<Observed>,
    /// One list a part: the digit that each image was read as.
    pub answers: Vec<Vec<u8>>,
}

// what shows no digit is of no class
const _: () = assert!(NO_DIGIT == NO_CLASS);

/// The class of the greatest score.
fn answer(scores: &[f32]) -> u8 {
    scores.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).map_or(0, |(class, _)| class as u8)
}

/// Whether this answer is right; of an image of no class, whether no class has half of the probability.
fn is_right(scores: &[f32], answer: u8, label: u8) -> bool {
    match label {
        NO_CLASS => {
            let greatest = scores[usize::from(answer)];
            scores.iter().map(|score| (score - greatest).exp()).sum::<f32>() > 2.0
        }
        label => answer == label,
    }
}

/// Multiplications of a forward pass for every parameter that make a part worth having: each part writes a gradient for
/// every parameter, and the update reads them all.
const MULTIPLICATIONS_PER_PARAMETER: usize = 200;
/// Parts of a batch, at most.
const MOST_PARTS: usize = 8;
/// From so many images on a batch has two parts in any case.
const IMAGES_OF_TWO_PARTS: usize = 32;

impl<'a> Objective<'a> {
    pub fn new(architecture: &Architecture, network: &'a Network, loss: Loss, compute: &'a Compute) -> Self {
        let (backward, value_of) = (architecture.backward, architecture.input.table());
        Self { network, loss, backward, value_of, compute, frozen: 0, gradients: Mutex::default() }
    }

    /// The same with so many layers from the first on left as they are ([`Pass::frozen`]).
    pub fn freezing(self, frozen: usize) -> Self {
        Self { frozen, ..self }
    }

    /// What the parameter of that index does in its layer.
    pub fn kind(&self, index: usize) -> ParamKind {
        self.network.params()[index].kind
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

    /// The mean curvature of every parameter over so many training images, drawn by chance for an epoch counted from 1.
    pub fn curvature_of_epoch(
        &self,
        params: &ParamStore,
        data: &TrainingData,
        config: &TrainingConfig,
        (epoch, patterns): (u32, usize),
    ) -> Result<Vec<Tensor>> {
        let mut rng = stream(config.seed, Purpose::Curvature, u64::from(epoch), 0);
        let chosen = rand::seq::index::sample(&mut rng, data.train.len(), patterns.min(data.train.len()));
        let chosen: Vec<u32> = chosen.into_iter().map(|place| data.train[place]).collect();
        self.curvature(params, chosen.iter().map(|&number| data.training_image(number).0.as_slice()))
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
        while kept.len() < count && self.backward == Backward::Layers {
            kept.push(tensors.iter().map(Tensor::zeros_like).collect::<candle_core::Result<_>>()?);
        }
        let part = |number: usize| {
            let from = number * images_per_part;
            let range = from..batch.len().min(from + images_per_part);
            if self.backward == Backward::Scratch {
                return self.part_from_scratch(&tensors, batch, range);
            }
            let dropout = stream(seed, Purpose::Dropout, step, number as u64);
            let mut pass = Pass::train(self.compute.operators.for_images(batch.len()), range.len(), dropout);
            pass.gradients = Some(kept[number].clone());
            pass.frozen = self.frozen;
            self.part(params, &tensors, batch, range, pass)
        };
        let results: Vec<Gradients> =
            if count == 1 { vec![part(0)?] } else { (0..count).into_par_iter().map(part).collect::<Result<_>>()? };
        let mut sum = Gradients::default();
        for result in results {
            sum.loss += result.loss;
            sum.images += result.images;
            sum.correct += result.correct;
            sum.right_distance += result.right_distance;
            sum.parts.extend(result.parts);
            sum.observed.extend(result.observed);
            sum.answers.extend(result.answers);
        }
        Ok(sum)
    }

    /// As [`Objective::part`], by [`scratch::lesson`].
    fn part_from_scratch(&self, tensors: &[Tensor], whole: &Batch, range: Range<usize>) -> Result<Gradients> {
        let here: Vec<Tensor> =
            tensors.iter().map(|tensor| tensor.to_device(&Device::Cpu)).collect::<candle_core::Result<_>>()?;
        let lesson = with_all_floats(&here.iter().collect::<Vec<_>>(), |values| {
            let images = whole.images[range.clone()].iter().map(<[u8; _]>::as_slice);
            scratch::lesson(values, images, &whole.labels[range.clone()], whole.len(), &self.value_of)
        })?;
        let gradients = lesson.gradients.into_iter().zip(tensors);
        let gradients = gradients.map(|(values, like)| Tensor::from_vec(values, like.shape(), like.device()));
        Ok(Gradients {
            loss: lesson.loss,
            images: range.len(),
            correct: lesson.correct,
            right_distance: 0.0,
            parts: vec![gradients.collect::<candle_core::Result<_>>()?],
            observed: Vec::new(),
            answers: vec![lesson.answers],
        })
    }

    fn part(
        &self,
        params: &ParamStore,
        tensors: &[Tensor],
        whole: &Batch,
        range: Range<usize>,
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
        let answers: Vec<u8> = scores.chunks_exact(classes).map(answer).collect();
        let read = scores.chunks_exact(classes).zip(&answers).zip(labels);
        let correct = read.filter(|((scores, answer), label)| is_right(scores, **answer, **label)).count();
        let right = |(scores, label): (&[f32], &u8)| -f64::from(scores[usize::from(*label)]);
        let right_distance =
            if self.loss.is_of_distances() { scores.chunks_exact(classes).zip(labels).map(right).sum() } else { 0.0 };
        let observed = vec![Observed { images: labels.len(), statistics: pass.observed }];
        let loss = f64::from(loss.to_scalar::<f32>()?);
        let (images, parts, answers) = (labels.len(), vec![gradients], vec![answers]);
        Ok(Gradients { loss, images, correct, right_distance, parts, observed, answers })
    }
}
