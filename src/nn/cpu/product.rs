//! The arithmetic of dense layers on blocks of eight images, serial: whoever calls splits the images.
//! Memory order of activations: `[block, feature, 8]`; of weights: `[out, in]`.

use super::simd::{LANES, Simd, with_simd};

/// `OUT` rows of a matrix × `BLOCKS` blocks of eight images, over the inputs of `range`:
/// `y[o] = before + Σ_i w[o · out_stride + i · in_stride] · x[i]`, where `before` is the bias at the first range and `y[o]`
/// itself at later ones.
///
/// # Safety
/// `x` and `y` point at the first of `BLOCKS` blocks, `in_block` and `out_block` floats apart; `w` at the first row.
#[inline(always)]
#[allow(clippy::too_many_arguments, reason = "a kernel names its operands and its geometry")]
unsafe fn product_tile<S: Simd, const OUT: usize, const BLOCKS: usize>(
    x: *const f32,
    w: *const f32,
    bias: *const f32,
    y: *mut f32,
    inputs: usize,
    outputs: usize,
    out_stride: usize,
    in_stride: usize,
    range: (usize, usize),
) {
    // SAFETY: `dense_product` has asserted the sizes.
    unsafe {
        let mut sums = [[S::splat(0.0); BLOCKS]; OUT];
        for (o, row) in sums.iter_mut().enumerate() {
            if range.0 > 0 {
                *row = std::array::from_fn(|b| S::load(y.add((b * outputs + o) * LANES)));
            } else if !bias.is_null() {
                *row = [S::splat(*bias.add(o)); BLOCKS];
            }
        }
        for i in range.0..range.1 {
            let values: [S; BLOCKS] = std::array::from_fn(|b| S::load(x.add((b * inputs + i) * LANES)));
            for (o, row) in sums.iter_mut().enumerate() {
                let weight = S::splat(*w.add(o * out_stride + i * in_stride));
                for (sum, &value) in row.iter_mut().zip(&values) {
                    *sum = value.mul_add(weight, *sum);
                }
            }
        }
        for (o, row) in sums.iter().enumerate() {
            for (b, sum) in row.iter().enumerate() {
                sum.store(y.add((b * outputs + o) * LANES));
            }
        }
    }
}

with_simd! {
    /// A matrix times blocks of eight images: `y[o] = bias[o] + Σ_i w[o · out_stride + i · in_stride] · x[i]`.
    /// Strides (inputs, 1) give the forward pass of a dense layer, (1, outputs) its gradient to the input.
    pub fn dense_product / dense_product_body(
        x: &[f32], w: &[f32], bias: &[f32], y: &mut [f32],
        inputs: usize, outputs: usize, out_stride: usize, in_stride: usize,
    )
}

#[inline(always)]
#[allow(clippy::too_many_arguments, reason = "a kernel names its operands and its geometry")]
fn dense_product_body<S: Simd>(
    x: &[f32],
    w: &[f32],
    bias: &[f32],
    y: &mut [f32],
    inputs: usize,
    outputs: usize,
    out_stride: usize,
    in_stride: usize,
) {
    assert!(inputs > 0 && outputs > 0 && w.len() == inputs * outputs, "a weight for every pair");
    assert!((outputs - 1) * out_stride + (inputs - 1) * in_stride < w.len(), "strides stay inside the weights");
    assert!(bias.is_empty() || bias.len() == outputs, "a bias for every output");
    assert_eq!(x.len() / (inputs * LANES), y.len() / (outputs * LANES), "as many blocks in as out");
    let blocks = x.len() / (inputs * LANES);
    let ranges = inputs.div_ceil(INPUTS_AT_ONCE);
    // block by block all ranges, range by range all outputs
    for step in 0..blocks.div_ceil(2) * ranges {
        let (block, from) = (step / ranges * 2, step % ranges * INPUTS_AT_ONCE);
        let range = (from, inputs.min(from + INPUTS_AT_ONCE));
        let pair = blocks - block >= 2;
        let mut o = 0;
        while o < outputs {
            // SAFETY: offsets of whole blocks and rows inside the slices measured above.
            unsafe {
                let x = x.as_ptr().add(block * inputs * LANES);
                let w = w.as_ptr().add(o * out_stride);
                let bias = if bias.is_empty() { std::ptr::null() } else { bias.as_ptr().add(o) };
                let y = y.as_mut_ptr().add((block * outputs + o) * LANES);
                macro_rules! tile {
                    ($out:literal) => {{
                        if pair {
                            product_tile::<S, $out, 2>(x, w, bias, y, inputs, outputs, out_stride, in_stride, range);
                        } else {
                            product_tile::<S, $out, 1>(x, w, bias, y, inputs, outputs, out_stride, in_stride, range);
                        }
                        $out
                    }};
                }
                o += match outputs - o {
                    6.. => tile!(6),
                    4.. => tile!(4),
                    2.. => tile!(2),
                    _ => tile!(1),
                };
            }
        }
    }
}

/// Inputs of two blocks that stay in the first cache (25 of 32 KiB) while all outputs read them.
const INPUTS_AT_ONCE: usize = 400;

