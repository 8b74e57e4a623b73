//! The arithmetic of convolution layers on blocks of eight images, serial: whoever calls splits the images.
//! Memory order of activations: `[block, channel, row, column, 8]`; of kernels: `[out, in, row, column]`.

use super::simd::{LANES, Simd, with_simd};

/// Sizes of one convolution: stride 1, square kernel, the same zero padding on all sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConvShape {
    pub in_channels: usize,
    pub out_channels: usize,
    pub height: usize,
    pub width: usize,
    pub kernel: usize,
    pub padding: usize,
}

impl ConvShape {
    pub fn out_height(&self) -> usize {
        self.height + 2 * self.padding + 1 - self.kernel
    }
    pub fn out_width(&self) -> usize {
        self.width + 2 * self.padding + 1 - self.kernel
    }
    /// The convolution of the output's gradient, with turned kernels, that gives the input's.
    pub(super) fn backward(&self) -> Self {
        Self {
            in_channels: self.out_channels,
            out_channels: self.in_channels,
            height: self.out_height(),
            width: self.out_width(),
            kernel: self.kernel,
            padding: self.kernel - 1 - self.padding,
        }
    }
    /// Panics on sizes that no layer accepts: every pointer below relies on them.
    pub(super) fn check(&self) {
        assert!(self.in_channels > 0 && self.out_channels > 0 && self.height > 0 && self.width > 0, "maps have a size");
        assert!(self.kernel > 0 && self.padding < self.kernel, "padding is smaller than the kernel");
        let (height, width) = self.padded();
        assert!(self.kernel <= height && self.kernel <= width, "the kernel fits the padded map");
    }
    pub(super) fn padded(&self) -> (usize, usize) {
        (self.height + 2 * self.padding, self.width + 2 * self.padding)
    }
}

/// One block's maps with `p` zeros around each: `[channels, height, width, 8]` into `[channels, height + 2p, width + 2p, 8]`.
pub(super) fn pad_block(x: &[f32], channels: usize, height: usize, width: usize, p: usize, out: &mut Vec<f32>) {
    let (padded_height, padded_width) = (height + 2 * p, width + 2 * p);
    out.clear();
    out.resize(channels * padded_height * padded_width * LANES, 0.0);
    for c in 0..channels {
        for row in 0..height {
            let from = (c * height + row) * width * LANES;
            let to = ((c * padded_height + row + p) * padded_width + p) * LANES;
            out[to..to + width * LANES].copy_from_slice(&x[from..from + width * LANES]);
        }
    }
}

/// The taps of a kernel that meet the map, and not its padding alone, when `count` windows begin at `first`.
#[inline(always)]
pub(super) fn taps_inside(first: usize, count: usize, size: usize, s: &ConvShape) -> (usize, usize) {
    (s.padding.saturating_sub(first + count - 1), s.kernel.min(size + s.padding - first))
}

/// `OUT` output channels × `COLUMNS` neighbouring pixels of one block, held in registers; taps `rows` × `columns` of the
/// kernel.
///
/// # Safety
/// `x` points at the window's first value in padded maps, `w` at the first channel's kernel, `y` at the first output.
#[inline(always)]
#[allow(clippy::too_many_arguments, reason = "a kernel names its operands and its geometry")]
unsafe fn conv_tile<S: Simd, const OUT: usize, const COLUMNS: usize>(
    x: *const f32,
    w: *const f32,
    bias: *const f32,
    y: *mut f32,
    rows: (usize, usize),
    columns: (usize, usize),
    s: &ConvShape,
) {
    let (padded_height, padded_width) = s.padded();
    let weights_per_out = s.in_channels * s.kernel * s.kernel;
    let out_map = s.out_height() * s.out_width() * LANES;
    // SAFETY: all offsets below stay inside the shapes that `conv_forward` has asserted.
    unsafe {
        let mut sums = [[S::splat(0.0); COLUMNS]; OUT];
        for (o, row) in sums.iter_mut().enumerate() {
            *row = [S::splat(if bias.is_null() { 0.0 } else { *bias.add(o) }); COLUMNS];
        }
        for c in 0..s.in_channels {
            for ky in rows.0..rows.1 {
                let x_row = x.add((c * padded_height + ky) * padded_width * LANES);
                let w_row = w.add((c * s.kernel + ky) * s.kernel);
                for kx in columns.0..columns.1 {
                    let pixels: [S; COLUMNS] = std::array::from_fn(|p| S::load(x_row.add((kx + p) * LANES)));
                    for (o, row) in sums.iter_mut().enumerate() {
                        let weight = S::splat(*w_row.add(o * weights_per_out + kx));
                        for (sum, &pixel) in row.iter_mut().zip(&pixels) {
                            *sum = pixel.mul_add(weight, *sum);
                        }
                    }
                }
            }
        }
        for (o, row) in sums.iter().enumerate() {
            for (p, sum) in row.iter().enumerate() {
                sum.store(y.add(o * out_map + p * LANES));
            }
        }
    }
}

