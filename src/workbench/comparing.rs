//! Every model at hand on the drawing of the pad: a thread of its own answers while somebody looks, always after the
//! pad's own answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

use anyhow::Result;

use super::newest::{Newest, Waiting};
use super::{ModelChoice, ModelEntry, Wake, Workbench, WorkerEvent};
use crate::drawing::DigitImage;
use crate::inference::{Prediction, State, TrainedModel};

/// What one of the models makes of the drawing.
#[derive(Clone, Debug)]
pub struct ComparedModel {
    pub entry: ModelEntry,
    /// The newest answer there is, with how far it is to be believed; `None` while there is none.
    pub answer: Option<(Prediction, State)>,
    /// The answer is to the drawing as it is now, not as it was a moment ago.
    pub is_newest: bool,
}

/// The image of a drawing, and the models whose answers to it are not known yet.
pub(super) struct Question {
    /// Counts images up.
    image_number: u64,
    image: DigitImage,
    models: Vec<(ModelChoice, Arc<TrainedModel>)>,
}

/// Some answers or all of them: a newer drawing may have come between two models.
pub(super) struct Answers {
    image_number: u64,
    answered: Vec<(ModelChoice, Arc<TrainedModel>, Prediction)>,
    /// When the last of them was known.
    at: Instant,
}

/// One answer, to which image, and by which weights.
struct Known {
    choice: ModelChoice,
    model: Arc<TrainedModel>,
    image_number: u64,
    prediction: Prediction,
}

/// What the workbench keeps of the comparison.
pub(super) struct Comparing {
    worker: Newest<Question>,
    /// Somebody looks.
    watched: bool,
    image: Option<DigitImage>,
    image_number: u64,
    known: Vec<Known>,
    /// When the image came, until its last answer has come.
    since: Option<Instant>,
    seconds: Option<f64>,
}

impl Comparing {
    /// Starts the thread. `pad_is_busy` tells while the pad's own answer is being worked out.
    pub fn start(sender: Sender<WorkerEvent>, wake: Wake, pad_is_busy: Arc<AtomicBool>) -> Result<Self> {
        // the image that each model answered last: whoever has waited longest comes first, so that a pen that never
        // rests keeps all of them moving
        let mut last_answered: Vec<(ModelChoice, u64)> = Vec::new();
        let worker = Newest::start("all models", sender, wake, move |question, waiting| {
            let answers = answer(question, waiting, &pad_is_busy, &mut last_answered)?;
            Ok(Some(WorkerEvent::Compared(answers)))
        })?;
        Ok(Self { worker, watched: false, image: None, image_number: 0, known: Vec::new(), since: None, seconds: None })
    }
}

fn answer(
    question: &Question,
    waiting: &Waiting<Question>,
    pad_is_busy: &AtomicBool,
    last_answered: &mut Vec<(ModelChoice, u64)>,
) -> Result<Answers> {
    let last = |choice: &ModelChoice| last_answered.iter().find(|(known, _)| known == choice).map_or(0, |(_, n)| *n);
    let mut models: Vec<&(ModelChoice, Arc<TrainedModel>)> = question.models.iter().collect();
    models.sort_by_key(|(choice, _)| last(choice));
    let mut answered = Vec::with_capacity(models.len());
    for (choice, model) in models {
        while pad_is_busy.load(Ordering::Relaxed) && !waiting.is_overtaken() {
            std::thread::sleep(Duration::from_micros(200));
        }
        if waiting.is_overtaken() {
            break;
        }
        let prediction = model.predict(&question.image.pixels)?;
        answered.push((choice.clone(), Arc::clone(model), prediction));
        last_answered.retain(|(known, _)| known != choice);
        last_answered.push((choice.clone(), question.image_number));
    }
    Ok(Answers { image_number: question.image_number, answered, at: Instant::now() })
}

