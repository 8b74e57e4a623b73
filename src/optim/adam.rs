//! Adam, and AdamW where a weight decay is given.

use candle_core::{Result, Tensor, Var, bail};

use super::Optimizer;
use super::elementwise::{load, save, update, zeros_like};
use crate::nn::ParamStore;

/// Kingma & Ba 2015, algorithm 1, with the corrections of the first updates folded into the step as in its section 2:
/// `m ← β₁m + (1 − β₁)g`, `v ← β₂v + (1 − β₂)g²`, `p ← p − rate · decay · p − rate · m̂ / (√v̂ + ε)`.
pub struct Adam {
    beta1: f64,
    beta2: f64,
    weight_decay: f64,
    updates: u32,
    first_moment: Vec<Var>,
    second_moment: Vec<Var>,
}

/// ε of the paper.
const EPSILON: f64 = 1e-8;

impl Adam {
    /// Before the first update.
    pub fn new(params: &ParamStore, beta1: f64, beta2: f64, weight_decay: f64) -> Result<Self> {
        Ok(Self {
            beta1,
            beta2,
            weight_decay,
            updates: 0,
            first_moment: zeros_like(params.vars())?,
            second_moment: zeros_like(params.vars())?,
        })
    }
}

impl Optimizer for Adam {
    fn step(&mut self, params: &ParamStore, gradients: &[Tensor], learning_rate: f64) -> Result<()> {
        self.updates += 1;
        let (b1, b2) = (self.beta1, self.beta2);
        let step = learning_rate / (1.0 - b1.powi(self.updates as i32));
        let correction = 1.0 / (1.0 - b2.powi(self.updates as i32)).sqrt();
        let keep = 1.0 - learning_rate * self.weight_decay;
        let (b1_f, b2_f, step_f) = (b1 as f32, b2 as f32, step as f32);
        let (correction_f, keep_f, epsilon) = (correction as f32, keep as f32, EPSILON as f32);
        let moments = self.first_moment.iter().zip(&self.second_moment);
        for ((p, g), (m, v)) in params.vars().iter().zip(gradients).zip(moments) {
            update(m, g, g, |m, g, _| b1_f * m + (1.0 - b1_f) * g, |m, g, _| (m * b1)? + (g * (1.0 - b1))?)?;
            update(v, g, g, |v, g, _| b2_f * v + (1.0 - b2_f) * g * g, |v, g, _| (v * b2)? + (g.sqr()? * (1.0 - b2))?)?;
            update(
                p,
                m.as_tensor(),
                v.as_tensor(),
                |p, m, v| keep_f * p - step_f * m / (v.sqrt() * correction_f + epsilon),
                |p, m, v| (p * keep)? - ((m * step)? / ((v.sqrt()? * correction)? + EPSILON)?)?,
            )?;
        }
        Ok(())
    }

    fn state(&self) -> Result<Vec<(String, Vec<f32>)>> {
        let mut state = vec![("updates".to_owned(), vec![f32::from_bits(self.updates)])];
        state.extend(save("first_moment", &self.first_moment)?);
        state.extend(save("second_moment", &self.second_moment)?);
        Ok(state)
    }

    fn restore(&mut self, _: &ParamStore, state: &[(String, Vec<f32>)]) -> Result<()> {
        let Some((_, updates)) = state.iter().find(|(name, values)| name == "updates" && values.len() == 1) else {
            bail!("the optimiser's state lacks its number of updates");
        };
        load("first_moment", &self.first_moment, state)?;
        load("second_moment", &self.second_moment, state)?;
        // the bits of a whole number, so that every count survives
        self.updates = updates[0].to_bits();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::{Activation, Dense, MapShape, Network};
    use candle_core::Device;

    fn one_weight() -> (ParamStore, [Tensor; 2]) {
        let network = Network::new(MapShape::new(1, 1, 1))
            .then("L", Dense { outputs: 1, activation: Activation::Identity })
            .unwrap();
        let params = ParamStore::initialise(&network, 1, &Device::Cpu).unwrap();
        let gradients = [Tensor::new(&[[0.5f32]], &Device::Cpu).unwrap(), Tensor::new(&[0f32], &Device::Cpu).unwrap()];
        (params, gradients)
    }

    fn weight(params: &ParamStore) -> f32 {
        params.weights().unwrap().entries[0].values[0]
    }

    #[test]
    fn the_first_step_is_the_learning_rate_whatever_the_gradient() {
        let (params, gradients) = one_weight();
        let start = weight(&params);
        Adam::new(&params, 0.9, 0.999, 0.0).unwrap().step(&params, &gradients, 0.01).unwrap();
        assert!((start - weight(&params) - 0.01).abs() < 1e-6);
    }

    #[test]
    fn a_restored_state_goes_on_as_if_nothing_had_happened() {
        let (params, gradients) = one_weight();
        let mut adam = Adam::new(&params, 0.9, 0.999, 0.01).unwrap();
        adam.step(&params, &gradients, 0.01).unwrap();
        let (middle, state) = (weight(&params), adam.state().unwrap());
        adam.step(&params, &gradients, 0.01).unwrap();
        let end = weight(&params);

        let mut again = Adam::new(&params, 0.9, 0.999, 0.01).unwrap();
        again.restore(&params, &state).unwrap();
        params.vars()[0].set(&Tensor::new(&[[middle]], &Device::Cpu).unwrap()).unwrap();
        again.step(&params, &gradients, 0.01).unwrap();
        assert_eq!(weight(&params).to_bits(), end.to_bits());
        assert!(again.restore(&params, &state[1..]).is_err());
    }
}
