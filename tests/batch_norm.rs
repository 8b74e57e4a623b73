//! Batch normalisation: which images count, what a single value does, and what a finished network takes; skip connections.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

use candle_core::{Device, Tensor};
use digitpad::nn::random::{Purpose, stream};
use digitpad::nn::{
    Activation, BatchNorm, Conv2d, Dense, Lanes, MapShape, Network, Observed, Operators, ParamStore, Pass, Pool2d,
    Residual, batch, rows,
};
use rand::Rng;

const EVERY_WAY: [Operators; 3] =
    [Operators::Lanes(Lanes::Images), Operators::Lanes(Lanes::Channels), Operators::Stock];
const NONE: Activation = Activation::Identity;
const RELU: Activation = Activation::Relu;

/// Images of bytes that differ from channel to channel.
fn images(count: usize, shape: MapShape) -> Vec<Vec<u8>> {
    let mut rng = stream(1, Purpose::Shuffle, 0, 0);
    let pixels = shape.height * shape.width;
    let byte = |i: usize, rng: &mut rand_chacha::ChaCha8Rng| rng.random_range(0..100) + 15 * (i / pixels) as u8;
    (0..count).map(|_| (0..shape.size()).map(|i| byte(i, &mut rng)).collect()).collect()
}

fn tensor(images: &[Vec<u8>], shape: MapShape, operators: Operators) -> Tensor {
    let value_of = std::array::from_fn(|byte| byte as f32 / 50.0 + 7.0);
    batch(images.iter().map(Vec::as_slice), shape, &value_of, operators, &Device::Cpu).unwrap()
}

fn learning(operators: Operators, images: usize) -> Pass {
    Pass::train(operators, images, stream(1, Purpose::Dropout, 0, 0))
}

