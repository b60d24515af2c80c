//! Why a program's signatures cannot be read.

/// What is wrong, and where.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Error {
    /// Another kind of file.
    #[error("not a PE file: expected {expected} at offset {offset_bytes:#x}, found {found}")]
    NotPe {
        /// Where.
        offset_bytes: u64,
        /// What belongs there.
        expected: &'static str,
        /// What is there.
        found: String,
    },
    /// Something else than the format says.
    #[error("offset {offset_bytes:#x}: expected {expected}, found {found}")]
    Damaged {
        /// In the file.
        offset_bytes: u64,
        /// What belongs there.
        expected: &'static str,
        /// What is there.
        found: String,
    },
    /// More than any program has.
    #[error("offset {offset_bytes:#x}: more than {limit} {what}")]
    Limit {
        /// In the file.
        offset_bytes: u64,
        /// What there is too much of.
        what: &'static str,
        /// How many are accepted.
        limit: usize,
    },
}
