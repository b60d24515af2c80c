//! The boot sector with its parameter block, and FSInfo: encoded and decoded.

use super::geometry::{ENTRY_SIZE_BYTES, Geometry, Variant};
use super::label::{Label, NO_NAME};
use crate::field::{bytes_at, put, put_u16, put_u32, u8_at, u16_at, u32_at};
use crate::volume::ReadError;

pub(super) const SECTOR_BYTES: usize = 512;
/// Sectors of FAT32 with a meaning.
pub(super) const FS_INFO_SECTOR: u16 = 1;
pub(super) const BACKUP_SECTOR: u16 = 6;
/// The root directory's first cluster in what is written.
pub(super) const ROOT_CLUSTER: u32 = 2;

/// `jmp` over the parameters to `hlt; jmp $-1`: a BIOS that starts it stands still.
const HALT: [u8; 3] = [0xF4, 0xEB, 0xFD];
/// What Windows writes here; some drivers want it.
const OEM_NAME: &[u8; 8] = b"MSDOS5.0";
const MEDIA_FIXED: u8 = 0xF8;
const MEDIA_FLOPPY: u8 = 0xF0;
const EXTENDED_SIGNATURE: u8 = 0x29;
pub(super) const BOOT_SIGNATURE: u16 = 0xAA55;

const FS_INFO_LEAD: u32 = 0x4161_5252;
const FS_INFO_STRUCTURE: u32 = 0x6141_7272;
const FS_INFO_TRAIL: u32 = 0xAA55_0000;

/// The media byte, which is also the low byte of the first FAT entry.
pub(super) fn media(geometry: &Geometry) -> u8 {
    if geometry.is_floppy() { MEDIA_FLOPPY } else { MEDIA_FIXED }
}

/// The boot sector of a new volume.
pub(super) fn encode(
    geometry: &Geometry,
    start_bytes: u64,
    label: Option<&Label>,
    serial: u32,
) -> [u8; SECTOR_BYTES] {
    let mut bytes = [0; SECTOR_BYTES];
    let is_fat32 = geometry.variant == Variant::Fat32;
    let extended = if is_fat32 { 64 } else { 36 };
    let code = extended + 26;
    put(&mut bytes, 0, &[0xEB, (code - 2) as u8, 0x90]);
    put(&mut bytes, 3, OEM_NAME);
    put_u16(&mut bytes, 11, SECTOR_BYTES as u16);
    bytes[13] = narrow(geometry.cluster_sectors);
    put_u16(&mut bytes, 14, narrow(geometry.reserved_sectors));
    bytes[16] = narrow(geometry.fat_count);
    put_u16(&mut bytes, 17, narrow(geometry.root_entry_count));
    match u16::try_from(geometry.sector_count) {
        Ok(count) if !is_fat32 => put_u16(&mut bytes, 19, count),
        _ => put_u32(&mut bytes, 32, narrow(geometry.sector_count)),
    }
    bytes[21] = media(geometry);
    let (track_sectors, heads) = if geometry.is_floppy() { (18, 2) } else { (63, 255) };
    put_u16(&mut bytes, 24, track_sectors);
    put_u16(&mut bytes, 26, heads);
    put_u32(&mut bytes, 28, narrow(start_bytes / SECTOR_BYTES as u64));
    match is_fat32 {
        false => put_u16(&mut bytes, 22, narrow(geometry.fat_sectors)),
        true => {
            put_u32(&mut bytes, 36, narrow(geometry.fat_sectors));
            put_u32(&mut bytes, 44, ROOT_CLUSTER);
            put_u16(&mut bytes, 48, FS_INFO_SECTOR);
            put_u16(&mut bytes, 50, BACKUP_SECTOR);
        }
    }
    bytes[extended] = if geometry.is_floppy() { 0 } else { 0x80 };
    bytes[extended + 2] = EXTENDED_SIGNATURE;
    put_u32(&mut bytes, extended + 3, serial);
    put(&mut bytes, extended + 7, label.unwrap_or(NO_NAME));
    put(&mut bytes, extended + 18, format!("{:8}", geometry.variant.name()).as_bytes());
    put(&mut bytes, code, &HALT);
    put_u16(&mut bytes, 510, BOOT_SIGNATURE);
    bytes
}

/// FAT32's FSInfo: how many clusters are free, and where to look for one first.
pub(super) fn encode_fs_info(free_count: u32, next_free: u32) -> [u8; SECTOR_BYTES] {
    let mut bytes = [0; SECTOR_BYTES];
    put_u32(&mut bytes, 0, FS_INFO_LEAD);
    put_u32(&mut bytes, 484, FS_INFO_STRUCTURE);
    put_u32(&mut bytes, 488, free_count);
    put_u32(&mut bytes, 492, next_free);
    put_u32(&mut bytes, 508, FS_INFO_TRAIL);
    bytes
}

/// The free count FSInfo tells; `None` if the sector is none, or tells "unknown".
pub(super) fn decode_fs_info(bytes: &[u8]) -> Option<u32> {
    let is_fs_info = u32_at(bytes, 0) == FS_INFO_LEAD
        && u32_at(bytes, 484) == FS_INFO_STRUCTURE
        && u32_at(bytes, 508) == FS_INFO_TRAIL;
    Some(u32_at(bytes, 488)).filter(|count| is_fs_info && *count != u32::MAX)
}

