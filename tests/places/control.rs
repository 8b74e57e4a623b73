//! The form while a run goes on: what acts at once, what waits for a new run; settings as files; slow motion.

use digitpad::training::TrainingConfig;
use digitpad::ui::places::Place;
use digitpad::workbench::{Command, Phase};
use eframe::egui::accesskit::Role;
use eframe::egui::{self, Key, Modifiers, Theme, vec2};
use egui_kittest::kittest::{NodeT, Queryable};

use crate::window::Window;

fn type_into(window: &mut Window, label: &str, text: &str) {
    window.harness.get_by_role_and_label(Role::TextInput, label).focus();
    window.settle();
    window.press(Modifiers::COMMAND, Key::A);
    window.harness.event(egui::Event::Text(text.to_owned()));
    window.settle();
    window.press(Modifiers::NONE, Key::Enter);
}

fn running(window: &mut Window) -> TrainingConfig {
    window.workbench().training().unwrap().config.clone()
}

#[test]
fn fields_act_on_the_run_when_they_are_left_and_the_rest_waits_for_a_new_run() {
    // all of the form at once
    let mut window = Window::open_as(vec2(1280.0, 1400.0), 1.0, Theme::Dark);
    window.go(Place::Train);
    window.press(Modifiers::NONE, Key::Period);
    window.until("the first batch", |w| w.training().is_some_and(|view| view.phase == Phase::Paused));
    window.assert_sees(&["Acts at the next batch", "Images of update 1", "Gradient of C1"]);
    type_into(&mut window, "Batch", "32");
    type_into(&mut window, "Momentum β₁", "0.8");
    let config = running(&mut window);
    assert_eq!((config.batch_size, config.optimizer.momentum()), (32, Some(0.8)));
    assert!(!window.sees("needs a new run"), "both act on the run under way");
    window.harness.get_by_label("Elastic").focus();
    window.settle();
    window.press(Modifiers::NONE, Key::ArrowRight);
    assert_eq!(running(&mut window).augmentation.elastic_pixels, 0.25);

    type_into(&mut window, "Batch", "0");
    assert_eq!(running(&mut window).batch_size, 32, "what cannot be changes nothing");
    type_into(&mut window, "Batch", "16");
    assert_eq!(running(&mut window).batch_size, 16);

    type_into(&mut window, "Epochs", "7");
    window.assert_sees(&["1 change needs a new run"]);
    type_into(&mut window, "Seed", "5");
    window.assert_sees(&["2 changes need a new run"]);
    window.click_label("Revert");
    assert!(!window.sees("new run, ") && chosen(&window, "Epochs") != "7");
    type_into(&mut window, "Epochs", "7");
    let before = window.workbench().training().unwrap().run.clone().unwrap();
    window.click_label("Start anew");
    window
        .until("the new run", |w| w.training().is_some_and(|view| view.run.as_ref().is_some_and(|run| *run != before)));
    assert_eq!(running(&mut window).epochs, 7);
    assert!(before.join("config.toml").is_file(), "the run before is kept");
    window.workbench().handle(Command::StopTraining);
    window.until("the stop", |workbench| !workbench.training_is_under_way());
}

fn chosen(window: &Window, label: &str) -> String {
    window.harness.get_by_role_and_label(Role::TextInput, label).accesskit_node().value().unwrap_or_default()
}

#[test]
fn a_preset_of_another_model_leaves_the_run_alone() {
    let mut window = Window::open_as(vec2(1280.0, 1400.0), 1.0, Theme::Dark);
    window.go(Place::Train);
    window.press(Modifiers::NONE, Key::Period);
    window.until("the first batch", |w| w.training().is_some_and(|view| view.phase == Phase::Paused));
    let before = running(&mut window);
    window.click_label("Optimiser");
    window.click_label("SGD");
    type_into(&mut window, "Rate", "0.3");
    assert_eq!(running(&mut window), before, "a rate of another optimiser is none of the run's");
    window.assert_sees(&["needs a new run"]);
}

#[test]
fn settings_are_opened_from_a_file_and_a_wrong_one_loses_nothing() {
    let mut window = Window::open_as(vec2(1280.0, 1400.0), 1.0, Theme::Light);
    let path = window.folder.path().join("mine.toml");
    let text = "model = \"mlp\"\nepochs = 3\nbatch_size = 48\nlearning_rate = 0.004\ndata = \"drawn\"\nkeep_epochs = true\n\
                [optimizer]\nkind = \"sgd\"\nmomentum = 0.7\n[beside]\nstrangers = 200\n";
    std::fs::write(&path, text).unwrap();
    window.harness.state_mut().open(path.clone());
    window.settle();
    assert_eq!((chosen(&window, "Batch"), chosen(&window, "Momentum")), ("48".to_owned(), "0.7".to_owned()));
    window.assert_sees(&["200 things that are no digits beside, weights of every epoch kept"]);
    std::fs::write(&path, text.replace("batch_size", "batch_sise")).unwrap();
    window.harness.state_mut().open(path);
    window.settle();
    window.assert_sees(&["line 3, column 1"]);
    assert_eq!(chosen(&window, "Batch"), "48", "what was there stays");
    window.press(Modifiers::NONE, Key::Space);
    window.until("the start", |workbench| workbench.training().is_some_and(|view| view.step > 0));
    let config = running(&mut window);
    assert_eq!((config.keep_epochs, config.beside.strangers, config.batch_size), (true, 200, 48));
    window.workbench().handle(Command::StopTraining);
    window.until("the stop", |workbench| !workbench.training_is_under_way());
}

#[test]
fn the_speed_stands_by_the_transport() {
    let mut window = Window::open();
    window.go(Place::Train);
    window.click_label("Speed of training");
    window.click_label("1 a second");
    assert_eq!(window.workbench().speed(), Some(1));
    window.train(500);
    window.until("a batch", |workbench| workbench.training().is_some_and(|view| view.batch().is_some()));
    window.assert_sees(&["This batch", "Gradient of "]);
    window.click_label("Speed of training");
    window.click_label("Full speed");
    window.until("full speed", |workbench| workbench.training().is_some_and(|view| view.step > 20));
    assert!(window.workbench().training().unwrap().batch().is_none() && !window.sees("This batch"));
    window.workbench().handle(Command::StopTraining);
    window.until("the stop", |workbench| !workbench.training_is_under_way());
}
