//! How the window closes while a training is under way.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use eframe::egui::{self, ViewportCommand};

use super::app::App;
use super::widgets::button::Button;
use super::{style, text, theme};
use crate::workbench::Command;

/// Closing while a training is under way asks first.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Closing {
    No,
    Asking,
    /// The run is being stopped and saved.
    Saving(Instant),
}

/// A run that does not stop in this time is left behind; its last epoch is on the disk.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

impl App {
    /// Lets a program that is asked to end leave its training first, and a window that is closed ask.
    pub(super) fn watch_closing(&mut self, ctx: &egui::Context) {
        if self.asked_to_end.load(Ordering::Relaxed) && !matches!(self.closing, Closing::Saving(_)) {
            self.workbench.handle(Command::LeaveTraining);
            self.closing = Closing::Saving(Instant::now());
        }
        let under_way = self.workbench.training_is_under_way();
        let waited_enough = matches!(self.closing, Closing::Saving(since) if since.elapsed() > PATIENCE);
        if ctx.input(|input| input.viewport().close_requested()) && under_way && !waited_enough {
            ctx.send_viewport_cmd(ViewportCommand::CancelClose);
            if self.closing == Closing::No {
                self.closing = Closing::Asking;
            }
        }
        match self.closing {
            Closing::Saving(since) if !under_way || since.elapsed() > PATIENCE => {
                ctx.send_viewport_cmd(ViewportCommand::Close);
            }
            Closing::Saving(_) => ctx.request_repaint_after(Duration::from_millis(50)),
            Closing::Asking if !under_way => self.closing = Closing::No,
            _ => {}
        }
    }

    /// What is to become of the training.
    pub(super) fn ask_about_closing(&mut self, ctx: &egui::Context) {
        if self.closing == Closing::No {
            return;
        }
        let p = theme::of_theme(ctx.theme());
        egui::Modal::new(egui::Id::unique("closing")).frame(style::card(p)).show(ctx, |ui| {
            ui.set_width(340.0);
            if matches!(self.closing, Closing::Saving(_)) {
                ui.label(text::heading("Saving the run"));
                return;
            }
            ui.label(text::heading("A training is under way"));
            let words = "Stop it here and go on at the next start, or let it go on now.";
            ui.label(text::body(words).color(p.text2));
            ui.add_space(8.0);
            ui.horizontal(|ui| {
                if ui.add(Button::primary("Stop, save and close")).clicked() {
                    self.workbench.handle(Command::LeaveTraining);
                    self.closing = Closing::Saving(Instant::now());
                }
                let stay = ui.add(Button::plain("Keep training")).clicked();
                if stay || ui.input(|input| input.key_pressed(egui::Key::Escape)) {
                    self.closing = Closing::No;
                }
            });
        });
    }
}
