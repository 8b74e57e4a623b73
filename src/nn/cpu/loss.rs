//! The losses of distances (LeCun et al. 1998, equations 8 and 9) as a Candle operator.

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor};

use super::operators::{floats, with_floats};
use crate::nn::{Lanes, MapShape};

/// `factor · Σ (y_D + ln(e^−j + Σ e^−y)) / images` over the labels D given, for scores −y, one a class; without `rubbish` j,
/// only y_D. Empty lanes count nothing.
pub struct DistanceLoss {
    pub lanes: Lanes,
    /// Of the scores: `[classes, 1, 1]`.
    pub shape: MapShape,
    pub labels: Vec<u8>,
    pub images: usize,
    pub rubbish: Option<f32>,
    pub factor: f32,
}

impl DistanceLoss {
    /// Calls `f(an image's label, the places of its scores, its scores)`.
    fn for_each_image(&self, scores: &[f32], mut f: impl FnMut(usize, &[usize], &[f32])) {
        let (mut places, mut own) = (vec![0; self.shape.channels], vec![0.0; self.shape.channels]);
        for (image, &label) in self.labels.iter().enumerate() {
            for (class, (place, own)) in places.iter_mut().zip(&mut own).enumerate() {
                *place = self.lanes.first(self.shape, image, class);
                *own = scores[*place];
            }
            f(usize::from(label), &places, &own);
        }
    }
}

/// The least of j and all y, taken out before any exponential, and the sum of the exponentials that are left.
fn least_and_sum(scores: &[f32], rubbish: f32) -> (f32, f32) {
    let least = scores.iter().fold(rubbish, |least, score| least.min(-score));
    (least, (least - rubbish).exp() + scores.iter().map(|score| (least + score).exp()).sum::<f32>())
}

impl CustomOp1 for DistanceLoss {
    fn name(&self) -> &'static str {
        "loss of distances"
    }

    fn cpu_fwd(&self, scores: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let mut total = 0.0f64;
        self.for_each_image(floats(scores, layout)?, |label, _, scores| {
            total -= f64::from(scores[label]);
            if let Some(rubbish) = self.rubbish {
                let (least, sum) = least_and_sum(scores, rubbish);
                total += f64::from(sum.ln()) - f64::from(least);
            }
        });
        let mean = f64::from(self.factor) * total / self.images as f64;
        Ok((CpuStorage::F32(vec![mean as f32]), ().into()))
    }

    fn bwd(&self, scores: &Tensor, _result: &Tensor, gradient: &Tensor) -> Result<Option<Tensor>> {
        let scale = self.factor * gradient.to_scalar::<f32>()? / self.images as f32;
        let mut out = vec![0.0f32; scores.elem_count()];
        with_floats(scores, |scores| {
            self.for_each_image(scores, |label, places, scores| {
                if let Some(rubbish) = self.rubbish {
                    let (least, sum) = least_and_sum(scores, rubbish);
                    for (&place, score) in places.iter().zip(scores) {
                        out[place] = scale * (least + score).exp() / sum;
                    }
                }
                out[places[label]] -= scale;
            });
        })?;
        Ok(Some(Tensor::from_vec(out, scores.shape(), scores.device())?))
    }
}
