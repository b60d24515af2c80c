//! `ChunkList`: the chunks of one resource, or those of the solid resources of a run one after the
//! other, which hold one sequence of uncompressed bytes.

use super::chunks::{Chunk, Chunks};
use super::error::Error;

/// Resources one after the other; offsets are in their uncompressed bytes.
#[derive(Debug, Clone)]
pub(super) struct ChunkList {
    resources: Vec<Member>,
}

#[derive(Debug, Clone)]
struct Member {
    /// Where its uncompressed bytes begin, and which chunk of the list its first one is.
    start: u64,
    first_chunk: u64,
    chunks: Chunks,
}

/// A chunk of a list.
#[derive(Debug, Clone, Copy)]
pub(super) struct ListedChunk<'a> {
    /// Where its uncompressed bytes begin.
    pub(super) start: u64,
    pub(super) chunk: Chunk,
    chunks: &'a Chunks,
    index: u64,
}

impl ListedChunk<'_> {
    /// Decodes its stored bytes into `output`, which has its uncompressed size.
    pub(super) fn decode(&self, stored: &[u8], output: &mut [u8]) -> Result<(), Error> {
        self.chunks.decode(self.index, stored, output)
    }

    /// Whether it is of an uncompressed resource, whose bytes lie one after the other.
    pub(super) fn is_plain(&self) -> bool {
        self.chunks.is_plain()
    }

    /// Whether it lies behind `previous` in one resource.
    pub(super) fn follows(&self, previous: &ListedChunk<'_>) -> bool {
        std::ptr::eq(self.chunks, previous.chunks) && self.index == previous.index + 1
    }

    /// Where its uncompressed bytes end.
    pub(super) fn end(&self) -> u64 {
        self.start + u64::from(self.chunk.size_bytes)
    }
}

impl ChunkList {
    /// An error if the resources are larger together than sizes are.
    pub(super) fn new(resources: Vec<Chunks>) -> Result<ChunkList, Error> {
        let (mut start, mut first_chunk) = (0_u64, 0);
        let mut list = ChunkList { resources: Vec::with_capacity(resources.len()) };
        for chunks in resources {
            let end = start.checked_add(chunks.size_bytes()).ok_or_else(|| {
                let offset = chunks.resource_offset_bytes();
                Error::in_file(offset, "solid resources of less than 2^64 bytes together")
            })?;
            let count = chunks.count();
            list.resources.push(Member { start, first_chunk, chunks });
            (start, first_chunk) = (end, first_chunk + count);
        }
        Ok(list)
    }

    /// How many uncompressed bytes there are.
    pub(super) fn size_bytes(&self) -> u64 {
        self.resources.last().map_or(0, |last| last.start + last.chunks.size_bytes())
    }

    /// File offset of the first resource.
    pub(super) fn resource_offset_bytes(&self) -> u64 {
        self.resources.first().map_or(0, |first| first.chunks.resource_offset_bytes())
    }

    /// The resource and chunk that an uncompressed byte is in, as a position in the list;
    /// `offset` is below [`ChunkList::size_bytes`].
    pub(super) fn chunk_with(&self, offset: u64) -> u64 {
        // Of empty resources at one place the last is the one that has the byte.
        let member = self.resources.partition_point(|member| member.start <= offset) - 1;
        let member = &self.resources[member];
        member.first_chunk + (offset - member.start) / u64::from(member.chunks.chunk_bytes())
    }

    /// A chunk; `index` came from [`ChunkList::chunk_with`], or is that of a chunk before it.
    pub(super) fn get(&self, index: u64) -> ListedChunk<'_> {
        let member = self.resources.partition_point(|member| member.first_chunk <= index) - 1;
        let Member { start, first_chunk, chunks } = &self.resources[member];
        let index = index - first_chunk;
        let start = start + index * u64::from(chunks.chunk_bytes());
        ListedChunk { start, chunk: chunks.chunk(index), chunks, index }
    }
}
