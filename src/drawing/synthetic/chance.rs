//! The stream of chance that one drawn digit is made from.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// One seeded stream.
pub(in crate::drawing) struct Chance {
    stream: ChaCha8Rng,
}

impl Chance {
    /// The stream of the digit `label` number `index` under `seed`.
    pub fn new(label: u8, seed: u64, index: u64) -> Self {
        let mut stream = ChaCha8Rng::seed_from_u64(seed);
        stream.set_stream(index.wrapping_mul(10).wrapping_add(u64::from(label)));
        Self { stream }
    }

    /// Evenly from `low` to `high`.
    pub fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.stream.random::<f32>()
    }

    /// About `middle` with standard deviation `spread`, never further than 3.5 of it: the sum of four even numbers,
    /// which no library's logarithm has a part in.
    pub fn about(&mut self, middle: f32, spread: f32) -> f32 {
        let sum: f32 = (0..4).map(|_| self.stream.random::<f32>() - 0.5).sum();
        middle + spread * sum * 1.732_050_8
    }

    /// True with this probability.
    pub fn happens(&mut self, probability: f32) -> bool {
        self.stream.random::<f32>() < probability
    }
}
