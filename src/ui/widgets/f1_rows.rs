//! Ten F1 values over epochs as ten small rows that share the plots' axis and cursor.

use super::{
    plot::{PLOT_LEFT, PLOT_RIGHT, nearest, row_place},
    shared_axis::SharedAxis,
};
use crate::ui::{
    text::{self, Weight},
    theme,
};
use eframe::egui::{Align2, Color32, CornerRadius, Rect, Role, Sense, Shape, Stroke, Ui, WidgetInfo, pos2, vec2};

/// Height of one row.
pub const ROW: f32 = 24.0;

/// A fall of this much within an epoch is worth a warning.
const FALL: f64 = 0.003;

/// The rows over `width`; `history[digit]` holds `[epoch, F1]` with epochs rising, `note` says what was measured on.
/// Answers the digit under the pointer.
pub fn f1_rows(
    ui: &mut Ui,
    history: &[Vec<[f64; 2]>; 10],
    note: &str,
    shared: &mut SharedAxis,
    width: f32,
) -> Option<usize> {
    let p = theme::of(ui);
    let (rect, _) = ui.allocate_exact_size(vec2(width, 24.0 + 10.0 * ROW), Sense::hover());
    let lines = Rect::from_min_max(
        pos2(rect.left() + PLOT_LEFT, rect.top() + 24.0),
        pos2(rect.right() - PLOT_RIGHT, rect.bottom()),
    );
    let change_right = rect.right();
    let now_right = rect.right() - 54.0;
    let errors = error_range(history);

    let painter = ui.painter();
    let head = rect.top() + 7.0;
    let strong = text::font(text::BODY, Weight::Semibold);
    let small = text::font(text::SMALL, Weight::Regular);
    let title = painter.text(pos2(rect.left(), head), Align2::LEFT_CENTER, "F1 per digit", strong.clone(), p.text);
    painter.text(pos2(title.right() + 8.0, head + 0.5), Align2::LEFT_CENTER, note, small.clone(), p.text3);
    if let Some((least, most)) = errors {
        let range = format!("{} to {}, log scale", f1_text(1.0 - most), f1_text(1.0 - least));
        painter.text(pos2(lines.right(), head + 0.5), Align2::RIGHT_CENTER, range, small.clone(), p.text3);
    }
    painter.text(pos2(now_right, head + 0.5), Align2::RIGHT_CENTER, "Now", small.clone(), p.text3);
    painter.text(pos2(change_right, head + 0.5), Align2::RIGHT_CENTER, "Change", small, p.text3);

    let response = ui.interact(lines, ui.scope_id().with("f1 rows"), Sense::CLICK | Sense::DRAG);
    response.widget_info(|| {
        let values: Vec<String> = history
            .iter()
            .enumerate()
            .filter_map(|(digit, points)| points.last().map(|point| format!("{digit} {}", text::number(point[1], 3))))
            .collect();
        WidgetInfo::labeled(Role::Figure, true, format!("F1 per digit, {}", values.join(", ")))
    });
    if errors.is_some() {
        shared.follow(ui, lines, &response);
    }
    let hovered = ui
        .input(|input| input.pointer.hover_pos())
        .filter(|&at| ui.rect_contains_pointer(rect) && at.y >= lines.top() && at.y < rect.bottom())
        .map(|at| (((at.y - lines.top()) / ROW) as usize).min(9));

    let painter = ui.painter();
    for (digit, points) in history.iter().enumerate() {
        let top = lines.top() + digit as f32 * ROW;
        let middle = top + ROW / 2.0;
        let row = Rect::from_min_max(pos2(rect.left(), top), pos2(rect.right(), top + ROW));
        if hovered == Some(digit) {
            painter.rect_filled(row.expand2(vec2(8.0, 0.0)), CornerRadius::same(6), p.hover.gamma_multiply(0.5));
        }
        if digit < 9 {
            let y = painter.round_to_pixel_center(top + ROW);
            painter.hline(rect.left()..=rect.right(), y, Stroke::new(1.0, p.hair));
        }
        let tick = Rect::from_center_size(pos2(rect.left() + 1.5, middle), vec2(3.0, 13.0));
        painter.rect_filled(tick, CornerRadius::same(1), p.digit(digit));
        painter.text(pos2(rect.left() + 12.0, middle), Align2::LEFT_CENTER, digit.to_string(), strong.clone(), p.text);

        let (now, change) = (nearest(points, shared.cursor()), change_over_an_epoch(points));
        let value = now.map_or_else(|| "–".to_owned(), |[_, f1]| text::number(f1, 3));
        let colour = if now.is_some() { p.text } else { p.text3 };
        painter.text(pos2(now_right, middle), Align2::RIGHT_CENTER, value, strong.clone(), colour);
        if let Some(change) = change {
            let colour = if change <= -FALL { p.warn } else { p.text2 };
            let font = text::font(text::LABEL, Weight::Regular);
            painter.text(pos2(change_right, middle), Align2::RIGHT_CENTER, text::change(change, 3), font, colour);
        }
        if let Some(range) = errors {
            let inner = Rect::from_min_max(pos2(lines.left(), top + 4.0), pos2(lines.right(), top + ROW - 4.0));
            sparkline(ui, inner, points, range, shared, p.digit(digit), p.bg);
        }
    }
    hovered
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
    let place = |&[x, f1]: &[f64; 2]| row_place(rect, shared.to_screen(rect.x_range(), x), height(f1, errors));
    let painter = ui.painter_at(rect.expand2(vec2(3.0, 4.0)));
    let line: Vec<_> = points.iter().filter(|point| point[0].is_finite() && point[1].is_finite()).map(place).collect();
    if line.len() > 1 {
        painter.add(Shape::line(line, Stroke::new(1.5, colour)));
    }
    if let Some(last) = points.last() {
        painter.circle_filled(place(last), 2.5, colour);
    }
    if let Some(at) = shared.cursor().and_then(|cursor| nearest(points, Some(cursor))) {
        painter.circle(place(&at), 3.5, colour, Stroke::new(1.5, halo));
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

/// The last value less the one an epoch before it.
fn change_over_an_epoch(points: &[[f64; 2]]) -> Option<f64> {
    let last = points.last()?;
    let before = points.iter().rev().find(|point| point[0] <= last[0] - 1.0 + 1e-6)?;
    Some(last[1] - before[1])
}

fn f1_text(f1: f64) -> String {
    let text = text::number(f1, 3);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn change_looks_one_epoch_back() {
        let points = [[0.5, 0.80], [1.0, 0.90], [1.5, 0.95], [2.0, 0.97]];
        assert!((change_over_an_epoch(&points).unwrap() - 0.07).abs() < 1e-9);
        assert_eq!(change_over_an_epoch(&points[..2]), None);
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
