//! Choosing one of a few: the segmented control.

use crate::ui::{
    style::{self, HOVER_SECONDS, SWITCH_SECONDS},
    text::{self, Weight},
    theme,
};
use eframe::egui::{Align2, CornerRadius, Rect, Role, Sense, Stroke, StrokeKind, Ui, WidgetInfo, pos2, vec2};

/// Height of a row of segments.
const ROW: f32 = 24.0;
/// Between the names of two neighbours, at least.
const BETWEEN_NAMES: f32 = 6.0;

/// A segmented control `width` wide and 28 high, higher where its names need several rows. True if another segment was
/// chosen.
pub fn segmented<T: Copy + PartialEq>(
    ui: &mut Ui,
    name: &str,
    chosen: &mut T,
    options: &[(T, &str)],
    width: f32,
) -> bool {
    let p = theme::of(ui);
    let font = text::font(text::LABEL, Weight::Semibold);
    let name_width = |label: &str| ui.painter().layout_no_wrap(label.to_owned(), font.clone(), p.text).size().x;
    let widest = options.iter().map(|(_, label)| name_width(label)).fold(0.0, f32::max) + BETWEEN_NAMES;
    let (rows, columns) = grid(options.len(), ((width - 4.0) / widest).floor() as usize);
    let (rect, group) = ui.allocate_exact_size(vec2(width, ROW * rows as f32 + 4.0), Sense::hover());
    group.widget_info(|| WidgetInfo::labeled(Role::RadioGroup, true, name));
    let inner = rect.shrink(2.0);
    let each = inner.width() / columns as f32;
    let segment = |index: f32| {
        let row = (index.round() as usize / columns) as f32;
        let at = pos2(inner.left() + (index - row * columns as f32) * each, inner.top() + row * ROW);
        Rect::from_min_size(at, vec2(each, ROW))
    };

    let before = *chosen;
    let responses: Vec<_> = options
        .iter()
        .enumerate()
        .map(|(index, &(value, label))| {
            let response = ui.interact(segment(index as f32), group.id.with(index), Sense::click());
            if response.clicked() {
                *chosen = value;
            }
            response.widget_info(|| WidgetInfo::selected(Role::RadioButton, true, *chosen == value, label));
            response
        })
        .collect();

    ui.painter().rect_filled(rect, CornerRadius::same(8), p.segment_track);
    if let Some(index) = options.iter().position(|(value, _)| value == chosen) {
        // what is chosen slides along a row, and does not wander through others
        let slide = if rows == 1 { SWITCH_SECONDS } else { 0.0 };
        let at = ui.ctx().animate_value_with_time(group.id.with("at"), index as f32, slide);
        let edge = if p.dark { Stroke::NONE } else { Stroke::new(1.0, p.hair) };
        ui.painter().rect(segment(at), CornerRadius::same(6), p.segment_chosen, edge, StrokeKind::Inside);
    }
    for (index, (&(value, label), response)) in options.iter().zip(&responses).enumerate() {
        let on = value == *chosen;
        let hover = ui.ctx().animate_bool_with_time(response.id, response.hovered(), HOVER_SECONDS);
        let (weight, colour) =
            if on { (Weight::Semibold, p.text) } else { (Weight::Regular, theme::mix(p.text2, p.text, hover)) };
        let font = text::font(text::LABEL, weight);
        ui.painter().text(segment(index as f32).center(), Align2::CENTER_CENTER, label, font, colour);
        style::focus_ring(ui, response, 6);
    }
    *chosen != before
}

/// Rows and columns of so many segments, no more than `most` side by side, about as many in every row.
fn grid(segments: usize, most: usize) -> (usize, usize) {
    let segments = segments.max(1);
    let rows = segments.div_ceil(most.clamp(1, segments));
    (rows, segments.div_ceil(rows))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_do_not_fit_stand_in_rows_of_about_one_length() {
        for (segments, most, expected) in
            [(3, 9, (1, 3)), (13, 8, (2, 7)), (13, 13, (1, 13)), (7, 0, (7, 1)), (0, 5, (1, 1)), (9, 4, (3, 3))]
        {
            assert_eq!(grid(segments, most), expected, "{segments} of at most {most}");
        }
    }
}
