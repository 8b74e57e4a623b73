//! Every model's answers to the kept drawings: asked by a thread of its own, counted against the labels as they are now.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::time::Duration;

use anyhow::Result;

use super::handwriting::{HandwritingEvent, KeptView};
use super::newest::Newest;
use super::{ModelChoice, Wake, Workbench, WorkerEvent};
use crate::drawing::PIXELS;
use crate::inference::{Prediction, State, TrainedModel, wilson_interval};
use crate::training::TrainingConfig;

/// What a model reads in a drawing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ReadDigit {
    /// The most probable digit.
    pub digit: u8,
    pub state: State,
}

/// A model's answers, and what they are worth by the labels as they are now.
pub struct ModelScore {
    pub choice: ModelChoice,
    pub title: String,
    /// Its training learnt from some drawings of the person: its answers to them prove less.
    pub learnt_from_own: bool,
    /// Drawings that it was asked about and that are still kept.
    pub images: u32,
    pub right: u32,
    /// Of these drawings, those that it is sure of.
    pub sure: u32,
    /// One for each kept drawing, in their order; `None` for what it was not asked about.
    pub readings: Vec<Option<ReadDigit>>,
    model: Arc<TrainedModel>,
    answers: Vec<(String, ReadDigit)>,
}

impl ModelScore {
    /// The Wilson 95 % interval of the share read right.
    pub fn interval(&self) -> [f64; 2] {
        wilson_interval(self.right, self.images)
    }
}

/// What the thread tells; `job` counts the times it was asked.
pub(super) enum ScoreEvent {
    Progress {
        job: u64,
        done: usize,
        of: usize,
    },
    /// `None` when it was cancelled.
    Ended {
        job: u64,
        scores: Option<Vec<ModelScore>>,
    },
}

struct Order {
    job: u64,
    models: Vec<(ModelChoice, String, bool, Arc<TrainedModel>)>,
    images: Vec<(String, [u8; PIXELS])>,
    cancel: Arc<AtomicBool>,
}

/// The scores that panels show.
pub struct Scores {
    pub models: Vec<ModelScore>,
    /// Answers done and answers in all, while models are asked.
    pub progress: Option<(usize, usize)>,
    /// Drawings that no model was asked about.
    pub unasked: usize,
    waiting: bool,
    job: u64,
    cancel: Arc<AtomicBool>,
    scorer: Newest<Order>,
}

/// Images that a model is asked about at a time: between two of them the work can be cancelled.
const CHUNK: usize = 32;

impl Scores {
    pub(super) fn start(sender: &Sender<WorkerEvent>, wake: &Wake) -> Result<Self> {
        let (tell, woken) = (sender.clone(), Arc::clone(wake));
        let scorer = Newest::start("scorer", sender.clone(), Arc::clone(wake), move |order: &Order, _| {
            let progress = |done, of| {
                let event = ScoreEvent::Progress { job: order.job, done, of };
                let _gone = tell.send(WorkerEvent::Handwriting(HandwritingEvent::Score(event)));
                woken(Duration::from_millis(100));
            };
            let ended = ScoreEvent::Ended { job: order.job, scores: ask(order, &progress)? };
            Ok(Some(WorkerEvent::Handwriting(HandwritingEvent::Score(ended))))
        })?;
        let (models, cancel) = (Vec::new(), Arc::default());
        Ok(Self { models, progress: None, unasked: 0, waiting: false, job: 0, cancel, scorer })
    }

    /// Whether it is to begin as soon as all images are made.
    pub(super) fn is_waiting(&self) -> bool {
        self.waiting
    }

    pub(super) fn cancel(&mut self) {
        self.cancel.store(true, Ordering::Relaxed);
        self.job += 1;
        (self.progress, self.waiting) = (None, false);
    }

    pub(super) fn apply(&mut self, event: ScoreEvent, drawings: &[KeptView]) {
        match event {
            ScoreEvent::Progress { job, done, of } if job == self.job && self.progress.is_some() => {
                self.progress = Some((done, of));
            }
            ScoreEvent::Ended { job, scores } if job == self.job => {
                self.progress = None;
                if let Some(scores) = scores {
                    self.models = scores;
                    self.count(drawings);
                }
            }
            _ => {}
        }
    }

