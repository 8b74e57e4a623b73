//! Trainable subsampling: a window's sum times a coefficient, plus a bias. Kernels and their Candle operator.
//!
//! Both kinds of lanes run through the same kernels: every map `[height, width, 8]` comes with one vector of coefficients
//! and one of biases, which hold either one channel's value eight times or the values of eight channels.

use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape, Tensor, bail};

use super::operators::{WeightGradients, activate, before_activation, floats, weighted_backward};
use super::pooling::PoolShape;
use super::simd::{LANES, Simd, with_simd};
use crate::nn::{Activation, Lanes, Pool2d};

/// The sum of a `size`×`size` window of vectors, in maps of `width` vectors a row.
///
/// # Safety
/// `x` must be the first value of a window that lies inside the map.
#[inline(always)]
unsafe fn window_sum<S: Simd>(x: *const f32, size: usize, width: usize) -> S {
    let mut sum = S::splat(0.0);
    for row in 0..size {
        for column in 0..size {
            // SAFETY: the caller promises the whole window.
            sum = sum.add(unsafe { S::load(x.add((row * width + column) * LANES)) });
        }
    }
    sum
}

/// Maps of a unit, from vectors one a map; panics unless whole units fill the batch.
fn maps_of_unit(coefficients: &[f32], biases: &[f32], s: &PoolShape) -> usize {
    assert_eq!(coefficients.len(), biases.len(), "a coefficient and a bias for every map");
    let maps = coefficients.len() / LANES;
    assert!(maps > 0 && s.maps.is_multiple_of(maps), "whole units");
    maps
}

with_simd! {
    /// `y = coefficient · sum of the window + bias`: x `[units, maps, height, width, 8]`, coefficients and biases
    /// `[maps, 8]`, y `[units, maps, height / size, width / size, 8]`; `s.maps` counts those of all units.
    pub fn subsample_forward / subsample_forward_body(
        x: &[f32], coefficients: &[f32], biases: &[f32], y: &mut [f32], s: &PoolShape,
    )
}

#[inline(always)]
fn subsample_forward_body<S: Simd>(x: &[f32], coefficients: &[f32], biases: &[f32], y: &mut [f32], s: &PoolShape) {
    s.check(x.len(), y.len());
    let maps = maps_of_unit(coefficients, biases, s);
    let (one, before, after) = (s.one_map(), x.len() / s.maps, y.len() / s.maps);
    for map in 0..s.maps {
        let (x, y) = (&x[map * before..][..before], &mut y[map * after..][..after]);
        let at = map % maps * LANES;
        // SAFETY: `maps_of_unit` has tied the vectors to the maps, `check` the windows to the slices.
        unsafe {
            let (coefficient, bias) = (S::load(coefficients[at..].as_ptr()), S::load(biases[at..].as_ptr()));
            one.for_each_window(|first, out| {
                let sum: S = window_sum(x.as_ptr().add(first), s.pool.size, s.width);
                sum.mul_add(coefficient, bias).store(y.as_mut_ptr().add(out));
            });
        }
    }
}

with_simd! {
    /// Gradients of the coefficients and biases, lane by lane: sums over the pixels of a map, then over the units, in
    /// order; both are overwritten. Shapes as in [`subsample_forward`], `gradient` as its y.
    pub fn subsample_weight_gradient / subsample_weight_gradient_body(
        x: &[f32], gradient: &[f32], coefficients_grad: &mut [f32], biases_grad: &mut [f32], s: &PoolShape,
    )
}

#[inline(always)]
fn subsample_weight_gradient_body<S: Simd>(
    x: &[f32],
    gradient: &[f32],
    coefficients_grad: &mut [f32],
    biases_grad: &mut [f32],
    s: &PoolShape,
) {
    s.check(x.len(), gradient.len());
    let maps = maps_of_unit(coefficients_grad, biases_grad, s);
    let (one, before, after) = (s.one_map(), x.len() / s.maps, gradient.len() / s.maps);
    coefficients_grad.fill(0.0);
    biases_grad.fill(0.0);
    for map in 0..s.maps {
        let (x, gradient) = (&x[map * before..][..before], &gradient[map * after..][..after]);
        let at = map % maps * LANES;
        let (mut of_coefficient, mut of_bias) = (S::splat(0.0), S::splat(0.0));
        // SAFETY: as in the forward pass.
        unsafe {
            one.for_each_window(|first, out| {
                let gradient = S::load(gradient.as_ptr().add(out));
                let sum: S = window_sum(x.as_ptr().add(first), s.pool.size, s.width);
                of_coefficient = sum.mul_add(gradient, of_coefficient);
                of_bias = of_bias.add(gradient);
            });
            let (coefficient, bias) = (coefficients_grad[at..].as_mut_ptr(), biases_grad[at..].as_mut_ptr());
            S::load(coefficient).add(of_coefficient).store(coefficient);
            S::load(bias).add(of_bias).store(bias);
        }
    }
}