fn values(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

fn near(a: &[f32], b: &[f32], tolerance: f32, what: &str) {
    assert_eq!(a.len(), b.len(), "{what}");
    for (i, (a, b)) in a.iter().zip(b).enumerate() {
        assert!((a - b).abs() <= tolerance, "{what}: number {i} is {a}, expected {b}");
    }
}

/// Mean and biased variance of every channel.
fn statistics(rows: &[f32], shape: MapShape) -> (Vec<f32>, Vec<f32>) {
    let pixels = shape.height * shape.width;
    let of = |channel: usize| -> Vec<f64> {
        let maps = rows.chunks_exact(pixels).skip(channel).step_by(shape.channels);
        maps.flatten().map(|x| f64::from(*x)).collect()
    };
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    (0..shape.channels)
        .map(|channel| {
            let values = of(channel);
            let centre = mean(&values);
            let squares: Vec<f64> = values.iter().map(|x| (x - centre).powi(2)).collect();
            (centre as f32, mean(&squares) as f32)
        })
        .unzip()
}

#[test]
fn a_learning_batch_is_normalised_by_its_own_images_and_no_empty_lane() {
    let shape = MapShape::new(3, 5, 4);
    let network = Network::new(shape).then("N", BatchNorm { activation: NONE }).unwrap();
    let store = ParamStore::initialise(&network, 1, &Device::Cpu).unwrap();
    for count in [1, 2, 8, 11] {
        for operators in EVERY_WAY {
            let what = format!("{count} images, {operators:?}");
            let images = images(count, shape);
            let x = tensor(&images, shape, operators);
            let mut pass = learning(operators, count);
            let y = network.forward(&x, &store.tensors(), &mut pass).unwrap();
            let y = rows(&y, shape, count, operators).unwrap();
            let (mean, variance) = statistics(&y, shape);
            near(&mean, &[0.0; 3], 1e-5, &what);
            near(&variance, &[1.0; 3], 1e-3, &what);
            // what was seen: the mean and the unbiased variance of what came in
            let (mean, variance) = statistics(&rows(&x, shape, count, operators).unwrap(), shape);
            let n = (count * 20) as f32;
            let unbiased: Vec<f32> = variance.iter().map(|v| v * n / (n - 1.0)).collect();
            assert_eq!(pass.observed.iter().map(|(index, _)| *index).collect::<Vec<_>>(), [2, 3]);
            near(&values(&pass.observed[0].1), &mean, 1e-5, &what);
            near(&values(&pass.observed[1].1), &unbiased, 1e-5, &what);
        }
    }
}

#[test]
fn running_statistics_move_a_tenth_towards_what_the_parts_saw() {
    let shape = MapShape::new(2, 3, 3);
    let network = Network::new(shape).then("N", BatchNorm { activation: NONE }).unwrap();
    let store = ParamStore::initialise(&network, 1, &Device::Cpu).unwrap();
    let operators = Operators::Lanes(Lanes::Images);
    let seen = |count: usize| {
        let mut pass = learning(operators, count);
        network.forward(&tensor(&images(count, shape), shape, operators), &store.tensors(), &mut pass).unwrap();
        Observed { images: count, statistics: pass.observed }
    };
    let parts = [seen(9), seen(3)];
    let expected: Vec<f32> = (0..2)
        .map(|c| {
            let of = |part: &Observed| values(&part.statistics[0].1)[c];
            0.1 * (0.75 * of(&parts[0]) + 0.25 * of(&parts[1]))
        })
        .collect();
    store.observe(&parts, ParamStore::TOWARDS_BATCH).unwrap();
    near(&values(store.vars()[2].as_tensor()), &expected, 1e-6, "means begin at 0");
    assert!(store.learns(0) && store.learns(1) && !store.learns(2) && !store.learns(3));
}

#[test]
fn a_single_value_of_each_channel_learns_with_the_running_statistics() {
    let shape = MapShape::new(9, 1, 1);
    let network = Network::new(shape).then("N", BatchNorm { activation: NONE }).unwrap();
    let store = ParamStore::initialise(&network, 1, &Device::Cpu).unwrap();
    for (index, value) in [(0, 2.0f32), (1, 0.5), (2, 3.0), (3, 4.0)] {
        store.vars()[index].set(&Tensor::full(value, 9, &Device::Cpu).unwrap()).unwrap();
    }
    for operators in EVERY_WAY {
        let x = tensor(&images(1, shape), shape, operators);
        let mut pass = learning(operators, 1);
        let y = network.forward(&x, &store.tensors(), &mut pass).unwrap();
        let expected: Vec<f32> = rows(&x, shape, 1, operators).unwrap().iter().map(|x| (x - 3.0) + 0.5).collect();
        near(&rows(&y, shape, 1, operators).unwrap(), &expected, 1e-4, &format!("{operators:?}"));
        near(&values(&pass.observed[0].1), &[3.0; 9], 0.0, "the mean stays");
        near(&values(&pass.observed[1].1), &[4.0; 9], 0.0, "the variance stays");
        let gradients = y.sum_all().unwrap().backward().unwrap();
        let of_scale = values(gradients.get(store.vars()[0].as_tensor()).unwrap());
        assert!(of_scale.iter().all(|g| g.is_finite()), "{of_scale:?}");
    }
}

#[test]
fn a_finished_network_folds_its_running_statistics_into_its_convolutions() {
    let shape = MapShape::new(1, 12, 12);
    let conv = |out_channels, bias| Conv2d { out_channels, kernel: 3, padding: 1, bias, activation: NONE };
    let network = Network::new(shape)
        .then("C", conv(7, false))
        .unwrap()
        .then("N", BatchNorm { activation: RELU })
        .unwrap()
        .then("E", conv(9, true))
        .unwrap()
        .then("M", BatchNorm { activation: RELU })
        .unwrap()
        .then("S", Pool2d::max(2))
        .unwrap()
        .then("D", Dense { outputs: 10, activation: NONE })
        .unwrap();
    let store = ParamStore::initialise(&network, 3, &Device::Cpu).unwrap();
    let mut rng = stream(2, Purpose::Shuffle, 0, 0);
    for var in store.vars().iter().filter(|var| var.dims().len() == 1) {
        let moved: Vec<f32> = values(var.as_tensor()).iter().map(|x| x + rng.random_range(0.1..0.9)).collect();
        var.set(&Tensor::new(moved, &Device::Cpu).unwrap()).unwrap();
    }
    for count in [1, 11] {
        for operators in EVERY_WAY {
            let x = tensor(&images(count, shape), shape, operators);
            let scores = |mut pass: Pass| {
                let y = network.forward(&x, &store.tensors(), &mut pass).unwrap();
                assert!(pass.observed.is_empty(), "who is asked learns nothing");
                rows(&y, network.output(), count, operators).unwrap()
            };
            // a recording pass takes layer after layer, so nothing is folded there
            let [folded, apart] = [scores(Pass::evaluate(operators)), scores(Pass::recording(operators))];
            let greatest = apart.iter().fold(0f32, |a, x| a.max(x.abs()));
            near(&folded, &apart, 1e-5 * greatest, &format!("{count} images, {operators:?}"));
        }
    }
}

#[test]
fn a_skip_connection_adds_its_input() {
    let shape = MapShape::new(3, 4, 4);
    let twice = Residual::new(Network::new(shape), Network::new(shape), RELU).unwrap();
    let network = Network::new(shape).then("R", twice).unwrap();
    for operators in EVERY_WAY {
        let x = tensor(&images(11, shape), shape, operators);
        let y = network.forward(&x, &[], &mut Pass::evaluate(operators)).unwrap();
        let expected: Vec<f32> = rows(&x, shape, 11, operators).unwrap().iter().map(|x| 2.0 * x).collect();
        near(&rows(&y, shape, 11, operators).unwrap(), &expected, 1e-6, &format!("{operators:?}"));
    }
    let smaller = Network::new(shape).then("S", Pool2d::max(2)).unwrap();
    assert!(Residual::new(smaller, Network::new(shape), RELU).is_err(), "both give maps of one shape");
    let other = Residual::new(Network::new(shape), Network::new(shape), RELU).unwrap();
    assert!(Network::new(MapShape::new(3, 8, 8)).then("R", other).is_err(), "it reads maps of its own shape");
}
