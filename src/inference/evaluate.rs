//! A network's answers to a whole set of images.

use std::ops::ControlFlow;

use anyhow::Result;
use rayon::prelude::*;

use super::{Confusion, Prediction, TrainedModel, wilson_interval};
use crate::data::Dataset;
use crate::nn::Loss;

/// The answer to one image of a set.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Answer {
    /// The label of the image.
    pub truth: u8,
    /// The answer.
    pub digit: u8,
    /// Probability of the answer.
    pub confidence: f32,
    /// What the network was trained on, of this image: see [`Loss::of`].
    pub loss: f32,
    /// How far the best score is ahead of the second, see [`Prediction::margin`].
    pub margin: f32,
    /// The answer's own score.
    pub score: f32,
}

/// What an evaluation found.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluation {
    pub confusion: Confusion,
    /// Mean over the answers.
    pub loss: f64,
    /// One an image, in the order of the set.
    pub answers: Vec<Answer>,
    pub seconds: f64,
}

impl Evaluation {
    /// The Wilson 95 % interval of the accuracy.
    pub fn interval(&self) -> [f64; 2] {
        wilson_interval(self.confusion.correct(), self.confusion.images())
    }
}

/// Images that one thread takes at a time; small enough to stay in its cache.
const CHUNK: usize = 64;
/// Chunks between two reports of progress.
const CHUNKS_PER_REPORT: usize = 16;

/// Asks `model` about the images of `dataset` at `indices`, in parallel and in a fixed order of sums. `loss` is what the
/// model was trained on; where nobody knows, what is usual for its kind counts.
///
/// `progress` is told how many images are done; when it breaks, the result is `None`.
pub fn evaluate(
    model: &TrainedModel,
    loss: Option<Loss>,
    dataset: &Dataset,
    indices: &[u32],
    mut progress: impl FnMut(usize) -> ControlFlow<()>,
) -> Result<Option<Evaluation>> {
    let start = std::time::Instant::now();
    let kind = loss.unwrap_or_else(|| Loss::usual(&model.network));
    let mut answers = Vec::with_capacity(indices.len());
    for part in indices.chunks(CHUNK * CHUNKS_PER_REPORT) {
        let chunks: Vec<Vec<Answer>> = model.compute.pool.install(|| {
            part.par_chunks(CHUNK).map(|chunk| answer_chunk(model, kind, dataset, chunk)).collect::<Result<_>>()
        })?;
        answers.extend(chunks.into_iter().flatten());
        if progress(answers.len()).is_break() {
            return Ok(None);
        }
    }
    let mut confusion = Confusion::default();
    let mut loss = 0.0;
    for answer in &answers {
        confusion.add(answer.truth, answer.digit);
        loss += f64::from(answer.loss);
    }
    let loss = loss / indices.len().max(1) as f64;
    Ok(Some(Evaluation { confusion, loss, answers, seconds: start.elapsed().as_secs_f64() }))
}

fn answer_chunk(model: &TrainedModel, kind: Loss, dataset: &Dataset, indices: &[u32]) -> Result<Vec<Answer>> {
    let scores = model.scores(indices.iter().map(|&i| dataset.image(i as usize).as_slice()))?;
    let answer = |(&index, scores): (&u32, [f32; 10])| {
        let prediction = Prediction::from_scores(scores);
        let digit = prediction.best();
        let truth = dataset.label(index as usize);
        let loss = kind.of(&scores, truth);
        Answer {
            truth,
            digit,
            confidence: prediction.probability(digit),
            loss,
            margin: prediction.margin(),
            score: prediction.score(digit),
        }
    };
    Ok(indices.iter().zip(scores).map(answer).collect())
}
