//! `Chunks`: where the chunks of one resource are, so that callers may read and decode many at once.
//!
//! ```text
//! resource:        (n-1) offsets of chunks 1.. from the end of the table, u32 or u64 · n chunks
//! … of a pipable:  n times (u32 stored size · chunk) · the table, as if the sizes were not there
//! solid resource:  u64 size · u32 chunk size · u32 codec · n times u32 stored size · n chunks
//! ```
//! A chunk stored in as many bytes as it has is raw. No window carries over between chunks. Declared
//! sizes are not trusted: a table is read in pieces and each entry checked, and every chunk takes a
//! byte of the file at least, so memory follows the bytes that are there.

use super::error::Error;
use super::header::{
    Compression, ResourceHeader, array_at, read_at, resource_flag, u32_at, u64_at,
};
use crate::codec::{lzms, lzx, xpress};
use crate::source::Source;

/// Entries of a chunk table that are read at once.
const TABLE_BATCH: u64 = 4096;
/// Bytes of an uncompressed resource that are taken for a chunk.
const PLAIN_CHUNK_BYTES: u32 = 64 * 1024;
/// Fixed part of a solid resource: plain size, chunk size, codec.
pub(super) const SOLID_HEAD_BYTES: u64 = 16;
/// Largest chunk that is decoded, which is the largest that Microsoft's readers take.
const CHUNK_LIMIT_BYTES: u32 = 64 << 20;

/// The chunks of one resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunks {
    resource_offset_bytes: u64,
    codec: Compression,
    chunk_bytes: u32,
    size_bytes: u64,
    /// File offset of the first chunk, or of what is put in front of it.
    data_offset_bytes: u64,
    /// Bytes in front of each chunk.
    prefix_bytes: u64,
    /// Where each chunk ends, from the first one on, prefixes not counted; empty if all are raw.
    ends: Vec<u64>,
}

/// One chunk: where it is, and how large it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chunk {
    /// File offset of its stored bytes.
    pub offset_bytes: u64,
    /// How many there are; as many as it has if it is raw.
    pub stored_bytes: u32,
    /// Its uncompressed size.
    pub size_bytes: u32,
}

/// What the file says of the resources that are not solid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Coding {
    pub(super) codec: Compression,
    pub(super) chunk_bytes: u32,
    pub(super) is_pipable: bool,
}

impl Chunks {
    /// The chunks of a resource of a file with this coding.
    pub(super) fn read<S: Source + ?Sized>(
        source: &S,
        resource: &ResourceHeader,
        coding: Coding,
    ) -> Result<Chunks, Error> {
        if resource.has(resource_flag::SOLID) {
            return Chunks::read_solid(source, resource);
        }
        resource.check_range("a resource", source.size_bytes())?;
        if !resource.has(resource_flag::COMPRESSED) {
            return Chunks::plain(resource);
        }
        if coding.codec == Compression::None {
            return Err(Error::in_file(0x10, "a codec in the flags, as a resource is compressed"));
        }
        check_chunk_size(coding.codec, coding.chunk_bytes, 0x14)?;
        let count = resource.size_bytes.div_ceil(u64::from(coding.chunk_bytes));
        let width = if resource.size_bytes > u64::from(u32::MAX) { 8 } else { 4 };
        let prefix_bytes = if coding.is_pipable { 4 } else { 0 };
        let table_bytes = count.saturating_sub(1).saturating_mul(width);
        let overhead = count.saturating_mul(prefix_bytes).saturating_add(table_bytes);
        let Some(data_bytes) = resource.stored_bytes.checked_sub(overhead) else {
            return Err(too_many(resource, count));
        };
        let start = resource.offset_bytes;
        let (table, data_offset_bytes) = match coding.is_pipable {
            true => (start + resource.stored_bytes - table_bytes, start),
            false => (start, start + table_bytes),
        };
        let mut chunks = Chunks {
            resource_offset_bytes: start,
            codec: coding.codec,
            chunk_bytes: coding.chunk_bytes,
            size_bytes: resource.size_bytes,
            data_offset_bytes,
            prefix_bytes,
            ends: Vec::new(),
        };
        // An entry says where the next chunk starts, which is where this one ends.
        let ends = |_, end| end;
        chunks.read_table(source, table, width, count.saturating_sub(1), data_bytes, ends)?;
        if count > 0 {
            chunks.push(data_bytes, data_bytes)?;
        }
        Ok(chunks)
    }