with_simd! {
    /// The gradient of the input, `coefficient · gradient` for every value of a window; `x_grad` is overwritten. Shapes as
    /// in [`subsample_forward`].
    pub fn subsample_input_gradient / subsample_input_gradient_body(
        gradient: &[f32], coefficients: &[f32], x_grad: &mut [f32], s: &PoolShape,
    )
}

#[inline(always)]
fn subsample_input_gradient_body<S: Simd>(gradient: &[f32], coefficients: &[f32], x_grad: &mut [f32], s: &PoolShape) {
    s.check(x_grad.len(), gradient.len());
    let maps = maps_of_unit(coefficients, coefficients, s);
    let (one, before, after) = (s.one_map(), x_grad.len() / s.maps, gradient.len() / s.maps);
    for map in 0..s.maps {
        let (x_grad, gradient) = (&mut x_grad[map * before..][..before], &gradient[map * after..][..after]);
        let at = map % maps * LANES;
        // SAFETY: as in the forward pass.
        unsafe {
            let coefficient = S::load(coefficients[at..].as_ptr());
            one.for_each_window(|first, out| {
                let part = S::load(gradient.as_ptr().add(out)).mul(coefficient);
                for row in 0..s.pool.size {
                    for column in 0..s.pool.size {
                        part.store(x_grad.as_mut_ptr().add(first + (row * s.width + column) * LANES));
                    }
                }
            });
        }
    }
}

/// One vector a map from one value a channel. Lanes beyond the last channel get zeros, and so stay zero in the result.
pub(super) fn to_vectors(values: &[f32], lanes: Lanes) -> Vec<f32> {
    match lanes {
        Lanes::Images => values.iter().flat_map(|&value| [value; LANES]).collect(),
        Lanes::Channels => {
            let mut vectors = values.to_vec();
            vectors.resize(values.len().next_multiple_of(LANES), 0.0);
            vectors
        }
    }
}

/// Gradients one a channel from gradients one vector a map: images are summed, channels lie side by side already.
fn from_vectors(vectors: &[f32], values: &mut [f32], lanes: Lanes) {
    match lanes {
        Lanes::Images => {
            for (value, vector) in values.iter_mut().zip(vectors.chunks_exact(LANES)) {
                *value = vector.iter().sum();
            }
        }
        Lanes::Channels => values.copy_from_slice(&vectors[..values.len()]),
    }
}

/// `activation(coefficient[c] · sum of the window of x[c] + bias[c])`; arguments x in lanes, coefficient `[channels]`, bias
/// `[channels]`; the result is in the same lanes.
pub struct Subsample {
    pub lanes: Lanes,
    pub size: usize,
    pub activation: Activation,
    pub gradients: WeightGradients,
}

impl Subsample {
    fn shape(&self, dims: &[usize]) -> PoolShape {
        PoolShape { maps: dims[0] * dims[1], height: dims[2], width: dims[3], pool: Pool2d::average(self.size) }
    }
}

impl CustomOp3 for Subsample {
    fn name(&self) -> &'static str {
        "subsample"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        coefficient: &CpuStorage,
        coefficient_layout: &Layout,
        bias: &CpuStorage,
        bias_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let dims = x_layout.dims();
        let (units, maps, height, width) = (dims[0], dims[1], dims[2], dims[3]);
        let coefficients = to_vectors(floats(coefficient, coefficient_layout)?, self.lanes);
        let biases = to_vectors(floats(bias, bias_layout)?, self.lanes);
        if coefficients.len() != maps * LANES || biases.len() != maps * LANES {
            bail!("{maps} maps of vectors need as many coefficients and biases");
        }
        if self.size == 0 || !height.is_multiple_of(self.size) || !width.is_multiple_of(self.size) {
            bail!("subsampling windows of {0}×{0} must tile the {height}×{width} map", self.size);
        }
        let x = floats(x, x_layout)?;
        let mut y = vec![0.0; x.len() / (self.size * self.size)];
        subsample_forward(x, &coefficients, &biases, &mut y, &self.shape(dims));
        activate(&mut y, self.activation);
        Ok((CpuStorage::F32(y), (units, maps, height / self.size, width / self.size, LANES).into()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        coefficient: &Tensor,
        bias: &Tensor,
        result: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let shape = self.shape(x.dims());
        let floats_of_unit = x.dims()[1] * LANES;
        // the sums of the windows are added up again: that costs less than to write them down and read them back
        let weights = |x: &[f32], before: &[f32], coefficient_grad: &mut [f32], bias_grad: &mut [f32]| {
            let (mut coefficients, mut biases) = (vec![0.0; floats_of_unit], vec![0.0; floats_of_unit]);
            subsample_weight_gradient(x, before, &mut coefficients, &mut biases, &shape);
            from_vectors(&coefficients, coefficient_grad, self.lanes);
            from_vectors(&biases, bias_grad, self.lanes);
        };
        let inputs = |before: &[f32], coefficient: &[f32], x_grad: &mut [f32]| {
            subsample_input_gradient(before, &to_vectors(coefficient, self.lanes), x_grad, &shape);
        };
        before_activation(result, gradient, self.activation, |before| {
            weighted_backward([x, coefficient, bias], before, &self.gradients, weights, inputs)
        })
    }
}
