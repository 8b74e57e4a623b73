//! How a batch lies in memory, and the way in and out of it.

use candle_core::{Device, Result, Tensor};

use super::cpu::operators::with_floats;
use super::cpu::simd::LANES;

/// The shape of one image's activations: maps of a convolution, or `[features, 1, 1]` of a dense layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MapShape {
    pub channels: usize,
    pub height: usize,
    pub width: usize,
}

impl MapShape {
    pub const fn new(channels: usize, height: usize, width: usize) -> Self {
        Self { channels, height, width }
    }
    /// Values of one image.
    pub const fn size(&self) -> usize {
        self.channels * self.height * self.width
    }
}

/// Which operators a pass runs on, and so how its tensors are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operators {
    /// Our kernels on the processor: `[blocks, channels, height, width, 8]`, eight images in the lanes of a vector.
    /// A batch that eight does not divide ends in empty lanes.
    Lanes,
    /// Candle's operators on any device: `[images, channels, height, width]`.
    Stock,
}

impl Operators {
    /// The faster way on this device.
    pub fn for_device(device: &Device) -> Self {
        if device.is_cpu() { Self::Lanes } else { Self::Stock }
    }
}

/// A batch of byte images as a tensor: `value_of[byte]` of every pixel.
pub fn batch<'a>(
    images: impl ExactSizeIterator<Item = &'a [u8]>,
    shape: MapShape,
    value_of: &[f32; 256],
    operators: Operators,
    device: &Device,
) -> Result<Tensor> {
    let (count, size) = (images.len(), shape.size());
    let MapShape { channels, height, width } = shape;
    match operators {
        Operators::Lanes => {
            let blocks = count.div_ceil(LANES);
            let mut values = vec![0.0; blocks * size * LANES];
            for (n, image) in images.enumerate() {
                let block = &mut values[(n / LANES) * size * LANES..][..size * LANES];
                for (out, &byte) in block[n % LANES..].iter_mut().step_by(LANES).zip(image) {
                    *out = value_of[usize::from(byte)];
                }
            }
            Tensor::from_vec(values, (blocks, channels, height, width, LANES), device)
        }
        Operators::Stock => {
            let mut values = Vec::with_capacity(count * size);
            for image in images {
                values.extend(image.iter().map(|&byte| value_of[usize::from(byte)]));
            }
            Tensor::from_vec(values, (count, channels, height, width), device)
        }
    }
}

/// One row an image: `[images · features]` out of a pass's tensor, empty lanes left out.
pub fn rows(tensor: &Tensor, images: usize, operators: Operators) -> Result<Vec<f32>> {
    match operators {
        Operators::Lanes => {
            let blocks = tensor.dims()[0];
            let features = tensor.elem_count() / (blocks * LANES).max(1);
            with_floats(tensor, |values| {
                let mut rows = Vec::with_capacity(images * features);
                for n in 0..images {
                    let first = (n / LANES) * features * LANES + n % LANES;
                    rows.extend((0..features).map(|f| values[first + f * LANES]));
                }
                rows
            })
        }
        Operators::Stock => tensor.flatten_all()?.to_vec1(),
    }
}

/// The activations of one image of a pass, `[channels, height, width]` in row order.
pub fn maps_of_image(tensor: &Tensor, image: usize, operators: Operators) -> Result<Vec<f32>> {
    match operators {
        Operators::Lanes => {
            let features = tensor.elem_count() / (tensor.dims()[0] * LANES);
            let first = (image / LANES) * features * LANES + image % LANES;
            with_floats(tensor, |values| (0..features).map(|f| values[first + f * LANES]).collect())
        }
        Operators::Stock => tensor.get(image)?.flatten_all()?.to_vec1(),
    }
}
