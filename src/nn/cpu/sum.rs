//! The sum of two tensors with an activation, as a Candle operator.

use candle_core::{CpuStorage, CustomOp2, Layout, Result, Shape, Tensor, bail};

use super::operators::{activate, before_activation, floats, tensor};
use crate::nn::Activation;

/// `activation(a + b)`; both in the same lanes and of one shape.
pub struct ActivatedSum {
    pub activation: Activation,
}

impl CustomOp2 for ActivatedSum {
    fn name(&self) -> &'static str {
        "activated sum"
    }

    fn cpu_fwd(
        &self,
        a: &CpuStorage,
        a_layout: &Layout,
        b: &CpuStorage,
        b_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        if a_layout.shape() != b_layout.shape() {
            bail!("only tensors of one shape add up, got {:?} and {:?}", a_layout.shape(), b_layout.shape());
        }
        let mut sum: Vec<f32> = floats(a, a_layout)?.iter().zip(floats(b, b_layout)?).map(|(a, b)| a + b).collect();
        activate(&mut sum, self.activation);
        Ok((CpuStorage::F32(sum), a_layout.shape().clone()))
    }

    fn bwd(
        &self,
        _: &Tensor,
        _: &Tensor,
        result: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        // both get the same; Candle adds it up into a tensor of its own for each
        let before =
            before_activation(result, gradient, self.activation, |before| tensor(before.to_vec(), gradient.shape()))?;
        Ok((Some(before.clone()), Some(before)))
    }
}
