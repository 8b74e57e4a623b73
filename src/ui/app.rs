//! The window: two halves of a frame. `logic` takes in what workers, keys and dialogs say; `ui` shows it and gathers
//! commands, which the workbench obeys at the end of the frame.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use eframe::egui::{self, CentralPanel, Margin, Panel, Ui, ViewportCommand, vec2};

use super::closing::{Closing, PATIENCE};
use super::dialogs::{Dialogs, Purpose};
use super::keys::{self, Action};
use super::places::{DataPlace, DrawPlace, InsidePlace, MistakesPlace, Place, RunsPlace, Scene, TrainPlace, draw};
use super::training_form::TrainingForm;
use super::widgets::notice::{self, Notices};
use super::widgets::rail;
use super::{files, status, theme, time_strip, transport};
use crate::storage::{Settings, SettingsFile};
use crate::workbench::{Command, HandwritingCommand, NoticeKind, Workbench};

/// The whole window.
pub struct App {
    pub(super) workbench: Workbench,
    settings: Option<SettingsFile>,
    /// Where there is no file for settings they live as long as the window.
    loose_settings: Settings,
    place: Place,
    draw: DrawPlace,
    pub(super) train: TrainPlace,
    inside: InsidePlace,
    mistakes: MistakesPlace,
    pub(super) runs: RunsPlace,
    data: DataPlace,
    /// The notice that offers to take the last change of the kept drawings back, and the change.
    undo_notice: Option<(u64, u64)>,
    pub(super) form: TrainingForm,
    pub(super) dialogs: Dialogs,
    pub(super) notices: Notices,
    /// Notices of the workbench that have been shown.
    notices_seen: u64,
    /// The notice whose action pins again what was unpinned.
    offers_to_restore_pin: Option<u64>,
    /// The notice that offers to go on with an interrupted run, and the run.
    offers_to_resume: Option<(u64, PathBuf)>,
    help: bool,
    pub(super) closing: Closing,
    /// Set by SIGINT and SIGTERM.
    pub(super) asked_to_end: Arc<AtomicBool>,
}

impl App {
    pub fn new(workbench: Workbench, settings: Option<SettingsFile>, asked_to_end: Arc<AtomicBool>) -> Option<Self> {
        let form = TrainingForm::preset("lenet5", workbench.usual_source())?;
        Some(Self {
            workbench,
            settings,
            loose_settings: Settings::default(),
            place: Place::default(),
            draw: DrawPlace::default(),
            train: TrainPlace::default(),
            inside: InsidePlace::default(),
            mistakes: MistakesPlace::default(),
            runs: RunsPlace::default(),
            data: DataPlace::default(),
            undo_notice: None,
            form,
            dialogs: Dialogs::default(),
            notices: Notices::default(),
            notices_seen: 0,
            offers_to_restore_pin: None,
            offers_to_resume: None,
            help: false,
            closing: Closing::No,
            asked_to_end,
        })
    }

    pub fn workbench(&mut self) -> &mut Workbench {
        &mut self.workbench
    }

    /// Shows a sentence that came before the window.
    pub fn complain(&mut self, sentence: &str) {
        self.notices.push(notice::NoticeKind::Warning, sentence, None);
    }

    /// Goes to a place.
    pub fn go(&mut self, place: Place) {
        self.place = place;
    }

    pub(super) fn settings(&mut self) -> &mut Settings {
        self.settings.as_mut().map_or(&mut self.loose_settings, |file| &mut file.settings)
    }

    /// The first half of a frame: workers, files, keys, closing.
    pub fn listen(&mut self, ctx: &egui::Context) {
        let had_mnist = self.workbench.mnist_is_here();
        self.workbench.poll();
        if !had_mnist && self.workbench.mnist_is_here() {
            self.form.choose_source("mnist");
        }
        if let Some(before) = self.workbench.take_replaced() {
            self.place = Place::Draw;
            self.draw.remember(before);
        }
        if self.workbench.take_unpinned() {
            let notice = self.notices.push(notice::NoticeKind::Info, "A drawing was unpinned", Some("Undo"));
            self.offers_to_restore_pin = Some(notice);
        }
        self.offer_to_resume();
        self.offer_undo();
        self.runs.offer_undo(&self.workbench, &mut self.notices);
        self.take_in_files(ctx);
        // while the pen is down a pause for the disk would be felt
        if !ctx.input(|input| input.pointer.any_down()) {
            self.save_settings();
        }
        self.watch_closing(ctx);
        for notice in self.workbench.notices() {
            if notice.id >= self.notices_seen {
                self.notices_seen = notice.id + 1;
                let kind = match notice.kind {
                    NoticeKind::Info => notice::NoticeKind::Info,
                    NoticeKind::Problem => notice::NoticeKind::Failure,
                };
                self.notices.push(kind, notice.text.as_str(), None);
            }
        }
    }

