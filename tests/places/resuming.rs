//! A window that is closed while a network learns, and the next one.

use digitpad::training::Ending;
use digitpad::workbench::{Command, Phase};
use eframe::egui::{Theme, vec2};

use crate::window::Window;

#[test]
fn a_training_that_was_closed_with_the_window_is_offered_by_the_next_one() {
    let mut window = Window::open();
    let config = window.config(3);
    window.workbench().handle(Command::StepEpoch(config));
    window.until("the first epoch", |w| w.training().is_some_and(|view| view.phase == Phase::Paused));
    assert!(!window.sees("was interrupted"));
    window.ask_to_close();
    window.click_label("Stop, save and close");
    window.until("the stop", |workbench| !workbench.training_is_under_way());
    let Window { harness, folder } = window;
    drop(harness);

    let mut next = Window::open_in(folder, vec2(1280.0, 800.0), 1.0, Theme::Light);
    next.until("the offer", |workbench| workbench.interrupted_run().is_some());
    next.assert_sees(&["was interrupted after 1 of 3 epochs", "Resume"]);
    assert!(next.workbench().training().is_none(), "nothing goes on unasked");
    next.click_label("Resume");
    next.until("the end", |w| w.training().is_some_and(|view| view.phase == Phase::Ended(Ending::Completed)));
    assert!(!next.sees("was interrupted"));
    assert_eq!(next.workbench().training().unwrap().curves.epochs.len(), 3);
}
