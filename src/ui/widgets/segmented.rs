//! Choosing one of a few: the segmented control.

use crate::ui::{
    style::{self, HOVER_SECONDS, SWITCH_SECONDS},
    text::{self, Weight},
    theme,
};
use eframe::egui::{Align2, CornerRadius, Rect, Role, Sense, Stroke, StrokeKind, Ui, WidgetInfo, pos2, vec2};

/// A segmented control `width` wide and 28 high. True if another segment was chosen.
pub fn segmented<T: Copy + PartialEq>(
    ui: &mut Ui,
    name: &str,
    chosen: &mut T,
    options: &[(T, &str)],
    width: f32,
) -> bool {
    let p = theme::of(ui);
    let (rect, group) = ui.allocate_exact_size(vec2(width, 28.0), Sense::hover());
    group.widget_info(|| WidgetInfo::labeled(Role::RadioGroup, true, name));
    let inner = rect.shrink(2.0);
    let each = inner.width() / options.len().max(1) as f32;
    let segment =
        |index: f32| Rect::from_min_size(pos2(inner.left() + index * each, inner.top()), vec2(each, inner.height()));

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
        let at = ui.ctx().animate_value_with_time(group.id.with("at"), index as f32, SWITCH_SECONDS);
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
