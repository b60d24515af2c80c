//! Reading partition maps: type 1, and those of OSTA UDF: sparable, virtual, metadata.

use std::collections::BTreeMap;

use super::icb::{self, FileEntry};
use super::metadata_file::MetadataFile;
use super::open::{Address, Sequence, UdfVolume};
use super::partition::{Mapping, Partition};
use super::tag::{self, Tag};
use super::text::entity_identifier;
use crate::field::{bytes_at, u8_at, u16_at, u32_at};
use crate::iso::listing::Listing;
use crate::iso::sectors::Sectors;
use crate::source::Source;
use crate::volume::ReadError;

/// OSTA UDF allows one metadata or virtual partition beside its physical one.
const MAP_COUNT_MAX: u32 = 16;
/// A sparing table is of a packet's size.
const SPARING_TABLE_MAX_BYTES: u64 = 1 << 20;
/// Four bytes for each block that was ever written: of a Blu-ray 50 MB.
const VIRTUAL_TABLE_MAX_BYTES: u64 = 64 << 20;
/// It is read as the disc is opened, and lies in a few runs.
const METADATA_EXTENT_COUNT_MAX: usize = 4096;
/// How far before the end the virtual allocation table is looked for: behind what was recorded last
/// an image may have the rest of the disc.
const VIRTUAL_TABLE_SEARCH_BYTES: u64 = 64 << 20;

/// A partition map as the logical volume descriptor has it.
struct Map<'a> {
    bytes: &'a [u8],
    /// What a map of type 2 is called; empty for type 1.
    identifier: String,
    /// The partition it is about.
    number: u16,
}

/// The partitions that the partition maps of `volume` name, in the order of the maps. What lies in
/// another partition comes after that one is known.
pub(super) fn read<S: Source + ?Sized>(
    sectors: Sectors<'_, S>,
    sequence: &Sequence,
    logical: &[u8],
    offset_bytes: u64,
    volume: &mut UdfVolume,
    listing: &mut Listing,
) -> Result<(), ReadError> {
    let maps = maps(logical, offset_bytes)?;
    for map in &maps {
        let mapping = match map.identifier.as_str() {
            "*UDF Sparable Partition" => sparable(sectors, map.bytes)?,
            _ => Mapping::Direct,
        };
        volume.partitions.push(partition(sectors, sequence, map, offset_bytes, mapping)?);
    }
    for (at, map) in maps.iter().enumerate() {
        let of_same = |other: &Map<'_>| other.number == map.number && !other.is_inside();
        if !map.is_inside() {
            continue;
        }
        let Some(physical) = maps.iter().position(of_same) else {
            let found = format!("{} without one", map.identifier);
            let expected = "a partition map that it lies in";
            return Err(ReadError::Damaged { offset_bytes, expected, found });
        };
        let physical = physical as u16;
        let (mapping, size_blocks) = match map.identifier.as_str() {
            "*UDF Metadata Partition" => metadata(sectors, volume, physical, map.bytes, listing)?,
            _ => virtual_table(sectors, volume, physical, listing)?,
        };
        let partition = &mut volume.partitions[at];
        (partition.mapping, partition.size_blocks) = (mapping, size_blocks);
    }
    Ok(())
}

impl Map<'_> {
    /// Whether it lies in the partition of another map.
    fn is_inside(&self) -> bool {
        matches!(self.identifier.as_str(), "*UDF Metadata Partition" | "*UDF Virtual Partition")
    }
}

fn maps(logical: &[u8], offset_bytes: u64) -> Result<Vec<Map<'_>>, ReadError> {
    let mut rest = bytes_at(logical, 440, u32_at(logical, 264) as usize);
    let (mut maps, count) = (Vec::new(), u32_at(logical, 268));
    if count > MAP_COUNT_MAX {
        let (what, limit) = ("partition maps", MAP_COUNT_MAX.into());
        return Err(ReadError::Limit { offset_bytes, what, limit });
    }
    for _ in 0..count {
        let (map_type, size) = (u8_at(rest, 0), usize::from(u8_at(rest, 1)));
        let bytes = bytes_at(rest, 0, size);
        let identifier = match map_type {
            1 => String::new(),
            _ => entity_identifier(bytes_at(bytes, 4, 32)),
        };
        let is_known = match identifier.as_str() {
            "" => map_type == 1,
            "*UDF Sparable Partition" | "*UDF Virtual Partition" | "*UDF Metadata Partition" => {
                true
            }
            _ => false,
        };
        if !is_known {
            let what = format!("the partition map `{}`", identifier.escape_debug());
            return Err(ReadError::Unsupported { offset_bytes, what });
        }
        if bytes.len() != size || size != if map_type == 1 { 6 } else { 64 } {
            let found = format!("one of {size} bytes");
            let expected = "a partition map of its size";
            return Err(ReadError::Damaged { offset_bytes, expected, found });
        }
        if identifier == "*UDF Virtual Partition"
            && maps.iter().any(|map: &Map<'_>| map.identifier == identifier)
        {
            let (what, limit) = ("virtual partition maps", 1);
            return Err(ReadError::Limit { offset_bytes, what, limit });
        }
        let number = u16_at(bytes, if map_type == 1 { 4 } else { 38 });
        maps.push(Map { bytes, identifier, number });
        rest = &rest[size..];
    }
    Ok(maps)
}

