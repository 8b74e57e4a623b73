//! Ten numbers as ten bars: rows for the answer, a compact row for the drawer, small columns for Train. The digits keep
//! their places; the winner is marked by a caret and weight before it is marked by colour.

use crate::ui::{
    icons,
    text::{self, IconWeight, Weight},
    theme::{self, Palette},
};
use eframe::egui::{Align2, CornerRadius, Rect, Response, Role, Sense, Stroke, StrokeKind, Ui, WidgetInfo, pos2, vec2};

/// Ten values to show as bars.
#[derive(Clone, Copy)]
pub struct DigitBars<'a> {
    /// One value per digit; `None` shows the bars at rest, without values.
    pub values: Option<&'a [f32; 10]>,
    /// The value of a full bar: 1 for probabilities.
    pub full: f32,
    /// The digit with the caret.
    pub winner: Option<usize>,
    /// The true digit: its name is heavier and ringed.
    pub marked: Option<usize>,
    /// How a value is written.
    pub format: &'a dyn Fn(f32) -> String,
}

impl<'a> DigitBars<'a> {
    /// Probabilities: full at 1, one decimal of a per cent, the largest wins.
    pub fn probabilities(values: Option<&'a [f32; 10]>) -> Self {
        Self {
            values,
            full: 1.0,
            winner: values.and_then(largest),
            marked: None,
            format: &|p| text::percent(p.into(), 1),
        }
    }

    /// Scores of any size: the largest positive one fills its bar.
    pub fn scores(values: Option<&'a [f32; 10]>) -> Self {
        let full = values.map_or(1.0, |v| v.iter().copied().fold(f32::MIN_POSITIVE, f32::max));
        Self { values, full, winner: values.and_then(largest), marked: None, format: &|s| text::number(s.into(), 2) }
    }

    /// Squared distances: the shortest bar wins, the largest distance fills its bar.
    pub fn distances(values: Option<&'a [f32; 10]>) -> Self {
        let full = values.map_or(1.0, |v| v.iter().copied().fold(f32::MIN_POSITIVE, f32::max));
        let winner = values.and_then(|values| largest(&values.map(|distance| -distance)));
        Self { values, full, winner, marked: None, format: &|distance| text::number(distance.into(), 1) }
    }

    /// Marks the true digit.
    pub fn marked(mut self, digit: usize) -> Self {
        self.marked = Some(digit);
        self
    }

    fn share(&self, digit: usize) -> f32 {
        let value = self.values.map_or(0.0, |values| values[digit]);
        if self.full > 0.0 && value.is_finite() { (value / self.full).clamp(0.0, 1.0) } else { 0.0 }
    }

    fn spoken(&self) -> String {
        let truth = self.marked.map_or_else(String::new, |digit| format!(", it is {digit}"));
        match (self.values, self.winner) {
            (Some(values), Some(winner)) => format!("Reads {winner}, {}{truth}", (self.format)(values[winner])),
            _ => format!("No answer yet{truth}"),
        }
    }
}

fn largest(values: &[f32; 10]) -> Option<usize> {
    (0..10).filter(|&digit| values[digit].is_finite()).max_by(|&a, &b| values[a].total_cmp(&values[b]).then(b.cmp(&a)))
}

/// Measures of one kind of row.
struct Rows {
    pitch: f32,
    bar: f32,
    digit: f32,
    value: f32,
    from: f32,
    value_width: f32,
    caret: f32,
}

/// Ten rows of 29, `width` wide (360 on Draw): digit, bar, value.
pub fn rows(ui: &mut Ui, bars: &DigitBars<'_>, width: f32) -> Response {
    let measures = Rows {
        pitch: 29.0,
        bar: 13.0,
        digit: text::HEADING,
        value: text::BODY,
        from: 34.0,
        value_width: 68.0,
        caret: 13.0,
    };
    paint_rows(ui, bars, width, &measures)
}

/// Ten rows of 18, `width` wide (280 in the drawer).
pub fn compact_rows(ui: &mut Ui, bars: &DigitBars<'_>, width: f32) -> Response {
    let measures = Rows {
        pitch: 18.0,
        bar: 9.0,
        digit: text::LABEL,
        value: text::LABEL,
        from: 26.0,
        value_width: 58.0,
        caret: 10.0,
    };
    paint_rows(ui, bars, width, &measures)
}

