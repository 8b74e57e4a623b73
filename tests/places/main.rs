//! The window without a screen: every place with an empty, a training and an evaluated workbench, found by the names
//! that screen readers are told. With `DIGITPAD_PICTURES=<folder>` set, pictures of the places are written there too.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

mod ablations;
mod compare;
mod control;
mod curves;
mod doctor;
mod inside;
mod models;
mod resuming;
mod runs;
mod time;
mod window;

use std::path::Path;
use std::time::{Duration, Instant};

use digitpad::ui::places::Place;
use digitpad::workbench::{Command, ModelChoice, Phase};
use eframe::egui::{self, Key, Modifiers, Theme, vec2};
use egui_kittest::kittest::{NodeT, Queryable};

use window::Window;

/// What every place must show, whatever the workbench knows.
const ALWAYS: [&str; 6] = ["Draw", "Train", "Inside", "Mistakes", "Model that answers", "Keys and help"];

fn essentials(place: Place) -> &'static [&'static str] {
    match place {
        Place::Draw => &["Pad, ", "Clear", "Undo", "Eraser", "Pen width", "Paste a picture", "Probability"],
        Place::Train => &["Optimiser", "Rate", "Batch", "Epochs", "Seed", "Loss over epochs", "Accuracy over epochs"],
        Place::Inside => &["RBF room"],
        Place::Mistakes => &["Mistakes"],
        Place::Runs => &["Runs"],
        Place::Data => &["My handwriting"],
    }
}

fn visit_all(window: &mut Window) {
    for (place, ..) in Place::ALL {
        window.go(place);
        window.assert_sees(&ALWAYS);
        window.assert_sees(essentials(place));
    }
}

#[test]
fn every_place_opens_empty_training_and_evaluated() {
    let mut window = Window::open();
    visit_all(&mut window);
    window.go(Place::Draw);
    window.assert_sees(&["Pad, empty", "Nothing drawn", "Draw a digit"]);
    window.go(Place::Train);
    window.assert_sees(&["F1 per digit"]);

    window.go(Place::Draw);
    window.draw_one();
    window.train(500);
    window.until("some updates", |workbench| workbench.training().is_some_and(|view| view.step > 3));
    visit_all(&mut window);
    window.assert_sees(&["Pause"]);
    window.workbench().handle(Command::StopTraining);
    window.until("the stop", |workbench| !workbench.training_is_under_way());
    visit_all(&mut window);

    window.workbench().handle(Command::ChooseModel(ModelChoice::Shipped("mlp")));
    window.evaluate();
    visit_all(&mut window);
    window.go(Place::Mistakes);
    window.assert_sees(&["Confusion matrix"]);
}

#[test]
fn the_pixels_that_a_network_keeps_are_shown() {
    let mut window = Window::open();
    window.workbench().handle(Command::ChooseModel(ModelChoice::Shipped("scratch")));
    for place in [Place::Draw, Place::Inside] {
        window.go(place);
        window.assert_sees(&["Pixels kept, 624 of 784"]);
    }
    window.workbench().handle(Command::ChooseModel(ModelChoice::Shipped("mlp")));
    window.go(Place::Inside);
    assert!(!window.sees("Pixels kept"));
}

#[test]
fn strokes_of_the_pointer_are_answered_and_keys_take_them_back() {
    let mut window = Window::open();
    window.draw_one();
    // the answers of the unfinished stroke come first
    window.until("the answer 1", |workbench| workbench.prediction().is_some_and(|prediction| prediction.best() == 1));
    let samples = window.workbench().drawing().strokes[0].samples.len();
    assert!(samples >= 9, "every sample of a frame is kept, got {samples}");
    window.assert_sees(&["Pad, 1 stroke", "Answer 1"]);

    window.press(Modifiers::NONE, Key::C);
    assert!(window.workbench().drawing().is_empty());
    window.assert_sees(&["Pad, empty", "Nothing drawn"]);
    window.press(Modifiers::COMMAND, Key::Z);
    window.assert_sees(&["Pad, 1 stroke"]);
    window.press(Modifiers::COMMAND, Key::Z);
    window.assert_sees(&["Pad, empty"]);
    window.press(Modifiers::COMMAND | Modifiers::SHIFT, Key::Z);
    window.assert_sees(&["Pad, 1 stroke"]);
    window.click_label("Clear");
    window.assert_sees(&["Pad, empty"]);
    window.click_label("Undo");
    window.assert_sees(&["Pad, 1 stroke"]);
}

