//! File structures (ECMA-167 part 4), as the writer makes them. Offsets are of the descriptors.

use super::tag;
use super::text::{characters_size_bytes, charspec, dstring, encode};
use super::volume::{Volume, domain, implementation};
use crate::field::{put, put_u16, put_u32, put_u64};

const BLOCK_SIZE_BYTES: u64 = 2048;
/// A file entry without allocation descriptors.
const ENTRY_SIZE_BYTES: usize = 176;
/// The largest extent that is a whole number of blocks: a length has 30 bits.
const EXTENT_MAX_BYTES: u64 = (1 << 30) - BLOCK_SIZE_BYTES;
/// As many short_ads as fit a block behind a file entry.
const EXTENT_COUNT_MAX: u64 = (BLOCK_SIZE_BYTES - ENTRY_SIZE_BYTES as u64) / 8;
/// The largest file, 234 GiB: its extents fit one block, so no chain of extents is ever needed.
pub(in crate::iso) const FILE_MAX_BYTES: u64 = EXTENT_MAX_BYTES * EXTENT_COUNT_MAX;

/// What an ICB is of (ECMA-167 4/14.6.6).
const FILE_TYPE_DIRECTORY: u8 = 4;
const FILE_TYPE_FILE: u8 = 5;
/// Characteristics of an identifier (ECMA-167 4/14.4.3).
const CHARACTERISTIC_DIRECTORY: u8 = 2;
const CHARACTERISTIC_PARENT: u8 = 8;
/// Read and execute for owner, group and others (ECMA-167 4/14.9.5).
const PERMISSIONS: u32 = 0x14A5;
/// "No owner given" (OSTA UDF 1.02, 2.3.6.3).
const NOBODY: u32 = 0xFFFF_FFFF;
/// A file identifier without name.
const IDENTIFIER_SIZE_BYTES: usize = 38;

/// ECMA-167 4/14.1: the file set descriptor at block 0.
pub(in crate::iso) fn file_set(volume: &Volume, root_block: u32) -> [u8; 512] {
    let mut descriptor = [0; 512];
    put(&mut descriptor, 16, &volume.time);
    put_u16(&mut descriptor, 28, 3); // interchange level
    put_u16(&mut descriptor, 30, 3); // maximum interchange level
    put_u32(&mut descriptor, 32, 1); // character set list: CS0
    put_u32(&mut descriptor, 36, 1); // maximum character set list
    put(&mut descriptor, 48, &charspec());
    put(&mut descriptor, 112, &dstring::<128>(&volume.label));
    put(&mut descriptor, 240, &charspec());
    put(&mut descriptor, 304, &dstring::<32>(&volume.label));
    put_long_ad(&mut descriptor, 400, root_block);
    put(&mut descriptor, 416, &domain());
    tag::seal(&mut descriptor, tag::FILE_SET, 0);
    descriptor
}

/// What a file entry says of a file or directory.
#[derive(Debug, Clone, Copy)]
pub(in crate::iso) struct FileEntry {
    pub(in crate::iso) is_directory: bool,
    pub(in crate::iso) link_count: u16,
    pub(in crate::iso) size_bytes: u64,
    /// Where its data starts; without meaning if it has none.
    pub(in crate::iso) data_block: u32,
    pub(in crate::iso) unique_id: u64,
    /// The one time for access, change and attributes.
    pub(in crate::iso) time: [u8; 12],
}

