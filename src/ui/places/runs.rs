//! Runs: every run of the folder in a table, the curves of those that are chosen, and what can be done with one. Rows are
//! made in `runs_rows.rs`, drawn in `runs_table.rs`; curves in `runs_curves.rs`, the column at the right in
//! `runs_detail.rs`.

use std::path::PathBuf;

use eframe::egui::{self, Align, Align2, Key, Layout, Modifiers, Rect, ScrollArea, Ui, UiBuilder, pos2, vec2};

use super::runs_ablations::Ablations;
use super::runs_curves::RunCurves;
use super::runs_detail::{self, Detail};
use super::runs_race::RaceForm;
use super::runs_table::Table;
use super::{Place, Scene};
use crate::models;
use crate::storage::figure::CurvesForm;
use crate::storage::runs::{Run, RunState};
use crate::ui::training_form::TrainingForm;
use crate::ui::widgets::button::{Button, IconButton};
use crate::ui::widgets::field;
use crate::ui::widgets::notice::{NoticeKind, Notices};
use crate::ui::widgets::segmented;
use crate::ui::{icons, text, theme};
use crate::workbench::{Command, RunsCommand, Workbench};

/// What is compared here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum View {
    #[default]
    Runs,
    Ablations,
    Race,
}

/// What Runs remembers between frames.
#[derive(Default)]
pub struct RunsPlace {
    view: View,
    ablations: Ablations,
    race: RaceForm,
    asked: bool,
    table: Table,
    curves: RunCurves,
    detail: Detail,
    /// The notice that offers to bring deleted runs back, and the number of the deletion.
    undo: Option<(u64, u64)>,
}

const SIDE: f32 = 336.0;
const GAP: f32 = 32.0;
const HEAD: f32 = 44.0;
/// Less than this leaves no room for curves and details below the table, and the place scrolls.
const LEAST_BELOW: f32 = 220.0;

impl RunsPlace {
    pub fn ui(&mut self, ui: &mut Ui, form: &mut TrainingForm, scene: &mut Scene<'_>) {
        let views = [(View::Runs, "Runs"), (View::Ablations, "Ablations"), (View::Race, "Race")];
        segmented::segmented(ui, "Compare", &mut self.view, &views, 264.0);
        ui.add_space(8.0);
        match self.view {
            View::Runs => self.runs(ui, form, scene),
            View::Ablations => self.ablations.ui(ui, scene),
            View::Race => self.race.ui(ui, scene),
        }
    }

