//! Subsampling that learns a coefficient and a bias for every map.

use candle_core::{Result, Tensor, bail};

use super::cpu::subsampling::Subsample;
use super::network::{Layer, LayerParams, Pass};
use super::params::{Init, ParamKind, ParamSpec};
use super::{Activation, Curvature, Evaluated, MapShape, Operators, Pool2d};

/// `y[c] = activation(coefficient[c] · Σ x[c] + bias[c])`, the sum over `size`×`size` windows that tile the map (LeCun et
/// al. 1998, section II-B: the inputs are added; section II-A of the same paper speaks of their average, which differs by
/// a factor in the coefficient).
///
/// Maps `[c, h, w]` to `[c, h / size, w / size]`; parameters `coefficient` `[c]` and `bias` `[c]`. It begins as the average
/// of the window: the paper does not say how coefficients begin, and equal ones pass every map on alike.
#[derive(Clone, Copy, Debug)]
pub struct Subsample2d {
    pub size: usize,
    pub activation: Activation,
}

impl Layer for Subsample2d {
    fn describe(&self) -> String {
        format!("{0}×{0} subsampling{1}", self.size, self.activation.suffix())
    }

    fn output(&self, input: MapShape) -> Result<MapShape> {
        // the same windows as those of pooling
        Pool2d::average(self.size).output(input)
    }

    fn params(&self, input: MapShape) -> Vec<ParamSpec> {
        let window = self.size * self.size;
        let coefficient = ParamSpec {
            name: "coefficient".to_owned(),
            shape: vec![input.channels],
            init: Init::Constant { value: 1.0 / window as f32 },
            kind: ParamKind::Coefficient,
            fan_in: vec![window; input.channels],
        };
        vec![coefficient, ParamSpec::bias(vec![window; input.channels])]
    }

    fn forward(&self, x: &Tensor, params: LayerParams<'_>, pass: &mut Pass) -> Result<Tensor> {
        let (coefficient, bias, gradients) = params.weight_and_bias()?;
        match pass.operators {
            Operators::Lanes(lanes) => {
                let (size, activation) = (self.size, self.activation);
                x.apply_op3(coefficient, bias, Subsample { lanes, size, activation, gradients })
            }
            Operators::Stock => {
                let per_map = (1, coefficient.elem_count(), 1, 1);
                let sums = x.avg_pool2d(self.size)?.affine((self.size * self.size) as f64, 0.0)?;
                let y = sums.broadcast_mul(&coefficient.reshape(per_map)?)?.broadcast_add(&bias.reshape(per_map)?)?;
                self.activation.stock(&y)
            }
        }
    }

    /// The coefficient multiplies the window's sum q, so its curvature is Σ s q²: the exact Gauss–Newton value of a unit,
    /// not that of the four connections which share the coefficient, Σ s Σ x² (equation 23 drops their mixed terms).
    fn curvature(&self, at: Evaluated<'_>, of_result: &Tensor) -> Result<Option<Curvature>> {
        let linear = Self { activation: Activation::Identity, ..*self };
        let s = at.before(self.activation, of_result)?;
        let of_sums = at.of_bilinear(&linear, &s)?;
        let [coefficient, bias] = at.params else { bail!("expected coefficient and bias") };
        let alone = [coefficient.ones_like()?, bias.zeros_like()?];
        let params = LayerParams::alone(&alone);
        let q = linear.forward(at.x, params, &mut Pass::evaluate(at.operators))?;
        // the curvature of a bias is the sum of what is handed down to its map
        let of_squares = at.of_bilinear(&linear, &s.mul(&q.sqr()?)?)?;
        let params = vec![of_squares.params[1].clone(), of_sums.params[1].clone()];
        Ok(Some(Curvature { input: of_sums.input, params }))
    }
}
