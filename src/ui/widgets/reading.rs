//! A digit image with what a network reads in it: the cells of a ladder of changes.

use super::digit_view::paint_digit;
use crate::ui::{
    icons,
    style::{self, IMAGE_RADIUS},
    text::{self, IconWeight, Weight},
    theme,
};
use eframe::egui::{
    Align2, CornerRadius, Id, Rect, Response, Role, Sense, Stroke, StrokeKind, Ui, WidgetInfo, pos2, vec2,
};

/// Height of a [`cell`].
pub const HEIGHT: f32 = 56.0;
const SIDE: f32 = 36.0;

/// One cell: the image, beside it the digit over its share, under it what was done.
pub struct Cell<'a> {
    /// What was done to the image: "Straightened".
    pub name: &'a str,
    /// Grey pixels and their side.
    pub image: (&'a [u8], usize),
    /// What is read; "–" where it is no digit.
    pub digit: &'a str,
    /// "97 %".
    pub share: &'a str,
    /// Ringed: here the answer turns.
    pub turns: bool,
    /// An arrow leads to it from the cell before.
    pub follows: bool,
    /// What a click does; `None` for a cell that only shows.
    pub click: Option<&'a str>,
}

/// Shows a cell, `width` wide and [`HEIGHT`] high; large under the pointer.
pub fn cell(ui: &mut Ui, id: Id, cell: &Cell<'_>, width: f32) -> Response {
    let p = theme::of(ui);
    let sense = if cell.click.is_some() { Sense::click() } else { Sense::hover() };
    let (rect, response) = ui.allocate_exact_size(vec2(width, HEIGHT), sense);
    let enabled = ui.is_enabled();
    let role = if cell.click.is_some() { Role::Button } else { Role::Image };
    let spoken = format!("{}, {} {}", cell.name, cell.digit, cell.share);
    response.widget_info(|| WidgetInfo::labeled(role, enabled, spoken.as_str()));
    let (ink, pixels) = cell.image;
    let image = Rect::from_min_size(rect.min, vec2(SIDE, SIDE));
    paint_digit(ui, id, image, ink, pixels, IMAGE_RADIUS);
    if cell.turns {
        style::ring(ui, image, IMAGE_RADIUS, 1.0, 2.0);
    } else if response.hovered() && cell.click.is_some() {
        let stroke = Stroke::new(1.0, p.edge);
        ui.painter().rect_stroke(image, CornerRadius::same(IMAGE_RADIUS), stroke, StrokeKind::Inside);
    }
    let painter = ui.painter();
    if cell.follows {
        let font = text::icon_font(9.0, IconWeight::Bold);
        painter.text(
            pos2(rect.left() - 5.5, image.center().y),
            Align2::CENTER_CENTER,
            icons::CARET_RIGHT,
            font,
            p.text3,
        );
    }
    let left = image.right() + 5.0;
    let at = pos2(left, image.center().y - 8.0);
    painter.text(at, Align2::LEFT_CENTER, cell.digit, text::font(text::HEADING, Weight::Semibold), p.text);
    let at = pos2(left, image.center().y + 10.0);
    painter.text(at, Align2::LEFT_CENTER, cell.share, text::font(text::SMALL, Weight::Regular), p.text2);
    let at = pos2(rect.left(), image.bottom() + 11.0);
    painter.text(at, Align2::LEFT_CENTER, cell.name, text::font(text::SMALL, Weight::Regular), p.text2);
    style::focus_ring(ui, &response.clone().with_new_rect(image), IMAGE_RADIUS);
    response.on_hover_ui(|ui| {
        let (rect, _) = ui.allocate_exact_size(vec2(168.0, 168.0), Sense::hover());
        paint_digit(ui, id.with("large"), rect, ink, pixels, IMAGE_RADIUS);
        if let Some(click) = cell.click {
            ui.label(text::label(click));
        }
    })
}
