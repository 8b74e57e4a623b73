//! The place Runs: its table, what can be done with a run, and how quick it stays with much history.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use digitpad::storage::runs::RunState;
use digitpad::training::{Ending, TrainingConfig};
use digitpad::ui::places::Place;
use digitpad::workbench::{Command, ModelChoice, Phase, RunsCommand, Workbench};
use eframe::egui::{self, Key, Modifiers, MouseWheelSource, MouseWheelUnit, Theme, TouchPhase, vec2};
use egui_kittest::kittest::{NodeT, Queryable};

use crate::window::Window;

/// A run of this folder name that somebody else has recorded.
fn record(runs: &Path, name: &str, settings: &str, epochs: u32) -> PathBuf {
    let path = runs.join(name);
    std::fs::create_dir_all(&path).unwrap();
    let config = "model = \"mlp\"\ndata = \"drawn\"\nbatch_size = 64\nlearning_rate = 0.001\nvalidation = 1000\n";
    let config = format!("{settings}\n{config}epochs = {epochs}\n[optimizer]\nkind = \"adam\"\n");
    std::fs::write(path.join("config.toml"), config).unwrap();
    let lines: String = (1..=epochs)
        .map(|epoch| {
            let accuracy = 0.99 - 0.3 / f64::from(epoch) + 0.002 * (f64::from(epoch) * 1.7).sin();
            format!(
                "{{\"event\":\"epoch\",\"epoch\":{epoch},\"step\":{},\"train_loss\":{:.5},\"validation_loss\":{:.5},\
                 \"validation_accuracy\":{accuracy:.5},\"f1\":[0.98,0.99,0.97,0.96,0.98,0.95,0.98,0.97,0.96,0.96],\
                 \"seconds\":1.5,\"best\":{}}}\n",
                epoch * 10,
                0.8 / f64::from(epoch) + 0.01,
                0.9 / f64::from(epoch) + 0.02,
                epoch == epochs
            )
        })
        .collect();
    std::fs::write(path.join("history.jsonl"), lines).unwrap();
    let metrics =
        format!("{{\"ending\":\"completed\",\"seconds\":{},\"best_epoch\":{epochs}}}", 1.5 * f64::from(epochs));
    std::fs::write(path.join("metrics.json"), metrics).unwrap();
    path
}

/// A window on a folder in which these runs were recorded before.
fn window_on(runs: &[(&str, &str, u32)]) -> Window {
    let folder = tempfile::tempdir().unwrap();
    for (name, settings, epochs) in runs {
        record(&folder.path().join("runs"), name, settings, *epochs);
    }
    let mut window = Window::open_in(folder, vec2(1280.0, 800.0), 1.0, Theme::Dark);
    window.go(Place::Runs);
    window.until("the list", |workbench| workbench.runs().revision > 0 && !workbench.runs().is_reading);
    window
}

fn refresh(window: &mut Window) {
    window.workbench().handle(Command::Runs(RunsCommand::Refresh));
    window.until("the list", |workbench| !workbench.runs().is_reading);
}

fn click_with(window: &mut Window, label: &str, modifiers: Modifiers) {
    let at = window.harness.query_all_by_label_contains(label).next().unwrap().rect().center();
    window.harness.event(egui::Event::ModifiersChanged(modifiers));
    let click =
        |pressed| egui::Event::PointerButton { pos: at, button: egui::PointerButton::Primary, pressed, modifiers };
    window.harness.event(egui::Event::PointerMoved(at));
    window.harness.event(click(true));
    window.harness.step();
    window.harness.event(click(false));
    window.settle();
    window.harness.event(egui::Event::ModifiersChanged(Modifiers::NONE));
    window.settle();
}

fn type_into(window: &mut Window, field: &str, words: &str) {
    window.harness.get_by_label(field).focus();
    window.settle();
    window.press(Modifiers::COMMAND, Key::A);
    window.harness.event(egui::Event::Text(words.to_owned()));
    window.settle();
    window.press(Modifiers::NONE, Key::Enter);
}

