//! All models on one drawing, the digits on which two disagree, and pinned drawings, found by their names.

use digitpad::storage::pins_file::PinsFile;
use digitpad::ui::places::Place;
use digitpad::workbench::{Command, ModelChoice};
use eframe::egui::{Key, Modifiers, Theme, vec2};
use egui_kittest::kittest::Queryable;

use super::window::Window;

/// The names of widgets that contain all of these words.
fn named(window: &Window, part: &str) -> Vec<String> {
    let nodes = window.harness.query_all_by_label_contains(part);
    nodes.filter_map(|node| egui_kittest::kittest::NodeT::accesskit_node(&node).label()).collect()
}

#[test]
fn all_models_answer_while_somebody_looks_and_a_click_chooses_one() {
    let mut window = Window::open();
    window.draw_one();
    assert!(!window.workbench().compares_models(), "nobody looks, nobody is asked");
    window.click_label("All models");
    assert!(window.workbench().compares_models());
    window.until("the last model", |workbench| workbench.comparison_seconds().is_some());
    let models = window.workbench().models().len();
    assert!(window.workbench().compared().iter().all(|one| one.is_newest && one.answer.is_some()));
    assert_eq!(named(&window, " reads 1, ").len(), models, "a straight line is a 1 for all: {}", window.names());
    window.assert_sees(&[&format!("All {models} say 1"), "ms after the pad"]);

    // another drawing is another comparison, without being asked for
    window.press(Modifiers::NONE, Key::C);
    assert!(window.workbench().compared().iter().all(|one| one.answer.is_none()), "an empty pad has no answer");
    window.draw(&[[0.25, 0.2], [0.75, 0.2], [0.45, 0.85]]);
    window.until("the last model", |workbench| {
        workbench.compared().iter().all(|one| one.is_newest && one.answer.is_some_and(|(answer, _)| answer.best() == 7))
    });
    window.click(window.harness.get_by_label_contains("CNN reads").rect().center());
    assert_eq!(*window.workbench().choice(), ModelChoice::Shipped("cnn"));
    window.until("its answer", |workbench| workbench.prediction().is_some());

    window.go(Place::Inside);
    assert!(!window.workbench().compares_models(), "out of sight, out of work");
}

#[test]
fn the_network_that_learns_is_compared_too() {
    let mut window = Window::open();
    window.draw_one();
    window.click_label("All models");
    window.train(500);
    window.until("its first answer", |workbench| {
        workbench.compared().iter().any(|one| one.entry.choice == ModelChoice::Live && one.answer.is_some())
    });
    window.workbench().handle(Command::ChooseModel(ModelChoice::Shipped("mlp")));
    let first = window.workbench().training().unwrap().step;
    window.until("answers while another is chosen", |workbench| {
        workbench.training().is_some_and(|view| view.step > first + 20)
            && workbench.compared().iter().any(|one| one.entry.choice == ModelChoice::Live && one.is_newest)
    });
    window.assert_sees(&["in training reads"]);
    window.workbench().handle(Command::StopTraining);
    window.until("the stop", |workbench| !workbench.training_is_under_way());
}

#[test]
fn the_digits_on_which_two_models_disagree_go_to_the_pad_and_undo_brings_the_drawing_back() {
    let mut window = Window::open();
    window.draw_one();
    let drawn = window.workbench().drawing().clone();
    window.click_label("All models");
    window.click_label("Where two disagree");
    assert!(!window.workbench().compares_models(), "the models' answers to the drawing are out of sight");
    // the two that are quickest
    let pair = ["mlp", "mlp-deep"].map(ModelChoice::Shipped);
    window.click_label("First model");
    window.click_label("MLP");
    window.click_label("Second model");
    window.click_label("MLP, deep");
    window.click_label("Compare");
    assert!(window.workbench().disagreement_progress().is_some());
    window.until("the comparison", |workbench| workbench.disagreements().is_some());
    let result = std::sync::Arc::clone(window.workbench().disagreements().unwrap());
    assert_eq!(result.titles(), ["MLP", "MLP, deep"]);
    assert!(result.found.windows(2).all(|pair| pair[0].surety() >= pair[1].surety()), "surest first");
    assert!(result.found.iter().all(|one| one.digits[0] != one.digits[1]));
    assert!(!window.workbench().disagreements_are_stale([&pair[0], &pair[1]]));
    assert!(window.workbench().disagreements_are_stale([&pair[1], &pair[0]]));
    let total = format!("All {}", result.found.len());
    window.assert_sees(&[&total, "First right", "Second right", "Both wrong", "Surest first"]);

    let first = result.found.first().copied().unwrap();
    let tile = format!("MLP reads {}", first.digits[0]);
    let at = window.harness.query_all_by_label_contains(&tile).next().unwrap().rect().center();
    window.click(at);
    let picture = window.workbench().drawing().picture.clone().unwrap();
    assert_eq!(picture.ink, result.image(first.place));
    assert_eq!(window.workbench().true_label(), Some(first.truth), "its label comes along");
    window.press(Modifiers::NONE, Key::Escape);
    window.click_label("Undo");
    assert_eq!(*window.workbench().drawing(), drawn);

    // other models than those that were compared
    window.click_label("First model");
    window.click_label("LeNet-5");
    window.assert_sees(&["Compare again", "These are of MLP and MLP, deep"]);
    window.click_label("Compare again");
    window.click_label("Cancel");
    assert!(window.workbench().disagreement_progress().is_none());
    assert_eq!(window.workbench().disagreements().unwrap().titles(), ["MLP", "MLP, deep"], "what was found stays");
}

