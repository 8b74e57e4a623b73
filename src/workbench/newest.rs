//! A thread that answers only the newest question: whoever asks faster than it answers replaces what waits.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Result;

use super::{Wake, WorkerEvent};

struct Slot<Question> {
    newest: Option<Question>,
    closed: bool,
}

/// What a worker may look at while it works on a long answer.
pub(super) struct Waiting<Question>(Arc<(Mutex<Slot<Question>>, Condvar)>);

impl<Question> Waiting<Question> {
    /// Whether a newer question has come, so that nobody wants the answer under way any more.
    pub fn is_overtaken(&self) -> bool {
        let slot = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        slot.closed || slot.newest.is_some()
    }
}

/// Ends its thread when it is dropped.
pub(super) struct Newest<Question> {
    slot: Arc<(Mutex<Slot<Question>>, Condvar)>,
    is_busy: Arc<AtomicBool>,
}

impl<Question: Send + 'static> Newest<Question> {
    /// Starts a thread of this name that calls `answer` with the newest question each time. A question that fails or is
    /// overtaken stays unanswered; the next one is asked as if nothing had happened.
    pub fn start(
        name: &str,
        sender: Sender<WorkerEvent>,
        wake: Wake,
        mut answer: impl FnMut(&Question, &Waiting<Question>) -> Result<Option<WorkerEvent>> + Send + 'static,
    ) -> Result<Self> {
        let slot = Arc::new((Mutex::new(Slot { newest: None, closed: false }), Condvar::new()));
        let waiting = Waiting(Arc::clone(&slot));
        let is_busy = Arc::new(AtomicBool::new(false));
        let busy = Arc::clone(&is_busy);
        std::thread::Builder::new().name(name.to_owned()).spawn(move || {
            while let Some(question) = next(&waiting.0) {
                busy.store(true, Ordering::Relaxed);
                let event = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| answer(&question, &waiting)));
                busy.store(false, Ordering::Relaxed);
                let Ok(Ok(Some(event))) = event else { continue };
                if sender.send(event).is_err() {
                    return;
                }
                wake(Duration::ZERO);
            }
        })?;
        Ok(Self { slot, is_busy })
    }

    /// True while an answer is being worked out; for other threads that give way meanwhile.
    pub fn is_busy(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.is_busy)
    }

    /// Replaces any question that waits.
    pub fn ask(&self, question: Question) {
        let (slot, waiting) = &*self.slot;
        slot.lock().unwrap_or_else(PoisonError::into_inner).newest = Some(question);
        waiting.notify_one();
    }
}

impl<Question> Drop for Newest<Question> {
    fn drop(&mut self) {
        let (slot, waiting) = &*self.slot;
        slot.lock().unwrap_or_else(PoisonError::into_inner).closed = true;
        waiting.notify_one();
    }
}

fn next<Question>((slot, waiting): &(Mutex<Slot<Question>>, Condvar)) -> Option<Question> {
    let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        if slot.closed {
            return None;
        }
        if let Some(question) = slot.newest.take() {
            return Some(question);
        }
        slot = waiting.wait(slot).unwrap_or_else(PoisonError::into_inner);
    }
}
