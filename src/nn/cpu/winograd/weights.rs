//! Gradients of kernels: Gᵀ [Σ (A g Aᵀ) ⊙ (Bᵀ d B)] G, summed over tiles, blocks and images.
//! Here lanes of the gradients hold output channels, so that images are summed like tiles and no lanes need summing.

use super::super::convolution::ConvShape;
use super::super::simd::{LANES, Simd, Vector};
use super::tiles::{GROUP, Inputs, Maps, Scratch, Tiles, step};
use super::transforms::{Input, KernelGradient, Square, Values, transform};
use super::{MOST_TAPS, ONE_ONE, POSITIONS, SIDE};

/// Outputs of a tile, at most.
const MOST_OUTPUTS: usize = 16;

/// A g Aᵀ of a group of tiles.
struct Gradients {
    /// `[36][tile of the group][image][output channels in vectors][8]`, `step` floats from position to position.
    values: Scratch,
    step: usize,
    /// Output channels in vectors, the last filled up with zeros.
    vectors: usize,
}

impl Gradients {
    fn new(s: &ConvShape) -> Self {
        let vectors = s.out_channels.div_ceil(LANES);
        let step = step(GROUP * LANES * vectors);
        Self { values: Scratch::new(POSITIONS * step), step, vectors }
    }

    #[inline(always)]
    fn fill<S: Simd, const M: usize>(&mut self, grad: &[f32], s: &ConvShape, tiles: &Tiles, first: usize) {
        let maps = Maps::outputs(s, M);
        let out_map = maps.size();
        // of each output, `[image][8 output channels]`
        let mut pixels = Scratch::new(MOST_OUTPUTS * LANES * LANES);
        for t in 0..GROUP.min(tiles.count - first) {
            let window = tiles.window(first + t, &maps);
            for vector in 0..self.vectors {
                let o = vector * LANES;
                let from = &grad[(window.block * s.out_channels + o) * out_map..];
                let out = LANES.min(s.out_channels - o);
                if !window.whole || out < LANES {
                    pixels.clear();
                }
                for row in 0..window.rows.1 {
                    for column in 0..window.columns.1 {
                        let from = &from[(window.first + row * maps.width + column) * LANES..];
                        // SAFETY: one of M×M squares of 64 floats.
                        unsafe {
                            let to = pixels.as_mut_ptr().add((row * M + column) * LANES * LANES);
                            transpose::<S>(from, out_map, out, to);
                        }
                    }
                }
                for image in 0..LANES {
                    // SAFETY: M×M squares of 64 floats; every image of every tile has its place at every position.
                    unsafe {
                        let from = pixels.as_ptr().add(image * LANES);
                        let from = Square { first: from, row: M * LANES * LANES, column: LANES * LANES };
                        let to = self.values.as_mut_ptr().add(((t * LANES + image) * self.vectors + vector) * LANES);
                        transform::<S, Values, M, SIDE, false>(from, Square::positions(to, self.step));
                    }
                }
            }
        }
    }
}

/// Eight images of `out` maps to `out` channels of eight images.
///
/// # Safety
/// `to` points at 8×8 floats, `out` is at most 8.
#[inline(always)]
unsafe fn transpose<S: Simd>(from: &[f32], out_map: usize, out: usize, to: *mut f32) {
    let mut channels = [S::splat(0.0); LANES];
    for (o, channel) in channels.iter_mut().enumerate().take(out) {
        let images = &from[o * out_map..][..LANES];
        // SAFETY: eight floats.
        *channel = unsafe { S::load(images.as_ptr()) };
    }
    for (i, image) in S::transpose(channels).iter().enumerate() {
        // SAFETY: as the caller promises.
        unsafe { image.store(to.add(i * LANES)) };
    }
}

#[inline(always)]
pub fn weight_gradient<S: Simd, W: Vector, const R: usize, const M: usize>(
    x: &[f32],
    grad: &[f32],
    w_grad: &mut [f32],
    bias_grad: &mut [f32],
    s: &ConvShape,
) {
    let blocks = x.len() / (s.in_channels * s.height * s.width * LANES);
    let tiles = Tiles::new(s, M, blocks);
    let (mut inputs, mut gradients) = (Inputs::new(Maps::inputs(s)), Gradients::new(s));
    let vectors = gradients.vectors;
    // `[36][in][output channels in vectors][8]`
    let sums_step = s.in_channels * vectors * LANES;
    let mut sums = Scratch::zeros(POSITIONS * sums_step);
    let mut bias_sums = Scratch::zeros(vectors * LANES);
    for first in (0..tiles.count).step_by(GROUP) {
        inputs.fill::<S, Input, SIDE>(x, &tiles, first);
        gradients.fill::<S, M>(grad, s, &tiles, first);
        let terms = GROUP.min(tiles.count - first) * LANES;
        for position in 0..POSITIONS {
            // SAFETY: whole positions of all three.
            unsafe {
                let v = inputs.values.as_ptr().add(position * inputs.step);
                let g = gradients.values.as_ptr().add(position * gradients.step);
                let sums = sums.as_mut_ptr().add(position * sums_step);
                all_products::<S, W>(v, g, sums, s.in_channels, vectors, terms);
                if position == ONE_ONE {
                    add_up::<S>(g, bias_sums.as_mut_ptr(), vectors, terms);
                }
            }
        }
    }
    // SAFETY: as many floats as whole vectors of output channels have.
    bias_grad.copy_from_slice(unsafe { std::slice::from_raw_parts(bias_sums.as_ptr(), s.out_channels) });
    for c in 0..s.in_channels {
        for vector in 0..vectors {
            let mut taps = [[0.0; LANES]; MOST_TAPS];
            // SAFETY: one vector of every position; R×R vectors of taps.
            unsafe {
                let sums = sums.as_ptr().add((c * vectors + vector) * LANES);
                let to = Square::map(taps.as_mut_ptr().cast(), R);
                transform::<S, KernelGradient, SIDE, R, false>(Square::positions(sums, sums_step), to);
            }
            for lane in 0..LANES.min(s.out_channels - vector * LANES) {
                let kernel = &mut w_grad[((vector * LANES + lane) * s.in_channels + c) * R * R..][..R * R];
                for (weight, tap) in kernel.iter_mut().zip(&taps) {
                    *weight = tap[lane];
                }
            }
        }
    }
}

