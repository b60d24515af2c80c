//! Finding ISO 9660 volumes: the volume descriptors from sector 16 on.

use super::rock_ridge;
use super::{STANDARD_IDENTIFIER, TYPE_PRIMARY, TYPE_SUPPLEMENTARY, TYPE_TERMINATOR};
use crate::field::{bytes_at, u8_at, u16_at, u16_be_at, u32_at, u32_be_at};
use crate::iso::SECTOR_SIZE_BYTES;
use crate::iso::disc::View;
use crate::iso::report::Report;
use crate::iso::sectors::Sectors;
use crate::iso::time::iso_volume_seconds;
use crate::source::Source;
use crate::volume::ReadError;

/// The most volume descriptors that are looked at.
const DESCRIPTOR_COUNT_MAX: u64 = 64;

/// A run of sectors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::iso) struct Extent {
    pub(in crate::iso) sector: u32,
    pub(in crate::iso) size_bytes: u32,
}

/// One ISO 9660 tree.
#[derive(Debug, Clone)]
pub(in crate::iso) struct IsoVolume {
    pub(in crate::iso) view: View,
    pub(in crate::iso) descriptor_sector: u64,
    pub(in crate::iso) label: String,
    pub(in crate::iso) volume_set_id: String,
    pub(in crate::iso) application: String,
    pub(in crate::iso) size_sectors: u32,
    pub(in crate::iso) created_seconds: Option<i64>,
    pub(in crate::iso) root: Extent,
    pub(in crate::iso) path_table_size_bytes: u32,
    pub(in crate::iso) path_table_l_sector: u32,
    pub(in crate::iso) path_table_m_sector: u32,
    /// How many bytes of each system use area Rock Ridge skips.
    pub(in crate::iso) system_use_skip: usize,
}

/// The volume descriptors that are about trees and booting.
#[derive(Debug, Default)]
pub(in crate::iso) struct Descriptors {
    /// Sector and bytes of each, the terminator included.
    pub(in crate::iso) all: Vec<(u64, Vec<u8>)>,
}

impl Descriptors {
    /// Reads the volume descriptor set (ECMA-119 6.7.1), empty if there is none.
    pub(in crate::iso) fn read<S: Source + ?Sized>(
        sectors: Sectors<'_, S>,
    ) -> Result<Descriptors, ReadError> {
        let mut descriptors = Descriptors::default();
        for sector in 16..(16 + DESCRIPTOR_COUNT_MAX).min(sectors.count()) {
            let bytes = sectors.read(sector)?;
            if bytes_at(&bytes, 1, 5) != STANDARD_IDENTIFIER {
                break;
            }
            let is_last = u8_at(&bytes, 0) == TYPE_TERMINATOR;
            descriptors.all.push((sector, bytes));
            if is_last {
                break;
            }
        }
        Ok(descriptors)
    }

    /// The trees: of the first primary descriptor, with POSIX names if it has them, and of the first
    /// one of Joliet. Of further ones each would be walked. Those that cannot be read go to `errors`
    /// and keep no other from being read.
    pub(in crate::iso) fn volumes<S: Source + ?Sized>(
        &self,
        sectors: Sectors<'_, S>,
        errors: &mut Vec<ReadError>,
    ) -> Vec<IsoVolume> {
        let mut volumes: Vec<IsoVolume> = Vec::new();
        for (sector, bytes) in &self.all {
            let is_new = |view| volumes.iter().all(|volume| volume.view != view);
            let read = match u8_at(bytes, 0) {
                TYPE_PRIMARY if is_new(View::Iso9660) => primary(sectors, bytes, *sector),
                TYPE_SUPPLEMENTARY if is_joliet(bytes) && is_new(View::Joliet) => {
                    volume(bytes, *sector, View::Joliet).map(|volume| vec![volume])
                }
                _ => continue,
            };
            match read {
                Ok(read) => volumes.extend(read),
                Err(error) => errors.push(error),
            }
        }
        volumes
    }
}

