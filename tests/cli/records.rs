//! What runs tell others, and the commands that train to find something out: `check` and `ablate`.

use crate::{Home, assert_keys, text};

const PLAN: &str = "question = \"Is a low rate too low?\"\nbet = \"usual\"\nseeds = 2\n\
                    [base]\nname = \"usual\"\nmodel = \"mlp\"\ndata = \"digits\"\nepochs = 2\nbatch_size = 25\n\
                    learning_rate = 0.003\nvalidation = 50\noptimizer = { kind = \"adam\" }\n\
                    [[variants]]\nname = \"low\"\nlearning_rate = 0.00001\n";

#[test]
fn a_run_leaves_a_log_and_events_and_going_on_adds_to_them() {
    let home = Home::new();
    home.data();
    std::fs::write(
        home.path("flat.toml"),
        "model = \"mlp\"\ndata = \"digits\"\nepochs = 2\nbatch_size = 25\nlearning_rate = 0.01\nvalidation = 50\n\
         [optimizer]\nkind = \"adam\"\n",
    )
    .unwrap();
    let lines = home.json(&["train", "flat.toml", "--runs", "runs", "--json"]);
    let run = home.path(lines[0]["run"].as_str().unwrap());
    home.json(&["resume", text(&run), "--epochs", "3", "--runs", "runs", "--json"]);
    let log = std::fs::read_to_string(run.join("log.txt")).unwrap();
    let has = |words: &str| assert!(log.contains(words), "{words} in\n{log}");
    has("Digitpad ");
    has("Training mlp (101770 parameters, seed 1) on 250 images, 50 kept for validation");
    has("Epoch 2, update 20: training loss ");
    has("Completed. 2 epochs, 20 updates");
    has("Goes on after update 20 (2 of 3 epochs are done)");
    has("Completed. 3 epochs, 30 updates");
    assert!(log.lines().all(|line| line.starts_with("20") && line.as_bytes()[19] == b' '), "{log}");
    let names = std::fs::read_dir(&run).unwrap().flatten().map(|entry| entry.file_name().into_string().unwrap());
    let events = names.filter(|name| name.starts_with("events.out.tfevents.") && name.ends_with(".digitpad"));
    assert_eq!(events.count(), 1);
}

#[test]
fn a_check_prints_a_line_a_check_and_fails_where_one_fails() {
    let home = Home::new();
    let lines = home.json(&["check", "mlp", "--threads", "1", "--json"]);
    let checks: Vec<&str> = lines.iter().map(|line| line["check"].as_str().unwrap()).collect();
    assert_eq!(checks, ["overfit-128", "random-labels", "one-batch"]);
    for line in &lines {
        assert_keys(line, "model check passed value epochs seconds");
        assert_eq!((&line["model"], &line["passed"]), (&"mlp".into(), &true.into()));
    }
    home.refused(&["check", "ensemble"], "no model \"ensemble\" to train");
    let data = home.data();
    home.refused(&["check", "mlp", "--data", text(&data), "--json"], "300 images are too few");
}

#[test]
fn an_ablation_prints_its_variants_and_is_not_run_twice() {
    let home = Home::new();
    home.data();
    std::fs::write(home.path("rates.toml"), PLAN).unwrap();
    let lines = home.json(&["ablate", "rates.toml", "--runs", "runs", "--threads", "1", "--json"]);
    let (runs, found): (Vec<_>, Vec<_>) = lines.iter().partition(|line| line["event"] == "run");
    assert_eq!((runs.len(), found.len()), (4, 2));
    for line in &found {
        assert_keys(line, "variant seeds mean interval values diverged");
        assert_eq!(line["diverged"], 0);
        assert_eq!((&line["seeds"], line["values"].as_array().unwrap().len()), (&2.into(), 2));
    }
    assert_eq!((&found[0]["variant"], &found[0]["winner"]), (&"usual".into(), &true.into()));
    let folder = std::fs::read_dir(home.path("runs")).unwrap().next().unwrap().unwrap().path();
    assert!(folder.file_name().unwrap().to_str().unwrap().starts_with("rates_"));
    assert!(std::fs::read_to_string(folder.join("report.md")).unwrap().contains("The bet on usual held."));
    let runs_in = || std::fs::read_dir(&folder).unwrap().flatten().filter(|entry| entry.path().is_dir()).count();
    assert_eq!(runs_in(), 4);

    // the folder goes on, and what is done stays done
    let again = home.json(&["ablate", text(&folder), "--runs", "runs", "--split", "test", "--json"]);
    assert_eq!((again.len(), runs_in()), (6, 4));
    let told = home.call(&["ablate", text(&folder), "--runs", "runs", "--seeds", "3"]);
    assert!(told.out.contains("usual has won") && told.out.contains("The bet on usual held."), "{}", told.out);
    assert_eq!(runs_in(), 6);
}

