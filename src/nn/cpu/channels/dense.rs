//! Dense layers with eight channels, or features, of one image in the lanes.

use super::{count_images, image_floats, planes};
use crate::nn::cpu::simd::{LANES, Simd, with_simd};

/// Eight rows of a matrix from row `first` on; the last row stands in for those beyond it.
#[inline(always)]
fn eight_rows(w: &[f32], first: usize, inputs: usize, outputs: usize) -> [&[f32]; LANES] {
    std::array::from_fn(|o| &w[(first + o).min(outputs - 1) * inputs..][..inputs])
}

with_simd! {
    /// `y = bias + w x` for every image: x `[images, channels / 8, height, width, 8]`,
    /// w `[outputs, channels · height · width]`, bias `[outputs]`, y `[images, outputs / 8, 1, 1, 8]`.
    pub fn dense_forward / dense_forward_body(
        x: &[f32], w: &[f32], bias: &[f32], y: &mut [f32],
        channels: usize, height: usize, width: usize, outputs: usize,
    )
}

#[inline(always)]
#[allow(clippy::too_many_arguments, reason = "a kernel names its operands and its geometry")]
pub(super) fn dense_forward_body<S: Simd>(
    x: &[f32],
    w: &[f32],
    bias: &[f32],
    y: &mut [f32],
    channels: usize,
    height: usize,
    width: usize,
    outputs: usize,
) {
    let inputs = channels * height * width;
    let out_image = outputs.next_multiple_of(LANES);
    assert_eq!(w.len(), inputs * outputs, "a weight for every pair");
    assert_eq!(bias.len(), outputs, "a bias for every output");
    count_images(x, image_floats(channels, height, width), y, out_image);
    let features = planes(x, channels, 1, height * width, 0);
    for (x, y) in features.chunks_exact(inputs).zip(y.chunks_exact_mut(out_image)) {
        for (block, y) in y.chunks_exact_mut(LANES).enumerate() {
            y.fill(0.0);
            let sums = row_sums::<S>(eight_rows(w, block * LANES, inputs, outputs), x);
            for ((y, bias), sum) in y.iter_mut().zip(&bias[block * LANES..]).zip(sums) {
                *y = bias + sum;
            }
        }
    }
}

/// The products of eight rows with one column.
#[inline(always)]
fn row_sums<S: Simd>(rows: [&[f32]; LANES], x: &[f32]) -> [f32; LANES] {
    assert!(rows.iter().all(|row| row.len() == x.len()), "a weight for every input");
    let whole = x.len() - x.len() % LANES;
    let mut sums = [S::splat(0.0); LANES];
    for i in (0..whole).step_by(LANES) {
        // SAFETY: eight floats from `i` on lie inside `x` and the rows.
        unsafe {
            let values = S::load(x.as_ptr().add(i));
            for (sum, row) in sums.iter_mut().zip(&rows) {
                *sum = values.mul_add(S::load(row.as_ptr().add(i)), *sum);
            }
        }
    }
    let mut totals = [0.0; LANES];
    for ((total, sum), row) in totals.iter_mut().zip(&sums).zip(&rows) {
        *total = sum.sum();
        for i in whole..x.len() {
            *total += row[i] * x[i];
        }
    }
    totals
}

with_simd! {
    /// Gradient with respect to the input, `wᵀ grad`; `x_grad` is overwritten. Shapes as those of y, w and x in
    /// [`dense_forward`].
    pub fn dense_input_gradient / dense_input_gradient_body(
        grad: &[f32], w: &[f32], x_grad: &mut [f32], channels: usize, height: usize, width: usize, outputs: usize,
    )
}

