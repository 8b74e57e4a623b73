//! Data sets that have been read, shared by the workers. Reading happens under the lock, in a worker, so that two of them
//! never read the same set at once.

use std::sync::{Arc, Mutex, PoisonError};

use crate::data::{Corpus, DataError, Drawn, Request, load};

#[derive(Default)]
pub(super) struct Corpora {
    read: Mutex<Vec<(Request, Arc<Corpus>)>>,
}

/// Drawn digits of a training begun in the window: few enough to be there in about a second.
const DRAWN: Drawn = Drawn { train: 10_000, test: 2_000, seed: 1 };

impl Corpora {
    /// The data set that `source` names.
    pub fn get(&self, source: &str) -> Result<Arc<Corpus>, DataError> {
        let request = match Request::parse(source) {
            Request::Drawn(_) => Request::Drawn(DRAWN),
            other => other,
        };
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, corpus)) = read.iter().find(|(known, _)| *known == request) {
            return Ok(Arc::clone(corpus));
        }
        let corpus = Arc::new(load(&request)?);
        read.push((request, Arc::clone(&corpus)));
        Ok(corpus)
    }
}