    /// Offers the run that was interrupted, once, until a training begins.
    fn offer_to_resume(&mut self) {
        match (self.workbench.interrupted_run(), &self.offers_to_resume) {
            (Some((run, sentence)), None) => {
                let run = run.to_owned();
                self.offers_to_resume = Some((self.notices.offer(sentence, "Resume"), run));
            }
            (None, Some((notice, _))) => {
                self.notices.dismiss(*notice);
                self.offers_to_resume = None;
            }
            _ => {}
        }
    }

    /// The second half: everything visible, then the commands it led to.
    pub fn show(&mut self, ui: &mut Ui) {
        let actions = if self.closing == Closing::No { keys::actions(ui.ctx()) } else { Vec::new() };
        let mut commands = Vec::new();
        let mut go_to = None;
        let mut settings = self.settings().clone();
        {
            let mut scene = Scene {
                workbench: &self.workbench,
                commands: &mut commands,
                dialogs: &mut self.dialogs,
                settings: &mut settings,
                go_to: &mut go_to,
            };
            for action in actions {
                match action {
                    Action::Go(place) => self.place = place,
                    Action::PlayOrPause => transport::play_or_pause(&self.form, &mut scene),
                    Action::Live => scene.push(Command::LookBack(None)),
                    Action::ResetZoom => self.train.reset_zoom(),
                    Action::StepBatch => transport::step_once(&self.form, false, &mut scene),
                    Action::StepEpoch => transport::step_once(&self.form, true, &mut scene),
                    Action::Reset => scene.push(Command::ResetTraining),
                    // what the pen is drawing now is neither cleared nor undone
                    Action::Clear | Action::Delete | Action::Undo | Action::Redo | Action::Pin
                        if self.draw.is_drawing() => {}
                    Action::Delete if self.place == Place::Runs => self.runs.delete_selected(&mut scene),
                    Action::Undo if self.place == Place::Runs => self.runs.undo(&mut scene),
                    Action::Delete if self.place == Place::Data => self.data.delete_selected(&mut scene),
                    Action::Undo if self.place == Place::Data => {
                        scene.push(Command::Handwriting(HandwritingCommand::Undo));
                    }
                    Action::Label(digit) if self.place == Place::Data => self.data.relabel_selected(digit, &mut scene),
                    // what is not seen is neither cleared nor drawn again
                    Action::Clear | Action::Redo if matches!(self.place, Place::Runs | Place::Data) => {}
                    Action::Clear | Action::Delete => self.draw.clear(&mut scene),
                    Action::Undo => self.draw.undo(&mut scene),
                    Action::Redo => self.draw.redo(&mut scene),
                    Action::Pin => scene.push(Command::PinDrawing),
                    Action::Eraser => self.draw.toggle_eraser(),
                    Action::Guides => self.draw.toggle_guides(),
                    // what is not seen is not labelled
                    Action::Label(_) if !matches!(self.place, Place::Draw | Place::Inside) => {}
                    Action::Label(digit) => {
                        let again = scene.workbench.true_label() == Some(digit);
                        scene.push(Command::KeepDrawing((!again).then_some(digit)));
                        if scene.settings.keeping_clears_pad && !again {
                            self.draw.clear(&mut scene);
                        }
                    }
                    Action::Narrower => self.draw.change_width(-0.01, &mut scene),
                    Action::Wider => self.draw.change_width(0.01, &mut scene),
                    Action::OpenPicture => scene.dialogs.ask(Purpose::OpenPicture),
                    Action::SavePicture => scene.dialogs.ask(Purpose::SavePicture),
                    Action::CopyPicture => {
                        if let Some(preparation) = scene.workbench.preparation() {
                            draw::copy_image(ui.ctx(), &preparation.image);
                        }
                    }
                    Action::Theme => transport::next_theme(ui.ctx(), &mut scene),
                    Action::FullScreen => {
                        let full = ui.input(|input| input.viewport().fullscreen.unwrap_or(false));
                        ui.send_viewport_cmd(ViewportCommand::Fullscreen(!full));
                    }
                    Action::Help => self.help = !self.help,
                    Action::Close if self.help => self.help = false,
                    Action::Close => scene.push(Command::SelectImage(None)),
                }
            }
            let p = theme::of(ui);
            let bar = egui::Frame::new().fill(p.bar);
            Panel::top("transport").exact_size(48.0).frame(bar.inner_margin(Margin::symmetric(12, 8))).show(ui, |ui| {
                transport::bar(ui, &self.form, &mut self.help, &mut scene);
            });
            Panel::bottom("status").exact_size(24.0).frame(bar.inner_margin(Margin::symmetric(16, 3))).show(ui, |ui| {
                status::line(ui, scene.workbench, self.place, self.runs.keys_in_words());
            });
            if let Some(time) = scene.workbench.time() {
                Panel::bottom("time").exact_size(56.0).frame(bar.inner_margin(Margin::symmetric(16, 0))).show(
                    ui,
                    |ui| {
                        time_strip::strip(ui, &time, &mut scene);
                    },
                );
            }
            let margin = Margin { left: 8, right: 8, top: 12, bottom: 8 };
            Panel::left("rail").exact_size(72.0).frame(bar.inner_margin(margin)).show(ui, |ui| {
                for (place, icon, name, key) in Place::ALL {
                    if rail::rail_item(ui, icon, name, key, self.place == place).clicked() {
                        self.place = place;
                    }
                }
            });
            let margin = Margin { left: 24, right: 24, top: 24, bottom: 12 };
            CentralPanel::default().frame(egui::Frame::new().fill(p.bg).inner_margin(margin)).show(ui, |ui| match self
                .place
            {
                Place::Draw => self.draw.ui(ui, &mut scene),
                Place::Train => self.train.ui(ui, &mut self.form, &mut scene),
                Place::Inside => self.inside.ui(ui, &mut self.draw, &mut scene),
                Place::Mistakes => self.mistakes.ui(ui, &mut scene),
                Place::Runs => self.runs.ui(ui, &mut self.form, &mut scene),
                Place::Data => self.data.ui(ui, &mut scene),
            });
        }
        // models that nobody looks at are not asked
        let compares = self.place == Place::Draw && self.draw.shows_all_models();
        if compares != self.workbench.compares_models() {
            commands.push(Command::CompareModels(compares));
        }
        files::drop_target(ui);
        keys::help(ui.ctx(), &mut self.help, self.workbench.runs_folder());
        self.ask_about_closing(ui.ctx());
        let corner = ui.max_rect().right_bottom() - vec2(24.0, 40.0);
        let acted = self.notices.show(ui.ctx(), corner);
        if let Some((_, run)) = self.offers_to_resume.take_if(|(notice, _)| acted == Some(*notice)) {
            commands.push(Command::ResumeRun(run));
            go_to = Some(Place::Train);
        }
        if acted.is_some() && acted == self.offers_to_restore_pin {
            commands.push(Command::RestorePin);
        }
        if acted.is_some() && acted == self.undo_notice.map(|(notice, _)| notice) {
            commands.push(Command::Handwriting(HandwritingCommand::Undo));
        }

        self.runs.undo_if(acted, &mut commands);
        if let Some(complaint) = self.dialogs.take_complaint() {
            self.notices.push(notice::NoticeKind::Warning, complaint, None);
        }
        *self.settings() = settings;
        if let Some(place) = go_to {
            self.place = place;
        }
        for command in commands {
            // a picture from elsewhere takes the place of the drawing; undo brings that back
            if go_to == Some(Place::Draw) && matches!(command, Command::SetDrawing(_)) {
                self.draw.remember(self.workbench.drawing().clone());
            }
            self.workbench.handle(command);
        }
    }

