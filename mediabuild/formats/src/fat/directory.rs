//! Directory entries: 32 bytes each, a long name before its short one, last part first.

use super::short_name::{ShortName, checksum};
use super::time::Time;
use crate::field::{bytes_at, put, put_u16, put_u32, u8_at, u16_at};

pub(super) const ENTRY_BYTES: usize = 32;
/// The most bytes of a directory.
pub(super) const DIRECTORY_MAX_BYTES: u64 = 65_536 * ENTRY_BYTES as u64;

pub(super) const ATTRIBUTE_LABEL: u8 = 0x08;
pub(super) const ATTRIBUTE_DIRECTORY: u8 = 0x10;
/// What Windows sets on every file that was not backed up; `mkfs` tools and cameras do as well.
pub(super) const ATTRIBUTE_ARCHIVE: u8 = 0x20;
/// Read-only, hidden, system and label: no file, so part of a long name.
pub(super) const ATTRIBUTE_LONG: u8 = 0x0F;

/// UTF-16 units in one entry, and where they stand.
const LONG_UNITS: usize = 13;
const LONG_PLACES: [usize; LONG_UNITS] = [1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30];
/// Marks the entry of a name's last part, which comes first.
const LONG_LAST: u8 = 0x40;

/// How many entries a name takes, its short one included.
pub(super) fn entry_count(name: &str, needs_long: bool) -> u64 {
    let long = if needs_long { name.encode_utf16().count().div_ceil(LONG_UNITS) } else { 0 };
    1 + long as u64
}

/// The entries of a long name.
pub(super) fn encode_long(name: &str, short: &ShortName) -> Vec<u8> {
    let units: Vec<u16> = name.encode_utf16().collect();
    let parts: Vec<&[u16]> = units.chunks(LONG_UNITS).collect();
    let mut bytes = Vec::with_capacity(parts.len() * ENTRY_BYTES);
    for (at, part) in parts.iter().enumerate().rev() {
        let number = at + 1;
        let mut entry = [0; ENTRY_BYTES];
        let last = if number == parts.len() { LONG_LAST } else { 0 };
        entry[0] = number as u8 | last;
        entry[11] = ATTRIBUTE_LONG;
        entry[13] = checksum(short);
        for (at, place) in LONG_PLACES.into_iter().enumerate() {
            // One 0 ends a part that is not full, FFFF fills what is left.
            let filler = if at == part.len() { 0 } else { 0xFFFF };
            put_u16(&mut entry, place, part.get(at).copied().unwrap_or(filler));
        }
        bytes.extend(entry);
    }
    bytes
}

/// One short entry.
pub(super) fn encode(
    name: &ShortName,
    attributes: u8,
    time: Time,
    cluster: u32,
    size_bytes: u32,
) -> [u8; ENTRY_BYTES] {
    let mut entry = [0; ENTRY_BYTES];
    put(&mut entry, 0, name);
    entry[11] = attributes;
    entry[13] = time.hundredths;
    put_u16(&mut entry, 14, time.time);
    put_u16(&mut entry, 16, time.date);
    put_u16(&mut entry, 18, time.date);
    put_u16(&mut entry, 20, (cluster >> 16) as u16);
    put_u16(&mut entry, 22, time.time);
    put_u16(&mut entry, 24, time.date);
    put_u16(&mut entry, 26, cluster as u16);
    put_u32(&mut entry, 28, size_bytes);
    entry
}

/// A long name whose entries are being read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LongName {
    /// The units found so far, in order.
    units: Vec<u16>,
    /// The number of the entry that must follow; 0 when all are there.
    next: u8,
    checksum: u8,
}

impl LongName {
    /// Takes the next entry. `None`: it does not continue what came before, nor begin a name.
    pub(super) fn take(before: Option<LongName>, entry: &[u8]) -> Option<LongName> {
        let (order, checksum) = (u8_at(entry, 0), u8_at(entry, 13));
        let number = order & !LONG_LAST;
        let mut name = match before {
            _ if order & LONG_LAST != 0 => LongName { units: Vec::new(), next: number, checksum },
            Some(before) if before.next == number && before.checksum == checksum => before,
            _ => return None,
        };
        if !(1..=20).contains(&number) {
            return None;
        }
        let units = LONG_PLACES.map(|place| u16_at(entry, place));
        let end = units.iter().position(|&unit| unit == 0).unwrap_or(LONG_UNITS);
        name.units.splice(0..0, units[..end].iter().copied());
        name.next = number - 1;
        Some(name)
    }

    /// The name, if it is whole and belongs to `short`.
    pub(super) fn of(&self, short: &[u8]) -> Option<String> {
        let short: ShortName = bytes_at(short, 0, 11).try_into().ok()?;
        let is_its = self.next == 0 && self.checksum == checksum(&short);
        is_its.then(|| String::from_utf16_lossy(&self.units))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Option<LongName> {
        bytes.chunks(ENTRY_BYTES).fold(None, LongName::take)
    }

    #[test]
    fn long_names_read_back() {
        let short = *b"NAME~1     ";
        for name in ["a", "thirteen-unit", "fourteen units", "💾 среда.inf", &"x".repeat(255)]
        {
            let bytes = encode_long(name, &short);
            assert_eq!(bytes.len() as u64, 32 * (entry_count(name, true) - 1));
            assert_eq!(read(&bytes).and_then(|it| it.of(&short)).as_deref(), Some(name));
        }
    }

    #[test]
    fn a_long_name_of_another_short_one_is_none() {
        let bytes = encode_long("fourteen units", b"NAME~1     ");
        assert_eq!(read(&bytes).and_then(|it| it.of(b"NAME~2     ")), None);
        assert_eq!(read(&bytes[..32]).and_then(|it| it.of(b"NAME~1     ")), None);
        assert_eq!(read(&bytes[32..]), None);
    }
}
