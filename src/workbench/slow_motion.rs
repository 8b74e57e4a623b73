//! A training slowed down so that every update can be seen: how long it waits, and the batch that is shown. At full speed
//! nothing of this is worked out.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Workbench;
use super::trainer::{Trainer, TrainerEvent};
use crate::drawing::PIXELS;
use crate::training::{Event, Lesson};

/// Updates a second at most; `None` is as fast as can be.
pub type Speed = Option<u32>;

/// The speeds that a person chooses among, with their names.
pub const SPEEDS: [(&str, Speed); 5] = [
    ("Full speed", None),
    ("60 a second", Some(60)),
    ("10 a second", Some(10)),
    ("4 a second", Some(4)),
    ("1 a second", Some(1)),
];

/// Images of a batch that are shown, at most.
pub const MOST_SHOWN: usize = 64;

/// An image as the network has met it.
#[derive(Clone, Debug, PartialEq)]
pub struct MetDigit {
    pub pixels: [u8; PIXELS],
    /// What it shows; `None` where that is no digit.
    pub label: Option<u8>,
    /// What the network read, before it learnt from it.
    pub answer: u8,
}

/// The batch of an update.
#[derive(Clone, Debug, PartialEq)]
pub struct BatchView {
    /// The update that it made, counted from 1.
    pub step: u64,
    pub loss: f64,
    /// Images of the batch, and how many of them were read wrong.
    pub images: usize,
    pub wrong: usize,
    /// The first ones.
    pub digits: Vec<MetDigit>,
    /// Length of the gradient in every layer that learns, by name.
    pub gradients: Vec<(String, f64)>,
}

impl BatchView {
    /// Of the update that `event` tells; `None` where it reads all training images, or where a device fails.
    pub(super) fn of(event: &Event<'_>) -> Option<Self> {
        let Event::Step { step, loss, lesson: Some(lesson), .. } = event else { return None };
        Self::new(*step, *loss, lesson)
    }

    fn new(step: u64, loss: f64, lesson: &Lesson<'_>) -> Option<Self> {
        let label = |label: u8| Some(label).filter(|label| *label < 10);
        let answers: Vec<u8> = lesson.answers().collect();
        let digits = lesson.images().iter().zip(lesson.labels()).zip(&answers).take(MOST_SHOWN);
        let digits =
            digits.map(|((pixels, of), answer)| MetDigit { pixels: *pixels, label: label(*of), answer: *answer });
        let wrong = lesson.labels().iter().zip(&answers).filter(|(of, answer)| label(**of).is_some() && of != answer);
        Some(Self {
            step,
            loss,
            images: answers.len(),
            wrong: wrong.count(),
            digits: digits.collect(),
            gradients: lesson.gradient_lengths().ok()?,
        })
    }

    pub(super) fn told(event: &Event<'_>) -> Option<TrainerEvent> {
        Self::of(event).map(|view| TrainerEvent::Batch(Arc::new(view)))
    }
}

/// How much longer an update that began `since` has to last at this speed.
pub(super) fn rest_of(speed: Speed, since: Instant) -> Option<Duration> {
    let length = Duration::from_secs_f64(1.0 / f64::from(speed?.max(1)));
    length.checked_sub(since.elapsed()).filter(|rest| !rest.is_zero())
}

impl Workbench {
    /// Updates a second at most, of the training under way and of later ones.
    pub fn speed(&self) -> Speed {
        self.speed
    }

    pub(super) fn set_speed(&mut self, speed: Speed) {
        self.speed = speed;
        self.control(|trainer: &Trainer| trainer.set_speed(speed));
    }
}
