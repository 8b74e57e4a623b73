//! The built program, as scripts call it: what it prints, with which exit code, and what it says about bad input.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

mod answers;
mod data;
mod records;
mod runs;
mod training;

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use digitpad::data::{Corpus, Drawn, idx};
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

/// Keys of an evaluation, as the contract lists them.
const EVALUATION_KEYS: &str = "model images accuracy error_percent interval macro_f1 f1 confusion loss seconds";

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
        // a command that does not exist is no file for the window
        &["trian"],
        &["resume"],
        &["train", "--checkpoint-seconds", "-1"],
    ] {
        let ended = home.call(arguments);
        assert_eq!(ended.code, Some(2), "{arguments:?}: {}", ended.err);
        assert!(ended.out.is_empty() && ended.err.contains("--help"), "{arguments:?}: {}", ended.err);
    }
    for arguments in [&["--help"][..], &["--version"], &["train", "--help"], &["help", "predict"]] {
        assert_eq!(home.call(arguments).code, Some(0), "{arguments:?}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn without_a_display_the_window_says_so_with_a_code_of_its_own() {
    let home = Home::new();
    for arguments in [&[][..], &["--renderer", "glow"], &["--renderer", "wgpu"]] {
        let ended = home.call(arguments);
        assert_eq!(ended.code, Some(3), "{arguments:?}: {}", ended.err);
        assert!(ended.err.contains("there is no display") && !ended.err.contains(".rs"), "{}", ended.err);
    }
}
