//! `DerivationLock`: one builder of a derivation at a time, in all threads and processes.

use std::time::Duration;

use crate::Error;

/// The first pause between two tries, and the longest: short for who waits for a moment, cheap for
/// who waits an hour.
const PAUSE_MIN: Duration = Duration::from_millis(1);
const PAUSE_MAX: Duration = Duration::from_millis(50);

/// The right to build one derivation; see [`Store::lock_derivation`](crate::Store::lock_derivation).
/// Given back when dropped, or when the process dies.
#[must_use = "dropped at once, it locks nothing"]
pub struct DerivationLock<'a> {
    _held: Box<dyn Send + 'a>,
}

impl<'a> DerivationLock<'a> {
    /// A lock that lasts as long as `held` is not dropped.
    pub(crate) fn new(held: impl Send + 'a) -> Self {
        DerivationLock { _held: Box::new(held) }
    }
}

impl std::fmt::Debug for DerivationLock<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DerivationLock").finish_non_exhaustive()
    }
}

/// Tries until the lock is got, or `go_on` answers `false`.
pub(crate) fn wait<T>(
    mut try_lock: impl FnMut() -> Result<Option<T>, Error>,
    go_on: &mut dyn FnMut() -> bool,
) -> Result<T, Error> {
    let mut pause = PAUSE_MIN;
    loop {
        if let Some(lock) = try_lock()? {
            return Ok(lock);
        }
        if !go_on() {
            return Err(Error::Cancelled);
        }
        std::thread::sleep(pause);
        pause = PAUSE_MAX.min(pause * 2);
    }
}
