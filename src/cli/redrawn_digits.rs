//! `digitpad eval --redrawn`: test digits drawn again on the pad with four pens, and what the models make of them.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use rayon::prelude::*;
use serde_json::json;

use super::eval::EvalArgs;
use super::output;
use crate::data::Corpus;
use crate::drawing::{DigitImage, PIXELS, digit_image, redrawn};
use crate::inference::{Prediction, TrainedModel};
use crate::nn::Compute;
use crate::storage::shipped;

/// The pens' diameters in pixels of the digit image; MNIST's lines are about 2.5 wide.
pub const PENS: [f32; 4] = [1.5, 2.9, 4.5, 5.7];
/// Digits drawn again with each pen.
const DIGITS: usize = 1_500;
const SEED: u64 = 1;
/// Points by which a model may miss its card: processors round differently, and one digit is 0.07 points.
const TOLERANCE_PERCENT: f64 = 0.3;
/// Images that one thread takes at a time.
const CHUNK: usize = 64;

pub(super) fn run(
    args: &EvalArgs,
    names: &[String],
    corpus: &Corpus,
    compute: &Arc<Compute>,
    runs: Option<&Path>,
) -> Result<u8> {
    let count = DIGITS.min(corpus.test.len());
    let image = |number: usize, pen: usize| {
        let original = DigitImage { pixels: *corpus.test.image(number) };
        digit_image(&redrawn(&original, PENS[pen], SEED, number as u64)).unwrap_or_default().pixels
    };
    let images: Vec<Vec<[u8; PIXELS]>> = compute.pool.install(|| {
        (0..PENS.len()).map(|pen| (0..count).into_par_iter().map(|number| image(number, pen)).collect()).collect()
    });
    let mut below = Vec::new();
    for name in names {
        let file = shipped::find_weights(name, runs)?.file;
        let model = TrainedModel::new(file.architecture, &file.weights, file.thresholds, Arc::clone(compute))?;
        let accuracies = compute
            .pool
            .install(|| images.iter().map(|images| accuracy(&model, images, corpus)).collect::<Result<Vec<f64>>>())?;
        if args.json {
            let redrawn: Vec<_> =
                PENS.iter().zip(&accuracies).map(|(pen, accuracy)| json!({"pen": pen, "accuracy": accuracy})).collect();
            output::json(&json!({"model": name, "images": count, "redrawn": redrawn}));
        } else {
            let shares: Vec<String> = accuracies.iter().map(|accuracy| output::percent(*accuracy)).collect();
            output::line(format!("{name:<26} {}", shares.join("  ")));
        }
        if args.check {
            let shipped = shipped::find(name).with_context(|| format!("{name} is not shipped, so it has no card"))?;
            let floors = shipped.card()?.redrawn;
            for ((pen, accuracy), floor) in PENS.iter().zip(&accuracies).zip(floors) {
                if 100.0 * accuracy < 100.0 * floor - TOLERANCE_PERCENT {
                    let [found, wanted] = [*accuracy, floor].map(output::percent);
                    below.push(format!(
                        "{name} reads {found} of digits drawn with a pen of {pen} px, its card says {wanted}"
                    ));
                }
            }
        }
    }
    if !below.is_empty() {
        bail!("{}", below.join("; "));
    }
    Ok(0)
}

fn accuracy(model: &TrainedModel, images: &[[u8; PIXELS]], corpus: &Corpus) -> Result<f64> {
    let right = |(chunk, images): (usize, &[[u8; PIXELS]])| -> Result<usize> {
        let scores = model.scores(images.iter().map(|image| image.as_slice()))?;
        let is_right = |(i, scores): &(usize, [f32; crate::models::CLASSES])| {
            Prediction::from_scores(*scores).best() == corpus.test.label(chunk * CHUNK + i)
        };
        Ok(scores.into_iter().enumerate().filter(is_right).count())
    };
    let counts: Vec<usize> = images.par_chunks(CHUNK).enumerate().map(right).collect::<Result<_>>()?;
    Ok(counts.iter().sum::<usize>() as f64 / images.len().max(1) as f64)
}
