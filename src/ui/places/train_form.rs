//! Train's left column: the settings of the next run, and what changes the run under way.

use eframe::egui::{Align, Label, Layout, Ui, vec2};

use super::train_distortions::{self, Preview};
use super::train_further::{self, Further};
use super::train_live::{self, Editing, Marks};
use super::{Scene, train_schedule};
use crate::models;
use crate::optim::{OptimizerConfig, Schedule};
use crate::ui::dialogs::Purpose;
use crate::ui::training_form::{FROM_FILE, Field, TrainingForm};
use crate::ui::widgets::button::Button;
use crate::ui::widgets::field::{self, Mark, Row};
use crate::ui::widgets::progress;
use crate::ui::{icons, kept_settings, style, text, theme};
use crate::workbench::{Command, FetchView};

/// Width of the fields.
pub(super) const FIELD: f32 = 144.0;

/// What the settings remember between frames, beside what is set.
#[derive(Default)]
pub(super) struct FormState {
    preview: Preview,
    further: Further,
    editing: Editing,
}

pub(super) fn settings(ui: &mut Ui, form: &mut TrainingForm, state: &mut FormState, scene: &mut Scene<'_>, width: f32) {
    ui.spacing_mut().item_spacing.y = 8.0;
    offer_mnist(ui, scene, width);
    head(ui, scene, width);
    train_live::bar(ui, form, scene, width);
    // what is typed, chosen and moved from here on may act on the run under way
    let before = form.config().ok();
    let marks = train_live::marks(form, scene);
    choices(ui, form, scene, width);
    numbers(ui, form, marks, width);
    ui.add_space(4.0);
    let switch = ui.cursor().min + vec2(width - 44.0, 10.0);
    field::paint_mark(ui, switch, marks.batches);
    train_distortions::distortions(ui, form, &mut state.preview, scene, width);
    ui.add_space(4.0);
    train_further::further(ui, form, &mut state.further, scene, width);
    state.editing.commit(ui, form, before, scene);
    kept(ui, form);
    ui.add_space(4.0);
}

/// The heading, and files.
fn head(ui: &mut Ui, scene: &mut Scene<'_>, width: f32) {
    ui.allocate_ui_with_layout(vec2(width, 28.0), Layout::right_to_left(Align::Center), |ui| {
        ui.spacing_mut().item_spacing.x = 2.0;
        if ui.add(Button::quiet("Save…").hint("Save these settings as a configuration file")).clicked() {
            scene.dialogs.ask(Purpose::SaveConfig);
        }
        if ui.add(Button::quiet("Open…").hint("Take the settings of a configuration file")).clicked() {
            scene.dialogs.ask(Purpose::OpenConfig);
        }
        ui.with_layout(Layout::left_to_right(Align::Center), |ui| ui.label(text::section("Settings")));
    });
}

/// Settings that have no row and are kept.
fn kept(ui: &mut Ui, form: &TrainingForm) {
    let Some(words) = form.config().ok().and_then(|config| kept_settings::in_one_line(&config)) else { return };
    ui.add_space(4.0);
    ui.label(text::section("Also set"));
    ui.add(Label::new(text::label(words).color(theme::of(ui).text2)).wrap());
}

pub(super) fn row<'a>(label: &'a str, mark: Mark, error: Option<&'a str>) -> Row<'a> {
    Row { label, mark, error }
}

fn choices(ui: &mut Ui, form: &mut TrainingForm, scene: &Scene<'_>, width: f32) {
    let under_way = scene.workbench.training_is_under_way();
    let mark = if under_way { Mark::NewRun } else { Mark::None };
    let models: Vec<(&'static str, &str)> = models::trainable().map(|model| (model.id, model.title)).collect();
    let shown = models::base_of(form.model);
    let mut model = shown;
    row("Model", mark, None).show(ui, width, FIELD, |ui, w| field::choice(ui, "Model", &mut model, &models, w));
    if model != shown {
        form.choose_model(model);
    }
    preset(ui, form, mark, width);
    let mut source = form.source;
    let mnist = if scene.workbench.mnist_is_here() { "MNIST" } else { "MNIST (not here)" };
    let mut sources = vec![("mnist", mnist), ("drawn", "Drawn digits")];
    let own = form.own_digits().map(str::to_owned);
    sources.extend(own.as_deref().map(|name| (FROM_FILE, name)));
    let digits = row("Digits", mark, None);
    digits.show(ui, width, FIELD, |ui, w| field::choice(ui, "Digits", &mut source, &sources, w));
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

fn numbers(ui: &mut Ui, form: &mut TrainingForm, marks: Marks, width: f32) {
    let fresh = marks.others;
    let wrong = form.config().err();
    let error = |field: Field| wrong.as_ref().filter(|(at, _)| *at == field).map(|(_, sentence)| sentence.as_str());
    row("Rate", marks.rate, error(Field::Rate))
        .show(ui, width, FIELD, |ui, w| field::text_field(ui, &mut form.rate, "Rate", w));
    let optimizer = form.base_optimizer();
    if optimizer.momentum().is_some() {
        let name = if matches!(optimizer, OptimizerConfig::Sgd { .. }) { "Momentum" } else { "Momentum β₁" };
        row(name, marks.optimizer, error(Field::Momentum))
            .show(ui, width, FIELD, |ui, w| field::text_field(ui, &mut form.momentum, name, w));
    }
    if optimizer.weight_decay().is_some() {
        row("Weight decay", marks.optimizer, error(Field::Decay))
            .show(ui, width, FIELD, |ui, w| field::text_field(ui, &mut form.decay, "Weight decay", w));
    }
    row("Batch", marks.batches, error(Field::Batch))
        .show(ui, width, FIELD, |ui, w| field::text_field(ui, &mut form.batch, "Batch", w));
    row("Epochs", fresh, error(Field::Epochs))
        .show(ui, width, FIELD, |ui, w| field::text_field(ui, &mut form.epochs, "Epochs", w));
    row("Seed", fresh, error(Field::Seed))
        .show(ui, width, FIELD, |ui, w| field::text_field(ui, &mut form.seed, "Seed", w));
    if let Some(sentence) = error(Field::Other) {
        ui.label(text::label(sentence).color(theme::of(ui).error));
    }
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
