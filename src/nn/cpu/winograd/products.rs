//! Products over channels at the points, for a group of tiles and a few output channels at a time: outputs
//! Aᵀ [Σ_c (G w Gᵀ) ⊙ (Bᵀ d B)] A, and gradients of the input by the transposed maps, B [Σ_o (G w Gᵀ) ⊙ (A g Aᵀ)] Bᵀ,
//! which overlap and are added up.

use std::ops::Range;

use super::super::simd::{LANES, Simd, Vector};
use super::tiles::{GROUP, Inputs, Maps, Scratch, Tiles, copy};
use super::transforms::{Kernel, Square, Transform, transform};
use super::{MOST_TAPS, ONE_ONE, POSITIONS, SIDE};

/// Most output channels of one product.
const MOST_OUT: usize = 8;

/// The kernels of `out` output channels, from `first` on, at the points.
struct Kernels {
    first: usize,
    out: usize,
    /// `[36][channel][out]`, `step` floats from position to position.
    values: Scratch,
    step: usize,
}

impl Kernels {
    /// Eight pairs of channels in the lanes of a vector. The kernel that takes channel c to channel o is number
    /// `o * strides.0 + c * strides.1` of `w`.
    #[inline(always)]
    fn new<S: Simd, const R: usize>(w: &[f32], channels: usize, to: Range<usize>, strides: (usize, usize)) -> Self {
        let (first, out) = (to.start, to.len());
        let pairs = channels * out;
        let step = pairs.next_multiple_of(LANES);
        let mut values = Scratch::new(POSITIONS * step);
        for at in (0..pairs).step_by(LANES) {
            let mut taps = [0.0; MOST_TAPS * LANES];
            for lane in 0..LANES.min(pairs - at) {
                let (c, o) = ((at + lane) / out, first + (at + lane) % out);
                let kernel = &w[(o * strides.0 + c * strides.1) * R * R..][..R * R];
                for (tap, weight) in kernel.iter().enumerate() {
                    taps[tap * LANES + lane] = *weight;
                }
            }
            // SAFETY: R×R vectors of taps; eight floats from `at` on at every position, since `step` is rounded up.
            unsafe {
                let to = Square::positions(values.as_mut_ptr().add(at), step);
                transform::<S, Kernel, R, SIDE, false>(Square::map(taps.as_ptr(), R), to);
            }
        }
        Self { first, out, values, step }
    }
}

/// `to` = bias + the convolution of `from`; or, going `BACK`, the gradient `from` of its outputs taken to that of its
/// inputs, added to `to`. Either way each tile goes to the points by `F`, through the product, and on by `T`.
#[inline(always)]
pub fn convolve<
    S: Simd,
    W: Vector,
    F: Transform<FROM, SIDE>,
    T: Transform<SIDE, TO>,
    const R: usize,
    const FROM: usize,
    const TO: usize,
    const BACK: bool,
