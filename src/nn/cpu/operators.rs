//! The kernels as Candle operators with gradients. Tensors are `[blocks, channels, height, width, 8]`, contiguous `f32`.

use std::cell::RefCell;
use std::sync::{Mutex, PoisonError};

use candle_core::{CpuStorage, CustomOp1, CustomOp3, InplaceOp1, Layout, Result, Shape, Storage, Tensor, bail};

use super::convolution::{self, ConvShape};
use super::pooling::{self, PoolShape};
use super::product;
use super::simd::{LANES, Simd, with_simd};
use crate::nn::{Activation, Pool2d};

/// The floats of a contiguous tensor on the processor.
fn floats<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
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
fn tensor(values: Vec<f32>, shape: impl Into<Shape>) -> Result<Tensor> {
    Tensor::from_vec(values, shape.into(), &candle_core::Device::Cpu)
}

with_simd! { fn activate / activate_body(values: &mut [f32], activation: Activation) }
#[inline(always)]
fn activate_body<S: Simd>(values: &mut [f32], activation: Activation) {
    if activation == Activation::Identity {
        return;
    }
    for chunk in values.chunks_exact_mut(LANES) {
        // SAFETY: a chunk is eight floats.
        unsafe {
            let x = S::load(chunk.as_ptr());
            let y = match activation {
                Activation::Tanh => x.tanh(),
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
fn activation_gradient_body<S: Simd>(y: &[f32], gradient: &mut [f32], activation: Activation) {
    if activation == Activation::Identity {
        return;
    }
    for (g, y) in gradient.chunks_exact_mut(LANES).zip(y.chunks_exact(LANES)) {
        // SAFETY: chunks are eight floats.
        unsafe {
            let (gradient, y) = (S::load(g.as_ptr()), S::load(y.as_ptr()));
            let before = match activation {
                Activation::Tanh => gradient.mul(S::splat(1.0).sub(y.mul(y))),
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
fn weighted_backward(
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
fn before_activation<T>(
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

/// `activation(conv(x, w) + bias)`, pooled where asked; arguments x `[blocks, in, h, w, 8]`, w `[out, in, k, k]`, bias
/// `[out]`. Pooling at once spares the passes over maps that only pooling reads: one block of eight images stays in the
/// processor's cache from convolution to pooled map, and Candle sees the pooled maps alone.
pub struct Convolution {
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
        shape: ConvShape,
        activation: Activation,
        pool: Option<Pool2d>,
        gradients: WeightGradients,
        learns: bool,
    ) -> Self {
        let maps = (pool.is_some() && learns).then(Mutex::default);
        Self { shape, activation, pool, gradients, maps }
    }

    /// Values of one block's maps before pooling.
    fn block(&self) -> usize {
        self.shape.out_channels * self.shape.out_height() * self.shape.out_width() * LANES
    }

    /// The pooling of one block.
    fn pool_shape(&self, pool: Pool2d) -> PoolShape {
        let (height, width) = (self.shape.out_height(), self.shape.out_width());
        PoolShape { maps: self.shape.out_channels, height, width, pool }
    }

    fn pooled(&self, x: &[f32], w: &[f32], bias: &[f32], pool: Pool2d, blocks: usize) -> Vec<f32> {
        let (block, shape) = (self.block(), self.pool_shape(pool));
        let mut pooled = vec![0.0; blocks * block / pool.window()];
        let mut maps = vec![0.0; if self.maps.is_some() { blocks * block } else { block }];
        for (n, (x, pooled)) in
            x.chunks_exact(x.len() / blocks).zip(pooled.chunks_exact_mut(block / pool.window())).enumerate()
        {
            let maps = if self.maps.is_some() { &mut maps[n * block..][..block] } else { &mut maps[..] };
            convolution::conv_forward(x, w, bias, maps, &self.shape);
            activate(maps, self.activation);
            pooling::pool_forward(maps, pooled, &shape);
        }
        if let Some(kept) = &self.maps {
            *kept.lock().unwrap_or_else(PoisonError::into_inner) = maps;
        }
        pooled
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
        let s = &self.shape;
        let blocks = x_layout.dims()[0];
        let (x, w, bias) = (floats(x, x_layout)?, floats(w, w_layout)?, floats(bias, bias_layout)?);
        let (y, size) = match self.pool {
            Some(pool) => (self.pooled(x, w, bias, pool, blocks), pool.size),
            None => {
                let mut y = vec![0.0; blocks * self.block()];
                convolution::conv_forward(x, w, bias, &mut y, s);
                activate(&mut y, self.activation);
                (y, 1)
            }
        };
        let shape = (blocks, s.out_channels, s.out_height() / size, s.out_width() / size, LANES);
        Ok((CpuStorage::F32(y), shape.into()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        w: &Tensor,
        bias: &Tensor,
        result: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let weights = |x: &[f32], before: &[f32], w_grad: &mut [f32], bias_grad: &mut [f32]| {
            convolution::conv_weight_gradient(x, before, w_grad, bias_grad, &self.shape);
        };
        let inputs = |before: &[f32], w: &[f32], x_grad: &mut [f32]| {
            convolution::conv_input_gradient(before, w, x_grad, &self.shape);
        };
        let backward = |before: &[f32]| weighted_backward([x, w, bias], before, &self.gradients, weights, inputs);
        match (self.pool, &self.maps) {
            (None, _) => before_activation(result, gradient, self.activation, backward),
            (Some(_), None) => bail!("a finished network has no gradients: its pooled convolutions keep no maps"),
            (Some(pool), Some(maps)) => {
                let maps = maps.lock().unwrap_or_else(PoisonError::into_inner);
                let (block, shape) = (self.block(), self.pool_shape(pool));
                let mut before = vec![0.0; maps.len()];
                with_floats(gradient, |gradient| {
                    let gradients = gradient.chunks_exact(block / pool.window());
                    let blocks = before.chunks_exact_mut(block).zip(maps.chunks_exact(block));
                    for ((before, maps), gradient) in blocks.zip(gradients) {
                        pooling::pool_backward(maps, gradient, before, &shape);
                        activation_gradient(maps, before, self.activation);
                    }
                })?;
                backward(&before)
            }
        }
    }
}

/// `activation(w x + bias)`; arguments x `[blocks, …features, 8]`, w `[out, features]`, bias `[out]`; the result is
/// `[blocks, out, 1, 1, 8]`.
pub struct Dense {
    pub inputs: usize,
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
        let blocks = x_layout.dims()[0];
        let mut y = vec![0.0; blocks * self.outputs * LANES];
        let (x, w, bias) = (floats(x, x_layout)?, floats(w, w_layout)?, floats(bias, bias_layout)?);
        product::dense_product(x, w, bias, &mut y, self.inputs, self.outputs, self.inputs, 1);
        activate(&mut y, self.activation);
        Ok((CpuStorage::F32(y), (blocks, self.outputs, 1, 1, LANES).into()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        w: &Tensor,
        bias: &Tensor,
        result: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let weights = |x: &[f32], before: &[f32], w_grad: &mut [f32], bias_grad: &mut [f32]| {
            product::dense_weight_gradient(x, before, w_grad, bias_grad, self.inputs, self.outputs);
        };
        let inputs = |before: &[f32], w: &[f32], x_grad: &mut [f32]| {
            product::dense_product(before, w, &[], x_grad, self.outputs, self.inputs, 1, self.inputs);
        };
        before_activation(result, gradient, self.activation, |before| {
            weighted_backward([x, w, bias], before, &self.gradients, weights, inputs)
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

/// Mean softmax cross-entropy of scores `[blocks, classes, 1, 1, 8]` against labels, one an image; lanes beyond the
/// labels count nothing. The mean is over `images`, so that the parts of one batch add up to the batch's mean.
pub struct SoftmaxCrossEntropy {
    pub labels: Vec<u8>,
    pub images: usize,
}

impl SoftmaxCrossEntropy {
    /// Calls `f(image's label, index of its first score)`; scores of one image are eight floats apart.
    fn for_each_image(&self, classes: usize, mut f: impl FnMut(usize, usize)) {
        for (image, &label) in self.labels.iter().enumerate() {
            f(usize::from(label), (image / LANES) * classes * LANES + image % LANES);
        }
    }
}

impl CustomOp1 for SoftmaxCrossEntropy {
    fn name(&self) -> &'static str {
        "softmax cross-entropy"
    }

    fn cpu_fwd(&self, scores: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let classes = layout.dims()[1];
        let scores = floats(scores, layout)?;
        let mut total = 0.0f64;
        self.for_each_image(classes, |label, at| {
            let score = |class: usize| scores[at + class * LANES];
            let greatest = (0..classes).map(score).fold(f32::NEG_INFINITY, f32::max);
            let sum: f32 = (0..classes).map(|class| (score(class) - greatest).exp()).sum();
            total += f64::from(greatest + sum.ln() - score(label));
        });
        Ok((CpuStorage::F32(vec![(total / self.images as f64) as f32]), ().into()))
    }

    fn bwd(&self, scores: &Tensor, _result: &Tensor, gradient: &Tensor) -> Result<Option<Tensor>> {
        let classes = scores.dims()[1];
        let scale = gradient.to_scalar::<f32>()? / self.images as f32;
        let mut out = vec![0.0f32; scores.elem_count()];
        with_floats(scores, |scores| {
            self.for_each_image(classes, |label, at| {
                let score = |class: usize| scores[at + class * LANES];
                let greatest = (0..classes).map(score).fold(f32::NEG_INFINITY, f32::max);
                let sum: f32 = (0..classes).map(|class| (score(class) - greatest).exp()).sum();
                for class in 0..classes {
                    let probability = (score(class) - greatest).exp() / sum;
                    out[at + class * LANES] = scale * (probability - f32::from(u8::from(class == label)));
                }
            });
        })?;
        Ok(Some(tensor(out, scores.shape())?))
    }
}
