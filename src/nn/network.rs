//! A network is a list of named layers; its parameters live elsewhere ([`super::ParamStore`], [`super::Weights`]).

use std::iter::Peekable;
use std::ops::Range;
use std::slice::Iter;

use candle_core::{Result, Tensor, bail};
use rand_chacha::ChaCha8Rng;

use super::conv::Conv2d;
use super::cpu::operators::WeightGradients;
use super::curvature::{Curvature, Evaluated};
use super::keep_pixels::KeepPixels;
use super::layout::{MapShape, Operators};
use super::params::{ParamKind, ParamSpec};
use super::pooling::Pool2d;

/// One step of a network. A layer knows its sizes; its parameters are handed to it.
pub trait Layer: Send + Sync {
    /// What it is, in a few words: "5×5 convolution, tanh".
    fn describe(&self) -> String;

    /// The shape that leaves it. Fails where the layer cannot take `input`.
    fn output(&self, input: MapShape) -> Result<MapShape>;

    /// Its parameters, in the order in which [`Layer::forward`] expects them; names without the layer's own.
    fn params(&self, input: MapShape) -> Vec<ParamSpec>;

    /// The activations of a batch. `x` and the result are laid out as `pass.operators` says.
    fn forward(&self, x: &Tensor, params: LayerParams<'_>, pass: &mut Pass) -> Result<Tensor>;

    /// The curvature at its input and of its parameters, from that at its result; `None` where nobody has worked it out.
    fn curvature(&self, _: Evaluated<'_>, _of_result: &Tensor) -> Result<Option<Curvature>> {
        Ok(None)
    }

    /// Whether [`Layer::curvature`] is worked out.
    fn has_curvature(&self) -> bool {
        true
    }

    /// Whether its results are rectified: a unit of it that is 0 for every image learns no more.
    fn is_rectified(&self) -> bool {
        false
    }

    /// Whether its results are negative squared distances.
    fn gives_distances(&self) -> bool {
        false
    }

    /// What its distances lead to, `[classes · features]` class by class, if it gives distances. `params` are its own values.
    fn centres(&self, _params: &[Tensor]) -> Result<Option<Vec<f32>>> {
        Ok(None)
    }

    /// Who gives which of its maps, where they have names.
    fn members(&self) -> Vec<String> {
        Vec::new()
    }

    /// The pooling that this layer is, if it is one.
    fn pooling(&self) -> Option<Pool2d> {
        None
    }

    /// The choice of pixels that this layer is, if it is one.
    fn keep_pixels(&self) -> Option<KeepPixels> {
        None
    }

    /// As [`Layer::forward`] with `pool` after it, in one operator; `None` where there is no such operator.
    fn forward_pooled(&self, _: &Tensor, _: LayerParams<'_>, _: Pool2d, _: &mut Pass) -> Result<Option<Tensor>> {
        Ok(None)
    }

    /// The same layer with this rate, if it is a dropout.
    fn with_dropout(&self, _rate: f32) -> Option<Box<dyn Layer>> {
        None
    }

    /// The convolution that this layer is, if it is one without an activation.
    fn linear_convolution(&self) -> Option<Conv2d> {
        None
    }

    /// `convolution` and this layer after it in a finished network, as one convolution with its weight and bias; `None`
    /// where this layer does more than to scale and shift its maps. `before` and `own` are the parameters of the two.
    fn folded(
        &self,
        _convolution: Conv2d,
        _before: &[Tensor],
        _own: &[Tensor],
    ) -> Result<Option<(Conv2d, [Tensor; 2])>> {
        Ok(None)
    }
}

/// The parameters of one layer, in its own order.
#[derive(Clone, Copy)]
pub struct LayerParams<'a> {
    pub values: &'a [Tensor],
    /// The index of the first of them in the network.
    pub first: usize,
    /// Tensors like the values that our kernels overwrite with the gradients, if somebody brought them; else the gradients
    /// go into Candle's store.
    pub gradients: Option<&'a [Tensor]>,
}

impl<'a> LayerParams<'a> {
    /// Of a layer that is asked by itself, without a network.
    pub(super) fn alone(values: &'a [Tensor]) -> Self {
        Self { values, first: 0, gradients: None }
    }

    /// Weights, bias, and where their gradients go. Fails for a layer of other parameters.
    pub(super) fn weight_and_bias(&self) -> Result<(&Tensor, &Tensor, WeightGradients)> {
        let [weight, bias] = self.values else {
            bail!("expected weight and bias, got {} parameters", self.values.len())
        };
        let gradients = match self.gradients {
            Some([weight, bias]) => Some([weight.clone(), bias.clone()]),
            _ => None,
        };
        Ok((weight, bias, gradients))
    }

