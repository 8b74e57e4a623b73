//! Whoever watches a run, and what may change while it goes on: by their answers, or as a journal tells that it did before.

use std::collections::VecDeque;
use std::ops::ControlFlow;

use super::{Clock, Event, LiveChange, Observer, Position, Resumable, Stop};

pub(super) struct Steering<'a> {
    observe: Observer<'a>,
    /// Of the run, see [`Clock`].
    pub clock: Clock,
    /// Changes of an earlier life of this run that have not come up yet, in their order.
    pending: VecDeque<LiveChange>,
}

impl<'a> Steering<'a> {
    pub fn new(observe: Observer<'a>, live: &[LiveChange]) -> Self {
        Self { observe, clock: Clock::going_on(0.0), pending: LiveChange::in_order(live).into() }
    }

    /// Tells what happened; true while the run is to go on. Changes are taken in, those of a journal first.
    pub fn tell(&mut self, event: Event<'_>, position: &mut Position) -> bool {
        let flow = (self.observe)(event, &mut self.clock);
        self.replay(position);
        match flow {
            ControlFlow::Continue(Some(set)) => {
                position.set(set);
                true
            }
            ControlFlow::Continue(None) => true,
            ControlFlow::Break(Stop) => false,
        }
    }

    /// Shows the run as it could be left; true while it is to go on.
    pub fn show(&mut self, resumable: &Resumable<'_>) -> bool {
        (self.observe)(Event::Resumable(resumable), &mut self.clock).is_continue()
    }

    /// Makes the changes that were made at this place.
    pub fn replay(&mut self, position: &mut Position) {
        let (next, epochs) = (position.step + 1, position.epochs);
        let is_due = |change: &LiveChange| change.update <= next && change.epochs <= epochs;
        while let Some(change) = self.pending.front().copied().filter(is_due) {
            position.set(change.set);
            self.pending.pop_front();
        }
    }
}
