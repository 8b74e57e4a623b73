//! The head of Draw's middle column: the digit, how sure the network is, and ten bars that never ease.

use eframe::egui::{Align2, Sense, Ui, pos2, vec2};

use super::Scene;
use crate::inference::{Prediction, State};
use crate::ui::text::{self, IconWeight, Weight};
use crate::ui::widgets::{bars, segmented};
use crate::ui::{icons, theme};

/// What the bars mean.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Shown {
    #[default]
    Probability,
    Score,
}

/// A workspace lower than this has compact bars.
const LOW: f32 = 620.0;

pub(super) fn answer(ui: &mut Ui, shown: &mut Shown, scene: &Scene<'_>, width: f32) {
    let prediction = scene.workbench.prediction();
    head(ui, prediction, scene, width);
    ui.add_space(8.0);
    // the scores of a network with codes are distances with a minus sign
    let has_codes = scene.workbench.codes().is_some();
    let scores = if has_codes { "Squared distance" } else { "Score" };
    segmented::segmented(ui, "Bars show", shown, &[(Shown::Probability, "Probability"), (Shown::Score, scores)], width);
    ui.add_space(6.0);
    let distances = prediction.filter(|_| has_codes).map(|prediction| prediction.scores.map(|score| -score));
    let bars = match shown {
        Shown::Score if has_codes => bars::DigitBars::distances(distances.as_ref()),
        Shown::Probability => bars::DigitBars::probabilities(prediction.map(|p| &p.probabilities)),
        Shown::Score => bars::DigitBars::scores(prediction.map(|p| &p.scores)),
    };
    let bars = bars::DigitBars { marked: scene.workbench.true_label().map(usize::from), ..bars };
    // where the window is low the doctor's card is worth more than wide rows
    if ui.clip_rect().height() < LOW {
        bars::compact_rows(ui, &bars, width);
    } else {
        bars::rows(ui, &bars, width);
    }
}

fn head(ui: &mut Ui, prediction: Option<&Prediction>, scene: &Scene<'_>, width: f32) {
    let p = theme::of(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(width, 100.0), Sense::hover());
    let state = scene.workbench.state();
    let ranked = prediction.map(Prediction::ranked);
    let digit = ranked.map_or_else(|| "–".to_owned(), |ranked| ranked[0].to_string());
    let painter = ui.painter();
    let has_digit = matches!(state, State::Sure | State::Unsure);
    if has_digit {
        let colour = if state == State::Sure { p.text } else { p.text3 };
        let font = text::font(text::ANSWER, Weight::Bold);
        painter.text(pos2(rect.left(), rect.center().y - 2.0), Align2::LEFT_CENTER, &digit, font, colour);
    }

    let (icon, icon_colour, word) = match (state, ranked) {
        (State::Sure, _) => (icons::CHECK_CIRCLE, p.accent, "Sure".to_owned()),
        (State::Unsure, Some(ranked)) => {
            (icons::CIRCLE_HALF, p.warn, format!("Unsure, {} or {}", ranked[0], ranked[1]))
        }
        (State::NotADigit, _) => (icons::PROHIBIT, p.warn, "Not a digit".to_owned()),
        _ if scene.workbench.drawing().is_empty() => (icons::CIRCLE, p.text3, "Nothing drawn".to_owned()),
        _ => (icons::CIRCLE, p.text3, "No answer".to_owned()),
    };
    // while no digit is answered the words stand where it will be
    let left = if has_digit { rect.left() } else { rect.left() - 90.0 };
    let line = |y: f32| pos2(left + 122.0, rect.top() + y);
    let weight = if prediction.is_some() { IconWeight::Fill } else { IconWeight::Regular };
    let at = pos2(left + 102.0, rect.top() + 26.0);
    painter.text(at, Align2::CENTER_CENTER, icon, text::icon_font(24.0, weight), icon_colour);
    painter.text(line(26.0), Align2::LEFT_CENTER, &word, text::font(20.0, Weight::Semibold), p.text);
    let small = text::font(text::BODY, Weight::Regular);
    let (first, second) = match (prediction, ranked) {
        (Some(prediction), Some([best, ..])) if state == State::NotADigit => {
            (reason(prediction, best, scene), by(scene))
        }
        (Some(prediction), Some([best, next, ..])) => (
            format!(
                "{}, then {next} with {}",
                text::percent(prediction.probability(best).into(), 1),
                text::percent(prediction.probability(next).into(), 1)
            ),
            by(scene),
        ),
        _ => ("It answers while you draw".to_owned(), String::new()),
    };
    let left = left + 90.0;
    painter.text(pos2(left, rect.top() + 56.0), Align2::LEFT_CENTER, &first, small.clone(), p.text2);
    painter.text(pos2(left, rect.top() + 77.0), Align2::LEFT_CENTER, second, small, p.text2);
    response.widget_info(|| {
        let spoken = match state {
            State::Sure | State::Unsure => format!("Answer {digit}, {word}, {first}"),
            State::NotADigit => format!("{word}, {first}"),
            State::Empty => word.clone(),
        };
        eframe::egui::WidgetInfo::labeled(eframe::egui::Role::Label, true, spoken)
    });
}

/// "by LeNet-5".
fn by(scene: &Scene<'_>) -> String {
    scene.workbench.chosen().map_or_else(String::new, |entry| format!("by {}", entry.title))
}

/// Why this is no digit.
fn reason(prediction: &Prediction, best: u8, scene: &Scene<'_>) -> String {
    let border = scene.workbench.thresholds().digit_above.unwrap_or(f32::NEG_INFINITY);
    let (score, border) = (f64::from(prediction.score(best)), f64::from(border));
    if scene.workbench.codes().is_some() {
        format!("{best} is {} away; digits are within {}", text::number(-score, 1), text::number(-border, 1))
    } else {
        format!(
            "Best is {best}, which scores {}; digits score {} or more",
            text::number(score, 1),
            text::number(border, 1)
        )
    }
}
