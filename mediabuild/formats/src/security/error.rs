//! What can be wrong with a security descriptor.

/// Every error names the place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The text is not SDDL, or says what cannot be known.
    #[error("SDDL, character {position}: {problem}")]
    Sddl {
        /// Counted from 1.
        position: usize,
        /// What is wrong.
        problem: String,
    },
    /// The bytes are no self-relative descriptor.
    #[error("security descriptor, offset {offset_bytes:#x}: expected {expected}")]
    Malformed {
        /// Where the wrong field is.
        offset_bytes: usize,
        /// What should be there.
        expected: String,
    },
    /// A list or an entry is larger than the format's fields.
    #[error("security descriptor: {problem}")]
    TooLarge {
        /// What is too large.
        problem: String,
    },
    /// The descriptor has what SDDL, as it is read here, cannot say.
    #[error("security descriptor: {what} has no text in SDDL")]
    NoText {
        /// What it is.
        what: String,
    },
}

impl Error {
    pub(super) fn malformed(offset_bytes: usize, expected: impl Into<String>) -> Error {
        Error::Malformed { offset_bytes, expected: expected.into() }
    }
}
