//! What a training's curves hint at, in words with what to do, in Train's right column.

use eframe::egui::{Label, Role, Sense, Ui, WidgetInfo, vec2};

use crate::ui::text::{self, IconWeight};
use crate::ui::{icons, theme};
use crate::workbench::TrainingView;
use crate::workbench::health::{Health, Hint};

pub(super) fn health(ui: &mut Ui, view: &TrainingView, width: f32) {
    let hints = match view.health() {
        Health::Unknown => return,
        Health::Good => Vec::new(),
        Health::Hints(hints) => hints,
    };
    let p = theme::of(ui);
    ui.label(text::section("Health"));
    ui.add_space(2.0);
    if hints.is_empty() {
        line(ui, icons::CHECK_CIRCLE, p.accent, "Nothing to fix so far", p.text2, width);
    }
    for (index, Hint { what, seen, advice }) in hints.iter().enumerate() {
        if index > 0 {
            ui.add_space(8.0);
        }
        line(ui, icons::WARNING, p.warn, what, p.text, width);
        ui.spacing_mut().item_spacing.y = 4.0;
        ui.add(Label::new(text::label(seen.as_str()).color(p.text2)).wrap());
        ui.add(Label::new(text::label(advice.as_str()).color(p.text)).wrap());
    }
    ui.add_space(16.0);
}

/// An icon and a few words beside it.
fn line(
    ui: &mut Ui,
    icon: &str,
    icon_colour: eframe::egui::Color32,
    words: &str,
    colour: eframe::egui::Color32,
    width: f32,
) {
    let (rect, response) = ui.allocate_exact_size(vec2(width, 18.0), Sense::hover());
    let at = rect.left_center();
    let painter = ui.painter();
    let (left, centre) = (eframe::egui::Align2::LEFT_CENTER, text::font(text::LABEL, text::Weight::Semibold));
    painter.text(at, left, icon, text::icon_font(15.0, IconWeight::Fill), icon_colour);
    painter.text(at + vec2(21.0, 0.0), left, words, centre, colour);
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, words));
}