#[test]
fn a_digit_key_says_what_the_drawing_is_and_the_bars_mark_it() {
    let mut window = Window::open();
    window.press(Modifiers::NONE, Key::Num7);
    assert_eq!(window.workbench().true_label(), None, "an empty pad has no label");
    window.draw_one();
    window.press(Modifiers::NONE, Key::Num7);
    window.until("an answer", |workbench| workbench.prediction().is_some());
    assert_eq!(window.workbench().true_label(), Some(7));
    window.assert_sees(&["it is 7"]);
    window.draw(&[[0.2, 0.5], [0.8, 0.5]]);
    assert_eq!(window.workbench().true_label(), Some(7), "the label stays while the drawing grows");
    window.press(Modifiers::NONE, Key::Num7);
    assert_eq!(window.workbench().true_label(), None, "the same key takes it back");
    window.press(Modifiers::NONE, Key::Num4);
    window.press(Modifiers::NONE, Key::C);
    assert_eq!(window.workbench().true_label(), None, "a cleared drawing has no label");
}

#[test]
fn a_digit_key_keeps_the_drawing_once_and_undo_takes_it_back() {
    let mut window = Window::open();
    window.assert_sees(&["0 to 9 say which digit it is"]);
    window.draw_one();
    window.press(Modifiers::NONE, Key::Num7);
    window.assert_sees(&["Kept as 7", "My handwriting 1, this one as 7"]);
    window.press(Modifiers::NONE, Key::Num1);
    let kept = |window: &mut Window| -> Vec<u8> {
        window.workbench().handwriting().drawings.iter().map(|view| view.kept.label).collect()
    };
    assert_eq!(kept(&mut window), [1], "another key changes the label of what is kept");
    window.draw(&[[0.3, 0.9], [0.7, 0.9]]);
    let strokes = window.workbench().handwriting().drawings[0].kept.drawing.strokes.len();
    assert_eq!(strokes, 2, "while the drawing grows, what is kept grows with it");
    window.press(Modifiers::NONE, Key::C);
    window.press(Modifiers::COMMAND, Key::Z);
    window.press(Modifiers::NONE, Key::Num1);
    assert_eq!(kept(&mut window), [1], "the same drawing is kept once");
    window.press(Modifiers::NONE, Key::C);
    window.draw_one();
    window.press(Modifiers::NONE, Key::Num4);
    assert_eq!(kept(&mut window), [1, 4]);
    window.click_lowest("Undo");
    assert_eq!(kept(&mut window), [1], "the notice takes it back");
    let file = window.folder.path().join("drawings").join("handwriting.jsonl");
    window.until("the file", |_| std::fs::read_to_string(&file).is_ok_and(|text| text.lines().count() == 1));
}

#[test]
fn data_scores_every_model_and_marks_what_it_reads_wrong() {
    let mut window = Window::open();
    window.go(Place::Data);
    window.assert_sees(&["My handwriting", "Import strokes…"]);
    window.go(Place::Draw);
    window.draw_one();
    window.press(Modifiers::NONE, Key::Num1);
    window.press(Modifiers::NONE, Key::C);
    window.draw(&[[0.5, 0.1], [0.5, 0.9]]);
    // a stroke that every model reads as 1, kept as 9
    window.press(Modifiers::NONE, Key::Num9);
    window.press(Modifiers::COMMAND, Key::Num6);
    window.until("scores", |workbench| !workbench.handwriting().scores.models.is_empty());
    let models = window.workbench().models().len();
    assert_eq!(window.workbench().handwriting().scores.models.len(), models);
    window.assert_sees(&["My handwriting", "LeNet-5, 1 of 2 right", "It takes 5 drawings of 2 digits", "Line width"]);
    window.click_label_containing("LeNet-5, 1 of 2 right");
    window.assert_sees(&["LeNet-5 reads 1 of 2 wrong", "own-2, a 9, read as 1", "own-1, a 1, read right"]);

    window.click_label_containing("own-2, a 9");
    window.assert_sees(&["A 9", "To the pad"]);
    window.press(Modifiers::NONE, Key::Num1);
    window.assert_sees(&["LeNet-5, 2 of 2 right"]);
    window.press(Modifiers::COMMAND, Key::Z);
    window.assert_sees(&["LeNet-5, 1 of 2 right"]);
    window.press(Modifiers::NONE, Key::Delete);
    window.assert_sees(&["Deleted a 9", "1 drawing", "LeNet-5, 1 of 1 right"]);
    window.press(Modifiers::COMMAND, Key::Z);
    window.click_label_containing("own-2, a 9");
    window.click_label("To the pad");
    window.assert_sees(&["Pad, 1 stroke"]);
    assert_eq!(window.workbench().true_label(), Some(9));
    window.press(Modifiers::NONE, Key::C);
    window.draw(&[[0.2, 0.1], [0.8, 0.1], [0.4, 0.9]]);
    window.press(Modifiers::NONE, Key::Num7);
    window.press(Modifiers::COMMAND, Key::Num6);
    window.assert_sees(&["3 drawings", "1 drawing was added since", "Score again"]);
}

