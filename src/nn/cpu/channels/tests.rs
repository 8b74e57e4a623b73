//! Every kernel of this folder against its definition in f64.

use super::convolution::*;
use super::dense::*;
use crate::nn::cpu::convolution::ConvShape;
use crate::nn::cpu::simd::{LANES, Portable};

/// Numbers between -1 and 1, different for every seed.
fn numbers(count: usize, seed: u32) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9E37_79B9) | 1;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 23) as f32 - 1.0
    };
    (0..count).map(|_| next()).collect()
}

/// `[images, channels, pixels]` into eight channels a vector; lanes beyond the last one hold `rest`.
fn to_lanes(x: &[f32], channels: usize, pixels: usize, rest: f32) -> Vec<f32> {
    let blocks = channels.div_ceil(LANES);
    let mut out = vec![rest; x.len() / channels * blocks * LANES];
    for (at, value) in x.iter().enumerate() {
        let (image, c, pixel) = (at / (channels * pixels), at / pixels % channels, at % pixels);
        out[((image * blocks + c / LANES) * pixels + pixel) * LANES + c % LANES] = *value;
    }
    out
}

/// Every value agrees with the exact one of row order; lanes beyond the last channel are zeros.
fn assert_lanes(what: &str, got: &[f32], expected: &[f64], channels: usize, pixels: usize) {
    let exact: Vec<f32> = expected.iter().map(|&v| v as f32).collect();
    let lanes = to_lanes(&exact, channels, pixels, 0.0);
    let mask = to_lanes(&vec![1.0; exact.len()], channels, pixels, 0.0);
    assert_eq!(got.len(), lanes.len(), "{what}");
    for ((got, exact), mask) in got.iter().zip(&lanes).zip(mask) {
        assert!((got - exact).abs() <= mask * 2e-5 * exact.abs().max(1.0), "{what}: {got} instead of {exact}");
    }
}

fn assert_close(what: &str, got: &[f32], expected: &[f64]) {
    assert_lanes(what, &to_lanes(got, 1, 1, 0.0), expected, 1, 1);
}

/// A convolution and its gradients by definition, in double precision and row order.
struct Exact {
    y: Vec<f64>,
    x_grad: Vec<f64>,
    w_grad: Vec<f64>,
    bias_grad: Vec<f64>,
}

fn exact_convolution(x: &[f32], w: &[f32], bias: &[f32], grad: &[f32], s: &ConvShape) -> Exact {
    let (out_height, out_width) = (s.out_height(), s.out_width());
    let mut exact = Exact {
        y: vec![0.0; grad.len()],
        x_grad: vec![0.0; x.len()],
        w_grad: vec![0.0; w.len()],
        bias_grad: vec![0.0; bias.len()],
    };
    for (at, &g) in grad.iter().enumerate() {
        let (column, row) = (at % out_width, at / out_width % out_height);
        let o = at / (out_width * out_height) % s.out_channels;
        let image = at / (out_width * out_height * s.out_channels);
        let g = f64::from(g);
        exact.y[at] += f64::from(bias[o]);
        exact.bias_grad[o] += g;
        for c in 0..s.in_channels {
            for tap in 0..s.kernel * s.kernel {
                let (x_row, x_column) = (row + tap / s.kernel, column + tap % s.kernel);
                let inside = |at: usize, size: usize| at >= s.padding && at < size + s.padding;
                if inside(x_row, s.height) && inside(x_column, s.width) {
                    let map = (image * s.in_channels + c) * s.height;
                    let from = (map + x_row - s.padding) * s.width + x_column - s.padding;
                    let weight = (o * s.in_channels + c) * s.kernel * s.kernel + tap;
                    exact.y[at] += f64::from(x[from]) * f64::from(w[weight]);
                    exact.x_grad[from] += g * f64::from(w[weight]);
                    exact.w_grad[weight] += g * f64::from(x[from]);
                }
            }
        }
    }
    exact
}

fn check_convolution(s: &ConvShape, images: usize) {
    let (in_map, out_map) = (s.height * s.width, s.out_height() * s.out_width());
    let x = numbers(images * s.in_channels * in_map, 1);
    let w = numbers(s.out_channels * s.in_channels * s.kernel * s.kernel, 2);
    let bias = numbers(s.out_channels, 3);
    let grad = numbers(images * s.out_channels * out_map, 4);
    let exact = exact_convolution(&x, &w, &bias, &grad, s);
    // what lies in lanes without a channel must not spread
    let x = to_lanes(&x, s.in_channels, in_map, f32::NAN);
    let grad = to_lanes(&grad, s.out_channels, out_map, f32::NAN);
    for portable in [false, true] {
        let what = format!("{s:?}, {images} images, portable {portable}");
        let (mut y, mut x_grad) = (vec![f32::NAN; grad.len()], vec![f32::NAN; x.len()]);
        let (mut w_grad, mut bias_grad) = (vec![f32::NAN; w.len()], vec![f32::NAN; bias.len()]);
        if portable {
            conv_forward_body::<Portable>(&x, &w, &bias, &mut y, s);
            conv_input_gradient_body::<Portable>(&grad, &w, &mut x_grad, s);
            conv_weight_gradient_body::<Portable>(&x, &grad, &mut w_grad, &mut bias_grad, s);
        } else {
            conv_forward(&x, &w, &bias, &mut y, s);
            conv_input_gradient(&grad, &w, &mut x_grad, s);
            conv_weight_gradient(&x, &grad, &mut w_grad, &mut bias_grad, s);
        }
        assert_lanes(&format!("y, {what}"), &y, &exact.y, s.out_channels, out_map);
        assert_lanes(&format!("x_grad, {what}"), &x_grad, &exact.x_grad, s.in_channels, in_map);
        assert_close(&format!("w_grad, {what}"), &w_grad, &exact.w_grad);
        assert_close(&format!("bias_grad, {what}"), &bias_grad, &exact.bias_grad);
    }
}

