//! GPT: header and entries (UEFI 5.3).

use super::crc32::crc32;
use super::guid::Guid;
use super::{PARTITION_START_BYTES, SECTOR_SIZE_BYTES};
use crate::field::{bytes_at, put, put_u16, put_u32, put_u64, u32_at, u64_at};

pub(super) const ENTRY_COUNT: u64 = 128;
pub(super) const ENTRY_BYTES: u64 = 128;
pub(super) const ENTRIES_SECTORS: u64 = ENTRY_COUNT * ENTRY_BYTES / SECTOR_SIZE_BYTES;
const SIGNATURE: &[u8; 8] = b"EFI PART";
const REVISION: u32 = 0x0001_0000;
const HEADER_BYTES: u32 = 92;
const CRC_AT: usize = 16;
const NAME_AT: usize = 56;
const NAME_UNITS: usize = 36;

/// What a header says; sector numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) own_sector: u64,
    pub(super) other_sector: u64,
    pub(super) first_usable: u64,
    pub(super) last_usable: u64,
    pub(super) disk: Guid,
    pub(super) entries_sector: u64,
    pub(super) entry_count: u32,
    pub(super) entry_bytes: u32,
    pub(super) entries_crc: u32,
}

/// One used entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) kind: Guid,
    pub(super) id: Guid,
    pub(super) first_sector: u64,
    pub(super) last_sector: u64,
    pub(super) name: String,
}

impl Header {
    /// The two headers of a disk of so many sectors with these entries: first, then backup.
    pub(super) fn both(sector_count: u64, disk: Guid, entries: &[u8]) -> [Header; 2] {
        let last = sector_count - 1;
        let first = Header {
            own_sector: 1,
            other_sector: last,
            first_usable: PARTITION_START_BYTES / SECTOR_SIZE_BYTES,
            last_usable: last - ENTRIES_SECTORS - 1,
            disk,
            entries_sector: 2,
            entry_count: ENTRY_COUNT as u32,
            entry_bytes: ENTRY_BYTES as u32,
            entries_crc: crc32(entries),
        };
        let entries_sector = last - ENTRIES_SECTORS;
        [first, Header { own_sector: last, other_sector: 1, entries_sector, ..first }]
    }

    pub(super) fn encode(&self) -> [u8; SECTOR_SIZE_BYTES as usize] {
        let mut bytes = [0; SECTOR_SIZE_BYTES as usize];
        put(&mut bytes, 0, SIGNATURE);
        put_u32(&mut bytes, 8, REVISION);
        put_u32(&mut bytes, 12, HEADER_BYTES);
        put_u64(&mut bytes, 24, self.own_sector);
        put_u64(&mut bytes, 32, self.other_sector);
        put_u64(&mut bytes, 40, self.first_usable);
        put_u64(&mut bytes, 48, self.last_usable);
        put(&mut bytes, 56, &self.disk.0);
        put_u64(&mut bytes, 72, self.entries_sector);
        put_u32(&mut bytes, 80, self.entry_count);
        put_u32(&mut bytes, 84, self.entry_bytes);
        put_u32(&mut bytes, 88, self.entries_crc);
        let crc = crc32(&bytes[..HEADER_BYTES as usize]);
        put_u32(&mut bytes, CRC_AT, crc);
        bytes
    }

    /// Reads the header at a sector; what is wrong with it otherwise.
    pub(super) fn decode(bytes: &[u8], sector: u64) -> Result<Header, &'static str> {
        if bytes_at(bytes, 0, 8) != SIGNATURE {
            return Err("no signature");
        }
        let header_bytes = u32_at(bytes, 12) as usize;
        if !(HEADER_BYTES as usize..=bytes.len()).contains(&header_bytes) {
            return Err("a header of another size");
        }
        let mut zeroed = bytes[..header_bytes].to_vec();
        put_u32(&mut zeroed, CRC_AT, 0);
        if crc32(&zeroed) != u32_at(bytes, CRC_AT) {
            return Err("another CRC-32");
        }
        let header = Header {
            own_sector: u64_at(bytes, 24),
            other_sector: u64_at(bytes, 32),
            first_usable: u64_at(bytes, 40),
            last_usable: u64_at(bytes, 48),
            disk: guid_at(bytes, 56),
            entries_sector: u64_at(bytes, 72),
            entry_count: u32_at(bytes, 80),
            entry_bytes: u32_at(bytes, 84),
            entries_crc: u32_at(bytes, 88),
        };
        if header.own_sector != sector {
            return Err("the number of another sector");
        }
        Ok(header)
    }
}

/// 128 entries of which the first is used.
pub(super) fn encode_entries(entry: &Entry) -> Vec<u8> {
    let mut bytes = vec![0; (ENTRY_COUNT * ENTRY_BYTES) as usize];
    put(&mut bytes, 0, &entry.kind.0);
    put(&mut bytes, 16, &entry.id.0);
    put_u64(&mut bytes, 32, entry.first_sector);
    put_u64(&mut bytes, 40, entry.last_sector);
    for (at, unit) in entry.name.encode_utf16().take(NAME_UNITS).enumerate() {
        put_u16(&mut bytes, NAME_AT + 2 * at, unit);
    }
    bytes
}

/// An entry; `None` if it is unused.
pub(super) fn decode_entry(bytes: &[u8]) -> Option<Entry> {
    let kind = guid_at(bytes, 0);
    let name = bytes_at(bytes, NAME_AT, 2 * NAME_UNITS).chunks_exact(2);
    let units = name.map(|unit| u16::from_le_bytes([unit[0], unit[1]]));
    let units: Vec<u16> = units.take_while(|&unit| unit != 0).collect();
    (kind != Guid::UNUSED).then(|| Entry {
        kind,
        id: guid_at(bytes, 16),
        first_sector: u64_at(bytes, 32),
        last_sector: u64_at(bytes, 40),
        name: String::from_utf16_lossy(&units),
    })
}

fn guid_at(bytes: &[u8], at: usize) -> Guid {
    bytes_at(bytes, at, 16).try_into().map_or(Guid::UNUSED, Guid)
}
