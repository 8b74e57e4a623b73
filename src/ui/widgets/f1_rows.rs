//! Ten F1 values over a run as ten small rows that share the plots' axis and cursor. A row under the pointer or with the
//! focus wants its curve in the big plot; a click keeps it there.

use super::{
    plot::{PLOT_LEFT, PLOT_RIGHT, row_place},
    plot_lines::{nearest, seen, thinned},
    shared_axis::SharedAxis,
};
use crate::ui::{
    icons,
    style::{self, FIELD_RADIUS, HOVER_SECONDS},
    text::{self, IconWeight, Weight},
    theme,
};
use eframe::egui::{
    Align2, Color32, CornerRadius, Rect, Response, Role, Sense, Shape, Stroke, Ui, WidgetInfo, pos2, vec2,
};

/// Height of one row.
pub const ROW: f32 = 24.0;

/// A fall of this much within an epoch is worth a warning.
const FALL: f64 = 0.003;

/// The rows, and what was chosen of them.
pub struct F1Rows<'a> {
    /// `[x, F1]` of every digit, x rising.
    pub history: &'a [Vec<[f64; 2]>; 10],
    /// The last value less the one an epoch before it.
    pub changes: [Option<f64>; 10],
    /// What was measured on.
    pub note: &'a str,
    /// Whether the digit with the lowest value stands first.
    pub worst_first: &'a mut bool,
    /// The digits whose curves stay in the big plot.
    pub kept: &'a mut [bool; 10],
}

impl F1Rows<'_> {
    /// Shows the rows over `width`. Answers the digit under the pointer or with the focus.
    pub fn show(mut self, ui: &mut Ui, shared: &mut SharedAxis, width: f32) -> Option<usize> {
        let p = theme::of(ui);
        let (rect, _) = ui.allocate_exact_size(vec2(width, 24.0 + 10.0 * ROW), Sense::hover());
        let lines = Rect::from_min_max(
            pos2(rect.left() + PLOT_LEFT, rect.top() + 24.0),
            pos2(rect.right() - PLOT_RIGHT, rect.bottom()),
        );
        let errors = error_range(self.history);
        self.head(ui, rect, lines, errors);

        // a drag zooms, and a click is for the row
        let area = ui.interact(lines, ui.scope_id().with("f1 rows"), Sense::DRAG);
        area.widget_info(|| WidgetInfo::labeled(Role::Figure, true, "F1 per digit"));
        if errors.is_some() {
            shared.follow(ui, lines, &area);
        }
        let mut brought = None;
        for (place, digit) in order(self.history, *self.worst_first).into_iter().enumerate() {
            let top = lines.top() + place as f32 * ROW;
            let row = Rect::from_min_max(pos2(rect.left(), top), pos2(rect.right(), top + ROW));
            let response = ui.interact(row, ui.scope_id().with(("f1 row", digit)), Sense::click());
            let points = &self.history[digit];
            let now = nearest(points, shared.cursor());
            response.widget_info(|| {
                let value = now.map_or_else(String::new, |[_, f1]| format!(", {}", text::number(f1, 3)));
                WidgetInfo::selected(Role::Button, true, self.kept[digit], format!("F1 of {digit}{value}"))
            });
            if response.double_clicked() {
                shared.reset_zoom();
            }
            if response.clicked() && errors.is_some() {
                self.kept[digit] = !self.kept[digit];
            }
            if (response.hovered() || response.has_focus()) && errors.is_some() {
                brought = Some(digit);
            }
            let inner = Rect::from_x_y_ranges(lines.x_range(), top + 4.0..=top + ROW - 4.0);
            paint_row(ui, row, &response, digit, self.kept[digit], place < 9);
            paint_values(ui, row, now, self.changes[digit]);
            if let Some(range) = errors {
                sparkline(ui, inner, points, range, shared, p.digit(digit), p.bg);
            }
        }
        brought
    }

    fn head(&mut self, ui: &mut Ui, rect: Rect, lines: Rect, errors: Option<(f64, f64)>) {
        let p = theme::of(ui);
        let y = rect.top() + 7.0;
        let small = text::font(text::SMALL, Weight::Regular);
        let label = |at: f32, align, words: &str, colour| {
            ui.painter().text(pos2(at, y + 0.5), align, words, small.clone(), colour)
        };
        let strong = text::font(text::BODY, Weight::Semibold);
        let title = ui.painter().text(pos2(rect.left(), y), Align2::LEFT_CENTER, "F1 per digit", strong, p.text);
        let note = label(title.right() + 8.0, Align2::LEFT_CENTER, self.note, p.text3);
        label(rect.right() - 54.0, Align2::RIGHT_CENTER, "Value", p.text3);
        label(rect.right(), Align2::RIGHT_CENTER, "Change", p.text3);
        let mut left = lines.right();
        if let Some((least, most)) = errors {
            let range = format!("{} to {}, log scale", f1_text(1.0 - most), f1_text(1.0 - least));
            let size = ui.painter().layout_no_wrap(range.clone(), small.clone(), p.text3).size();
            // in a narrow window the scale goes before the switch does
            if left - size.x - 96.0 > note.right() {
                left = label(left, Align2::RIGHT_CENTER, &range, p.text3).left() - 12.0;
            }
        }
        sort_switch(ui, pos2(left, y), self.worst_first);
    }
}

