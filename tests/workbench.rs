//! The program without a window: commands in, events out.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use digitpad::drawing::{DEFAULT_PEN, Drawing};
use digitpad::nn::DeviceChoice;
use digitpad::storage::handwriting_export::ExportForm;
use digitpad::storage::{resumption, shipped};
use digitpad::training::{Divergence, Ending, LiveSettings, TrainingConfig};
use digitpad::workbench::{Command, HandwritingCommand, ModelChoice, Options, Phase, SetChoice, Workbench};

fn workbench(runs: &std::path::Path) -> Workbench {
    Workbench::start(Options {
        runs: runs.to_owned(),
        drawings: Some(runs.join("drawings")),
        device: DeviceChoice::Cpu,
        threads: Some(2),
        wake: Arc::new(|_| {}),
        snapshot_every: Duration::from_millis(100),
    })
    .unwrap()
}

/// Polls until `done`, at most a minute.
fn until(workbench: &mut Workbench, what: &str, done: impl Fn(&Workbench) -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !done(workbench) {
        assert!(Instant::now() < deadline, "waited a minute for {what}; notices: {:?}", workbench.notices());
        workbench.poll();
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A one: a straight line, slightly slanted.
fn one() -> Drawing {
    Drawing::from_polylines(&[vec![[0.55, 0.1], [0.5, 0.5], [0.45, 0.9]]], DEFAULT_PEN).unwrap()
}

fn config(epochs: u32) -> TrainingConfig {
    let preset = shipped::find("mlp").unwrap().config().unwrap();
    TrainingConfig { data: "drawn".to_owned(), epochs, validation: 500, train_limit: Some(2_000), ..preset }
}

#[test]
fn a_drawing_is_answered_and_an_empty_pad_is_not() {
    let runs = tempfile::tempdir().unwrap();
    let mut workbench = workbench(runs.path());
    assert!(workbench.prediction().is_none());
    workbench.handle(Command::WatchLayer(Some(0)));
    workbench.handle(Command::SetDrawing(one()));
    until(&mut workbench, "an answer", |w| w.prediction().is_some());
    assert_eq!(workbench.prediction().unwrap().best(), 1);
    assert_eq!(workbench.feature_maps().unwrap().channels, 32);
    let image = workbench.preparation().unwrap().image.clone();

    for model in ["cnn", "mlp", "mlp-deep"] {
        workbench.handle(Command::ChooseModel(ModelChoice::Shipped(model)));
        until(&mut workbench, model, |w| w.prediction().is_some());
        assert_eq!(workbench.prediction().unwrap().best(), 1, "{model} reads a straight line");
        assert_eq!(workbench.preparation().unwrap().image, image, "the image does not depend on the model");
    }

    workbench.handle(Command::SetDrawing(Drawing::default()));
    assert!(workbench.prediction().is_none(), "never a guess for an empty pad");
    assert!(workbench.preparation().is_none());
}

#[test]
fn a_training_streams_curves_moves_the_pad_and_leaves_a_run() {
    let runs = tempfile::tempdir().unwrap();
    let mut workbench = workbench(runs.path());
    workbench.handle(Command::SetDrawing(one()));
    workbench.handle(Command::StartTraining(config(3)));
    until(&mut workbench, "a live answer", |w| *w.choice() == ModelChoice::Live && w.prediction().is_some());
    let first = *workbench.prediction().unwrap();

    // pressed twice: one training, and a sentence
    workbench.handle(Command::StartTraining(config(3)));
    assert!(workbench.notices().iter().any(|notice| notice.text.contains("under way")));

    until(&mut workbench, "the end", |w| !w.training_is_under_way());
    let view = workbench.training().unwrap();
    assert_eq!(view.phase, Phase::Ended(Ending::Completed));
    assert_eq!(view.curves.epochs.len(), 3);
    assert!(view.curves.steps.len() > 3 && view.curves.ticks.iter().filter(|tick| tick.whole).count() == 3);
    let (f1, before) = view.f1().unwrap();
    assert!(f1.iter().all(|f1| (0.0..=1.0).contains(f1)) && before.is_some());
    assert!(view.curves.epochs[2].train_loss < view.curves.epochs[0].train_loss, "it learns");
    assert!(view.test.is_some(), "a completed run meets the test set once");
    until(&mut workbench, "the trained answer", |w| w.prediction().is_some_and(|p| *p != first));

    let run = workbench.training().unwrap().run.clone().unwrap();
    for file in ["config.toml", "history.jsonl", "metrics.json", "best.safetensors", "last.safetensors"] {
        assert!(run.join(file).is_file(), "{file} is in the run's folder");
    }
    let text = std::fs::read_to_string(run.join("config.toml")).unwrap();
    assert_eq!(TrainingConfig::from_toml(&text).unwrap(), config(3), "the configuration repeats the run");
    workbench.handle(Command::LoadModel(run));
    until(&mut workbench, "the run's model", |w| matches!(w.choice(), ModelChoice::Opened(_)));
}

#[test]
fn an_interrupted_run_is_offered_at_the_next_start_and_goes_on_when_asked() {
    let runs = tempfile::tempdir().unwrap();
    let mut first = workbench(runs.path());
    first.handle(Command::StepEpoch(config(3)));
    until(&mut first, "the first epoch", |w| w.training().is_some_and(|view| view.phase == Phase::Paused));
    let run = first.training().unwrap().run.clone().unwrap();
    first.shut_down(Duration::from_secs(20));
    drop(first);

    let mut second = workbench(runs.path());
    until(&mut second, "the offer", |w| w.interrupted_run().is_some());
    let (path, sentence) = second.interrupted_run().unwrap();
    assert_eq!((path, sentence.contains("after 1 of 3 epochs")), (&*run, true), "{sentence}");
    assert!(second.training().is_none(), "never without being asked");
    second.handle(Command::ResumeRun(run.clone()));
    until(&mut second, "the end", |w| w.training().is_some_and(|view| !view.phase.is_under_way()));
    let view = second.training().unwrap();
    assert_eq!((&view.phase, &view.run), (&Phase::Ended(Ending::Completed), &Some(run.clone())));
    let epochs: Vec<u32> = view.curves.epochs.iter().map(|point| point.epoch).collect();
    assert_eq!(epochs, [1, 2, 3], "the curves have the epochs of before, too");
    let (before, steps) = (view.curves.epochs[0], &view.curves.steps);
    assert_eq!((steps[0].step, steps[0].loss), (before.step, before.train_loss), "the training curve begins there");
    assert!(steps.windows(2).all(|pair| pair[0].step < pair[1].step && pair[0].seconds <= pair[1].seconds));
    assert_eq!(std::fs::read_to_string(run.join("history.jsonl")).unwrap().lines().count(), 3);
    assert!(second.interrupted_run().is_none());

    second.handle(Command::StepEpoch(config(3)));
    until(&mut second, "the first epoch", |w| w.training().is_some_and(|view| view.phase == Phase::Paused));
    second.handle(Command::StopTraining);
    until(&mut second, "the stop", |w| !w.training_is_under_way());
    let run = second.training().unwrap().run.clone().unwrap();
    assert!(resumption::newest_interrupted(runs.path()).is_none(), "nobody is asked about what somebody has stopped");
    assert!(matches!(resumption::open(&run, None), Ok(resumption::Opened::Unfinished(_))), "but it can go on");
}

#[test]
fn steps_pauses_rates_and_stops_are_obeyed() {
    let runs = tempfile::tempdir().unwrap();
    let mut workbench = workbench(runs.path());
    let paused = |w: &Workbench| w.training().is_some_and(|view| view.phase == Phase::Paused);
    workbench.handle(Command::StepBatch(config(50)));
    until(&mut workbench, "the first pause", paused);
    assert_eq!(workbench.training().unwrap().step, 1, "a step is one update");

    workbench.handle(Command::StepBatch(config(50)));
    until(&mut workbench, "the second update", |w| w.training().unwrap().step == 2 && paused(w));
    let set = LiveSettings { batch_size: Some(20), momentum: Some(0.5), ..LiveSettings::rate(0.0005) };
    workbench.handle(Command::ChangeLive(set));
    workbench.handle(Command::ChangeLive(LiveSettings::rate(f64::NAN)));
    workbench.handle(Command::StepEpoch(config(50)));
    until(&mut workbench, "the end of the epoch", |w| w.training().unwrap().curves.epochs.len() == 1 && paused(w));
    let view = workbench.training().unwrap();
    let changes: Vec<(u64, &str)> = view.curves.changes.iter().map(|change| (change.step, &*change.what)).collect();
    let before = config(50);
    let what = format!("rate {}→0.0005, β₁ 0.9→0.5, batch {}→20", before.learning_rate, before.batch_size);
    assert_eq!(changes, [(2, &*what)], "NaN is no learning rate");
    assert_eq!(view.epoch_at(view.step), 1.0, "the end of an epoch, whatever the batches");
    assert!(view.learning_rate <= 0.0005);

    let journal = digitpad::storage::journal::read(view.run.as_ref().unwrap()).unwrap();
    let journal: Vec<(u64, u32, LiveSettings)> = journal.iter().map(|c| (c.update, c.epochs, c.set)).collect();
    assert_eq!(journal, [(3, 0, set)], "whoever repeats the run changes the rate before its third update");

    workbench.handle(Command::ResumeTraining);
    until(&mut workbench, "more updates", |w| w.training().unwrap().curves.epochs.len() >= 2);
    workbench.handle(Command::StopTraining);
    until(&mut workbench, "the stop", |w| !w.training_is_under_way());
    assert_eq!(workbench.training().unwrap().phase, Phase::Ended(Ending::Stopped));
    assert!(workbench.training().unwrap().run.as_ref().unwrap().join("last.safetensors").is_file());

    workbench.handle(Command::ResetTraining);
    assert!(workbench.training().is_none());
    assert_eq!(*workbench.choice(), ModelChoice::Shipped("pad"));
}

#[test]
fn a_run_is_repeated_with_its_changes_to_the_same_bits() {
    let runs = tempfile::tempdir().unwrap();
    let mut workbench = workbench(runs.path());
    let paused = |w: &Workbench| w.training().is_some_and(|view| view.phase == Phase::Paused);
    let ended = |w: &Workbench| !w.training_is_under_way();
    workbench.handle(Command::StepEpoch(config(2)));
    until(&mut workbench, "the first epoch", paused);
    let set = LiveSettings { batch_size: Some(100), ..LiveSettings::rate(0.004) };
    workbench.handle(Command::ChangeLive(set));
    workbench.handle(Command::ResumeTraining);
    until(&mut workbench, "the end", ended);
    let first = workbench.training().unwrap().clone();
    let run = first.run.clone().unwrap();
    let metrics = |run: &std::path::Path| -> serde_json::Value {
        serde_json::from_slice(&std::fs::read(run.join("metrics.json")).unwrap()).unwrap()
    };
    let changes = |run: &std::path::Path| -> Vec<String> {
        let history = std::fs::read_to_string(run.join("history.jsonl")).unwrap();
        history.lines().filter(|line| line.contains("\"change\"")).map(str::to_owned).collect()
    };
    for (seed, same) in [(None, true), (Some(99), false)] {
        workbench.handle(Command::ResetTraining);
        workbench.handle(Command::RepeatRun { run: run.clone(), seed });
        until(&mut workbench, "the same end", |w| ended(w) && w.training().is_some_and(|view| view.seconds.is_some()));
        let again = workbench.training().unwrap();
        let other = again.run.clone().unwrap();
        assert_ne!(other, run);
        assert_eq!(again.curves.changes, first.curves.changes, "the flags stand where they stood");
        assert_eq!(again.config.batch_size, 100);
        assert_eq!(metrics(&other)["updates"], metrics(&run)["updates"]);
        let hash = |run: &std::path::Path| metrics(run)["last_weights_sha256"].clone();
        assert_eq!(hash(&other) == hash(&run), same, "seed {seed:?}");
        assert_eq!((changes(&other).len(), changes(&other)), (1, changes(&run)));
    }
    workbench.handle(Command::RepeatRun { run: runs.path().join("absent"), seed: None });
    assert!(workbench.notices().iter().any(|notice| notice.text.starts_with("This run cannot be repeated: ")));
}

#[test]
fn slow_motion_shows_every_batch_and_changes_no_bit() {
    let runs = tempfile::tempdir().unwrap();
    let mut workbench = workbench(runs.path());
    let short = TrainingConfig { train_limit: Some(200), ..config(1) };
    let ended = |w: &Workbench| !w.training_is_under_way() && w.training().is_some_and(|view| view.seconds.is_some());
    let mut hashes = Vec::new();
    for speed in [None, Some(60)] {
        workbench.handle(Command::ResetTraining);
        workbench.handle(Command::SetSpeed(speed));
        workbench.handle(Command::StartTraining(short.clone()));
        let began = Instant::now();
        let mut seen = 0;
        while !ended(&workbench) {
            assert!(began.elapsed() < Duration::from_secs(60));
            workbench.poll();
            if let Some(batch) = workbench.training().and_then(|view| view.batch()) {
                seen = seen.max(batch.digits.len());
                let wrong = batch.digits.iter().filter(|digit| digit.label != Some(digit.answer)).count();
                assert!(batch.digits.len() < batch.images || wrong == batch.wrong);
                assert!(batch.gradients.iter().all(|(_, length)| *length > 0.0), "{:?}", batch.gradients);
                assert_eq!(batch.gradients.len(), 2, "the layers of the network");
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        let view = workbench.training().unwrap();
        assert_eq!(seen > 0, speed.is_some(), "at full speed no batch is shown");
        let least = speed.map_or(0.0, |speed| (view.step - 1) as f64 / f64::from(speed));
        assert!(began.elapsed().as_secs_f64() >= least);
        let metrics = std::fs::read_to_string(view.run.as_ref().unwrap().join("metrics.json")).unwrap();
        hashes.push(serde_json::from_str::<serde_json::Value>(&metrics).unwrap()["last_weights_sha256"].clone());
    }
    assert_eq!(hashes[0], hashes[1]);
    // a single step shows its batch at any speed
    workbench.handle(Command::SetSpeed(None));
    workbench.handle(Command::ResetTraining);
    workbench.handle(Command::StepBatch(short));
    until(&mut workbench, "the step", |w| w.training().is_some_and(|view| view.phase == Phase::Paused));
    let batch = workbench.training().unwrap().batch().unwrap();
    assert_eq!((batch.step, batch.digits.len()), (1, batch.images.min(64)));
}

#[test]
fn closing_while_training_keeps_the_weights() {
    let runs = tempfile::tempdir().unwrap();
    let mut workbench = workbench(runs.path());
    workbench.handle(Command::StartTraining(config(1_000)));
    until(&mut workbench, "some updates", |w| w.training().unwrap().step > 5);
    let start = Instant::now();
    workbench.shut_down(Duration::from_secs(5));
    assert!(start.elapsed() < Duration::from_secs(5));
    let run = workbench.training().unwrap().run.clone().unwrap();
    assert!(!run.join("metrics.json").exists(), "the run has not ended, it can go on");
    assert!(std::fs::read_dir(run.join("checkpoints")).unwrap().count() >= 1);
    assert!(run.join("last.safetensors").is_file());
}

#[test]
fn a_diverging_training_ends_with_a_sentence_and_finite_weights() {
    let runs = tempfile::tempdir().unwrap();
    let mut workbench = workbench(runs.path());
    workbench.handle(Command::StartTraining(TrainingConfig {
        // a decay of 1 at this rate makes every weight a hundred times as large at each update
        optimizer: digitpad::optim::OptimizerConfig::Sgd { momentum: 0.0, weight_decay: 1.0 },
        learning_rate: 100.0,
        ..config(3)
    }));
    until(&mut workbench, "the end", |w| !w.training_is_under_way());
    assert_eq!(workbench.training().unwrap().phase, Phase::Ended(Ending::Diverged(Divergence::NotFinite)));
    assert!(workbench.notices().iter().any(|notice| notice.text.contains("lower learning rate")));
    let run = workbench.training().unwrap().run.clone().unwrap();
    let weights = digitpad::storage::weights_file::WeightsFile::read(&run.join("last.safetensors"));
    assert!(weights.is_ok(), "the last good weights are kept");
}

#[test]
fn settings_that_cannot_be_and_missing_folders_are_told() {
    let runs = tempfile::tempdir().unwrap();
    let mut workbench = workbench(runs.path());
    workbench.handle(Command::StartTraining(TrainingConfig { learning_rate: f64::NAN, ..config(1) }));
    assert!(workbench.training().is_none());
    assert!(workbench.notices()[0].text.contains("learning rate"));

    workbench.handle(Command::StartTraining(TrainingConfig { data: "no-such-folder".to_owned(), ..config(1) }));
    until(&mut workbench, "the failure", |w| !w.training_is_under_way());
    assert!(matches!(workbench.training().unwrap().phase, Phase::Failed(_)));
    assert_eq!(*workbench.choice(), ModelChoice::Shipped("pad"), "the pad keeps its model");
    assert!(workbench.notices().iter().any(|notice| notice.text.contains("no-such-folder")));

    // a file where the runs folder should be
    let file = runs.path().join("file");
    std::fs::write(&file, "").unwrap();
    let mut workbench = self::workbench(&file.join("runs"));
    workbench.handle(Command::StartTraining(config(1)));
    until(&mut workbench, "the failure", |w| !w.training_is_under_way());
    assert!(workbench.notices().iter().any(|notice| notice.text.contains("runs folder")), "{:?}", workbench.notices());

    let text = runs.path().join("text.png");
    std::fs::write(&text, "this is a text file").unwrap();
    let before = workbench.notices().len();
    workbench.handle(Command::OpenPicture(text));
    until(&mut workbench, "the refusal", |w| w.notices().len() > before);
    assert!(workbench.notices().last().unwrap().text.contains("no picture of a known kind"));
}

#[test]
fn an_evaluation_fills_the_matrix_and_opens_an_image() {
    let runs = tempfile::tempdir().unwrap();
    let mut workbench = workbench(runs.path());
    // whatever data this computer has: MNIST or drawn digits
    workbench.handle(Command::Evaluate { set: SetChoice::Test });
    until(&mut workbench, "the evaluation", |w| w.evaluation().result.is_some());
    let result = Arc::clone(workbench.evaluation().result.as_ref().unwrap());
    assert_eq!(result.confusion.images() as usize, result.answers.len());
    assert!(result.confusion.accuracy() > 0.5);
    workbench.handle(Command::SelectImage(Some(7)));
    let (place, prediction) = workbench.evaluation().selected.unwrap();
    assert_eq!((place, prediction.best()), (7, result.answers[7].digit));
    assert!(!workbench.evaluation_is_stale());
    workbench.handle(Command::ChooseModel(ModelChoice::Shipped("mlp")));
    assert!(workbench.evaluation_is_stale(), "another model's matrix is marked");
}

#[test]
fn pictures_and_the_networks_image_go_in_and_out() {
    let runs = tempfile::tempdir().unwrap();
    let mut workbench = workbench(runs.path());
    let path = runs.path().join("digit.png");
    workbench.handle(Command::SavePicture(path.clone()));
    assert!(workbench.notices()[0].text.contains("nothing to save"));
    workbench.handle(Command::SetDrawing(one()));
    until(&mut workbench, "an answer", |w| w.preparation().is_some());
    workbench.handle(Command::SavePicture(path.clone()));
    until(&mut workbench, "the file", |w| w.notices().iter().any(|notice| notice.text.contains("Saved")));
    workbench.handle(Command::OpenPicture(path));
    until(&mut workbench, "the picture", |w| w.drawing().picture.is_some() && w.prediction().is_some());
    assert_eq!(workbench.prediction().unwrap().best(), 1, "a saved image reads the same");
    workbench.handle(Command::PastePicture { width: 3, height: 3, rgba: vec![0; 5] });
    until(&mut workbench, "the refusal", |w| w.notices().iter().any(|notice| notice.text.contains("cannot be pasted")));
}

/// Five drawings of two digits each, as a file of strokes that another program wrote, but for one line.
fn recorded_pens(folder: &std::path::Path) -> std::path::PathBuf {
    let path = folder.join("pens.jsonl");
    let line = |index: usize| match index % 2 {
        0 => format!("{{\"id\":{index},\"label\":1,\"strokes\":[[[{index},0],[0,50],[0,100]]]}}\n"),
        _ => format!("{{\"id\":{index},\"label\":7,\"strokes\":[[[0,{index}],[60,0],[20,100]]]}}\n"),
    };
    std::fs::write(&path, (0..10).map(line).chain(["nonsense\n".to_owned()]).collect::<String>()).unwrap();
    path
}

#[test]
fn kept_drawings_go_in_and_out_and_survive_a_restart() {
    let runs = tempfile::tempdir().unwrap();
    let hand = |command| Command::Handwriting(command);
    let mut first = workbench(runs.path());
    first.handle(hand(HandwritingCommand::Import(recorded_pens(runs.path()))));
    until(&mut first, "the import", |w| w.handwriting().drawings.len() == 10);
    assert!(first.notices().iter().any(|notice| notice.text.contains("line 11")), "{:?}", first.notices());
    first.handle(Command::SetDrawing(one()));
    first.handle(Command::KeepDrawing(Some(1)));
    assert_eq!(first.handwriting().counts()[1], 6);
    first.handle(hand(HandwritingCommand::Delete(vec!["3".to_owned(), "5".to_owned()])));
    first.handle(hand(HandwritingCommand::Undo));
    assert_eq!(first.handwriting().drawings[3].kept.id, "3", "what is brought back is where it was");
    first.handle(hand(HandwritingCommand::Delete(vec!["3".to_owned()])));
    let exported = runs.path().join("out.jsonl");
    first.handle(hand(HandwritingCommand::Export(ExportForm::Strokes, exported.clone())));
    until(&mut first, "the export", |_| exported.is_file());
    // nobody waits for the writer: closing does
    first.shut_down(Duration::from_secs(1));
    drop(first);

    let mut second = workbench(runs.path());
    let ids: Vec<String> = second.handwriting().drawings.iter().map(|view| view.kept.id.clone()).collect();
    assert_eq!(ids, ["0", "1", "2", "4", "5", "6", "7", "8", "9", "own-1"]);
    second.handle(hand(HandwritingCommand::Import(exported)));
    until(&mut second, "the second import", |w| w.handwriting().drawings.len() == 20);
    let drawings = &second.handwriting().drawings;
    assert_eq!(drawings[19].kept.drawing, drawings[9].kept.drawing);
    assert_ne!(drawings[19].kept.id, drawings[9].kept.id);
    until(&mut second, "all images", |w| w.handwriting().drawings.iter().all(|view| view.image().is_some()));
}

#[test]
fn fine_tuning_trains_on_half_and_tells_before_and_after() {
    let runs = tempfile::tempdir().unwrap();
    let mut workbench = workbench(runs.path());
    let hand = |command| Command::Handwriting(command);
    assert!(workbench.fine_tuning_needs().unwrap().contains("none is kept"));
    workbench.handle(hand(HandwritingCommand::FineTune("mlp".to_owned())));
    assert!(workbench.training().is_none(), "too few drawings start nothing");
    workbench.handle(hand(HandwritingCommand::Import(recorded_pens(runs.path()))));
    until(&mut workbench, "the import", |w| w.fine_tuning_needs().is_none());
    workbench.handle(hand(HandwritingCommand::FineTune("mlp".to_owned())));
    until(&mut workbench, "the training", |w| w.training().is_some_and(|view| view.run.is_some()));
    let config = workbench.training().unwrap().config.clone();
    assert_eq!((config.from.as_deref(), config.beside.pens_hold_out_half), (Some("mlp"), true));
    // 5 of each digit: the second and fourth are held out
    let beside = &config.beside;
    let learnt = beside.load(config.seed).unwrap().labels.len();
    assert_eq!((learnt, beside.held_out().unwrap().labels.len()), (6 * beside.pens_times, 4));
    until(&mut workbench, "before and after", |w| w.handwriting().fine_tuned.is_some());
    let (_, fine_tuning) = workbench.handwriting().fine_tuned.clone().unwrap();
    assert_eq!(fine_tuning.own.images, 4);
    assert!(fine_tuning.test.images > 1_000 && fine_tuning.test.after > fine_tuning.test.images / 2);
    let run = workbench.training().unwrap().run.clone().unwrap();
    let metrics = std::fs::read_to_string(run.join("metrics.json")).unwrap();
    assert!(metrics.contains("\"fine_tuning\""), "{metrics}");
    let text = std::fs::read_to_string(run.join("config.toml")).unwrap();
    assert_eq!(TrainingConfig::from_toml(&text).unwrap(), config, "the command line can repeat it");
}

#[test]
fn a_file_of_drawings_that_cannot_be_read_is_left_alone() {
    let runs = tempfile::tempdir().unwrap();
    let file = runs.path().join("drawings").join("handwriting.jsonl");
    std::fs::create_dir_all(&file).unwrap();
    let mut workbench = workbench(runs.path());
    until(&mut workbench, "the complaint", |w| !w.notices().is_empty());
    assert!(workbench.notices()[0].text.contains("nothing is written there"), "{:?}", workbench.notices());
    workbench.handle(Command::SetDrawing(one()));
    workbench.handle(Command::KeepDrawing(Some(1)));
    assert_eq!(workbench.handwriting().drawings.len(), 1);
    workbench.shut_down(Duration::from_millis(10));
    assert!(file.is_dir());
}
