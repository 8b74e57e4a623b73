//! Every layer against finite differences, and our kernels against Candle's operators where those are right.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

mod networks_1998;

use candle_core::{Device, Tensor, Var};
use digitpad::nn::random::{Purpose, stream};
use digitpad::nn::{
    Activation, BatchNorm, Conv2d, Dense, Dropout, Lanes, MapShape, Network, Operators, Pad2d, ParamStore, Pass,
    Pool2d, Rbf, Residual, SparseConv2d, Subsample2d, batch, rows,
};
use rand::Rng;

const TANH: Activation = Activation::Tanh;
const SCALED: Activation = Activation::ScaledTanh;
const RELU: Activation = Activation::Relu;
const SIGMOID: Activation = Activation::Sigmoid;
const NONE: Activation = Activation::Identity;

const EVERY_WAY: [Operators; 3] =
    [Operators::Lanes(Lanes::Images), Operators::Lanes(Lanes::Channels), Operators::Stock];

/// Small networks that meet every layer, odd sizes, every remainder of the register tiles, padding and stacking.
fn networks() -> Vec<(&'static str, Network)> {
    let conv =
        |out_channels, kernel, padding, activation| Conv2d { out_channels, kernel, padding, bias: true, activation };
    let dense = |outputs, activation| Dense { outputs, activation };
    let subsample = |size, activation| Subsample2d { size, activation };
    let input = MapShape::new(1, 8, 8);
    let new = || Network::new(input);
    let mut networks = vec![
        ("dense", new().then("D", dense(10, NONE)).unwrap()),
        ("two dense layers, tanh", new().then("D", dense(13, TANH)).unwrap().then("E", dense(10, NONE)).unwrap()),
        ("two dense layers, sigmoid", new().then("D", dense(13, SIGMOID)).unwrap().then("E", dense(10, NONE)).unwrap()),
        ("dense, ReLU", new().then("D", dense(17, RELU)).unwrap().then("E", dense(10, NONE)).unwrap()),
        ("3×3 convolution", new().then("C", conv(3, 3, 0, TANH)).unwrap().then("D", dense(10, NONE)).unwrap()),
        (
            "padded 5×5 after 3×3 convolution",
            new()
                .then("C", conv(7, 3, 1, TANH))
                .unwrap()
                .then("E", conv(5, 5, 2, RELU))
                .unwrap()
                .then("D", dense(10, NONE))
                .unwrap(),
        ),
        (
            "4×4 and 2×2 convolutions",
            new()
                .then("C", conv(4, 4, 1, TANH))
                .unwrap()
                .then("E", conv(9, 2, 1, TANH))
                .unwrap()
                .then("D", dense(10, NONE))
                .unwrap(),
        ),
        (
            "average pooling",
            new()
                .then("C", conv(6, 5, 2, TANH))
                .unwrap()
                .then("S", Pool2d::average(2))
                .unwrap()
                .then("E", conv(4, 3, 0, TANH))
                .unwrap()
                .then("D", dense(10, NONE))
                .unwrap(),
        ),
        (
            "max pooling",
            new()
                .then("C", conv(6, 5, 2, TANH))
                .unwrap()
                .then("S", Pool2d::max(4))
                .unwrap()
                .then("E", conv(4, 1, 0, TANH))
                .unwrap()
                .then("D", dense(10, NONE))
                .unwrap(),
        ),
        (
            "subsampling, scaled tanh",
            new()
                .then("C", conv(6, 5, 2, SCALED))
                .unwrap()
                .then("S", subsample(2, SCALED))
                .unwrap()
                .then("E", conv(4, 3, 0, TANH))
                .unwrap()
                .then("D", dense(13, SCALED))
                .unwrap()
                .then("F", dense(10, NONE))
                .unwrap(),
        ),
        (
            "subsampling of more channels than lanes, no activation",
            new()
                .then("C", conv(11, 3, 0, TANH))
                .unwrap()
                .then("S", subsample(3, NONE))
                .unwrap()
                .then("D", dense(10, NONE))
                .unwrap(),
        ),
        (
            "subsampling of the images themselves, tanh",
            new().then("S", subsample(4, TANH)).unwrap().then("D", dense(10, NONE)).unwrap(),
        ),
        (
            "dropout",
            new()
                .then("D", dense(16, TANH))
                .unwrap()
                .then("X", Dropout { rate: 0.3 })
                .unwrap()
                .then("E", dense(10, NONE))
                .unwrap(),
        ),
    ];
    networks.extend(networks_1998::networks());
    networks.extend(normalised());
    networks
}

