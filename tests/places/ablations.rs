//! Ablations and the optimiser race, the second and third view of Runs.

use digitpad::optim::OptimizerConfig;
use digitpad::training::{Race, RaceLane};
use digitpad::ui::places::Place;
use digitpad::workbench::{AblationCard, Command, RaceCommand, RacePhase, Workbench};
use eframe::egui::{Theme, vec2};
use egui_kittest::kittest::{NodeT, Queryable};

use crate::window::Window;

/// A window in front of a plan on a few drawn digits.
fn window_with_plan(epochs: u32) -> Window {
    let mut window = Window::open();
    let data = window.config(1).data;
    let plan = format!(
        "question = \"Is a tiny rate too low?\"\nseeds = 2\n[base]\nname = \"usual\"\nmodel = \"mlp\"\ndata = {data:?}\n\
         epochs = {epochs}\nbatch_size = 25\nlearning_rate = 0.003\nvalidation = 50\noptimizer = {{ kind = \"adam\" }}\n\
         [[variants]]\nname = \"low\"\nlearning_rate = 0.00001\n"
    );
    let path = window.folder.path().join("rates.toml");
    std::fs::write(&path, plan).unwrap();
    window.go(Place::Runs);
    window.click_label("Ablations");
    window.assert_sees(&["Does it matter how LeNet-5's weights begin?", "Open a plan…"]);
    window.harness.state_mut().open(path);
    window.settle();
    window
}

/// A learning rate at which nothing is learnt.
const LOST: &str = "learning_rate = 100.0\noptimizer = { kind = \"sgd\", weight_decay = 1.0 }";

fn card(workbench: &Workbench) -> &AblationCard {
    workbench.ablations().iter().find(|card| card.plan.name == "rates").unwrap()
}

fn is_disabled(window: &Window, label: &str) -> bool {
    window.harness.get_by_label(label).accesskit_node().is_disabled()
}

#[test]
fn a_card_waits_for_a_bet_trains_its_runs_and_says_whether_the_bet_held() {
    let mut window = window_with_plan(3);
    window.assert_sees(&[
        "Is a tiny rate too low?, 2 variants",
        "Which will win?",
        "learning_rate = 0.00001",
        "4 runs",
    ]);
    assert!(is_disabled(&window, "Start"), "no bet has been made");
    window.click_label("No bet");
    assert!(!is_disabled(&window, "Start"));
    window.click_label("low");
    window.click_label("Start");
    window.until("all runs", |workbench| card(workbench).results.is_some() && workbench.is_busy_with().is_none());
    assert!(card(window.workbench()).values.iter().all(|values| values.len() == 2));
    window.assert_sees(&[
        "The bet did not hold",
        "usual has won",
        "low, seeds",
        "Save report…",
        "Done, the bet did not",
    ]);
    let report = card(window.workbench()).report.clone().unwrap();
    assert!(report.contains("The bet on low did not hold."), "{report}");
    window.click_label("Copy report");
}

#[test]
fn a_card_tells_of_divergence_and_forgets_a_folder_in_which_nothing_could_begin() {
    let mut window = window_with_plan(2);
    let path = window.folder.path().join("rates.toml");
    let lost = std::fs::read_to_string(&path).unwrap().replace("learning_rate = 0.00001", LOST);
    std::fs::write(&path, &lost).unwrap();
    window.harness.state_mut().open(path.clone());
    window.settle();
    window.click_label("No bet");
    window.click_label("Start");
    window.until("all runs", |workbench| card(workbench).results.is_some() && workbench.is_busy_with().is_none());
    window.assert_sees(&["2 of 2 seeds diverged"]);
    let folders = |window: &Window| std::fs::read_dir(window.folder.path().join("runs")).unwrap().count();
    let before = folders(&window);

    let absent = window.folder.path().join("absent");
    std::fs::write(&path, lost.replace(&window.config(1).data, absent.to_str().unwrap())).unwrap();
    window.harness.state_mut().open(path);
    window.settle();
    window.click_label("No bet");
    window.click_label("Start");
    window.until("the end", |workbench| workbench.is_busy_with().is_none());
    assert_eq!((card(window.workbench()).folder.clone(), folders(&window)), (None, before));
}