/// # Safety
/// As [`conv_tile`]; `y` points at the first of `OUT` whole output maps.
#[inline(always)]
unsafe fn conv_maps<S: Simd, const OUT: usize>(
    x: *const f32,
    w: *const f32,
    bias: *const f32,
    y: *mut f32,
    s: &ConvShape,
) {
    let (_, padded_width) = s.padded();
    // SAFETY: rows and columns run over the output, whose windows all lie inside the padded maps.
    unsafe {
        for row in 0..s.out_height() {
            let x_row = x.add(row * padded_width * LANES);
            let y_row = y.add(row * s.out_width() * LANES);
            let rows = taps_inside(row, 1, s.height, s);
            let mut column = 0;
            while column < s.out_width() {
                let (x, y) = (x_row.add(column * LANES), y_row.add(column * LANES));
                if column + 2 <= s.out_width() {
                    let columns = taps_inside(column, 2, s.width, s);
                    conv_tile::<S, OUT, 2>(x, w, bias, y, rows, columns, s);
                    column += 2;
                } else {
                    let columns = taps_inside(column, 1, s.width, s);
                    conv_tile::<S, OUT, 1>(x, w, bias, y, rows, columns, s);
                    column += 1;
                }
            }
        }
    }
}

with_simd! {
    /// `y[o] = bias[o] + Σ_c x[c] ⋆ w[o, c]` for every block; `bias` may be empty for none.
    pub fn conv_forward / conv_forward_body(x: &[f32], w: &[f32], bias: &[f32], y: &mut [f32], s: &ConvShape)
}

#[inline(always)]
fn conv_forward_body<S: Simd>(x: &[f32], w: &[f32], bias: &[f32], y: &mut [f32], s: &ConvShape) {
    s.check();
    let in_block = s.in_channels * s.height * s.width * LANES;
    let out_map = s.out_height() * s.out_width() * LANES;
    let weights_per_out = s.in_channels * s.kernel * s.kernel;
    assert_eq!(w.len(), s.out_channels * weights_per_out, "a kernel for every pair of channels");
    assert!(bias.is_empty() || bias.len() == s.out_channels, "a bias for every output channel");
    assert_eq!(x.len() / in_block, y.len() / (s.out_channels * out_map), "as many blocks in as out");
    assert!(x.len().is_multiple_of(in_block) && y.len().is_multiple_of(s.out_channels * out_map), "whole blocks");
    let mut padded = Vec::new();
    for (x, y) in x.chunks_exact(in_block).zip(y.chunks_exact_mut(s.out_channels * out_map)) {
        let x = if s.padding == 0 {
            x
        } else {
            pad_block(x, s.in_channels, s.height, s.width, s.padding, &mut padded);
            &padded
        };
        let mut o = 0;
        while o < s.out_channels {
            // SAFETY: the assertions above tie every pointer to its slice.
            unsafe {
                let w = w.as_ptr().add(o * weights_per_out);
                let bias = if bias.is_empty() { std::ptr::null() } else { bias.as_ptr().add(o) };
                let y = y.as_mut_ptr().add(o * out_map);
                o += match s.out_channels - o {
                    6.. => {
                        conv_maps::<S, 6>(x.as_ptr(), w, bias, y, s);
                        6
                    }
                    4.. => {
                        conv_maps::<S, 4>(x.as_ptr(), w, bias, y, s);
                        4
                    }
                    2.. => {
                        conv_maps::<S, 2>(x.as_ptr(), w, bias, y, s);
                        2
                    }
                    _ => {
                        conv_maps::<S, 1>(x.as_ptr(), w, bias, y, s);
                        1
                    }
                };
            }
        }
    }
}

/// Gradient with respect to the input: the same convolution of `grad` with turned kernels, channels exchanged.
/// `x_grad` is overwritten.
pub fn conv_input_gradient(grad: &[f32], w: &[f32], x_grad: &mut [f32], s: &ConvShape) {
    s.check();
    let k = s.kernel;
    let mut turned = vec![0.0; w.len()];
    for o in 0..s.out_channels {
        for c in 0..s.in_channels {
            for tap in 0..k * k {
                turned[(c * s.out_channels + o) * k * k + (k * k - 1 - tap)] = w[(o * s.in_channels + c) * k * k + tap];
            }
        }
    }
    conv_forward(grad, &turned, &[], x_grad, &s.backward());
}

