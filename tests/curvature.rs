//! Curvatures of every layer against their definition, by finite differences, and of whole networks.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

use candle_core::{Device, Result, Tensor, Var};
use digitpad::nn::random::{Purpose, stream};
use digitpad::nn::{
    Activation, Conv2d, Dense, Dropout, Evaluated, Lanes, Layer, LayerParams, Loss, MapShape, Network, Operators,
    Pad2d, ParamKind, ParamSpec, ParamStore, Pass, Pool2d, Rbf, SparseConv2d, Subsample2d, batch, loss, rows,
};
use rand::Rng;

const EVERY_WAY: [Operators; 3] =
    [Operators::Lanes(Lanes::Images), Operators::Lanes(Lanes::Channels), Operators::Stock];
const IMAGES: usize = 2;

/// Numbers of ±1 that follow a seed.
fn numbers(count: usize, seed: u64) -> Vec<f32> {
    let mut rng = stream(seed, Purpose::Shuffle, 0, 0);
    (0..count).map(|_| rng.random_range(-1.0..1.0)).collect()
}

/// A batch of these values, one row an image.
fn tensor(values: &[f32], shape: MapShape, operators: Operators) -> Tensor {
    assert!(values.len() <= 256, "every value has a byte of its own");
    let value_of: [f32; 256] = std::array::from_fn(|byte| values.get(byte).copied().unwrap_or(9.0));
    let bytes: Vec<u8> = (0..values.len()).map(|i| i as u8).collect();
    batch(bytes.chunks_exact(shape.size()), shape, &value_of, operators, &Device::Cpu).unwrap()
}

fn floats(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

/// The result of a layer alone, one row an image.
fn result(network: &Network, x: &[f32], params: &[Tensor]) -> Vec<f32> {
    let x = tensor(x, network.input(), Operators::Stock);
    let y = network.forward(&x, params, &mut Pass::evaluate(Operators::Stock)).unwrap();
    rows(&y, network.output(), IMAGES, Operators::Stock).unwrap()
}

fn layers() -> Vec<(&'static str, MapShape, Box<dyn Layer>)> {
    let activation = Activation::ScaledTanh;
    let table: &[&[usize]] = &[&[0, 1], &[1, 2], &[0, 1, 2], &[2]];
    let maps = MapShape::new(3, 4, 4);
    vec![
        ("convolution", maps, Box::new(Conv2d { out_channels: 2, kernel: 3, padding: 1, bias: true, activation })),
        ("sparse convolution", maps, Box::new(SparseConv2d { table, kernel: 3, activation })),
        ("subsampling", maps, Box::new(Subsample2d { size: 2, activation })),
        ("dense, tanh", maps, Box::new(Dense { outputs: 5, activation: Activation::Tanh })),
        ("dense, sigmoid", maps, Box::new(Dense { outputs: 5, activation: Activation::Sigmoid })),
        ("dense, ReLU", maps, Box::new(Dense { outputs: 5, activation: Activation::Relu })),
        ("dense", maps, Box::new(Dense { outputs: 5, activation: Activation::Identity })),
        ("average pooling", maps, Box::new(Pool2d::average(2))),
        ("max pooling", maps, Box::new(Pool2d::max(2))),
        ("frame", maps, Box::new(Pad2d { channels: 3, by: 1, value: -0.1 })),
        ("dropout", maps, Box::new(Dropout { rate: 0.5 })),
    ]
}

/// The layer once more, for a network of its own.
struct Alone(Box<dyn Layer>);

impl Layer for Alone {
    fn describe(&self) -> String {
        self.0.describe()
    }
    fn output(&self, input: MapShape) -> Result<MapShape> {
        self.0.output(input)
    }
    fn params(&self, input: MapShape) -> Vec<ParamSpec> {
        self.0.params(input)
    }
    fn forward(&self, x: &Tensor, params: LayerParams<'_>, pass: &mut Pass) -> Result<Tensor> {
        self.0.forward(x, params, pass)
    }
}

#[test]
fn curvatures_of_every_layer_are_sums_of_squared_derivatives() {
    for ((name, shape, layer), (_, _, same)) in layers().into_iter().zip(layers()) {
        let network = Network::new(shape).then("L", Alone(same)).unwrap();
        let x = numbers(IMAGES * shape.size(), 1);
        let params: Vec<Tensor> = network
            .params()
            .iter()
            .enumerate()
            .map(|(n, spec)| {
                let values = numbers(spec.shape.iter().product(), 10 + n as u64);
                Tensor::from_vec(values, spec.shape.clone(), &Device::Cpu).unwrap()
            })
            .collect();
        let y = result(&network, &x, &params);
        let of_result: Vec<f32> = numbers(y.len(), 2).iter().map(|t| t + 1.1).collect();
        // Σ t (∂y / ∂number)² over all results, from two results whose number lies 0.02 apart
        let squares = |[up, down]: [Vec<f32>; 2]| -> f32 {
            let slopes = up.iter().zip(&down).map(|(up, down)| (up - down) / 0.02);
            slopes.zip(&of_result).map(|(slope, t)| slope * slope * t).sum()
        };
        let moved = |values: &[f32], i: usize, by: f32| {
            let mut values = values.to_vec();
            values[i] += by;
            values
        };
        let of_x: Vec<f32> = (0..x.len())
            .map(|i| squares([0.01, -0.01].map(|by| result(&network, &moved(&x, i, by), &params))))
            .collect();
        let of_param = |n: usize| -> Vec<f32> {
            let values = floats(&params[n]);
            let changed = |i: usize, by: f32| {
                let mut params = params.clone();
                params[n] = Tensor::from_vec(moved(&values, i, by), params[n].shape(), &Device::Cpu).unwrap();
                result(&network, &x, &params)
            };
            (0..values.len()).map(|i| squares([0.01, -0.01].map(|by| changed(i, by)))).collect()
        };
        let of_params: Vec<Vec<f32>> = (0..params.len()).map(of_param).collect();
        for operators in EVERY_WAY {
            let (x, y) = (tensor(&x, shape, operators), tensor(&y, network.output(), operators));
            let of_result = tensor(&of_result, network.output(), operators);
            let at = Evaluated { x: &x, y: &y, params: &params, operators };
            let found = layer.curvature(at, &of_result).unwrap().expect("a curvature");
            let input = rows(&found.input, shape, IMAGES, operators).unwrap();
            agree(&input, &of_x, &format!("{name}, {operators:?}, input"));
            assert_eq!(found.params.len(), params.len(), "{name}");
            for (n, (found, expected)) in found.params.iter().zip(&of_params).enumerate() {
                assert_eq!(found.dims(), params[n].dims());
                agree(&floats(found), expected, &format!("{name}, {operators:?}, parameter {n}"));
            }
        }
    }
}

fn agree(found: &[f32], expected: &[f32], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let greatest = expected.iter().fold(0f32, |a, x| a.max(x.abs()));
    for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert!(*found >= 0.0, "{what}: [{i}] is {found}");
        assert!((found - expected).abs() < 2e-3 * greatest + 1e-6, "{what}: [{i}] is {found}, expected {expected}");
    }
}

