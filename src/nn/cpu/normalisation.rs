//! Batch normalisation: statistics of the channels, kernels, and their Candle operator.
//!
//! As in `subsampling` both kinds of lanes run through the same kernels: every map `[height, width, 8]` comes with one
//! vector of each coefficient, which holds either one channel's value eight times or the values of eight channels.

use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape, Tensor, bail};

use super::operators::{WeightGradients, activate_body, activation_gradient_body, floats, tensor};
use super::operators::{with_all_floats, with_floats, with_floats_mut};
use super::pooling::{PoolShape, pool_backward_body, pool_forward_body};
use super::simd::{LANES, Simd, with_simd};
use super::subsampling::to_vectors;
use crate::nn::{Activation, Lanes, MapShape, Pool2d};

/// Mean and biased variance of every channel over the images and their pixels; `x` in lanes, of `shape`. Lanes without an
/// image count nothing.
pub fn mean_and_variance(x: &Tensor, shape: MapShape, images: usize, lanes: Lanes) -> Result<(Vec<f32>, Vec<f32>)> {
    let pixels = shape.height * shape.width;
    let share = 1.0 / (images * pixels) as f64;
    let of_channels = |sums: &[f32]| -> Vec<f32> {
        per_channel(sums, shape.channels, images, lanes).iter().map(|sum| (sum * share) as f32).collect()
    };
    with_floats(x, |x| {
        let mut sums = vec![0.0; x.len() / pixels];
        let maps = lanes.dims(1, shape).1;
        map_sums(x, &mut sums, pixels);
        let mean = of_channels(&sums);
        // squares of deviations: those of the values would cancel where the mean is great
        map_squares(x, &to_vectors(&mean, lanes), &mut sums, pixels, maps);
        (mean, of_channels(&sums))
    })
}

/// Sums over the images from sums over the pixels of every map, `[units, maps, 8]`.
fn per_channel(sums: &[f32], channels: usize, images: usize, lanes: Lanes) -> Vec<f64> {
    let shape = MapShape::new(channels, 1, 1);
    let of = |channel| (0..images).map(|image| f64::from(sums[lanes.first(shape, image, channel)])).sum();
    (0..channels).map(of).collect()
}

/// Sums that run beside each other, for one alone would wait for itself at every pixel.
const SUMS: usize = 4;

/// Adds the sums up.
#[inline(always)]
fn total<S: Simd>(sums: [S; SUMS]) -> S {
    sums[0].add(sums[1]).add(sums[2].add(sums[3]))
}

with_simd! {
    /// Sums over the pixels: x `[maps, pixels, 8]`, `sums` `[maps, 8]`.
    fn map_sums / map_sums_body(x: &[f32], sums: &mut [f32], pixels: usize)
}
#[inline(always)]
fn map_sums_body<S: Simd>(x: &[f32], sums: &mut [f32], pixels: usize) {
    for (map, to) in x.chunks_exact(pixels * LANES).zip(sums.chunks_exact_mut(LANES)) {
        let mut parts = [S::splat(0.0); SUMS];
        for vectors in map.chunks(SUMS * LANES) {
            for (part, vector) in parts.iter_mut().zip(vectors.chunks_exact(LANES)) {
                // SAFETY: a chunk is eight floats.
                *part = part.add(unsafe { S::load(vector.as_ptr()) });
            }
        }
        // SAFETY: a chunk is eight floats.
        unsafe { total(parts).store(to.as_mut_ptr()) };
    }
}

with_simd! {
    /// Sums over the pixels of the squared deviations from `centres` `[maps of a unit, 8]`.
    fn map_squares / map_squares_body(x: &[f32], centres: &[f32], sums: &mut [f32], pixels: usize, maps: usize)
}
#[inline(always)]
fn map_squares_body<S: Simd>(x: &[f32], centres: &[f32], sums: &mut [f32], pixels: usize, maps: usize) {
    for (number, (map, to)) in x.chunks_exact(pixels * LANES).zip(sums.chunks_exact_mut(LANES)).enumerate() {
        let centre: S = vector(centres, number % maps);
        let mut parts = [S::splat(0.0); SUMS];
        for vectors in map.chunks(SUMS * LANES) {
            for (part, vector) in parts.iter_mut().zip(vectors.chunks_exact(LANES)) {
                // SAFETY: a chunk is eight floats.
                let deviation = unsafe { S::load(vector.as_ptr()) }.sub(centre);
                *part = deviation.mul_add(deviation, *part);
            }
        }
        // SAFETY: a chunk is eight floats.
        unsafe { total(parts).store(to.as_mut_ptr()) };
    }
}

