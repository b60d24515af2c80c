//! `publish`: makes a batch durable, then visible.
//!
//! ```text
//! 1 flush the files' bytes     an error fails the batch; a flush is never tried twice
//!   pass the gate              from here on nobody removes files or rows
//! 2 rename to their places     atomic; nobody looks there before step 4
//! 3 flush the folders
//! 4 one transaction            the commit point
//! ```

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempPath;

use super::DiskStore;
use super::gate::Held;
use super::index::NewObject;
use super::pack::FinishedPack;
use super::place::create_folder;
use crate::shelf::Kind;
use crate::{DerivationId, Digest, Error, Output, Part, os};

/// From so many files on, one flush of the file system pays before those of the files.
const SYNC_FILE_SYSTEM_MIN: usize = 8;

/// All that a batch will add.
#[derive(Default)]
pub(super) struct Pending {
    pub(super) objects: Vec<NewObject>,
    pub(super) loose: Vec<Loose>,
    /// Container, the table's digest, its parts.
    pub(super) part_tables: Vec<(Digest, Digest, Vec<Part>)>,
    pub(super) memos: Vec<(String, Digest, Vec<u8>)>,
    pub(super) realisations: Vec<(DerivationId, Output)>,
}

/// A finished file in `tmp/` that will be an object.
pub(super) struct Loose {
    pub(super) kind: Kind,
    pub(super) digest: Digest,
    /// Removed when dropped, unless it was renamed to its place.
    pub(super) path: TempPath,
}

/// Step 1. Needs no lock: nobody else knows the files.
pub(super) fn make_durable(
    store: &DiskStore,
    pack: Option<&FinishedPack>,
    pending: &Pending,
) -> Result<(), Error> {
    sync_files(store, pack, &pending.loose)
}

/// Steps 2 to 4, with the gate held: while files are in their places and no row names them yet,
/// they look like leftovers.
pub(super) fn publish(
    store: &DiskStore,
    pack: Option<FinishedPack>,
    mut pending: Pending,
    _held: &Held,
) -> Result<(), Error> {
    let mut folders = BTreeSet::new();
    if let Some(pack) = &pack {
        rename(&pack.path, &store.place.pack(&pack.id), &mut folders)?;
    }
    for loose in &pending.loose {
        let target = store.place.object(loose.kind, &loose.digest);
        make_shard(store, &target, &mut folders)?;
        rename(&loose.path, &target, &mut folders)?;
    }
    for folder in &folders {
        os::sync_folder(folder).map_err(Error::io("flush", folder))?;
    }
    // Rows in the order of their key touch each page of the index once.
    pending.objects.sort_unstable_by_key(|object| object.digest);
    store.index.commit(pack.map(|pack| (pack.id, pack.size_bytes)), &pending)
}

fn sync_files(
    store: &DiskStore,
    pack: Option<&FinishedPack>,
    loose: &[Loose],
) -> Result<(), Error> {
    if loose.len() >= SYNC_FILE_SYSTEM_MIN {
        os::sync_file_system(store.place.folder());
    }
    if let Some(pack) = pack {
        pack.file.sync_all().map_err(Error::write(&pack.path, pack.size_bytes))?;
    }
    for loose in loose {
        os::sync_file(&loose.path).map_err(Error::io("flush", &loose.path))?;
    }
    Ok(())
}

fn make_shard(
    store: &DiskStore,
    target: &Path,
    folders: &mut BTreeSet<PathBuf>,
) -> Result<(), Error> {
    let shard = target.parent().expect("an object lies in a shard");
    if !shard.is_dir() {
        create_folder(shard)?;
        folders.insert(store.place.objects());
    }
    Ok(())
}

/// Moves a file to its place, over one that is there: that one has the same name, so the same
/// bytes, or it is damaged and this heals it. Readers keep the one they have open.
fn rename(from: &Path, to: &Path, folders: &mut BTreeSet<PathBuf>) -> Result<(), Error> {
    fs::rename(from, to).map_err(Error::io("rename to", to))?;
    folders.insert(to.parent().expect("a target lies in a folder").to_owned());
    Ok(())
}