/// Reports numbers whose little- and big-endian halves differ.
pub(in crate::iso) fn check_both_endian(descriptor: &[u8], sector: u64, report: &mut Report) {
    let start = sector * SECTOR_SIZE_BYTES;
    let wide = [(80, "the volume's size"), (132, "the path table's size")];
    for (at, what) in wide.into_iter().chain([(158, "the root's sector"), (166, "the root's size")])
    {
        let (little, big) = (u32_at(descriptor, at), u32_be_at(descriptor, at + 4));
        if little != big {
            let message = || format!("{what} is {little} or {big}");
            report.minor(start + at as u64, message);
        }
    }
    for (at, what) in
        [(120, "the set's size"), (124, "the volume's number"), (128, "the block size")]
    {
        let (little, big) = (u16_at(descriptor, at), u16_be_at(descriptor, at + 2));
        if little != big {
            report.minor(start + at as u64, || format!("{what} is {little} or {big}"));
        }
    }
}

/// The escape sequences of UCS-2 levels 1 to 3.
fn is_joliet(descriptor: &[u8]) -> bool {
    matches!(bytes_at(descriptor, 88, 3), b"%/@" | b"%/C" | b"%/E")
}

/// The trees of a primary descriptor.
fn primary<S: Source + ?Sized>(
    sectors: Sectors<'_, S>,
    bytes: &[u8],
    sector: u64,
) -> Result<Vec<IsoVolume>, ReadError> {
    let plain = volume(bytes, sector, View::Iso9660)?;
    let skip = rock_ridge::skip_bytes(sectors, plain.root)?;
    let posix = skip.map(|system_use_skip| IsoVolume {
        view: View::RockRidge,
        system_use_skip,
        ..plain.clone()
    });
    Ok(posix.into_iter().chain([plain]).collect())
}

fn volume(bytes: &[u8], sector: u64, view: View) -> Result<IsoVolume, ReadError> {
    let block_size = u16_at(bytes, 128);
    if u64::from(block_size) != SECTOR_SIZE_BYTES {
        let offset_bytes = sector * SECTOR_SIZE_BYTES + 128;
        let what = format!("a logical block size of {block_size} bytes");
        return Err(ReadError::Unsupported { offset_bytes, what });
    }
    let text = |at: usize, size: usize| text(bytes_at(bytes, at, size), view);
    Ok(IsoVolume {
        view,
        descriptor_sector: sector,
        label: text(40, 32),
        volume_set_id: text(190, 128),
        application: text(574, 128),
        size_sectors: u32_at(bytes, 80),
        created_seconds: iso_volume_seconds(bytes_at(bytes, 813, 17)),
        root: Extent { sector: u32_at(bytes, 158), size_bytes: u32_at(bytes, 166) },
        path_table_size_bytes: u32_at(bytes, 132),
        path_table_l_sector: u32_at(bytes, 140),
        path_table_m_sector: u32_be_at(bytes, 148),
        system_use_skip: 0,
    })
}

fn text(field: &[u8], view: View) -> String {
    let text = match view {
        View::Joliet => ucs2(field),
        _ => narrow(field),
    };
    text.trim_end_matches(['\0', ' ']).to_owned()
}

/// Text of bytes. ECMA-119 knows no characters beyond ASCII; who writes some all the same
/// (genisoimage does at level 4) writes the bytes of a file name, today UTF-8 and once Latin-1.
pub(in crate::iso) fn narrow(field: &[u8]) -> String {
    match std::str::from_utf8(field) {
        Ok(text) => text.to_owned(),
        Err(_) => field.iter().map(|&byte| char::from(byte)).collect(),
    }
}

/// Joliet text: UTF-16, big-endian; half surrogate pairs become U+FFFD.
pub(in crate::iso) fn ucs2(field: &[u8]) -> String {
    let (units, _) = field.as_chunks::<2>();
    let units = units.iter().map(|&unit| u16::from_be_bytes(unit));
    char::decode_utf16(units).map(|character| character.unwrap_or('\u{FFFD}')).collect()
}
