//! Stochastic diagonal Levenberg–Marquardt.

use candle_core::{Result, Tensor, Var, bail};
use rayon::prelude::*;

use super::Optimizer;
use super::elementwise::{CHUNK, load, of_parameter, save, sum_of_chunk, summed};
use crate::nn::{ParamStore, Simd, with_all_floats, with_floats_mut, with_simd};

/// `p ← p − rate / (μ + h) · g` (LeCun et al. 1998, eq. 18 and 21): every parameter has a step of its own, long where the
/// loss is flat and short where it bends. h is the Gauss–Newton curvature of [`crate::nn::Network::curvature`], estimated
/// anew before every pass over the data and fixed during the pass.
pub struct Sdlm {
    mu: f64,
    /// h counts as this much at least. With μ alone, weights that have hardly any curvature at the beginning take steps
    /// of rate / μ and overshoot once the layers after them have learnt.
    floor: f64,
    patterns: usize,
    /// 1 / (μ + h) of every parameter; 1 / (μ + floor) before the first estimate.
    factors: Vec<Var>,
}

impl Sdlm {
    /// With steps as if there were no curvature yet.
    pub fn new(params: &ParamStore, mu: f64, floor: f64, patterns: usize) -> Result<Self> {
        let first = (1.0 / (mu + floor)) as f32;
        let factor = |p: &Var| Var::from_tensor(&Tensor::full(first, p.shape(), p.device())?);
        Ok(Self { mu, floor, patterns, factors: params.vars().iter().map(factor).collect::<Result<_>>()? })
    }
}

with_simd! { fn update / update_body(p: &mut [f32], factors: &[f32], gradient: &[f32], rate: f32) }

// a plain loop: entered through `with_simd!`, it may use the vectors of the processor at hand
#[inline(always)]
fn update_body<S: Simd>(p: &mut [f32], factors: &[f32], gradient: &[f32], rate: f32) {
    for ((p, factor), g) in p.iter_mut().zip(factors).zip(gradient) {
        *p -= rate * factor * g;
    }
}

fn update_on_cpu(p: &Var, factors: &Var, gradients: &[&Tensor], rate: f32) -> Result<()> {
    let chunks = |p: &mut [f32], factors: &[f32], gradients: &[&[f32]]| {
        p.par_chunks_mut(CHUNK).zip(factors.par_chunks(CHUNK)).enumerate().for_each(|(n, (p, factors))| {
            let mut gradient = [0.0; CHUNK];
            let gradient = &mut gradient[..p.len()];
            sum_of_chunk(gradients, n * CHUNK, gradient);
            update(p, factors, gradient, rate);
        });
    };
    with_all_floats(gradients, |gradients| {
        with_all_floats(&[factors], |factors| with_floats_mut(p, |p| chunks(p, factors[0], gradients)))
    })??
}

impl Optimizer for Sdlm {
    fn step(&mut self, params: &ParamStore, parts: &[Vec<Tensor>], learning_rate: f64) -> Result<()> {
        for (index, p) in params.learning() {
            let factors = &self.factors[index];
            let gradients = of_parameter(parts, index);
            if p.device().is_cpu() {
                update_on_cpu(p, factors, &gradients, learning_rate as f32)?;
            } else {
                let step = (summed(&gradients)? * factors.as_detached_tensor())?;
                p.set(&(p.as_detached_tensor() - (step * learning_rate)?)?)?;
            }
        }
        Ok(())
    }

    fn curvature_patterns(&self) -> Option<usize> {
        Some(self.patterns)
    }

    fn set_curvature(&mut self, curvature: &[Tensor]) -> Result<()> {
        if curvature.len() != self.factors.len() {
            bail!("curvature of {} parameters for {}", curvature.len(), self.factors.len());
        }
        for (factor, h) in self.factors.iter().zip(curvature) {
            factor.set(&(h.maximum(self.floor)? + self.mu)?.recip()?)?;
        }
        Ok(())
    }

    fn step_factors(&self) -> Result<Option<Vec<(f64, f64)>>> {
        let extremes = |factors: &Var| {
            let all = factors.as_detached_tensor().flatten_all()?.to_vec1::<f32>()?;
            let extreme = |pick: fn(f32, f32) -> f32| all.iter().copied().reduce(pick).map_or(0.0, f64::from);
            Ok((extreme(f32::min), extreme(f32::max)))
        };
        self.factors.iter().map(extremes).collect::<Result<_>>().map(Some)
    }

    fn state(&self) -> Result<Vec<(String, Vec<f32>)>> {
        save("factor", &self.factors)
    }

    fn restore(&mut self, _: &ParamStore, state: &[(String, Vec<f32>)]) -> Result<()> {
        load("factor", &self.factors, state)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::{Activation, Dense, MapShape, Network};
    use candle_core::Device;

    #[test]
    fn steps_are_short_where_the_loss_bends() {
        let network = Network::new(MapShape::new(2, 1, 1))
            .then("L", Dense { outputs: 1, activation: Activation::Identity })
            .unwrap();
        let params = ParamStore::initialise(&network, 1, &Device::Cpu).unwrap();
        let before = params.weights().unwrap().entries[0].values.to_vec();
        let tensor = |values: &[f32]| Tensor::new(values, &Device::Cpu).unwrap();
        let mut sdlm = Sdlm::new(&params, 0.02, 0.03, 500).unwrap();
        let curvature = [tensor(&[0.98, 0.0]).reshape((1, 2)).unwrap(), tensor(&[0.18])];
        sdlm.set_curvature(&curvature).unwrap();
        let gradients = [vec![tensor(&[2.0, 2.0]).reshape((1, 2)).unwrap(), tensor(&[1.0])]];
        sdlm.step(&params, &gradients, 0.1).unwrap();
        let after = params.weights().unwrap();
        let moved = |i: usize| before[i] - after.entries[0].values[i];
        // 0.1 / (0.02 + 0.98) · 2, and 0.1 / (0.02 + the floor 0.03) · 2
        assert!((moved(0) - 0.2).abs() < 1e-6 && (moved(1) - 4.0).abs() < 1e-5);
        assert!((after.entries[1].values[0] + 0.5).abs() < 1e-6);
        let factors = sdlm.step_factors().unwrap().unwrap();
        assert!((factors[0].0 - 1.0).abs() < 1e-6 && (factors[0].1 - 20.0).abs() < 1e-4);
        assert!(sdlm.set_curvature(&curvature[..1]).is_err());
    }
}
