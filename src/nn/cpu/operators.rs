//! The kernels as Candle operators with gradients. Tensors are contiguous `f32`, laid out as [`Lanes`] says.

use std::cell::RefCell;
use std::sync::{Mutex, PoisonError};

use candle_core::{CpuStorage, CustomOp1, CustomOp3, InplaceOp1, Layout, Result, Shape, Storage, Tensor, bail};

use super::channels;
use super::convolution::{self, ConvShape};
use super::pooling::{self, PoolShape};
use super::product;
use super::simd::{LANES, Simd, with_simd};
use super::winograd;
use crate::nn::{Activation, Lanes, MapShape, NO_CLASS, Pool2d};

/// The floats of a contiguous tensor on the processor.
pub(super) fn floats<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    match (storage, layout.contiguous_offsets()) {
        (CpuStorage::F32(values), Some((from, to))) => Ok(&values[from..to]),
        _ => bail!("a fast operator needs contiguous f32 values"),
    }
}

/// Calls `f` with the floats of a tensor on the processor.
pub(crate) fn with_floats<T>(tensor: &Tensor, f: impl FnOnce(&[f32]) -> T) -> Result<T> {
    with_all_floats(&[&tensor.contiguous()?], |all| f(all[0]))
}

/// Calls `f` with the floats of contiguous tensors on the processor.
pub(crate) fn with_all_floats<T>(tensors: &[&Tensor], f: impl FnOnce(&[&[f32]]) -> T) -> Result<T> {
    let locked: Vec<_> = tensors.iter().map(|tensor| tensor.storage_and_layout()).collect();
    let values = locked.iter().map(|(storage, layout)| match &**storage {
        Storage::Cpu(storage) => floats(storage, layout),
        _ => bail!("a fast operator needs values on the processor"),
    });
    Ok(f(&values.collect::<Result<Vec<_>>>()?))
}

/// Writes through a closure, as Candle's in-place operators do.
struct Write<F>(RefCell<Option<F>>);

impl<F: FnOnce(&mut [f32])> InplaceOp1 for Write<F> {
    fn name(&self) -> &'static str {
        "write"
    }

    fn cpu_fwd(&self, storage: &mut CpuStorage, layout: &Layout) -> Result<()> {
        match (storage, layout.contiguous_offsets(), self.0.take()) {
            (CpuStorage::F32(values), Some((from, to)), Some(write)) => {
                write(&mut values[from..to]);
                Ok(())
            }
            _ => bail!("a fast operator writes contiguous f32 values"),
        }
    }
}

/// Calls `f` with the floats of a contiguous tensor on the processor, to be changed in place. `f` must not touch the
/// tensor itself, which is locked meanwhile.
pub(crate) fn with_floats_mut<T>(tensor: &Tensor, f: impl FnOnce(&mut [f32]) -> T) -> Result<T> {
    let mut result = None;
    tensor.inplace_op1(&Write(RefCell::new(Some(|values: &mut [f32]| result = Some(f(values))))))?;
    result.ok_or_else(|| candle_core::Error::Msg("nothing was written".to_owned()))
}

/// A tensor of these values on the processor, outside any graph.
pub(super) fn tensor(values: Vec<f32>, shape: impl Into<Shape>) -> Result<Tensor> {
    Tensor::from_vec(values, shape.into(), &candle_core::Device::Cpu)
}

with_simd! { pub(super) fn activate / activate_body(values: &mut [f32], activation: Activation) }
#[inline(always)]
pub(super) fn activate_body<S: Simd>(values: &mut [f32], activation: Activation) {
    if activation == Activation::Identity {
        return;
    }
    for chunk in values.chunks_exact_mut(LANES) {
        // SAFETY: a chunk is eight floats.
        unsafe {
            let x = S::load(chunk.as_ptr());
            let y = match activation {
                Activation::Tanh => x.tanh(),
                Activation::ScaledTanh => {
                    x.mul(S::splat(Activation::SLOPE)).tanh().mul(S::splat(Activation::AMPLITUDE))
                }
                Activation::Sigmoid => x.sigmoid(),
                _ => x.max(S::splat(0.0)),
            };
            y.store(chunk.as_mut_ptr());
        }
    }
}

