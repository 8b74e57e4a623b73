//! Convolutions with 3×3 and 5×5 kernels in fewer multiplications, by Winograd's minimal filtering: same functions, same
//! memory order as `convolution`, `[block, channel, row, column, 8]` and `[out, in, row, column]`.
//!
//! S. Winograd, Arithmetic Complexity of Computations (1980); A. Lavin & S. Gray, Fast Algorithms for Convolutional
//! Neural Networks (CVPR 2016), whose notation is used here: F(m×m, r×r) takes m×m outputs from a tile of
//! (m + r − 1)×(m + r − 1) inputs, y = Aᵀ[(G w Gᵀ) ⊙ (Bᵀ d B)]A. Tiles are 6×6, so that 36 products per pair of channels
//! give 4×4 outputs of a 3×3 kernel (directly: 144) or 2×2 outputs of a 5×5 kernel (directly: 100).
//! The product over channels is one small matrix product at each of the 36 positions.

mod products;
#[cfg(test)]
mod tests;
mod tiles;
mod transforms;
mod weights;

use super::convolution::ConvShape;
use super::simd::{LANES, Simd, Vector, with_wide_simd};
use products::convolve;
use tiles::{Maps, Tiles};
use transforms::{Input, InputGradient, Outputs, Values};

/// Rows and columns of a tile: m + r − 1.
const SIDE: usize = 6;
/// Positions of a tile.
const POSITIONS: usize = SIDE * SIDE;
/// Most taps of a kernel.
const MOST_TAPS: usize = 25;
/// Where a constant c over the whole output stands in the transformed output, alone: at the point (1, 1), because all
/// powers of 1 are 1.
const ONE_ONE: usize = SIDE + 1;

/// Whether these kernels can compute the convolution.
fn fits(s: &ConvShape) -> bool {
    matches!(s.kernel, 3 | 5)
}

/// Whether these kernels are expected to beat the direct ones, from measurements with four blocks: they lose to the
/// transforms where channels are few, and to tiles that are mostly empty unless they save 2 products of 7.
pub fn is_faster(s: &ConvShape) -> bool {
    if !fits(s) || s.in_channels < 6 || s.out_channels < 8 {
        return false;
    }
    let side = SIDE + 1 - s.kernel;
    // products along one axis: taps that meet the map, and positions of tiles
    let direct = |size: usize, out: usize| -> usize {
        (0..out).map(|y| s.kernel.min(size + s.padding - y) - s.padding.saturating_sub(y)).sum()
    };
    let tiled = |out: usize| out.div_ceil(side) * SIDE;
    let (height, width) = (s.out_height(), s.out_width());
    direct(s.height, height) * direct(s.width, width) * 5 >= tiled(height) * tiled(width) * 7
}

with_wide_simd! {
    /// `y[o] = bias[o] + Σ_c x[c] ⋆ w[o, c]` for every block; `bias` may be empty for none.
    pub fn conv_forward / conv_forward_body(x: &[f32], w: &[f32], bias: &[f32], y: &mut [f32], s: &ConvShape)
}

#[inline(always)]
fn conv_forward_body<S: Simd, W: Vector>(x: &[f32], w: &[f32], bias: &[f32], y: &mut [f32], s: &ConvShape) {
    check(x, w, y, s);
    assert!(bias.is_empty() || bias.len() == s.out_channels, "a bias for every output channel");
    match s.kernel {
        3 => forward::<S, W, 3, 4>(x, w, bias, y, s),
        _ => forward::<S, W, 5, 2>(x, w, bias, y, s),
    }
}

#[inline(always)]
fn forward<S: Simd, W: Vector, const R: usize, const M: usize>(
    x: &[f32],
    w: &[f32],
    bias: &[f32],
    y: &mut [f32],
    s: &ConvShape,
) {
    let (inputs, outputs) = (Maps::inputs(s), Maps::outputs(s, M));
    let tiles = Tiles::new(s, M, x.len() / (inputs.channels * inputs.size()));
    convolve::<S, W, Input, Outputs, R, SIDE, M, false>((x, inputs), w, bias, (y, outputs), &tiles);
}

with_wide_simd! {
    /// Gradient with respect to the input, by the transposed maps; `x_grad` is overwritten.
    pub fn conv_input_gradient / conv_input_gradient_body(grad: &[f32], w: &[f32], x_grad: &mut [f32], s: &ConvShape)
}

#[inline(always)]
fn conv_input_gradient_body<S: Simd, W: Vector>(grad: &[f32], w: &[f32], x_grad: &mut [f32], s: &ConvShape) {
    check(x_grad, w, grad, s);
    match s.kernel {
        3 => input_gradient::<S, W, 3, 4>(grad, w, x_grad, s),
        _ => input_gradient::<S, W, 5, 2>(grad, w, x_grad, s),
    }
}

#[inline(always)]
fn input_gradient<S: Simd, W: Vector, const R: usize, const M: usize>(
    grad: &[f32],
    w: &[f32],
    x_grad: &mut [f32],
    s: &ConvShape,
) {
    let (inputs, outputs) = (Maps::inputs(s), Maps::outputs(s, M));
    let tiles = Tiles::new(s, M, x_grad.len() / (inputs.channels * inputs.size()));
    x_grad.fill(0.0);
    convolve::<S, W, Values, InputGradient, R, M, SIDE, true>((grad, outputs), w, &[], (x_grad, inputs), &tiles);
}

with_wide_simd! {
    /// Gradients with respect to kernels and biases, summed over the blocks; overwrites `w_grad` and `bias_grad`.
    pub fn conv_weight_gradient / conv_weight_gradient_body(
        x: &[f32], grad: &[f32], w_grad: &mut [f32], bias_grad: &mut [f32], s: &ConvShape,
    )
}

#[inline(always)]
fn conv_weight_gradient_body<S: Simd, W: Vector>(
    x: &[f32],
    grad: &[f32],
    w_grad: &mut [f32],
    bias_grad: &mut [f32],
    s: &ConvShape,
) {
    check(x, w_grad, grad, s);
    assert_eq!(bias_grad.len(), s.out_channels, "a bias for every output channel");
    match s.kernel {
        3 => weights::weight_gradient::<S, W, 3, 4>(x, grad, w_grad, bias_grad, s),
        _ => weights::weight_gradient::<S, W, 5, 2>(x, grad, w_grad, bias_grad, s),
    }
}

/// Ties the slices to the shape: every pointer of this folder relies on it.
fn check(x: &[f32], w: &[f32], y: &[f32], s: &ConvShape) {
    s.check();
    assert!(fits(s), "tiles are made for 3×3 and 5×5 kernels");
    let in_block = s.in_channels * s.height * s.width * LANES;
    let out_block = s.out_channels * s.out_height() * s.out_width() * LANES;
    assert_eq!(w.len(), s.out_channels * s.in_channels * s.kernel * s.kernel, "a kernel for every pair of channels");
    assert_eq!(x.len() / in_block, y.len() / out_block, "as many blocks in as out");
    assert!(x.len().is_multiple_of(in_block) && y.len().is_multiple_of(out_block), "whole blocks");
}