#[test]
fn an_empty_place_says_how_to_fill_it_and_fills_with_a_training() {
    let mut window = Window::open();
    window.go(Place::Runs);
    window.until("the list", |workbench| workbench.runs().revision > 0);
    window.assert_sees(&["No runs yet", "Go to Train"]);
    window.click_label("Go to Train");
    window.assert_sees(&["Loss over epochs"]);
    window.go(Place::Runs);
    window.train(1);
    window.until("the run is listed", |workbench| !workbench.runs().runs.is_empty());
    window.until("the end", |workbench| !workbench.training_is_under_way());
    let completed = |workbench: &Workbench| workbench.runs().runs.iter().all(|run| run.state == RunState::Completed);
    window.until("the list follows", move |workbench| !workbench.runs().is_reading && completed(workbench));
    window.assert_sees(&["1 run", "mlp, 20", "Completed, best", "Order by Best, %", "Name of the run", "Open folder"]);
}

#[test]
fn only_settings_that_differ_are_columns_and_headers_order_the_rows() {
    let mut window = window_on(&[
        ("one_20240101_000000", "warm_up = 0.1", 3),
        ("two_20240102_000000", "clip_norm = 2.0", 5),
        ("three_20240103_000000", "", 4),
    ]);
    window.assert_sees(&["3 runs", "Order by Epochs", "Order by Warm up", "Order by Clip norm"]);
    assert!(!window.sees("Order by Batch size"), "what is the same in all is no column");
    let order = |window: &Window| -> Vec<String> {
        let rows = window.harness.query_all_by_label_contains(", Completed");
        let mut rows: Vec<_> = rows.map(|node| (node.rect().top(), node.accesskit_node().label().unwrap())).collect();
        rows.sort_by(|a, b| a.0.total_cmp(&b.0));
        rows.into_iter().map(|(_, label)| label.split(',').next().unwrap().to_owned()).collect()
    };
    assert_eq!(order(&window), ["three", "two", "one"], "the newest first");
    window.click_label("Order by Best, %");
    assert_eq!(order(&window), ["two", "three", "one"]);
    window.click_label("Order by Best, %");
    assert_eq!(order(&window), ["one", "three", "two"]);
}

#[test]
fn several_runs_share_a_plot_and_seeds_are_one_row_that_opens() {
    let mut window = window_on(&[
        ("a_20240101_000000", "seed = 1", 3),
        ("a_20240102_000000", "seed = 2", 3),
        ("b_20240103_000000", "learning_rate_typo = 1", 3),
        ("c_20240104_000000", "warm_up = 0.1", 3),
    ]);
    window.assert_sees(&["4 runs", "a × 2", "mean of the best", "b, 2024-01-03 00:00, Completed"]);
    window.click_label_containing("c, 2024");
    window.assert_sees(&["Validation accuracy over epochs: c"]);
    click_with(&mut window, "a × 2", Modifiers::COMMAND);
    window.assert_sees(&["Validation accuracy over epochs: c, a × 2", "3 runs are chosen"]);
    window.click_label("Seconds");
    window.click_label("Loss");
    window.assert_sees(&["Validation loss over seconds: c, a × 2"]);
    window.click_label_containing("Open the seeds of");
    window.assert_sees(&["Validation loss over seconds: c, a, a", "a, 2024-01-01", "a, 2024-01-02"]);
    // arrows move from the row that was pressed last: the one that opened is the third
    window.click_label_containing("c, 2024");
    window.press(Modifiers::NONE, Key::End);
    window.assert_sees(&["Validation loss over seconds: a"]);
    window.press(Modifiers::NONE, Key::Home);
    window.assert_sees(&["Validation loss over seconds: c"]);
    window.press(Modifiers::SHIFT, Key::ArrowDown);
    window.assert_sees(&["2 runs are chosen"]);
    // a damaged run says what is wrong with it
    window.click_label_containing("b, 2024");
    window.assert_sees(&["line 1, column 1"]);
}

#[test]
fn a_run_is_renamed_and_annotated_in_place_and_its_folder_stays() {
    let mut window = window_on(&[("one_20240101_000000", "", 3)]);
    let run = window.folder.path().join("runs").join("one_20240101_000000");
    type_into(&mut window, "Name of the run", "Baseline");
    window.until("the name", |workbench| workbench.runs().runs[0].title == "Baseline");
    window.assert_sees(&["Baseline, 2024-01-01"]);
    type_into(&mut window, "Note about the run", "what others are held against");
    assert_eq!(window.workbench().runs().runs[0].note, "what others are held against", "seen at once");
    let file = run.join("note.toml");
    let says = |words: &str| std::fs::read_to_string(&file).is_ok_and(|text| text.contains(words));
    window.until("both in the file", |_| says("Baseline") && says("what others are held against"));
    type_into(&mut window, "Name of the run", "one");
    window.until("its own name again", |workbench| workbench.runs().runs[0].title.is_empty());
    window.settle();
    window.assert_sees(&["one, 2024-01-01"]);
}

