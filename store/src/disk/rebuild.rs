//! `rebuild_index`: a new index from the files, for a store whose own is lost or damaged.
//!
//! ```text
//! objects/      kind and digest from the names, sizes from the files
//! packs/        the table at the end of each
//! .parts        the parts of containers
//! the old index, as far as it can be read: realisations, memos, roots
//! ```
//! Bytes are not read again: that is for `verify`. Recipes and directories are, because the index
//! knows the size of what a recipe makes, and because one whose contents are gone (it was garbage)
//! must not come back.
//!
//! The new index is complete and durable under another name before it takes the place of the old
//! one. Meanwhile no other process may use the store: it would go on writing to the old one.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io;
use std::path::Path;

use super::encodings::Encodings;
use super::gate::Held;
use super::index::{Index, Kept, Rows};
use super::place::{Place, create_folder};
use super::scratch::Scratch;
use super::stored_file::StoredFile;
use super::{DiskStore, lease, pack};
use crate::shelf::{Container, Kind, Located};
use crate::{Digest, Error, os};

/// What a new index holds, and what could not be brought over.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RebuildReport {
    pub objects: usize,
    pub parts: usize,
    pub realisations: usize,
    pub memos: usize,
    pub roots: usize,
    /// What is lost or went to quarantine, a sentence each.
    pub notes: Vec<String>,
}

impl DiskStore {
    /// Makes the index of the store in `folder` anew, from its files. [`Error::Locked`] while
    /// another process uses the store.
    pub fn rebuild_index(folder: impl AsRef<Path>) -> Result<RebuildReport, Error> {
        let place = Place::open_existing(folder.as_ref())?;
        let held = place.gate()?.exclusive()?;
        if lease::is_any_alive(&place, &held)? {
            return Err(Error::Locked { path: place.folder().to_owned() });
        }
        let mut report = RebuildReport::default();
        let rows = collect(&place, &mut report.notes)?;
        let is_damaged = !report.notes.is_empty();
        let mut kept = Kept::read(&place.index(), &mut report.notes);
        if is_damaged {
            // One of them may say that the parts of a container are known.
            kept.memos.clear();
        }
        report.objects = rows.objects.len();
        report.parts = rows.part_tables.iter().map(|(_, _, parts)| parts.len()).sum();
        report.realisations = kept.realisations.len();
        report.memos = kept.memos.len();
        report.roots = kept.roots.len();
        replace(&place, &rows, &kept, &held)?;
        Ok(report)
    }
}

/// The rows that the files make.
fn collect(place: &Place, notes: &mut Vec<String>) -> Result<Rows, Error> {
    let mut files = StoredFile::list(place)?;
    files.sort_unstable();
    let mut rows = Rows::default();
    let mut found: HashMap<Digest, Located> = HashMap::new();
    for (file, size_bytes) in files {
        let path = file.path(place);
        match file {
            StoredFile::Object(kind, digest) => {
                let container = Container::Object(kind, digest);
                found.insert(digest, located(kind, container, 0, size_bytes));
            }
            StoredFile::Pack(id) => match pack::read_table(&path)? {
                Some(members) => add_members(&mut rows, &mut found, id, &path, &members)?,
                None => notes.push(set_aside(place, &path)?),
            },
        }
    }
    Encodings::read(place, &rows, &found, notes)?.finish(found, &mut rows);
    Ok(rows)
}

fn add_members(
    rows: &mut Rows,
    found: &mut HashMap<Digest, Located>,
    id: Digest,
    path: &Path,
    members: &[pack::Member],
) -> Result<(), Error> {
    let size_bytes = path.metadata().map_err(Error::io("look at", path))?.len();
    rows.packs.push((id, size_bytes));
    let container = Container::Pack(rows.packs.len() as i64);
    for it in members {
        let place = located(it.kind, container, it.offset_bytes, it.size_bytes);
        found.entry(it.digest).or_insert(place);
    }
    Ok(())
}

fn located(kind: Kind, container: Container, offset_bytes: u64, stored_bytes: u64) -> Located {
    Located { kind, size_bytes: stored_bytes, container, offset_bytes, stored_bytes }
}

/// Puts the new index to the place of the old one.
fn replace(place: &Place, rows: &Rows, kept: &Kept, _held: &Held) -> Result<(), Error> {
    let scratch = Scratch::join(place)?;
    let folder = scratch.folder()?;
    let path = folder.path().join("index.sqlite");
    Index::create_from(&path, rows, kept)?;
    // SQLite has flushed it by its own handle and told of errors; this is for its length.
    let flushed = File::options().write(true).open(&path).and_then(|file| file.sync_all());
    flushed.map_err(Error::io("flush", &path))?;
    // A log that the old index left would be taken for one of the new.
    for name in ["index.sqlite-wal", "index.sqlite-shm", "index.sqlite-journal"] {
        let log = place.folder().join(name);
        match fs::remove_file(&log) {
            Err(cause) if cause.kind() != io::ErrorKind::NotFound => {
                return Err(Error::io("remove", &log)(cause));
            }
            _ => {}
        }
    }
    fs::rename(&path, place.index()).map_err(Error::io("rename to", &place.index()))?;
    os::sync_folder(place.folder()).map_err(Error::io("flush", place.folder()))
}

/// A pack without a table says nothing: it goes to quarantine, where no collector takes it.
fn set_aside(place: &Place, path: &Path) -> Result<String, Error> {
    let folder = place.quarantine();
    create_folder(&folder)?;
    let target = folder.join(path.file_name().expect("a pack has a name"));
    fs::rename(path, &target).map_err(Error::io("move aside", path))?;
    Ok(format!("`{}` has a damaged table; it is in `{}` now", path.display(), target.display()))
}
