//! Stochastic gradient descent with momentum.

use candle_core::{Result, Tensor, Var};

use super::Optimizer;
use super::elementwise::{load, save, update, zeros_like};
use crate::nn::ParamStore;

/// `v ← momentum · v + (g + decay · p)`, `p ← p − rate · v` (Polyak 1964, in the form most frameworks use).
pub struct Sgd {
    momentum: f32,
    weight_decay: f32,
    velocity: Vec<Var>,
}

impl Sgd {
    /// At rest.
    pub fn new(params: &ParamStore, momentum: f64, weight_decay: f64) -> Result<Self> {
        let velocity = zeros_like(params.vars())?;
        Ok(Self { momentum: momentum as f32, weight_decay: weight_decay as f32, velocity })
    }
}

impl Optimizer for Sgd {
    fn step(&mut self, params: &ParamStore, gradients: &[Tensor], learning_rate: f64) -> Result<()> {
        let (momentum, decay, rate) = (self.momentum, self.weight_decay, learning_rate as f32);
        for ((p, v), g) in params.vars().iter().zip(&self.velocity).zip(gradients) {
            update(
                v,
                g,
                p.as_tensor(),
                |v, g, p| momentum * v + (g + decay * p),
                |v, g, p| ((v * f64::from(momentum))? + (g + (p * f64::from(decay))?)?)?.contiguous(),
            )?;
            update(p, v.as_tensor(), g, |p, v, _| p - rate * v, |p, v, _| p - (v * learning_rate)?)?;
        }
        Ok(())
    }

    fn state(&self) -> Result<Vec<(String, Vec<f32>)>> {
        save("velocity", &self.velocity)
    }

    fn restore(&mut self, _: &ParamStore, state: &[(String, Vec<f32>)]) -> Result<()> {
        load("velocity", &self.velocity, state)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::{Activation, Dense, MapShape, Network};
    use candle_core::Device;

    #[test]
    fn two_updates_follow_the_formula() {
        let network = Network::new(MapShape::new(1, 1, 1))
            .then("L", Dense { outputs: 1, activation: Activation::Identity })
            .unwrap();
        let params = ParamStore::initialise(&network, 1, &Device::Cpu).unwrap();
        let start = params.weights().unwrap().entries[0].values[0];
        let gradients = [Tensor::new(&[[2f32]], &Device::Cpu).unwrap(), Tensor::new(&[0f32], &Device::Cpu).unwrap()];
        let mut sgd = Sgd::new(&params, 0.5, 0.0).unwrap();
        sgd.step(&params, &gradients, 0.1).unwrap();
        sgd.step(&params, &gradients, 0.1).unwrap();
        // velocities 2 and 3, so the weight has moved by 0.1 · 5
        let end = params.weights().unwrap().entries[0].values[0];
        assert!((start - 0.5 - end).abs() < 1e-6, "moved from {start} to {end}");
    }
}
