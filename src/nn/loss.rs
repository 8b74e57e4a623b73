//! What training makes small.

use candle_core::{Result, Tensor};
use serde::{Deserialize, Serialize};

use super::cpu::loss::DistanceLoss;
use super::cpu::operators::SoftmaxCrossEntropy;
use super::layout::from_rows;
use super::{MapShape, Network, Operators, rows};

/// What a network learns to make small. Those of distances belong to networks that end in [`super::Rbf`], whose scores are
/// −y, the others to all others.
///
/// The softmax of the scores is a probability for all of them: with distances it is e^−y / Σ e^−y, the posterior of
/// equation 9 once it is known that the image is a digit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Loss {
    /// −ln softmax(scores)\[label\].
    #[default]
    CrossEntropy,
    /// y\[label\] (LeCun et al. 1998, equation 8), times [`Loss::FACTOR`]: draws the last layer to the label's centre and
    /// takes no notice of the others.
    Distance,
    /// y\[label\] + ln(e^−j + Σ e^−y) (LeCun et al. 1998, equation 9), times [`Loss::FACTOR`]: also pushes away from the
    /// other centres, no farther than `j`, the distance of a "rubbish" class. The paper gives no value of it.
    DistanceMap { j: f32 },
}

impl Loss {
    /// Of both losses of distances. The paper writes them without a factor. Its step sizes and the damping of its
    /// curvatures mean half of that, as with y = ½ |x − w|² in LeCun's own programs: so they train steadily, while twice
    /// the gradient makes the second epoch worse than the first.
    pub const FACTOR: f32 = 0.5;

    /// Whether the scores must be negative distances.
    pub fn is_of_distances(self) -> bool {
        self != Self::CrossEntropy
    }

    /// What a network without settings of its own is judged by: by distances where it gives them.
    pub fn usual(network: &Network) -> Self {
        if network.gives_distances() { Self::Distance } else { Self::CrossEntropy }
    }

    /// The loss of one image, from its scores.
    pub fn of(self, scores: &[f32], label: u8) -> f32 {
        let right = scores[usize::from(label)];
        let greatest = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        // ln Σ e^score, and with a class more of the score −j, shifted so that no power overflows
        let ln_sum = |greatest: f32, rubbish: f32| {
            let sum: f32 = scores.iter().map(|score| (score - greatest).exp()).sum();
            greatest + (sum + (rubbish - greatest).exp()).ln()
        };
        match self {
            Self::CrossEntropy => ln_sum(greatest, f32::NEG_INFINITY) - right,
            Self::Distance => -Self::FACTOR * right,
            Self::DistanceMap { j } => Self::FACTOR * (ln_sum(greatest.max(-j), -j) - right),
        }
    }

    /// What [`super::Network::curvature`] begins with, divided by `images`; laid out like the scores of `shape`.
    ///
    /// For cross-entropy the second derivative p (1 − p). The losses of distances hand down first derivatives instead, as
    /// equation 8 is linear in y: their mean over equally frequent classes, FACTOR / classes. From them [`super::Rbf`]
    /// makes 2 · FACTOR at every one of its inputs, whatever the label. Equation 9 counts like equation 8.
    pub(super) fn curvature(
        self,
        scores: &Tensor,
        shape: MapShape,
        images: usize,
        operators: Operators,
    ) -> Result<Tensor> {
        let classes = shape.size();
        let mut values = rows(scores, shape, images, operators)?;
        for scores in values.chunks_exact_mut(classes) {
            match self {
                Self::Distance | Self::DistanceMap { .. } => scores.fill(Self::FACTOR / (classes * images) as f32),
                Self::CrossEntropy => {
                    let greatest = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                    scores.iter_mut().for_each(|score| *score = (*score - greatest).exp());
                    let sum: f32 = scores.iter().sum();
                    scores.iter_mut().for_each(|e| *e = *e / sum * (1.0 - *e / sum) / images as f32);
                }
            }
        }
        from_rows(values, shape, images, operators, scores.device())
    }
}

/// The loss over the labels given, divided by `images`; with the labels of one part of a batch and the number of images in
/// all of it, the parts add up to the batch's mean. `scores`, one a class, as the last layer of a pass gave them.
pub fn loss(
    kind: Loss,
    scores: &Tensor,
    classes: usize,
    labels: &[u8],
    images: usize,
    operators: Operators,
) -> Result<Tensor> {
    let rubbish = match kind {
        Loss::CrossEntropy => return softmax_cross_entropy(scores, classes, labels, images, operators),
        Loss::Distance => None,
        Loss::DistanceMap { j } => Some(j),
    };
    let factor = Loss::FACTOR;
    if let Operators::Lanes(lanes) = operators {
        let shape = MapShape::new(classes, 1, 1);
        return scores.apply_op1(DistanceLoss { lanes, shape, labels: labels.to_vec(), images, rubbish, factor });
    }
    let scores = scores.flatten_from(1)?;
    let target = target(labels, &scores)?;
    let mean = match rubbish {
        None => scores.gather(&target.unsqueeze(1)?, 1)?.mean_all()?.neg()?,
        // one class more, which no image belongs to, with the score −j: then equation 9 is a cross-entropy
        Some(j) => {
            let column = Tensor::full(-j, (labels.len(), 1), scores.device())?;
            candle_nn::loss::cross_entropy(&Tensor::cat(&[&scores, &column], 1)?, &target)?
        }
    };
    mean.affine(f64::from(factor) * labels.len() as f64 / images as f64, 0.0)
}

fn target(labels: &[u8], scores: &Tensor) -> Result<Tensor> {
    let wide: Vec<u32> = labels.iter().map(|&label| u32::from(label)).collect();
    Tensor::from_vec(wide, labels.len(), scores.device())
}

/// `Σ −ln softmax(scores)[label] / images` over the labels given, as [`loss`] does.
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
            let mean = candle_nn::loss::cross_entropy(&scores.flatten_from(1)?, &target(labels, scores)?)?;
            mean.affine(labels.len() as f64 / images as f64, 0.0)
        }
    }
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;

    #[test]
    fn the_loss_of_an_image_is_that_of_a_batch_of_one() {
        let scores = [-3.0, -80.0, -2.5, -61.0, -7.0, -200.0, -40.0, -3.1, -90.0, -12.0];
        for kind in [Loss::CrossEntropy, Loss::Distance, Loss::DistanceMap { j: 2.0 }, Loss::DistanceMap { j: 1_000.0 }]
        {
            for label in [0u8, 2, 5] {
                let x = Tensor::new(&[scores], &Device::Cpu).unwrap();
                let batch = loss(kind, &x, 10, &[label], 1, Operators::Stock).unwrap().to_scalar::<f32>().unwrap();
                let one = kind.of(&scores, label);
                assert!((one - batch).abs() < 1e-4, "{kind:?}, {label}: {one} against {batch}");
            }
        }
    }
}
