//! Against naive loops in double precision, and against the direct kernels.

use super::super::convolution;
use super::super::simd::{Portable, Simd, with_simd};
use super::{ConvShape, LANES};
use super::{
    conv_forward, conv_forward_body, conv_input_gradient, conv_input_gradient_body, conv_weight_gradient,
    conv_weight_gradient_body, is_faster,
};

/// Errors allowed, as a part of the greatest value. Seen on these cases at most: 4.9e-6 for outputs, 3.6e-6 for gradients
/// of inputs, 7.0e-6 for those of kernels, 1.4e-6 for those of biases.
const TOLERANCE: f64 = 1e-5;

fn numbers(count: usize, seed: u32) -> Vec<f32> {
    let mut state = seed.wrapping_mul(2_654_435_761) | 1;
    let next = |_| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state as f32 / u32::MAX as f32 - 0.5
    };
    (0..count).map(next).collect()
}

struct Case {
    s: ConvShape,
    x: Vec<f32>,
    w: Vec<f32>,
    bias: Vec<f32>,
    grad: Vec<f32>,
}

impl Case {
    fn new(s: ConvShape, blocks: usize) -> Self {
        let numbers = |count, seed| numbers(count, seed + 7 * (s.in_channels + s.height) as u32);
        Self {
            s,
            x: numbers(blocks * s.in_channels * s.height * s.width * LANES, 1),
            w: numbers(s.out_channels * s.in_channels * s.kernel * s.kernel, 2),
            bias: numbers(s.out_channels, 3),
            grad: numbers(blocks * s.out_channels * s.out_height() * s.out_width() * LANES, 4),
        }
    }

    /// Calls `f` with the places in x, w and y of every product of the convolution.
    fn for_each_product(&self, mut f: impl FnMut(usize, usize, usize)) {
        let ConvShape { in_channels, out_channels, height, width, kernel, padding } = self.s;
        let (out_height, out_width) = (self.s.out_height(), self.s.out_width());
        let blocks = self.x.len() / (in_channels * height * width * LANES);
        for map in 0..blocks * out_channels {
            let (block, o) = (map / out_channels, map % out_channels);
            for (c, tap) in (0..in_channels).flat_map(|c| (0..kernel * kernel).map(move |tap| (c, tap))) {
                let w = (o * in_channels + c) * kernel * kernel + tap;
                for (row, column) in (0..out_height).flat_map(|row| (0..out_width).map(move |column| (row, column))) {
                    let (y, x) = (row + tap / kernel, column + tap % kernel);
                    if y >= padding && y < height + padding && x >= padding && x < width + padding {
                        let from = ((block * in_channels + c) * height + y - padding) * width + x - padding;
                        let to = (map * out_height + row) * out_width + column;
                        (0..LANES).for_each(|lane| f(from * LANES + lane, w, to * LANES + lane));
                    }
                }
            }
        }
    }
}

/// The greatest difference, as a part of the greatest value.
fn error(got: &[f32], want: &[f64]) -> f64 {
    assert_eq!(got.len(), want.len());
    let greatest = want.iter().fold(0.0f64, |most, value| most.max(value.abs()));
    let differences = got.iter().zip(want).map(|(got, want)| (f64::from(*got) - want).abs());
    let most = differences.fold(0.0f64, |most, value| if value > most || value.is_nan() { value } else { most });
    if most == 0.0 { 0.0 } else { most / greatest }
}

fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().map(|value| f64::from(*value)).collect()
}

type InputGradient = fn(&[f32], &[f32], &mut [f32], &ConvShape);
type Forward = fn(&[f32], &[f32], &[f32], &mut [f32], &ConvShape);
type WeightGradient = fn(&[f32], &[f32], &mut [f32], &mut [f32], &ConvShape);

fn forward_of(f: Forward, case: &Case, bias: &[f32]) -> Vec<f32> {
    let mut y = vec![f32::NAN; case.grad.len()];
    f(&case.x, &case.w, bias, &mut y, &case.s);
    y
}