#[test]
fn pins_are_kept_answered_and_put_back_and_an_unpinned_one_can_come_back() {
    let mut window = Window::open();
    let file = window.folder.path().join("pins.json");
    window.workbench().keep_pins_in(&file);
    window.press(Modifiers::NONE, Key::P);
    assert!(window.workbench().pins().is_empty(), "nothing is drawn");
    window.draw_one();
    window.press(Modifiers::NONE, Key::P);
    window.press(Modifiers::NONE, Key::P);
    assert_eq!(window.workbench().pins().len(), 1, "one drawing is pinned once");
    window.until("its answer", |workbench| workbench.pins()[0].answer.is_some_and(|(answer, _)| answer.best() == 1));
    window.assert_sees(&["Pinned drawing 1, read as 1"]);
    // a digit key labels the pin with the drawing
    window.press(Modifiers::NONE, Key::Num1);
    assert_eq!(window.workbench().pins()[0].label, Some(1));

    window.press(Modifiers::NONE, Key::C);
    window.draw(&[[0.25, 0.2], [0.75, 0.2], [0.45, 0.85]]);
    window.click_label("Pin the drawing");
    window.until("its answer", |workbench| workbench.pins()[1].answer.is_some_and(|(answer, _)| answer.best() == 7));
    window.workbench().handle(Command::ChooseModel(ModelChoice::Shipped("mlp")));
    window.until("answers of the model that is chosen now", |workbench| {
        let (pad, pin) = (workbench.prediction(), workbench.pins()[1].answer);
        pad.is_some_and(|pad| pin.is_some_and(|(pin, _)| *pad == pin))
    });

    let seven = window.workbench().drawing().clone();
    window.click(window.harness.get_by_label_contains("Pinned drawing 1, ").rect().center());
    let pinned = window.workbench().pins()[0].drawing.clone();
    assert_eq!(*window.workbench().drawing(), *pinned);
    assert_eq!(window.workbench().true_label(), Some(1));
    window.click_label("Undo");
    assert_eq!(*window.workbench().drawing(), seven);

    assert_eq!(PinsFile::open(&file).1.len(), 2);
    window.click_label("Unpin drawing 1");
    assert_eq!(window.workbench().pins().len(), 1);
    assert_eq!(PinsFile::open(&file).1.len(), 1);
    window.assert_sees(&["A drawing was unpinned"]);
    let undo =
        window.harness.query_all_by_label("Undo").map(|node| node.rect()).max_by(|a, b| a.left().total_cmp(&b.left()));
    window.click(undo.unwrap().center());
    assert_eq!(window.workbench().pins().len(), 2);
    assert_eq!(window.workbench().pins()[0].label, Some(1), "in its old place, with its label");
    assert_eq!(PinsFile::open(&file).1.len(), 2);

    // the next day
    let mut next_day = Window::open();
    next_day.workbench().keep_pins_in(&file);
    next_day.until("answers", |workbench| workbench.pins().iter().all(|pin| pin.answer.is_some()));
    next_day.assert_sees(&["Pinned drawing 1, a 1, read as 1", "Pinned drawing 2, read as 7"]);
}

#[test]
fn damaged_pins_are_told_and_kept_aside() {
    let mut window = Window::open();
    let file = window.folder.path().join("pins.json");
    std::fs::write(&file, "[1, 2").unwrap();
    window.workbench().keep_pins_in(&file);
    window.settle();
    window.assert_sees(&["The pinned drawings are damaged"]);
    assert_eq!(std::fs::read_to_string(window.folder.path().join("pins.json.bad")).unwrap(), "[1, 2");
    window.draw_one();
    window.press(Modifiers::NONE, Key::P);
    assert_eq!(PinsFile::open(&file).1.len(), 1);
}

#[test]
fn pins_move_at_every_look_of_a_training_and_tell_how_they_were_learnt() {
    let mut window = Window::open_as(vec2(1280.0, 1000.0), 1.0, Theme::Light);
    window.draw_one();
    window.press(Modifiers::NONE, Key::P);
    window.train(8);
    window.until("the end", |workbench| workbench.training().is_some() && !workbench.training_is_under_way());
    let looks: Vec<u64> = {
        let ticks = &window.workbench().training().unwrap().curves.ticks;
        ticks.iter().map(|tick| tick.step).collect()
    };
    window.until("the last look", |workbench| workbench.pin_ticks().last() == looks.last());
    let told = window.workbench().pin_ticks().to_vec();
    assert!(told.iter().all(|step| looks.contains(step)) && told.len() >= 2, "{told:?} of {looks:?}");
    let pin = window.workbench().pins()[0].clone();
    assert_eq!(pin.history.points().len(), told.len());
    let digit = pin.history.digit(None).unwrap();
    assert!(!pin.history.turns(digit).is_empty(), "what it turned out to be was learnt at some time");
    window.go(Place::Train);
    window.assert_sees(&["Shares now, and over this training", "Pinned drawing 1, "]);
    // the history belongs to the training
    window.workbench().handle(Command::ResetTraining);
    window.settle();
    assert!(window.workbench().pin_ticks().is_empty() && window.workbench().pins()[0].history.points().is_empty());
    window.assert_sees(&["Shares now"]);
}
