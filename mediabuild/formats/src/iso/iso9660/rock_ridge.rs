//! Rock Ridge: what entries of the System Use Sharing Protocol say of a directory record (IEEE
//! P1281, P1282).

use std::collections::BTreeSet;

use super::open::Extent;
use crate::field::{bytes_at, u8_at, u32_at};
use crate::iso::SECTOR_SIZE_BYTES;
use crate::iso::listing::Listing;
use crate::iso::sectors::Sectors;
use crate::iso::time::{iso_record_seconds, iso_volume_seconds};
use crate::source::Source;
use crate::volume::ReadError;

/// The most continuation areas of one record that are followed.
const CONTINUATION_COUNT_MAX: usize = 64;
/// A name is longer than this on no system.
const NAME_MAX_BYTES: usize = 1024;
/// … and where a link leads neither.
const LINK_MAX_BYTES: usize = 8192;
const ENTRY_HEAD_BYTES: usize = 4;
/// Flags of `NM` and `SL`: the next entry goes on, the record is "." or "..".
const CONTINUES: u8 = 1;
const NAME_IS_SPECIAL: u8 = 2 | 4;
/// The kind of file in a mode (POSIX).
const MODE_KIND: u32 = 0o170_000;

/// What a directory record has beyond ISO 9660.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::iso) struct Posix {
    pub(in crate::iso) name: Option<String>,
    /// Where a symbolic link leads.
    pub(in crate::iso) link: Option<String>,
    pub(in crate::iso) mode: Option<u32>,
    pub(in crate::iso) modified_seconds: Option<i64>,
    /// The sector of the directory that is here in truth (`CL`).
    pub(in crate::iso) child_sector: Option<u32>,
    /// It is here only because directories were nested too deep (`RE`).
    pub(in crate::iso) is_relocated: bool,
}

impl Posix {
    /// Whether it is a device, pipe or socket.
    pub(in crate::iso) fn is_special(&self) -> bool {
        let kind = self.mode.map(|mode| mode & MODE_KIND);
        matches!(kind, Some(0o010_000 | 0o020_000 | 0o060_000 | 0o140_000))
    }
}

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

/// Reads the entries of a directory record, those of its continuation areas included; the bytes of
/// these are noted in the listing, as are those of directories.
pub(in crate::iso) fn read<S: Source + ?Sized>(
    sectors: Sectors<'_, S>,
    record: &[u8],
    skip: usize,
    record_offset_bytes: u64,
    listing: &mut Listing,
) -> Result<Posix, ReadError> {
    let mut area = system_use_of(record).get(skip..).unwrap_or_default().to_vec();
    let (mut reading, mut seen) = (Reading::default(), BTreeSet::new());
    for _ in 0..CONTINUATION_COUNT_MAX {
        let Some((sector, offset, size)) = reading.area(&area) else {
            return Ok(reading.finish());
        };
        let offset_bytes = u64::from(sector) * SECTOR_SIZE_BYTES + u64::from(offset);
        if !seen.insert(offset_bytes) {
            let expected = "a continuation area that is once in its record";
            let found = "one that was met before".to_owned();
            return Err(ReadError::Damaged { offset_bytes, expected, found });
        }
        let size_bytes = u64::from(size).min(SECTOR_SIZE_BYTES);
        listing.bytes(size_bytes, record_offset_bytes)?;
        area = sectors.bytes(offset_bytes, size_bytes)?;
    }
    Err(ReadError::Limit {
        offset_bytes: record_offset_bytes,
        what: "continuation areas of one record",
        limit: CONTINUATION_COUNT_MAX as u64,
    })
}

/// Entries taken so far.
#[derive(Default)]
struct Reading {
    posix: Posix,
    name: Vec<u8>,
    is_named: bool,
    /// The name ended in an earlier entry.
    is_name_whole: bool,
    link: Link,
}

impl Reading {
    /// Takes the entries of one area; gives where they go on: sector, offset, size.
    fn area(&mut self, area: &[u8]) -> Option<(u32, u32, u32)> {
        let (mut continuation, mut rest) = (None, area);
        while let Some(entry) = entry(rest) {
            match bytes_at(entry, 0, 2) {
                b"NM" => self.name(entry),
                b"SL" => self.link.take(bytes_at(entry, 5, entry.len())),
                b"PX" => self.posix.mode = Some(u32_at(entry, 4)),
                b"TF" => self.posix.modified_seconds = modified(entry),
                b"CL" => self.posix.child_sector = Some(u32_at(entry, 4)),
                b"RE" => self.posix.is_relocated = true,
                b"CE" => {
                    continuation = Some((u32_at(entry, 4), u32_at(entry, 12), u32_at(entry, 20)));
                }
                b"ST" => break,
                _ => {}
            }
            rest = &rest[entry.len()..];
        }
        continuation
    }

    fn name(&mut self, entry: &[u8]) {
        let flags = u8_at(entry, 4);
        if flags & NAME_IS_SPECIAL != 0 || self.is_name_whole {
            return;
        }
        (self.is_named, self.is_name_whole) = (true, flags & CONTINUES == 0);
        self.name.extend_from_slice(bytes_at(entry, 5, entry.len()));
        self.name.truncate(NAME_MAX_BYTES);
    }

    fn finish(self) -> Posix {
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        let name = self.is_named.then(|| text(self.name));
        let link = self.link.is_one.then(|| text(self.link.path));
        Posix { name, link, ..self.posix }
    }
}

