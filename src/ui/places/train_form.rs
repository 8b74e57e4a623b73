//! Train's left column: the settings of the next run, and what changes the run under way.

use eframe::egui::Ui;

use super::train_distortions::{self, Preview};
use super::train_further::{self, Further};
use super::{Scene, train_schedule};
use crate::models;
use crate::optim::{OptimizerConfig, Schedule};
use crate::ui::training_form::{Field, TrainingForm};
use crate::ui::widgets::button::Button;
use crate::ui::widgets::field::{self, Mark, Row};
use crate::ui::widgets::progress;
use crate::ui::{icons, style, text, theme};
use crate::workbench::{Command, FetchView};

/// Width of the fields.
pub(super) const FIELD: f32 = 144.0;

/// What the settings remember between frames, beside what is set.
#[derive(Default)]
pub(super) struct FormState {
    preview: Preview,
    further: Further,
}

pub(super) fn settings(ui: &mut Ui, form: &mut TrainingForm, state: &mut FormState, scene: &mut Scene<'_>, width: f32) {
    ui.spacing_mut().item_spacing.y = 8.0;
    offer_mnist(ui, scene, width);
    ui.label(text::section("Settings"));
    choices(ui, form, scene, width);
    numbers(ui, form, scene, width);
    ui.add_space(4.0);
    train_distortions::distortions(ui, form, &mut state.preview, scene, width);
    ui.add_space(4.0);
    train_further::further(ui, form, &mut state.further, scene, width);
    ui.add_space(4.0);
    needs_new_run(ui, form, scene, width);
}

pub(super) fn row<'a>(label: &'a str, mark: Mark, error: Option<&'a str>) -> Row<'a> {
    Row { label, mark, error }
}