#[test]
fn the_keyboard_reaches_every_place_and_the_help() {
    let mut window = Window::open();
    window.press(Modifiers::COMMAND, Key::Num2);
    window.assert_sees(&["Loss over epochs"]);
    window.press(Modifiers::COMMAND, Key::Num3);
    assert!(!window.sees("Loss over epochs"));
    window.assert_sees(&["RBF room"]);
    window.press(Modifiers::COMMAND, Key::Num4);
    assert!(!window.sees("RBF room"));
    window.press(Modifiers::COMMAND, Key::Num5);
    window.until("the list of runs", |workbench| workbench.runs().revision > 0);
    window.assert_sees(&["No runs yet"]);
    window.press(Modifiers::COMMAND, Key::Num6);
    window.assert_sees(&["Draw a digit and press its key"]);
    window.press(Modifiers::COMMAND, Key::Num1);
    window.assert_sees(&["Pad, empty"]);
    window.press(Modifiers::NONE, Key::F1);
    window.assert_sees(&["Licences of fonts and icons"]);
    window.press(Modifiers::NONE, Key::Escape);
    assert!(!window.sees("Licences of fonts and icons"));
    for (key, modifiers) in [
        (Key::E, Modifiers::NONE),
        (Key::G, Modifiers::NONE),
        (Key::OpenBracket, Modifiers::NONE),
        (Key::CloseBracket, Modifiers::NONE),
        (Key::Delete, Modifiers::NONE),
        (Key::T, Modifiers::COMMAND),
        (Key::R, Modifiers::COMMAND),
        (Key::Y, Modifiers::COMMAND),
    ] {
        // none of them may do harm to an empty pad
        window.press(modifiers, key);
    }
    window.assert_sees(&["Pad, empty"]);
    // Tab reaches controls one after the other
    let mut reached = Vec::new();
    for _ in 0..12 {
        window.press(Modifiers::NONE, Key::Tab);
        let focused = window.harness.root().children_recursive().find(|node| node.accesskit_node().is_focused());
        reached.extend(focused.and_then(|node| node.accesskit_node().label()));
    }
    reached.dedup();
    assert!(reached.len() >= 8, "Tab walks through named controls, reached {reached:?}");
}

#[test]
fn the_train_button_starts_pauses_and_the_matrix_opens_images() {
    let mut window = Window::open();
    window.draw_one();
    window.go(Place::Train);
    let play =
        window.harness.query_all_by_label("Train").map(|node| node.rect()).min_by(|a, b| a.top().total_cmp(&b.top()));
    window.click(play.unwrap().center());
    assert!(window.workbench().training_is_under_way(), "one press of Train starts a training");
    window.until("updates", |workbench| workbench.training().is_some_and(|view| view.step > 2));
    window.click_label("Pause");
    window.until("the pause", |workbench| workbench.training().is_some_and(|view| view.phase == Phase::Paused));
    let step = window.workbench().training().unwrap().step;
    window.press(Modifiers::NONE, Key::Period);
    window.until("one more update", |workbench| {
        workbench.training().is_some_and(|view| view.step == step + 1 && view.phase == Phase::Paused)
    });
    window.click_label("Stop; the run is kept");
    window.until("the stop", |workbench| !workbench.training_is_under_way());

    window.workbench().handle(Command::ChooseModel(ModelChoice::Shipped("mlp")));
    window.go(Place::Mistakes);
    window.evaluate();
    let confusion = window.workbench().evaluation().result.as_ref().unwrap().confusion;
    window.assert_sees(&["Confusion matrix"]);
    window.harness.get_by_label_contains("Confusion matrix").focus();
    window.settle();
    for key in [Key::ArrowDown, Key::ArrowDown, Key::ArrowRight, Key::Enter] {
        window.press(Modifiers::NONE, key);
    }
    assert!(confusion.counts[1][1] > 0);
    window.assert_sees(&["1 read right"]);
    let tile = window.harness.query_all_by_label_contains("1 read as 1").map(|node| node.rect().center()).next();
    window.click(tile.unwrap());
    let (place, prediction) = window.workbench().evaluation().selected.unwrap();
    assert_eq!(prediction.best(), 1);
    let answer = window.workbench().evaluation().result.as_ref().unwrap().answers[place as usize];
    assert_eq!((answer.truth, answer.digit), (1, 1));
    window.click_label("Send to pad");
    window.assert_sees(&["Pad, "]);
    assert!(window.workbench().drawing().picture.is_some(), "the image is on the pad");
}

