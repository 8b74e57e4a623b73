//! Average and max pooling over windows that tile the map.

use candle_core::{D, Result, Tensor, bail};

use super::cpu::operators::{Pool, PoolKind};
use super::network::{Layer, Pass};
use super::params::ParamSpec;
use super::{MapShape, Operators};

/// The mean of every `size`×`size` window: `[c, h, w]` to `[c, h / size, w / size]`, without parameters.
#[derive(Clone, Copy, Debug)]
pub struct AvgPool {
    pub size: usize,
}

/// The greatest value of every `size`×`size` window: `[c, h, w]` to `[c, h / size, w / size]`. The gradient goes to that
/// value alone, to the first of equal ones.
#[derive(Clone, Copy, Debug)]
pub struct MaxPool {
    pub size: usize,
}

fn output(size: usize, input: MapShape) -> Result<MapShape> {
    if size == 0 || !input.height.is_multiple_of(size) || !input.width.is_multiple_of(size) {
        bail!("pooling windows of {size}×{size} must tile maps of {}×{}", input.height, input.width);
    }
    Ok(MapShape::new(input.channels, input.height / size, input.width / size))
}

impl Layer for AvgPool {
    fn describe(&self) -> String {
        format!("{0}×{0} average pooling", self.size)
    }

    fn output(&self, input: MapShape) -> Result<MapShape> {
        output(self.size, input)
    }

    fn params(&self, _: MapShape) -> Vec<ParamSpec> {
        Vec::new()
    }

    fn forward(&self, x: &Tensor, _: &[Tensor], pass: &mut Pass) -> Result<Tensor> {
        match pass.operators {
            Operators::Lanes => x.apply_op1(Pool { kind: PoolKind::Average, size: self.size }),
            Operators::Stock => x.avg_pool2d(self.size),
        }
    }
}

impl Layer for MaxPool {
    fn describe(&self) -> String {
        format!("{0}×{0} max pooling", self.size)
    }

    fn output(&self, input: MapShape) -> Result<MapShape> {
        output(self.size, input)
    }

    fn params(&self, _: MapShape) -> Vec<ParamSpec> {
        Vec::new()
    }

    fn forward(&self, x: &Tensor, _: &[Tensor], pass: &mut Pass) -> Result<Tensor> {
        match pass.operators {
            Operators::Lanes => x.apply_op1(Pool { kind: PoolKind::Max, size: self.size }),
            // Candle's own max_pool2d passes a wrong gradient back (a quarter of it, or all of it to every tie),
            // so windows become rows and the greatest of each is gathered, whose gradient is exact.
            Operators::Stock => {
                let (n, c, h, w) = x.dims4()?;
                let s = self.size;
                let windows = x
                    .reshape(&[n, c, h / s, s, w / s, s][..])?
                    .permute(&[0, 1, 2, 4, 3, 5][..])?
                    .reshape((n, c, h / s, w / s, s * s))?
                    .contiguous()?;
                let greatest = windows.argmax_keepdim(D::Minus1)?;
                windows.gather(&greatest, D::Minus1)?.squeeze(D::Minus1)
            }
        }
    }
}
