//! What a fine-tuning was worth: a small table of before and after, and one plain sentence.

use eframe::egui::{self, Ui};

use super::data_side::{note, row};
use crate::storage::{BeforeAfter, FineTuning};
use crate::ui::{style, text, theme};

/// One's own held-out digits and the test set, before and after.
pub(super) fn before_after(ui: &mut Ui, title: &str, fine_tuning: &FineTuning, width: f32) {
    let p = theme::of(ui);
    style::card(p).show(ui, |ui| {
        let width = width - 34.0;
        ui.set_width(width);
        ui.label(text::section(format!("{title}, before and after")));
        let columns = [0.62, 0.84, 1.0];
        row(ui, width, &columns, ["Right of all", "Before", "After", ""], p.text3, false);
        let test = format!("Test set, {}", text::count(fine_tuning.test.images.into()));
        let own = format!("My held-out, {}", fine_tuning.own.images);
        for (name, counts) in [(own, &fine_tuning.own), (test, &fine_tuning.test)] {
            let change = i64::from(counts.after) - i64::from(counts.before);
            let colour = if change < 0 { p.warn } else { p.text };
            let count = |count: u32| text::count(count.into());
            let change = text::change(change as f64, 0);
            row(ui, width, &columns, [&name, &count(counts.before), &count(counts.after), &change], colour, true);
        }
        ui.add_space(4.0);
        let (good, words) = verdict(fine_tuning);
        let colour = if good { p.text2 } else { p.warn };
        ui.add(egui::Label::new(text::label(words).color(colour)).wrap());
        if fine_tuning.test_title != "MNIST" {
            let words = format!("The test set is {}: MNIST is not here.", fine_tuning.test_title);
            note(ui, &words, width);
        }
    });
}

/// Whether a fine-tuning was worth it, in plain words.
fn verdict(fine_tuning: &FineTuning) -> (bool, String) {
    let FineTuning { own, test, .. } = fine_tuning;
    let change = |counts: &BeforeAfter| i64::from(counts.after) - i64::from(counts.before);
    let counts = format!("{} mended, {} broken", own.mended, own.broken);
    let elsewhere = match change(test) {
        0 => "the test set is read as before".to_owned(),
        1.. => format!("{} more of the test set are read right", change(test)),
        lost => format!("it cost {} of the test set", -lost),
    };
    match change(own) {
        1.. => (true, format!("Your hand is read better ({counts}); {elsewhere}.")),
        0 => (change(test) >= 0, format!("Your hand is read as well as before ({counts}); {elsewhere}.")),
        _ => (false, format!("It made things worse: your hand is read less well ({counts}); {elsewhere}.")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_made_things_worse_is_called_so() {
        let counts = |images, before: u32, after: u32| BeforeAfter {
            images,
            before,
            after,
            mended: after.saturating_sub(before),
            broken: before.saturating_sub(after),
        };
        for (own, test, good, expected) in [
            (
                (20, 15, 18),
                (10_000, 9_900, 9_890),
                true,
                "read better (3 mended, 0 broken); it cost 10 of the test set",
            ),
            ((20, 15, 15), (10_000, 9_900, 9_901), true, "as well as before (0 mended, 0 broken); 1 more"),
            ((20, 15, 15), (10_000, 9_900, 9_899), false, "it cost 1 of the test set"),
            ((20, 15, 14), (10_000, 9_900, 9_900), false, "It made things worse"),
        ] {
            let [own, test] = [own, test].map(|(images, before, after)| counts(images, before, after));
            let (is_good, words) = verdict(&FineTuning { own, test, test_title: "MNIST".to_owned() });
            assert_eq!(is_good, good, "{words}");
            assert!(words.contains(expected), "{words}");
        }
    }
}
