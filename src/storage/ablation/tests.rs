//! Ablations of a few updates on drawn digits.

use super::*;
use crate::data::{Drawn, idx};
use crate::nn::DeviceChoice;

/// A folder with a small data set, and a plan that asks it.
fn plan(home: &Path) -> Plan {
    let digits = Drawn { train: 300, test: 100, seed: 9 }.generate(&mut |_, _| ControlFlow::Continue(())).unwrap();
    let folder = home.join("digits");
    fs::create_dir_all(&folder).unwrap();
    idx::write_folder(&folder, &digits.train, &digits.test).unwrap();
    let toml = format!(
        "question = \"Is a rate of 0.00001 too low?\"\nbet = \"low\"\nseeds = 2\n[base]\nname = \"usual\"\nmodel = \"mlp\"\n\
         data = {:?}\nepochs = 2\nbatch_size = 25\nlearning_rate = 0.003\nvalidation = 50\noptimizer = {{ kind = \"adam\" }}\n\
         [[variants]]\nname = \"low\"\nlearning_rate = 0.00001\n\
         [[variants]]\nname = \"lost\"\nlearning_rate = 100.0\noptimizer = {{ kind = \"sgd\", weight_decay = 1.0 }}\n",
        folder.to_str().unwrap()
    );
    Plan::from_toml(&toml, "rates").unwrap()
}

fn compute() -> Arc<Compute> {
    Arc::new(Compute::new(DeviceChoice::Cpu, Some(1)).unwrap())
}

/// Runs it to the end, or until so many updates were told. How many there were, and what was found.
fn go_on(ablation: &Ablation, split: Split, stop_after: usize) -> (usize, Option<Results>) {
    let mut updates = 0;
    let results = ablation.run(split, &compute(), &mut |told| {
        if let Told::Event(Event::Step { .. }) = told {
            updates += 1;
        }
        if updates == stop_after { ControlFlow::Break(Stop) } else { ControlFlow::Continue(()) }
    });
    (updates, results.unwrap())
}

#[test]
fn an_ablation_finds_the_better_setting_and_writes_its_report() {
    let home = tempfile::tempdir().unwrap();
    let ablation = Ablation::create(plan(home.path()), &home.path().join("runs")).unwrap();
    let (updates, results) = go_on(&ablation, Split::Validation, usize::MAX);
    let results = results.unwrap();
    let [usual, low, lost] = &results.variants[..] else { panic!("three variants") };
    assert_eq!(usual.values.len(), 2);
    assert!(usual.estimate().unwrap().mean > low.estimate().unwrap().mean + 0.1, "{results:?}");
    assert!(usual.seconds > 0.0 && lost.values.len() == 2, "what diverges is a result too");
    assert_eq!((lost.diverged_seeds(), low.diverged_seeds(), usual.divergence()), (2, 0, None));
    let verdict = results.verdict(&ablation.plan).unwrap();
    assert_eq!((verdict.winner.as_str(), verdict.bet_held), ("usual", Some(false)));
    let text = fs::read_to_string(ablation.folder.join("report.md")).unwrap();
    assert!(text.contains("# Is a rate of 0.00001 too low?") && text.contains("did not hold"), "{text}");
    assert!(text.contains("lost: 2 of 2 seeds diverged"), "{text}");

    let found = found_in(&home.path().join("runs")).pop().unwrap();
    let read = found.results.unwrap();
    assert!(read.are_complete(&found.plan) && read.split == Split::Validation);
    for (read, found) in read.variants.iter().zip(&results.variants) {
        let differences = read.values.iter().zip(&found.values).map(|(read, found)| (read - found).abs());
        assert!(read.name == found.name && differences.fold(0.0, f64::max) < 1e-12, "{read:?} {found:?}");
    }
    let file = ablation.folder.join("results.json");
    let whole = fs::read_to_string(&file).unwrap();
    for damaged in [whole.replace("low", "other"), whole.replacen("\"values\":[", "\"values\":[7.0,", 1), String::new()]
    {
        fs::write(&file, damaged).unwrap();
        assert!(found_in(&home.path().join("runs"))[0].results.is_none());
    }

    // ordinary runs: their accuracy is that of their best epoch
    let run = run_folder::find(&ablation.folder, "usual-seed2").unwrap();
    let history = fs::read_to_string(run.join("history.jsonl")).unwrap();
    let accuracy = |line: &str| serde_json::from_str::<Value>(line).unwrap()["validation_accuracy"].as_f64().unwrap();
    assert_eq!(usual.values[1], history.lines().map(accuracy).fold(0.0, f64::max));

    // nothing is trained twice, another split asks the same weights, and a further seed trains alone
    let again = Ablation::open(&ablation.folder, None).unwrap();
    assert_eq!(again.plan, ablation.plan);
    assert_eq!(go_on(&again, Split::Validation, usize::MAX), (0, Some(results)));
    let (trained, on_test) = go_on(&again, Split::Test, usize::MAX);
    assert_eq!((trained, on_test.unwrap().split), (0, Split::Test));
    let more = Ablation::open(&ablation.folder, Some(3)).unwrap();
    let (trained, results) = go_on(&more, Split::Validation, usize::MAX);
    assert!(trained > 0 && trained < updates, "{trained} of {updates}");
    assert_eq!(results.unwrap().variants[0].values.len(), 3);
}

