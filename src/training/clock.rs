//! How long a run has trained: a clock that stands still while the run rests.

use std::time::{Duration, Instant};

/// Counts from the start, or from what an earlier life of the run has taken. Whoever watches the run and lets it rest stops the
/// clock meanwhile. It measures; nothing that is learnt follows from it.
pub struct Clock {
    counted: Duration,
    /// Since when it goes; `None` while it stands.
    since: Option<Instant>,
}

impl Clock {
    /// Goes from `seconds` on.
    pub(super) fn going_on(seconds: f64) -> Self {
        // a record may tell anything; what is no duration counts as none
        let counted = Duration::try_from_secs_f64(seconds).unwrap_or_default();
        Self { counted, since: Some(Instant::now()) }
    }

    /// Of training so far, pauses left out.
    pub fn seconds(&self) -> f64 {
        (self.counted + self.since.map_or(Duration::ZERO, |since| since.elapsed())).as_secs_f64()
    }

    /// It stands still until [`Clock::resume`].
    pub fn pause(&mut self) {
        self.counted += self.since.take().map_or(Duration::ZERO, |since| since.elapsed());
    }

    pub fn resume(&mut self) {
        self.since.get_or_insert_with(Instant::now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_stands_still_while_paused() {
        let mut clock = Clock::going_on(10.0);
        clock.pause();
        let paused = clock.seconds();
        std::thread::sleep(Duration::from_millis(30));
        assert_eq!(clock.seconds(), paused);
        clock.resume();
        std::thread::sleep(Duration::from_millis(30));
        assert!(clock.seconds() >= paused + 0.03 && paused >= 10.0);
        assert!(Clock::going_on(f64::NAN).seconds() < 1.0);
    }
}