/// `[blocks, features, 8]` as one row an image: `[blocks · 8, features]`, rows padded with zeros to `stride` floats.
pub fn rows_of_images(x: &[f32], features: usize, stride: usize) -> Vec<f32> {
    let blocks = x.len() / (features * LANES);
    let mut rows = vec![0.0; blocks * LANES * stride];
    for (block, x) in x.chunks_exact(features * LANES).enumerate() {
        // eight features at a time, so that reads and writes both stay within a few cache lines
        for (group, values) in x.chunks(LANES * LANES).enumerate() {
            for lane in 0..LANES {
                let row = &mut rows[(block * LANES + lane) * stride + group * LANES..];
                for (f, value) in values.chunks_exact(LANES).enumerate() {
                    row[f] = value[lane];
                }
            }
        }
    }
    rows
}

with_simd! {
    /// Gradients of a dense layer, `Σ_images grad ⊗ x`; overwrites `w_grad` (`[outputs, inputs]`) and `bias_grad`.
    pub fn dense_weight_gradient / dense_weight_gradient_body(
        x: &[f32], grad: &[f32], w_grad: &mut [f32], bias_grad: &mut [f32], inputs: usize, outputs: usize,
    )
}

#[inline(always)]
fn dense_weight_gradient_body<S: Simd>(
    x: &[f32],
    grad: &[f32],
    w_grad: &mut [f32],
    bias_grad: &mut [f32],
    inputs: usize,
    outputs: usize,
) {
    assert_eq!(w_grad.len(), inputs * outputs, "a weight for every pair");
    assert_eq!(bias_grad.len(), outputs, "a bias for every output");
    let stride = inputs.next_multiple_of(2 * LANES);
    let x_rows = rows_of_images(x, inputs, stride);
    let g_rows = rows_of_images(grad, outputs, outputs);
    let images = x.len() / inputs;
    assert_eq!(g_rows.len() / outputs, images, "as many images in as out");
    bias_grad.fill(0.0);
    for g in g_rows.chunks_exact(outputs) {
        for (sum, g) in bias_grad.iter_mut().zip(g) {
            *sum += g;
        }
    }
    let mut o = 0;
    while o < outputs {
        let outs = match outputs - o {
            6.. => 6,
            4.. => 4,
            2.. => 2,
            _ => 1,
        };
        for i in (0..stride).step_by(2 * LANES) {
            // a tile that reaches beyond the last input is kept aside first
            let mut aside = [0f32; 6 * 2 * LANES];
            let whole = i + 2 * LANES <= inputs;
            let (out, out_stride) =
                if whole { (&mut w_grad[o * inputs + i..], inputs) } else { (&mut aside[..], 2 * LANES) };
            assert!(out.len() >= (outs - 1) * out_stride + 2 * LANES, "a tile for every output");
            // SAFETY: rows are `stride` and `outputs` long, and both tiles lie inside them; `out` has just been measured.
            unsafe {
                let x = x_rows.as_ptr().add(i);
                let g = g_rows.as_ptr().add(o);
                let out = out.as_mut_ptr();
                match outs {
                    6 => outer_tile::<S, 6>(x, g, stride, outputs, images, out, out_stride),
                    4 => outer_tile::<S, 4>(x, g, stride, outputs, images, out, out_stride),
                    2 => outer_tile::<S, 2>(x, g, stride, outputs, images, out, out_stride),
                    _ => outer_tile::<S, 1>(x, g, stride, outputs, images, out, out_stride),
                }
            }
            if !whole {
                for (k, sums) in aside.chunks_exact(2 * LANES).take(outs).enumerate() {
                    w_grad[(o + k) * inputs + i..(o + k + 1) * inputs].copy_from_slice(&sums[..inputs - i]);
                }
            }
        }
        o += outs;
    }
}

/// `OUT` outputs × sixteen inputs of an outer product, summed over the images.
///
/// # Safety
/// `x` is valid for sixteen floats in each of `images` rows of `x_stride`, `g` for `OUT` floats in rows of `g_stride`, `out`
/// for sixteen floats in each of `OUT` rows of `out_stride`.
#[inline(always)]
unsafe fn outer_tile<S: Simd, const OUT: usize>(
    x: *const f32,
    g: *const f32,
    x_stride: usize,
    g_stride: usize,
    images: usize,
    out: *mut f32,
    out_stride: usize,
) {
    // SAFETY: as promised by the caller.
    unsafe {
        let mut sums = [[S::splat(0.0); 2]; OUT];
        for image in 0..images {
            let x = x.add(image * x_stride);
            let values = [S::load(x), S::load(x.add(LANES))];
            for (o, row) in sums.iter_mut().enumerate() {
                let gradient = S::splat(*g.add(image * g_stride + o));
                row[0] = values[0].mul_add(gradient, row[0]);
                row[1] = values[1].mul_add(gradient, row[1]);
            }
        }
        for (o, row) in sums.iter().enumerate() {
            row[0].store(out.add(o * out_stride));
            row[1].store(out.add(o * out_stride + LANES));
        }
    }
}
