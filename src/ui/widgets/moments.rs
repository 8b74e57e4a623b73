//! A thin strip of what was read after every point of a drawing: a run in the colour of each digit, the digit under the
//! point where it begins.

use crate::ui::{
    text::{self, Weight},
    theme,
};
use eframe::egui::{Align2, CornerRadius, Rect, Response, Role, Sense, Ui, WidgetInfo, pos2, vec2};

/// A stretch of points after which the same was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// Points drawn when it begins and when it ends, from 1.
    pub from: usize,
    pub to: usize,
    /// `None` where nothing was read as a digit.
    pub digit: Option<u8>,
    /// Paler where not.
    pub sure: bool,
}

/// Height of [`strip`].
pub const HEIGHT: f32 = 22.0;
const BAR: f32 = 5.0;
/// Labels nearer to each other than this are left out.
const BETWEEN_LABELS: f32 = 11.0;

/// The strip, `width` wide, of a drawing of `points` points.
pub fn strip(ui: &mut Ui, runs: &[Run], points: usize, width: f32) -> Response {
    let p = theme::of(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(width, HEIGHT), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, in_words(runs)));
    let bar = Rect::from_min_size(rect.min, vec2(width, BAR));
    let painter = ui.painter();
    painter.rect_filled(bar, CornerRadius::same(2), p.track);
    let at = |point: usize| bar.left() + bar.width() * (point.max(1) - 1) as f32 / (points.max(2) - 1) as f32;
    let mut free_from = f32::NEG_INFINITY;
    let mut named = None;
    for run in runs {
        let Some(digit) = run.digit else {
            named = None;
            continue;
        };
        let (from, to) = (at(run.from.saturating_sub(1)), at(run.to));
        let colour = p.digit(digit.into());
        let colour = if run.sure { colour } else { theme::mix(p.bg, colour, 0.4) };
        let part = Rect::from_min_max(pos2(from, bar.top()), pos2(to.max(from + 1.0), bar.bottom()));
        painter.rect_filled(part, CornerRadius::ZERO, colour);
        if named != Some(digit) && from >= free_from {
            let weight = if run.sure { Weight::Semibold } else { Weight::Regular };
            let colour = if run.sure { p.text } else { p.text2 };
            let place = pos2(from.min(bar.right() - 7.0), bar.bottom() + 9.5);
            painter.text(place, Align2::LEFT_CENTER, digit.to_string(), text::font(text::SMALL, weight), colour);
            free_from = from + BETWEEN_LABELS;
        }
        named = Some(digit);
    }
    response
}

/// "Read as 1, as 7 from point 12": the digits in the order in which they were read.
pub fn in_words(runs: &[Run]) -> String {
    let mut words = Vec::new();
    let mut last = None;
    for run in runs {
        if run.digit == last {
            continue;
        }
        last = run.digit;
        let name = run.digit.map_or_else(|| "no digit".to_owned(), |digit| digit.to_string());
        words.push(if words.is_empty() { format!("as {name}") } else { format!("as {name} from point {}", run.from) });
    }
    if words.is_empty() { "Not read yet".to_owned() } else { format!("Read {}", words.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_changes_of_the_digit_are_told() {
        let run = |from, to, digit, sure| Run { from, to, digit, sure };
        let runs =
            [run(1, 4, None, false), run(5, 9, Some(1), false), run(10, 12, Some(1), true), run(13, 20, Some(7), true)];
        assert_eq!(in_words(&runs), "Read as 1, as 7 from point 13");
        assert_eq!(in_words(&[]), "Not read yet");
    }
}
