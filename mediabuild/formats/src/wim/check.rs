//! Verification: blobs against their SHA-1, a file against its integrity table.

use std::ops::Range;

use sha1::Digest;

use super::archive::{Member, Wim};
use super::blob::BlobEntry;
use super::error::Error;
use super::hash::Sha1;
use super::header::{HEADER_BYTES, read_at, u32_at};
use super::integrity::{HEAD_BYTES, size_bytes};
use crate::source::Source;

/// Bytes hashed at once.
const BUFFER_BYTES: u64 = 64 * 1024;

/// What an integrity table says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Integrity {
    /// There is no table.
    Absent,
    /// All bytes it covers are as they were.
    Valid {
        /// How many bytes it covers, from the end of the header on.
        covered_bytes: u64,
    },
}

impl Wim {
    /// Decodes a blob or a metadata resource and compares its SHA-1.
    pub fn check<S: Source>(&self, source: S, entry: &BlobEntry) -> Result<(), Error> {
        let mut reader = self.blob_reader(source, entry)?;
        let mut hasher = sha1::Sha1::new();
        loop {
            let chunk = reader.chunk()?;
            if chunk.is_empty() {
                break;
            }
            hasher.update(chunk);
            reader.take_chunk();
        }
        let found = Sha1(hasher.finalize().into());
        if found == entry.sha1 {
            return Ok(());
        }
        let resource_offset_bytes = entry.resource.offset_bytes;
        Err(Error::WrongHash { resource_offset_bytes, expected: entry.sha1, found })
    }

    /// Compares the file with its integrity table, which covers everything between the header and
    /// the end of the blob table.
    pub fn integrity<S: Source + ?Sized>(&self, source: &S) -> Result<Integrity, Error> {
        let tables = self.integrity_tables(source)?;
        let mut covered_bytes = None;
        for table in tables {
            (0..table.count()).try_for_each(|index| table.check(source, index))?;
            *covered_bytes.get_or_insert(0) += table.covered.end - table.covered.start;
        }
        Ok(covered_bytes
            .map_or(Integrity::Absent, |covered_bytes| Integrity::Valid { covered_bytes }))
    }

    /// The integrity table of each file that has one, to compare entries at once.
    pub fn integrity_tables<S: Source + ?Sized>(
        &self,
        source: &S,
    ) -> Result<Vec<IntegrityTable>, Error> {
        let tables = self.members.iter().map(|member| member.integrity_table(source));
        tables.filter_map(Result::transpose).collect()
    }
}

impl Member {
    fn integrity_table<S: Source + ?Sized>(
        &self,
        source: &S,
    ) -> Result<Option<IntegrityTable>, Error> {
        let resource = &self.header.integrity;
        if resource.offset_bytes == 0 || resource.stored_bytes == 0 {
            return Ok(None);
        }
        super::blob::check_plain("the integrity table", resource, source.size_bytes())?;
        let table = self.header.blob_table;
        let start_bytes = self.start + HEADER_BYTES as u64;
        let covered = start_bytes..start_bytes.max(table.offset_bytes + table.stored_bytes);
        let chunk_bytes = self.integrity_chunk_bytes(source, covered.end - covered.start)?;
        // +0x0c: one SHA-1 per chunk
        let hashes_offset_bytes = resource.offset_bytes + HEAD_BYTES as u64;
        Ok(Some(IntegrityTable { covered, chunk_bytes, hashes_offset_bytes }))
    }

    /// Checks the head of the integrity table against how many bytes it should cover.
    fn integrity_chunk_bytes<S: Source + ?Sized>(
        &self,
        source: &S,
        covered: u64,
    ) -> Result<u32, Error> {
        let resource = &self.header.integrity;
        let mut head = [0; HEAD_BYTES];
        read_at(source, resource.offset_bytes, &mut head)?;
        // +0x00: size; +0x04: entries; +0x08: bytes per entry
        let (size, count, chunk_bytes) = (u32_at(&head, 0), u32_at(&head, 4), u32_at(&head, 8));
        let expected = covered
            .checked_div(u64::from(chunk_bytes))
            .map(|whole| whole + u64::from(!covered.is_multiple_of(u64::from(chunk_bytes))));
        let fits = u64::from(size) == resource.stored_bytes
            && u64::from(size) == size_bytes(u64::from(count))
            && expected == Some(u64::from(count));
        if fits {
            return Ok(chunk_bytes);
        }
        Err(Error::in_file(
            resource.offset_bytes,
            format!(
                "an integrity table for {covered} bytes, found {count} entries of {chunk_bytes} \
                 bytes in {size} bytes"
            ),
        ))
    }
}

/// The SHA-1 of every so many bytes of a file.
#[derive(Debug, Clone)]
pub struct IntegrityTable {
    covered: Range<u64>,
    chunk_bytes: u32,
    hashes_offset_bytes: u64,
}

impl IntegrityTable {
    /// How many entries there are.
    pub fn count(&self) -> u64 {
        (self.covered.end - self.covered.start).div_ceil(u64::from(self.chunk_bytes))
    }

    /// Compares an entry, below [`IntegrityTable::count`], with the bytes it is of.
    pub fn check<S: Source + ?Sized>(&self, source: &S, index: u64) -> Result<(), Error> {
        let mut expected = Sha1::ZERO;
        read_at(source, self.hashes_offset_bytes + index * 20, &mut expected.0)?;
        let start_bytes = self.covered.start + index * u64::from(self.chunk_bytes);
        let end_bytes = self.covered.end.min(start_bytes + u64::from(self.chunk_bytes));
        let found = hash_range(source, start_bytes, end_bytes)?;
        if found == expected {
            return Ok(());
        }
        Err(Error::Integrity { start_bytes, end_bytes, expected, found })
    }
}

fn hash_range<S: Source + ?Sized>(source: &S, start: u64, end: u64) -> Result<Sha1, Error> {
    let mut hasher = sha1::Sha1::new();
    let mut buffer = vec![0; (end - start).min(BUFFER_BYTES) as usize];
    let mut offset = start;
    while offset < end {
        let count = (end - offset).min(BUFFER_BYTES) as usize;
        read_at(source, offset, &mut buffer[..count])?;
        hasher.update(&buffer[..count]);
        offset += count as u64;
    }
    Ok(Sha1(hasher.finalize().into()))
}
