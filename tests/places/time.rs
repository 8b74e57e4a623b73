//! The time strip: moments of a run that answer everywhere, and what they leave alone.

use std::path::Path;
use std::time::{Duration, Instant};

use digitpad::inference::Prediction;
use digitpad::ui::places::Place;
use digitpad::workbench::{Command, Phase, Workbench};
use eframe::egui::{self, Key, Modifiers, pos2};
use egui_kittest::kittest::{NodeT, Queryable};

use crate::window::Window;

fn has_ended(workbench: &Workbench) -> bool {
    workbench.training().is_some_and(|view| matches!(view.phase, Phase::Ended(_)))
}

fn answer(window: &mut Window) -> Prediction {
    window.until("the answer", |workbench| workbench.answer_is_current() && workbench.prediction().is_some());
    *window.workbench().prediction().unwrap()
}

fn playhead(window: &mut Window) -> Option<u64> {
    window.workbench().time().and_then(|time| time.playhead)
}

/// Presses on the strip at one share of its width and lets go at another.
fn drag(window: &mut Window, from: f32, to: f32) {
    let strip = window.harness.get_by_label_contains("Time strip").rect();
    let at = |share: f32| pos2(strip.left() + 6.0 + share * (strip.width() - 12.0), strip.center().y);
    window.harness.event(egui::Event::PointerMoved(at(from)));
    window.button(at(from), true);
    window.harness.step();
    for share in [0.75, 0.5, 0.25, 0.0] {
        window.harness.event(egui::Event::PointerMoved(at(to + (from - to) * share)));
        window.harness.step();
    }
    window.button(at(to), false);
    window.settle();
}

fn f1_rows(window: &Window) -> Vec<String> {
    let labels = window.harness.root().children_recursive().filter_map(|node| node.accesskit_node().label());
    labels.filter(|label| label.starts_with("F1 of ")).collect()
}

fn last_hash(window: &mut Window) -> String {
    let run = window.workbench().training().unwrap().run.clone().unwrap();
    let metrics = std::fs::read_to_string(run.join("metrics.json")).unwrap();
    let metrics: serde_json::Value = serde_json::from_str(&metrics).unwrap();
    metrics["last_weights_sha256"].as_str().unwrap().to_owned()
}

#[test]
fn a_drag_moves_the_answer_the_f1_rows_and_the_matrix_and_live_returns() {
    let mut window = Window::open();
    assert!(window.workbench().time().is_none() && !window.sees("Time strip"), "no run, no strip");
    window.draw_one();
    window.train(6);
    window.until("the end", has_ended);
    window.assert_sees(&["Time strip, Best weights", "Live"]);
    let at_best = answer(&mut window);
    let title = window.workbench().chosen().unwrap().title;

    drag(&mut window, 0.9, 0.0);
    let time = window.workbench().time().unwrap();
    assert_eq!(time.playhead, time.moments.first().copied(), "the nearest moment is the first");
    let at_first = answer(&mut window);
    assert_ne!(at_first, at_best, "another network answers");
    window.assert_sees(&["Go to live", "Time strip, Epoch 1 of 6"]);
    let moment = window.workbench().chosen().unwrap().title;
    assert!(moment.ends_with("epoch 1 of 6"), "what answers says which moment it is, got {moment}");
    if let Ok(pictures) = std::env::var("DIGITPAD_PICTURES") {
        window.picture(&Path::new(&pictures).join("time strip, looking back.png"));
    }

    window.go(Place::Train);
    let then = f1_rows(&window);
    window.go(Place::Mistakes);
    window.until("the matrix of the moment", |workbench| {
        workbench.evaluation().title == moment && !workbench.evaluation_is_stale()
    });
    let first = window.workbench().evaluation().result.clone().unwrap();

    window.go(Place::Draw);
    window.press(Modifiers::NONE, Key::L);
    assert_eq!(playhead(&mut window), None);
    assert_eq!(answer(&mut window), at_best, "the best weights answer again");
    window.go(Place::Train);
    assert_ne!(f1_rows(&window), then);
    window.go(Place::Mistakes);
    window.until("the matrix of the best weights", |workbench| {
        workbench.evaluation().title == title && !workbench.evaluation_is_stale()
    });
    assert_ne!(window.workbench().evaluation().result.as_ref().unwrap().confusion.counts, first.confusion.counts);

    // with the focus arrows go from moment to moment; what was judged once is there at once
    drag(&mut window, 0.9, 0.0);
    assert_eq!(window.workbench().evaluation().result.as_ref().unwrap().confusion.counts, first.confusion.counts);
    window.harness.get_by_label_contains("Time strip").focus();
    window.settle();
    window.press(Modifiers::NONE, Key::ArrowRight);
    let moments = window.workbench().time().unwrap().moments;
    assert_eq!(playhead(&mut window), Some(moments[1]));
    window.click_label("Go to live");
    assert_eq!(playhead(&mut window), None);
}

#[test]
fn a_run_under_way_is_not_changed_by_looking_back() {
    let mut window = Window::open();
    window.draw_one();
    window.train(12);
    window.until("the end", has_ended);
    let undisturbed = last_hash(&mut window);
    window.train(12);
    window.until("some moments", |workbench| workbench.time().is_some_and(|time| time.moments.len() > 1));
    let mut looks = 0;
    while !has_ended(window.workbench()) {
        looks += 1;
        window.workbench().handle(Command::LookBack(if looks % 5 == 0 { None } else { Some(looks * 7 % 200) }));
        window.harness.step();
    }
    window.until("the end", has_ended);
    assert!(looks > 3, "it was looked back at while it went on");
    assert_eq!(last_hash(&mut window), undisturbed);
}

#[test]
fn an_opened_run_has_its_moments_and_so_has_one_that_was_made_before_there_were_any() {
    let mut window = Window::open();
    window.draw_one();
    window.train(5);
    window.until("the end", has_ended);
    let run = window.workbench().training().unwrap().run.clone().unwrap();
    window.workbench().handle(Command::ResetTraining);
    window.settle();
    assert!(!window.sees("Time strip"));

    window.workbench().handle(Command::LoadModel(run.clone()));
    window.until("the moments", |workbench| workbench.time().is_some_and(|time| time.moments.len() >= 5));
    let best = answer(&mut window);
    let began = Instant::now();
    window.workbench().handle(Command::LookBack(Some(0)));
    let first = answer(&mut window);
    assert!(began.elapsed() < Duration::from_secs(5), "the moments of a run are in memory: {:?}", began.elapsed());
    assert_ne!(first, best);
    window.assert_sees(&["Time strip, Epoch 1 of 5"]);

    std::fs::remove_dir_all(run.join("moments")).unwrap();
    window.workbench().handle(Command::LookBack(None));
    window.workbench().handle(Command::LoadModel(run));
    window.until("best and last", |workbench| {
        workbench.time().is_some_and(|time| (1..=2).contains(&time.moments.len()) && time.curve.len() == 5)
    });
}
