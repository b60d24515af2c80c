//! The integrity table to be written: SHA-1s of what lies between the header and the XML data.
//!
//! The table covers contents, which the writer never reads. So a file is laid out first, with the
//! place and size of the table in its header; then the caller hashes the covered bytes, in one pass
//! with [`IntegrityBuilder`] or piece by piece, and puts the table behind the XML data. The header
//! is not covered.

use std::ops::Range;

use sha1::Digest;

use super::hash::Sha1;
use super::header::HEADER_BYTES;

/// Covered bytes per SHA-1, the number that Windows uses.
pub const INTEGRITY_PIECE_BYTES: u64 = 10 << 20;

/// Size of the table of so many covered bytes.
pub(super) fn table_bytes(covered_bytes: u64) -> u64 {
    12 + covered_bytes.div_ceil(INTEGRITY_PIECE_BYTES) * 20
}

/// The table that says the given hashes of the covered bytes' pieces, in order.
pub fn integrity_table(pieces: &[Sha1]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(12 + pieces.len() * 20);
    // +0x00: size; +0x04: entries; +0x08: bytes per entry
    bytes.extend_from_slice(&(12 + pieces.len() as u32 * 20).to_le_bytes());
    bytes.extend_from_slice(&(pieces.len() as u32).to_le_bytes());
    bytes.extend_from_slice(&(INTEGRITY_PIECE_BYTES as u32).to_le_bytes());
    bytes.extend(pieces.iter().flat_map(|sha1| sha1.0));
    bytes
}

/// The pieces of the covered bytes, each to be hashed on its own; `covered` is that of
/// [`Placed::covered`](super::Placed::covered).
pub fn integrity_pieces(covered: Range<u64>) -> impl Iterator<Item = Range<u64>> {
    let Range { start, end } = covered;
    let count = end.saturating_sub(start).div_ceil(INTEGRITY_PIECE_BYTES);
    (0..count).map(move |index| {
        let first = start + index * INTEGRITY_PIECE_BYTES;
        first..end.min(first + INTEGRITY_PIECE_BYTES)
    })
}

/// What the table of a file with such a blob table covers.
pub(super) fn covered(blob_table_end_bytes: u64) -> Range<u64> {
    HEADER_BYTES as u64..blob_table_end_bytes
}

/// Takes the covered bytes in order.
#[derive(Debug, Clone, Default)]
pub struct IntegrityBuilder {
    pieces: Vec<Sha1>,
    hasher: sha1::Sha1,
    /// Bytes of the piece being hashed.
    hashed_bytes: u64,
}

impl IntegrityBuilder {
    /// Nothing taken yet.
    pub fn new() -> IntegrityBuilder {
        IntegrityBuilder::default()
    }

    /// Takes the next covered bytes.
    pub fn update(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let room = INTEGRITY_PIECE_BYTES - self.hashed_bytes;
            let count = bytes.len().min(room as usize);
            let (head, rest) = bytes.split_at(count);
            self.hasher.update(head);
            self.hashed_bytes += count as u64;
            if self.hashed_bytes == INTEGRITY_PIECE_BYTES {
                self.end_piece();
            }
            bytes = rest;
        }
    }

    /// The table.
    pub fn finish(mut self) -> Vec<u8> {
        if self.hashed_bytes > 0 {
            self.end_piece();
        }
        integrity_table(&self.pieces)
    }

    fn end_piece(&mut self) {
        self.pieces.push(Sha1(self.hasher.finalize_reset().into()));
        self.hashed_bytes = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::{
        INTEGRITY_PIECE_BYTES, IntegrityBuilder, integrity_pieces, integrity_table, table_bytes,
    };
    use crate::wim::Sha1;

    #[test]
    fn streaming_and_hashing_pieces_give_one_table() {
        for size in [0, 1, INTEGRITY_PIECE_BYTES, INTEGRITY_PIECE_BYTES + 1] {
            let bytes: Vec<u8> = (0..size).map(|at| ((at * 7) >> 3) as u8).collect();
            let mut builder = IntegrityBuilder::new();
            bytes.chunks(999_983).for_each(|some| builder.update(some));
            let pieces = integrity_pieces(208..208 + size).map(|range| {
                Sha1::of(&bytes[range.start as usize - 208..range.end as usize - 208])
            });
            let table = builder.finish();
            assert_eq!(table, integrity_table(&pieces.collect::<Vec<_>>()));
            assert_eq!(table.len() as u64, table_bytes(size));
        }
    }
}
