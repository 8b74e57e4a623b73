//! `digitpad data`, and what every command says about data that is missing or damaged.

use crate::{Home, text};

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
