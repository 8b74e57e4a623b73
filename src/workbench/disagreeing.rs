//! Two models on all test digits: where their answers differ. A job with progress that can be cancelled.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Result;

use super::corpora::Corpora;
use super::jobs::{JobEvent, sentence};
use super::{ModelChoice, NoticeKind, Workbench};
use crate::data::Corpus;
use crate::drawing::PIXELS;
use crate::inference::{Disagreement, Right, TrainedModel, disagreements, evaluate};
use crate::nn::Compute;

/// One of the two models, as it was when it answered.
#[derive(Clone)]
struct Side {
    choice: ModelChoice,
    title: String,
    model: Arc<TrainedModel>,
}

/// What two models make of the same digits, found at one moment.
pub struct Disagreements {
    sides: [Side; 2],
    corpus: Arc<Corpus>,
    /// Surest first, see [`disagreements`].
    pub found: Vec<Disagreement>,
    /// Both evaluations together.
    pub seconds: f64,
}

impl Disagreements {
    /// Titles of the two models.
    pub fn titles(&self) -> [&str; 2] {
        [&self.sides[0].title, &self.sides[1].title]
    }

    /// How many digits both have answered.
    pub fn images(&self) -> usize {
        self.corpus.test.len()
    }

    /// Title of the data set.
    pub fn digits(&self) -> &str {
        &self.corpus.title
    }

    /// How often only this one is right, or neither of the two.
    pub fn count(&self, right: Right) -> usize {
        self.found.iter().filter(|one| one.right() == right).count()
    }

    /// The image at this place of the test set.
    pub fn image(&self, place: u32) -> &[u8; PIXELS] {
        self.corpus.test.image(place as usize)
    }
}

/// What a comparison of two models tells the workbench.
pub(super) enum DisagreementEvent {
    Progress { done: usize, of: usize },
    Ended(Result<Option<Disagreements>, String>),
}

/// What the workbench keeps of the two models' quarrel.
#[derive(Default)]
pub(super) struct Disagreeing {
    job: u64,
    cancel: Arc<AtomicBool>,
    progress: Option<(usize, usize)>,
    result: Option<Arc<Disagreements>>,
}

impl Workbench {
    /// The digits that two models were last found to disagree on.
    pub fn disagreements(&self) -> Option<&Arc<Disagreements>> {
        self.beside.disagreeing.result.as_ref()
    }

    /// Answers done and answers in all, while two models are being compared.
    pub fn disagreement_progress(&self) -> Option<(usize, usize)> {
        self.beside.disagreeing.progress
    }

    /// Whether what was found is of other models, other weights or other digits than these two would answer now.
    pub fn disagreements_are_stale(&self, pair: [&ModelChoice; 2]) -> bool {
        let Some(result) = &self.beside.disagreeing.result else { return false };
        let of_now = |(side, choice): (&Side, &ModelChoice)| {
            side.choice == *choice && self.model(choice).is_some_and(|model| Arc::ptr_eq(model, &side.model))
        };
        let same_models = result.sides.iter().zip(pair).all(of_now);
        !same_models || result.corpus.source != self.usual_source()
    }

    pub(super) fn find_disagreements(&mut self, pair: [ModelChoice; 2]) {
        let entries = self.models();
        let side = |choice: &ModelChoice| {
            let entry = entries.iter().find(|entry| entry.choice == *choice)?;
            Some(Side { choice: choice.clone(), title: entry.title.clone(), model: Arc::clone(self.model(choice)?) })
        };
        let [first, second] = &pair;
        if first == second {
            self.notify(NoticeKind::Info, "A model never disagrees with itself; choose two models".to_owned());
            return;
        }
        let (Some(first), Some(second)) = (side(first), side(second)) else {
            self.notify(
                NoticeKind::Info,
                "One of these models has no weights yet; wait for its first update".to_owned(),
            );
            return;
        };
        self.cancel_disagreements();
        self.beside.disagreeing.job += 1;
        self.beside.disagreeing.cancel = Arc::default();
        self.beside.disagreeing.progress = Some((0, 0));
        let (job, cancel) = (self.beside.disagreeing.job, Arc::clone(&self.beside.disagreeing.cancel));
        let (corpora, compute) = (Arc::clone(&self.corpora), Arc::clone(&self.compute));
        let source = self.usual_source();
        let event = move |event| JobEvent::Disagreement { job, event };
        let failed = move |why| event(DisagreementEvent::Ended(Err(why)));
        self.jobs.spawn("The comparison of two models", failed, move |tell| {
            let progress = |done, of| tell(event(DisagreementEvent::Progress { done, of }));
            let result = compare([first, second], source, &corpora, &compute, &cancel, &progress);
            tell(event(DisagreementEvent::Ended(result.map_err(|error| sentence(&error)))));
        });
    }

    pub(super) fn cancel_disagreements(&mut self) {
        self.beside.disagreeing.cancel.store(true, Ordering::Relaxed);
        self.beside.disagreeing.progress = None;
    }

    pub(super) fn disagreement_said(&mut self, job: u64, event: DisagreementEvent) {
        if job != self.beside.disagreeing.job {
            return;
        }
        match event {
            DisagreementEvent::Progress { done, of } => {
                if let Some(progress) = &mut self.beside.disagreeing.progress {
                    *progress = (done, of);
                }
            }
            DisagreementEvent::Ended(result) => {
                self.beside.disagreeing.progress = None;
                match result {
                    Ok(Some(found)) => self.beside.disagreeing.result = Some(Arc::new(found)),
                    Ok(None) => {}
                    Err(text) => self.notify(NoticeKind::Problem, text),
                }
            }
        }
    }
}

fn compare(
    sides: [Side; 2],
    source: &str,
    corpora: &Corpora,
    compute: &Arc<Compute>,
    cancel: &AtomicBool,
    progress: &dyn Fn(usize, usize),
) -> Result<Option<Disagreements>> {
    let start = std::time::Instant::now();
    let corpus = corpora.get(source)?;
    let indices: Vec<u32> = (0..corpus.test.len() as u32).collect();
    let mut answers = Vec::with_capacity(2);
    for (number, side) in sides.iter().enumerate() {
        let model = side.model.on(Arc::clone(compute))?;
        let evaluation = evaluate(&model, None, &corpus.test, &indices, |done| {
            progress(number * indices.len() + done, 2 * indices.len());
            if cancel.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        let Some(evaluation) = evaluation else { return Ok(None) };
        answers.push(evaluation.answers);
    }
    let found = disagreements(&answers[0], &answers[1]);
    Ok(Some(Disagreements { sides, corpus, found, seconds: start.elapsed().as_secs_f64() }))
}
