//! Labels that tell nothing of their images: what a check gives a network that must then stay at chance on images it has not
//! learnt.

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::{DataError, Dataset};

/// A copy whose labels are shuffled among its images, so that every digit keeps its number of images (Zhang, Bengio, Hardt,
/// Recht & Vinyals 2017, "Understanding deep learning requires rethinking generalization", section 2). The seed decides.
///
/// # Errors
/// Those of [`Dataset::new`], which a data set that was made by it does not meet.
pub fn with_random_labels(dataset: &Dataset, seed: u64) -> Result<Dataset, DataError> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    // not the streams of the split and of the limit
    rng.set_stream(2);
    let mut labels = dataset.labels().to_vec();
    labels.shuffle(&mut rng);
    Dataset::new(format!("{}, labels shuffled", dataset.name()), dataset.images().to_vec(), labels)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drawing::PIXELS;

    #[test]
    fn labels_move_images_stay_and_the_seed_decides() {
        let labels: Vec<u8> = (0..1_000).map(|i| (i % 10) as u8).collect();
        let images = (0..1_000 * PIXELS).map(|i| (i % 251) as u8).collect();
        let dataset = Dataset::new("digits", images, labels).unwrap();
        let shuffled = with_random_labels(&dataset, 1).unwrap();
        assert_eq!(shuffled.images(), dataset.images());
        assert_eq!(shuffled.class_counts(), dataset.class_counts());
        let kept = shuffled.labels().iter().zip(dataset.labels()).filter(|(a, b)| a == b).count();
        assert!((60..140).contains(&kept), "{kept} of 1,000 keep their label, as by chance 100");
        assert_eq!(shuffled, with_random_labels(&dataset, 1).unwrap());
        assert_ne!(shuffled, with_random_labels(&dataset, 2).unwrap());
    }
}
