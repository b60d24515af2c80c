//! `Content` and `Part`: bytes named by their digest.

use crate::Digest;

/// Bytes by digest: a blob, a part of an imported container, or a recipe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Content {
    /// BLAKE3 of the bytes for a blob or a part, [`crate::Recipe::digest`] for a recipe.
    pub digest: Digest,
    /// How many bytes reading it gives.
    pub size_bytes: u64,
}

/// A range of an imported container that is a content of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Part {
    /// BLAKE3 of the range's bytes.
    pub digest: Digest,
    /// Where the range starts in the container.
    pub offset_bytes: u64,
    /// How long the range is.
    pub size_bytes: u64,
}

impl Part {
    /// The part as a content.
    pub fn content(&self) -> Content {
        Content { digest: self.digest, size_bytes: self.size_bytes }
    }

    /// Where the range ends in the container; `None` if that is no number.
    pub(crate) fn end_bytes(&self) -> Option<u64> {
        self.offset_bytes.checked_add(self.size_bytes)
    }
}
