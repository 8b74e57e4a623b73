//! A network with nothing under it: plain numbers, and back-propagation written out beside its formulas. No tensors, no
//! layers, no automatic derivatives; only the product of two matrices stands in a file of its own.
//!
//! # The network
//! a⁰ are the pixels that count, an image a row. For the layers l = 1 … L, with a row of Wˡ for every unit,
//!
//! | | | |
//! |---|---|---|
//! | (1) | zˡ = aˡ⁻¹ Wˡᵀ + bˡ | what a unit adds up |
//! | (2) | aˡ = σ(zˡ), σ(z) = 1 / (1 + e⁻ᶻ), for l < L | what a hidden unit answers |
//! | (3) | p = softmax(zᴸ), pₖ = e^zₖ / Σⱼ e^zⱼ | the probability of every digit |
//! | (4) | E = −1/N Σ ln p\[label\] | cross-entropy, the mean over N images |
//!
//! # Back-propagation
//! With δˡ = ∂E/∂zˡ, a row for every image, the chain rule goes through (4), (3), (2), (1) from the end to the beginning
//! (Rumelhart, Hinton & Williams 1986; Bishop 2006, section 5.3):
//!
//! | | | |
//! |---|---|---|
//! | (5) | δᴸ = (p − t) / N, t 1 at the label and 0 elsewhere | σ'(z) and p's derivative cancel |
//! | (6) | δˡ = δˡ⁺¹ Wˡ⁺¹ ⊙ aˡ (1 − aˡ) | as σ' = σ (1 − σ) |
//! | (7) | ∂E/∂Wˡ = δˡᵀ aˡ⁻¹ | |
//! | (8) | ∂E/∂bˡ = Σ δˡ over the images | |
//!
//! The penalty λ/2 Σ w² on large weights (L2) is no part of a batch: the optimiser's `weight_decay` is its λ.
//!
//! # What it reaches
//! `digitpad train scratch`: conjugate gradient over all of 50,000 training images, 120 iterations, 624 of 784 pixels kept: 97.69,
//! 97.81 and 97.78 % of the test images (seeds 1, 2, 3). All of it takes 31 s on two cores of an AMD EPYC (Zen 4). With
//! λ = 1e-5, 1e-4 and 3e-4 the best of 23 epochs of seed 1 reads 97.60, 97.69 and 97.75 % of the validation images, which
//! chose λ. Pixels as they are, from 0 to 1, want about one and a half times as many iterations as
//! those of [`super::InputScale::STANDARD`].
//!
//! `digitpad train scratch-deep`: two hidden layers, descent in batches of 64 with momentum: 98.05, 97.99 and 98.09 %.
//!
//! Softmax with cross-entropy in place of ten separate sigmoid units: the answers are probabilities that sum to 1, as every
//! place of the program expects them. Drawing, judging and explaining run on the layers of its network with the same weights;
//! `tests/scratch.rs` holds these gradients to those of Candle.

mod matrix;

use candle_core::Result;

pub use matrix::Matrix;

use super::{CLASSES, INPUT};
use crate::nn::{Activation, Dense, KeepPixels, Network};

/// A pixel of MNIST's rim that bears ink in one image of 10,000 deviates by 0.01: five of 50,000 images, too few to learn
/// from. Its weights would only follow these five.
const INPUTS: KeepPixels = KeepPixels { least_deviation: 0.01 };

/// 784-128-10, 101,770 parameters.
pub(super) fn network() -> Result<Network> {
    Network::new(INPUT) //                                                                 [1, 28, 28]
        .then("Input", INPUTS)? //                                                         [1, 28, 28]
        .then("Hidden", Dense { outputs: 128, activation: Activation::Sigmoid })? //       [128]
        .then("Output", Dense { outputs: CLASSES, activation: Activation::Identity }) //   [10]
}

/// 784-128-64-10, 109,386 parameters.
pub(super) fn deep_network() -> Result<Network> {
    Network::new(INPUT) //                                                                 [1, 28, 28]
        .then("Input", INPUTS)? //                                                         [1, 28, 28]
        .then("Hidden1", Dense { outputs: 128, activation: Activation::Sigmoid })? //      [128]
        .then("Hidden2", Dense { outputs: 64, activation: Activation::Sigmoid })? //       [64]
        .then("Output", Dense { outputs: CLASSES, activation: Activation::Identity }) //   [10]
}

/// What some images teach.
#[derive(Default)]
pub struct Lesson {
    /// Their share of the mean (4).
    pub loss: f64,
    /// Images that were read right.
    pub correct: usize,
    /// What each was read as.
    pub answers: Vec<u8>,
    /// One a parameter, of the same length, in the order in which they came.
    pub gradients: Vec<Vec<f32>>,
}

