//! Runs that are left and taken up again: to the same bits, whatever the moment. The built program is killed as a power cut
//! would end it; `DIGITPAD_KILLS=200 cargo test --test resume kill` tries it so many times.

#![allow(clippy::print_stdout, reason = "how many were killed is a figure to report")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

mod program;

use std::ops::ControlFlow;
use std::sync::{Arc, OnceLock};

use digitpad::data::{Augmentation, Corpus, Drawn};
use digitpad::nn::{Compute, DeviceChoice};
use digitpad::training::{
    self, Checkpoint, Clock, Ending, EpochSummary, Event, LiveChange, LiveSettings, Origin, Outcome, Pace, Stop,
    TrainingConfig, TrainingData,
};

fn digits() -> &'static Arc<Corpus> {
    static DIGITS: OnceLock<Arc<Corpus>> = OnceLock::new();
    DIGITS.get_or_init(|| {
        let drawn = Drawn { train: 300, test: 50, seed: 9 };
        Arc::new(drawn.generate(&mut |_, _| ControlFlow::Continue(())).unwrap())
    })
}

fn compute() -> Arc<Compute> {
    Arc::new(Compute::new(DeviceChoice::Cpu, Some(2)).unwrap())
}

/// A configuration for the small data set.
fn config(head: &str, optimizer: &str) -> String {
    format!("{head}\ndata = \"digits\"\nvalidation = 60\nseed = 3\n[optimizer]\n{optimizer}\n")
}

/// Settings of every kind that has something to remember: optimisers, plateaus, statistics, silent units, distortions.
fn configs() -> Vec<(&'static str, TrainingConfig)> {
    let mlp = "model = \"mlp-deep\"\nepochs = 3\nbatch_size = 50\nlearning_rate = 0.002";
    let plateau = "[schedule]\nkind = \"reduce-on-plateau\"\npatience = 0\nwatch = \"loss\"\n\
                   [augmentation]\nshift_pixels = 1.0\nrotation_degrees = 10.0\n";
    let paper = "model = \"lenet5-1998\"\nepochs = 2\nbatch_size = 1\nlearning_rate = 0.0005\ntrain_limit = 60\n\
                 initialisation = \"sqrt-fan-in\"\nloss = { kind = \"distance\" }\norder = \"constant\"";
    let scratch = "model = \"scratch\"\nepochs = 3\nbatch_size = 100\nlearning_rate = 1.0";
    let normal = "model = \"cnn-bn\"\nepochs = 2\nbatch_size = 30\nlearning_rate = 0.002\ntrain_limit = 90";
    let one_cycle = "[schedule]\nkind = \"one-cycle\"\n";
    [
        ("adam", config(mlp, "kind = \"adam\"") + plateau),
        ("adam-w", config(mlp, "kind = \"adam-w\"\nweight_decay = 0.01") + one_cycle),
        ("momentum", config(&mlp.replace("0.002", "0.02"), "kind = \"sgd\"\nmomentum = 0.9") + one_cycle),
        ("sdlm", config(paper, "kind = \"sdlm\"")),
        ("conjugate-gradient", config(scratch, "kind = \"conjugate-gradient\"\niterations = 2")),
        ("batch normalisation", config(normal, "kind = \"adam\"") + one_cycle),
    ]
    .map(|(name, text)| (name, TrainingConfig::from_toml(&text).unwrap()))
    .into()
}

/// What a run tells of an epoch, but for its times.
fn told(summary: &EpochSummary<'_>) -> String {
    let EpochSummary { epoch, step, train_loss, train_error, learning_rate, is_best, .. } = summary;
    let validation = summary.validation.map(|v| (v.loss, v.confusion.accuracy()));
    format!("{epoch} {step} {train_loss:?} {train_error:?} {learning_rate:?} {is_best} {validation:?}")
}

