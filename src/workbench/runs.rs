//! All runs of the folder: read on a thread of their own, renamed, annotated, deleted with a way back, and opened in the
//! system's file manager. Repeats with other seeds are in `repeats.rs`.

use std::path::{Path, PathBuf};
use std::process::{Command as Process, Stdio};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Result, anyhow, bail};

use super::newest::Newest;
use super::repeats::Repeats;
use super::trainer::TrainerEvent;
use super::{NoticeKind, Wake, Workbench, WorkerEvent};
use crate::storage::run_note::{self, RunNote};
use crate::storage::run_removal;
use crate::storage::runs::{self, Run};
use crate::training::Ending;

/// What a person can do with runs that were recorded.
#[derive(Clone, Debug)]
pub enum RunsCommand {
    /// Read the folder again.
    Refresh,
    /// Give a run another name, or none of its own; its folder stays where it is.
    Rename(PathBuf, String),
    /// Write something down about a run.
    Note(PathBuf, String),
    /// Put runs aside; [`RunsCommand::Undo`] brings back what went last.
    Delete(Vec<PathBuf>),
    Undo,
    /// Show a run's folder in the system's file manager.
    OpenFolder(PathBuf),
    /// Train with these settings again, with so many seeds that no listed run of the same settings has had, one after the other.
    RepeatWithSeeds(PathBuf, u32),
    /// Forget the repeats that have not begun.
    CancelRepeats,
}

/// What the threads tell about runs.
pub(super) enum RunsEvent {
    Listed(Result<Vec<Run>, String>),
    /// A change is done or has failed; the folder is to be read again.
    Changed(Result<(), String>),
    Deleted {
        /// Where each run was, and where it lies now.
        aside: Vec<(PathBuf, PathBuf)>,
        failed: Vec<String>,
    },
    Told(String),
}

/// The runs that panels show.
#[derive(Default)]
pub struct RunsView {
    /// The newest first.
    pub runs: Vec<Run>,
    /// Counts readings up.
    pub revision: u64,
    /// Whether the folder is being read.
    pub is_reading: bool,
    /// Why the folder could not be read.
    pub problem: Option<String>,
    /// What was deleted last and can come back: a number that counts up, and a sentence.
    pub deleted: Option<(u64, String)>,
    aside: Vec<(PathBuf, PathBuf)>,
    deletions: u64,
}

impl RunsView {
    /// The run in this folder.
    pub fn find(&self, path: &Path) -> Option<&Run> {
        self.runs.iter().find(|run| run.path == path)
    }
}

/// What the workbench keeps of runs.
pub(super) struct Runs {
    pub view: RunsView,
    pub repeats: Repeats,
    reader: Newest<PathBuf>,
    /// Changes that are being made: what is read meanwhile may be older than what is shown.
    changing: usize,
    /// Held while a note is read and written again.
    notes: Arc<Mutex<()>>,
    sender: Sender<WorkerEvent>,
    wake: Wake,
}

impl Runs {
    /// Starts the thread that reads.
    pub fn start(sender: Sender<WorkerEvent>, wake: Wake) -> Result<Self> {
        let reader = Newest::start("runs", sender.clone(), Wake::clone(&wake), |folder: &PathBuf, waiting| {
            let found = runs::read_all(folder, &|| waiting.is_overtaken());
            let failed = |error| format!("The runs folder cannot be read ({error}): {}", folder.display());
            Ok(found.map_err(failed).transpose().map(|listed| WorkerEvent::Runs(RunsEvent::Listed(listed))))
        })?;
        Ok(Self {
            view: RunsView::default(),
            repeats: Repeats::default(),
            reader,
            changing: 0,
            notes: Arc::default(),
            sender,
            wake,
        })
    }

    /// Does something to folders on a thread of its own.
    fn beside(&mut self, work: impl FnOnce() -> RunsEvent + Send + 'static) {
        self.changing += 1;
        let (sender, wake) = (self.sender.clone(), Arc::clone(&self.wake));
        let spawned = std::thread::Builder::new().name("runs, a change".to_owned()).spawn(move || {
            let _gone = sender.send(WorkerEvent::Runs(work()));
            wake(Duration::ZERO);
        });
        if let Err(error) = spawned {
            let text = format!("The run could not be changed: {error}");
            let _gone = self.sender.send(WorkerEvent::Runs(RunsEvent::Changed(Err(text))));
        }
    }
}

/// What an event of a training means for the list of runs.
#[derive(Clone, Copy)]
pub(super) enum ForRuns {
    Begun,
    /// The run has ended; whether the repeats that wait may begin.
    Ended {
        may_repeat: bool,
    },
    Nothing,
}

impl From<&TrainerEvent> for ForRuns {
    fn from(event: &TrainerEvent) -> Self {
        match event {
            TrainerEvent::Begun { .. } => Self::Begun,
            // whoever stops a run does not want the next one to begin at once
            TrainerEvent::Ended(Ok(ended)) => Self::Ended { may_repeat: ended.ending != Ending::Stopped },
            TrainerEvent::Ended(Err(_)) => Self::Ended { may_repeat: false },
            _ => Self::Nothing,
        }
    }
}

impl Workbench {
    /// The runs in the folder, as they were when it was read last.
    pub fn runs(&self) -> &RunsView {
        &self.beside.runs.view
    }

