//! Stochastic gradient descent with momentum.

use candle_core::{Result, Tensor, Var};
use rayon::prelude::*;

use super::Optimizer;
use super::elementwise::{CHUNK, load, of_parameter, save, sum_of_chunk, summed, zeros_like};
use crate::nn::{ParamStore, Simd, with_all_floats, with_floats_mut, with_simd};

/// `v ← momentum · v + (g + decay · p)`, `p ← p − rate · v` (Polyak 1964, in the form most frameworks use).
pub struct Sgd {
    momentum: f64,
    weight_decay: f64,
    velocity: Vec<Var>,
}

impl Sgd {
    /// At rest.
    pub fn new(params: &ParamStore, momentum: f64, weight_decay: f64) -> Result<Self> {
        let velocity = zeros_like(params.vars())?;
        Ok(Self { momentum, weight_decay, velocity })
    }
}

with_simd! { fn update / update_body(p: &mut [f32], v: &mut [f32], gradient: &[f32], momentum: f32, decay: f32, rate: f32) }

// a plain loop: entered through `with_simd!`, it may use the vectors of the processor at hand
#[inline(always)]
fn update_body<S: Simd>(p: &mut [f32], v: &mut [f32], gradient: &[f32], momentum: f32, decay: f32, rate: f32) {
    for ((p, v), g) in p.iter_mut().zip(v).zip(gradient) {
        *v = momentum * *v + (g + decay * *p);
        *p -= rate * *v;
    }
}

impl Sgd {
    /// One pass over memory, on the threads of the calling pool.
    fn update_on_cpu(&self, p: &Var, v: &Var, gradients: &[&Tensor], rate: f32) -> Result<()> {
        let (momentum, decay) = (self.momentum as f32, self.weight_decay as f32);
        let chunks = |p: &mut [f32], v: &mut [f32], gradients: &[&[f32]]| {
            p.par_chunks_mut(CHUNK).zip(v.par_chunks_mut(CHUNK)).enumerate().for_each(|(n, (p, v))| {
                let mut gradient = [0.0; CHUNK];
                let gradient = &mut gradient[..p.len()];
                sum_of_chunk(gradients, n * CHUNK, gradient);
                update(p, v, gradient, momentum, decay, rate);
            });
        };
        with_all_floats(gradients, |gradients| {
            with_floats_mut(p, |p| with_floats_mut(v, |v| chunks(p, v, gradients)))
        })??
    }

    fn update_with_stock(&self, p: &Var, v: &Var, g: &Tensor, rate: f64) -> Result<()> {
        let gradient = (g + (p.as_detached_tensor() * self.weight_decay)?)?;
        v.set(&((v.as_detached_tensor() * self.momentum)? + gradient)?)?;
        p.set(&(p.as_detached_tensor() - (v.as_detached_tensor() * rate)?)?)
    }
}

impl Optimizer for Sgd {
    fn step(&mut self, params: &ParamStore, parts: &[Vec<Tensor>], learning_rate: f64) -> Result<()> {
        for (index, p) in params.learning() {
            let v = &self.velocity[index];
            let gradients = of_parameter(parts, index);
            if p.device().is_cpu() {
                self.update_on_cpu(p, v, &gradients, learning_rate as f32)?;
            } else {
                self.update_with_stock(p, v, &summed(&gradients)?, learning_rate)?;
            }
        }
        Ok(())
    }

    fn set_coefficients(&mut self, momentum: Option<f64>, weight_decay: Option<f64>) {
        self.momentum = momentum.unwrap_or(self.momentum);
        self.weight_decay = weight_decay.unwrap_or(self.weight_decay);
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
        let gradients =
            [vec![Tensor::new(&[[2f32]], &Device::Cpu).unwrap(), Tensor::new(&[0f32], &Device::Cpu).unwrap()]];
        let mut sgd = Sgd::new(&params, 0.5, 0.0).unwrap();
        sgd.step(&params, &gradients, 0.1).unwrap();
        sgd.step(&params, &gradients, 0.1).unwrap();
        // velocities 2 and 3, so the weight has moved by 0.1 · 5
        let end = params.weights().unwrap().entries[0].values[0];
        assert!((start - 0.5 - end).abs() < 1e-6, "moved from {start} to {end}");
    }
    #[test]
    fn one_pass_and_candles_operators_update_alike() {
        let count = CHUNK + 13;
        let wave = |scale: f32| (0..count).map(|i| (i as f32 * scale).sin()).collect::<Vec<f32>>();
        let var = |values: Vec<f32>| Var::from_tensor(&Tensor::new(values, &Device::Cpu).unwrap()).unwrap();
        let parts = [0.3, 0.7].map(|scale| Tensor::new(wave(scale), &Device::Cpu).unwrap());
        let gradients: Vec<&Tensor> = parts.iter().collect();
        let sgd = Sgd { momentum: 0.9, weight_decay: 0.01, velocity: Vec::new() };
        let [ours, stock] = [true, false].map(|ours| {
            let state = [var(wave(0.1)), var(wave(0.2))];
            let [p, v] = &state;
            if ours {
                sgd.update_on_cpu(p, v, &gradients, 0.05).unwrap();
            } else {
                sgd.update_with_stock(p, v, &summed(&gradients).unwrap(), 0.05).unwrap();
            }
            state.map(|var| var.as_tensor().to_vec1::<f32>().unwrap())
        });
        for (ours, stock) in ours.iter().zip(&stock) {
            assert!(ours.iter().zip(stock).all(|(a, b)| (a - b).abs() <= 1e-6 * (1.0 + b.abs())));
        }
    }
}
