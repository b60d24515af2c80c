//! `publish`: makes a batch durable, then visible.
//!
//! ```text
//! 1 flush the files' bytes     each by the handle that wrote it: another one may not hear of a
//!                              write-back that failed. An error fails the batch; a flush is never
//!                              tried twice
//!   pass the gate              from here on nobody removes files or rows
//! 2 rename to their places     atomic; nobody looks there before step 4
//! 3 flush the folders
//! 4 one transaction            the commit point
//! ```

use std::collections::BTreeSet;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard};

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

/// How many files a batch holds open until they are flushed: few enough that the batches of a few
/// dozen jobs stay below the usual limit of 1024.
const OPEN_FILES_MAX: usize = 32;

/// All that a batch will add.
#[derive(Default)]
pub(super) struct Pending {
    pub(super) objects: Vec<NewObject>,
    pub(super) loose: Vec<Loose>,
    /// Container, the table's digest, its parts.
    pub(super) part_tables: Vec<(Digest, Digest, Vec<Part>)>,
    pub(super) memos: Vec<NewMemo>,
    pub(super) realisations: Vec<NewRealisation>,
}

/// What a derivation became, and what that was made from.
#[derive(Debug, Clone)]
pub(super) struct NewRealisation {
    pub(super) id: DerivationId,
    pub(super) output: Output,
    pub(super) inputs: Vec<Digest>,
}

/// A fact to be remembered.
#[derive(Debug, Clone)]
pub(super) struct NewMemo {
    pub(super) topic: String,
    pub(super) key: Digest,
    /// What it goes with.
    pub(super) about: Digest,
    pub(super) value: Vec<u8>,
}

/// A finished file in `tmp/` that will be an object.
pub(super) struct Loose {
    pub(super) kind: Kind,
    pub(super) digest: Digest,
    /// Removed when dropped, unless it was renamed to its place.
    pub(super) path: TempPath,
    /// What wrote it, until it is flushed.
    pub(super) unflushed: Option<File>,
}

/// Step 1. Needs no lock: nobody else knows the files.
pub(super) fn make_durable(
    store: &DiskStore,
    pack: Option<&FinishedPack>,
    pending: &mut Pending,
) -> Result<(), Error> {
    sync_loose(store, &mut pending.loose)?;
    let Some(pack) = pack else { return Ok(()) };
    pack.file.sync_all().map_err(Error::write(&pack.path, pack.size_bytes))
}

/// Steps 2 to 4, with the gate held: while files are in their places and no row names them yet,
/// they look like leftovers.
pub(super) fn publish(
    store: &DiskStore,
    pack: Option<FinishedPack>,
    mut pending: Pending,
    _held: &Held,
) -> Result<(), Error> {
    let (mut folders, mut shards) = (BTreeSet::new(), BTreeSet::new());
    if let Some(pack) = &pack {
        rename(&pack.path, &store.place.pack(&pack.id), &mut folders)?;
    }
    for loose in &pending.loose {
        let target = store.place.object(loose.kind, &loose.digest);
        make_shard(store, &target, &mut shards)?;
        rename(&loose.path, &target, &mut folders)?;
    }
    if !shards.is_empty() {
        folders.insert(store.place.objects());
    }
    for folder in &folders {
        os::sync_folder(folder).map_err(Error::io("flush", folder))?;
    }
    lock(&store.durable_shards).extend(shards);
    // Rows in the order of their key touch each page of the index once.
    pending.objects.sort_unstable_by_key(|object| object.digest);
    pending.memos.sort_by(|one, two| (&one.topic, one.key).cmp(&(&two.topic, two.key)));
    let committed = store.index.commit(pack.map(|pack| (pack.id, pack.size_bytes)), &pending);
    store.known_places.forget(pending.objects.iter().map(|object| object.digest));
    committed
}

/// Flushes the files written last if too many are open.
pub(super) fn limit_open_files(store: &DiskStore, loose: &mut [Loose]) -> Result<(), Error> {
    match open_count(loose) < OPEN_FILES_MAX {
        true => Ok(()),
        false => sync_loose(store, loose),
    }
}

/// Flushes and closes the files that are not flushed yet.
fn sync_loose(store: &DiskStore, loose: &mut [Loose]) -> Result<(), Error> {
    let open_count = open_count(loose);
    if open_count >= SYNC_FILE_SYSTEM_MIN {
        let folder = store.place.folder();
        os::sync_file_system(folder).map_err(Error::io("flush the file system of", folder))?;
    }
    let flushed_count = loose.len() - open_count;
    for loose in &mut loose[flushed_count..] {
        if let Some(file) = loose.unflushed.take() {
            file.sync_all().map_err(Error::io("flush", &loose.path))?;
        }
    }
    Ok(())
}

/// Files are flushed all at once, so those that are open are the last.
fn open_count(loose: &[Loose]) -> usize {
    loose.iter().rev().take_while(|loose| loose.unflushed.is_some()).count()
}

/// Makes the folder of `target`; adds it to `shards` unless its name is durable already. One that
/// is there may be of another process that has not flushed it yet.
fn make_shard(
    store: &DiskStore,
    target: &Path,
    shards: &mut BTreeSet<PathBuf>,
) -> Result<(), Error> {
    let shard = target.parent().expect("an object lies in a shard");
    let is_durable = lock(&store.durable_shards).contains(shard) && shard.is_dir();
    if !is_durable {
        create_folder(shard)?;
        shards.insert(shard.to_owned());
    }
    Ok(())
}

fn lock(shards: &Mutex<BTreeSet<PathBuf>>) -> MutexGuard<'_, BTreeSet<PathBuf>> {
    shards.lock().expect("no holder of this lock panics")
}

/// Moves a file to its place, over one that is there: that one has the same name, so the same
/// bytes, or it is damaged and this heals it. Readers keep the one they have open.
fn rename(from: &Path, to: &Path, folders: &mut BTreeSet<PathBuf>) -> Result<(), Error> {
    os::rename(from, to).map_err(Error::io("rename to", to))?;
    folders.insert(to.parent().expect("a target lies in a folder").to_owned());
    Ok(())
}
