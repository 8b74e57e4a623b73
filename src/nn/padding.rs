//! A frame of one value around every map.

use candle_core::{Result, Tensor, bail};

use super::cpu::padding::Padding;
use super::network::{Layer, LayerParams, Pass};
use super::params::ParamSpec;
use super::{Curvature, Evaluated, MapShape, Operators};

/// Maps `[c, h, w]` to `[c, h + 2 by, w + 2 by]`: `by` pixels of `value` on every side, without parameters. What a
/// convolution pads with is always zero; where paper is another number, the frame is paper only with this layer.
#[derive(Clone, Copy, Debug)]
pub struct Pad2d {
    /// Maps that come in: with channels in the lanes of a vector, a batch does not tell which lanes are empty.
    pub channels: usize,
    pub by: usize,
    pub value: f32,
}

impl Layer for Pad2d {
    fn describe(&self) -> String {
        format!("a frame of {} pixels of {}", self.by, self.value)
    }

    fn output(&self, input: MapShape) -> Result<MapShape> {
        if input.channels != self.channels {
            bail!("padding for {} maps, got {}", self.channels, input.channels);
        }
        Ok(MapShape::new(input.channels, input.height + 2 * self.by, input.width + 2 * self.by))
    }

    fn params(&self, _: MapShape) -> Vec<ParamSpec> {
        Vec::new()
    }

    fn forward(&self, x: &Tensor, _: LayerParams<'_>, pass: &mut Pass) -> Result<Tensor> {
        let Self { channels, by, value } = *self;
        match pass.operators {
            Operators::Lanes(lanes) => x.apply_op1(Padding { lanes, channels, by, value }),
            Operators::Stock => {
                let pad = |x: &Tensor| x.pad_with_zeros(2, by, by)?.pad_with_zeros(3, by, by);
                let (_, _, height, width) = x.dims4()?;
                let inside = pad(&Tensor::ones((1, 1, height, width), x.dtype(), x.device())?)?;
                // value outside, 0 inside
                let frame = inside.affine(-f64::from(value), f64::from(value))?;
                pad(x)?.broadcast_add(&frame)
            }
        }
    }

    fn curvature(&self, at: Evaluated<'_>, of_result: &Tensor) -> Result<Option<Curvature>> {
        at.of_linear(self, of_result).map(Some)
    }
}