fn input_gradient_of(f: InputGradient, case: &Case) -> Vec<f32> {
    let mut x_grad = vec![f32::NAN; case.x.len()];
    f(&case.grad, &case.w, &mut x_grad, &case.s);
    x_grad
}

/// Kernels, then biases.
fn weight_gradient_of(f: WeightGradient, case: &Case) -> (Vec<f32>, Vec<f32>) {
    let (mut w_grad, mut bias_grad) = (vec![f32::NAN; case.w.len()], vec![f32::NAN; case.bias.len()]);
    f(&case.x, &case.grad, &mut w_grad, &mut bias_grad, &case.s);
    (w_grad, bias_grad)
}

fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    let channels = [(1, 6), (3, 7), (6, 16), (7, 3), (16, 1), (1, 1), (13, 20)];
    let sizes = [(1, 3), (2, 2), (5, 6), (6, 5), (7, 7), (8, 11), (14, 14)];
    for kernel in [3, 5] {
        for padding in 0..kernel {
            for (i, (height, width)) in sizes.into_iter().enumerate() {
                if height.min(width) + 2 * padding < kernel {
                    continue;
                }
                let (in_channels, out_channels) = channels[(i + 2 * padding + kernel) % channels.len()];
                let s = ConvShape { in_channels, out_channels, height, width, kernel, padding };
                cases.push(Case::new(s, if i % 2 == 0 { 1 } else { 3 }));
            }
        }
    }
    cases
}

#[test]
fn all_three_agree_with_naive_loops_in_double_precision() {
    for case in cases() {
        let s = &case.s;
        let out_map = s.out_height() * s.out_width() * LANES;
        let mut y = vec![0.0; case.grad.len()];
        let mut x_grad = vec![0.0; case.x.len()];
        let mut w_grad = vec![0.0; case.w.len()];
        let mut bias_grad = vec![0.0; case.bias.len()];
        let (x, w, grad) = (wide(&case.x), wide(&case.w), wide(&case.grad));
        case.for_each_product(|i, j, k| {
            y[k] += x[i] * w[j];
            x_grad[i] += grad[k] * w[j];
            w_grad[j] += grad[k] * x[i];
        });
        grad.iter().enumerate().for_each(|(k, value)| bias_grad[k / out_map % s.out_channels] += value);
        let with_bias: Vec<f64> =
            y.iter().enumerate().map(|(k, y)| y + f64::from(case.bias[k / out_map % s.out_channels])).collect();
        for (f, inputs, weights) in [
            (conv_forward as Forward, conv_input_gradient as InputGradient, conv_weight_gradient as WeightGradient),
            (
                conv_forward_body::<Portable, Portable>,
                conv_input_gradient_body::<Portable, Portable>,
                conv_weight_gradient_body::<Portable, Portable>,
            ),
        ] {
            let (got_w, got_bias) = weight_gradient_of(weights, &case);
            let errors = [
                error(&forward_of(f, &case, &case.bias), &with_bias).max(error(&forward_of(f, &case, &[]), &y)),
                error(&input_gradient_of(inputs, &case), &x_grad),
                error(&got_w, &w_grad),
                error(&got_bias, &bias_grad),
            ];
            assert!(errors.iter().all(|error| *error < TOLERANCE), "{s:?}: forward, input, w, bias: {errors:?}");
        }
    }
}

