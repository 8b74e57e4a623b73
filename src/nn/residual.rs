//! A skip connection: one layer that holds two lists of layers.

use candle_core::{Result, Tensor, bail};

use super::cpu::sum::ActivatedSum;
use super::network::{Layer, LayerParams, Network, Pass};
use super::params::ParamSpec;
use super::{Activation, MapShape, Operators};

/// `y = activation(body(x) + shortcut(x))` (He, Zhang, Ren & Sun 2016, equations 1 and 2). A shortcut without layers hands
/// x on as it is.
///
/// Parameters are those of the body, then those of the shortcut: `body.Conv1.weight`, `shortcut.Conv.weight`.
pub struct Residual {
    body: Network,
    shortcut: Network,
    activation: Activation,
}

impl Residual {
    /// Fails where the two do not read the same maps, or do not give maps of one shape.
    pub fn new(body: Network, shortcut: Network, activation: Activation) -> Result<Self> {
        if body.input() != shortcut.input() || body.output() != shortcut.output() {
            bail!(
                "body and shortcut must lead from and to maps of one shape, got {:?} to {:?} and {:?} to {:?}",
                body.input(),
                body.output(),
                shortcut.input(),
                shortcut.output()
            );
        }
        Ok(Self { body, shortcut, activation })
    }
}

impl Layer for Residual {
    fn describe(&self) -> String {
        let shortcut = if self.shortcut.layers().is_empty() { "the input" } else { "a shortcut" };
        format!("{} layers plus {shortcut}{}", self.body.layers().len(), self.activation.suffix())
    }

    fn has_curvature(&self) -> bool {
        false
    }

    fn is_rectified(&self) -> bool {
        self.activation == Activation::Relu
    }

    fn output(&self, input: MapShape) -> Result<MapShape> {
        if input != self.body.input() {
            bail!("a residual layer made for {:?} cannot take {input:?}", self.body.input());
        }
        Ok(self.body.output())
    }

    fn params(&self, _: MapShape) -> Vec<ParamSpec> {
        let specs = |name: &str, network: &Network| -> Vec<ParamSpec> {
            let renamed = |spec: &ParamSpec| ParamSpec { name: format!("{name}.{}", spec.name), ..spec.clone() };
            network.params().iter().map(renamed).collect()
        };
        [specs("body", &self.body), specs("shortcut", &self.shortcut)].concat()
    }

    fn forward(&self, x: &Tensor, params: LayerParams<'_>, pass: &mut Pass) -> Result<Tensor> {
        // its result is what is seen of it
        let record = pass.record.take();
        let (of_body, of_shortcut) = params.split_at(self.body.params().len());
        let body = self.body.run(x, of_body, pass)?;
        let shortcut = self.shortcut.run(x, of_shortcut, pass)?;
        pass.record = record;
        match pass.operators {
            Operators::Lanes(_) => body.apply_op2(&shortcut, ActivatedSum { activation: self.activation }),
            Operators::Stock => self.activation.stock(&body.add(&shortcut)?),
        }
    }
}
