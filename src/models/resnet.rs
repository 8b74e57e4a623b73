//! A small residual network (He, Zhang, Ren & Sun 2016): three stages, each a pooling and residual blocks.

use candle_core::Result;

use super::{CLASSES, INPUT};
use crate::nn::{Activation, BatchNorm, Conv2d, Dense, MapShape, Network, Pool2d, Residual};

const RELU: BatchNorm = BatchNorm { activation: Activation::Relu };
const LINEAR: BatchNorm = BatchNorm { activation: Activation::Identity };

/// A convolution that keeps the size of its maps, without bias and activation: the normalisation after it has both.
fn conv(out_channels: usize, kernel: usize) -> Conv2d {
    Conv2d { out_channels, kernel, padding: kernel / 2, bias: false, activation: Activation::Identity }
}

/// Two 3×3 convolutions beside the input, or beside a 1×1 convolution of it where the number of maps changes.
fn block(input: MapShape, channels: usize) -> Result<Residual> {
    let body = Network::new(input)
        .then("Conv1", conv(channels, 3))?
        .then("Norm1", RELU)?
        .then("Conv2", conv(channels, 3))?
        .then("Norm2", LINEAR)?;
    let shortcut = Network::new(input);
    let shortcut = if input.channels == channels {
        shortcut
    } else {
        shortcut.then("Conv", conv(channels, 1))?.then("Norm", LINEAR)?
    };
    Residual::new(body, shortcut, Activation::Relu)
}

pub(super) fn network() -> Result<Network> {
    let first = Network::new(INPUT) //           [ 1, 28, 28]
        .then("Conv1", conv(24, 3))? //          [24, 28, 28]
        .then("Norm1", RELU)?
        .then("Pool1", Pool2d::max(2))?; //      [24, 14, 14]
    let second = block(first.output(), 48)?;
    let first = first.then("Block1", second)?; // [48, 14, 14]
    let again = block(first.output(), 48)?;
    let second = first
        .then("Block2", again)? //               [48, 14, 14]
        .then("Pool2", Pool2d::max(2))?; //      [48,  7,  7]
    let block3 = block(second.output(), 96)?;
    second
        .then("Block3", block3)? //              [96,  7,  7]
        .then("Pool3", Pool2d::average(7))? //   [96]
        .then("Output", Dense { outputs: CLASSES, activation: Activation::Identity }) // [10]
}