/// Vector number `map`.
#[inline(always)]
fn vector<S: Simd>(vectors: &[f32], map: usize) -> S {
    let vector = &vectors[map * LANES..][..LANES];
    // SAFETY: eight floats.
    unsafe { S::load(vector.as_ptr()) }
}

/// What a map goes through: `activation((x − mean) · factor + shift)`, then pooling; a vector of each for every map of a
/// unit.
struct Maps {
    mean: Vec<f32>,
    factor: Vec<f32>,
    shift: Vec<f32>,
    /// Of one map; its `maps` is 1.
    shape: PoolShape,
    activation: Activation,
    pooled: bool,
}

impl Maps {
    fn unit(&self) -> usize {
        self.mean.len() / LANES
    }

    fn floats(&self) -> usize {
        self.shape.height * self.shape.width * LANES
    }

    /// Floats of a map that leaves.
    fn floats_out(&self) -> usize {
        if self.pooled { self.floats() / self.shape.pool.window() } else { self.floats() }
    }

    /// One map before pooling.
    #[inline(always)]
    fn normalise<S: Simd>(&self, x: &[f32], number: usize, y: &mut [f32]) {
        let map = number % self.unit();
        let (mean, factor, shift): (S, S, S) =
            (vector(&self.mean, map), vector(&self.factor, map), vector(&self.shift, map));
        for (x, y) in x.chunks_exact(LANES).zip(y.chunks_exact_mut(LANES)) {
            // SAFETY: chunks are eight floats.
            unsafe { S::load(x.as_ptr()).sub(mean).mul_add(factor, shift).store(y.as_mut_ptr()) };
        }
        activate_body::<S>(y, self.activation);
    }
}

with_simd! { fn normalise / normalise_body(x: &[f32], y: &mut [f32], maps: &Maps) }
#[inline(always)]
fn normalise_body<S: Simd>(x: &[f32], y: &mut [f32], maps: &Maps) {
    let mut before = vec![0.0; if maps.pooled { maps.floats() } else { 0 }];
    for (number, (x, y)) in x.chunks_exact(maps.floats()).zip(y.chunks_exact_mut(maps.floats_out())).enumerate() {
        if maps.pooled {
            maps.normalise::<S>(x, number, &mut before);
            pool_forward_body::<S>(&before, y, &maps.shape);
        } else {
            maps.normalise::<S>(x, number, y);
        }
    }
}

with_simd! {
    /// The gradient before activation and pooling, of x's size, from the one after both, which `before` itself holds where
    /// nothing is pooled; with its sums over the pixels of each map, and those of its products with x − mean, both
    /// `[maps of all units, 8]`.
    fn gradient_before / gradient_before_body(
        x: &[f32], pooled: Option<&[f32]>, before: &mut [f32], sums: &mut [f32], products: &mut [f32], maps: &Maps,
    )
}
#[inline(always)]
fn gradient_before_body<S: Simd>(
    x: &[f32],
    pooled: Option<&[f32]>,
    before: &mut [f32],
    sums: &mut [f32],
    products: &mut [f32],
    maps: &Maps,
) {
    // worked out again: a map fits the first cache, and to keep all of them would cost more
    let mut y = vec![0.0; maps.floats()];
    let of_maps = x.chunks_exact(maps.floats()).zip(before.chunks_exact_mut(maps.floats()));
    for (number, (x, before)) in of_maps.enumerate() {
        maps.normalise::<S>(x, number, &mut y);
        if let Some(gradient) = pooled {
            let of_map = &gradient[number * maps.floats_out()..][..maps.floats_out()];
            pool_backward_body::<S>(&y, of_map, before, &maps.shape);
        }
        activation_gradient_body::<S>(&y, before, maps.activation);
        let mean: S = vector(&maps.mean, number % maps.unit());
        let (mut sum, mut product) = ([S::splat(0.0); SUMS], [S::splat(0.0); SUMS]);
        for (x, g) in x.chunks(SUMS * LANES).zip(before.chunks(SUMS * LANES)) {
            for (i, (x, g)) in x.chunks_exact(LANES).zip(g.chunks_exact(LANES)).enumerate() {
                // SAFETY: chunks are eight floats.
                let (x, g) = unsafe { (S::load(x.as_ptr()), S::load(g.as_ptr())) };
                sum[i] = sum[i].add(g);
                product[i] = x.sub(mean).mul_add(g, product[i]);
            }
        }
        let (sums, products) = (&mut sums[number * LANES..][..LANES], &mut products[number * LANES..][..LANES]);
        // SAFETY: eight floats each.
        unsafe {
            total(sum).store(sums.as_mut_ptr());
            total(product).store(products.as_mut_ptr());
        }
    }
}

