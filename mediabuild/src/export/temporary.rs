//! Results on their way: a temporary name beside the final one, then a rename.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use crate::failure::Failure;
use crate::os::{swap, sync_folder};

/// A file or folder under a temporary name beside its final one; removed unless renamed.
///
/// A sibling lock file held open tells the next run that its owner lives; what a killed process
/// left behind is removed by the next build that wants a result at the same place.
pub(super) struct Temporary {
    path: PathBuf,
    lock_path: PathBuf,
    _lock: File,
    renamed: bool,
}

impl Temporary {
    pub(super) fn file(target: &Path) -> Result<Self, Failure> {
        Self::new(target)
    }

    pub(super) fn folder(target: &Path) -> Result<Self, Failure> {
        let temporary = Self::new(target)?;
        std::fs::create_dir(&temporary.path)
            .map_err(|error| Failure::io("create", &temporary.path, &error))?;
        Ok(temporary)
    }

    fn new(target: &Path) -> Result<Self, Failure> {
        let path = sibling(target, &format!("{}.part", std::process::id()));
        let lock_path = sibling(target, &format!("{}.lock", std::process::id()));
        let lock = lock_file(&lock_path)?;
        Ok(Temporary { path, lock_path, _lock: lock, renamed: false })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Puts it in its place, durably.
    pub(super) fn rename(mut self, target: &Path) -> Result<(), Failure> {
        self.replace(target).map_err(|error| Failure::io("replace", target, &error))?;
        let folder = target.parent().unwrap_or(Path::new("/"));
        sync_folder(folder).map_err(|error| Failure::io("make durable", folder, &error))
    }

    /// A folder cannot be renamed over one that is not empty: the two are swapped, and the old one is
    /// removed as the temporary that it is then.
    fn replace(&mut self, target: &Path) -> io::Result<()> {
        let are_folders = self.path.is_dir() && target.is_dir();
        if are_folders && swap(&self.path, target).is_ok() {
            return Ok(());
        }
        let old = sibling(target, "old");
        if are_folders {
            // Where nothing swaps, the old one steps aside.
            remove(&old);
            std::fs::rename(target, &old)?;
        }
        if let Err(error) = std::fs::rename(&self.path, target) {
            if are_folders {
                let _ = std::fs::rename(&old, target);
            }
            return Err(error);
        }
        self.renamed = true;
        remove(&old);
        Ok(())
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.renamed {
            remove(&self.path);
        }
        let _ = std::fs::remove_file(&self.lock_path);
    }
}

/// A new file that this process holds locked.
fn lock_file(path: &Path) -> Result<File, Failure> {
    loop {
        let lock = File::create(path).map_err(|error| Failure::io("create", path, &error))?;
        match lock.lock() {
            // Some network file systems know no locks: nobody tells our leftovers from a living one's.
            Err(error) if error.kind() == io::ErrorKind::Unsupported => {}
            locked => locked.map_err(|error| Failure::io("lock", path, &error))?,
        }
        // Between the two, another process may have taken it for a dead one's and removed it.
        if path.exists() {
            return Ok(lock);
        }
    }
}

/// `.NAME.SUFFIX` beside `target`.
fn sibling(target: &Path, suffix: &str) -> PathBuf {
    target.with_file_name(format!(".{}.{suffix}", file_name(target)))
}

/// Removes what dead processes left beside `target`. Failures do not matter: it is tidying.
pub(super) fn remove_leftovers(target: &Path) {
    let prefix = format!(".{}.", file_name(target));
    let Some(entries) = target.parent().and_then(|folder| std::fs::read_dir(folder).ok()) else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let Some(process) = name.strip_prefix(&prefix).and_then(|rest| rest.strip_suffix(".lock"))
        else {
            continue;
        };
        let Ok(lock) = File::open(entry.path()) else { continue };
        if lock.try_lock().is_ok() {
            remove(&sibling(target, &format!("{process}.part")));
            remove(&entry.path());
        }
    }
}

/// Removes a result; a folder leaves its place at once, whenever its files are gone.
pub(super) fn remove_result(path: &Path) -> io::Result<()> {
    if !path.is_dir() {
        return std::fs::remove_file(path);
    }
    let old = sibling(path, "old");
    remove(&old);
    std::fs::rename(path, &old)?;
    std::fs::remove_dir_all(&old)
}

fn remove(path: &Path) {
    let _ = if path.is_dir() { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) };
}

/// The last part of a path, for names beside it and for people.
pub(super) fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
