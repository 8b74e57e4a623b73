//! The arithmetic of convolutions whose output maps read only some of the input maps, on blocks of eight images, serial:
//! connections that are absent cost nothing. Memory order of activations: `[block, channel, row, column, 8]`; of kernels:
//! `[link, row, column]`.
//!
//! One output map reads few input maps, and its neighbour others, so that a tile cannot share pixels between output maps as
//! dense convolutions do; it is one map high and as many pixels wide as the registers hold.

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

/// Pixels of a tile, at most: one register each, beside one for a weight.
const WIDEST_TILE: usize = 14;

/// `COLUMNS` neighbouring pixels of one output map in one block, held in registers; taps `rows` × `columns` of the kernels.
///
/// # Safety
/// `x` points at the window's first value in the first padded map, `w` at the first kernel, `y` at the first pixel.
#[inline(always)]
#[allow(clippy::too_many_arguments, reason = "a kernel names its operands and its geometry")]
unsafe fn tile<S: Simd, const COLUMNS: usize>(
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
    // SAFETY: `correlate` has asserted that maps, links and windows lie inside the slices.
    unsafe {
        let mut sums = [S::splat(bias); COLUMNS];
        for &(c, link) in read {
            for ky in rows.0..rows.1 {
                let x_row = x.add((c * padded_height + ky) * padded_width * LANES);
                let w_row = w.add((link * s.kernel + ky) * s.kernel);
                for kx in columns.0..columns.1 {
                    let weight = S::splat(*w_row.add(kx));
                    let x = x_row.add(kx * LANES);
                    for (p, sum) in sums.iter_mut().enumerate() {
                        *sum = S::load(x.add(p * LANES)).mul_add(weight, *sum);
                    }
                }
            }
        }
        for (p, sum) in sums.iter().enumerate() {
            sum.store(y.add(p * LANES));
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
    // tiles of about one width
    let widest = out_width.div_ceil(out_width.div_ceil(WIDEST_TILE));
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
            for row in 0..out_height {
                let rows = taps_inside(row, 1, s.height, s);
                let mut column = 0;
                while column < out_width {
                    let count = widest.min(out_width - column);
                    let columns = taps_inside(column, count, s.width, s);
                    // SAFETY: the assertions above tie every pointer to its slice.
                    unsafe {
                        let x = x.as_ptr().add((row * padded_width + column) * LANES);
                        let y = y.as_mut_ptr().add((row * out_width + column) * LANES);
                        macro_rules! tiles {
                            ($($count:literal)*) => {
                                match count {
                                    $($count => tile::<S, $count>(x, w.as_ptr(), bias, y, read, rows, columns, s),)*
                                    _ => unreachable!("no tile is wider than {WIDEST_TILE}"),
                                }
                            };
                        }
                        tiles!(1 2 3 4 5 6 7 8 9 10 11 12 13 14);
                    }
                    column += count;
                }
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

/// `ROWS` × `TAPS` neighbouring taps of one kernel, summed over one block without padding.
///
/// # Safety
/// `x` points at the first of these taps in an input map, `g` at the gradient of the output map.
#[inline(always)]
unsafe fn weight_tile<S: Simd, const ROWS: usize, const TAPS: usize>(
    x: *const f32,
    g: *const f32,
    s: &ConvShape,
    mut add: impl FnMut(usize, usize, f32),
) {
    // SAFETY: windows of the map that fit the output.
    unsafe {
        let mut sums = [[S::splat(0.0); TAPS]; ROWS];
        for row in 0..s.out_height() {
            let x_row = x.add(row * s.width * LANES);
            let g_row = g.add(row * s.out_width() * LANES);
            for column in 0..s.out_width() {
                let gradient = S::load(g_row.add(column * LANES));
                for (ky, sums) in sums.iter_mut().enumerate() {
                    let x = x_row.add((ky * s.width + column) * LANES);
                    for (kx, sum) in sums.iter_mut().enumerate() {
                        *sum = S::load(x.add(kx * LANES)).mul_add(gradient, *sum);
                    }
                }
            }
        }
        for (ky, sums) in sums.iter().enumerate() {
            for (kx, sum) in sums.iter().enumerate() {
                add(ky, kx, sum.sum());
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
        for (o, read) in links.read.iter().enumerate() {
            for &(c, link) in read {
                let w_grad = &mut w_grad[link * taps..][..taps];
                let mut ky = 0;
                while ky < s.kernel {
                    let rows = (s.kernel - ky).min(3);
                    let mut kx = 0;
                    while kx < s.kernel {
                        let columns = (s.kernel - kx).min(5);
                        let mut add = |row: usize, column: usize, value: f32| {
                            w_grad[(ky + row) * s.kernel + kx + column] += value;
                        };
                        // SAFETY: the assertions above tie both pointers to their slices.
                        unsafe {
                            let x = x.as_ptr().add(((c * s.height + ky) * s.width + kx) * LANES);
                            let g = g.as_ptr().add(o * out_map);
                            macro_rules! tiles {
                                ($($rows:literal $columns:literal,)*) => {
                                    match (rows, columns) {
                                        $(($rows, $columns) => weight_tile::<S, $rows, $columns>(x, g, s, &mut add),)*
                                        _ => unreachable!("no tile has more than 3×5 taps"),
                                    }
                                };
                            }
                            tiles!(3 5, 3 4, 3 3, 3 2, 3 1, 2 5, 2 4, 2 3, 2 2, 2 1, 1 5, 1 4, 1 3, 1 2, 1 1,);
                        }
                        kx += columns;
                    }
                    ky += rows;
                }
            }
        }
    }
}
