//! Convolution with eight channels of one image in the lanes.

use super::{count_images, image_floats, planes};
use crate::nn::cpu::convolution::ConvShape;
use crate::nn::cpu::simd::{LANES, Simd, with_simd};

/// The place of a weight in row order.
fn place(s: &ConvShape, o: usize, c: usize, tap: usize) -> usize {
    (o * s.in_channels + c) * s.kernel * s.kernel + tap
}

/// What the kernels need to know of a convolution besides its shape.
struct Plan {
    padded_width: usize,
    /// Floats of one image as planes.
    in_image: usize,
    /// Floats of one block of output maps.
    out_block: usize,
    out_blocks: usize,
    /// Where each tap lies in an image's planes, from the window's first pixel on. The order is row, column, channel of
    /// the kernel, so that leaving out rows of the kernel leaves one range.
    taps: Vec<usize>,
}

impl Plan {
    fn new(s: &ConvShape) -> Self {
        s.check();
        let (height, width) = s.padded();
        let mut taps = Vec::with_capacity(s.kernel * s.kernel * s.in_channels);
        for ky in 0..s.kernel {
            for kx in 0..s.kernel {
                taps.extend((0..s.in_channels).map(|c| (c * height + ky) * width + kx));
            }
        }
        Self {
            padded_width: width,
            in_image: s.in_channels * height * width,
            out_block: s.out_height() * s.out_width() * LANES,
            out_blocks: s.out_channels.div_ceil(LANES),
            taps,
        }
    }

    /// Calls `f(place in packed weights, out, in, tap)` for every weight. Packed means `[out block, taps, 8]`.
    #[inline(always)]
    fn for_each_weight(s: &ConvShape, mut f: impl FnMut(usize, usize, usize, usize)) {
        let taps = s.kernel * s.kernel;
        for o in 0..s.out_channels {
            for c in 0..s.in_channels {
                for tap in 0..taps {
                    f(((o / LANES * taps + tap) * s.in_channels + c) * LANES + o % LANES, o, c, tap);
                }
            }
        }
    }

    /// Zeros for packed weights.
    fn packed(&self) -> Vec<f32> {
        vec![0.0; self.out_blocks * self.taps.len() * LANES]
    }
}

with_simd! {
    /// `y[o] = bias[o] + Σ_c x[c] ⋆ w[o, c]` for every image: x `[images, in / 8, height, width, 8]`, w `[out, in, k, k]`,
    /// bias `[out]`, y `[images, out / 8, out height, out width, 8]`.
    pub fn conv_forward / conv_forward_body(x: &[f32], w: &[f32], bias: &[f32], y: &mut [f32], s: &ConvShape)
}

#[inline(always)]
pub(super) fn conv_forward_body<S: Simd>(x: &[f32], w: &[f32], bias: &[f32], y: &mut [f32], s: &ConvShape) {
    let plan = Plan::new(s);
    assert_eq!(w.len(), s.out_channels * plan.taps.len(), "a kernel for every pair of channels");
    assert_eq!(bias.len(), s.out_channels, "a bias for every output channel");
    let mut packed = plan.packed();
    Plan::for_each_weight(s, |at, o, c, tap| packed[at] = w[place(s, o, c, tap)]);
    correlate::<S>(x, &packed, bias, y, s, &plan);
}

with_simd! {
    /// Gradient with respect to the input: the convolution of `grad` with turned kernels, channels exchanged.
    /// `x_grad` is overwritten. Shapes as those of y, w and x in [`conv_forward`].
    pub fn conv_input_gradient / conv_input_gradient_body(grad: &[f32], w: &[f32], x_grad: &mut [f32], s: &ConvShape)
}

#[inline(always)]
pub(super) fn conv_input_gradient_body<S: Simd>(grad: &[f32], w: &[f32], x_grad: &mut [f32], s: &ConvShape) {
    let backward = s.backward();
    let plan = Plan::new(&backward);
    assert_eq!(w.len(), s.in_channels * plan.taps.len(), "a kernel for every pair of channels");
    let mut packed = plan.packed();
    let last = s.kernel * s.kernel - 1;
    Plan::for_each_weight(&backward, |at, c, o, tap| packed[at] = w[place(s, o, c, last - tap)]);
    correlate::<S>(grad, &packed, &vec![0.0; s.in_channels], x_grad, &backward, &plan);
}

