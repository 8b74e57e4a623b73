//! Non-linear conjugate gradient: every direction takes up the one before, and how far to go along it is searched for.

use std::ops::ControlFlow;

use candle_core::{Result, Tensor, bail};

use super::elementwise::{halves, whole};
use super::line_search::{Place, Search, Wolfe, strong_wolfe};
use super::{Function, Optimizer};
use crate::nn::ParamStore;

/// `d ← −g + β d`, `p ← p + α d` with Polak and Ribière's β = max(0, g · (g − g⁻) / g⁻ · g⁻), g⁻ the gradient before
/// (Nocedal & Wright 2006, algorithm 5.4 and equation 5.45), and a step α that meets the strong Wolfe conditions
/// (`line_search.rs`).
///
/// It begins anew, with d = −g, where β is not positive, where successive gradients are far from orthogonal
/// (|g · g⁻| ≥ 0.2 g · g, Powell 1977), where d does not lead down, where a search fails, and where the function is another
/// one than before: other distortions, other silent units.
pub struct ConjugateGradient {
    wolfe: Wolfe,
    /// What the last iteration left; `None` before the first.
    last: Option<Last>,
}

/// What goes over from one iteration to the next. Vectors are kept in single precision, so that a state that was saved goes on
/// to the same bits.
#[derive(Clone, Debug, Default, PartialEq)]
struct Last {
    /// At the present place, which the last search has found.
    value: f64,
    gradient: Vec<f32>,
    /// The next direction.
    direction: Vec<f32>,
    /// α φ′(0) of the last search: the decrease that its slope promised.
    promised: f64,
    /// The search along −g has failed here: nothing lower is to be found.
    is_stuck: bool,
}

/// Nocedal & Wright 2006, section 3.1: c₂ = 0.1 for conjugate gradient.
const WOLFE: Wolfe = Wolfe { decrease: 1e-4, slope: 0.1 };
/// Powell 1977, "Restart procedures for the conjugate gradient method".
const LEAST_CONJUGACY: f64 = 0.2;

fn dot<A: Copy + Into<f64>, B: Copy + Into<f64>>(a: &[A], b: &[B]) -> f64 {
    a.iter().zip(b).map(|(&a, &b)| a.into() * b.into()).sum()
}

fn single(values: &[f64]) -> Vec<f32> {
    values.iter().map(|&value| value as f32).collect()
}

/// −g.
fn downhill(gradient: &[f32]) -> Vec<f32> {
    gradient.iter().map(|g| -g).collect()
}

/// The direction after a step that changed the gradient from `before` to `gradient`.
fn next_direction(direction: &[f32], before: &[f32], gradient: &[f32]) -> Vec<f32> {
    let length = dot(gradient, gradient);
    let overlap = dot(gradient, before);
    let beta = (length - overlap) / dot(before, before);
    let is_conjugate = overlap.abs() < LEAST_CONJUGACY * length;
    if !(is_conjugate && beta.is_finite() && beta > 0.0) {
        return downhill(gradient);
    }
    let next: Vec<f32> = gradient.iter().zip(direction).map(|(&g, &d)| (beta * f64::from(d)) as f32 - g).collect();
    if dot(gradient, &next) < 0.0 { next } else { downhill(gradient) }
}

impl ConjugateGradient {
    /// Before the first iteration.
    pub fn new() -> Self {
        Self { wolfe: WOLFE, last: None }
    }

    /// One iteration from `x`, which becomes the place found. `scale` multiplies the first step that a search tries: 1 along
    /// the very first gradient, later the step that promises as much as the one before (Nocedal & Wright 2006, equation 3.60).
    fn iterate(&mut self, x: &mut [f64], function: &mut dyn Function, scale: f64) -> Result<ControlFlow<()>> {
        let mut gradient = vec![0.0; x.len()];
        let mut last = match self.last.take().filter(|last| last.direction.len() == x.len()) {
            Some(last) if !function.may_differ() => last,
            last => {
                let Some(value) = function.value_and_gradient(x, &mut gradient)? else {
                    self.last = last;
                    return Ok(ControlFlow::Break(()));
                };
                // to the last bit the same value: the same function
                last.filter(|last| last.value == value).unwrap_or_else(|| {
                    let gradient = single(&gradient);
                    Last { value, direction: downhill(&gradient), gradient, promised: 0.0, is_stuck: false }
                })
            }
        };
        let flow = if last.is_stuck || !last.value.is_finite() {
            ControlFlow::Continue(())
        } else {
            self.search(&mut last, x, function, &mut gradient, scale)?
        };
        self.last = Some(last);
        Ok(flow)
    }

