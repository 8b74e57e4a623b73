//! A first layer that passes on the pixels that tell digits apart.

use candle_core::{Result, Tensor, bail};

use super::network::{Layer, LayerParams, Pass};
use super::params::{Init, ParamKind, ParamSpec};
use super::{Curvature, Evaluated, MapShape, Operators};

/// `y[i] = kept[i] · x[i]` with kept 0 or 1: pixels that are nearly the same in all training images become 0.
///
/// Maps `[1, h, w]` to `[1, h, w]`; one parameter `kept` `[h · w]`, a [`ParamKind::Statistic`] that begins at 1 everywhere.
/// Training finds it in its images before the first update and leaves it as it is from then on.
#[derive(Clone, Copy, Debug)]
pub struct KeepPixels {
    /// The standard deviation over the training images, with paper at 0 and ink at 1, that a pixel must exceed.
    pub least_deviation: f32,
}

impl KeepPixels {
    /// What to keep: 1 or 0 for every pixel, from its standard deviation.
    pub fn choose(&self, deviations: &[f32]) -> Vec<f32> {
        deviations.iter().map(|&deviation| if deviation > self.least_deviation { 1.0 } else { 0.0 }).collect()
    }

    /// The parameter as something that multiplies a batch.
    fn factor(x: &Tensor, params: &[Tensor], operators: Operators) -> Result<Tensor> {
        let [kept] = params else { bail!("expected the pixels to keep, got {} parameters", params.len()) };
        let kept = kept.detach();
        match operators {
            Operators::Lanes(_) => {
                let (_, _, height, width, _) = x.dims5()?;
                kept.reshape((1, 1, height, width, 1))
            }
            Operators::Stock => {
                let (_, _, height, width) = x.dims4()?;
                kept.reshape((1, 1, height, width))
            }
        }
    }
}

impl Layer for KeepPixels {
    fn describe(&self) -> String {
        "pixels that differ from digit to digit".to_owned()
    }

    fn output(&self, input: MapShape) -> Result<MapShape> {
        // with channels in the lanes of a vector, a pixel would stand for eight of them
        if input.channels != 1 {
            bail!("pixels are kept or left out in one map, got {}", input.channels);
        }
        Ok(input)
    }

    fn params(&self, input: MapShape) -> Vec<ParamSpec> {
        let kept = ParamSpec {
            name: "kept".to_owned(),
            shape: vec![input.size()],
            init: Init::Constant { value: 1.0 },
            kind: ParamKind::Statistic,
            fan_in: vec![1; input.size()],
        };
        vec![kept]
    }

    fn keep_pixels(&self) -> Option<KeepPixels> {
        Some(*self)
    }

    fn forward(&self, x: &Tensor, params: LayerParams<'_>, pass: &mut Pass) -> Result<Tensor> {
        x.broadcast_mul(&Self::factor(x, params.values, pass.operators)?)
    }

    fn curvature(&self, at: Evaluated<'_>, of_result: &Tensor) -> Result<Option<Curvature>> {
        let input = of_result.broadcast_mul(&Self::factor(at.x, at.params, at.operators)?)?;
        let params = at.params.iter().map(Tensor::zeros_like).collect::<Result<_>>()?;
        Ok(Some(Curvature { input, params }))
    }
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;
    use crate::nn::{Lanes, Network, batch, rows};

    #[test]
    fn pixels_that_hardly_differ_become_zero_on_all_operators() {
        let layer = KeepPixels { least_deviation: 0.01 };
        let kept = layer.choose(&[0.3, 0.01, 0.0, 0.02]);
        assert_eq!(kept, [1.0, 0.0, 0.0, 1.0]);
        let network = Network::new(MapShape::new(1, 2, 2)).then("Input", layer).unwrap();
        assert_eq!(network.parameter_count(), 0, "a choice is not learnt");
        let params = [Tensor::new(kept, &Device::Cpu).unwrap()];
        let value_of: [f32; 256] = std::array::from_fn(|byte| byte as f32 + 1.0);
        let images: [&[u8]; 2] = [&[0, 1, 2, 3], &[9, 8, 7, 6]];
        for operators in [Operators::Lanes(Lanes::Images), Operators::Lanes(Lanes::Channels), Operators::Stock] {
            let x = batch(images.into_iter(), network.input(), &value_of, operators, &Device::Cpu).unwrap();
            let y = network.forward(&x, &params, &mut Pass::evaluate(operators)).unwrap();
            let y = rows(&y, network.output(), 2, operators).unwrap();
            assert_eq!(y, [1.0, 0.0, 0.0, 4.0, 10.0, 0.0, 0.0, 7.0], "{operators:?}");
        }
        assert!(Network::new(MapShape::new(2, 2, 2)).then("Input", layer).is_err(), "one map");
    }
}
