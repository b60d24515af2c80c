//! Results on their way: a temporary name beside the final one, then a rename.

use std::fs::File;
use std::path::{Path, PathBuf};

use crate::failure::Failure;
use crate::os::sync_folder;

/// A file or folder under a temporary name beside its final one; removed unless renamed.
///
/// A sibling lock file held open tells the next run that its owner lives; what a killed process
/// left behind is removed by the next export to the same place.
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
        remove_leftovers(target);
        let path = sibling(target, &format!("{}.part", std::process::id()));
        let lock_path = sibling(target, &format!("{}.lock", std::process::id()));
        let lock =
            File::create(&lock_path).map_err(|error| Failure::io("create", &lock_path, &error))?;
        lock.lock().map_err(|error| Failure::io("lock", &lock_path, &error))?;
        Ok(Temporary { path, lock_path, _lock: lock, renamed: false })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Puts it in its place, durably.
    pub(super) fn rename(mut self, target: &Path) -> Result<(), Failure> {
        let old = sibling(target, "old");
        let replaces_folder = target.is_dir();
        if replaces_folder {
            // A folder cannot be renamed over one that is not empty: the old one steps aside.
            remove(&old);
            std::fs::rename(target, &old)
                .map_err(|error| Failure::io("replace", target, &error))?;
        }
        let renamed = std::fs::rename(&self.path, target);
        if let Err(error) = renamed {
            if replaces_folder {
                let _ = std::fs::rename(&old, target);
            }
            return Err(Failure::io("replace", target, &error));
        }
        self.renamed = true;
        remove(&old);
        let folder = target.parent().unwrap_or(Path::new("/"));
        sync_folder(folder).map_err(|error| Failure::io("make durable", folder, &error))
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

/// `.NAME.SUFFIX` beside `target`.
fn sibling(target: &Path, suffix: &str) -> PathBuf {
    target.with_file_name(format!(".{}.{suffix}", file_name(target)))
}

/// Removes what dead processes left beside `target`. Failures do not matter: it is tidying.
fn remove_leftovers(target: &Path) {
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

fn remove(path: &Path) {
    let _ = if path.is_dir() { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) };
}

/// The last part of a path, for names beside it and for people.
pub(super) fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