/// Trains from `origin`, changing settings after the updates that `changes` names, and copies the run at each of
/// `copied` updates.
fn trained(
    config: &TrainingConfig,
    data: &TrainingData,
    origin: Origin<'_>,
    live: &[LiveChange],
    changes: &[(u64, LiveSettings)],
    copied: &[u64],
) -> (Outcome, Vec<String>, Vec<Checkpoint>) {
    let (mut epochs, mut copies) = (Vec::new(), Vec::new());
    let outcome = training::begin(
        config,
        data,
        &compute(),
        origin,
        (live, &mut |event, _| {
            match event {
                Event::Resumable(run) if copied.contains(&run.step()) => copies.extend(run.checkpoint().unwrap()),
                Event::Epoch(summary) => epochs.push(told(&summary)),
                Event::Step { step, .. } => {
                    let set = changes.iter().find(|(at, _)| *at == step).map(|(_, set)| *set);
                    return ControlFlow::Continue(set);
                }
                _ => {}
            }
            ControlFlow::Continue(None)
        }),
    );
    (outcome.unwrap(), epochs, copies)
}

fn assert_the_same(a: &Outcome, b: &Outcome, what: &str) {
    assert_eq!(a.last_weights.sha256(), b.last_weights.sha256(), "{what}: the last weights");
    assert_eq!(a.best_weights.sha256(), b.best_weights.sha256(), "{what}: the best weights");
    assert_eq!((a.best_epoch, a.steps, a.epochs), (b.best_epoch, b.steps, b.epochs), "{what}");
    assert_eq!((a.ending, a.thresholds), (b.ending, b.thresholds), "{what}");
}

#[test]
fn a_run_goes_on_from_any_update_to_the_same_bits() {
    for (name, config) in configs() {
        let data = TrainingData::split(&config, Arc::clone(digits())).unwrap();
        let per_epoch = config.updates_per_epoch(data.train.len());
        // in the midst of the first epoch, at its end, right after it, in the midst of the last
        let copied = [1, per_epoch, per_epoch + 1, u64::from(config.epochs) * per_epoch - 1];
        let (whole, epochs, copies) = trained(&config, &data, Origin::Start(None), &[], &[], &copied);
        assert!(copies.len() >= 3, "{name}: {}", copies.len());
        for copy in &copies {
            let what = format!("{name} from update {}", copy.position.step);
            let (again, rest, _) = trained(&config, &data, Origin::Checkpoint(copy), &[], &[], &[]);
            assert_the_same(&whole, &again, &what);
            assert_eq!(rest, epochs[copy.position.epochs as usize..], "{what}");
        }
        // a run that has ended has nothing left to do, and still knows its best epoch
        let end = whole.checkpoint.as_ref().unwrap();
        let (again, rest, _) = trained(&config, &data, Origin::Checkpoint(end), &[], &[], &[]);
        assert_the_same(&whole, &again, name);
        assert!(rest.is_empty());
    }
}

#[test]
fn a_run_that_is_stopped_anywhere_goes_on_to_the_same_bits() {
    for (name, config) in configs().into_iter().filter(|(name, _)| ["adam", "conjugate-gradient"].contains(name)) {
        let data = TrainingData::split(&config, Arc::clone(digits())).unwrap();
        let (whole, ..) = trained(&config, &data, Origin::Start(None), &[], &[], &[]);
        for stop_after in [1, 4, 7, 11, 19] {
            let mut events = 0;
            let mut checkpoint: Option<Checkpoint> = None;
            // left and taken up until it is done, each time after so many events
            let last = loop {
                let origin = checkpoint.as_ref().map_or(Origin::Start(None), Origin::Checkpoint);
                let watch = &mut |event: Event<'_>, _: &mut Clock| {
                    events += usize::from(!matches!(event, Event::Resumable(_)));
                    let stops = events % (stop_after + 12) == stop_after;
                    if stops { ControlFlow::Break(Stop) } else { ControlFlow::Continue(None) }
                };
                let outcome = training::begin(&config, &data, &compute(), origin, (&[], watch)).unwrap();
                if outcome.ending != Ending::Stopped {
                    break outcome;
                }
                checkpoint = outcome.checkpoint;
            };
            assert_the_same(&whole, &last, &format!("{name}, stopped after {stop_after} events"));
        }
    }
}

