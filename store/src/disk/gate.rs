//! `Gate`: the lock `gate.lock`, which decides whether files may come or go.
//!
//! Shared: a commit, from its first rename to its transaction; a process that makes its lease file
//! or has just added to it. Exclusive: whoever removes files or rows. So while the gate is held
//! exclusively no file is on its way, and every lease is either in its file already, or its owner
//! looks things up only after the removal.
//!
//! Commits that overlap without end would keep an exclusive lock waiting for ever, so everybody
//! goes through `gate.turn` first: who waits for the gate exclusively holds it, and nobody else
//! gets in before. Whoever holds the gate exclusively holds both, so who holds the turn shared is
//! never kept waiting at the gate: there is no deadlock.

use std::fs::File;
use std::path::{Path, PathBuf};

use crate::{Error, os};

/// Two open handles. Locks belong to handles, so each user opens its own.
pub(super) struct Gate {
    path: PathBuf,
    turn: File,
    gate: File,
}

/// Proof that the gate is held; released when dropped.
pub(super) struct Held {
    _gate: Gate,
}

impl Gate {
    /// The gate of the store in `folder`.
    pub(super) fn open(folder: &Path) -> Result<Gate, Error> {
        let open = |path: PathBuf| {
            // Windows locks only what was opened for reading or writing; appending is neither.
            let mut options = File::options();
            options.read(true).write(true).create(true).truncate(false);
            options.open(&path).map_err(Error::io("open", &path))
        };
        let path = folder.join("gate.lock");
        Ok(Gate { turn: open(folder.join("gate.turn"))?, gate: open(path.clone())?, path })
    }

    /// Waits until nobody removes anything.
    pub(super) fn shared(self) -> Result<Held, Error> {
        self.enter()?;
        Ok(Held { _gate: self })
    }

    /// Waits until nobody else is inside.
    pub(super) fn exclusive(self) -> Result<Held, Error> {
        self.turn.lock().map_err(Error::io("lock", &self.path))?;
        self.gate.lock().map_err(Error::io("lock", &self.path))?;
        Ok(Held { _gate: self })
    }

    /// Passes through once: waits for the removal that is under way, if one is.
    pub(super) fn pass(&self) -> Result<(), Error> {
        self.enter()?;
        os::unlock(&self.gate).map_err(Error::io("unlock", &self.path))
    }

    fn enter(&self) -> Result<(), Error> {
        let enter = || {
            self.turn.lock_shared()?;
            self.gate.lock_shared()?;
            os::unlock(&self.turn)
        };
        enter().map_err(Error::io("lock", &self.path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
    use std::time::Duration;

    /// Four threads inside all the time, overlapping: who wants to be alone gets in.
    #[test]
    fn who_waits_to_be_alone_gets_in() {
        let folder = tempfile::tempdir().unwrap();
        let over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    while !over.load(Relaxed) {
                        let held = Gate::open(folder.path()).unwrap().shared().unwrap();
                        std::thread::sleep(Duration::from_millis(5));
                        drop(held);
                    }
                });
            }
            std::thread::sleep(Duration::from_millis(20));
            for _ in 0..20 {
                drop(Gate::open(folder.path()).unwrap().exclusive().unwrap());
            }
            over.store(true, Relaxed);
        });
    }
}
