//! The network in plain Rust against its formulas' other form, the layers with Candle's derivatives; and what conjugate
//! gradient makes of it and of other models.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use candle_core::{Device, Tensor};
use digitpad::data::{Drawn, ImagesBeside};
use digitpad::inference::{Thresholds, TrainedModel, evaluate};
use digitpad::models::{self, scratch};
use digitpad::nn::random::{Purpose, stream};
use digitpad::nn::{Compute, DeviceChoice, Initialisation, Operators, ParamStore, Pass, batch, softmax_cross_entropy};
use digitpad::optim::OptimizerConfig;
use digitpad::training::{self, Ending, Event, Outcome, Stop, TrainingConfig, TrainingData};

fn drawn(images: usize, validation: usize) -> TrainingData {
    let drawn = Drawn { train: images + validation, test: 10, seed: 5 };
    let corpus = Arc::new(drawn.generate(&mut |_, _| ControlFlow::Continue(())).unwrap());
    let (images, all) = (images as u32, (images + validation) as u32);
    TrainingData {
        corpus,
        train: (0..images).collect(),
        beside: ImagesBeside::default(),
        validation: (images..all).collect(),
    }
}

fn cpu() -> Arc<Compute> {
    Arc::new(Compute::new(DeviceChoice::Cpu, Some(2)).unwrap())
}

