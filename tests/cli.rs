//! The built program, as scripts call it: what it prints, with which exit code, and what it says about bad input.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use digitpad::data::{Corpus, Drawn, idx};
use digitpad::drawing::SIDE;
use digitpad::storage::picture_file;
use serde_json::Value;

/// A home folder of its own for every test, so that nobody's settings, data or runs are met or touched.
struct Home {
    folder: tempfile::TempDir,
}

/// How a call ended.
struct Ended {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Home {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A folder with the four files of a small data set: 300 drawn digits to learn from, 100 to test on.
    fn data(&self) -> PathBuf {
        static DIGITS: OnceLock<Corpus> = OnceLock::new();
        let digits = DIGITS.get_or_init(|| {
            Drawn { train: 300, test: 100, seed: 9 }.generate(&mut |_, _| ControlFlow::Continue(())).unwrap()
        });
        let folder = self.path("digits");
        std::fs::create_dir_all(&folder).unwrap();
        idx::write_folder(&folder, &digits.train, &digits.test).unwrap();
        folder
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_digitpad"));
        command.args(arguments).current_dir(self.folder.path()).env("HOME", self.folder.path());
        for variable in ["XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "APPDATA"] {
            command.env(variable, self.path(variable));
        }
        for variable in ["DIGITPAD_DATA", "DISPLAY", "WAYLAND_DISPLAY", "WAYLAND_SOCKET"] {
            command.env_remove(variable);
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn call(&self, arguments: &[&str]) -> Ended {
        let output = self.command(arguments).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let ended = Ended { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) };
        assert!(!ended.err.contains("panicked"), "{arguments:?}: {}", ended.err);
        ended
    }

    /// A call that must end well; what it printed, a JSON value a line.
    fn json(&self, arguments: &[&str]) -> Vec<Value> {
        let ended = self.call(arguments);
        assert_eq!(ended.code, Some(0), "{arguments:?}: {}", ended.err);
        ended.values()
    }

    /// A call that must fail with exit code 1 and one sentence that contains `expected`.
    fn refused(&self, arguments: &[&str], expected: &str) {
        let ended = self.call(arguments);
        assert_eq!(ended.code, Some(1), "{arguments:?}: {}{}", ended.out, ended.err);
        let sentence = ended.err.lines().last().unwrap_or("");
        assert!(sentence.starts_with("digitpad: "), "{arguments:?}: {}", ended.err);
        assert!(sentence.contains(expected), "{arguments:?}: expected \"{expected}\" in: {sentence}");
        let remarks = ended.err.lines().filter(|line| !line.contains("built for the processor alone")).count();
        assert_eq!(remarks, 1, "one sentence, not: {}", ended.err);
    }
}

impl Ended {
    fn values(&self) -> Vec<Value> {
        self.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn assert_keys(value: &Value, keys: &str) {
    for key in keys.split_whitespace() {
        assert!(value.get(key).is_some(), "the contract's key {key} is missing in {value}");
    }
}

/// Fast settings for the small data set; the flags that a test adds come after them.
fn training<'a>(data: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let mut arguments = vec!["train", "mlp", "--data", data, "--batch-size", "32", "--validation", "50"];
    arguments.extend(["--runs", "runs", "--json"]);
    if !more.contains(&"--epochs") {
        arguments.extend(["--epochs", "2"]);
    }
    arguments.extend(more);
    arguments
}

const EVALUATION_KEYS: &str = "model images accuracy error_percent interval macro_f1 f1 confusion loss seconds";

#[test]
fn a_training_tells_its_events_in_order_and_leaves_a_run() {
    let home = Home::new();
    let data = home.data();
    let lines = home.json(&training(text(&data), &["--name", "first"]));
    let events: Vec<&str> = lines.iter().map(|line| line["event"].as_str().unwrap()).collect();
    assert_eq!((events[0], *events.last().unwrap()), ("started", "finished"));
    assert_eq!(events.iter().filter(|event| **event == "epoch").count(), 2);
    assert_eq!(events[events.len() - 2], "epoch", "the last epoch is told before the end");
    let of = |kind: &str| lines.iter().find(|line| line["event"] == kind).unwrap();

    let started = of("started");
    assert_keys(started, "run model parameters device train_images validation_images config");
    assert_eq!(started["parameters"], 101_770);
    assert_eq!((&started["train_images"], &started["validation_images"]), (&250.into(), &50.into()));
    assert_eq!(started["config"]["epochs"], 2);
    assert_keys(of("step"), "step loss learning_rate");
    let epoch = of("epoch");
    assert_keys(epoch, "epoch train_loss train_error validation_loss validation_accuracy f1 seconds images_per_second");
    assert_eq!(epoch["f1"].as_array().unwrap().len(), 10);
    let finished = of("finished");
    assert_keys(finished, "ending epochs seconds best_epoch weights_sha256 test");
    assert_eq!((&finished["ending"], &finished["epochs"]), (&"completed".into(), &2.into()));
    assert_keys(&finished["test"], EVALUATION_KEYS);
    assert_eq!(finished["test"]["images"], 100);

    let run = home.path("").join(started["run"].as_str().unwrap());
    let name = run.file_name().unwrap().to_str().unwrap();
    assert!(name.starts_with("first_") && name.len() == "first_20260101_000000".len(), "{name}");
    for file in ["config.toml", "history.jsonl", "metrics.json", "best.safetensors", "last.safetensors"] {
        assert!(run.join(file).is_file(), "{file} is missing in the run's folder");
    }
    assert_eq!(std::fs::read_to_string(run.join("history.jsonl")).unwrap().lines().count(), 2);

    // the run is a model: by its name, its full name, its folder, its file, and as the last one
    let file = run.join("best.safetensors");
    for model in ["first", name, text(&run), text(&file), "last"] {
        let judged = home.json(&["eval", model, "--data", text(&data), "--runs", "runs", "--json"]);
        assert_eq!(judged[0]["accuracy"], finished["test"]["accuracy"], "{model}");
    }
    // and its own configuration makes it again
    let config = run.join("config.toml");
    let again = home.json(&["train", text(&config), "--runs", "runs", "--json"]);
    assert_eq!(again.last().unwrap()["weights_sha256"], finished["weights_sha256"]);
}

#[test]
fn the_same_seed_gives_the_same_weights_on_any_number_of_threads() {
    let home = Home::new();
    let data = home.data();
    let weights = |more: &[&str]| {
        let lines = home.json(&training(text(&data), more));
        lines.last().unwrap()["weights_sha256"].as_str().unwrap().to_owned()
    };
    let first = weights(&["--seed", "5", "--threads", "1"]);
    assert_eq!(first.len(), 64);
    assert_eq!(weights(&["--seed", "5", "--threads", "3"]), first);
    assert_ne!(weights(&["--seed", "6"]), first);
}

const CONFIG: &str = "model = \"mlp\"\ndata = \"digits\"\nepochs = 1\nbatch_size = 50\nlearning_rate = 0.002\n\
                      validation = 50\n[optimizer]\nkind = \"adam\"\n";

#[test]
fn flags_override_the_file_and_the_file_overrides_the_preset() {
    let home = Home::new();
    home.data();
    std::fs::write(home.path("config.toml"), CONFIG).unwrap();
    let started = |arguments: &[&str]| {
        let lines = home.json(&[&["train"], arguments, &["--runs", "runs", "--json"]].concat());
        lines[0]["config"].clone()
    };
    let config = started(&["config.toml"]);
    assert_eq!((&config["batch_size"], &config["learning_rate"]), (&50.into(), &0.002.into()));
    let config = started(&["config.toml", "--lr", "0.5", "--optimizer", "sgd", "--seed", "3", "--train-limit", "100"]);
    assert_eq!((&config["learning_rate"], &config["seed"]), (&0.5.into(), &3.into()));
    assert_eq!((&config["optimizer"]["kind"], &config["train_limit"]), (&"sgd".into(), &100.into()));
    assert_eq!(config["batch_size"], 50, "what no flag names stays as the file says");
}

#[test]
fn a_configuration_that_cannot_be_is_told_with_its_place() {
    let home = Home::new();
    home.data();
    for (text, expected) in [
        (CONFIG.replace("epochs", "epoch"), "line 3, column 1"),
        (CONFIG.replace("50", "\"fifty\""), "line 4, column 14"),
        (CONFIG.replace("[optimizer]", "[optimizer"), "line 7"),
        (CONFIG.replace("0.002", "nan"), "the learning rate must be above 0"),
        (CONFIG.replace("mlp", "mlq"), "there is no model \"mlq\""),
        ("\u{0}\u{1}binary".to_owned(), "line 1"),
        (String::new(), "missing field"),
    ] {
        std::fs::write(home.path("config.toml"), &text).unwrap();
        home.refused(&["train", "config.toml", "--runs", "runs"], expected);
    }
    home.refused(&["train", "absent.toml", "--runs", "runs"], "absent.toml");
    home.refused(&["train", "lenet6", "--runs", "runs"], "presets are lenet5");
    home.refused(&["train", ".", "--runs", "runs"], "this configuration cannot be read");
    assert!(!home.path("runs").exists(), "what cannot begin leaves no run");
}

#[test]
fn settings_that_cannot_be_are_refused_with_a_sentence() {
    let home = Home::new();
    let data = home.data();
    for (flags, expected) in [
        (&["--lr", "nan"][..], "the learning rate must be above 0"),
        (&["--lr", "0"], "the learning rate must be above 0"),
        (&["--learning-rate", "-1"], "the learning rate must be above 0"),
        (&["--lr", "inf"], "the learning rate must be above 0"),
        (&["--epochs", "0"], "epochs lies between 1 and 10,000"),
        (&["--batch-size", "0"], "batch size lies between 1 and 10,000"),
        (&["--train-limit", "0"], "nothing to train on"),
        (&["--model", "mlp-9000"], "there is no model \"mlp-9000\""),
        (&["--optimizer", "magic"], "there is no optimiser \"magic\""),
        (&["--validation", "300"], "cannot keep 300 images"),
        (&["--validation", "301"], "cannot keep 301 images"),
        (&["--name", "../elsewhere"], "cannot name a run"),
        (&["--device", "cuda"], "--device cpu"),
    ] {
        if cfg!(feature = "cuda") && flags[0] == "--device" {
            continue;
        }
        let mut arguments = vec!["train", "mlp", "--data", text(&data), "--runs", "runs"];
        if flags[0] != "--validation" {
            arguments.extend(["--validation", "50"]);
        }
        arguments.extend(flags);
        home.refused(&arguments, expected);
    }
}

#[test]
fn a_rate_that_is_too_high_diverges_with_advice_and_keeps_finite_weights() {
    let home = Home::new();
    let data = home.data();
    let lines = home.json(&training(text(&data), &["--optimizer", "sgd", "--lr", "100", "--epochs", "20"]));
    let finished = lines.last().unwrap();
    assert_eq!(finished["ending"], "diverged");
    let run = home.path("").join(lines[0]["run"].as_str().unwrap());
    let last = run.join("last.safetensors");
    home.json(&["eval", text(&last), "--data", text(&data), "--json"]);
}

#[test]
fn wrong_usage_ends_with_code_two() {
    let home = Home::new();
    for arguments in [
        &["--no-such-flag"][..],
        &["train", "--epochs"],
        &["train", "--epochs", "many"],
        &["train", "--epochs", "-1"],
        &["train", "--device", "abacus"],
        &["train", "--threads", "0"],
        &["eval", "--all", "lenet5"],
        &["eval", "lenet5", "--split", "train"],
        &["predict"],
        &["predict", "a.png", "--strokes", "b.jsonl"],
        &["predict", "a.png", "--top", "0"],
        &["data", "burn"],
        &["data", "fetch"],
        &["bench", "--images", "0"],
    ] {
        let ended = home.call(arguments);
        assert_eq!(ended.code, Some(2), "{arguments:?}: {}", ended.err);
        assert!(ended.out.is_empty() && ended.err.contains("--help"), "{arguments:?}: {}", ended.err);
    }
    for arguments in [&["--help"][..], &["--version"], &["train", "--help"], &["help", "predict"]] {
        assert_eq!(home.call(arguments).code, Some(0), "{arguments:?}");
    }
}

#[test]
fn missing_data_is_told_with_the_command_that_brings_it() {
    let home = Home::new();
    for command in [&["train", "mlp", "--runs", "runs"][..], &["eval", "mlp"]] {
        home.refused(command, "digitpad data fetch mnist");
    }
    home.refused(&["eval", "mlp", "--data", "emnist"], "neither a data set that Digitpad knows");
    home.refused(&["eval", "mlp", "--data", "no/such/folder"], "no/such/folder");
    std::fs::create_dir(home.path("empty")).unwrap();
    home.refused(&["eval", "mlp", "--data", "empty"], "train-images-idx3-ubyte");
}

#[test]
fn shipped_models_are_judged_with_the_keys_of_the_contract() {
    let home = Home::new();
    let data = home.data();
    let lines = home.json(&["eval", "--all", "--data", text(&data), "--json"]);
    let models: Vec<&str> = lines.iter().map(|line| line["model"].as_str().unwrap()).collect();
    for model in ["mlp", "mlp-deep", "lenet5", "cnn"] {
        assert!(models.contains(&model), "{model} is not among {models:?}");
    }
    for line in &lines {
        assert_keys(line, EVALUATION_KEYS);
        let accuracy = line["accuracy"].as_f64().unwrap();
        let interval = line["interval"].as_array().unwrap();
        assert!(interval[0].as_f64().unwrap() < accuracy && accuracy <= interval[1].as_f64().unwrap());
        assert!((line["error_percent"].as_f64().unwrap() - 100.0 * (1.0 - accuracy)).abs() < 1e-4);
        let confusion = line["confusion"].as_array().unwrap();
        assert!(confusion.len() == 10 && confusion.iter().all(|row| row.as_array().unwrap().len() == 10));
        // rows are true digits: ten of each were drawn
        assert!(
            confusion.iter().all(|row| row.as_array().unwrap().iter().map(|n| n.as_u64().unwrap()).sum::<u64>() == 10)
        );
        assert!(accuracy > 0.7, "{} reads drawn digits badly: {accuracy}", line["model"]);
    }
    home.refused(&["eval", "lenet6", "--data", text(&data)], "shipped models are lenet5");
    home.refused(&["eval", "last", "--data", text(&data)], "no model, run or weights file \"last\"");
    home.refused(&["eval", "--data", text(&data)], "name a model");
    home.refused(&["eval", "lenet5", "--data", text(&data), "--check"], "MNIST's test set");
    home.refused(&["eval", "lenet5", "--data", "drawn", "--check"], "MNIST's test set");
}

/// A drawn digit as a picture file, ink black on white paper.
fn picture(home: &Home, label: u8, name: &str) -> PathBuf {
    let path = home.path(name);
    let image = digitpad::drawing::drawn_image(label, 4, u64::from(label));
    let grey: Vec<u8> = image.pixels.iter().map(|ink| 255 - ink).collect();
    picture_file::write_grey(&path, SIDE, SIDE, &grey).unwrap();
    path
}

#[test]
fn pictures_are_read_in_order_and_bad_ones_do_not_stop_the_rest() {
    let home = Home::new();
    picture(&home, 1, "one.png");
    picture(&home, 7, "sieben ü.png");
    let lines = home.json(&["predict", "one.png", "sieben ü.png", "--json"]);
    assert_eq!(lines.len(), 2, "pictures have no labels, so there is no summary");
    for (line, (id, label)) in lines.iter().zip([("one.png", 1), ("sieben ü.png", 7)]) {
        assert_keys(line, "id label state top");
        assert_eq!((&line["id"], &line["label"]), (&id.into(), &label.into()), "{line}");
        assert!(["sure", "unsure"].contains(&line["state"].as_str().unwrap()));
        let top = line["top"].as_array().unwrap();
        assert_eq!((top.len(), &top[0]["digit"]), (3, &label.into()));
        assert_keys(&top[0], "digit probability score");
        assert!(top[0]["probability"].as_f64().unwrap() >= top[1]["probability"].as_f64().unwrap());
    }
    for model in ["mlp", "cnn"] {
        let lines = home.json(&["predict", "one.png", "--model", model, "--top", "10", "--json"]);
        let top = lines[0]["top"].as_array().unwrap();
        assert_eq!(top.len(), 10);
        let sum: f64 = top.iter().map(|entry| entry["probability"].as_f64().unwrap()).sum();
        assert!((sum - 1.0).abs() < 1e-5, "{model}: probabilities sum to {sum}");
    }

    std::fs::write(home.path("text.png"), "this is a text file").unwrap();
    std::fs::write(home.path("nothing.png"), "").unwrap();
    let png = std::fs::read(home.path("one.png")).unwrap();
    std::fs::write(home.path("cut.png"), &png[..60]).unwrap();
    std::fs::create_dir(home.path("folder.png")).unwrap();
    picture_file::write_grey(&home.path("blank.png"), 40, 40, &[255; 1600]).unwrap();
    let all = ["text.png", "nothing.png", "cut.png", "folder.png", "absent.png", "blank.png", "one.png"];
    let ended = home.call(&[&["predict"], &all[..], &["--json"]].concat());
    assert_eq!(ended.code, Some(1), "{}", ended.err);
    let lines = ended.values();
    assert_eq!(lines.iter().map(|line| line["id"].as_str().unwrap()).collect::<Vec<_>>(), all);
    for line in &lines[..6] {
        assert!(line["error"].as_str().unwrap().ends_with(line["id"].as_str().unwrap()), "the path comes last: {line}");
    }
    assert!(lines[0]["error"].as_str().unwrap().contains("no picture of a known kind"));
    assert!(lines[5]["error"].as_str().unwrap().contains("nothing in it stands out as ink"));
    assert_eq!(lines[6]["label"], 1);
    home.refused(&["predict", "text.png"], "1 of 1 inputs could not be read");
}

#[test]
fn strokes_are_read_as_the_pad_reads_them() {
    let home = Home::new();
    let one = "[[[500,100],[495,500],[490,900]]]";
    let strokes = format!(
        "{{\"id\":\"a\",\"label\":1,\"strokes\":{one},\"pen\":\"ball\"}}\n\
         {{\"id\":17,\"label\":2,\"strokes\":{one}}}\n\n\
         {{\"id\":\"empty\",\"strokes\":[]}}\n\
         {{\"id\":\"dot\",\"strokes\":[[[3,3]]]}}\n"
    );
    std::fs::write(home.path("strokes.jsonl"), &strokes).unwrap();
    let lines = home.json(&["predict", "--strokes", "strokes.jsonl", "--top", "2", "--json"]);
    assert_eq!(lines.len(), 5);
    assert_eq!((&lines[0]["id"], &lines[0]["label"]), (&"a".into(), &1.into()));
    assert_eq!(lines[0]["top"].as_array().unwrap().len(), 2);
    assert_eq!((&lines[1]["id"], &lines[1]["top"]), (&17.into(), &lines[0]["top"]), "the label is never looked at");
    assert_eq!((&lines[2]["state"], &lines[2]["label"]), (&"empty".into(), &Value::Null));
    assert_eq!(lines[2]["top"], Value::Array(Vec::new()));
    assert_keys(&lines[3], "label state top");
    let summary = &lines[4]["summary"];
    assert_keys(summary, "inputs labelled correct accuracy seconds");
    let counts = ["inputs", "labelled", "correct"].map(|key| summary[key].as_u64().unwrap());
    assert_eq!((counts, &summary["accuracy"]), ([4, 2, 1], &0.5.into()));

    let bad = ["nonsense", "{\"id\":\"x\"}", "{\"strokes\":[[[1e40,0]]]}", "{\"strokes\":[[[0,1,2]]]}", "[]"];
    std::fs::write(home.path("bad.jsonl"), format!("{}\n{strokes}", bad.join("\n"))).unwrap();
    let ended = home.call(&["predict", "--strokes", "bad.jsonl", "--json"]);
    assert_eq!(ended.code, Some(1), "{}", ended.err);
    let lines = ended.values();
    for (number, line) in lines[..bad.len()].iter().enumerate() {
        assert_keys(line, "id error");
        assert_eq!(line["id"], format!("line {}", number + 1));
    }
    assert_eq!(lines.len(), bad.len() + 5, "the good lines are answered all the same");
    std::fs::write(home.path("latin.jsonl"), b"{\"id\":\"\xe9\",\"strokes\":[]}\n").unwrap();
    assert_eq!(home.call(&["predict", "--strokes", "latin.jsonl", "--json"]).code, Some(1));
    home.refused(&["predict", "--strokes", "absent.jsonl"], "absent.jsonl");
    home.refused(&["predict", "--strokes", "."], "this is a folder");
}

#[test]
fn data_sets_are_listed_and_verified() {
    let home = Home::new();
    let data = home.data();
    let lines = home.json(&["data", "list", "--json"]);
    let here: Vec<(&str, bool)> =
        lines.iter().map(|line| (line["source"].as_str().unwrap(), line["here"].as_bool().unwrap())).collect();
    assert_eq!(here, [("mnist", false), ("drawn", true)]);
    assert!(home.call(&["data"]).out.contains("digitpad data fetch mnist"));
    let lines = home.json(&["data", "verify", text(&data), "--json"]);
    assert!(lines.len() == 4 && lines.iter().all(|line| line["ok"] == true));
    assert_eq!(lines.iter().map(|line| line["count"].as_u64().unwrap()).collect::<Vec<_>>(), [300, 300, 100, 100]);
    std::fs::write(data.join("t10k-labels-idx1-ubyte"), "<!DOCTYPE html><title>Moved</title>").unwrap();
    home.refused(&["data", "verify", text(&data)], "1 of 4 files");
    home.refused(&["data", "fetch", "emnist"], "known are mnist, drawn");
    home.refused(&["data", "fetch", "drawn"], "built in");
    home.refused(&["data", "verify", "mnist"], "digitpad data fetch mnist");
}

#[test]
fn bad_data_files_are_told_in_one_sentence() {
    type Damage = fn(&mut Vec<u8>);
    let images = |damage: Damage| ("train-images-idx3-ubyte", damage);
    let labels = |damage: Damage| ("t10k-labels-idx1-ubyte", damage);
    let cases = [
        (images(|bytes| bytes.truncate(bytes.len() - 1)), "cut short"),
        (images(|bytes| bytes.truncate(9)), "ends inside its header"),
        (images(Vec::clear), "the file is empty"),
        (images(|bytes| bytes.push(0)), "goes on after"),
        (images(|bytes| bytes[4..8].fill(0xff)), "reads at most"),
        (images(|bytes| bytes[8..12].copy_from_slice(&[0, 0, 0, 29])), "expected images of 28×28 pixels"),
        (images(|bytes| *bytes = b"<html><body>404 Not Found</body></html>".to_vec()), "a web page"),
        (labels(|bytes| bytes[3] = 3), "two files have changed names"),
        (labels(|bytes| bytes[11] = 10), "label 10 at position 3 is no digit"),
        (labels(|bytes| (bytes[7], _) = (99, bytes.pop())), "do not belong together"),
    ];
    let home = Home::new();
    for ((name, damage), expected) in cases {
        let data = home.data();
        let mut bytes = std::fs::read(data.join(name)).unwrap();
        damage(&mut bytes);
        std::fs::write(data.join(name), bytes).unwrap();
        home.refused(&["eval", "mlp", "--data", text(&data)], expected);
        home.refused(&["train", "mlp", "--data", text(&data), "--runs", "runs"], expected);
    }
    // compressed files go before plain ones
    for (bytes, expected) in [
        (&b"<!DOCTYPE html><title>Sign in</title>"[..], "a web page"),
        (b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03", "cut short"),
        (b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xff\xff\xff\xff", "damaged"),
        (b"version https://git-lfs.github.com/spec/v1\n", "Git LFS"),
    ] {
        let data = home.data();
        std::fs::write(data.join("train-images-idx3-ubyte.gz"), bytes).unwrap();
        home.refused(&["eval", "mlp", "--data", text(&data)], expected);
    }
    assert!(!home.path("runs").exists(), "what cannot begin leaves no run");
}

#[test]
fn a_runs_folder_that_cannot_be_written_is_told_before_training() {
    let home = Home::new();
    let data = home.data();
    std::fs::write(home.path("runs"), "a file where the folder should be").unwrap();
    home.refused(&training(text(&data), &[]), "no run can be kept in the runs folder");
}

#[test]
fn damaged_weights_are_refused() {
    let home = Home::new();
    let data = home.data();
    let shipped = include_bytes!("../models/mlp/weights.safetensors");
    for (name, bytes, expected) in [
        ("cut.safetensors", &shipped[..shipped.len() / 2], "these weights cannot be loaded"),
        ("text.safetensors", b"not weights at all", "this is no safetensors file"),
        ("nothing.safetensors", b"", "this is no safetensors file"),
    ] {
        std::fs::write(home.path(name), bytes).unwrap();
        home.refused(&["eval", name, "--data", text(&data)], expected);
        home.refused(&["predict", "--model", name, "x.png"], expected);
    }
}

#[test]
fn a_reader_that_goes_away_is_no_panic() {
    let home = Home::new();
    let data = home.data();
    let mut child = home.command(&training(text(&data), &[])).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success() && !err.contains("panicked"), "{err}");
}

#[cfg(unix)]
#[test]
fn an_interrupted_training_keeps_its_weights_and_says_so() {
    use std::io::{BufRead, BufReader, Read};
    let home = Home::new();
    let data = home.data();
    for signal in ["-INT", "-TERM"] {
        let mut child = home.command(&training(text(&data), &["--epochs", "10000"])).spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut started = String::new();
        out.read_line(&mut started).unwrap();
        let started: Value = serde_json::from_str(&started).unwrap();
        let mut step = String::new();
        out.read_line(&mut step).unwrap();
        assert!(step.contains("\"step\""), "{step}");
        assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
        let mut rest = String::new();
        out.read_to_string(&mut rest).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(130), "{signal}");
        let finished: Value = serde_json::from_str(rest.lines().last().unwrap()).unwrap();
        assert_eq!((&finished["event"], &finished["ending"]), (&"finished".into(), &"stopped".into()));
        let run = home.path("").join(started["run"].as_str().unwrap());
        let last = run.join("last.safetensors");
        home.json(&["eval", text(&last), "--data", text(&data), "--json"]);
        assert!(std::fs::read_to_string(run.join("metrics.json")).unwrap().contains("\"stopped\""));
    }
}

#[test]
fn the_bench_measures_all_four_kinds() {
    let home = Home::new();
    let lines = home.json(&["bench", "--model", "mlp", "--images", "64", "--json"]);
    let kinds: Vec<&str> = lines.iter().map(|line| line["what"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["train", "forward", "latency", "pattern"]);
    for line in &lines {
        assert_keys(line, "model device threads batch_size what seconds min max");
        let [least, median, most] = ["min", "seconds", "max"].map(|key| line[key].as_f64().unwrap());
        assert!(0.0 < least && least <= median && median <= most, "{line}");
    }
    home.refused(&["bench", "--model", "mlq"], "there is no model \"mlq\"");
    home.refused(&["bench", "--model", "mlp", "--batch-size", "0"], "batch size");
}

#[cfg(target_os = "linux")]
#[test]
fn without_a_display_the_window_says_so_with_a_code_of_its_own() {
    let home = Home::new();
    for arguments in [&[][..], &["--renderer", "glow"], &["--renderer", "wgpu"]] {
        let ended = home.call(arguments);
        assert_eq!(ended.code, Some(3), "{arguments:?}: {}", ended.err);
        assert!(ended.err.contains("there is no display"), "{}", ended.err);
    }
}