/// Loss and gradients of some images, N of them being `of_images` in the whole batch, so that the parts of a batch add up to
/// its mean. `parameters`: which pixels count (1 or 0 each), then Wˡ and bˡ of every layer. `images` and `labels` belong
/// together; `value_of` is the number of every byte.
pub fn lesson<'i>(
    parameters: &[&[f32]],
    images: impl ExactSizeIterator<Item = &'i [u8]>,
    labels: &[u8],
    of_images: usize,
    value_of: &[f32; 256],
) -> Lesson {
    let Some((kept, layers)) = parameters.split_first() else {
        return Lesson::default();
    };
    // which pixels count, by their numbers; the others are left out of every product
    let pixels: Vec<usize> = (0..kept.len()).filter(|&pixel| kept[pixel] != 0.0).collect();
    let (weights, biases) = weights_and_biases(layers, &pixels, kept.len());

    // forward: every aˡ is remembered
    let mut activations = vec![chosen_pixels(images, &pixels, value_of)]; // a⁰
    for (weight, bias) in weights.iter().zip(&biases) {
        let mut z = activations[activations.len() - 1].times_transposed(weight); // (1)
        z.each_row_mut().for_each(|row| row.iter_mut().zip(*bias).for_each(|(z, bias)| *z += bias));
        let is_last = activations.len() == weights.len();
        activations.push(if is_last { z } else { z.sigmoid() }); // (2)
    }
    let Some(scores) = activations.pop() else { return Lesson::default() };
    let (loss, answers, mut delta) = softmax_cross_entropy(scores, labels, of_images); // (3), (4), (5)

    // backward: every δˡ gives two gradients and the δ before it
    let mut gradients = Vec::new();
    for l in (0..weights.len()).rev() {
        let a = &activations[l];
        gradients.push(delta.sum_of_rows()); // (8)
        gradients.push(delta.transposed_times(a).values); // (7)
        if l > 0 {
            delta = delta.times(&weights[l]); // (6)
            delta.values.iter_mut().zip(&a.values).for_each(|(delta, a)| *delta *= a * (1.0 - a));
        }
    }
    if let (Some(first), Some(bias)) = (gradients.last_mut(), biases.first()) {
        *first = spread(first, bias.len(), &pixels, kept.len());
    }
    gradients.push(vec![0.0; kept.len()]); // which pixels count is not learnt
    gradients.reverse();
    let correct = answers.iter().zip(labels).filter(|(answer, label)| answer == label).count();
    Lesson { loss, correct, answers, gradients }
}

/// The layers' matrices, the first without the columns of pixels that do not count, and their biases.
fn weights_and_biases<'a>(layers: &[&'a [f32]], pixels: &[usize], all_pixels: usize) -> (Vec<Matrix>, Vec<&'a [f32]>) {
    let mut weights = Vec::new();
    let mut biases = Vec::new();
    for pair in layers.chunks_exact(2) {
        let (weight, bias) = (pair[0], pair[1]);
        let units = bias.len();
        weights.push(if weights.is_empty() {
            let mut chosen = Matrix::new(units, pixels.len(), vec![0.0; units * pixels.len()]);
            for (to, row) in chosen.each_row_mut().zip(weight.chunks_exact(all_pixels)) {
                to.iter_mut().zip(pixels).for_each(|(to, &pixel)| *to = row[pixel]);
            }
            chosen
        } else {
            Matrix::new(units, weight.len() / units, weight.to_vec())
        });
        biases.push(bias);
    }
    (weights, biases)
}

/// a⁰: the pixels that count, an image a row.
fn chosen_pixels<'i>(
    images: impl ExactSizeIterator<Item = &'i [u8]>,
    pixels: &[usize],
    value_of: &[f32; 256],
) -> Matrix {
    let mut chosen = Matrix::new(images.len(), pixels.len(), vec![0.0; images.len() * pixels.len()]);
    for (to, image) in chosen.each_row_mut().zip(images) {
        to.iter_mut().zip(pixels).for_each(|(to, &pixel)| *to = value_of[usize::from(image[pixel])]);
    }
    chosen
}

/// From the scores zᴸ: E, what each image was read as, and δᴸ.
fn softmax_cross_entropy(mut scores: Matrix, labels: &[u8], of_images: usize) -> (f64, Vec<u8>, Matrix) {
    let (mut loss, mut answers) = (0.0, Vec::with_capacity(labels.len()));
    for (row, &label) in scores.each_row_mut().zip(labels) {
        let label = usize::from(label);
        let greatest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        // the last of equal ones answers, as everywhere
        answers.push(row.iter().rposition(|&score| score == greatest).unwrap_or(0) as u8);
        // e^z / Σ e^z does not change when all z fall by the same; so no e^z is too large
        row.iter_mut().for_each(|z| *z -= greatest);
        let of_label = row[label];
        let sum: f32 = row.iter().map(|z| z.exp()).sum();
        loss += f64::from(sum.ln() - of_label);
        row.iter_mut().for_each(|z| *z = z.exp() / sum); // (3)
        row[label] -= 1.0;
        row.iter_mut().for_each(|delta| *delta /= of_images as f32); // (5)
    }
    (loss / of_images as f64, answers, scores) // (4)
}

/// The gradient of the first matrix in its full size: 0 for pixels that do not count.
fn spread(gradient: &[f32], units: usize, pixels: &[usize], all_pixels: usize) -> Vec<f32> {
    let mut whole = vec![0.0; units * all_pixels];
    for (to, from) in whole.chunks_exact_mut(all_pixels).zip(gradient.chunks_exact(pixels.len().max(1))) {
        pixels.iter().zip(from).for_each(|(&pixel, value)| to[pixel] = *value);
    }
    whole
}
