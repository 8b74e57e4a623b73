//! What training makes small.

use candle_core::{Result, Tensor};

use super::cpu::operators::SoftmaxCrossEntropy;
use super::{MapShape, Operators};

/// `Σ −ln softmax(scores)[label] / images` over the labels given; with the labels of one part of a batch and the number of
/// `images` in all of it, the parts add up to the batch's mean. `scores`, one a class, as the last layer of a pass gave them.
pub fn softmax_cross_entropy(
    scores: &Tensor,
    classes: usize,
    labels: &[u8],
    images: usize,
    operators: Operators,
) -> Result<Tensor> {
    match operators {
        Operators::Lanes(lanes) => {
            let shape = MapShape::new(classes, 1, 1);
            scores.apply_op1(SoftmaxCrossEntropy { lanes, shape, labels: labels.to_vec(), images })
        }
        Operators::Stock => {
            let wide: Vec<u32> = labels.iter().map(|&label| u32::from(label)).collect();
            let target = Tensor::from_vec(wide, labels.len(), scores.device())?;
            let mean = candle_nn::loss::cross_entropy(&scores.flatten_from(1)?, &target)?;
            mean.affine(labels.len() as f64 / images as f64, 0.0)
        }
    }
}
