//! What somebody wants of the training under way, and how its thread obeys: it waits, goes on, changes, or ends. Blocking in the
//! run's callback is the pause.

use std::ops::ControlFlow;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Instant;

use super::trainer::{Reporting, Until};
use super::{Speed, slow_motion};
use crate::training::{LiveSettings, Stop};

#[derive(Default)]
pub(super) struct Wishes {
    pub paused: bool,
    pub until: Option<Until>,
    pub stop: bool,
    /// It ends because the program does.
    pub leaves: bool,
    pub live: LiveSettings,
    pub speed: Speed,
    /// When the last update was told.
    pub told: Option<Instant>,
}

/// Whether somebody looks at every batch.
pub(super) fn wishes_to_see((wishes, _): &(Mutex<Wishes>, Condvar)) -> bool {
    let wishes = wishes.lock().unwrap_or_else(PoisonError::into_inner);
    wishes.speed.is_some() || wishes.until == Some(Until::Batch)
}

/// What an event completes, for single steps.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Finished {
    Batch,
    Epoch,
    Nothing,
}

/// Waits as long as slow motion lasts and the training is paused; then says whether and how it goes on, and whether it waited.
pub(super) fn obey(
    (wishes, changed): &(Mutex<Wishes>, Condvar),
    finished: Finished,
    mut rests: impl FnMut() -> Reporting,
) -> (ControlFlow<Stop, Option<LiveSettings>>, bool) {
    let mut wishes = wishes.lock().unwrap_or_else(PoisonError::into_inner);
    match (wishes.until, finished) {
        (Some(Until::Batch), Finished::Batch) | (Some(Until::Epoch), Finished::Epoch) => {
            (wishes.paused, wishes.until) = (true, None);
        }
        _ => {}
    }
    if finished == Finished::Batch {
        let since = wishes.told.unwrap_or_else(Instant::now);
        while !(wishes.paused || wishes.stop)
            && let Some(rest) = slow_motion::rest_of(wishes.speed, since)
        {
            (wishes, _) = changed.wait_timeout(wishes, rest).unwrap_or_else(PoisonError::into_inner);
        }
        wishes.told = Some(Instant::now());
    }
    let rested = wishes.paused && !wishes.stop;
    if rested {
        let resting = rests();
        while wishes.paused && !wishes.stop {
            wishes = changed.wait(wishes).unwrap_or_else(PoisonError::into_inner);
        }
        resting.over();
    }
    if wishes.stop {
        return (ControlFlow::Break(Stop), rested);
    }
    let live = std::mem::take(&mut wishes.live);
    (ControlFlow::Continue((!live.is_empty()).then_some(live)), rested)
}
