//! Adam, and AdamW where a weight decay is given.

use candle_core::{Result, Tensor, Var, bail};
use rayon::prelude::*;

use super::Optimizer;
use super::elementwise::{CHUNK, halves, load, of_parameter, save, sum_of_chunk, summed, whole, zeros_like};
use crate::nn::{ParamStore, Simd, with_all_floats, with_floats_mut, with_simd};

/// Kingma & Ba 2015, algorithm 1, with the corrections of the first updates folded into the step as in its section 2:
/// `m ← β₁m + (1 − β₁)g`, `v ← β₂v + (1 − β₂)g²`, `p ← p − rate · decay · p − rate · m̂ / (√v̂ + ε)`.
pub struct Adam {
    beta1: f64,
    beta2: f64,
    weight_decay: f64,
    updates: u32,
    /// The product of the β₁ of all updates, once β₁ has changed; before, it is β₁ to their number.
    beta1_product: Option<f64>,
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
            beta1_product: None,
            first_moment: zeros_like(params.vars())?,
            second_moment: zeros_like(params.vars())?,
        })
    }
}

/// The numbers of one update.
#[derive(Clone, Copy)]
struct Step {
    beta1: f64,
    beta2: f64,
    /// The rate over the correction of the first moment.
    rate: f64,
    /// What makes √v into √v̂.
    correction: f64,
    /// What weight decay leaves of a parameter.
    keep: f64,
}

with_simd! { fn update / update_body(p: &mut [f32], m: &mut [f32], v: &mut [f32], gradient: &[f32], step: &Step) }

// a plain loop: entered through `with_simd!`, it may use the vectors of the processor at hand
#[inline(always)]
fn update_body<S: Simd>(p: &mut [f32], m: &mut [f32], v: &mut [f32], gradient: &[f32], step: &Step) {
    let (b1, b2) = (step.beta1 as f32, step.beta2 as f32);
    let (rate, correction, keep) = (step.rate as f32, step.correction as f32, step.keep as f32);
    for (((p, m), v), &g) in p.iter_mut().zip(m).zip(v).zip(gradient) {
        *m = b1 * *m + (1.0 - b1) * g;
        *v = b2 * *v + (1.0 - b2) * g * g;
        *p = keep * *p - rate * *m / (v.sqrt() * correction + EPSILON as f32);
    }
}

/// One pass over memory, on the threads of the calling pool.
fn update_on_cpu(p: &Var, m: &Var, v: &Var, gradients: &[&Tensor], step: &Step) -> Result<()> {
    let chunks = |p: &mut [f32], m: &mut [f32], v: &mut [f32], gradients: &[&[f32]]| {
        let chunks = p.par_chunks_mut(CHUNK).zip(m.par_chunks_mut(CHUNK)).zip(v.par_chunks_mut(CHUNK));
        chunks.enumerate().for_each(|(n, ((p, m), v))| {
            let mut gradient = [0.0; CHUNK];
            let gradient = &mut gradient[..p.len()];
            sum_of_chunk(gradients, n * CHUNK, gradient);
            update(p, m, v, gradient, step);
        });
    };
    with_all_floats(gradients, |gradients| {
        with_floats_mut(p, |p| with_floats_mut(m, |m| with_floats_mut(v, |v| chunks(p, m, v, gradients))))
    })???
}

fn update_with_stock(p: &Var, m: &Var, v: &Var, g: &Tensor, step: &Step) -> Result<()> {
    m.set(&((m.as_detached_tensor() * step.beta1)? + (g * (1.0 - step.beta1))?)?)?;
    v.set(&((v.as_detached_tensor() * step.beta2)? + (g.sqr()? * (1.0 - step.beta2))?)?)?;
    let moved = (m.as_detached_tensor() * step.rate)?;
    let moved = (moved / ((v.as_detached_tensor().sqrt()? * step.correction)? + EPSILON)?)?;
    p.set(&((p.as_detached_tensor() * step.keep)? - moved)?)
}