fn floats(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

#[test]
fn gradients_agree_with_candles() {
    let data = drawn(43, 0);
    let images: Vec<&[u8]> = (0..43).map(|i| data.corpus.train.image(i).as_slice()).collect();
    let labels: Vec<u8> = (0..43).map(|i| data.corpus.train.label(i)).collect();
    for (id, left_out) in [("scratch", 0), ("scratch", 300), ("scratch-deep", 0), ("scratch-deep", 784)] {
        let architecture = models::find(id).unwrap();
        let network = (architecture.network)().unwrap();
        let scheme = Initialisation::Paper1998; // its biases are not 0
        let store = ParamStore::initialise_by(&network, scheme, 3, &Device::Cpu).unwrap();
        let kept: Vec<f32> = (0..784).map(|pixel| if pixel * 7 % 784 < left_out { 0.0 } else { 1.0 }).collect();
        store.vars()[0].set(&Tensor::new(kept, &Device::Cpu).unwrap()).unwrap();

        let value_of = architecture.input.table();
        let x = batch(images.iter().copied(), network.input(), &value_of, Operators::Stock, &Device::Cpu).unwrap();
        let mut pass = Pass::train(Operators::Stock, images.len(), stream(1, Purpose::Dropout, 0, 0));
        let scores = network.forward(&x, &store.tensors(), &mut pass).unwrap();
        // a part of a batch of 50 images
        let loss = softmax_cross_entropy(&scores, 10, &labels, 50, Operators::Stock).unwrap();
        let derivatives = loss.backward().unwrap();

        let values: Vec<Vec<f32>> = store.tensors().iter().map(floats).collect();
        let values: Vec<&[f32]> = values.iter().map(Vec::as_slice).collect();
        let lesson = scratch::lesson(&values, images.iter().copied(), &labels, 50, &value_of);
        assert!((lesson.loss - f64::from(loss.to_scalar::<f32>().unwrap())).abs() < 1e-5, "{id}: loss");
        let scores = floats(&scores);
        let right = scores.chunks_exact(10).zip(&labels).filter(|(row, label)| {
            row.iter()
                .enumerate()
                .all(|(class, score)| class == usize::from(**label) || *score < row[usize::from(**label)])
        });
        assert_eq!(lesson.correct, right.count(), "{id}");
        assert_eq!(lesson.gradients.len(), network.params().len());
        for ((index, var), ours) in store.learning().zip(&lesson.gradients[1..]) {
            let candles = floats(derivatives.get(var.as_tensor()).unwrap());
            assert_eq!(ours.len(), candles.len());
            let apart = ours.iter().zip(&candles).fold(0f32, |apart, (a, b)| apart.max((a - b).abs()));
            let name = &network.params()[index].name;
            assert!(apart < 1e-5, "{id}, {left_out} left out: {name} is {apart} apart");
            let greatest = candles.iter().fold(0f32, |greatest, x| greatest.max(x.abs()));
            assert!(apart < 1e-4 * greatest || (index == 1 && left_out == 784), "{id}: {name}, {apart} of {greatest}");
        }
    }
}

fn config(model: &str, optimizer: OptimizerConfig) -> TrainingConfig {
    let text = "model = \"mlp\"\nepochs = 2\nbatch_size = 100\nlearning_rate = 1.0\nvalidation = 0\n[optimizer]\nkind = \"sgd\"";
    let config = TrainingConfig::from_toml(text).unwrap();
    TrainingConfig { model: model.to_owned(), learning_rate: optimizer.usual_learning_rate(), optimizer, ..config }
}

fn losses(config: &TrainingConfig, data: &TrainingData) -> (Vec<f64>, Outcome) {
    let mut losses = Vec::new();
    let outcome = training::run(config, data, &cpu(), None, &mut |event, _| {
        if let Event::Step { loss, .. } = event {
            losses.push(loss);
        }
        ControlFlow::Continue(None)
    });
    (losses, outcome.unwrap())
}

const CG: OptimizerConfig = OptimizerConfig::ConjugateGradient { weight_decay: 0.0, iterations: 5 };

#[test]
fn conjugate_gradient_descends_on_models_of_dense_and_convolution_layers() {
    let data = drawn(300, 0);
    for model in ["scratch", "scratch-deep", "lenet5", "mlp-deep", "lenet5-1998-linear"] {
        let (losses, outcome) = losses(&config(model, CG), &data);
        assert_eq!((losses.len(), outcome.steps), (10, 10), "{model}: five iterations an epoch");
        // dropout draws anew for the second epoch, so that only the iterations of one are of the same function
        for epoch in losses.chunks_exact(5) {
            assert!(epoch.windows(2).all(|pair| pair[1] < pair[0]), "{model}: {losses:?}");
        }
        assert!(losses[9] < 0.9 * losses[0], "{model}: {losses:?}");
    }
}

#[test]
fn a_search_over_all_images_finds_the_statistics_of_a_normalised_network() {
    let data = drawn(96, 0);
    for model in ["resnet", "cnn-bn"] {
        let config = TrainingConfig { epochs: 1, dropout: (model == "cnn-bn").then_some(0.0), ..config(model, CG) };
        let (losses, outcome) = losses(&config, &data);
        assert!(losses.windows(2).all(|pair| pair[1] < pair[0]) && losses[4] < 0.7 * losses[0], "{model}: {losses:?}");
        let weights = &outcome.last_weights;
        let finished = TrainedModel::new(models::find(model).unwrap(), weights, Thresholds::default(), cpu()).unwrap();
        let all: Vec<u32> = (0..96).collect();
        let judged = evaluate(&finished, None, &data.corpus.train, &all, |_| ControlFlow::Continue(())).unwrap();
        let loss = judged.unwrap().loss;
        // in training parts of a batch are normalised by themselves, so that the two are near each other and no more
        assert!(loss < 2.0 * losses[4] + 0.1, "{model}: {loss} as it answers, {} as it learnt", losses[4]);
    }
}

#[test]
fn it_gets_lower_than_gradient_descent_that_reads_as_many_images() {
    let data = drawn(300, 0);
    let mut read = 0;
    let mut lowest = f64::INFINITY;
    let long = TrainingConfig { epochs: 6, ..config("scratch", CG) };
    training::run(&long, &data, &cpu(), None, &mut |event, _| {
        if let Event::Step { loss, images, .. } = event {
            (lowest, read) = (loss, read + images);
        }
        ControlFlow::Continue(None)
    })
    .unwrap();
    for learning_rate in [0.1, 0.5, 2.0] {
        let descent = OptimizerConfig::Sgd { momentum: 0.0, weight_decay: 0.0 };
        let epochs = (read / 300) as u32;
        let config = TrainingConfig { batch_size: 300, epochs, learning_rate, ..config("scratch", descent) };
        let (losses, _) = losses(&config, &data);
        let reached = losses[losses.len() - 1];
        assert!(lowest < 0.5 * reached, "{lowest} against {reached} at rate {learning_rate}, {epochs} readings");
    }
}

#[test]
fn a_penalty_keeps_weights_small_and_biases_free() {
    let data = drawn(200, 0);
    let squares = |weight_decay: f64, kind: &str| -> f64 {
        let optimizer = OptimizerConfig::ConjugateGradient { weight_decay, iterations: 30 };
        let (_, outcome) = losses(&config("scratch", optimizer), &data);
        let entries = outcome.last_weights.entries;
        let own = entries.iter().filter(|entry| entry.name.ends_with(kind));
        own.flat_map(|entry| entry.values.iter()).map(|x| f64::from(*x).powi(2)).sum()
    };
    let strong = 1.0;
    assert!(squares(strong, ".weight") < 1e-3 * squares(0.0, ".weight"));
    // the classes are about equally frequent: biases alone say little, but nothing draws them to 0
    assert!(squares(strong, ".bias") > 1e-4);
}

#[test]
fn pixels_are_chosen_before_the_first_update_and_stay() {
    let data = drawn(250, 0);
    for optimizer in [CG, OptimizerConfig::Adam { beta1: 0.9, beta2: 0.999 }] {
        let mut told = None;
        let mut updates = 0;
        let outcome = training::run(&config("scratch", optimizer), &data, &cpu(), None, &mut |event, _| {
            match event {
                Event::Pixels { kept, of } => told = Some((kept, of, updates)),
                Event::Step { .. } => updates += 1,
                _ => {}
            }
            ControlFlow::Continue(None)
        })
        .unwrap();
        let (kept, of, updates) = told.unwrap();
        assert_eq!((of, updates, outcome.pixels), (784, 0, Some((kept, of))));
        assert!(kept > 200 && kept < 700, "{kept} pixels of drawn digits differ");
        let entry = &outcome.last_weights.entries[0];
        assert_eq!(entry.name, "Input.kept");
        assert_eq!(entry.values.iter().filter(|x| **x == 1.0).count(), kept);
        assert_eq!(entry.values[0], 0.0, "the corner is always paper");
        // who goes on from other weights goes on with their choice, whatever the images
        let few = TrainingData { train: vec![0, 1, 2], ..data_like(&data) };
        let again =
            training::run(&config("scratch", optimizer), &few, &cpu(), Some(&outcome.last_weights), &mut |_, _| {
                ControlFlow::Continue(None)
            });
        assert_eq!(again.unwrap().last_weights.entries[0], *entry);
    }
}

fn data_like(data: &TrainingData) -> TrainingData {
    TrainingData {
        corpus: Arc::clone(&data.corpus),
        train: data.train.clone(),
        beside: ImagesBeside::default(),
        validation: data.validation.clone(),
    }
}

#[test]
fn a_stop_inside_a_line_search_leaves_the_weights_of_the_update_before() {
    let data = drawn(300, 50);
    for after in [0usize, 1, 4, 17] {
        let (mut readings, mut before, mut reading_since) = (0, None, false);
        let began = Instant::now();
        let outcome = training::run(&config("scratch", CG), &data, &cpu(), None, &mut |event, _| {
            match event {
                Event::Step { params, .. } => (before, reading_since) = (Some(params.weights().unwrap()), false),
                Event::Reading => {
                    (readings, reading_since) = (readings + 1, true);
                    if readings > after {
                        return ControlFlow::Break(Stop);
                    }
                }
                _ => {}
            }
            ControlFlow::Continue(None)
        })
        .unwrap();
        assert_eq!(outcome.ending, Ending::Stopped);
        assert!(reading_since && began.elapsed() < Duration::from_secs(20));
        if let Some(before) = before {
            assert_eq!(outcome.last_weights, before, "after {after} readings");
        } else {
            assert_eq!(outcome.steps, 0);
        }
    }
}
