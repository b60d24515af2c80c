//! Reading file entries (ECMA-167 4/14.9, 4/14.17) and the extents they list.

use std::collections::BTreeSet;

use super::open::{Address, UdfVolume, expect_tag, long_ad_address};
use super::tag::{self, Tag};
use crate::field::{bytes_at, u8_at, u16_at, u32_at, u64_at};
use crate::iso::listing::Listing;
use crate::iso::sectors::Sectors;
use crate::iso::time::udf_seconds;
use crate::source::Source;
use crate::volume::{FileExtent, ReadError};

/// A file whose extents need more blocks than this is none that a deployment disc has.
const CHAIN_COUNT_MAX: u32 = 1024;
/// … or in more pieces.
const EXTENT_COUNT_MAX: usize = 1 << 20;

/// ECMA-167 4/14.6.6 and OSTA UDF.
pub(super) const FILE_TYPE_UNSPECIFIED: u8 = 0;
pub(super) const FILE_TYPE_DIRECTORY: u8 = 4;
pub(super) const FILE_TYPE_REGULAR: u8 = 5;
pub(super) const FILE_TYPE_REAL_TIME: u8 = 249;
pub(super) const FILE_TYPE_SYMBOLIC_LINK: u8 = 12;
pub(super) const FILE_TYPE_VIRTUAL_TABLE: u8 = 248;
pub(super) const FILE_TYPE_METADATA: u8 = 250;
pub(super) const FILE_TYPE_METADATA_MIRROR: u8 = 251;

/// A file or directory as its file entry has it.
#[derive(Debug)]
pub(in crate::iso) struct FileEntryRead {
    pub(in crate::iso) offset_bytes: u64,
    pub(super) file_type: u8,
    pub(in crate::iso) size_bytes: u64,
    pub(in crate::iso) modified_seconds: Option<i64>,
    pub(in crate::iso) extents: Vec<FileExtent>,
    /// The whole block, for checks of its tag.
    pub(in crate::iso) block: Vec<u8>,
}

/// Where the two kinds of file entry differ.
#[derive(Debug)]
struct Fields {
    modified: usize,
    attributes_size: usize,
    extents_size: usize,
    end: usize,
}

const FILE_ENTRY: Fields =
    Fields { modified: 84, attributes_size: 168, extents_size: 172, end: 176 };
const EXTENDED_FILE_ENTRY: Fields =
    Fields { modified: 92, attributes_size: 208, extents_size: 212, end: 216 };

/// How allocation descriptors are written (ECMA-167 4/14.6.8).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum AdKind {
    Short,
    Long,
    Extended,
}

impl AdKind {
    fn size_bytes(self) -> usize {
        match self {
            AdKind::Short => 8,
            AdKind::Long => 16,
            AdKind::Extended => 20,
        }
    }
}

/// A file entry whose extents were not looked at: what it is, is known before they cost anything.
#[derive(Debug)]
pub(super) struct FileEntry {
    address: Address,
    pub(super) offset_bytes: u64,
    pub(super) file_type: u8,
    fields: Fields,
    /// The whole block, for checks of its tag.
    pub(super) block: Vec<u8>,
}

impl FileEntry {
    /// Reads the block at `address`.
    pub(super) fn at<S: Source + ?Sized>(
        sectors: Sectors<'_, S>,
        volume: &UdfVolume,
        address: Address,
    ) -> Result<FileEntry, ReadError> {
        let offset_bytes = volume.offset_bytes(address)?;
        let block = sectors.bytes(offset_bytes, sectors.sector_size_bytes)?;
        let fields = match Tag::of(&block).identifier {
            tag::EXTENDED_FILE_ENTRY => {
                expect_tag(&block, offset_bytes, tag::EXTENDED_FILE_ENTRY, "a file entry")?;
                EXTENDED_FILE_ENTRY
            }
            _ => {
                expect_tag(&block, offset_bytes, tag::FILE_ENTRY, "a file entry")?;
                FILE_ENTRY
            }
        };
        let strategy = u16_at(&block, 20);
        if strategy != 4 {
            let what = format!("the ICB strategy {strategy}");
            return Err(ReadError::Unsupported { offset_bytes, what });
        }
        let file_type = file_type_in(&block);
        Ok(FileEntry { address, offset_bytes, file_type, fields, block })
    }

    /// Reads its extents; what that costs is noted in the listing.
    pub(super) fn read<S: Source + ?Sized>(
        self,
        sectors: Sectors<'_, S>,
        volume: &UdfVolume,
        listing: &mut Listing,
    ) -> Result<FileEntryRead, ReadError> {
        let FileEntry { address, offset_bytes, file_type, fields, block } = self;
        let size_bytes = u64_at(&block, 56);
        let (map, found) = (address.map, Vec::new());
        let extents = Extents { sectors, volume, listing, map, offset_bytes, size_bytes, found };
        Ok(FileEntryRead {
            offset_bytes,
            file_type,
            size_bytes,
            modified_seconds: udf_seconds(bytes_at(&block, fields.modified, 12)),
            extents: extents.of_entry(&block, &fields)?,
            block,
        })
    }
}

/// The kind of file that a block is about, if it is a file entry.
pub(super) fn file_type_in(block: &[u8]) -> u8 {
    u8_at(block, 27)
}

