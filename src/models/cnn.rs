//! A small convolutional network of the 2010s: ReLU, max pooling, one wide dense layer.

use candle_core::Result;

use super::{CLASSES, INPUT};
use crate::nn::{Activation, Conv2d, Dense, Network, Pool2d};

/// 215,370 parameters.
pub(super) fn network() -> Result<Network> {
    let relu = Activation::Relu;
    Network::new(INPUT) //                                                                          [ 1, 28, 28]
        .then("Conv1", Conv2d { out_channels: 16, kernel: 5, padding: 2, bias: true, activation: relu })? //    [16, 28, 28]
        .then("Pool1", Pool2d::max(2))? //                                                          [16, 14, 14]
        .then("Conv2", Conv2d { out_channels: 32, kernel: 5, padding: 2, bias: true, activation: relu })? //    [32, 14, 14]
        .then("Pool2", Pool2d::max(2))? //                                                          [32,  7,  7]
        .then("Dense1", Dense { outputs: 128, activation: relu })? //                               [128]
        .then("Output", Dense { outputs: CLASSES, activation: Activation::Identity }) //            [10]
}
