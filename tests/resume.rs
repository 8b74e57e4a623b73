//! Runs that are left and taken up again: to the same bits, whatever the moment. The built program is killed as a power cut
//! would end it; `DIGITPAD_KILLS=200 cargo test --test resume kill` tries it so many times.

#![allow(clippy::print_stdout, reason = "how many were killed is a figure to report")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use digitpad::data::{Augmentation, Corpus, Drawn, idx};
use digitpad::nn::random::{Purpose, stream};
use digitpad::nn::{Compute, DeviceChoice};
use digitpad::training::{
    self, Checkpoint, Clock, Ending, EpochSummary, Event, LiveChange, LiveSettings, Origin, Outcome, Pace, Stop,
    TrainingConfig, TrainingData,
};
use rand::Rng;
use serde_json::Value;

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

#[test]
fn a_run_goes_on_from_elsewhere_with_data_that_moved_and_never_begins_again_unasked() {
    let text = config("model = \"mlp\"\nepochs = 3\nbatch_size = 30\nlearning_rate = 0.002", "kind = \"adam\"")
        + "[schedule]\nkind = \"constant\"\n";
    let home = Home::new(&text);
    assert_eq!(home.call(&["train", "config.toml", "--name", "short"]).0, Some(0));
    let run = home.run("short").unwrap();
    let settings = run.join("config.toml");
    let told = std::fs::read_to_string(&settings).unwrap();
    let digits = home.folder.path().join("digits");
    let named = std::path::absolute(&digits).unwrap().display().to_string();
    assert!(told.contains(&named), "a path that means the same from everywhere: {told}");
    // the data set has moved, and whoever moved it says so
    let moved = home.folder.path().join("moved");
    std::fs::rename(&digits, &moved).unwrap();
    let (code, _, err) = home.call(&["resume", "short", "--epochs", "4"]);
    assert!(code == Some(1) && err.contains("digits"), "{err}");
    std::fs::write(&settings, told.replace(&named, &moved.display().to_string())).unwrap();
    let (code, end, err) = home.call(&["resume", "short", "--epochs", "4"]);
    assert_eq!((code, end["epochs"].as_u64()), (Some(0), Some(4)), "{err}");
    assert!(!err.contains("Begins again"), "{err}");
    // a history that was cut is told, and no checkpoint that can be read is no reason to lose the run
    let history = run.join("history.jsonl");
    let lines = std::fs::read_to_string(&history).unwrap();
    std::fs::write(&history, lines.lines().next().unwrap().to_owned() + "\n").unwrap();
    let (code, _, err) = home.call(&["resume", "short", "--epochs", "5"]);
    assert!(code == Some(0) && err.contains("has lost epochs 2 to 4"), "{err}");
    for checkpoint in run.join("checkpoints").read_dir().unwrap() {
        std::fs::write(checkpoint.unwrap().path().join("state.json"), "{}").unwrap();
    }
    let before = std::fs::read_to_string(&history).unwrap();
    let (code, _, err) = home.call(&["resume", "short", "--epochs", "6"]);
    assert!(code == Some(1) && err.contains("none of its checkpoints can be used"), "{err}");
    assert_eq!(std::fs::read_to_string(&history).unwrap(), before, "nothing was touched");
}

/// A folder with the small data set and runs.
struct Home {
    folder: tempfile::TempDir,
}

impl Home {
    fn new(config: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("digits")).unwrap();
        idx::write_folder(&folder.path().join("digits"), &digits().train, &digits().test).unwrap();
        std::fs::write(folder.path().join("config.toml"), config).unwrap();
        Self { folder }
    }

    fn start(&self, arguments: &[&str]) -> Child {
        let mut command = Command::new(env!("CARGO_BIN_EXE_digitpad"));
        command.args(arguments).args(["--runs", "runs", "--json", "--threads", "1"]);
        command.current_dir(self.folder.path()).env("HOME", self.folder.path()).env_remove("DIGITPAD_DATA");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// Exit code, last line of standard output, standard error.
    fn call(&self, arguments: &[&str]) -> (Option<i32>, Value, String) {
        let output = self.start(arguments).wait_with_output().unwrap();
        let out = String::from_utf8(output.stdout).unwrap();
        let err = String::from_utf8(output.stderr).unwrap();
        let last = out.lines().last().map_or(Value::Null, |line| serde_json::from_str(line).unwrap());
        (output.status.code(), last, err)
    }

    fn run(&self, name: &str) -> Option<PathBuf> {
        let runs = std::fs::read_dir(self.folder.path().join("runs")).ok()?;
        let mut found = runs.map(|entry| entry.unwrap().path());
        // before its configuration is there it is no run yet
        found.find(|path| {
            path.file_name().unwrap().to_str().unwrap().starts_with(name) && path.join("config.toml").is_file()
        })
    }
}

