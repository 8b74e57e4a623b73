//! The arithmetic of convolutions whose output maps read only some of the input maps, on blocks of eight images, serial:
//! connections that are absent cost nothing. Memory order of activations: `[block, channel, row, column, 8]`; of kernels:
//! `[link, row, column]`.
//!
//! One output map reads few input maps, and its neighbour others, so that a tile cannot share pixels between output maps as
//! dense convolutions do: it shares them between two rows of one map.

use super::convolution::{ConvShape, pad_block, taps_inside};
use super::simd::{LANES, Simd, with_simd};

/// Who reads whom. A link is an input map, an output map and a kernel of its own.
#[derive(Clone, Debug)]
pub struct Links {
    /// For every output map what it reads: (input map, link).
    read: Vec<Vec<(usize, usize)>>,
    count: usize,
}

impl Links {
    /// Links in the order of the table: for every output map the input maps that it reads.
    pub fn new(table: &[&[usize]]) -> Self {
        let mut count = 0;
        let mut of_map = |inputs: &&[usize]| {
            let first = count;
            count += inputs.len();
            inputs.iter().copied().zip(first..).collect()
        };
        Self { read: table.iter().map(&mut of_map).collect(), count }
    }

    /// The same links seen from the input maps: for each of `maps`, (output map, link).
    fn reversed(&self, maps: usize) -> Self {
        let mut read = vec![Vec::new(); maps];
        for (o, inputs) in self.read.iter().enumerate() {
            for &(c, link) in inputs {
                read[c].push((o, link));
            }
        }
        Self { read, count: self.count }
    }

    /// Calls `f(output map, input map, link)` for every link.
    pub fn for_each(&self, mut f: impl FnMut(usize, usize, usize)) {
        for (o, inputs) in self.read.iter().enumerate() {
            for &(c, link) in inputs {
                f(o, c, link);
            }
        }
    }

    /// Panics unless the links join maps of that shape: every pointer below relies on it.
    fn check(&self, s: &ConvShape) {
        s.check();
        assert_eq!(self.read.len(), s.out_channels, "a list of inputs for every output map");
        self.for_each(|_, c, link| assert!(c < s.in_channels && link < self.count, "links join maps that are there"));
    }
}

/// Columns of a tile of one row and of two, at most: as many registers, or twice as many, beside those for weights and a pixel.
const WIDEST_TILES: [usize; 2] = [14, 6];

/// `ROWS` × `COLUMNS` neighbouring pixels of one output map in one block, held in registers. Taps of the columns `columns` of
/// the kernels and, counted from the tile's first row, the input rows `rows`.
///
/// # Safety
/// `x` points at the window's first value in the first padded map, `w` at the first kernel, `y` at the first pixel.
#[inline(always)]
#[allow(clippy::too_many_arguments, reason = "a kernel names its operands and its geometry")]
#[allow(clippy::needless_range_loop, reason = "through slices of both rows the sums would go to memory")]
unsafe fn tile<S: Simd, const ROWS: usize, const COLUMNS: usize>(
    x: *const f32,
    w: *const f32,
    bias: f32,
    y: *mut f32,
    read: &[(usize, usize)],
    rows: (usize, usize),
    columns: (usize, usize),
    s: &ConvShape,
) {
    let (padded_height, padded_width) = s.padded();
    let k = s.kernel;
    // SAFETY: `sparse_forward` has asserted that maps, links and windows lie inside the slices.
    unsafe {
        let mut sums = [[S::splat(bias); COLUMNS]; ROWS];
        for &(c, link) in read {
            let w = w.add(link * k * k);
            for row in rows.0..rows.1 {
                let x_row = x.add((c * padded_height + row) * padded_width * LANES);
                // the first and the last input row meet one output row of two
                let (first, last) = ((row + 1).saturating_sub(k), row.min(ROWS - 1));
                for kx in columns.0..columns.1 {
                    let x = x_row.add(kx * LANES);
                    if ROWS == 2 && first < last {
                        let weights = [S::splat(*w.add(row * k + kx)), S::splat(*w.add((row - 1) * k + kx))];
                        for p in 0..COLUMNS {
                            let pixel = S::load(x.add(p * LANES));
                            sums[0][p] = pixel.mul_add(weights[0], sums[0][p]);
                            sums[ROWS - 1][p] = pixel.mul_add(weights[1], sums[ROWS - 1][p]);
                        }
                    } else {
                        let weight = S::splat(*w.add((row - last) * k + kx));
                        let one = if last == 0 { &mut sums[0] } else { &mut sums[ROWS - 1] };
                        for (p, sum) in one.iter_mut().enumerate() {
                            *sum = S::load(x.add(p * LANES)).mul_add(weight, *sum);
                        }
                    }
                }
            }
        }
        for (row, sums) in sums.iter().enumerate() {
            for (p, sum) in sums.iter().enumerate() {
                sum.store(y.add((row * s.out_width() + p) * LANES));
            }
        }
    }
}

