//! The loss of all training images as one function, for optimisers that ask at several places before they move.

use std::ops::ControlFlow;

use anyhow::Result;

use super::batches::{self, Batch};
use super::objective::{Gradients, Objective};
use super::{TrainingConfig, TrainingData};
use crate::nn::{ParamKind, ParamStore};
use crate::optim::{Function, Optimizer, set_flat};

/// All training images of an epoch as that epoch meets them: the same distortions and the same silent units however often they
/// are read.
pub(super) struct WholeSet<'a> {
    objective: &'a Objective<'a>,
    params: &'a ParamStore,
    batches: Vec<Batch>,
    /// λ of λ/2 Σ w².
    penalty: f64,
    seed: u64,
    /// Where dropout draws for the first batch.
    first_draw: u64,
    /// Read since somebody asked.
    images_read: usize,
    /// Nobody has read them yet.
    is_new: bool,
    /// What the last reading found, without gradients.
    found: Gradients,
}

impl<'a> WholeSet<'a> {
    pub fn new(
        objective: &'a Objective<'a>,
        params: &'a ParamStore,
        config: &TrainingConfig,
        data: &TrainingData,
        epoch: u32,
    ) -> Self {
        let batches = batches::all(config, data, epoch);
        Self {
            objective,
            params,
            penalty: config.optimizer.penalty(),
            seed: config.seed,
            first_draw: u64::from(epoch - 1) * batches.len() as u64,
            images_read: 0,
            is_new: true,
            found: Gradients::default(),
            batches,
        }
    }

    /// One update. What was found at the place where it ends, without gradients; `None` where `goes_on`, which is asked after
    /// every batch, has ended it.
    pub fn improve(
        &mut self,
        optimizer: &mut dyn Optimizer,
        learning_rate: f64,
        goes_on: &mut dyn FnMut() -> bool,
    ) -> Result<Option<Gradients>> {
        let params = self.params;
        let flow = optimizer.step_along(params, &mut Asked { set: self, goes_on }, learning_rate)?;
        let Gradients { loss, images, correct, right_distance, .. } = self.found;
        let observed = std::mem::take(&mut self.found.observed);
        let found =
            Gradients { loss, images, correct, right_distance, parts: Vec::new(), observed, answers: Vec::new() };
        Ok(flow.is_continue().then_some(found))
    }

    /// Images read since this was last asked.
    pub fn take_images_read(&mut self) -> usize {
        std::mem::take(&mut self.images_read)
    }

    fn read(
        &mut self,
        x: &[f64],
        gradient: &mut [f64],
        goes_on: &mut dyn FnMut() -> bool,
    ) -> Result<ControlFlow<(), f64>> {
        set_flat(self.params, x)?;
        gradient.fill(0.0);
        let images: usize = self.batches.iter().map(Batch::len).sum();
        let mut found = Gradients::default();
        for (number, batch) in self.batches.iter().enumerate() {
            let result = self.objective.evaluate(self.params, batch, self.seed, self.first_draw + number as u64)?;
            let share = batch.len() as f64 / images as f64;
            self.add(&result, share, gradient)?;
            found.loss += share * result.loss;
            found.images += result.images;
            found.correct += result.correct;
            found.right_distance += result.right_distance;
            found.observed.extend(result.observed);
            self.images_read += batch.len();
            if !goes_on() {
                return Ok(ControlFlow::Break(()));
            }
        }
        let value = found.loss + self.add_penalty(x, gradient);
        (self.found, self.is_new) = (found, false);
        Ok(ControlFlow::Continue(value))
    }

    /// Adds the gradient of a batch with its share.
    fn add(&self, result: &Gradients, share: f64, gradient: &mut [f64]) -> Result<()> {
        for part in &result.parts {
            let mut rest = &mut *gradient;
            for (index, var) in self.params.learning() {
                let (own, others) = rest.split_at_mut(var.elem_count());
                let values = part[index].flatten_all()?.to_vec1::<f32>()?;
                own.iter_mut().zip(values).for_each(|(sum, value)| *sum += share * f64::from(value));
                rest = others;
            }
        }
        Ok(())
    }

    /// λ/2 Σ w² over the weights that learn; its gradient λ w is added.
    fn add_penalty(&self, x: &[f64], gradient: &mut [f64]) -> f64 {
        let (mut squares, mut from) = (0.0, 0);
        for (index, var) in self.params.learning() {
            let own = from..from + var.elem_count();
            from = own.end;
            if self.objective.kind(index) == ParamKind::Weight {
                for (gradient, w) in gradient[own.clone()].iter_mut().zip(&x[own]) {
                    *gradient += self.penalty * w;
                    squares += w * w;
                }
            }
        }
        0.5 * self.penalty * squares
    }
}

/// The set while somebody watches.
struct Asked<'s, 'a> {
    set: &'s mut WholeSet<'a>,
    goes_on: &'s mut dyn FnMut() -> bool,
}

impl Function for Asked<'_, '_> {
    fn value_and_gradient(&mut self, x: &[f64], gradient: &mut [f64]) -> candle_core::Result<Option<f64>> {
        let value = self.set.read(x, gradient, self.goes_on).map_err(|error| match error.downcast() {
            Ok(error) => error,
            Err(other) => candle_core::Error::Msg(format!("{other:#}")),
        })?;
        Ok(value.continue_value())
    }

    fn may_differ(&self) -> bool {
        self.set.is_new
    }
}