with_simd! {
    /// The gradient before the activation, from the gradient after it and the activation's result.
    fn activation_gradient / activation_gradient_body(y: &[f32], gradient: &mut [f32], activation: Activation)
}
#[inline(always)]
pub(super) fn activation_gradient_body<S: Simd>(y: &[f32], gradient: &mut [f32], activation: Activation) {
    if activation == Activation::Identity {
        return;
    }
    for (g, y) in gradient.chunks_exact_mut(LANES).zip(y.chunks_exact(LANES)) {
        // SAFETY: chunks are eight floats.
        unsafe {
            let (gradient, y) = (S::load(g.as_ptr()), S::load(y.as_ptr()));
            let before = match activation {
                Activation::Tanh => gradient.mul(S::splat(1.0).sub(y.mul(y))),
                Activation::ScaledTanh => {
                    let tanh = y.mul(S::splat(1.0 / Activation::AMPLITUDE));
                    let slope = S::splat(Activation::AMPLITUDE * Activation::SLOPE);
                    gradient.mul(slope.mul(S::splat(1.0).sub(tanh.mul(tanh))))
                }
                Activation::Sigmoid => gradient.mul(y.mul(S::splat(1.0).sub(y))),
                _ => gradient.where_positive(y),
            };
            before.store(g.as_mut_ptr());
        }
    }
}

/// The tensors that receive the gradients of an operator's weights and bias, instead of Candle's gradient store: they are
/// written in place, update after update, where the store would fill a new tensor with zeros and add to it.
pub type WeightGradients = Option<[Tensor; 2]>;

/// Gradients of an operator with input, weights and bias, from the gradient before its activation: `weights` writes those
/// of weights and bias, `inputs` works out that of the input where somebody needs it.
pub(super) fn weighted_backward(
    [x, w, bias]: [&Tensor; 3],
    before: &[f32],
    given: &WeightGradients,
    weights: impl FnOnce(&[f32], &[f32], &mut [f32], &mut [f32]),
    inputs: impl FnOnce(&[f32], &[f32], &mut [f32]),
) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
    let [w_grad, bias_grad] = match given {
        Some(given) => given.clone(),
        None => [w.zeros_like()?, bias.zeros_like()?],
    };
    with_floats(x, |x| {
        with_floats_mut(&w_grad, |w_grad| {
            with_floats_mut(&bias_grad, |bias_grad| weights(x, before, w_grad, bias_grad))
        })
    })???;
    // the images themselves need no gradient, and the first layer is where it would cost most
    let x_grad = if x.track_op() {
        let mut x_grad = vec![0.0; x.elem_count()];
        with_floats(w, |w| inputs(before, w, &mut x_grad))?;
        Some(tensor(x_grad, x.shape())?)
    } else {
        None
    };
    Ok(if given.is_some() { (x_grad, None, None) } else { (x_grad, Some(w_grad), Some(bias_grad)) })
}

/// The gradient before the activation in place of the one after it, for `f`. Candle hands every operator a gradient that
/// nobody else holds, so that no copy is needed.
pub(super) fn before_activation<T>(
    result: &Tensor,
    gradient: &Tensor,
    activation: Activation,
    f: impl FnOnce(&[f32]) -> Result<T>,
) -> Result<T> {
    with_floats_mut(gradient, |gradient| {
        with_floats(result, |y| activation_gradient(y, gradient, activation))?;
        f(gradient)
    })?
}

/// `activation(conv(x, w) + bias)`, pooled where asked; arguments x in lanes, w `[out, in, k, k]`, bias `[out]`. Pooling at
/// once spares the passes over maps that only pooling reads: one unit (a block of eight images, or one image) stays in the
/// processor's cache from convolution to pooled map, and Candle sees the pooled maps alone.
pub struct Convolution {
    lanes: Lanes,
    shape: ConvShape,
    activation: Activation,
    pool: Option<Pool2d>,
    gradients: WeightGradients,
    /// The maps before pooling, which the backward pass needs; `None` where nobody will go back.
    maps: Option<Mutex<Vec<f32>>>,
}

