//! Squared distances to centres, as a Candle operator. Few numbers beside those of any other layer, so plain loops over the
//! images serve both kinds of lanes.

use candle_core::{CpuStorage, CustomOp2, Layout, Result, Shape, Tensor, bail};

use super::operators::{floats, with_floats, with_floats_mut};
use super::simd::LANES;
use crate::nn::{Lanes, MapShape};

/// `y[k] = −Σ_j (x[j] − centre[k, j])²`; x `[units, features, 1, 1, 8]` in lanes, centres `[classes, features]`; the result
/// is in the same lanes.
pub struct NegativeDistances {
    pub lanes: Lanes,
    pub features: usize,
    pub classes: usize,
    /// The tensor that receives the gradient of the centres, instead of Candle's gradient store.
    pub gradient: Option<Tensor>,
}

impl NegativeDistances {
    /// Images of so many units, empty lanes among them.
    fn images(&self, units: usize) -> usize {
        if self.lanes == Lanes::Images { units * LANES } else { units }
    }

    /// Writes the places of an image's values.
    fn places(&self, image: usize, places: &mut [usize]) {
        let shape = MapShape::new(places.len(), 1, 1);
        places.iter_mut().enumerate().for_each(|(c, place)| *place = self.lanes.first(shape, image, c));
    }

    fn forward(&self, x: &[f32], centres: &[f32], units: usize, y: &mut [f32]) {
        let (mut from, mut to) = (vec![0; self.features], vec![0; self.classes]);
        let mut own = vec![0.0; self.features];
        for image in 0..self.images(units) {
            self.places(image, &mut from);
            self.places(image, &mut to);
            own.iter_mut().zip(&from).for_each(|(own, &at)| *own = x[at]);
            for (&at, centre) in to.iter().zip(centres.chunks_exact(self.features)) {
                y[at] = -squared_distance(&own, centre);
            }
        }
    }

    /// Overwrites `centres_grad` and `x_grad`, whose lanes without a feature must hold zeros.
    fn backward(&self, x: &[f32], centres: &[f32], g: &[f32], units: usize, x_grad: &mut [f32], c_grad: &mut [f32]) {
        let (mut from, mut to) = (vec![0; self.features], vec![0; self.classes]);
        let (mut own, mut own_grad) = (vec![0.0; self.features], vec![0.0; self.features]);
        c_grad.fill(0.0);
        for image in 0..self.images(units) {
            self.places(image, &mut from);
            self.places(image, &mut to);
            own.iter_mut().zip(&from).for_each(|(own, &at)| *own = x[at]);
            own_grad.fill(0.0);
            let rows = centres.chunks_exact(self.features).zip(c_grad.chunks_exact_mut(self.features));
            for (&at, (centre, c_grad)) in to.iter().zip(rows) {
                // an empty lane has no gradient, and of a loss of one distance only one class has
                let twice = 2.0 * g[at];
                if twice == 0.0 {
                    continue;
                }
                for (((x, centre), x_grad), c_grad) in own.iter().zip(centre).zip(&mut own_grad).zip(c_grad) {
                    let step = twice * (x - centre);
                    *x_grad -= step;
                    *c_grad += step;
                }
            }
            own_grad.iter().zip(&from).for_each(|(own, &at)| x_grad[at] = *own);
        }
    }
}

/// Eight sums side by side: one alone would wait for every addition.
fn squared_distance(a: &[f32], b: &[f32]) -> f32 {
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    let mut sums = [0f32; LANES];
    for (a, b) in a.iter().zip(b) {
        for lane in 0..LANES {
            sums[lane] += (a[lane] - b[lane]) * (a[lane] - b[lane]);
        }
    }
    a_rest.iter().zip(b_rest).map(|(a, b)| (a - b) * (a - b)).chain(sums).sum()
}

impl CustomOp2 for NegativeDistances {
    fn name(&self) -> &'static str {
        "negative distances"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        centres: &CpuStorage,
        centres_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let units = x_layout.dims()[0];
        let dims = self.lanes.dims(self.images(units), MapShape::new(self.features, 1, 1));
        if x_layout.dims() != [dims.0, dims.1, dims.2, dims.3, dims.4] {
            bail!("distances of {} features, got {:?}", self.features, x_layout.dims());
        }
        let dims = self.lanes.dims(self.images(units), MapShape::new(self.classes, 1, 1));
        let mut y = vec![0.0; dims.0 * dims.1 * LANES];
        self.forward(floats(x, x_layout)?, floats(centres, centres_layout)?, units, &mut y);
        Ok((CpuStorage::F32(y), dims.into()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        centres: &Tensor,
        _result: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let c_grad = self.gradient.clone().map_or_else(|| centres.zeros_like(), Ok)?;
        let mut x_grad = vec![0.0; x.elem_count()];
        with_floats(x, |x_values| {
            with_floats(centres, |centres| {
                with_floats(gradient, |g| {
                    with_floats_mut(&c_grad, |c_grad| {
                        self.backward(x_values, centres, g, x.dims()[0], &mut x_grad, c_grad);
                    })
                })
            })
        })????;
        let x_grad = Tensor::from_vec(x_grad, x.shape(), x.device())?;
        let own = self.gradient.is_none() && centres.track_op();
        Ok((Some(x_grad), own.then_some(c_grad)))
    }
}
