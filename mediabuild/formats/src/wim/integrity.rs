//! The integrity table to be written: SHA-1s of what lies between the header and the XML data.
//!
//! The table covers contents, which the writer never reads. So a file is laid out first, with the
//! place and size of the table in its header; then the caller hashes the covered bytes in pieces of
//! [`INTEGRITY_PIECE_BYTES`], and puts the table behind the XML data. The header is not covered.

use std::ops::Range;

use super::hash::Sha1;
use super::header::HEADER_BYTES;

/// Covered bytes per SHA-1, the number that Windows uses.
pub const INTEGRITY_PIECE_BYTES: u64 = 10 << 20;

/// Size of what is in front of the hashes.
pub(super) const HEAD_BYTES: usize = 12;

/// Size of a table of so many hashes.
pub(super) fn size_bytes(hash_count: u64) -> u64 {
    HEAD_BYTES as u64 + hash_count * size_of::<Sha1>() as u64
}

/// Size of the table of so many covered bytes.
pub(super) fn table_bytes(covered_bytes: u64) -> u64 {
    size_bytes(covered_bytes.div_ceil(INTEGRITY_PIECE_BYTES))
}

/// The table that says the given hashes of the covered bytes' pieces, in order.
pub fn integrity_table(pieces: &[Sha1]) -> Vec<u8> {
    let size_bytes = size_bytes(pieces.len() as u64);
    let mut bytes = Vec::with_capacity(size_bytes as usize);
    // +0x00: size; +0x04: entries; +0x08: bytes per entry
    bytes.extend_from_slice(&(size_bytes as u32).to_le_bytes());
    bytes.extend_from_slice(&(pieces.len() as u32).to_le_bytes());
    bytes.extend_from_slice(&(INTEGRITY_PIECE_BYTES as u32).to_le_bytes());
    bytes.extend(pieces.iter().flat_map(|sha1| sha1.0));
    bytes
}

/// What the table of a file with such a blob table covers.
pub(super) fn covered(blob_table_end_bytes: u64) -> Range<u64> {
    HEADER_BYTES as u64..blob_table_end_bytes
}

#[cfg(test)]
mod tests {
    use super::{INTEGRITY_PIECE_BYTES, integrity_table, table_bytes};
    use crate::wim::Sha1;

    #[test]
    fn tables_are_as_large_as_was_planned() {
        for size in [0, 1, INTEGRITY_PIECE_BYTES, INTEGRITY_PIECE_BYTES + 1] {
            let bytes = vec![7; size as usize];
            let pieces = bytes.chunks(INTEGRITY_PIECE_BYTES as usize).map(Sha1::of);
            let table = integrity_table(&pieces.collect::<Vec<_>>());
            assert_eq!(table.len() as u64, table_bytes(size));
        }
    }
}
