//! The order in which images are met, and the batches they form. Everything follows from the seed and the epoch.

use rand::seq::SliceRandom;
use rayon::prelude::*;

use super::config::Order;
use super::{TrainingConfig, TrainingData};
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

/// The batches of an epoch (counted from 1), the first `done` of them left out: every training image once, in that epoch's
/// order.
pub(super) fn epoch<'a>(
    config: &'a TrainingConfig,
    data: &'a TrainingData,
    epoch: u32,
    done: u64,
) -> impl Iterator<Item = Batch> + 'a {
    let mut order = data.train.clone();
    let number = if config.order == Order::Constant { 1 } else { epoch };
    order.shuffle(&mut stream(config.seed, Purpose::Shuffle, u64::from(number), 0));
    in_order(config, data, (epoch, done), order)
}

/// All images of an epoch in the order of the corpus, in batches: what an update reads that asks for all of them.
pub(super) fn all(config: &TrainingConfig, data: &TrainingData, epoch: u32) -> Vec<Batch> {
    in_order(config, data, (epoch, 0), data.train.clone()).collect()
}

/// The first `count` images that a run of `config` meets, as it meets them.
pub fn first_images(config: &TrainingConfig, data: &TrainingData, count: usize) -> Vec<[u8; PIXELS]> {
    let config = TrainingConfig { batch_size: count, ..config.clone() };
    let first = match matches!(config.optimizer, OptimizerConfig::ConjugateGradient { .. }) {
        true => in_order(&config, data, (1, 0), data.train.clone()).next(),
        false => epoch(&config, data, 1, 0).next(),
    };
    first.map_or_else(Vec::new, |batch| batch.images)
}

fn in_order<'a>(
    config: &'a TrainingConfig,
    data: &'a TrainingData,
    (epoch, done): (u32, u64),
    order: Vec<u32>,
) -> impl Iterator<Item = Batch> + 'a {
    let count = order.len();
    (0..count).step_by(config.batch_size).skip(done as usize).map(move |from| {
        let indices = &order[from..count.min(from + config.batch_size)];
        let image = |(i, &index): (usize, &u32)| {
            let (image, _) = data.training_image(index);
            if config.augmentation.is_off() {
                return *image;
            }
            let place = u64::from(epoch - 1) * count as u64 + (from + i) as u64;
            config.augmentation.distort(image, &mut stream(config.seed, Purpose::Augment, place, 0))
        };
        let images = if config.augmentation.is_off() {
            indices.iter().enumerate().map(image).collect()
        } else {
            // every image has a stream of its own, so that threads change nothing
            indices.par_iter().enumerate().with_min_len(8).map(image).collect()
        };
        Batch { images, labels: indices.iter().map(|&index| data.training_image(index).1).collect() }
    })
}
