//! `verify`: re-reads everything and compares it with its name.
//!
//! Files are taken one after the other, each from its start to its end, which suits disks that
//! turn; all cores read and hash at a time. The parts of a container are ranges of bytes that have
//! just been verified, so they are looked at only when the container is damaged, to tell which are
//! lost. A pass that ends early remembers the file that it would have read next.

mod check;
mod pass;
mod span;
mod tree_hash;

use std::time::Duration;

use pass::Pass;

use super::DiskStore;
use super::gate::{Gate, Held};
use super::stored_file::StoredFile;
use crate::shelf::{self, Container, Located, Shelf};
use crate::{Digest, Error, Problem};

/// How much of a store to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ScrubOptions {
    /// Go on where the last pass ended, instead of at the start.
    pub resume: bool,
    /// End after the file with which so much was read.
    pub max_bytes: Option<u64>,
    /// End after the file at which so much time has passed.
    pub max_time: Option<Duration>,
}

/// What a pass found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ScrubReport {
    pub problems: Vec<Problem>,
    pub read_bytes: u64,
    /// Whether the last file was reached.
    pub is_complete: bool,
}

type Objects = [(Digest, Located)];

impl DiskStore {
    /// As long as this is held no file and no row goes, so what is missing now is lost. `None` in a
    /// store that cannot be written to, where nothing goes either.
    fn nobody_removes(&self) -> Option<Held> {
        self.place.gate().and_then(Gate::shared).ok()
    }

    /// [`Store::verify`](crate::Store::verify) in pieces: a pass that `options` or `progress` end
    /// early is remembered, and the next one with `resume` reads the rest.
    pub fn scrub(
        &self,
        options: &ScrubOptions,
        progress: &mut dyn FnMut(u64, u64) -> bool,
    ) -> Result<ScrubReport, Error> {
        let objects = self.index.objects()?;
        let start = match options.resume {
            true => self.index.scrub_position()?,
            false => None,
        };
        let from = start.map_or(0, |start| objects.partition_point(|it| position(it) < start));
        let mut pass = Pass::new(self, &objects[from..], options, progress);
        let done = pass.run();
        let is_complete = done.is_ok() && pass.next.is_none();
        self.index.set_scrub_position(pass.next.filter(|_| !is_complete));
        done?;
        let Pass { problems, done_bytes: read_bytes, .. } = pass;
        Ok(ScrubReport { problems: still_true(self, problems)?, read_bytes, is_complete })
    }
}

/// The order of [`Index::objects`](super::index::Index): files of their own by digest, then packs.
fn position((digest, located): &(Digest, Located)) -> (i64, Digest) {
    match located.container {
        Container::Pack(number) => (number, Digest::from_bytes([0; 32])),
        Container::Object(..) => (-1, *digest),
    }
}

/// The digests of those of `objects`, all of one file, that are not as their names say; with the
/// pack's id, if its table is not.
pub(super) fn damaged(store: &DiskStore, objects: &Objects) -> Result<Vec<Digest>, Error> {
    let (options, progress) = (ScrubOptions::default(), &mut |_, _| true);
    let mut pass = Pass::new(store, objects, &options, progress);
    pass.check_all()?;
    Ok(pass.problems.iter().map(|problem| problem.digest).collect())
}

/// Leaves out what was collected, moved or healed since the index was read.
fn still_true(store: &DiskStore, problems: Vec<Problem>) -> Result<Vec<Problem>, Error> {
    let _held = (!problems.is_empty()).then(|| store.nobody_removes());
    let mut left = Vec::with_capacity(problems.len());
    for problem in problems {
        if is_still_true(store, &problem)? {
            left.push(problem);
        }
    }
    Ok(left)
}

fn is_still_true(store: &DiskStore, problem: &Problem) -> Result<bool, Error> {
    if let Some(StoredFile::Pack(id)) = StoredFile::at(&store.place, &problem.path)
        && id == problem.digest
    {
        return store.index.has_pack(&id);
    }
    match shelf::locate_one(store, &problem.digest)? {
        Some(located) => {
            let is_there = store.source(located.container)?.path() == problem.path;
            // Collected, and stored again at its old place: then it is not missing any more.
            Ok(is_there && (problem.what != check::MISSING || !problem.path.exists()))
        }
        // Then it is missing, and what needs it was there a moment ago.
        None => Ok(problem.path == store.index.path()),
    }
}
