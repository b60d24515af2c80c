//! `gc`: gives back what nothing needs.
//!
//! ```text
//! 1 snapshot     the whole index in memory, at one moment
//! 2 mark         from roots and leases, through recipes and directories
//! 3 move         live parts and members of what is mostly dead, to new packs: ordinary commits
//!   close the gate
//! 4 mark again   from leases, roots and encodings that came since
//! 5 rows         removed in one transaction: the commit point
//! 6 files        renamed to trash/
//!   open the gate
//! 7 trash        removed
//! ```
//! Cut short before 5, nothing is gone, and what was moved is there once more than needed; after 5,
//! files are left that no row names, and the next collection removes them. The other order would be
//! as safe for builds, which take a row without its file for absent, but `verify` would report it.
//!
//! What a living process has looked up is neither removed nor moved, with all it needs
//! ([`Leases`](super::lease)). What was committed since the snapshot is not in it, so it stays; 4
//! makes sure of what it needs.

mod implied;
mod inputs;
mod mark;
mod orphan;
mod plan;
mod recent;
pub(super) mod reserve;
mod roots;
mod trash;
mod usage;

pub use usage::{RootUsage, Usage};

use std::collections::HashSet;
use std::fs::File;
use std::path::Path;

use mark::{GoOn, Marks, Reached};
use plan::{Movable, Move, Plan};
use trash::Trash;

use super::batch::DiskBatch;
use super::gate::Held;
use super::index::{RealisationRow, Removal, RootRow, Snapshot};
use super::place::create_folder;
use super::stored_file::StoredFile;
use super::{DiskStore, derivation_lock, lease};
use crate::{Digest, Error};

/// How much is copied in one commit.
const BATCH_BYTES: u64 = 512 << 20;

/// What a collection may take of what no root names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct GcOptions {
    /// In seconds since 1970. Results that were not used since go, though they are there; what no
    /// root names stays if it was stored since.
    pub keep_since: Option<i64>,
    /// Results go until the store is not larger than this, the one used last at last; what no root
    /// names stays as far as there is room, the youngest first.
    pub max_bytes: Option<u64>,
    /// Only find out what would go.
    pub dry_run: bool,
}

/// What a collection did, or would do.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GcReport {
    /// How much smaller the store is.
    pub freed_bytes: u64,
    /// How much is left, the index not counted.
    pub kept_bytes: u64,
    /// How much was copied to new packs.
    pub copied_bytes: u64,
    /// Blobs, recipes, directories and part tables that are gone.
    pub removed_objects: usize,
    /// And those that are left.
    pub kept_objects: usize,
    /// Roots whose results are gone, so they are gone too.
    pub removed_roots: Vec<String>,
    /// Roots of results that are there and did not count any more.
    pub evicted_roots: Vec<String>,
}

impl DiskStore {
    /// Removes what neither a root nor a living process needs, and what `options` do not keep.
    /// Waits for another collection that is running. `progress` hears the bytes copied so far and
    /// to copy in all, and stops by answering `false` (then [`Error::Cancelled`], and the store is
    /// as good as before).
    pub fn gc(
        &self,
        options: &GcOptions,
        progress: &mut dyn FnMut(u64, u64) -> bool,
    ) -> Result<GcReport, Error> {
        create_folder(&self.place.trash())?;
        let _collecting = lock_collecting(&self.place.trash().join("lock"))?;
        if options.dry_run {
            return self.collect(options, progress);
        }
        reserve::release(&self.place);
        trash::empty_all(&self.place);
        derivation_lock::sweep(&self.place);
        let report = self.collect(options, progress);
        self.index.shrink();
        reserve::take(&self.place);
        report
    }

