//! `digitpad train`: events, run folders, settings, interruption.

use serde_json::Value;

use crate::{EVALUATION_KEYS, Home, assert_keys, text};

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

const CONFIG: &str = "model = \"mlp\"\ndata = \"digits\"\nepochs = 1\nbatch_size = 50\nlearning_rate = 0.002\n\
                      validation = 50\n[optimizer]\nkind = \"adam\"\n";

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
    let metrics: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(run.join("metrics.json")).unwrap()).unwrap();
    assert_eq!((&metrics["model"], &metrics["ending"]), (&"mlp".into(), &"completed".into()));
    assert!(metrics["seconds"].as_f64().unwrap() > 0.0);
    assert_eq!(metrics["test"]["accuracy"], finished["test"]["accuracy"]);

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
fn a_training_starts_from_other_weights_with_frozen_layers_and_its_run_tells_so() {
    let home = Home::new();
    let data = home.data();
    let first = home.json(&training(text(&data), &["--name", "first"]));
    let name = home.path(first[0]["run"].as_str().unwrap());
    let name = text(&name).rsplit('/').next().unwrap().to_owned();
    let frozen = ["--from", "last", "--freeze-up-to", "Hidden", "--epochs", "1"];
    let lines = home.json(&training(text(&data), &[&frozen[..], &["--name", "second"]].concat()));
    let config = &lines[0]["config"];
    // not "last": another run will be the last one
    assert_eq!((&config["from"], &config["freeze_up_to"]), (&name.as_str().into(), &"Hidden".into()));
    assert_eq!(lines[0]["start"], format!("Starts from {name}: copied Hidden, Output; frozen up to Hidden").as_str());
    let second = home.path(lines[0]["run"].as_str().unwrap());
    let hidden = |run: &std::path::Path| {
        let file = digitpad::storage::weights_file::WeightsFile::read(&run.join("best.safetensors")).unwrap();
        (file.weights.entries[0].values.clone(), file.weights.entries[2].values.clone())
    };
    let (before, after) = (hidden(&home.path(first[0]["run"].as_str().unwrap())), hidden(&second));
    assert_eq!(before.0, after.0, "the hidden layer stays");
    assert_ne!(before.1, after.1, "the last one learns");
    // its own configuration makes it again, whatever runs came after
    let again = home.json(&["train", text(&second.join("config.toml")), "--runs", "runs", "--json"]);
    assert_eq!(again.last().unwrap()["weights_sha256"], lines.last().unwrap()["weights_sha256"]);
    // another architecture, of which some fits
    let told = home.call(&[
        "train",
        "lenet5",
        "--data",
        text(&data),
        "--validation",
        "50",
        "--epochs",
        "1",
        "--runs",
        "runs",
        "--from",
        "lenet5-1998",
    ]);
    assert!(told.out.contains("Starts from lenet5-1998: copied C1, C5, F6; fresh C3, Output"), "{}", told.out);

    let refused = |more: &[&str], expected: &str| {
        home.refused(&training(text(&data), more), expected);
    };
    refused(&["--from", "lenet5"], "nothing of lenet5 fits mlp");
    refused(&["--from", "mlp", "--freeze-up-to", "S4"], "the layers are Hidden, Output");
    refused(&["--freeze-up-to", "Hidden"], "name weights with from");
    refused(&["--from", "no-such-run"], "there is no model, run or weights file");
}

#[test]
fn a_training_on_ones_own_drawings_tells_before_and_after() {
    let home = Home::new();
    let data = home.data();
    let line = |label: u8, x: usize| format!("{{\"label\":{label},\"strokes\":[[[{x},0],[0,100]]]}}\n");
    std::fs::write(home.path("own.jsonl"), (1..6).map(|x| line(1, x)).collect::<String>()).unwrap();
    let config = format!(
        "model = \"mlp\"\ndata = {:?}\nepochs = 1\nbatch_size = 32\nlearning_rate = 0.0003\nvalidation = 50\n\
         from = \"mlp\"\n[optimizer]\nkind = \"adam\"\n\
         [beside]\npens = {:?}\npens_times = 4\npens_hold_out_half = true\n",
        text(&data),
        text(&home.path("own.jsonl")),
    );
    std::fs::write(home.path("own.toml"), config).unwrap();
    let lines = home.json(&["train", text(&home.path("own.toml")), "--runs", "runs", "--json"]);
    let plain = home.json(&training(text(&data), &["--epochs", "1"]));
    let images = |lines: &[serde_json::Value]| lines[0]["train_images"].as_u64().unwrap();
    assert_eq!(images(&lines), images(&plain) + 3 * 4, "three of five, each met four times");
    let fine_tuning = &lines.last().unwrap()["fine_tuning"];
    assert_eq!((&fine_tuning["own"]["images"], &fine_tuning["own"]["before"]), (&2.into(), &2.into()));
    assert!(fine_tuning["test"]["after"].as_u64().is_some() && fine_tuning["test_title"].is_string());
    let told = home.call(&["train", text(&home.path("own.toml")), "--runs", "runs"]);
    assert!(told.out.contains("your held-out drawings: 2 of 2 right before"), "{}", told.out);
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
    home.refused(&["train", "lenet6", "--runs", "runs"], "presets are pad, lenet5");
    home.refused(&["train", ".", "--runs", "runs"], "missing field `model`): ./config.toml");
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
        (&["--name", &"a".repeat(300)], "a name of 300 letters is too long for a run: take at most 200"),
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
    // a decay of 1 at this rate makes every weight a hundred times as large at each update
    let config = CONFIG.replace("0.002", "100.0").replace("\"adam\"", "\"sgd\"\nmomentum = 0.0\nweight_decay = 1.0");
    std::fs::write(home.path("config.toml"), config.replace("epochs = 1", "epochs = 20")).unwrap();
    let lines = home.json(&["train", "config.toml", "--runs", "runs", "--json"]);
    let finished = lines.last().unwrap();
    assert_eq!(finished["ending"], "diverged");
    let run = home.path("").join(lines[0]["run"].as_str().unwrap());
    let last = run.join("last.safetensors");
    home.json(&["eval", text(&last), "--data", text(&data), "--json"]);
}

