//! The bar at the top: the model that answers, the training's controls, the device, theme and help. Nothing in it moves
//! when the state changes.

use eframe::egui::{Align, Layout, Sense, ThemePreference, Ui, UiBuilder, vec2};

use super::dialogs::Purpose;
use super::places::Scene;
use super::training_form::TrainingForm;
use super::widgets::button::IconButton;
use super::widgets::{field, progress};
use super::{icons, text, theme};
use crate::storage::Theme;
use crate::workbench::{Command, ModelChoice, Phase, SPEEDS, TrainingView};

/// An entry of the model picker.
#[derive(Clone, PartialEq)]
enum Pick {
    Model(ModelChoice),
    Open,
}

/// Shows the bar. `help` is toggled by its button.
pub fn bar(ui: &mut Ui, form: &TrainingForm, help: &mut bool, scene: &mut Scene<'_>) {
    let p = theme::of(ui);
    ui.horizontal_centered(|ui| {
        models(ui, scene);
        ui.add_space(10.0);
        ui.spacing_mut().item_spacing.x = 2.0;
        controls(ui, form, scene);
        ui.add_space(14.0);
        ui.spacing_mut().item_spacing.x = 12.0;
        // the buttons at the right keep their place whatever the words here
        let right = if ui.available_width() > 420.0 { 204.0 } else { 84.0 };
        let room = vec2((ui.available_width() - right).max(0.0), 32.0);
        let (rect, _) = ui.allocate_exact_size(room, Sense::hover());
        let layout = Layout::left_to_right(Align::Center);
        let mut words = ui.new_child(UiBuilder::new().max_rect(rect).layout(layout));
        words.set_clip_rect(words.clip_rect().intersect(rect));
        progress_of(&mut words, scene);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.spacing_mut().item_spacing.x = 4.0;
            if ui.add(IconButton::new(icons::QUESTION, "Keys and help").key("F1")).clicked() {
                *help = !*help;
            }
            let (icon, name) = match scene.settings.theme {
                Theme::System => (icons::MONITOR, "Theme follows the system"),
                Theme::Light => (icons::SUN, "Light theme"),
                Theme::Dark => (icons::MOON, "Dark theme"),
            };
            if ui.add(IconButton::new(icon, name).key("Ctrl+T")).clicked() {
                next_theme(ui.ctx(), scene);
            }
            if ui.available_width() > 110.0 {
                ui.label(text::label(scene.workbench.device()).color(p.text2));
            }
        });
    });
}

/// From the system's theme to light, to dark, to the system's.
pub fn next_theme(ctx: &eframe::egui::Context, scene: &mut Scene<'_>) {
    scene.settings.theme = match scene.settings.theme {
        Theme::System => Theme::Light,
        Theme::Light => Theme::Dark,
        Theme::Dark => Theme::System,
    };
    apply_theme(ctx, scene.settings.theme);
}

/// Follows the person's choice of a theme.
pub fn apply_theme(ctx: &eframe::egui::Context, theme: Theme) {
    ctx.set_theme(match theme {
        Theme::System => ThemePreference::System,
        Theme::Light => ThemePreference::Light,
        Theme::Dark => ThemePreference::Dark,
    });
}

fn models(ui: &mut Ui, scene: &mut Scene<'_>) {
    let entries = scene.workbench.models();
    let mut picked = Pick::Model(scene.workbench.choice().clone());
    let options = entries.iter().map(|entry| (Pick::Model(entry.choice.clone()), entry.title.as_str()));
    let options: Vec<(Pick, &str)> = options.chain([(Pick::Open, "Open weights…")]).collect();
    if field::picker(ui, "Model that answers", &mut picked, &options, 196.0) {
        match picked {
            Pick::Model(choice) => scene.push(Command::ChooseModel(choice)),
            Pick::Open => scene.dialogs.ask(Purpose::OpenWeights),
        }
    }
}

