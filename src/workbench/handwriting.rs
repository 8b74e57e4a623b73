//! The drawings that the person keeps: how they change and are changed back, and the threads that write the file and make
//! the images. Of these, too, only the newest state counts. Who asks for changes is told in `keeping.rs`.

use std::path::{Path, PathBuf};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Result;

use super::handwriting_scores::{ScoreEvent, Scores};
use super::newest::Newest;
use super::{TrainingView, Wake, WorkerEvent};
use crate::drawing::{DigitImage, Drawing, PIXELS, Recipe, prepare};
use crate::storage::FineTuning;
use crate::storage::handwriting::{Handwriting, KeptDrawing};
use crate::storage::handwriting_export::{ExportForm, Imported};
use crate::training::TrainingConfig;

/// One wish about the kept drawings.
#[derive(Clone, Debug)]
pub enum HandwritingCommand {
    /// Drawings of these ids are kept no longer.
    Delete(Vec<String>),
    Relabel {
        id: String,
        label: u8,
    },
    /// Takes the last change back.
    Undo,
    /// The drawing that has just been put on the pad is this kept one.
    OnPad(String),
    /// Keeps the drawings of a file of strokes.
    Import(PathBuf),
    Export(ExportForm, PathBuf),
    /// Asks every model about every kept drawing.
    Score,
    CancelScoring,
    /// Trains from the weights of this name (see [`super::Workbench::starts`]) on half of each digit.
    FineTune(String),
}

/// What the workers tell.
pub(super) enum HandwritingEvent {
    Measured(Vec<(String, Arc<Drawing>, Option<Measured>)>),
    Written(Result<(), String>),
    Imported(Result<Imported, String>),
    Exported(Result<String, String>),
    ReadyToTrain(Result<Box<TrainingConfig>, String>),
    Score(ScoreEvent),
}

/// What a drawing is to a network.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    pub image: DigitImage,
    /// Mean width of the lines as drawn, in pixels of the digit image.
    pub line_width: f32,
}

/// A kept drawing as panels see it.
#[derive(Clone, Debug, PartialEq)]
pub struct KeptView {
    pub kept: KeptDrawing,
    /// `None` until its image has been made.
    pub measured: Option<Measured>,
}

impl KeptView {
    pub fn image(&self) -> Option<&[u8; PIXELS]> {
        self.measured.as_ref().map(|measured| &measured.image.pixels)
    }
}

/// Something to tell the person that can be taken back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    pub number: u64,
    pub text: String,
}

enum Change {
    Added(Vec<String>),
    Removed(Vec<(usize, KeptView)>),
    Relabelled { id: String, before: u8 },
}

/// Changes that undo takes back, at most.
const MOST_UNDO: usize = 100;

/// The kept drawings, and all that is known of them.
pub struct HandwritingView {
    /// In the order in which they were kept.
    pub drawings: Vec<KeptView>,
    /// Counts up with every change of the drawings, their labels and their images.
    pub revision: u64,
    pub scores: Scores,
    /// What the last fine-tuning was worth, with the title of its model.
    pub fine_tuned: Option<(String, FineTuning)>,
    /// The newest change that can be taken back.
    pub told: Option<Told>,
    file: Option<PathBuf>,
    damaged: Vec<String>,
    /// Id of the kept drawing that is on the pad.
    pub(super) on_pad: Option<String>,
    undo: Vec<Change>,
    sender: Sender<WorkerEvent>,
    wake: Wake,
    writer: Newest<Save>,
    saved: Arc<Mutex<u64>>,
    saves: u64,
    measurer: Newest<Vec<(String, Arc<Drawing>)>>,
}

/// The file as it is to be.
struct Save {
    number: u64,
    content: Handwriting,
    path: PathBuf,
    saved: Arc<Mutex<u64>>,
}

impl Save {
    /// Writes the file unless a newer state has been written.
    fn write(&self) -> Result<(), String> {
        let mut saved = self.saved.lock().unwrap_or_else(PoisonError::into_inner);
        if *saved >= self.number {
            return Ok(());
        }
        self.content.write(&self.path).map_err(|error| format!("The kept drawings are not saved: {error}"))?;
        *saved = self.number;
        Ok(())
    }
}