/// Collects a file's extents.
struct Extents<'a, 's, S: ?Sized> {
    sectors: Sectors<'s, S>,
    volume: &'a UdfVolume,
    listing: &'a mut Listing,
    /// A short_ad is of the partition its file entry is in.
    map: u16,
    /// Where the file entry is.
    offset_bytes: u64,
    /// What is still missing of the file.
    size_bytes: u64,
    found: Vec<FileExtent>,
}

impl<S: Source + ?Sized> Extents<'_, '_, S> {
    fn of_entry(mut self, block: &[u8], fields: &Fields) -> Result<Vec<FileExtent>, ReadError> {
        let offset_bytes = self.offset_bytes;
        let start = fields.end.saturating_add(u32_at(block, fields.attributes_size) as usize);
        let size = u32_at(block, fields.extents_size) as usize;
        let descriptors = bytes_at(block, start, size);
        if descriptors.len() != size {
            let found = format!("{size} bytes from {start} on");
            let expected = "allocation descriptors inside the block";
            return Err(ReadError::Damaged { offset_bytes, expected, found });
        }
        let kind = match u16_at(block, 34) & 7 {
            0 => AdKind::Short,
            1 => AdKind::Long,
            2 => AdKind::Extended,
            3 => {
                let found = FileExtent {
                    offset_bytes: Some(offset_bytes + start as u64),
                    size_bytes: self.size_bytes.min(size as u64),
                };
                self.take(found)?;
                return self.finish();
            }
            other => {
                let what = format!("the allocation descriptor kind {other}");
                return Err(ReadError::Unsupported { offset_bytes, what });
            }
        };
        self.chain(kind, descriptors.to_vec())?;
        self.finish()
    }

    /// Follows the descriptors and the blocks of further ones (ECMA-167 4/14.5).
    fn chain(&mut self, kind: AdKind, mut descriptors: Vec<u8>) -> Result<(), ReadError> {
        let mut seen = BTreeSet::new();
        for _ in 0..CHAIN_COUNT_MAX {
            let Some(next) = self.descriptors(kind, &descriptors)? else { return Ok(()) };
            let offset_bytes = self.volume.offset_bytes(next)?;
            self.listing.trouble(offset_bytes)?;
            if !seen.insert(offset_bytes) {
                let expected = "a block of allocation descriptors that is once in its file";
                let found = "one that was met before".to_owned();
                return Err(ReadError::Damaged { offset_bytes, expected, found });
            }
            let block = self.sectors.bytes(offset_bytes, self.sectors.sector_size_bytes)?;
            let expected = "an allocation extent descriptor";
            expect_tag(&block, offset_bytes, tag::ALLOCATION_EXTENT, expected)?;
            descriptors = bytes_at(&block, 24, u32_at(&block, 20) as usize).to_vec();
        }
        Err(ReadError::Limit {
            offset_bytes: self.offset_bytes,
            what: "blocks of allocation descriptors",
            limit: CHAIN_COUNT_MAX.into(),
        })
    }

    /// Takes the extents of one block; gives where the next block of descriptors is, if any.
    fn descriptors(
        &mut self,
        kind: AdKind,
        descriptors: &[u8],
    ) -> Result<Option<Address>, ReadError> {
        for descriptor in descriptors.chunks_exact(kind.size_bytes()) {
            let (extent_type, size) =
                (u32_at(descriptor, 0) >> 30, u32_at(descriptor, 0) & 0x3FFF_FFFF);
            let address = match kind {
                AdKind::Short => Address { map: self.map, block: u32_at(descriptor, 4) },
                AdKind::Long => long_ad_address(descriptor, 0),
                AdKind::Extended => long_ad_address(descriptor, 8),
            };
            if size == 0 || (self.size_bytes == 0 && extent_type != 3) {
                return Ok(None);
            }
            let size_bytes = u64::from(size).min(self.size_bytes);
            match extent_type {
                0 => self.recorded(address, size_bytes)?,
                3 => return Ok(Some(address)),
                // Allocated or not, nothing is recorded: zeros (ECMA-167 4/14.14.1.1).
                _ => self.take(FileExtent { offset_bytes: None, size_bytes })?,
            }
        }
        Ok(None)
    }

    /// Takes a recorded extent; all of it must be in the partition and in the disc.
    fn recorded(&mut self, address: Address, size_bytes: u64) -> Result<(), ReadError> {
        let partition = self.volume.partition(address)?;
        let step_count = partition.step_count(address.block, size_bytes);
        self.listing.steps(step_count, self.offset_bytes)?;
        for piece in partition.place(address.block, size_bytes)? {
            self.sectors.check(piece.offset_bytes.unwrap_or(0), piece.size_bytes)?;
            self.take(piece)?;
        }
        Ok(())
    }

    fn take(&mut self, extent: FileExtent) -> Result<(), ReadError> {
        self.size_bytes -= extent.size_bytes;
        if extent.size_bytes == 0 {
            return Ok(());
        }
        let offset_bytes = self.offset_bytes;
        self.listing.extent(offset_bytes)?;
        if self.found.len() >= EXTENT_COUNT_MAX {
            let (what, limit) = ("extents of one file", EXTENT_COUNT_MAX as u64);
            return Err(ReadError::Limit { offset_bytes, what, limit });
        }
        self.found.push(extent);
        Ok(())
    }

    fn finish(self) -> Result<Vec<FileExtent>, ReadError> {
        if self.size_bytes == 0 {
            return Ok(self.found);
        }
        Err(ReadError::Damaged {
            offset_bytes: self.offset_bytes,
            expected: "extents for all of the file",
            found: format!("{} bytes without", self.size_bytes),
        })
    }
}