fn controls(ui: &mut Ui, form: &TrainingForm, scene: &mut Scene<'_>) {
    let under_way = scene.workbench.training_is_under_way();
    let has_run = scene.workbench.training().is_some();
    let running = scene.workbench.training().is_some_and(|v| matches!(v.phase, Phase::Running | Phase::Preparing));
    let can_start = form.config().is_ok();
    let reset = IconButton::new(icons::ARROW_COUNTER_CLOCKWISE, "Reset the curves; the run is kept").key("Ctrl+R");
    if ui.add_enabled(has_run, reset).clicked() {
        scene.push(Command::ResetTraining);
    }
    ui.add_space(4.0);
    let (icon, name) = if running { (icons::PAUSE, "Pause") } else { (icons::PLAY, "Train") };
    if ui.add_enabled(under_way || can_start, IconButton::new(icon, name).key("Space").prominent()).clicked() {
        play_or_pause(form, scene);
    }
    ui.add_space(4.0);
    let step = IconButton::new(icons::SKIP_FORWARD, "Train one batch; with Shift one epoch").key(".");
    if ui.add_enabled(under_way || can_start, step).clicked() {
        let whole_epoch = ui.input(|input| input.modifiers.shift);
        step_once(form, whole_epoch, scene);
    }
    if ui.add_enabled(under_way, IconButton::new(icons::STOP, "Stop; the run is kept")).clicked() {
        scene.push(Command::StopTraining);
    }
    ui.add_space(6.0);
    let mut speed = scene.workbench.speed();
    let options = SPEEDS.map(|(name, speed)| (speed, name));
    if field::picker(ui, "Speed of training", &mut speed, &options, 124.0) {
        scene.push(Command::SetSpeed(speed));
    }
}

/// What Space does: start, pause or go on.
pub fn play_or_pause(form: &TrainingForm, scene: &mut Scene<'_>) {
    match scene.workbench.training().map(|view| &view.phase) {
        Some(Phase::Running | Phase::Preparing) => scene.push(Command::PauseTraining),
        Some(Phase::Paused) => scene.push(Command::ResumeTraining),
        _ => {
            if let Ok(config) = form.config() {
                scene.push(Command::StartTraining(config));
            }
        }
    }
}

/// What `.` and Shift+`.` do.
pub fn step_once(form: &TrainingForm, whole_epoch: bool, scene: &mut Scene<'_>) {
    // a run under way keeps its own configuration
    let under_way = scene.workbench.training().filter(|view| view.phase.is_under_way());
    let config = under_way.map(|view| Ok(view.config.clone())).unwrap_or_else(|| form.config());
    if let Ok(config) = config {
        scene.push(if whole_epoch { Command::StepEpoch(config) } else { Command::StepBatch(config) });
    }
}

fn progress_of(ui: &mut Ui, scene: &Scene<'_>) {
    let p = theme::of(ui);
    let about_run = scene
        .workbench
        .training()
        .filter(|view| view.phase.is_under_way() || *scene.workbench.choice() == ModelChoice::Live);
    if let Some(view) = about_run {
        run(ui, view);
        return;
    }
    let Some(entry) = scene.workbench.chosen() else { return };
    match entry.card {
        Some(card) => {
            ui.label(text::section("Trained"));
            let words = format!("{} on MNIST's test set", text::percent(card.test_accuracy, 2));
            ui.label(text::body(words).color(p.text2));
        }
        None => {
            ui.label(text::section("Opened weights"));
        }
    }
}

fn run(ui: &mut Ui, view: &TrainingView) {
    let p = theme::of(ui);
    let epochs = view.config.epochs;
    let epoch = format!("Epoch {} of {epochs}", view.epoch.max(1));
    match &view.phase {
        Phase::Preparing => {
            ui.label(text::section("Preparing the digits"));
        }
        Phase::Running => {
            ui.label(text::section(epoch));
            progress::progress(ui, "Training", view.done() as f32, bar_width(ui));
            if let Some(seconds) = view.seconds_left() {
                ui.label(text::body(format!("{} left", duration(seconds))).color(p.text2));
            }
        }
        Phase::Paused => {
            ui.label(text::section(epoch));
            progress::progress(ui, "Training", view.done() as f32, bar_width(ui));
            ui.label(text::body(format!("Paused after update {}", text::count(view.step))).color(p.warn));
        }
        Phase::Ended(ending) => {
            let epochs = view.curves.epochs.len();
            let words = if epochs == 1 { "1 epoch".to_owned() } else { format!("{epochs} epochs") };
            let word = match ending {
                crate::training::Ending::Completed => "Trained",
                crate::training::Ending::Stopped => "Stopped",
                crate::training::Ending::EarlyStopped => "Stopped early",
                crate::training::Ending::Diverged(_) => "Diverged",
            };
            ui.label(text::section(format!("{word}, {words}")));
            if let Some((accuracy, _)) = view.test {
                ui.label(text::body(format!("{} on the test set", text::percent(accuracy, 2))).color(p.text2));
            }
        }
        Phase::Failed(_) => {
            ui.label(text::section("Training could not go on").color(p.error));
        }
    }
}

/// The words beside it come first.
fn bar_width(ui: &Ui) -> f32 {
    (ui.available_width() - 190.0).clamp(32.0, 160.0)
}

/// "2 min 5 s", "8 s".
pub(super) fn duration(seconds: f64) -> String {
    let seconds = seconds.round() as u64;
    if seconds >= 60 { format!("{} min {} s", seconds / 60, seconds % 60) } else { format!("{seconds} s") }
}
