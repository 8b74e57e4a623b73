//! Where two networks answer differently to the same images.

use super::Answer;

/// One image that two networks read differently.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Disagreement {
    /// Place of the image in both evaluations.
    pub place: u32,
    /// Its label.
    pub truth: u8,
    /// What each of the two answers.
    pub digits: [u8; 2],
    /// The probability that each gives its own answer, 0 to 1.
    pub confidences: [f32; 2],
}

/// Who of the two is right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Right {
    First,
    Second,
    /// Both are wrong, each in its own way.
    Neither,
}

impl Disagreement {
    pub fn right(&self) -> Right {
        match self.digits.map(|digit| digit == self.truth) {
            [true, _] => Right::First,
            [_, true] => Right::Second,
            _ => Right::Neither,
        }
    }

    /// How sure the less sure of the two is.
    pub fn surety(&self) -> f32 {
        self.confidences[0].min(self.confidences[1])
    }
}

/// The images that two evaluations of the same images answer differently: first those where both are surest, the less sure
/// of the two counting; equal ones in the order of the images.
pub fn disagreements(first: &[Answer], second: &[Answer]) -> Vec<Disagreement> {
    let pairs = (0..).zip(first.iter().zip(second)).filter(|(_, (a, b))| a.digit != b.digit);
    let mut found: Vec<Disagreement> = pairs
        .map(|(place, (a, b))| Disagreement {
            place,
            truth: a.truth,
            digits: [a.digit, b.digit],
            confidences: [a.confidence, b.confidence],
        })
        .collect();
    found.sort_by(|a, b| b.surety().total_cmp(&a.surety()));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(truth: u8, digit: u8, confidence: f32) -> Answer {
        Answer { truth, digit, confidence, loss: 0.0, margin: 0.0, score: 0.0 }
    }

    #[test]
    fn only_different_answers_count_and_the_surest_quarrel_comes_first() {
        let first = [answer(1, 1, 0.9), answer(2, 2, 0.99), answer(3, 5, 0.6), answer(4, 9, 0.8), answer(7, 7, 0.7)];
        let second = [answer(1, 1, 0.2), answer(2, 7, 0.5), answer(3, 3, 0.9), answer(4, 6, 0.9), answer(7, 7, 0.1)];
        let found = disagreements(&first, &second);
        let told: Vec<(u32, Right)> = found.iter().map(|one| (one.place, one.right())).collect();
        assert_eq!(told, [(3, Right::Neither), (2, Right::Second), (1, Right::First)]);
        assert_eq!((found[0].truth, found[0].digits, found[0].surety()), (4, [9, 6], 0.8));
    }
}
