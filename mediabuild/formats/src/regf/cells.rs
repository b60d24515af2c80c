//! `Cells`: the cells of a hive that is read. Each is handed out once, so nothing that is read is
//! larger than the file, and no path through it is a loop.

use super::error::Error;
use super::{BIN_HEADER_BYTES, PAGE_BYTES};

/// Every cell, by a walk through all bins: an offset that is no cell's start is refused.
pub(super) struct Cells<'a> {
    /// The file from the first bin on.
    bins: &'a [u8],
    /// In order.
    cells: Vec<Cell>,
}

struct Cell {
    /// From the first bin; of the size field.
    start: u32,
    size_bytes: u32,
    state: State,
}

#[derive(PartialEq)]
enum State {
    Free,
    Unread,
    Read,
}

impl<'a> Cells<'a> {
    /// Walks `bins`.
    pub(super) fn walk(bins: &'a [u8]) -> Result<Cells<'a>, Error> {
        let mut cells = Vec::new();
        let mut at = 0;
        while at < bins.len() {
            let end = bin_end(bins, at)?;
            walk_bin(bins, at + BIN_HEADER_BYTES, end, &mut cells)?;
            at = end;
        }
        Ok(Cells { bins, cells })
    }

    /// The content of the cell at `offset`, which must be in use and not read before.
    pub(super) fn take(&mut self, offset: u32) -> Result<Fields<'a>, Error> {
        let found = self.cells.binary_search_by_key(&offset, |cell| cell.start);
        let file_offset = PAGE_BYTES as u64 + u64::from(offset);
        let wrong = |found: &str| Error::Damaged {
            offset_bytes: file_offset,
            expected: "a cell that is in use, and by one place only",
            found: found.into(),
        };
        let cell = &mut self.cells[found.map_err(|_| wrong("no cell's start"))?];
        match std::mem::replace(&mut cell.state, State::Read) {
            State::Unread => {}
            State::Free => return Err(wrong("a free cell")),
            State::Read => return Err(wrong("a cell that was used before")),
        }
        let start = cell.start as usize;
        let bytes = &self.bins[start + 4..start + cell.size_bytes as usize];
        Ok(Fields { bytes, file_offset: file_offset + 4 })
    }
}

/// Checks a bin's header; where it ends.
fn bin_end(bins: &[u8], at: usize) -> Result<usize, Error> {
    let header = Fields { bytes: &bins[at..], file_offset: (PAGE_BYTES + at) as u64 };
    header.expect_magic(b"hbin", "`hbin`")?;
    if header.u32(4)? as usize != at {
        return Err(header.wrong(4, "the bin's own offset", header.u32(4)?));
    }
    let size = header.u32(8)? as usize;
    let end = at.checked_add(size).filter(|&end| size > 0 && end <= bins.len());
    end.filter(|_| size.is_multiple_of(PAGE_BYTES))
        .ok_or_else(|| header.wrong(8, "a bin of whole pages inside the hive", size as u32))
}

fn walk_bin(bins: &[u8], mut at: usize, end: usize, cells: &mut Vec<Cell>) -> Result<(), Error> {
    while at < end {
        let cell = Fields { bytes: &bins[at..end], file_offset: (PAGE_BYTES + at) as u64 };
        let size = cell.u32(0)? as i32;
        let size_bytes = size.unsigned_abs();
        if size_bytes < 8 || !size_bytes.is_multiple_of(8) || size_bytes as usize > end - at {
            return Err(cell.wrong(0, "a cell of whole 8 bytes inside its bin", size as u32));
        }
        let state = if size < 0 { State::Unread } else { State::Free };
        cells.push(Cell { start: at as u32, size_bytes, state });
        at += size_bytes as usize;
    }
    Ok(())
}

/// Fields of a structure, with its place in the file for errors.
#[derive(Clone, Copy)]
pub(super) struct Fields<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) file_offset: u64,
}

impl<'a> Fields<'a> {
    pub(super) fn slice(&self, at: usize, size_bytes: usize) -> Result<&'a [u8], Error> {
        let end = at.checked_add(size_bytes);
        end.and_then(|end| self.bytes.get(at..end)).ok_or_else(|| Error::Damaged {
            offset_bytes: self.file_offset + at as u64,
            expected: "all of a structure in its cell",
            found: format!("{size_bytes} bytes at {at:#x} of {}", self.bytes.len()),
        })
    }

    pub(super) fn u16(&self, at: usize) -> Result<u16, Error> {
        let bytes = self.slice(at, 2)?;
        Ok(u16::from_le_bytes([bytes[0], bytes[1]]))
    }

    pub(super) fn u32(&self, at: usize) -> Result<u32, Error> {
        let bytes = self.slice(at, 4)?;
        Ok(u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
    }

    pub(super) fn u64(&self, at: usize) -> Result<u64, Error> {
        Ok(u64::from(self.u32(at)?) | u64::from(self.u32(at + 4)?) << 32)
    }

    pub(super) fn expect_magic(&self, magic: &[u8], name: &'static str) -> Result<(), Error> {
        match self.slice(0, magic.len())? {
            found if found == magic => Ok(()),
            found => Err(Error::Damaged {
                offset_bytes: self.file_offset,
                expected: name,
                found: format!("`{}`", found.escape_ascii()),
            }),
        }
    }

    pub(super) fn wrong(&self, at: usize, expected: &'static str, found: u32) -> Error {
        let offset_bytes = self.file_offset + at as u64;
        Error::Damaged { offset_bytes, expected, found: format!("{found:#x}") }
    }
}
