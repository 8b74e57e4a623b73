//! Event files are read back with the small reader of `message.rs`.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use super::*;
use crate::data::{Drawn, ImagesBeside};
use crate::nn::{Compute, DeviceChoice};
use crate::storage::recorded_run::{self, Recording};
use crate::storage::resumption::{self, Opened};
use crate::training::{Clock, Event, Stop, TrainingConfig, TrainingData};

/// All events of the only event file in a folder; fails where a byte is left over.
fn events(run: &Path) -> Vec<message::Read> {
    let files = files(run).unwrap();
    assert_eq!(files.len(), 1, "one file a run: {files:?}");
    let bytes = fs::read(&files[0]).unwrap();
    let (mut rest, mut events) = (bytes.as_slice(), Vec::new());
    while let Some((record, after)) = first_record(rest) {
        events.push(message::read(record).unwrap());
        rest = after;
    }
    assert!(rest.is_empty(), "{} bytes are no record", rest.len());
    events
}

/// Every point of every curve: tag, step, value.
fn points(events: &[message::Read]) -> Vec<(String, u64, f32)> {
    let of = |event: &message::Read| {
        let step = event.step;
        event.scalars.iter().map(move |(tag, value)| (tag.clone(), step, *value)).collect::<Vec<_>>()
    };
    events.iter().flat_map(of).collect()
}

fn data() -> TrainingData {
    let corpus = Drawn { train: 240, test: 0, seed: 5 }.generate(&mut |_, _| ControlFlow::Continue(())).unwrap();
    let beside = ImagesBeside::default();
    TrainingData { corpus: Arc::new(corpus), train: (0..200).collect(), beside, validation: (200..240).collect() }
}

fn config() -> TrainingConfig {
    TrainingConfig::from_toml(
        "model = \"mlp\"\nepochs = 3\nbatch_size = 20\nlearning_rate = 0.001\n[optimizer]\nkind = \"adam\"\n\
         [augmentation]\nrotation_degrees = 10.0\n",
    )
    .unwrap()
}

/// Trains into `runs`, or goes on; stops after an update, if one is named. What the run's callback was told: losses by update.
fn train(runs: &Path, stop_after: Option<u64>) -> (PathBuf, Vec<(u64, f64)>) {
    let compute = Arc::new(Compute::new(DeviceChoice::Cpu, Some(1)).unwrap());
    let recording = Recording { runs, name: "run", checkpoint_every: std::time::Duration::ZERO };
    let mut losses = Vec::new();
    let mut observe = |event: Event<'_>, _: &mut Clock| {
        if let Event::Step { step, loss, .. } = event {
            losses.push((step, loss));
            if Some(step) == stop_after {
                return ControlFlow::Break(Stop);
            }
        }
        ControlFlow::Continue(None)
    };
    let (mut begun, mut warn) = (|_: &_, _: Option<&str>| (), |warning| panic!("{warning}"));
    let run = match crate::storage::run_folder::find(runs, "run") {
        None => {
            recorded_run::train(&config(), &data(), &compute, recording, &mut begun, &mut warn, &mut observe).unwrap()
        }
        Some(path) => match resumption::open(&path, None).unwrap() {
            Opened::Unfinished(resumption) => {
                let (data, resumption) = (data(), *resumption);
                recorded_run::resume(resumption, &data, &compute, recording, &mut begun, &mut warn, &mut observe)
                    .unwrap()
            }
            Opened::Finished(_) => panic!("the run has ended"),
        },
    };
    (run.folder, losses)
}

