//! Ctrl-C and SIGTERM: one flag that every long loop looks at.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::cli::Format;
use crate::failure::{Failure, FailureKind};
use crate::progress::print_failure;

static CANCELLED: AtomicBool = AtomicBool::new(false);

/// What a stop would leave behind at this moment; `None`: nothing unfinished.
static LEFT: Mutex<Option<String>> = Mutex::new(None);

/// How long jobs have to stop by themselves: what they clean up then, the next run need not.
const PATIENCE: Duration = Duration::from_millis(800);

/// Listens for Ctrl-C and SIGTERM. Jobs are asked to stop; if one cannot (a server that is silent, a
/// disk that takes seconds to flush), the process ends all the same. That is safe at any moment:
/// temporary files of dead processes are removed by the next run.
pub(crate) fn listen() {
    let heard = ctrlc::set_handler(|| {
        CANCELLED.store(true, Ordering::SeqCst);
        std::thread::sleep(PATIENCE);
        print_failure(Format::Text, &stopped());
        std::process::exit(130);
    });
    if let Err(error) = heard {
        tracing::warn!("cannot listen for Ctrl-C: {error}");
    }
}

/// Whether to stop.
pub(crate) fn is_cancelled() -> bool {
    CANCELLED.load(Ordering::Relaxed)
}

/// An error if it is time to stop.
pub(crate) fn check() -> Result<(), Failure> {
    if is_cancelled() { Err(stopped()) } else { Ok(()) }
}

/// What is said if it is stopped now.
pub(crate) fn stopped() -> Failure {
    match &*LEFT.lock().unwrap_or_else(PoisonError::into_inner) {
        Some(left) => Failure::new(FailureKind::Cancelled, format!("stopped; {left}")),
        None => Failure::cancelled(),
    }
}

/// Until it is dropped, a stop says this instead of that nothing unfinished was left behind. Only for
/// what no temporary name can hide, such as a disk: there is one at a time.
#[must_use]
pub(crate) struct Left(());

impl Left {
    pub(crate) fn behind(what: String) -> Left {
        *LEFT.lock().unwrap_or_else(PoisonError::into_inner) = Some(what);
        Left(())
    }
}

impl Drop for Left {
    fn drop(&mut self) {
        *LEFT.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}
