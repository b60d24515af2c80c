//! Ctrl-C and SIGTERM: one flag that every long loop looks at.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::cli::Format;
use crate::failure::Failure;
use crate::progress::print_failure;

static CANCELLED: AtomicBool = AtomicBool::new(false);

/// How long jobs have to stop by themselves: what they clean up then, the next run need not.
const PATIENCE: Duration = Duration::from_millis(800);

/// Listens for Ctrl-C and SIGTERM. Jobs are asked to stop; if one cannot (a server that is silent, a
/// disk that takes seconds to flush), the process ends all the same. That is safe at any moment:
/// temporary files of dead processes are removed by the next run.
pub(crate) fn listen() {
    let heard = ctrlc::set_handler(|| {
        CANCELLED.store(true, Ordering::SeqCst);
        std::thread::sleep(PATIENCE);
        print_failure(Format::Text, &Failure::cancelled());
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
    if is_cancelled() { Err(Failure::cancelled()) } else { Ok(()) }
}