/// Where a symbolic link leads, component by component.
#[derive(Default)]
struct Link {
    is_one: bool,
    path: Vec<u8>,
    /// The last component goes on in the next record.
    is_cut: bool,
}

impl Link {
    /// Takes the component records of one `SL` entry.
    fn take(&mut self, mut records: &[u8]) {
        const CURRENT: u8 = 2;
        const PARENT: u8 = 4;
        const ROOT: u8 = 8;
        self.is_one = true;
        while records.len() >= 2 && self.path.len() < LINK_MAX_BYTES {
            let (flags, size) = (records[0], usize::from(records[1]));
            let component: &[u8] = match flags {
                _ if flags & ROOT != 0 => b"/",
                _ if flags & PARENT != 0 => b"..",
                _ if flags & CURRENT != 0 => b".",
                _ => bytes_at(records, 2, size),
            };
            if !self.path.is_empty() && !self.is_cut && !self.path.ends_with(b"/") {
                self.path.push(b'/');
            }
            self.path.extend_from_slice(component);
            self.is_cut = flags & CONTINUES != 0;
            records = records.get(2 + size..).unwrap_or_default();
        }
    }
}

/// The time of modification in a `TF` entry: behind that of creation, in a short or a long form.
fn modified(entry: &[u8]) -> Option<i64> {
    const CREATED: u8 = 1;
    const MODIFIED: u8 = 2;
    const LONG: u8 = 0x80;
    let flags = u8_at(entry, 4);
    let size = if flags & LONG != 0 { 17 } else { 7 };
    let at = 5 + if flags & CREATED != 0 { size } else { 0 };
    let field = entry.get(at..at + size).filter(|_| flags & MODIFIED != 0)?;
    if flags & LONG != 0 { iso_volume_seconds(field) } else { iso_record_seconds(field) }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn record(entries: &[&[u8]]) -> Vec<u8> {
        let mut record = vec![0; 34];
        record[32] = 1;
        record.extend(entries.concat());
        record
    }

    fn one(letters: &[u8; 2], data: &[u8]) -> Vec<u8> {
        let mut entry = letters.to_vec();
        entry.extend([4 + data.len() as u8, 1]);
        entry.extend(data);
        entry
    }

    fn posix(disc: &[u8], entries: &[&[u8]]) -> Result<Posix, ReadError> {
        let mut listing = Listing::of_disc(disc.len() as u64);
        read(Sectors::of(disc), &record(entries), 0, 7, &mut listing)
    }

    #[test]
    fn entries_go_on_in_continuation_areas() {
        let mut disc = vec![0; 3 * 2048];
        let behind = [one(b"NM", b"\x00part"), one(b"SL", b"\x00\x00\x02op\x00\x01t")].concat();
        disc[2048 + 10..][..behind.len()].copy_from_slice(&behind);
        let mut place = [0; 24];
        (place[0], place[8], place[16]) = (1, 10, behind.len() as u8);
        let slash = one(b"SL", b"\x01\x08\x00\x00\x03usr\x04\x00\x01\x02sh");
        let posix = posix(&disc, &[&one(b"NM", b"\x01first "), &slash, &one(b"CE", &place)]);
        let posix = posix.unwrap();
        assert_eq!(posix.name.as_deref(), Some("first part"));
        assert_eq!(posix.link.as_deref(), Some("/usr/../shop/t"));
    }

    #[test]
    fn continuation_areas_that_never_end_are_refused() {
        let mut disc = vec![0; 3 * 2048];
        let mut place = [0; 24];
        (place[0], place[16]) = (1, 28);
        let area = one(b"CE", &place);
        for at in 0..70 {
            let mut next = place;
            next[8..12].copy_from_slice(&(28 * (at + 1) as u32).to_le_bytes());
            disc[2048 + 28 * at..][..28].copy_from_slice(&one(b"CE", &next));
        }
        let error = posix(&disc, &[&area]).unwrap_err();
        assert_eq!(error.to_string(), "at 7: more than 64 continuation areas of one record");
        disc[2048 + 28 * 9..][..28].copy_from_slice(&area);
        let error = posix(&disc, &[&area]).unwrap_err().to_string();
        let told = "expected a continuation area that is once in its record, found one that was \
                    met before";
        assert_eq!(error, format!("at 2048: {told}"));
        let mut beyond = place;
        beyond[0] = 200;
        assert!(posix(&disc, &[&one(b"CE", &beyond)]).unwrap_err().to_string().contains("409600"));
    }

    #[test]
    fn times_modes_and_places_are_read() {
        let time = [126, 11, 21, 12, 0, 0, 0];
        let mut both = vec![3];
        both.extend([[0; 7], time].concat());
        let found = posix(
            &[],
            &[
                &one(b"TF", &both),
                &one(b"PX", &0o120_777_u32.to_le_bytes()),
                &one(b"CL", &9_u32.to_le_bytes()),
                &one(b"RE", &[]),
            ],
        );
        let found = found.unwrap();
        assert_eq!(found.modified_seconds, Some(1_795_262_400));
        assert_eq!((found.mode, found.child_sector), (Some(0o120_777), Some(9)));
        assert!(found.is_relocated && !found.is_special());
        let mut long = vec![0x82];
        long.extend(b"2026112112000000\0");
        let found = posix(&[], &[&one(b"TF", &long), &one(b"ST", &[]), &one(b"RE", &[])]).unwrap();
        assert_eq!((found.modified_seconds, found.is_relocated), (Some(1_795_262_400), false));
    }
}
