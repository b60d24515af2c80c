//! `Sectors`: a disc's bytes, every read bounded by the disc's size.

use super::SECTOR_SIZE_BYTES;
use crate::source::Source;
use crate::volume::{FileExtent, ReadError};

/// A source with its size taken once.
pub(super) struct Sectors<'s, S: ?Sized> {
    source: &'s S,
    pub(super) size_bytes: u64,
    /// That of discs, except for UDF of hard disks.
    pub(super) sector_size_bytes: u64,
}

impl<S: ?Sized> Clone for Sectors<'_, S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<S: ?Sized> Copy for Sectors<'_, S> {}

impl<'s, S: Source + ?Sized> Sectors<'s, S> {
    pub(super) fn of(source: &'s S) -> Self {
        let sector_size_bytes = SECTOR_SIZE_BYTES;
        Sectors { source, size_bytes: source.size_bytes(), sector_size_bytes }
    }

    /// The same bytes as sectors of another size.
    pub(super) fn sized(self, sector_size_bytes: u64) -> Self {
        Sectors { sector_size_bytes, ..self }
    }

    /// How many whole sectors there are.
    pub(super) fn count(&self) -> u64 {
        self.size_bytes / self.sector_size_bytes
    }

    /// One sector.
    pub(super) fn read(&self, sector: u64) -> Result<Vec<u8>, ReadError> {
        let offset_bytes = sector.saturating_mul(self.sector_size_bytes);
        self.bytes(offset_bytes, self.sector_size_bytes)
    }

    /// Some bytes; the caller bounds how many it asks for. What lies past the end is refused
    /// before memory is taken for it.
    pub(super) fn bytes(&self, offset_bytes: u64, size_bytes: u64) -> Result<Vec<u8>, ReadError> {
        self.check(offset_bytes, size_bytes)?;
        let size = usize::try_from(size_bytes).map_err(|_| ReadError::Limit {
            offset_bytes,
            what: "bytes of one structure",
            limit: usize::MAX as u64,
        })?;
        let mut bytes = vec![0; size];
        self.source
            .read_exact_at(offset_bytes, &mut bytes)
            .map_err(|source| ReadError::Source { offset_bytes, size_bytes, source })?;
        Ok(bytes)
    }

    /// The bytes of all extents; the caller bounds how many that are.
    pub(super) fn gather(&self, extents: &[FileExtent]) -> Result<Vec<u8>, ReadError> {
        let mut gathered = Vec::new();
        for extent in extents {
            match extent.offset_bytes {
                Some(offset_bytes) => {
                    gathered.extend(self.bytes(offset_bytes, extent.size_bytes)?);
                }
                None => gathered.resize(gathered.len() + extent.size_bytes as usize, 0),
            }
        }
        Ok(gathered)
    }

    /// Whether these bytes are inside the disc.
    pub(super) fn check(&self, offset_bytes: u64, size_bytes: u64) -> Result<(), ReadError> {
        match offset_bytes.checked_add(size_bytes) {
            Some(end) if end <= self.size_bytes => Ok(()),
            _ => Err(ReadError::Damaged {
                offset_bytes,
                expected: "bytes inside the disc",
                found: format!("{size_bytes} bytes, the disc ends at {}", self.size_bytes),
            }),
        }
    }
}
