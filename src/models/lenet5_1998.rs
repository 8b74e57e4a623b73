//! LeNet-5 as LeCun, Bottou, Bengio and Haffner printed it in 1998 ("Gradient-based learning applied to document
//! recognition", section II-B, figure 2): C3 reads S2 by table I, subsampling learns, a squashing function follows every layer
//! up to F6, and the answer is the nearest of ten fixed codes.
//!
//! # What it reaches
//! `digitpad train lenet5-1998`: pattern by pattern with SDLM, twenty passes of all 60,000 digits in one constant order,
//! rates, μ = 0.02 and 500 patterns for the curvature as in section III-B, 5.1 s a pass on one core. Error in % on
//! the 10,000 test digits after each pass, worked out afterwards from the weights of the passes; training error as patterns
//! are met; medians of seeds 1, 2 and 3, which end at 1.05, 1.09 and 0.98 %:
//!
//! | pass | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10 | 11 | 12 | 13 | 16 | 20 |
//! |---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|
//! | test, figure 5 | 2.65 | 2.24 | 1.48 | 1.43 | 1.43 | 1.09 | 1.04 | 1.07 | 0.99 | 0.96 | 0.96 | 0.99 | 0.96 | 0.96 | 0.96 |
//! | test, here | 1.92 | 1.60 | 1.31 | 1.25 | 1.22 | 1.18 | 1.16 | 1.14 | 1.11 | 1.11 | 1.10 | 1.10 | 1.06 | 1.05 | 1.05 |
//! | training, figure 5 | 4.89 | 3.04 | 1.77 | 1.48 | 1.22 | 0.91 | 0.78 | 0.70 | 0.57 | 0.49 | 0.47 | 0.44 | 0.41 | 0.39 | 0.36 |
//! | training, here | 4.25 | 1.89 | 1.19 | 1.02 | 0.91 | 0.73 | 0.69 | 0.65 | 0.61 | 0.59 | 0.56 | 0.54 | 0.51 | 0.50 | 0.47 |
//!
//! The paper's 0.95 % is missed by a tenth of a point. With distorted digits (`lenet5-1998-distorted`) the seeds end at
//! 0.84, 0.89 and 0.93 %; the paper has 0.82 %.
//!
//! Figure 6, test error in % by the number of training digits, the paper's and (seed 1; 60,000 and distorted: medians) ours:
//! 15,000: 1.68, 1.74; 30,000: 1.14, 1.31; 60,000: 0.94, 1.05; with distortions: 0.82, 0.89. `assets/` holds the errors of
//! the shipped distorted network as the paper's figure 8 shows its own 82 (`digitpad eval MODEL --errors FILE.png`).
//!
//! Codes drawn by chance ([`network_random_codes`]) end at 1.14, 1.05 and 0.94 %, no worse than pictures: the paper expects
//! them to help with whole alphabets, not with lone digits. A softmax head on the same body ([`network_linear`]), trained
//! alike: 1.17, 1.23, 1.22 %. Codes that begin as pictures and learn with the rest ([`network_trained_codes`], equation 9
//! with j = 10): 0.96, 1.33, 1.03 %.
//!
//! # Departures from the text, and what they are worth
//! The paper leaves them open or, taken at its word, does not start. Validation error in % after pass 20, 55,000 training and
//! 5,000 validation digits, seed 1:
//!
//! | setting | validation error |
//! |---|---|
//! | curvature counts as at least 0.1, 0.2, **0.5** | 1.50, 1.22, 1.18 |
//! | at least 1.0, with twice the rates (after 14 of 20 passes) | 1.18 |
//! | eq. 9 in place of eq. 8, j = 2 or 10, at least 0.2 | 1.28, 1.24 |
//! | to the letter: `lenet5-1998-literal` | lost its codes after 812 patterns |
//!
//! Looking for the last tenth, on 50,000 training and 10,000 validation digits: error in % after pass 20 of seeds 1 and 2,
//! each with a split of its own.
//!
//! | setting | seed 1 | seed 2 |
//! |---|---|---|
//! | **as shipped** | 1.34 | 1.04 |
//! | rates 1.5 or 2 times as high | 1.27, 1.23 | 1.29, 1.32 |
//! | another order every pass | 1.20 | 1.04 |
//! | curvature on 2,000 patterns | 1.31 | 1.04 |
//! | distortions as shipped | 1.02 | 0.92 |
//! | distortions of ±1.5 pixels, ±10 %, ±10 %, ±0.2 | 0.95 | 1.04 |
//! | codes that learn, eq. 9, j = 2 or 10 ([`network_trained_codes`]) | 1.47, 1.48 | 1.42, 1.34 |
//!
//! Seeds differ by more than settings, so none was changed; what the paper has more is not among these.
//!
//! * **Beginning**: ±1 / √F, coefficients 0.5, biases 0, in place of ±2.4 / F for all ([`crate::nn::Initialisation`]): with
//!   the latter F6 hears almost nothing of the image.
//! * **A floor of 0.5 under the curvature** ([`crate::optim::Sdlm`]), chosen on validation digits: with μ alone, weights that
//!   have no curvature yet take steps of rate / μ.
//! * **Half of equation 8** as the loss ([`crate::nn::Loss::FACTOR`]).
//! * **The sum of four** in subsampling, as section II-B says; II-A speaks of their average.
//! * **Distortions** ([`crate::data::Augmentation`]): the paper names translation, scaling, squeezing and horizontal shear
//!   but no amounts. Here ±2 pixels, ±15 %, ±15 % and ±0.25, fresh at every meeting, and one digit in ten as it is: 540,000
//!   beside 60,000.
//!
//! Pattern-by-pattern training runs on one core, eight channels in the lanes of a vector, where the absent connections of
//! table I fill lanes that would idle; in batches of more than four they are left out. On an accelerator single patterns
//! would be slower than here: `--device cpu` is the place for them.

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
    around_c3(images, SparseConv2d { table: TABLE_1, kernel: 5, activation: SQUASH })
}