fn choices(ui: &mut Ui, form: &mut TrainingForm, scene: &Scene<'_>, width: f32) {
    let under_way = scene.workbench.training_is_under_way();
    let mark = if under_way { Mark::NewRun } else { Mark::None };
    let models: Vec<(&'static str, &str)> = models::trainable().map(|model| (model.id, model.title)).collect();
    let mut model = form.model;
    row("Model", mark, None).show(ui, width, FIELD, |ui, w| field::choice(ui, "Model", &mut model, &models, w));
    if model != form.model
        && let Some(preset) = TrainingForm::preset(model, form.source)
    {
        *form = preset;
    }
    preset(ui, form, mark, width);
    let mut source = form.source;
    let mnist = if scene.workbench.mnist_is_here() { "MNIST" } else { "MNIST (not here)" };
    let sources = [("mnist", mnist), ("drawn", "Drawn digits")];
    row("Digits", mark, None).show(ui, width, FIELD, |ui, w| field::choice(ui, "Digits", &mut source, &sources, w));
    if source != form.source {
        form.choose_source(source);
    }
    let mut optimizer = form.optimizer;
    let optimizers: Vec<(&'static str, &str)> =
        OptimizerConfig::CHOICES.iter().map(|(id, title, _)| (*id, *title)).collect();
    row("Optimiser", mark, None)
        .show(ui, width, FIELD, |ui, w| field::choice(ui, "Optimiser", &mut optimizer, &optimizers, w));
    if optimizer != form.optimizer {
        form.choose_optimizer(optimizer);
    }
    let schedules: Vec<(usize, &str)> = Schedule::CHOICES.iter().enumerate().map(|(i, (name, _))| (i, *name)).collect();
    row("Schedule", mark, None)
        .show(ui, width, FIELD, |ui, w| field::choice(ui, "Schedule", &mut form.schedule, &schedules, w));
    train_schedule::settings(ui, form.chosen_schedule(), width);
}

/// The model's presets, where it has more than one; settings that are none of them are named so.
fn preset(ui: &mut Ui, form: &mut TrainingForm, mark: Mark, width: f32) {
    let mut presets = form.presets();
    if presets.len() < 2 {
        return;
    }
    let chosen = form.chosen_preset().unwrap_or("");
    if chosen.is_empty() {
        presets.push(("", "Own settings"));
    }
    let mut preset = chosen;
    row("Preset", mark, None).show(ui, width, FIELD, |ui, w| field::choice(ui, "Preset", &mut preset, &presets, w));
    if preset != chosen {
        form.choose_preset(preset);
    }
}

fn numbers(ui: &mut Ui, form: &mut TrainingForm, scene: &mut Scene<'_>, width: f32) {
    let under_way = scene.workbench.training_is_under_way();
    let (live, fresh) = if under_way { (Mark::NextBatch, Mark::NewRun) } else { (Mark::None, Mark::None) };
    let wrong = form.config().err();
    let error = |field: Field| wrong.as_ref().filter(|(at, _)| *at == field).map(|(_, sentence)| sentence.as_str());
    let rate = row("Rate", live, error(Field::Rate))
        .show(ui, width, FIELD, |ui, w| field::text_field(ui, &mut form.rate, "Rate", w));
    row("Batch", fresh, error(Field::Batch))
        .show(ui, width, FIELD, |ui, w| field::text_field(ui, &mut form.batch, "Batch", w));
    row("Epochs", fresh, error(Field::Epochs))
        .show(ui, width, FIELD, |ui, w| field::text_field(ui, &mut form.epochs, "Epochs", w));
    row("Seed", fresh, error(Field::Seed))
        .show(ui, width, FIELD, |ui, w| field::text_field(ui, &mut form.seed, "Seed", w));
    if let Some(sentence) = error(Field::Other) {
        ui.label(text::label(sentence).color(theme::of(ui).error));
    }
    // the rate of the run under way changes when the field is left, not at every letter
    if under_way
        && rate.lost_focus()
        && let Ok(config) = form.config()
        && scene.workbench.training().is_some_and(|view| view.config.learning_rate != config.learning_rate)
    {
        scene.push(Command::SetLearningRate(config.learning_rate));
    }
}

/// What differs from the run that is shown, and takes a new run.
fn needs_new_run(ui: &mut Ui, form: &mut TrainingForm, scene: &mut Scene<'_>, width: f32) {
    let Some(view) = scene.workbench.training() else { return };
    let running = view.config.clone();
    let changes = form.changes(&running);
    if changes.is_empty() {
        return;
    }
    let p = theme::of(ui);
    style::card(p).show(ui, |ui| {
        ui.set_width(width - 34.0);
        let count = changes.len();
        let heading =
            if count == 1 { "1 change needs a new run".to_owned() } else { format!("{count} changes need a new run") };
        ui.label(text::section(heading));
        let mut words = changes.join(", ");
        if let Some(first) = words.get(..1) {
            words = first.to_uppercase() + &words[1..];
        }
        ui.add(eframe::egui::Label::new(text::label(words).color(p.text2)).wrap());
        ui.horizontal(|ui| {
            let config = form.config();
            let start = ui.add_enabled(config.is_ok(), Button::plain("Start new run"));
            if let Ok(config) = config
                && start.clicked()
            {
                scene.push(Command::ResetTraining);
                scene.push(Command::StartTraining(config));
            }
            if ui.add(Button::quiet("Discard")).clicked() {
                form.discard(&running);
            }
        });
    });
}

/// Without MNIST: what can be done now, and the offer to fetch it.
fn offer_mnist(ui: &mut Ui, scene: &mut Scene<'_>, width: f32) {
    if scene.workbench.mnist_is_here() {
        return;
    }
    mnist_card(ui, scene, width, "Space trains on drawn digits now. MNIST has 70,000 real ones.");
    ui.add_space(4.0);
}

/// The offer to fetch MNIST, its progress, or why it failed.
pub(super) fn mnist_card(ui: &mut Ui, scene: &mut Scene<'_>, width: f32, sentence: &str) {
    let p = theme::of(ui);
    style::card(p).show(ui, |ui| {
        ui.set_width(width - 34.0);
        ui.spacing_mut().item_spacing.y = 8.0;
        match scene.workbench.fetch().clone() {
            FetchView::Under { bytes, total, .. } => {
                let megabytes = |bytes: u64| text::number(bytes as f64 / 1e6, 1);
                ui.label(text::section(format!("Fetching MNIST, {} of {} MB", megabytes(bytes), megabytes(total))));
                progress::progress(ui, "Fetching MNIST", bytes as f32 / total.max(1) as f32, width - 34.0);
                if ui.add(Button::plain("Cancel")).clicked() {
                    scene.push(Command::CancelFetch);
                }
            }
            FetchView::Failed(why) => {
                ui.label(text::section("MNIST could not be fetched"));
                let scroll = eframe::egui::ScrollArea::vertical().max_height(96.0).id_salt("why");
                scroll.show(ui, |ui| {
                    ui.add(
                        eframe::egui::Label::new(
                            text::label(why.trim_start_matches("MNIST could not be fetched: ")).color(p.error),
                        )
                        .wrap(),
                    )
                });
                if ui.add(Button::plain("Try again")).clicked() {
                    scene.push(Command::FetchMnist);
                }
            }
            FetchView::Idle | FetchView::Done => {
                ui.add(eframe::egui::Label::new(text::label(sentence).color(p.text2)).wrap());
                if ui.add(Button::plain("Fetch MNIST (11 MB)").icon(icons::DOWNLOAD_SIMPLE)).clicked() {
                    scene.push(Command::FetchMnist);
                }
            }
        }
    });
}
