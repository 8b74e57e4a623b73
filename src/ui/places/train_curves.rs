//! Train's middle: how the curves are shown, the two plots, and the F1 rows under them.

use eframe::egui::{Align, Align2, Layout, Sense, Ui, vec2};

use super::train_plotted::{Line, PlottedCache};
use super::{Scene, export, train_export};
use crate::storage::XAxis;
use crate::storage::figure::CurvesForm;
use crate::storage::moments::MomentFacts;
use crate::ui::dialogs::CurvesOf;
use crate::ui::training_form::TrainingForm;
use crate::ui::widgets::button::{self, IconButton};
use crate::ui::widgets::f1_rows::{self, F1Rows};
use crate::ui::widgets::plot::{Chart, Curve, CurveKind};
use crate::ui::widgets::shared_axis::SharedAxis;
use crate::ui::widgets::value_scale::Scale;
use crate::ui::widgets::{field, segmented};
use crate::ui::{icons, text, theme};
use crate::workbench::{Command, ModelChoice, TrainingView, Workbench};

/// What the curves remember between frames.
#[derive(Default)]
pub(super) struct TrainCurves {
    axis: SharedAxis,
    plotted: PlottedCache,
    /// Weight of the exponential moving average; 0 shows the raw curves alone.
    smoothing: f32,
    /// The moment that was looked at before a click moved the playhead.
    before_click: Option<Option<u64>>,
    /// The digits whose F1 curves stay among the accuracies.
    kept: [bool; 10],
    /// The digit whose row the pointer was over in the frame before.
    brought: Option<usize>,
}

/// Height of the row of controls, and the gap under it.
const CONTROLS: f32 = 32.0;
/// The width from which on the controls stand in one row.
const ONE_ROW: f32 = 590.0;
const GAP: f32 = 8.0;

impl TrainCurves {
    pub fn ui(&mut self, ui: &mut Ui, form: &TrainingForm, scene: &mut Scene<'_>, width: f32, height: f32) {
        let controls = self.controls(ui, scene, width);
        let view = scene.workbench.training();
        let by = scene.settings.curves_by;
        let end = axis_end(view, form, by);
        let plotted = self.plotted.of(view, by, f64::from(self.smoothing));
        // the values of the moment that is looked back at
        let moment = scene.workbench.moment().filter(|_| *scene.workbench.choice() == ModelChoice::Live);
        self.axis.rest_at(moment.map(|moment| place(moment, by)));
        self.axis.begin(ui, by, end, &plotted.epochs);
        // F1 rows keep their height; the plots take what is left
        let rest = height - controls - 10.0 * f1_rows::ROW - 24.0 - 2.0 * 28.0 - 22.0 - 2.0 * GAP - 36.0;
        let plot_height = (rest / 2.0).clamp(96.0, 260.0);
        let top = ui.cursor().top();
        let empty = if view.is_some() { "Waiting for the first updates" } else { "Press Space to train" };
        Chart {
            title: "Loss",
            note: "",
            height: plot_height,
            scale: if scene.settings.loss_is_logarithmic { Scale::Log } else { Scale::Linear },
            curves: &[
                curve("Training", &plotted.train_loss, CurveKind::Training),
                curve("Validation", &plotted.validation_loss, CurveKind::Validation),
            ],
            best: None,
            flags: &plotted.flags,
            labels_below: false,
            empty,
        }
        .show(ui, &mut self.axis, width);
        ui.add_space(GAP);
        let shown = self.kept.iter().enumerate().filter(|(digit, kept)| **kept || self.brought == Some(*digit));
        let digits: Vec<(usize, String)> = shown.map(|(digit, _)| (digit, format!("F1 of {digit}"))).collect();
        let mut curves = vec![
            curve("Training", &plotted.train_accuracy, CurveKind::Training),
            curve("Validation", &plotted.validation_accuracy, CurveKind::Validation),
        ];
        curves.extend(digits.iter().map(|(digit, name)| Curve {
            name,
            points: &plotted.f1[*digit],
            smooth: &[],
            kind: CurveKind::Digit(*digit),
        }));
        Chart {
            title: "Accuracy",
            note: "%",
            height: plot_height,
            scale: Scale::Percent,
            curves: &curves,
            best: plotted.best,
            flags: &plotted.flags,
            labels_below: true,
            empty: "",
        }
        .show(ui, &mut self.axis, width);
        ui.add_space(GAP);
        let brought = F1Rows {
            history: &plotted.f1,
            changes: plotted.f1_changes,
            note: &plotted.f1_note,
            worst_first: &mut scene.settings.worst_digits_first,
            kept: &mut self.kept,
        }
        .show(ui, &mut self.axis, width);
        if brought != self.brought {
            self.brought = brought;
            ui.ctx().request_repaint();
        }
        self.axis.paint_cursor(ui, top, ui.cursor().top());
        if let Some(x) = self.axis.clicked()
            && let Some(step) = scene.workbench.training_moment_near(x, |moment| place(moment, by))
        {
            self.before_click = Some(scene.workbench.moment().map(|moment| moment.step));
            scene.push(Command::LookBack(Some(step)));
        }
        if self.axis.double_clicked()
            && let Some(before) = self.before_click.take()
        {
            scene.push(Command::LookBack(before));
        }
    }