#[test]
fn a_run_tells_its_curves_matrices_and_images() {
    let runs = tempfile::tempdir().unwrap();
    let (run, losses) = train(runs.path(), None);
    let events = events(&run);
    let points = points(&events);
    let curve = |tag: &str| -> Vec<(u64, f32)> {
        points.iter().filter(|(name, ..)| name == tag).map(|(_, step, value)| (*step, *value)).collect()
    };
    let told: Vec<(u64, f32)> = losses.iter().map(|(step, loss)| (*step, *loss as f32)).collect();
    assert_eq!((curve("loss/batch"), told.len()), (told, 30));
    assert_eq!(curve("epoch"), [(10, 1.0), (20, 2.0), (30, 3.0)]);
    assert_eq!(curve("learning_rate"), (1..=30).map(|step| (step, 0.001)).collect::<Vec<_>>());
    let history = fs::read_to_string(run.join("history.jsonl")).unwrap();
    let lines: Vec<serde_json::Value> = history.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for (tag, key) in [
        ("loss/training", "train_loss"),
        ("error/training", "train_error"),
        ("loss/validation", "validation_loss"),
        ("accuracy/validation", "validation_accuracy"),
    ] {
        let expected: Vec<f32> = lines.iter().map(|line| line[key].as_f64().unwrap() as f32).collect();
        assert_eq!(curve(tag).iter().map(|(_, value)| *value).collect::<Vec<_>>(), expected, "{tag}");
    }
    for (digit, expected) in lines[2]["f1"].as_array().unwrap().iter().enumerate() {
        assert_eq!(curve(&format!("f1/{digit}"))[2], (30, expected.as_f64().unwrap() as f32));
    }
    let pictures: Vec<(u64, &str)> =
        events.iter().flat_map(|e| e.pictures.iter().map(|(tag, _)| (e.step, tag.as_str()))).collect();
    let matrix = "confusion_matrix";
    assert_eq!(pictures, [(0, "training_images"), (10, matrix), (20, matrix), (30, matrix)]);
}

#[test]
fn a_run_that_was_left_tells_every_point_once_wherever_it_goes_on() {
    let whole = tempfile::tempdir().unwrap();
    let expected = points(&events(&train(whole.path(), None).0));
    // 10 and 20 end epochs: the run was left after the update and before the epoch was told
    for stops in [&[7][..], &[10], &[20, 23], &[1, 2, 29]] {
        let runs = tempfile::tempdir().unwrap();
        for &stop in stops {
            train(runs.path(), Some(stop));
        }
        let (run, _) = train(runs.path(), None);
        assert_eq!(points(&events(&run)), expected, "left after {stops:?}");
    }
}

#[test]
fn what_was_told_after_the_checkpoint_and_a_torn_record_are_told_again() {
    let folder = tempfile::tempdir().unwrap();
    let update = |step: u64| Update { step, updates: 40, loss: step as f64, error: 0.0, learning_rate: 0.1 };
    let mut file = EventFile::begin(folder.path(), 4).unwrap();
    (1..=15).for_each(|step| file.update(&update(step)).unwrap());
    let path = files(folder.path()).unwrap().remove(0);
    // killed within a record, after a checkpoint of update 12
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() - 3]).unwrap();
    let mut file = EventFile::go_on(folder.path(), (12, 1), 4).unwrap();
    (13..=16).for_each(|step| file.update(&update(step)).unwrap());
    let steps: Vec<u64> = points(&events(folder.path())).iter().filter(|p| p.0 == "loss/batch").map(|p| p.1).collect();
    assert_eq!(steps, (1..=16).collect::<Vec<_>>());

    // a part of a record that could not be written is cut off before the next one
    file.file.write_all(&[1, 2, 3]).unwrap();
    file.is_torn = true;
    file.update(&update(17)).unwrap();
    assert_eq!(points(&events(folder.path())).last().unwrap().1, 17);
}

#[test]
fn long_runs_are_thinned() {
    let folder = tempfile::tempdir().unwrap();
    let mut file = EventFile::begin(folder.path(), 1).unwrap();
    let update = |step: u64| Update { step, updates: 60_000, loss: 1.0, error: 0.0, learning_rate: 0.1 };
    (1..=60_000).for_each(|step| file.update(&update(step)).unwrap());
    assert_eq!(points(&events(folder.path())).len(), 3 * 2_000);
}
