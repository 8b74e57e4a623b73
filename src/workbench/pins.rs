//! Pinned drawings: kept in view with the answers of the chosen model, and asked again at every evaluation tick of a
//! training. A thread of their own answers, after the pad; only the newest question counts.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::time::Duration;

use anyhow::Result;

use super::newest::{Newest, Waiting};
use super::pin_history::History;
use super::{ModelChoice, NoticeKind, Wake, Workbench, WorkerEvent};
use crate::drawing::{DigitImage, Drawing, Recipe, prepare};
use crate::inference::{Prediction, State, TrainedModel};
use crate::storage::pins_file::{PinnedDrawing, PinsFile};

/// More drawings than these are not kept in view at once.
pub const MOST_PINS: usize = 10;

/// A drawing that is kept in view.
#[derive(Clone)]
pub struct Pin {
    /// Names it as long as the program runs.
    pub id: u64,
    pub drawing: Arc<Drawing>,
    /// The digit that the person says it is.
    pub label: Option<u8>,
    /// What the network gets; `None` until it has been made, and where no ink is left.
    pub image: Option<Arc<DigitImage>>,
    /// What the chosen model makes of it.
    pub answer: Option<(Prediction, State)>,
    /// What the network of the newest training made of it.
    pub history: History,
    /// The steps from ink to image that made `image`.
    recipe: Option<Recipe>,
}

/// A drawing to be answered: its image where it is known.
struct Asked {
    id: u64,
    drawing: Arc<Drawing>,
    image: Option<Arc<DigitImage>>,
}

/// The pinned drawings, and who is to answer.
pub(super) struct Question {
    pins: Vec<Asked>,
    recipe: Recipe,
    chosen: Option<Arc<TrainedModel>>,
    tick: Option<Tick>,
}

/// A moment of a training.
#[derive(Clone)]
struct Tick {
    run: u64,
    step: u64,
    model: Arc<TrainedModel>,
}

pub(super) struct Answers {
    recipe: Recipe,
    chosen: Option<Arc<TrainedModel>>,
    tick: Option<Tick>,
    pins: Vec<Answered>,
}

struct Answered {
    id: u64,
    image: Option<Arc<DigitImage>>,
    chosen: Option<Prediction>,
    tick: Option<Prediction>,
}

/// What the workbench keeps of them.
pub(super) struct Pins {
    worker: Newest<Question>,
    file: Option<PinsFile>,
    pins: Vec<Pin>,
    next_id: u64,
    /// Where it stood, and what was unpinned last.
    unpinned: Option<(usize, Pin)>,
    /// The window has not been told yet.
    unpinned_is_news: bool,
    /// Updates at which the newest training has been looked at.
    ticks: Vec<u64>,
    /// A tick whose answers have not come yet: a question that takes its place must ask for them too.
    waiting: Option<Tick>,
}

impl Pins {
    /// Starts the thread. `pad_is_busy` tells while the pad's own answer is being worked out.
    pub fn start(sender: Sender<WorkerEvent>, wake: Wake, pad_is_busy: Arc<AtomicBool>) -> Result<Self> {
        let worker = Newest::start("pinned drawings", sender, wake, move |question, waiting| {
            Ok(answer(question, waiting, &pad_is_busy)?.map(WorkerEvent::Pins))
        })?;
        Ok(Self {
            worker,
            file: None,
            pins: Vec::new(),
            next_id: 0,
            unpinned: None,
            unpinned_is_news: false,
            ticks: Vec::new(),
            waiting: None,
        })
    }

    fn add(&mut self, drawing: Drawing, label: Option<u8>) {
        let pin = Pin {
            id: self.next_id,
            drawing: Arc::new(drawing),
            label,
            image: None,
            answer: None,
            history: History::default(),
            recipe: None,
        };
        self.pins.push(pin);
        self.next_id += 1;
    }
}

