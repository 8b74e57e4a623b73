//! What thresholds are worth: how many digits are answered surely and how many of those answers are wrong; how many digits
//! and how many things that are no digits are refused.

use super::{Answer, Thresholds};

/// Measured on the answers to digits, and on drawn things that are none.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// Share of the digits whose answer is sure.
    pub sure: f64,
    /// Share of wrong answers among the sure ones; 0 where there is none.
    pub sure_error: f64,
    /// Share of the digits that are refused as no digits.
    pub digits_refused: f64,
    /// Share of the strangers that are refused.
    pub strangers_refused: f64,
}

impl Decision {
    /// The decision at these thresholds; `strangers` are best scores, see [`super::stranger_scores`].
    pub fn of(thresholds: &Thresholds, answers: &[Answer], strangers: &[f32]) -> Self {
        let refuses = |score: f32| thresholds.digit_above.is_some_and(|border| score < border);
        let share = |part: usize, of: usize| part as f64 / of.max(1) as f64;
        let is_sure = |answer: &&Answer| answer.confidence >= thresholds.sure_above && !refuses(answer.score);
        let sure = answers.iter().filter(is_sure).count();
        let wrong = answers.iter().filter(is_sure).filter(|answer| answer.digit != answer.truth).count();
        Self {
            sure: share(sure, answers.len()),
            sure_error: share(wrong, sure),
            digits_refused: share(answers.iter().filter(|answer| refuses(answer.score)).count(), answers.len()),
            strangers_refused: share(strangers.iter().filter(|score| refuses(**score)).count(), strangers.len()),
        }
    }

    /// What every threshold for sure answers is worth: `(threshold, share of sure answers, share of wrong ones among them)`
    /// from all answers down to those that are surest, at most 101 points.
    pub fn sure_curve(thresholds: &Thresholds, answers: &[Answer]) -> Vec<(f32, f64, f64)> {
        let mut confidences: Vec<f32> = answers.iter().map(|answer| answer.confidence).collect();
        confidences.sort_by(f32::total_cmp);
        let Some(last) = confidences.len().checked_sub(1) else { return Vec::new() };
        // most of the answers are very sure, and what is won is won among the least sure
        let place = |step: usize| (last as f64 * (step as f64 / 100.0).powi(2)) as usize;
        let mut curve: Vec<(f32, f64, f64)> = (0..=100)
            .map(|step| {
                let sure_above = confidences[place(step)];
                let decision = Self::of(&Thresholds { sure_above, ..*thresholds }, answers, &[]);
                (sure_above, decision.sure, decision.sure_error)
            })
            .collect();
        curve.dedup_by(|a, b| a.1 == b.1);
        curve
    }

    /// What every border between digits and other things is worth: `(score, share of digits refused, share of strangers
    /// refused)`, rising, at most 101 points.
    pub fn digit_curve(answers: &[Answer], strangers: &[f32]) -> Vec<(f32, f64, f64)> {
        let mut scores: Vec<f32> = answers.iter().map(|answer| answer.score).collect();
        scores.sort_by(f32::total_cmp);
        let Some(last) = scores.len().checked_sub(1) else { return Vec::new() };
        // as far as one digit in ten
        let place = |step: usize| (0.1 * last as f64 * (step as f64 / 100.0).powi(2)) as usize;
        let mut curve: Vec<(f32, f64, f64)> = (0..=100)
            .map(|step| {
                let border = scores[place(step)];
                let thresholds = Thresholds { sure_above: 2.0, digit_above: Some(border) };
                let decision = Self::of(&thresholds, answers, strangers);
                (border, decision.digits_refused, decision.strangers_refused)
            })
            .collect();
        curve.dedup_by(|a, b| a.1 == b.1);
        curve
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hundred digits: confidence rises with their number, score as well, and the first five are wrong.
    fn answers() -> Vec<Answer> {
        let answer = |i: u32| Answer {
            truth: 1,
            digit: u8::from(i >= 5),
            confidence: 0.5 + i as f32 / 200.0,
            loss: 0.0,
            margin: 0.0,
            score: i as f32,
        };
        (0..100).map(answer).collect()
    }

    #[test]
    fn shares_are_counted_at_the_thresholds() {
        let thresholds = Thresholds { sure_above: 0.51, digit_above: Some(1.0) };
        let decision = Decision::of(&thresholds, &answers(), &[-3.0, 0.5, 1.0, 7.0]);
        assert_eq!(
            decision,
            Decision { sure: 0.98, sure_error: 3.0 / 98.0, digits_refused: 0.01, strangers_refused: 0.5 }
        );
        let nothing = Decision::of(&Thresholds::default(), &[], &[]);
        assert_eq!((nothing.sure, nothing.sure_error, nothing.strangers_refused), (0.0, 0.0, 0.0));
    }

    #[test]
    fn curves_begin_with_everything_and_end_with_the_surest() {
        let curve = Decision::sure_curve(&Thresholds::default(), &answers());
        assert_eq!((curve[0].1, curve[0].2), (1.0, 0.05));
        assert_eq!(curve.last().map(|point| (point.1, point.2)), Some((0.01, 0.0)));
        assert!(curve.windows(2).all(|pair| pair[0].1 > pair[1].1));
        let curve = Decision::digit_curve(&answers(), &[-1.0, 4.5, 50.0]);
        assert_eq!((curve[0].1, curve[0].2), (0.0, 1.0 / 3.0));
        assert_eq!(curve.last().map(|point| (point.1, point.2)), Some((0.09, 2.0 / 3.0)));
    }
}
