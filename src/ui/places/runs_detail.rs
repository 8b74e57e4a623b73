//! The chosen run: its name and note to be changed in place, its figures, and what can be done with it.

use std::path::PathBuf;

use eframe::egui::{self, Ui, vec2};

use super::runs_rows::{begun, state_word};
use super::{Place, Scene};
use crate::storage::runs::{Run, RunState};
use crate::ui::training_form::TrainingForm;
use crate::ui::widgets::button::Button;
use crate::ui::widgets::field;
use crate::ui::{icons, text, theme, transport};
use crate::workbench::{Command, MOST_REPEATS, RunsCommand};

/// What the column remembers between frames.
#[derive(Default)]
pub(super) struct Detail {
    /// The run that is edited, and what stands in its fields.
    editing: Option<PathBuf>,
    title: String,
    note: String,
    /// Seeds to repeat with, while that is asked.
    seeds: Option<String>,
}

impl Detail {
    /// One run.
    pub fn one(&mut self, ui: &mut Ui, run: &Run, form: &mut TrainingForm, scene: &mut Scene<'_>, width: f32) {
        if self.editing.as_ref() != Some(&run.path) {
            *self = Self {
                editing: Some(run.path.clone()),
                title: run.shown_name().to_owned(),
                note: run.note.clone(),
                seeds: None,
            };
        }
        self.fields(ui, run, scene, width);
        ui.add_space(4.0);
        figures(ui, run, width);
        ui.add_space(8.0);
        self.actions(ui, run, form, scene, width);
    }

    /// Several runs.
    pub fn several(&mut self, ui: &mut Ui, runs: &[&Run], scene: &mut Scene<'_>) {
        let p = theme::of(ui);
        self.editing = None;
        ui.label(text::section(format!("{} runs are chosen", runs.len())));
        let shares: Vec<f64> = runs.iter().filter_map(|run| run.best).map(|best| best.accuracy.share).collect();
        if shares.len() > 1 {
            let count = shares.len() as f64;
            let mean = shares.iter().sum::<f64>() / count;
            let deviation = (shares.iter().map(|share| (share - mean).powi(2)).sum::<f64>() / (count - 1.0)).sqrt();
            let words = format!(
                "Their best accuracies have a mean of {} and a standard deviation of {} points",
                text::percent(mean, 2),
                text::number(100.0 * deviation, 2)
            );
            ui.add(egui::Label::new(text::label(words).color(p.text2)).wrap());
        }
        ui.add_space(8.0);
        let free: Vec<PathBuf> =
            runs.iter().filter(|run| run.state != RunState::Running).map(|run| run.path.clone()).collect();
        let words = if free.len() == 1 { "Delete 1 run".to_owned() } else { format!("Delete {} runs", free.len()) };
        if ui.add_enabled(!free.is_empty(), Button::plain(&words).icon(icons::TRASH).key("Delete")).clicked() {
            scene.push(Command::Runs(RunsCommand::Delete(free)));
        }
    }

    fn fields(&mut self, ui: &mut Ui, run: &Run, scene: &mut Scene<'_>, width: f32) {
        for (label, name) in [("Name", true), ("Note", false)] {
            let row = field::Row { label, mark: field::Mark::None, error: None };
            let (content, written) =
                if name { (&mut self.title, run.shown_name()) } else { (&mut self.note, run.note.as_str()) };
            let response = row.show(ui, width, width - 52.0, |ui, width| {
                let spoken = if name { "Name of the run" } else { "Note about the run" };
                field::text_field(ui, content, spoken, width)
            });
            if response.lost_focus() {
                // Escape leaves everything as it was
                if ui.input(|input| input.key_pressed(egui::Key::Escape)) {
                    written.clone_into(content);
                } else if content != written {
                    let path = run.path.clone();
                    // a run goes by its folder's name unless it has another one
                    let words = if name && *content == run.name { String::new() } else { content.clone() };
                    let change = if name { RunsCommand::Rename(path, words) } else { RunsCommand::Note(path, words) };
                    scene.push(Command::Runs(change));
                }
            } else if !response.has_focus() && !response.gained_focus() && content != written {
                // what was written meanwhile, here or elsewhere
                written.clone_into(content);
            }
        }
    }