    fn plain(resource: &ResourceHeader) -> Result<Chunks, Error> {
        if resource.stored_bytes != resource.size_bytes {
            return Err(Error::in_file(
                resource.offset_bytes,
                "equal stored and uncompressed sizes of an uncompressed resource",
            ));
        }
        Ok(Chunks {
            resource_offset_bytes: resource.offset_bytes,
            codec: Compression::None,
            chunk_bytes: PLAIN_CHUNK_BYTES,
            size_bytes: resource.size_bytes,
            data_offset_bytes: resource.offset_bytes,
            prefix_bytes: 0,
            ends: Vec::new(),
        })
    }

    /// The chunks of a solid resource, which says itself how it is coded.
    fn read_solid<S: Source + ?Sized>(
        source: &S,
        resource: &ResourceHeader,
    ) -> Result<Chunks, Error> {
        resource.check_range("a solid resource", source.size_bytes())?;
        let start = resource.offset_bytes;
        if resource.stored_bytes < SOLID_HEAD_BYTES {
            let expected = format!("a solid resource of at least {SOLID_HEAD_BYTES} bytes");
            return Err(Error::in_file(start, expected));
        }
        let mut head = [0; SOLID_HEAD_BYTES as usize];
        read_at(source, start, &mut head)?;
        // +0x00: uncompressed size; +0x08: chunk size; +0x0c: codec
        let (size_bytes, chunk_bytes) = (u64_at(&head, 0x00), u32_at(&head, 0x08));
        let codec = solid_codec(u32_at(&head, 0x0c), start)?;
        check_chunk_size(codec, chunk_bytes, start + 0x08)?;
        let count = size_bytes.div_ceil(u64::from(chunk_bytes));
        let table_bytes = count.saturating_mul(4);
        let rest = resource.stored_bytes - SOLID_HEAD_BYTES;
        let Some(data_bytes) = rest.checked_sub(table_bytes) else {
            return Err(too_many(resource, count));
        };
        let table = start + SOLID_HEAD_BYTES;
        let mut chunks = Chunks {
            resource_offset_bytes: start,
            codec,
            chunk_bytes,
            size_bytes,
            data_offset_bytes: table + table_bytes,
            prefix_bytes: 0,
            ends: Vec::new(),
        };
        let ends = |previous: u64, stored: u64| previous.saturating_add(stored);
        chunks.read_table(source, table, 4, count, data_bytes, ends)?;
        Ok(chunks)
    }

    /// Reads the ends of `count` chunks; `end` makes one of the end before it and an entry.
    fn read_table<S: Source + ?Sized>(
        &mut self,
        source: &S,
        offset_bytes: u64,
        width: u64,
        count: u64,
        data_bytes: u64,
        end: impl Fn(u64, u64) -> u64,
    ) -> Result<(), Error> {
        let mut buffer = vec![0; (count.min(TABLE_BATCH) * width) as usize];
        for first in (0..count).step_by(TABLE_BATCH as usize) {
            let bytes = &mut buffer[..((count - first).min(TABLE_BATCH) * width) as usize];
            read_at(source, offset_bytes + first * width, bytes)?;
            for entry in bytes.chunks_exact(width as usize) {
                let entry = match width {
                    4 => u64::from(u32_at(entry, 0)),
                    _ => u64::from_le_bytes(array_at(entry, 0)),
                };
                self.push(end(self.stored_end(), entry), data_bytes)?;
            }
        }
        Ok(())
    }

    /// Adds a chunk that ends at `end`, if it can.
    fn push(&mut self, end: u64, data_bytes: u64) -> Result<(), Error> {
        let (index, start) = (self.ends.len() as u64, self.stored_end());
        let size = u64::from(self.size_of(index));
        let stored = end.checked_sub(start);
        if stored.is_some_and(|stored| 0 < stored && stored <= size) && end <= data_bytes {
            self.ends.push(end);
            return Ok(());
        }
        Err(Error::in_file(
            self.resource_offset_bytes,
            format!(
                "chunk {index} in 1 to {size} bytes, found {start:#x}..{end:#x} of {data_bytes:#x}"
            ),
        ))
    }