impl Convolution {
    /// With `pool`, windows must tile the maps; with `learns`, a backward pass can follow.
    pub fn new(
        lanes: Lanes,
        shape: ConvShape,
        activation: Activation,
        pool: Option<Pool2d>,
        gradients: WeightGradients,
        learns: bool,
    ) -> Self {
        let maps = (pool.is_some() && learns).then(Mutex::default);
        Self { lanes, shape, activation, pool, gradients, maps }
    }

    /// The maps of a unit before pooling, counted in vectors of a pixel.
    fn unit(&self) -> MapShape {
        let (height, width) = (self.shape.out_height(), self.shape.out_width());
        let (_, maps, ..) = self.lanes.dims(1, MapShape::new(self.shape.out_channels, height, width));
        MapShape::new(maps, height, width)
    }

    fn forward(&self, x: &[f32], w: &[f32], bias: &[f32], y: &mut [f32]) {
        match self.lanes {
            Lanes::Images if winograd::is_faster(&self.shape) => winograd::conv_forward(x, w, bias, y, &self.shape),
            Lanes::Images => convolution::conv_forward(x, w, bias, y, &self.shape),
            Lanes::Channels => channels::convolution::conv_forward(x, w, bias, y, &self.shape),
        }
        activate(y, self.activation);
    }

    fn pooled(&self, x: &[f32], w: &[f32], bias: &[f32], pool: Pool2d, units: usize) -> Vec<f32> {
        let unit = self.unit();
        let (before, after) = (unit.size() * LANES, unit.size() * LANES / pool.window());
        let shape = PoolShape { maps: unit.channels, height: unit.height, width: unit.width, pool };
        let mut pooled = vec![0.0; units * after];
        let mut maps = vec![0.0; if self.maps.is_some() { units * before } else { before }];
        for (n, (x, pooled)) in x.chunks_exact(x.len() / units).zip(pooled.chunks_exact_mut(after)).enumerate() {
            let maps = if self.maps.is_some() { &mut maps[n * before..][..before] } else { &mut maps[..] };
            self.forward(x, w, bias, maps);
            pooling::pool_forward(maps, pooled, &shape);
        }
        if let Some(kept) = &self.maps {
            *kept.lock().unwrap_or_else(PoisonError::into_inner) = maps;
        }
        pooled
    }

    /// The gradient before activation and pooling.
    fn before_pooling(&self, maps: &[f32], gradient: &[f32], pool: Pool2d) -> Vec<f32> {
        let unit = self.unit();
        let size = unit.size() * LANES;
        let shape = PoolShape { maps: unit.channels, height: unit.height, width: unit.width, pool };
        let mut before = vec![0.0; maps.len()];
        let gradients = gradient.chunks_exact(size / pool.window());
        for ((before, maps), gradient) in before.chunks_exact_mut(size).zip(maps.chunks_exact(size)).zip(gradients) {
            pooling::pool_backward(maps, gradient, before, &shape);
            activation_gradient(maps, before, self.activation);
        }
        before
    }
}

