//! An image in several poses, for networks that answer about all of them.

use candle_core::{Result, Tensor, bail};

use super::layout::from_rows;
use super::members::images_of;
use super::network::{Layer, LayerParams, Pass};
use super::params::ParamSpec;
use super::{MapShape, rows};

/// One map turned about its centre by each of some angles: `[1, h, w]` to `[angles, h, w]`, sampled bilinearly; paper,
/// which is 0, comes in from outside. An angle of 0 leaves the map as it is. Without parameters; nothing flows back through it.
#[derive(Clone, Debug)]
pub struct Turned {
    /// Clockwise.
    pub degrees: Vec<f32>,
}

/// A pixel that a turned one takes from, and its share.
type Tap = (usize, f32);

/// Where every pixel of a map of this size takes its value from when the map is turned.
fn taps(height: usize, width: usize, degrees: f32) -> Vec<[Tap; 4]> {
    let (sin, cos) = degrees.to_radians().sin_cos();
    let (middle_row, middle_column) = ((height as f32 - 1.0) / 2.0, (width as f32 - 1.0) / 2.0);
    let of_pixel = |pixel: usize| {
        let (down, right) = ((pixel / width) as f32 - middle_row, (pixel % width) as f32 - middle_column);
        // rows count downwards: the place from which a clockwise turn brings this pixel
        let row = cos * down - sin * right + middle_row;
        let column = sin * down + cos * right + middle_column;
        let (lower, after) = (row - row.floor(), column - column.floor());
        [(0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (1.0, 1.0)].map(|(below, beside)| {
            let (row, column) = (row.floor() + below, column.floor() + beside);
            let share =
                (if below > 0.0 { lower } else { 1.0 - lower }) * if beside > 0.0 { after } else { 1.0 - after };
            let is_inside = row >= 0.0 && column >= 0.0 && row < height as f32 && column < width as f32;
            if is_inside { (row as usize * width + column as usize, share) } else { (0, 0.0) }
        })
    };
    (0..height * width).map(of_pixel).collect()
}

impl Layer for Turned {
    fn describe(&self) -> String {
        let degrees: Vec<String> = self.degrees.iter().map(|degrees| format!("{degrees}°").replace('-', "−")).collect();
        format!("turned clockwise by {}", degrees.join(", "))
    }

    fn has_curvature(&self) -> bool {
        false
    }

    fn output(&self, input: MapShape) -> Result<MapShape> {
        if input.channels != 1 || self.degrees.is_empty() {
            bail!(
                "one map is turned by one angle or more, got {} maps and {} angles",
                input.channels,
                self.degrees.len()
            );
        }
        Ok(MapShape { channels: self.degrees.len(), ..input })
    }

    fn params(&self, _: MapShape) -> Vec<ParamSpec> {
        Vec::new()
    }

    fn forward(&self, x: &Tensor, _: LayerParams<'_>, pass: &mut Pass) -> Result<Tensor> {
        let images = images_of(x, pass.operators);
        let (height, width) = match *x.dims() {
            [_, _, height, width] | [_, _, height, width, _] => (height, width),
            _ => bail!("maps have rows and columns"),
        };
        let poses: Vec<_> = self.degrees.iter().map(|&degrees| taps(height, width, degrees)).collect();
        let maps = rows(x, MapShape::new(1, height, width), images, pass.operators)?;
        let mut turned = Vec::with_capacity(maps.len() * poses.len());
        for map in maps.chunks_exact(height * width) {
            for taps in &poses {
                turned.extend(taps.iter().map(|taps| taps.iter().map(|&(at, share)| map[at] * share).sum::<f32>()));
            }
        }
        from_rows(turned, MapShape::new(poses.len(), height, width), images, pass.operators, x.device())
    }
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;
    use crate::nn::{Lanes, Network, Operators, batch};

    #[test]
    fn maps_are_turned_about_their_centre_on_all_operators() {
        let layer = Turned { degrees: vec![0.0, 90.0, 45.0] };
        let network = Network::new(MapShape::new(1, 3, 3)).then("Poses", layer.clone()).unwrap();
        assert_eq!(network.output(), MapShape::new(3, 3, 3));
        let value_of: [f32; 256] = std::array::from_fn(|byte| byte as f32);
        let images: [&[u8]; 2] = [&[1, 2, 3, 4, 5, 6, 7, 8, 9], &[0, 0, 0, 0, 200, 0, 0, 0, 0]];
        for operators in [Operators::Lanes(Lanes::Images), Operators::Lanes(Lanes::Channels), Operators::Stock] {
            let x = batch(images.into_iter(), network.input(), &value_of, operators, &Device::Cpu).unwrap();
            let y = network.forward(&x, &[], &mut Pass::evaluate(operators)).unwrap();
            let y = rows(&y, network.output(), 2, operators).unwrap();
            let quarter = [7.0, 4.0, 1.0, 8.0, 5.0, 2.0, 9.0, 6.0, 3.0];
            let is_near =
                |found: &[f32], expected: &[f32]| found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-3);
            assert!(is_near(&y[..9], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0]), "{operators:?}: {y:?}");
            assert!(is_near(&y[9..18], &quarter), "{operators:?}: {y:?}");
            // an eighth of a turn: the centre stays, its neighbours are fetched 0.29 pixels off a corner
            assert!((y[22] - 5.0).abs() < 1e-4, "{operators:?}: {y:?}");
            let of_dot = &y[27 + 18..][..9];
            let share = (1.0 - 0.5f32.sqrt()).powi(2) * 200.0;
            let expected = [0.0, share, 0.0, share, 200.0, share, 0.0, share, 0.0];
            assert!(is_near(of_dot, &expected), "{operators:?}: {of_dot:?}, expected {expected:?}");
        }
        assert!(Network::new(MapShape::new(2, 3, 3)).then("Poses", layer).is_err(), "one map");
    }
}
