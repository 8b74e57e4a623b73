//! The RBF room: empty, with a drawing, for models without codes, and from the keyboard.

use candle_core::Device;
use digitpad::models;
use digitpad::nn::{Initialisation, Loss, ParamStore};
use digitpad::storage::weights_file::WeightsFile;
use digitpad::training::TrainingConfig;
use digitpad::ui::places::Place;
use digitpad::ui::text;
use digitpad::workbench::{Command, ModelChoice};
use eframe::egui::{self, Key, Modifiers, vec2};
use egui_kittest::kittest::Queryable;

use crate::window::Window;

impl Window {
    /// Opens a network of 1998 that has learnt nothing yet, and chooses it.
    pub fn open_codes(&mut self) {
        let architecture = models::find("lenet5-1998").unwrap();
        let store = ParamStore::initialise(&(architecture.network)().unwrap(), 4, &Device::Cpu).unwrap();
        let file = WeightsFile {
            architecture,
            thresholds: digitpad::inference::Thresholds::default(),
            weights: store.weights().unwrap(),
        };
        let path = self.folder.path().join("fresh.safetensors");
        file.write(&path).unwrap();
        self.workbench().handle(Command::LoadModel(path));
        self.until("the weights", |workbench| matches!(workbench.choice(), ModelChoice::Opened(_)));
    }

    /// The value of the reject threshold, as it is read aloud.
    fn threshold(&self) -> f32 {
        let handle = self.harness.query_all_by_label("Least lead of an answer").next().unwrap();
        handle.value().unwrap().parse().unwrap()
    }
}

/// What the room always shows for a network with codes.
const ROOM: [&str; 8] = [
    "RBF room",
    "Pad, ",
    "F6 now, 84 units",
    "Squared difference, 84 units",
    "Squared distance to each code",
    "Adds to",
    "Difference, 84 units",
    "What rejecting costs",
];

#[test]
fn a_model_without_codes_leads_to_one_that_has_them() {
    let mut window = Window::open();
    window.open_codes();
    window.workbench().handle(Command::ChooseModel(ModelChoice::Shipped("lenet5")));
    window.go(Place::Inside);
    window.assert_sees(&["RBF room", "This model answers with scores"]);
    assert!(!window.sees("F6 now"));
    let button = window.harness.get_by_label_contains("Choose LeNet-5, 1998").rect().center();
    window.click(button);
    assert!(window.workbench().codes().is_some());
    window.assert_sees(&ROOM);
}

#[test]
fn an_empty_pad_says_what_to_do_and_a_drawing_fills_the_room_while_the_pen_moves() {
    let mut window = Window::open();
    window.open_codes();
    window.go(Place::Inside);
    window.assert_sees(&ROOM);
    window.assert_sees(&["Pad, empty", "Draw a digit on the pad", "Code of 0", "Code of 9"]);
    assert!(window.workbench().rbf().is_none(), "an empty pad has no states");

    window.draw_one();
    window.until("a reading", |workbench| workbench.rbf().is_some());
    let reading = window.workbench().rbf().unwrap().clone();
    let [best, second, ..] = reading.ranked();
    let number = |distance: f32| text::number(distance.into(), 1);
    let lead = number(reading.distances[second] - reading.distances[best]);
    window.assert_sees(&[
        &format!("Code of {best}, {}, the nearest", number(reading.distances[best])),
        &format!("Code of {second}, {}, the second", number(reading.distances[second])),
        &format!("Squared difference, adds up to {}", number(reading.distances[best])),
        &format!("Adds to {best}, "),
        &format!("Adds to {second}, "),
        &format!("{best} leads {second} by"),
        &format!("Difference, +{lead} in all"),
    ]);

    // another stroke moves everything
    window.draw(&[[0.2, 0.5], [0.8, 0.5]]);
    window.until("another reading", |workbench| workbench.rbf().is_some_and(|now| now.states != reading.states));
    window.press(Modifiers::NONE, Key::C);
    window.assert_sees(&["Pad, empty", "Draw a digit on the pad"]);
}

