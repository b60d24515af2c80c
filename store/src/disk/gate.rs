//! `Gate`: the lock `gate.lock`, which decides whether files may come or go.
//!
//! Shared: a commit, from its first rename to its transaction; a process that makes its lease file
//! or has just added to it. Exclusive: whoever removes files or rows. So while the gate is held
//! exclusively no file is on its way, and every lease is either in its file already, or its owner
//! looks things up only after the removal.

use std::fs::File;
use std::path::{Path, PathBuf};

use crate::Error;

/// One open handle. Locks belong to handles, so each user opens one of its own.
pub(super) struct Gate {
    path: PathBuf,
    file: File,
}

/// Proof that the gate is held; released when dropped.
pub(super) struct Held {
    _gate: Gate,
}

impl Gate {
    pub(super) fn open(path: &Path) -> Result<Gate, Error> {
        let file = File::options().create(true).append(true).open(path);
        let file = file.map_err(Error::io("open", path))?;
        Ok(Gate { path: path.to_owned(), file })
    }

    /// Waits until nobody removes anything.
    pub(super) fn shared(self) -> Result<Held, Error> {
        self.file.lock_shared().map_err(Error::io("lock", &self.path))?;
        Ok(Held { _gate: self })
    }

    /// Waits until nobody else is inside.
    pub(super) fn exclusive(self) -> Result<Held, Error> {
        self.file.lock().map_err(Error::io("lock", &self.path))?;
        Ok(Held { _gate: self })
    }

    /// Passes through once: waits for the removal that is under way, if one is.
    pub(super) fn pass(&self) -> Result<(), Error> {
        self.file.lock_shared().map_err(Error::io("lock", &self.path))?;
        self.file.unlock().map_err(Error::io("unlock", &self.path))
    }
}
