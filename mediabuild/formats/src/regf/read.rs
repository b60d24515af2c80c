//! The reader. Memory is bounded by the file's size: each cell is read once.

use super::cells::{Cells, Fields};
use super::error::Error;
use super::key::Key;
use super::value::Value;
use super::{
    CHECKSUM_AT, DATA_CELL_MAX_BYTES, DATA_IN_PLACE, DEPTH_MAX, KEY_BYTES, KEY_NAME_IS_LATIN_1,
    NOWHERE, PAGE_BYTES, VALUE_BYTES, VALUE_NAME_IS_LATIN_1, checksum,
};
use crate::wim::FileTime;

/// A hive that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hive {
    /// The root.
    pub root: Key,
    /// When it was written.
    pub written: FileTime,
    /// Whether its last change was written to its end: else a log beside it has the rest.
    pub is_complete: bool,
}

/// Reads a whole hive.
pub fn read(bytes: &[u8]) -> Result<Hive, Error> {
    if !bytes.starts_with(b"regf") {
        let found = match bytes {
            [] => "an empty file".into(),
            _ => format!("`{}`", bytes[..bytes.len().min(4)].escape_ascii()),
        };
        return Err(Error::NotAHive { found });
    }
    let base = Fields { bytes, file_offset: 0 };
    let block = base.slice(0, PAGE_BYTES)?;
    if base.u32(CHECKSUM_AT)? != checksum(block) {
        return Err(base.wrong(CHECKSUM_AT, "the base block's checksum", base.u32(CHECKSUM_AT)?));
    }
    let (major, minor) = (base.u32(0x14)?, base.u32(0x18)?);
    if major != 1 || !(2..=6).contains(&minor) {
        return Err(base.wrong(0x18, "version 1.2 to 1.6", minor));
    }
    let bins_size = base.u32(0x28)? as usize;
    let bins = base.slice(PAGE_BYTES, bins_size)?;
    let mut reader = Reader { cells: Cells::walk(bins)?, has_spread_data: minor >= 4 };
    Ok(Hive {
        root: reader.key(base.u32(0x24)?, 0)?,
        written: FileTime(base.u64(0x0c)?),
        is_complete: base.u32(4)? == base.u32(8)?,
    })
}

struct Reader<'a> {
    cells: Cells<'a>,
    /// Whether large data lies in several cells.
    has_spread_data: bool,
}