    /// Where the last chunk so far ends.
    fn stored_end(&self) -> u64 {
        self.ends.last().copied().unwrap_or(0)
    }

    /// File offset of the resource.
    pub fn resource_offset_bytes(&self) -> u64 {
        self.resource_offset_bytes
    }

    /// How the chunks are compressed.
    pub fn codec(&self) -> Compression {
        self.codec
    }

    /// Whether the resource is its content.
    pub(super) fn is_plain(&self) -> bool {
        self.ends.is_empty()
    }

    /// Uncompressed size of all chunks but the last, which may be shorter.
    pub fn chunk_bytes(&self) -> u32 {
        self.chunk_bytes
    }

    /// Uncompressed size of the resource.
    pub fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// How many chunks there are.
    pub fn count(&self) -> u64 {
        self.size_bytes.div_ceil(u64::from(self.chunk_bytes))
    }

    /// The uncompressed size of a chunk.
    fn size_of(&self, index: u64) -> u32 {
        let rest = self.size_bytes - index * u64::from(self.chunk_bytes);
        rest.min(u64::from(self.chunk_bytes)) as u32
    }

    /// Where a chunk is; `index` is below [`Chunks::count`].
    pub fn chunk(&self, index: u64) -> Chunk {
        let size_bytes = self.size_of(index);
        if self.ends.is_empty() {
            let offset_bytes = self.data_offset_bytes + index * u64::from(self.chunk_bytes);
            return Chunk { offset_bytes, stored_bytes: size_bytes, size_bytes };
        }
        let start = index.checked_sub(1).map_or(0, |previous| self.ends[previous as usize]);
        Chunk {
            offset_bytes: self.data_offset_bytes + start + (index + 1) * self.prefix_bytes,
            // At most the uncompressed size, as was checked.
            stored_bytes: (self.ends[index as usize] - start) as u32,
            size_bytes,
        }
    }

    /// Decodes the stored bytes of a chunk into `output`, which has its uncompressed size.
    pub fn decode(&self, index: u64, stored: &[u8], output: &mut [u8]) -> Result<(), Error> {
        if stored.len() == output.len() {
            output.copy_from_slice(stored);
            return Ok(());
        }
        let decoded = match self.codec {
            Compression::Xpress => xpress::decode(stored, output),
            Compression::Lzx => lzx::decode(stored, output, self.chunk_bytes),
            Compression::Lzms => lzms::decode(stored, output),
            Compression::None => {
                let expected = format!("chunk {index} of an uncompressed resource in full");
                return Err(Error::in_file(self.resource_offset_bytes, expected));
            }
        };
        decoded.map_err(|source| Error::Chunk {
            resource_offset_bytes: self.resource_offset_bytes,
            chunk_index: index,
            source,
        })
    }
}

fn too_many(resource: &ResourceHeader, chunk_count: u64) -> Error {
    Error::in_file(
        resource.offset_bytes,
        format!(
            "{chunk_count} chunk table entries in a resource of {} stored bytes",
            resource.stored_bytes
        ),
    )
}

/// The codec that a solid resource names.
fn solid_codec(number: u32, start: u64) -> Result<Compression, Error> {
    Compression::of_number(number)
        .ok_or_else(|| Error::in_file(start + 0x0c, format!("a codec of 0 to 3, found {number}")))
}

/// An error unless the chunk size, which stands at `offset_bytes`, is one that the codec has.
fn check_chunk_size(codec: Compression, chunk_bytes: u32, offset_bytes: u64) -> Result<(), Error> {
    let sizes = match codec {
        Compression::Xpress => 1 << 12..=1 << 16,
        Compression::Lzx => 1 << 15..=1 << 21,
        Compression::Lzms => 1 << 15..=CHUNK_LIMIT_BYTES,
        Compression::None => 1 << 12..=CHUNK_LIMIT_BYTES,
    };
    if chunk_bytes.is_power_of_two() && sizes.contains(&chunk_bytes) {
        return Ok(());
    }
    Err(Error::in_file(
        offset_bytes,
        format!("a chunk size of {} to {}, found {chunk_bytes}", sizes.start(), sizes.end()),
    ))
}
