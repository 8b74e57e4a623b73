//! Every model of the catalogue, unasked: a new line there is checked here.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]
#![allow(clippy::print_stdout, reason = "figures that choices rest on are there to be read")]

use std::ops::ControlFlow;
use std::sync::Arc;

use candle_core::{Device, Var};
use digitpad::data::{Drawn, ImagesBeside};
use digitpad::inference::{Thresholds, TrainedModel, evaluate};
use digitpad::models::{self, CATALOG, CLASSES, ensemble};
use digitpad::nn::random::{Purpose, stream};
use digitpad::nn::{
    Compute, DeviceChoice, Lanes, Loss, MeanOfMembers, Members, Network, Operators, ParamKind, ParamStore, Pass,
    Turned, Weights, batch, rows, softmax_cross_entropy,
};
use digitpad::storage::shipped;
use digitpad::storage::weights_file::WeightsFile;
use digitpad::training::{self, Ending, Event, Outcome, Stop, TrainingConfig, TrainingData};

fn drawn(images: usize) -> TrainingData {
    let drawn = Drawn { train: images, test: 10, seed: 3 };
    let corpus = Arc::new(drawn.generate(&mut |_, _| ControlFlow::Continue(())).unwrap());
    TrainingData {
        corpus,
        train: (0..images as u32).collect(),
        beside: ImagesBeside::default(),
        validation: Vec::new(),
    }
}

fn short(id: &str, seed: u64) -> TrainingConfig {
    let preset = shipped::find(id).expect("every model has a preset").config().unwrap();
    assert_eq!(preset.model, id, "the preset trains its own model");
    // a mean over many patterns takes longer steps than one pattern
    let learning_rate = preset.learning_rate * if preset.batch_size == 1 { 30.0 } else { 1.0 };
    TrainingConfig { seed, epochs: 1, validation: 0, batch_size: 72, learning_rate, ..preset }
}

/// Trains some updates; losses and the end.
fn train(config: &TrainingConfig, data: &TrainingData, compute: &Arc<Compute>, updates: u64) -> (Vec<f64>, Outcome) {
    let mut losses = Vec::new();
    let outcome = training::run(config, data, compute, None, &mut |event, _| {
        if let Event::Step { step, loss, .. } = event {
            losses.push(loss);
            if step == updates {
                return ControlFlow::Break(Stop);
            }
        }
        ControlFlow::Continue(None)
    });
    (losses, outcome.unwrap())
}

fn cpu(threads: usize) -> Arc<Compute> {
    Arc::new(Compute::new(DeviceChoice::Cpu, Some(threads)).unwrap())
}

#[test]
fn ids_are_unique_and_parameters_are_counted() {
    for (i, architecture) in CATALOG.iter().enumerate() {
        assert!(CATALOG[..i].iter().all(|other| other.id != architecture.id), "{} twice", architecture.id);
        let network = (architecture.network)().unwrap();
        assert_eq!(network.parameter_count(), architecture.parameters, "{}", architecture.id);
        assert_eq!(network.output().size(), CLASSES, "{} has ten scores", architecture.id);
    }
    let counts =
        ["mlp", "mlp-deep", "lenet5", "cnn", "cnn-bn", "resnet"].map(|id| models::find(id).unwrap().parameters);
    assert_eq!(counts, [101_770, 235_146, 61_706, 215_370, 288_170, 205_042]);
}

#[test]
fn every_model_learns_drawn_digits() {
    let data = drawn(720);
    for architecture in models::trainable() {
        let config = TrainingConfig { epochs: 4, ..short(architecture.id, 1) };
        let (losses, _) = train(&config, &data, &cpu(2), 40);
        let mean = |losses: &[f64]| losses.iter().sum::<f64>() / losses.len() as f64;
        let last = &losses[losses.len() * 3 / 4..];
        assert!(mean(last) < 0.98 * mean(&losses[..3]), "{}: {losses:?}", architecture.id);
    }
}

#[test]
fn the_same_seed_gives_the_same_weights_on_any_number_of_threads() {
    let data = drawn(288);
    for architecture in models::trainable() {
        let weights = |seed: u64, threads: usize| {
            let (_, outcome) = train(&short(architecture.id, seed), &data, &cpu(threads), 4);
            outcome.last_weights.sha256()
        };
        let first = weights(7, 1);
        for threads in [1, 2, 4] {
            assert_eq!(weights(7, threads), first, "{} with {threads} threads", architecture.id);
        }
        assert_ne!(weights(8, 1), first, "{} with another seed", architecture.id);
    }
}

