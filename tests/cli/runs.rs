//! `digitpad runs`: the list, one run, several side by side, and folders that are damaged.

use serde_json::Value;

use crate::{Home, assert_keys, text};

/// Three short runs: two that differ in their seed, and one of another rate; the newest one last.
fn three_runs(home: &Home) -> Vec<Value> {
    let data = home.data();
    let train = |more: &[&str]| {
        let arguments = ["train", "mlp", "--data", text(&data), "--batch-size", "32", "--validation", "50"];
        let lines = home.json(&[&arguments[..], &["--epochs", "2", "--runs", "runs", "--json"], more].concat());
        lines[0].clone()
    };
    vec![
        train(&["--name", "one"]),
        train(&["--name", "two", "--seed", "7"]),
        train(&["--name", "three", "--lr", "0.01"]),
    ]
}

#[test]
fn runs_are_listed_shown_and_compared() {
    let home = Home::new();
    assert!(home.json(&["runs", "--runs", "runs", "--json"]).is_empty());
    assert!(home.call(&["runs", "--runs", "runs"]).out.contains("no run is here yet"));
    let started = three_runs(&home);

    let listed = home.json(&["runs", "--runs", "runs", "--json"]);
    assert_eq!(listed.len(), 3);
    for run in &listed {
        assert_keys(run, "run name state model best_accuracy epochs seconds config");
        assert_eq!((&run["state"], &run["model"], &run["epochs"]), (&"completed".into(), &"mlp".into(), &2.into()));
        let interval = run["interval"].as_array().unwrap();
        let accuracy = run["best_accuracy"].as_f64().unwrap();
        assert!(interval[0].as_f64().unwrap() < accuracy && accuracy < interval[1].as_f64().unwrap());
        assert!(run["test_accuracy"].as_f64().is_some() && run["seconds"].as_f64().unwrap() > 0.0);
    }
    let of = |name: &str| listed.iter().find(|run| run["name"] == name).unwrap();
    assert_eq!(of("two")["config"], started[1]["config"]);
    assert_eq!(of("two")["run"], started[1]["run"]);
    let told = home.call(&["runs", "list", "--runs", "runs"]).out;
    assert!(told.contains("one_") && told.contains("seed=7") && told.contains("learning_rate=0.01"), "{told}");
    assert!(!told.contains("batch_size"), "what is the same in all is not told: {told}");

    let folder = home.path(started[2]["run"].as_str().unwrap());
    for name in ["three", text(&folder), folder.file_name().unwrap().to_str().unwrap()] {
        let shown = home.json(&["runs", "show", name, "--runs", "runs", "--json"]);
        assert_eq!((&shown[0]["name"], shown[0]["history"].as_array().unwrap().len()), (&"three".into(), 2));
    }
    let shown = home.call(&["runs", "show", "three", "--runs", "runs"]).out;
    assert!(shown.contains("validation loss") && shown.contains("optimizer.kind"), "{shown}");
    home.refused(&["runs", "show", "four", "--runs", "runs"], "there is no run \"four\"");

    let compared = home.json(&["runs", "compare", "one", "three", "--runs", "runs", "--json"]);
    let differing = compared[1]["differing"].as_object().unwrap();
    assert_eq!(differing.keys().collect::<Vec<_>>(), ["learning_rate"]);
    let told = home.call(&["runs", "compare", "one", "two", "--runs", "runs"]).out;
    assert!(told.contains("seed") && told.contains("best accuracy") && !told.contains("learning_rate"), "{told}");
    assert_eq!(home.call(&["runs", "compare", "one"]).code, Some(2), "one alone is no comparison");
}

#[test]
fn a_damaged_folder_is_listed_and_does_no_harm() {
    let home = Home::new();
    let run = home.path("runs").join("broken_20240101_000000");
    std::fs::create_dir_all(&run).unwrap();
    std::fs::write(run.join("config.toml"), "model = 3").unwrap();
    let listed = home.json(&["runs", "--runs", "runs", "--json"]);
    assert_eq!((&listed[0]["state"], &listed[0]["config"]), (&"failed".into(), &Value::Null));
    assert!(listed[0]["problems"][0].as_str().unwrap().contains("line 1"), "{}", listed[0]);
    let told = home.call(&["runs", "--runs", "runs"]);
    assert!(told.out.contains("broken_20240101_000000") && told.err.contains("cannot be used"), "{}", told.err);
    assert_eq!(told.code, Some(0));
}
