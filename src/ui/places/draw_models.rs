//! All models on one drawing, a row each: answer, share, how sure, ten thin bars, what its card says. A click chooses.

use eframe::egui::{Align2, CornerRadius, FontId, Label, Rect, Role, Sense, Ui, WidgetInfo, pos2, vec2};

use super::Scene;
use crate::inference::State;
use crate::ui::text::{self, IconWeight, Weight};
use crate::ui::widgets::share_bars;
use crate::ui::{icons, style, theme};
use crate::workbench::{Command, ComparedModel};

const ROW: f32 = 34.0;
/// Room of the median accuracy.
const ACCURACY: f32 = 54.0;
/// Rows do not grow with the window beyond this.
const WIDEST: f32 = 480.0;
/// Where the title begins.
const TITLE: f32 = 56.0;

pub(super) fn models(ui: &mut Ui, scene: &mut Scene<'_>, width: f32) {
    let p = theme::of(ui);
    let width = width.min(WIDEST);
    let compared = scene.workbench.compared();
    let answers: Vec<(&str, Option<u8>)> =
        compared.iter().filter_map(|one| Some((one.entry.title.as_str(), said(one)?))).collect();
    let words = consensus(&answers, compared.len());
    ui.add(Label::new(text::section(words)).wrap());
    let newest = compared.iter().filter(|one| one.is_newest).count();
    let words = match scene.workbench.comparison_seconds() {
        _ if answers.is_empty() => "Each is asked while you draw".to_owned(),
        Some(seconds) if newest == compared.len() => {
            format!("The last answered {} ms after the pad", text::number(1e3 * seconds, 0))
        }
        _ => format!("{newest} of {} have answered the newest ink", compared.len()),
    };
    ui.label(text::label(words).color(p.text2));
    let bars = if width > 340.0 { 100.0 } else { 70.0 };
    head(ui, width, bars);
    ui.spacing_mut().item_spacing.y = 0.0;
    for one in &compared {
        if row(ui, one, *scene.workbench.choice() == one.entry.choice, width, bars) {
            scene.push(Command::ChooseModel(one.entry.choice.clone()));
        }
    }
}

/// The digit that a model reads, `Some(None)` where it says that there is none, `None` where it has not answered.
fn said(one: &ComparedModel) -> Option<Option<u8>> {
    let (prediction, state) = one.answer?;
    Some(matches!(state, State::Sure | State::Unsure).then(|| prediction.best()))
}

/// "12 of 14 say 7; CNN says 1". `None` is the answer of a model that sees no digit; `all` counts those that have not
/// answered too.
fn consensus(answers: &[(&str, Option<u8>)], all: usize) -> String {
    let mut votes: Vec<(Option<u8>, usize)> = Vec::new();
    for (_, answer) in answers {
        match votes.iter_mut().find(|(known, _)| known == answer) {
            Some((_, count)) => *count += 1,
            None => votes.push((*answer, 1)),
        }
    }
    // of equally many the smaller digit, and no digit last
    votes.sort_by_key(|(answer, count)| (std::cmp::Reverse(*count), answer.unwrap_or(u8::MAX)));
    let Some((first, others)) = votes.split_first() else { return format!("{all} models, one drawing") };
    let what = |answer: Option<u8>| answer.map_or_else(|| "no digit".to_owned(), |digit| digit.to_string());
    if others.is_empty() && answers.len() == all {
        return format!("All {all} say {}", what(first.0));
    }
    let mut words = vec![format!("{} of {} say {}", first.1, answers.len(), what(first.0))];
    let dissent = answers.len() - first.1;
    if dissent <= 2 {
        let names = answers.iter().filter(|(_, answer)| *answer != first.0);
        words.extend(names.map(|(name, answer)| format!("{name} says {}", what(*answer))));
    } else {
        let counted = others.iter().map(|(answer, count)| {
            let says = if *count == 1 { "says" } else { "say" };
            format!("{count} {says} {}", what(*answer))
        });
        words.extend(counted);
    }
    words.join("; ")
}

fn head(ui: &mut Ui, width: f32, bars: f32) {
    let p = theme::of(ui);
    let (rect, _) = ui.allocate_exact_size(vec2(width, 18.0), Sense::hover());
    let small = text::font(text::SMALL, Weight::Regular);
    let right = rect.right() - 6.0;
    ui.painter().text(pos2(right, rect.center().y), Align2::RIGHT_CENTER, "Median", small, p.text3);
    let left = right - ACCURACY - bars;
    share_bars::paint_digits(ui, Rect::from_min_max(pos2(left, rect.top()), pos2(left + bars, rect.bottom())));
}

