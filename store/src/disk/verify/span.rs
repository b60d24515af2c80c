//! `Span`: a stretch of a file that has a name, and what may be wrong with it.

use crate::shelf::{Container, Kind, Located};
use crate::{Digest, Part};

#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    pub(super) digest: Digest,
    pub(super) kind: Kind,
    pub(super) offset_bytes: u64,
    pub(super) size_bytes: u64,
    /// Whether the file must end with it.
    is_whole_file: bool,
}

impl Span {
    pub(super) fn of((digest, located): &(Digest, Located)) -> Span {
        Span {
            digest: *digest,
            kind: located.kind,
            offset_bytes: located.offset_bytes,
            size_bytes: located.stored_bytes,
            is_whole_file: matches!(located.container, Container::Object(..)),
        }
    }

    /// The part of a container that `part` says.
    pub(super) fn of_part(container: &Located, part: &Part) -> Span {
        Span {
            digest: part.digest,
            kind: Kind::Blob,
            offset_bytes: container.offset_bytes + part.offset_bytes,
            size_bytes: part.size_bytes,
            is_whole_file: false,
        }
    }

    pub(super) fn end_bytes(&self) -> u64 {
        self.offset_bytes + self.size_bytes
    }

    /// What is wrong with it, given the length of the file and the digest of its bytes.
    pub(super) fn fault(&self, file_bytes: u64, found: Digest) -> Option<&'static str> {
        match found == self.digest {
            false => Some("its bytes have another digest"),
            true if self.is_whole_file && file_bytes > self.end_bytes() => {
                Some("the file is too long")
            }
            true => None,
        }
    }
}

pub(super) const ENDS_EARLY: &str = "the file ends early";
