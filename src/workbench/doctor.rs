//! The drawing doctor: what each step from ink to image is worth, how the drawing differs from MNIST's digits, and which
//! changes would help. Worked out on a thread of its own once the pen rests, and only when a panel asks.

use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

use anyhow::Result;

use super::newest::{Newest, Waiting};
use super::{ModelChoice, Wake, Workbench, WorkerEvent};
use crate::drawing::doctor::{Difference, Fix, differences, typical};
use crate::drawing::{DigitImage, Drawing, Recipe, prepare};
use crate::inference::{Prediction, State, Thresholds, TrainedModel};

/// Nothing is examined before the pen has rested so long.
const REST: Duration = Duration::from_millis(80);
/// A network that learns is asked again after so long.
const LEARNS: Duration = Duration::from_secs(1);
/// A change must gain this share of probability to be worth a place in the ladder.
const LEAST_GAIN: f32 = 0.01;
/// Steps of the ladder, at most.
const MOST_FIXES: usize = 3;
/// Images that differ in less than this share of their ink are the same.
const SAME: f32 = 0.03;

/// What a question about the pad is about.
#[derive(Clone)]
pub(super) struct Subject {
    pub drawing: Drawing,
    pub recipe: Recipe,
    pub model: Arc<TrainedModel>,
    pub thresholds: Thresholds,
    /// Questions about a network that learns are asked once in a while, not for every update.
    learns: bool,
    asked: Instant,
}

impl Subject {
    pub fn image(&self, drawing: &Drawing, recipe: &Recipe) -> Option<DigitImage> {
        prepare(drawing, recipe).map(|preparation| preparation.image)
    }

    fn reading(&self, image: DigitImage) -> Result<Reading> {
        let prediction = self.model.predict(&image.pixels)?;
        Ok(Reading { state: prediction.state(&self.thresholds), image, prediction })
    }

    /// Whether `other` would get the same answers, or answers from weights that are hardly older.
    pub fn is_as(&self, other: &Self) -> bool {
        let same_model = Arc::ptr_eq(&self.model, &other.model)
            || (self.learns && other.learns && other.asked.duration_since(self.asked) < LEARNS);
        same_model
            && self.thresholds == other.thresholds
            && self.recipe == other.recipe
            && self.drawing == other.drawing
    }
}

/// An image and what the chosen model makes of it.
#[derive(Clone, Debug)]
pub struct Reading {
    pub image: DigitImage,
    pub prediction: Prediction,
    pub state: State,
}

/// A step of the ladder: the drawing after one more change.
#[derive(Clone, Debug)]
pub struct Rung {
    pub fix: Fix,
    pub drawing: Drawing,
    pub reading: Reading,
}

/// What was found about a drawing.
#[derive(Clone, Debug)]
pub struct Examination {
    /// As the pad answers it.
    pub as_drawn: Reading,
    /// The answers with one step of the recipe switched over, in the order crop, width, size, centre; `None` where that
    /// leaves no ink.
    pub switched: [Option<Reading>; 4],
    /// What the person said that it is.
    pub label: Option<u8>,
    /// The digit that the drawing is compared with: the person's, else the answer.
    pub digit: u8,
    pub differences: Vec<Difference>,
    /// Changes that help, each made after those before it: at every step the one that helps most. Empty for a drawing
    /// that is read well.
    pub ladder: Vec<Rung>,
    /// What was tried and did not help.
    pub in_vain: Vec<Fix>,
    /// Whether there was something to mend: the answer is unsure, or not what the person says.
    pub is_ill: bool,
}

struct Question {
    number: u64,
    subject: Subject,
    label: Option<u8>,
}

/// The examination as the workbench keeps it.
pub(super) struct Doctor {
    examiner: Newest<Question>,
    number: u64,
    asked: Option<(Subject, Option<u8>)>,
    /// With what it is of.
    found: Option<(Subject, Option<u8>, Box<Examination>)>,
}

impl Doctor {
    pub fn start(sender: Sender<WorkerEvent>, wake: Wake) -> Result<Self> {
        let examiner = Newest::start("examiner", sender, wake, |question: &Question, waiting| {
            std::thread::sleep(REST);
            let found = examine(question, waiting)?;
            Ok(found.map(|found| WorkerEvent::Examined(question.number, Box::new(found))))
        })?;
        Ok(Self { examiner, number: 0, asked: None, found: None })
    }

    pub fn found(&mut self, number: u64, examination: Box<Examination>) {
        // answers to older questions are dropped
        if let Some((subject, label)) = self.asked.as_ref().filter(|_| number == self.number) {
            self.found = Some((subject.clone(), *label, examination));
        }
    }
}

impl Workbench {
    /// The drawing, the recipe and the model as they are now; `None` where there is nothing to ask about.
    pub(super) fn subject(&self) -> Option<Subject> {
        // the pad's own answer comes first
        self.answer.as_ref().filter(|answer| answer.generation == self.generation && answer.prediction.is_some())?;
        let model = Arc::clone(self.model(&self.choice)?);
        let learns = self.answers_as_it_learns() && self.training_is_under_way();
        let thresholds = self.thresholds();
        let (drawing, recipe) = (self.drawing.clone(), self.recipe);
        Some(Subject { drawing, recipe, model, thresholds, learns, asked: Instant::now() })
    }

