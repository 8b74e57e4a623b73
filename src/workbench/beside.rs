//! What is worked out beside the pad's own answer: all models, two models on the test digits, pinned drawings,
//! what thresholds are worth, the list of runs, and the moments of one.

use std::sync::mpsc::Sender;

use anyhow::Result;

use super::comparing::Comparing;
use super::deciding::Deciding;
use super::disagreeing::Disagreeing;
use super::newest::Newest;
use super::pins::Pins;
use super::runs::Runs;
use super::time_machine::TimeMachine;
use super::trainer::TrainerEvent;
use super::{Wake, Workbench, WorkerEvent};

/// The state of all of them.
pub(super) struct Beside {
    pub comparing: Comparing,
    pub deciding: Deciding,
    pub disagreeing: Disagreeing,
    pub pins: Pins,
    pub runs: Runs,
    pub time: TimeMachine,
}

impl Beside {
    /// Starts their threads, which give way to the pad's.
    pub fn start<Q: Send + 'static>(sender: &Sender<WorkerEvent>, wake: &Wake, pad: &Newest<Q>) -> Result<Self> {
        Ok(Self {
            comparing: Comparing::start(sender.clone(), Wake::clone(wake), pad.is_busy())?,
            deciding: Deciding::start(sender.clone(), Wake::clone(wake))?,
            disagreeing: Disagreeing::default(),
            pins: Pins::start(sender.clone(), Wake::clone(wake), pad.is_busy())?,
            runs: Runs::start(sender.clone(), Wake::clone(wake))?,
            time: TimeMachine::start(sender.clone(), Wake::clone(wake))?,
        })
    }
}

/// What an event of a training means for the pinned drawings.
#[derive(Clone, Copy)]
pub(super) enum ForPins {
    /// The network has been looked at after this update.
    Tick(u64),
    /// Nothing moves any more, for now or for good.
    Rest,
    Nothing,
}

impl From<&TrainerEvent> for ForPins {
    fn from(event: &TrainerEvent) -> Self {
        match event {
            TrainerEvent::Tick { step, .. } | TrainerEvent::Epoch { step, .. } => Self::Tick(*step),
            TrainerEvent::Paused(true) | TrainerEvent::Ended(_) => Self::Rest,
            _ => Self::Nothing,
        }
    }
}

impl Workbench {
    pub(super) fn tell_pins(&mut self, what: ForPins) {
        match what {
            ForPins::Tick(step) => self.pins_at_tick(step),
            ForPins::Rest => self.ask_pins(),
            ForPins::Nothing => {}
        }
    }
}
