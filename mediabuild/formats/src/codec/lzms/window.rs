//! `Window`: the bytes of one chunk, where the match finder and the parser look.

use std::ops::Range;

use crate::codec::equal_length::equal_length;

/// Zeros behind the end, where loads reach.
const SLACK_BYTES: usize = 32;

/// The filtered bytes of a chunk.
pub(super) struct Window {
    bytes: Vec<u8>,
    end: usize,
}

impl Window {
    pub(super) fn new() -> Window {
        Window { bytes: Vec::new(), end: 0 }
    }

    /// Takes over a chunk.
    pub(super) fn load(&mut self, chunk: &[u8]) {
        self.bytes.clear();
        self.bytes.reserve_exact(chunk.len() + SLACK_BYTES);
        self.bytes.extend_from_slice(chunk);
        self.bytes.resize(chunk.len() + SLACK_BYTES, 0);
        self.end = chunk.len();
    }

    pub(super) fn chunk_mut(&mut self) -> &mut [u8] {
        &mut self.bytes[..self.end]
    }

    /// Behind the last byte.
    pub(super) fn end(&self) -> usize {
        self.end
    }

    pub(super) fn slice(&self, range: &Range<usize>) -> &[u8] {
        &self.bytes[range.clone()]
    }

    #[inline(always)]
    pub(super) fn byte(&self, position: usize) -> u8 {
        self.bytes[position]
    }

    /// Eight bytes, the first in the low bits; from at most eight positions behind the end.
    #[inline(always)]
    pub(super) fn load8(&self, position: usize) -> u64 {
        match self.bytes.get(position..).and_then(<[u8]>::first_chunk) {
            Some(&bytes) => u64::from_le_bytes(bytes),
            None => 0,
        }
    }

    /// How many bytes from two positions on are equal, up to `limit`, which ends in the chunk.
    #[inline(always)]
    pub(super) fn common(&self, left: usize, right: usize, limit: usize) -> usize {
        equal_length(limit, |at| self.load8(left + at) ^ self.load8(right + at))
    }
}