impl HandwritingView {
    /// Reads the file in this folder; without a folder drawings are kept as long as the program runs. What cannot be read
    /// is told with the first events.
    pub(super) fn open(folder: Option<&Path>, sender: &Sender<WorkerEvent>, wake: &Wake) -> Result<Self> {
        let mut file = folder.map(|folder| folder.join("handwriting.jsonl"));
        let (content, note) = match file.as_deref().map(Handwriting::read) {
            None => (Handwriting::default(), None),
            Some(Ok(read)) => read,
            Some(Err(error)) => {
                let path = file.take().unwrap_or_default();
                let note = format!(
                    "The kept drawings cannot be read ({error}), so nothing is written there and new ones last until the \
                     program ends: {}",
                    path.display()
                );
                (Handwriting::default(), Some(note))
            }
        };
        let writer = Newest::start("writer", sender.clone(), Arc::clone(wake), |save: &Save, _| {
            Ok(Some(WorkerEvent::Handwriting(HandwritingEvent::Written(save.write()))))
        })?;
        let measurer = Newest::start("measurer", sender.clone(), Arc::clone(wake), |drawings: &Vec<_>, _| {
            Ok(Some(WorkerEvent::Handwriting(HandwritingEvent::Measured(drawings.iter().map(measure).collect()))))
        })?;
        let drawings = content.drawings.into_iter().map(|kept| KeptView { kept, measured: None }).collect();
        let view = Self {
            drawings,
            revision: 0,
            scores: Scores::start(sender, wake)?,
            fine_tuned: None,
            told: None,
            file,
            damaged: content.damaged,
            on_pad: None,
            undo: Vec::new(),
            sender: sender.clone(),
            wake: Arc::clone(wake),
            writer,
            saved: Arc::default(),
            saves: 0,
            measurer,
        };
        view.measure_more();
        if let Some(note) = note {
            let _gone = view.sender.send(WorkerEvent::Handwriting(HandwritingEvent::Written(Err(note))));
        }
        Ok(view)
    }

    /// The kept drawing of this id with its place.
    pub fn find(&self, id: &str) -> Option<(usize, &KeptView)> {
        self.drawings.iter().enumerate().find(|(_, view)| view.kept.id == id)
    }

    /// How many drawings of each digit are kept.
    pub fn counts(&self) -> [usize; 10] {
        let mut counts = [0; 10];
        for view in &self.drawings {
            counts[usize::from(view.kept.label)] += 1;
        }
        counts
    }

    /// Whether there is something that [`HandwritingCommand::Undo`] takes back.
    pub fn can_undo(&self) -> bool {
        !self.undo.is_empty()
    }

    /// The file that they lie in; `None` where they last as long as the program runs.
    pub fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    pub(super) fn kept(&self) -> Vec<KeptDrawing> {
        self.drawings.iter().map(|view| view.kept.clone()).collect()
    }

    fn content(&self) -> Handwriting {
        Handwriting { drawings: self.kept(), damaged: self.damaged.clone() }
    }

    /// What every change ends with: the file is written, images are made, scores are counted again.
    pub(super) fn changed(&mut self) {
        self.revision += 1;
        self.saves += 1;
        if let Some(save) = self.save() {
            self.writer.ask(save);
        }
        self.measure_more();
        self.scores.count(&self.drawings);
    }

    fn save(&self) -> Option<Save> {
        let (path, saved) = (self.file.clone()?, Arc::clone(&self.saved));
        Some(Save { number: self.saves, content: self.content(), path, saved })
    }

    /// Makes sure that the last change is on the disk.
    pub(super) fn save_now(&self) {
        if self.saves > 0
            && let Some(save) = self.save()
        {
            // whoever closes the program has been told of an earlier failure
            let _refused = save.write();
        }
    }

    /// Asks for some of the images that are not made yet: a part at a time, so that they come in while the rest is made.
    fn measure_more(&self) {
        const PART: usize = 64;
        let unmeasured = self.drawings.iter().filter(|view| view.measured.is_none());
        let part: Vec<_> =
            unmeasured.take(PART).map(|view| (view.kept.id.clone(), Arc::clone(&view.kept.drawing))).collect();
        if !part.is_empty() {
            self.measurer.ask(part);
        }
    }

    pub(super) fn tell(&mut self, text: String) {
        let number = self.told.as_ref().map_or(0, |told| told.number + 1);
        self.told = Some(Told { number, text });
    }

    fn remember(&mut self, change: Change) {
        self.undo.push(change);
        if self.undo.len() > MOST_UNDO {
            self.undo.remove(0);
        }
    }

