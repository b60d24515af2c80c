//! Why bytes are no hive, or a tree cannot be one.

/// What is wrong, and where.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Error {
    /// Another kind of file.
    #[error("not a registry hive: expected `regf` at offset 0, found {found}")]
    NotAHive {
        /// The first bytes.
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
    /// What this writer, or the format, does not take.
    #[error("the key `{key}` cannot be written: {reason}")]
    Unwritable {
        /// Its name.
        key: String,
        /// Why.
        reason: &'static str,
    },
}
