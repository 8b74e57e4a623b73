//! Mistakes' drawer: one image with its scores, or the ten digits with precision, recall and F1.

use std::sync::Arc;

use eframe::egui::{Align, Align2, Layout, Sense, Ui, pos2, vec2};

use super::mistakes::image_title;
use super::{Place, Scene};
use crate::drawing::{DigitImage, Drawing, Picture};
use crate::inference::Confusion;
use crate::ui::text::{self, Weight};
use crate::ui::widgets::bars::{self, DigitBars};
use crate::ui::widgets::button::{Button, IconButton};
use crate::ui::widgets::digit_view;
use crate::ui::{icons, theme};
use crate::workbench::Command;

pub(super) fn detail(ui: &mut Ui, scene: &mut Scene<'_>, width: f32) {
    let view = scene.workbench.evaluation();
    let Some(result) = view.result.clone() else { return };
    let Some((place, prediction)) = view.selected else {
        per_digit(ui, &result.confusion, width);
        return;
    };
    let p = theme::of(ui);
    let answer = result.answers[place as usize];
    ui.horizontal(|ui| {
        ui.set_width(width);
        ui.label(text::heading(image_title(view, place)));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if ui.add(IconButton::new(icons::X, "Close").key("Esc").size(16.0)).clicked() {
                scene.commands.push(Command::SelectImage(None));
            }
        });
    });
    let Some(image) = view.image(place) else { return };
    let side = 184.0;
    let (rect, _) = ui.allocate_exact_size(vec2(side, side), Sense::hover());
    digit_view::paint_digit(ui, ui.scope_id().with("detail"), rect, image, 28, 6);
    let words = if answer.truth == answer.digit {
        format!("True {}, read right", answer.truth)
    } else {
        format!("True {}, read as {}", answer.truth, answer.digit)
    };
    ui.label(text::section(words));
    ui.label(text::label(format!("Loss {}", text::number(answer.loss.into(), 3))).color(p.text2));
    ui.add_space(8.0);
    bars::compact_rows(
        ui,
        &DigitBars::probabilities(Some(&prediction.probabilities)).marked(answer.truth.into()),
        width,
    );
    ui.add_space(12.0);
    let send = Button::plain("Send to pad").icon(icons::PENCIL_LINE).width(136.0);
    if ui.add(send.hint("Put this image on the pad, to draw on it and look inside")).clicked() {
        let picture = Picture::from_digit(&DigitImage { pixels: *image });
        scene.commands.push(Command::SetDrawing(Drawing { picture: Some(Arc::new(picture)), strokes: Vec::new() }));
        *scene.go_to = Some(Place::Draw);
    }
}

/// A table of the ten digits.
fn per_digit(ui: &mut Ui, confusion: &Confusion, width: f32) {
    let p = theme::of(ui);
    ui.label(text::heading("Per digit"));
    ui.add_space(4.0);
    let columns = [0.34, 0.6, 0.81, 1.0].map(|share| share * width);
    let row = |ui: &mut Ui, cells: [&str; 5], strong: bool| {
        let (rect, response) = ui.allocate_exact_size(vec2(width, 26.0), Sense::hover());
        let weight = if strong { Weight::Semibold } else { Weight::Regular };
        let colour = if strong { p.text } else { p.text2 };
        let font = text::font(text::BODY, weight);
        ui.painter().text(rect.left_center(), Align2::LEFT_CENTER, cells[0], font.clone(), colour);
        for (x, cell) in columns.iter().zip(&cells[1..]) {
            let at = pos2(rect.left() + x, rect.center().y);
            ui.painter().text(at, Align2::RIGHT_CENTER, *cell, font.clone(), colour);
        }
        ui.painter().hline(rect.x_range(), rect.bottom() - 0.5, eframe::egui::Stroke::new(1.0, p.hair));
        let spoken = cells.join(", ");
        response.widget_info(|| eframe::egui::WidgetInfo::labeled(eframe::egui::Role::Label, true, &spoken));
    };
    row(ui, ["Digit", "Images", "Precision", "Recall", "F1"], false);
    let percent = |share: f64| text::number(100.0 * share, 2);
    for (digit, f1) in confusion.f1().iter().enumerate() {
        let images = text::count(confusion.counts[digit].iter().sum::<u32>().into());
        let (precision, recall) = (percent(confusion.precision(digit)), percent(confusion.recall(digit)));
        row(ui, [&digit.to_string(), &images, &precision, &recall, &text::number(*f1, 4)], true);
    }
    let mean = text::number(confusion.macro_f1(), 4);
    row(ui, ["Mean", &text::count(confusion.images().into()), "", "", &mean], false);
    ui.add_space(12.0);
    let words = "Click a cell of the matrix to see its images, an image to see its scores. Arrows move, Enter opens.";
    ui.add(eframe::egui::Label::new(text::label(words).color(p.text2)).wrap());
}
