//! The batch of the present update, in slow motion and after a single step: the images as the network met them, what it read,
//! and how strongly each layer was told to change.

use eframe::egui::{Align2, CornerRadius, Rect, Role, Sense, Stroke, StrokeKind, Ui, WidgetInfo, pos2, vec2};

use crate::ui::widgets::digit_view;
use crate::ui::{text, theme};
use crate::workbench::BatchView;

const COLUMNS: usize = 8;
const GAP: f32 = 3.0;

pub(super) fn batch(ui: &mut Ui, batch: &BatchView, width: f32) {
    let p = theme::of(ui);
    ui.label(text::section("This batch"));
    let read = format!("{} of {} read wrong, loss {}", batch.wrong, batch.images, text::number(batch.loss, 3));
    ui.label(text::label(read).color(p.text2));
    ui.add_space(2.0);
    digits(ui, batch, width);
    if batch.images > batch.digits.len() {
        let words = format!("The first {} of {} images", batch.digits.len(), text::count(batch.images as u64));
        ui.label(text::small(words).color(p.text3));
    }
    ui.add_space(8.0);
    gradients(ui, &batch.gradients, width);
}

/// The images as tiles; those that were read wrong are framed, and say on hover as what.
fn digits(ui: &mut Ui, batch: &BatchView, width: f32) {
    let p = theme::of(ui);
    let side = ((width - (COLUMNS - 1) as f32 * GAP) / COLUMNS as f32).floor();
    let rows = batch.digits.len().div_ceil(COLUMNS);
    let height = (rows as f32 * (side + GAP) - GAP).max(0.0);
    let (rect, response) = ui.allocate_exact_size(vec2(width, height), Sense::hover());
    let cell = |n: usize| {
        let at = pos2((n % COLUMNS) as f32, (n / COLUMNS) as f32);
        Rect::from_min_size(rect.min + at.to_vec2() * (side + GAP), vec2(side, side))
    };
    let id = ui.scope_id().with("batch");
    for (n, digit) in batch.digits.iter().enumerate() {
        digit_view::paint_digit(ui, id.with(n), cell(n), &digit.pixels, 28, 3);
        if digit.label.is_some_and(|label| label != digit.answer) {
            let stroke = Stroke::new(1.5, p.warn);
            ui.painter().rect_stroke(cell(n), CornerRadius::same(3), stroke, StrokeKind::Inside);
        }
    }
    let wrong = batch.digits.iter().filter(|digit| digit.label.is_some_and(|label| label != digit.answer)).count();
    let name = format!("Images of update {}, {wrong} of {} framed as read wrong", batch.step, batch.digits.len());
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, &name));
    let hovered = response.hover_pos().and_then(|at| (0..batch.digits.len()).find(|&n| cell(n).contains(at)));
    if let Some(digit) = hovered.map(|n| &batch.digits[n]) {
        response.on_hover_ui(|ui| {
            let (rect, _) = ui.allocate_exact_size(vec2(112.0, 112.0), Sense::hover());
            digit_view::paint_digit(ui, ui.scope_id().with("large"), rect, &digit.pixels, 28, 6);
            let shows = digit.label.map_or_else(|| "No digit".to_owned(), |label| format!("A {label}"));
            ui.label(text::label(format!("{shows}, read as {}", digit.answer)));
        });
    }
}

/// The length of the gradient in every layer, as bars on one logarithmic scale of five decades.
fn gradients(ui: &mut Ui, layers: &[(String, f64)], width: f32) {
    let p = theme::of(ui);
    const DECADES: f64 = 5.0;
    let greatest = layers.iter().map(|(_, length)| *length).fold(0.0, f64::max);
    ui.label(text::section("Length of the gradient"));
    for (layer, length) in layers {
        let (rect, response) = ui.allocate_exact_size(vec2(width, 16.0), Sense::hover());
        let font = text::font(text::LABEL, text::Weight::Regular);
        let value = text::number(*length, if *length < 0.1 { 4 } else { 2 });
        ui.painter().text(rect.left_center(), Align2::LEFT_CENTER, layer, font.clone(), p.text2);
        ui.painter().text(rect.right_center(), Align2::RIGHT_CENTER, &value, font, p.text);
        let room = Rect::from_min_max(rect.min + vec2(72.0, 5.0), rect.max - vec2(58.0, 5.0));
        let share = if *length > 0.0 { 1.0 + (length / greatest).log10() / DECADES } else { 0.0 };
        let bar = Rect::from_min_size(room.min, vec2(room.width() * share.clamp(0.0, 1.0) as f32, room.height()));
        ui.painter().rect_filled(room, CornerRadius::same(2), p.hover);
        ui.painter().rect_filled(bar, CornerRadius::same(2), p.text2);
        response.widget_info(|| WidgetInfo::labeled(Role::Label, true, format!("Gradient of {layer} {value}")));
    }
    let words = "Logarithmic, five decades under the longest";
    ui.label(text::small(words).color(p.text3));
}
