//! `Place`: the folder that is written into. What cannot be written is noted, what ends everything
//! (a full disk, no permission) is a failure.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use rayon::prelude::{IntoParallelRefIterator, ParallelIterator};

use super::tree::Folder;
use crate::failure::Failure;
use crate::os::Beneath;

pub(super) struct Place {
    folder: Beneath,
    /// Its path, for messages.
    path: PathBuf,
    replaces: bool,
    tally: Mutex<Tally>,
    /// Files that have not all of their bytes yet.
    unfinished: Mutex<BTreeSet<PathBuf>>,
}

/// What was done so far.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) file_count: usize,
    pub(super) link_count: usize,
    pub(super) bytes: u64,
    /// What was not done, as warnings.
    pub(super) problems: Vec<String>,
}

impl Place {
    pub(super) fn new(folder: Beneath, path: &Path, replaces: bool) -> Place {
        let (tally, unfinished) = Default::default();
        Place { folder, path: path.to_owned(), replaces, tally, unfinished }
    }

    fn unfinished(&self) -> MutexGuard<'_, BTreeSet<PathBuf>> {
        self.unfinished.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes away what was begun, when all ends early: by Ctrl-C, or a full disk.
    pub(super) fn remove_unfinished(&self) {
        for path in std::mem::take(&mut *self.unfinished()) {
            // Why all ends is told; that a file cannot be removed either adds nothing.
            let _ = self.folder.remove(&path);
        }
    }

    fn locked(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was done. Problems are sorted: which thread met them when says nothing.
    pub(super) fn tally(self) -> Tally {
        let mut tally = self.tally.into_inner().unwrap_or_else(PoisonError::into_inner);
        tally.problems.sort();
        tally
    }

    pub(super) fn make_folders(&self, folders: &[Folder]) -> Result<(), Failure> {
        folders.iter().try_for_each(|folder| {
            let made = self.folder.make_folder(&folder.path);
            self.noted(made, &folder.path).map(drop)
        })
    }

    /// Times of folders change as files are put into them, so they are set last.
    pub(super) fn finish_folders(&self, folders: &[Folder]) -> Result<(), Failure> {
        let finish = |folder: &Folder| self.set_modified(&folder.path, folder.modified);
        folders.par_iter().try_for_each(finish)
    }

    /// A new file; `None` if there can be none of this name.
    pub(super) fn make_file(&self, path: &Path) -> Result<Option<File>, Failure> {
        let made = self.replacing(path, || self.folder.make_file(path));
        if made.is_ok() {
            self.unfinished().insert(path.to_owned());
        }
        self.noted(made, path)
    }

    /// A file is complete.
    pub(super) fn finish_file(
        &self,
        path: &Path,
        file: &File,
        size_bytes: u64,
        modified: Option<SystemTime>,
    ) -> Result<(), Failure> {
        if let Some(modified) = modified {
            self.noted(file.set_modified(modified), path)?;
        }
        self.unfinished().remove(path);
        let mut tally = self.locked();
        tally.file_count += 1;
        tally.bytes += size_bytes;
        Ok(())
    }

    /// Takes a file away whose content turned out to be damaged.
    pub(super) fn give_up(&self, path: &Path, problem: &str) -> Result<(), Failure> {
        self.folder.remove(path).map_err(|error| self.failure(path, &error))?;
        self.unfinished().remove(path);
        self.problem(path, problem);
        Ok(())
    }

    /// Another name of a file.
    pub(super) fn link(&self, path: &Path, new: &Path) -> Result<(), Failure> {
        let made = self.replacing(new, || self.folder.link(path, new));
        if self.noted(made, new)?.is_some() {
            self.locked().file_count += 1;
        }
        Ok(())
    }

    pub(super) fn symlink(
        &self,
        text: &str,
        path: &Path,
        modified: Option<SystemTime>,
    ) -> Result<(), Failure> {
        let made = self.replacing(path, || self.folder.symlink(text, path));
        if self.noted(made, path)?.is_some() {
            self.locked().link_count += 1;
            self.set_modified(path, modified)?;
        }
        Ok(())
    }

    /// Notes what was not done.
    pub(super) fn problem(&self, path: &Path, problem: &str) {
        self.locked().problems.push(format!("`{}`: {problem}", path.display()));
    }

    /// Writing to a file failed.
    pub(super) fn failure(&self, path: &Path, error: &io::Error) -> Failure {
        Failure::io("write", &self.path.join(path), error)
    }

    fn set_modified(&self, path: &Path, modified: Option<SystemTime>) -> Result<(), Failure> {
        let Some(modified) = modified else { return Ok(()) };
        let set = self.folder.set_modified(path, modified);
        // What could not be made was noted already.
        match set {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            set => self.noted(set, path).map(drop),
        }
    }

    /// Makes something anew where there is a file, if that was asked for.
    fn replacing<T>(&self, path: &Path, make: impl Fn() -> io::Result<T>) -> io::Result<T> {
        match make() {
            Err(error) if self.replaces && error.kind() == ErrorKind::AlreadyExists => {
                self.folder.remove(path)?;
                make()
            }
            made => made,
        }
    }

    /// Notes what concerns one file only.
    fn noted<T>(&self, made: io::Result<T>, path: &Path) -> Result<Option<T>, Failure> {
        let error = match made {
            Ok(made) => return Ok(Some(made)),
            Err(error) => error,
        };
        match error.kind() {
            ErrorKind::StorageFull
            | ErrorKind::QuotaExceeded
            | ErrorKind::PermissionDenied
            | ErrorKind::ReadOnlyFilesystem => Err(self.failure(path, &error)),
            _ => {
                self.problem(path, &error.to_string());
                Ok(None)
            }
        }
    }
}
