//! Volume structures (ECMA-167 part 3), as the writer makes them. Offsets are of the descriptors.

use super::tag;
use super::text::{charspec, dstring, entity};
use crate::field::{put, put_u16, put_u32, put_u64};

/// The sectors of the volume structures; see the map in [`crate::iso`].
pub(in crate::iso) const MAIN_SEQUENCE_SECTOR: u32 = 32;
pub(in crate::iso) const RESERVE_SEQUENCE_SECTOR: u32 = 48;
pub(in crate::iso) const INTEGRITY_SECTOR: u32 = 64;
pub(in crate::iso) const ANCHOR_SECTOR: u32 = 256;
pub(in crate::iso) const PARTITION_SECTOR: u32 = 257;

const SEQUENCE_SIZE_BYTES: u32 = 16 * 2048;
const BLOCK_SIZE_BYTES: u32 = 2048;
const REVISION: u16 = 0x0102;
/// The access type "read only" (ECMA-167 3/10.5.7).
const READ_ONLY: u32 = 1;

/// What the volume structures say of one disc.
#[derive(Debug, Clone)]
pub(in crate::iso) struct Volume {
    /// Fits a dstring of 128 bytes.
    pub(in crate::iso) label: String,
    /// 16 hexadecimal digits.
    pub(in crate::iso) volume_set_id: String,
    pub(in crate::iso) time: [u8; 12],
}

/// What is known of a partition once it is laid out.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::iso) struct PartitionCounts {
    pub(in crate::iso) size_blocks: u32,
    pub(in crate::iso) files: u32,
    pub(in crate::iso) directories: u32,
    /// One more than the largest unique id in use.
    pub(in crate::iso) next_unique_id: u64,
}

/// `*MEDIABUILD` without a version: a new version alone must not change bytes.
pub(in crate::iso) fn implementation() -> [u8; 32] {
    entity(b"*MEDIABUILD", [0; 8])
}

/// OSTA UDF 1.02, 2.1.4.3: the suffix holds the revision.
pub(super) fn domain() -> [u8; 32] {
    entity(b"*OSTA UDF Compliant", revision_suffix())
}

fn revision_suffix() -> [u8; 8] {
    let mut suffix = [0; 8];
    put_u16(&mut suffix, 0, REVISION);
    suffix
}

/// One sector of the volume recognition sequence (ECMA-167 2/9.1): `BEA01`, `NSR02`, `TEA01`.
pub(in crate::iso) fn recognition(identifier: &[u8; 5]) -> [u8; 7] {
    let mut structure = [0; 7];
    put(&mut structure, 1, identifier);
    structure[6] = 1;
    structure
}

/// The anchor (ECMA-167 3/10.2): where both volume descriptor sequences are.
pub(in crate::iso) fn anchor(sector: u32) -> [u8; 512] {
    let mut descriptor = [0; 512];
    put_extent(&mut descriptor, 16, SEQUENCE_SIZE_BYTES, MAIN_SEQUENCE_SECTOR);
    put_extent(&mut descriptor, 24, SEQUENCE_SIZE_BYTES, RESERVE_SEQUENCE_SECTOR);
    tag::seal(&mut descriptor, tag::ANCHOR, sector);
    descriptor
}

/// The six descriptors of a volume descriptor sequence that starts at `sector`.
pub(in crate::iso) fn sequence(
    volume: &Volume,
    partition_size_blocks: u32,
    sector: u32,
) -> [[u8; 512]; 6] {
    let mut descriptors = [
        primary(volume),
        implementation_use(volume),
        partition(partition_size_blocks),
        logical(volume),
        unallocated(),
        [0; 512],
    ];
    // Size and identifier of each; ECMA-167 gives the logical volume and unallocated space
    // descriptors no padding, so a CRC ends where they do.
    let kinds = [
        (512, tag::PRIMARY_VOLUME),
        (512, tag::IMPLEMENTATION_USE_VOLUME),
        (512, tag::PARTITION),
        (446, tag::LOGICAL_VOLUME),
        (24, tag::UNALLOCATED_SPACE),
        (512, tag::TERMINATING),
    ];
    for (at, (descriptor, (size, identifier))) in (0..).zip(descriptors.iter_mut().zip(kinds)) {
        // The volume descriptor sequence number of a terminating descriptor is reserved.
        if identifier != tag::TERMINATING {
            put_u32(descriptor, 16, at);
        }
        tag::seal(&mut descriptor[..size], identifier, sector + at);
    }
    descriptors
}

/// A terminating descriptor (ECMA-167 3/10.9).
pub(in crate::iso) fn terminating(location: u32) -> [u8; 512] {
    let mut descriptor = [0; 512];
    tag::seal(&mut descriptor, tag::TERMINATING, location);
    descriptor
}