    /// Along the direction, and once more along −g where that fails.
    fn search(
        &self,
        last: &mut Last,
        x: &mut [f64],
        function: &mut dyn Function,
        gradient: &mut [f64],
        scale: f64,
    ) -> Result<ControlFlow<()>> {
        let from = x.to_vec();
        loop {
            let slope = dot(&last.gradient, &last.direction);
            let first = if last.promised < 0.0 { last.promised / slope } else { 1.0 / slope.abs().sqrt() };
            let start = Place { step: 0.0, value: last.value, slope };
            let mut ask = |step: f64| -> Result<Option<(f64, f64)>> {
                x.iter_mut()
                    .zip(&from)
                    .zip(&last.direction)
                    .for_each(|((x, from), &d)| *x = from + step * f64::from(d));
                let value = function.value_and_gradient(x, gradient)?;
                Ok(value.map(|value| (value, dot(gradient, &last.direction))))
            };
            let found = if slope < 0.0 {
                match strong_wolfe(start, scale * first, self.wolfe, &mut ask)? {
                    // the gradient there is that of an earlier question
                    Search::Lower(place) => match ask(place.step)? {
                        Some(_) => Search::Found(place),
                        None => Search::Interrupted,
                    },
                    other => other,
                }
            } else {
                Search::Failed
            };
            match found {
                Search::Found(place) | Search::Lower(place) => {
                    let before = std::mem::replace(&mut last.gradient, single(gradient));
                    last.direction = next_direction(&last.direction, &before, &last.gradient);
                    (last.value, last.promised) = (place.value, place.step * slope);
                    return Ok(ControlFlow::Continue(()));
                }
                Search::Interrupted => {
                    x.copy_from_slice(&from);
                    return Ok(ControlFlow::Break(()));
                }
                Search::Failed => {
                    x.copy_from_slice(&from);
                    let steepest = downhill(&last.gradient);
                    if last.direction == steepest {
                        last.is_stuck = true;
                        // whoever reports the last answer reports the one at the place where this ends
                        let answer = function.value_and_gradient(x, gradient)?;
                        return Ok(answer.map_or(ControlFlow::Break(()), |_| ControlFlow::Continue(())));
                    }
                    (last.direction, last.promised) = (steepest, 0.0);
                }
            }
        }
    }
}

/// Asks at the places that parameters can be at.
struct InSingle<'a> {
    function: &'a mut dyn Function,
    place: Vec<f64>,
}

impl Function for InSingle<'_> {
    fn value_and_gradient(&mut self, x: &[f64], gradient: &mut [f64]) -> Result<Option<f64>> {
        self.place.clear();
        self.place.extend(x.iter().map(|&x| f64::from(x as f32)));
        self.function.value_and_gradient(&self.place, gradient)
    }

    fn may_differ(&self) -> bool {
        self.function.may_differ()
    }
}

impl Default for ConjugateGradient {
    fn default() -> Self {
        Self::new()
    }
}

impl Optimizer for ConjugateGradient {
    fn step(&mut self, _: &ParamStore, _: &[Vec<Tensor>], _: f64) -> Result<()> {
        bail!("conjugate gradient asks at several places and needs all training images: it takes no single gradient")
    }

    fn asks_for_all_images(&self) -> bool {
        true
    }

    fn step_along(
        &mut self,
        params: &ParamStore,
        function: &mut dyn Function,
        learning_rate: f64,
    ) -> Result<ControlFlow<()>> {
        let mut x = Vec::new();
        for (_, var) in params.learning() {
            x.extend(var.as_tensor().flatten_all()?.to_vec1::<f32>()?.into_iter().map(f64::from));
        }
        let flow = self.iterate(&mut x, &mut InSingle { function, place: Vec::new() }, learning_rate)?;
        set_flat(params, &x)?;
        Ok(flow)
    }

    fn state(&self) -> Result<Vec<(String, Vec<f32>)>> {
        let Some(last) = &self.last else { return Ok(Vec::new()) };
        let [value, promised] = [halves(last.value), halves(last.promised)];
        let stuck = f32::from(u8::from(last.is_stuck));
        Ok(vec![
            ("gradient".to_owned(), last.gradient.clone()),
            ("direction".to_owned(), last.direction.clone()),
            ("search".to_owned(), vec![value[0], value[1], promised[0], promised[1], stuck]),
        ])
    }

    fn restore(&mut self, params: &ParamStore, state: &[(String, Vec<f32>)]) -> Result<()> {
        if state.is_empty() {
            self.last = None;
            return Ok(());
        }
        let count: usize = params.learning().map(|(_, var)| var.elem_count()).sum();
        let slot = |name: &str, expected: usize| match state.iter().find(|(n, _)| n == name) {
            Some((_, values)) if values.len() == expected => Ok(values.clone()),
            Some((_, values)) => {
                bail!("{name} of the optimiser's state has {} values, expected {expected}", values.len())
            }
            None => bail!("the optimiser's state lacks {name}"),
        };
        let search = slot("search", 5)?;
        self.last = Some(Last {
            value: whole([search[0], search[1]]),
            gradient: slot("gradient", count)?,
            direction: slot("direction", count)?,
            promised: whole([search[2], search[3]]),
            is_stuck: search[4] != 0.0,
        });
        Ok(())
    }
}

/// Writes one value after the other into the parameters that learn, in the order of the store.
pub fn set_flat(params: &ParamStore, x: &[f64]) -> Result<()> {
    let mut rest = x;
    for (_, var) in params.learning() {
        let Some((own, others)) = rest.split_at_checked(var.elem_count()) else {
            bail!("{} values for more parameters", x.len())
        };
        var.set(&Tensor::from_vec(single(own), var.shape(), var.device())?)?;
        rest = others;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