#[test]
fn closing_while_training_asks_and_keeps_the_run() {
    let mut window = Window::open();
    window.train(1_000);
    window.until("updates", |workbench| workbench.training().is_some_and(|view| view.step > 2));
    window.ask_to_close();
    window.assert_sees(&["Stop, save and close", "Keep training"]);
    assert!(window.workbench().training_is_under_way(), "nothing ends before the person has answered");
    window.click_label("Keep training");
    assert!(!window.sees("Keep training") && window.workbench().training_is_under_way());

    window.ask_to_close();
    window.click_label("Stop, save and close");
    window.until("the stop", |workbench| !workbench.training_is_under_way());
    let run = window.workbench().training().unwrap().run.clone().unwrap();
    assert!(run.join("last.safetensors").is_file());
}

/// The program's own time for a frame, without a renderer's. With `DIGITPAD_FRAMES` naming a file, the times are written
/// there.
#[test]
fn frames_stay_short_while_one_draws_and_a_network_trains() {
    let mut window = Window::open();
    window.train(10_000);
    window.until("updates", |workbench| workbench.training().is_some_and(|view| view.step > 3));
    let pad = window.harness.get_by_label_contains("Pad, ").rect();
    let at = |turn: f32| pad.center() + 0.3 * pad.width() * vec2(turn.cos(), turn.sin());
    window.harness.event(egui::Event::PointerMoved(at(0.0)));
    window.button(at(0.0), true);
    window.harness.step();
    let mut frames: Vec<Duration> = (0..400)
        .map(|frame| {
            window.harness.event(egui::Event::PointerMoved(at(frame as f32 / 30.0)));
            let began = Instant::now();
            window.harness.step();
            let took = began.elapsed();
            std::thread::sleep(Duration::from_millis(4));
            took
        })
        .collect();
    assert!(window.workbench().training_is_under_way(), "the training outlasts the drawing");
    frames.sort();
    let (median, late) = (frames[frames.len() / 2], frames[frames.len() * 99 / 100]);
    if let Some(file) = std::env::var_os("DIGITPAD_FRAMES") {
        std::fs::write(file, format!("a frame takes {median:?}, one in a hundred more than {late:?}\n")).unwrap();
    }
    assert!(late < Duration::from_millis(50), "one frame in a hundred takes more than {late:?}");
    window.button(at(0.0), false);
    window.until("an answer", |workbench| workbench.prediction().is_some());
}

#[test]
fn wrong_settings_are_answered_with_a_sentence_and_no_training() {
    let mut window = Window::open();
    window.go(Place::Train);
    window.harness.get_by_label("Rate").focus();
    window.settle();
    window.press(Modifiers::COMMAND, Key::A);
    window.harness.event(egui::Event::Text("nan".to_owned()));
    window.settle();
    window.press(Modifiers::NONE, Key::Enter);
    window.press(Modifiers::NONE, Key::Space);
    assert!(window.workbench().training().is_none(), "a rate that is no number starts nothing");
    window.assert_sees(&["The rate is a number above 0"]);
}

/// The setting that a field of the form shows.
fn chosen(window: &Window, label: &str) -> Option<String> {
    window.harness.get_by_label(label).accesskit_node().value()
}

#[test]
fn distorted_digits_are_shown_while_amounts_move_and_a_click_brings_others() {
    // all of the form at once
    let mut window = Window::open_as(vec2(1280.0, 1400.0), 1.0, Theme::Dark);
    window.go(Place::Train);
    window.assert_sees(&["Other examples of distorted digits", "Drawn digits, distorted"]);
    let elastic = window.harness.get_by_label("Elastic");
    elastic.focus();
    window.settle();
    for _ in 0..4 {
        window.press(Modifiers::NONE, Key::ArrowRight);
    }
    assert_eq!(chosen(&window, "Elastic").unwrap(), "1.00 px");
    window.click_label("Other examples of distorted digits");
    window.assert_sees(&["Drawn digits, distorted"]);
    // the switch hides them, and brings the amounts back as they were
    window.click_label("Distortions");
    assert!(!window.sees("Other examples of distorted digits"));
    window.click_label("Distortions");
    assert_eq!(chosen(&window, "Elastic").unwrap(), "1.00 px");
}