    /// Adds drawings under free names; answers these.
    pub(super) fn add(&mut self, drawings: Vec<KeptDrawing>) -> Vec<String> {
        let mut content = Handwriting { drawings: self.kept(), damaged: Vec::new() };
        let before = content.drawings.len();
        content.add(drawings);
        let added = content.drawings.split_off(before);
        let ids: Vec<String> = added.iter().map(|kept| kept.id.clone()).collect();
        self.drawings.extend(added.into_iter().map(|kept| KeptView { kept, measured: None }));
        self.remember(Change::Added(ids.clone()));
        self.changed();
        ids
    }

    fn remove(&mut self, ids: &[String]) -> Vec<(usize, KeptView)> {
        let mut removed = Vec::new();
        for place in (0..self.drawings.len()).rev() {
            if ids.contains(&self.drawings[place].kept.id) {
                removed.push((place, self.drawings.remove(place)));
            }
        }
        if self.on_pad.as_ref().is_some_and(|on_pad| ids.contains(on_pad)) {
            self.on_pad = None;
        }
        removed
    }

    pub(super) fn delete(&mut self, ids: &[String]) {
        let removed = self.remove(ids);
        let text = match removed.as_slice() {
            [] => return,
            [(_, one)] => format!("Deleted a {}", one.kept.label),
            more => format!("Deleted {} drawings", more.len()),
        };
        self.remember(Change::Removed(removed));
        self.changed();
        self.tell(text);
    }

    pub(super) fn relabel(&mut self, id: &str, label: u8) {
        let Some(view) = self.drawings.iter_mut().find(|view| view.kept.id == id) else { return };
        let before = std::mem::replace(&mut view.kept.label, label);
        if before != label {
            self.remember(Change::Relabelled { id: id.to_owned(), before });
            self.changed();
            self.tell(format!("It is a {label} now, no {before}"));
        }
    }

    pub(super) fn undo(&mut self) {
        match self.undo.pop() {
            None => return,
            Some(Change::Added(ids)) => drop(self.remove(&ids)),
            Some(Change::Removed(removed)) => {
                for (place, view) in removed.into_iter().rev() {
                    self.drawings.insert(place.min(self.drawings.len()), view);
                }
            }
            Some(Change::Relabelled { id, before }) => {
                if let Some(view) = self.drawings.iter_mut().find(|view| view.kept.id == id) {
                    view.kept.label = before;
                }
            }
        }
        self.changed();
    }

    pub(super) fn measured(&mut self, part: Vec<(String, Arc<Drawing>, Option<Measured>)>) {
        for (id, drawing, measured) in part {
            let view = self.drawings.iter_mut().find(|view| view.kept.id == id);
            // a drawing that has grown since has another image
            if let Some(view) = view.filter(|view| Arc::ptr_eq(&view.kept.drawing, &drawing)) {
                view.measured = Some(measured.unwrap_or(Measured { image: DigitImage::default(), line_width: 0.0 }));
            }
        }
        self.revision += 1;
        self.measure_more();
    }

    /// Runs something short on a thread of its own.
    pub(super) fn once(
        &self,
        name: &'static str,
        failed: impl Fn(String) -> HandwritingEvent + Send + 'static,
        work: impl FnOnce() -> HandwritingEvent + Send + 'static,
    ) {
        let (sender, wake) = (self.sender.clone(), Arc::clone(&self.wake));
        let spawned = std::thread::Builder::new().name(name.to_owned()).spawn(move || {
            let event = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
            let event =
                event.unwrap_or_else(|_| failed(format!("{name} failed unexpectedly; everything else goes on")));
            let _gone = sender.send(WorkerEvent::Handwriting(event));
            wake(Duration::ZERO);
        });
        if let Err(error) = spawned {
            let event = HandwritingEvent::Exported(Err(format!("{name} could not start: {error}")));
            let _gone = self.sender.send(WorkerEvent::Handwriting(event));
        }
    }
}

fn measure((id, drawing): &(String, Arc<Drawing>)) -> (String, Arc<Drawing>, Option<Measured>) {
    let prepared = prepare(drawing, &Recipe::default());
    let measured = prepared.map(|p| Measured { line_width: p.line_width_before, image: p.image });
    (id.clone(), Arc::clone(drawing), measured)
}

impl HandwritingView {
    /// A training has ended: what it was worth to these drawings outlasts its curves.
    pub(super) fn take_in(&mut self, view: Option<&TrainingView>) {
        if let Some(view) = view
            && let Some(fine_tuning) = &view.fine_tuning
        {
            self.fine_tuned = Some((view.title().to_owned(), fine_tuning.clone()));
        }
    }
}
