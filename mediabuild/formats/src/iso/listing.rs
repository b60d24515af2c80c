//! `Listing`: the entries found so far, with bounds on what a damaged disc can make of them.

use std::collections::BTreeSet;
use std::rc::Rc;

use super::tree::DEPTH_MAX;
use crate::volume::path::{check_name, join};
use crate::volume::{Entry, FileExtent, ReadError};

/// One directory of a disc that Windows can use has far less than this.
const DIRECTORY_MAX_BYTES: u64 = 64 << 20;
/// Directories may overlap in a damaged disc, so their sum is bounded too.
const DIRECTORIES_MAX_BYTES: u64 = 512 << 20;
const ENTRY_COUNT_MAX: u64 = 4 << 20;
const EXTENT_COUNT_MAX: u64 = 8 << 20;
/// 64 bytes for each of the most entries.
const PATHS_MAX_BYTES: u64 = 256 << 20;
/// The blocks of the largest disc that has tables for them, twice.
const STEP_COUNT_MAX: u64 = 64 << 20;
/// What costs time and does not become an entry: as many extents as are accepted need less.
const TROUBLE_COUNT_MAX: u64 = 64 << 10;

/// A directory whose entries are being read.
pub(super) struct Directory {
    path: Rc<str>,
    depth: usize,
}

/// A file or directory that a directory names, before its own structures are read. Its path is made
/// no sooner than it is listed: a directory of short names far down has long paths.
pub(super) struct Named {
    directory: Rc<str>,
    name: String,
    pub(super) depth: usize,
}

impl Named {
    /// The directory that nothing names.
    pub(super) fn root() -> Named {
        Named { directory: "".into(), name: String::new(), depth: 0 }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn path(&self) -> String {
        join(&self.directory, &self.name)
    }

    pub(super) fn directory(&self) -> Directory {
        Directory { path: self.path().into(), depth: self.depth }
    }
}

pub(super) struct Listing {
    entries: Vec<Entry>,
    named_count: u64,
    path_bytes: u64,
    extent_count: u64,
    step_count: u64,
    directory_bytes: u64,
    directories_max_bytes: u64,
    trouble_count: u64,
    /// Where the directories seen so far lie: a second visit would never end.
    visited: BTreeSet<u64>,
}

impl Listing {
    /// An empty one for a disc of a size: directories that do not overlap are no larger than it.
    pub(super) fn of_disc(size_bytes: u64) -> Listing {
        Listing {
            entries: Vec::new(),
            named_count: 0,
            path_bytes: 0,
            extent_count: 0,
            step_count: 0,
            directory_bytes: 0,
            directories_max_bytes: size_bytes.min(DIRECTORIES_MAX_BYTES),
            trouble_count: 0,
            visited: BTreeSet::new(),
        }
    }

    /// Notes that `directory` names something, before memory is taken for it. The name must be one
    /// component: nothing that leads elsewhere when the tree is extracted, on Windows neither.
    pub(super) fn name(
        &mut self,
        directory: &Directory,
        name: String,
        offset_bytes: u64,
    ) -> Result<Named, ReadError> {
        check_name(&name, offset_bytes)?;
        self.named_count += 1;
        bound(offset_bytes, "entries", self.named_count, ENTRY_COUNT_MAX)?;
        self.text((directory.path.len() + 1 + name.len()) as u64, offset_bytes)?;
        Ok(Named { directory: Rc::clone(&directory.path), name, depth: directory.depth + 1 })
    }

    /// Notes an extent, before memory is taken for it.
    pub(super) fn extent(&mut self, offset_bytes: u64) -> Result<(), ReadError> {
        self.extent_count += 1;
        bound(offset_bytes, "extents", self.extent_count, EXTENT_COUNT_MAX)
    }

    /// Notes so many looks into the tables of a partition, before they are taken.
    pub(super) fn steps(&mut self, count: u64, offset_bytes: u64) -> Result<(), ReadError> {
        self.step_count = self.step_count.saturating_add(count);
        bound(offset_bytes, "entries of partitions' tables", self.step_count, STEP_COUNT_MAX)
    }

    /// Notes the text of a symbolic link, which is a path as well.
    pub(super) fn text(&mut self, size_bytes: u64, offset_bytes: u64) -> Result<(), ReadError> {
        self.path_bytes = self.path_bytes.saturating_add(size_bytes);
        bound(offset_bytes, "bytes of paths", self.path_bytes, PATHS_MAX_BYTES)
    }

    /// Notes that so much is about to be read that is, or tells of, what a directory holds.
    pub(super) fn bytes(&mut self, size_bytes: u64, offset_bytes: u64) -> Result<(), ReadError> {
        self.directory_bytes = self.directory_bytes.saturating_add(size_bytes);
        let limit = self.directories_max_bytes;
        bound(offset_bytes, "bytes of directories and tables", self.directory_bytes, limit)
    }

    pub(super) fn push(&mut self, entry: Entry) {
        self.entries.push(entry);
    }

    /// Notes that the directory at `offset_bytes` with so much data is about to be read.
    pub(super) fn enter(
        &mut self,
        depth: usize,
        offset_bytes: u64,
        extents: &[FileExtent],
    ) -> Result<(), ReadError> {
        let size_bytes = extents.iter().fold(0, |sum: u64, it| sum.saturating_add(it.size_bytes));
        bound(offset_bytes, "levels of directories", depth as u64, DEPTH_MAX as u64)?;
        bound(offset_bytes, "bytes of one directory", size_bytes, DIRECTORY_MAX_BYTES)?;
        self.bytes(size_bytes, offset_bytes)?;
        if self.visited.insert(offset_bytes) {
            return Ok(());
        }
        Err(ReadError::Damaged {
            offset_bytes,
            expected: "a directory that is in one place of the tree",
            found: "one that was met before".to_owned(),
        })
    }

    /// Notes an entry that is not listed, as it cannot be read or is no file, or a block of
    /// allocation descriptors: a damaged disc names one of them from many entries.
    pub(super) fn trouble(&mut self, offset_bytes: u64) -> Result<(), ReadError> {
        let what = "blocks of allocation descriptors and entries that are no files";
        self.trouble_count += 1;
        bound(offset_bytes, what, self.trouble_count, TROUBLE_COUNT_MAX)
    }

    pub(super) fn into_entries(self) -> Vec<Entry> {
        self.entries
    }
}

fn bound(offset_bytes: u64, what: &'static str, is: u64, limit: u64) -> Result<(), ReadError> {
    if is > limit { Err(ReadError::Limit { offset_bytes, what, limit }) } else { Ok(()) }
}
