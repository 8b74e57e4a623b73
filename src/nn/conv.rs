//! Two-dimensional convolution with bias and activation.

use candle_core::{Result, Tensor, bail};

use super::cpu::convolution::ConvShape;
use super::cpu::operators::{Convolution, WeightGradients};
use super::network::{Layer, LayerParams, Pass};
use super::params::{ParamKind, ParamSpec};
use super::{Activation, Curvature, Evaluated, Lanes, MapShape, Operators, Pool2d};

/// `y[o] = activation(b[o] + Σ_c x[c] ⋆ w[o, c])`, stride 1 (LeCun et al. 1998, section II-A).
///
/// Maps `[in, h, w]` to `[out, h + 2p − k + 1, w + 2p − k + 1]`; parameters `weight` `[out, in, k, k]` and, where
/// `bias` says so, `bias` `[out]`: a normalisation that follows takes every bias away again.
/// As everywhere in the field the kernel is not turned: this is a cross-correlation.
#[derive(Clone, Copy, Debug)]
pub struct Conv2d {
    pub out_channels: usize,
    pub kernel: usize,
    pub padding: usize,
    pub bias: bool,
    pub activation: Activation,
}

impl Conv2d {
    fn shape(&self, input: MapShape) -> ConvShape {
        ConvShape {
            in_channels: input.channels,
            out_channels: self.out_channels,
            height: input.height,
            width: input.width,
            kernel: self.kernel,
            padding: self.padding,
        }
    }
}

impl Layer for Conv2d {
    fn describe(&self) -> String {
        format!("{0}×{0} convolution{1}", self.kernel, self.activation.suffix())
    }

    fn is_rectified(&self) -> bool {
        self.activation == Activation::Relu
    }

    fn output(&self, input: MapShape) -> Result<MapShape> {
        if self.kernel == 0 || self.padding >= self.kernel {
            bail!("padding {} must be smaller than the kernel {}", self.padding, self.kernel);
        }
        if input.height + 2 * self.padding < self.kernel || input.width + 2 * self.padding < self.kernel {
            bail!("a {0}×{0} kernel does not fit maps of {1}×{2}", self.kernel, input.height, input.width);
        }
        let s = self.shape(input);
        Ok(MapShape::new(self.out_channels, s.out_height(), s.out_width()))
    }

    fn params(&self, input: MapShape) -> Vec<ParamSpec> {
        let taps = self.kernel * self.kernel;
        let weight = ParamSpec {
            name: "weight".to_owned(),
            shape: vec![self.out_channels, input.channels, self.kernel, self.kernel],
            init: self.activation.init(input.channels * taps, self.out_channels * taps),
            kind: ParamKind::Weight,
            fan_in: vec![input.channels * taps; self.out_channels],
        };
        let bias = self.bias.then(|| ParamSpec::bias(vec![input.channels * taps; self.out_channels]));
        std::iter::once(weight).chain(bias).collect()
    }

    fn forward(&self, x: &Tensor, params: LayerParams<'_>, pass: &mut Pass) -> Result<Tensor> {
        match pass.operators {
            Operators::Lanes(lanes) => self.on_lanes(x, params, None, lanes, pass),
            Operators::Stock => {
                let (weight, bias, _) = self.weight_and_bias(params)?;
                let y = x.conv2d(&weight, self.padding, 1, 1, 1)?;
                let y = y.broadcast_add(&bias.reshape((1, self.out_channels, 1, 1))?)?;
                self.activation.stock(&y)
            }
        }
    }

    fn has_curvature(&self) -> bool {
        self.bias
    }

    fn curvature(&self, at: Evaluated<'_>, of_result: &Tensor) -> Result<Option<Curvature>> {
        if !self.bias {
            return Ok(None);
        }
        let linear = Self { activation: Activation::Identity, ..*self };
        at.of_bilinear(&linear, &at.before(self.activation, of_result)?).map(Some)
    }

    fn linear_convolution(&self) -> Option<Conv2d> {
        (self.activation == Activation::Identity).then_some(*self)
    }

    fn forward_pooled(
        &self,
        x: &Tensor,
        params: LayerParams<'_>,
        pool: Pool2d,
        pass: &mut Pass,
    ) -> Result<Option<Tensor>> {
        match pass.operators {
            Operators::Lanes(lanes) => self.on_lanes(x, params, Some(pool), lanes, pass).map(Some),
            Operators::Stock => Ok(None),
        }
    }
}

impl Conv2d {
    /// As [`LayerParams::weight_and_bias`]; a layer without bias has one of zeros, whose gradient nobody asks for.
    fn weight_and_bias(&self, params: LayerParams<'_>) -> Result<(Tensor, Tensor, WeightGradients)> {
        if self.bias {
            let (weight, bias, gradients) = params.weight_and_bias()?;
            return Ok((weight.clone(), bias.clone(), gradients));
        }
        let [weight] = params.values else { bail!("expected a weight, got {} parameters", params.values.len()) };
        let bias = Tensor::zeros(self.out_channels, weight.dtype(), weight.device())?;
        let gradients = match params.gradients {
            Some([gradient]) => Some([gradient.clone(), bias.zeros_like()?]),
            _ => None,
        };
        Ok((weight.clone(), bias, gradients))
    }

    fn on_lanes(
        &self,
        x: &Tensor,
        params: LayerParams<'_>,
        pool: Option<Pool2d>,
        lanes: Lanes,
        pass: &Pass,
    ) -> Result<Tensor> {
        let (weight, bias, gradients) = self.weight_and_bias(params)?;
        let (_, _, height, width, _) = x.dims5()?;
        let shape = self.shape(MapShape::new(weight.dims()[1], height, width));
        let learns = pass.training.is_some();
        x.apply_op3(&weight, &bias, Convolution::new(lanes, shape, self.activation, pool, gradients, learns))
    }
}
