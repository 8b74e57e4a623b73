//! Data sets that have been read, shared by the workers. Reading happens under the lock, in a worker, so that two of them
//! never read the same set at once.

use std::sync::{Arc, Mutex, PoisonError};

use crate::data::{Corpus, DataError, Request, load};

#[derive(Default)]
pub(super) struct Corpora {
    read: Mutex<Vec<(Request, Arc<Corpus>)>>,
    damaged_mnist: Mutex<Option<String>>,
}

impl Corpora {
    /// The data set that `source` names.
    pub fn get(&self, source: &str) -> Result<Arc<Corpus>, DataError> {
        let request = Request::parse(source);
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, corpus)) = read.iter().find(|(known, _)| *known == request) {
            return Ok(Arc::clone(corpus));
        }
        let corpus = load(&request).inspect_err(|error| {
            if matches!(request, Request::Known(_)) {
                let mut damaged = self.damaged_mnist.lock().unwrap_or_else(PoisonError::into_inner);
                *damaged = Some(error.to_string());
            }
        })?;
        let corpus = Arc::new(corpus);
        read.push((request, Arc::clone(&corpus)));
        Ok(corpus)
    }

    /// The data set that `source` names if it has been read and nobody is reading now: for what must not wait.
    pub fn at_hand(&self, source: &str) -> Option<Arc<Corpus>> {
        let request = Request::parse(source);
        let read = self.read.try_lock().ok()?;
        read.iter().find(|(known, _)| *known == request).map(|(_, corpus)| Arc::clone(corpus))
    }

    /// Why MNIST could not be read, once.
    pub fn take_damage(&self) -> Option<String> {
        self.damaged_mnist.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl super::Workbench {
    /// Files of MNIST that cannot be read are as good as absent: the offer to fetch them comes back, with the reason.
    pub(super) fn look_for_damage(&mut self) {
        if let Some(why) = self.corpora.take_damage()
            && std::mem::take(&mut self.mnist_is_here)
        {
            self.jobs.mnist_is_damaged(why);
        }
    }
}