>(
    from: (&[f32], Maps),
    w: &[f32],
    bias: &[f32],
    to: (&mut [f32], Maps),
    tiles: &Tiles,
) {
    let (x, maps) = from;
    let (y, out_maps) = to;
    let strides = if BACK { (1, out_maps.channels) } else { (maps.channels, 1) };
    let mut kernels = Vec::new();
    let wide = W::FLOATS > LANES;
    let mut o = 0;
    while o < out_maps.channels {
        // as many as there are registers for; 8 = 4 + 4, because two channels alone keep the processor waiting
        let out = match out_maps.channels - o {
            8.. if wide => 8,
            6 | 7 | 9.. if !wide => 6,
            4.. => 4,
            2.. => 2,
            _ => 1,
        };
        kernels.push(Kernels::new::<S, R>(w, maps.channels, o..o + out, strides));
        o += out;
    }
    let mut inputs = Inputs::new(maps);
    let mut products = Scratch::new(POSITIONS * MOST_OUT * GROUP * LANES);
    for first in (0..tiles.count).step_by(GROUP) {
        inputs.fill::<S, F, FROM>(x, tiles, first);
        let group = GROUP.min(tiles.count - first);
        for kernels in &kernels {
            let bias = if bias.is_empty() { &[0.0; MOST_OUT] } else { &bias[kernels.first..] };
            match (kernels.out, wide) {
                (8, _) => all_products::<W, 8, 3>(&inputs, kernels, bias, &mut products, group),
                (6, _) => all_products::<W, 6, 2>(&inputs, kernels, bias, &mut products, group),
                (4, true) => all_products::<W, 4, 3>(&inputs, kernels, bias, &mut products, group),
                (4, false) => all_products::<W, 4, 2>(&inputs, kernels, bias, &mut products, group),
                (2, _) => all_products::<W, 2, 3>(&inputs, kernels, bias, &mut products, group),
                (_, true) => all_products::<W, 1, 3>(&inputs, kernels, bias, &mut products, group),
                (_, false) => all_products::<W, 1, GROUP>(&inputs, kernels, bias, &mut products, group),
            }
            let step = kernels.out * GROUP * LANES;
            for o in 0..kernels.out {
                for t in 0..group {
                    let window = tiles.window(first + t, &out_maps);
                    let map = (window.block * out_maps.channels + kernels.first + o) * out_maps.size();
                    // SAFETY: `check` has tied `y` to the shape, and a window lies inside its map and its square.
                    unsafe {
                        let products = products.as_ptr().add((o * GROUP + t) * LANES);
                        let products = Square::positions(products, step);
                        let to = Square::map(y.as_mut_ptr().add(map + window.first * LANES), out_maps.width);
                        if window.whole {
                            transform::<S, T, SIDE, TO, BACK>(products, to);
                        } else {
                            let mut square = [[[0.0; LANES]; TO]; TO];
                            let square = square.as_mut_ptr().cast();
                            transform::<S, T, SIDE, TO, false>(products, Square::map(square, TO));
                            let inside = window.in_square(square, TO);
                            copy::<S, BACK>(inside.read_only(), to, &window);
                        }
                    }
                }
            }
        }
    }
}

/// Fills `[36][OUT][GROUP][8]` with Σ_c of kernels × inputs, `VECTORS` of the group's at a time; the bias goes where it
/// reaches every output of the tile.
#[inline(always)]
fn all_products<W: Vector, const OUT: usize, const VECTORS: usize>(
    inputs: &Inputs,
    kernels: &Kernels,
    bias: &[f32],
    products: &mut Scratch,
    group: usize,
) {
    let channels = inputs.maps.channels;
    for position in 0..POSITIONS {
        let mut start = [0.0; OUT];
        if position == ONE_ONE {
            start.copy_from_slice(&bias[..OUT]);
        }
        for t in (0..group).step_by(VECTORS * W::FLOATS / LANES) {
            // SAFETY: whole positions of all three; the tiles of `VECTORS` divide `GROUP`.
            unsafe {
                let v = inputs.values.as_ptr().add(position * inputs.step + t * LANES);
                let u = kernels.values.as_ptr().add(position * kernels.step);
                let m = products.as_mut_ptr().add((position * OUT * GROUP + t) * LANES);
                product::<W, OUT, VECTORS>(v, u, m, &start, channels);
            }
        }
    }
}

/// `OUT` output channels × `VECTORS` vectors of tiles at one position, held in registers.
///
/// # Safety
/// `v` points at the first tile in `[channels][GROUP][8]`, `u` at `[channels][OUT]`, `m` at the first tile in
/// `[OUT][GROUP][8]`.
#[inline(always)]
unsafe fn product<W: Vector, const OUT: usize, const VECTORS: usize>(
    v: *const f32,
    u: *const f32,
    m: *mut f32,
    start: &[f32; OUT],
    channels: usize,
) {
    let mut sums = [[W::splat(0.0); VECTORS]; OUT];
    for (row, start) in sums.iter_mut().zip(start) {
        *row = [W::splat(*start); VECTORS];
    }
    // SAFETY: all offsets stay inside the shapes above.
    unsafe {
        for c in 0..channels {
            let mut values = [W::splat(0.0); VECTORS];
            for (t, value) in values.iter_mut().enumerate() {
                *value = W::load(v.add(c * GROUP * LANES + t * W::FLOATS));
            }
            for (o, row) in sums.iter_mut().enumerate() {
                let weight = W::splat(*u.add(c * OUT + o));
                for (sum, value) in row.iter_mut().zip(&values) {
                    *sum = value.mul_add(weight, *sum);
                }
            }
        }
        for (o, row) in sums.iter().enumerate() {
            for (t, sum) in row.iter().enumerate() {
                sum.store(m.add(o * GROUP * LANES + t * W::FLOATS));
            }
        }
    }
}