/// ECMA-167 3/10.1.
fn primary(volume: &Volume) -> [u8; 512] {
    let mut descriptor = [0; 512];
    put_u32(&mut descriptor, 20, 0); // primary volume descriptor number
    put(&mut descriptor, 24, &dstring::<32>(&volume.label));
    put_u16(&mut descriptor, 56, 1); // volume sequence number
    put_u16(&mut descriptor, 58, 1); // maximum volume sequence number
    put_u16(&mut descriptor, 60, 2); // interchange level: a set of one volume
    put_u16(&mut descriptor, 62, 2); // maximum interchange level
    put_u32(&mut descriptor, 64, 1); // character set list: CS0
    put_u32(&mut descriptor, 68, 1); // maximum character set list
    put(&mut descriptor, 72, &dstring::<128>(&volume.volume_set_id));
    put(&mut descriptor, 200, &charspec()); // descriptor character set
    put(&mut descriptor, 264, &charspec()); // explanatory character set
    put(&mut descriptor, 344, &implementation()); // application
    put(&mut descriptor, 376, &volume.time);
    put(&mut descriptor, 388, &implementation());
    descriptor
}

/// ECMA-167 3/10.4 with OSTA UDF 1.02, 2.2.7: the label once more.
fn implementation_use(volume: &Volume) -> [u8; 512] {
    let mut descriptor = [0; 512];
    put(&mut descriptor, 20, &entity(b"*UDF LV Info", revision_suffix()));
    put(&mut descriptor, 52, &charspec());
    put(&mut descriptor, 116, &dstring::<128>(&volume.label));
    put(&mut descriptor, 352, &implementation());
    descriptor
}

/// ECMA-167 3/10.5.
fn partition(size_blocks: u32) -> [u8; 512] {
    let mut descriptor = [0; 512];
    put_u16(&mut descriptor, 20, 1); // flags: space is allocated
    put_u16(&mut descriptor, 22, 0); // partition number
    put(&mut descriptor, 24, &entity(b"+NSR02", [0; 8]));
    put_u32(&mut descriptor, 184, READ_ONLY);
    put_u32(&mut descriptor, 188, PARTITION_SECTOR);
    put_u32(&mut descriptor, 192, size_blocks);
    put(&mut descriptor, 196, &implementation());
    descriptor
}

/// ECMA-167 3/10.6; its label is the one Windows shows.
fn logical(volume: &Volume) -> [u8; 512] {
    let mut descriptor = [0; 512];
    put(&mut descriptor, 20, &charspec());
    put(&mut descriptor, 84, &dstring::<128>(&volume.label));
    put_u32(&mut descriptor, 212, BLOCK_SIZE_BYTES);
    put(&mut descriptor, 216, &domain());
    // The file set: two blocks from block 0 of partition 0, as a long_ad.
    put_u32(&mut descriptor, 248, 2 * BLOCK_SIZE_BYTES);
    put_u32(&mut descriptor, 264, 6); // size of the partition maps
    put_u32(&mut descriptor, 268, 1); // count of partition maps
    put(&mut descriptor, 272, &implementation());
    put_extent(&mut descriptor, 432, 2 * BLOCK_SIZE_BYTES, INTEGRITY_SECTOR);
    put(&mut descriptor, 440, &[1, 6, 1, 0, 0, 0]); // type 1, size 6, volume 1, partition 0
    descriptor
}

/// ECMA-167 3/10.8: no space is unallocated.
fn unallocated() -> [u8; 512] {
    [0; 512]
}

/// ECMA-167 3/10.10 with OSTA UDF 1.02, 2.2.6.4.
pub(in crate::iso) fn integrity(volume: &Volume, counts: PartitionCounts) -> [u8; 134] {
    const CLOSED: u32 = 1;
    let mut descriptor = [0; 134];
    put(&mut descriptor, 16, &volume.time);
    put_u32(&mut descriptor, 28, CLOSED);
    put_u64(&mut descriptor, 40, counts.next_unique_id);
    put_u32(&mut descriptor, 72, 1); // count of partitions
    put_u32(&mut descriptor, 76, 46); // size of implementation use
    put_u32(&mut descriptor, 80, 0); // free blocks
    put_u32(&mut descriptor, 84, counts.size_blocks);
    put(&mut descriptor, 88, &implementation());
    put_u32(&mut descriptor, 120, counts.files);
    put_u32(&mut descriptor, 124, counts.directories);
    for revision in [128, 130, 132] {
        put_u16(&mut descriptor, revision, REVISION);
    }
    tag::seal(&mut descriptor, tag::INTEGRITY, INTEGRITY_SECTOR);
    descriptor
}

/// extent_ad (ECMA-167 3/7.1).
fn put_extent(descriptor: &mut [u8], at: usize, size_bytes: u32, sector: u32) {
    put_u32(descriptor, at, size_bytes);
    put_u32(descriptor, at + 4, sector);
}
