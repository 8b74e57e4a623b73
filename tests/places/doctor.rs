//! The drawing doctor, the replay, and what a step from ink to image was worth.

use std::time::Duration;

use digitpad::drawing::{Drawing, Sample, Stroke};
use digitpad::inference::State;
use digitpad::workbench::{Command, ModelChoice};
use eframe::egui::{self, Key, Modifiers};
use egui_kittest::kittest::Queryable;

use crate::window::Window;

/// An 0 that was left open, and a drawing that no network is sure of: two thirds of a ring.
fn ring(window: &Window, share: f32) -> Drawing {
    let _window = window;
    let count = 48;
    let sample = |i: usize| {
        let (s, c) = (-0.6 - share * std::f32::consts::TAU * i as f32 / count as f32).sin_cos();
        Sample { x: 0.5 + 0.26 * c, y: 0.5 + 0.36 * s, seconds: 0.03 * i as f32, pressure: 1.0 }
    };
    let samples = (0..=count).map(sample).collect();
    Drawing { picture: None, strokes: vec![Stroke { samples, width: 0.1, erases: false }] }
}

fn examined(window: &mut Window) {
    window.until("the examination", |workbench| workbench.examination_is_current());
}

#[test]
fn a_digit_read_well_has_nothing_to_fix_and_tells_what_each_step_is_worth() {
    let mut window = Window::open();
    window.assert_sees(&["Draw a digit"]);
    window.draw_one();
    examined(&mut window);
    window.assert_sees(&["Nothing to fix", "As drawn, 1", "No width, ", "No size, ", "No centre, "]);
    let found = window.workbench().examination().unwrap();
    assert!(!found.is_ill && found.ladder.is_empty());
    assert!(found.switched.iter().all(Option::is_some));
    let width = window.harness.get_by_label("Width").rect().center();
    window.harness.event(egui::Event::PointerMoved(width));
    window.harness.run_steps(6);
    window.assert_sees(&["Without this step it reads 1 ("]);
    let with_width = window.workbench().prediction().unwrap().probabilities;
    let without = found_probabilities(&mut window, 1);
    window.click_label("Width");
    window.until("the answer without the step", |workbench| {
        workbench.prediction().is_some_and(|prediction| prediction.probabilities != with_width)
    });
    let shown = window.workbench().prediction().unwrap().probabilities;
    assert_eq!(shown, without, "the bars show what the examination told");
}

fn found_probabilities(window: &mut Window, step: usize) -> [f32; 10] {
    window.workbench().examination().unwrap().switched[step].as_ref().unwrap().prediction.probabilities
}

#[test]
fn a_wrong_answer_gets_a_ladder_one_click_takes_a_step_and_undo_takes_it_back() {
    let mut window = Window::open();
    let label = 0;
    // the first open ring that one of the smallest networks reads as something else
    let tries = [0.86, 0.8, 0.74, 0.68].into_iter().flat_map(|share| ["scratch", "mlp"].map(|model| (share, model)));
    let mut helped = None;
    for (share, model) in tries {
        let open = ring(&window, share);
        window.workbench().handle(Command::ChooseModel(ModelChoice::Shipped(model)));
        window.workbench().handle(Command::SetDrawing(open.clone()));
        window.until("an answer", |workbench| workbench.prediction().is_some() && workbench.answer_is_current());
        window.workbench().handle(Command::LabelDrawing(Some(label)));
        window.settle();
        examined(&mut window);
        let found = window.workbench().examination().unwrap().clone();
        if found.is_ill && found.digit == label && !found.ladder.is_empty() {
            helped = Some((open, found));
            break;
        }
    }
    let (open, found) = helped.expect("a network that misreads an open ring, and a change that helps");
    let worth = |reading: &digitpad::workbench::Reading| reading.prediction.probability(label);
    let mut last = worth(&found.as_drawn);
    for rung in &found.ladder {
        assert!(
            worth(&rung.reading) > last || found.as_drawn.state == State::NotADigit,
            "{:?} does not help: {last} to {}",
            rung.fix,
            worth(&rung.reading)
        );
        last = worth(&rung.reading);
    }
    let first = &found.ladder[0];
    let cell = window
        .harness
        .get_all_by_role(egui::accesskit::Role::Button)
        .find(|node| {
            use egui_kittest::kittest::NodeT;
            let name = node.accesskit_node().label().unwrap_or_default();
            name.ends_with('%') || name.ends_with(", – ")
        })
        .map(|node| node.rect().center())
        .unwrap();
    window.click(cell);
    assert_eq!(window.workbench().drawing(), &first.drawing);
    assert_eq!(window.workbench().true_label(), Some(label), "it is still the same digit");
    window.until("the answer to the changed drawing", |workbench| workbench.prediction().is_some());
    window.until("the same answer as the ladder's", |workbench| {
        workbench.prediction().is_some_and(|prediction| *prediction == first.reading.prediction)
    });
    window.press(Modifiers::COMMAND, Key::Z);
    assert_eq!(window.workbench().drawing(), &open);
    assert_eq!(window.workbench().true_label(), Some(label));
}