impl CustomOp3 for Convolution {
    fn name(&self) -> &'static str {
        "convolution"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        w: &CpuStorage,
        w_layout: &Layout,
        bias: &CpuStorage,
        bias_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let units = x_layout.dims()[0];
        let (x, w, bias) = (floats(x, x_layout)?, floats(w, w_layout)?, floats(bias, bias_layout)?);
        let unit = self.unit();
        let (y, size) = match self.pool {
            Some(pool) => (self.pooled(x, w, bias, pool, units), pool.size),
            None => {
                let mut y = vec![0.0; units * unit.size() * LANES];
                self.forward(x, w, bias, &mut y);
                (y, 1)
            }
        };
        Ok((CpuStorage::F32(y), (units, unit.channels, unit.height / size, unit.width / size, LANES).into()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        w: &Tensor,
        bias: &Tensor,
        result: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let shape = &self.shape;
        let weights = |x: &[f32], before: &[f32], w_grad: &mut [f32], bias_grad: &mut [f32]| match self.lanes {
            Lanes::Images if winograd::is_faster(shape) => {
                winograd::conv_weight_gradient(x, before, w_grad, bias_grad, shape);
            }
            Lanes::Images => convolution::conv_weight_gradient(x, before, w_grad, bias_grad, shape),
            Lanes::Channels => channels::convolution::conv_weight_gradient(x, before, w_grad, bias_grad, shape),
        };
        let inputs = |before: &[f32], w: &[f32], x_grad: &mut [f32]| match self.lanes {
            Lanes::Images if winograd::is_faster(shape) => winograd::conv_input_gradient(before, w, x_grad, shape),
            Lanes::Images => convolution::conv_input_gradient(before, w, x_grad, shape),
            Lanes::Channels => channels::convolution::conv_input_gradient(before, w, x_grad, shape),
        };
        let backward = |before: &[f32]| weighted_backward([x, w, bias], before, &self.gradients, weights, inputs);
        match (self.pool, &self.maps) {
            (None, _) => before_activation(result, gradient, self.activation, backward),
            (Some(_), None) => bail!("a finished network has no gradients: its pooled convolutions keep no maps"),
            (Some(pool), Some(maps)) => {
                let maps = maps.lock().unwrap_or_else(PoisonError::into_inner);
                backward(&with_floats(gradient, |gradient| self.before_pooling(&maps, gradient, pool))?)
            }
        }
    }
}

/// `activation(w x + bias)`; arguments x in lanes, w `[out, features]`, bias `[out]`; the result is in the same lanes.
pub struct Dense {
    pub lanes: Lanes,
    pub input: MapShape,
    pub outputs: usize,
    pub activation: Activation,
    pub gradients: WeightGradients,
}

impl CustomOp3 for Dense {
    fn name(&self) -> &'static str {
        "dense"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        w: &CpuStorage,
        w_layout: &Layout,
        bias: &CpuStorage,
        bias_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (x, w, bias) = (floats(x, x_layout)?, floats(w, w_layout)?, floats(bias, bias_layout)?);
        let MapShape { channels, height, width } = self.input;
        let (units, maps) = (x_layout.dims()[0], self.lanes.dims(1, MapShape::new(self.outputs, 1, 1)).1);
        let mut y = vec![0.0; units * maps * LANES];
        match self.lanes {
            Lanes::Images => {
                let inputs = self.input.size();
                product::dense_product(x, w, bias, &mut y, inputs, self.outputs, inputs, 1);
            }
            Lanes::Channels => {
                channels::dense::dense_forward(x, w, bias, &mut y, channels, height, width, self.outputs);
            }
        }
        activate(&mut y, self.activation);
        Ok((CpuStorage::F32(y), (units, maps, 1, 1, LANES).into()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        w: &Tensor,
        bias: &Tensor,
        result: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let MapShape { channels: c, height, width } = self.input;
        let (inputs, outputs) = (self.input.size(), self.outputs);
        let weights = |x: &[f32], before: &[f32], w_grad: &mut [f32], bias_grad: &mut [f32]| match self.lanes {
            Lanes::Images => product::dense_weight_gradient(x, before, w_grad, bias_grad, inputs, outputs),
            Lanes::Channels => {
                channels::dense::dense_weight_gradient(x, before, w_grad, bias_grad, c, height, width, outputs);
            }
        };
        let input_gradient = |before: &[f32], w: &[f32], x_grad: &mut [f32]| match self.lanes {
            Lanes::Images => product::dense_product(before, w, &[], x_grad, outputs, inputs, 1, inputs),
            Lanes::Channels => {
                channels::dense::dense_input_gradient(before, w, x_grad, c, height, width, outputs);
            }
        };
        before_activation(result, gradient, self.activation, |before| {
            weighted_backward([x, w, bias], before, &self.gradients, weights, input_gradient)
        })
    }
}

impl Pool2d {
    fn shape(&self, dims: &[usize]) -> PoolShape {
        PoolShape { maps: dims[0] * dims[1], height: dims[2], width: dims[3], pool: *self }
    }
}

impl CustomOp1 for Pool2d {
    fn name(&self) -> &'static str {
        "pool"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let dims = layout.dims();
        if !dims[2].is_multiple_of(self.size) || !dims[3].is_multiple_of(self.size) {
            bail!("pooling windows of {0}×{0} must tile the {1}×{2} map", self.size, dims[2], dims[3]);
        }
        let x = floats(x, layout)?;
        let mut y = vec![0.0; x.len() / self.window()];
        pooling::pool_forward(x, &mut y, &self.shape(dims));
        Ok((CpuStorage::F32(y), (dims[0], dims[1], dims[2] / self.size, dims[3] / self.size, LANES).into()))
    }

