//! The order in which images are met, and the batches they form. Everything follows from the seed and the epoch.

use rand::seq::SliceRandom;
use rayon::prelude::*;

use super::config::Order;
use super::{TrainingConfig, TrainingData};
use crate::data::Augmentation;
use crate::drawing::PIXELS;
use crate::nn::random::{Purpose, stream};
use crate::optim::OptimizerConfig;

/// Some images with their labels, distorted where the configuration asks for it.
pub(super) struct Batch {
    pub images: Vec<[u8; PIXELS]>,
    pub labels: Vec<u8>,
}

impl Batch {
    pub fn len(&self) -> usize {
        self.labels.len()
    }
}

/// The order in which an epoch meets the training images, each of them once. A place in it counts images, so that batches of
/// any size go on from one another.
pub(super) struct EpochOrder<'a> {
    config: &'a TrainingConfig,
    data: &'a TrainingData,
    /// Counted from 1.
    epoch: u32,
    order: Vec<u32>,
}

impl<'a> EpochOrder<'a> {
    /// Of an epoch counted from 1.
    pub fn new(config: &'a TrainingConfig, data: &'a TrainingData, epoch: u32) -> Self {
        let mut order = data.train.clone();
        let number = if config.order == Order::Constant { 1 } else { epoch };
        order.shuffle(&mut stream(config.seed, Purpose::Shuffle, u64::from(number), 0));
        Self { config, data, epoch, order }
    }

    /// So many images from the place `from` on, fewer where the epoch ends, distorted by these amounts.
    pub fn batch(&self, from: usize, size: usize, amounts: &Augmentation) -> Batch {
        let Self { config, data, epoch, order } = self;
        let count = order.len();
        let indices = &order[from..count.min(from + size)];
        let image = |(i, &index): (usize, &u32)| {
            let (image, _) = data.training_image(index);
            if amounts.is_off() {
                return *image;
            }
            let place = u64::from(epoch - 1) * count as u64 + (from + i) as u64;
            amounts.distort(image, &mut stream(config.seed, Purpose::Augment, place, 0))
        };
        let images = if amounts.is_off() {
            indices.iter().enumerate().map(image).collect()
        } else {
            // every image has a stream of its own, so that threads change nothing
            indices.par_iter().enumerate().with_min_len(8).map(image).collect()
        };
        Batch { images, labels: indices.iter().map(|&index| data.training_image(index).1).collect() }
    }
}

/// All images of an epoch in the order of the corpus, in batches: what an update reads that asks for all of them.
pub(super) fn all(config: &TrainingConfig, data: &TrainingData, epoch: u32) -> Vec<Batch> {
    let order = EpochOrder { config, data, epoch, order: data.train.clone() };
    let places = (0..order.order.len()).step_by(config.batch_size);
    places.map(|from| order.batch(from, config.batch_size, &config.augmentation)).collect()
}

/// The first `count` images that a run of `config` meets, as it meets them.
pub fn first_images(config: &TrainingConfig, data: &TrainingData, count: usize) -> Vec<[u8; PIXELS]> {
    let reads_all = matches!(config.optimizer, OptimizerConfig::ConjugateGradient { .. });
    let order = match reads_all {
        true => EpochOrder { config, data, epoch: 1, order: data.train.clone() },
        false => EpochOrder::new(config, data, 1),
    };
    order.batch(0, count, &config.augmentation).images
}
