//! Small digit images that can be pressed: the steps from ink to image, pinned drawings.

use super::digit_view::{paint_digit, paint_empty};
use crate::ui::{
    style::{self, IMAGE_RADIUS},
    text::{self, Weight},
    theme,
};
use eframe::egui::{
    self, Align2, CornerRadius, Id, Rect, Response, Role, Sense, Shape, Stroke, StrokeKind, Ui, WidgetInfo, pos2, vec2,
};

/// What is drawn over a thumbnail.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Overlay {
    /// Nothing.
    #[default]
    None,
    /// A dashed box, in the unit square of the image.
    Box(Rect),
    /// A cross at this point of the unit square.
    Cross(egui::Pos2),
}

/// One step of the recipe, `side` wide with its label under it. Off: the image steps back, the label is struck through.
pub struct Step<'a> {
    /// Its name.
    pub label: &'a str,
    /// Grey pixels and their side; `None` while the pad is empty.
    pub image: Option<(&'a [u8], usize)>,
    /// Drawn over the image.
    pub overlay: Overlay,
    /// Whether the step is done; `None` for what cannot be switched off.
    pub on: Option<bool>,
    /// What switching it would change, told under the pointer.
    pub note: Option<&'a str>,
}

/// Shows a step; a click asks to switch it. Under the pointer it is shown large.
pub fn step(ui: &mut Ui, id: Id, step: &Step<'_>, side: f32) -> Response {
    let p = theme::of(ui);
    let sense = if step.on.is_some() { Sense::click() } else { Sense::hover() };
    let (rect, response) = ui.allocate_exact_size(vec2(side, side + 20.0), sense);
    let enabled = ui.is_enabled();
    response.widget_info(|| match step.on {
        Some(on) => WidgetInfo::selected(Role::Switch, enabled, on, step.label),
        None => WidgetInfo::labeled(Role::Image, enabled, step.label),
    });
    let off = step.on == Some(false);
    let image = Rect::from_min_size(rect.min, vec2(side, side));
    match step.image {
        Some((ink, pixels)) => {
            paint_digit(ui, id, image, ink, pixels, IMAGE_RADIUS);
            if off {
                let veil = p.bg.gamma_multiply(0.65);
                ui.painter().rect_filled(image, CornerRadius::same(IMAGE_RADIUS), veil);
            } else {
                paint_overlay(ui, image, step.overlay);
            }
        }
        None => paint_empty(ui, image),
    }
    if response.hovered() && step.on.is_some() {
        let stroke = Stroke::new(1.0, p.edge);
        ui.painter().rect_stroke(image, CornerRadius::same(IMAGE_RADIUS), stroke, StrokeKind::Inside);
    }
    let colour = if off { p.text3 } else { p.text2 };
    let at = pos2(image.center().x, image.bottom() + 12.0);
    let label =
        ui.painter().text(at, Align2::CENTER_CENTER, step.label, text::font(text::SMALL, Weight::Regular), colour);
    if off {
        ui.painter().hline(label.x_range(), at.y, Stroke::new(1.0, p.text3));
    }
    style::focus_ring(ui, &response.clone().with_new_rect(image), IMAGE_RADIUS);
    match step.image {
        Some((ink, pixels)) => response.on_hover_ui(|ui| {
            let (rect, _) = ui.allocate_exact_size(vec2(224.0, 224.0), Sense::hover());
            paint_digit(ui, id.with("large"), rect, ink, pixels, IMAGE_RADIUS);
            paint_overlay(ui, rect, step.overlay);
            if let Some(note) = step.note {
                ui.label(text::section(note));
            }
            if let Some(on) = step.on {
                ui.label(text::label(if on { "Click to leave this step out" } else { "Click to do this step" }));
            }
        }),
        None => response,
    }
}

fn paint_overlay(ui: &Ui, image: Rect, overlay: Overlay) {
    let p = theme::of(ui);
    let at = |unit: egui::Pos2| image.min + unit.to_vec2() * image.size();
    match overlay {
        Overlay::None => {}
        Overlay::Box(unit) => {
            let shown = Rect::from_min_max(at(unit.min), at(unit.max)).intersect(image.shrink(1.0));
            let corners =
                [shown.left_top(), shown.right_top(), shown.right_bottom(), shown.left_bottom(), shown.left_top()];
            ui.painter().extend(Shape::dashed_line(&corners, Stroke::new(1.0, p.accent), 3.0, 2.0));
        }
        Overlay::Cross(unit) => {
            let centre = at(unit);
            let stroke = Stroke::new(1.0, p.accent.gamma_multiply(0.8));
            let painter = ui.painter();
            painter.vline(painter.round_to_pixel_center(centre.x), image.shrink(1.0).y_range(), stroke);
            painter.hline(image.shrink(1.0).x_range(), painter.round_to_pixel_center(centre.y), stroke);
        }
    }
}

/// An empty or filled place for a small digit with a caption of two weights under it: "4" and "99 %".
pub fn captioned(ui: &mut Ui, id: Id, image: Option<(&[u8], usize)>, strong: &str, weak: &str, side: f32) -> Response {
    let p = theme::of(ui);
    let sense = if image.is_some() { Sense::click() } else { Sense::hover() };
    let (rect, response) = ui.allocate_exact_size(vec2(side, side + 20.0), sense);
    let enabled = ui.is_enabled();
    response.widget_info(|| match image {
        Some(_) => WidgetInfo::labeled(Role::Button, enabled, format!("{strong} {weak}")),
        None => WidgetInfo::labeled(Role::Image, enabled, "Empty place"),
    });
    let place = Rect::from_min_size(rect.min, vec2(side, side));
    match image {
        Some((ink, pixels)) => paint_digit(ui, id, place, ink, pixels, IMAGE_RADIUS),
        None => paint_empty(ui, place),
    }
    if response.hovered() && image.is_some() {
        let stroke = Stroke::new(1.0, p.edge);
        ui.painter().rect_stroke(place, CornerRadius::same(IMAGE_RADIUS), stroke, StrokeKind::Inside);
    }
    let painter = ui.painter();
    let first = painter.layout_no_wrap(strong.to_owned(), text::font(text::LABEL, Weight::Semibold), p.text);
    let second = painter.layout_no_wrap(weak.to_owned(), text::font(text::SMALL, Weight::Regular), p.text2);
    let gap = if strong.is_empty() || weak.is_empty() { 0.0 } else { 5.0 };
    let left = place.center().x - (first.size().x + gap + second.size().x) / 2.0;
    let y = place.bottom() + 12.0;
    let second_left = left + first.size().x + gap;
    painter.galley(pos2(left, y - first.size().y / 2.0), first, p.text);
    painter.galley(pos2(second_left, y - second.size().y / 2.0), second, p.text2);
    style::focus_ring(ui, &response.clone().with_new_rect(place), IMAGE_RADIUS);
    response
}