fn around_c3(images: Network, c3: impl Layer + 'static) -> Result<Network> {
    let subsampling = Subsample2d { size: 2, activation: SQUASH };
    images //                                                                                   [ 1, 32, 32]
        .then("C1", Conv2d { out_channels: 6, kernel: 5, padding: 0, bias: true, activation: SQUASH })? //  [ 6, 28, 28]
        .then("S2", subsampling)? //                                                            [ 6, 14, 14]
        .then("C3", c3)? //                                                                     [16, 10, 10]
        .then("S4", subsampling)? //                                                            [16,  5,  5]
        .then("C5", Dense { outputs: 120, activation: SQUASH })? //                             [120]
        .then("F6", Dense { outputs: codes::CODE_LENGTH, activation: SQUASH }) //               [84]
}

/// 28×28 in a frame of paper: 32×32.
fn framed() -> Result<Network> {
    let value = InputScale::PAPER_1998.paper;
    Network::new(INPUT).then("Frame", Pad2d { channels: 1, by: 2, value })
}

fn with_head(head: impl Layer + 'static) -> Result<Network> {
    up_to_f6(framed()?)?.then("Output", head)
}

/// 60,000 parameters; the codes are pictures of the digits (figure 3) and stay as they are.
pub fn network() -> Result<Network> {
    with_head(Rbf::fixed(&codes::pictures())?)
}

/// As [`network`] with codes drawn by chance: what the pictures are good for.
pub fn network_random_codes() -> Result<Network> {
    with_head(Rbf::fixed(&codes::random(SEED_OF_CODES))?)
}

/// As [`network`] with codes that begin as pictures and learn with the rest. Equation 9 keeps them apart
/// ([`crate::nn::Loss::DistanceMap`]); with equation 8 alone they and F6 would all meet in one point (section III-C).
pub fn network_trained_codes() -> Result<Network> {
    with_head(Rbf::trainable(&codes::pictures())?)
}

/// As [`network`], but every map of C3 reads all maps of S2: 900 parameters more.
pub(super) fn network_full_c3() -> Result<Network> {
    let full = Conv2d { out_channels: TABLE_1.len(), kernel: 5, padding: 0, bias: true, activation: SQUASH };
    around_c3(framed()?, full)?.then("Output", Rbf::fixed(&codes::pictures())?)
}

/// As [`network`] with a softmax head of 850 parameters in place of the codes: what these are good for.
pub fn network_linear() -> Result<Network> {
    with_head(Dense { outputs: CLASSES, activation: Activation::Identity })
}