/// What must be the same of two runs: weights, and history but for its times.
fn record(run: &Path) -> (Vec<Value>, Vec<Value>, Vec<u8>) {
    let read = |name: &str| std::fs::read_to_string(run.join(name)).unwrap();
    let metrics: Value = serde_json::from_str(&read("metrics.json")).unwrap();
    let keys = ["weights_sha256", "last_weights_sha256", "ending", "epochs", "updates", "best_epoch", "sure_above"];
    let history = read("history.jsonl");
    let history = history.lines().map(|line| {
        let mut line: Value = serde_json::from_str(line).unwrap();
        line["seconds"] = Value::Null;
        line["images_per_second"] = Value::Null;
        line
    });
    let best = std::fs::read(run.join("best.safetensors")).unwrap();
    (keys.map(|key| metrics[key].clone()).into(), history.collect(), best)
}

#[test]
#[allow(clippy::print_stdout, reason = "how many kills were tried is the figure that it is run for")]
fn a_run_that_is_killed_at_any_moment_goes_on_as_if_nothing_had_happened() {
    let kills: usize = std::env::var("DIGITPAD_KILLS").ok().and_then(|n| n.parse().ok()).unwrap_or(20);
    let adam = config("model = \"mlp\"\nepochs = 20\nbatch_size = 16\nlearning_rate = 0.002", "kind = \"adam\"")
        + "[augmentation]\nshift_pixels = 1.0\n";
    let sdlm = config(
        "model = \"lenet5-1998\"\nepochs = 5\nbatch_size = 1\nlearning_rate = 0.0005\nloss = { kind = \"distance\" }\n\
         initialisation = \"sqrt-fan-in\"",
        "kind = \"sdlm\"\npatterns = 100",
    );
    let conjugate = config(
        "model = \"scratch\"\nepochs = 12\nbatch_size = 64\nlearning_rate = 1.0",
        "kind = \"conjugate-gradient\"\niterations = 4",
    );
    let mut rng = stream(7, Purpose::Shuffle, 0, 0);
    let mut killed_so_far = 0;
    for (i, (name, config)) in [("adam", adam), ("sdlm", sdlm), ("conjugate-gradient", conjugate)].iter().enumerate() {
        let home = Home::new(config);
        // the second time nothing is read for the first time
        home.call(&["train", "config.toml", "--name", "warm-up", "--checkpoint-seconds", "0"]);
        let began = Instant::now();
        let (code, _, err) = home.call(&["train", "config.toml", "--name", "whole", "--checkpoint-seconds", "0"]);
        assert_eq!(code, Some(0), "{name}: {err}");
        let longest = began.elapsed().as_secs_f64();
        let expected = record(&home.run("whole").unwrap());
        let (mut killed, mut chains, mut from_checkpoints) = (0, 0, 0);
        while killed < kills * (i + 1) / 3 - kills * i / 3 {
            chains += 1;
            let chain = format!("chain{chains}");
            // a new checkpoint as soon as the one before is written, or now and then
            let every = ["0", "0.02", "0.1"][chains % 3];
            loop {
                let mut child = match home.run(&chain) {
                    None => home.start(&["train", "config.toml", "--name", &chain, "--checkpoint-seconds", every]),
                    Some(_) => home.start(&["resume", &chain, "--checkpoint-seconds", every]),
                };
                let deadline = Instant::now() + Duration::from_secs_f64(rng.random_range(0.0..longest));
                while child.try_wait().unwrap().is_none() && Instant::now() < deadline {
                    std::thread::sleep(Duration::from_micros(200));
                }
                if let Some(status) = child.try_wait().unwrap() {
                    let output = child.wait_with_output().unwrap();
                    assert!(status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
                    break;
                }
                child.kill().unwrap();
                child.wait().unwrap();
                if let Some(run) = home.run(&chain) {
                    killed += 1;
                    let saved = std::fs::read_dir(run.join("checkpoints")).is_ok_and(|mut all| all.next().is_some());
                    from_checkpoints += usize::from(saved);
                }
            }
            assert_eq!(record(&home.run(&chain).unwrap()), expected, "{name}: {chain} after {killed} kills");
        }
        assert!(from_checkpoints * 2 > killed, "{name}: {from_checkpoints} of {killed} kills left a checkpoint");
        killed_so_far += killed;
        println!("{name}: {killed} kills in {chains} runs, all the same; {from_checkpoints} left a checkpoint");
    }
    assert!(killed_so_far >= kills);
}

#[test]
fn a_run_is_trained_once_more_with_its_journal() {
    let text = config("model = \"mlp\"\nepochs = 3\nbatch_size = 30\nlearning_rate = 0.002", "kind = \"adam\"");
    let home = Home::new(&text);
    let (_, plain, _) = home.call(&["train", "config.toml", "--name", "plain"]);
    let journal = "{\"update\":3,\"epochs\":0,\"set\":{\"batch_size\":50}}\n{\"update\":9,\"epochs\":1,\"learning_rate\":\"0.01\"}\n";
    std::fs::write(home.run("plain").unwrap().join("journal.jsonl"), journal).unwrap();
    let (code, changed, err) = home.call(&["train", "plain", "--name", "changed"]);
    assert_eq!(code, Some(0), "{err}");
    assert_ne!(changed["weights_sha256"], plain["weights_sha256"]);
    // its folder instead of its name
    let folder = home.run("changed").unwrap();
    home.call(&["train", folder.to_str().unwrap(), "--name", "again"]);
    let (changed, again) = (record(&folder), record(&home.run("again").unwrap()));
    assert_eq!(changed, again);
    let order: Vec<&str> = again.1.iter().map(|line| line["event"].as_str().unwrap()).collect();
    assert_eq!(order, ["change", "epoch", "change", "epoch", "epoch"]);
    assert_eq!((&again.1[0]["what"], &again.1[2]["what"]), (&"batch 30→50".into(), &"rate 0.002→0.01".into()));
}

#[test]
fn a_run_that_is_done_says_so_and_takes_more_epochs_only_where_the_rate_permits() {
    let text = config("model = \"mlp\"\nepochs = 2\nbatch_size = 30\nlearning_rate = 0.002", "kind = \"adam\"");
    let home = Home::new(&text);
    let (_, finished, _) = home.call(&["train", "config.toml", "--name", "short"]);
    let (code, again, _) = home.call(&["resume", "short"]);
    assert_eq!((code, &again["weights_sha256"]), (Some(0), &finished["weights_sha256"]));
    let (code, longer, err) = home.call(&["resume", "short", "--epochs", "4"]);
    assert_eq!((code, &longer["epochs"]), (Some(0), &4.into()), "{err}");
    home.call(&["train", "config.toml", "--name", "long", "--epochs", "4"]);
    assert_eq!(record(&home.run("short").unwrap()), record(&home.run("long").unwrap()));
    let (code, _, err) = home.call(&["resume", "short", "--epochs", "3"]);
    assert!(code == Some(0) && err.is_empty(), "{err}");

    std::fs::write(home.folder.path().join("config.toml"), text + "[schedule]\nkind = \"cosine\"\n").unwrap();
    home.call(&["train", "config.toml", "--name", "falling"]);
    let (code, _, err) = home.call(&["resume", "falling", "--epochs", "4"]);
    assert!(code == Some(1) && err.contains("its learning rate stretches over them"), "{err}");
    let (code, _, err) = home.call(&["resume", "absent"]);
    assert!(code == Some(1) && err.contains("there is no run \"absent\""), "{err}");
}

#[test]
fn other_images_and_another_program_at_work_are_told() {
    let text = config("model = \"mlp\"\nepochs = 10000\nbatch_size = 30\nlearning_rate = 0.002", "kind = \"adam\"");
    let home = Home::new(&text);
    let mut child = home.start(&["train", "config.toml", "--name", "cut", "--checkpoint-seconds", "0"]);
    let deadline = Instant::now() + Duration::from_secs(60);
    let saved = |path: PathBuf| path.join("checkpoints").read_dir().is_ok_and(|all| all.count() > 1);
    while !home.run("cut").is_some_and(saved) {
        assert!(Instant::now() < deadline, "no checkpoint within a minute");
        std::thread::sleep(Duration::from_millis(5));
    }
    let (code, _, err) = home.call(&["resume", "cut"]);
    assert!(code == Some(1) && err.contains("another program is writing this run"), "{err}");
    child.kill().unwrap();
    child.wait().unwrap();
    // as many images with the same labels, drawn otherwise
    let folder = home.folder.path().join("digits");
    let other = Drawn { train: 300, test: 50, seed: 10 }.generate(&mut |_, _| ControlFlow::Continue(())).unwrap();
    idx::write_folder(&folder, &other.train, &other.test).unwrap();
    let (code, _, err) = home.call(&["resume", "cut"]);
    assert!(code == Some(1) && err.contains("not the images that the run has learnt from"), "{err}");
    let fewer = Drawn { train: 200, test: 50, seed: 9 }.generate(&mut |_, _| ControlFlow::Continue(())).unwrap();
    idx::write_folder(&folder, &fewer.train, &fewer.test).unwrap();
    let (code, _, err) = home.call(&["resume", "cut"]);
    assert!(code == Some(1) && err.contains("learnt from 240 images and kept 60 aside, now there are 140"), "{err}");
}
