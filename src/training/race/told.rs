//! What a race tells while it goes on, and how far that says a lane has come.

use crate::training::Divergence;

/// The share of right answers that counts as arrived.
pub const RACE_AIM: f64 = 0.98;

/// Told while a race goes on, on the calling thread; blocking in it is the pause.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum RaceEvent {
    /// All lanes have made this update, or wait or rest.
    Round { update: u64, updates: u64 },
    /// Within an update that reads all training images: for whoever wants the race to rest or to end.
    Reading,
    /// A lane has made an update.
    Update {
        lane: usize,
        /// Updates of this lane so far.
        step: u64,
        /// Batches that the lane has read, as the head of `race.rs` tells.
        place: f64,
        /// Mean over the batch, before the update; of all training images after it, where it reads all of them.
        loss: f64,
        /// Of the lane's own updates so far.
        seconds: f64,
    },
    /// A lane was judged on validation images, the same for all.
    Judged { lane: usize, step: u64, place: f64, seconds: f64, accuracy: f64, loss: f64 },
    /// A lane has lost its way; it rests, the others go on.
    Diverged { lane: usize, step: u64, why: Divergence },
}

/// How far a lane has come.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RaceStanding {
    /// Updates of its own.
    pub step: u64,
    /// In batches read.
    pub place: f64,
    /// Of its own updates.
    pub seconds: f64,
    /// Of its last batch.
    pub loss: Option<f64>,
    /// Share of the validation images read right when it was judged last.
    pub accuracy: Option<f64>,
    /// Place and seconds of the first judgement of [`RACE_AIM`] or better.
    pub arrived: Option<(f64, f64)>,
    pub diverged: Option<Divergence>,
}

impl RaceStanding {
    /// Takes in what was told of this lane.
    pub fn take(&mut self, event: &RaceEvent) {
        match *event {
            RaceEvent::Round { .. } | RaceEvent::Reading => {}
            RaceEvent::Update { step, place, loss, seconds, .. } => {
                (self.step, self.place, self.seconds, self.loss) = (step, place, seconds, Some(loss));
            }
            RaceEvent::Judged { place, seconds, accuracy, .. } => {
                self.accuracy = Some(accuracy);
                if accuracy >= RACE_AIM {
                    self.arrived = self.arrived.or(Some((place, seconds)));
                }
            }
            RaceEvent::Diverged { why, .. } => self.diverged = Some(why),
        }
    }
}

impl RaceEvent {
    /// The lane that it is about, if it is about one.
    pub fn lane(&self) -> Option<usize> {
        match *self {
            Self::Round { .. } | Self::Reading => None,
            Self::Update { lane, .. } | Self::Judged { lane, .. } | Self::Diverged { lane, .. } => Some(lane),
        }
    }
}