/// The forward pass with packed weights.
#[inline(always)]
fn correlate<S: Simd>(x: &[f32], packed: &[f32], bias: &[f32], y: &mut [f32], s: &ConvShape, plan: &Plan) {
    let out_image = plan.out_blocks * plan.out_block;
    count_images(x, image_floats(s.in_channels, s.height, s.width), y, out_image);
    assert_eq!(packed.len(), plan.out_blocks * plan.taps.len() * LANES, "packed weights");
    let mut lanes = vec![0.0; plan.out_blocks * LANES];
    lanes[..bias.len()].copy_from_slice(bias);
    let planes = planes(x, s.in_channels, s.height, s.width, s.padding);
    for (x, y) in planes.chunks_exact(plan.in_image).zip(y.chunks_exact_mut(out_image)) {
        let mut block = 0;
        while block < plan.out_blocks {
            let w = &packed[block * plan.taps.len() * LANES..];
            let (bias, y) = (&lanes[block * LANES..], &mut y[block * plan.out_block..]);
            if block + 2 <= plan.out_blocks {
                conv_maps::<S, 2>(x, w, bias, y, s, plan);
                block += 2;
            } else {
                conv_maps::<S, 1>(x, w, bias, y, s, plan);
                block += 1;
            }
        }
    }
}

/// `BLOCKS` blocks of output maps of one image.
#[inline(always)]
fn conv_maps<S: Simd, const BLOCKS: usize>(
    x: &[f32],
    w: &[f32],
    bias: &[f32],
    y: &mut [f32],
    s: &ConvShape,
    plan: &Plan,
) {
    assert!(x.len() == plan.in_image && w.len() >= BLOCKS * plan.taps.len() * LANES, "planes and weights");
    assert!(bias.len() >= BLOCKS * LANES && y.len() >= BLOCKS * plan.out_block, "biases and maps");
    let taps_per_row = s.kernel * s.in_channels;
    for row in 0..s.out_height() {
        // rows of the kernel that lie on the map, not on the zeros around it
        let from = s.padding.saturating_sub(row) * taps_per_row;
        let to = s.kernel.min(s.height + s.padding - row) * taps_per_row;
        let taps = &plan.taps[from..to];
        // tiles of about equal width: a narrow one at the end would wait for its own sums
        let mut tiles = s.out_width().div_ceil(WIDEST / BLOCKS);
        let mut column = 0;
        while tiles > 0 {
            let columns = (s.out_width() - column).div_ceil(tiles);
            // SAFETY: the tile's windows lie inside the padded planes, its pixels inside the output maps.
            unsafe {
                let x = x.as_ptr().add(row * plan.padded_width + column);
                let w = w.as_ptr().add(from * LANES);
                let y = y.as_mut_ptr().add((row * s.out_width() + column) * LANES);
                macro_rules! tile {
                    ($($columns:literal)*) => {
                        match columns {
                            $($columns => conv_tile::<S, BLOCKS, $columns>(x, taps, w, bias.as_ptr(), y, plan),)*
                            _ => unreachable!("no tile is wider"),
                        }
                    };
                }
                if BLOCKS == 1 { tile!(1 2 3 4 5 6 7 8 9 10 11 12) } else { tile!(1 2 3 4 5 6) }
            }
            column += columns;
            tiles -= 1;
        }
    }
}

/// Pixels of the widest tile of one block, as many as there are registers to sum in.
const WIDEST: usize = 12;

/// `BLOCKS` blocks of output channels × `COLUMNS` neighbouring pixels, held in registers.
///
/// # Safety
/// `x` points at the first pixel of the first window in padded planes, `w` at the first of `taps` in packed weights,
/// `bias` at eight biases a block, `y` at the first output.
#[inline(always)]
unsafe fn conv_tile<S: Simd, const BLOCKS: usize, const COLUMNS: usize>(
    x: *const f32,
    taps: &[usize],
    w: *const f32,
    bias: *const f32,
    y: *mut f32,
    plan: &Plan,
) {
    // SAFETY: all offsets below stay inside the shapes that `conv_maps` has asserted.
    unsafe {
        let mut sums = [[S::splat(0.0); COLUMNS]; BLOCKS];
        for (b, row) in sums.iter_mut().enumerate() {
            *row = [S::load(bias.add(b * LANES)); COLUMNS];
        }
        let w_block = plan.taps.len() * LANES;
        for (t, &tap) in taps.iter().enumerate() {
            let weights: [S; BLOCKS] = std::array::from_fn(|b| S::load(w.add(b * w_block + t * LANES)));
            for p in 0..COLUMNS {
                let pixel = S::splat(*x.add(tap + p));
                for (row, &weight) in sums.iter_mut().zip(&weights) {
                    row[p] = pixel.mul_add(weight, row[p]);
                }
            }
        }
        for (b, row) in sums.iter().enumerate() {
            for (p, sum) in row.iter().enumerate() {
                sum.store(y.add(b * plan.out_block + p * LANES));
            }
        }
    }
}