/// What a boot sector says.
#[derive(Debug, Clone)]
pub(super) struct BootSector {
    pub(super) geometry: Geometry,
    pub(super) root_cluster: u32,
    pub(super) fs_info_sector: u16,
    pub(super) backup_sector: u16,
    pub(super) label: Label,
    pub(super) serial: u32,
    pub(super) media: u8,
}

/// Reads a boot sector, every field bounded by the others and by `source_bytes`.
pub(super) fn decode(bytes: &[u8], source_bytes: u64) -> Result<BootSector, ReadError> {
    let expect = |is_right: bool, offset_bytes: u64, expected: &'static str, found: u64| {
        let found = format!("{found}");
        if is_right { Ok(()) } else { Err(ReadError::Damaged { offset_bytes, expected, found }) }
    };
    if u16_at(bytes, 510) != BOOT_SIGNATURE {
        let found = format!("{:02x} {:02x}", u8_at(bytes, 510), u8_at(bytes, 511));
        let expected = "55 aa, which a boot sector ends in";
        return Err(ReadError::Damaged { offset_bytes: 510, expected, found });
    }
    let sector_bytes = u64::from(u16_at(bytes, 11));
    let is_size = matches!(sector_bytes, 512 | 1024 | 2048 | 4096);
    expect(is_size, 11, "sectors of 512, 1024, 2048 or 4096 bytes", sector_bytes)?;
    let cluster_sectors = u64::from(u8_at(bytes, 13));
    expect(
        cluster_sectors.is_power_of_two(),
        13,
        "a power of two sectors per cluster",
        cluster_sectors,
    )?;
    let reserved_sectors = u64::from(u16_at(bytes, 14));
    expect(reserved_sectors > 0, 14, "a reserved sector at least", reserved_sectors)?;
    let fat_count = u64::from(u8_at(bytes, 16));
    expect(matches!(fat_count, 1..=4), 16, "1 to 4 FATs", fat_count)?;
    let is_fat32 = u16_at(bytes, 22) == 0;
    let root_entry_count = if is_fat32 { 0 } else { u64::from(u16_at(bytes, 17)) };
    let (narrow_count, wide_count) = (u16_at(bytes, 19), u32_at(bytes, 32));
    let sector_count = if narrow_count > 0 { narrow_count.into() } else { u64::from(wide_count) };
    let fat_sectors =
        if is_fat32 { u32_at(bytes, 36).into() } else { u64::from(u16_at(bytes, 22)) };
    expect(fat_sectors > 0, 22, "a sector per FAT at least", fat_sectors)?;
    expect(
        sector_count * sector_bytes <= source_bytes,
        32,
        "as many sectors as there are bytes",
        sector_count,
    )?;
    let root_sectors = (root_entry_count * ENTRY_SIZE_BYTES).div_ceil(sector_bytes);
    let head_sectors = reserved_sectors + fat_count * fat_sectors + root_sectors;
    expect(head_sectors < sector_count, 32, "sectors behind the FATs", sector_count)?;
    let cluster_count = (sector_count - head_sectors) / cluster_sectors;
    expect(cluster_count > 0, 32, "room for a cluster", sector_count)?;
    let variant = if is_fat32 { Variant::Fat32 } else { Variant::of(cluster_count) };
    let has_root = is_fat32 || (variant != Variant::Fat32 && root_entry_count > 0);
    expect(has_root, 17, "entries of a root directory", root_entry_count)?;
    // Entries past the FAT's end would be of clusters that cannot be followed.
    let fat_bytes = fat_sectors * sector_bytes;
    let entries_fit = variant.fat_size_bytes(cluster_count + 2) <= fat_bytes;
    expect(entries_fit, 36, "a FAT with an entry for every cluster", fat_sectors)?;
    expect(cluster_count < 0x0FFF_FFF7, 32, "clusters of 28 bits", cluster_count)?;
    let geometry = Geometry {
        variant,
        sector_bytes,
        sector_count,
        cluster_sectors,
        reserved_sectors,
        fat_count,
        fat_sectors,
        root_entry_count,
        cluster_count,
    };
    let extended = if is_fat32 { 64 } else { 36 };
    let has_label = u8_at(bytes, extended + 2) == EXTENDED_SIGNATURE;
    let mut label = *NO_NAME;
    if has_label {
        put(&mut label, 0, bytes_at(bytes, extended + 7, 11));
    }
    Ok(BootSector {
        geometry,
        root_cluster: if is_fat32 { u32_at(bytes, 44) } else { 0 },
        fs_info_sector: if is_fat32 { u16_at(bytes, 48) } else { 0 },
        backup_sector: if is_fat32 { u16_at(bytes, 50) } else { 0 },
        label,
        serial: if has_label { u32_at(bytes, extended + 3) } else { 0 },
        media: u8_at(bytes, 21),
    })
}

/// A number that the geometry keeps within its field.
fn narrow<T: TryFrom<u64>>(value: u64) -> T {
    T::try_from(value).ok().expect("the geometry bounds it")
}
