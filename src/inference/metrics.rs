//! Figures out of a confusion matrix.

use crate::models::CLASSES;

/// Counts by true digit (rows) and answer (columns).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Confusion {
    pub counts: [[u32; CLASSES]; CLASSES],
}

impl Confusion {
    pub fn add(&mut self, truth: u8, answer: u8) {
        self.counts[usize::from(truth)][usize::from(answer)] += 1;
    }

    pub fn images(&self) -> u32 {
        self.counts.iter().flatten().sum()
    }

    pub fn correct(&self) -> u32 {
        (0..CLASSES).map(|digit| self.counts[digit][digit]).sum()
    }

    /// Share of right answers, 0 without images.
    pub fn accuracy(&self) -> f64 {
        ratio(self.correct(), self.images())
    }

    /// Of the images of this digit, the share read as it.
    pub fn recall(&self, digit: usize) -> f64 {
        ratio(self.counts[digit][digit], self.counts[digit].iter().sum())
    }

    /// Of the images read as this digit, the share that are.
    pub fn precision(&self, digit: usize) -> f64 {
        ratio(self.counts[digit][digit], self.counts.iter().map(|row| row[digit]).sum())
    }

    /// The harmonic mean of precision and recall of every digit, 0 where it was neither there nor answered.
    pub fn f1(&self) -> [f64; CLASSES] {
        std::array::from_fn(|digit| {
            let truths: u32 = self.counts[digit].iter().sum();
            let answers: u32 = self.counts.iter().map(|row| row[digit]).sum();
            ratio(2 * self.counts[digit][digit], truths + answers)
        })
    }

    /// The mean of the ten F1 values.
    pub fn macro_f1(&self) -> f64 {
        self.f1().iter().sum::<f64>() / CLASSES as f64
    }
}

fn ratio(part: u32, whole: u32) -> f64 {
    if whole == 0 { 0.0 } else { f64::from(part) / f64::from(whole) }
}

/// The Wilson 95 % interval of a share (Wilson 1927): where the true accuracy lies, seen `correct` of `images`.
pub fn wilson_interval(correct: u32, images: u32) -> [f64; 2] {
    if images == 0 {
        return [0.0, 1.0];
    }
    let (n, p, z) = (f64::from(images), ratio(correct, images), 1.959_963_985);
    let centre = p + z * z / (2.0 * n);
    let spread = z * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt();
    let scale = 1.0 + z * z / n;
    [((centre - spread) / scale).max(0.0), ((centre + spread) / scale).min(1.0)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_of_a_small_matrix_are_those_worked_out_by_hand() {
        let mut confusion = Confusion::default();
        for (truth, answer, times) in [(0, 0, 8), (0, 1, 2), (1, 1, 5), (1, 0, 5)] {
            (0..times).for_each(|_| confusion.add(truth, answer));
        }
        assert_eq!((confusion.images(), confusion.correct()), (20, 13));
        assert!((confusion.recall(0) - 0.8).abs() < 1e-12);
        assert!((confusion.precision(0) - 8.0 / 13.0).abs() < 1e-12);
        assert!((confusion.f1()[0] - 16.0 / 23.0).abs() < 1e-12);
        assert_eq!(confusion.f1()[9], 0.0);
    }

    #[test]
    fn the_wilson_interval_is_the_published_one() {
        // 9,800 of 10,000: 0.97707 to 0.98257 (formula worked out with 50 digits)
        let [low, high] = wilson_interval(9_800, 10_000);
        assert!((low - 0.977_07).abs() < 2e-5 && (high - 0.982_57).abs() < 2e-5, "{low} {high}");
        assert_eq!(wilson_interval(0, 0), [0.0, 1.0]);
        assert!(wilson_interval(10, 10)[1] <= 1.0);
    }
}