impl FileEntry {
    /// ECMA-167 4/14.9, with short_ads, for the block `block`.
    pub(in crate::iso) fn encode(&self, block: u32) -> Vec<u8> {
        let extents = extents(self.data_block, self.size_bytes);
        let mut descriptor = vec![0; ENTRY_SIZE_BYTES];
        put(&mut descriptor, 16, &self.icb_tag());
        put_u32(&mut descriptor, 36, NOBODY); // user
        put_u32(&mut descriptor, 40, NOBODY); // group
        put_u32(&mut descriptor, 44, PERMISSIONS);
        put_u16(&mut descriptor, 48, self.link_count);
        put_u64(&mut descriptor, 56, self.size_bytes);
        put_u64(&mut descriptor, 64, self.size_bytes.div_ceil(BLOCK_SIZE_BYTES));
        for at in [72, 84, 96] {
            put(&mut descriptor, at, &self.time);
        }
        put_u32(&mut descriptor, 108, 1); // checkpoint
        put(&mut descriptor, 128, &implementation());
        put_u64(&mut descriptor, 160, self.unique_id);
        for (size, block) in extents {
            descriptor.extend_from_slice(&size.to_le_bytes());
            descriptor.extend_from_slice(&block.to_le_bytes());
        }
        let extents_size = descriptor.len() - ENTRY_SIZE_BYTES;
        put_u32(&mut descriptor, 172, u32::try_from(extents_size).expect("fits a block"));
        tag::seal(&mut descriptor, tag::FILE_ENTRY, block);
        descriptor
    }

    /// ECMA-167 4/14.6: strategy 4, one entry, flags 0 for short_ads.
    fn icb_tag(&self) -> [u8; 20] {
        let mut icb = [0; 20];
        put_u16(&mut icb, 4, 4);
        put_u16(&mut icb, 8, 1);
        icb[11] = if self.is_directory { FILE_TYPE_DIRECTORY } else { FILE_TYPE_FILE };
        icb
    }
}

/// Size and first block of each extent of data that lies in one piece.
fn extents(first_block: u32, size_bytes: u64) -> impl Iterator<Item = (u32, u32)> {
    let count = size_bytes.div_ceil(EXTENT_MAX_BYTES);
    (0..count).map(move |index| {
        let before = index * EXTENT_MAX_BYTES;
        let size = (size_bytes - before).min(EXTENT_MAX_BYTES);
        let blocks = u32::try_from(before / BLOCK_SIZE_BYTES).expect("files have at most 234 GiB");
        (u32::try_from(size).expect("30 bits"), first_block.saturating_add(blocks))
    })
}

/// A directory's entry (ECMA-167 4/14.4): a name and where its file entry is.
#[derive(Debug, Clone, Copy)]
pub(in crate::iso) struct FileIdentifier<'a> {
    /// `None` for the parent, which has no name.
    pub(in crate::iso) name: Option<&'a str>,
    pub(in crate::iso) is_directory: bool,
    pub(in crate::iso) entry_block: u32,
}

impl FileIdentifier<'_> {
    /// Encodes it; `block` is where its first byte lies.
    pub(in crate::iso) fn encode(&self, block: u32) -> Vec<u8> {
        let name = self.name.map(encode).unwrap_or_default();
        let mut descriptor = vec![0; (IDENTIFIER_SIZE_BYTES + name.len()).next_multiple_of(4)];
        put_u16(&mut descriptor, 16, 1); // file version
        descriptor[18] = self.characteristics();
        descriptor[19] = u8::try_from(name.len()).expect("names are checked");
        put_long_ad(&mut descriptor, 20, self.entry_block);
        put(&mut descriptor, IDENTIFIER_SIZE_BYTES, &name);
        tag::seal(&mut descriptor, tag::FILE_IDENTIFIER, block);
        descriptor
    }

    /// How many bytes [`Self::encode`] gives.
    pub(in crate::iso) fn size_bytes(name: Option<&str>) -> u64 {
        let name_size = name.map_or(0, |name| 1 + characters_size_bytes(name));
        (IDENTIFIER_SIZE_BYTES + name_size).next_multiple_of(4) as u64
    }

    fn characteristics(&self) -> u8 {
        let directory = if self.is_directory { CHARACTERISTIC_DIRECTORY } else { 0 };
        let parent = if self.name.is_none() { CHARACTERISTIC_PARENT } else { 0 };
        directory | parent
    }
}

/// A long_ad (ECMA-167 4/14.14.2) of one block of partition 0.
fn put_long_ad(descriptor: &mut [u8], at: usize, block: u32) {
    put_u32(descriptor, at, BLOCK_SIZE_BYTES as u32);
    put_u32(descriptor, at + 4, block);
}