#[test]
fn plans_are_listed_and_one_that_cannot_be_is_told_with_its_place() {
    let home = Home::new();
    let plans = home.json(&["ablate", "--json"]);
    assert!(plans.iter().any(|plan| plan["plan"] == "initialisation"), "{plans:?}");
    home.refused(&["ablate", "no-such-plan", "--runs", "runs"], "plans inside the program are initialisation");
    home.refused(&["ablate", "absent.toml", "--runs", "runs"], "absent.toml");
    std::fs::write(home.path("bad.toml"), PLAN.replace("seeds", "sedes")).unwrap();
    home.refused(&["ablate", "bad.toml", "--runs", "runs"], "line 3, column 1: unknown field `sedes`");
    home.refused(&["ablate", "schedule", "--seeds", "0", "--runs", "runs"], "seeds lies between 1 and 100");
    assert!(!home.path("runs").exists(), "what cannot begin leaves no folder");
    std::fs::write(home.path("absent.toml"), PLAN.replace("\"digits\"", "\"no/digits/here\"")).unwrap();
    home.refused(&["ablate", "absent.toml", "--runs", "runs"], "no/digits/here");
    assert_eq!(std::fs::read_dir(home.path("runs")).unwrap().count(), 0);
}

#[test]
fn a_race_tells_every_lane_and_refuses_what_cannot_race() {
    let home = Home::new();
    let data = home.data();
    let base = ["race", "--model", "mlp", "--data", text(&data), "--validation", "50", "--threads", "1", "--json"];
    let call = |more: &[&str]| home.json(&[&base[..], more].concat());
    let lines = call(&["--optimizers", "sgd,adam:0.003,conjugate-gradient", "--updates", "20"]);
    assert_eq!(lines[0]["event"], "started");
    assert_eq!(lines[0]["lanes"][1]["learning_rate"], 0.003);
    let steps = |id: &str| lines.iter().filter(|line| line["event"] == "step" && line["optimizer"] == id).count();
    assert_eq!((steps("sgd"), steps("adam")), (20, 20));
    assert!(steps("conjugate-gradient") >= 1);
    let finished: Vec<_> = lines.iter().filter(|line| line["event"] == "finished").collect();
    assert!(finished.len() == 3 && finished.iter().all(|line| line["validation_accuracy"].is_f64()), "{finished:?}");
    let names = |line: &serde_json::Value| line["lanes"].as_array().unwrap().len();
    assert_eq!(names(&call(&["--updates", "1"])[0]), 6, "every optimiser races by default");
    home.refused(&["race", "--optimizers", "sgd,lbfgs"], "no optimiser \"lbfgs\"");
    home.refused(&["race", "--optimizers", "sgd:fast"], "\"fast\" is no learning rate");
    home.refused(&["race", "--model", "cnn-bn", "--optimizers", "sdlm"], "sdlm cannot race");
    home.refused(&["race", "--model", "lenet6"], "no model \"lenet6\"");
    home.refused(&["race", "--epochs", "0"], "epochs lies between 1 and 10,000, got 0");
    home.refused(&["race", "--batch-size", "0"], "batch size lies between 1 and 10,000, got 0");
}
