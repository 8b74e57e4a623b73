//! A fully connected layer with bias and activation.

use candle_core::{Result, Tensor, bail};

use super::cpu::operators;
use super::network::{Layer, LayerParams, Pass};
use super::params::{ParamKind, ParamSpec};
use super::{Activation, Curvature, Evaluated, MapShape, Operators};

/// `y = activation(W x + b)`: maps of any shape, read in the order channel, row, column, to `[outputs, 1, 1]`.
///
/// Parameters `weight` `[outputs, inputs]` and `bias` `[outputs]`.
#[derive(Clone, Copy, Debug)]
pub struct Dense {
    pub outputs: usize,
    pub activation: Activation,
}

impl Layer for Dense {
    fn describe(&self) -> String {
        format!("dense{}", self.activation.suffix())
    }

    fn is_rectified(&self) -> bool {
        self.activation == Activation::Relu
    }

    fn output(&self, input: MapShape) -> Result<MapShape> {
        if input.size() == 0 || self.outputs == 0 {
            bail!("a dense layer needs inputs and outputs, got {} and {}", input.size(), self.outputs);
        }
        Ok(MapShape::new(self.outputs, 1, 1))
    }

    fn params(&self, input: MapShape) -> Vec<ParamSpec> {
        let weight = ParamSpec {
            name: "weight".to_owned(),
            shape: vec![self.outputs, input.size()],
            init: self.activation.init(input.size(), self.outputs),
            kind: ParamKind::Weight,
            fan_in: vec![input.size(); self.outputs],
        };
        vec![weight, ParamSpec::bias(vec![input.size(); self.outputs])]
    }

    fn forward(&self, x: &Tensor, params: LayerParams<'_>, pass: &mut Pass) -> Result<Tensor> {
        let (weight, bias, gradients) = params.weight_and_bias()?;
        match pass.operators {
            Operators::Lanes(lanes) => {
                let (_, _, height, width, _) = x.dims5()?;
                let input = MapShape::new(weight.dims()[1] / (height * width), height, width);
                let (outputs, activation) = (self.outputs, self.activation);
                let operator = operators::Dense { lanes, input, outputs, activation, gradients };
                x.apply_op3(weight, bias, operator)
            }
            Operators::Stock => {
                let y = x.flatten_from(1)?.matmul(&weight.t()?)?.broadcast_add(bias)?;
                self.activation.stock(&y.reshape((y.dims()[0], self.outputs, 1, 1))?)
            }
        }
    }

    fn curvature(&self, at: Evaluated<'_>, of_result: &Tensor) -> Result<Option<Curvature>> {
        let linear = Self { activation: Activation::Identity, ..*self };
        at.of_bilinear(&linear, &at.before(self.activation, of_result)?).map(Some)
    }
}
