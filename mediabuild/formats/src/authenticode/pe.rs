//! `Pe`: where a program has what a signature leaves out, and its signatures.

use std::ops::Range;

use super::error::Error;

/// The places in a PE file that signatures are about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pe {
    /// What it runs on: `0x8664` is x64.
    pub machine: u16,
    /// Where `PE\0\0` stands.
    pub(super) headers: usize,
    /// Where the directories start, and how many there are.
    pub(super) directories: (usize, usize),
    /// Its checksum, which signing changes.
    checksum: Range<usize>,
    /// Where it says where its certificate table is, which signing changes too.
    directory: Range<usize>,
    /// The certificate table; empty without one.
    table: Range<usize>,
}

const PE_AT_AT: usize = 0x3c;
/// From `PE\0\0` to the optional header.
pub(super) const FILE_HEADER_BYTES: usize = 24;
/// In the optional header.
const CHECKSUM_AT: usize = 64;
/// The magic of PE32 and where its directories start; the same of PE32+.
const PE32: (u16, usize) = (0x10b, 96);
const PE32_PLUS: (u16, usize) = (0x20b, 112);
/// The certificate table's number among the directories.
const CERTIFICATE_TABLE: usize = 4;
/// In front of each certificate: size, revision, type.
const ENTRY_HEADER_BYTES: usize = 8;
/// The type of PKCS#7 SignedData.
const PKCS_SIGNED_DATA: u16 = 2;
/// Far more than any program has.
const ENTRY_COUNT_MAX: usize = 16;

impl Pe {
    /// Reads the headers.
    pub fn parse(bytes: &[u8]) -> Result<Pe, Error> {
        if !bytes.starts_with(b"MZ") {
            return Err(not_pe(bytes, 0, 2, "`MZ`"));
        }
        let at = u32_at(bytes, PE_AT_AT)? as usize;
        if bytes.get(at..).is_none_or(|rest| !rest.starts_with(b"PE\0\0")) {
            return Err(not_pe(bytes, at, 4, r"`PE\0\0`"));
        }
        let optional = at + FILE_HEADER_BYTES;
        let directories = match u16_at(bytes, optional)? {
            magic if magic == PE32.0 => optional + PE32.1,
            magic if magic == PE32_PLUS.0 => optional + PE32_PLUS.1,
            _ => return Err(not_pe(bytes, optional, 2, "the magic of PE32 or PE32+")),
        };
        let checksum = optional + CHECKSUM_AT;
        // The count of directories stands in front of them.
        let count = u32_at(bytes, directories - 4)? as usize;
        let mut pe = Pe {
            machine: u16_at(bytes, at + 4)?,
            headers: at,
            directories: (directories, count),
            checksum: checksum..checksum + 4,
            directory: bytes.len()..bytes.len(),
            table: bytes.len()..bytes.len(),
        };
        if count > CERTIFICATE_TABLE {
            let directory = directories + CERTIFICATE_TABLE * 8;
            pe.table = certificate_table(bytes, directory)?;
            pe.directory = directory..directory + 8;
        }
        Ok(pe)
    }

    /// What a signature is over: all but the checksum, the table's place, and the table.
    pub fn signed<'a>(&self, bytes: &'a [u8]) -> [&'a [u8]; 3] {
        let first = &bytes[..self.checksum.start];
        let second = &bytes[self.checksum.end..self.directory.start];
        let third = bytes.get(self.directory.end..self.table.start).unwrap_or_default();
        [first, second, third]
    }

    /// PKCS#7 blobs, with their offsets; zeros may be behind what each holds.
    pub(super) fn certificates<'a>(
        &self,
        bytes: &'a [u8],
    ) -> Result<Vec<(usize, &'a [u8])>, Error> {
        let mut found = Vec::new();
        let mut at = self.table.start;
        let mut count = 0;
        while at < self.table.end {
            let size = u32_at(bytes, at)? as usize;
            let end = at.checked_add(size).filter(|&end| end <= self.table.end);
            let end = end.filter(|_| size >= ENTRY_HEADER_BYTES).ok_or_else(|| {
                damaged(at, "the size of a certificate in its table", format!("{size:#x}"))
            })?;
            count += 1;
            if count > ENTRY_COUNT_MAX {
                let (what, limit) = ("certificates", ENTRY_COUNT_MAX);
                return Err(Error::Limit { offset_bytes: at as u64, what, limit });
            }
            if u16_at(bytes, at + 6)? == PKCS_SIGNED_DATA {
                found.push((at + ENTRY_HEADER_BYTES, &bytes[at + ENTRY_HEADER_BYTES..end]));
            }
            at = end.next_multiple_of(8);
        }
        Ok(found)
    }
}

/// The table that the directory entry names: at the end of the file, behind all that is signed.
fn certificate_table(bytes: &[u8], directory: usize) -> Result<Range<usize>, Error> {
    let start = u32_at(bytes, directory)? as usize;
    let size = u32_at(bytes, directory + 4)? as usize;
    if size == 0 {
        return Ok(bytes.len()..bytes.len());
    }
    let end = start.checked_add(size).filter(|&end| end <= bytes.len());
    match end {
        Some(end) if start >= directory + 8 && bytes[end..].iter().all(|byte| *byte == 0) => {
            Ok(start..end)
        }
        _ => {
            let found = format!("{size:#x} bytes at {start:#x} of {:#x}", bytes.len());
            Err(damaged(directory, "a certificate table at the file's end", found))
        }
    }
}

pub(super) fn u16_at(bytes: &[u8], at: usize) -> Result<u16, Error> {
    let field = bytes.get(at..).and_then(|rest| rest.first_chunk());
    field.map(|it| u16::from_le_bytes(*it)).ok_or_else(|| ended(bytes, at))
}

pub(super) fn u32_at(bytes: &[u8], at: usize) -> Result<u32, Error> {
    let field = bytes.get(at..).and_then(|rest| rest.first_chunk());
    field.map(|it| u32::from_le_bytes(*it)).ok_or_else(|| ended(bytes, at))
}

fn ended(bytes: &[u8], at: usize) -> Error {
    damaged(at, "all of the headers", format!("a file of {:#x} bytes", bytes.len()))
}

pub(super) fn damaged(at: usize, expected: &'static str, found: String) -> Error {
    Error::Damaged { offset_bytes: at as u64, expected, found }
}

fn not_pe(bytes: &[u8], at: usize, size: usize, expected: &'static str) -> Error {
    let found = match bytes.get(at..) {
        Some(rest) if !rest.is_empty() => {
            format!("`{}`", rest[..rest.len().min(size)].escape_ascii())
        }
        _ => "the file's end".into(),
    };
    Error::NotPe { offset_bytes: at as u64, expected, found }
}
