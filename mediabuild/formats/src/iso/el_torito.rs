//! El Torito boot catalogs: encoding of the writer's, decoding of any.
//!
//! ```text
//! validation entry  +0 1, +1 platform, +4 id[24], +28 checksum, +30 0x55 0xAA
//! boot entry        +0 0x88, +1 media, +2 u16 load segment, +4 system type,
//!                   +6 u16 sectors of 512 bytes, +8 u32 sector of 2048 bytes
//! section header    +0 0x91 (last) or 0x90, +1 platform, +2 u16 entries, +4 id[28]
//! ```

use super::disc::{BootCatalog, BootImage};
use super::iso9660::TYPE_BOOT;
use super::iso9660::write::descriptor_head;
use crate::field::{bytes_at, put, put_u16, put_u32, u8_at, u16_at, u32_at};
use crate::volume::ReadError;

/// The sectors of the boot record and the catalog, which Joliet's descriptor moves up; see the map
/// in [`super`].
pub(super) const BOOT_RECORD_SECTOR: u32 = 17;
pub(super) const CATALOG_SECTOR: u32 = 22;
pub(super) const CATALOG_SECTOR_WITH_JOLIET: u32 = 23;

pub(super) const PLATFORM_BIOS: u8 = 0x00;
pub(super) const PLATFORM_UEFI: u8 = 0xEF;

const SYSTEM_IDENTIFIER: &[u8; 23] = b"EL TORITO SPECIFICATION";
const RECORD_SIZE_BYTES: usize = 32;
const BOOTABLE: u8 = 0x88;
const NOT_BOOTABLE: u8 = 0x00;
const SECTION_HEADER_MORE: u8 = 0x90;
const SECTION_HEADER_LAST: u8 = 0x91;
const SECTION_EXTENSION: u8 = 0x44;

/// One entry of the writer's catalog: no emulation, the default load segment.
#[derive(Debug, Clone, Copy)]
pub(super) struct CatalogEntry {
    pub(super) platform: u8,
    /// In sectors of 512 bytes.
    pub(super) sector_count: u16,
    pub(super) sector: u32,
}

/// The boot record volume descriptor (El Torito 1.0, 2.0).
pub(super) fn boot_record(catalog_sector: u32) -> [u8; 75] {
    let mut descriptor = [0; 75];
    put(&mut descriptor, 0, &descriptor_head(TYPE_BOOT));
    put(&mut descriptor, 7, SYSTEM_IDENTIFIER);
    put_u32(&mut descriptor, 71, catalog_sector);
    descriptor
}

/// The catalog: the first entry is the default one, each other gets a section.
pub(super) fn encode(entries: &[CatalogEntry]) -> Vec<u8> {
    let Some((first, others)) = entries.split_first() else { return Vec::new() };
    let mut catalog = validation_entry(first.platform).to_vec();
    catalog.extend(boot_entry(first));
    for (index, entry) in others.iter().enumerate() {
        let is_last = index + 1 == others.len();
        catalog.extend(section_header(entry.platform, is_last));
        catalog.extend(boot_entry(entry));
    }
    catalog
}

fn validation_entry(platform: u8) -> [u8; RECORD_SIZE_BYTES] {
    let mut entry = [0; RECORD_SIZE_BYTES];
    entry[0] = 1;
    entry[1] = platform;
    put(&mut entry, 4, b"MEDIABUILD");
    put(&mut entry, 30, &[0x55, 0xAA]);
    let checksum = word_sum(&entry).wrapping_neg();
    put_u16(&mut entry, 28, checksum);
    entry
}

fn section_header(platform: u8, is_last: bool) -> [u8; RECORD_SIZE_BYTES] {
    let mut header = [0; RECORD_SIZE_BYTES];
    header[0] = if is_last { SECTION_HEADER_LAST } else { SECTION_HEADER_MORE };
    header[1] = platform;
    put_u16(&mut header, 2, 1);
    header
}

fn boot_entry(entry: &CatalogEntry) -> [u8; RECORD_SIZE_BYTES] {
    let mut bytes = [0; RECORD_SIZE_BYTES];
    bytes[0] = BOOTABLE;
    put_u16(&mut bytes, 6, entry.sector_count);
    put_u32(&mut bytes, 8, entry.sector);
    bytes
}

/// The sum of the words of a right validation entry is 0.
fn word_sum(entry: &[u8]) -> u16 {
    (0..RECORD_SIZE_BYTES).step_by(2).fold(0, |sum, at| sum.wrapping_add(u16_at(entry, at)))
}