/// `None` where a newer question has come meanwhile.
fn answer(question: &Question, waiting: &Waiting<Question>, pad_is_busy: &AtomicBool) -> Result<Option<Answers>> {
    let mut pins = Vec::with_capacity(question.pins.len());
    for asked in &question.pins {
        while pad_is_busy.load(Ordering::Relaxed) && !waiting.is_overtaken() {
            std::thread::sleep(Duration::from_micros(200));
        }
        if waiting.is_overtaken() {
            return Ok(None);
        }
        let made = || prepare(&asked.drawing, &question.recipe).map(|preparation| Arc::new(preparation.image));
        let image = asked.image.clone().or_else(made);
        let predict = |model: &Arc<TrainedModel>| image.as_ref().map(|image| model.predict(&image.pixels)).transpose();
        let tick = question.tick.as_ref().map(|tick| predict(&tick.model)).transpose()?.flatten();
        let chosen = match (&question.chosen, &question.tick) {
            // while the network that learns is chosen too, one answer is both
            (Some(model), Some(tick_of)) if Arc::ptr_eq(model, &tick_of.model) => tick,
            (Some(model), _) => predict(model)?,
            (None, _) => None,
        };
        pins.push(Answered { id: asked.id, image, chosen, tick });
    }
    Ok(Some(Answers { recipe: question.recipe, chosen: question.chosen.clone(), tick: question.tick.clone(), pins }))
}

impl Workbench {
    /// The pinned drawings in the order in which they were pinned.
    pub fn pins(&self) -> &[Pin] {
        &self.beside.pins.pins
    }

    /// Updates at which the pinned drawings were shown to the newest training, rising.
    pub fn pin_ticks(&self) -> &[u64] {
        &self.beside.pins.ticks
    }

    /// Reads the pinned drawings of the last time, and keeps them in this file from now on.
    pub fn keep_pins_in(&mut self, path: &Path) {
        let (file, pins, note) = PinsFile::open(path);
        self.beside.pins.file = Some(file);
        for pin in pins.into_iter().take(MOST_PINS) {
            self.beside.pins.add(pin.drawing, pin.label);
        }
        if let Some(note) = note {
            self.notify(NoticeKind::Problem, note);
        }
        self.ask_pins();
    }

    /// Whether a drawing has just been unpinned, once: the window offers to take it back.
    pub fn take_unpinned(&mut self) -> bool {
        std::mem::take(&mut self.beside.pins.unpinned_is_news)
    }

    pub(super) fn pin_drawing(&mut self) {
        let trouble = if self.drawing.is_empty() {
            Some("The pad is empty, so there is nothing to pin".to_owned())
        } else if self.beside.pins.pins.iter().any(|pin| *pin.drawing == self.drawing) {
            Some("This drawing is pinned already".to_owned())
        } else if self.beside.pins.pins.len() >= MOST_PINS {
            Some(format!("{MOST_PINS} drawings are pinned; unpin one to make room"))
        } else {
            None
        };
        if let Some(text) = trouble {
            self.notify(NoticeKind::Info, text);
            return;
        }
        self.beside.pins.add(self.drawing.clone(), self.true_label());
        self.pins_changed();
    }

    pub(super) fn unpin(&mut self, id: u64) {
        if let Some(place) = self.beside.pins.pins.iter().position(|pin| pin.id == id) {
            self.beside.pins.unpinned = Some((place, self.beside.pins.pins.remove(place)));
            self.beside.pins.unpinned_is_news = true;
            self.pins_changed();
        }
    }

    /// Pins again what was unpinned last.
    pub(super) fn restore_pin(&mut self) {
        if self.beside.pins.pins.len() >= MOST_PINS {
            self.notify(NoticeKind::Info, format!("{MOST_PINS} drawings are pinned; unpin one to make room"));
            return;
        }
        if let Some((place, pin)) = self.beside.pins.unpinned.take() {
            self.beside.pins.pins.insert(place.min(self.beside.pins.pins.len()), pin);
            self.pins_changed();
        }
    }

