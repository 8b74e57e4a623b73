//! Networks of dense layers only.

use candle_core::Result;

use super::{CLASSES, INPUT};
use crate::nn::{Activation, Dense, Dropout, Network};

/// 784-128-10, 101,770 parameters.
pub(super) fn network() -> Result<Network> {
    Network::new(INPUT) //                                                              [784]
        .then("Hidden", Dense { outputs: 128, activation: Activation::Relu })? //       [128]
        .then("Output", Dense { outputs: CLASSES, activation: Activation::Identity }) // [10]
}

/// 784-256-128-10 with dropout 0.2 after each hidden layer, 235,146 parameters.
pub(super) fn deep_network() -> Result<Network> {
    Network::new(INPUT) //                                                              [784]
        .then("Hidden1", Dense { outputs: 256, activation: Activation::Relu })? //      [256]
        .then("Dropout1", Dropout { rate: 0.2 })?
        .then("Hidden2", Dense { outputs: 128, activation: Activation::Relu })? //      [128]
        .then("Dropout2", Dropout { rate: 0.2 })?
        .then("Output", Dense { outputs: CLASSES, activation: Activation::Identity }) // [10]
}
