//! `ReadError`: why a disc, a disk's partition table or a volume cannot be read.

use std::io;

use crate::source::Source;

/// Why bytes are not a disc, a disk, or a volume.
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
    /// A legal structure that the reader does not follow.
    #[error("at {offset_bytes}: {what} is not supported")]
    Unsupported {
        /// Where.
        offset_bytes: u64,
        /// What.
        what: String,
    },
    /// More of something than there can be need of.
    #[error("at {offset_bytes}: more than {limit} {what}")]
    Limit {
        /// Where.
        offset_bytes: u64,
        /// What there is too much of.
        what: &'static str,
        /// How much is accepted.
        limit: u64,
    },
    /// Neither ISO 9660 nor UDF.
    #[error("no ISO 9660 or UDF volume in these {size_bytes} bytes")]
    NoVolume {
        /// How many bytes there are.
        size_bytes: u64,
    },
    /// A file system this disc does not have.
    #[error("this disc has no {view} tree")]
    NoView {
        /// Its name.
        view: &'static str,
    },
}

impl ReadError {
    /// Where in the source it is; 0 if it is about all of it.
    pub fn offset_bytes(&self) -> u64 {
        match self {
            ReadError::Source { offset_bytes, .. }
            | ReadError::Damaged { offset_bytes, .. }
            | ReadError::Unsupported { offset_bytes, .. }
            | ReadError::Limit { offset_bytes, .. } => *offset_bytes,
            ReadError::NoVolume { .. } | ReadError::NoView { .. } => 0,
        }
    }
}

/// Some bytes of a source; the caller bounds how many, and that they are inside.
pub(crate) fn read_bytes<S: Source + ?Sized>(
    source: &S,
    offset_bytes: u64,
    size_bytes: u64,
) -> Result<Vec<u8>, ReadError> {
    let mut bytes = vec![0; size_bytes as usize];
    source.read_exact_at(offset_bytes, &mut bytes).map_err(|source| ReadError::Source {
        offset_bytes,
        size_bytes,
        source,
    })?;
    Ok(bytes)
}