    /// What the keys do in what is seen.
    pub fn keys_in_words(&self) -> &'static str {
        match self.view {
            View::Runs => "Arrows move, Ctrl and Shift choose several, Enter opens, Delete deletes",
            View::Ablations => "Bet, start, and see which variant wins; what is stopped goes on later",
            View::Race => "Only one of training, ablation and race goes on at a time",
        }
    }

    /// Brings back what was deleted last.
    pub fn undo(&self, scene: &mut Scene<'_>) {
        // what is not seen is not brought back
        if self.view == View::Runs {
            scene.push(Command::Runs(RunsCommand::Undo));
        }
    }

    /// Shows the card of this plan from now on.
    pub fn show_plan(&mut self, name: String) {
        self.view = View::Ablations;
        self.ablations.look_at(name);
    }

    /// The command that writes the curves of the chosen runs into a file; `None` where there are none.
    pub fn export(&self, form: CurvesForm, path: PathBuf, workbench: &Workbench) -> Option<Command> {
        self.curves.export(form, path, &workbench.runs().runs)
    }

    /// Writes the report that was asked for into this file.
    pub fn save_report(&mut self, path: PathBuf) -> Option<Command> {
        self.ablations.save_report(path)
    }

    fn runs(&mut self, ui: &mut Ui, form: &mut TrainingForm, scene: &mut Scene<'_>) {
        if !std::mem::replace(&mut self.asked, true) {
            scene.push(Command::Runs(RunsCommand::Refresh));
        }
        let workbench = scene.workbench;
        let view = workbench.runs();
        let _drawn_now = self.table.update(&view.runs, view.revision);
        if view.runs.is_empty() {
            empty(ui, scene);
            return;
        }
        self.table.choose_something(&view.runs);
        let _drawn_now = self.curves.update(&self.table, &view.runs, view.revision);
        self.keys(ui, scene);

        let room = ui.available_size();
        let wide = room.x >= SIDE + GAP + 420.0;
        let most = (room.y - HEAD) * 0.42;
        let table = self.table.height().min(most.max(150.0));
        let below = room.y - HEAD - table - 20.0;
        let scrolls = !wide || below < LEAST_BELOW;
        if scrolls {
            ScrollArea::vertical().id_salt("all").auto_shrink([false, false]).show(ui, |ui| {
                // rings reach a little beyond what they belong to
                ui.set_clip_rect(ui.clip_rect().expand2(vec2(8.0, 0.0)));
                self.content(ui, form, scene, table, (wide, below.max(LEAST_BELOW + 60.0)));
            });
        } else {
            self.content(ui, form, scene, table, (true, below));
        }
        // what was pressed in this frame is seen in the next one
        let rows = self.table.update(&view.runs, view.revision);
        if self.curves.update(&self.table, &view.runs, view.revision) || rows {
            ui.ctx().request_repaint();
        }
    }

    fn content(
        &mut self,
        ui: &mut Ui,
        form: &mut TrainingForm,
        scene: &mut Scene<'_>,
        table: f32,
        (wide, below): (bool, f32),
    ) {
        let width = ui.available_width();
        self.head(ui, scene);
        let runs = &scene.workbench.runs().runs;
        let curves = &self.curves;
        let output = self.table.ui(ui, runs, |at| curves.place(at), vec2(width, table));
        if let Some(run) = output.opened.and_then(|at| runs.get(at)) {
            runs_detail::to_the_pad(run, scene);
        }
        ui.add_space(12.0);
        let chosen: Vec<&Run> = runs.iter().filter(|run| self.table.selected.contains(&run.path)).collect();
        let side =
            |place: &mut Detail, ui: &mut Ui, scene: &mut Scene<'_>, form: &mut TrainingForm, width: f32| match chosen
                .as_slice()
            {
                [] => {
                    ui.label(text::label("Choose a run to see what can be done with it").color(theme::of(ui).text2));
                }
                [run] => place.one(ui, run, form, scene, width),
                several => place.several(ui, several, scene),
            };
        if !wide {
            self.curves.ui(ui, scene.dialogs, vec2(width, below.min(300.0)));
            ui.add_space(12.0);
            side(&mut self.detail, ui, scene, form, width.min(SIDE + 64.0));
            return;
        }
        let at = ui.cursor().min;
        let whole = Rect::from_min_size(at, vec2(width, below));
        ui.allocate_rect(whole, egui::Sense::hover());
        let left = Rect::from_min_max(at, pos2(whole.right() - SIDE - GAP, whole.bottom()));
        self.curves.ui(&mut ui.new_child(UiBuilder::new().max_rect(left)), scene.dialogs, left.size());
        let right = Rect::from_min_max(pos2(whole.right() - SIDE, at.y), whole.max);
        let mut column = ui.new_child(UiBuilder::new().max_rect(right));
        ScrollArea::vertical().id_salt("run").auto_shrink([false, false]).show(&mut column, |ui| {
            ui.set_clip_rect(ui.clip_rect().expand2(vec2(4.0, 0.0)));
            side(&mut self.detail, ui, scene, form, SIDE - 12.0);
        });
    }

    /// How many runs there are, which are shown, what waits.
    fn head(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) {
        let p = theme::of(ui);
        let view = scene.workbench.runs();
        let row = vec2(ui.available_width(), 32.0);
        ui.allocate_ui_with_layout(row, Layout::left_to_right(Align::Center), |ui| {
            ui.spacing_mut().item_spacing.x = 12.0;
            let words = if view.runs.len() == 1 {
                "1 run".to_owned()
            } else {
                format!("{} runs", text::count(view.runs.len() as u64))
            };
            ui.label(text::title(words));
            let known = models::CATALOG.iter().filter(|model| view.runs.iter().any(|run| run.model() == model.id));
            let known = known.map(|model| (Some(model.id.to_owned()), model.title));
            let options: Vec<(Option<String>, &str)> = std::iter::once((None, "All models")).chain(known).collect();
            field::choice(ui, "Model of the runs", &mut self.table.model, &options, 176.0);
            let waiting = scene.workbench.waiting_repeats().len();
            if waiting > 0 {
                let words = if waiting == 1 { "1 repeat waits".to_owned() } else { format!("{waiting} repeats wait") };
                ui.label(text::label(words).color(p.text));
                if ui.add(Button::quiet("Cancel").hint("What has begun goes on")).clicked() {
                    scene.push(Command::Runs(RunsCommand::CancelRepeats));
                }
            }
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                if ui.add(IconButton::new(icons::ARROW_CLOCKWISE, "Refresh")).clicked() {
                    scene.push(Command::Runs(RunsCommand::Refresh));
                }
                if let Some(problem) = &view.problem {
                    ui.add(egui::Label::new(text::label(problem).color(p.error)).truncate());
                } else if view.is_reading {
                    ui.label(text::label("Reading").color(p.text2));
                }
            });
        });
        ui.add_space(4.0);
    }

    /// Single keys are taken before the window takes them.
    fn keys(&mut self, ui: &Ui, scene: &mut Scene<'_>) {
        if ui.ctx().text_edit_focused() {
            return;
        }
        if ui.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Delete)) {
            self.delete_selected(scene);
        }
    }

    /// Deletes the chosen runs, but those that are being written.
    pub fn delete_selected(&mut self, scene: &mut Scene<'_>) {
        let runs = scene.workbench.runs().runs.iter();
        // what is not seen is not deleted
        let runs = runs.filter(|_| self.view == View::Runs);
        let chosen = runs.filter(|run| self.table.selected.contains(&run.path) && run.state != RunState::Running);
        let paths: Vec<PathBuf> = chosen.map(|run| run.path.clone()).collect();
        if !paths.is_empty() {
            scene.push(Command::Runs(RunsCommand::Delete(paths)));
        }
    }

    /// Says what was deleted, with a way back; one way back at a time.
    pub fn offer_undo(&mut self, workbench: &Workbench, notices: &mut Notices) {
        let deleted = workbench.runs().deleted.as_ref();
        let number = deleted.map(|(number, _)| *number);
        if number == self.undo.map(|(_, number)| number) {
            return;
        }
        if let Some((notice, _)) = self.undo.take() {
            notices.dismiss(notice);
        }
        if let Some((number, words)) = deleted {
            self.undo = Some((notices.push(NoticeKind::Done, words.as_str(), Some("Undo")), *number));
        }
    }

    /// Takes the deletion back where this is its notice.
    pub fn undo_if(&self, acted: Option<u64>, commands: &mut Vec<Command>) {
        if acted.is_some() && acted == self.undo.map(|(notice, _)| notice) {
            commands.push(Command::Runs(RunsCommand::Undo));
        }
    }
}