with_simd! {
    /// `y[o] = bias[o] + Σ x[c] ⋆ w[link]` over the links (c, link) of o, for every block: x `[blocks, in, height, width,
    /// 8]`, w `[links, k, k]`, bias `[out]` or empty for none, y `[blocks, out, out height, out width, 8]`.
    pub fn sparse_forward / sparse_forward_body(
        x: &[f32], w: &[f32], bias: &[f32], y: &mut [f32], links: &Links, s: &ConvShape,
    )
}

#[inline(always)]
fn sparse_forward_body<S: Simd>(x: &[f32], w: &[f32], bias: &[f32], y: &mut [f32], links: &Links, s: &ConvShape) {
    links.check(s);
    let in_block = s.in_channels * s.height * s.width * LANES;
    let (out_height, out_width) = (s.out_height(), s.out_width());
    let out_map = out_height * out_width * LANES;
    assert_eq!(w.len(), links.count * s.kernel * s.kernel, "a kernel for every link");
    assert!(bias.is_empty() || bias.len() == s.out_channels, "a bias for every output map");
    assert_eq!(x.len() / in_block, y.len() / (s.out_channels * out_map), "as many blocks in as out");
    assert!(x.len().is_multiple_of(in_block) && y.len().is_multiple_of(s.out_channels * out_map), "whole blocks");
    let (_, padded_width) = s.padded();
    // Two rows share the pixels of all input rows but the first and the last, each of which keeps half of the tile waiting.
    // With padding that pays, as tiles at the edge have fewer input rows and columns; without it, one long row is faster.
    let highest = if s.padding == 0 { 1 } else { 2 };
    // tiles of about the same width
    let widest = out_width.div_ceil(out_width.div_ceil(WIDEST_TILES[highest - 1]));
    let mut padded = Vec::new();
    for (x, y) in x.chunks_exact(in_block).zip(y.chunks_exact_mut(s.out_channels * out_map)) {
        let x = if s.padding == 0 {
            x
        } else {
            pad_block(x, s.in_channels, s.height, s.width, s.padding, &mut padded);
            &padded
        };
        for ((o, read), y) in links.read.iter().enumerate().zip(y.chunks_exact_mut(out_map)) {
            let bias = if bias.is_empty() { 0.0 } else { bias[o] };
            let mut row = 0;
            while row < out_height {
                let high = highest.min(out_height - row);
                // input rows that are more than padding
                let rows = (s.padding.saturating_sub(row), (s.kernel + high - 1).min(s.height + s.padding - row));
                let mut column = 0;
                while column < out_width {
                    let wide = widest.min(out_width - column);
                    let columns = taps_inside(column, wide, s.width, s);
                    // SAFETY: the assertions above tie every pointer to its slice.
                    unsafe {
                        let x = x.as_ptr().add((row * padded_width + column) * LANES);
                        let y = y.as_mut_ptr().add((row * out_width + column) * LANES);
                        let w = w.as_ptr();
                        macro_rules! tiles {
                            ($($high:literal: $($wide:literal)*,)*) => {
                                match (high, wide) {
                                    $($(($high, $wide) => {
                                        tile::<S, $high, $wide>(x, w, bias, y, read, rows, columns, s);
                                    })*)*
                                    _ => unreachable!("no tile is larger than these: {WIDEST_TILES:?}"),
                                }
                            };
                        }
                        tiles!(1: 1 2 3 4 5 6 7 8 9 10 11 12 13 14, 2: 1 2 3 4 5 6,);
                    }
                    column += wide;
                }
                row += high;
            }
        }
    }
}

/// Gradient with respect to the input: every input map gathers, with turned kernels, from the output maps that read it.
/// `x_grad` is overwritten.
pub fn sparse_input_gradient(grad: &[f32], w: &[f32], x_grad: &mut [f32], links: &Links, s: &ConvShape) {
    let mut turned = w.to_vec();
    for kernel in turned.chunks_exact_mut(s.kernel * s.kernel) {
        kernel.reverse();
    }
    sparse_forward(grad, &turned, &[], x_grad, &links.reversed(s.in_channels), &s.backward());
}