fn paint_rows(ui: &mut Ui, bars: &DigitBars<'_>, width: f32, rows: &Rows) -> Response {
    let p = theme::of(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(width, rows.pitch * 10.0), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Meter, true, bars.spoken()));
    let painter = ui.painter();
    for digit in 0..10 {
        let y = rect.top() + (digit as f32 + 0.5) * rows.pitch;
        let wins = bars.winner == Some(digit);
        let strong = wins || bars.marked == Some(digit);
        let weight = if strong { Weight::Bold } else { Weight::Medium };
        let colour = if strong { p.text } else { p.text2 };
        if wins {
            let at = pos2(rect.left() - 2.0, y);
            painter.text(
                at,
                Align2::CENTER_CENTER,
                icons::CARET_RIGHT,
                text::icon_font(rows.caret, IconWeight::Fill),
                p.accent,
            );
        }
        let at = pos2(rect.left() + rows.from - 14.0, y);
        let name = painter.text(at, Align2::RIGHT_CENTER, digit.to_string(), text::font(rows.digit, weight), colour);
        if bars.marked == Some(digit) {
            let ring = Rect::from_center_size(name.center(), vec2(rows.digit + 4.0, rows.digit + 6.0));
            painter.rect_stroke(ring, CornerRadius::same(5), Stroke::new(1.5, p.accent), StrokeKind::Inside);
        }
        let track = Rect::from_min_max(
            pos2(rect.left() + rows.from, y - rows.bar / 2.0),
            pos2(rect.right() - rows.value_width, y + rows.bar / 2.0),
        );
        painter.rect_filled(track, CornerRadius::same(3), p.track);
        let Some(values) = bars.values else { continue };
        let filled = Rect::from_min_size(track.min, vec2((track.width() * bars.share(digit)).max(2.0), track.height()));
        painter.rect_filled(filled, bar_radius(filled.width()), if wins { p.accent } else { p.bar0 });
        let weight = if wins { Weight::Semibold } else { Weight::Regular };
        let value = (bars.format)(values[digit]);
        painter.text(pos2(rect.right(), y - 0.5), Align2::RIGHT_CENTER, value, text::font(rows.value, weight), colour);
    }
    response
}

fn bar_radius(length: f32) -> CornerRadius {
    CornerRadius::same((length / 2.0).min(3.0) as u8)
}

/// Width of [`columns`].
pub const COLUMNS_WIDTH: f32 = 9.0 * 17.2 + 12.0;

/// Ten upright bars, 12 wide and 36 high, with the digits under them: the pad's answer beside the curves.
pub fn columns(ui: &mut Ui, bars: &DigitBars<'_>) -> Response {
    let p = theme::of(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(COLUMNS_WIDTH, 52.0), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Meter, true, bars.spoken()));
    for digit in 0..10 {
        let wins = bars.winner == Some(digit);
        let left = rect.left() + digit as f32 * 17.2;
        let track = Rect::from_min_size(pos2(left, rect.top()), vec2(12.0, 36.0));
        paint_column(ui, p, track, bars.values.map(|_| bars.share(digit)), wins);
        let (weight, colour) = if wins { (Weight::Bold, p.text) } else { (Weight::Regular, p.text3) };
        let at = pos2(track.center().x, rect.top() + 45.5);
        ui.painter().text(at, Align2::CENTER_CENTER, digit.to_string(), text::font(text::SMALL, weight), colour);
    }
    response
}

fn paint_column(ui: &Ui, p: &Palette, track: Rect, share: Option<f32>, wins: bool) {
    let painter = ui.painter();
    painter.rect_filled(track, CornerRadius::same(2), p.track);
    let base = Stroke::new(1.0, p.line);
    painter.hline(track.x_range(), track.bottom() - 0.5, base);
    let Some(share) = share else { return };
    let height = (track.height() * share).max(1.0);
    let filled = Rect::from_min_max(pos2(track.left(), track.bottom() - height), track.max);
    painter.rect_filled(
        filled,
        CornerRadius::same(if height > 4.0 { 2 } else { 0 }),
        if wins { p.accent } else { p.bar0 },
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_equals_wins_and_what_is_no_number_never_does() {
        let mut values = [0.1; 10];
        assert_eq!(largest(&values), Some(0));
        values[3] = f32::NAN;
        values[7] = 0.9;
        assert_eq!(DigitBars::probabilities(Some(&values)).winner, Some(7));
        assert_eq!(DigitBars::probabilities(Some(&values)).share(3), 0.0);
        assert_eq!(largest(&[f32::NAN; 10]), None);
    }

    #[test]
    fn scores_fill_the_bar_of_the_largest_and_never_run_backwards() {
        let values = [-4.0, -2.0, 0.0, 1.0, 2.0, 8.0, 4.0, -1.0, -9.0, 0.5];
        let bars = DigitBars::scores(Some(&values));
        assert_eq!((bars.share(5), bars.share(6), bars.share(8)), (1.0, 0.5, 0.0));
        let distances = [90.0, 144.0, 97.0, 72.0, 106.0, 61.0, 91.0, 136.0, 78.0, 17.0];
        let bars = DigitBars::distances(Some(&distances));
        assert_eq!((bars.winner, bars.share(3)), (Some(9), 0.5));
    }
}
