//! `Placed`: a file whose every byte has its place; its contents are named, not read.

use std::ops::Range;

use sha1::Digest;

use super::inventory::{Inventory, Metadata, Single, Solid};
use super::options::Options;
use super::{Part, Written};
use crate::layout::Sink;
use crate::wim::blob::{BlobEntry, SOLID_RESOURCE_MAGIC};
use crate::wim::count::Counts;
use crate::wim::hash::Sha1;
use crate::wim::header::{
    Compression, HEADER_BYTES, Header, ResourceHeader, VERSION_DEFAULT, VERSION_SOLID, array_at,
    header_flag, resource_flag,
};
use crate::wim::integrity::{covered, table_bytes};

/// A file to be emitted.
#[derive(Debug)]
pub struct Placed<C> {
    contents: Vec<(C, u64)>,
    /// Stored metadata resources, blob table and XML data.
    tail: Vec<Vec<u8>>,
    written: Written,
}

impl<C> Placed<C> {
    /// Appends the file to an empty `sink`, except for its integrity table: see
    /// [`Placed::covered`].
    pub fn emit<S: Sink<C>>(&self, sink: &mut S) {
        sink.literal(&self.written.header.encode());
        for (content, size_bytes) in &self.contents {
            sink.content(content, *size_bytes);
        }
        self.tail.iter().for_each(|bytes| sink.literal(bytes));
    }

    /// What the file is.
    pub fn written(&self) -> &Written {
        &self.written
    }

    /// What the file is.
    pub fn into_written(self) -> Written {
        self.written
    }

    /// The bytes whose hashes make the integrity table, which the caller then appends to the sink:
    /// header and sizes count on it. `None` if there is to be no table.
    pub fn covered(&self) -> Option<Range<u64>> {
        let table = &self.written.header.blob_table;
        let wanted = self.written.header.integrity.stored_bytes > 0;
        wanted.then(|| covered(table.offset_bytes + table.stored_bytes))
    }
}

/// Everything that has a place in front of the XML data.
pub(super) struct Tables {
    blobs: Vec<BlobEntry>,
    solid: Vec<BlobEntry>,
    images: Vec<BlobEntry>,
    pub(super) table: Vec<u8>,
    blob_table: ResourceHeader,
}

impl Tables {
    /// Singles, then solid resources, then metadata: places in this order.
    pub(super) fn of<C>(inventory: &Inventory<C>, part_number: u16) -> Tables {
        let mut next = Next { offset_bytes: HEADER_BYTES as u64, part_number };
        let singles: Vec<BlobEntry> =
            inventory.singles.iter().map(|single| next.single(single)).collect();
        let mut run = SolidRun::default();
        inventory.solid.iter().for_each(|solid| run.add(solid, &mut next));
        let images: Vec<BlobEntry> =
            inventory.metadata.iter().map(|metadata| next.metadata(metadata)).collect();
        // Metadata first, as other writers do; the entries of solid resources are the last, in one
        // run.
        let entries = images.iter().chain(&singles).chain(&run.entries);
        let table: Vec<u8> = entries.flat_map(BlobEntry::encode).collect();
        let blob_table = next.plain(table.len() as u64);
        let mut blobs = singles;
        blobs.extend(run.blobs());
        Tables { blobs, solid: run.resources().collect(), images, table, blob_table }
    }
}

/// The next place in a file.
struct Next {
    offset_bytes: u64,
    part_number: u16,
}

impl Next {
    fn place(&mut self, stored_bytes: u64, flags: u8, size_bytes: u64) -> ResourceHeader {
        let offset_bytes = self.offset_bytes;
        self.offset_bytes += stored_bytes;
        ResourceHeader { stored_bytes, flags, offset_bytes, size_bytes }
    }

    /// The blob table or the XML data.
    fn plain(&mut self, size_bytes: u64) -> ResourceHeader {
        self.place(size_bytes, resource_flag::METADATA, size_bytes)
    }

    fn single<C>(&mut self, single: &Single<C>) -> BlobEntry {
        BlobEntry {
            resource: self.place(single.stored_bytes, single.flags, single.size_bytes),
            part_number: self.part_number,
            reference_count: single.reference_count,
            sha1: single.sha1,
        }
    }

    fn metadata(&mut self, metadata: &Metadata) -> BlobEntry {
        let Metadata { stored, flags, size_bytes, sha1 } = metadata;
        BlobEntry {
            resource: self.place(stored.len() as u64, *flags, *size_bytes),
            part_number: self.part_number,
            reference_count: 1,
            sha1: *sha1,
        }
    }
}

/// Consecutive solid entries: each resource before its blobs, whose offsets count from the first
/// byte of the first resource, as if all were one.
#[derive(Default)]
struct SolidRun {
    entries: Vec<BlobEntry>,
    /// Uncompressed bytes of the resources so far.
    size_bytes: u64,
}

