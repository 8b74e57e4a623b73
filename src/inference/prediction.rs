//! The answer to one image.

use super::Thresholds;
use crate::models::CLASSES;

/// How far an answer is to be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Sure,
    Unsure,
    /// There is ink, but it scores less than digits do.
    NotADigit,
    /// There is no ink, so there is no answer.
    Empty,
}

impl State {
    /// As the command line writes it.
    pub fn id(self) -> &'static str {
        match self {
            Self::Sure => "sure",
            Self::Unsure => "unsure",
            Self::NotADigit => "not-a-digit",
            Self::Empty => "empty",
        }
    }
}

/// Scores and probabilities of the ten digits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Prediction {
    /// Logits.
    pub scores: [f32; CLASSES],
    /// Softmax of the scores; they add up to 1.
    pub probabilities: [f32; CLASSES],
}

impl Prediction {
    /// From logits; scores that are not finite give probabilities of 0 but never NaN.
    pub fn from_scores(scores: [f32; CLASSES]) -> Self {
        let greatest = scores.iter().copied().filter(|x| x.is_finite()).fold(f32::NEG_INFINITY, f32::max);
        let mut probabilities = scores.map(|x| if x.is_finite() { (x - greatest).exp() } else { 0.0 });
        let sum: f32 = probabilities.iter().sum();
        if sum > 0.0 {
            probabilities.iter_mut().for_each(|p| *p /= sum);
        }
        Self { scores, probabilities }
    }

    /// The digits from the most to the least probable; equal ones in their own order.
    pub fn ranked(&self) -> [u8; CLASSES] {
        let mut digits: [u8; CLASSES] = std::array::from_fn(|digit| digit as u8);
        digits.sort_by(|&a, &b| self.probability(b).total_cmp(&self.probability(a)));
        digits
    }

    pub fn probability(&self, digit: u8) -> f32 {
        self.probabilities[usize::from(digit)]
    }

    /// The logit of a digit, or minus its squared distance.
    pub fn score(&self, digit: u8) -> f32 {
        self.scores[usize::from(digit)]
    }

    /// The most probable digit.
    pub fn best(&self) -> u8 {
        self.ranked()[0]
    }

    /// The greatest score minus the second, which for negative distances is how much further off the second code is. 0
    /// where it is no number.
    pub fn margin(&self) -> f32 {
        let mut scores = self.scores;
        scores.sort_by(|a, b| b.total_cmp(a));
        let margin = scores[0] - scores[1];
        if margin.is_finite() { margin } else { 0.0 }
    }

    /// Sure when the best digit's probability reaches the threshold of the model's card.
    pub fn state(&self, thresholds: &Thresholds) -> State {
        if thresholds.refuses(self) {
            State::NotADigit
        } else if self.probability(self.best()) >= thresholds.sure_above {
            State::Sure
        } else {
            State::Unsure
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_are_a_softmax_and_survive_extremes() {
        let mut scores = [0.0; CLASSES];
        scores[3] = 1000.0;
        scores[4] = f32::NAN;
        let prediction = Prediction::from_scores(scores);
        assert_eq!(prediction.best(), 3);
        assert_eq!(prediction.probability(4), 0.0);
        assert!((prediction.probabilities.iter().sum::<f32>() - 1.0).abs() < 1e-6);
        assert_eq!(prediction.margin(), 0.0, "a score that is no number leads nobody");
        let ahead = Prediction::from_scores([-90.0, -17.5, -61.5, -90.0, -90.0, -90.0, -90.0, -90.0, -90.0, -90.0]);
        assert_eq!((ahead.best(), ahead.margin()), (1, 44.0));
        assert_eq!(Prediction::from_scores([0.5; CLASSES]).ranked(), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    }
}