#[test]
fn a_deleted_run_comes_back_and_the_next_start_removes_it_for_good() {
    let mut window = window_on(&[("one_20240101_000000", "", 3), ("two_20240102_000000", "warm_up = 0.1", 3)]);
    let runs = window.folder.path().join("runs");
    let one = runs.join("one_20240101_000000");
    window.click_label_containing("one, 2024");
    window.press(Modifiers::NONE, Key::Delete);
    window.until("the deletion", |workbench| workbench.runs().runs.len() == 1);
    assert!(!one.exists());
    window.assert_sees(&["A run was deleted", "1 run"]);
    window.click_lowest("Undo");
    window.until("its return", |workbench| workbench.runs().runs.len() == 2);
    assert!(one.join("history.jsonl").is_file());

    window.click_label_containing("two, 2024");
    window.click_label("Delete");
    window.until("the deletion", |workbench| workbench.runs().runs.len() == 1);
    window.press(Modifiers::COMMAND, Key::Z);
    window.until("its return", |workbench| workbench.runs().runs.len() == 2);
    window.workbench().handle(Command::Runs(RunsCommand::Delete(vec![one.clone()])));
    window.until("the deletion", |workbench| workbench.runs().runs.len() == 1);
    let aside = runs.join(".deleted-one_20240101_000000");
    assert!(aside.is_dir());
    let Window { harness, folder } = window;
    drop(harness);
    let mut next = Window::open_in(folder, vec2(1280.0, 800.0), 1.0, Theme::Light);
    next.until("the next start", |_| !aside.exists());
    next.go(Place::Runs);
    next.until("the list", |workbench| workbench.runs().runs.len() == 1);
}

#[test]
fn a_run_is_used_again_on_the_pad_in_the_form_and_with_further_seeds() {
    let mut window = Window::open();
    let config = TrainingConfig { seed: 4, ..window.config(2) };
    window.workbench().handle(Command::StartTraining(config));
    window.until("the end", |workbench| workbench.training().is_some() && !workbench.training_is_under_way());
    window.go(Place::Runs);
    window.until("the list", |workbench| workbench.runs().runs.len() == 1 && !workbench.runs().is_reading);
    window.click_label("To the pad");
    window.until("its weights", |workbench| matches!(workbench.choice(), ModelChoice::Opened(_)));
    window.assert_sees(&["Pad, "]);
    window.go(Place::Runs);
    window.click_label("Use these settings");
    let seed = |window: &Window| window.harness.get_by_label("Seed").accesskit_node().value();
    assert_eq!(seed(&window).unwrap(), "4");

    window.go(Place::Runs);
    window.click_label("Repeat with seeds…");
    type_into(&mut window, "Further seeds", "none");
    window.assert_sees(&["A whole number from 1 to 20"]);
    type_into(&mut window, "Further seeds", "2");
    window.click_label("Train 2, one after the other");
    assert!(window.workbench().training_is_under_way());
    assert_eq!(window.workbench().waiting_repeats().len(), 1);
    window.assert_sees(&["1 repeat waits"]);
    window.until("both repeats", |workbench| {
        let done = workbench.runs().runs.iter().filter(|run| run.state == RunState::Completed).count();
        done == 3 && !workbench.training_is_under_way()
    });
    let mut seeds: Vec<u64> =
        window.workbench().runs().runs.iter().filter_map(|run| Some(run.config.as_ref()?.seed)).collect();
    seeds.sort_unstable();
    assert_eq!(seeds, [4, 5, 6]);
    window.assert_sees(&["mlp × 3"]);
}

