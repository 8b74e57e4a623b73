//! The thread that answers drawings. It takes only the newest question.

use std::sync::mpsc::Sender;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;
use std::time::Instant;

use anyhow::Result;

use super::{Wake, WorkerEvent};
use crate::drawing::{Drawing, Preparation, Recipe, prepare};
use crate::inference::{FeatureMaps, Prediction, RbfReading, TrainedModel};

/// A drawing, and what the visible panels want to know about it.
pub(super) struct Question {
    pub generation: u64,
    pub drawing: Drawing,
    pub recipe: Recipe,
    pub model: Arc<TrainedModel>,
    pub layer: Option<usize>,
}

/// What the network makes of a drawing; all `None` for an empty pad.
pub(super) struct Answer {
    pub generation: u64,
    pub preparation: Option<Box<Preparation>>,
    pub prediction: Option<Prediction>,
    pub feature_maps: Option<FeatureMaps>,
    pub rbf: Option<RbfReading>,
    pub seconds: f64,
}

#[derive(Default)]
struct Slot {
    newest: Option<Question>,
    closed: bool,
}

/// Ends its thread when it is dropped.
pub(super) struct Predictor {
    slot: Arc<(Mutex<Slot>, Condvar)>,
}

impl Predictor {
    pub fn start(sender: Sender<WorkerEvent>, wake: Wake) -> Result<Self> {
        let slot = Arc::new((Mutex::new(Slot::default()), Condvar::new()));
        let shared = Arc::clone(&slot);
        std::thread::Builder::new().name("predictor".to_owned()).spawn(move || {
            while let Some(question) = next(&shared) {
                let answer = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| answer(&question)));
                // a question that fails stays unanswered; the next one is asked as if nothing had happened
                let Ok(Ok(answer)) = answer else { continue };
                if sender.send(WorkerEvent::Answer(Box::new(answer))).is_err() {
                    return;
                }
                wake(Duration::ZERO);
            }
        })?;
        Ok(Self { slot })
    }

    /// Replaces any question that waits.
    pub fn ask(&self, question: Question) {
        let (slot, waiting) = &*self.slot;
        slot.lock().unwrap_or_else(PoisonError::into_inner).newest = Some(question);
        waiting.notify_one();
    }
}

impl Drop for Predictor {
    fn drop(&mut self) {
        let (slot, waiting) = &*self.slot;
        slot.lock().unwrap_or_else(PoisonError::into_inner).closed = true;
        waiting.notify_one();
    }
}

fn next((slot, waiting): &(Mutex<Slot>, Condvar)) -> Option<Question> {
    let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        if slot.closed {
            return None;
        }
        if let Some(question) = slot.newest.take() {
            return Some(question);
        }
        slot = waiting.wait(slot).unwrap_or_else(PoisonError::into_inner);
    }
}

fn answer(question: &Question) -> Result<Answer> {
    let start = Instant::now();
    let preparation = prepare(&question.drawing, &question.recipe).map(Box::new);
    let image = preparation.as_ref().map(|preparation| &preparation.image.pixels);
    let prediction = image.map(|image| question.model.predict(image)).transpose()?;
    let seconds = start.elapsed().as_secs_f64();
    let feature_maps = match (image, question.layer) {
        // an explanation that fails does not take the answer with it
        (Some(image), Some(layer)) => question.model.feature_maps(image, layer).ok(),
        _ => None,
    };
    let rbf = image.and_then(|image| question.model.rbf(image).ok().flatten());
    Ok(Answer { generation: question.generation, preparation, prediction, feature_maps, rbf, seconds })
}
