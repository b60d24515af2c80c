//! Ctrl-C and SIGTERM: one flag that every long loop looks at.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::failure::Failure;

static CANCELLED: AtomicBool = AtomicBool::new(false);

/// Listens for Ctrl-C and SIGTERM. The first asks jobs to stop; a second ends the process at once,
/// which is safe (temporary files of dead processes are removed by the next run).
pub(crate) fn listen() {
    let heard = ctrlc::set_handler(|| {
        if CANCELLED.swap(true, Ordering::SeqCst) {
            std::process::exit(130);
        }
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
    if is_cancelled() { Err(Failure::cancelled()) } else { Ok(()) }
}