    /// The first `count` of them, and the others.
    pub(super) fn split_at(&self, count: usize) -> (Self, Self) {
        let (values, others) = self.values.split_at(count);
        let gradients = self.gradients.map(|all| all.split_at(count));
        (
            Self { values, first: self.first, gradients: gradients.map(|(all, _)| all) },
            Self { values: others, first: self.first + count, gradients: gradients.map(|(_, others)| others) },
        )
    }

    /// Those of a layer among these.
    fn of(&self, place: &Place) -> Self {
        let own = place.params.clone();
        Self {
            values: &self.values[own.clone()],
            first: self.first + own.start,
            gradients: self.gradients.map(|all| &all[own]),
        }
    }
}

/// What a learning pass knows beside its tensors.
pub struct Learning {
    /// Images of the batch: lanes beyond them are empty.
    pub images: usize,
    /// Where dropout draws from.
    pub stream: ChaCha8Rng,
}

/// How a batch goes through a network.
pub struct Pass {
    pub operators: Operators,
    /// `None` when a finished network is asked.
    pub training: Option<Learning>,
    /// What every layer gave, in order, if somebody wants to see it.
    pub record: Option<Vec<Tensor>>,
    /// Tensors like all parameters that our kernels overwrite with their gradients, where the caller brings some.
    pub gradients: Option<Vec<Tensor>>,
    /// What the layers of a learning network saw of their statistics ([`ParamKind::Statistic`]), in the order of the
    /// parameters: the index of each, and a tensor like it.
    pub observed: Vec<(usize, Tensor)>,
    /// So many layers from the first on are frozen: while the others learn, they answer as those of a finished network
    /// (no dropout, running statistics that stay as they are), and no gradient is worked out for them.
    pub frozen: usize,
}

impl Pass {
    /// A finished network is asked.
    pub fn evaluate(operators: Operators) -> Self {
        Self { operators, training: None, record: None, gradients: None, observed: Vec::new(), frozen: 0 }
    }

    /// As [`Pass::evaluate`], and the activations of every layer are kept.
    pub fn recording(operators: Operators) -> Self {
        Self { record: Some(Vec::new()), ..Self::evaluate(operators) }
    }

    /// A network learns from so many images; `stream` decides what dropout silences.
    pub fn train(operators: Operators, images: usize, stream: ChaCha8Rng) -> Self {
        Self { training: Some(Learning { images, stream }), ..Self::evaluate(operators) }
    }
}

/// A layer in its place.
pub struct Place {
    /// Unique in the network, as the paper names it where there is one: `C1`, `S2`, `F6`.
    pub name: String,
    pub layer: Box<dyn Layer>,
    pub output: MapShape,
    pub(super) params: Range<usize>,
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