/// One model; true when it was pressed.
fn row(ui: &mut Ui, one: &ComparedModel, chosen: bool, width: f32, bars: f32) -> bool {
    let p = theme::of(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(width, ROW), Sense::click());
    let state = one.answer.map_or(State::Empty, |(_, state)| state);
    let (digit, words) = match (&one.answer, said(one).flatten()) {
        (Some((prediction, _)), Some(best)) => {
            let word = if state == State::Sure { "sure" } else { "unsure" };
            (best.to_string(), format!("{}, {word}", text::percent(prediction.probability(best).into(), 1)))
        }
        (Some(_), None) => ("–".to_owned(), "Not a digit".to_owned()),
        (None, _) => (String::new(), "No answer".to_owned()),
    };
    let accuracy = one.entry.card.as_ref().map(|card| text::percent(card.median_accuracy, 2));
    let title = one.entry.title.as_str();
    response.widget_info(|| {
        let spoken = if digit.is_empty() { words.clone() } else { format!("{digit}, {words}") };
        WidgetInfo::selected(Role::ListBoxOption, true, chosen, format!("{title} reads {spoken}"))
    });

    let fill = match (chosen, response.hovered()) {
        (true, _) => Some(p.accent_soft),
        (false, true) => Some(p.hover),
        (false, false) => None,
    };
    if let Some(fill) = fill {
        ui.painter().rect_filled(rect, CornerRadius::same(style::BUTTON_RADIUS), fill);
    }
    let middle = rect.center().y;
    let painter = ui.painter();
    let colour = if state == State::Sure { p.text } else { p.text2 };
    let font = text::font(22.0, Weight::Bold);
    painter.text(pos2(rect.left() + 17.0, middle), Align2::CENTER_CENTER, &digit, font, colour);
    let (icon, icon_colour) = match (state, one.answer.is_some()) {
        (State::Sure, _) => (icons::CHECK_CIRCLE, p.accent),
        (State::Unsure, _) => (icons::CIRCLE_HALF, p.warn),
        (_, true) => (icons::PROHIBIT, p.warn),
        (_, false) => (icons::CIRCLE, p.text3),
    };
    let weight = if one.answer.is_some() { IconWeight::Fill } else { IconWeight::Regular };
    let at = pos2(rect.left() + 42.0, middle);
    painter.text(at, Align2::CENTER_CENTER, icon, text::icon_font(16.0, weight), icon_colour);

    let right = rect.right() - 6.0;
    let bars_left = right - ACCURACY - bars;
    let room = bars_left - 8.0 - (rect.left() + TITLE);
    let weight = if chosen { Weight::Semibold } else { Weight::Medium };
    line(ui, pos2(rect.left() + TITLE, middle - 8.0), title, text::font(text::LABEL, weight), p.text, room);
    let small = text::font(text::SMALL, Weight::Regular);
    line(ui, pos2(rect.left() + TITLE, middle + 8.0), &words, small, p.text2, room);

    let place = Rect::from_min_max(pos2(bars_left, middle - 12.0), pos2(bars_left + bars, middle + 12.0));
    let shares = one.answer.as_ref().map(|(prediction, _)| &prediction.probabilities);
    share_bars::paint(ui, place, shares, said(one).flatten());
    let font = text::font(text::LABEL, Weight::Regular);
    let known = accuracy.as_deref().unwrap_or("–");
    ui.painter().text(pos2(right, middle), Align2::RIGHT_CENTER, known, font, p.text2);
    style::focus_ring(ui, &response, style::BUTTON_RADIUS);

    let pressed = response.clicked();
    response.on_hover_ui(|ui| {
        ui.set_max_width(260.0);
        ui.label(text::label(title));
        if let Some(card) = &one.entry.card {
            let seeds = card.accuracy_of_seeds.len();
            let words = format!(
                "{} of MNIST's test digits read right, the median of {seeds} seeds; trained on {}",
                text::percent(card.median_accuracy, 2),
                card.trained_on
            );
            ui.add(Label::new(text::small(words).color(theme::of(ui).text2)).wrap());
        }
        if !chosen {
            ui.label(text::small("Click to let it answer the pad").color(theme::of(ui).text2));
        }
    });
    pressed
}

/// One line of text that ends in "…" where the room ends.
fn line(ui: &Ui, left_centre: eframe::egui::Pos2, words: &str, font: FontId, colour: eframe::egui::Color32, room: f32) {
    let mut job = eframe::egui::text::LayoutJob::simple_singleline(words.to_owned(), font, colour);
    job.wrap = eframe::egui::text::TextWrapping::truncate_at_width(room);
    let galley = ui.painter().layout_job(job);
    ui.painter().galley(left_centre - vec2(0.0, galley.size().y / 2.0), galley, colour);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sentence_tells_who_says_what() {
        let (one, seven, none) = (Some(1), Some(7), None);
        for (answers, all, expected) in [
            (vec![], 14, "14 models, one drawing"),
            (vec![("a", seven), ("b", seven)], 2, "All 2 say 7"),
            (vec![("a", seven), ("b", seven)], 3, "2 of 2 say 7"),
            (vec![("a", seven), ("b", one), ("c", seven)], 3, "2 of 3 say 7; b says 1"),
            (vec![("a", seven), ("b", one)], 2, "1 of 2 say 1; a says 7"),
            (
                vec![("a", seven), ("b", one), ("c", seven), ("d", none), ("e", one), ("f", seven), ("g", seven)],
                7,
                "4 of 7 say 7; 2 say 1; 1 says no digit",
            ),
            (vec![("a", none), ("b", none), ("c", seven)], 3, "2 of 3 say no digit; c says 7"),
        ] {
            assert_eq!(consensus(&answers, all), expected);
        }
    }
}
