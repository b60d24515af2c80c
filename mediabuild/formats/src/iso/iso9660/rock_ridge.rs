//! Rock Ridge names: `NM` entries of the System Use Sharing Protocol (IEEE P1281, P1282).

use super::open::Extent;
use crate::iso::SECTOR_SIZE_BYTES;
use crate::iso::error::ReadError;
use crate::iso::field::{bytes_at, u8_at, u32_at};
use crate::iso::sectors::Sectors;
use crate::source::Source;

/// The most continuation areas of one record that are followed.
const CONTINUATION_COUNT_MAX: usize = 8;
/// A name is longer than this on no system.
const NAME_MAX_BYTES: usize = 1024;
const ENTRY_HEAD_BYTES: usize = 4;
/// Flags of `NM`: the record is "." or "..".
const NAME_IS_SPECIAL: u8 = 2 | 4;

/// How many bytes each system use area skips, if the root directory says that the protocol is in
/// use (`SP` in its first record).
pub(in crate::iso) fn skip_bytes<S: Source + ?Sized>(
    sectors: Sectors<'_, S>,
    root: Extent,
) -> Result<Option<usize>, ReadError> {
    if u64::from(root.sector) >= sectors.count() {
        return Ok(None);
    }
    let directory = sectors.read(root.sector.into())?;
    let record = bytes_at(&directory, 0, usize::from(u8_at(&directory, 0)));
    let system_use = system_use_of(record);
    let is_in_use = system_use.starts_with(b"SP") && bytes_at(system_use, 4, 2) == [0xBE, 0xEF];
    Ok(is_in_use.then(|| usize::from(u8_at(system_use, 6))))
}

/// The POSIX name of a directory record, if it has one.
pub(in crate::iso) fn name<S: Source + ?Sized>(
    sectors: Sectors<'_, S>,
    record: &[u8],
    skip: usize,
) -> Result<Option<String>, ReadError> {
    let mut area = system_use_of(record).get(skip..).unwrap_or_default().to_vec();
    let mut name: Option<Vec<u8>> = None;
    for _ in 0..CONTINUATION_COUNT_MAX {
        let mut continuation = None;
        let mut rest = area.as_slice();
        while let Some(entry) = entry(rest) {
            match bytes_at(entry, 0, 2) {
                b"NM" if u8_at(entry, 4) & NAME_IS_SPECIAL == 0 => {
                    let part = bytes_at(entry, 5, entry.len());
                    name.get_or_insert_default().extend_from_slice(part);
                }
                b"CE" => {
                    continuation = Some((u32_at(entry, 4), u32_at(entry, 12), u32_at(entry, 20)));
                }
                b"ST" => break,
                _ => {}
            }
            rest = &rest[entry.len()..];
        }
        let Some((sector, offset, size)) = continuation else { break };
        let offset_bytes = u64::from(sector) * SECTOR_SIZE_BYTES + u64::from(offset);
        area = sectors.bytes(offset_bytes, u64::from(size).min(SECTOR_SIZE_BYTES))?;
    }
    let name = name.map(|mut bytes| {
        bytes.truncate(NAME_MAX_BYTES);
        String::from_utf8_lossy(&bytes).into_owned()
    });
    Ok(name)
}

/// The first entry of a system use area: two letters, its size, a version, data.
fn entry(area: &[u8]) -> Option<&[u8]> {
    let size = usize::from(u8_at(area, 2));
    area.get(..size).filter(|_| size >= ENTRY_HEAD_BYTES)
}

/// What is behind the name of a directory record.
fn system_use_of(record: &[u8]) -> &[u8] {
    let start = (33 + usize::from(u8_at(record, 32))).next_multiple_of(2);
    record.get(start..).unwrap_or_default()
}
