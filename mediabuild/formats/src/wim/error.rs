//! What can be wrong with a WIM, or with a tree to be written as one.

use std::io;

use super::hash::Sha1;
use crate::codec;

/// Every error names the place: a file offset, a metadata offset, a resource or a path.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file starts with something else.
    #[error("not a WIM: expected `MSWIM` at offset 0, found {found}")]
    NotWim {
        /// The first eight bytes, printable or in hexadecimal.
        found: String,
    },
    /// A valid file that needs what this crate cannot do.
    #[error("{feature} not supported yet")]
    Unsupported {
        /// The subject and its verb: "solid resources are".
        feature: String,
    },
    /// A field does not hold what the format demands.
    #[error("{area} offset {offset_bytes:#x}: expected {expected}")]
    Malformed {
        /// What the offset counts from: "file" or "metadata".
        area: &'static str,
        /// Where the wrong field is.
        offset_bytes: u64,
        /// What should be there, and what is.
        expected: String,
    },
    /// A chunk of a compressed resource could not be decoded.
    #[error("resource at offset {resource_offset_bytes:#x}, chunk {chunk_index}: {source}")]
    Chunk {
        /// File offset of the resource.
        resource_offset_bytes: u64,
        /// Zero-based.
        chunk_index: u64,
        /// Why.
        source: codec::Error,
    },
    /// A blob's bytes are not the ones its SHA-1 names.
    #[error(
        "resource at offset {resource_offset_bytes:#x}: expected SHA-1 {expected}, found {found}"
    )]
    WrongHash {
        /// File offset of the resource.
        resource_offset_bytes: u64,
        /// The SHA-1 in the blob table.
        expected: Sha1,
        /// The SHA-1 of the bytes.
        found: Sha1,
    },
    /// The integrity table disagrees with the bytes it covers.
    #[error(
        "integrity: bytes {start_bytes:#x}..{end_bytes:#x} have SHA-1 {found}, expected {expected}"
    )]
    Integrity {
        /// First covered byte.
        start_bytes: u64,
        /// First byte after it.
        end_bytes: u64,
        /// The SHA-1 in the table.
        expected: Sha1,
        /// The SHA-1 of the bytes.
        found: Sha1,
    },
    /// The blob is in another part of a split set.
    #[error("blob {sha1} is in part {part_number} of the set, this is part {own_part_number}")]
    OtherPart {
        /// The blob.
        sha1: Sha1,
        /// The part that has it.
        part_number: u16,
        /// The part that was opened.
        own_part_number: u16,
    },
    /// A part of a split set was not given.
    #[error("part {part_number} of the {part_count} of the split set is missing")]
    MissingPart {
        /// The part.
        part_number: u16,
        /// How many the set has.
        part_count: u16,
    },
    /// There is no such image.
    #[error("no image {index}: the WIM has {image_count}")]
    NoImage {
        /// What was asked for, counted from 1.
        index: usize,
        /// How many there are here.
        image_count: usize,
    },
    /// The resource is larger than the caller accepts.
    #[error(
        "resource at offset {resource_offset_bytes:#x}: {size_bytes} bytes, above {limit_bytes}"
    )]
    TooLarge {
        /// File offset of the resource.
        resource_offset_bytes: u64,
        /// Its uncompressed size.
        size_bytes: u64,
        /// The caller's limit.
        limit_bytes: u64,
    },
    /// The XML data cannot be understood.
    #[error("XML data, character {position}: {problem}")]
    Xml {
        /// Offset in the text, in UTF-8 bytes.
        position: u64,
        /// What is wrong.
        problem: String,
    },
    /// A `WimScript.ini` cannot be understood.
    #[error("line {line}: {problem}")]
    Script {
        /// Counted from 1.
        line: usize,
        /// What is wrong.
        problem: String,
    },
    /// A path cannot be used as asked.
    #[error("`{path}`: {problem}")]
    Path {
        /// From the image's root, `/` between names.
        path: String,
        /// What is wrong.
        problem: String,
    },
    /// A file of the tree refers to a blob that the caller does not have.
    #[error("`{path}`: no content with SHA-1 {sha1}")]
    MissingBlob {
        /// The file, from the image's root.
        path: String,
        /// Its stream.
        sha1: Sha1,
    },
    /// The output cannot be written as asked.
    #[error("{problem}")]
    Output {
        /// What is wrong.
        problem: String,
    },
    /// The source could not be read.
    #[error("offset {offset_bytes:#x}: {source}")]
    Read {
        /// Where reading started.
        offset_bytes: u64,
        /// Why.
        source: io::Error,
    },
}

impl Error {
    /// The offset in the file that it names.
    pub(super) fn offset_bytes(&self) -> Option<u64> {
        match self {
            Error::Malformed { area: "file", offset_bytes, .. }
            | Error::Read { offset_bytes, .. } => Some(*offset_bytes),
            Error::Chunk { resource_offset_bytes, .. }
            | Error::WrongHash { resource_offset_bytes, .. }
            | Error::TooLarge { resource_offset_bytes, .. } => Some(*resource_offset_bytes),
            Error::Integrity { start_bytes, .. } => Some(*start_bytes),
            _ => None,
        }
    }

    /// The same with offsets that are so much smaller; `None` if it names none in a file.
    pub(super) fn moved_back(&self, start: u64) -> Option<Error> {
        let resource_offset_bytes = self.offset_bytes()? - start;
        let offset_bytes = resource_offset_bytes;
        Some(match self {
            Error::Malformed { area, expected, .. } => {
                Error::Malformed { area, offset_bytes, expected: expected.clone() }
            }
            Error::Read { source, .. } => {
                let source = io::Error::new(source.kind(), source.to_string());
                Error::Read { offset_bytes, source }
            }
            Error::Chunk { chunk_index, source, .. } => {
                let (chunk_index, source) = (*chunk_index, *source);
                Error::Chunk { resource_offset_bytes, chunk_index, source }
            }
            Error::WrongHash { expected, found, .. } => {
                let (expected, found) = (*expected, *found);
                Error::WrongHash { resource_offset_bytes, expected, found }
            }
            Error::TooLarge { size_bytes, limit_bytes, .. } => {
                let (size_bytes, limit_bytes) = (*size_bytes, *limit_bytes);
                Error::TooLarge { resource_offset_bytes, size_bytes, limit_bytes }
            }
            Error::Integrity { end_bytes, expected, found, .. } => Error::Integrity {
                start_bytes: offset_bytes,
                end_bytes: end_bytes - start,
                expected: *expected,
                found: *found,
            },
            _ => return None,
        })
    }

    /// A wrong field at an offset of the file.
    pub(super) fn in_file(offset_bytes: u64, expected: impl Into<String>) -> Error {
        Error::Malformed { area: "file", offset_bytes, expected: expected.into() }
    }

    /// A wrong field at an offset of an uncompressed metadata resource.
    pub(super) fn in_metadata(offset_bytes: u64, expected: impl Into<String>) -> Error {
        Error::Malformed { area: "metadata", offset_bytes, expected: expected.into() }
    }

    /// Something this crate cannot do; `feature` ends with its verb.
    pub(super) fn unsupported(feature: impl Into<String>) -> Error {
        Error::Unsupported { feature: feature.into() }
    }

    /// A path that cannot be used.
    pub(super) fn path(path: impl Into<String>, problem: impl Into<String>) -> Error {
        Error::Path { path: path.into(), problem: problem.into() }
    }
}
