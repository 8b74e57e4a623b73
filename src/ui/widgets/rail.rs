//! The items of the rail at the left edge: one per place.

use crate::ui::{
    style::{self, CARD_RADIUS, HOVER_SECONDS},
    text::{self, IconWeight, Weight},
    theme,
};
use eframe::egui::{Align2, CornerRadius, Response, Role, Sense, Ui, WidgetInfo, pos2, vec2};

/// One item, 56×56: icon above its name; the chosen one filled.
pub fn rail_item(ui: &mut Ui, icon: &str, name: &str, key: &str, chosen: bool) -> Response {
    let p = theme::of(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(56.0, 56.0), Sense::click());
    let enabled = ui.is_enabled();
    response.widget_info(|| WidgetInfo::selected(Role::Tab, enabled, chosen, name));
    if ui.is_rect_visible(rect) {
        let hover = ui.ctx().animate_bool_with_time(response.id, response.hovered(), HOVER_SECONDS);
        let fill = if chosen { p.accent_soft } else { p.hover.gamma_multiply(hover) };
        ui.painter().rect_filled(rect, CornerRadius::same(CARD_RADIUS), fill);
        let (icon_weight, colour, weight, ink) = if chosen {
            (IconWeight::Fill, p.accent, Weight::Semibold, p.text)
        } else {
            let ink = theme::mix(p.text2, p.text, hover);
            (IconWeight::Regular, ink, Weight::Medium, ink)
        };
        let centre = rect.center().x;
        let painter = ui.painter();
        let icon_font = text::icon_font(22.0, icon_weight);
        painter.text(pos2(centre, rect.top() + 20.0), Align2::CENTER_CENTER, icon, icon_font, colour);
        let font = text::font(text::SMALL, weight);
        painter.text(pos2(centre, rect.top() + 41.0), Align2::CENTER_CENTER, name, font, ink);
        style::focus_ring(ui, &response, CARD_RADIUS);
    }
    super::button::tooltip(response, "", key)
}
