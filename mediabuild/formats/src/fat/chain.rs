//! `Chains`: the FAT as a reader follows it. No cluster is followed twice, so nothing is endless.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::geometry::{Geometry, Variant};
use crate::field::{u16_at, u32_at};
use crate::source::Source;
use crate::volume::read_error::{ReadError, read_bytes};

/// The FAT is read in pieces of this size: a multiple of every sector and of 3, so that no entry of
/// 12 bits is cut.
const WINDOW_BYTES: u64 = 12 << 10;
/// So many pieces are kept, 3 MiB: files of a used stick lie here and there.
const WINDOW_COUNT_MAX: usize = 256;

/// What an entry of the FAT says of its cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Link {
    Free,
    Next(u32),
    End,
    /// Marked bad, or a value without a meaning.
    Unusable(u32),
}

/// A run of clusters of a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stretch {
    pub(super) offset_bytes: u64,
    pub(super) size_bytes: u64,
}

pub(super) struct Chains<'s, S: ?Sized> {
    source: &'s S,
    geometry: Geometry,
    /// Pieces by where they start.
    windows: RefCell<BTreeMap<u64, Vec<u8>>>,
    /// A bit for each cluster that was followed.
    visited: Vec<u64>,
}

impl<'s, S: Source + ?Sized> Chains<'s, S> {
    pub(super) fn new(source: &'s S, geometry: Geometry) -> Self {
        // The volume lies inside the source, so this is at most a bit for 512 bytes of it.
        let words = geometry.cluster_count.div_ceil(64) as usize;
        let windows = RefCell::default();
        Chains { source, geometry, windows, visited: vec![0; words] }
    }

    /// The clusters from `first` on: at most `count_max`, and whether the chain ended there.
    pub(super) fn follow(
        &mut self,
        first: u32,
        count_max: u64,
        at_bytes: u64,
    ) -> Result<(Vec<Stretch>, bool), ReadError> {
        let mut stretches: Vec<Stretch> = Vec::new();
        let (mut cluster, mut entry_bytes, mut count) = (first, at_bytes, 0);
        while count < count_max {
            self.visit(cluster, entry_bytes)?;
            self.append(&mut stretches, cluster);
            count += 1;
            entry_bytes = self.entry_offset_bytes(cluster);
            match self.link(cluster)? {
                Link::Next(next) => cluster = next,
                Link::End => return Ok((stretches, true)),
                Link::Free => return Err(bad_link(entry_bytes, "a free one".to_owned())),
                Link::Unusable(value) => return Err(bad_link(entry_bytes, format!("{value:#x}"))),
            }
        }
        Ok((stretches, false))
    }

    /// What the FAT says of a cluster.
    pub(super) fn link(&self, cluster: u32) -> Result<Link, ReadError> {
        let value = self.value(cluster)?;
        let end = self.geometry.variant.end_of_chain();
        Ok(match value {
            0 => Link::Free,
            next if self.geometry.is_cluster(next) => Link::Next(next),
            // The last 8 values end a chain, the one before marks a bad cluster.
            value if value >= end - 7 && value <= end => Link::End,
            value => Link::Unusable(value),
        })
    }

    pub(super) fn is_visited(&self, cluster: u32) -> bool {
        let at = cluster - 2;
        self.visited[at as usize / 64] & 1 << (at % 64) != 0
    }

    fn visit(&mut self, cluster: u32, at_bytes: u64) -> Result<(), ReadError> {
        let damaged =
            |expected, found| Err(ReadError::Damaged { offset_bytes: at_bytes, expected, found });
        if !self.geometry.is_cluster(cluster) {
            return damaged("a cluster of the volume", format!("cluster {cluster}"));
        }
        if self.is_visited(cluster) {
            let found = format!("cluster {cluster}, which another chain has");
            return damaged("a cluster of one chain only", found);
        }
        let at = cluster - 2;
        self.visited[at as usize / 64] |= 1 << (at % 64);
        Ok(())
    }

    fn append(&self, stretches: &mut Vec<Stretch>, cluster: u32) {
        let offset_bytes = self.geometry.cluster_offset_bytes(cluster);
        let size_bytes = self.geometry.cluster_bytes();
        match stretches.last_mut() {
            Some(last) if last.offset_bytes + last.size_bytes == offset_bytes => {
                last.size_bytes += size_bytes;
            }
            _ => stretches.push(Stretch { offset_bytes, size_bytes }),
        }
    }

    /// An entry of the first FAT.
    pub(super) fn value(&self, cluster: u32) -> Result<u32, ReadError> {
        let offset_bytes = self.entry_offset_bytes(cluster);
        let fat_start = self.geometry.fat_offset_bytes(0);
        let window_start = fat_start + (offset_bytes - fat_start) / WINDOW_BYTES * WINDOW_BYTES;
        let mut windows = self.windows.borrow_mut();
        if windows.len() > WINDOW_COUNT_MAX {
            windows.clear();
        }
        let window = match windows.entry(window_start) {
            Entry::Occupied(window) => window.into_mut(),
            Entry::Vacant(slot) => {
                let fat_end = self.geometry.fat_offset_bytes(1);
                let size_bytes = (fat_end - window_start).min(WINDOW_BYTES);
                slot.insert(read_bytes(self.source, window_start, size_bytes)?)
            }
        };
        let at = (offset_bytes - window_start) as usize;
        Ok(match self.geometry.variant {
            Variant::Fat12 if cluster.is_multiple_of(2) => u32::from(u16_at(window, at)) & 0xFFF,
            Variant::Fat12 => u32::from(u16_at(window, at)) >> 4,
            Variant::Fat16 => u16_at(window, at).into(),
            Variant::Fat32 => u32_at(window, at) & 0x0FFF_FFFF,
        })
    }

    fn entry_offset_bytes(&self, cluster: u32) -> u64 {
        let cluster = u64::from(cluster);
        let at = match self.geometry.variant {
            Variant::Fat12 => cluster * 3 / 2,
            Variant::Fat16 => cluster * 2,
            Variant::Fat32 => cluster * 4,
        };
        self.geometry.fat_offset_bytes(0) + at
    }
}

fn bad_link(offset_bytes: u64, found: String) -> ReadError {
    ReadError::Damaged { offset_bytes, expected: "the number of the next cluster", found }
}
