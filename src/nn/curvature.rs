//! The diagonal of the Gauss–Newton matrix, layer by layer from the loss back to the images (LeCun et al. 1998,
//! appendix C, equations 23, 25 and 27): what stochastic diagonal Levenberg–Marquardt takes its step sizes from.
//!
//! With a a unit's sum and x = f(a) its state, s = ∂²E/∂a² = f′(a)² ∂²E/∂x² (equation 27 drops the term with f″), a weight w
//! from x to a has ∂²E/∂w² = Σ s x² over all connections that share it, and x has ∂²E/∂x² = Σ w² s over all units that read
//! it. Every term is a square times s, so no curvature is negative.

use candle_core::{Result, Tensor, Var, bail};

use super::network::{Layer, LayerParams, Network, Pass};
use super::{Activation, Loss, Operators};

/// Second derivatives of the loss, without mixed ones.
pub struct Curvature {
    /// At the layer's input, laid out like it.
    pub input: Tensor,
    /// Of the parameters, in the layer's order, summed over the images.
    pub params: Vec<Tensor>,
}

/// A layer in a pass of a finished network: what went in, what came out, and its parameters. None is in a graph.
#[derive(Clone, Copy)]
pub struct Evaluated<'a> {
    pub x: &'a Tensor,
    pub y: &'a Tensor,
    pub params: &'a [Tensor],
    pub operators: Operators,
}

impl Evaluated<'_> {
    /// Before the activation, from that after it: s = f′(a)² t.
    pub(super) fn before(&self, activation: Activation, of_result: &Tensor) -> Result<Tensor> {
        activation.slope(self.y)?.sqr()?.mul(of_result)
    }

    /// Of a layer whose result is linear in x, in its first parameter and in its second, the bias; `s` is the curvature at
    /// its result. With x² and w² in place of x and w, the derivatives of Σ s · layer are Σ w² s, Σ s x² and Σ s: the sums
    /// that are looked for, by the same kernels as the gradients.
    pub(super) fn of_bilinear(&self, layer: &dyn Layer, s: &Tensor) -> Result<Curvature> {
        let [weight, bias] = self.params else { bail!("expected weight and bias, got {}", self.params.len()) };
        let x = Var::from_tensor(&self.x.sqr()?)?;
        let params = [Var::from_tensor(&weight.sqr()?)?, Var::from_tensor(bias)?];
        let values = params.each_ref().map(|var| var.as_tensor().clone());
        let y = self.forward(layer, &x, &values)?;
        let mut derivatives = y.mul(s)?.sum_all()?.backward()?;
        let mut of = |var: &Var| derivatives.remove(var.as_tensor()).map_or_else(|| var.zeros_like(), Ok);
        Ok(Curvature { input: of(&x)?, params: params.iter().map(&mut of).collect::<Result<_>>()? })
    }

    /// Of a layer that passes its inputs on or drops them, without parameters; `s` is the curvature at its result.
    pub(super) fn of_linear(&self, layer: &dyn Layer, s: &Tensor) -> Result<Curvature> {
        let x = Var::from_tensor(self.x)?;
        let y = self.forward(layer, &x, &[])?;
        let derivative = y.mul(s)?.sum_all()?.backward()?.remove(x.as_tensor());
        Ok(Curvature { input: derivative.map_or_else(|| x.zeros_like(), Ok)?, params: Vec::new() })
    }

    fn forward(&self, layer: &dyn Layer, x: &Var, values: &[Tensor]) -> Result<Tensor> {
        let params = LayerParams::alone(values);
        layer.forward(x.as_tensor(), params, &mut Pass::evaluate(self.operators))
    }
}

impl Network {
    /// ∂²loss/∂w² of every parameter, in store order: the mean over the `images` of `x`, laid out as `operators` says, at
    /// `params`. Labels are not needed: what a loss hands down does not depend on them. Fails, naming the layer, where one has no curvature.
    pub fn curvature(
        &self,
        x: &Tensor,
        params: &[Tensor],
        loss: Loss,
        images: usize,
        operators: Operators,
    ) -> Result<Vec<Tensor>> {
        if loss.is_of_distances() != self.gives_distances() {
            bail!("the curvature of a loss of distances needs a network that ends in them, that of others another end");
        }
        let params: Vec<Tensor> = params.iter().map(Tensor::detach).collect();
        let mut pass = Pass::recording(operators);
        let scores = self.forward(&x.detach(), &params, &mut pass)?;
        let results = pass.record.unwrap_or_default();
        let mut of_result = loss.curvature(&scores, self.output(), images, operators)?;
        let mut of_params = Vec::new();
        for (number, place) in self.layers().iter().enumerate().rev() {
            let x = if number == 0 { x } else { &results[number - 1] };
            let at = Evaluated { x, y: &results[number], params: &params[place.params.clone()], operators };
            let Some(curvature) = place.layer.curvature(at, &of_result)? else {
                bail!("{}, {}: this layer has no curvature", place.name, place.layer.describe())
            };
            of_result = curvature.input;
            of_params.push(curvature.params);
        }
        Ok(of_params.into_iter().rev().flatten().collect())
    }
}