#[test]
fn stock_operators_lose_and_learn_the_same() {
    // the path of CUDA and Metal, run on the processor
    let data = drawn(144);
    let stock = Arc::new(Compute::stock_reference().unwrap());
    for architecture in models::trainable() {
        // statistics are those of a part of a batch here, and of all of it there: eight images are one part
        let specs = (architecture.network)().unwrap();
        let normalises = specs.params().iter().any(|spec| spec.kind == ParamKind::Statistic);
        let batch_size = if normalises { 8 } else { 24 };
        let config = TrainingConfig { batch_size, ..short(architecture.id, 2) };
        let (ours, _) = train(&config, &data, &cpu(1), 3);
        let (reference, _) = train(&config, &data, &stock, 3);
        for (step, (a, b)) in ours.iter().zip(&reference).enumerate() {
            // the first loss compares the forward passes; later ones what the gradients did to the weights, where Adam
            // turns the sign of a gradient near zero into a whole step
            let tolerance = if step == 0 { 1e-4 } else { 3e-3 };
            assert!((a - b).abs() < tolerance, "{}, update {step}: {a} against {b}", architecture.id);
        }
    }
}

const EVERY_WAY: [Operators; 3] =
    [Operators::Lanes(Lanes::Images), Operators::Lanes(Lanes::Channels), Operators::Stock];

#[test]
fn every_kind_of_operators_loses_alike_and_gives_the_same_gradients() {
    let data = drawn(48);
    let images: Vec<&[u8]> = (0..40).map(|i| data.corpus.train.image(i).as_slice()).collect();
    let labels: Vec<u8> = (0..40).map(|i| data.corpus.train.label(i)).collect();
    for architecture in models::trainable() {
        let network = (architecture.network)().unwrap();
        let store = ParamStore::initialise(&network, 5, &Device::Cpu).unwrap();
        let [ours, channels, stock] = EVERY_WAY.map(|operators| {
            let value_of = architecture.input.table();
            let x = batch(images.iter().copied(), network.input(), &value_of, operators, &Device::Cpu).unwrap();
            let mut pass = Pass::train(operators, labels.len(), stream(6, Purpose::Dropout, 0, 0));
            let scores = network.forward(&x, &store.tensors(), &mut pass).unwrap();
            let loss = softmax_cross_entropy(&scores, 10, &labels, labels.len(), operators).unwrap();
            let gradients = loss.backward().unwrap();
            let values = |(_, var): (usize, &Var)| -> Vec<f32> {
                gradients.get(var.as_tensor()).unwrap().flatten_all().unwrap().to_vec1().unwrap()
            };
            (loss.to_scalar::<f32>().unwrap(), store.learning().map(values).collect::<Vec<_>>())
        });
        // dropout silences values in the order of the lanes, others with channels there than with images
        let silences = network.layers().iter().any(|place| place.layer.describe().starts_with("dropout"));
        for ours in if silences { vec![ours] } else { vec![ours, channels] } {
            assert!((ours.0 - stock.0).abs() < 1e-4, "{}: loss {} against {}", architecture.id, ours.0, stock.0);
            for (((index, _), ours), stock) in store.learning().zip(&ours.1).zip(&stock.1) {
                let spec = &network.params()[index];
                let greatest = stock.iter().fold(0f32, |a, x| a.max(x.abs()));
                let apart = ours.iter().zip(stock).fold(0f32, |apart, (a, b)| apart.max((a - b).abs()));
                assert!(apart < 1e-6 + 1e-4 * greatest, "{}: {} is {apart} apart", architecture.id, spec.name);
            }
        }
    }
}

#[test]
fn distances_learn_pattern_by_pattern_and_a_lost_network_is_told_so() {
    let data = drawn(1_500);
    let preset = shipped::find("lenet5-1998").unwrap().config().unwrap();
    let config = TrainingConfig { epochs: 1, ..preset };
    let mut errors = Vec::new();
    let mut steps = Vec::new();
    let outcome = training::run(&config, &data, &cpu(1), None, &mut |event, _| {
        match event {
            Event::Step { error, .. } => errors.push(error),
            Event::Epoch(summary) => steps = summary.step_sizes,
            Event::Tick(_) | Event::Pixels { .. } | Event::Reading | Event::Resumable(_) => {}
        }
        ControlFlow::Continue(None)
    });
    assert_eq!(outcome.unwrap().ending, Ending::Completed);
    let wrong = |errors: &[f64]| errors.iter().sum::<f64>() / errors.len() as f64;
    let (first, last) = (wrong(&errors[..300]), wrong(&errors[1_200..]));
    assert!(last < 0.7 * first, "errors fall from {first} to {last} in one pass of 1,500 patterns");
    assert_eq!(steps.len(), 12, "a pair of steps for every tensor");
    assert!(steps.iter().all(|(_, least, greatest)| 0.0 < *least && least <= greatest));

    // far too long steps drive the states before the last layer to the ends of their range
    let wild = TrainingConfig { learning_rate: 1.0, ..config };
    let outcome = training::run(&wild, &data, &cpu(1), None, &mut |_, _| ControlFlow::Continue(None)).unwrap();
    assert!(matches!(outcome.ending, Ending::Diverged(_)), "{:?}", outcome.ending);
    assert!(outcome.last_weights.first_not_finite().is_none());
}