    /// What the curves count, how they are smoothed, and what can be done with them. Answers the height that they take.
    fn controls(&mut self, ui: &mut Ui, scene: &mut Scene<'_>, width: f32) -> f32 {
        let top = ui.cursor().top();
        let row = |ui: &mut Ui, add: &mut dyn FnMut(&mut Ui)| {
            let layout = Layout::left_to_right(Align::Center);
            ui.allocate_ui_with_layout(vec2(width, CONTROLS), layout, |ui| {
                ui.set_min_height(CONTROLS);
                ui.spacing_mut().item_spacing.x = 6.0;
                add(ui);
            });
        };
        if width >= ONE_ROW {
            row(ui, &mut |ui| {
                self.axis_controls(ui, scene);
                ui.add_space(8.0);
                self.doing(ui, scene);
            });
        } else {
            row(ui, &mut |ui| self.axis_controls(ui, scene));
            row(ui, &mut |ui| self.doing(ui, scene));
        }
        ui.add_space(GAP);
        ui.cursor().top() - top
    }

    fn axis_controls(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) {
        let options = [(XAxis::Epochs, "Epochs"), (XAxis::Updates, "Updates"), (XAxis::Seconds, "Seconds")];
        segmented::segmented(ui, "Curves by", &mut scene.settings.curves_by, &options, 176.0);
        ui.add_space(8.0);
        name(ui, "Smooth", 46.0);
        let spoken = text::number(f64::from(self.smoothing), 2);
        let slider = field::slider(ui, "Smoothing", &mut self.smoothing, 0.0..=0.98, 0.02, &spoken, 72.0);
        let hint = "Moving average; the measured curve stays visible behind, and so do its values at the cursor";
        button::tooltip(slider, hint, "");
        name(ui, &text::number(f64::from(self.smoothing), 2), 28.0);
    }

    fn doing(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) {
        name(ui, "Log loss", 50.0);
        button::switch(ui, &mut scene.settings.loss_is_logarithmic, "Logarithmic loss");
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let has_curves = scene.workbench.training().is_some_and(|view| !view.curves.steps.is_empty());
            export::button(ui, has_curves, CurvesOf::Training, scene.dialogs);
            let reset = IconButton::new(icons::ARROWS_OUT, "Reset zoom").key("Z");
            if ui.add_enabled(self.axis.is_zoomed(), reset).clicked() {
                self.axis.reset_zoom();
            }
        });
    }

    /// Shows all of the axis again.
    pub fn reset_zoom(&mut self) {
        self.axis.reset_zoom();
    }

    /// The command that writes the curves as they are shown into a file; `None` where there are none.
    pub fn export(
        &self,
        form: CurvesForm,
        path: std::path::PathBuf,
        workbench: &Workbench,
        log: bool,
    ) -> Option<Command> {
        let shown = train_export::Shown {
            plotted: self.plotted.last(),
            by: self.axis.unit(),
            range: self.axis.range(),
            kept: self.kept,
            loss_is_logarithmic: log,
            smoothing: self.smoothing,
        };
        train_export::command(&shown, form, path, workbench.training()?)
    }
}

fn curve<'a>(name: &'a str, line: &'a Line, kind: CurveKind) -> Curve<'a> {
    Curve { name, points: &line.raw, smooth: &line.smooth, kind }
}

/// A word of the row of controls.
fn name(ui: &mut Ui, words: &str, width: f32) {
    let (rect, _) = ui.allocate_exact_size(vec2(width, CONTROLS - 4.0), Sense::hover());
    let font = text::font(text::LABEL, text::Weight::Regular);
    ui.painter().text(rect.left_center(), Align2::LEFT_CENTER, words, font, theme::of(ui).text2);
}

/// Where a moment of the run lies on the axis.
fn place(moment: &MomentFacts, by: XAxis) -> f64 {
    match by {
        XAxis::Epochs => moment.epoch,
        XAxis::Updates => moment.step as f64,
        XAxis::Seconds => moment.seconds,
    }
}

/// Where the axis ends: an axis of thirty epochs says little while the first one is under way.
fn axis_end(view: Option<&TrainingView>, form: &TrainingForm, by: XAxis) -> f64 {
    let Some(view) = view else {
        let epochs = form.config().map_or(1.0, |config| f64::from(config.epochs));
        return if by == XAxis::Epochs { epochs } else { 1.0 };
    };
    let whole = f64::from(view.config.epochs);
    let epochs = match view.done() * whole {
        done if view.phase.is_under_way() => (done * 1.25).max(1.0).min(whole),
        done => done.max(0.05),
    };
    match by {
        XAxis::Epochs => epochs,
        XAxis::Updates => (view.updates as f64 * epochs / whole).max(1.0),
        XAxis::Seconds => {
            let last = [view.curves.steps.last().map(|p| p.seconds), view.curves.ticks.last().map(|p| p.seconds)];
            let last = last.into_iter().flatten().fold(0.0, f64::max);
            if view.phase.is_under_way() { (last * 1.25).max(1.0) } else { last }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_without_a_training_is_as_long_as_the_form_says() {
        let form = TrainingForm::preset("mlp", "drawn").unwrap();
        let epochs = form.config().unwrap().epochs;
        assert_eq!(axis_end(None, &form, XAxis::Epochs), f64::from(epochs));
        assert_eq!(axis_end(None, &form, XAxis::Seconds), 1.0);
    }
}
