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
    /// Weights uniform in ±√(3 / F), of variance 1 / F (LeCun, Bottou, Orr & Müller 1998, "Efficient BackProp", eq. 16):
    /// keeps variances through units whose slope is about 1. Biases 0, coefficients as they ask themselves.
    #[serde(rename = "lecun-1998")]
    LeCun1998,
    /// Weights uniform in ±√(6 / (F + G)), G the sums that an input goes into, counted as if every map were read by all
    /// (Glorot & Bengio 2010, eq. 16): a compromise between the way forward and the way back, for tanh. Biases 0,
    /// coefficients as they ask themselves.
    Xavier,
    /// Weights uniform in ±√(6 / F), of variance 2 / F (He et al. 2015, eq. 10): keeps variances through ReLU, which drops
    /// half of its inputs. Biases 0, coefficients as they ask themselves.
    Kaiming,
}

impl Initialisation {
    /// The schemes that a person chooses among, with their names.
    pub const CHOICES: [(&'static str, Self); 6] = [
        ("As usual", Self::Usual),
        ("LeCun 1998", Self::LeCun1998),
        ("Xavier", Self::Xavier),
        ("Kaiming", Self::Kaiming),
        ("1 / √inputs", Self::SqrtFanIn),
        ("±2.4 / inputs", Self::Paper1998),
    ];

    /// The first values of the parameter that is number `index` in its network.
    pub(super) fn values(self, spec: &ParamSpec, seed: u64, index: usize) -> Vec<f32> {
        let count = spec.shape.iter().product();
        let bound_of: fn(f32, f32) -> f32 = match self {
            Self::Usual => return spec.init.values(count, seed, index),
            Self::SqrtFanIn => |fan_in, _| 1.0 / fan_in.sqrt(),
            Self::Paper1998 => |fan_in, _| 2.4 / fan_in,
            Self::LeCun1998 => |fan_in, _| (3.0 / fan_in).sqrt(),
            Self::Xavier => |fan_in, fan_out| (6.0 / (fan_in + fan_out)).sqrt(),
            Self::Kaiming => |fan_in, _| (6.0 / fan_in).sqrt(),
        };
        let mut rng = stream(seed, Purpose::Initialise, index as u64, 0);
        let per_entry = count / spec.fan_in.len();
        // every unit owns as many weights as it has inputs, and an input of a convolution is met by every tap
        let units: f32 = spec.fan_in.iter().map(|&fan_in| per_entry as f32 / fan_in as f32).sum();
        let fan_out = units * taps(&spec.shape) as f32;
        let bounds =
            spec.fan_in.iter().flat_map(|&fan_in| std::iter::repeat_n(bound_of(fan_in as f32, fan_out), per_entry));
        let is_named = matches!(self, Self::LeCun1998 | Self::Xavier | Self::Kaiming);
        match (self, spec.kind) {
            (_, ParamKind::Affine | ParamKind::Centre | ParamKind::Statistic) => spec.init.values(count, seed, index),
            (_, ParamKind::Coefficient) if is_named => spec.init.values(count, seed, index),
            (_, ParamKind::Bias) if is_named || self == Self::SqrtFanIn => vec![0.0; count],
            (Self::SqrtFanIn, ParamKind::Coefficient) => bounds.collect(),
            _ => bounds.map(|bound| rng.random_range(-bound..=bound)).collect(),
        }
    }
}

/// Positions of a kernel: the last two axes of a convolution's weights.
fn taps(shape: &[usize]) -> usize {
    if let [_, .., height, width] = *shape
        && shape.len() > 2
    {
        height * width
    } else {
        1
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
        let kernels = spec(ParamKind::Weight, vec![2, 6, 5, 5], vec![150; 2]);
        let links = spec(ParamKind::Weight, vec![3, 10, 10], vec![100, 200, 200]);
        for (scheme, spec, bound) in [
            (Initialisation::LeCun1998, &kernels, (3.0f32 / 150.0).sqrt()),
            (Initialisation::Xavier, &kernels, (6.0f32 / (150.0 + 50.0)).sqrt()),
            (Initialisation::Kaiming, &kernels, 0.2),
            // two maps, one that reads one map and one that reads two
            (Initialisation::Xavier, &links, (6.0f32 / (100.0 + 200.0)).sqrt()),
        ] {
            let values = scheme.values(spec, 1, 0);
            let first = &values[..values.len() / spec.shape[0]];
            let greatest = first.iter().fold(0f32, |a, x| a.max(x.abs()));
            assert!(greatest <= bound && greatest > 0.9 * bound, "{scheme:?}: {greatest} of {bound}");
            let variance = first.iter().map(|x| x * x).sum::<f32>() / first.len() as f32;
            assert!((variance / (bound * bound / 3.0) - 1.0).abs() < 0.3, "{scheme:?}: variance {variance}");
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
        let scale = spec(ParamKind::Affine, vec![3], vec![1; 3]);
        let mean = spec(ParamKind::Statistic, vec![3], vec![1; 3]);
        for (_, scheme) in Initialisation::CHOICES {
            for spec in [&centre, &scale, &mean] {
                assert_eq!(scheme.values(spec, 1, 0), [7.0; 3], "{scheme:?}: {:?} begins as it is", spec.kind);
            }
        }
        for scheme in [Initialisation::LeCun1998, Initialisation::Xavier, Initialisation::Kaiming] {
            assert_eq!((scheme.values(&bias, 1, 0), scheme.values(&coefficient, 1, 0)), (vec![0.0; 3], vec![7.0; 3]));
        }
    }
}
