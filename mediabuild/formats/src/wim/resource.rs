//! `ResourceReader`: the uncompressed bytes of a resource, chunk by chunk in constant memory.
//!
//! ```text
//! chunk table: (n-1) offsets of chunks 1.. from the end of the table, u32 or u64 · n chunks
//! ```
//! A chunk stored in as many bytes as it has is raw. No window carries over between chunks.

use std::io;

use super::error::Error;
use super::header::{Compression, ResourceHeader, read_at, resource_flag};
use crate::codec::{lzx, xpress};
use crate::source::Source;

/// Offsets of the chunk table that are held at once.
const TABLE_BATCH: u64 = 4096;
/// Bytes of an uncompressed resource that are read at once.
const PLAIN_CHUNK_BYTES: u32 = 64 * 1024;

/// How the chunks of one resource are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Codec {
    Plain,
    Xpress,
    Lzx,
}

/// Reads one resource from its first byte to its last.
#[derive(Debug)]
pub struct ResourceReader<S> {
    source: S,
    resource: ResourceHeader,
    codec: Codec,
    chunk_bytes: u32,
    chunk_count: u64,
    /// The chunk decoded next, and where it starts, from the end of the chunk table.
    next_chunk: u64,
    next_start: u64,
    /// Starts of the chunks `table_first`, `table_first + 1`…
    table: Vec<u64>,
    table_first: u64,
    input: Vec<u8>,
    output: Vec<u8>,
    /// Bytes of `output` already given out.
    taken: usize,
}

impl<S: Source> ResourceReader<S> {
    pub(super) fn new(
        source: S,
        resource: &ResourceHeader,
        compression: Compression,
        chunk_bytes: u32,
    ) -> Result<ResourceReader<S>, Error> {
        if resource.has(resource_flag::SOLID) {
            return Err(Error::unsupported("solid resources are"));
        }
        resource.check_range("a resource", source.size_bytes())?;
        let (codec, chunk_bytes) = match resource.has(resource_flag::COMPRESSED) {
            false => (Codec::Plain, PLAIN_CHUNK_BYTES),
            true => (codec_of(compression, chunk_bytes)?, chunk_bytes),
        };
        if codec == Codec::Plain && resource.stored_bytes != resource.size_bytes {
            return Err(Error::in_file(
                resource.offset_bytes,
                "equal stored and uncompressed sizes of an uncompressed resource",
            ));
        }
        let reader = ResourceReader {
            source,
            resource: *resource,
            codec,
            chunk_bytes,
            chunk_count: resource.size_bytes.div_ceil(u64::from(chunk_bytes)),
            next_chunk: 0,
            next_start: 0,
            table: Vec::new(),
            table_first: 1,
            input: Vec::new(),
            output: Vec::new(),
            taken: 0,
        };
        if reader.table_bytes() > resource.stored_bytes {
            return Err(Error::in_file(
                resource.offset_bytes,
                format!(
                    "{} chunk table entries in a resource of {} stored bytes",
                    reader.chunk_count - 1,
                    resource.stored_bytes
                ),
            ));
        }
        Ok(reader)
    }

    /// How many uncompressed bytes the resource has.
    pub fn size_bytes(&self) -> u64 {
        self.resource.size_bytes
    }

    /// All bytes not yet read; an error if the resource has more than `limit_bytes`.
    pub fn read_to_vec(&mut self, limit_bytes: u64) -> Result<Vec<u8>, Error> {
        if self.resource.size_bytes > limit_bytes {
            return Err(Error::TooLarge {
                resource_offset_bytes: self.resource.offset_bytes,
                size_bytes: self.resource.size_bytes,
                limit_bytes,
            });
        }
        // The declared size is not trusted: the buffer grows as chunks prove themselves.
        let mut bytes = Vec::new();
        loop {
            let chunk = self.chunk()?;
            if chunk.is_empty() {
                return Ok(bytes);
            }
            bytes.extend_from_slice(chunk);
            self.taken = self.output.len();
        }
    }

    /// The bytes decoded and not yet taken, decoding the next chunk if there are none; empty at
    /// the end.
    pub(super) fn chunk(&mut self) -> Result<&[u8], Error> {
        if self.taken == self.output.len() {
            self.decode_next()?;
        }
        Ok(&self.output[self.taken..])
    }

    /// Marks everything [`Self::chunk`] returned as taken.
    pub(super) fn take_chunk(&mut self) {
        self.taken = self.output.len();
    }