/// `OUT` output channels × `TAPS` neighbouring taps of one kernel row, summed over one block.
///
/// # Safety
/// `x` points at row `ky`, column `kx` of one padded input map, `g` at the first of `OUT` gradient maps.
#[inline(always)]
unsafe fn conv_weight_tile<S: Simd, const OUT: usize, const TAPS: usize>(
    x: *const f32,
    g: *const f32,
    s: &ConvShape,
) -> [[f32; TAPS]; OUT] {
    let (_, padded_width) = s.padded();
    let out_map = s.out_height() * s.out_width() * LANES;
    // SAFETY: windows of the padded map that fit the output.
    unsafe {
        let mut sums = [[S::splat(0.0); TAPS]; OUT];
        for row in 0..s.out_height() {
            let x_row = x.add(row * padded_width * LANES);
            let g_row = g.add(row * s.out_width() * LANES);
            for column in 0..s.out_width() {
                let pixels: [S; TAPS] = std::array::from_fn(|t| S::load(x_row.add((column + t) * LANES)));
                for (o, row) in sums.iter_mut().enumerate() {
                    let gradient = S::load(g_row.add(o * out_map + column * LANES));
                    for (sum, &pixel) in row.iter_mut().zip(&pixels) {
                        *sum = pixel.mul_add(gradient, *sum);
                    }
                }
            }
        }
        // written out: a closure of `map` would be compiled without the processor's features
        let mut totals = [[0.0; TAPS]; OUT];
        for (totals, row) in totals.iter_mut().zip(&sums) {
            for (total, sum) in totals.iter_mut().zip(row) {
                *total = sum.sum();
            }
        }
        totals
    }
}

with_simd! {
    /// Gradients with respect to kernels and biases, summed over the blocks; overwrites `w_grad` and `bias_grad`.
    pub fn conv_weight_gradient / conv_weight_gradient_body(
        x: &[f32], grad: &[f32], w_grad: &mut [f32], bias_grad: &mut [f32], s: &ConvShape,
    )
}

#[inline(always)]
fn conv_weight_gradient_body<S: Simd>(
    x: &[f32],
    grad: &[f32],
    w_grad: &mut [f32],
    bias_grad: &mut [f32],
    s: &ConvShape,
) {
    s.check();
    let in_block = s.in_channels * s.height * s.width * LANES;
    let out_map = s.out_height() * s.out_width() * LANES;
    let (padded_height, padded_width) = s.padded();
    let weights_per_out = s.in_channels * s.kernel * s.kernel;
    assert_eq!(w_grad.len(), s.out_channels * weights_per_out, "a kernel for every pair of channels");
    assert_eq!(bias_grad.len(), s.out_channels, "a bias for every output channel");
    assert_eq!(x.len() / in_block, grad.len() / (s.out_channels * out_map), "as many blocks in as out");
    w_grad.fill(0.0);
    bias_grad.fill(0.0);
    let mut padded = Vec::new();
    for (x, g) in x.chunks_exact(in_block).zip(grad.chunks_exact(s.out_channels * out_map)) {
        let x = if s.padding == 0 {
            x
        } else {
            pad_block(x, s.in_channels, s.height, s.width, s.padding, &mut padded);
            &padded
        };
        for (o, map) in g.chunks_exact(out_map).enumerate() {
            let mut sum = S::splat(0.0);
            for pixel in map.chunks_exact(LANES) {
                // SAFETY: a chunk is eight floats.
                sum = sum.add(unsafe { S::load(pixel.as_ptr()) });
            }
            bias_grad[o] += sum.sum();
        }
        let mut o = 0;
        while o < s.out_channels {
            let outs = if s.out_channels - o >= 2 { 2 } else { 1 };
            for c in 0..s.in_channels {
                for ky in 0..s.kernel {
                    let mut kx = 0;
                    while kx < s.kernel {
                        let from = ((c * padded_height + ky) * padded_width + kx) * LANES;
                        let to = o * weights_per_out + (c * s.kernel + ky) * s.kernel + kx;
                        // SAFETY: the assertions above tie both pointers to their slices.
                        unsafe {
                            let x = x.as_ptr().add(from);
                            let g = g.as_ptr().add(o * out_map);
                            let mut add = |o: usize, taps: &[f32]| {
                                for (t, value) in taps.iter().enumerate() {
                                    w_grad[to + o * weights_per_out + t] += value;
                                }
                            };
                            kx += match (outs, s.kernel - kx) {
                                (2, 5..) => {
                                    let sums = conv_weight_tile::<S, 2, 5>(x, g, s);
                                    sums.iter().enumerate().for_each(|(o, taps)| add(o, taps));
                                    5
                                }
                                (2, 3..) => {
                                    let sums = conv_weight_tile::<S, 2, 3>(x, g, s);
                                    sums.iter().enumerate().for_each(|(o, taps)| add(o, taps));
                                    3
                                }
                                (2, _) => {
                                    let sums = conv_weight_tile::<S, 2, 1>(x, g, s);
                                    sums.iter().enumerate().for_each(|(o, taps)| add(o, taps));
                                    1
                                }
                                (_, 5..) => {
                                    add(0, &conv_weight_tile::<S, 1, 5>(x, g, s)[0]);
                                    5
                                }
                                _ => {
                                    add(0, &conv_weight_tile::<S, 1, 1>(x, g, s)[0]);
                                    1
                                }
                            };
                        }
                    }
                }
            }
            o += outs;
        }
    }
}