    fn collect(
        &self,
        options: &GcOptions,
        progress: &mut dyn FnMut(u64, u64) -> bool,
    ) -> Result<GcReport, Error> {
        let snapshot = self.index.snapshot()?;
        // After the snapshot: what it names was in its place by then.
        let files = StoredFile::list(&self.place)?;
        let mut marks = Marks::new(self, &snapshot);
        marks.find_lost(&files);
        let evicted = self.mark(&mut marks, options, &mut || progress(0, 0))?;
        let first = plan::plan(&marks, &Movable::Any);
        let orphans = orphan::candidates(&marks, &files);
        if options.dry_run {
            let mut report = self.forecast(&marks, &first, &orphans);
            report.evicted_roots = names(&evicted);
            return Ok(report);
        }
        let (movable, copied_bytes) = self.move_out(&first.moves, progress)?;
        if !progress(copied_bytes, copied_bytes) {
            return Err(Error::Cancelled);
        }
        let held = self.place.gate()?.exclusive()?;
        let roots = self.mark_again(&mut marks, evicted, &held)?;
        let last = plan::plan(&marks, &movable);
        let sweep = Sweep { store: self, marks: &marks, plan: &last, roots: &roots };
        let mut trash = Trash::new(&self.place)?;
        let removed_bytes = sweep.run(&orphans, &mut trash)?;
        self.known_whole.clear();
        self.known_places.clear();
        drop(held);
        trash.empty();
        let mut report = report(&snapshot, &last, removed_bytes, copied_bytes);
        let (gone, evicted): (Vec<RootRow>, Vec<RootRow>) =
            roots.into_iter().partition(roots::is_gone);
        (report.removed_roots, report.evicted_roots) = (names(&gone), names(&evicted));
        Ok(report)
    }

    /// Answers the roots that do not count.
    fn mark(
        &self,
        marks: &mut Marks<'_>,
        options: &GcOptions,
        go_on: GoOn<'_>,
    ) -> Result<Vec<RootRow>, Error> {
        let leases = {
            let held = self.place.gate()?.exclusive()?;
            lease::read_all(&self.place, &held)?
        };
        marks.reach(leases, Reached::Held, go_on)?;
        let evicted = roots::reach_roots(marks, options, go_on)?;
        recent::reach_recent(self, marks, options, go_on)?;
        implied::reach_implied(self, marks, options, go_on)?;
        Ok(evicted)
    }

    /// Marks what came since the snapshot; answers the roots that are no more. The moment of truth,
    /// so it takes everything that it finds for held.
    fn mark_again(
        &self,
        marks: &mut Marks<'_>,
        evicted: Vec<RootRow>,
        held: &Held,
    ) -> Result<Vec<RootRow>, Error> {
        let mut go_on = || true;
        marks.reach(lease::read_all(&self.place, held)?, Reached::Held, &mut go_on)?;
        let is_new = |digest: &Digest| marks.snapshot.object(digest).is_none();
        let encodings: Vec<Digest> = self.index.encodings()?.into_iter().filter(is_new).collect();
        marks.reach(encodings, Reached::Held, &mut go_on)?;
        // One that was used meanwhile is another row.
        let goes = |row: &RootRow| roots::is_gone(row) || evicted.contains(row);
        let (gone, living): (Vec<RootRow>, Vec<RootRow>) =
            self.index.root_rows()?.into_iter().partition(goes);
        let digests = living.iter().map(|row| row.root.output.digest());
        let new: Vec<Digest> = digests.filter(|digest| !marks.is_live(digest)).collect();
        marks.reach(new, Reached::Held, &mut go_on)?;
        Ok(gone)
    }

    /// Copies what must move; answers which containers are empty then, and the bytes copied. A full
    /// disk is no failure: then nothing moves, and the rest goes.
    fn move_out(
        &self,
        moves: &[Move],
        progress: &mut dyn FnMut(u64, u64) -> bool,
    ) -> Result<(Movable, u64), Error> {
        let mut emptied: HashSet<usize> = moves.iter().filter_map(|it| it.out_of).collect();
        let all_bytes = moves.iter().map(|it| it.located.stored_bytes).sum();
        let mut done_bytes = 0;
        for moves in batches(moves) {
            let mut batch = DiskBatch::new(self);
            let copied = copy_all(&mut batch, moves, &mut emptied, &mut |size_bytes| {
                done_bytes += size_bytes;
                progress(done_bytes, all_bytes)
            });
            match copied.and_then(|()| batch.commit_copies()) {
                Err(Error::DiskFull { .. }) => {
                    tracing::warn!("no room to copy what is left of mostly dead files");
                    return Ok((Movable::Only(HashSet::new()), 0));
                }
                done => done?,
            }
        }
        Ok((Movable::Only(emptied), done_bytes))
    }

