//! The built program, left, killed and called again.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use digitpad::data::{Drawn, idx};
use digitpad::nn::random::{Purpose, stream};
use rand::Rng;
use serde_json::Value;

use super::{config, digits};

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
