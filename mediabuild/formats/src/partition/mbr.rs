//! The MBR: four entries of 16 bytes, and what a BIOS starts.

use super::SECTOR_SIZE_BYTES;
use crate::field::{put, put_u16, put_u32, u8_at, u16_at, u32_at};

const ENTRIES_AT: usize = 446;
const ENTRY_BYTES: usize = 16;
const DISK_ID_AT: usize = 440;
const SIGNATURE: u16 = 0xAA55;
const ACTIVE: u8 = 0x80;
/// FAT32, addressed by sector numbers.
pub(super) const TYPE_FAT32: u8 = 0x0C;
/// Everything behind it belongs to a GPT.
pub(super) const TYPE_PROTECTIVE: u8 = 0xEE;
/// A cylinder, head and sector past what three bytes can say.
const CHS_PAST_END: [u8; 3] = [0xFE, 0xFF, 0xFF];

/// Real-mode code of our own that says why nothing starts: Microsoft's boot code may not be given
/// away. Where `bios_text` goes follows it.
const CODE: [u8; 25] = [
    0xFC, // cld
    0x31, 0xC0, // xor ax, ax
    0x8E, 0xD8, // mov ds, ax
    0xBE, 0x19, 0x7C, // mov si, 0x7C19: behind this code
    0xAC, // lodsb
    0x84, 0xC0, // test al, al
    0x74, 0x09, // jz to the hlt
    0xB4, 0x0E, // mov ah, 0x0E: teletype
    0xBB, 0x07, 0x00, // mov bx, 7
    0xCD, 0x10, // int 0x10
    0xEB, 0xF2, // jmp to the lodsb
    0xF4, // hlt
    0xEB, 0xFD, // jmp to the hlt
];
const BIOS_TEXT: &[u8] =
    b"This disk starts UEFI machines only. Choose UEFI in the firmware's setup.\r\n\0";

/// One used entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) is_active: bool,
    pub(super) kind: u8,
    pub(super) first_sector: u32,
    pub(super) sector_count: u32,
}

/// A sector with one entry. A protective one has no disk id.
pub(super) fn encode(entry: &Entry, disk_id: u32) -> [u8; SECTOR_SIZE_BYTES as usize] {
    let mut bytes = [0; SECTOR_SIZE_BYTES as usize];
    put(&mut bytes, 0, &CODE);
    put(&mut bytes, CODE.len(), BIOS_TEXT);
    put_u32(&mut bytes, DISK_ID_AT, disk_id);
    let at = &mut bytes[ENTRIES_AT..];
    at[0] = if entry.is_active { ACTIVE } else { 0 };
    let last_sector = entry.first_sector.saturating_add(entry.sector_count.saturating_sub(1));
    let is_protective = entry.kind == TYPE_PROTECTIVE;
    put(at, 1, &chs(entry.first_sector));
    at[4] = entry.kind;
    put(at, 5, &if is_protective { [0xFF; 3] } else { chs(last_sector) });
    put_u32(at, 8, entry.first_sector);
    put_u32(at, 12, entry.sector_count);
    put_u16(&mut bytes, 510, SIGNATURE);
    bytes
}

/// The used entries and the disk id; `None` if it is no MBR.
pub(super) fn decode(bytes: &[u8]) -> Option<(Vec<Entry>, u32)> {
    if u16_at(bytes, 510) != SIGNATURE {
        return None;
    }
    let mut entries = Vec::new();
    for entry in bytes.get(ENTRIES_AT..510)?.chunks_exact(ENTRY_BYTES) {
        let status = u8_at(entry, 0);
        // Anything else is code or a file system, not a table.
        if status & !ACTIVE != 0 {
            return None;
        }
        let kind = u8_at(entry, 4);
        let (first_sector, sector_count) = (u32_at(entry, 8), u32_at(entry, 12));
        if kind != 0 {
            let is_active = status == ACTIVE;
            entries.push(Entry { is_active, kind, first_sector, sector_count });
        }
    }
    Some((entries, u32_at(bytes, DISK_ID_AT)))
}

/// Cylinder, head and sector for 255 heads of 63 sectors, which every tool assumes.
fn chs(sector: u32) -> [u8; 3] {
    const HEADS: u32 = 255;
    const SECTORS: u32 = 63;
    const CYLINDER_MAX: u32 = 1023;
    let (track, in_track) = (sector / SECTORS, sector % SECTORS + 1);
    let (cylinder, head) = (track / HEADS, track % HEADS);
    if cylinder > CYLINDER_MAX {
        return CHS_PAST_END;
    }
    [head as u8, (in_track | cylinder >> 8 << 6) as u8, cylinder as u8]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_follows_the_code() {
        let at = usize::from(u16_at(&CODE, 6)) - 0x7C00;
        assert_eq!(at, CODE.len());
        assert!(CODE.len() + BIOS_TEXT.len() <= DISK_ID_AT);
    }

    #[test]
    fn cylinders_heads_and_sectors() {
        assert_eq!(chs(1), [0, 2, 0]);
        assert_eq!(chs(2048), [32, 33, 0]);
        assert_eq!(chs(u32::MAX), CHS_PAST_END);
    }
}