#[test]
fn both_ways_to_compute_agree_on_the_sizes_that_models_use() {
    for s in [shape(16, 32, 14, 5, 2), shape(6, 16, 14, 5, 0), shape(32, 32, 28, 3, 1), shape(32, 64, 14, 3, 1)] {
        let case = Case::new(s, 4);
        let (w_grad, bias_grad) = weight_gradient_of(conv_weight_gradient, &case);
        let (direct_w_grad, direct_bias_grad) = weight_gradient_of(convolution::conv_weight_gradient, &case);
        let x_grad = input_gradient_of(convolution::conv_input_gradient, &case);
        let y = forward_of(convolution::conv_forward, &case, &case.bias);
        let errors = [
            error(&forward_of(conv_forward, &case, &case.bias), &wide(&y)),
            error(&input_gradient_of(conv_input_gradient, &case), &wide(&x_grad)),
            error(&w_grad, &wide(&direct_w_grad)),
            error(&bias_grad, &wide(&direct_bias_grad)),
        ];
        assert!(errors.iter().all(|error| *error < TOLERANCE), "{s:?}: {errors:?}");
    }
}

with_simd! { fn narrow_forward / narrow_forward_body(x: &[f32], w: &[f32], bias: &[f32], y: &mut [f32], s: &ConvShape) }
#[inline(always)]
fn narrow_forward_body<S: Simd>(x: &[f32], w: &[f32], bias: &[f32], y: &mut [f32], s: &ConvShape) {
    conv_forward_body::<S, S>(x, w, bias, y, s);
}

with_simd! {
    fn narrow_input_gradient / narrow_input_gradient_body(grad: &[f32], w: &[f32], x_grad: &mut [f32], s: &ConvShape)
}
#[inline(always)]
fn narrow_input_gradient_body<S: Simd>(grad: &[f32], w: &[f32], x_grad: &mut [f32], s: &ConvShape) {
    conv_input_gradient_body::<S, S>(grad, w, x_grad, s);
}

with_simd! {
    fn narrow_weight_gradient / narrow_weight_gradient_body(
        x: &[f32], grad: &[f32], w_grad: &mut [f32], bias_grad: &mut [f32], s: &ConvShape,
    )
}
#[inline(always)]
fn narrow_weight_gradient_body<S: Simd>(
    x: &[f32],
    grad: &[f32],
    w_grad: &mut [f32],
    bias_grad: &mut [f32],
    s: &ConvShape,
) {
    conv_weight_gradient_body::<S, S>(x, grad, w_grad, bias_grad, s);
}

#[test]
fn wide_vectors_change_no_bit() {
    let more = [shape(24, 48, 14, 3, 1), shape(9, 40, 7, 3, 1), shape(6, 24, 9, 5, 0)].map(|s| Case::new(s, 2));
    for case in cases().iter().chain(&more) {
        let s = &case.s;
        assert_eq!(
            forward_of(conv_forward, case, &case.bias),
            forward_of(narrow_forward, case, &case.bias),
            "{s:?}: outputs"
        );
        assert_eq!(
            input_gradient_of(conv_input_gradient, case),
            input_gradient_of(narrow_input_gradient, case),
            "{s:?}: gradients of inputs"
        );
        assert_eq!(
            weight_gradient_of(conv_weight_gradient, case),
            weight_gradient_of(narrow_weight_gradient, case),
            "{s:?}: gradients of weights"
        );
    }
}

fn shape(in_channels: usize, out_channels: usize, size: usize, kernel: usize, padding: usize) -> ConvShape {
    ConvShape { in_channels, out_channels, height: size, width: size, kernel, padding }
}

#[test]
fn tiles_are_chosen_where_they_save_products() {
    for (s, faster) in [
        (shape(16, 32, 14, 5, 2), true),
        (shape(6, 16, 14, 5, 0), true),
        (shape(32, 32, 28, 3, 1), true),
        (shape(64, 64, 7, 3, 1), true),
        (shape(1, 6, 28, 5, 2), false),
        (shape(3, 8, 28, 3, 1), false),
        (shape(16, 120, 5, 5, 0), false),
        (shape(16, 16, 3, 3, 1), false),
        (shape(16, 16, 5, 3, 1), false),
        (shape(16, 16, 14, 4, 1), false),
    ] {
        assert_eq!(is_faster(&s), faster, "{s:?}");
    }
}
