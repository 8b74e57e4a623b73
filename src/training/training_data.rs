//! The images of a run. How they are distorted and in which order they are met is told elsewhere (`batches.rs`).

use std::sync::Arc;

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

use super::TrainingConfig;
use crate::data::{Corpus, DataError, ImagesBeside, stratified_limit, stratified_split};
use crate::drawing::PIXELS;

/// The images of a run: which of the corpus train, and which judge.
pub struct TrainingData {
    pub corpus: Arc<Corpus>,
    /// Numbers of training images; from the corpus's own on they go on in `beside`.
    pub train: Vec<u32>,
    /// Images that train beside those of the corpus.
    pub beside: ImagesBeside,
    /// Images of the training set that no update sees. Empty when the run trains on all of it.
    pub validation: Vec<u32>,
}

impl TrainingData {
    /// Splits the corpus as the configuration says: seeded, every digit in its share. Reads and draws what trains beside it.
    pub fn split(config: &TrainingConfig, corpus: Arc<Corpus>) -> Result<Self, DataError> {
        let split = stratified_split(corpus.train.labels(), config.validation, config.seed)?;
        let mut train = match config.train_limit {
            Some(limit) => stratified_limit(corpus.train.labels(), &split.train, limit, config.seed),
            None => split.train,
        };
        let beside = config.beside.load(config.seed)?;
        let first = corpus.train.len();
        train.extend((first..first + beside.labels.len()).map(|number| number as u32));
        Ok(Self { corpus, train, beside, validation: split.validation })
    }

    /// "5000 images", or what they are where others train beside those of the data set of this run.
    pub fn describe_images(&self, config: &TrainingConfig) -> String {
        let beside = self.beside.labels.len();
        let own = self.train.len() - beside;
        if beside == 0 {
            return format!("{own} images");
        }
        let (drawn, strangers) = (config.beside.drawn, config.beside.strangers);
        let parts = [
            (beside.saturating_sub(drawn + strangers), "of pens"),
            (drawn, "drawn digits"),
            (strangers, "drawn things that are no digits"),
        ];
        let told = parts.iter().filter(|(count, _)| *count > 0).map(|(count, words)| format!(" and {count} {words}"));
        format!("{own} images of {}{}", self.corpus.title, told.collect::<String>())
    }

    /// A training image and its label, [`crate::data::NO_DIGIT`] for what shows none.
    pub fn training_image(&self, number: u32) -> (&[u8; PIXELS], u8) {
        let (number, own) = (number as usize, &self.corpus.train);
        match number.checked_sub(own.len()) {
            None => (own.image(number), own.label(number)),
            Some(number) => (&self.beside.images[number], self.beside.labels[number]),
        }
    }

    /// SHA-256, in hexadecimal, of the numbers and labels of the training images with the pixels of a thousand of them, and
    /// then the same of those kept for validation: whether a run that goes on later goes on with the same images.
    pub fn sha256(&self) -> String {
        let mut hash = Sha256::new();
        for numbers in [&self.train, &self.validation] {
            hash.update((numbers.len() as u64).to_le_bytes());
            for &number in numbers {
                hash.update(number.to_le_bytes());
                hash.update([self.training_image(number).1]);
            }
            // all pixels would take longer than a run of a few seconds should wait
            for &number in numbers.iter().step_by(numbers.len().div_ceil(1_000).max(1)) {
                hash.update(self.training_image(number).0);
            }
        }
        hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// The images of `corpus` that a run of `config` keeps aside and no update sees.
///
/// # Errors
/// When nobody knows how the weights were made (`config` is `None`), or the run keeps no image.
pub fn validation_images(config: Option<&TrainingConfig>, corpus: &Corpus) -> Result<Vec<u32>> {
    let config = config.context(
        "nobody knows which images these weights were trained on, so none are known to be unseen; take the test set",
    )?;
    anyhow::ensure!(config.validation > 0, "the run of these weights kept no validation images; take the test set");
    // digits that were not the run's own may be fewer
    let count = config.validation.min(corpus.train.len() / 4);
    Ok(stratified_split(corpus.train.labels(), count, config.seed)?.validation)
}
