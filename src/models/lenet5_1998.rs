//! LeNet-5 as LeCun, Bottou, Bengio and Haffner printed it in 1998 ("Gradient-based learning applied to document
//! recognition", section II-B, figure 2): C3 reads S2 by table I, subsampling learns, a squashing function follows every layer
//! up to F6, and the answer is the nearest of ten fixed codes.

use candle_core::Result;

use super::{CLASSES, INPUT, InputScale, codes};
use crate::nn::{Activation, Conv2d, Dense, Layer, Network, Pad2d, Rbf, SparseConv2d, Subsample2d};

/// The maps of S2 that each map of C3 reads (table I): all triples of neighbours, round the end, all quadruples of
/// neighbours, three quadruples with a gap, and all six. Maps that read different things learn different things.
pub const TABLE_1: &[&[usize]] = &[
    &[0, 1, 2],
    &[1, 2, 3],
    &[2, 3, 4],
    &[3, 4, 5],
    &[0, 4, 5],
    &[0, 1, 5],
    &[0, 1, 2, 3],
    &[1, 2, 3, 4],
    &[2, 3, 4, 5],
    &[0, 3, 4, 5],
    &[0, 1, 4, 5],
    &[0, 1, 2, 5],
    &[0, 1, 3, 4],
    &[1, 2, 4, 5],
    &[0, 2, 3, 5],
    &[0, 1, 2, 3, 4, 5],
];

/// Decides the codes of [`network_random_codes`]; part of what its weights mean.
const SEED_OF_CODES: u64 = 1998;

const SQUASH: Activation = Activation::ScaledTanh;

/// Appends C1 to F6 to what gives images of 32×32. C5 is a convolution in the paper, over maps of the size of its kernel:
/// that is a dense layer.
pub fn up_to_f6(images: Network) -> Result<Network> {
    let subsampling = Subsample2d { size: 2, activation: SQUASH };
    images //                                                                                   [ 1, 32, 32]
        .then("C1", Conv2d { out_channels: 6, kernel: 5, padding: 0, activation: SQUASH })? //  [ 6, 28, 28]
        .then("S2", subsampling)? //                                                            [ 6, 14, 14]
        .then("C3", SparseConv2d { table: TABLE_1, kernel: 5, activation: SQUASH })? //         [16, 10, 10]
        .then("S4", subsampling)? //                                                            [16,  5,  5]
        .then("C5", Dense { outputs: 120, activation: SQUASH })? //                             [120]
        .then("F6", Dense { outputs: codes::CODE_LENGTH, activation: SQUASH }) //               [84]
}

fn with_head(head: impl Layer + 'static) -> Result<Network> {
    let value = InputScale::PAPER_1998.paper;
    let framed = Network::new(INPUT).then("Frame", Pad2d { channels: 1, by: 2, value })?;
    up_to_f6(framed)?.then("Output", head)
}

/// 60,000 parameters; the codes are pictures of the digits (figure 3) and stay as they are.
pub fn network() -> Result<Network> {
    with_head(Rbf::fixed(&codes::pictures())?)
}

/// As [`network`] with codes drawn by chance: what the pictures are good for.
pub fn network_random_codes() -> Result<Network> {
    with_head(Rbf::fixed(&codes::random(SEED_OF_CODES))?)
}

/// As [`network`] with a softmax head of 850 parameters in place of the codes: what these are good for.
pub fn network_linear() -> Result<Network> {
    with_head(Dense { outputs: CLASSES, activation: Activation::Identity })
}