    fn decode_next(&mut self) -> Result<(), Error> {
        self.output.clear();
        self.taken = 0;
        if self.next_chunk == self.chunk_count {
            return Ok(());
        }
        let chunk = self.next_chunk;
        let chunk_bytes = u64::from(self.chunk_bytes);
        let size = (self.resource.size_bytes - chunk * chunk_bytes).min(chunk_bytes) as usize;
        let end = self.end_of(chunk)?;
        let stored = end
            .checked_sub(self.next_start)
            .filter(|&stored| 0 < stored && stored <= size as u64 && end <= self.data_bytes());
        let Some(stored) = stored else {
            return Err(Error::in_file(
                self.resource.offset_bytes,
                format!(
                    "chunk {chunk} in 1 to {size} bytes, found {:#x}..{end:#x} of {:#x}",
                    self.next_start,
                    self.data_bytes()
                ),
            ));
        };
        let offset = self.resource.offset_bytes + self.table_bytes() + self.next_start;
        self.output.resize(size, 0);
        if let Err(error) = self.fill_output(offset, stored as usize, chunk) {
            self.output.clear();
            return Err(error);
        }
        self.next_chunk += 1;
        self.next_start = end;
        Ok(())
    }

    /// Decodes or copies the `stored` bytes at `offset` into all of `output`.
    fn fill_output(&mut self, offset: u64, stored: usize, chunk_index: u64) -> Result<(), Error> {
        if stored == self.output.len() {
            return read_at(&self.source, offset, &mut self.output);
        }
        self.input.resize(stored, 0);
        read_at(&self.source, offset, &mut self.input)?;
        let decoded = match self.codec {
            Codec::Xpress => xpress::decode(&self.input, &mut self.output),
            Codec::Lzx => lzx::decode(&self.input, &mut self.output, self.chunk_bytes),
            Codec::Plain => unreachable!("plain chunks are stored in full"),
        };
        decoded.map_err(|source| Error::Chunk {
            resource_offset_bytes: self.resource.offset_bytes,
            chunk_index,
            source,
        })
    }

    /// Where a chunk ends, from the end of the chunk table.
    fn end_of(&mut self, chunk: u64) -> Result<u64, Error> {
        if self.codec == Codec::Plain {
            let end = (chunk + 1) * u64::from(self.chunk_bytes);
            return Ok(end.min(self.resource.size_bytes));
        }
        let next = chunk + 1;
        if next == self.chunk_count {
            return Ok(self.data_bytes());
        }
        if next >= self.table_first + self.table.len() as u64 {
            self.load_table(next)?;
        }
        Ok(self.table[(next - self.table_first) as usize])
    }

    /// Reads the starts of the chunks from `first` on, as many as are held at once.
    fn load_table(&mut self, first: u64) -> Result<(), Error> {
        let count = (self.chunk_count - first).min(TABLE_BATCH);
        let width = self.entry_bytes();
        let mut bytes = vec![0; (count * width) as usize];
        let offset = self.resource.offset_bytes + (first - 1) * width;
        read_at(&self.source, offset, &mut bytes)?;
        self.table.clear();
        self.table.extend(
            bytes.chunks_exact(width as usize).map(|entry| {
                entry.iter().rev().fold(0, |start, &byte| start << 8 | u64::from(byte))
            }),
        );
        self.table_first = first;
        Ok(())
    }

    fn entry_bytes(&self) -> u64 {
        if self.resource.size_bytes > u64::from(u32::MAX) { 8 } else { 4 }
    }

    fn table_bytes(&self) -> u64 {
        match self.codec {
            Codec::Plain => 0,
            _ => self.chunk_count.saturating_sub(1) * self.entry_bytes(),
        }
    }

    /// Stored bytes after the chunk table.
    fn data_bytes(&self) -> u64 {
        self.resource.stored_bytes - self.table_bytes()
    }
}

impl<S: Source> io::Read for ResourceReader<S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let chunk = self.chunk().map_err(io::Error::other)?;
        let count = chunk.len().min(buffer.len());
        buffer[..count].copy_from_slice(&chunk[..count]);
        self.taken += count;
        Ok(count)
    }
}

/// The codec of compressed resources, if its chunk size is one that the codec has.
fn codec_of(compression: Compression, chunk_bytes: u32) -> Result<Codec, Error> {
    let (codec, sizes) = match compression {
        Compression::Xpress => (Codec::Xpress, 1 << 12..=1 << 16),
        Compression::Lzx => (Codec::Lzx, 1 << 15..=1 << 21),
        Compression::Lzms => return Err(Error::unsupported("LZMS resources are")),
        Compression::None => {
            return Err(Error::in_file(0x10, "a codec in the flags, as a resource is compressed"));
        }
    };
    if chunk_bytes.is_power_of_two() && sizes.contains(&chunk_bytes) {
        return Ok(codec);
    }
    Err(Error::in_file(
        0x14,
        format!("a chunk size of {} to {}, found {chunk_bytes}", sizes.start(), sizes.end()),
    ))
}
