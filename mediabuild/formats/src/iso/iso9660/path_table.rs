//! Checking path tables (ECMA-119 9.4) against the directories of the tree.

use std::collections::BTreeSet;

use super::open::IsoVolume;
use crate::field::{bytes_at, u8_at, u16_at, u16_be_at, u32_at, u32_be_at};
use crate::iso::SECTOR_SIZE_BYTES;
use crate::iso::report::Report;
use crate::iso::sectors::Sectors;
use crate::source::Source;
use crate::volume::ReadError;

/// 65,535 directories with long names fit: a parent's number has 16 bits.
const TABLE_MAX_BYTES: u64 = 32 << 20;
const RECORD_HEAD_BYTES: usize = 8;

/// One directory as a path table has it.
#[derive(Debug, PartialEq, Eq)]
struct Record {
    sector: u32,
    parent: u16,
    name: Vec<u8>,
}

/// Reports where the two path tables differ from each other and from the tree's directories.
pub(in crate::iso) fn check<S: Source + ?Sized>(
    sectors: Sectors<'_, S>,
    volume: &IsoVolume,
    directories: &[u32],
    report: &mut Report,
) -> Result<(), ReadError> {
    let little = read(sectors, volume, volume.path_table_l_sector, u32_at, u16_at)?;
    let big = read(sectors, volume, volume.path_table_m_sector, u32_be_at, u16_be_at)?;
    let offset_bytes = u64::from(volume.path_table_l_sector) * SECTOR_SIZE_BYTES;
    if little != big {
        report.minor(offset_bytes, || "the two path tables differ".to_owned());
    }
    let listed: BTreeSet<u32> = little.iter().map(|record| record.sector).collect();
    let walked: BTreeSet<u32> = directories.iter().copied().collect();
    if let Some(sector) = walked.symmetric_difference(&listed).next() {
        report.minor(offset_bytes, || {
            let place = if walked.contains(sector) { "tree" } else { "path table" };
            format!("the directory at sector {sector} is only in the {place}")
        });
    }
    for (index, record) in little.iter().enumerate() {
        let parent = usize::from(record.parent);
        if parent == 0 || parent > index.max(1) {
            let message =
                || format!("directory {} of the path table has parent {parent}", index + 1);
            report.minor(offset_bytes, message);
        }
    }
    Ok(())
}

fn read<S: Source + ?Sized>(
    sectors: Sectors<'_, S>,
    volume: &IsoVolume,
    sector: u32,
    read_u32: fn(&[u8], usize) -> u32,
    read_u16: fn(&[u8], usize) -> u16,
) -> Result<Vec<Record>, ReadError> {
    let offset_bytes = u64::from(sector) * SECTOR_SIZE_BYTES;
    let size_bytes = u64::from(volume.path_table_size_bytes);
    if size_bytes > TABLE_MAX_BYTES {
        let (what, limit) = ("bytes of a path table", TABLE_MAX_BYTES);
        return Err(ReadError::Limit { offset_bytes, what, limit });
    }
    let table = sectors.bytes(offset_bytes, size_bytes)?;
    let mut records = Vec::new();
    let mut rest = table.as_slice();
    while rest.len() > RECORD_HEAD_BYTES && rest[0] != 0 {
        let name_size = usize::from(u8_at(rest, 0));
        let name = bytes_at(rest, RECORD_HEAD_BYTES, name_size).to_vec();
        records.push(Record { sector: read_u32(rest, 2), parent: read_u16(rest, 6), name });
        let end = (RECORD_HEAD_BYTES + name_size).next_multiple_of(2);
        rest = rest.get(end..).unwrap_or_default();
    }
    Ok(records)
}