/// "Worst first" with its icon, to press; it ends at `right`.
fn sort_switch(ui: &Ui, right: eframe::egui::Pos2, on: &mut bool) {
    let p = theme::of(ui);
    let rect = Rect::from_min_max(pos2(right.x - 82.0, right.y - 10.0), pos2(right.x + 4.0, right.y + 10.0));
    let response = ui.interact(rect, ui.scope_id().with("worst first"), Sense::click());
    if response.clicked() {
        *on = !*on;
    }
    let is_on = *on;
    response.widget_info(|| WidgetInfo::selected(Role::Switch, true, is_on, "Worst first"));
    let hover = ui.ctx().animate_bool_with_time(response.id, response.hovered(), HOVER_SECONDS);
    let colour = if is_on { p.accent } else { theme::mix(p.text3, p.text, hover) };
    let icon = text::icon_font(13.0, if is_on { IconWeight::Bold } else { IconWeight::Regular });
    let weight = if is_on { Weight::Semibold } else { Weight::Regular };
    let words = pos2(right.x, right.y + 0.5);
    let shown = ui.painter().text(words, Align2::RIGHT_CENTER, "Worst first", text::font(text::SMALL, weight), colour);
    let at = pos2(shown.left() - 9.0, right.y);
    ui.painter().text(at, Align2::CENTER_CENTER, icons::SORT_ASCENDING, icon, colour);
    style::focus_ring(ui, &response, FIELD_RADIUS);
}

/// The digits from above to below.
fn order(history: &[Vec<[f64; 2]>; 10], worst_first: bool) -> [usize; 10] {
    let mut digits = std::array::from_fn(|digit| digit);
    if worst_first {
        let last = |digit: &usize| history[*digit].last().map_or(f64::INFINITY, |point| point[1]);
        digits.sort_by(|a, b| last(a).total_cmp(&last(b)));
    }
    digits
}

fn paint_row(ui: &Ui, row: Rect, response: &Response, digit: usize, is_kept: bool, is_ruled: bool) {
    let p = theme::of(ui);
    let painter = ui.painter();
    let ground = row.expand2(vec2(8.0, 0.0));
    if is_kept {
        painter.rect_filled(ground, CornerRadius::same(6), p.accent_soft);
    } else if response.hovered() {
        painter.rect_filled(ground, CornerRadius::same(6), p.hover.gamma_multiply(0.5));
    }
    if is_ruled {
        let y = painter.round_to_pixel_center(row.bottom());
        painter.hline(row.x_range(), y, Stroke::new(1.0, p.hair));
    }
    let tick = Rect::from_center_size(pos2(row.left() + 1.5, row.center().y), vec2(3.0, 13.0));
    painter.rect_filled(tick, CornerRadius::same(1), p.digit(digit));
    let strong = text::font(text::BODY, Weight::Semibold);
    let at = pos2(row.left() + 12.0, row.center().y);
    painter.text(at, Align2::LEFT_CENTER, digit.to_string(), strong, p.text);
    style::focus_ring(ui, response, 6);
}

