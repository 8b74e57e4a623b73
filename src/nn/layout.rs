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

/// What lies side by side in a vector of our kernels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lanes {
    /// Eight images: `[blocks, channels, height, width, 8]`. A batch that eight does not divide ends in empty lanes.
    Images,
    /// Eight channels of one image: `[images, channels / 8, height, width, 8]`, the last block filled up with zeros. For
    /// one pattern or one drawing, where seven of eight lanes would idle.
    Channels,
}

impl Lanes {
    /// The shape of a batch's tensor.
    pub(super) fn dims(self, images: usize, shape: MapShape) -> (usize, usize, usize, usize, usize) {
        let (units, maps) = match self {
            Self::Images => (images.div_ceil(LANES), shape.channels),
            Self::Channels => (images, shape.channels.div_ceil(LANES)),
        };
        (units, maps, shape.height, shape.width, LANES)
    }

    /// Where a channel of an image begins; from there on its pixels lie eight floats apart.
    pub(super) fn first(self, shape: MapShape, image: usize, channel: usize) -> usize {
        let pixels = shape.height * shape.width;
        match self {
            Self::Images => (image / LANES * shape.channels + channel) * pixels * LANES + image % LANES,
            Self::Channels => {
                let block = image * shape.channels.div_ceil(LANES) + channel / LANES;
                block * pixels * LANES + channel % LANES
            }
        }
    }
}

/// Which operators a pass runs on, and so how its tensors are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operators {
    /// Our kernels on the processor.
    Lanes(Lanes),
    /// Candle's operators on any device: `[images, channels, height, width]`.
    Stock,
}

impl Operators {
    /// The faster way on this device.
    pub fn for_device(device: &Device) -> Self {
        if device.is_cpu() { Self::Lanes(Lanes::Images) } else { Self::Stock }
    }

    /// The faster way for a batch of so many images.
    pub fn for_images(self, images: usize) -> Self {
        match self {
            Self::Stock => Self::Stock,
            // a block of eight images costs about as much as four alone
            Self::Lanes(_) if images <= LANES / 2 => Self::Lanes(Lanes::Channels),
            Self::Lanes(_) => Self::Lanes(Lanes::Images),
        }
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
    let pixels = shape.height * shape.width;
    match operators {
        Operators::Lanes(lanes) => {
            let dims = lanes.dims(count, shape);
            let mut values = vec![0.0; dims.0 * dims.1 * pixels * LANES];
            let images: Vec<&[u8]> = images.collect();
            let mut n = 0;
            if lanes == Lanes::Images {
                // whole blocks vector by vector, which is twice as fast as lane by lane
                for (block, out) in images.chunks_exact(LANES).zip(values.chunks_exact_mut(size * LANES)) {
                    let block: [&[u8]; LANES] = std::array::from_fn(|lane| &block[lane][..size]);
                    for (value, out) in out.chunks_exact_mut(LANES).enumerate() {
                        for lane in 0..LANES {
                            out[lane] = value_of[usize::from(block[lane][value])];
                        }
                    }
                }
                n = images.len() - images.len() % LANES;
            }
            for (n, image) in images.iter().enumerate().skip(n) {
                for (channel, map) in image.chunks_exact(pixels).enumerate() {
                    let out = values[lanes.first(shape, n, channel)..].iter_mut().step_by(LANES);
                    for (out, &byte) in out.zip(map) {
                        *out = value_of[usize::from(byte)];
                    }
                }
            }
            Tensor::from_vec(values, dims, device)
        }
        Operators::Stock => {
            let mut values = Vec::with_capacity(count * size);
            for image in images {
                values.extend(image.iter().map(|&byte| value_of[usize::from(byte)]));
            }
            Tensor::from_vec(values, (count, shape.channels, shape.height, shape.width), device)
        }
    }
}

/// One row an image, channel by channel: `[images · channels · height · width]` out of a pass's tensor, whose maps are of
/// `shape`. Empty lanes are left out.
pub fn rows(tensor: &Tensor, shape: MapShape, images: usize, operators: Operators) -> Result<Vec<f32>> {
    let Operators::Lanes(lanes) = operators else { return tensor.flatten_all()?.to_vec1() };
    let pixels = shape.height * shape.width;
    with_floats(tensor, |values| {
        let mut rows = Vec::with_capacity(images * shape.size());
        for image in 0..images {
            for channel in 0..shape.channels {
                let first = lanes.first(shape, image, channel);
                rows.extend((0..pixels).map(|pixel| values[first + pixel * LANES]));
            }
        }
        rows
    })
}

/// The way back from [`rows`]: a pass's tensor of the same values. Empty lanes hold zeros.
pub(super) fn from_rows(
    rows: Vec<f32>,
    shape: MapShape,
    images: usize,
    operators: Operators,
    device: &Device,
) -> Result<Tensor> {
    let Operators::Lanes(lanes) = operators else {
        return Tensor::from_vec(rows, (images, shape.channels, shape.height, shape.width), device);
    };
    let pixels = shape.height * shape.width;
    let dims = lanes.dims(images, shape);
    let mut values = vec![0.0; dims.0 * dims.1 * pixels * LANES];
    for (map, from) in rows.chunks_exact(pixels).enumerate() {
        let to = values[lanes.first(shape, map / shape.channels, map % shape.channels)..].iter_mut().step_by(LANES);
        to.zip(from).for_each(|(to, from)| *to = *from);
    }
    Tensor::from_vec(values, dims, device)
}
