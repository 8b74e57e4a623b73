//! What acts on every value alone: activations and dropout.

use candle_core::{Result, Tensor, bail};
use rand::RngCore;

use super::cpu::simd::LANES;
use super::network::{Layer, LayerParams, Learning, Pass};
use super::params::{Init, ParamSpec};
use super::{Curvature, Evaluated, MapShape, Operators};

/// The function at the end of a convolution, dense or subsampling layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    Identity,
    Tanh,
    /// 1.7159 · tanh(2/3 · x): takes ±1 to ±1, and bends most there (LeCun et al. 1998, appendix A).
    ScaledTanh,
    /// 1 / (1 + e^−x).
    Sigmoid,
    /// max(x, 0); its slope at 0 is 0.
    Relu,
}

impl Activation {
    /// What the scaled tanh tends to.
    pub(super) const AMPLITUDE: f32 = 1.7159;
    /// What the scaled tanh multiplies its input with.
    pub(super) const SLOPE: f32 = 2.0 / 3.0;

    pub(super) fn suffix(self) -> &'static str {
        match self {
            Self::Identity => "",
            Self::Tanh => ", tanh",
            Self::ScaledTanh => ", scaled tanh",
            Self::Sigmoid => ", sigmoid",
            Self::Relu => ", ReLU",
        }
    }

    /// The initialisation that suits what follows the weights.
    pub(super) fn init(self, fan_in: usize, fan_out: usize) -> Init {
        match self {
            Self::Relu => Init::kaiming(fan_in),
            Self::Identity | Self::Tanh | Self::ScaledTanh | Self::Sigmoid => Init::xavier(fan_in, fan_out),
        }
    }

    pub(super) fn stock(self, x: &Tensor) -> Result<Tensor> {
        match self {
            Self::Identity => Ok(x.clone()),
            Self::Tanh => x.tanh(),
            Self::ScaledTanh => x.affine(f64::from(Self::SLOPE), 0.0)?.tanh()?.affine(f64::from(Self::AMPLITUDE), 0.0),
            // ½ + ½ tanh(½ x) is the same function, and our kernels have a tanh
            Self::Sigmoid => x.affine(0.5, 0.0)?.tanh()?.affine(0.5, 0.5),
            // Candle's own relu has slope 1 at 0, and a fresh network meets 0 wherever there is nothing but paper
            Self::Relu => x.mul(&x.gt(0f32)?.to_dtype(x.dtype())?),
        }
    }

    /// The slope at every value, from the result `y`.
    pub(super) fn slope(self, y: &Tensor) -> Result<Tensor> {
        match self {
            Self::Identity => y.ones_like(),
            Self::Tanh => y.sqr()?.affine(-1.0, 1.0),
            Self::ScaledTanh => {
                let (amplitude, slope) = (f64::from(Self::AMPLITUDE), f64::from(Self::SLOPE));
                y.sqr()?.affine(-slope / amplitude, slope * amplitude)
            }
            Self::Sigmoid => y.mul(&y.affine(-1.0, 1.0)?),
            Self::Relu => y.gt(0f32)?.to_dtype(y.dtype()),
        }
    }
}

/// While training, silences each value with this probability and scales the others by 1 / (1 − rate), so that a finished
/// network needs no change (Srivastava et al. 2014, inverted form).
#[derive(Clone, Copy, Debug)]
pub struct Dropout {
    pub rate: f32,
}

impl Layer for Dropout {
    fn describe(&self) -> String {
        format!("dropout {}", self.rate)
    }

    fn with_dropout(&self, rate: f32) -> Option<Box<dyn Layer>> {
        Some(Box::new(Self { rate }))
    }

    fn output(&self, input: MapShape) -> Result<MapShape> {
        if !(0.0..1.0).contains(&self.rate) {
            bail!("a dropout rate lies in [0, 1), got {}", self.rate);
        }
        Ok(input)
    }

    fn params(&self, _: MapShape) -> Vec<ParamSpec> {
        Vec::new()
    }

    fn curvature(&self, _: Evaluated<'_>, of_result: &Tensor) -> Result<Option<Curvature>> {
        // a finished network silences nothing
        Ok(Some(Curvature { input: of_result.clone(), params: Vec::new() }))
    }

    fn forward(&self, x: &Tensor, _: LayerParams<'_>, pass: &mut Pass) -> Result<Tensor> {
        let Some(Learning { stream, .. }) = &mut pass.training else { return Ok(x.clone()) };
        if self.rate == 0.0 {
            return Ok(x.clone());
        }
        let keep = 1.0 / (1.0 - self.rate);
        // 16 random bits decide a value: the rate is met to one part in 65,536
        let threshold = (f64::from(self.rate) * 65_536.0).round() as u32;
        let mut draw = |count: usize| -> Vec<f32> {
            let mut bytes = vec![0u8; 2 * count];
            stream.fill_bytes(&mut bytes);
            let value = |pair: &[u8]| u32::from(pair[0]) | u32::from(pair[1]) << 8;
            bytes.chunks_exact(2).map(|pair| if value(pair) < threshold { 0.0 } else { keep }).collect()
        };
        let mask = match pass.operators {
            Operators::Lanes(_) => draw(x.elem_count()),
            // drawn in the order of eight images, so that both kinds of operators silence the same values
            Operators::Stock => {
                let images = x.dims()[0];
                let features = x.elem_count() / images;
                let lanes = draw(images.next_multiple_of(LANES) * features);
                let at = |n: usize, f: usize| lanes[(n / LANES) * features * LANES + f * LANES + n % LANES];
                (0..images * features).map(|i| at(i / features, i % features)).collect()
            }
        };
        x.mul(&Tensor::from_vec(mask, x.shape(), x.device())?)
    }
}
