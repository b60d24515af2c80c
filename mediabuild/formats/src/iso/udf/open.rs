//! Finding a UDF volume: recognition, anchors, volume descriptor sequence, file set.

use std::collections::BTreeMap;

use super::maps;
use super::partition::{Partition, partition_of};
use super::tag::{self, Tag};
use super::text::decode_dstring;
use crate::field::{bytes_at, u16_at, u32_at};
use crate::iso::listing::Listing;
use crate::iso::sectors::Sectors;
use crate::iso::time::udf_seconds;
use crate::source::Source;
use crate::volume::ReadError;

/// The most sectors of volume structures that are looked at.
const RECOGNITION_COUNT_MAX: u64 = 64;
/// Sector sizes, the most usual one first: of discs, of hard disks, and what else there is.
const SECTOR_SIZES_BYTES: [u64; 4] = [2048, 512, 4096, 1024];
pub(super) const SEQUENCE_COUNT_MAX: u32 = 256;

/// A block of a partition, by position of its partition map.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::iso) struct Address {
    pub(in crate::iso) map: u16,
    pub(in crate::iso) block: u32,
}

/// An extent of sectors (ECMA-167 3/7.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::iso) struct SectorExtent {
    pub(in crate::iso) size_bytes: u32,
    pub(in crate::iso) sector: u32,
}

impl SectorExtent {
    pub(super) fn at(bytes: &[u8], at: usize) -> SectorExtent {
        SectorExtent { size_bytes: u32_at(bytes, at), sector: u32_at(bytes, at + 4) }
    }

    pub(super) fn sector_count(self, sector_size_bytes: u64) -> u32 {
        let count = u64::from(self.size_bytes) / sector_size_bytes;
        count.min(SEQUENCE_COUNT_MAX.into()) as u32
    }
}

/// An anchor that was found.
#[derive(Debug, Clone, Copy)]
pub(in crate::iso) struct Anchor {
    pub(in crate::iso) sector: u64,
    pub(in crate::iso) main: SectorExtent,
    pub(in crate::iso) reserve: SectorExtent,
}

/// A UDF volume, ready to walk.
#[derive(Debug, Clone)]
pub(in crate::iso) struct UdfVolume {
    pub(in crate::iso) label: String,
    pub(in crate::iso) volume_set_id: String,
    pub(in crate::iso) recorded_seconds: Option<i64>,
    /// Binary-coded: 0x0102.
    pub(in crate::iso) revision: u16,
    /// The size of sectors and logical blocks, which is one.
    pub(in crate::iso) sector_size_bytes: u64,
    pub(in crate::iso) anchors: Vec<Anchor>,
    pub(in crate::iso) integrity: SectorExtent,
    pub(in crate::iso) partitions: Vec<Partition>,
    pub(in crate::iso) file_set: Address,
    pub(in crate::iso) root: Address,
}

impl UdfVolume {
    /// Where a block lies in the disc.
    pub(in crate::iso) fn offset_bytes(&self, address: Address) -> Result<u64, ReadError> {
        let pieces = self.partition(address)?.place(address.block, 1)?;
        Ok(pieces.first().and_then(|piece| piece.offset_bytes).unwrap_or(0))
    }

    /// The partition that an address is in.
    pub(in crate::iso) fn partition(&self, address: Address) -> Result<&Partition, ReadError> {
        partition_of(&self.partitions, address)
    }
}

/// A descriptor in a volume descriptor sequence.
pub(super) struct Descriptor {
    offset_bytes: u64,
    pub(super) bytes: Vec<u8>,
}

/// The prevailing descriptors of a sequence: of each kind the one with the highest number.
#[derive(Default)]
pub(super) struct Sequence {
    primary: Option<Descriptor>,
    logical: Option<Descriptor>,
    pub(super) partitions: BTreeMap<u16, Descriptor>,
}