#[test]
fn further_settings_open_and_only_those_that_mean_something_are_there() {
    // all of the form at once
    let mut window = Window::open_as(vec2(1280.0, 1400.0), 1.0, Theme::Dark);
    window.go(Place::Train);
    assert!(!window.sees("Warm-up"));
    window.click_label("More settings");
    window.assert_sees(&["Start from", "Initial values", "Warm-up", "Smoothing", "Clip norm"]);
    assert!(!window.sees("Freeze up to"), "nothing is copied that could be frozen");
    // the schedule's own settings stand under it
    window.assert_sees(&["Ends at"]);
    window.click_label("Start from");
    window.click_label("LeNet-5, 1998");
    window.assert_sees(&["Freeze up to"]);
    assert!(!window.sees("Initial values"));
    window.click_label("Freeze up to");
    // C3 reads other maps in 1998
    window.assert_sees(&["S2"]);
    assert!(!window.sees("S4"));
    window.click_label("S2");
    assert_eq!(chosen(&window, "Freeze up to").unwrap(), "S2");
    window.press(Modifiers::NONE, Key::Space);
    window.until("the start", |workbench| workbench.training().is_some_and(|view| view.step > 0));
    let config = window.workbench().training().unwrap().config.clone();
    assert_eq!((config.from.as_deref(), config.freeze_up_to.as_deref()), (Some("lenet5-1998"), Some("S2")));
    window.workbench().handle(Command::StopTraining);
    window.until("the stop", |workbench| !workbench.training_is_under_way());
    let told = window.workbench().notices().iter().any(|notice| notice.text.starts_with("Starts from lenet5-1998: "));
    assert!(told, "what was copied is told");
}

#[test]
fn small_windows_and_large_type_still_show_the_essentials() {
    for (size, scale) in [(vec2(960.0, 640.0), 1.0), (vec2(640.0, 400.0), 2.0), (vec2(1920.0, 1080.0), 1.0)] {
        let mut window = Window::open_as(size, scale, Theme::Light);
        window.draw_one();
        for (place, ..) in Place::ALL {
            window.go(place);
            window.assert_sees(&ALWAYS[..4]);
        }
        window.train(1);
        window.until("the end", |workbench| workbench.training().is_some() && !workbench.training_is_under_way());
        for (place, ..) in Place::ALL {
            window.go(place);
        }
    }
}

/// The places as pictures, in both themes, at the sizes that people have. Without `DIGITPAD_PICTURES` nothing is
/// drawn; where nothing can draw, a sentence says so.
#[test]
fn pictures_of_the_places_are_not_blank() {
    let Some(folder) = std::env::var_os("DIGITPAD_PICTURES").filter(|folder| !folder.is_empty()) else { return };
    let folder = Path::new(&folder);
    std::fs::create_dir_all(folder).unwrap();
    for (theme, theme_name) in [(Theme::Dark, "dark"), (Theme::Light, "light")] {
        for (size, scale) in [
            (vec2(1280.0, 800.0), 1.0),
            (vec2(960.0, 640.0), 1.0),
            (vec2(1280.0, 800.0), 2.0),
            (vec2(640.0, 400.0), 2.0),
        ] {
            let mut window = Window::open_as(size, scale, theme);
            let name = |place: &str| format!("{place}-{theme_name}-{}x{}@{scale}.png", size.x, size.y);
            if !window.picture(&folder.join(name("empty"))) {
                return;
            }
            window.draw(&[[0.3, 0.3], [0.5, 0.15], [0.7, 0.3], [0.5, 0.55], [0.3, 0.85], [0.75, 0.85]]);
            window.until("an answer and what is beside it", |workbench| {
                workbench.examination_is_current() && workbench.moments().is_some()
            });
            window.picture(&folder.join(name("draw")));
            window.train(12);
            window.until("half of a training", |workbench| {
                workbench.training().is_some_and(|view| view.curves.epochs.len() >= 6)
            });
            window.workbench().handle(Command::PauseTraining);
            window.until("the pause", |workbench| {
                workbench.training().is_some_and(|view| view.phase == Phase::Paused || !view.phase.is_under_way())
            });
            window.go(Place::Train);
            window.picture(&folder.join(name("train")));
            window.workbench().handle(Command::StopTraining);
            window.until("the stop", |workbench| !workbench.training_is_under_way());
            window.workbench().handle(Command::ChooseModel(ModelChoice::Shipped("mlp")));
            window.evaluate();
            window.go(Place::Mistakes);
            window.picture(&folder.join(name("mistakes")));
            window.open_codes();
            window.go(Place::Inside);
            window.picture(&folder.join(name("inside")));
            window.workbench().handle(Command::CancelEvaluation);
        }
    }
}
