//! A deeper convolutional network with batch normalisation, and a mean over the maps in place of a dense layer.

use candle_core::Result;

use super::{CLASSES, INPUT};
use crate::nn::{Activation, BatchNorm, Conv2d, Dense, Dropout, Network, Pool2d};

/// A convolution without bias and activation: the normalisation after it has both.
pub(super) fn conv(out_channels: usize) -> Conv2d {
    Conv2d { out_channels, kernel: 3, padding: 1, bias: false, activation: Activation::Identity }
}

/// 288,170 parameters.
pub(super) fn network() -> Result<Network> {
    let relu = Activation::Relu;
    let norm = BatchNorm { activation: relu };
    Network::new(INPUT) //                                                              [ 1, 28, 28]
        .then("Conv1", conv(32))? //                                                    [ 32, 28, 28]
        .then("Norm1", norm)?
        .then("Conv2", conv(32))? //                                                    [ 32, 28, 28]
        .then("Norm2", norm)?
        .then("Pool1", Pool2d::max(2))? //                                              [ 32, 14, 14]
        .then("Conv3", conv(64))? //                                                    [ 64, 14, 14]
        .then("Norm3", norm)?
        .then("Conv4", conv(64))? //                                                    [ 64, 14, 14]
        .then("Norm4", norm)?
        .then("Pool2", Pool2d::max(2))? //                                              [ 64,  7,  7]
        .then("Conv5", conv(128))? //                                                   [128,  7,  7]
        .then("Norm5", norm)?
        .then("Conv6", conv(128))? //                                                   [128,  7,  7]
        .then("Norm6", norm)?
        .then("Pool3", Pool2d::average(7))? //                                          [128]
        .then("Dropout1", Dropout { rate: 0.3 })?
        .then("Output", Dense { outputs: CLASSES, activation: Activation::Identity }) // [10]
}