#[test]
fn convolutions_of_every_remainder_agree_with_their_definition() {
    let channels = [1, 3, 6, 8, 9, 16];
    for (at, in_channels) in channels.into_iter().enumerate() {
        for (turn, kernel) in [1, 2, 3, 5].into_iter().enumerate() {
            for padding in 0..kernel {
                // every pair of channels meets some kernel, every kernel some odd size
                for out_channels in [channels[(at + turn) % 6], channels[(at + turn + padding + 3) % 6], 17] {
                    let (height, width) = (5 + (at + padding) % 3, 5 + (turn * 3 + at * 2) % 11);
                    let s = ConvShape { in_channels, out_channels, height, width, kernel, padding };
                    check_convolution(&s, if (at + turn) % 2 == 0 { 1 } else { 3 });
                }
            }
        }
    }
}

#[test]
fn convolutions_of_every_tile_width_agree_with_their_definition() {
    for width in 1..=28 {
        let kernel = width.min(3);
        for out_channels in [6, 16] {
            let s = ConvShape { in_channels: 2, out_channels, height: 4, width, kernel, padding: kernel / 2 };
            check_convolution(&s, 1);
        }
    }
    let lenet = ConvShape { in_channels: 1, out_channels: 6, height: 28, width: 28, kernel: 5, padding: 2 };
    check_convolution(&lenet, 1);
    check_convolution(&ConvShape { in_channels: 6, out_channels: 16, height: 14, width: 14, padding: 0, ..lenet }, 3);
    check_convolution(&ConvShape { in_channels: 9, out_channels: 33, height: 7, width: 9, ..lenet }, 1);
}

fn check_dense(channels: usize, height: usize, width: usize, outputs: usize, images: usize) {
    let inputs = channels * height * width;
    let x = numbers(images * inputs, 5);
    let w = numbers(inputs * outputs, 6);
    let bias = numbers(outputs, 7);
    let grad = numbers(images * outputs, 8);
    let mut exact = Exact {
        y: vec![0.0; grad.len()],
        x_grad: vec![0.0; x.len()],
        w_grad: vec![0.0; w.len()],
        bias_grad: vec![0.0; bias.len()],
    };
    for (at, &g) in grad.iter().enumerate() {
        let (image, o) = (at / outputs, at % outputs);
        let g = f64::from(g);
        exact.y[at] += f64::from(bias[o]);
        exact.bias_grad[o] += g;
        for i in 0..inputs {
            let (value, weight) = (f64::from(x[image * inputs + i]), f64::from(w[o * inputs + i]));
            exact.y[at] += value * weight;
            exact.x_grad[image * inputs + i] += g * weight;
            exact.w_grad[o * inputs + i] += g * value;
        }
    }
    let x = to_lanes(&x, channels, height * width, f32::NAN);
    let grad = to_lanes(&grad, outputs, 1, f32::NAN);
    for portable in [false, true] {
        let what = format!("{channels}×{height}×{width} to {outputs}, {images} images, portable {portable}");
        let (mut y, mut x_grad) = (vec![f32::NAN; grad.len()], vec![f32::NAN; x.len()]);
        let (mut w_grad, mut bias_grad) = (vec![f32::NAN; w.len()], vec![f32::NAN; bias.len()]);
        let (c, h, wd) = (channels, height, width);
        if portable {
            dense_forward_body::<Portable>(&x, &w, &bias, &mut y, c, h, wd, outputs);
            dense_input_gradient_body::<Portable>(&grad, &w, &mut x_grad, c, h, wd, outputs);
            dense_weight_gradient_body::<Portable>(&x, &grad, &mut w_grad, &mut bias_grad, c, h, wd, outputs);
        } else {
            dense_forward(&x, &w, &bias, &mut y, c, h, wd, outputs);
            dense_input_gradient(&grad, &w, &mut x_grad, c, h, wd, outputs);
            dense_weight_gradient(&x, &grad, &mut w_grad, &mut bias_grad, c, h, wd, outputs);
        }
        assert_lanes(&format!("y, {what}"), &y, &exact.y, outputs, 1);
        assert_lanes(&format!("x_grad, {what}"), &x_grad, &exact.x_grad, channels, height * width);
        assert_close(&format!("w_grad, {what}"), &w_grad, &exact.w_grad);
        assert_close(&format!("bias_grad, {what}"), &bias_grad, &exact.bias_grad);
    }
}

#[test]
fn dense_layers_of_every_remainder_agree_with_their_definition() {
    for (channels, height, width) in [(5, 1, 1), (8, 1, 1), (84, 1, 1), (16, 5, 5), (3, 2, 5), (9, 3, 1)] {
        for outputs in [1, 7, 8, 10, 84] {
            for images in [1, 3] {
                check_dense(channels, height, width, outputs, images);
            }
        }
    }
}