    /// A label that the person gives to a pinned drawing is the pin's too.
    pub(super) fn label_pin(&mut self) {
        let label = self.true_label();
        let pinned = self.beside.pins.pins.iter_mut().find(|pin| *pin.drawing == self.drawing);
        if let Some(pin) = pinned.filter(|pin| pin.label != label) {
            pin.label = label;
            self.save_pins();
        }
    }

    fn pins_changed(&mut self) {
        self.save_pins();
        self.ask_pins();
    }

    fn save_pins(&mut self) {
        let pinned = |pin: &Pin| PinnedDrawing { drawing: pin.drawing.as_ref().clone(), label: pin.label };
        let pins: Vec<PinnedDrawing> = self.beside.pins.pins.iter().map(pinned).collect();
        if let Some(Err(error)) = self.beside.pins.file.as_ref().map(|file| file.save(&pins)) {
            self.notify(NoticeKind::Problem, format!("The pinned drawings could not be kept: {error}"));
        }
    }

    /// Asks for the answers of the chosen model. To be called when the pins, the recipe or the choice have changed, and
    /// when a training comes to rest.
    pub(super) fn ask_pins(&mut self) {
        let chosen = self.model(&self.choice).cloned();
        if self.beside.pins.pins.is_empty() || (chosen.is_none() && self.beside.pins.waiting.is_none()) {
            return;
        }
        let recipe = self.recipe;
        let asked = |pin: &Pin| Asked {
            id: pin.id,
            drawing: Arc::clone(&pin.drawing),
            image: pin.image.clone().filter(|_| pin.recipe == Some(recipe)),
        };
        let pins = self.beside.pins.pins.iter().map(asked).collect();
        self.beside.pins.worker.ask(Question { pins, recipe, chosen, tick: self.beside.pins.waiting.clone() });
    }

    /// A training has been looked at: the pins are shown to the very network that was.
    pub(super) fn pins_at_tick(&mut self, step: u64) {
        let Some(model) = self.live.clone() else { return };
        self.beside.pins.waiting = Some(Tick { run: self.runs_started, step, model });
        self.ask_pins();
    }

    /// A new training begins: its history is another one.
    pub(super) fn forget_pin_histories(&mut self) {
        self.beside.pins.ticks.clear();
        self.beside.pins.waiting = None;
        let unpinned = self.beside.pins.unpinned.iter_mut().map(|(_, pin)| pin);
        for pin in self.beside.pins.pins.iter_mut().chain(unpinned) {
            pin.history = History::default();
        }
    }

    pub(super) fn pins_said(&mut self, answers: Answers) {
        let asked = answers.chosen.as_ref();
        let is_chosen = asked.is_some_and(|asked| match &self.choice {
            // of a network that learns the last look counts, though it has moved on
            ModelChoice::Live => !self.models.iter().any(|open| Arc::ptr_eq(&open.model, asked)),
            choice => self.model(choice).is_some_and(|chosen| Arc::ptr_eq(chosen, asked)),
        });
        let tick = answers.tick.filter(|tick| tick.run == self.runs_started);
        if let Some(tick) = &tick {
            if self.beside.pins.waiting.as_ref().is_some_and(|waiting| waiting.step == tick.step) {
                self.beside.pins.waiting = None;
            }
            if self.beside.pins.ticks.last().is_none_or(|last| *last < tick.step) {
                self.beside.pins.ticks.push(tick.step);
            }
        }
        let thresholds = self.thresholds();
        for answered in answers.pins {
            let Some(pin) = self.beside.pins.pins.iter_mut().find(|pin| pin.id == answered.id) else { continue };
            if answers.recipe == self.recipe {
                (pin.image, pin.recipe) = (answered.image, Some(answers.recipe));
            }
            if let (Some(tick), Some(prediction)) = (&tick, &answered.tick) {
                pin.history.add(tick.step, prediction);
            }
            if is_chosen && answers.chosen.is_some() {
                pin.answer = answered.chosen.map(|prediction| (prediction, prediction.state(&thresholds)));
            }
        }
    }
}
