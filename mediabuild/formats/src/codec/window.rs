//! `Window`: the bytes of one chunk, where a match finder looks.
//!
//! Positions start at 1, so that 0 in a table of positions means none. The buffer has a fixed
//! size, so that loads at a position that fits 16 bits check no bounds.

use super::boxed_array;
use super::equal_length::equal_length;

/// Positions and the slack behind them.
const SIZE: usize = (1 << 16) + SLACK_BYTES;
/// Zeros behind the end: loads reach there, and what they find must not depend on other chunks.
const SLACK_BYTES: usize = 64;
const POSITION_MASK: usize = (1 << 16) - 1;

/// The bytes of a chunk of at most 64 KiB.
pub(super) struct Window {
    bytes: Box<[u8; SIZE]>,
    end: usize,
}

impl Window {
    /// The position of the first byte.
    pub(super) const START: usize = 1;

    pub(super) fn new() -> Window {
        Window { bytes: boxed_array(0), end: Self::START }
    }

    /// Takes over a chunk.
    pub(super) fn load(&mut self, chunk: &[u8]) {
        self.end = Self::START + chunk.len();
        self.bytes[Self::START..self.end].copy_from_slice(chunk);
        let slack_end = (self.end + SLACK_BYTES).min(SIZE);
        self.bytes[self.end..slack_end].fill(0);
    }

    /// Behind the position of the last byte.
    pub(super) fn end(&self) -> usize {
        self.end
    }

    /// Behind the last position that a match may cover: loads wrap at 64 KiB, so that the last byte
    /// of a chunk of that size stays a literal.
    pub(super) fn match_end(&self) -> usize {
        self.end.min(POSITION_MASK + 1)
    }

    /// The chunk, for filters.
    pub(super) fn chunk_mut(&mut self) -> &mut [u8] {
        &mut self.bytes[Self::START..self.end]
    }

    /// The bytes between two positions.
    pub(super) fn slice(&self, start: usize, end: usize) -> &[u8] {
        &self.bytes[start..end]
    }

    /// The byte at a position.
    #[inline(always)]
    pub(super) fn byte(&self, position: usize) -> u8 {
        self.bytes[position]
    }

    /// Four bytes, the first in the low bits. Not for the last position of 64 KiB.
    #[inline(always)]
    pub(super) fn load4(&self, position: usize) -> u32 {
        let at = position & POSITION_MASK;
        let bytes = &self.bytes[at..at + 4];
        u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
    }

    /// Eight bytes, likewise.
    #[inline(always)]
    pub(super) fn load8(&self, position: usize) -> u64 {
        let at = position & POSITION_MASK;
        let bytes = &self.bytes[at..at + 8];
        u64::from_le_bytes([
            bytes[0], bytes[1], bytes[2], bytes[3], bytes[4], bytes[5], bytes[6], bytes[7],
        ])
    }

    /// How many bytes from two positions on are equal, up to `limit`, which ends in the chunk.
    #[inline(always)]
    pub(super) fn common(&self, left: usize, right: usize, limit: usize) -> usize {
        equal_length(limit, |at| self.load8(left + at) ^ self.load8(right + at))
    }
}
