//! Several networks that answer together.

use candle_core::{Result, Tensor, bail};

use super::layout::from_rows;
use super::network::{Layer, LayerParams, Network, Pass};
use super::params::ParamSpec;
use super::{LANES, Lanes, MapShape, Operators, rows};

/// Networks side by side, all asked about the same images: the probabilities (softmax of the scores) of member m are row m
/// of what leaves it, `[members, 1, classes]`. Parameters are those of the members one after the other: `cnn.Conv1.weight`.
///
/// It answers and does not learn: nothing flows back through it.
pub struct Members {
    members: Vec<(String, Network)>,
}

impl Members {
    /// Fails without members, or where they do not read the same images or give scores of as many classes.
    pub fn new(members: Vec<(String, Network)>) -> Result<Self> {
        let Some((_, first)) = members.first() else { bail!("nobody is asked: there are no members") };
        for (name, network) in &members {
            if network.input() != first.input() || network.output() != first.output() {
                bail!("{name} reads or gives other shapes than the first member");
            }
            if network.gives_distances() {
                bail!("{name} gives distances, which are no probabilities");
            }
        }
        Ok(Self { members })
    }

    fn classes(&self) -> usize {
        self.members[0].1.output().size()
    }
}

impl Layer for Members {
    fn describe(&self) -> String {
        format!("probabilities of {} networks", self.members.len())
    }

    fn members(&self) -> Vec<String> {
        self.members.iter().map(|(name, _)| name.clone()).collect()
    }

    fn has_curvature(&self) -> bool {
        false
    }

    fn output(&self, input: MapShape) -> Result<MapShape> {
        if input != self.members[0].1.input() {
            bail!("members made for {:?} cannot take {input:?}", self.members[0].1.input());
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
        let mut all = vec![0.0; images * self.members.len() * classes];
        let mut rest = params;
        // what is seen of members is their answer
        let record = pass.record.take();
        for (member, (_, network)) in self.members.iter().enumerate() {
            let (own, others) = rest.split_at(network.params().len());
            rest = others;
            let scores = network.run(x, own, pass)?;
            let scores = rows(&scores, network.output(), images, pass.operators)?;
            for (image, scores) in scores.chunks_exact(classes).enumerate() {
                let place = (image * self.members.len() + member) * classes;
                softmax(scores, &mut all[place..][..classes]);
            }
        }
        pass.record = record;
        let shape = MapShape::new(self.members.len(), 1, classes);
        from_rows(all, shape, images, pass.operators, x.device())
    }
}

fn softmax(scores: &[f32], out: &mut [f32]) {
    let greatest = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    for (out, score) in out.iter_mut().zip(scores) {
        *out = (score - greatest).exp();
    }
    let sum: f32 = out.iter().sum();
    out.iter_mut().for_each(|p| *p /= sum);
}

/// Images that a batch has room for, empty lanes among them.
fn images_of(x: &Tensor, operators: Operators) -> usize {
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
    use crate::nn::{Activation, Dense, ParamStore, batch};

    #[test]
    fn the_answer_is_the_mean_of_the_members_probabilities() {
        let input = MapShape::new(1, 2, 2);
        let member = || Network::new(input).then("L", Dense { outputs: 3, activation: Activation::Identity }).unwrap();
        let both = Members::new(vec![("a".to_owned(), member()), ("b".to_owned(), member())]).unwrap();
        let mean = MeanOfMembers { members: 2, classes: 3 };
        let network = Network::new(input).then("Members", both).unwrap().then("Mean", mean).unwrap();
        let names: Vec<&str> = network.params().iter().map(|spec| spec.name.as_str()).collect();
        assert_eq!(names, ["Members.a.L.weight", "Members.a.L.bias", "Members.b.L.weight", "Members.b.L.bias"]);
        let params = ParamStore::initialise(&network, 3, &Device::Cpu).unwrap().tensors();

        let images: [[u8; 4]; 3] = [[0, 90, 200, 255], [255, 0, 0, 7], [1, 2, 3, 4]];
        let value_of: [f32; 256] = std::array::from_fn(|byte| byte as f32 / 255.0);
        for operators in [Operators::Lanes(Lanes::Images), Operators::Lanes(Lanes::Channels), Operators::Stock] {
            let ask = |network: &Network, params: &[Tensor]| {
                let pixels = images.iter().map(<[u8; 4]>::as_slice);
                let x = batch(pixels, input, &value_of, operators, &Device::Cpu).unwrap();
                let scores = network.forward(&x, params, &mut Pass::evaluate(operators)).unwrap();
                rows(&scores, network.output(), 3, operators).unwrap()
            };
            let probabilities = |scores: Vec<f32>| {
                let mut all = vec![0.0; scores.len()];
                for (scores, all) in scores.chunks_exact(3).zip(all.chunks_exact_mut(3)) {
                    softmax(scores, all);
                }
                all
            };
            let [a, b] = [0, 2].map(|from| probabilities(ask(&member(), &params[from..from + 2])));
            for ((together, a), b) in ask(&network, &params).iter().zip(&a).zip(&b) {
                assert!((together.exp() - (a + b) / 2.0).abs() < 1e-6, "{operators:?}: {together}");
            }
        }
        assert!(Members::new(Vec::new()).is_err());
    }
}
