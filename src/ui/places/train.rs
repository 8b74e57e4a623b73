//! Train: settings at the left, curves and F1 rows in the middle, the pad's answers and the run at the right.

use std::path::PathBuf;

use eframe::egui::{ScrollArea, Ui, vec2};

use super::train_curves::TrainCurves;
use super::{Scene, train_form, train_side};
use crate::storage::Settings;
use crate::storage::figure::CurvesForm;
use crate::ui::training_form::TrainingForm;
use crate::ui::widgets::segmented;
use crate::workbench::{Command, Workbench};

/// What Train remembers between frames.
#[derive(Default)]
pub struct TrainPlace {
    curves: TrainCurves,
    narrow: Narrow,
    form: train_form::FormState,
}

/// Which column stands beside the curves when there is no room for both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Narrow {
    #[default]
    Settings,
    Run,
}

const FORM: f32 = 256.0;
const CURVES: f32 = 608.0;
const SIDE: f32 = 232.0;
const GAP: f32 = 32.0;
const SCROLL_BAR: f32 = 12.0;

impl TrainPlace {
    pub fn ui(&mut self, ui: &mut Ui, form: &mut TrainingForm, scene: &mut Scene<'_>) {
        let room = ui.available_size();
        let wide = room.x >= FORM + CURVES + SIDE + 2.0 * GAP - 1.0;
        // a narrow window is usually low too, and scrolls
        let columns = if wide { FORM + SIDE + 2.0 * GAP } else { FORM + GAP + SCROLL_BAR };
        let curves = (room.x - columns).max(480.0);
        ScrollArea::both().auto_shrink([false, false]).show(ui, |ui| {
            // rings and the cursor's label reach a little beyond what they belong to
            ui.set_clip_rect(ui.clip_rect().expand2(vec2(16.0, 14.0)));
            ui.horizontal_top(|ui| {
                // in the wide layout the form's own scroll bar stands in the gap beside it
                ui.spacing_mut().item_spacing.x = if wide { GAP - SCROLL_BAR } else { GAP };
                ui.vertical(|ui| {
                    ui.set_width(if wide { FORM + SCROLL_BAR } else { FORM });
                    if !wide {
                        let options = [(Narrow::Settings, "Settings"), (Narrow::Run, "This run")];
                        segmented::segmented(ui, "Beside the curves", &mut self.narrow, &options, FORM);
                        ui.add_space(8.0);
                    }
                    if wide {
                        // a long form moves by itself, so that the curves stay where they are
                        let column = ScrollArea::vertical().id_salt("settings").max_height(room.y);
                        column.max_width(FORM + SCROLL_BAR).auto_shrink([false, true]).show(ui, |ui| {
                            ui.set_clip_rect(ui.clip_rect().expand2(vec2(16.0, 4.0)));
                            ui.set_width(FORM);
                            train_form::settings(ui, form, &mut self.form, scene, FORM);
                        });
                    } else if self.narrow == Narrow::Settings {
                        train_form::settings(ui, form, &mut self.form, scene, FORM);
                    } else {
                        train_side::side(ui, scene, FORM);
                    }
                });
                ui.vertical(|ui| {
                    ui.set_width(curves);
                    self.curves.ui(ui, form, scene, curves, room.y);
                });
                if wide {
                    ui.add_space(SCROLL_BAR);
                    ui.vertical(|ui| {
                        ui.set_width(SIDE);
                        train_side::side(ui, scene, SIDE);
                    });
                }
            });
        });
    }

    /// Shows all of the curves again.
    pub fn reset_zoom(&mut self) {
        self.curves.reset_zoom();
    }

    /// The command that writes the curves as they are shown into a file; `None` where there are none.
    pub fn export(
        &self,
        form: CurvesForm,
        path: PathBuf,
        workbench: &Workbench,
        settings: &Settings,
    ) -> Option<Command> {
        self.curves.export(form, path, workbench, settings.loss_is_logarithmic)
    }
}