#[test]
fn saved_weights_give_the_same_scores() {
    let data = drawn(100);
    let images: Vec<&[u8]> = (0..20).map(|i| data.corpus.train.image(i).as_slice()).collect();
    for shipped in shipped::SHIPPED {
        let file = shipped.weights().unwrap();
        let again = WeightsFile::from_bytes(&file.to_bytes().unwrap()).unwrap();
        let scores = |weights: &Weights| {
            let model = TrainedModel::new(file.architecture, weights, file.thresholds, cpu(1)).unwrap();
            model.scores(images.iter().copied()).unwrap()
        };
        assert_eq!(scores(&file.weights), scores(&again.weights), "{}", shipped.id);
    }
}

#[test]
fn shipped_weights_are_those_of_their_cards() {
    assert_eq!(shipped::SHIPPED.len(), CATALOG.len(), "every model is shipped");
    for shipped in shipped::SHIPPED {
        let (file, card) = (shipped.weights().unwrap(), shipped.card().unwrap());
        assert_eq!(card.model, shipped.id);
        assert_eq!(file.architecture.id, shipped.id);
        assert_eq!(card.weights_sha256, file.weights.sha256(), "{}", shipped.id);
        assert!(card.test_interval[0] < card.test_accuracy && card.test_accuracy < card.test_interval[1]);
        let further: Vec<String> = shipped.further_names().collect();
        let hash = |name: &String| shipped::find_weights(name, None).unwrap().file.weights.sha256();
        assert_eq!(further.iter().map(hash).collect::<Vec<_>>(), card.further_sha256, "{}", shipped.id);
        for (place, name) in further.iter().enumerate() {
            assert_eq!(shipped::accuracy_of(name).unwrap(), card.accuracy_of_seeds[place + 1], "{name}");
        }
        // what is made of others was not trained with seeds
        let Ok(config) = shipped.config() else { continue };
        let mut seeds = card.accuracy_of_seeds.clone();
        assert!(seeds.len() >= 3, "{} was trained with three seeds at least", shipped.id);
        assert_eq!(seeds[card.seed as usize - 1], card.test_accuracy, "{}", shipped.id);
        assert_eq!(config.seed, card.seed, "{}", shipped.id);
        seeds.sort_by(f64::total_cmp);
        assert_eq!(seeds[seeds.len() / 2], card.median_accuracy, "{}", shipped.id);
        let epochs = shipped.history.lines().count();
        assert_eq!(epochs, config.epochs as usize, "{} has its whole history", shipped.id);
    }
}

