//! `Table`: the partitions of a disk of any origin.

use std::collections::BTreeMap;

use super::SECTOR_SIZE_BYTES;
use super::crc32::crc32;
use super::gpt::{self, Header};
use super::mbr::{self, TYPE_PROTECTIVE};
use crate::source::Source;
use crate::volume::Finding;
use crate::volume::read_error::{ReadError, read_bytes};

/// Far more entries than any tool writes, and what a damaged header may ask to be read.
const ENTRIES_MAX_BYTES: u64 = 1 << 20;

/// One partition; it lies inside the disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Partition {
    /// Where it starts.
    pub start_bytes: u64,
    /// Its size.
    pub size_bytes: u64,
    /// An MBR's type as two hexadecimal digits, or a GPT's type GUID.
    pub kind: String,
    /// Whether an MBR marks it as the one to start.
    pub is_active: bool,
    /// A GPT's name of it.
    pub name: String,
}

/// A disk's partitions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// `MBR` or `GPT`.
    pub scheme: &'static str,
    /// The disk's id: eight hexadecimal digits, or a GUID.
    pub disk_id: String,
    /// The partitions in the order of the table.
    pub partitions: Vec<Partition>,
    /// What is wrong, while partitions could be read.
    pub findings: Vec<Finding>,
}

impl Table {
    /// Reads the table of `source`. A GPT whose first header is damaged is read from its backup.
    pub fn read<S: Source + ?Sized>(source: &S) -> Result<Table, ReadError> {
        let first = read_bytes(source, 0, SECTOR_SIZE_BYTES)?;
        let (entries, disk_id) = mbr::decode(&first).ok_or_else(|| ReadError::Damaged {
            offset_bytes: 510,
            expected: "a partition table",
            found: "none".to_owned(),
        })?;
        if entries.iter().any(|entry| entry.kind == TYPE_PROTECTIVE) {
            return read_gpt(source);
        }
        let mut table = Table {
            scheme: "MBR",
            disk_id: format!("{disk_id:08X}"),
            partitions: Vec::new(),
            findings: Vec::new(),
        };
        for entry in entries {
            let start = u64::from(entry.first_sector) * SECTOR_SIZE_BYTES;
            let size = u64::from(entry.sector_count) * SECTOR_SIZE_BYTES;
            let partition = Partition {
                start_bytes: start,
                size_bytes: size,
                kind: format!("{:02X}", entry.kind),
                is_active: entry.is_active,
                name: String::new(),
            };
            table.add(partition, source.size_bytes(), 446);
        }
        table.leave_out_overlaps(446);
        Ok(table)
    }

    /// Keeps a partition that lies inside the disk.
    fn add(&mut self, partition: Partition, disk_bytes: u64, offset_bytes: u64) {
        let end = partition.start_bytes.checked_add(partition.size_bytes);
        let is_inside = end.is_some_and(|end| end <= disk_bytes);
        if is_inside && partition.size_bytes > 0 && partition.start_bytes > 0 {
            self.partitions.push(partition);
        } else {
            let (start, size) = (partition.start_bytes, partition.size_bytes);
            self.find(
                offset_bytes,
                &format!("a partition of {size} bytes at {start}, on a disk of {disk_bytes}"),
            );
        }
    }

    /// Leaves out a partition that overlaps one before it: together they are no larger than the disk,
    /// and so is what anybody reads of them.
    fn leave_out_overlaps(&mut self, offset_bytes: u64) {
        let mut ends: BTreeMap<u64, u64> = BTreeMap::new();
        let count = self.partitions.len();
        self.partitions.retain(|it| {
            let end = it.start_bytes + it.size_bytes;
            let before = ends.range(..end).next_back();
            let is_free = before.is_none_or(|(_, end_before)| *end_before <= it.start_bytes);
            if is_free {
                ends.insert(it.start_bytes, end);
            }
            is_free
        });
        if self.partitions.len() < count {
            self.find(offset_bytes, "partitions that overlap");
        }
    }

    fn find(&mut self, offset_bytes: u64, what: &str) {
        self.findings.push(Finding::at(offset_bytes, what));
    }
}

fn read_gpt<S: Source + ?Sized>(source: &S) -> Result<Table, ReadError> {
    let sector_count = source.size_bytes() / SECTOR_SIZE_BYTES;
    let last_sector = sector_count.saturating_sub(1);
    let first = header_and_entries(source, 1);
    let backup_sector = match &first {
        Ok((header, _)) => header.other_sector.min(last_sector),
        Err(_) => last_sector,
    };
    let backup = header_and_entries(source, backup_sector);
    let mut table = Table {
        scheme: "GPT",
        disk_id: String::new(),
        partitions: Vec::new(),
        findings: Vec::new(),
    };
    for half in [&first, &backup] {
        if let Err(error) = half {
            table.findings.push(Finding::of(error));
        }
    }
    if let (Ok((_, one)), Ok((header, other))) = (&first, &backup)
        && one != other
    {
        let offset_bytes = header.entries_sector.saturating_mul(SECTOR_SIZE_BYTES);
        table.find(offset_bytes, "the backup's entries differ from the first ones");
    }
    let (header, entries) = first.or(backup)?;
    table.disk_id = header.disk.to_string();
    let entries_offset_bytes = header.entries_sector * SECTOR_SIZE_BYTES;
    for entry in entries.chunks_exact(header.entry_bytes as usize).filter_map(gpt::decode_entry) {
        let sectors =
            (entry.last_sector.checked_sub(entry.first_sector)).and_then(|it| it.checked_add(1));
        let partition = Partition {
            start_bytes: entry.first_sector.saturating_mul(SECTOR_SIZE_BYTES),
            size_bytes: sectors.unwrap_or(0).saturating_mul(SECTOR_SIZE_BYTES),
            kind: entry.kind.to_string(),
            is_active: false,
            name: entry.name,
        };
        let usable = header.first_usable..=header.last_usable;
        if !usable.contains(&entry.first_sector) || !usable.contains(&entry.last_sector) {
            table.find(entries_offset_bytes, "a partition outside the usable sectors");
        }
        table.add(partition, source.size_bytes(), entries_offset_bytes);
    }
    table.leave_out_overlaps(entries_offset_bytes);
    Ok(table)
}

fn header_and_entries<S: Source + ?Sized>(
    source: &S,
    sector: u64,
) -> Result<(Header, Vec<u8>), ReadError> {
    let offset_bytes = sector * SECTOR_SIZE_BYTES;
    let damaged = |offset_bytes, expected, found: &str| ReadError::Damaged {
        offset_bytes,
        expected,
        found: found.to_owned(),
    };
    let header = Header::decode(&read_bytes(source, offset_bytes, SECTOR_SIZE_BYTES)?, sector)
        .map_err(|found| damaged(offset_bytes, "a GPT header", found))?;
    let size_bytes = u64::from(header.entry_count) * u64::from(header.entry_bytes);
    let is_size = header.entry_bytes >= 128 && header.entry_bytes.is_power_of_two();
    if !is_size || size_bytes > ENTRIES_MAX_BYTES {
        let found = format!("{} of {} bytes", header.entry_count, header.entry_bytes);
        return Err(damaged(offset_bytes, "entries of 128 bytes, a mebibyte at most", &found));
    }
    let entries_bytes = header.entries_sector.saturating_mul(SECTOR_SIZE_BYTES);
    let entries = read_bytes(source, entries_bytes, size_bytes)?;
    if crc32(&entries) != header.entries_crc {
        return Err(damaged(entries_bytes, "entries with the header's CRC-32", "another"));
    }
    Ok((header, entries))
}