/// Nothing is listed: how that is changed.
fn empty(ui: &mut Ui, scene: &mut Scene<'_>) {
    let p = theme::of(ui);
    let view = scene.workbench.runs();
    ui.add_space(ui.available_height() * 0.4 - 64.0);
    ui.vertical_centered(|ui| {
        ui.label(text::icon(icons::ROWS, 32.0, text::IconWeight::Regular).color(p.text2));
        if let Some(problem) = &view.problem {
            ui.label(text::body(problem).color(p.error));
        } else if view.revision == 0 {
            ui.label(text::body("Reading the runs").color(p.text2));
            return;
        } else {
            ui.label(text::title("No runs yet"));
            let words = "Every training is kept here, with its settings, curves and weights.";
            ui.label(text::body(words).color(p.text2));
        }
        ui.add_space(8.0);
        if ui.add(Button::plain("Go to Train").icon(icons::CHART_LINE)).clicked() {
            *scene.go_to = Some(Place::Train);
        }
    });
    let at = ui.max_rect().left_bottom() - vec2(0.0, 8.0);
    let words = format!("Runs are kept in {}", scene.workbench.runs_folder().display());
    ui.painter().text(at, Align2::LEFT_BOTTOM, words, text::font(text::SMALL, text::Weight::Regular), p.text3);
}
