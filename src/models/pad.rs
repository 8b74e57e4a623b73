//! The network of the pad: four normalised convolutions and a dense layer, small enough to answer while the pen moves.

use candle_core::Result;

use super::cnn_bn::conv;
use super::{CLASSES, INPUT};
use crate::nn::{Activation, BatchNorm, Dense, Dropout, Network, Pool2d};

/// 468,010 parameters.
pub(super) fn network() -> Result<Network> {
    let relu = Activation::Relu;
    let norm = BatchNorm { activation: relu };
    Network::new(INPUT) //                                                              [ 1, 28, 28]
        .then("Conv1", conv(32))? //                                                    [32, 28, 28]
        .then("Norm1", norm)?
        .then("Conv2", conv(32))? //                                                    [32, 28, 28]
        .then("Norm2", norm)?
        .then("Pool1", Pool2d::max(2))? //                                              [32, 14, 14]
        .then("Conv3", conv(64))? //                                                    [64, 14, 14]
        .then("Norm3", norm)?
        .then("Conv4", conv(64))? //                                                    [64, 14, 14]
        .then("Norm4", norm)?
        .then("Pool2", Pool2d::max(2))? //                                              [64,  7,  7]
        .then("Dense1", Dense { outputs: 128, activation: relu })? //                   [128]
        .then("Dropout1", Dropout { rate: 0.5 })?
        .then("Output", Dense { outputs: CLASSES, activation: Activation::Identity }) // [10]
}
