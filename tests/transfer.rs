//! Starting from other weights: what is copied, what stays frozen, and what a schedule or a bound on gradients does to a
//! run.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

use std::ops::ControlFlow;
use std::sync::Arc;

use digitpad::data::{Corpus, Dataset, Drawn};
use digitpad::drawing::{PIXELS, Recipe, SIDE, prepare};
use digitpad::nn::{Compute, DeviceChoice, Transfer, Weights};
use digitpad::optim::{OptimizerConfig, Schedule, Watch};
use digitpad::storage::shipped;
use digitpad::training::{self, Ending, Event, Outcome, TrainingConfig, TrainingData, plan_transfer};

fn drawn(config: &TrainingConfig) -> TrainingData {
    let drawn = Drawn { train: 400, test: 10, seed: 3 };
    let corpus = Arc::new(drawn.generate(&mut |_, _| ControlFlow::Continue(())).unwrap());
    TrainingData::split(config, corpus).unwrap()
}

fn config(model: &str) -> TrainingConfig {
    let preset = shipped::find(model).unwrap().config().unwrap();
    TrainingConfig { data: "drawn".to_owned(), epochs: 2, batch_size: 50, validation: 100, ..preset }
}

fn frozen(model: &str, from: &str, layer: &str) -> TrainingConfig {
    TrainingConfig { from: Some(from.to_owned()), freeze_up_to: Some(layer.to_owned()), ..config(model) }
}

fn weights(id: &str) -> Weights {
    shipped::find(id).unwrap().weights().unwrap().weights
}

fn cpu(threads: usize) -> Arc<Compute> {
    Arc::new(Compute::new(DeviceChoice::Cpu, Some(threads)).unwrap())
}

/// The run's end, and the learning rate of every update.
fn run(config: &TrainingConfig, start: Option<&Weights>, compute: &Arc<Compute>) -> (Outcome, Vec<f64>) {
    let mut rates = Vec::new();
    let outcome = training::run(config, &drawn(config), compute, start, &mut |event, _| {
        if let Event::Step { learning_rate, .. } = event {
            rates.push(learning_rate);
        }
        ControlFlow::Continue(None)
    });
    (outcome.unwrap(), rates)
}

fn moved(before: &Weights, after: &Weights) -> Vec<String> {
    let pairs = before.entries.iter().zip(&after.entries);
    pairs.filter(|(a, b)| a.values != b.values).map(|(a, _)| a.name.clone()).collect()
}

#[test]
fn frozen_layers_stay_bit_for_bit_on_every_kind_of_operators_and_with_every_optimiser() {
    let start = weights("lenet5");
    let adamw = OptimizerConfig::find("adamw").unwrap();
    let momentum = OptimizerConfig::Sgd { momentum: 0.9, weight_decay: 0.1 };
    for optimizer in [adamw, momentum, OptimizerConfig::find("sdlm").unwrap()] {
        for compute in [cpu(2), Arc::new(Compute::stock_reference().unwrap())] {
            let config = TrainingConfig { optimizer, epochs: 1, ..frozen("lenet5", "lenet5", "S4") };
            let (outcome, _) = run(&config, Some(&start), &compute);
            assert_eq!(outcome.ending, Ending::Completed);
            let moved = moved(&start, &outcome.last_weights);
            let rest = ["C5.weight", "C5.bias", "F6.weight", "F6.bias", "Output.weight", "Output.bias"];
            assert_eq!(moved, rest, "{optimizer:?}");
        }
    }
    // frozen in front of a pooling layer that convolution does at once
    let config = TrainingConfig { epochs: 1, ..frozen("lenet5", "lenet5", "C1") };
    let moved = moved(&start, &run(&config, Some(&start), &cpu(2)).0.last_weights);
    assert_eq!((moved.len(), moved[0].as_str()), (8, "C3.weight"));
}

