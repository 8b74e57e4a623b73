//! Every random number of a run, from its seed alone: one independent stream per purpose and position, so that nothing
//! depends on what else has drawn before, and a run can go on from any update.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

/// What a stream is for. The numbers are part of what a seed means, so they never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Initial parameters; the position is the parameter's index.
    Initialise = 1,
    /// The order of the training images; the position is the epoch.
    Shuffle = 2,
    /// Which units a dropout layer silences; the position is the update.
    Dropout = 3,
    /// Distortions; the position is the image's place in the whole run.
    Augment = 4,
    /// The images that curvatures are estimated on; the position is the epoch.
    Curvature = 5,
}

/// The stream of `purpose` at `position` (and `part`, where a position has several).
pub fn stream(seed: u64, purpose: Purpose, position: u64, part: u64) -> ChaCha8Rng {
    let mut key = [0u8; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    key[8..16].copy_from_slice(&(purpose as u64).to_le_bytes());
    key[16..24].copy_from_slice(&part.to_le_bytes());
    let mut rng = ChaCha8Rng::from_seed(key);
    rng.set_stream(position);
    rng
}
