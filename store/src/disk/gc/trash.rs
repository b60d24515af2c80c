//! `Trash`: files that go are first renamed to `trash/`, which is quick and holds up nobody, and
//! removed when the gate is open again.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rayon::prelude::{IntoParallelIterator, ParallelIterator};

use crate::Error;
use crate::disk::place::{Place, create_folder};

pub(super) struct Trash {
    folder: PathBuf,
    files: Vec<PathBuf>,
}

impl Trash {
    /// An empty folder in `trash/`.
    pub(super) fn new(place: &Place) -> Result<Trash, Error> {
        let trash = place.trash();
        create_folder(&trash)?;
        let folder = tempfile::TempDir::new_in(&trash).map_err(Error::io("make", &trash))?;
        Ok(Trash { folder: folder.keep(), files: Vec::new() })
    }

    /// Moves a file here. Answers `false` if it is not there.
    pub(super) fn take(&mut self, path: &Path) -> Result<bool, Error> {
        let target = self.folder.join(self.files.len().to_string());
        match fs::rename(path, &target) {
            Ok(()) => {
                self.files.push(target);
                Ok(true)
            }
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(cause) => Err(Error::io("move to the trash", path)(cause)),
        }
    }

    /// Removes the files, many at a time. What stays behind, the next collection removes.
    pub(super) fn empty(self) {
        self.files.into_par_iter().for_each(|path| drop(fs::remove_file(path)));
        let _ = fs::remove_dir(&self.folder);
    }
}

/// Removes what collections that were cut short left. Call it where no other one runs.
pub(super) fn empty_all(place: &Place) {
    let Ok(folders) = fs::read_dir(place.trash()) else { return };
    for entry in folders.flatten().filter(|entry| entry.path().is_dir()) {
        if let Err(cause) = fs::remove_dir_all(entry.path()) {
            tracing::warn!("cannot empty the trash: {cause}");
        }
    }
}