/// Batch normalisation after a convolution without bias and after a dense layer, pooled and not; skip connections.
fn normalised() -> Vec<(&'static str, Network)> {
    let conv =
        |out_channels, kernel| Conv2d { out_channels, kernel, padding: kernel / 2, bias: false, activation: NONE };
    let norm = |activation| BatchNorm { activation };
    let dense = |outputs, activation| Dense { outputs, activation };
    let input = MapShape::new(1, 8, 8);
    let new = || Network::new(input);
    let block = |input: MapShape, out, shortcut| {
        let body = Network::new(input).then("C", conv(out, 3)).unwrap().then("N", norm(TANH)).unwrap();
        let body = body.then("D", conv(out, 1)).unwrap().then("M", norm(NONE)).unwrap();
        Residual::new(body, shortcut, TANH).unwrap()
    };
    let (few, many) = (MapShape::new(5, 4, 4), MapShape::new(9, 4, 4));
    vec![
        (
            "batch normalisation, tanh",
            new()
                .then("C", conv(7, 3))
                .unwrap()
                .then("N", norm(TANH))
                .unwrap()
                .then("E", conv(9, 3))
                .unwrap()
                .then("M", norm(SCALED))
                .unwrap()
                .then("D", dense(10, NONE))
                .unwrap(),
        ),
        (
            "batch normalisation, ReLU, max pooling",
            new()
                .then("C", conv(9, 5))
                .unwrap()
                .then("N", norm(RELU))
                .unwrap()
                .then("S", Pool2d::max(2))
                .unwrap()
                .then("D", dense(10, NONE))
                .unwrap(),
        ),
        (
            "batch normalisation of the images and of a dense layer",
            new()
                .then("N", norm(TANH))
                .unwrap()
                .then("D", dense(13, TANH))
                .unwrap()
                .then("M", norm(NONE))
                .unwrap()
                .then("E", dense(10, NONE))
                .unwrap(),
        ),
        (
            "skip connections",
            new()
                .then("C", conv(5, 3))
                .unwrap()
                .then("N", norm(TANH))
                .unwrap()
                .then("S", Pool2d::average(2))
                .unwrap()
                .then("R", block(few, 5, Network::new(few)))
                .unwrap()
                .then("T", block(few, 9, Network::new(few).then("C", conv(9, 1)).unwrap()))
                .unwrap()
                .then("U", block(many, 9, Network::new(many)))
                .unwrap()
                .then("A", Pool2d::average(4))
                .unwrap()
                .then("D", dense(10, NONE))
                .unwrap(),
        ),
    ]
}

struct Case {
    images: Vec<Vec<u8>>,
    labels: Vec<u8>,
    value_of: [f32; 256],
}

/// Fresh parameters. Biases and coefficients begin alike, which would hide one that is mistaken for another's, so each is
/// moved a little.
fn parameters(network: &Network, seed: u64) -> ParamStore {
    let store = ParamStore::initialise(network, seed, &Device::Cpu).unwrap();
    let mut rng = stream(seed, Purpose::Shuffle, 2, 0);
    for var in store.vars().iter().filter(|var| var.dims().len() == 1) {
        let moved: Vec<f32> = values(var.as_tensor()).iter().map(|x| x + rng.random_range(-0.1..0.1)).collect();
        var.set(&Tensor::from_vec(moved, var.shape(), &Device::Cpu).unwrap()).unwrap();
    }
    store
}

