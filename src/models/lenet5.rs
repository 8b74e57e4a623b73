//! LeNet-5 in its present-day form: every C3 map reads all S2 maps, parameter-free pooling, a softmax head.

use candle_core::Result;

use super::{CLASSES, INPUT};
use crate::nn::{Activation, Conv2d, Dense, Network, Pool2d};

/// 61,706 parameters; the shapes are those of LeCun et al. 1998, figure 2, with 28×28 images padded by 2 to its 32×32.
pub(super) fn network() -> Result<Network> {
    with(Activation::Tanh)
}

/// The same network with another function after its layers.
pub(super) fn with(squash: Activation) -> Result<Network> {
    Network::new(INPUT) //                                                                          [ 1, 28, 28]
        .then("C1", Conv2d { out_channels: 6, kernel: 5, padding: 2, bias: true, activation: squash })? //        [ 6, 28, 28]
        .then("S2", Pool2d::average(2))? //                                                         [ 6, 14, 14]
        .then("C3", Conv2d { out_channels: 16, kernel: 5, padding: 0, bias: true, activation: squash })? //       [16, 10, 10]
        .then("S4", Pool2d::average(2))? //                                                         [16,  5,  5]
        .then("C5", Dense { outputs: 120, activation: squash })? //                                   [120]
        .then("F6", Dense { outputs: 84, activation: squash })? //                                    [84]
        .then("Output", Dense { outputs: CLASSES, activation: Activation::Identity }) //            [10]
}
