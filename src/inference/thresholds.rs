//! From when on an answer counts: what is sure, and what is a digit at all. Chosen on validation images and on drawn
//! things that are no digits, never on a test set.

use anyhow::Result;
use rayon::prelude::*;
use serde::Deserialize;

use super::{Answer, Prediction, TrainedModel};
use crate::drawing::{PIXELS, stranger_image};

/// Where sure answers and digits begin.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Thresholds {
    /// The probability from which on an answer counts as sure.
    pub sure_above: f32,
    /// The best digit's score, a logit or minus a squared distance, below which a drawing counts as no digit. `None` for a
    /// network that has never been asked about validation images: it refuses nothing.
    pub digit_above: Option<f32>,
}

impl Default for Thresholds {
    /// Of a network that has not been asked about validation images.
    fn default() -> Self {
        Self { sure_above: 0.95, digit_above: None }
    }
}

/// Share of real digits that are refused by a network that has learnt what is none.
const DIGITS_REFUSED: f64 = 0.01;
/// The same for the others. They find a hand that nobody has seen nearly as strange as a letter.
const DIGITS_REFUSED_UNTAUGHT: f64 = 0.0025;
/// Share of drawn strangers that a network must tell from all but the worst [`DIGITS_REFUSED`] digits to have learnt it.
const STRANGERS_TOLD: f64 = 0.9;
/// Drawn strangers that a threshold is chosen with.
const STRANGERS: usize = 1_000;
/// Seed of the strangers that a threshold is chosen with; training draws its own from the run's seed.
const SEED: u64 = 0x5742_a6e3;

impl Thresholds {
    /// Chosen on the answers to validation images, and on drawn letters, signs and scribbles of the kinds that a training
    /// may use: on the threads of the model.
    ///
    /// Sure is what leaves at most one wrong answer in 500, if any confidence does. A digit is what scores better than the
    /// worst of the validation digits: 1 % of them where that refuses nine strangers in ten, or else 0.25 %.
    ///
    /// # Errors
    /// Where the network cannot be worked out.
    pub fn choose(model: &TrainedModel, validation: &[Answer]) -> Result<Self> {
        if validation.is_empty() {
            return Ok(Self::default());
        }
        let mut digits: Vec<f32> = validation.iter().map(|answer| answer.score).collect();
        digits.sort_by(f32::total_cmp);
        let worst = |share: f64| digits[(share * digits.len() as f64) as usize];
        let strangers = stranger_scores(model, false, SEED, STRANGERS)?;
        let told = strangers.iter().filter(|score| **score < worst(DIGITS_REFUSED)).count();
        let has_learnt = told as f64 >= STRANGERS_TOLD * strangers.len() as f64;
        let border = worst(if has_learnt { DIGITS_REFUSED } else { DIGITS_REFUSED_UNTAUGHT });
        Ok(Self { sure_above: sure_above(validation), digit_above: Some(border).filter(|border| border.is_finite()) })
    }

    /// Whether a prediction is no digit's.
    pub fn refuses(&self, prediction: &Prediction) -> bool {
        self.digit_above.is_some_and(|border| prediction.score(prediction.best()) < border)
    }
}

/// The best digit's score for drawn things that are no digits, see [`stranger_image`].
///
/// # Errors
/// Where the network cannot be worked out.
pub fn stranger_scores(model: &TrainedModel, strange: bool, seed: u64, count: usize) -> Result<Vec<f32>> {
    let best = |scores: [f32; crate::models::CLASSES]| {
        let prediction = Prediction::from_scores(scores);
        prediction.score(prediction.best())
    };
    let chunk = |numbers: &[u64]| -> Result<Vec<f32>> {
        let images: Vec<[u8; PIXELS]> =
            numbers.iter().map(|&number| stranger_image(strange, seed, number).pixels).collect();
        Ok(model.scores(images.iter().map(|image| image.as_slice()))?.into_iter().map(best).collect())
    };
    let numbers: Vec<u64> = (0..count as u64).collect();
    let chunks: Vec<Vec<f32>> =
        model.compute.pool.install(|| numbers.par_chunks(64).map(chunk).collect::<Result<_>>())?;
    Ok(chunks.concat())
}

/// The least confidence from which on at most one answer in 500 is wrong, 0.5 at least. Where no confidence is enough,
/// because a network is certain of everything, one in 200 or in 100; more than 1 where that is not to be had either.
fn sure_above(answers: &[Answer]) -> f32 {
    let mut answers = answers.to_vec();
    answers.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
    let least_for = |one_in: usize| {
        let (mut wrong, mut least) = (0usize, None);
        for (i, answer) in answers.iter().enumerate() {
            wrong += usize::from(answer.digit != answer.truth);
            let last_of_equals = answers.get(i + 1).is_none_or(|next| next.confidence < answer.confidence);
            if last_of_equals && wrong * one_in <= i + 1 {
                least = Some(answer.confidence);
            }
        }
        least
    };
    [500, 200, 100].into_iter().find_map(least_for).unwrap_or(1.01).max(0.5)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(confidence: f32, right: bool) -> Answer {
        Answer { truth: 1, digit: u8::from(right), confidence, loss: 0.0, margin: 0.0, score: 0.0 }
    }

    #[test]
    fn sure_begins_where_one_answer_in_500_is_wrong() {
        let mut answers: Vec<Answer> = (0..1_000).map(|i| answer(1.0 - i as f32 / 4_000.0, true)).collect();
        assert_eq!(sure_above(&answers), 1.0 - 999.0 / 4_000.0);
        answers.push(answer(0.99, false));
        answers.push(answer(0.98, false));
        answers.push(answer(0.8, false));
        // two wrong ones above: as many as 1,000 allow; the third at 0.8 comes after 801 images, too many until the end
        assert!(sure_above(&answers) > 0.8 - 1e-6);
        let certain = |wrong: usize| (0..1_000).map(|i| answer(1.0, i >= wrong)).collect::<Vec<_>>();
        assert_eq!(sure_above(&certain(9)), 1.0, "certain of everything, and wrong once in 111");
        assert!(sure_above(&certain(11)) > 1.0);
        assert!(sure_above(&[answer(0.9, false)]) > 1.0);
    }

    #[test]
    fn a_network_nobody_has_asked_refuses_nothing() {
        let prediction = Prediction::from_scores([-1e6; 10]);
        assert!(!Thresholds::default().refuses(&prediction));
        let border = Thresholds { sure_above: 0.9, digit_above: Some(-2.0) };
        assert!(border.refuses(&prediction));
        assert!(!border.refuses(&Prediction::from_scores([-2.0; 10])), "what reaches the border is a digit");
    }
}
