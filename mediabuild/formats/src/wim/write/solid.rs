//! Solid resources: many contents compressed as one, named with all their blobs.

use crate::wim::chunks::SOLID_HEAD_BYTES;
use crate::wim::error::Error;
use crate::wim::hash::Sha1;

/// One solid resource: the head, chunk sizes and chunks that
/// [`ChunkTable::solid`](crate::wim::ChunkTable::solid) describes, as a content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SolidResource<C> {
    /// Its stored form.
    pub content: C,
    /// Size of the stored form.
    pub stored_bytes: u64,
    /// Size of its uncompressed bytes.
    pub size_bytes: u64,
    /// Its blobs by offset. Those that no image refers to are left out of the output's table.
    pub blobs: Vec<SolidBlob>,
}

/// Where a blob is in the uncompressed bytes of its solid resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SolidBlob {
    /// The blob.
    pub sha1: Sha1,
    /// Offset of its first byte.
    pub offset_bytes: u64,
    /// Its size.
    pub size_bytes: u64,
}

impl<C> SolidResource<C> {
    /// A resource of blobs that lie one behind the other.
    pub fn new(content: C, stored_bytes: u64, blobs: &[(Sha1, u64)]) -> SolidResource<C> {
        let mut size_bytes = 0;
        let placed = |&(sha1, size): &(Sha1, u64)| {
            let offset_bytes = size_bytes;
            size_bytes += size;
            SolidBlob { sha1, offset_bytes, size_bytes: size }
        };
        let blobs = blobs.iter().map(placed).collect();
        SolidResource { content, stored_bytes, size_bytes, blobs }
    }

    /// An error unless its blobs are in order, apart, inside, and not empty.
    pub(super) fn check(&self) -> Result<(), Error> {
        let mut end = 0;
        for SolidBlob { sha1, offset_bytes, size_bytes } in &self.blobs {
            let next = offset_bytes.checked_add(*size_bytes);
            let inside = next.filter(|&next| next <= self.size_bytes && *offset_bytes >= end);
            let Some(next) = inside.filter(|_| *size_bytes > 0) else {
                let problem = format!(
                    "blob {sha1} in {size_bytes} bytes at {offset_bytes} of a solid resource of {} \
                     bytes, expected some bytes at {end} or later",
                    self.size_bytes
                );
                return Err(Error::Output { problem });
            };
            end = next;
        }
        if !(SOLID_HEAD_BYTES..1 << 56).contains(&self.stored_bytes) {
            let problem = format!("a solid resource is stored in {} bytes", self.stored_bytes);
            return Err(Error::Output { problem });
        }
        Ok(())
    }
}