    pub(super) fn handle_runs(&mut self, command: RunsCommand) {
        match command {
            RunsCommand::Refresh => self.list_runs(),
            RunsCommand::Rename(run, title) => {
                self.show_at_once(&run, |shown| shown.title.clone_from(&title));
                self.annotate(run, move |note| note.title = title);
            }
            RunsCommand::Note(run, text) => {
                self.show_at_once(&run, |shown| shown.note.clone_from(&text));
                self.annotate(run, move |note| note.note = text);
            }
            RunsCommand::Delete(paths) => self.beside.runs.beside(move || delete(&paths)),
            RunsCommand::Undo => self.bring_back(),
            RunsCommand::OpenFolder(run) => self.beside.runs.beside(move || match open_folder(&run) {
                Ok(()) => RunsEvent::Changed(Ok(())),
                Err(error) => RunsEvent::Told(format!("{error:#}")),
            }),
            RunsCommand::RepeatWithSeeds(run, seeds) => self.repeat_with_seeds(&run, seeds),
            RunsCommand::CancelRepeats => self.cancel_repeats(),
        }
    }

    /// Reads the folder again; what is being read now is not finished.
    pub(super) fn list_runs(&mut self) {
        self.beside.runs.view.is_reading = true;
        self.beside.runs.reader.ask(self.options.runs.clone());
    }

    /// What was typed is seen while the disk is still asked.
    fn show_at_once(&mut self, run: &Path, change: impl FnOnce(&mut Run)) {
        let view = &mut self.beside.runs.view;
        if let Some(shown) = view.runs.iter_mut().find(|shown| shown.path == run) {
            change(shown);
            view.revision += 1;
        }
    }

    fn annotate(&mut self, run: PathBuf, change: impl FnOnce(&mut RunNote) + Send + 'static) {
        let one_at_a_time = Arc::clone(&self.beside.runs.notes);
        self.beside.runs.beside(move || {
            let _others_wait = one_at_a_time.lock().unwrap_or_else(PoisonError::into_inner);
            // a note that cannot be read is not written over
            let written = run_note::read(&run).and_then(|mut note| {
                change(&mut note);
                run_note::write(&run, &note)
            });
            RunsEvent::Changed(written.map_err(|error| format!("The run could not be changed: {error:#}")))
        });
    }

    fn bring_back(&mut self) {
        self.beside.runs.view.deleted = None;
        let aside = std::mem::take(&mut self.beside.runs.view.aside);
        if aside.is_empty() {
            return;
        }
        self.beside.runs.beside(move || {
            let restored: Vec<Result<()>> = aside.iter().map(|(run, aside)| run_removal::restore(aside, run)).collect();
            let failed = restored.into_iter().find_map(Result::err);
            RunsEvent::Changed(failed.map_or(Ok(()), |error| Err(format!("{error:#}"))))
        });
    }

    pub(super) fn runs_said(&mut self, event: RunsEvent) {
        let runs = &mut self.beside.runs;
        if !matches!(event, RunsEvent::Listed(_)) {
            runs.changing = runs.changing.saturating_sub(1);
        }
        let view = &mut runs.view;
        match event {
            // every change is followed by another reading
            RunsEvent::Listed(_) if runs.changing > 0 => {}
            RunsEvent::Listed(listed) => {
                view.is_reading = false;
                view.revision += 1;
                match listed {
                    Ok(runs) => (view.runs, view.problem) = (runs, None),
                    Err(text) => view.problem = Some(text),
                }
            }
            RunsEvent::Changed(changed) => {
                if let Err(text) = changed {
                    self.notify(NoticeKind::Problem, text);
                }
                self.list_runs();
            }
            RunsEvent::Deleted { aside, failed } => {
                if !aside.is_empty() {
                    view.deletions += 1;
                    let words = if aside.len() == 1 {
                        "A run was deleted".to_owned()
                    } else {
                        format!("{} runs were deleted", aside.len())
                    };
                    view.deleted = Some((view.deletions, words));
                    view.aside = aside;
                }
                failed.into_iter().for_each(|text| self.notify(NoticeKind::Problem, text));
                self.list_runs();
            }
            RunsEvent::Told(text) => {
                self.notify(NoticeKind::Problem, text);
                self.list_runs();
            }
        }
    }

    /// The list follows the run that begins or ends, and the next repeat begins.
    pub(super) fn tell_runs(&mut self, what: ForRuns) {
        match what {
            ForRuns::Begun => self.list_runs(),
            ForRuns::Ended { may_repeat } => {
                self.list_runs();
                if may_repeat {
                    self.begin_next_repeat();
                } else {
                    self.cancel_repeats();
                }
            }
            ForRuns::Nothing => {}
        }
    }
}

fn delete(paths: &[PathBuf]) -> RunsEvent {
    let (mut aside, mut failed) = (Vec::new(), Vec::new());
    for path in paths {
        match run_removal::put_aside(path) {
            Ok(to) => aside.push((path.clone(), to)),
            Err(error) => failed.push(format!("A run could not be deleted: {error:#}")),
        }
    }
    RunsEvent::Deleted { aside, failed }
}

/// Asks the system to show a folder.
fn open_folder(folder: &Path) -> Result<()> {
    if !folder.is_dir() {
        bail!("this folder is no longer there: {}", folder.display());
    }
    let program = if cfg!(target_os = "windows") {
        "explorer"
    } else if cfg!(target_os = "macos") {
        "open"
    } else {
        "xdg-open"
    };
    let folder = std::path::absolute(folder)?;
    let cannot =
        |why: String| anyhow!("no file manager could be opened ({program}: {why}); the folder is {}", folder.display());
    let mut process = Process::new(program);
    process.arg(&folder).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let status = process.status().map_err(|error| cannot(error.to_string()))?;
    // the explorer of Windows answers 1 whatever happens
    if status.success() || cfg!(target_os = "windows") { Ok(()) } else { Err(cannot(status.to_string())) }
}