#[test]
fn an_interrupted_ablation_goes_on_in_the_middle_of_a_run() {
    let home = tempfile::tempdir().unwrap();
    let runs = home.path().join("runs");
    let whole = Ablation::create(plan(home.path()), &runs).unwrap();
    let (updates, expected) = go_on(&whole, Split::Validation, usize::MAX);
    let ablation = Ablation::create(plan(home.path()), &runs).unwrap();
    assert_ne!(ablation.folder, whole.folder);
    // 20 updates are a run
    let (first, stopped) = go_on(&ablation, Split::Validation, 27);
    assert_eq!((first, stopped), (27, None));
    assert!(!ablation.folder.join("report.md").exists());
    // what was found before the end is found again by whoever looks
    let found = found_in(&runs).pop().unwrap();
    let so_far = found.results.unwrap();
    assert_eq!((found.folder, found.report.is_none()), (ablation.folder.clone(), true));
    assert!(!so_far.are_complete(&found.plan) && so_far.variants[0].values.len() == 1, "{so_far:?}");
    let (rest, results) = go_on(&Ablation::open(&ablation.folder, None).unwrap(), Split::Validation, usize::MAX);
    assert_eq!(first + rest, updates, "every update is made once");
    let values = |results: Option<Results>| -> Vec<Vec<f64>> {
        results.unwrap().variants.into_iter().map(|found| found.values).collect()
    };
    assert_eq!(values(results), values(expected));
    assert_eq!(find(&runs, ablation.folder.file_name().unwrap().to_str().unwrap()), Some(ablation.folder));
}

#[test]
fn runs_of_a_plan_that_was_changed_since_are_not_taken_for_its_own() {
    let home = tempfile::tempdir().unwrap();
    let mut plan = plan(home.path()).with_seeds(Some(1)).unwrap();
    plan.variants.truncate(2);
    // starts from the base's run, which the run's own configuration names in full
    plan.variants[1].config.from = Some("usual-seed1".to_owned());
    // settings that are left out when they are written as they usually are
    plan.variants[1].config.beside.pens_times = 1;
    let ablation = Ablation::create(plan, &home.path().join("runs")).unwrap();
    let runs =
        || fs::read_dir(&ablation.folder).unwrap().filter(|entry| entry.as_ref().unwrap().path().is_dir()).count();
    let values = |results: Option<Results>| results.unwrap().variants.into_iter().map(|found| found.values[0]);
    let (updates, first) = go_on(&ablation, Split::Validation, usize::MAX);
    let first: Vec<f64> = values(first).collect();
    assert_eq!((runs(), go_on(&ablation, Split::Validation, usize::MAX).0), (2, 0));

    let mut other = ablation.plan.clone();
    other.variants[1].config.learning_rate = 10.0;
    let changed = Ablation::go_on(other, &ablation.folder).unwrap();
    let (trained, second) = go_on(&changed, Split::Validation, usize::MAX);
    let second: Vec<f64> = values(second).collect();
    assert_eq!((trained, runs()), (updates / 2, 3), "the variant that has changed is trained anew");
    assert!(second[0] == first[0] && second[1] != first[1], "{first:?} {second:?}");
    // each plan finds its own, the older as the newer
    assert_eq!(go_on(&changed, Split::Validation, usize::MAX).0, 0);
    let (trained, again) = go_on(&ablation, Split::Validation, usize::MAX);
    assert_eq!((trained, values(again).collect::<Vec<_>>(), runs()), (0, first, 3));
}

#[test]
fn a_plan_without_validation_images_is_refused_before_it_trains() {
    let home = tempfile::tempdir().unwrap();
    let mut plan = plan(home.path());
    plan.variants[1].config.validation = 0;
    let ablation = Ablation::create(plan, &home.path().join("runs")).unwrap();
    let error = ablation.run(Split::Validation, &compute(), &mut |_| ControlFlow::Continue(())).unwrap_err();
    assert!(error.to_string().starts_with("\"low\" keeps no validation images"), "{error}");
    assert!(!ablation.folder.exists(), "an ablation without a run leaves nothing behind");
    let error = read_plan(&home.path().join("absent.toml")).unwrap_err().to_string();
    assert!(error.contains("this plan cannot be used") && error.contains("absent.toml"), "{error}");
}
