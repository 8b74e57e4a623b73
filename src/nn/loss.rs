//! What training makes small.

use candle_core::{Result, Tensor};
use serde::{Deserialize, Serialize};

use super::cpu::loss::DistanceLoss;
use super::cpu::operators::SoftmaxCrossEntropy;
use super::layout::from_rows;
use super::{MapShape, Network, Operators, rows};

/// The label of an image of none of the classes: cross-entropy draws its probabilities towards 1 / classes for all of them
/// (Hendrycks, Mazeika and Dietterich 2019, "Deep anomaly detection with outlier exposure"). Losses of distances have no
/// place for it.
pub const NO_CLASS: u8 = u8::MAX;

/// What a network learns to make small. Those of distances belong to networks that end in [`super::Rbf`], whose scores are
/// −y, the others to all others.
///
/// The softmax of the scores is a probability for all of them: with distances it is e^−y / Σ e^−y, the posterior of
/// equation 9 once it is known that the image is a digit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Loss {
    /// −ln softmax(scores)\[label\].
    #[default]
    CrossEntropy,
    /// −Σ t ln softmax(scores) with t = smoothing / classes everywhere and 1 − smoothing more at the label (Szegedy et al.
    /// 2016, section 7): no score has to run away from the others. Validation is judged by the plain form.
    SmoothedCrossEntropy { smoothing: f32 },
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
        !matches!(self, Self::CrossEntropy | Self::SmoothedCrossEntropy { .. })
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
            Self::CrossEntropy | Self::SmoothedCrossEntropy { .. } => ln_sum(greatest, f32::NEG_INFINITY) - right,
            Self::Distance => -Self::FACTOR * right,
            Self::DistanceMap { j } => Self::FACTOR * (ln_sum(greatest.max(-j), -j) - right),
        }
    }

    /// What [`super::Network::curvature`] begins with, divided by `images`; laid out like the scores of `shape`.
    ///
    /// For cross-entropy, smoothed or not, the second derivative p (1 − p). The losses of distances hand down first derivatives instead, as
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
                Self::CrossEntropy | Self::SmoothedCrossEntropy { .. } => {
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
        Loss::SmoothedCrossEntropy { smoothing } => {
            return smoothed_cross_entropy(scores, classes, labels, images, operators, smoothing);
        }
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

/// What the probabilities of one image should be.
fn targets(label: u8, classes: usize, smoothing: f32) -> impl Iterator<Item = f32> {
    let smoothing = if label == NO_CLASS { 1.0 } else { smoothing };
    let own = move |class: usize| if class == usize::from(label) { 1.0 - smoothing } else { 0.0 };
    (0..classes).map(move |class| own(class) + smoothing / classes as f32)
}

/// `Σ −ln softmax(scores)[label] / images` over the labels given, as [`loss`] does.
pub fn softmax_cross_entropy(
    scores: &Tensor,
    classes: usize,
    labels: &[u8],
    images: usize,
    operators: Operators,
) -> Result<Tensor> {
    smoothed_cross_entropy(scores, classes, labels, images, operators, 0.0)
}

fn smoothed_cross_entropy(
    scores: &Tensor,
    classes: usize,
    labels: &[u8],
    images: usize,
    operators: Operators,
    smoothing: f32,
) -> Result<Tensor> {
    match operators {
        Operators::Lanes(lanes) => {
            let shape = MapShape::new(classes, 1, 1);
            scores.apply_op1(SoftmaxCrossEntropy { lanes, shape, labels: labels.to_vec(), images, smoothing })
        }
        Operators::Stock => {
            let scores = scores.flatten_from(1)?;
            if smoothing == 0.0 && !labels.contains(&NO_CLASS) {
                let plain = candle_nn::loss::cross_entropy(&scores, &target(labels, &scores)?)?;
                return plain.affine(labels.len() as f64 / images as f64, 0.0);
            }
            let targets: Vec<f32> = labels.iter().flat_map(|&label| targets(label, classes, smoothing)).collect();
            let targets = Tensor::from_vec(targets, (labels.len(), classes), scores.device())?;
            (candle_nn::ops::log_softmax(&scores, 1)? * targets)?.sum_all()?.affine(-1.0 / images as f64, 0.0)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::{Lanes, batch};
    use candle_core::{Device, Var};

    /// Three images' scores of four classes.
    const SCORES: [[f32; 4]; 3] = [[2.0, -1.0, 0.5, 0.25], [0.0, 3.0, -2.0, 1.0], [-0.5, 0.5, 1.5, 2.5]];
    const LABELS: [u8; 3] = [0, 3, 2];

    #[test]
    fn an_image_of_no_class_wants_all_probabilities_alike() {
        let all = [Operators::Lanes(Lanes::Images), Operators::Lanes(Lanes::Channels), Operators::Stock];
        let shape = MapShape::new(4, 1, 1);
        let flat = SCORES.concat();
        let value_of: [f32; 256] = std::array::from_fn(|byte| flat[byte % 12]);
        let bytes: Vec<u8> = (0..12).collect();
        for operators in all {
            let x = batch(bytes.chunks_exact(4), shape, &value_of, operators, &Device::Cpu).unwrap();
            let x = Var::from_tensor(&x).unwrap();
            let found = loss(Loss::CrossEntropy, x.as_tensor(), 4, &[0, NO_CLASS, 2], 3, operators).unwrap();
            let gradient = found.backward().unwrap().remove(x.as_tensor()).unwrap();
            let gradient = rows(&gradient, shape, 3, operators).unwrap();
            let mut expected = 0.0;
            for (image, scores) in SCORES.iter().enumerate() {
                let sum: f32 = scores.iter().map(|s| s.exp()).sum();
                for (class, score) in scores.iter().enumerate() {
                    let target = match image {
                        1 => 0.25,
                        _ => f32::from(u8::from(class == image)),
                    };
                    let p = score.exp() / sum;
                    expected -= target * p.ln() / 3.0;
                    assert!((gradient[image * 4 + class] - (p - target) / 3.0).abs() < 1e-6, "{operators:?}");
                }
            }
            assert!((found.to_scalar::<f32>().unwrap() - expected).abs() < 1e-6, "{operators:?}");
        }
    }

    #[test]
    fn smoothed_targets_follow_the_formula_on_all_operators() {
        for smoothing in [0.0f32, 0.1, 0.5] {
            // −Σ t ln p with t = smoothing / 4, and 1 − smoothing more at the label; over 5 images in all
            let mut expected = 0.0f64;
            let mut gradients = Vec::new();
            for (scores, label) in SCORES.iter().zip(LABELS) {
                let sum: f64 = scores.iter().map(|&s| f64::from(s).exp()).sum();
                for (class, &score) in scores.iter().enumerate() {
                    let own = if class == usize::from(label) { 1.0 - f64::from(smoothing) } else { 0.0 };
                    let (target, p) = (own + f64::from(smoothing) / 4.0, f64::from(score).exp() / sum);
                    expected -= target * p.ln() / 5.0;
                    gradients.push((p - target) / 5.0);
                }
            }
            let shape = MapShape::new(4, 1, 1);
            for operators in [Operators::Lanes(Lanes::Images), Operators::Lanes(Lanes::Channels), Operators::Stock] {
                let flat = SCORES.concat();
                let value_of: [f32; 256] = std::array::from_fn(|byte| flat[byte % 12]);
                let bytes: Vec<u8> = (0..12).collect();
                let x = batch(bytes.chunks_exact(4), shape, &value_of, operators, &Device::Cpu).unwrap();
                let x = Var::from_tensor(&x).unwrap();
                let kind = Loss::SmoothedCrossEntropy { smoothing };
                let found = loss(kind, x.as_tensor(), 4, &LABELS, 5, operators).unwrap();
                let value = f64::from(found.to_scalar::<f32>().unwrap());
                assert!((value - expected).abs() < 1e-6, "{operators:?}, {smoothing}: {value} for {expected}");
                let gradient = found.backward().unwrap().remove(x.as_tensor()).unwrap();
                let gradient = rows(&gradient, shape, 3, operators).unwrap();
                for (found, expected) in gradient.iter().zip(&gradients) {
                    assert!((f64::from(*found) - expected).abs() < 1e-7, "{operators:?}, {smoothing}");
                }
                if smoothing == 0.0 {
                    let plain = loss(Loss::CrossEntropy, x.as_tensor(), 4, &LABELS, 5, operators).unwrap();
                    assert_eq!(plain.to_scalar::<f32>().unwrap().to_bits(), (value as f32).to_bits());
                }
            }
        }
    }

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
