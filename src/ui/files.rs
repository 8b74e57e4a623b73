//! Files that come into the window, and those that it writes.

use std::path::PathBuf;
use std::sync::Arc;

use eframe::egui::{self, Align2, Color32, Event, Ui};

use super::app::App;
use super::dialogs::{CurvesOf, Purpose};
use super::places::Place;
use super::{text, theme};
use crate::storage::ablation;
use crate::workbench::{AblationCommand, Command, HandwritingCommand};

impl App {
    /// Pictures that were dropped, pasted or chosen in a dialog.
    pub(super) fn take_in_files(&mut self, ctx: &egui::Context) {
        let (dropped, pasted) = ctx.input(|input| {
            let dropped: Vec<PathBuf> = input.raw.dropped_files.iter().map(|file| file.path().to_owned()).collect();
            let pasted = input.events.iter().find_map(|event| match event {
                Event::PasteImage(image) => Some(Arc::clone(image)),
                _ => None,
            });
            (dropped, pasted)
        });
        for path in dropped.into_iter().filter(|path| !path.as_os_str().is_empty()) {
            self.open(path);
        }
        if let Some(image) = pasted {
            let [width, height] = image.size;
            let rgba = image.pixels.iter().flat_map(Color32::to_srgba_unmultiplied).collect();
            self.workbench.handle(Command::PastePicture { width, height, rgba });
        }
    }

    /// Opens a picture, weights, a plan, or settings of a training, by the file's ending.
    pub fn open(&mut self, path: PathBuf) {
        if ablation::is_plan(&path) {
            self.open_plan(path);
            return;
        }
        if path.extension().is_some_and(|ending| ending == "toml") {
            self.open_config(&path);
            return;
        }
        if path.extension().is_some_and(|ending| ending == "safetensors") {
            self.workbench.handle(Command::LoadModel(path));
        } else {
            self.workbench.handle(Command::OpenPicture(path));
        }
    }

    /// A plan of an ablation becomes a card.
    fn open_plan(&mut self, path: PathBuf) {
        let name = ablation::read_plan(&path).ok().map(|plan| plan.name);
        self.workbench.handle(Command::Ablations(AblationCommand::Open(path)));
        // what cannot be used is told in a notice
        if let Some(name) = name {
            self.runs.show_plan(name);
            self.go(Place::Runs);
        }
    }

    /// Polls the file dialog.
    pub fn dialogs(&mut self, ctx: &egui::Context, frame: &eframe::Frame) {
        let folder = self.settings().last_folder.clone();
        let Some((purpose, path)) = self.dialogs.poll(ctx, frame, folder.as_ref()) else { return };
        self.settings().last_folder = path.parent().map(PathBuf::from);
        match purpose {
            Purpose::OpenPicture => self.workbench.handle(Command::OpenPicture(path)),
            Purpose::SavePicture => {
                let path = if path.extension().is_some() { path } else { path.with_extension("png") };
                self.workbench.handle(Command::SavePicture(path));
            }
            Purpose::OpenConfig => self.open_config(&path),
            Purpose::SaveConfig => self.save_config(path),
            Purpose::OpenPlan => self.open_plan(path),
            Purpose::SaveReport => {
                if let Some(command) = self.runs.save_report(path) {
                    self.workbench.handle(command);
                }
            }
            Purpose::OpenWeights => self.workbench.handle(Command::LoadModel(path)),
            Purpose::ImportDrawings => self.workbench.handle(Command::Handwriting(HandwritingCommand::Import(path))),
            Purpose::ExportDrawings(form) => {
                self.workbench.handle(Command::Handwriting(HandwritingCommand::Export(form, path)));
            }
            Purpose::ExportCurves(of, form) => {
                let settings = self.settings().clone();
                let command = match of {
                    CurvesOf::Training => self.train.export(form, path, &self.workbench, &settings),
                    CurvesOf::Runs => self.runs.export(form, path, &self.workbench),
                };
                if let Some(command) = command {
                    self.workbench.handle(command);
                }
            }
        }
    }
}

/// While files hover over the window: what dropping them will do.
pub(super) fn drop_target(ui: &Ui) {
    if ui.input(|input| input.raw.hovered_files.is_empty()) {
        return;
    }
    let p = theme::of(ui);
    let rect = ui.ctx().content_rect();
    let painter = ui.ctx().layer_painter(egui::LayerId::new(egui::Order::Foreground, egui::Id::unique("drop")));
    painter.rect_filled(rect, 0.0, p.bg.gamma_multiply(0.85));
    let font = text::font(text::TITLE, text::Weight::Semibold);
    painter.text(
        rect.center(),
        Align2::CENTER_CENTER,
        "Drop a picture of a digit, weights, settings of a training, or a plan",
        font,
        p.text,
    );
}