/// Two dense layers and distances to three centres. No weight is shared and the centres lie behind one layer alone, so that
/// the diagonal that is handed down is all there is to the Gauss–Newton matrix.
fn small(head: impl Layer + 'static) -> Network {
    let dense = |outputs| Dense { outputs, activation: Activation::ScaledTanh };
    let network = Network::new(MapShape::new(2, 2, 3)).then("D", dense(6)).unwrap();
    network.then("E", dense(4)).unwrap().then("R", head).unwrap()
}

fn centres() -> Vec<Vec<f32>> {
    vec![vec![1.0, -1.0, 1.0, 1.0], vec![-1.0, -1.0, 1.0, -1.0], vec![1.0, 1.0, -1.0, -1.0]]
}

#[test]
fn curvatures_of_distances_are_those_of_least_squares() {
    let network = small(Rbf::trainable(&centres()).unwrap());
    let inside = Network::new(network.input());
    let dense = |outputs| Dense { outputs, activation: Activation::ScaledTanh };
    let inside = inside.then("D", dense(6)).unwrap().then("E", dense(4)).unwrap();
    let store = ParamStore::initialise(&network, 3, &Device::Cpu).unwrap();
    let params = store.tensors();
    let x = numbers(IMAGES * network.input().size(), 4);
    for (n, param) in params[..4].iter().enumerate() {
        let values = floats(param);
        let changed = |i: usize, by: f32| {
            let mut moved = values.clone();
            moved[i] += by;
            let mut params: Vec<Tensor> = params.iter().map(Tensor::detach).collect();
            params[n] = Tensor::from_vec(moved, params[n].shape(), &Device::Cpu).unwrap();
            result(&inside, &x, &params)
        };
        // E = FACTOR |x − centre|², so the matrix is 2 · FACTOR times the squares of what is measured from the centre
        let expected: Vec<f32> = (0..values.len())
            .map(|i| {
                let slopes = changed(i, 0.01).into_iter().zip(changed(i, -0.01)).map(|(up, down)| (up - down) / 0.02);
                2.0 * Loss::FACTOR * slopes.map(|slope| slope * slope).sum::<f32>() / IMAGES as f32
            })
            .collect();
        for operators in EVERY_WAY {
            let x = tensor(&x, network.input(), operators);
            for kind in [Loss::Distance, Loss::DistanceMap { j: 3.0 }] {
                let found = network.curvature(&x, &params, kind, IMAGES, operators).unwrap();
                assert_eq!(found.len(), 5);
                agree(&floats(&found[n]), &expected, &format!("{operators:?}, parameter {n}"));
                // every class has a third of the images
                agree(&floats(&found[4]), &[2.0 * Loss::FACTOR / 3.0; 12], "centres");
            }
        }
    }
}

