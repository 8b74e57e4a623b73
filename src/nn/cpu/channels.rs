//! Convolution and dense layers for few images: eight channels of one image in the lanes of a vector, serial.
//! Memory order of activations: `[image, channel block, row, column, 8]`, channel c in block c / 8, lane c % 8. Lanes
//! beyond the last channel are never read and always written as zeros. Weights are in row order as everywhere:
//! `[out, in, row, column]` and `[out, in]`.

use super::convolution::ConvShape;
use super::simd::{LANES, Simd, with_simd};

/// Floats of one image.
fn image_floats(channels: usize, height: usize, width: usize) -> usize {
    channels.div_ceil(LANES) * height * width * LANES
}

/// How many images of these sizes the two slices hold; panics unless both hold the same whole number.
fn count_images(x: &[f32], x_image: usize, y: &[f32], y_image: usize) -> usize {
    assert!(x_image > 0 && y_image > 0, "maps have a size");
    assert!(x.len().is_multiple_of(x_image) && y.len().is_multiple_of(y_image), "whole images");
    assert_eq!(x.len() / x_image, y.len() / y_image, "as many images in as out");
    x.len() / x_image
}

/// One plane a channel, with `p` zeros around it: `[images, channels, height + 2p, width + 2p]`. Kernels broadcast single
/// pixels or read features in the order of the weights; both find them side by side here.
fn planes(x: &[f32], channels: usize, height: usize, width: usize, p: usize) -> Vec<f32> {
    let (padded_height, padded_width) = (height + 2 * p, width + 2 * p);
    let padded_map = padded_height * padded_width;
    let in_image = image_floats(channels, height, width);
    let mut out = vec![0.0; x.len() / in_image * channels * padded_map];
    for (image, planes) in x.chunks_exact(in_image).zip(out.chunks_exact_mut(channels * padded_map)) {
        let (pixels, _) = image.as_chunks::<LANES>();
        for c in 0..channels {
            for row in 0..height {
                let from = &pixels[(c / LANES * height + row) * width..][..width];
                let to = &mut planes[c * padded_map + (row + p) * padded_width + p..][..width];
                for (pixel, to) in from.iter().zip(to) {
                    *to = pixel[c % LANES];
                }
            }
        }
    }
    out
}

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
    /// Panics on sizes that no layer accepts: every pointer below relies on them.
    fn new(s: &ConvShape) -> Self {
        assert!(s.in_channels > 0 && s.out_channels > 0 && s.height > 0 && s.width > 0, "maps have a size");
        assert!(s.kernel > 0 && s.padding < s.kernel, "padding is smaller than the kernel");
        let (height, width) = (s.height + 2 * s.padding, s.width + 2 * s.padding);
        assert!(s.kernel <= height && s.kernel <= width, "the kernel fits the padded map");
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
fn conv_forward_body<S: Simd>(x: &[f32], w: &[f32], bias: &[f32], y: &mut [f32], s: &ConvShape) {
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
fn conv_input_gradient_body<S: Simd>(grad: &[f32], w: &[f32], x_grad: &mut [f32], s: &ConvShape) {
    assert!(s.padding < s.kernel, "padding is smaller than the kernel");
    let backward = ConvShape {
        in_channels: s.out_channels,
        out_channels: s.in_channels,
        height: s.out_height(),
        width: s.out_width(),
        kernel: s.kernel,
        padding: s.kernel - 1 - s.padding,
    };
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
fn conv_weight_gradient_body<S: Simd>(
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
fn dense_forward_body<S: Simd>(
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
    let mut sums = sums.map(S::sum);
    for i in whole..x.len() {
        for (sum, row) in sums.iter_mut().zip(&rows) {
            *sum += row[i] * x[i];
        }
    }
    sums
}

with_simd! {
    /// Gradient with respect to the input, `wᵀ grad`; `x_grad` is overwritten. Shapes as those of y, w and x in
    /// [`dense_forward`].
    pub fn dense_input_gradient / dense_input_gradient_body(
        grad: &[f32], w: &[f32], x_grad: &mut [f32], channels: usize, height: usize, width: usize, outputs: usize,
    )
}

#[inline(always)]
fn dense_input_gradient_body<S: Simd>(
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
fn dense_weight_gradient_body<S: Simd>(
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

#[cfg(test)]
mod tests {
    use super::super::simd::Portable;
    use super::*;

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
        check_convolution(
            &ConvShape { in_channels: 6, out_channels: 16, height: 14, width: 14, padding: 0, ..lenet },
            3,
        );
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
}
