//! Radial basis functions: how far a vector is from the centre of every class.

use std::sync::Arc;

use candle_core::{Result, Tensor, bail};

use super::cpu::distance::NegativeDistances;
use super::network::{Layer, LayerParams, Pass};
use super::params::{Init, ParamKind, ParamSpec};
use super::{Activation, Curvature, Dense, Evaluated, MapShape, Operators};

/// `y[k] = −Σ_j (x[j] − centre[k, j])²` (LeCun et al. 1998, equation 7). The paper's output is the distance itself, least
/// for the answer; here it has a minus sign, because the greatest score is the answer of every network.
///
/// Maps `[features, 1, 1]` to `[classes, 1, 1]`; one parameter `centre` `[classes, features]` if it is trainable, else none.
#[derive(Clone, Debug)]
pub struct Rbf {
    /// Row by row.
    centres: Arc<[f32]>,
    classes: usize,
    trainable: bool,
}

impl Rbf {
    /// One centre a class, which stays where it is. Fails unless all have the same number of features.
    pub fn fixed(centres: &[Vec<f32>]) -> Result<Self> {
        let features = centres.first().map_or(0, Vec::len);
        if features == 0 || centres.iter().any(|centre| centre.len() != features) {
            bail!("every class needs a centre of as many features");
        }
        Ok(Self { centres: centres.concat().into(), classes: centres.len(), trainable: false })
    }

    /// As [`Rbf::fixed`], and the centres are parameters that begin there.
    pub fn trainable(centres: &[Vec<f32>]) -> Result<Self> {
        Ok(Self { trainable: true, ..Self::fixed(centres)? })
    }

    fn features(&self) -> usize {
        self.centres.len() / self.classes
    }
}

impl Layer for Rbf {
    fn describe(&self) -> String {
        format!("distances to {} {} centres", self.classes, if self.trainable { "trainable" } else { "fixed" })
    }

    fn output(&self, input: MapShape) -> Result<MapShape> {
        if input != MapShape::new(self.features(), 1, 1) {
            bail!("distances of {} features, got {input:?}", self.features());
        }
        Ok(MapShape::new(self.classes, 1, 1))
    }

    fn params(&self, _: MapShape) -> Vec<ParamSpec> {
        let centre = ParamSpec {
            name: "centre".to_owned(),
            shape: vec![self.classes, self.features()],
            init: Init::Values(self.centres.clone()),
            kind: ParamKind::Centre,
            fan_in: vec![self.features(); self.classes],
        };
        if self.trainable { vec![centre] } else { Vec::new() }
    }

    fn gives_distances(&self) -> bool {
        true
    }

    fn centres(&self, params: &[Tensor]) -> Result<Option<Vec<f32>>> {
        match params {
            [centres] if self.trainable => centres.flatten_all()?.to_vec1().map(Some),
            _ => Ok(Some(self.centres.to_vec())),
        }
    }

    fn forward(&self, x: &Tensor, params: LayerParams<'_>, pass: &mut Pass) -> Result<Tensor> {
        let (classes, features) = (self.classes, self.features());
        let centres = match (params.values, self.trainable) {
            ([centres], true) => centres.clone(),
            ([], false) => Tensor::from_slice(&self.centres, (classes, features), x.device())?,
            _ => bail!("expected {} parameters, got {}", usize::from(self.trainable), params.values.len()),
        };
        match pass.operators {
            Operators::Lanes(lanes) => {
                let gradient = params.gradients.and_then(|all| all.first().cloned());
                x.apply_op2(&centres, NegativeDistances { lanes, features, classes, gradient })
            }
            Operators::Stock => {
                let images = x.dims()[0];
                let steps = x.reshape((images, 1, features))?.broadcast_sub(&centres.unsqueeze(0)?)?;
                steps.sqr()?.sum(2)?.neg()?.reshape((images, classes, 1, 1))
            }
        }
    }

    /// Losses of distances hand down first derivatives ([`super::Loss`]): with E linear in the distances, ∂²E/∂x² is twice
    /// their sum over the classes, and ∂²E/∂centre² twice that of its class.
    fn curvature(&self, at: Evaluated<'_>, of_result: &Tensor) -> Result<Option<Curvature>> {
        let (classes, features) = (self.classes, self.features());
        // the sums over classes and over images are those of a dense layer whose weights are all 1
        let ones = Tensor::ones((classes, features), at.x.dtype(), at.x.device())?;
        let params = [ones, Tensor::zeros(classes, at.x.dtype(), at.x.device())?];
        let dense = Dense { outputs: classes, activation: Activation::Identity };
        let sums = Evaluated { params: &params, ..at }.of_bilinear(&dense, of_result)?;
        let of_centres = sums.params[1].affine(2.0, 0.0)?.unsqueeze(1)?.broadcast_as((classes, features))?;
        let params = if self.trainable { vec![of_centres.contiguous()?] } else { Vec::new() };
        Ok(Some(Curvature { input: sums.input.affine(2.0, 0.0)?, params }))
    }
}