#[test]
fn a_runs_folder_that_cannot_be_written_is_told_before_training() {
    let home = Home::new();
    let data = home.data();
    std::fs::write(home.path("runs"), "a file where the folder should be").unwrap();
    home.refused(&training(text(&data), &[]), "no run can be kept in the runs folder");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let locked = home.path("locked");
        std::fs::create_dir(&locked).unwrap();
        std::fs::set_permissions(&locked, std::fs::Permissions::from_mode(0o555)).unwrap();
        // whoever may write everywhere cannot be refused
        if std::fs::write(locked.join("probe"), "").is_err() {
            let arguments = ["train", "mlp", "--data", text(&data), "--validation", "50", "--runs", "locked"];
            home.refused(&arguments, "no run can be kept in the runs folder");
        }
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
    use std::process::Command;
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
        // the shell's own kill: a small system has no program of that name
        assert!(Command::new("sh").args(["-c", &format!("kill {signal} {}", child.id())]).status().unwrap().success());
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
fn a_run_that_stopped_early_is_not_advised_what_it_refuses() {
    let home = Home::new();
    home.data();
    std::fs::write(
        home.path("early.toml"),
        "model = \"mlp\"\ndata = \"digits\"\nepochs = 9\nbatch_size = 25\nlearning_rate = 0.000001\nvalidation = 50\n\
         [optimizer]\nkind = \"adam\"\n[early_stopping]\npatience = 1\nmin_delta = 0.5\n",
    )
    .unwrap();
    home.json(&["train", "early.toml", "--runs", "runs", "--json"]);
    let told = home.call(&["resume", "last", "--runs", "runs"]).out;
    assert!(told.contains("stopped early") && told.contains("another [early_stopping]"), "{told}");
    assert!(!told.contains("--epochs"), "{told}");
}

#[test]
fn what_digits_have_taught_carries_over_to_the_binary_files_of_cifar_10() {
    let home = Home::new();
    let folder = home.path("cifar");
    std::fs::create_dir_all(&folder).unwrap();
    for (number, file) in digitpad::data::cifar::FILES.iter().enumerate() {
        // 20 made-up pictures a file: a bright bar whose place is the label
        let record = |picture: usize| {
            let label = (number + picture) % 10;
            let pixel = move |at: usize| if at % 32 / 3 == label { 230 } else { (at * 7 % 40) as u8 };
            std::iter::once(label as u8).chain((0..3 * 1024).map(pixel))
        };
        std::fs::write(folder.join(file), (0..20).flat_map(record).collect::<Vec<u8>>()).unwrap();
    }
    let arguments = ["train", "lenet5", "--data", text(&folder), "--from", "lenet5", "--freeze-up-to", "S4"];
    let more = ["--validation", "20", "--epochs", "4", "--batch-size", "10", "--runs", "runs", "--json"];
    let lines = home.json(&[&arguments[..], &more].concat());
    assert_eq!((&lines[0]["train_images"], &lines[0]["validation_images"]), (&80.into(), &20.into()));
    assert_eq!(lines[0]["start"], "Starts from lenet5: copied C1, C3, C5, F6, Output; frozen up to S4");
    let epochs: Vec<&Value> = lines.iter().filter(|line| line["event"] == "epoch").collect();
    assert!(epochs[3]["train_loss"].as_f64() < epochs[0]["train_loss"].as_f64(), "it learns");
    let finished = lines.last().unwrap();
    assert_eq!((&finished["ending"], &finished["test"]["images"]), (&"completed".into(), &20.into()));
    let run = home.path(lines[0]["run"].as_str().unwrap());
    let weights = |path: &std::path::Path| digitpad::storage::weights_file::WeightsFile::read(path).unwrap().weights;
    let (start, end) = (
        digitpad::storage::shipped::find("lenet5").unwrap().weights().unwrap().weights,
        weights(&run.join("last.safetensors")),
    );
    assert_eq!(start.entries[..4], end.entries[..4], "C1 and C3 stay as digits have made them");
    assert!(start.entries[4..].iter().zip(&end.entries[4..]).all(|(a, b)| a != b), "all after them learns");
}
