//! Train: settings at the left, curves and F1 rows in the middle, the pad's answers and the run at the right.

use eframe::egui::{ScrollArea, Ui, vec2};

use super::{Scene, train_form, train_side};
use crate::ui::text;
use crate::ui::training_form::TrainingForm;
use crate::ui::widgets::f1_rows;
use crate::ui::widgets::plot::{Chart, Curve, CurveKind, Flag};
use crate::ui::widgets::segmented;
use crate::ui::widgets::shared_axis::SharedAxis;
use crate::ui::widgets::value_scale::Scale;
use crate::workbench::TrainingView;

/// What Train remembers between frames.
#[derive(Default)]
pub struct TrainPlace {
    axis: SharedAxis,
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
                    self.curves(ui, form, scene, curves, room.y);
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

    fn curves(&mut self, ui: &mut Ui, form: &TrainingForm, scene: &Scene<'_>, width: f32, height: f32) {
        let view = scene.workbench.training();
        let plotted = view.map_or_else(Plotted::default, Plotted::new);
        let epochs = match view {
            Some(view) => f64::from(view.config.epochs),
            None => form.config().map_or(1.0, |config| f64::from(config.epochs)),
        };
        // an axis of thirty epochs says little while the first one is under way
        let done = view.map_or(0.0, |view| view.done() * epochs);
        let end = match view {
            None => epochs,
            Some(view) if view.phase.is_under_way() => (done * 1.25).max(1.0).min(epochs),
            Some(_) => done.max(0.05),
        };
        self.axis.begin(ui, end);
        // F1 rows keep their height; the plots take what is left
        let plot_height =
            ((height - 10.0 * f1_rows::ROW - 24.0 - 2.0 * 28.0 - 22.0 - 16.0 - 44.0) / 2.0).clamp(96.0, 260.0);
        let top = ui.cursor().top();
        let empty = if view.is_some() { "Waiting for the first updates" } else { "Press Space to train" };
        Chart {
            title: "Loss",
            note: "",
            height: plot_height,
            scale: Scale::Log,
            curves: &[
                Curve { name: "Training", points: &plotted.train_loss, kind: CurveKind::Training },
                Curve { name: "Validation", points: &plotted.validation_loss, kind: CurveKind::Validation },
            ],
            best: None,
            flags: &plotted.flags,
            epochs_below: false,
            empty,
        }
        .show(ui, &mut self.axis, width);
        ui.add_space(8.0);
        Chart {
            title: "Accuracy",
            note: "%",
            height: plot_height,
            scale: Scale::Percent,
            curves: &[
                Curve { name: "Training", points: &plotted.train_accuracy, kind: CurveKind::Training },
                Curve { name: "Validation", points: &plotted.validation_accuracy, kind: CurveKind::Validation },
            ],
            best: plotted.best,
            flags: &plotted.flags,
            epochs_below: true,
            empty: "",
        }
        .show(ui, &mut self.axis, width);
        ui.add_space(8.0);
        f1_rows::f1_rows(ui, &plotted.f1, &plotted.f1_note, &mut self.axis, width);
        self.axis.paint_cursor(ui, top, ui.cursor().top());
    }
}

/// A training's curves by epoch, as the plots take them.
#[derive(Default)]
struct Plotted {
    train_loss: Vec<[f64; 2]>,
    train_accuracy: Vec<[f64; 2]>,
    validation_loss: Vec<[f64; 2]>,
    validation_accuracy: Vec<[f64; 2]>,
    best: Option<[f64; 2]>,
    f1: [Vec<[f64; 2]>; 10],
    f1_note: String,
    flags: Vec<Flag>,
}

impl Plotted {
    fn new(view: &TrainingView) -> Self {
        let curves = &view.curves;
        let epoch = |step: u64| view.epoch_at(step);
        let best = view.best().and_then(|best| {
            let whole = curves.ticks.iter().find(|tick| tick.whole && tick.step == best.step)?;
            Some([epoch(whole.step), whole.accuracy])
        });
        let f1_note = curves.ticks.last().map_or_else(String::new, |tick| {
            let images = text::count(u64::from(tick.images));
            if tick.whole {
                format!("{images} validation digits")
            } else {
                format!("a part, {images} validation digits")
            }
        });
        let flags = curves.changes.iter().map(|change| Flag { epoch: epoch(change.step), text: change.what.clone() });
        Self {
            train_loss: curves.steps.iter().map(|point| [epoch(point.step), point.loss]).collect(),
            train_accuracy: curves.steps.iter().map(|point| [epoch(point.step), point.accuracy]).collect(),
            validation_loss: curves.ticks.iter().map(|tick| [epoch(tick.step), tick.loss]).collect(),
            validation_accuracy: curves.ticks.iter().map(|tick| [epoch(tick.step), tick.accuracy]).collect(),
            best,
            f1: std::array::from_fn(|digit| curves.ticks.iter().map(|t| [epoch(t.step), t.f1[digit]]).collect()),
            f1_note,
            flags: flags.collect(),
        }
    }
}