    fn actions(&mut self, ui: &mut Ui, run: &Run, form: &mut TrainingForm, scene: &mut Scene<'_>, width: f32) {
        let half = (width - 8.0) / 2.0;
        let under_way = scene.workbench.training_is_under_way();
        let has_settings = run.config.is_some();
        ui.spacing_mut().item_spacing = vec2(8.0, 8.0);
        ui.horizontal(|ui| {
            let load = Button::plain("To the pad").icon(icons::PENCIL_LINE).width(half);
            let load = load.key("Enter").hint("Its best weights answer the pad");
            if ui.add_enabled(run.epochs() > 0, load).clicked() {
                to_the_pad(run, scene);
            }
            let resume = Button::plain("Resume").icon(icons::PLAY).width(half);
            let can_go_on = run.state.can_go_on() && has_settings && !under_way;
            if ui.add_enabled(can_go_on, resume.hint("Go on where the run was stopped or interrupted")).clicked() {
                scene.push(Command::ResumeRun(run.path.clone()));
                *scene.go_to = Some(Place::Train);
            }
        });
        ui.horizontal(|ui| {
            let settings = Button::plain("Use these settings").width(half).hint("They fill the form on Train");
            if ui.add_enabled(has_settings, settings).clicked()
                && let Some(config) = &run.config
            {
                form.discard(config);
                *scene.go_to = Some(Place::Train);
            }
            let open = Button::plain("Open folder").icon(icons::FOLDER_OPEN).width(half);
            if ui.add(open).clicked() {
                scene.push(Command::Runs(RunsCommand::OpenFolder(run.path.clone())));
            }
        });
        ui.horizontal(|ui| {
            let hint = "Train it once more, with the same seed and the same changes on the way";
            let repeat = Button::plain("Repeat").icon(icons::ARROW_COUNTER_CLOCKWISE).width(half).hint(hint);
            if ui.add_enabled(has_settings && !under_way, repeat).clicked() {
                scene.push(Command::RepeatRun { run: run.path.clone(), seed: None });
                *scene.go_to = Some(Place::Train);
            }
            let repeat = Button::plain("Repeat with seeds…").width(half);
            if ui.add_enabled(has_settings, repeat.hint("Train the same settings with further seeds")).clicked() {
                self.seeds = self.seeds.is_none().then(|| "4".to_owned());
            }
        });
        self.ask_for_seeds(ui, run, scene, width);
        ui.horizontal(|ui| {
            let delete = Button::plain("Delete").icon(icons::TRASH).width(half).key("Delete");
            if ui.add_enabled(run.state != RunState::Running, delete).clicked() {
                scene.push(Command::Runs(RunsCommand::Delete(vec![run.path.clone()])));
            }
        });
    }

    fn ask_for_seeds(&mut self, ui: &mut Ui, run: &Run, scene: &mut Scene<'_>, width: f32) {
        let Some(seeds) = &mut self.seeds else { return };
        let count = seeds.trim().parse::<u32>().ok().filter(|count| (1..=MOST_REPEATS).contains(count));
        let error = format!("A whole number from 1 to {MOST_REPEATS}");
        let row = field::Row {
            label: "Further seeds",
            mark: field::Mark::None,
            error: count.is_none().then_some(error.as_str()),
        };
        row.show(ui, width, 72.0, |ui, width| field::text_field(ui, seeds, "Further seeds", width));
        let mut done = false;
        if let Some(count) = count {
            let words = match (count, scene.workbench.training_is_under_way()) {
                (1, false) => "Train it now".to_owned(),
                (1, true) => "Train it after this one".to_owned(),
                (_, false) => format!("Train {count}, one after the other"),
                (_, true) => format!("Train {count} after this one"),
            };
            if ui.add(Button::plain(&words).width(width)).clicked() {
                scene.push(Command::Runs(RunsCommand::RepeatWithSeeds(run.path.clone(), count)));
                done = true;
            }
        }
        if done {
            self.seeds = None;
        }
    }
}

/// The run's best weights answer the pad.
pub(super) fn to_the_pad(run: &Run, scene: &mut Scene<'_>) {
    if run.epochs() > 0 {
        scene.push(Command::LoadModel(run.path.clone()));
        *scene.go_to = Some(Place::Draw);
    }
}

fn figures(ui: &mut Ui, run: &Run, width: f32) {
    let p = theme::of(ui);
    let mut lines = Vec::new();
    let epochs = match &run.config {
        Some(config) => format!("{} of {} epochs", run.epochs(), config.epochs),
        None => format!("{} epochs", run.epochs()),
    };
    lines.push(format!("{}, {epochs} in {}", state_word(run.state), transport::duration(run.seconds)));
    if let Some(best) = &run.best {
        let [low, high] = best.accuracy.interval.map(|share| text::number(100.0 * share, 2));
        lines.push(format!(
            "Best {} of {} validation digits in epoch {}, 95\u{a0}% interval {low} to {high}",
            text::percent(best.accuracy.share, 2),
            text::count(u64::from(best.accuracy.images)),
            best.epoch
        ));
    }
    if let Some(test) = &run.test {
        let [low, high] = test.interval.map(|share| text::number(100.0 * share, 2));
        let (share, images) = (text::percent(test.share, 2), text::count(u64::from(test.images)));
        lines.push(format!("{share} of {images} test digits, 95\u{a0}% interval {low} to {high}"));
    }
    let when = begun(&run.stamp);
    lines.push(if when.is_empty() { run.folder() } else { format!("Begun {when} UTC, folder {}", run.folder()) });
    ui.spacing_mut().item_spacing.y = 4.0;
    ui.allocate_ui(vec2(width, 0.0), |ui| {
        for line in lines {
            ui.add(egui::Label::new(text::label(line).color(p.text2)).wrap());
        }
        for problem in &run.problems {
            ui.add(egui::Label::new(text::label(problem).color(p.error)).wrap());
        }
    });
}
