//! `digitpad eval`, `predict` and `bench`: what models answer.

use std::path::PathBuf;

use digitpad::drawing::SIDE;
use digitpad::storage::picture_file;
use serde_json::Value;

use crate::{EVALUATION_KEYS, Home, assert_keys, text};

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
        // from every image answered to the first share without a wrong answer
        let curve = line["rejection"]["curve"].as_array().unwrap();
        let points: Vec<[f64; 2]> = curve.iter().map(|point| [0, 1].map(|i| point[i].as_f64().unwrap())).collect();
        assert!((1..=101).contains(&points.len()) && points.windows(2).all(|pair| pair[0][0] < pair[1][0]));
        assert!(points[0][0] == 0.0 && (points[0][1] - (1.0 - accuracy)).abs() < 1e-9);
        let share = &line["rejection"]["for_half_percent"];
        assert!(share.as_f64().is_some_and(|share| (0.0..1.0).contains(&share)) || share.is_null(), "{share}");
        assert!(accuracy > 0.7, "{} reads drawn digits badly: {accuracy}", line["model"]);
    }
    let ended = home.call(&["eval", "lenet5", "--data", text(&data)]);
    assert!(
        ended.out.lines().count() == 3
            && ended.out.contains("0.50 % error")
            && ended.out.contains("refused as no digit"),
        "{}",
        ended.out
    );
    home.refused(&["eval", "lenet6", "--data", text(&data)], "shipped models are pad, lenet5");
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

    let bad = ["nonsense", "{\"id\":\"x\"}", "{\"strokes\":[[[1e40,0]]]}", "{\"strokes\":[[[0]]]}", "[]"];
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
fn damaged_weights_are_refused() {
    let home = Home::new();
    let data = home.data();
    let shipped = include_bytes!("../../models/mlp/weights.safetensors");
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