#[test]
fn changes_made_live_are_made_again_at_their_update() {
    let (_, config) = configs().swap_remove(0);
    let data = TrainingData::split(&config, Arc::clone(digits())).unwrap();
    let per_epoch = config.updates_per_epoch(data.train.len());
    // within an epoch, and at the last update of one
    for at in [per_epoch + 2, per_epoch] {
        let change = [(at, LiveSettings::rate(0.0005))];
        let (whole, epochs, copies) = trained(&config, &data, Origin::Start(None), &[], &change, &[2]);
        let (unchanged, ..) = trained(&config, &data, Origin::Start(None), &[], &[], &[]);
        assert_ne!(whole.last_weights.sha256(), unchanged.last_weights.sha256(), "the change has an effect");
        let live = [LiveChange { update: at + 1, epochs: ((at - 1) / per_epoch) as u32, set: change[0].1 }];
        for origin in [Origin::Start(None), Origin::Checkpoint(&copies[0])] {
            let (again, told, _) = trained(&config, &data, origin, &live, &[], &[]);
            assert_the_same(&whole, &again, &format!("changed after update {at}"));
            assert_eq!(told, epochs);
        }
    }
}

#[test]
fn every_setting_that_changes_live_changes_again_to_the_same_bits() {
    let augmentation = Augmentation { shift_pixels: 2.0, elastic_pixels: 0.7, ..Augmentation::MILD };
    let changes = [
        // within the first epoch, at its end, twice within the last
        (2, LiveSettings { batch_size: Some(35), momentum: Some(0.6), ..LiveSettings::default() }),
        (7, LiveSettings { weight_decay: Some(0.02), augmentation: Some(augmentation), ..LiveSettings::rate(0.001) }),
        (
            9,
            LiveSettings {
                batch_size: Some(64),
                augmentation: Some(Augmentation::default()),
                ..LiveSettings::default()
            },
        ),
        (12, LiveSettings { momentum: Some(0.95), batch_size: Some(20), ..LiveSettings::default() }),
    ];
    let kinds = ["adam", "adam-w", "momentum", "batch normalisation"];
    for (name, config) in configs().into_iter().filter(|(name, _)| kinds.contains(name)) {
        let config = TrainingConfig { epochs: 3, train_limit: Some(230), batch_size: 50, ..config };
        let data = TrainingData::split(&config, Arc::clone(digits())).unwrap();
        let (mut pace, mut live) = (Pace::new(&config, data.train.len()), Vec::new());
        for (at, set) in changes {
            // an update that ends an epoch is told before the epoch is
            let epochs = pace.epochs_after(at).ceil() as u32 - 1;
            live.push(LiveChange { update: at + 1, epochs, set });
            if let Some(size) = set.batch_size {
                pace.change(at + 1, size);
            }
        }
        // within an epoch before and after a changed batch size, right before and after a change, at the end of an epoch
        let all: Vec<u64> = (1..pace.updates()).collect();
        let copied = if name == "adam-w" { all } else { vec![2, 3, 10] };
        let (whole, epochs, copies) = trained(&config, &data, Origin::Start(None), &[], &changes, &copied);
        assert_eq!((whole.steps, whole.epochs), (pace.updates(), 3), "{name}: the run keeps its epochs");
        assert!(pace.updates() != 3 * config.updates_per_epoch(data.train.len()), "{name}");
        let (unchanged, ..) = trained(&config, &data, Origin::Start(None), &[], &[], &[]);
        assert_ne!(whole.last_weights.sha256(), unchanged.last_weights.sha256(), "{name}");
        let (again, told, _) = trained(&config, &data, Origin::Start(None), &live, &[], &[]);
        assert_the_same(&whole, &again, &format!("{name}, repeated"));
        assert_eq!(told, epochs, "{name}");
        for copy in &copies {
            let what = format!("{name} from update {}", copy.position.step);
            let (again, rest, _) = trained(&config, &data, Origin::Checkpoint(copy), &live, &[], &[]);
            assert_the_same(&whole, &again, &what);
            assert_eq!(rest, epochs[copy.position.epochs as usize..], "{what}");
        }
        // each of them has an effect of its own
        for left_out in 0..if name == "adam-w" { live.len() } else { 0 } {
            let mut fewer = live.clone();
            fewer.remove(left_out);
            let (other, ..) = trained(&config, &data, Origin::Start(None), &fewer, &[], &[]);
            assert_ne!(other.last_weights.sha256(), whole.last_weights.sha256(), "{name} without change {left_out}");
        }
    }
}

