//! How far something is: a thin bar.

use crate::ui::{text, theme};
use eframe::egui::{CornerRadius, Rect, Response, Role, Sense, Ui, WidgetInfo, vec2};

/// A bar 4 high and `width` wide; `share` is 0…1, `name` is what runs.
pub fn progress(ui: &mut Ui, name: &str, share: f32, width: f32) -> Response {
    let p = theme::of(ui);
    let share = if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.0 };
    let (rect, response) = ui.allocate_exact_size(vec2(width, 4.0), Sense::hover());
    response.widget_info(|| {
        let mut info = WidgetInfo::labeled(Role::ProgressIndicator, true, name);
        info.current_text_value = Some(text::percent(share.into(), 0));
        info
    });
    ui.painter().rect_filled(rect, CornerRadius::same(2), if p.dark { p.hover } else { p.line });
    if share > 0.0 {
        let filled = Rect::from_min_size(rect.min, vec2((rect.width() * share).max(4.0), rect.height()));
        ui.painter().rect_filled(filled, CornerRadius::same(2), p.accent);
    }
    response
}