/// Eleven images, so that one block is full and one is not.
fn case(seed: u64) -> Case {
    let mut rng = stream(seed, Purpose::Shuffle, 0, 0);
    Case {
        images: (0..11).map(|_| (0..64).map(|_| rng.random()).collect()).collect(),
        labels: (0..11).map(|i| (i * 7 % 10) as u8).collect(),
        value_of: std::array::from_fn(|byte| byte as f32 / 128.0 - 1.0),
    }
}

/// For the eleven images of a case.
fn training_pass(operators: Operators) -> Pass {
    Pass::train(operators, 11, stream(5, Purpose::Dropout, 0, 0))
}

fn loss_of(name: &str, network: &Network, params: &[Tensor], case: &Case, pass: &mut Pass) -> Tensor {
    let images = case.images.iter().map(Vec::as_slice);
    let operators = pass.operators;
    let x = batch(images, network.input(), &case.value_of, operators, &Device::Cpu).unwrap();
    let scores = network.forward(&x, params, pass).unwrap();
    digitpad::nn::loss(networks_1998::objective(name), &scores, 10, &case.labels, case.labels.len(), operators).unwrap()
}

fn loss(name: &str, network: &Network, params: &[Tensor], case: &Case, operators: Operators) -> Tensor {
    loss_of(name, network, params, case, &mut training_pass(operators))
}

fn value(loss: &Tensor) -> f64 {
    f64::from(loss.to_scalar::<f32>().unwrap())
}