/// Opens the UDF volume of a disc; `None` if the disc does not claim to have one.
pub(in crate::iso) fn open<S: Source + ?Sized>(
    sectors: Sectors<'_, S>,
) -> Result<Option<UdfVolume>, ReadError> {
    if !is_recognised(sectors)? {
        return Ok(None);
    }
    let sized = SECTOR_SIZES_BYTES.map(|size_bytes| sectors.sized(size_bytes));
    let found = sized.into_iter().map(|sectors| (sectors, anchors(sectors)));
    let found = found.into_iter().find(|(_, anchors)| !anchors.is_empty());
    let Some((sectors, anchors)) = found else {
        return Err(ReadError::Damaged {
            offset_bytes: 256 * sectors.sector_size_bytes,
            expected: "an anchor at sector 256, the last one or 256 before it",
            found: "none".to_owned(),
        });
    };
    let anchor = anchors[0];
    // One for all that opening reads, whichever way it goes.
    let mut listing = Listing::of_disc(sectors.size_bytes);
    let mut open = |extent| {
        let sequence = read_sequence(sectors, extent)?;
        volume(sectors, &sequence, &anchors, &mut listing)
    };
    let opened = open(anchor.main).or_else(|error| open(anchor.reserve).map_err(|_| error));
    opened.map(Some)
}

/// ECMA-167 2/8.3: `NSR02` or `NSR03` among the structures from sector 16 on.
fn is_recognised<S: Source + ?Sized>(sectors: Sectors<'_, S>) -> Result<bool, ReadError> {
    for sector in 16..(16 + RECOGNITION_COUNT_MAX).min(sectors.count()) {
        let structure = sectors.read(sector)?;
        match bytes_at(&structure, 1, 5) {
            b"NSR02" | b"NSR03" => return Ok(true),
            b"CD001" | b"BEA01" | b"BOOT2" | b"CDW02" => {}
            // Structures are a sector apart, where sectors have more than 2048 bytes.
            [0, 0, 0, 0, 0] if sector > 16 => {}
            _ => return Ok(false),
        }
    }
    Ok(false)
}

/// The readable anchors among sector 256, the last one and 256 before that (ECMA-167 3/8.4.2.1).
fn anchors<S: Source + ?Sized>(sectors: Sectors<'_, S>) -> Vec<Anchor> {
    let last = sectors.count().saturating_sub(1);
    let mut candidates = vec![256, last, last.saturating_sub(256)];
    candidates.dedup();
    let read = |sector: u64| -> Option<Anchor> {
        let bytes = sectors.read(sector).ok()?;
        let tag = Tag::of(&bytes);
        let is_anchor =
            tag.identifier == tag::ANCHOR && tag.is_intact && u64::from(tag.location) == sector;
        let (main, reserve) = (SectorExtent::at(&bytes, 16), SectorExtent::at(&bytes, 24));
        is_anchor.then_some(Anchor { sector, main, reserve })
    };
    candidates.into_iter().filter_map(read).collect()
}

/// Calls `each` for the descriptors of a sequence, following pointers to further extents.
pub(in crate::iso) fn each_descriptor<S: Source + ?Sized>(
    sectors: Sectors<'_, S>,
    extent: SectorExtent,
    mut each: impl FnMut(u64, Vec<u8>) -> Result<(), ReadError>,
) -> Result<(), ReadError> {
    let (mut extent, mut at, mut left) = (extent, 0, SEQUENCE_COUNT_MAX);
    while at < extent.sector_count(sectors.sector_size_bytes) && left > 0 {
        let sector = u64::from(extent.sector) + u64::from(at);
        let bytes = sectors.read(sector)?;
        let offset_bytes = sector * sectors.sector_size_bytes;
        let tag = Tag::of(&bytes);
        (at, left) = (at + 1, left - 1);
        // Sectors never written, and what is behind the terminator, are no descriptors.
        if tag.identifier == 0 || tag.identifier == tag::TERMINATING {
            return Ok(());
        }
        check_tag(&bytes, offset_bytes)?;
        if tag.identifier == tag::VOLUME_POINTER {
            (extent, at) = (SectorExtent::at(&bytes, 20), 0);
            continue;
        }
        each(offset_bytes, bytes)?;
    }
    Ok(())
}

