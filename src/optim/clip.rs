//! Gradients of a bounded length: one bad batch moves the parameters no farther than the others.

use candle_core::{Result, Tensor};
use rayon::prelude::*;

use super::elementwise::{CHUNK, of_parameter, sum_of_chunk, summed};
use crate::nn::{ParamStore, with_all_floats};

/// The gradients of the parts of a batch (as in [`super::Optimizer::step`]), scaled so that their sum over the parts, all
/// learning parameters taken as one vector, is no longer than `longest`: g · longest / |g| (Pascanu, Mikolov & Bengio
/// 2013, algorithm 1). Shorter ones come back as they are, bit for bit, as do those whose length is no number.
pub fn clipped(params: &ParamStore, parts: Vec<Vec<Tensor>>, longest: f64) -> Result<Vec<Vec<Tensor>>> {
    let length = length(params, &parts)?;
    if !length.is_finite() || length <= longest {
        return Ok(parts);
    }
    let scale = longest / length;
    let scaled = |(index, gradient): (usize, &Tensor)| {
        // what does not learn was not counted, and nobody reads its gradient
        if params.learns(index) { gradient.affine(scale, 0.0) } else { Ok(gradient.clone()) }
    };
    parts.iter().map(|part| part.iter().enumerate().map(scaled).collect()).collect()
}

/// √Σ g² over all learning parameters of the sum of the parts. Chunks are added up in their order, so that threads change
/// no bit.
fn length(params: &ParamStore, parts: &[Vec<Tensor>]) -> Result<f64> {
    let mut squares = 0.0;
    for (index, var) in params.learning() {
        let gradients = of_parameter(parts, index);
        squares += if var.device().is_cpu() {
            with_all_floats(&gradients, |gradients| squares_of(gradients, var.elem_count()))?
        } else {
            f64::from(summed(&gradients)?.sqr()?.sum_all()?.to_scalar::<f32>()?)
        };
    }
    Ok(squares.sqrt())
}

fn squares_of(gradients: &[&[f32]], count: usize) -> f64 {
    let of_chunk = |chunk: usize| {
        let mut sum = [0.0; CHUNK];
        let sum = &mut sum[..CHUNK.min(count - chunk * CHUNK)];
        sum_of_chunk(gradients, chunk * CHUNK, sum);
        sum.iter().map(|&g| f64::from(g) * f64::from(g)).sum::<f64>()
    };
    let chunks: Vec<f64> = (0..count.div_ceil(CHUNK)).into_par_iter().map(of_chunk).collect();
    chunks.iter().sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::{Activation, Dense, MapShape, Network};
    use candle_core::Device;

    fn network() -> Network {
        let dense = |outputs| Dense { outputs, activation: Activation::Identity };
        Network::new(MapShape::new(1, 70, 80)).then("A", dense(2)).unwrap().then("B", dense(1)).unwrap()
    }

    /// Gradients of two parts: every entry 1 in the one, 2 in the other.
    fn parts(params: &ParamStore) -> Vec<Vec<Tensor>> {
        let full =
            |value: f64| params.vars().iter().map(move |var| var.ones_like().unwrap().affine(value, 0.0).unwrap());
        [1.0, 2.0].map(|value| full(value).collect()).into()
    }

    #[test]
    fn the_sum_of_all_parts_and_parameters_is_as_long_as_allowed() {
        let mut params = ParamStore::initialise(&network(), 1, &Device::Cpu).unwrap();
        let count = 2.0 * 5_600.0 + 2.0 + 2.0 + 1.0;
        let whole = length(&params, &parts(&params)).unwrap();
        assert!((whole - 3.0 * f64::sqrt(count)).abs() < 1e-9, "{whole}");
        let short = clipped(&params, parts(&params), 0.5).unwrap();
        assert!((length(&params, &short).unwrap() - 0.5).abs() < 1e-6);
        let first = short[1][0].flatten_all().unwrap().to_vec1::<f32>().unwrap()[0];
        assert!((f64::from(first) - 2.0 * 0.5 / whole).abs() < 1e-8, "the direction stays");
        // frozen parameters do not count
        params.freeze(2);
        assert!((length(&params, &parts(&params)).unwrap() - 3.0 * f64::sqrt(3.0)).abs() < 1e-9);
    }

    #[test]
    fn what_is_short_enough_or_no_number_stays_as_it_is() {
        let params = ParamStore::initialise(&network(), 1, &Device::Cpu).unwrap();
        let given = parts(&params);
        let ids: Vec<_> = given.iter().flatten().map(Tensor::id).collect();
        let kept = clipped(&params, given, 1e9).unwrap();
        assert_eq!(kept.iter().flatten().map(Tensor::id).collect::<Vec<_>>(), ids, "not even copied");
        let mut broken = parts(&params);
        broken[0][3] = (&broken[0][3] * f64::NAN).unwrap();
        let kept = clipped(&params, broken, 0.5).unwrap();
        assert_eq!(kept[1][0].flatten_all().unwrap().to_vec1::<f32>().unwrap()[0], 2.0);
    }

    #[test]
    fn threads_change_no_bit_of_the_length() {
        let wave: Vec<f32> = (0..3 * CHUNK + 17).map(|i| (i as f32 * 0.37).sin()).collect();
        let on = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| squares_of(&[&wave, &wave], wave.len())).to_bits()
        };
        assert_eq!(on(1), on(3));
    }
}
