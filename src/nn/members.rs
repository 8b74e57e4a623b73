//! Several networks that answer together.

use candle_core::{Result, Tensor, bail};

use super::layout::from_rows;
use super::network::{Layer, LayerParams, Network, Pass};
use super::params::ParamSpec;
use super::{LANES, Lanes, MapShape, Operators, rows};

/// Networks side by side, all asked about every pose of the same images, `[poses, h, w]`: the probabilities (softmax of the
/// scores) of member m, as the mean over the poses, are row m of what leaves it, `[members, 1, classes]`. Parameters are
/// those of the members one after the other: `cnn.Conv1.weight`.
///
/// It answers and does not learn: nothing flows back through it.
pub struct Members {
    members: Vec<(String, Network)>,
    poses: usize,
}

impl Members {
    /// Fails without members or poses, or where members do not read the same single map or give scores of as many classes.
    pub fn new(members: Vec<(String, Network)>, poses: usize) -> Result<Self> {
        let Some((_, first)) = members.first() else { bail!("nobody is asked: there are no members") };
        if poses == 0 {
            bail!("nothing is asked: there are no poses");
        }
        for (name, network) in &members {
            if network.input().channels != 1 {
                bail!("{name} reads {} maps, a pose is one", network.input().channels);
            }
            if network.input() != first.input() || network.output() != first.output() {
                bail!("{name} reads or gives other shapes than the first member");
            }
            if network.gives_distances() {
                bail!("{name} gives distances, which are no probabilities");
            }
        }
        Ok(Self { members, poses })
    }

    /// One map for every pose.
    fn input(&self) -> MapShape {
        MapShape { channels: self.poses, ..self.members[0].1.input() }
    }

    fn classes(&self) -> usize {
        self.members[0].1.output().size()
    }
}

impl Layer for Members {
    fn describe(&self) -> String {
        let mean = if self.poses > 1 { format!(", means of {} poses", self.poses) } else { String::new() };
        format!("probabilities of {} networks{mean}", self.members.len())
    }

    fn members(&self) -> Vec<String> {
        self.members.iter().map(|(name, _)| name.clone()).collect()
    }

    fn has_curvature(&self) -> bool {
        false
    }

    fn output(&self, input: MapShape) -> Result<MapShape> {
        if input != self.input() {
            bail!("members made for {:?} cannot take {input:?}", self.input());
        }
        Ok(MapShape::new(self.members.len(), 1, self.classes()))
    }

    fn params(&self, _: MapShape) -> Vec<ParamSpec> {
        let of = |(name, network): &(String, Network)| -> Vec<ParamSpec> {
            let renamed = |spec: &ParamSpec| ParamSpec { name: format!("{name}.{}", spec.name), ..spec.clone() };
            network.params().iter().map(renamed).collect()
        };
        self.members.iter().flat_map(of).collect()
    }

    fn forward(&self, x: &Tensor, params: LayerParams<'_>, pass: &mut Pass) -> Result<Tensor> {
        if pass.training.is_some() {
            bail!("members answer together and do not learn together: train each by itself");
        }
        let images = images_of(x, pass.operators);
        let classes = self.classes();
        // each pose is an image of its own to the members
        let pose = self.members[0].1.input();
        let asked = images * self.poses;
        let maps = rows(x, self.input(), images, pass.operators)?;
        let x = from_rows(maps, pose, asked, pass.operators, x.device())?;
        let mut all = vec![0.0; images * self.members.len() * classes];
        let mut rest = params;
        // what is seen of members is their answer
        let record = pass.record.take();
        for (member, (_, network)) in self.members.iter().enumerate() {
            let (own, others) = rest.split_at(network.params().len());
            rest = others;
            let scores = network.run(&x, own, pass)?;
            let scores = rows(&scores, network.output(), asked, pass.operators)?;
            for (number, scores) in scores.chunks_exact(classes).enumerate() {
                let place = (number / self.poses * self.members.len() + member) * classes;
                add_softmax(scores, 1.0 / self.poses as f32, &mut all[place..][..classes]);
            }
        }
        pass.record = record;
        let shape = MapShape::new(self.members.len(), 1, classes);
        from_rows(all, shape, images, pass.operators, x.device())
    }
}

/// Adds the softmax of the scores, times `share`.
fn add_softmax(scores: &[f32], share: f32, to: &mut [f32]) {
    let greatest = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum: f32 = scores.iter().map(|score| (score - greatest).exp()).sum();
    for (to, score) in to.iter_mut().zip(scores) {
        *to += share * ((score - greatest).exp() / sum);
    }
}

/// Images that a batch has room for, empty lanes among them.
pub(super) fn images_of(x: &Tensor, operators: Operators) -> usize {
    match operators {
        Operators::Lanes(Lanes::Images) => x.dims()[0] * LANES,
        Operators::Lanes(Lanes::Channels) | Operators::Stock => x.dims()[0],
    }
}