#[test]
fn rows_compare_and_keys_and_pointer_move_the_threshold() {
    let mut window = Window::open();
    window.open_codes();
    window.go(Place::Inside);
    window.draw_one();
    window.until("the judgement", |workbench| workbench.evaluation().rejection.is_some());
    window.assert_sees(&["answered, ", "rejecti"]);

    let reading = window.workbench().rbf().unwrap().clone();
    let farthest = reading.ranked()[9];
    let row = window.harness.get_by_label_contains(&format!("Code of {farthest}, ")).rect().center();
    window.click(row);
    window.assert_sees(&[&format!("Code of {farthest}, −1 or +1"), &format!("Adds to {farthest}, ")]);
    let name = format!("Code of {farthest}, ");
    window.harness.query_all_by_label_contains(&name).last().unwrap().focus();
    window.settle();
    window.press(Modifiers::NONE, Key::Enter);
    assert!(!window.sees(&format!("Code of {farthest}, −1 or +1")), "pressed again, the nearest is shown");

    // the curve is there whatever is drawn; its point is moved with arrows
    window.harness.query_all_by_label("Least lead of an answer").next().unwrap().focus();
    window.settle();
    let before = window.threshold();
    for _ in 0..3 {
        window.press(Modifiers::NONE, Key::ArrowRight);
    }
    assert!((window.threshold() - before - 3.0).abs() < 0.11, "{before} became {}", window.threshold());
    for _ in 0..200 {
        window.harness.key_press(Key::ArrowLeft);
    }
    window.settle();
    assert_eq!(window.threshold(), 0.0);
    window.assert_sees(&["100.0 % answered", "which is enough"]);

    // a handle beside the bars, dragged to the right: more is rejected
    let handle = window.harness.query_all_by_label("Least lead of an answer").last().unwrap().rect().center();
    window.harness.event(egui::Event::PointerMoved(handle));
    window.button(handle, true);
    window.harness.step();
    for step in 1..=10 {
        window.harness.event(egui::Event::PointerMoved(handle + vec2(12.0 * step as f32, 0.0)));
        window.harness.step();
    }
    window.button(handle + vec2(120.0, 0.0), false);
    window.settle();
    assert!(window.threshold() > 20.0, "dragged to {}", window.threshold());
    window.assert_sees(&["so it is rejected"]);
    window.click_label("Reset");
    assert!(window.sees("RBF room"));
}

#[test]
fn the_room_moves_while_a_network_of_1998_trains() {
    let mut window = Window::open();
    window.draw_one();
    let config = TrainingConfig {
        model: "lenet5-1998".to_owned(),
        loss: Loss::DistanceMap { j: 10.0 },
        initialisation: Initialisation::SqrtFanIn,
        ..window.config(50)
    };
    window.workbench().handle(Command::StartTraining(config));
    window.go(Place::Inside);
    window.until("a live reading", |workbench| *workbench.choice() == ModelChoice::Live && workbench.rbf().is_some());
    let first = window.workbench().rbf().unwrap().states.clone();
    window.until("other states", |workbench| workbench.rbf().is_some_and(|now| now.states != first));
    window.until("a judgement", |workbench| workbench.evaluation().rejection.is_some());
    window.assert_sees(&ROOM);
}

#[test]
fn arrow_keys_go_from_unit_to_unit() {
    let mut window = Window::open();
    window.open_codes();
    window.go(Place::Inside);
    window.draw_one();
    window.until("a reading", |workbench| workbench.rbf().is_some());
    window.harness.get_by_label_contains("F6 now, 84 units").focus();
    window.harness.run();
    for key in [Key::ArrowDown, Key::ArrowRight, Key::ArrowRight, Key::ArrowUp, Key::ArrowDown] {
        window.harness.key_press(key);
        window.harness.run();
    }
    let state = text::number(window.workbench().rbf().unwrap().states[9].into(), 2);
    window.assert_sees(&[&format!("Unit 9, state {state}")]);
}
