//! Batch normalisation, with activation.

use candle_core::{Result, Tensor, bail};

use super::cpu::normalisation::{self, Normalisation, Statistics};
use super::network::{Layer, LayerParams, Pass};
use super::params::{Init, ParamKind, ParamSpec};
use super::{Activation, Conv2d, MapShape, Operators, Pool2d};

/// Keeps the deviation of a channel that says nothing from being 0; added to the variance.
pub const EPSILON: f32 = 1e-5;

/// `y[c] = activation(scale[c] · (x[c] − mean[c]) / √(variance[c] + ε) + shift[c])` (Ioffe & Szegedy 2015, algorithm 1).
///
/// In a pass that learns, mean and variance are those of the channel over all images and pixels of the pass. Training
/// splits a batch into parts that go through the network one by one, so each part is normalised by itself: "ghost batches"
/// (Hoffer, Hubara & Soudry 2017), which keep the result independent of the number of threads, let a part stay in a core's
/// cache, and generalise no worse. A finished network takes the running `mean` and `variance`, which move a little towards
/// every batch ([`super::ParamStore::observe`]); the variance that they move towards is the unbiased one (n − 1). A pass
/// that shows a single value of each channel has no variance: it learns with the running statistics, which then stay.
///
/// Keeps the shape; parameters `scale`, `shift`, `mean` and `variance`, each `[channels]`, of which the first two learn.
#[derive(Clone, Copy, Debug)]
pub struct BatchNorm {
    pub activation: Activation,
}

impl Layer for BatchNorm {
    fn describe(&self) -> String {
        format!("batch normalisation{}", self.activation.suffix())
    }

    fn has_curvature(&self) -> bool {
        false
    }

    fn is_rectified(&self) -> bool {
        self.activation == Activation::Relu
    }

    fn output(&self, input: MapShape) -> Result<MapShape> {
        if input.size() == 0 {
            bail!("batch normalisation needs maps with values");
        }
        Ok(input)
    }

    fn params(&self, input: MapShape) -> Vec<ParamSpec> {
        let spec = |name: &str, kind, value| ParamSpec {
            name: name.to_owned(),
            shape: vec![input.channels],
            init: Init::Constant { value },
            kind,
            fan_in: vec![1; input.channels],
        };
        vec![
            spec("scale", ParamKind::Affine, 1.0),
            spec("shift", ParamKind::Affine, 0.0),
            spec("mean", ParamKind::Statistic, 0.0),
            spec("variance", ParamKind::Statistic, 1.0),
        ]
    }

    fn forward(&self, x: &Tensor, params: LayerParams<'_>, pass: &mut Pass) -> Result<Tensor> {
        match pass.operators {
            Operators::Lanes(_) => self.on_lanes(x, params, None, pass),
            Operators::Stock => self.on_stock(x, params, pass),
        }
    }

    fn forward_pooled(
        &self,
        x: &Tensor,
        params: LayerParams<'_>,
        pool: Pool2d,
        pass: &mut Pass,
    ) -> Result<Option<Tensor>> {
        match pass.operators {
            Operators::Lanes(_) => self.on_lanes(x, params, Some(pool), pass).map(Some),
            Operators::Stock => Ok(None),
        }
    }

    /// With f = scale / √(variance + ε) the weights become f · weight, the bias f · (bias − mean) + shift.
    fn folded(&self, convolution: Conv2d, before: &[Tensor], own: &[Tensor]) -> Result<Option<(Conv2d, [Tensor; 2])>> {
        let [scale, shift, mean, variance] = four(own)?;
        let factor = scale.div(&(variance + f64::from(EPSILON))?.sqrt()?)?;
        let (weight, bias) = match before {
            [weight] => (weight, mean.neg()?),
            [weight, bias] => (weight, bias.sub(mean)?),
            _ => bail!("expected the parameters of a convolution, got {}", before.len()),
        };
        let weight = weight.broadcast_mul(&factor.reshape((factor.elem_count(), 1, 1, 1))?)?;
        let bias = bias.mul(&factor)?.add(shift)?;
        let convolution = Conv2d { bias: true, activation: self.activation, ..convolution };
        Ok(Some((convolution, [weight.detach(), bias.detach()])))
    }
}

fn four(params: &[Tensor]) -> Result<&[Tensor; 4]> {
    let Ok(four) = params.try_into() else {
        bail!("expected scale, shift, mean and variance, got {} parameters", params.len())
    };
    Ok(four)
}

impl BatchNorm {
    fn on_lanes(&self, x: &Tensor, params: LayerParams<'_>, pool: Option<Pool2d>, pass: &mut Pass) -> Result<Tensor> {
        let Operators::Lanes(lanes) = pass.operators else { bail!("these kernels run on lanes") };
        let [scale, shift, mean, variance] = four(params.values)?;
        let (_, _, height, width, _) = x.dims5()?;
        let shape = MapShape::new(scale.elem_count(), height, width);
        let (mut mean, mut variance): (Vec<f32>, Vec<f32>) = (mean.to_vec1()?, variance.to_vec1()?);
        let mut images = None;
        if let Some(learning) = &pass.training {
            let values = learning.images * height * width;
            let mut seen = (mean.clone(), variance.clone());
            if values > 1 {
                (mean, variance) = normalisation::mean_and_variance(x, shape, learning.images, lanes)?;
                let unbiased = values as f32 / (values - 1) as f32;
                seen = (mean.clone(), variance.iter().map(|variance| variance * unbiased).collect());
                images = Some(learning.images);
            }
            for (place, values) in [(2, seen.0), (3, seen.1)] {
                pass.observed.push((params.first + place, Tensor::from_vec(values, shape.channels, x.device())?));
            }
        }
        let deviation_inverse = variance.iter().map(|variance| 1.0 / (variance + EPSILON).sqrt()).collect();
        let gradients = match params.gradients {
            Some([scale, shift, ..]) => Some([scale.clone(), shift.clone()]),
            _ => None,
        };
        let statistics = Statistics { mean, deviation_inverse, images };
        let operator = Normalisation { lanes, shape, statistics, activation: self.activation, pool, gradients };
        x.apply_op3(scale, shift, operator)
    }

    fn on_stock(&self, x: &Tensor, params: LayerParams<'_>, pass: &mut Pass) -> Result<Tensor> {
        let [scale, shift, mean, variance] = four(params.values)?;
        let (images, channels, height, width) = x.dims4()?;
        let per_map = (1, channels, 1, 1);
        let (mut mean, mut variance) = (mean.reshape(per_map)?, variance.reshape(per_map)?);
        if pass.training.is_some() {
            let values = images * height * width;
            let mut seen = (mean.clone(), variance.clone());
            if values > 1 {
                let over_all = |x: &Tensor| x.mean_keepdim(3)?.mean_keepdim(2)?.mean_keepdim(0);
                mean = over_all(x)?;
                variance = over_all(&x.broadcast_sub(&mean)?.sqr()?)?;
                seen = (mean.clone(), variance.affine(values as f64 / (values - 1) as f64, 0.0)?);
            }
            for (place, seen) in [(2, seen.0), (3, seen.1)] {
                pass.observed.push((params.first + place, seen.detach().flatten_all()?));
            }
        }
        let deviation = (variance + f64::from(EPSILON))?.sqrt()?;
        let normalised = x.broadcast_sub(&mean)?.broadcast_div(&deviation)?;
        let y = normalised.broadcast_mul(&scale.reshape(per_map)?)?.broadcast_add(&shift.reshape(per_map)?)?;
        self.activation.stock(&y)
    }
}