fn paint_values(ui: &Ui, row: Rect, now: Option<[f64; 2]>, change: Option<f64>) {
    let p = theme::of(ui);
    let value = now.map_or_else(|| "–".to_owned(), |[_, f1]| text::number(f1, 3));
    let colour = if now.is_some() { p.text } else { p.text3 };
    let at = pos2(row.right() - 54.0, row.center().y);
    ui.painter().text(at, Align2::RIGHT_CENTER, value, text::font(text::BODY, Weight::Semibold), colour);
    if let Some(change) = change {
        let colour = if change <= -FALL { p.warn } else { p.text2 };
        let font = text::font(text::LABEL, Weight::Regular);
        ui.painter().text(row.right_center(), Align2::RIGHT_CENTER, text::change(change, 3), font, colour);
    }
}

fn sparkline(
    ui: &Ui,
    rect: Rect,
    points: &[[f64; 2]],
    errors: (f64, f64),
    shared: &SharedAxis,
    colour: Color32,
    halo: Color32,
) {
    let place = |x: f64, f1: f64| row_place(rect, shared.to_screen(rect.x_range(), x), height(f1, errors));
    let painter = ui.painter_at(rect.expand2(vec2(3.0, 4.0)));
    let range = shared.range();
    let kept = thinned(seen(points, range).iter().copied(), range, rect.width());
    if kept.len() > 1 {
        let line = kept.iter().map(|point| place(point.x, point.y)).collect();
        painter.add(Shape::line(line, Stroke::new(1.5, colour)));
    }
    if let Some(&[x, f1]) = points.last() {
        painter.circle_filled(place(x, f1), 2.5, colour);
    }
    if let Some([x, f1]) = shared.cursor().and_then(|cursor| nearest(points, Some(cursor))) {
        painter.circle(place(x, f1), 3.5, colour, Stroke::new(1.5, halo));
    }
}

/// Least and greatest 1 − F1 over all rows; the best value of all is bounded so that a perfect 1 keeps a place.
fn error_range(history: &[Vec<[f64; 2]>; 10]) -> Option<(f64, f64)> {
    let mut range: Option<(f64, f64)> = None;
    // The first values of a run would press all later ones into a corner, so the scale starts at a tenth of the way.
    for points in history {
        let from = if points.len() >= 10 { points.len() / 10 } else { 0 };
        for &[_, f1] in points[from..].iter().filter(|point| point[1].is_finite()) {
            let error = (1.0 - f1).max(5e-4);
            range = Some(range.map_or((error, error), |(least, most)| (least.min(error), most.max(error))));
        }
    }
    range.map(|(least, most)| if most / least < 1.5 { (least / 1.3, (most * 1.3).min(1.0)) } else { (least, most) })
}

fn height(f1: f64, (least, most): (f64, f64)) -> f64 {
    let error = (1.0 - f1).clamp(least, most);
    (most / error).ln() / (most / least).ln()
}

fn f1_text(f1: f64) -> String {
    let text = text::number(f1, 3);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_stand_first_on_request_and_equals_keep_their_order() {
        let mut history: [Vec<[f64; 2]>; 10] = std::array::from_fn(|_| vec![[1.0, 0.9]]);
        history[7] = vec![[1.0, 0.99], [2.0, 0.5]];
        history[3] = vec![[1.0, 0.1], [2.0, 0.95]];
        assert_eq!(order(&history, false), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
        assert_eq!(order(&history, true), [7, 0, 1, 2, 4, 5, 6, 8, 9, 3]);
        assert_eq!(order(&Default::default(), true)[0], 0, "nothing measured, nothing moved");
    }

    #[test]
    fn a_perfect_value_has_a_place_and_better_is_higher() {
        let mut history: [Vec<[f64; 2]>; 10] = Default::default();
        assert_eq!(error_range(&history), None);
        history[3] = vec![[1.0, 0.9], [2.0, 1.0]];
        let range = error_range(&history).unwrap();
        assert!(height(1.0, range) > height(0.95, range) && height(0.95, range) > height(0.9, range));
        assert!((0.0..=1.0).contains(&height(0.2, range)));
    }
}