/// The catalog's sector, if the volume descriptor is El Torito's boot record.
pub(super) fn catalog_sector(descriptor: &[u8]) -> Option<u32> {
    let is_boot_record = bytes_at(descriptor, 7, SYSTEM_IDENTIFIER.len()) == SYSTEM_IDENTIFIER;
    (u8_at(descriptor, 0) == TYPE_BOOT && is_boot_record).then(|| u32_at(descriptor, 71))
}

/// Whether the validation entry's words sum to 0.
pub(super) fn is_checksum_right(catalog: &[u8]) -> bool {
    word_sum(catalog) == 0
}

/// Decodes the catalog in the sector `lba`. A catalog of more than one sector is read as far as
/// the sector goes: 62 entries.
pub(super) fn decode(catalog: &[u8], lba: u32) -> Result<BootCatalog, ReadError> {
    let start_bytes = u64::from(lba) * super::SECTOR_SIZE_BYTES;
    let damaged = |record: usize, expected: &'static str, found: u8| ReadError::Damaged {
        offset_bytes: start_bytes + (record * RECORD_SIZE_BYTES) as u64,
        expected,
        found: format!("{found:#04x}"),
    };
    let (records, _) = catalog.as_chunks::<RECORD_SIZE_BYTES>();
    let [validation, default, sections @ ..] = records else {
        return Err(damaged(0, "a boot catalog of 64 bytes or more", u8_at(catalog, 0)));
    };
    if validation[0] != 1 || validation[30..] != [0x55, 0xAA] {
        return Err(damaged(0, "a validation entry: 0x01 … 0x55 0xAA", validation[0]));
    }
    let mut images = vec![decode_entry(default, validation[1])];
    let mut rest = sections.iter().enumerate();
    while let Some((index, header)) = rest.next() {
        match header[0] {
            SECTION_HEADER_MORE | SECTION_HEADER_LAST => {}
            SECTION_EXTENSION => continue,
            0 => break,
            other => return Err(damaged(2 + index, "a section header: 0x90 or 0x91", other)),
        }
        let entries = rest.by_ref().filter(|(_, entry)| entry[0] != SECTION_EXTENSION);
        for (index, entry) in entries.take(usize::from(u16_at(header, 2))) {
            if !matches!(entry[0], BOOTABLE | NOT_BOOTABLE) {
                return Err(damaged(2 + index, "a boot entry: 0x88 or 0x00", entry[0]));
            }
            images.push(decode_entry(entry, header[1]));
        }
        if header[0] == SECTION_HEADER_LAST {
            break;
        }
    }
    Ok(BootCatalog { lba, images })
}

fn decode_entry(entry: &[u8], platform: u8) -> BootImage {
    BootImage {
        platform,
        is_bootable: u8_at(entry, 0) == BOOTABLE,
        media: u8_at(entry, 1) & 0x0F,
        load_segment: u16_at(entry, 2),
        sector_count: u16_at(entry, 6),
        lba: u32_at(entry, 8),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn catalogs_read_back() {
        let bios = CatalogEntry { platform: PLATFORM_BIOS, sector_count: 4, sector: 300 };
        let uefi = CatalogEntry { platform: PLATFORM_UEFI, sector_count: 1, sector: 302 };
        let mut sector = encode(&[bios, uefi]);
        sector.resize(2048, 0);
        assert!(is_checksum_right(&sector));
        let catalog = decode(&sector, 22).unwrap();
        let told: Vec<_> = catalog
            .images
            .iter()
            .map(|image| (image.platform, image.sector_count, image.lba, image.is_bootable))
            .collect();
        assert_eq!(told, [(0, 4, 300, true), (0xEF, 1, 302, true)]);
    }

    #[test]
    fn damage_is_placed() {
        let mut sector = vec![0; 2048];
        let error = decode(&sector, 22).unwrap_err().to_string();
        assert_eq!(error, "at 45056: expected a validation entry: 0x01 … 0x55 0xAA, found 0x00");
        let bios = CatalogEntry { platform: PLATFORM_BIOS, sector_count: 4, sector: 300 };
        sector[..64].copy_from_slice(&encode(&[bios]));
        sector[64] = 7;
        let error = decode(&sector, 22).unwrap_err().to_string();
        assert_eq!(error, "at 45120: expected a section header: 0x90 or 0x91, found 0x07");
    }
}
