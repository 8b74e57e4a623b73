//! Which pixels a network looks at, as a picture with its count.

use super::digit_view::paint_digit;
use crate::ui::{style, text, theme};
use eframe::egui::{Label, Role, Sense, Ui, WidgetInfo, vec2};

/// Which of the pixels of a square image are kept, in row order: a picture of `side` with what it means beside it.
pub fn kept_pixels(ui: &mut Ui, kept: &[bool], side: f32, width: f32) {
    let p = theme::of(ui);
    let columns = kept.len().isqrt();
    let count = kept.iter().filter(|kept| **kept).count();
    // a grey that does not shout
    let ink: Vec<u8> = kept.iter().map(|&kept| if kept { 110 } else { 0 }).collect();
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 16.0;
        let (rect, response) = ui.allocate_exact_size(vec2(side, side), Sense::hover());
        let name = format!("Pixels kept, {count} of {}", kept.len());
        response.widget_info(|| WidgetInfo::labeled(Role::Image, true, &name));
        paint_digit(ui, response.id, rect, &ink, columns, style::IMAGE_RADIUS);
        ui.vertical(|ui| {
            ui.set_width((width - side - 16.0).max(0.0));
            ui.label(text::section(format!("{count} of {} pixels kept", kept.len())));
            let words = "The others are nearly the same in all training images. They tell no digit from another, and the \
                         network does not look at them.";
            ui.add(Label::new(text::label(words).color(p.text2)).wrap());
        });
    });
}