impl Optimizer for Adam {
    fn step(&mut self, params: &ParamStore, parts: &[Vec<Tensor>], learning_rate: f64) -> Result<()> {
        self.updates += 1;
        let (beta1, beta2) = (self.beta1, self.beta2);
        if let Some(product) = &mut self.beta1_product {
            *product *= beta1;
        }
        let first_correction = 1.0 - self.beta1_product.unwrap_or_else(|| beta1.powi(self.updates as i32));
        let step = Step {
            beta1,
            beta2,
            rate: learning_rate / first_correction,
            correction: 1.0 / (1.0 - beta2.powi(self.updates as i32)).sqrt(),
            keep: 1.0 - learning_rate * self.weight_decay,
        };
        for (index, p) in params.learning() {
            let (m, v) = (&self.first_moment[index], &self.second_moment[index]);
            let gradients = of_parameter(parts, index);
            if p.device().is_cpu() {
                update_on_cpu(p, m, v, &gradients, &step)?;
            } else {
                update_with_stock(p, m, v, &summed(&gradients)?, &step)?;
            }
        }
        Ok(())
    }

    /// The first moment is a mean of gradients with weights that sum to 1 − Π β₁, so that a β₁ that changes corrects itself by
    /// the product of all of them.
    fn set_coefficients(&mut self, momentum: Option<f64>, weight_decay: Option<f64>) {
        if let Some(beta1) = momentum.filter(|beta1| *beta1 != self.beta1) {
            self.beta1_product.get_or_insert(self.beta1.powi(self.updates as i32));
            self.beta1 = beta1;
        }
        self.weight_decay = weight_decay.unwrap_or(self.weight_decay);
    }

    fn state(&self) -> Result<Vec<(String, Vec<f32>)>> {
        let mut state = vec![("updates".to_owned(), vec![f32::from_bits(self.updates)])];
        state.extend(self.beta1_product.map(|product| ("beta1_product".to_owned(), halves(product).to_vec())));
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
        let product = state.iter().find(|(name, values)| name == "beta1_product" && values.len() == 2);
        self.beta1_product = product.map(|(_, halves)| whole([halves[0], halves[1]]));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::{Activation, Dense, MapShape, Network};
    use candle_core::Device;

    fn one_weight() -> (ParamStore, [Vec<Tensor>; 1]) {
        let network = Network::new(MapShape::new(1, 1, 1))
            .then("L", Dense { outputs: 1, activation: Activation::Identity })
            .unwrap();
        let params = ParamStore::initialise(&network, 1, &Device::Cpu).unwrap();
        let gradients = [Tensor::new(&[[0.5f32]], &Device::Cpu).unwrap(), Tensor::new(&[0f32], &Device::Cpu).unwrap()];
        (params, [gradients.into()])
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
    #[test]
    fn one_pass_and_candles_operators_update_alike() {
        // more values than one chunk, and a count that eight does not divide
        let count = CHUNK + 13;
        let wave = |scale: f32| (0..count).map(|i| (i as f32 * scale).sin()).collect::<Vec<f32>>();
        let var = |values: Vec<f32>| Var::from_tensor(&Tensor::new(values, &Device::Cpu).unwrap()).unwrap();
        let parts = [0.3, 0.7].map(|scale| Tensor::new(wave(scale), &Device::Cpu).unwrap());
        let gradients: Vec<&Tensor> = parts.iter().collect();
        let step = Step { beta1: 0.9, beta2: 0.999, rate: 0.02, correction: 1.5, keep: 0.99 };
        let [ours, stock] = [true, false].map(|ours| {
            let state = [var(wave(0.1)), var(wave(0.2)), var(wave(0.5).iter().map(|x| x * x).collect())];
            let [p, m, v] = &state;
            if ours {
                update_on_cpu(p, m, v, &gradients, &step).unwrap();
            } else {
                update_with_stock(p, m, v, &summed(&gradients).unwrap(), &step).unwrap();
            }
            state.map(|var| var.as_tensor().to_vec1::<f32>().unwrap())
        });
        for (ours, stock) in ours.iter().zip(&stock) {
            for (i, (a, b)) in ours.iter().zip(stock).enumerate() {
                // where v is nearly 0 the step is long, and so is its rounding
                assert!((a - b).abs() <= 1e-5 * (1.0 + b.abs()), "value {i}: {a} against {b}");
            }
        }
    }
}