#[test]
fn frozen_layers_keep_their_running_statistics() {
    for (model, layer, frozen_params) in [("cnn-bn", "Pool1", 10), ("resnet", "Block1", 20)] {
        let start = weights(model);
        let config = TrainingConfig { epochs: 1, train_limit: Some(100), validation: 0, ..frozen(model, model, layer) };
        let end = run(&config, Some(&start), &cpu(2)).0.last_weights;
        let first = &start.entries[..frozen_params];
        assert!(first.iter().any(|entry| entry.name.ends_with(".variance")));
        assert_eq!(first, &end.entries[..frozen_params], "{model} up to {layer}");
        let moved = moved(&start, &end);
        assert_eq!(moved.len(), start.entries.len() - frozen_params, "{model}: the rest learns, {moved:?}");
    }
}

#[test]
fn what_learns_above_frozen_layers_learns_as_if_they_were_not_frozen() {
    // one update of plain descent: the layers above get the gradients that they get in a whole network
    let start = weights("mlp-deep");
    let sgd = OptimizerConfig::find("sgd").unwrap();
    let base =
        TrainingConfig { optimizer: sgd, epochs: 1, batch_size: 300, ..frozen("mlp-deep", "mlp-deep", "Hidden1") };
    let whole = TrainingConfig { freeze_up_to: None, ..base.clone() };
    let [some, all] = [&base, &whole].map(|config| run(config, Some(&start), &cpu(1)).0.last_weights);
    assert_eq!(some.entries[0].values, start.entries[0].values);
    assert_eq!(moved(&some, &all), ["Hidden1.weight", "Hidden1.bias"]);
    // a dropout layer that is frozen silences nothing, so its neighbours meet other values
    let config = TrainingConfig { freeze_up_to: Some("Dropout1".to_owned()), ..base };
    let still = run(&config, Some(&start), &cpu(1)).0.last_weights;
    assert_ne!(still.entries[2].values, some.entries[2].values);
}

#[test]
fn layers_are_copied_by_name_and_shape_and_the_rest_begins_fresh() {
    let plan = |model: &str, from: &str| {
        let network = |id: &str| (digitpad::models::find(id).unwrap().network)().unwrap();
        Transfer::between(&network(model), &network(from))
    };
    let linear = plan("lenet5-1998-linear", "lenet5-1998");
    assert_eq!((linear.copied.join(" "), linear.fresh.join(" ")), ("C1 S2 C3 S4 C5 F6".into(), "Output".into()));
    // C3 reads other maps in 1998, C5 agrees
    let modern = plan("lenet5", "lenet5-1998");
    assert_eq!((modern.copied.join(" "), modern.fresh.join(" ")), ("C1 C5 F6".into(), "C3 Output".into()));

    let config = TrainingConfig { epochs: 1, ..frozen("lenet5-1998-linear", "lenet5-1998", "F6") };
    let start = weights("lenet5-1998");
    let plan = plan_transfer(&config, &start).unwrap();
    let words = training::describe_transfer(&config, &plan);
    assert_eq!(words, "Starts from lenet5-1998: copied C1, S2, C3, S4, C5, F6; fresh Output; frozen up to F6");
    let outcome = run(&config, Some(&start), &cpu(1)).0;
    let own: Vec<_> = outcome.last_weights.entries.iter().take(start.entries.len()).cloned().collect();
    assert_eq!(own[..12], start.entries[..12], "everything up to F6 is that of 1998");
}

