//! Where the resources of a file lie: no two share bytes, unless they are one resource.
//!
//! A damaged or forged blob table may name the same bytes a million times. Whoever hashes or copies
//! every resource checks first that together they are no larger than the file.

use super::archive::{Member, Wim};
use super::blob::BlobEntry;
use super::error::Error;
use super::header::{HEADER_BYTES, ResourceHeader, resource_flag};

/// Bytes of the file and what they are.
#[derive(Debug, Clone, Copy)]
struct Range {
    start: u64,
    end: u64,
    what: What,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    /// Of the blob table: several entries may name one.
    Resource,
    /// Of the header: there is one of each.
    Structure(&'static str),
}

impl Wim {
    /// An error if a resource lies in the header or overlaps another one. Entries of the blob table
    /// may have exactly the same bytes; [`Wim::distinct_resources`] gives them once.
    pub fn check_layout(&self) -> Result<(), Error> {
        let mut ranges = self.ranges();
        ranges.sort_by_key(|range| (range.start, range.end));
        let is_in_header = |range: &&Range| {
            range.start - self.members[self.member_at(range.start)].start < HEADER_BYTES as u64
        };
        if let Some(range) = ranges.iter().find(is_in_header) {
            let name = range.what.name();
            let expected = format!("{name} behind the header of {HEADER_BYTES} bytes");
            return Err(Error::in_file(range.start, expected));
        }
        match ranges.windows(2).find(|pair| is_overlap(&pair[0], &pair[1])) {
            None => Ok(()),
            Some(pair) => Err(overlap(&pair[0], &pair[1])),
        }
    }

    /// The blobs and metadata resources of this file by offset, one entry for each resource: what
    /// several entries name is to be hashed once. Blobs in solid resources and in other parts of a
    /// split set are left out. An error if two entries say different things of the same bytes.
    pub fn distinct_resources(&self) -> Result<Vec<&BlobEntry>, Error> {
        let mut entries: Vec<&BlobEntry> = self.own_entries().collect();
        // A stable sort: of equal ones the first in the table stays.
        entries.sort_by_key(|entry| (entry.resource.offset_bytes, entry.resource.stored_bytes));
        if let Some(pair) = entries.windows(2).find(|pair| contradict(pair[0], pair[1])) {
            return Err(Error::in_file(
                pair[0].resource.offset_bytes,
                format!(
                    "one content in {} bytes, found entries of {} bytes with SHA-1 {} and of {} \
                     bytes with SHA-1 {}",
                    pair[0].resource.stored_bytes,
                    pair[0].resource.size_bytes,
                    pair[0].sha1,
                    pair[1].resource.size_bytes,
                    pair[1].sha1
                ),
            ));
        }
        entries.dedup_by(|next, kept| is_same_range(next, kept));
        Ok(entries)
    }

    /// The blobs in solid resources by run and offset, one entry for each content: what several
    /// entries name is to be hashed once. An error if blobs share bytes in another way.
    pub fn distinct_solid_blobs(&self) -> Result<Vec<&BlobEntry>, Error> {
        let mut distinct = Vec::new();
        for run in &self.runs {
            let blobs = self.blobs[run.blobs.clone()].iter();
            let mut blobs: Vec<&BlobEntry> = blobs.filter(|blob| blob.is_solid()).collect();
            blobs.sort_by_key(|blob| (blob.resource.offset_bytes, blob.size_bytes()));
            blobs.dedup_by(|next, kept| (next.resource, next.sha1) == (kept.resource, kept.sha1));
            if let Some(pair) = blobs.windows(2).find(|pair| solid_overlap(pair[0], pair[1])) {
                let expected = format!(
                    "solid blobs of their own, found {} and {} at {:#x} of a run",
                    pair[0].sha1, pair[1].sha1, pair[1].resource.offset_bytes
                );
                return Err(Error::in_file(self.header.blob_table.offset_bytes, expected));
            }
            distinct.extend(blobs);
        }
        Ok(distinct)
    }

    /// Non-solid blobs and metadata resources of this file.
    fn own_entries(&self) -> impl Iterator<Item = &BlobEntry> {
        let own = |entry: &&BlobEntry| self.is_here(entry.part_number);
        self.blobs.iter().chain(&self.images).filter(own).filter(|entry| !entry.is_solid())
    }

    /// Everything of this file that has bytes, except the header.
    fn ranges(&self) -> Vec<Range> {
        let own = |entry: &&BlobEntry| self.is_here(entry.part_number);
        let resources = self.own_entries().chain(self.solid.iter().filter(own));
        let resources = resources.map(|entry| Range::of(&entry.resource, What::Resource));
        let structures = self.members.iter().flat_map(Member::structures);
        resources.chain(structures).filter(|range| range.start < range.end).collect()
    }
}

impl Member {
    /// What the header names, and the second header of a pipable file.
    fn structures(&self) -> Vec<Range> {
        let named = [
            ("the blob table", &self.header.blob_table),
            ("the XML data", &self.header.xml),
            ("the integrity table", &self.header.integrity),
        ];
        let ranges = named.map(|(name, at)| Range::of(at, What::Structure(name)));
        let end = self.start + self.size_bytes;
        let start = end.saturating_sub(HEADER_BYTES as u64);
        let last_header = Range { start, end, what: What::Structure("the last header") };
        ranges.into_iter().chain(self.is_pipable.then_some(last_header)).collect()
    }
}

impl Range {
    fn of(resource: &ResourceHeader, what: What) -> Range {
        let start = resource.offset_bytes;
        Range { start, end: start.saturating_add(resource.stored_bytes), what }
    }
}

impl What {
    fn name(self) -> &'static str {
        match self {
            What::Resource => "a resource",
            What::Structure(name) => name,
        }
    }
}

/// Whether `right`, the next one by offset, may not be there.
fn is_overlap(left: &Range, right: &Range) -> bool {
    let is_one = (left.start, left.end) == (right.start, right.end)
        && (left.what, right.what) == (What::Resource, What::Resource);
    !is_one && right.start < left.end
}

fn overlap(left: &Range, right: &Range) -> Error {
    Error::in_file(
        right.start,
        format!(
            "{} behind the end of {} at offset {:#x}, which is {:#x}",
            right.what.name(),
            left.what.name(),
            left.start,
            left.end
        ),
    )
}

fn solid_overlap(left: &BlobEntry, right: &BlobEntry) -> bool {
    right.resource.offset_bytes < left.resource.offset_bytes.saturating_add(left.size_bytes())
}

fn is_same_range(left: &BlobEntry, right: &BlobEntry) -> bool {
    let range = |entry: &BlobEntry| (entry.resource.offset_bytes, entry.resource.stored_bytes);
    range(left) == range(right)
}

/// Whether both name the same bytes and cannot both be right.
fn contradict(left: &BlobEntry, right: &BlobEntry) -> bool {
    let content = |entry: &BlobEntry| {
        let is_compressed = entry.resource.has(resource_flag::COMPRESSED);
        (entry.sha1, entry.resource.size_bytes, is_compressed)
    };
    is_same_range(left, right) && content(left) != content(right)
}