/// The partition of the sequence that a map names.
fn partition<S: ?Sized + Source>(
    sectors: Sectors<'_, S>,
    sequence: &Sequence,
    map: &Map<'_>,
    offset_bytes: u64,
    mapping: Mapping,
) -> Result<Partition, ReadError> {
    let number = map.number;
    let found = sequence.partitions.get(&number).ok_or_else(|| ReadError::Damaged {
        offset_bytes,
        expected: "a partition of the sequence",
        found: format!("partition {number} in a map"),
    })?;
    Ok(Partition {
        start_sector: u32_at(&found.bytes, 188),
        size_blocks: u32_at(&found.bytes, 192),
        block_size_bytes: sectors.sector_size_bytes,
        mapping,
    })
}

/// OSTA UDF 2.2.9 and 2.2.12: the first sparing table that can be read.
fn sparable<S: Source + ?Sized>(sectors: Sectors<'_, S>, map: &[u8]) -> Result<Mapping, ReadError> {
    let packet_blocks = u32::from(u16_at(map, 40)).max(1);
    let size_bytes = u64::from(u32_at(map, 44)).min(SPARING_TABLE_MAX_BYTES);
    let mut first_error = None;
    for table in 0..usize::from(u8_at(map, 42)).min(4) {
        let sector = u32_at(map, 48 + 4 * table);
        match sparing_table(sectors, sector, size_bytes, packet_blocks) {
            Ok(spared) => return Ok(Mapping::Sparable { packet_blocks, spared }),
            Err(error) => drop(first_error.get_or_insert(error)),
        }
    }
    // Without a table nothing was spared that can be found.
    first_error.map_or(Ok(Mapping::Direct), Err)
}

fn sparing_table<S: Source + ?Sized>(
    sectors: Sectors<'_, S>,
    sector: u32,
    size_bytes: u64,
    packet_blocks: u32,
) -> Result<BTreeMap<u32, u32>, ReadError> {
    /// From here on an original location is no packet: not used, or bad itself.
    const UNUSED_MIN: u32 = 0xFFFF_FFF0;
    let offset_bytes = u64::from(sector) * sectors.sector_size_bytes;
    let table = sectors.bytes(offset_bytes, size_bytes.max(sectors.sector_size_bytes))?;
    let name = entity_identifier(bytes_at(&table, 16, 32));
    if !Tag::of(&table).is_intact || name != "*UDF Sparing Table" {
        let found = format!("`{}`", name.escape_debug());
        return Err(ReadError::Damaged { offset_bytes, expected: "a sparing table", found });
    }
    let entries = bytes_at(&table, 56, usize::from(u16_at(&table, 48)) * 8);
    let pairs = entries.chunks_exact(8).map(|entry| (u32_at(entry, 0), u32_at(entry, 4)));
    // A packet starts at a multiple of its size; anything else is none.
    let spared = pairs.filter(|(packet, _)| *packet < UNUSED_MIN && packet % packet_blocks == 0);
    Ok(spared.collect())
}

