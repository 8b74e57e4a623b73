//! What a training made of a pinned drawing: when it was learnt, lost, and learnt again.

use crate::inference::Prediction;
use crate::models::CLASSES;

/// The answer of the learning network after so many updates.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HistoryPoint {
    pub step: u64,
    /// Probabilities of the ten digits, which add up to 1.
    pub probabilities: [f32; CLASSES],
    /// The most probable digit.
    pub best: u8,
}

/// A change of what is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// The digit became the answer at this update.
    Learnt(u64),
    /// Another became the answer.
    Lost(u64),
}

/// The answers to one drawing over a training, a point for every evaluation tick that it was pinned at.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    /// With rising updates.
    points: Vec<HistoryPoint>,
}

impl History {
    pub fn points(&self) -> &[HistoryPoint] {
        &self.points
    }

    /// The point of this update, if there is one.
    pub fn at(&self, step: u64) -> Option<&HistoryPoint> {
        self.points.binary_search_by_key(&step, |point| point.step).ok().and_then(|place| self.points.get(place))
    }

    /// The digit whose learning is told: the label where one is known, else the last answer.
    pub fn digit(&self, label: Option<u8>) -> Option<u8> {
        label.or_else(|| self.points.last().map(|point| point.best))
    }

    /// When `digit` became the answer, and when it was no longer.
    pub fn turns(&self, digit: u8) -> Vec<Turn> {
        let mut turns = Vec::new();
        let mut is_read = false;
        for point in &self.points {
            if (point.best == digit) != is_read {
                is_read = !is_read;
                turns.push(if is_read { Turn::Learnt(point.step) } else { Turn::Lost(point.step) });
            }
        }
        turns
    }

    /// Takes in an answer; one of an update that is there already takes its place.
    pub(super) fn add(&mut self, step: u64, prediction: &Prediction) {
        let point = HistoryPoint { step, probabilities: prediction.probabilities, best: prediction.best() };
        match self.points.binary_search_by_key(&step, |point| point.step) {
            Ok(place) => self.points[place] = point,
            Err(place) => self.points.insert(place, point),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_learnt_lost_and_learnt_again_is_told_in_turn() {
        let mut history = History::default();
        for (step, best) in [(10, 1), (20, 7), (30, 7), (40, 1), (50, 7)] {
            let mut scores = [0.0; CLASSES];
            scores[best] = 5.0;
            history.add(step, &Prediction::from_scores(scores));
        }
        assert_eq!(history.turns(7), [Turn::Learnt(20), Turn::Lost(40), Turn::Learnt(50)]);
        assert_eq!(history.turns(1), [Turn::Learnt(10), Turn::Lost(20), Turn::Learnt(40), Turn::Lost(50)]);
        assert!(history.turns(3).is_empty());
        assert_eq!((history.digit(None), history.digit(Some(1))), (Some(7), Some(1)));
        assert_eq!(history.at(30).unwrap().best, 7);
        assert!(history.at(31).is_none());
        // the end of an epoch and its tick may be one update
        history.add(50, &Prediction::from_scores([0.0; CLASSES]));
        assert_eq!((history.points().len(), history.digit(None)), (5, Some(0)));
    }
}