fn read_sequence<S: Source + ?Sized>(
    sectors: Sectors<'_, S>,
    extent: SectorExtent,
) -> Result<Sequence, ReadError> {
    let mut sequence = Sequence::default();
    each_descriptor(sectors, extent, |offset_bytes, bytes| {
        let identifier = Tag::of(&bytes).identifier;
        let descriptor = Descriptor { offset_bytes, bytes };
        match identifier {
            tag::PRIMARY_VOLUME => prevail(&mut sequence.primary, descriptor),
            tag::LOGICAL_VOLUME => prevail(&mut sequence.logical, descriptor),
            tag::PARTITION => {
                let number = u16_at(&descriptor.bytes, 22);
                let mut slot = sequence.partitions.remove(&number);
                prevail(&mut slot, descriptor);
                sequence.partitions.extend(slot.map(|descriptor| (number, descriptor)));
            }
            _ => {}
        }
        Ok(())
    })?;
    Ok(sequence)
}

/// ECMA-167 3/8.4.3: of several descriptors the one with the highest sequence number counts.
fn prevail(slot: &mut Option<Descriptor>, other: Descriptor) {
    let number = |descriptor: &Descriptor| u32_at(&descriptor.bytes, 16);
    if slot.as_ref().is_none_or(|known| number(&other) >= number(known)) {
        *slot = Some(other);
    }
}

fn volume<S: Source + ?Sized>(
    sectors: Sectors<'_, S>,
    sequence: &Sequence,
    anchors: &[Anchor],
    listing: &mut Listing,
) -> Result<UdfVolume, ReadError> {
    let sector_size_bytes = sectors.sector_size_bytes;
    let start_bytes =
        anchors.first().map_or(0, |anchor| u64::from(anchor.main.sector) * sector_size_bytes);
    let Some(Descriptor { offset_bytes, bytes: logical }) = &sequence.logical else {
        return Err(ReadError::Damaged {
            offset_bytes: start_bytes,
            expected: "a logical volume descriptor in the sequence",
            found: "none".to_owned(),
        });
    };
    let block_size = u32_at(logical, 212);
    if u64::from(block_size) != sector_size_bytes {
        let what = format!("a logical block of {block_size} bytes, sectors of {sector_size_bytes}");
        return Err(ReadError::Unsupported { offset_bytes: *offset_bytes, what });
    }
    let primary = sequence.primary.as_ref().map(|it| it.bytes.as_slice()).unwrap_or_default();
    let mut volume = UdfVolume {
        label: decode_dstring(bytes_at(logical, 84, 128)),
        volume_set_id: decode_dstring(bytes_at(primary, 72, 128)),
        recorded_seconds: udf_seconds(bytes_at(primary, 376, 12)),
        revision: u16_at(logical, 216 + 24),
        sector_size_bytes,
        anchors: anchors.to_vec(),
        integrity: SectorExtent::at(logical, 432),
        partitions: Vec::new(),
        file_set: long_ad_address(logical, 248),
        root: Address { map: 0, block: 0 },
    };
    maps::read(sectors, sequence, logical, *offset_bytes, &mut volume, listing)?;
    let offset_bytes = volume.offset_bytes(volume.file_set)?;
    let file_set = sectors.bytes(offset_bytes, sector_size_bytes)?;
    expect_tag(&file_set, offset_bytes, tag::FILE_SET, "a file set descriptor")?;
    volume.root = long_ad_address(&file_set, 400);
    Ok(volume)
}

/// The address in a long_ad (ECMA-167 4/14.14.2).
pub(in crate::iso) fn long_ad_address(bytes: &[u8], at: usize) -> Address {
    Address { block: u32_at(bytes, at + 4), map: u16_at(bytes, at + 8) }
}

/// Whether a descriptor is of the kind it has to be, its tag intact.
pub(in crate::iso) fn expect_tag(
    descriptor: &[u8],
    offset_bytes: u64,
    identifier: u16,
    expected: &'static str,
) -> Result<(), ReadError> {
    let found = Tag::of(descriptor).identifier;
    if found != identifier {
        let found = format!("tag {found}");
        return Err(ReadError::Damaged { offset_bytes, expected, found });
    }
    check_tag(descriptor, offset_bytes)
}

/// Whether a tag's own checksum is right.
pub(in crate::iso) fn check_tag(descriptor: &[u8], offset_bytes: u64) -> Result<(), ReadError> {
    if Tag::of(descriptor).is_intact {
        return Ok(());
    }
    let found = format!("tag {} with another", Tag::of(descriptor).identifier);
    Err(ReadError::Damaged { offset_bytes, expected: "a tag with a right checksum", found })
}
