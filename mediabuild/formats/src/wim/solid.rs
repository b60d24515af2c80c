//! Solid resources: which of them hold which blobs, and where.
//!
//! Entries of the blob table with the solid flag, one after the other, are a *run*: solid resources
//! and the blobs in them, in any order. An offset of a blob is in the uncompressed bytes of all
//! resources of the run one after the other, so a blob may begin in one resource and end in the next.

use std::ops::Range;

use super::archive::Wim;
use super::blob::BlobEntry;
use super::chunk_list::ChunkList;
use super::error::Error;
use super::header::{ResourceHeader, read_at};
use super::resource::ResourceReader;
use crate::source::Source;

/// Consecutive solid entries, as positions in [`Wim::solid`] and [`Wim::blobs`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SolidRun {
    pub(super) resources: Range<usize>,
    pub(super) blobs: Range<usize>,
}

impl Wim {
    /// Which run a solid blob is in: with [`BlobEntry::resource`]'s offset the order in which blobs
    /// are decoded once.
    pub fn run_number(&self, entry: &BlobEntry) -> Result<usize, Error> {
        self.run_of(entry)
    }

    /// Reads on from the first byte of a solid blob to the end of its run, for a caller that wants
    /// many of the blobs there: each chunk is decoded once.
    pub fn run_reader<S: Source>(
        &self,
        source: S,
        entry: &BlobEntry,
    ) -> Result<ResourceReader<S>, Error> {
        let chunks = self.run_chunks(&source, self.run_of(entry)?)?;
        let (start, _) = solid_range(entry, &chunks)?;
        let end = chunks.size_bytes();
        Ok(ResourceReader::new(source, chunks, start, end))
    }

    /// Whether all of a run is here: not if another part of the set has a resource of it, nor if its
    /// offsets go on from earlier parts, which are not here.
    pub fn is_run_whole<S: Source + ?Sized>(&self, source: &S, run: usize) -> Result<bool, Error> {
        let resources = self.runs.get(run).map_or(0..0, |run| run.resources.clone());
        let is_here = self.solid[resources].iter().all(|entry| self.check_here(entry).is_ok());
        Ok(is_here && !self.reaches_beyond(source, run)?)
    }

    /// Whether blobs of a run end beyond its resources that are here.
    pub(super) fn reaches_beyond<S: Source + ?Sized>(
        &self,
        source: &S,
        run: usize,
    ) -> Result<bool, Error> {
        let Some(SolidRun { resources, blobs }) = self.runs.get(run).cloned() else {
            return Ok(false);
        };
        let ends = self.blobs[blobs]
            .iter()
            .filter(|blob| blob.is_solid())
            .map(|blob| blob.resource.offset_bytes.saturating_add(blob.size_bytes()));
        let end = ends.max().unwrap_or(0);
        let mut size_bytes = 0_u64;
        for entry in &self.solid[resources] {
            if self.check_here(entry).is_ok() {
                size_bytes = size_bytes.saturating_add(solid_size(source, &entry.resource)?);
            }
        }
        Ok(end > size_bytes)
    }

    /// The run that a solid entry of `blobs` is of.
    pub(super) fn run_of(&self, entry: &BlobEntry) -> Result<usize, Error> {
        // Most often the entry is the one by which its hash is known.
        let known = self.position(&entry.sha1).filter(|&position| self.blobs[position] == *entry);
        let search = || self.blobs.iter().position(|blob| blob == entry);
        let run = known.or_else(search).map(|position| self.run_at(position));
        run.ok_or_else(|| {
            let expected = format!("blob {} in the blob table", entry.sha1);
            Error::in_file(self.header.blob_table.offset_bytes, expected)
        })
    }

    /// The run of the solid blob at a position.
    pub(super) fn run_at(&self, position: usize) -> usize {
        self.runs.partition_point(|run| run.blobs.end <= position)
    }

    /// The chunks of all resources of a run. Nothing if it has none: then no blob lies in it.
    pub(super) fn run_chunks<S: Source + ?Sized>(
        &self,
        source: &S,
        run: usize,
    ) -> Result<ChunkList, Error> {
        let resources =
            self.runs.get(run).map_or(&[][..], |run| &self.solid[run.resources.clone()]);
        let chunks = resources.iter().map(|entry| {
            self.check_here(entry)?;
            self.chunks(source, &entry.resource)
        });
        ChunkList::new(chunks.collect::<Result<Vec<_>, Error>>()?)
    }
}

/// Uncompressed size of a solid resource, as it says itself.
pub(super) fn solid_size<S: Source + ?Sized>(
    source: &S,
    resource: &ResourceHeader,
) -> Result<u64, Error> {
    resource.check_range("a solid resource", source.size_bytes())?;
    let mut size = [0; 8];
    read_at(source, resource.offset_bytes, &mut size)?;
    Ok(u64::from_le_bytes(size))
}

/// Where a solid blob is in the uncompressed bytes of its run.
pub(super) fn solid_range(entry: &BlobEntry, chunks: &ChunkList) -> Result<(u64, u64), Error> {
    let start = entry.resource.offset_bytes;
    let end = start.checked_add(entry.size_bytes());
    end.filter(|&end| end <= chunks.size_bytes()).map(|end| (start, end)).ok_or_else(|| {
        Error::in_file(
            chunks.resource_offset_bytes(),
            format!(
                "blob {} of {} bytes at {start:#x} inside solid resources of {:#x} bytes",
                entry.sha1,
                entry.size_bytes(),
                chunks.size_bytes()
            ),
        )
    })
}
