//! The blob table ("lookup table"): where each content is, and how often it is used.

use super::error::Error;
use super::hash::Sha1;
use super::header::{
    Header, RESOURCE_HEADER_BYTES, ResourceHeader, array_at, read_at, resource_flag, u16_at, u32_at,
};
use super::solid::SolidRun;
use crate::source::Source;

/// Size of an entry.
pub(super) const ENTRY_BYTES: usize = 50;
/// Entries read at once, so that memory follows the bytes that are really there.
const BATCH_ENTRIES: u64 = 4096;
/// Most images of a file; those of Windows have ten or so.
pub(super) const IMAGE_LIMIT: usize = 65_535;
/// "Uncompressed size" that marks an entry as a solid resource instead of a blob in one.
pub(super) const SOLID_RESOURCE_MAGIC: u64 = 0x1_0000_0000;

/// One blob, metadata resource or solid resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlobEntry {
    /// Where it is.
    pub resource: ResourceHeader,
    /// The part of a split set it is in, counted from 1.
    pub part_number: u16,
    /// Uses by all images.
    pub reference_count: u32,
    /// SHA-1 of the uncompressed bytes.
    pub sha1: Sha1,
}

impl BlobEntry {
    /// Whether it lies in a solid resource.
    pub fn is_solid(&self) -> bool {
        self.resource.has(resource_flag::SOLID)
    }

    /// Whether it is a solid resource, and not a blob in one.
    pub(super) fn is_solid_resource(&self) -> bool {
        self.is_solid() && self.resource.size_bytes == SOLID_RESOURCE_MAGIC
    }

    /// Uncompressed size, wherever the entry keeps it.
    pub fn size_bytes(&self) -> u64 {
        if self.is_solid() { self.resource.stored_bytes } else { self.resource.size_bytes }
    }

    fn decode(bytes: &[u8; ENTRY_BYTES]) -> BlobEntry {
        BlobEntry {
            // +0x00: resource header
            resource: ResourceHeader::decode(&array_at(bytes, 0)),
            // +0x18: part number
            part_number: u16_at(bytes, RESOURCE_HEADER_BYTES),
            // +0x1a: reference count
            reference_count: u32_at(bytes, 26),
            // +0x1e: SHA-1
            sha1: Sha1(array_at(bytes, 30)),
        }
    }

    pub(super) fn encode(&self) -> [u8; ENTRY_BYTES] {
        let mut bytes = [0; ENTRY_BYTES];
        bytes[..24].copy_from_slice(&self.resource.encode());
        bytes[24..26].copy_from_slice(&self.part_number.to_le_bytes());
        bytes[26..30].copy_from_slice(&self.reference_count.to_le_bytes());
        bytes[30..].copy_from_slice(&self.sha1.0);
        bytes
    }
}

/// A blob table, sorted into what its entries are.
#[derive(Debug, Default)]
pub(super) struct BlobTable {
    /// Blobs in table order.
    pub(super) blobs: Vec<BlobEntry>,
    /// Metadata resources: this order numbers the images.
    pub(super) images: Vec<BlobEntry>,
    /// Solid resources, which hold blobs.
    pub(super) solid: Vec<BlobEntry>,
    /// Which of those hold which blobs.
    pub(super) runs: Vec<SolidRun>,
    /// Whether the last entry was solid.
    in_run: bool,
}

