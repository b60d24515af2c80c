//! `ResourceReader`: the uncompressed bytes of a resource, or of a blob in solid resources, chunk by
//! chunk in constant memory.

use std::io;

use super::chunk_list::ChunkList;
use super::error::Error;
use super::header::read_at;
use crate::source::Source;

/// Reads one resource or blob from its first byte to its last.
#[derive(Debug)]
pub struct ResourceReader<S> {
    source: S,
    chunks: ChunkList,
    /// What is still to be decoded, in the uncompressed bytes of `chunks`.
    position: u64,
    end: u64,
    size_bytes: u64,
    input: Vec<u8>,
    output: Vec<u8>,
    /// Bytes of `output` to give out.
    taken: usize,
    taken_end: usize,
}

impl<S: Source> ResourceReader<S> {
    /// Reads `start..end`, which lie in the uncompressed bytes of `chunks`.
    pub(super) fn new(source: S, chunks: ChunkList, start: u64, end: u64) -> ResourceReader<S> {
        ResourceReader {
            source,
            chunks,
            position: start,
            end,
            size_bytes: end - start,
            input: Vec::new(),
            output: Vec::new(),
            taken: 0,
            taken_end: 0,
        }
    }

    /// How many uncompressed bytes there are from the first one on.
    pub fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// All bytes not yet read; an error if the resource has more than `limit_bytes`.
    pub fn read_to_vec(&mut self, limit_bytes: u64) -> Result<Vec<u8>, Error> {
        if self.size_bytes > limit_bytes {
            return Err(Error::TooLarge {
                resource_offset_bytes: self.chunks.resource_offset_bytes(),
                size_bytes: self.size_bytes,
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
            self.take_chunk();
        }
    }

    /// The bytes decoded and not yet taken, decoding the next chunk if there are none; empty at
    /// the end.
    pub(super) fn chunk(&mut self) -> Result<&[u8], Error> {
        if self.taken == self.taken_end && self.position < self.end {
            self.decode_next()?;
        }
        Ok(&self.output[self.taken..self.taken_end])
    }

    /// Marks everything [`Self::chunk`] returned as taken.
    pub(super) fn take_chunk(&mut self) {
        self.taken = self.taken_end;
    }

    fn decode_next(&mut self) -> Result<(), Error> {
        (self.taken, self.taken_end) = (0, 0);
        let chunk = self.chunks.get(self.chunks.chunk_with(self.position));
        let stored = sized(&mut self.input, chunk.chunk.stored_bytes as usize);
        read_at(&self.source, chunk.chunk.offset_bytes, stored)?;
        let output = sized(&mut self.output, chunk.chunk.size_bytes as usize);
        chunk.decode(stored, output)?;
        self.taken = (self.position - chunk.start) as usize;
        self.position = self.end.min(chunk.end());
        self.taken_end = (self.position - chunk.start) as usize;
        Ok(())
    }
}

/// The first `size` bytes of a buffer that is made larger if need be. A new one is of pages that the
/// system has not provided yet: a forged size takes no memory until bytes are decoded into it.
pub(super) fn sized(buffer: &mut Vec<u8>, size: usize) -> &mut [u8] {
    if buffer.len() < size {
        *buffer = vec![0; size];
    }
    &mut buffer[..size]
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