/// `TAPS` neighbouring taps of one kernel row of each of `OUT` links from one input map, summed over one block without padding.
///
/// # Safety
/// `x` points at the first of these taps in the input map, every `g` at the gradient of an output map.
#[inline(always)]
unsafe fn weight_tile<S: Simd, const OUT: usize, const TAPS: usize>(
    x: *const f32,
    g: [*const f32; OUT],
    s: &ConvShape,
    mut add: impl FnMut(usize, usize, f32),
) {
    // SAFETY: windows of the map that fit the output.
    unsafe {
        let mut sums = [[S::splat(0.0); TAPS]; OUT];
        for row in 0..s.out_height() {
            let x_row = x.add(row * s.width * LANES);
            let from = row * s.out_width() * LANES;
            for column in 0..s.out_width() {
                let mut gradients = [S::splat(0.0); OUT];
                for (gradient, g) in gradients.iter_mut().zip(&g) {
                    *gradient = S::load(g.add(from + column * LANES));
                }
                for tap in 0..TAPS {
                    let pixel = S::load(x_row.add((column + tap) * LANES));
                    for (sums, &gradient) in sums.iter_mut().zip(&gradients) {
                        sums[tap] = pixel.mul_add(gradient, sums[tap]);
                    }
                }
            }
        }
        for (out, sums) in sums.iter().enumerate() {
            for (tap, sum) in sums.iter().enumerate() {
                add(out, tap, sum.sum());
            }
        }
    }
}

with_simd! {
    /// Gradients with respect to kernels and biases, summed over the blocks; overwrites `w_grad` and `bias_grad`. Shapes as
    /// those of x, y, w and bias in [`sparse_forward`]; without padding.
    pub fn sparse_weight_gradient / sparse_weight_gradient_body(
        x: &[f32], grad: &[f32], w_grad: &mut [f32], bias_grad: &mut [f32], links: &Links, s: &ConvShape,
    )
}

#[inline(always)]
fn sparse_weight_gradient_body<S: Simd>(
    x: &[f32],
    grad: &[f32],
    w_grad: &mut [f32],
    bias_grad: &mut [f32],
    links: &Links,
    s: &ConvShape,
) {
    links.check(s);
    assert_eq!(s.padding, 0, "sparse convolutions have no padding");
    let in_block = s.in_channels * s.height * s.width * LANES;
    let out_map = s.out_height() * s.out_width() * LANES;
    let taps = s.kernel * s.kernel;
    assert_eq!(w_grad.len(), links.count * taps, "a kernel for every link");
    assert_eq!(bias_grad.len(), s.out_channels, "a bias for every output map");
    assert_eq!(x.len() / in_block, grad.len() / (s.out_channels * out_map), "as many blocks in as out");
    assert!(x.len().is_multiple_of(in_block) && grad.len().is_multiple_of(s.out_channels * out_map), "whole blocks");
    w_grad.fill(0.0);
    bias_grad.fill(0.0);
    for (x, g) in x.chunks_exact(in_block).zip(grad.chunks_exact(s.out_channels * out_map)) {
        for (map, bias_grad) in g.chunks_exact(out_map).zip(&mut *bias_grad) {
            let mut sum = S::splat(0.0);
            for pixel in map.chunks_exact(LANES) {
                // SAFETY: a chunk is eight floats.
                sum = sum.add(unsafe { S::load(pixel.as_ptr()) });
            }
            *bias_grad += sum.sum();
        }
        // by input maps, so that two output maps share its pixels
        for (c, readers) in links.reversed(s.in_channels).read.iter().enumerate() {
            for pair in readers.chunks(2) {
                for row in 0..s.kernel {
                    let mut column = 0;
                    while column < s.kernel {
                        let wide = (s.kernel - column).min(5);
                        let mut add = |out: usize, tap: usize, value: f32| {
                            w_grad[(pair[out].1 * s.kernel + row) * s.kernel + column + tap] += value;
                        };
                        // SAFETY: the assertions above tie all pointers to their slices.
                        unsafe {
                            let x = x.as_ptr().add(((c * s.height + row) * s.width + column) * LANES);
                            let g = |out: usize| g.as_ptr().add(pair[out].0 * out_map);
                            macro_rules! tiles {
                                ($($wide:literal)*) => {
                                    match (pair.len(), wide) {
                                        $((1, $wide) => weight_tile::<S, 1, $wide>(x, [g(0)], s, &mut add),)*
                                        $((2, $wide) => weight_tile::<S, 2, $wide>(x, [g(0), g(1)], s, &mut add),)*
                                        _ => unreachable!("no tile has more than 2×5 taps"),
                                    }
                                };
                            }
                            tiles!(1 2 3 4 5);
                        }
                        column += wide;
                    }
                }
            }
        }
    }
}