impl SolidRun {
    fn add<C>(&mut self, solid: &Solid<C>, next: &mut Next) {
        let stored_bytes = solid.resource.stored_bytes;
        let resource = next.place(stored_bytes, resource_flag::SOLID, SOLID_RESOURCE_MAGIC);
        let (part_number, start) = (next.part_number, self.size_bytes);
        let head = BlobEntry { resource, part_number, reference_count: 1, sha1: Sha1::ZERO };
        self.entries.push(head);
        self.entries.extend(solid.used().map(|(blob, reference_count)| BlobEntry {
            resource: ResourceHeader {
                stored_bytes: blob.size_bytes,
                flags: resource_flag::SOLID,
                offset_bytes: start + blob.offset_bytes,
                size_bytes: 0,
            },
            part_number,
            reference_count,
            sha1: blob.sha1,
        }));
        self.size_bytes += solid.resource.size_bytes;
    }

    fn resources(&self) -> impl Iterator<Item = BlobEntry> {
        self.entries.iter().filter(|entry| entry.is_solid_resource()).copied()
    }

    fn blobs(&self) -> impl Iterator<Item = BlobEntry> {
        self.entries.iter().filter(|entry| !entry.is_solid_resource()).copied()
    }
}

/// What all parts of a set have in common with the whole.
pub(super) struct Shared<'a> {
    pub(super) options: &'a Options,
    pub(super) counts: &'a [Counts],
    pub(super) guid: [u8; 16],
    pub(super) xml: &'a [u8],
    pub(super) image_count: u32,
}

/// Gives everything in `inventory` its place.
pub(super) fn place<C>(inventory: Inventory<C>, part: Part, shared: &Shared<'_>) -> Placed<C> {
    let Tables { blobs, solid, images, table, blob_table } = Tables::of(&inventory, part.number);
    let mut next = Next { offset_bytes: inventory.xml_offset(), part_number: part.number };
    let xml = next.plain(shared.xml.len() as u64);
    let integrity = match shared.options.integrity {
        true => next.integrity(blob_table.offset_bytes + blob_table.stored_bytes),
        false => ResourceHeader::default(),
    };
    let is_split = part.count > 1;
    let header = Header {
        version: version(shared.options, &solid),
        flags: shared.options.flags() | if is_split { header_flag::SPANNED } else { 0 },
        chunk_bytes: shared.options.header_chunk_bytes(),
        guid: shared.guid,
        part_number: part.number,
        part_count: part.count,
        image_count: shared.image_count,
        blob_table,
        xml,
        boot_metadata: if is_split { None } else { boot_metadata(shared.options, &images) }
            .unwrap_or_default(),
        boot_index: if is_split { 0 } else { shared.options.boot_index },
        integrity,
    };
    let counts = shared.counts.to_vec();
    let size_bytes = next.offset_bytes;
    let singles = inventory.singles.into_iter().map(|single| (single.content, single.stored_bytes));
    let resources = inventory.solid.into_iter().map(|solid| solid.resource);
    let resources = resources.map(|resource| (resource.content, resource.stored_bytes));
    let metadata = inventory.metadata.into_iter().map(|metadata| metadata.stored);
    Placed {
        contents: singles.chain(resources).collect(),
        tail: metadata.chain([table, shared.xml.to_vec()]).collect(),
        written: Written { header, blobs, solid, images, counts, size_bytes },
    }
}

impl Next {
    /// Room for the integrity table of a file with such a blob table.
    fn integrity(&mut self, blob_table_end_bytes: u64) -> ResourceHeader {
        let covered = covered(blob_table_end_bytes);
        let size_bytes = table_bytes(covered.end - covered.start);
        self.place(size_bytes, 0, size_bytes)
    }
}

/// Readers of the old version know neither solid resources nor LZMS.
fn version(options: &Options, solid: &[BlobEntry]) -> u32 {
    match options.compression == Compression::Lzms || !solid.is_empty() {
        true => VERSION_SOLID,
        false => VERSION_DEFAULT,
    }
}

/// A copy of the boot image's metadata entry.
fn boot_metadata(options: &Options, images: &[BlobEntry]) -> Option<ResourceHeader> {
    let position = (options.boot_index as usize).checked_sub(1)?;
    images.get(position).map(|entry| entry.resource)
}

/// The identity of what these bytes describe.
pub(super) fn guid<'a>(described: impl IntoIterator<Item = &'a [u8]>) -> [u8; 16] {
    let mut hasher = sha1::Sha1::new();
    described.into_iter().for_each(|bytes| hasher.update(bytes));
    let digest: [u8; 20] = hasher.finalize().into();
    array_at(&digest, 0)
}