#[test]
fn what_cannot_be_copied_or_frozen_is_told() {
    let refused = |config: &TrainingConfig, from: &str| {
        training::run(config, &drawn(config), &cpu(1), Some(&weights(from)), &mut |_, _| ControlFlow::Continue(None))
            .err()
            .unwrap()
            .to_string()
    };
    let from = |model: &str, from: &str| TrainingConfig { from: Some(from.to_owned()), ..config(model) };
    let told = refused(&from("mlp", "lenet5"), "lenet5");
    assert!(told.contains("nothing of lenet5 fits mlp") && told.contains("Hidden, Output"), "{told}");
    let told = refused(&frozen("lenet5", "lenet5-1998", "C5"), "lenet5-1998");
    assert!(told.contains("C3 does not fit that of lenet5-1998; what fits is C1, C5, F6"), "{told}");
    let told = refused(&frozen("lenet5", "lenet5", "S5"), "lenet5");
    assert!(told.contains("\"S5\"; the layers are C1, S2, C3, S4, C5, F6, Output"), "{told}");
    let lacking = from("mlp", "mlp");
    let told = training::run(&lacking, &drawn(&lacking), &cpu(1), None, &mut |_, _| ControlFlow::Continue(None));
    assert!(told.err().unwrap().to_string().contains("its weights were not brought"));
}

#[test]
fn a_bound_on_gradients_holds_and_threads_change_no_bit_of_it() {
    let base = TrainingConfig { optimizer: OptimizerConfig::find("sgd").unwrap(), epochs: 1, ..config("cnn") };
    let last = |clip_norm: Option<f64>, threads: usize| {
        let config = TrainingConfig { clip_norm, ..base.clone() };
        run(&config, None, &cpu(threads)).0.last_weights
    };
    let (plain, tight) = (last(None, 1), last(Some(0.05), 1));
    assert_eq!(tight.sha256(), last(Some(0.05), 3).sha256());
    assert_eq!(plain.sha256(), last(Some(1e6), 2).sha256(), "a bound that nothing reaches changes nothing");
    // plain descent moves by rate · gradient: six updates cannot lead farther than six bounds
    let start = run(&TrainingConfig { learning_rate: 1e-30, ..base.clone() }, None, &cpu(1)).0.last_weights;
    let distance = |to: &Weights| {
        let values =
            |weights: &Weights| -> Vec<f32> { weights.entries.iter().flat_map(|e| e.values.to_vec()).collect() };
        let squares = values(&start).iter().zip(values(to)).map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>();
        squares.sqrt() / base.learning_rate
    };
    assert!(distance(&tight) <= 6.0 * 0.05 * 1.01, "{}", distance(&tight));
    assert!(distance(&plain) > 6.0 * 0.05 * 1.01, "without the bound it goes farther: {}", distance(&plain));
}

#[test]
fn rates_of_a_run_follow_warm_up_and_plateaus() {
    let schedule = Schedule::OneCycle { rise: 0.5, start_factor: 0.5, final_factor: 0.0 };
    let base = TrainingConfig { schedule, learning_rate: 0.002, ..config("mlp") };
    let (_, rates) = run(&TrainingConfig { warm_up: 0.25, ..base.clone() }, None, &cpu(1));
    // twelve updates: three of warm-up to the first rate, then half of nine up and half down
    let curve = base.rate_curve(12);
    assert_eq!((rates.len(), curve.updates), (12, 12));
    for (step, share) in [(0, 0.25), (1, 0.5), (2, 0.75), (3, 1.0)] {
        assert!((rates[step] - 0.002 * 0.5 * share).abs() < 1e-12, "{rates:?}");
    }
    assert!(rates[7] > 0.9 * 0.002 && rates[11] < 0.3 * 0.002, "{rates:?}");

    // nothing moves at a rate of almost nothing, so every epoch after the first is no better
    let schedule = Schedule::ReduceOnPlateau { watch: Watch::Loss, factor: 0.1, patience: 0, least: 0.05 };
    let still = TrainingConfig { schedule, learning_rate: 1e-30, epochs: 5, ..config("mlp") };
    let (_, rates) = run(&still, None, &cpu(1));
    let factors: Vec<f64> = rates.iter().step_by(6).map(|rate| rate / 1e-30).collect();
    for (factor, expected) in factors.iter().zip([1.0, 1.0, 0.1, 0.05, 0.05]) {
        assert!((factor - expected).abs() < 1e-9, "{factors:?}");
    }
}

