//! Average and max pooling over windows that tile the map.

use candle_core::{D, Result, Tensor, bail};

use super::network::{Layer, LayerParams, Pass};
use super::params::ParamSpec;
use super::{Curvature, Evaluated, MapShape, Operators};

/// Which value stands for a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PoolKind {
    /// The mean of the window.
    Average,
    /// The greatest value; the first of equal ones receives the whole gradient.
    Max,
}

/// One value for every `size`×`size` window: `[c, h, w]` to `[c, h / size, w / size]`, without parameters.
#[derive(Clone, Copy, Debug)]
pub struct Pool2d {
    pub kind: PoolKind,
    pub size: usize,
}

impl Pool2d {
    /// Average pooling.
    pub fn average(size: usize) -> Self {
        Self { kind: PoolKind::Average, size }
    }

    /// Values of one window.
    pub(super) fn window(&self) -> usize {
        self.size * self.size
    }

    /// Max pooling.
    pub fn max(size: usize) -> Self {
        Self { kind: PoolKind::Max, size }
    }
}

impl Layer for Pool2d {
    fn describe(&self) -> String {
        let kind = if self.kind == PoolKind::Average { "average" } else { "max" };
        format!("{0}×{0} {kind} pooling", self.size)
    }

    fn output(&self, input: MapShape) -> Result<MapShape> {
        let size = self.size;
        if size == 0 || !input.height.is_multiple_of(size) || !input.width.is_multiple_of(size) {
            bail!("pooling windows of {size}×{size} must tile maps of {}×{}", input.height, input.width);
        }
        Ok(MapShape::new(input.channels, input.height / size, input.width / size))
    }

    fn params(&self, _: MapShape) -> Vec<ParamSpec> {
        Vec::new()
    }

    fn pooling(&self) -> Option<Pool2d> {
        Some(*self)
    }

    fn forward(&self, x: &Tensor, _: LayerParams<'_>, pass: &mut Pass) -> Result<Tensor> {
        match (pass.operators, self.kind) {
            (Operators::Lanes(_), _) => x.apply_op1(*self),
            (Operators::Stock, PoolKind::Average) => x.avg_pool2d(self.size),
            // Candle's own max_pool2d passes a wrong gradient back (a quarter of it, or all of it to every tie),
            // so windows become rows and the greatest of each is gathered, whose gradient is exact.
            (Operators::Stock, PoolKind::Max) => {
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

    fn curvature(&self, at: Evaluated<'_>, of_result: &Tensor) -> Result<Option<Curvature>> {
        // an input of an average of n has the weight 1 / n, which is squared; one of these comes with the gradient
        let weight = if self.kind == PoolKind::Average { 1.0 / self.window() as f64 } else { 1.0 };
        at.of_linear(self, &of_result.affine(weight, 0.0)?).map(Some)
    }
}