    fn bwd(&self, x: &Tensor, _result: &Tensor, gradient: &Tensor) -> Result<Option<Tensor>> {
        let mut x_grad = vec![0.0; x.elem_count()];
        let shape = self.shape(x.dims());
        with_floats(gradient, |g| with_floats(x, |x| pooling::pool_backward(x, g, &mut x_grad, &shape)))??;
        Ok(Some(tensor(x_grad, x.shape())?))
    }
}

/// Mean softmax cross-entropy of scores, one a class, against labels, one an image; empty lanes count nothing. The mean is over `images`, so that the parts of one batch add up to the batch's mean.
pub struct SoftmaxCrossEntropy {
    pub lanes: Lanes,
    /// Of the scores: `[classes, 1, 1]`.
    pub shape: MapShape,
    pub labels: Vec<u8>,
    pub images: usize,
    /// Share of every target that is spread over all classes alike; 0 is the plain form.
    pub smoothing: f32,
}

impl SoftmaxCrossEntropy {
    /// Calls `f(an image's label, how much of its target is spread, the places of its scores)`.
    fn for_each_image(&self, mut f: impl FnMut(usize, f32, &[usize])) {
        let mut places = vec![0; self.shape.channels];
        for (image, &label) in self.labels.iter().enumerate() {
            for (class, place) in places.iter_mut().enumerate() {
                *place = self.lanes.first(self.shape, image, class);
            }
            // of no class: the target is spread wholly, and which place stands for the label means nothing
            let (label, smoothing) = if label == NO_CLASS { (0, 1.0) } else { (label, self.smoothing) };
            f(usize::from(label), smoothing, &places);
        }
    }
}

impl CustomOp1 for SoftmaxCrossEntropy {
    fn name(&self) -> &'static str {
        "softmax cross-entropy"
    }

    fn cpu_fwd(&self, scores: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let scores = floats(scores, layout)?;
        let mut total = 0.0f64;
        self.for_each_image(|label, smoothing, places| {
            let greatest = places.iter().map(|&at| scores[at]).fold(f32::NEG_INFINITY, f32::max);
            let sum: f32 = places.iter().map(|&at| (scores[at] - greatest).exp()).sum();
            let right = scores[places[label]];
            let mean = places.iter().map(|&at| scores[at]).sum::<f32>() / places.len() as f32;
            // what the targets make of the scores: (1 − smoothing) · right + smoothing · mean
            total += f64::from(greatest + sum.ln() - (right + smoothing * (mean - right)));
        });
        Ok((CpuStorage::F32(vec![(total / self.images as f64) as f32]), ().into()))
    }

    fn bwd(&self, scores: &Tensor, _result: &Tensor, gradient: &Tensor) -> Result<Option<Tensor>> {
        let scale = gradient.to_scalar::<f32>()? / self.images as f32;
        let mut out = vec![0.0f32; scores.elem_count()];
        with_floats(scores, |scores| {
            self.for_each_image(|label, smoothing, places| {
                let spread = smoothing / self.shape.channels as f32;
                let greatest = places.iter().map(|&at| scores[at]).fold(f32::NEG_INFINITY, f32::max);
                let sum: f32 = places.iter().map(|&at| (scores[at] - greatest).exp()).sum();
                for (class, &at) in places.iter().enumerate() {
                    let probability = (scores[at] - greatest).exp() / sum;
                    let target = if class == label { 1.0 - smoothing + spread } else { spread };
                    out[at] = scale * (probability - target);
                }
            });
        })?;
        Ok(Some(tensor(out, scores.shape())?))
    }
}
