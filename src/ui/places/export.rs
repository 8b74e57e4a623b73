//! Curves on their way into a file: the menu that asks for a form, and the name of the file.

use std::path::PathBuf;

use eframe::egui::{Popup, PopupCloseBehavior, Ui};

use crate::storage::XAxis;
use crate::storage::figure::CurvesForm;
use crate::ui::dialogs::{CurvesOf, Dialogs, Purpose};
use crate::ui::widgets::button::Button;
use crate::ui::widgets::field;

/// "Export…": asks in which form, and then for a file.
pub(super) fn button(ui: &mut Ui, has_curves: bool, of: CurvesOf, dialogs: &mut Dialogs) {
    let export = ui.add_enabled(has_curves, Button::quiet("Export…"));
    Popup::menu(&export).close_behavior(PopupCloseBehavior::CloseOnClick).show(|ui| {
        ui.spacing_mut().item_spacing.y = 2.0;
        for (form, words) in [
            (CurvesForm::Png, "Picture for a paper (PNG)…"),
            (CurvesForm::Svg, "Vector graphic (SVG)…"),
            (CurvesForm::Csv, "Table of all points (CSV)…"),
        ] {
            if field::menu_item(ui, words, false, 220.0).clicked() {
                dialogs.ask(Purpose::ExportCurves(of, form));
            }
        }
    });
}

/// The file that was chosen; the form's ending is added where the name has another one.
pub(super) fn with_ending(path: PathBuf, form: CurvesForm) -> PathBuf {
    if path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case(form.ending())) {
        return path;
    }
    let mut name = path.into_os_string();
    name.push(".");
    name.push(form.ending());
    PathBuf::from(name)
}

/// What stands under a figure's axis.
pub(super) fn x_label(by: XAxis) -> String {
    let label = match by {
        XAxis::Epochs => "Epochs",
        XAxis::Updates => "Updates",
        XAxis::Seconds => "Training time (seconds)",
    };
    label.to_owned()
}
