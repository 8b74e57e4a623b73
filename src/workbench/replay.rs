//! The drawing replayed point by point: the pad's question is then what had been drawn by that moment. Which digit was
//! read after every point is worked out on a thread of its own once the pen rests, and only when a panel asks.

use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::Duration;

use anyhow::Result;

use super::doctor::Subject;
use super::newest::{Newest, Waiting};
use super::{Wake, Workbench, WorkerEvent};
use crate::drawing::{DigitImage, Drawing};
use crate::inference::{Prediction, State};

/// No strip is begun before the pen has rested so long: after the doctor, who is waited for.
const REST: Duration = Duration::from_millis(200);
/// Images that the network is asked about at once.
const BATCH: usize = 32;
/// A drawing of more points is read after every second one, every third, …
const MOST_READ: usize = 600;

/// What was read after a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Points drawn by then, from 1.
    pub points: usize,
    /// `None` where the pad had no ink yet.
    pub digit: Option<u8>,
    pub state: State,
}

struct Question {
    number: u64,
    subject: Subject,
}

/// The replay as the workbench keeps it.
pub(super) struct Replay {
    reader: Newest<Question>,
    /// Points that are shown; `None` for the whole drawing.
    points: Option<usize>,
    number: u64,
    asked: Option<Subject>,
    found: Option<(Subject, Arc<[Moment]>)>,
}

impl Replay {
    pub fn start(sender: Sender<WorkerEvent>, wake: Wake) -> Result<Self> {
        let reader = Newest::start("replay", sender, wake, |question: &Question, waiting| {
            std::thread::sleep(REST);
            let moments = read(question, waiting)?;
            Ok(moments.map(|moments| WorkerEvent::Replayed(question.number, moments)))
        })?;
        Ok(Self { reader, points: None, number: 0, asked: None, found: None })
    }

    pub fn found(&mut self, number: u64, moments: Arc<[Moment]>) {
        if let Some(subject) = self.asked.as_ref().filter(|_| number == self.number) {
            self.found = Some((subject.clone(), moments));
        }
    }

    /// Back to the whole drawing.
    pub fn end(&mut self) {
        self.points = None;
    }
}

impl Workbench {
    /// Points of the drawing that are shown and answered, from 1; `None` for the whole of it.
    pub fn replayed(&self) -> Option<usize> {
        self.replay.points
    }

    /// The drawing as far as it is replayed: what is answered.
    pub fn shown_drawing(&self) -> Drawing {
        self.replay.points.map_or_else(|| self.drawing.clone(), |points| self.drawing.after(points))
    }

    /// Shows the first `points` of the drawing, or the whole again.
    pub(super) fn replay(&mut self, points: Option<usize>) {
        let all = self.drawing.points();
        let points = points.filter(|_| all > 0).map(|points| points.clamp(1, all)).filter(|points| *points < all);
        if self.replay.points != points {
            self.replay.points = points;
            self.ask();
        }
    }

    /// Asks what was read after every point, unless that is known or being worked out.
    pub(super) fn read_moments(&mut self) {
        let Some(subject) = self.subject().filter(|subject| subject.drawing.points() > 1) else { return };
        if self.replay.asked.as_ref().is_some_and(|asked| asked.is_as(&subject)) {
            return;
        }
        self.replay.number += 1;
        self.replay.asked = Some(subject.clone());
        self.replay.reader.ask(Question { number: self.replay.number, subject });
    }

    /// What was read after every point of the drawing, in their order; `None` while that is not known.
    pub fn moments(&self) -> Option<&[Moment]> {
        let (_, moments) = self.replay.found.as_ref().filter(|(subject, _)| self.is_now(subject))?;
        Some(moments.as_ref())
    }
}

fn read(question: &Question, waiting: &Waiting<Question>) -> Result<Option<Arc<[Moment]>>> {
    let subject = &question.subject;
    let all = subject.drawing.points();
    let step = all.div_ceil(MOST_READ);
    let points: Vec<usize> = (1..=all).filter(|points| points % step == 0 || *points == all).collect();
    let mut moments = Vec::with_capacity(points.len());
    for batch in points.chunks(BATCH) {
        let mut images: Vec<Option<DigitImage>> = Vec::with_capacity(batch.len());
        for &points in batch {
            if waiting.is_overtaken() {
                return Ok(None);
            }
            images.push(subject.image(&subject.drawing.after(points), &subject.recipe));
        }
        let inked: Vec<&[u8]> = images.iter().flatten().map(|image| image.pixels.as_slice()).collect();
        let mut scores = subject.model.scores(inked.into_iter())?.into_iter();
        for (&points, image) in batch.iter().zip(&images) {
            let scores = image.as_ref().and_then(|_| scores.next());
            let prediction = scores.map(Prediction::from_scores);
            let state = prediction.map_or(State::Empty, |found| found.state(&subject.thresholds));
            moments.push(Moment { points, digit: prediction.map(|found| found.best()), state });
        }
    }
    Ok(Some(moments.into()))
}
