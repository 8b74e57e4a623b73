//! A network is a list of named layers; its parameters live elsewhere ([`super::ParamStore`], [`super::Weights`]).

use std::ops::Range;

use candle_core::{Result, Tensor};
use rand_chacha::ChaCha8Rng;

use super::layout::{MapShape, Operators};
use super::params::ParamSpec;

/// One step of a network. A layer knows its sizes; its parameters are handed to it.
pub trait Layer: Send + Sync {
    /// What it is, in a few words: "5×5 convolution, tanh".
    fn describe(&self) -> String;

    /// The shape that leaves it. Fails where the layer cannot take `input`.
    fn output(&self, input: MapShape) -> Result<MapShape>;

    /// Its parameters, in the order in which [`Layer::forward`] expects them; names without the layer's own.
    fn params(&self, input: MapShape) -> Vec<ParamSpec>;

    /// The activations of a batch. `x` and the result are laid out as `pass.operators` says.
    fn forward(&self, x: &Tensor, params: &[Tensor], pass: &mut Pass) -> Result<Tensor>;
}

/// How a batch goes through a network.
pub struct Pass {
    pub operators: Operators,
    /// Where dropout draws from while training; `None` when a finished network is asked.
    pub training: Option<ChaCha8Rng>,
    /// What every layer gave, in order, if somebody wants to see it.
    pub record: Option<Vec<Tensor>>,
}

impl Pass {
    /// A finished network is asked.
    pub fn evaluate(operators: Operators) -> Self {
        Self { operators, training: None, record: None }
    }

    /// As [`Pass::evaluate`], and the activations of every layer are kept.
    pub fn recording(operators: Operators) -> Self {
        Self { record: Some(Vec::new()), ..Self::evaluate(operators) }
    }

    /// A network learns; `stream` decides what dropout silences.
    pub fn train(operators: Operators, stream: ChaCha8Rng) -> Self {
        Self { training: Some(stream), ..Self::evaluate(operators) }
    }
}

/// A layer in its place.
pub struct Place {
    /// Unique in the network, as the paper names it where there is one: `C1`, `S2`, `F6`.
    pub name: String,
    pub layer: Box<dyn Layer>,
    pub output: MapShape,
    params: Range<usize>,
}

/// A chain of named layers from images to scores.
pub struct Network {
    input: MapShape,
    places: Vec<Place>,
    specs: Vec<ParamSpec>,
}

impl Network {
    /// A network without layers yet, for images of this shape.
    pub fn new(input: MapShape) -> Self {
        Self { input, places: Vec::new(), specs: Vec::new() }
    }

    /// Appends a layer. Fails where it does not fit what comes before.
    pub fn then(mut self, name: &str, layer: impl Layer + 'static) -> Result<Self> {
        let input = self.output();
        let output = layer.output(input)?;
        let first = self.specs.len();
        self.specs.extend(
            layer.params(input).into_iter().map(|spec| ParamSpec { name: format!("{name}.{}", spec.name), ..spec }),
        );
        let params = first..self.specs.len();
        self.places.push(Place { name: name.to_owned(), layer: Box::new(layer), output, params });
        Ok(self)
    }

    pub fn input(&self) -> MapShape {
        self.input
    }

    /// The shape of the last layer's activations: the scores.
    pub fn output(&self) -> MapShape {
        self.places.last().map_or(self.input, |place| place.output)
    }

    pub fn layers(&self) -> &[Place] {
        &self.places
    }

    pub fn params(&self) -> &[ParamSpec] {
        &self.specs
    }

    /// Numbers that training changes.
    pub fn parameter_count(&self) -> usize {
        self.specs.iter().map(|spec| spec.shape.iter().product::<usize>()).sum()
    }

    /// The scores of a batch; `params` in the order of [`Network::params`].
    pub fn forward(&self, x: &Tensor, params: &[Tensor], pass: &mut Pass) -> Result<Tensor> {
        let mut x = x.clone();
        for place in &self.places {
            x = place.layer.forward(&x, &params[place.params.clone()], pass)?;
            if let Some(record) = &mut pass.record {
                record.push(x.detach());
            }
        }
        Ok(x)
    }
}