/// OSTA UDF 2.2.10 and 2.2.13: the metadata file, or its mirror.
fn metadata<S: Source + ?Sized>(
    sectors: Sectors<'_, S>,
    volume: &UdfVolume,
    physical: u16,
    map: &[u8],
    listing: &mut Listing,
) -> Result<(Mapping, u32), ReadError> {
    let mut read = |block: u32| -> Result<(Mapping, u32), ReadError> {
        let address = Address { map: physical, block };
        let file = FileEntry::at(sectors, volume, address)?;
        if !matches!(file.file_type, icb::FILE_TYPE_METADATA | icb::FILE_TYPE_METADATA_MIRROR) {
            let offset_bytes = file.offset_bytes;
            let found = format!("a file of type {}", file.file_type);
            return Err(ReadError::Damaged { offset_bytes, expected: "a metadata file", found });
        }
        let file = file.read(sectors, volume, listing)?;
        if file.extents.len() > METADATA_EXTENT_COUNT_MAX {
            let (what, limit) = ("extents of the metadata file", METADATA_EXTENT_COUNT_MAX as u64);
            return Err(ReadError::Limit { offset_bytes: file.offset_bytes, what, limit });
        }
        let blocks = file.size_bytes / sectors.sector_size_bytes;
        let size_blocks = u32::try_from(blocks).unwrap_or(u32::MAX);
        Ok((Mapping::Metadata(MetadataFile::new(file.extents)), size_blocks))
    };
    let (main, mirror) = (u32_at(map, 40), u32_at(map, 44));
    read(main).or_else(|error| read(mirror).map_err(|_| error))
}

/// OSTA UDF 2.2.8 and 2.2.11: the virtual allocation table, whose file entry was written last.
fn virtual_table<S: Source + ?Sized>(
    sectors: Sectors<'_, S>,
    volume: &UdfVolume,
    physical: u16,
    listing: &mut Listing,
) -> Result<(Mapping, u32), ReadError> {
    let start = u64::from(volume.partitions[usize::from(physical)].start_sector);
    let last = sectors.count().saturating_sub(1);
    let count = VIRTUAL_TABLE_SEARCH_BYTES / sectors.sector_size_bytes;
    let first = last.saturating_sub(count).max(start);
    for sector in (first..=last).rev() {
        let Ok(bytes) = sectors.read(sector) else { continue };
        let Some(block) = u32::try_from(sector - start).ok().filter(|_| may_be_table(&bytes))
        else {
            continue;
        };
        let address = Address { map: physical, block };
        let file = FileEntry::at(sectors, volume, address)
            .and_then(|file| file.read(sectors, volume, listing));
        let Ok(file) = file else { continue };
        if let Some(table) = table_of(sectors, &file, listing)? {
            let size_blocks = table.len() as u32;
            return Ok((Mapping::Virtual(table), size_blocks));
        }
    }
    Err(ReadError::Damaged {
        offset_bytes: last * sectors.sector_size_bytes,
        expected: "a virtual allocation table at the end",
        found: "none".to_owned(),
    })
}

/// Whether a block is the file entry of what may be a virtual allocation table.
fn may_be_table(block: &[u8]) -> bool {
    matches!(Tag::of(block).identifier, tag::FILE_ENTRY | tag::EXTENDED_FILE_ENTRY)
        && matches!(
            icb::file_type_in(block),
            icb::FILE_TYPE_UNSPECIFIED | icb::FILE_TYPE_VIRTUAL_TABLE
        )
}

/// The blocks that a file lists, if it is a virtual allocation table: of UDF 1.50 it ends in its
/// name, of UDF 2.00 and newer it starts with its header's size.
fn table_of<S: Source + ?Sized>(
    sectors: Sectors<'_, S>,
    file: &icb::FileEntryRead,
    listing: &mut Listing,
) -> Result<Option<Vec<u32>>, ReadError> {
    const TRAILER_BYTES: usize = 36;
    const HEADER_BYTES_MIN: usize = 152;
    let is_new = file.file_type == icb::FILE_TYPE_VIRTUAL_TABLE;
    if file.size_bytes > VIRTUAL_TABLE_MAX_BYTES {
        let (what, limit) = ("bytes of a virtual allocation table", VIRTUAL_TABLE_MAX_BYTES);
        return Err(ReadError::Limit { offset_bytes: file.offset_bytes, what, limit });
    }
    listing.bytes(file.size_bytes, file.offset_bytes)?;
    let bytes = sectors.gather(&file.extents)?;
    let entries = if is_new {
        let header = usize::from(u16_at(&bytes, 0));
        bytes.get(header..).filter(|_| header >= HEADER_BYTES_MIN)
    } else {
        let end = bytes.len().checked_sub(TRAILER_BYTES);
        let is_table =
            |end: &usize| entity_identifier(bytes_at(&bytes, *end, 32)) == "*UDF Virtual Alloc Tbl";
        end.filter(is_table).map(|end| &bytes[..end])
    };
    Ok(entries.map(|entries| entries.chunks_exact(4).map(|entry| u32_at(entry, 0)).collect()))
}
