//! File dialogs that never block: the system's dialog is a future, and every frame asks it once.

use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use eframe::egui;
use rfd::{AsyncFileDialog, FileHandle};

use crate::storage::figure::CurvesForm;
use crate::storage::handwriting_export::ExportForm;
use crate::storage::picture_file::EXTENSIONS;

/// What the file is wanted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    OpenPicture,
    SavePicture,
    OpenWeights,
    /// A configuration of a training.
    OpenConfig,
    SaveConfig,
    /// A plan of an ablation, and the report on one.
    OpenPlan,
    SaveReport,
    /// Strokes of kept drawings.
    ImportDrawings,
    /// A file for strokes, a folder for the others.
    ExportDrawings(ExportForm),
    ExportCurves(CurvesOf, CurvesForm),
}

/// Whose curves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CurvesOf {
    /// Of the training that Train shows.
    Training,
    /// Of the runs that are chosen in Runs.
    Runs,
}

struct Open {
    purpose: Purpose,
    future: Pin<Box<dyn Future<Output = Option<FileHandle>>>>,
    since: Instant,
}

/// A dialog that has not answered in this time may never: some desktops promise dialogs and show none.
const PATIENCE: Duration = Duration::from_secs(30);

/// At most one dialog at a time.
#[derive(Default)]
pub struct Dialogs {
    wanted: Option<Purpose>,
    open: Option<Open>,
    complaint: Option<&'static str>,
}

/// Repaints the window when the dialog has something to say.
struct Repaint(egui::Context);

impl Wake for Repaint {
    fn wake(self: Arc<Self>) {
        self.0.request_repaint();
    }
}

impl Dialogs {
    /// Opens a dialog at the next [`Dialogs::poll`], unless one is open. One that has been silent for long is given up.
    pub fn ask(&mut self, purpose: Purpose) {
        if self.open.as_ref().is_some_and(|open| open.since.elapsed() > PATIENCE) {
            self.open = None;
            self.complaint = Some(
                "The system's file dialog did not answer. Drop the file on the window, paste the picture, or start \
                 digitpad with the file's name",
            );
        }
        if self.open.is_none() {
            self.wanted = Some(purpose);
        }
    }

    /// What the person should know about dialogs, once.
    pub fn take_complaint(&mut self) -> Option<&'static str> {
        self.complaint.take()
    }

    /// Once a frame: opens what was asked for, and answers the file that was chosen.
    pub fn poll(
        &mut self,
        ctx: &egui::Context,
        frame: &eframe::Frame,
        folder: Option<&PathBuf>,
    ) -> Option<(Purpose, PathBuf)> {
        if let Some(purpose) = self.wanted.take() {
            let mut dialog = AsyncFileDialog::new().set_parent(frame);
            if let Some(folder) = folder {
                dialog = dialog.set_directory(folder);
            }
            let future: Pin<Box<dyn Future<Output = Option<FileHandle>>>> = match purpose {
                Purpose::OpenPicture => {
                    let dialog = dialog.set_title("Open a picture of a digit").add_filter("Pictures", &EXTENSIONS);
                    Box::pin(dialog.pick_file())
                }
                Purpose::SavePicture => {
                    let dialog = dialog.set_title("Save the network's image").add_filter("PNG", &["png"]);
                    Box::pin(dialog.set_file_name("digit.png").save_file())
                }
                Purpose::OpenWeights => {
                    let dialog = dialog.set_title("Open weights").add_filter("Weights", &["safetensors"]);
                    Box::pin(dialog.pick_file())
                }
                Purpose::OpenConfig => {
                    let dialog = dialog.set_title("Open settings of a training").add_filter("Settings", &["toml"]);
                    Box::pin(dialog.pick_file())
                }
                Purpose::SaveConfig => {
                    let dialog = dialog.set_title("Save the settings").add_filter("Settings", &["toml"]);
                    Box::pin(dialog.set_file_name("config.toml").save_file())
                }
                Purpose::OpenPlan => {
                    let dialog = dialog.set_title("Open a plan").add_filter("Plans", &["toml"]);
                    Box::pin(dialog.pick_file())
                }
                Purpose::SaveReport => {
                    let dialog = dialog.set_title("Save the report").add_filter("Markdown", &["md"]);
                    Box::pin(dialog.set_file_name("report.md").save_file())
                }
                Purpose::ImportDrawings => {
                    let dialog = dialog.set_title("Import strokes").add_filter("Strokes", &["jsonl", "json"]);
                    Box::pin(dialog.pick_file())
                }
                Purpose::ExportDrawings(ExportForm::Strokes) => {
                    let dialog = dialog.set_title("Export strokes").add_filter("Strokes", &["jsonl"]);
                    Box::pin(dialog.set_file_name("my-handwriting.jsonl").save_file())
                }
                Purpose::ExportDrawings(_) => {
                    let dialog = dialog.set_title("Choose a folder for the drawings");
                    Box::pin(dialog.pick_folder())
                }
                Purpose::ExportCurves(of, form) => {
                    let stem = if of == CurvesOf::Runs { "runs" } else { "curves" };
                    let (name, ending) = (format!("{stem}.{}", form.ending()), [form.ending()]);
                    let dialog = dialog.set_title("Export curves").add_filter("Curves", &ending);
                    Box::pin(dialog.set_file_name(name).save_file())
                }
            };
            self.open = Some(Open { purpose, future, since: Instant::now() });
        }
        let open = self.open.as_mut()?;
        let waker = Waker::from(Arc::new(Repaint(ctx.clone())));
        match open.future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Pending => None,
            Poll::Ready(file) => {
                let purpose = open.purpose;
                self.open = None;
                file.map(|file| (purpose, file.path().to_owned()))
            }
        }
    }
}
