//! What optimisers have in common: the gradients that the parts of a batch gave, and what is remembered of every
//! parameter.

use candle_core::{Result, Tensor, Var, bail};

use crate::nn::{Simd, with_simd};

/// Values that one thread updates at a time. Every value is updated from its own place alone, so that neither chunks nor
/// threads change a bit.
pub(super) const CHUNK: usize = 4_096;

/// The gradients of parameter `index`, one a part of the batch.
pub(super) fn of_parameter(parts: &[Vec<Tensor>], index: usize) -> Vec<&Tensor> {
    parts.iter().map(|part| &part[index]).collect()
}

/// Their sum in the order of the parts, with Candle's operators.
pub(super) fn summed(gradients: &[&Tensor]) -> Result<Tensor> {
    let [first, rest @ ..] = gradients else { bail!("an update needs a gradient") };
    rest.iter().try_fold((*first).clone(), |sum, gradient| sum + *gradient)
}

with_simd! {
    /// The same sum for one chunk: `sum` is overwritten by the values of all parts from `from` on.
    pub(super) fn sum_of_chunk / sum_of_chunk_body(parts: &[&[f32]], from: usize, sum: &mut [f32])
}

// plain loops: entered through `with_simd!`, they may use the vectors of the processor at hand
#[inline(always)]
fn sum_of_chunk_body<S: Simd>(parts: &[&[f32]], from: usize, sum: &mut [f32]) {
    let count = sum.len();
    sum.copy_from_slice(&parts[0][from..][..count]);
    for part in &parts[1..] {
        for (sum, part) in sum.iter_mut().zip(&part[from..][..count]) {
            *sum += part;
        }
    }
}

/// Zeros like every parameter, to remember something of each.
pub(super) fn zeros_like(params: &[Var]) -> Result<Vec<Var>> {
    params.iter().map(|p| Var::from_tensor(&p.as_tensor().zeros_like()?)).collect()
}

/// A number in double precision as two values that hold its bits.
pub(super) fn halves(value: f64) -> [f32; 2] {
    let bits = value.to_bits();
    [f32::from_bits((bits >> 32) as u32), f32::from_bits(bits as u32)]
}

/// The number that [`halves`] has taken apart.
pub(super) fn whole([high, low]: [f32; 2]) -> f64 {
    f64::from_bits(u64::from(high.to_bits()) << 32 | u64::from(low.to_bits()))
}

/// The values of named slots, `slot.0`, `slot.1`, ….
pub(super) fn save(slot: &str, vars: &[Var]) -> Result<Vec<(String, Vec<f32>)>> {
    let values = |(i, var): (usize, &Var)| Ok((format!("{slot}.{i}"), var.as_tensor().flatten_all()?.to_vec1()?));
    vars.iter().enumerate().map(values).collect()
}

/// Writes saved values back into the slots. Fails where one is missing or of another size.
pub(super) fn load(slot: &str, vars: &[Var], state: &[(String, Vec<f32>)]) -> Result<()> {
    for (i, var) in vars.iter().enumerate() {
        let name = format!("{slot}.{i}");
        let Some((_, values)) = state.iter().find(|(n, _)| *n == name) else {
            bail!("the optimiser's state lacks {name}");
        };
        if values.len() != var.elem_count() {
            bail!("{name} of the optimiser's state has {} values, expected {}", values.len(), var.elem_count());
        }
        var.set(&Tensor::from_slice(values, var.shape(), var.device())?)?;
    }
    Ok(())
}