    /// Says what became of the kept drawings, with a way back.
    fn offer_undo(&mut self) {
        let Some(told) = self.workbench.handwriting().told.clone() else { return };
        if self.undo_notice.is_some_and(|(_, number)| number == told.number) {
            return;
        }
        // one way back at a time: it leads to before the last change
        if let Some((notice, _)) = self.undo_notice {
            self.notices.dismiss(notice);
        }
        let notice = self.notices.push(notice::NoticeKind::Done, told.text, Some("Undo"));
        self.undo_notice = Some((notice, told.number));
    }

    /// Ends the workers and keeps the settings.
    pub fn end(&mut self) {
        self.workbench.shut_down(PATIENCE);
        self.save_settings();
    }

    fn save_settings(&mut self) {
        if let Some(file) = &mut self.settings
            && let Err(error) = file.save()
        {
            self.notices.push(notice::NoticeKind::Warning, format!("Settings could not be kept: {error}"), None);
        }
    }
}

impl eframe::App for App {
    fn logic(&mut self, ctx: &egui::Context, frame: &mut eframe::Frame) {
        self.listen(ctx);
        self.dialogs(ctx, frame);
    }

    fn ui(&mut self, ui: &mut Ui, _: &mut eframe::Frame) {
        self.show(ui);
    }

    fn on_exit(&mut self, _: Option<&eframe::glow::Context>) {
        self.end();
    }

    fn clear_color(&self, visuals: &egui::Visuals) -> [f32; 4] {
        visuals.panel_fill.to_normalized_gamma_f32()
    }
}