    fn forecast(&self, marks: &Marks<'_>, plan: &Plan, orphans: &[StoredFile]) -> GcReport {
        let snapshot = marks.snapshot;
        let size_bytes =
            |file: &StoredFile| file.path(&self.place).metadata().map_or(0, |it| it.len());
        let orphans_bytes: u64 = orphans.iter().map(size_bytes).sum();
        let copied_bytes = plan.moves.iter().map(|it| it.located.stored_bytes).sum();
        let removed_bytes = removed_bytes(marks, plan) + orphans_bytes;
        let mut report = report(snapshot, plan, removed_bytes, copied_bytes);
        let gone = snapshot.roots.iter().filter(|row| roots::is_gone(row)).cloned();
        report.removed_roots = names(&gone.collect::<Vec<_>>());
        report
    }
}

/// How long the files are that `plan` removes.
fn removed_bytes(marks: &Marks<'_>, plan: &Plan) -> u64 {
    let snapshot = marks.snapshot;
    let moved: HashSet<&Digest> = plan.moves.iter().map(|it| &it.digest).collect();
    let mut removed_bytes = 0;
    let mut packs = plan.held_packs.clone();
    for object in 0..snapshot.digests.len() {
        let stays = plan.stays[object] && !moved.contains(&snapshot.digests[object]);
        match snapshot.pack(object) {
            Some(pack) if stays => drop(packs.insert(pack)),
            None if !stays => removed_bytes += snapshot.stored_bytes(object),
            _ => {}
        }
    }
    let dead_packs = snapshot.packs.iter().filter(|(number, _)| !packs.contains(number));
    removed_bytes + dead_packs.map(|(_, pack)| pack.size_bytes).sum::<u64>()
}

/// How large the store is after a collection by `plan`, the index not counted.
fn kept_bytes(marks: &Marks<'_>, plan: &Plan) -> u64 {
    let copied_bytes = plan.moves.iter().map(|it| it.located.stored_bytes).sum();
    report(marks.snapshot, plan, removed_bytes(marks, plan), copied_bytes).kept_bytes
}

fn names(rows: &[RootRow]) -> Vec<String> {
    let mut names: Vec<String> = rows.iter().map(|row| row.root.name.clone()).collect();
    names.sort_unstable();
    names
}

/// The last steps, with the gate held.
struct Sweep<'a> {
    store: &'a DiskStore,
    marks: &'a Marks<'a>,
    plan: &'a Plan,
    roots: &'a [RootRow],
}

impl Sweep<'_> {
    /// Removes rows, then files; answers the bytes of the files.
    fn run(&self, orphans: &[StoredFile], trash: &mut Trash) -> Result<u64, Error> {
        let snapshot = self.marks.snapshot;
        let mut kept_packs = self.plan.held_packs.clone();
        kept_packs.extend(self.moved_packs_in_use()?);
        let packs = self.store.index.remove(&self.removal(kept_packs))?;
        let mut removed_bytes = 0;
        for pack in packs {
            if trash.take(&self.store.place.pack(&pack.id))? {
                removed_bytes += pack.size_bytes;
            }
        }
        for object in 0..snapshot.digests.len() {
            if !self.plan.stays[object] && snapshot.pack(object).is_none() {
                let path =
                    self.store.place.object(snapshot.kind(object), &snapshot.digests[object]);
                if trash.take(&path)? {
                    removed_bytes += snapshot.stored_bytes(object);
                }
            }
        }
        for file in orphans {
            if orphan::is_orphan(self.store, self.marks, file)? {
                let path = file.path(&self.store.place);
                let size_bytes = path.metadata().map_or(0, |metadata| metadata.len());
                removed_bytes += if trash.take(&path)? { size_bytes } else { 0 };
            }
        }
        Ok(removed_bytes)
    }

    fn removal(&self, kept_packs: HashSet<i64>) -> Removal<'_> {
        let (snapshot, plan) = (self.marks.snapshot, self.plan);
        let dead = (0..snapshot.digests.len()).filter(|object| !plan.stays[*object]);
        let is_dead = |number: &i64| !plan.containers.contains(number);
        let memos = snapshot.memos.iter();
        let memos = memos.flat_map(|it| it.keys.iter().map(|keys| (it.topic.as_str(), *keys)));
        // A container may be lost already: no memo may say that its parts are registered.
        let containers: HashSet<&Digest> = snapshot.containers.values().collect();
        let is_dead_key = |key: &Digest| !self.is_known(key).unwrap_or(!containers.contains(key));
        let is_dead_memo = |(key, about): &(Digest, Digest)| match key == about {
            true => is_dead_key(key),
            false => !self.marks.is_live(about) && self.is_known(about) != Some(true),
        };
        let realisations = &snapshot.realisations;
        let is_lost = |it: &&RealisationRow| {
            !self.marks.is_live(&it.output) && self.is_known(&it.output) != Some(true)
        };
        Removal {
            objects: dead.map(|object| &snapshot.digests[object]).collect(),
            containers: snapshot.containers.keys().copied().filter(is_dead).collect(),
            realisations: realisations.iter().filter(is_lost).map(|it| &it.derivation).collect(),
            memos: memos.filter(|(_, keys)| is_dead_memo(keys)).collect(),
            roots: self.roots.iter().collect(),
            kept_packs,
        }
    }

    /// Whether `digest` is here afterwards; `None` if it never was a content.
    fn is_known(&self, digest: &Digest) -> Option<bool> {
        let snapshot = self.marks.snapshot;
        if let Some(object) = snapshot.object(digest) {
            return Some(self.plan.stays[object]);
        }
        let parts = snapshot.parts_named(digest);
        let in_one_that_stays = parts.iter().any(|it| self.plan.containers.contains(&it.container));
        (!parts.is_empty()).then(|| in_one_that_stays || self.marks.is_live(digest))
    }

    /// Packs that were emptied by an earlier collection and could not go, and cannot yet.
    fn moved_packs_in_use(&self) -> Result<HashSet<i64>, Error> {
        let snapshot = self.marks.snapshot;
        let objects = 0..snapshot.digests.len();
        let named: HashSet<i64> = objects.filter_map(|object| snapshot.pack(object)).collect();
        let mut in_use = HashSet::new();
        for (number, pack) in snapshot.packs.iter().filter(|(it, _)| !named.contains(it)) {
            if orphan::is_read(self.store, self.marks, &StoredFile::Pack(pack.id))? {
                in_use.insert(*number);
            }
        }
        Ok(in_use)
    }
}