#[inline(always)]
pub(super) fn dense_input_gradient_body<S: Simd>(
    grad: &[f32],
    w: &[f32],
    x_grad: &mut [f32],
    channels: usize,
    height: usize,
    width: usize,
    outputs: usize,
) {
    let inputs = channels * height * width;
    let (in_image, out_image) = (image_floats(channels, height, width), outputs.next_multiple_of(LANES));
    assert_eq!(w.len(), inputs * outputs, "a weight for every pair");
    count_images(x_grad, in_image, grad, out_image);
    x_grad.fill(0.0);
    let mut features = vec![0.0; inputs];
    for (g, x_grad) in grad.chunks_exact(out_image).zip(x_grad.chunks_exact_mut(in_image)) {
        features.fill(0.0);
        for first in (0..outputs).step_by(LANES) {
            // lanes beyond the last output count nothing, whatever they hold
            let factors = std::array::from_fn(|o| if first + o < outputs { g[first + o] } else { 0.0 });
            add_rows::<S>(eight_rows(w, first, inputs, outputs), factors, &mut features);
        }
        for (c, plane) in features.chunks_exact(height * width).enumerate() {
            let block = &mut x_grad[c / LANES * height * width * LANES..];
            for (to, value) in block.as_chunks_mut::<LANES>().0.iter_mut().zip(plane) {
                to[c % LANES] = *value;
            }
        }
    }
}

/// `sums += Σ factors[o] · rows[o]`.
#[inline(always)]
fn add_rows<S: Simd>(rows: [&[f32]; LANES], factors: [f32; LANES], sums: &mut [f32]) {
    assert!(rows.iter().all(|row| row.len() == sums.len()), "a weight for every input");
    let whole = sums.len() - sums.len() % LANES;
    let broadcast = factors.map(S::splat);
    for i in (0..whole).step_by(LANES) {
        // SAFETY: eight floats from `i` on lie inside `sums` and the rows.
        unsafe {
            let mut sum = S::load(sums.as_ptr().add(i));
            for (row, &factor) in rows.iter().zip(&broadcast) {
                sum = factor.mul_add(S::load(row.as_ptr().add(i)), sum);
            }
            sum.store(sums.as_mut_ptr().add(i));
        }
    }
    for i in whole..sums.len() {
        for (row, factor) in rows.iter().zip(factors) {
            sums[i] += factor * row[i];
        }
    }
}

with_simd! {
    /// Gradients of a dense layer, `Σ_images grad ⊗ x`; `w_grad` and `bias_grad` are overwritten. Shapes as those of x, y,
    /// w and bias in [`dense_forward`].
    pub fn dense_weight_gradient / dense_weight_gradient_body(
        x: &[f32], grad: &[f32], w_grad: &mut [f32], bias_grad: &mut [f32],
        channels: usize, height: usize, width: usize, outputs: usize,
    )
}

#[inline(always)]
#[allow(clippy::too_many_arguments, reason = "a kernel names its operands and its geometry")]
pub(super) fn dense_weight_gradient_body<S: Simd>(
    x: &[f32],
    grad: &[f32],
    w_grad: &mut [f32],
    bias_grad: &mut [f32],
    channels: usize,
    height: usize,
    width: usize,
    outputs: usize,
) {
    let inputs = channels * height * width;
    let out_image = outputs.next_multiple_of(LANES);
    assert_eq!(w_grad.len(), inputs * outputs, "a weight for every pair");
    assert_eq!(bias_grad.len(), outputs, "a bias for every output");
    let images = count_images(x, image_floats(channels, height, width), grad, out_image);
    let features = planes(x, channels, 1, height * width, 0);
    if images == 0 {
        w_grad.fill(0.0);
        bias_grad.fill(0.0);
    }
    for (image, (x, g)) in features.chunks_exact(inputs).zip(grad.chunks_exact(out_image)).enumerate() {
        for ((row, bias), &g) in w_grad.chunks_exact_mut(inputs).zip(bias_grad.iter_mut()).zip(g) {
            // plain loops over slices: compilers make vectors of them without help
            if image == 0 {
                *bias = g;
                row.iter_mut().zip(x).for_each(|(w, x)| *w = g * x);
            } else {
                *bias += g;
                row.iter_mut().zip(x).for_each(|(w, x)| *w += g * x);
            }
        }
    }
}