/// Adds Σ of inputs × gradients over `terms` images to the sums of all pairs of channels, at one position.
///
/// # Safety
/// `v` points at `[channels][GROUP][8]`, `g` at `[terms][vectors][8]`, `sums` at `[channels][vectors][8]`.
#[inline(always)]
unsafe fn all_products<S: Simd, W: Vector>(
    v: *const f32,
    g: *const f32,
    sums: *mut f32,
    channels: usize,
    vectors: usize,
    terms: usize,
) {
    let wide = W::FLOATS / LANES;
    let mut vector = 0;
    while vector < vectors {
        // SAFETY: `vector` stays below its number, with all vectors of the products.
        unsafe {
            let (g, sums) = (g.add(vector * LANES), sums.add(vector * LANES));
            let left = vectors - vector;
            vector += if left >= 2 * wide {
                columns::<W, 2>(v, g, sums, channels, vectors, terms);
                2 * wide
            } else if left >= wide {
                columns::<W, 1>(v, g, sums, channels, vectors, terms);
                wide
            } else {
                columns::<S, 1>(v, g, sums, channels, vectors, terms);
                1
            };
        }
    }
}

/// The products of all input channels with the first `OUT` vectors.
///
/// # Safety
/// As [`all_products`], from the first of the vectors on.
#[inline(always)]
unsafe fn columns<W: Vector, const OUT: usize>(
    v: *const f32,
    g: *const f32,
    sums: *mut f32,
    channels: usize,
    vectors: usize,
    terms: usize,
) {
    let mut c = 0;
    while c < channels {
        // SAFETY: `c` stays below its number, with all channels of the product.
        unsafe {
            let (v, sums) = (v.add(c * GROUP * LANES), sums.add(c * vectors * LANES));
            // 8 = 4 + 4, because two channels alone keep the processor waiting
            c += match (channels - c, OUT) {
                (6 | 7 | 9.., 2) => product::<W, 6, OUT>(v, g, sums, vectors, terms),
                (8.., 1) => product::<W, 8, OUT>(v, g, sums, vectors, terms),
                (4.., _) => product::<W, 4, OUT>(v, g, sums, vectors, terms),
                (2.., 2) => product::<W, 2, OUT>(v, g, sums, vectors, terms),
                _ => product::<W, 1, OUT>(v, g, sums, vectors, terms),
            };
        }
    }
}

/// `IN` input channels × `OUT` vectors of output channels at one position, held in registers. Returns `IN`.
///
/// # Safety
/// As [`columns`], from the first of the channels on.
#[inline(always)]
unsafe fn product<W: Vector, const IN: usize, const OUT: usize>(
    v: *const f32,
    g: *const f32,
    sums: *mut f32,
    vectors: usize,
    terms: usize,
) -> usize {
    let mut totals = [[W::splat(0.0); OUT]; IN];
    // SAFETY: all offsets stay inside the shapes that the caller promises.
    unsafe {
        for term in 0..terms {
            let mut gradients = [W::splat(0.0); OUT];
            for (o, gradient) in gradients.iter_mut().enumerate() {
                *gradient = W::load(g.add(term * vectors * LANES + o * W::FLOATS));
            }
            for (c, row) in totals.iter_mut().enumerate() {
                let input = W::splat(*v.add(c * GROUP * LANES + term));
                for (total, gradient) in row.iter_mut().zip(&gradients) {
                    *total = gradient.mul_add(input, *total);
                }
            }
        }
        for (c, row) in totals.iter().enumerate() {
            for (o, total) in row.iter().enumerate() {
                let sum = sums.add(c * vectors * LANES + o * W::FLOATS);
                W::load(sum).add(*total).store(sum);
            }
        }
    }
    IN
}

/// Adds `[terms][vectors][8]` up over the terms.
///
/// # Safety
/// `g` points at such values, `sums` at `[vectors][8]`.
#[inline(always)]
unsafe fn add_up<S: Simd>(g: *const f32, sums: *mut f32, vectors: usize, terms: usize) {
    for o in 0..vectors {
        // SAFETY: both inside what the caller promises.
        unsafe {
            let mut total = S::load(sums.add(o * LANES));
            for term in 0..terms {
                total = total.add(S::load(g.add((term * vectors + o) * LANES)));
            }
            total.store(sums.add(o * LANES));
        }
    }
}