#[test]
fn a_stopped_run_goes_on_from_the_list_and_stopping_cancels_what_waits() {
    let mut window = Window::open();
    let config = window.config(3);
    window.workbench().handle(Command::StepEpoch(config));
    window.until("an epoch", |w| w.training().is_some_and(|view| view.phase == Phase::Paused));
    let run = window.workbench().training().unwrap().run.clone().unwrap();
    refresh(&mut window);
    let state = window.workbench().runs().runs[0].state;
    assert_eq!(state, RunState::Running, "its lock is held by this very program");
    window.workbench().handle(Command::Runs(RunsCommand::Delete(vec![run.clone()])));
    window.until("a sentence", |w| w.notices().iter().any(|notice| notice.text.contains("is being written")));
    window.workbench().handle(Command::Runs(RunsCommand::RepeatWithSeeds(run.clone(), 3)));
    assert_eq!(window.workbench().waiting_repeats().len(), 3);
    window.workbench().handle(Command::StopTraining);
    window.until("the stop", |workbench| !workbench.training_is_under_way());
    assert_eq!(window.workbench().waiting_repeats().len(), 0, "whoever stops wants nothing to begin");
    window.until("the list", |w| w.runs().runs.iter().all(|run| run.state == RunState::Stopped));

    window.go(Place::Runs);
    window.click_label("Resume");
    window.until("the end", |w| w.training().is_some_and(|view| view.phase == Phase::Ended(Ending::Completed)));
    assert_eq!(window.workbench().training().unwrap().run.as_deref(), Some(run.as_path()));
    window.until("the list", |w| w.runs().runs.iter().all(|run| run.state == RunState::Completed));
    assert_eq!(window.workbench().runs().runs[0].epochs(), 3);
}

/// The program's own time for a frame, without a renderer's, while ten runs of a thousand epochs are drawn, the table scrolls
/// and the cursor moves. Run with `--nocapture` to see the times.
#[test]
#[allow(clippy::print_stdout, reason = "the figure is what the test is for")]
fn a_thousand_epochs_of_ten_runs_scroll_at_sixty_frames_a_second() {
    let names: Vec<(String, String)> = (0..10)
        .map(|n| (format!("long{n}_2024010{n}_000000"), format!("warm_up = 0.{n}1\nclip_norm = {n}.5")))
        .chain((10..60).map(|n| (format!("short_202402{n}_000000"), format!("warm_up = 0.{n}\nseed = {n}"))))
        .collect();
    let epochs = |place: usize| if place < 10 { 1_000 } else { 2 };
    let runs: Vec<(&str, &str, u32)> =
        names.iter().enumerate().map(|(place, (name, own))| (name.as_str(), own.as_str(), epochs(place))).collect();
    let began = Instant::now();
    let mut window = window_on(&runs);
    let listed = began.elapsed();
    // the long ones are the best: all ten of them chosen
    window.click_label("Order by Best, %");
    window.click_label_containing("long9");
    for _ in 0..9 {
        window.press(Modifiers::SHIFT, Key::ArrowDown);
    }
    window.assert_sees(&["10 runs are chosen"]);
    let table = window.harness.get_by_label_contains("Runs, 60 rows").rect();
    let plot = window.harness.get_by_label_contains("Validation accuracy over epochs").rect();
    let mut frames: Vec<Duration> = (0..400)
        .map(|frame: i32| {
            let (at, scrolls) = if frame % 2 == 0 { (table.center(), true) } else { (plot.center(), false) };
            let sway = vec2((frame as f32 / 20.0).sin() * 100.0, 0.0);
            window.harness.event(egui::Event::PointerMoved(at + sway));
            if scrolls {
                let delta = vec2(0.0, if frame % 160 < 80 { -40.0 } else { 40.0 });
                let (unit, phase, source) = (MouseWheelUnit::Point, TouchPhase::Move, MouseWheelSource::Wheel);
                let modifiers = Modifiers::NONE;
                window.harness.event(egui::Event::MouseWheel { unit, delta, phase, source, modifiers });
            }
            let began = Instant::now();
            window.harness.step();
            began.elapsed()
        })
        .collect();
    frames.sort();
    let (median, late) = (frames[200], frames[396]);
    println!(
        "60 runs listed in {listed:?} with the window; a frame takes {median:?}, one in a hundred more than {late:?}"
    );
    assert!(median < Duration::from_micros(16_600), "a frame takes {median:?}");
    assert!(late < Duration::from_millis(100), "one frame in a hundred takes more than {late:?}");
}
