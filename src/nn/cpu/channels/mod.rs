//! Convolution and dense layers for few images: eight channels of one image in the lanes of a vector, serial.
//! Memory order of activations: `[image, channel block, row, column, 8]`, channel c in block c / 8, lane c % 8. Lanes
//! beyond the last channel are never read and always written as zeros. Weights are in row order as everywhere:
//! `[out, in, row, column]` and `[out, in]`.

pub mod convolution;
pub mod dense;
#[cfg(test)]
mod tests;

use super::simd::LANES;

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