#[test]
fn the_doctor_looks_again_when_another_model_answers() {
    let mut window = Window::open();
    window.draw_one();
    examined(&mut window);
    window.workbench().handle(Command::ChooseModel(ModelChoice::Shipped("mlp")));
    assert!(!window.workbench().examination_is_current());
    examined(&mut window);
    let found = window.workbench().examination().unwrap().as_drawn.prediction;
    assert_eq!(Some(&found), window.workbench().prediction());
}

#[test]
fn nothing_is_examined_where_nobody_looks() {
    let mut window = Window::open();
    window.go(digitpad::ui::places::Place::Train);
    let drawing = ring(&window, 1.0);
    window.workbench().handle(Command::SetDrawing(drawing));
    window.until("an answer", |workbench| workbench.prediction().is_some());
    std::thread::sleep(Duration::from_millis(300));
    window.settle();
    assert!(window.workbench().examination().is_none() && window.workbench().moments().is_none());
}

#[test]
fn a_replay_shows_the_drawing_as_it_was_and_loses_nothing() {
    let mut window = Window::open();
    assert!(!window.sees("Replay"), "an empty pad has nothing to replay");
    let drawing = ring(&window, 1.0);
    window.workbench().handle(Command::SetDrawing(drawing.clone()));
    window.until("what was read after every point", |workbench| workbench.moments().is_some());
    let moments = window.workbench().moments().unwrap().to_vec();
    assert_eq!(moments.len(), drawing.points());
    assert_eq!(moments.last().unwrap().digit, window.workbench().prediction().map(|prediction| prediction.best()));
    window.assert_sees(&["Replay the drawing as it was drawn", "Read as "]);

    window.workbench().handle(Command::Replay(Some(20)));
    let at_20 = moments[19];
    window.until("the answer after 20 points", |workbench| {
        workbench.prediction().map(|prediction| prediction.best()) == at_20.digit && workbench.state() == at_20.state
    });
    assert_eq!(window.workbench().shown_drawing().points(), 20);
    assert_eq!(window.workbench().drawing(), &drawing, "the drawing itself is whole");
    window.assert_sees(&["Replaying"]);
    // drawing on ends the replay and goes on with the whole drawing
    window.draw(&[[0.2, 0.9], [0.3, 0.9]]);
    assert_eq!(window.workbench().replayed(), None);
    assert_eq!(window.workbench().drawing().strokes.len(), 2);
    assert_eq!(window.workbench().drawing().strokes[0], drawing.strokes[0]);
}

#[test]
fn a_replay_plays_from_the_first_point_to_the_last_and_rests() {
    let mut window = Window::open();
    let drawing = ring(&window, 1.0);
    window.workbench().handle(Command::SetDrawing(drawing));
    window.until("an answer", |workbench| workbench.prediction().is_some());
    window.click_label("Replay the drawing as it was drawn");
    let shown = window.workbench().replayed().unwrap();
    assert!(shown > 1 && shown < 49, "a second of the drawing has passed, not {shown} points");
    window.harness.run_steps(10);
    assert_eq!(window.workbench().replayed(), None, "the drawing took a second and a half");
    window.assert_sees(&["Replay the drawing as it was drawn"]);
    let slider = window.harness.get_by_label("Replay").rect();
    window.click(slider.center());
    assert!(window.workbench().replayed().is_some_and(|shown| (20..30).contains(&shown)));
    window.click(slider.right_center() - egui::vec2(2.0, 0.0));
    assert_eq!(window.workbench().replayed(), None);
}
