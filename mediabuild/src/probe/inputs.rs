//! What a look at the disk tells about inputs: files or folders, and how many bytes.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use mediabuild_schema::LockKind;
use walkdir::WalkDir;

use super::wims::Wims;

/// The inputs of a project, by path.
#[derive(Debug, Default)]
pub(crate) struct Inputs {
    found: BTreeMap<PathBuf, Found>,
    pub(super) wims: Wims,
}

#[derive(Debug, Clone, Copy)]
struct Found {
    kind: Kind,
    files: usize,
    bytes: u64,
    /// It is pinned, and not here.
    absent: bool,
}

/// What lies at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    Folder,
    /// A pipe, a device, a socket: it has no content of its own, and reading it may never end.
    Special,
}

impl Inputs {
    /// Looks at a path once; a folder's files are counted (without its filters: an upper bound).
    pub(super) fn look(&mut self, path: &Path, follow_symlinks: bool) -> io::Result<Kind> {
        if let Some(found) = self.found.get(path) {
            return Ok(found.kind);
        }
        let metadata = std::fs::metadata(path)?;
        let found = if metadata.is_dir() {
            count(path, follow_symlinks)
        } else if metadata.is_file() {
            Found { kind: Kind::File, files: 1, bytes: metadata.len(), absent: false }
        } else {
            Found { kind: Kind::Special, files: 0, bytes: 0, absent: false }
        };
        self.found.insert(path.to_owned(), found);
        Ok(found.kind)
    }

    /// Notes what a path was when it was pinned.
    pub(super) fn note_absent(&mut self, path: &Path, kind: LockKind, bytes: u64) {
        let kind = match kind {
            LockKind::Folder => Kind::Folder,
            LockKind::File | LockKind::Url => Kind::File,
        };
        let found = Found { kind, files: 1, bytes, absent: true };
        self.found.insert(path.to_owned(), found);
    }

    /// Whether the input is pinned, and not here.
    pub(crate) fn is_absent(&self, path: &Path) -> bool {
        self.found.get(path).is_some_and(|found| found.absent)
    }

    /// Whether the input is a single file.
    pub(crate) fn is_file(&self, path: &Path) -> bool {
        self.found.get(path).is_some_and(|found| found.kind == Kind::File)
    }

    /// How many bytes it has, if it was looked at.
    pub(crate) fn bytes(&self, path: &Path) -> Option<u64> {
        self.found.get(path).map(|found| found.bytes)
    }

    /// Where they are.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &Path> {
        self.found.keys().map(PathBuf::as_path)
    }

    /// All files and their bytes.
    pub(crate) fn total(&self) -> (usize, u64) {
        self.found.values().fold((0, 0), |(files, bytes), f| (files + f.files, bytes + f.bytes))
    }
}

fn count(folder: &Path, follow_symlinks: bool) -> Found {
    let entries = WalkDir::new(folder).follow_links(follow_symlinks).into_iter().flatten();
    let files = entries.filter(|entry| entry.file_type().is_file());
    let sizes = files.map(|file| file.metadata().map_or(0, |metadata| metadata.len()));
    let (files, bytes) = sizes.fold((0, 0), |(files, bytes), size| (files + 1, bytes + size));
    Found { kind: Kind::Folder, files, bytes, absent: false }
}