with_simd! {
    /// Gradients with respect to kernels and biases, summed over the images; `w_grad` and `bias_grad` are overwritten.
    /// Shapes as those of x, y, w and bias in [`conv_forward`].
    pub fn conv_weight_gradient / conv_weight_gradient_body(
        x: &[f32], grad: &[f32], w_grad: &mut [f32], bias_grad: &mut [f32], s: &ConvShape,
    )
}

#[inline(always)]
pub(super) fn conv_weight_gradient_body<S: Simd>(
    x: &[f32],
    grad: &[f32],
    w_grad: &mut [f32],
    bias_grad: &mut [f32],
    s: &ConvShape,
) {
    let plan = Plan::new(s);
    assert_eq!(w_grad.len(), s.out_channels * plan.taps.len(), "a kernel for every pair of channels");
    assert_eq!(bias_grad.len(), s.out_channels, "a bias for every output channel");
    let out_image = plan.out_blocks * plan.out_block;
    count_images(x, image_floats(s.in_channels, s.height, s.width), grad, out_image);
    let planes = planes(x, s.in_channels, s.height, s.width, s.padding);
    let mut packed = plan.packed();
    let mut block = 0;
    while block < plan.out_blocks {
        if block + 2 <= plan.out_blocks {
            conv_weight_blocks::<S, 2, 6>(&planes, grad, &mut packed, block, s, &plan);
            block += 2;
        } else {
            conv_weight_blocks::<S, 1, 9>(&planes, grad, &mut packed, block, s, &plan);
            block += 1;
        }
    }
    Plan::for_each_weight(s, |at, o, c, tap| w_grad[place(s, o, c, tap)] = packed[at]);

    bias_grad.fill(0.0);
    for (at, map) in grad.chunks_exact(plan.out_block).enumerate() {
        // four sums, for one would wait for itself at every pixel
        let mut sums = [[0f32; LANES]; 4];
        for pixels in map.chunks(4 * LANES) {
            for (sum, pixel) in sums.iter_mut().zip(pixels.as_chunks::<LANES>().0) {
                for (sum, value) in sum.iter_mut().zip(pixel) {
                    *sum += value;
                }
            }
        }
        let channels = &mut bias_grad[at % plan.out_blocks * LANES..];
        for (lane, bias) in channels.iter_mut().take(LANES).enumerate() {
            *bias += (sums[0][lane] + sums[1][lane]) + (sums[2][lane] + sums[3][lane]);
        }
    }
}

/// All taps of `BLOCKS` blocks of output channels from `block` on, `TAPS` at a time.
#[inline(always)]
fn conv_weight_blocks<S: Simd, const BLOCKS: usize, const TAPS: usize>(
    planes: &[f32],
    grad: &[f32],
    packed: &mut [f32],
    block: usize,
    s: &ConvShape,
    plan: &Plan,
) {
    assert!(block + BLOCKS <= plan.out_blocks, "blocks of this layer");
    let images = planes.len() / plan.in_image;
    assert_eq!(grad.len(), images * plan.out_blocks * plan.out_block, "as many images in as out");
    let last = plan.taps.len() - 1;
    for tap in (0..=last).step_by(TAPS) {
        // the last tile repeats the last tap in place of those that it lacks
        let taps: [usize; TAPS] = std::array::from_fn(|t| plan.taps[(tap + t).min(last)]);
        let mut sums = [[S::splat(0.0); TAPS]; BLOCKS];
        for image in 0..images {
            for row in 0..s.out_height() {
                // SAFETY: windows of the padded planes, and pixels of the output maps, of an image that both have.
                unsafe {
                    let x = planes.as_ptr().add(image * plan.in_image + row * plan.padded_width);
                    let x: [*const f32; TAPS] = std::array::from_fn(|t| x.add(taps[t]));
                    let map = (image * plan.out_blocks + block) * plan.out_block;
                    let g = grad.as_ptr().add(map + row * s.out_width() * LANES);
                    for column in 0..s.out_width() {
                        let gradients: [S; BLOCKS] =
                            std::array::from_fn(|b| S::load(g.add(b * plan.out_block + column * LANES)));
                        for t in 0..TAPS {
                            let pixel = S::splat(*x[t].add(column));
                            for (row, &gradient) in sums.iter_mut().zip(&gradients) {
                                row[t] = pixel.mul_add(gradient, row[t]);
                            }
                        }
                    }
                }
            }
        }
        for (b, row) in sums.iter().enumerate() {
            let to = &mut packed[((block + b) * plan.taps.len() + tap) * LANES..][..TAPS.min(last + 1 - tap) * LANES];
            for (sum, to) in row.iter().zip(to.chunks_exact_mut(LANES)) {
                // SAFETY: a chunk is eight floats.
                unsafe { sum.store(to.as_mut_ptr()) };
            }
        }
    }
}