    /// Asks for an examination of the drawing, unless there is one or it is being made.
    pub(super) fn examine(&mut self) {
        let Some(subject) = self.subject().filter(|_| self.replayed().is_none()) else { return };
        let label = self.true_label();
        let known = |(asked, of): &(Subject, Option<u8>)| *of == label && asked.is_as(&subject);
        if self.doctor.asked.as_ref().is_some_and(known) {
            return;
        }
        self.doctor.number += 1;
        self.doctor.asked = Some((subject.clone(), label));
        self.doctor.examiner.ask(Question { number: self.doctor.number, subject, label });
    }

    /// What was found when the drawing was last examined.
    pub fn examination(&self) -> Option<&Examination> {
        self.doctor.found.as_ref().map(|(.., found)| found.as_ref())
    }

    /// Whether [`Workbench::examination`] is of the drawing as it is, by the chosen model.
    pub fn examination_is_current(&self) -> bool {
        let found = self.doctor.found.as_ref();
        found.is_some_and(|(subject, label, _)| *label == self.true_label && self.is_now(subject))
    }

    /// Whether the newest weights of the training answer, and not those of a moment.
    fn answers_as_it_learns(&self) -> bool {
        self.choice == ModelChoice::Live && self.beside.time.model_of(&self.choice).is_none()
    }

    /// Whether answers about `subject` are answers about the pad as it is; a network that learns may have learnt since.
    pub(super) fn is_now(&self, subject: &Subject) -> bool {
        let model = self.model(&self.choice);
        let same_model = model.is_some_and(|model| Arc::ptr_eq(model, &subject.model));
        (same_model || (subject.learns && self.answers_as_it_learns()))
            && subject.recipe == self.recipe
            && subject.drawing == self.drawing
    }
}

fn examine(question: &Question, waiting: &Waiting<Question>) -> Result<Option<Examination>> {
    let Question { subject, label, .. } = question;
    let Some(image) = subject.image(&subject.drawing, &subject.recipe).filter(|_| !waiting.is_overtaken()) else {
        return Ok(None);
    };
    let as_drawn = subject.reading(image)?;
    let mut switched = [const { None }; 4];
    for (place, recipe) in switches(subject.recipe).into_iter().enumerate() {
        switched[place] = subject.image(&subject.drawing, &recipe).map(|image| subject.reading(image)).transpose()?;
    }
    let digit = label.unwrap_or_else(|| as_drawn.prediction.best());
    let is_ill = as_drawn.state != State::Sure || digit != as_drawn.prediction.best();
    let mut examination = Examination {
        differences: differences(&subject.drawing, typical(Some(digit)), &subject.recipe),
        as_drawn,
        switched,
        label: *label,
        digit,
        ladder: Vec::new(),
        in_vain: Vec::new(),
        is_ill,
    };
    if is_ill && !climb(&mut examination, question, waiting)? {
        return Ok(None);
    }
    Ok(Some(examination))
}

/// The recipe with one of its steps switched over, in the order of [`Examination::switched`].
fn switches(recipe: Recipe) -> [Recipe; 4] {
    [
        Recipe { crop: !recipe.crop, ..recipe },
        Recipe { width: !recipe.width, ..recipe },
        Recipe { size: !recipe.size, ..recipe },
        Recipe { centre: !recipe.centre, ..recipe },
    ]
}

/// Builds the ladder: always the change that helps most. False where a newer question has come.
fn climb(examination: &mut Examination, question: &Question, waiting: &Waiting<Question>) -> Result<bool> {
    let Question { subject, label, .. } = question;
    // without a label nobody knows which digit to bend the drawing to
    let towards = typical(*label);
    // what is a digit at all is worth more than any share
    let worth = |reading: &Reading| {
        let share = reading.prediction.probability(label.unwrap_or_else(|| reading.prediction.best()));
        share + if reading.state == State::NotADigit { 0.0 } else { 1.0 }
    };
    let mut left: Vec<Fix> = Fix::ALL.to_vec();
    let mut changed = [false; Fix::ALL.len()];
    while examination.ladder.len() < MOST_FIXES {
        let last = examination.ladder.last();
        let drawing = last.map_or(&subject.drawing, |rung| &rung.drawing);
        let reading = last.map_or(&examination.as_drawn, |rung| &rung.reading);
        let is_well = reading.state == State::Sure && label.is_none_or(|label| label == reading.prediction.best());
        if is_well {
            break;
        }
        let mut best: Option<Rung> = None;
        for &fix in &left {
            if waiting.is_overtaken() {
                return Ok(false);
            }
            let Some(fixed) = fix.apply(drawing, towards) else { continue };
            let Some(image) = subject.image(&fixed, &subject.recipe).filter(|image| !alike(image, &reading.image))
            else {
                continue;
            };
            changed[fix as usize] = true;
            let found = subject.reading(image)?;
            let least = best.as_ref().map_or_else(|| worth(reading) + LEAST_GAIN, |best| worth(&best.reading));
            if worth(&found) > least {
                best = Some(Rung { fix, drawing: fixed, reading: found });
            }
        }
        let Some(rung) = best else { break };
        left.retain(|fix| *fix != rung.fix);
        examination.ladder.push(rung);
    }
    left.retain(|fix| changed[*fix as usize]);
    examination.in_vain = left;
    Ok(true)
}

/// Whether two images show the same, but for grey values that rounding could have changed.
fn alike(a: &DigitImage, b: &DigitImage) -> bool {
    let apart: u32 = a.pixels.iter().zip(&b.pixels).map(|(a, b)| u32::from(a.abs_diff(*b))).sum();
    let ink: u32 = a.pixels.iter().map(|&ink| u32::from(ink)).sum();
    (apart as f32) < SAME * ink as f32
}