impl Reader<'_> {
    fn key(&mut self, offset: u32, depth: usize) -> Result<Key, Error> {
        let cell = self.cells.take(offset)?;
        cell.expect_magic(b"nk", "a key, `nk`")?;
        if depth > DEPTH_MAX {
            return Err(cell.wrong(0, "at most 512 keys above a key", depth as u32));
        }
        let is_latin_1 = cell.u16(2)? & KEY_NAME_IS_LATIN_1 != 0;
        let name = name(&cell, KEY_BYTES, cell.u16(0x48)?, is_latin_1)?;
        let mut key = Key::new(name);
        for value in self.value_offsets(&cell)? {
            key.values.push(self.value(value)?);
        }
        for child in self.key_offsets(&cell)? {
            key.keys.push(self.key(child, depth + 1)?);
        }
        Ok(key)
    }

    fn value_offsets(&mut self, key: &Fields<'_>) -> Result<Vec<u32>, Error> {
        let count = key.u32(0x24)? as usize;
        if count == 0 {
            return Ok(Vec::new());
        }
        let list = self.cells.take(key.u32(0x28)?)?;
        offsets(&list, 0, count, 4)
    }

    fn key_offsets(&mut self, key: &Fields<'_>) -> Result<Vec<u32>, Error> {
        let (count, list) = (key.u32(0x14)? as usize, key.u32(0x1c)?);
        if count == 0 {
            return Ok(Vec::new());
        }
        let list = self.cells.take(list)?;
        let found = if list.slice(0, 2)? == b"ri" {
            let mut all = Vec::new();
            for part in offsets(&list, 4, list.u16(2)?.into(), 4)? {
                all.extend(leaf(&self.cells.take(part)?)?);
            }
            all
        } else {
            leaf(&list)?
        };
        if found.len() != count {
            return Err(key.wrong(0x14, "the number of keys in its list", count as u32));
        }
        Ok(found)
    }

    fn value(&mut self, offset: u32) -> Result<Value, Error> {
        let cell = self.cells.take(offset)?;
        cell.expect_magic(b"vk", "a value, `vk`")?;
        let is_latin_1 = cell.u16(0x10)? & VALUE_NAME_IS_LATIN_1 != 0;
        let name = name(&cell, VALUE_BYTES, cell.u16(2)?, is_latin_1)?;
        Ok(Value { name, kind: cell.u32(0x0c)?, data: self.data(&cell)? })
    }

    fn data(&mut self, value: &Fields<'_>) -> Result<Vec<u8>, Error> {
        let size = value.u32(4)?;
        if size & DATA_IN_PLACE != 0 {
            let size_bytes = (size & !DATA_IN_PLACE) as usize;
            if size_bytes > 4 {
                return Err(value.wrong(4, "at most 4 bytes in place", size));
            }
            return Ok(value.slice(8, size_bytes)?.to_vec());
        }
        let offset = value.u32(8)?;
        if size == 0 && offset == NOWHERE {
            return Ok(Vec::new());
        }
        let cell = self.cells.take(offset)?;
        let is_spread = self.has_spread_data && size as usize > DATA_CELL_MAX_BYTES;
        if is_spread && cell.slice(0, 2)? == b"db" {
            return self.spread_data(&cell, size as usize);
        }
        Ok(cell.slice(0, size as usize)?.to_vec())
    }

    /// Data that lies in several cells, all full but the last.
    fn spread_data(&mut self, head: &Fields<'_>, size_bytes: usize) -> Result<Vec<u8>, Error> {
        let list = self.cells.take(head.u32(4)?)?;
        let mut data = Vec::new();
        for piece in offsets(&list, 0, head.u16(2)?.into(), 4)? {
            let piece = self.cells.take(piece)?;
            data.extend(piece.slice(0, (size_bytes - data.len()).min(DATA_CELL_MAX_BYTES))?);
        }
        if data.len() != size_bytes {
            return Err(head.wrong(2, "as many cells as the data needs", head.u16(2)?.into()));
        }
        Ok(data)
    }
}

/// The keys of a list that is no list of lists.
fn leaf(list: &Fields<'_>) -> Result<Vec<u32>, Error> {
    let entry_bytes = match list.slice(0, 2)? {
        b"lf" | b"lh" => 8,
        b"li" => 4,
        _ => return Err(list.wrong(0, "a list of keys, `lf`, `lh` or `li`", list.u16(0)?.into())),
    };
    offsets(list, 4, list.u16(2)?.into(), entry_bytes)
}

/// The first field of each entry.
fn offsets(
    list: &Fields<'_>,
    at: usize,
    count: usize,
    entry_bytes: usize,
) -> Result<Vec<u32>, Error> {
    let entries = list.slice(at, count.saturating_mul(entry_bytes))?.chunks_exact(entry_bytes);
    Ok(entries.map(|it| u32::from_le_bytes([it[0], it[1], it[2], it[3]])).collect())
}

fn name(cell: &Fields<'_>, at: usize, size_bytes: u16, is_latin_1: bool) -> Result<String, Error> {
    let bytes = cell.slice(at, size_bytes.into())?;
    if is_latin_1 {
        return Ok(bytes.iter().copied().map(char::from).collect());
    }
    let (units, rest) = bytes.as_chunks::<2>();
    let units = units.iter().map(|unit| u16::from_le_bytes(*unit));
    let text: Option<String> = char::decode_utf16(units).collect::<Result<_, _>>().ok();
    text.filter(|_| rest.is_empty()).ok_or_else(|| Error::Damaged {
        offset_bytes: cell.file_offset + at as u64,
        expected: "a name in UTF-16",
        found: format!("`{}`", bytes.escape_ascii()),
    })
}
