//! What the chosen model's thresholds are worth, measured beside while somebody looks, and thresholds that a person has set.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::mpsc::Sender;

use anyhow::Result;

use super::corpora::Corpora;
use super::newest::Newest;
use super::{ModelChoice, Wake, Workbench, WorkerEvent};
use crate::inference::{Answer, Decision, Thresholds, TrainedModel, evaluate, stranger_scores};
use crate::training::{TrainingConfig, validation_images};

/// Digits and other things that are asked about, at most.
const DIGITS: usize = 2_000;
const STRANGERS: usize = 1_000;
/// Seed of the strangers, which are of kinds that nothing was trained or chosen with.
const SEED: u64 = 2;

/// What thresholds are worth.
pub struct Measured {
    model: Arc<TrainedModel>,
    answers: Vec<Answer>,
    strangers: Vec<f32>,
    /// The digits are MNIST's validation images, or drawn ones where MNIST is not here.
    pub source: &'static str,
    /// See [`Decision::sure_curve`], without regard to what is refused.
    pub sure_curve: Vec<(f32, f64, f64)>,
    /// See [`Decision::digit_curve`].
    pub digit_curve: Vec<(f32, f64, f64)>,
}

impl Measured {
    /// What these thresholds are worth.
    pub fn at(&self, thresholds: &Thresholds) -> Decision {
        Decision::of(thresholds, &self.answers, &self.strangers)
    }

    /// How many digits and other things were asked about.
    pub fn counts(&self) -> (usize, usize) {
        (self.answers.len(), self.strangers.len())
    }
}

pub(super) struct Question {
    model: Arc<TrainedModel>,
    config: Option<TrainingConfig>,
    source: &'static str,
    corpora: Arc<Corpora>,
}

/// What the workbench keeps of decisions.
pub(super) struct Deciding {
    worker: Newest<Question>,
    asked: Option<Arc<TrainedModel>>,
    measured: Option<Measured>,
    /// Thresholds that a person has set, as long as the window is open.
    set: Vec<(ModelChoice, Thresholds)>,
}

impl Deciding {
    /// Starts the thread.
    pub fn start(sender: Sender<WorkerEvent>, wake: Wake) -> Result<Self> {
        let worker = Newest::start("decision", sender, wake, |question, _| {
            Ok(Some(WorkerEvent::Decided(Box::new(measure(question)?))))
        })?;
        Ok(Self { worker, asked: None, measured: None, set: Vec::new() })
    }

    pub fn found(&mut self, measured: Measured) {
        self.measured = Some(measured);
    }
}

fn measure(question: &Question) -> Result<Measured> {
    let corpus = question.corpora.get(question.source)?;
    let mut images = validation_images(question.config.as_ref(), &corpus)?;
    // evenly from all over the validation images
    let every = images.len().div_ceil(DIGITS).max(1);
    images = images.into_iter().step_by(every).collect();
    let model = &question.model;
    let answers = evaluate(model, None, &corpus.train, &images, |_| ControlFlow::Continue(()))?
        .map_or_else(Vec::new, |evaluation| evaluation.answers);
    let strangers = stranger_scores(model, true, SEED, STRANGERS)?;
    let never = Thresholds { sure_above: 0.0, digit_above: None };
    Ok(Measured {
        model: Arc::clone(model),
        sure_curve: Decision::sure_curve(&never, &answers),
        digit_curve: Decision::digit_curve(&answers, &strangers),
        answers,
        strangers,
        source: question.source,
    })
}

impl Workbench {
    /// From when on answers of the chosen model count: as a person has set it, or as its validation images chose it.
    pub fn thresholds(&self) -> Thresholds {
        self.thresholds_of(&self.choice)
    }

    pub(super) fn thresholds_of(&self, choice: &ModelChoice) -> Thresholds {
        let set = self.beside.deciding.set.iter().find(|(of, _)| of == choice).map(|(_, thresholds)| *thresholds);
        set.or_else(|| self.model(choice).map(|model| model.thresholds())).unwrap_or_default()
    }

    /// Whether a person has set other thresholds than those that the chosen model came with.
    pub fn thresholds_are_set(&self) -> bool {
        self.beside.deciding.set.iter().any(|(of, _)| *of == self.choice)
    }

    /// What thresholds of the chosen model are worth; `None` while that is being measured.
    pub fn decision(&self) -> Option<&Measured> {
        let model = self.model(&self.choice)?;
        self.beside.deciding.measured.as_ref().filter(|measured| Arc::ptr_eq(&measured.model, model))
    }

    pub(super) fn set_thresholds(&mut self, thresholds: Option<Thresholds>) {
        self.beside.deciding.set.retain(|(of, _)| *of != self.choice);
        if let Some(thresholds) = thresholds {
            self.beside.deciding.set.push((self.choice.clone(), thresholds));
        }
    }

    /// Asks the chosen model about validation images and things that are no digits, unless that has been asked already.
    pub(super) fn measure_decision(&mut self) {
        let Some(model) = self.model(&self.choice).cloned() else { return };
        if self.beside.deciding.asked.as_ref().is_some_and(|asked| Arc::ptr_eq(asked, &model)) {
            return;
        }
        let config = match &self.choice {
            ModelChoice::Live => self.training.as_ref().map(|training| training.config.clone()),
            choice => self.models.iter().find(|open| open.entry.choice == *choice).and_then(|open| open.config.clone()),
        };
        self.beside.deciding.asked = Some(Arc::clone(&model));
        let question = Question { model, config, source: self.usual_source(), corpora: Arc::clone(&self.corpora) };
        self.beside.deciding.worker.ask(question);
    }
}
