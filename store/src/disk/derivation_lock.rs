//! Locks of derivations: a file each in `locks/`, which is there while somebody builds or wants to.
//!
//! Only the holder removes the file. Who opened it before and gets its lock afterwards holds a file
//! that has no name any more, sees that, and starts again.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::PathBuf;

use super::place::{Place, create_folder};
use crate::{DerivationId, Error, os};

/// Removes the file, then unlocks it.
pub(super) struct Held {
    path: PathBuf,
    _file: File,
}

impl Drop for Held {
    fn drop(&mut self) {
        // Where an open file cannot be removed it stays, and is as good as none.
        let _ = fs::remove_file(&self.path);
    }
}

/// The lock of `id`, unless somebody has it.
pub(super) fn try_lock(place: &Place, id: &DerivationId) -> Result<Option<Held>, Error> {
    try_lock_at(place, place.locks().join(id.to_string()))
}

fn try_lock_at(place: &Place, path: PathBuf) -> Result<Option<Held>, Error> {
    loop {
        let file = match open(&path) {
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => {
                create_folder(&place.locks())?;
                open(&path)
            }
            file => file,
        };
        let file = file.map_err(Error::write(&path, 0))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(cause)) => return Err(Error::io("lock", &path)(cause)),
        }
        if os::is_at(&file, &path).map_err(Error::io("look at", &path))? {
            return Ok(Some(Held { path, _file: file }));
        }
    }
}

/// Windows locks only what was opened for reading or writing.
fn open(path: &PathBuf) -> io::Result<File> {
    File::options().read(true).write(true).create(true).truncate(false).open(path)
}

/// Removes what processes that were killed left.
pub(super) fn sweep(place: &Place) {
    let Ok(entries) = fs::read_dir(place.locks()) else { return };
    for entry in entries.flatten() {
        drop(try_lock_at(place, entry.path()));
    }
}