impl BlobTable {
    /// Reads the table that `header` names.
    pub(super) fn read<S: Source + ?Sized>(
        source: &S,
        header: &Header,
    ) -> Result<BlobTable, Error> {
        let resource = &header.blob_table;
        check_plain("the blob table", resource, source.size_bytes())?;
        if !resource.stored_bytes.is_multiple_of(ENTRY_BYTES as u64) {
            return Err(Error::in_file(
                resource.offset_bytes,
                format!(
                    "a blob table of entries of {ENTRY_BYTES} bytes, found {} bytes",
                    resource.stored_bytes
                ),
            ));
        }
        let mut table = BlobTable::default();
        let entry_count = resource.stored_bytes / ENTRY_BYTES as u64;
        let mut buffer = vec![0; entry_count.min(BATCH_ENTRIES) as usize * ENTRY_BYTES];
        for first in (0..entry_count).step_by(BATCH_ENTRIES as usize) {
            let count = (entry_count - first).min(BATCH_ENTRIES) as usize;
            let bytes = &mut buffer[..count * ENTRY_BYTES];
            let offset_bytes = resource.offset_bytes + first * ENTRY_BYTES as u64;
            read_at(source, offset_bytes, bytes)?;
            for (index, entry) in bytes.chunks_exact(ENTRY_BYTES).enumerate() {
                let entry_offset = offset_bytes + (index * ENTRY_BYTES) as u64;
                let entry = BlobEntry::decode(&array_at(entry, 0));
                table.add(entry, entry_offset, header.part_number, source.size_bytes())?;
            }
        }
        Ok(table)
    }

    /// Files an entry under what it is, or ignores it as readers of the format do.
    fn add(
        &mut self,
        entry: BlobEntry,
        entry_offset: u64,
        own_part: u16,
        file_bytes: u64,
    ) -> Result<(), Error> {
        let own = entry.part_number == own_part;
        let resource = &entry.resource;
        self.begin_or_end_run(&entry);
        if entry.is_solid_resource() {
            if own {
                resource.check_range("a solid resource", file_bytes)?;
            }
            self.solid.push(entry);
            self.extend_run();
            return Ok(());
        }
        if entry.size_bytes() == 0 || entry.sha1 == Sha1::ZERO {
            return Ok(());
        }
        if own && !entry.is_solid() {
            check_sizes(resource, entry_offset)?;
            resource.check_range("a resource", file_bytes)?;
        }
        match resource.has(resource_flag::METADATA) {
            // Old deployment kits left entries of removed images behind, with no references.
            true if !own || entry.reference_count == 0 => {}
            true if self.images.len() == IMAGE_LIMIT => {
                return Err(Error::in_file(entry_offset, format!("at most {IMAGE_LIMIT} images")));
            }
            true if entry.is_solid() => {
                let expected = "metadata outside of solid resources";
                return Err(Error::in_file(entry_offset, expected));
            }
            true => self.images.push(entry),
            false => self.blobs.push(entry),
        }
        self.extend_run();
        Ok(())
    }

    /// Entries with the solid flag one after the other are a run.
    fn begin_or_end_run(&mut self, entry: &BlobEntry) {
        if entry.is_solid() && !self.in_run {
            let (resources, blobs) = (self.solid.len(), self.blobs.len());
            self.runs.push(SolidRun { resources: resources..resources, blobs: blobs..blobs });
        }
        self.in_run = entry.is_solid();
    }

    /// Counts what was added to the run, if there is one.
    fn extend_run(&mut self) {
        if let Some(run) = self.runs.last_mut().filter(|_| self.in_run) {
            run.resources.end = self.solid.len();
            run.blobs.end = self.blobs.len();
        }
    }
}

/// An uncompressed resource is as long as its content.
fn check_sizes(resource: &ResourceHeader, entry_offset: u64) -> Result<(), Error> {
    let compressed = resource.has(resource_flag::COMPRESSED);
    if !compressed && resource.stored_bytes != resource.size_bytes {
        return Err(Error::in_file(
            entry_offset,
            format!(
                "equal sizes of an uncompressed resource, found {} stored and {} bytes",
                resource.stored_bytes, resource.size_bytes
            ),
        ));
    }
    Ok(())
}

/// The blob table and the XML data are never compressed: Microsoft's readers demand that.
pub(super) fn check_plain(
    what: &str,
    resource: &ResourceHeader,
    file_bytes: u64,
) -> Result<(), Error> {
    if resource.has(resource_flag::COMPRESSED | resource_flag::SOLID)
        || resource.stored_bytes != resource.size_bytes
    {
        return Err(Error::in_file(resource.offset_bytes, format!("{what} to be uncompressed")));
    }
    resource.check_range(what, file_bytes)
}