with_simd! {
    /// `gradient ← factor · gradient + constant + slope · (x − mean)`, constants and slopes `[maps of all units, 8]`.
    fn through_statistics / through_statistics_body(
        x: &[f32], gradient: &mut [f32], constants: &[f32], slopes: &[f32], maps: &Maps,
    )
}
#[inline(always)]
fn through_statistics_body<S: Simd>(x: &[f32], gradient: &mut [f32], constants: &[f32], slopes: &[f32], maps: &Maps) {
    for (number, (x, g)) in x.chunks_exact(maps.floats()).zip(gradient.chunks_exact_mut(maps.floats())).enumerate() {
        let (mean, factor): (S, S) =
            (vector(&maps.mean, number % maps.unit()), vector(&maps.factor, number % maps.unit()));
        let (constant, slope): (S, S) = (vector(constants, number), vector(slopes, number));
        for (x, g) in x.chunks_exact(LANES).zip(g.chunks_exact_mut(LANES)) {
            // SAFETY: chunks are eight floats.
            unsafe {
                let linear = S::load(x.as_ptr()).sub(mean).mul_add(slope, constant);
                S::load(g.as_ptr()).mul_add(factor, linear).store(g.as_mut_ptr());
            }
        }
    }
}

/// What a batch is normalised by, one value a channel.
pub struct Statistics {
    pub mean: Vec<f32>,
    /// 1 / √(variance + ε).
    pub deviation_inverse: Vec<f32>,
    /// Images that mean and variance are those of, so that gradients go through them; `None` where both are given.
    pub images: Option<usize>,
}

/// `activation(scale · (x − mean) · deviation_inverse + shift)`, pooled where asked; arguments x in lanes, scale
/// `[channels]`, shift `[channels]`; the result is in the same lanes.
pub struct Normalisation {
    pub lanes: Lanes,
    /// Of an image.
    pub shape: MapShape,
    pub statistics: Statistics,
    pub activation: Activation,
    pub pool: Option<Pool2d>,
    pub gradients: WeightGradients,
}

impl Normalisation {
    /// Panics where `x` does not hold whole units of the shape: the kernels cut it into maps.
    fn maps(&self, x: &[f32], scale: &[f32], shift: &[f32]) -> Maps {
        let of_unit = self.lanes.dims(1, self.shape).1 * self.shape.height * self.shape.width * LANES;
        assert!(of_unit > 0 && x.len().is_multiple_of(of_unit), "whole units");
        let factors: Vec<f32> = scale.iter().zip(&self.statistics.deviation_inverse).map(|(a, b)| a * b).collect();
        let (height, width) = (self.shape.height, self.shape.width);
        Maps {
            mean: to_vectors(&self.statistics.mean, self.lanes),
            factor: to_vectors(&factors, self.lanes),
            shift: to_vectors(shift, self.lanes),
            shape: PoolShape { maps: 1, height, width, pool: self.pool.unwrap_or(Pool2d::average(1)) },
            activation: self.activation,
            pooled: self.pool.is_some(),
        }
    }

    /// Vectors for every map of all units from one value a channel: zero in lanes without an image, so that nothing comes
    /// back to them.
    fn to_all_maps(&self, values: &[f32], units: usize) -> Vec<f32> {
        let of_unit = to_vectors(values, self.lanes);
        let mut all = of_unit.repeat(units);
        if let (Lanes::Images, Some(images)) = (self.lanes, self.statistics.images) {
            let last = (units - 1) * of_unit.len();
            for vector in all[last..].chunks_exact_mut(LANES) {
                vector[images - (units - 1) * LANES..].fill(0.0);
            }
        }
        all
    }
}

