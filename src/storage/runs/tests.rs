//! Runs as they are read: whole, under way, damaged.

use serde_json::json;

use super::*;

const CONFIG: &str = "model = \"mlp\"\nepochs = 3\nbatch_size = 64\nlearning_rate = 0.001\nvalidation = 200\n[optimizer]\nkind = \"adam\"\n";

fn line(epoch: u32, accuracy: f64, best: bool) -> String {
    let mut f1 = [0.9; CLASSES];
    f1[5] = 0.8;
    let line = json!({
        "event": "epoch", "epoch": epoch, "step": 10 * epoch, "train_loss": 0.5, "validation_loss": 0.4,
        "validation_accuracy": accuracy, "f1": f1, "seconds": 1.5, "best": best, "learning_rate": 0.001,
    });
    format!("{line}\n")
}

/// A run's folder with these files.
fn make(runs: &Path, name: &str, files: &[(&str, &str)]) -> PathBuf {
    let path = runs.join(name);
    fs::create_dir_all(&path).unwrap();
    for (file, content) in files {
        fs::write(path.join(file), content).unwrap();
    }
    path
}

fn all(runs: &Path) -> Vec<Run> {
    read_all(runs, &|| false).unwrap().unwrap()
}

#[test]
fn runs_are_listed_newest_first_and_other_folders_are_not() {
    let folder = tempfile::tempdir().unwrap();
    assert!(all(&folder.path().join("absent")).is_empty());
    for name in ["a_20240101_000000", "my_b_20240103_000000", "c_20240102_000000-2", ".deleted-d_20240104_000000"] {
        make(folder.path(), name, &[("config.toml", CONFIG)]);
    }
    make(folder.path(), "copied", &[("config.toml", CONFIG)]);
    make(folder.path(), "drawings", &[("handwriting.jsonl", "")]);
    fs::write(folder.path().join("file_20240105_000000"), "").unwrap();
    let names: Vec<(String, String)> = all(folder.path()).into_iter().map(|run| (run.name, run.stamp)).collect();
    let expected = [("my_b", "20240103_000000"), ("c", "20240102_000000-2"), ("a", "20240101_000000"), ("copied", "")];
    assert_eq!(names, expected.map(|(name, stamp)| (name.to_owned(), stamp.to_owned())));
    assert!(read_all(folder.path(), &|| true).unwrap().is_none(), "nobody wants it any more");
}

#[test]
fn the_best_epoch_comes_with_its_interval_and_its_worst_digit() {
    let folder = tempfile::tempdir().unwrap();
    let history = line(1, 0.9, true) + &line(2, 0.96, true) + &line(3, 0.95, false);
    let path = make(folder.path(), "a_20240101_000000", &[("config.toml", CONFIG), ("history.jsonl", &history)]);
    let run = read(&path);
    let best = run.best.unwrap();
    assert_eq!((best.epoch, best.worst_digit), (2, Some((5, 0.8))));
    // 192 of 200 (Wilson's formula by hand: 0.92309 to 0.97958)
    let [low, high] = best.accuracy.interval;
    assert!((low - 0.923_1).abs() < 2e-4 && (high - 0.979_6).abs() < 2e-4, "{low} {high}");
    assert_eq!((run.state, run.epochs(), run.parameters), (RunState::Interrupted, 3, Some(101_770)));
    assert!((run.seconds - 4.5).abs() < 1e-9 && run.problems.is_empty(), "{:?}", run.problems);

    // a run that stands for its last epoch says so in its record
    let metrics = json!({"ending": "completed", "seconds": 9.0, "best_epoch": 3,
        "test": {"accuracy": 0.97, "interval": [0.96, 0.98], "images": 1_000}});
    fs::write(path.join("metrics.json"), metrics.to_string()).unwrap();
    let run = read(&path);
    assert_eq!((run.best.unwrap().epoch, run.state, run.seconds), (3, RunState::Completed, 9.0));
    assert_eq!(run.test.unwrap().images, 1_000);
}

#[test]
fn a_run_that_is_written_is_running_and_one_that_was_left_is_interrupted() {
    let folder = tempfile::tempdir().unwrap();
    let path = make(folder.path(), "a_20240101_000000", &[("config.toml", CONFIG), ("LOCK", "")]);
    assert_eq!(read(&path).state, RunState::Interrupted);
    let lock = File::options().write(true).open(path.join("LOCK")).unwrap();
    lock.try_lock().unwrap();
    assert_eq!(read(&path).state, RunState::Running);
    drop(lock);
    for (ending, state) in [
        ("completed", RunState::Completed),
        ("stopped", RunState::Stopped),
        ("early-stopped", RunState::EarlyStopped),
        ("diverged", RunState::Diverged),
        ("of a later version", RunState::Interrupted),
    ] {
        fs::write(path.join("metrics.json"), json!({"ending": ending}).to_string()).unwrap();
        assert_eq!(read(&path).state, state, "{ending}");
    }
}

#[test]
fn damaged_folders_are_listed_with_a_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let whole = line(1, 0.9, true);
    let torn = whole.clone() + &line(2, 0.95, true)[..40];
    let first_line_damaged = format!("{{\"epoch\": \n{whole}");
    let files = |history: &'static str| [("config.toml", CONFIG), ("history.jsonl", history)];
    make(folder.path(), "a_20240101_000000", &[]);
    make(folder.path(), "b_20240102_000000", &[("config.toml", "model = 3")]);
    make(folder.path(), "c_20240103_000000", &[("config.toml", CONFIG), ("history.jsonl", &torn)]);
    make(folder.path(), "d_20240104_000000", &[("config.toml", CONFIG), ("history.jsonl", &first_line_damaged)]);
    make(folder.path(), "e_20240105_000000", &[("config.toml", CONFIG), ("metrics.json", "{")]);
    make(folder.path(), "f_20240106_000000", &[("config.toml", CONFIG), ("note.toml", "title = 3")]);
    make(folder.path(), "g_20240107_000000", &files("\u{fffd}\u{0}\n[]\n"));
    let lines = [line(1, 0.5, true), line(4, 0.6, false)].concat();
    make(folder.path(), "h_20240107_000001", &[("config.toml", CONFIG), ("history.jsonl", &lines)]);
    make(folder.path(), "ablation_20240108_000000", &[("plan.toml", "")]);
    let runs = all(folder.path());
    let found: Vec<(&str, RunState, usize, usize)> =
        runs.iter().rev().map(|run| (run.name.as_str(), run.state, run.problems.len(), run.history.len())).collect();
    let expected = [
        ("a", RunState::Failed, 1, 0),
        ("b", RunState::Failed, 1, 0),
        // a crash while the line was written
        ("c", RunState::Interrupted, 0, 1),
        ("d", RunState::Interrupted, 1, 1),
        ("e", RunState::Interrupted, 1, 0),
        ("f", RunState::Interrupted, 1, 0),
        ("g", RunState::Interrupted, 1, 0),
        // two epochs are missing
        ("h", RunState::Interrupted, 1, 2),
    ];
    assert_eq!(found, expected, "{:?}", runs.iter().map(|run| &run.problems).collect::<Vec<_>>());
    for run in &runs {
        assert!(run.problems.iter().all(|sentence| sentence.contains(&run.folder())), "{:?}", run.problems);
    }
}
