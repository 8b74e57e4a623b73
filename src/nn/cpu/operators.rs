//! The kernels as Candle operators with gradients. Tensors are `[blocks, channels, height, width, 8]`, contiguous `f32`.

use candle_core::{CpuStorage, CustomOp1, CustomOp3, Layout, Result, Shape, Storage, Tensor, bail};

use super::convolution::{self, ConvShape};
use super::pooling::{self, PoolShape};
use super::product;
use super::simd::{LANES, Simd, with_simd};
use crate::nn::{Activation, PoolKind};

/// The floats of a contiguous tensor on the processor.
fn floats<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    match (storage, layout.contiguous_offsets()) {
        (CpuStorage::F32(values), Some((from, to))) => Ok(&values[from..to]),
        _ => bail!("a fast operator needs contiguous f32 values"),
    }
}

/// Calls `f` with the floats of a tensor on the processor.
pub(crate) fn with_floats<T>(tensor: &Tensor, f: impl FnOnce(&[f32]) -> T) -> Result<T> {
    let tensor = tensor.contiguous()?;
    let (storage, layout) = tensor.storage_and_layout();
    match &*storage {
        Storage::Cpu(storage) => Ok(f(floats(storage, layout)?)),
        _ => bail!("a fast operator needs values on the processor"),
    }
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

fn before_activation(result: &Tensor, gradient: &Tensor, activation: Activation) -> Result<Vec<f32>> {
    let mut before = with_floats(gradient, <[f32]>::to_vec)?;
    with_floats(result, |y| activation_gradient(y, &mut before, activation))?;
    Ok(before)
}

/// Gradients of an operator with input, weights and bias, from the gradient before its activation: `weights` adds those of
/// weights and bias up, `inputs` works out that of the input where somebody needs it.
fn weighted_backward(
    [x, w, bias]: [&Tensor; 3],
    before: Vec<f32>,
    weights: impl FnOnce(&[f32], &[f32], &mut [f32], &mut [f32]),
    inputs: impl FnOnce(&[f32], &[f32], &mut [f32]),
) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
    let (mut w_grad, mut bias_grad) = (vec![0.0; w.elem_count()], vec![0.0; bias.elem_count()]);
    with_floats(x, |x| weights(x, &before, &mut w_grad, &mut bias_grad))?;
    // the images themselves need no gradient, and the first layer is where it would cost most
    let x_grad = if x.track_op() {
        let mut x_grad = vec![0.0; x.elem_count()];
        with_floats(w, |w| inputs(&before, w, &mut x_grad))?;
        Some(tensor(x_grad, x.shape())?)
    } else {
        None
    };
    Ok((x_grad, Some(tensor(w_grad, w.shape())?), Some(tensor(bias_grad, bias.shape())?)))
}

/// `activation(conv(x, w) + bias)`; arguments x `[blocks, in, h, w, 8]`, w `[out, in, k, k]`, bias `[out]`.
pub struct Convolution {
    pub shape: ConvShape,
    pub activation: Activation,
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
        let mut y = vec![0.0; blocks * s.out_channels * s.out_height() * s.out_width() * LANES];
        let (x, w, bias) = (floats(x, x_layout)?, floats(w, w_layout)?, floats(bias, bias_layout)?);
        convolution::conv_forward(x, w, bias, &mut y, s);
        activate(&mut y, self.activation);
        Ok((CpuStorage::F32(y), (blocks, s.out_channels, s.out_height(), s.out_width(), LANES).into()))
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
        weighted_backward([x, w, bias], before_activation(result, gradient, self.activation)?, weights, inputs)
    }
}

/// `activation(w x + bias)`; arguments x `[blocks, …features, 8]`, w `[out, features]`, bias `[out]`; the result is
/// `[blocks, out, 1, 1, 8]`.
pub struct Dense {
    pub inputs: usize,
    pub outputs: usize,
    pub activation: Activation,
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
        weighted_backward([x, w, bias], before_activation(result, gradient, self.activation)?, weights, inputs)
    }
}

/// Pooling over `size`×`size` windows that tile the map exactly.
pub struct Pool {
    pub kind: PoolKind,
    pub size: usize,
}

impl Pool {
    fn shape(&self, dims: &[usize]) -> PoolShape {
        PoolShape { maps: dims[0] * dims[1], height: dims[2], width: dims[3], size: self.size, kind: self.kind }
    }
}

impl CustomOp1 for Pool {
    fn name(&self) -> &'static str {
        "pool"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let dims = layout.dims();
        if !dims[2].is_multiple_of(self.size) || !dims[3].is_multiple_of(self.size) {
            bail!("pooling windows of {0}×{0} must tile the {1}×{2} map", self.size, dims[2], dims[3]);
        }
        let x = floats(x, layout)?;
        let mut y = vec![0.0; x.len() / (self.size * self.size)];
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