impl Workbench {
    /// All models that can be chosen, with their newest answers to the drawing; empty answers for an empty pad.
    pub fn compared(&self) -> Vec<ComparedModel> {
        // ink that was erased again leaves nothing to read
        let has_ink =
            !self.drawing.is_empty() && self.answer.as_ref().is_none_or(|answer| answer.preparation.is_some());
        let compared = |entry: ModelEntry| {
            if self.model(&entry.choice).is_none() {
                return ComparedModel { entry, answer: None, is_newest: false };
            }
            let thresholds = self.thresholds_of(&entry.choice);
            let with_state = |prediction: &Prediction| (*prediction, prediction.state(&thresholds));
            // the pad has answered already
            let own = self.prediction().filter(|_| entry.choice == self.choice);
            if let Some(prediction) = own {
                return ComparedModel { answer: Some(with_state(prediction)), entry, is_newest: true };
            }
            let known = self.beside.comparing.known.iter().find(|known| known.choice == entry.choice);
            let known = known.filter(|_| has_ink);
            ComparedModel {
                answer: known.map(|known| with_state(&known.prediction)),
                is_newest: known.is_some_and(|known| known.image_number == self.beside.comparing.image_number),
                entry,
            }
        };
        self.models().into_iter().map(compared).collect()
    }

    /// Whether the models that are not chosen are asked too.
    pub fn compares_models(&self) -> bool {
        self.beside.comparing.watched
    }

    /// From the pad's answer to the last model's, in seconds; `None` while some are missing.
    pub fn comparison_seconds(&self) -> Option<f64> {
        self.beside.comparing.seconds
    }

    pub(super) fn compare_models(&mut self, watched: bool) {
        if self.beside.comparing.watched != watched {
            self.beside.comparing.watched = watched;
            self.ask_all_models();
        }
    }

    /// Asks for the answers that are missing. To be called when the pad has answered or a model has changed.
    pub(super) fn ask_all_models(&mut self) {
        if !self.beside.comparing.watched {
            return;
        }
        let Some(image) = self.preparation().map(|preparation| preparation.image.clone()) else { return };
        if self.beside.comparing.image.as_ref() != Some(&image) {
            self.beside.comparing.image_number += 1;
            self.beside.comparing.image = Some(image.clone());
            (self.beside.comparing.since, self.beside.comparing.seconds) = (Some(Instant::now()), None);
        }
        if let (Some(prediction), Some(model)) = (self.prediction().copied(), self.model(&self.choice).cloned()) {
            self.keep(self.choice.clone(), model, self.beside.comparing.image_number, prediction);
        }
        let models = self.missing();
        if !models.is_empty() {
            let image_number = self.beside.comparing.image_number;
            self.beside.comparing.worker.ask(Question { image_number, image, models });
        }
    }

    /// The models whose answers to the newest image are not known.
    fn missing(&self) -> Vec<(ModelChoice, Arc<TrainedModel>)> {
        let comparing = &self.beside.comparing;
        let is_known = |choice: &ModelChoice, model: &Arc<TrainedModel>| {
            comparing.known.iter().any(|known| {
                known.choice == *choice
                    && known.image_number == comparing.image_number
                    && Arc::ptr_eq(&known.model, model)
            })
        };
        let all = self.models().into_iter().map(|entry| entry.choice);
        let all = all.filter_map(|choice| Some((choice.clone(), Arc::clone(self.model(&choice)?))));
        all.filter(|(choice, model)| !is_known(choice, model)).collect()
    }

    pub(super) fn models_said(&mut self, answers: Answers) {
        let image_number = answers.image_number;
        for (choice, model, prediction) in answers.answered {
            self.keep(choice, model, image_number, prediction);
        }
        if image_number == self.beside.comparing.image_number
            && self.missing().is_empty()
            && let Some(since) = self.beside.comparing.since.take()
        {
            self.beside.comparing.seconds = Some(answers.at.duration_since(since).as_secs_f64());
        }
    }

    fn keep(&mut self, choice: ModelChoice, model: Arc<TrainedModel>, image_number: u64, prediction: Prediction) {
        self.beside.comparing.known.retain(|known| known.choice != choice);
        self.beside.comparing.known.push(Known { choice, model, image_number, prediction });
    }
}