fn copy_all(
    batch: &mut DiskBatch<'_>,
    moves: &[Move],
    emptied: &mut HashSet<usize>,
    advance: &mut dyn FnMut(u64) -> bool,
) -> Result<(), Error> {
    for it in moves {
        if !batch.copy(&it.digest, &it.located)? {
            tracing::warn!("{} is damaged, so what it lies in stays", it.digest);
            if let Some(container) = it.out_of {
                emptied.remove(&container);
            }
        }
        if !advance(it.located.stored_bytes) {
            return Err(Error::Cancelled);
        }
    }
    Ok(())
}

/// Runs of moves, none much larger than [`BATCH_BYTES`].
fn batches(moves: &[Move]) -> impl Iterator<Item = &[Move]> {
    let mut sum_bytes = 0;
    moves.chunk_by(move |one, _| {
        sum_bytes += one.located.stored_bytes;
        let joins = sum_bytes < BATCH_BYTES;
        sum_bytes = if joins { sum_bytes } else { 0 };
        joins
    })
}

fn report(snapshot: &Snapshot, plan: &Plan, removed_bytes: u64, copied_bytes: u64) -> GcReport {
    let loose = (0..snapshot.digests.len()).filter(|object| snapshot.pack(*object).is_none());
    let loose_bytes: u64 = loose.map(|object| snapshot.stored_bytes(object)).sum();
    let packs_bytes: u64 = snapshot.packs.values().map(|pack| pack.size_bytes).sum();
    let kept_objects = plan.stays.iter().filter(|stays| **stays).count();
    GcReport {
        freed_bytes: removed_bytes.saturating_sub(copied_bytes),
        kept_bytes: (loose_bytes + packs_bytes + copied_bytes).saturating_sub(removed_bytes),
        copied_bytes,
        removed_objects: plan.stays.len() - kept_objects,
        kept_objects,
        removed_roots: Vec::new(),
        evicted_roots: Vec::new(),
    }
}

/// One collection at a time.
fn lock_collecting(path: &Path) -> Result<File, Error> {
    // Windows locks only what was opened for reading or writing; appending is neither.
    let file = File::options().read(true).create(true).append(true).open(path);
    let file = file.map_err(Error::io("open", path))?;
    file.lock().map_err(Error::io("lock", path))?;
    Ok(file)
}
