//! `Scratch`: a process's own folder in `tmp/`, and sweeping those of the dead.
//!
//! Who holds the lock in a folder lives. The lock of `tmp/` itself is held while a folder is made
//! and while folders are swept, so a sweep never meets a folder that is not locked *yet*.

use std::fs::{self, File};
use std::path::Path;

use tempfile::TempDir;

use super::place::Place;
use crate::{Error, os};

/// Our folder in `tmp/`. Removed, with all in it, when dropped.
pub(super) struct Scratch {
    /// Declared first: on Windows a folder cannot be removed while a file in it is open. Who sweeps
    /// in between removes what we are about to remove.
    _lock: File,
    folder: TempDir,
}

/// One batch's folder. Removed, with all in it, when dropped.
pub(super) struct ScratchFolder {
    folder: TempDir,
}

impl Scratch {
    pub(super) fn join(place: &Place) -> Result<Scratch, Error> {
        let _joining = place.lock_tmp()?;
        let folder = folder_in(&place.tmp())?;
        let path = folder.path().join("lock");
        let lock = File::create(&path).map_err(Error::io("make", &path))?;
        lock.lock().map_err(Error::io("lock", &path))?;
        Ok(Scratch { folder, _lock: lock })
    }

    pub(super) fn folder(&self) -> Result<ScratchFolder, Error> {
        Ok(ScratchFolder { folder: folder_in(self.folder.path())? })
    }
}

impl ScratchFolder {
    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }
}

/// Removes what dead processes left in `tmp/`.
pub(super) fn sweep(place: &Place) -> Result<(), Error> {
    let tmp = place.tmp();
    let list = || fs::read_dir(&tmp).map_err(Error::io("list", &tmp));
    let is_swept = |name: &std::ffi::OsStr| name == "lock";
    // Nearly always there is nothing to do, and then there is no need to wait for the lock.
    if list()?.flatten().all(|entry| is_swept(&entry.file_name())) {
        return Ok(());
    }
    let _sweeping = place.lock_tmp()?;
    for entry in list()?.flatten().filter(|entry| !is_swept(&entry.file_name())) {
        sweep_entry(&entry.path())?;
    }
    Ok(())
}

fn sweep_entry(path: &Path) -> Result<(), Error> {
    // A process that ends removes its own folder, whenever it likes.
    match remove_entry(path) {
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(cause) if os::is_in_use(&cause) => Ok(()),
        removed => removed.map_err(Error::io("remove", path)),
    }
}

fn remove_entry(path: &Path) -> std::io::Result<()> {
    if !path.is_dir() {
        // Files here are written only under the lock of `tmp/`, which we hold.
        return fs::remove_file(path);
    }
    // Without a lock file, its maker died between two calls.
    let lock = File::open(path.join("lock"));
    if lock.as_ref().is_ok_and(|lock| lock.try_lock().is_err()) {
        return Ok(());
    }
    // The dead stay dead, and on Windows a folder cannot be removed while a file in it is open.
    drop(lock);
    tracing::debug!(path = %path.display(), "removing what a dead process left");
    fs::remove_dir_all(path)
}

fn folder_in(parent: &Path) -> Result<TempDir, Error> {
    TempDir::new_in(parent).map_err(Error::io("make a folder in", parent))
}