/// Says what the cards are to have where they have something else.
#[test]
#[ignore = "needs MNIST's training images"]
fn thresholds_of_the_cards_are_those_that_validation_images_choose() {
    let corpus = digitpad::data::load(&digitpad::data::Request::parse("mnist")).unwrap();
    let mut wrong = Vec::new();
    for shipped in shipped::SHIPPED {
        let (file, card) = (shipped.weights().unwrap(), shipped.card().unwrap());
        // what was trained on all training images, or is made of others, is asked about the usual ones
        let mut config = shipped.config().unwrap_or_else(|_| shipped::find("lenet5").unwrap().config().unwrap());
        let has_seen_them = config.validation == 0 || shipped.config().is_err();
        if has_seen_them {
            config.validation = 5_000;
        }
        let images = training::validation_images(Some(&config), &corpus).unwrap();
        let model = TrainedModel::new(file.architecture, &file.weights, file.thresholds, cpu(2)).unwrap();
        let evaluation = evaluate(&model, None, &corpus.train, &images, |_| ControlFlow::Continue(())).unwrap();
        let chosen = Thresholds::choose(&model, &evaluation.unwrap().answers).unwrap();
        let near = |a: f32, b: f32| (a - b).abs() <= 1e-3 * b.abs().max(0.1);
        let digits = card.thresholds.digit_above.zip(chosen.digit_above).is_some_and(|(a, b)| near(a, b));
        // images that a network was trained on make it look surer than it may be
        let sure = card.thresholds.sure_above;
        let is_sure = near(sure, chosen.sure_above) || has_seen_them && sure > chosen.sure_above;
        if !digits || !is_sure {
            wrong.push(format!("{}: {chosen:?}", shipped.id));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Prints what [`ensemble::POSES`] was chosen by: errors and mean loss for turns by several angles, of those members that kept
/// validation images aside, alone or with others that kept the same ones.
#[test]
#[ignore = "needs MNIST's training images, and minutes"]
fn members_err_less_where_they_see_turned_images_too() {
    let corpus = digitpad::data::load(&digitpad::data::Request::parse("mnist")).unwrap();
    let value_of = models::find("ensemble").unwrap().input.table();
    let operators = Operators::for_device(&Device::Cpu);
    let groups: [&[(&str, u64)]; 4] =
        [&[("resnet", 1)], &[("resnet", 2)], &[("resnet", 3)], &[("resnet", 1), ("cnn", 1), ("lenet5", 1)]];
    let mut errors = Vec::new();
    for angle in [0.0, 5.0, 8.0, 10.0, 12.0, 15.0] {
        let degrees = if angle == 0.0 { vec![0.0] } else { vec![-angle, 0.0, angle] };
        let mut sum = 0;
        for group in groups {
            let (mut members, mut params) = (Vec::new(), Vec::new());
            for &(id, seed) in group {
                let network = (models::find(id).unwrap().network)().unwrap();
                let weights = shipped::find(id).unwrap().weights_of_seed(seed).unwrap().weights;
                params.extend(weights.tensors(&network, &Device::Cpu).unwrap());
                members.push((id.to_owned(), network));
            }
            let count = members.len();
            let network = Network::new(models::INPUT)
                .then("Poses", Turned { degrees: degrees.clone() })
                .and_then(|network| network.then("Members", Members::new(members, degrees.len())?))
                .and_then(|network| network.then("Mean", MeanOfMembers { members: count, classes: CLASSES }))
                .unwrap();
            let (id, seed) = group[0];
            let config = TrainingConfig { seed, ..shipped::find(id).unwrap().config().unwrap() };
            let images = training::validation_images(Some(&config), &corpus).unwrap();
            let (mut wrong, mut loss) = (0, 0.0);
            for chunk in images.chunks(500) {
                let pixels = chunk.iter().map(|&image| corpus.train.image(image as usize).as_slice());
                let x = batch(pixels, network.input(), &value_of, operators, &Device::Cpu).unwrap();
                let scores = network.forward(&x, &params, &mut Pass::evaluate(operators)).unwrap();
                let scores = rows(&scores, network.output(), chunk.len(), operators).unwrap();
                for (scores, &image) in scores.chunks_exact(CLASSES).zip(chunk) {
                    let truth = scores[usize::from(corpus.train.label(image as usize))];
                    wrong += usize::from(scores.iter().any(|&score| score > truth));
                    loss -= f64::from(truth);
                }
            }
            println!("{angle} degrees, {group:?}: {wrong} errors, loss {:.5}", loss / images.len() as f64);
            sum += wrong;
        }
        errors.push((angle, sum));
    }
    println!("errors by angle: {errors:?}");
    let chosen = errors.iter().find(|(angle, _)| *angle == ensemble::POSES[2]).unwrap().1;
    assert!(errors[0].1 > chosen, "turning is worth its time");
}

#[test]
fn shipped_models_read_drawn_digits_they_never_saw() {
    let data = drawn(500);
    for shipped in shipped::SHIPPED {
        let file = shipped.weights().unwrap();
        let model = TrainedModel::new(file.architecture, &file.weights, file.thresholds, cpu(1)).unwrap();
        let right = (0..500)
            .filter(|&i| model.predict(data.corpus.train.image(i)).unwrap().best() == data.corpus.train.label(i));
        let right = right.count();
        assert!(right > 425, "{} reads {right} of 500", shipped.id);
    }
}

#[test]
fn curvature_is_there_where_the_layers_say_so() {
    let data = drawn(10);
    for architecture in CATALOG {
        let network = (architecture.network)().unwrap();
        let store = ParamStore::initialise(&network, 1, &Device::Cpu).unwrap();
        let operators = Operators::Stock;
        let images = std::iter::once(data.corpus.train.image(3).as_slice());
        let x = batch(images, network.input(), &architecture.input.table(), operators, &Device::Cpu).unwrap();
        let found = network.curvature(&x, &store.tensors(), Loss::usual(&network), 1, operators);
        assert_eq!(found.is_ok(), network.without_curvature().is_none(), "{}", architecture.id);
    }
}
