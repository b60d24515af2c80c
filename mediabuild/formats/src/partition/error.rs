//! Errors of the reader of partition tables.

use std::io;

/// Why bytes are not a disk with partitions.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The source failed or ended.
    #[error("cannot read {size_bytes} bytes at {offset_bytes}: {source}")]
    Source {
        /// Where.
        offset_bytes: u64,
        /// How many.
        size_bytes: u64,
        /// What the source said.
        source: io::Error,
    },
    /// Something else than the format says.
    #[error("at {offset_bytes}: expected {expected}, found {found}")]
    Damaged {
        /// Where.
        offset_bytes: u64,
        /// What belongs there.
        expected: &'static str,
        /// What is there.
        found: String,
    },
}
