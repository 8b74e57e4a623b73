//! A frame of one value around every map, as a Candle operator.

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};

use super::operators::{floats, with_floats};
use super::simd::LANES;
use crate::nn::Lanes;

/// x `[units, maps, height, width, 8]` to `[units, maps, height + 2 by, width + 2 by, 8]`.
pub struct Padding {
    pub lanes: Lanes,
    pub channels: usize,
    pub by: usize,
    pub value: f32,
}

impl Padding {
    /// Calls `f(first float of a row, first float of the same row in the padded maps, floats of the row)`.
    fn for_each_row(&self, dims: &[usize], mut f: impl FnMut(usize, usize, usize)) {
        let (maps, height, width) = (dims[0] * dims[1], dims[2], dims[3]);
        let (padded_height, padded_width) = (height + 2 * self.by, width + 2 * self.by);
        for map in 0..maps {
            for row in 0..height {
                let from = (map * height + row) * width * LANES;
                let to = ((map * padded_height + row + self.by) * padded_width + self.by) * LANES;
                f(from, to, width * LANES);
            }
        }
    }

    /// What surrounds the map of that number within its unit: lanes beyond the last channel stay zero.
    fn frame(&self, map: usize) -> [f32; LANES] {
        match self.lanes {
            Lanes::Images => [self.value; LANES],
            Lanes::Channels => {
                std::array::from_fn(|lane| if map * LANES + lane < self.channels { self.value } else { 0.0 })
            }
        }
    }
}

impl CustomOp1 for Padding {
    fn name(&self) -> &'static str {
        "padding"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let dims = layout.dims();
        let (units, maps, height, width) = (dims[0], dims[1], dims[2] + 2 * self.by, dims[3] + 2 * self.by);
        let x = floats(x, layout)?;
        let mut y = Vec::with_capacity(units * maps * height * width * LANES);
        for map in 0..units * maps {
            let frame = self.frame(map % maps);
            (0..height * width).for_each(|_| y.extend_from_slice(&frame));
        }
        self.for_each_row(dims, |from, to, count| y[to..to + count].copy_from_slice(&x[from..from + count]));
        Ok((CpuStorage::F32(y), (units, maps, height, width, LANES).into()))
    }

    fn bwd(&self, x: &Tensor, _result: &Tensor, gradient: &Tensor) -> Result<Option<Tensor>> {
        let mut x_grad = vec![0.0; x.elem_count()];
        with_floats(gradient, |gradient| {
            self.for_each_row(x.dims(), |from, to, count| {
                x_grad[from..from + count].copy_from_slice(&gradient[to..to + count]);
            });
        })?;
        Ok(Some(Tensor::from_vec(x_grad, x.shape(), x.device())?))
    }
}