#[test]
fn a_network_with_smoothed_targets_learns_to_be_less_sure() {
    use digitpad::nn::Loss;
    let sure = |loss: Loss| {
        let config = TrainingConfig { loss, epochs: 12, ..config("mlp") };
        let mut confidence = 0.0;
        training::run(&config, &drawn(&config), &cpu(2), None, &mut |event, _| {
            if let Event::Epoch(summary) = event {
                let answers = &summary.validation.unwrap().answers;
                confidence = answers.iter().map(|answer| answer.confidence).sum::<f32>() / answers.len() as f32;
            }
            ControlFlow::Continue(None)
        })
        .unwrap();
        confidence
    };
    let (plain, smoothed) = (sure(Loss::CrossEntropy), sure(Loss::SmoothedCrossEntropy { smoothing: 0.3 }));
    assert!(smoothed < plain - 0.05, "{smoothed} against {plain}");
}

/// Pen strokes as the pad makes images of them; `mirrored`, left and right change places.
fn pen_digits(path: &str, mirrored: bool) -> Arc<Corpus> {
    let (mut images, mut labels) = (Vec::new(), Vec::new());
    for (_, recorded) in digitpad::data::strokes_file::read(path.as_ref()).unwrap() {
        let recorded = recorded.unwrap();
        let drawing = recorded.drawing.drawing().unwrap();
        let Some(prepared) = prepare(&drawing, &Recipe::default()) else { continue };
        labels.push(recorded.label.unwrap());
        for row in prepared.image.pixels.chunks_exact(SIDE) {
            if mirrored { images.extend(row.iter().rev()) } else { images.extend(row) }
        }
    }
    assert_eq!(images.len(), labels.len() * PIXELS);
    let train = Dataset::new("pen digits", images, labels).unwrap();
    let (test, title) = (train.take(10), "pen digits".to_owned());
    Arc::new(Corpus { source: path.to_owned(), title, train, test, notes: Vec::new() })
}

/// The table in the README:
/// `DIGITPAD_STROKES=pendigits-train.jsonl cargo test --release --test transfer figures -- --ignored --nocapture`.
#[test]
#[allow(clippy::print_stderr, reason = "the figures are what it is for")]
#[ignore = "makes figures out of recorded strokes, which are not part of the program; takes a minute"]
fn figures_of_transfer_to_pen_digits() {
    let strokes = std::env::var("DIGITPAD_STROKES").expect("name a file of strokes with labels");
    let shipped = weights("lenet5");
    for mirrored in [false, true] {
        let corpus = pen_digits(&strokes, mirrored);
        for limit in [100, 300] {
            for (name, from, layer) in [
                ("from scratch", None, None),
                ("from MNIST weights", Some("lenet5"), None),
                ("frozen up to S4", Some("lenet5"), Some("S4")),
                ("frozen up to F6", Some("lenet5"), Some("F6")),
            ] {
                let accuracies: Vec<f64> = (1..=3)
                    .map(|seed| {
                        let config = TrainingConfig {
                            seed,
                            batch_size: 32,
                            epochs: 30,
                            learning_rate: 0.001,
                            validation: 5_000,
                            train_limit: Some(limit),
                            from: from.map(str::to_owned),
                            freeze_up_to: layer.map(str::to_owned),
                            augmentation: Default::default(),
                            ..config("lenet5")
                        };
                        let data = TrainingData::split(&config, Arc::clone(&corpus)).unwrap();
                        let mut accuracy = 0.0;
                        training::run(&config, &data, &cpu(2), from.map(|_| &shipped), &mut |event, _| {
                            if let Event::Epoch(summary) = event {
                                accuracy = 100.0 * summary.validation.unwrap().confusion.accuracy();
                            }
                            ControlFlow::Continue(None)
                        })
                        .unwrap();
                        accuracy
                    })
                    .collect();
                eprintln!("mirrored {mirrored}, {limit} digits, {name}: {accuracies:.2?}");
            }
        }
    }
}
