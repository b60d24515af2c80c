//! What a look at the disk tells about inputs: files or folders, and how many bytes.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use mediabuild_schema::LockKind;
use rayon::prelude::{IntoParallelIterator, ParallelIterator};
use walkdir::WalkDir;

use super::isos::Isos;
use super::wims::Wims;
use crate::builders::import_wim_set::part_name;
use crate::listing::Listing;

/// From so many inputs on they are looked at on all cores; fewer do not pay for the threads.
const PARALLEL_MIN: usize = 100;

/// The inputs of a project, by path.
#[derive(Debug, Default)]
pub(crate) struct Inputs {
    found: HashMap<PathBuf, Found>,
    pub(super) wims: Wims,
    pub(super) isos: Isos,
}

#[derive(Debug, Clone)]
struct Found {
    kind: Kind,
    files: usize,
    bytes: u64,
    /// It is pinned, and not here.
    absent: bool,
    /// What a walk found there, unless it was unusual, and whether it followed links.
    listing: Option<(Arc<Listing>, bool)>,
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
    /// Looks at many paths at once, as [`Inputs::look`] does. What is wrong with one shows when it is
    /// looked at by itself.
    pub(super) fn look_at_all(&mut self, paths: Vec<(&Path, bool)>) {
        let look = |(path, follow_symlinks): (&Path, bool)| {
            Some((path.to_owned(), look(path, follow_symlinks).ok()?))
        };
        if paths.len() < PARALLEL_MIN {
            self.found.extend(paths.into_iter().filter_map(look));
        } else {
            let found: Vec<_> = paths.into_par_iter().filter_map(look).collect();
            self.found.extend(found);
        }
    }

    /// Looks at a path once; a folder's files are counted (without its filters: an upper bound).
    pub(super) fn look(&mut self, path: &Path, follow_symlinks: bool) -> io::Result<Kind> {
        if let Some(found) = self.found.get(path) {
            return Ok(found.kind);
        }
        let found = look(path, follow_symlinks)?;
        let kind = found.kind;
        self.found.insert(path.to_owned(), found);
        Ok(kind)
    }

    /// The files that were found at a path, if all is usual there.
    pub(crate) fn listing(&self, path: &Path, follow_symlinks: bool) -> Option<Arc<Listing>> {
        let (listing, followed) = self.found.get(path)?.listing.as_ref()?;
        (*followed == follow_symlinks).then(|| Arc::clone(listing))
    }

    /// Notes what a path was when it was pinned.
    pub(super) fn note_absent(&mut self, path: &Path, kind: LockKind, bytes: u64) {
        let kind = match kind {
            LockKind::Folder => Kind::Folder,
            LockKind::File | LockKind::Url => Kind::File,
        };
        let found = Found { kind, files: 1, bytes, absent: true, listing: None };
        self.found.insert(path.to_owned(), found);
    }

    /// The files of the split WIM that a file is a part of, part 1 first, with a listing of them.
    pub(crate) fn wim_set(&self, path: &Path) -> Option<(Vec<PathBuf>, Arc<Listing>)> {
        let files = self.wims.set(path)?;
        let metadata: Vec<_> =
            files.iter().map(|file| std::fs::metadata(file).ok()).collect::<Option<_>>()?;
        let named = (1..).map(part_name).zip(&metadata);
        Some((files.to_vec(), Arc::new(Listing::of_files(named))))
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

fn look(path: &Path, follow_symlinks: bool) -> io::Result<Found> {
    if let Some(listing) = Listing::of(path, follow_symlinks) {
        return Ok(found(Kind::Folder, listing, follow_symlinks));
    }
    let metadata = std::fs::metadata(path)?;
    if metadata.is_file() {
        return Ok(found(Kind::File, Listing::of_file(&metadata), true));
    }
    let (files, bytes) = if metadata.is_dir() { count(path, follow_symlinks) } else { (0, 0) };
    let kind = if metadata.is_dir() { Kind::Folder } else { Kind::Special };
    Ok(Found { kind, files, bytes, absent: false, listing: None })
}

fn found(kind: Kind, listing: Listing, follow_symlinks: bool) -> Found {
    let (files, bytes) = (listing.files.len(), listing.size_bytes());
    let listing = Some((Arc::new(listing), follow_symlinks));
    Found { kind, files, bytes, absent: false, listing }
}

/// Files and bytes of a folder in which something is unusual.
fn count(folder: &Path, follow_symlinks: bool) -> (usize, u64) {
    let entries = WalkDir::new(folder).follow_links(follow_symlinks).into_iter().flatten();
    let files = entries.filter(|entry| entry.file_type().is_file());
    let sizes = files.map(|file| file.metadata().map_or(0, |metadata| metadata.len()));
    sizes.fold((0, 0), |(files, bytes), size| (files + 1, bytes + size))
}