#[test]
fn an_ablation_ends_with_its_window_and_goes_on_in_the_next_one() {
    let mut window = window_with_plan(40);
    window.click_label("No bet");
    window.click_label("Start");
    window.until("a finished run", |workbench| !card(workbench).values[0].is_empty());
    assert!(window.workbench().is_busy_with() == Some("An ablation"));
    let config = window.config(1);
    window.workbench().handle(Command::StartTraining(config));
    window.settle();
    window.assert_sees(&["An ablation is under way"]);
    assert!(window.workbench().training().is_none());
    window.harness.state_mut().end();
    let Window { harness, folder } = window;
    drop(harness);
    let runs = |folder: &std::path::Path| -> usize {
        let ablation = std::fs::read_dir(folder.join("runs")).unwrap().next().unwrap().unwrap().path();
        std::fs::read_dir(ablation).unwrap().filter(|entry| entry.as_ref().unwrap().path().is_dir()).count()
    };
    let before = runs(folder.path());

    let mut next = Window::open_in(folder, vec2(1280.0, 800.0), 1.0, Theme::Light);
    next.go(Place::Runs);
    next.click_label("Ablations");
    next.until("the card", |workbench| workbench.ablations().iter().any(|card| card.plan.name == "rates"));
    next.assert_sees(&["Is a tiny rate too low?, Begun, not done"]);
    next.click_label_containing("Is a tiny rate too low?");
    next.click_label("Go on");
    next.until("the rest", |workbench| card(workbench).results.is_some());
    assert!(before < 4 && runs(next.folder.path()) == 4, "what was trained is not trained again");
}

/// A race on drawn digits with a window that looks at it.
fn race(window: &mut Window, updates: u64) {
    let base = window.config(1);
    let lane = |id| RaceLane::usual(OptimizerConfig::find(id).unwrap(), &base);
    let mut lanes: Vec<RaceLane> = ["sgd", "adam", "conjugate-gradient"].map(lane).into();
    lanes.push(RaceLane { learning_rate: 100.0, ..lane("momentum") });
    let mut race = Race::new(base, lanes);
    race.updates = Some(updates);
    window.go(Place::Runs);
    window.click_label("Race");
    window.assert_sees(&["Which optimiser is first?", "Start race", "Learning rate of SDLM (1998)"]);
    window.workbench().handle(Command::Race(RaceCommand::Start(Box::new(race))));
}

#[test]
fn a_race_is_on_few_enough_images_unless_all_are_chosen() {
    let mut window = Window::open();
    window.go(Place::Runs);
    window.click_label("Race");
    let limit = |window: &mut Window| {
        window.click_label("Start race");
        window.until("a race", |workbench| workbench.race().is_some());
        let limit = window.workbench().race().unwrap().race.base().train_limit;
        window.workbench().handle(Command::Race(RaceCommand::Stop));
        window.until("the end", |workbench| workbench.is_busy_with().is_none());
        limit
    };
    assert_eq!(limit(&mut window), Some(5_000));
    window.click_label("Training images of the race");
    window.click_label("All");
    assert_eq!(limit(&mut window), None);
}

fn phase(workbench: &Workbench) -> &RacePhase {
    &workbench.race().unwrap().phase
}

#[test]
fn a_race_shows_its_lanes_and_who_was_first() {
    let mut window = Window::open();
    race(&mut window, 150);
    window.until("the end", |workbench| *phase(workbench) == RacePhase::Ended);
    let view = window.workbench().race().unwrap();
    assert_eq!((view.update, view.lanes[0].losses.len()), (150, 150));
    assert!(view.lanes[2].losses.len() >= 2 && view.lanes[1].standing.accuracy.is_some_and(|share| share > 0.5));
    window.assert_sees(&["Training loss over updates", "Validation accuracy over updates, SGD", "98 % reached"]);
    window.click_label("Seconds");
    window.assert_sees(&["Training loss over seconds"]);
}

#[test]
fn a_race_pauses_and_stops_at_once() {
    let mut window = Window::open();
    race(&mut window, 1_000_000);
    window.until("some updates", |workbench| workbench.race().unwrap().update > 10);
    window.click_label("Pause");
    assert_eq!(phase(window.workbench()), &RacePhase::Paused);
    std::thread::sleep(std::time::Duration::from_millis(300));
    window.settle();
    let update = window.workbench().race().unwrap().update;
    std::thread::sleep(std::time::Duration::from_millis(300));
    window.settle();
    assert_eq!(window.workbench().race().unwrap().update, update, "it rests");
    let began = std::time::Instant::now();
    window.click_label("Stop race");
    window.until("the end", |workbench| *phase(workbench) == RacePhase::Ended && workbench.is_busy_with().is_none());
    assert!(began.elapsed().as_secs_f64() < 5.0, "{:?}", began.elapsed());
    window.assert_sees(&["Start race"]);
}