fn values(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

#[test]
fn gradients_of_every_layer_agree_with_finite_differences() {
    let case = case(1);
    for (name, network) in networks() {
        let store = parameters(&network, 3);
        let params = store.tensors();
        for operators in EVERY_WAY {
            let gradients = loss(name, &network, &params, &case, operators).backward().unwrap();
            for (index, var) in store.learning() {
                let spec = &network.params()[index];
                let gradient = values(gradients.get(var.as_tensor()).unwrap());
                let at = values(var.as_tensor());
                let length = gradient.iter().map(|g| f64::from(*g).powi(2)).sum::<f64>().sqrt();
                assert!(length > 1e-6, "{name}: {} has no gradient", spec.name);
                // along the gradient an error in any entry that is there shows; along a random direction, one that is not
                let mut rng = stream(9, Purpose::Shuffle, 1, 0);
                let random: Vec<f32> = gradient.iter().map(|_| rng.random_range(-1.0..1.0)).collect();
                for direction in [&gradient, &random] {
                    let norm = direction.iter().map(|d| f64::from(*d).powi(2)).sum::<f64>().sqrt();
                    let expected =
                        gradient.iter().zip(direction).map(|(g, d)| f64::from(*g) * f64::from(*d)).sum::<f64>() / norm;
                    let distance = 2e-3;
                    let moved = |sign: f64| {
                        let step = |(x, d): (&f32, &f32)| x + (sign * distance * f64::from(*d) / norm) as f32;
                        let moved: Vec<f32> = at.iter().zip(direction).map(step).collect();
                        var.set(&Tensor::from_vec(moved, var.shape(), &Device::Cpu).unwrap()).unwrap();
                        value(&loss(name, &network, &params, &case, operators))
                    };
                    let slope = (moved(1.0) - moved(-1.0)) / (2.0 * distance);
                    var.set(&Tensor::from_vec(at.clone(), var.shape(), &Device::Cpu).unwrap()).unwrap();
                    // a ReLU that changes sides, or a window whose maximum changes, bends the line a little
                    let bends = name.contains("ReLU") || name.contains("max") || name.contains("padded");
                    let tolerance = if bends { 0.03 } else { 0.005 };
                    assert!(
                        (slope - expected).abs() < tolerance * length + 1e-4,
                        "{name}, {operators:?}: {} has slope {slope}, its gradient says {expected}",
                        spec.name
                    );
                }
            }
        }
    }
}

#[test]
fn our_kernels_agree_with_candles_operators() {
    let case = case(2);
    for (name, network) in networks() {
        let store = parameters(&network, 4);
        let params = store.tensors();
        let [ours, channels, stock] = EVERY_WAY.map(|operators| {
            let loss = loss(name, &network, &params, &case, operators);
            let gradients = loss.backward().unwrap();
            let gradients: Vec<Vec<f32>> =
                store.learning().map(|(_, var)| values(gradients.get(var.as_tensor()).unwrap())).collect();
            (value(&loss), gradients)
        });
        // tensors that the caller brings receive the same, whatever they held before
        let brought: Vec<Tensor> =
            params.iter().map(|param| Tensor::full(9f32, param.shape(), &Device::Cpu).unwrap()).collect();
        let mut pass = training_pass(Operators::Lanes(Lanes::Images));
        pass.gradients = Some(brought.clone());
        let left = loss_of(name, &network, &params, &case, &mut pass).backward().unwrap();
        for ((index, var), ours) in store.learning().zip(&ours.1) {
            assert!(left.get(var.as_tensor()).is_none(), "{name}: a gradient in two places");
            assert_eq!(&values(&brought[index]), ours, "{name}");
        }
        // dropout silences values in the order of the lanes, others with channels there than with images
        let compared = if name == "dropout" { vec![ours] } else { vec![ours, channels] };
        for ours in compared {
            assert!((ours.0 - stock.0).abs() < 1e-5, "{name}: loss {} against {}", ours.0, stock.0);
            let specs = store.learning().map(|(index, _)| &network.params()[index]);
            for ((spec, ours), stock) in specs.zip(&ours.1).zip(&stock.1) {
                let greatest = stock.iter().fold(0f32, |a, x| a.max(x.abs()));
                for (i, (a, b)) in ours.iter().zip(stock).enumerate() {
                    assert!((a - b).abs() < 2e-5 + 1e-4 * greatest, "{name}: {}[{i}] is {a}, stock {b}", spec.name);
                }
            }
        }
    }
}

#[test]
fn max_pooling_gives_the_whole_gradient_to_the_first_of_equal_values() {
    let network = Network::new(MapShape::new(1, 2, 2)).then("S", Pool2d::max(2)).unwrap();
    for (pixels, expected) in
        [([1f32, 2.0, 3.0, 4.0], 3), ([0.0; 4], 0), ([4.0, 4.0, 1.0, 0.0], 0), ([1.0, 5.0, 5.0, 5.0], 1)]
    {
        // one image in the first lane; the other lanes hold rising values, whose maximum is the last
        let lanes: Vec<f32> = (0..32).map(|i| if i % 8 == 0 { pixels[i / 8] } else { (i / 8) as f32 }).collect();
        let x = Var::from_tensor(&Tensor::from_vec(lanes, (1, 1, 2, 2, 8), &Device::Cpu).unwrap()).unwrap();
        let y = network.forward(x.as_tensor(), &[], &mut Pass::evaluate(Operators::Lanes(Lanes::Images))).unwrap();
        let gradient = values(y.sum_all().unwrap().backward().unwrap().get(x.as_tensor()).unwrap());
        for tap in 0..4 {
            assert_eq!(gradient[tap * 8], f32::from(u8::from(tap == expected)), "{pixels:?}, tap {tap}");
            assert_eq!(gradient[tap * 8 + 1], f32::from(u8::from(tap == 3)), "another lane, tap {tap}");
        }
        let x = Var::from_tensor(&Tensor::from_slice(&pixels, (1, 1, 2, 2), &Device::Cpu).unwrap()).unwrap();
        let y = network.forward(x.as_tensor(), &[], &mut Pass::evaluate(Operators::Stock)).unwrap();
        let gradient = values(y.sum_all().unwrap().backward().unwrap().get(x.as_tensor()).unwrap());
        assert_eq!(gradient.iter().sum::<f32>(), 1.0, "{pixels:?}: one gradient, whole");
        assert_eq!(gradient[expected], 1.0, "{pixels:?}: to the first of the greatest");
    }
}

#[test]
fn subsampling_adds_up_its_window() {
    let shape = MapShape::new(2, 2, 4);
    // windows of the first map sum to 10 and −10, those of the second to 100 and 0
    let pixels = [1f32, 2.0, -1.0, -2.0, 3.0, 4.0, -3.0, -4.0, 40.0, 30.0, 5.0, -5.0, 20.0, 10.0, -7.0, 7.0];
    let params = [[0.1f32, 0.02], [0.0, -1.0]].map(|values| Tensor::new(&values, &Device::Cpu).unwrap());
    // before the activation 1, −1, 1, −1; the scaled tanh leaves ±1 where they are, but for 3 parts in a million
    for (activation, one) in [(NONE, 1.0), (SCALED, 0.999_997_3)] {
        let network = Network::new(shape).then("S", Subsample2d { size: 2, activation }).unwrap();
        for operators in EVERY_WAY {
            let bytes: Vec<u8> = (0..16).collect();
            let value_of = std::array::from_fn(|byte| pixels[byte % 16]);
            let x = batch([bytes.as_slice()].into_iter(), shape, &value_of, operators, &Device::Cpu).unwrap();
            let y = network.forward(&x, &params, &mut Pass::evaluate(operators)).unwrap();
            let y = rows(&y, network.output(), 1, operators).unwrap();
            for (y, expected) in y.iter().zip([one, -one, one, -one]) {
                assert!((y - expected).abs() < 1e-6, "{operators:?}, {activation:?}: {y}, expected {expected}");
            }
        }
    }
}

#[test]
fn dropout_silences_its_share_and_rests_when_a_finished_network_is_asked() {
    let network = Network::new(MapShape::new(1, 64, 64)).then("X", Dropout { rate: 0.2 }).unwrap();
    let pixels = vec![vec![255u8; 4096]; 8];
    let x = batch(
        pixels.iter().map(Vec::as_slice),
        network.input(),
        &[1.0; 256],
        Operators::Lanes(Lanes::Images),
        &Device::Cpu,
    )
    .unwrap();
    let mut pass = Pass::train(Operators::Lanes(Lanes::Images), 8, stream(1, Purpose::Dropout, 0, 0));
    let y = rows(&network.forward(&x, &[], &mut pass).unwrap(), network.output(), 8, Operators::Lanes(Lanes::Images))
        .unwrap();
    let silent = y.iter().filter(|&&y| y == 0.0).count() as f64 / y.len() as f64;
    assert!((silent - 0.2).abs() < 0.01, "{silent} are silent");
    assert!(y.iter().all(|&y| y == 0.0 || (y - 1.25).abs() < 1e-6));
    let rest = network.forward(&x, &[], &mut Pass::evaluate(Operators::Lanes(Lanes::Images))).unwrap();
    assert!(rows(&rest, network.output(), 8, Operators::Lanes(Lanes::Images)).unwrap().iter().all(|&y| y == 1.0));
}

#[test]
fn layers_that_do_not_fit_are_refused() {
    let new = || Network::new(MapShape::new(1, 13, 13));
    assert!(new().then("S", Pool2d::average(2)).is_err(), "windows must tile the map");
    for size in [0, 2, 3] {
        assert!(
            new().then("S", Subsample2d { size, activation: NONE }).is_err(),
            "windows of {size} do not tile the map"
        );
    }
    assert!(new().then("C", Conv2d { out_channels: 1, kernel: 15, padding: 0, bias: true, activation: NONE }).is_err());
    assert!(new().then("C", Conv2d { out_channels: 1, kernel: 3, padding: 3, bias: true, activation: NONE }).is_err());
    assert!(new().then("X", Dropout { rate: 1.0 }).is_err());
    assert!(new().then("P", Pad2d { channels: 2, by: 1, value: 0.0 }).is_err(), "there is one map");
    let tables: [&[&[usize]]; 5] = [&[], &[&[0], &[]], &[&[1]], &[&[0, 0]], &[&[0, 1]]];
    for table in tables {
        assert!(new().then("S", SparseConv2d { table, kernel: 3, activation: NONE }).is_err(), "{table:?}");
    }
    assert!(new().then("R", Rbf::fixed(&[vec![1.0; 169]]).unwrap()).is_err(), "distances are those of one row");
    assert!(Rbf::fixed(&[vec![1.0], vec![]]).is_err());
}