    /// Gives every dropout layer this rate, 0 for none. False where there is no such layer.
    pub fn set_dropout(&mut self, rate: f32) -> bool {
        let mut found = false;
        for place in &mut self.places {
            if let Some(layer) = place.layer.with_dropout(rate) {
                (place.layer, found) = (layer, true);
            }
        }
        found
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

    /// Whether the scores are negative squared distances.
    pub fn gives_distances(&self) -> bool {
        self.places.last().is_some_and(|place| place.layer.gives_distances())
    }

    /// What the distances of the last layer lead to, `[classes · features]` class by class, if it gives distances. `params` in
    /// the order of [`Network::params`].
    pub fn centres(&self, params: &[Tensor]) -> Result<Option<Vec<f32>>> {
        self.places.last().map_or(Ok(None), |place| place.layer.centres(&params[place.params.clone()]))
    }

    /// The first layer, if it chooses pixels, with the index of the parameter that holds its choice.
    pub fn keep_pixels(&self) -> Option<(usize, KeepPixels)> {
        let place = self.places.first()?;
        Some((place.params.start, place.layer.keep_pixels()?))
    }

    pub fn params(&self) -> &[ParamSpec] {
        &self.specs
    }

    /// The first layer whose curvature nobody has worked out, if there is one.
    pub fn without_curvature(&self) -> Option<&Place> {
        self.places.iter().find(|place| !place.layer.has_curvature())
    }

    /// Whether what distances are measured from learns too.
    pub fn learns_centres(&self) -> bool {
        self.specs.iter().any(|spec| spec.kind == ParamKind::Centre)
    }

    /// Parameters of the first `layers` layers.
    pub fn params_up_to(&self, layers: usize) -> usize {
        self.places[..layers].last().map_or(0, |place| place.params.end)
    }

    /// How many layers there are up to the one of that name, itself included. Fails, naming all, where none is called so.
    pub fn layers_up_to(&self, name: &str) -> Result<usize> {
        let Some(number) = self.places.iter().position(|place| place.name == name) else {
            let known: Vec<&str> = self.places.iter().map(|place| place.name.as_str()).collect();
            bail!("there is no layer \"{name}\"; the layers are {}", known.join(", "));
        };
        Ok(number + 1)
    }

    /// Numbers that training changes.
    pub fn parameter_count(&self) -> usize {
        let learnt = self.specs.iter().filter(|spec| spec.kind != ParamKind::Statistic);
        learnt.map(|spec| spec.shape.iter().product::<usize>()).sum()
    }

    /// Multiplications of one image's forward pass.
    pub fn multiplications(&self) -> usize {
        let count = |place: &Place| {
            let specs = &self.specs[place.params.clone()];
            // what multiplies does so once for every pixel of a map that leaves the layer
            let factors = specs.iter().filter(|spec| !matches!(spec.kind, ParamKind::Bias | ParamKind::Statistic));
            let pixels = place.output.height * place.output.width;
            factors.map(|spec| spec.shape.iter().product::<usize>()).sum::<usize>() * pixels
        };
        self.places.iter().map(count).sum()
    }

    /// The scores of a batch; `params` in the order of [`Network::params`].
    pub fn forward(&self, x: &Tensor, params: &[Tensor], pass: &mut Pass) -> Result<Tensor> {
        let gradients = pass.gradients.take();
        self.run(x, LayerParams { values: params, first: 0, gradients: gradients.as_deref() }, pass)
    }

    /// What the layer of that number, counted from 0, gives for a batch: the layers after it are not asked.
    pub fn activations(&self, layer: usize, x: &Tensor, params: &[Tensor], pass: &mut Pass) -> Result<Tensor> {
        let Some(places) = self.places.get(..=layer) else {
            bail!("there are {} layers, asked for number {layer}", self.places.len());
        };
        run_through(places, x, LayerParams::alone(params), pass)
    }

    /// As [`Network::forward`], for a network that may be part of another one.
    pub(super) fn run(&self, x: &Tensor, params: LayerParams<'_>, pass: &mut Pass) -> Result<Tensor> {
        run_through(&self.places, x, params, pass)
    }
}

/// One layer after the other, some of them as one operator where nobody wants to see them one by one.
fn run_through(all: &[Place], x: &Tensor, params: LayerParams<'_>, pass: &mut Pass) -> Result<Tensor> {
    // networks inside a layer have layers of their own
    let frozen = std::mem::take(&mut pass.frozen);
    let mut waiting = if frozen > 0 { pass.training.take() } else { None };
    let mut x = x.clone();
    let mut places = all.iter().peekable();
    while let Some(place) = places.next() {
        let next_number = all.len() - places.len();
        if next_number > frozen && waiting.is_some() {
            pass.training = waiting.take();
            x = x.detach();
        }
        let own = params.of(place);
        // who wants to see every layer's activations gets them one by one
        if pass.record.is_some() {
            x = place.layer.forward(&x, own, pass)?;
            if let Some(record) = &mut pass.record {
                record.push(x.detach());
            }
            continue;
        }
        let both_finished = pass.training.is_none() && (waiting.is_none() || next_number < frozen);
        if both_finished
            && let Some(convolution) = place.layer.linear_convolution()
            && let Some(next) = places.peek()
            && let Some((folded, values)) = next.layer.folded(convolution, own.values, params.of(next).values)?
        {
            places.next();
            x = then_pooled(&folded, &x, LayerParams::alone(&values), &mut places, pass)?;
        } else {
            x = then_pooled(&*place.layer, &x, own, &mut places, pass)?;
        }
    }
    Ok(x)
}

/// The activations of a layer, and of the next one too where that is a pooling and both make one operator.
fn then_pooled(
    layer: &dyn Layer,
    x: &Tensor,
    params: LayerParams<'_>,
    next: &mut Peekable<Iter<'_, Place>>,
    pass: &mut Pass,
) -> Result<Tensor> {
    if let Some(pool) = next.peek().and_then(|next| next.layer.pooling())
        && let Some(pooled) = layer.forward_pooled(x, params, pool, pass)?
    {
        next.next();
        return Ok(pooled);
    }
    layer.forward(x, params, pass)
}
