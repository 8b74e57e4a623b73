//! The end that comes from outside: a signal sets a flag and wakes nobody.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::Wake;

/// Calls `wake` once `asked_to_end` is set, at most a fifth of a second later. Fails where no thread can be had.
pub fn wake_when_asked_to_end(asked_to_end: Arc<AtomicBool>, wake: Wake) -> std::io::Result<()> {
    let watch = move || {
        while !asked_to_end.load(Ordering::Relaxed) {
            std::thread::sleep(Duration::from_millis(200));
        }
        wake(Duration::ZERO);
    };
    std::thread::Builder::new().name("ending".to_owned()).spawn(watch).map(drop)
}