impl CustomOp3 for Normalisation {
    fn name(&self) -> &'static str {
        "batch normalisation"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        scale: &CpuStorage,
        scale_layout: &Layout,
        shift: &CpuStorage,
        shift_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (x, scale, shift) = (floats(x, x_layout)?, floats(scale, scale_layout)?, floats(shift, shift_layout)?);
        let dims = x_layout.dims();
        let size = self.pool.map_or(1, |pool| pool.size);
        if size == 0 || !dims[2].is_multiple_of(size) || !dims[3].is_multiple_of(size) {
            bail!("pooling windows of {size}×{size} must tile the {}×{} map", dims[2], dims[3]);
        }
        let mut y = vec![0.0; x.len() / (size * size)];
        normalise(x, &mut y, &self.maps(x, scale, shift));
        Ok((CpuStorage::F32(y), (dims[0], dims[1], dims[2] / size, dims[3] / size, LANES).into()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        scale: &Tensor,
        shift: &Tensor,
        _result: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let [scale_grad, shift_grad] = match &self.gradients {
            Some(given) => given.clone(),
            None => [scale.zeros_like()?, shift.zeros_like()?],
        };
        let inverse = &self.statistics.deviation_inverse;
        let units = x.dims()[0];
        // Candle hands every operator a gradient that nobody else holds: where it has the right size, it is worked on in place
        let (x_grad, read) = match self.pool {
            Some(_) => (tensor(vec![0.0; x.elem_count()], x.shape())?, vec![x, scale, shift, gradient]),
            None => (gradient.clone(), vec![x, scale, shift]),
        };
        let work = |values: &[&[f32]], x_grad: &mut [f32]| {
            let [x, scale, shift, pooled @ ..] = values else { return [Vec::new(), Vec::new()] };
            let maps = self.maps(x, scale, shift);
            let mut sums = vec![0.0; x.len() / maps.floats() * LANES];
            let mut products = sums.clone();
            gradient_before(x, pooled.first().copied(), x_grad, &mut sums, &mut products, &maps);
            // without statistics of its own the batch may have empty lanes: their gradients are zero, so all may count
            let images =
                self.statistics.images.unwrap_or(if self.lanes == Lanes::Images { units * LANES } else { units });
            let sums = per_channel(&sums, self.shape.channels, images, self.lanes);
            let products = per_channel(&products, self.shape.channels, images, self.lanes);
            let products: Vec<f64> = products.iter().zip(inverse).map(|(sum, r)| sum * f64::from(*r)).collect();
            // ∂x = scale · r · (g − Σ g / n − x̂ Σ g x̂ / n), x̂ = r (x − mean) (Ioffe & Szegedy 2015, section 3)
            let values = (images * self.shape.height * self.shape.width) as f64;
            let of_batch = if self.statistics.images.is_some() { -1.0 / values } else { 0.0 };
            let factor = |c: usize| f64::from(scale[c]) * f64::from(inverse[c]) * of_batch;
            let constants: Vec<f32> = (0..sums.len()).map(|c| (factor(c) * sums[c]) as f32).collect();
            let slopes: Vec<f32> =
                (0..sums.len()).map(|c| (factor(c) * products[c] * f64::from(inverse[c])) as f32).collect();
            let (constants, slopes) = (self.to_all_maps(&constants, units), self.to_all_maps(&slopes, units));
            through_statistics(x, x_grad, &constants, &slopes, &maps);
            [sums, products]
        };
        let [sums, products] =
            with_floats_mut(&x_grad, |x_grad| with_all_floats(&read, |values| work(values, x_grad)))??;
        for (to, sums) in [(&shift_grad, &sums), (&scale_grad, &products)] {
            with_floats_mut(to, |to| to.iter_mut().zip(sums).for_each(|(to, sum)| *to = *sum as f32))?;
        }
        let x_grad = Some(x_grad);
        Ok(if self.gradients.is_some() { (x_grad, None, None) } else { (x_grad, Some(scale_grad), Some(shift_grad)) })
    }
}