#[test]
fn curvatures_of_cross_entropy_are_second_derivatives_of_the_last_layer() {
    let network = small(Dense { outputs: 3, activation: Activation::Identity });
    let store = ParamStore::initialise(&network, 3, &Device::Cpu).unwrap();
    let params = store.tensors();
    let x = numbers(IMAGES * network.input().size(), 4);
    for operators in EVERY_WAY {
        let x = tensor(&x, network.input(), operators);
        let found = network.curvature(&x, &params, Loss::CrossEntropy, IMAGES, operators).unwrap();
        for n in [4, 5] {
            let values = floats(&params[n]);
            let slope = |i: usize, by: f32| {
                let mut moved = values.clone();
                moved[i] += by;
                let var = Var::from_tensor(&Tensor::from_vec(moved, params[n].shape(), &Device::Cpu).unwrap()).unwrap();
                let mut params: Vec<Tensor> = params.iter().map(Tensor::detach).collect();
                params[n] = var.as_tensor().clone();
                let scores = network.forward(&x, &params, &mut Pass::evaluate(operators)).unwrap();
                let loss = loss(Loss::CrossEntropy, &scores, 3, &[0, 2], IMAGES, operators).unwrap();
                floats(loss.backward().unwrap().get(var.as_tensor()).unwrap())[i]
            };
            let expected: Vec<f32> = (0..values.len()).map(|i| (slope(i, 0.01) - slope(i, -0.01)) / 0.02).collect();
            agree(&floats(&found[n]), &expected, &format!("{operators:?}, parameter {n}"));
        }
        assert!(found.iter().all(|h| floats(h).iter().all(|h| *h >= 0.0)));
    }
}

/// A layer that nobody has worked out the curvature of.
struct Unknown;

impl Layer for Unknown {
    fn describe(&self) -> String {
        "unknown".to_owned()
    }
    fn output(&self, input: MapShape) -> Result<MapShape> {
        Ok(input)
    }
    fn params(&self, _: MapShape) -> Vec<ParamSpec> {
        Vec::new()
    }
    fn forward(&self, x: &Tensor, _: LayerParams<'_>, _: &mut Pass) -> Result<Tensor> {
        Ok(x.clone())
    }
}

#[test]
fn what_has_no_curvature_is_named_and_losses_fit_their_networks() {
    let operators = Operators::Stock;
    let network = small(Unknown);
    let store = ParamStore::initialise(&network, 3, &Device::Cpu).unwrap();
    let x = tensor(&numbers(IMAGES * 12, 4), network.input(), operators);
    let curvature = |network: &Network, kind| {
        let params = ParamStore::initialise(network, 3, &Device::Cpu).unwrap().tensors();
        network.curvature(&x, &params, kind, IMAGES, operators).map_err(|error| error.to_string())
    };
    assert!(curvature(&network, Loss::CrossEntropy).unwrap_err().starts_with("R, unknown: "));
    assert_eq!(store.vars().len(), 4);
    let nearest = small(Rbf::fixed(&centres()).unwrap());
    assert!(nearest.params().iter().all(|spec| spec.kind != ParamKind::Centre), "fixed centres are no parameters");
    assert!(curvature(&nearest, Loss::CrossEntropy).is_err() && curvature(&nearest, Loss::Distance).is_ok());
    let linear = small(Dense { outputs: 3, activation: Activation::Identity });
    assert!(curvature(&linear, Loss::Distance).is_err() && curvature(&linear, Loss::CrossEntropy).is_ok());
}
