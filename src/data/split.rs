//! Which images are kept for validation, and which are left out: seeded, stratified, exact. Copies no image.

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::DataError;
use super::dataset::{CLASSES, class_counts};

/// Positions in a training set, without overlap, each list in ascending order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Split {
    /// Images to learn from.
    pub train: Vec<u32>,
    /// Images kept to measure on while learning.
    pub validation: Vec<u32>,
}

/// Keeps exactly `validation` of the images aside, each digit in proportion to its share (largest remainders first,
/// the smaller digit at a tie). The same labels, number and seed give the same split on every machine; 0 keeps none.
///
/// # Errors
/// [`DataError::SplitTooLarge`] when nothing would be left to learn from.
pub fn stratified_split(labels: &[u8], validation: usize, seed: u64) -> Result<Split, DataError> {
    if validation > 0 && validation >= labels.len() {
        return Err(DataError::SplitTooLarge { asked: validation, images: labels.len() });
    }
    let all: Vec<u32> = (0..labels.len() as u32).collect();
    let (validation, train) = choose(labels, &all, validation, ChaCha8Rng::seed_from_u64(seed));
    Ok(Split { train, validation })
}

/// At most `limit` of `indices` (positions in `labels`), stratified like [`stratified_split`], in ascending order.
/// All of them when there are not more.
pub fn stratified_limit(labels: &[u8], indices: &[u32], limit: usize, seed: u64) -> Vec<u32> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    // Not the stream of the split: the two choices are independent of each other.
    rng.set_stream(1);
    choose(labels, indices, limit.min(indices.len()), rng).0
}

/// (chosen, rest), both ascending. `count` is at most `among.len()`.
fn choose(labels: &[u8], among: &[u32], count: usize, mut rng: ChaCha8Rng) -> (Vec<u32>, Vec<u32>) {
    let mut classes: [Vec<u32>; CLASSES] = Default::default();
    for &index in among {
        classes[usize::from(labels[index as usize])].push(index);
    }
    let quotas = quotas(classes.each_ref().map(Vec::len), count);
    let (mut chosen, mut rest) = (Vec::with_capacity(count), Vec::with_capacity(among.len() - count));
    for (class, quota) in classes.iter_mut().zip(quotas) {
        class.shuffle(&mut rng);
        chosen.extend_from_slice(&class[..quota]);
        rest.extend_from_slice(&class[quota..]);
    }
    chosen.sort_unstable();
    rest.sort_unstable();
    (chosen, rest)
}

/// Shares `count` among classes in proportion to their sizes by the method of largest remainders.
/// No share exceeds its class as long as `count` does not exceed their sum.
fn quotas(sizes: [usize; CLASSES], count: usize) -> [usize; CLASSES] {
    let total = sizes.iter().sum::<usize>().max(1) as u64;
    let exact = sizes.map(|size| size as u64 * count as u64);
    let mut quotas = exact.map(|share| (share / total) as usize);
    let mut by_remainder: Vec<usize> = (0..CLASSES).collect();
    by_remainder.sort_by_key(|&class| (std::cmp::Reverse(exact[class] % total), class));
    let missing = count - quotas.iter().sum::<usize>();
    for &class in by_remainder.iter().take(missing) {
        quotas[class] += 1;
    }
    quotas
}

/// How many of each digit the images at `indices` show.
pub fn class_counts_of(labels: &[u8], indices: &[u32]) -> [usize; CLASSES] {
    class_counts(&indices.iter().map(|&index| labels[index as usize]).collect::<Vec<u8>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 1,000 labels, unevenly: digit d has 10 + 20·d images.
    fn uneven() -> Vec<u8> {
        let mut labels: Vec<u8> =
            (0..CLASSES as u8).flat_map(|digit| vec![digit; 10 + 20 * usize::from(digit)]).collect();
        labels.shuffle(&mut ChaCha8Rng::seed_from_u64(1));
        labels
    }

    #[test]
    fn a_split_is_exact_without_overlap_and_complete() {
        for validation in [0, 1, 9, 10, 137, 500, 999] {
            let split = stratified_split(&uneven(), validation, 3).unwrap();
            assert_eq!(split.validation.len(), validation);
            let mut all = [split.train, split.validation].concat();
            all.sort_unstable();
            assert_eq!(all, (0..1000).collect::<Vec<u32>>());
        }
    }

    #[test]
    fn every_digit_keeps_its_share() {
        let labels = uneven();
        let split = stratified_split(&labels, 100, 3).unwrap();
        assert_eq!(class_counts_of(&labels, &split.validation), [1, 3, 5, 7, 9, 11, 13, 15, 17, 19]);
    }

    #[test]
    fn the_largest_remainders_are_rounded_up() {
        // 4 of 10: exact shares 2.0, 1.2, 0.8.
        assert_eq!(quotas([5, 3, 2, 0, 0, 0, 0, 0, 0, 0], 4), [2, 1, 1, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(quotas([1; CLASSES], 3), [1, 1, 1, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(quotas([0; CLASSES], 0), [0; CLASSES]);
    }

    #[test]
    fn the_seed_decides_and_nothing_else() {
        let labels = uneven();
        let split = |seed| stratified_split(&labels, 100, seed).unwrap();
        assert_eq!(split(5), split(5));
        assert_ne!(split(5), split(6));
        // Written down so that another version of a library cannot change which images are kept.
        assert_eq!(split(5).validation[..8], [12, 25, 32, 39, 62, 67, 68, 70]);
    }

    #[test]
    fn keeping_everything_for_validation_is_refused() {
        for asked in [10, 11, usize::MAX] {
            assert!(matches!(stratified_split(&[0; 10], asked, 0), Err(DataError::SplitTooLarge { images: 10, .. })));
        }
        assert!(stratified_split(&[], 0, 0).unwrap().train.is_empty());
        assert!(stratified_split(&[], 1, 0).is_err());
    }

    #[test]
    fn a_limit_is_stratified_and_stays_within_the_given_images() {
        let labels = uneven();
        let split = stratified_split(&labels, 500, 3).unwrap();
        let limited = stratified_limit(&labels, &split.train, 100, 3);
        assert_eq!(limited.len(), 100);
        assert!(limited.iter().all(|index| split.train.binary_search(index).is_ok()));
        assert_eq!(class_counts_of(&labels, &limited), [1, 3, 5, 7, 9, 11, 13, 15, 17, 19]);
        assert_eq!(stratified_limit(&labels, &split.train, 900, 3), split.train);
        assert!(stratified_limit(&labels, &split.train, 0, 3).is_empty());
    }
}
