//! Data's head with what goes in and out, what stands there while nothing is kept, and the line that Draw shows.

use eframe::egui::{self, Align, Layout, Popup, PopupCloseBehavior, Ui};

use super::{Place, Scene};
use crate::storage::handwriting_export::ExportForm;
use crate::ui::dialogs::Purpose;
use crate::ui::text::{self, IconWeight};
use crate::ui::widgets::button::{Button, IconButton};
use crate::ui::widgets::field;
use crate::ui::{icons, theme};
use crate::workbench::{Command, HandwritingCommand};

pub(super) fn head(ui: &mut Ui, scene: &mut Scene<'_>) {
    let p = theme::of(ui);
    let hand = scene.workbench.handwriting();
    let (count, can_undo) = (hand.drawings.len(), hand.can_undo());
    ui.horizontal(|ui| {
        ui.set_height(32.0);
        ui.spacing_mut().item_spacing.x = 12.0;
        ui.label(text::title("My handwriting"));
        let words = if count == 1 { "1 drawing".to_owned() } else { format!("{} drawings", text::count(count as u64)) };
        ui.label(text::body(words).color(p.text2));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.spacing_mut().item_spacing.x = 4.0;
            let export = ui.add(Button::quiet("Export").icon(icons::DOWNLOAD_SIMPLE));
            Popup::menu(&export).close_behavior(PopupCloseBehavior::CloseOnClick).show(|ui| export_menu(ui, scene));
            if ui.add(Button::quiet("Import…").icon(icons::UPLOAD_SIMPLE).hint("Strokes as JSON lines")).clicked() {
                scene.dialogs.ask(Purpose::ImportDrawings);
            }
            let undo = IconButton::new(icons::ARROW_U_UP_LEFT, "Undo the last change of the drawings").key("Ctrl+Z");
            if ui.add_enabled(can_undo, undo).clicked() {
                scene.push(Command::Handwriting(HandwritingCommand::Undo));
            }
        });
    });
}

fn export_menu(ui: &mut Ui, scene: &mut Scene<'_>) {
    ui.spacing_mut().item_spacing.y = 2.0;
    for (form, words) in [
        (ExportForm::Strokes, "Strokes as JSON lines…"),
        (ExportForm::Idx, "Images as MNIST's files (IDX)…"),
        (ExportForm::Pictures, "Pictures (PNG), a folder a digit…"),
    ] {
        if field::menu_item(ui, words, false, 260.0).clicked() {
            scene.dialogs.ask(Purpose::ExportDrawings(form));
        }
    }
}

/// Nothing is kept yet: how to change that.
pub(super) fn empty(ui: &mut Ui, scene: &mut Scene<'_>) {
    let p = theme::of(ui);
    ui.add_space(ui.available_height() * 0.4 - 60.0);
    ui.vertical_centered(|ui| {
        ui.label(text::icon(icons::IMAGES, 32.0, IconWeight::Regular).color(p.text3));
        ui.label(text::heading("My handwriting"));
        let words = "Draw a digit and press its key, 0 to 9: it is kept here with its label. Then every model is scored on \
                     your hand, and one can be trained on it.";
        ui.scope(|ui| {
            ui.set_max_width(400.0);
            ui.add(egui::Label::new(text::body(words).color(p.text2)).wrap());
        });
        ui.add_space(4.0);
        if ui.add(Button::plain("Draw a digit").icon(icons::PENCIL_LINE)).clicked() {
            *scene.go_to = Some(Place::Draw);
        }
        if ui.add(Button::quiet("Import strokes…")).clicked() {
            scene.dialogs.ask(Purpose::ImportDrawings);
        }
        if scene.workbench.handwriting().can_undo() && ui.add(Button::quiet("Undo").key("Ctrl+Z")).clicked() {
            scene.push(Command::Handwriting(HandwritingCommand::Undo));
        }
    });
}

/// Under the answer on Draw: how many drawings are kept, or how to keep this one.
pub(super) fn kept_line(ui: &mut Ui, scene: &Scene<'_>) {
    let count = scene.workbench.handwriting().drawings.len();
    let words = match (scene.workbench.true_label(), count) {
        (Some(label), _) => format!("My handwriting {}, this one as {label}", text::count(count as u64)),
        (None, 0) => "0 to 9 say which digit it is, and keep it".to_owned(),
        (None, _) => format!("My handwriting {}", text::count(count as u64)),
    };
    ui.label(text::label(words).color(theme::of(ui).text3));
}