/// The natural logarithm of the mean over the members: scores whose softmax is the mean of their probabilities. Maps
/// `[members, 1, classes]` to `[classes, 1, 1]`; without parameters.
#[derive(Clone, Copy, Debug)]
pub struct MeanOfMembers {
    pub members: usize,
    pub classes: usize,
}

/// Probabilities count as this much at least, so that their logarithm is a number.
const LEAST: f32 = 1e-12;

impl MeanOfMembers {
    fn input(self) -> MapShape {
        MapShape::new(self.members, 1, self.classes)
    }
}

impl Layer for MeanOfMembers {
    fn describe(&self) -> String {
        "logarithm of the mean".to_owned()
    }

    fn has_curvature(&self) -> bool {
        false
    }

    fn output(&self, input: MapShape) -> Result<MapShape> {
        if input != self.input() {
            bail!("a mean of {} members takes {:?}, got {input:?}", self.members, self.input());
        }
        Ok(MapShape::new(self.classes, 1, 1))
    }

    fn params(&self, _: MapShape) -> Vec<ParamSpec> {
        Vec::new()
    }

    fn forward(&self, x: &Tensor, _: LayerParams<'_>, pass: &mut Pass) -> Result<Tensor> {
        let images = images_of(x, pass.operators);
        let all = rows(x, self.input(), images, pass.operators)?;
        let mut means = Vec::with_capacity(images * self.classes);
        for probabilities in all.chunks_exact(self.input().size()) {
            means.extend((0..self.classes).map(|class| {
                let sum: f32 = probabilities.iter().skip(class).step_by(self.classes).sum();
                (sum / self.members as f32).max(LEAST).ln()
            }));
        }
        from_rows(means, MapShape::new(self.classes, 1, 1), images, pass.operators, x.device())
    }
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;
    use crate::nn::{Activation, Dense, ParamStore, Turned, batch};

    #[test]
    fn the_answer_is_the_mean_of_the_members_probabilities_over_all_poses() {
        let input = MapShape::new(1, 2, 2);
        let member = || Network::new(input).then("L", Dense { outputs: 3, activation: Activation::Identity }).unwrap();
        let both = || vec![("a".to_owned(), member()), ("b".to_owned(), member())];
        let mean = MeanOfMembers { members: 2, classes: 3 };
        let network = Network::new(input)
            .then("Poses", Turned { degrees: vec![0.0, 90.0] })
            .and_then(|network| network.then("Members", Members::new(both(), 2)?))
            .and_then(|network| network.then("Mean", mean))
            .unwrap();
        let names: Vec<&str> = network.params().iter().map(|spec| spec.name.as_str()).collect();
        assert_eq!(names, ["Members.a.L.weight", "Members.a.L.bias", "Members.b.L.weight", "Members.b.L.bias"]);
        let params = ParamStore::initialise(&network, 3, &Device::Cpu).unwrap().tensors();

        let images: [[u8; 4]; 3] = [[0, 90, 200, 255], [255, 0, 0, 7], [1, 2, 3, 4]];
        let turned = images.map(|[a, b, c, d]| [c, a, d, b]);
        let value_of: [f32; 256] = std::array::from_fn(|byte| byte as f32 / 255.0);
        for operators in [Operators::Lanes(Lanes::Images), Operators::Lanes(Lanes::Channels), Operators::Stock] {
            let ask = |network: &Network, params: &[Tensor], images: [[u8; 4]; 3]| {
                let pixels = images.iter().map(<[u8; 4]>::as_slice);
                let x = batch(pixels, input, &value_of, operators, &Device::Cpu).unwrap();
                let scores = network.forward(&x, params, &mut Pass::evaluate(operators)).unwrap();
                rows(&scores, network.output(), 3, operators).unwrap()
            };
            let mut expected = [0.0; 9];
            for images in [images, turned] {
                for own in params.chunks_exact(2) {
                    let scores = ask(&member(), own, images);
                    for (scores, to) in scores.chunks_exact(3).zip(expected.chunks_exact_mut(3)) {
                        add_softmax(scores, 0.25, to);
                    }
                }
            }
            assert!(expected.chunks_exact(3).all(|image| (image.iter().sum::<f32>() - 1.0).abs() < 1e-5));
            for (together, expected) in ask(&network, &params, images).iter().zip(&expected) {
                assert!((together.exp() - expected).abs() < 1e-5, "{operators:?}: {together}, expected {expected}");
            }
        }
        assert!(Members::new(Vec::new(), 1).is_err() && Members::new(both(), 0).is_err());
        assert!(Network::new(input).then("Members", Members::new(both(), 2).unwrap()).is_err(), "a map for every pose");
    }
}