#[test]
fn a_pause_is_no_time_of_training() {
    const PAUSE: std::time::Duration = std::time::Duration::from_millis(200);
    let (_, config) = configs().swap_remove(2);
    let config = TrainingConfig { epochs: 2, ..config };
    let data = TrainingData::split(&config, Arc::clone(digits())).unwrap();
    let (mut epochs, mut copy) = (Vec::new(), None);
    // rests where a clock can be asked: the clock stands still while the run does
    let pause = |clock: &mut Clock| {
        let before = clock.seconds();
        clock.pause();
        std::thread::sleep(PAUSE);
        clock.resume();
        assert!(clock.seconds() - before < PAUSE.as_secs_f64() / 2.0, "a rest was counted");
    };
    let began = std::time::Instant::now();
    let outcome = training::run(&config, &data, &compute(), None, &mut |event, clock| {
        match event {
            Event::Step { step: 1 | 2, .. } => pause(clock),
            Event::Resumable(run) if run.step() == 3 => copy = run.checkpoint().unwrap(),
            Event::Epoch(summary) => {
                epochs.push(summary.seconds);
                pause(clock);
            }
            _ => {}
        }
        ControlFlow::Continue(None)
    })
    .unwrap();
    let (all, rested) = (began.elapsed().as_secs_f64(), 4.0 * PAUSE.as_secs_f64());
    assert!(outcome.seconds <= all - rested, "{} of {all} s", outcome.seconds);
    let sum: f64 = epochs.iter().sum();
    assert!(sum <= outcome.seconds && sum > 0.0, "{epochs:?} make {}", outcome.seconds);
    // whoever goes on counts from there
    let copy = copy.unwrap();
    assert!(copy.position.seconds <= outcome.seconds && copy.position.met.seconds > 0.0);
    let (again, ..) = trained(&config, &data, Origin::Checkpoint(&copy), &[], &[], &[]);
    assert!(again.seconds >= copy.position.seconds);
}

#[test]
fn a_schedule_goes_by_images_whatever_the_batch() {
    let (_, config) = configs().swap_remove(2);
    let config = TrainingConfig { epochs: 2, batch_size: 20, ..config };
    let data = TrainingData::split(&config, Arc::clone(digits())).unwrap();
    let rates = |changes: &[(u64, LiveSettings)]| {
        let (mut rates, mut met) = (Vec::new(), 0);
        training::run(&config, &data, &compute(), None, &mut |event, _| {
            let Event::Step { step, learning_rate, images, .. } = event else { return ControlFlow::Continue(None) };
            rates.push((met, learning_rate));
            met += images;
            ControlFlow::Continue(changes.iter().find(|(at, _)| *at == step).map(|(_, set)| *set))
        })
        .unwrap();
        rates
    };
    let size = |batch_size| LiveSettings { batch_size: Some(batch_size), ..LiveSettings::default() };
    let (plain, changed) = (rates(&[]), rates(&[(3, size(60)), (8, size(40))]));
    assert!(changed.len() < plain.len() - 5, "{} and {} updates", changed.len(), plain.len());
    let mut compared = 0;
    for (met, rate) in &changed {
        if let Some((_, expected)) = plain.iter().find(|(images, _)| images == met) {
            assert_eq!(rate, expected, "after {met} images");
            compared += 1;
        }
    }
    assert!(compared > 8, "{compared}");
}

#[test]
fn early_stopping_ends_a_run_and_its_best_epoch_is_kept() {
    let text = config("model = \"mlp\"\nepochs = 60\nbatch_size = 30\nlearning_rate = 0.01", "kind = \"adam\"")
        + "[early_stopping]\npatience = 3\nmin_delta = 0.001\n";
    let config = TrainingConfig::from_toml(&text).unwrap();
    let data = TrainingData::split(&config, Arc::clone(digits())).unwrap();
    let mut losses: Vec<f64> = Vec::new();
    let outcome = training::run(&config, &data, &compute(), None, &mut |event, _| {
        if let Event::Epoch(summary) = event {
            losses.push(summary.validation.unwrap().loss);
        }
        ControlFlow::Continue(None)
    })
    .unwrap();
    assert_eq!((outcome.ending, outcome.epochs as usize), (Ending::EarlyStopped, losses.len()));
    let (last, before) = (&losses[losses.len() - 3..], &losses[..losses.len() - 3]);
    let best = before.iter().copied().fold(f64::INFINITY, f64::min);
    assert!(losses.len() < 60 && last.iter().all(|loss| *loss > best - 0.001), "{losses:?}");
    let (again, ..) = trained(&config, &data, Origin::Checkpoint(outcome.checkpoint.as_ref().unwrap()), &[], &[], &[]);
    assert_the_same(&outcome, &again, "taken up at its end");
}