    /// Holds the answers against the drawings and labels as they are now.
    pub(super) fn count(&mut self, drawings: &[KeptView]) {
        for score in &mut self.models {
            let known: HashMap<&str, ReadDigit> = score.answers.iter().map(|(id, read)| (id.as_str(), *read)).collect();
            score.readings = drawings.iter().map(|view| known.get(view.kept.id.as_str()).copied()).collect();
            (score.images, score.right, score.sure) = (0, 0, 0);
            for (view, reading) in drawings.iter().zip(&score.readings) {
                let Some(reading) = reading else { continue };
                score.images += 1;
                score.right += u32::from(reading.digit == view.kept.label);
                score.sure += u32::from(reading.state == State::Sure);
            }
        }
        let asked = self.models.first().map_or(0, |score| score.images as usize);
        self.unasked = drawings.len() - asked;
    }
}

fn ask(order: &Order, progress: &dyn Fn(usize, usize)) -> Result<Option<Vec<ModelScore>>> {
    let of = order.models.len() * order.images.len();
    let mut done = 0;
    let mut scores = Vec::with_capacity(order.models.len());
    for (choice, title, learnt_from_own, model) in &order.models {
        let mut answers = Vec::with_capacity(order.images.len());
        for chunk in order.images.chunks(CHUNK) {
            if order.cancel.load(Ordering::Relaxed) {
                return Ok(None);
            }
            let rows = model.scores(chunk.iter().map(|(_, image)| image.as_slice()))?;
            for ((id, _), row) in chunk.iter().zip(rows) {
                let prediction = Prediction::from_scores(row);
                let state = prediction.state(&model.thresholds());
                answers.push((id.clone(), ReadDigit { digit: prediction.best(), state }));
            }
            done += chunk.len();
            progress(done, of);
        }
        scores.push(ModelScore {
            choice: choice.clone(),
            title: title.clone(),
            learnt_from_own: *learnt_from_own,
            images: 0,
            right: 0,
            sure: 0,
            readings: Vec::new(),
            model: Arc::clone(model),
            answers,
        });
    }
    Ok(Some(scores))
}

impl Workbench {
    pub(super) fn score_handwriting(&mut self) {
        let learnt = |config: Option<&TrainingConfig>| config.is_some_and(|config| config.beside.pens_hold_out_half);
        let own = |choice: &ModelChoice| match choice {
            ModelChoice::Live => learnt(self.training.as_ref().map(|view| &view.config)),
            other => {
                learnt(self.models.iter().find(|open| open.entry.choice == *other).and_then(|o| o.config.as_ref()))
            }
        };
        let models: Vec<_> = self
            .models()
            .into_iter()
            .filter_map(|entry| {
                let model = Arc::clone(self.model(&entry.choice)?);
                Some((entry.choice.clone(), entry.title, own(&entry.choice), model))
            })
            .collect();
        let hand = &mut self.handwriting;
        let images: Option<Vec<_>> =
            hand.drawings.iter().map(|view| Some((view.kept.id.clone(), *view.image()?))).collect();
        hand.scores.cancel();
        let Some(images) = images else {
            // it begins when the last image is made
            hand.scores.waiting = true;
            hand.scores.progress = Some((0, 0));
            return;
        };
        if images.is_empty() {
            return;
        }
        hand.scores.cancel = Arc::default();
        hand.scores.progress = Some((0, models.len() * images.len()));
        let (job, cancel) = (hand.scores.job, Arc::clone(&hand.scores.cancel));
        hand.scores.scorer.ask(Order { job, models, images, cancel });
    }

    /// Whether the scores are of other drawings or other weights than there are now. A network that still learns is another
    /// one at every moment; it counts when it is done.
    pub fn scores_are_stale(&self) -> bool {
        let scores = &self.handwriting.scores;
        let learning = self.training_is_under_way();
        let counts = |choice: &ModelChoice| !(learning && *choice == ModelChoice::Live);
        let same = |score: &ModelScore| self.model(&score.choice).is_some_and(|model| Arc::ptr_eq(model, &score.model));
        let asked = scores.models.iter().filter(|score| counts(&score.choice));
        let there = self.models().iter().filter(|entry| counts(&entry.choice)).count();
        let others = asked.clone().count() != there || !asked.clone().all(same);
        !scores.models.is_empty() && (scores.unasked > 0 || others)
    }
}
