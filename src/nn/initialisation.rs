//! Schemes by which all parameters of a network begin.

use rand::Rng;
use serde::{Deserialize, Serialize};

use super::params::{ParamKind, ParamSpec};
use super::random::{Purpose, stream};

/// How the parameters of a network begin. F is the number of inputs of the unit that a parameter belongs to, its bias not
/// counted; in a sparse convolution it differs from map to map.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Initialisation {
    /// Every layer as it asks itself ([`ParamSpec::init`]).
    #[default]
    Usual,
    /// Weights uniform in ±1 / √F, biases 0, coefficients of subsampling 1 / √F: 0.5 for windows of 2×2, always positive,
    /// so that every map passes on about as much as it gets.
    SqrtFanIn,
    /// Uniform in ±2.4 / F (LeCun et al. 1998, appendix A). The paper does not except biases and coefficients, so they
    /// begin by the same rule.
    #[serde(rename = "paper-1998")]
    Paper1998,
}

impl Initialisation {
    /// The first values of the parameter that is number `index` in its network.
    pub(super) fn values(self, spec: &ParamSpec, seed: u64, index: usize) -> Vec<f32> {
        let count = spec.shape.iter().product();
        let bound_of: fn(f32) -> f32 = match self {
            Self::Usual => return spec.init.values(count, seed, index),
            Self::SqrtFanIn => |fan_in| 1.0 / fan_in.sqrt(),
            Self::Paper1998 => |fan_in| 2.4 / fan_in,
        };
        let mut rng = stream(seed, Purpose::Initialise, index as u64, 0);
        let per_entry = count / spec.fan_in.len();
        let bounds = spec.fan_in.iter().flat_map(|&fan_in| std::iter::repeat_n(bound_of(fan_in as f32), per_entry));
        match (self, spec.kind) {
            (_, ParamKind::Centre | ParamKind::Affine | ParamKind::Statistic) => spec.init.values(count, seed, index),
            (Self::SqrtFanIn, ParamKind::Bias) => vec![0.0; count],
            (Self::SqrtFanIn, ParamKind::Coefficient) => bounds.collect(),
            _ => bounds.map(|bound| rng.random_range(-bound..=bound)).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::Init;

    #[test]
    fn a_scheme_draws_within_the_bounds_of_every_unit() {
        let spec = |kind, shape: Vec<usize>, fan_in: Vec<usize>| ParamSpec {
            name: "p".to_owned(),
            init: Init::Values(vec![7.0; shape.iter().product()].into()),
            shape,
            kind,
            fan_in,
        };
        let weight = spec(ParamKind::Weight, vec![2, 500], vec![16, 400]);
        for (scheme, bounds) in [(Initialisation::SqrtFanIn, [0.25, 0.05]), (Initialisation::Paper1998, [0.15, 0.006])]
        {
            let values = scheme.values(&weight, 1, 0);
            assert_eq!(values, scheme.values(&weight, 1, 0), "a seed means the same values");
            assert_ne!(values, scheme.values(&weight, 2, 0));
            for (values, bound) in values.chunks_exact(500).zip(bounds) {
                let greatest = values.iter().fold(0f32, |a, x| a.max(x.abs()));
                assert!(greatest <= bound && greatest > 0.9 * bound, "{scheme:?}: {greatest} of {bound}");
                assert!(values.iter().any(|x| *x < 0.0) && values.iter().any(|x| *x > 0.0));
            }
        }
        let bias = spec(ParamKind::Bias, vec![3], vec![4; 3]);
        let coefficient = spec(ParamKind::Coefficient, vec![3], vec![4; 3]);
        let centre = spec(ParamKind::Centre, vec![3], vec![4; 3]);
        assert_eq!(Initialisation::SqrtFanIn.values(&bias, 1, 0), [0.0; 3]);
        assert_eq!(Initialisation::SqrtFanIn.values(&coefficient, 1, 0), [0.5; 3]);
        for spec in [&bias, &coefficient] {
            let values = Initialisation::Paper1998.values(spec, 1, 0);
            assert!(values.iter().all(|x| x.abs() <= 0.6 && *x != 0.0), "{values:?}");
            assert_eq!(Initialisation::Usual.values(spec, 1, 0), [7.0; 3]);
        }
        assert_eq!(Initialisation::Paper1998.values(&centre, 1, 0), [7.0; 3], "centres begin where they are");
    }
}
