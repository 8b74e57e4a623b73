//! What it costs to be right more often: which share of the images a network must leave unanswered so that fewer of its
//! answers are wrong (LeCun et al. 1998, figure 10). Rejected is what leads the second best by too little.

use super::Evaluation;

/// An evaluation's answers by their margins.
#[derive(Clone, Debug, PartialEq)]
pub struct Rejection {
    /// Of all answers, rising.
    margins: Vec<f32>,
    /// At place i: how many answers from place i on are wrong.
    wrong_from: Vec<u32>,
    curve: Vec<Rejected>,
    for_half_percent: Option<Rejected>,
}

/// What happens at one threshold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rejected {
    /// Answers with a lesser margin are rejected.
    pub threshold: f32,
    /// Share of the images that are rejected.
    pub share: f64,
    /// Share of wrong answers among the rest; 0 where nothing is left.
    pub error: f64,
}

impl Rejection {
    /// Points of a curve at most.
    pub const MOST_POINTS: usize = 101;

    pub fn of(evaluation: &Evaluation) -> Self {
        let mut answers: Vec<(f32, bool)> =
            evaluation.answers.iter().map(|answer| (answer.margin, answer.digit != answer.truth)).collect();
        answers.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut wrong = 0;
        let mut wrong_from: Vec<u32> = answers
            .iter()
            .rev()
            .map(|&(_, is_wrong)| {
                wrong += u32::from(is_wrong);
                wrong
            })
            .collect();
        wrong_from.reverse();
        let margins = answers.into_iter().map(|(margin, _)| margin).collect();
        let mut rejection = Self { margins, wrong_from, curve: Vec::new(), for_half_percent: None };
        rejection.for_half_percent = rejection.for_error(0.005);
        rejection.curve = rejection.sampled();
        rejection
    }

    /// The least rejection that leaves 0.5 % error, which figure 10 asks for; `None` where nothing does.
    pub fn for_half_percent(&self) -> Option<Rejected> {
        self.for_half_percent
    }

    /// From no rejection to the first that leaves no wrong answer, or to the last of all; at most [`Self::MOST_POINTS`]
    /// points, the denser the fewer are rejected: there most is won.
    pub fn curve(&self) -> &[Rejected] {
        &self.curve
    }

    /// What a threshold rejects and leaves.
    pub fn at(&self, threshold: f32) -> Rejected {
        self.beginning_at(self.margins.partition_point(|&margin| margin < threshold), threshold)
    }

    fn beginning_at(&self, place: usize, threshold: f32) -> Rejected {
        let (images, left) = (self.margins.len(), self.margins.len() - place);
        Rejected {
            threshold,
            share: place as f64 / images.max(1) as f64,
            error: self.wrong_from.get(place).map_or(0.0, |&wrong| f64::from(wrong) / left as f64),
        }
    }

    /// The threshold that rejects at most this share, and as many as that allows; the greatest margin at most.
    pub fn threshold_for(&self, share: f64) -> f32 {
        let place = (share.clamp(0.0, 1.0) * self.margins.len() as f64 + 1e-9).floor() as usize;
        if place == 0 { 0.0 } else { self.margins[place.min(self.margins.len() - 1)] }
    }

    /// The least threshold that leaves at most this share of wrong answers, without rejecting everything; `None` where there
    /// is none.
    fn for_error(&self, error: f64) -> Option<Rejected> {
        // equal margins are rejected together: only the first of them is a place to begin
        let begins = |place: usize| place == 0 || self.margins[place - 1] < self.margins[place];
        let places = (0..self.margins.len()).filter(|&place| begins(place));
        let rejected = |place: usize| self.beginning_at(place, if place == 0 { 0.0 } else { self.margins[place] });
        places.map(rejected).find(|rejected| rejected.error <= error)
    }

    fn sampled(&self) -> Vec<Rejected> {
        if self.margins.is_empty() {
            return Vec::new();
        }
        let end = self.for_error(0.0).map_or(1.0, |rejected| rejected.share);
        let steps = Self::MOST_POINTS - 1;
        let share = |step: usize| end * (step as f64 / steps as f64).powi(2);
        let mut points: Vec<Rejected> = (0..=steps).map(|step| self.at(self.threshold_for(share(step)))).collect();
        points.dedup_by(|a, b| a.share == b.share);
        points
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inference::{Answer, Confusion};

    /// Answers by margin and whether they are right.
    fn rejection(answers: &[(f32, bool)]) -> Rejection {
        let answer = |&(margin, right): &(f32, bool)| Answer {
            truth: 1,
            digit: u8::from(right),
            confidence: 0.5,
            loss: 0.0,
            margin,
            score: 0.0,
        };
        let answers = answers.iter().map(answer).collect();
        Rejection::of(&Evaluation { confusion: Confusion::default(), loss: 0.0, answers, seconds: 0.0 })
    }

    #[test]
    fn a_threshold_rejects_what_leads_by_less_and_counts_the_wrong_among_the_rest() {
        let rejection = rejection(&[(3.0, true), (1.0, false), (2.0, true), (0.5, true), (2.0, false)]);
        let found = |threshold: f32| {
            let at = rejection.at(threshold);
            (at.share, at.error)
        };
        assert_eq!(found(0.0), (0.0, 0.4));
        assert_eq!(found(1.0), (0.2, 0.5), "a margin that reaches the threshold is answered");
        assert_eq!(found(1.5), (0.4, 1.0 / 3.0));
        assert_eq!(found(2.5), (0.8, 0.0));
        assert_eq!(found(9.0), (1.0, 0.0));
    }

    #[test]
    fn the_least_share_for_an_error_takes_equal_margins_together() {
        let rejection = rejection(&[(3.0, true), (1.0, false), (2.0, true), (0.5, true), (2.0, false)]);
        let shares = [0.4, 1.0 / 3.0, 0.2].map(|error| rejection.for_error(error).map(|found| found.share));
        assert_eq!(shares, [Some(0.0), Some(0.4), Some(0.8)]);
        assert_eq!(rejection.for_error(0.2).map(|found| found.threshold), Some(3.0));
        assert_eq!(self::rejection(&[(1.0, false)]).for_error(0.5), None, "nothing may be left of nothing");
        assert_eq!(self::rejection(&[]).for_error(0.5), None);
    }

    #[test]
    fn shares_and_thresholds_lead_to_each_other() {
        let answers: Vec<(f32, bool)> = (0..1_000).map(|i| (i as f32 / 10.0, i % 90 != 7 || i > 300)).collect();
        let rejection = rejection(&answers);
        for share in [0.0, 0.001, 0.25, 0.5, 0.999] {
            assert!((rejection.at(rejection.threshold_for(share)).share - share).abs() < 1e-9, "{share}");
        }
        let curve = rejection.curve();
        assert!(curve.len() > 60 && curve.len() <= Rejection::MOST_POINTS, "{}", curve.len());
        assert_eq!((curve[0].share, curve[0].error), (0.0, 0.004));
        assert!(curve.windows(2).all(|pair| pair[0].share < pair[1].share));
        let last = curve[curve.len() - 1];
        assert_eq!((last.share, last.error), (0.278, 0.0), "it ends where no error is left");
        assert!(self::rejection(&[]).curve().is_empty());
    }
}
