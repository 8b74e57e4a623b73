//! Sparse convolution as a Candle operator, in both kinds of lanes.

use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape, Tensor};

use super::channels;
use super::convolution::ConvShape;
use super::operators::{WeightGradients, activate, before_activation, floats, weighted_backward};
use super::simd::LANES;
use super::sparse::{self, Links};
use crate::nn::{Activation, Lanes, MapShape};

/// `activation(bias[o] + Σ x[c] ⋆ w[link])` over the links of o; arguments x in lanes, w `[links, k, k]`, bias `[out]`; the
/// result is in the same lanes.
pub struct SparseConvolution {
    pub lanes: Lanes,
    pub shape: ConvShape,
    pub links: Links,
    pub activation: Activation,
    pub gradients: WeightGradients,
}

impl SparseConvolution {
    /// Calls `f(first value of a link's kernel, first value of the same kernel in dense weights)`.
    fn for_each_kernel(&self, mut f: impl FnMut(usize, usize)) {
        let taps = self.shape.kernel * self.shape.kernel;
        self.links.for_each(|o, c, link| f(link * taps, (o * self.shape.in_channels + c) * taps));
    }

    /// Weights `[out, in, k, k]` with zeros where there is no link: with the channels side by side in a vector, a link alone
    /// costs as much as eight.
    fn dense(&self, w: &[f32]) -> Vec<f32> {
        let taps = self.shape.kernel * self.shape.kernel;
        let mut dense = vec![0.0; self.shape.out_channels * self.shape.in_channels * taps];
        self.for_each_kernel(|from, to| dense[to..to + taps].copy_from_slice(&w[from..from + taps]));
        dense
    }
}

impl CustomOp3 for SparseConvolution {
    fn name(&self) -> &'static str {
        "sparse convolution"
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
        let (x, w, bias) = (floats(x, x_layout)?, floats(w, w_layout)?, floats(bias, bias_layout)?);
        let (units, (height, width)) = (x_layout.dims()[0], (s.out_height(), s.out_width()));
        let maps = self.lanes.dims(1, MapShape::new(s.out_channels, height, width)).1;
        let mut y = vec![0.0; units * maps * height * width * LANES];
        match self.lanes {
            Lanes::Images => sparse::sparse_forward(x, w, bias, &mut y, &self.links, s),
            Lanes::Channels => channels::convolution::conv_forward(x, &self.dense(w), bias, &mut y, s),
        }
        activate(&mut y, self.activation);
        Ok((CpuStorage::F32(y), (units, maps, height, width, LANES).into()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        w: &Tensor,
        bias: &Tensor,
        result: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let (links, s) = (&self.links, &self.shape);
        let taps = s.kernel * s.kernel;
        let weights = |x: &[f32], before: &[f32], w_grad: &mut [f32], bias_grad: &mut [f32]| match self.lanes {
            Lanes::Images => sparse::sparse_weight_gradient(x, before, w_grad, bias_grad, links, s),
            Lanes::Channels => {
                let mut dense = vec![0.0; s.out_channels * s.in_channels * taps];
                channels::convolution::conv_weight_gradient(x, before, &mut dense, bias_grad, s);
                self.for_each_kernel(|to, from| w_grad[to..to + taps].copy_from_slice(&dense[from..from + taps]));
            }
        };
        let inputs = |before: &[f32], w: &[f32], x_grad: &mut [f32]| match self.lanes {
            Lanes::Images => sparse::sparse_input_gradient(before, w, x_grad, links, s),
            Lanes::Channels => channels::convolution::conv_input_gradient(before, &self.dense(w), x_grad, s),
        };
        before_activation(result, gradient, self.activation, |before| {
            weighted_backward([x, w, bias], before, &self.gradients, weights, inputs)
        })
    }
}
