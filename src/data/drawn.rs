//! The built-in data set: digits that the program draws itself, any number of them. How one is drawn is told in
//! `drawing/synthetic`.

use std::ops::ControlFlow;

use rayon::prelude::*;

use super::{Corpus, DataError, Dataset};
use crate::drawing::{PIXELS, drawn_image};

/// Images between two reports of progress.
const CHUNK: usize = 1000;
/// Keeps the test images apart from the training images of every seed.
const TEST_SEED: u64 = 0x7465_7374_5f73_6574;

/// How many digits are drawn, and which.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drawn {
    /// Images to learn from.
    pub train: usize,
    /// Images to report on.
    pub test: usize,
    /// Another seed, other digits.
    pub seed: u64,
}

impl Default for Drawn {
    fn default() -> Self {
        Self { train: 20_000, test: 2_000, seed: 1 }
    }
}

impl Drawn {
    /// Draws the digits on the current rayon pool. The result depends on nothing but the fields: image `i` shows the
    /// digit `i % 10` and is drawn from its own index, so fewer images are a prefix of more.
    ///
    /// `progress` is told (images so far, images in all) every thousand images and may stop.
    ///
    /// # Errors
    /// [`DataError::Cancelled`] when `progress` stops it.
    pub fn generate(&self, progress: &mut dyn FnMut(usize, usize) -> ControlFlow<()>) -> Result<Corpus, DataError> {
        let total = self.train + self.test;
        let train = draw("drawn digits, training", self.train, self.seed, &mut |done| progress(done, total))?;
        let test = draw("drawn digits, test", self.test, self.seed ^ TEST_SEED, &mut |done| {
            progress(self.train + done, total)
        })?;
        Ok(Corpus { source: "drawn".into(), title: "drawn digits".into(), train, test, notes: Vec::new() })
    }
}

fn draw(
    name: &str,
    count: usize,
    seed: u64,
    progress: &mut dyn FnMut(usize) -> ControlFlow<()>,
) -> Result<Dataset, DataError> {
    let labels: Vec<u8> = (0..count).map(|index| (index % 10) as u8).collect();
    let mut images = vec![0; count * PIXELS];
    for (chunk_index, chunk) in images.chunks_mut(CHUNK * PIXELS).enumerate() {
        let first = chunk_index * CHUNK;
        chunk.par_chunks_exact_mut(PIXELS).enumerate().for_each(|(offset, pixels)| {
            let index = first + offset;
            pixels.copy_from_slice(&drawn_image(labels[index], seed, index as u64).pixels);
        });
        if progress((first + CHUNK).min(count)).is_break() {
            return Err(DataError::Cancelled);
        }
    }
    Dataset::new(name, images, labels)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn small(seed: u64) -> Corpus {
        Drawn { train: 50, test: 20, seed }.generate(&mut |_, _| ControlFlow::Continue(())).unwrap()
    }

    #[test]
    fn digits_are_balanced_and_train_and_test_differ() {
        let corpus = small(1);
        assert_eq!(corpus.train.class_counts(), [5; 10]);
        assert_eq!(corpus.test.class_counts(), [2; 10]);
        assert_ne!(corpus.train.image(3), corpus.test.image(3));
    }

    #[test]
    fn the_same_seed_draws_the_same_digits_on_any_number_of_threads() {
        let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        assert_eq!(one.install(|| small(7)), small(7));
        assert_ne!(small(7), small(8));
    }

    #[test]
    fn fewer_digits_are_a_prefix_of_more() {
        let more = Drawn { train: 1200, test: 0, seed: 3 }.generate(&mut |_, _| ControlFlow::Continue(())).unwrap();
        let fewer = Drawn { train: 30, test: 0, seed: 3 }.generate(&mut |_, _| ControlFlow::Continue(())).unwrap();
        assert_eq!(more.train.take(30), fewer.train);
    }

    #[test]
    fn progress_reaches_the_total_and_can_stop() {
        let mut seen = Vec::new();
        let drawn = Drawn { train: 1100, test: 100, seed: 1 };
        let result = drawn.generate(&mut |done, total| {
            seen.push((done, total));
            ControlFlow::Continue(())
        });
        assert!(result.is_ok());
        assert_eq!(seen, [(1000, 1200), (1100, 1200), (1200, 1200)]);
        assert!(matches!(drawn.generate(&mut |_, _| ControlFlow::Break(())), Err(DataError::Cancelled)));
    }
}
