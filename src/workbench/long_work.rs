//! A thread of long work that can be paused and stopped: whoever works asks between two steps. Ablations and races have one
//! each; only one of them and the training is under way at a time.

use std::ops::ControlFlow;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;

use super::{NoticeKind, RaceView, Workbench};
use crate::training::Stop;

#[derive(Clone, Copy, Default)]
struct Wanted {
    paused: bool,
    stop: bool,
}

/// What is wanted of the work.
#[derive(Default)]
pub(super) struct Reins {
    wanted: Mutex<Wanted>,
    changed: Condvar,
}

impl Reins {
    /// Waits while the work is paused; breaks once it is to end.
    pub fn obey(&self) -> ControlFlow<Stop> {
        let mut wanted = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
        while wanted.paused && !wanted.stop {
            wanted = self.changed.wait(wanted).unwrap_or_else(PoisonError::into_inner);
        }
        if wanted.stop { ControlFlow::Break(Stop) } else { ControlFlow::Continue(()) }
    }

    fn want(&self, change: impl FnOnce(&mut Wanted)) {
        change(&mut self.wanted.lock().unwrap_or_else(PoisonError::into_inner));
        self.changed.notify_all();
    }
}

/// The thread. Dropping it stops the work; nobody waits.
pub(super) struct LongWork {
    reins: Arc<Reins>,
    thread: JoinHandle<()>,
}

impl LongWork {
    /// Runs `work` on a thread of this name, and `ended` with what came of it, a panic as a sentence.
    pub fn start(
        name: &str,
        work: impl FnOnce(&Reins) -> anyhow::Result<()> + Send + 'static,
        ended: impl FnOnce(Result<(), String>) + Send + 'static,
    ) -> std::io::Result<Self> {
        let reins = Arc::new(Reins::default());
        let shared = Arc::clone(&reins);
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(move || {
            let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| work(&shared)));
            ended(match result {
                Ok(done) => done.map_err(|error| format!("{error:#}")),
                Err(_) => Err("it failed unexpectedly; everything else goes on".to_owned()),
            });
        })?;
        Ok(Self { reins, thread })
    }

    pub fn pause(&self, paused: bool) {
        self.reins.want(|wanted| wanted.paused = paused);
    }

    pub fn stop(&self) {
        self.reins.want(|wanted| wanted.stop = true);
    }

    pub fn is_busy(&self) -> bool {
        !self.thread.is_finished()
    }
}

impl Drop for LongWork {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Workbench {
    /// What keeps another training, ablation or race from starting: "A training".
    pub fn is_busy_with(&self) -> Option<&'static str> {
        match () {
            () if self.training_is_under_way() => Some("A training"),
            () if self.ablations().iter().any(|card| card.is_under_way) => Some("An ablation"),
            () if self.race().is_some_and(RaceView::is_under_way) => Some("A race"),
            () => None,
        }
    }

    /// Whether nothing is under way; says what is.
    pub(super) fn is_free(&mut self) -> bool {
        let busy = self.is_busy_with();
        if let Some(work) = busy {
            self.notify(NoticeKind::Info, format!("{work} is under way; stop it before you start another"));
        }
        busy.is_none()
    }

    /// Ends the long work of a program that ends.
    pub(super) fn leave_long_work(&self) {
        self.long_work().for_each(LongWork::stop);
    }

    /// The threads of ablations and races, those that have ended too.
    pub(super) fn long_work(&self) -> impl Iterator<Item = &LongWork> {
        self.ablating.work.iter().chain(&self.racing.work)
    }
}
