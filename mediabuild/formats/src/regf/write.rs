//! The writer: equal trees and times give equal bytes.

use super::error::Error;
use super::key::{Key, folded};
use super::value::Value;
use super::{
    BIN_HEADER_BYTES, CHECKSUM_AT, DATA_CELL_MAX_BYTES, DATA_IN_PLACE, DEPTH_MAX, KEY_BYTES,
    KEY_NAME_IS_LATIN_1, NOWHERE, PAGE_BYTES, VALUE_NAME_IS_LATIN_1, checksum,
};
use crate::security::Descriptor;
use crate::wim::FileTime;

/// Of every key: administrators and the system may do everything, others nothing.
const SECURITY: &str = "O:BAG:SYD:P(A;CI;KA;;;BA)(A;CI;KA;;;SY)";
/// More, and Windows makes a list of lists: this is a writer of small hives.
const KEY_COUNT_MAX: usize = 500;
const NAME_MAX_UNITS: usize = 255;
const VALUE_NAME_MAX_UNITS: usize = 16_383;
/// Flags of the root: it is one, it stays, its name is Latin-1.
const ROOT_FLAGS: u16 = 0x0c;
/// Hives end below this.
const BINS_MAX_BYTES: usize = 1 << 30;

/// A hive of `root` and what is in it, last written at `written`. Keys are sorted; values keep
/// their order.
pub fn write(root: &Key, written: FileTime) -> Result<Vec<u8>, Error> {
    let key_count = check(root, 0)?;
    let mut writer = Writer { bins: Bins::default(), written, security: NOWHERE };
    let place = writer.bins.allocate(key_size(root));
    writer.security(key_count);
    writer.key(root, place, NOWHERE, ROOT_FLAGS);
    let bins = writer.bins.finish(written);
    if bins.len() > BINS_MAX_BYTES {
        return Err(unwritable(root, "the hive has more than 1 GiB"));
    }
    let mut bytes = base_block(place, bins.len(), written);
    bytes.extend(bins);
    Ok(bytes)
}

/// Refuses what the format does not take; how many keys there are.
fn check(key: &Key, depth: usize) -> Result<u32, Error> {
    let units = key.name.encode_utf16().count();
    let problem = match () {
        () if depth > DEPTH_MAX => Some("it is more than 512 keys deep"),
        () if units == 0 || units > NAME_MAX_UNITS => Some("names have 1 to 255 characters"),
        () if key.name.contains(['\\', '\0']) => Some("names have no `\\` and no NUL"),
        () if key.keys.len() > KEY_COUNT_MAX => Some("it has more than 500 keys"),
        () if have_doubles(key.keys.iter().map(|key| &key.name)) => {
            Some("two of its keys have one name")
        }
        () if have_doubles(key.values.iter().map(|value| &value.name)) => {
            Some("two of its values have one name")
        }
        () if key.values.iter().any(|value| value.data.len() > DATA_CELL_MAX_BYTES) => {
            Some("a value has more than 16,344 bytes")
        }
        () if key.values.iter().any(|value| name_units(&value.name) > VALUE_NAME_MAX_UNITS) => {
            Some("a value's name has more than 16,383 characters")
        }
        () => None,
    };
    if let Some(reason) = problem {
        return Err(unwritable(key, reason));
    }
    key.keys.iter().try_fold(1, |count, child| Ok(count + check(child, depth + 1)?))
}

fn unwritable(key: &Key, reason: &'static str) -> Error {
    Error::Unwritable { key: key.name.clone(), reason }
}

fn have_doubles<'a>(names: impl Iterator<Item = &'a String>) -> bool {
    let mut names: Vec<Vec<u16>> = names.map(|name| folded(name)).collect();
    names.sort();
    names.windows(2).any(|pair| pair[0] == pair[1])
}

fn name_units(name: &str) -> usize {
    name.encode_utf16().count()
}

/// A name as stored, and whether that is one byte a character.
fn stored_name(name: &str) -> (Vec<u8>, bool) {
    let latin_1: Option<Vec<u8>> = name.chars().map(|it| u8::try_from(it).ok()).collect();
    match latin_1 {
        Some(bytes) => (bytes, true),
        None => (name.encode_utf16().flat_map(u16::to_le_bytes).collect(), false),
    }
}

fn key_size(key: &Key) -> usize {
    KEY_BYTES + stored_name(&key.name).0.len()
}

struct Writer {
    bins: Bins,
    written: FileTime,
    /// The one `sk` cell.
    security: u32,
}

impl Writer {
    /// The descriptor that all keys share: a list of one.
    fn security(&mut self, key_count: u32) {
        let descriptor = Descriptor::from_sddl(SECURITY).and_then(|it| it.encode());
        let descriptor = descriptor.expect("a constant that a test encodes");
        let at = self.bins.allocate(0x14 + descriptor.len());
        let mut cell = Cell::new(b"sk");
        cell.u16(0).u32(at).u32(at).u32(key_count).u32(descriptor.len() as u32);
        cell.bytes(&descriptor);
        self.bins.fill(at, &cell.0);
        self.security = at;
    }

    /// Fills the cell at `place`, and writes all that the key has behind what is there.
    fn key(&mut self, key: &Key, place: u32, parent: u32, flags: u16) {
        let values = self.values(&key.values);
        let keys = self.keys(key, place);
        let (name, is_latin_1) = stored_name(&key.name);
        let flags = flags | if is_latin_1 { KEY_NAME_IS_LATIN_1 } else { 0 };
        let longest = |names: &mut dyn Iterator<Item = &String>| {
            names.map(|name| name_units(name) * 2).max().unwrap_or(0) as u32
        };
        let longest_key = longest(&mut key.keys.iter().map(|key| &key.name));
        let longest_value = longest(&mut key.values.iter().map(|value| &value.name));
        let largest_data = key.values.iter().map(|value| value.data.len()).max().unwrap_or(0);
        let mut cell = Cell::new(b"nk");
        cell.u16(flags).u64(self.written.0).u32(0).u32(parent);
        cell.u32(key.keys.len() as u32).u32(0).u32(keys).u32(NOWHERE);
        cell.u32(key.values.len() as u32).u32(values).u32(self.security).u32(NOWHERE);
        cell.u32(longest_key).u32(0).u32(longest_value).u32(largest_data as u32).u32(0);
        cell.u16(name.len() as u16).u16(0).bytes(&name);
        self.bins.fill(place, &cell.0);
    }

    /// The list of keys, sorted, each with the first four characters of its name.
    fn keys(&mut self, key: &Key, place: u32) -> u32 {
        if key.keys.is_empty() {
            return NOWHERE;
        }
        let mut keys: Vec<&Key> = key.keys.iter().collect();
        keys.sort_by_key(|key| folded(&key.name));
        let mut list = Cell::new(b"lf");
        list.u16(keys.len() as u16);
        for child in keys {
            let at = self.bins.allocate(key_size(child));
            self.key(child, at, place, 0);
            list.u32(at).bytes(&hint(&child.name));
        }
        self.bins.add(&list.0)
    }

    fn values(&mut self, values: &[Value]) -> u32 {
        if values.is_empty() {
            return NOWHERE;
        }
        let mut list = Cell(Vec::new());
        for value in values {
            list.u32(self.value(value));
        }
        self.bins.add(&list.0)
    }

    fn value(&mut self, value: &Value) -> u32 {
        let (name, is_latin_1) = stored_name(&value.name);
        let size_bytes = value.data.len() as u32;
        let (size, data) = if value.data.len() <= 4 {
            let mut in_place = [0; 4];
            in_place[..value.data.len()].copy_from_slice(&value.data);
            (size_bytes | DATA_IN_PLACE, u32::from_le_bytes(in_place))
        } else {
            (size_bytes, self.bins.add(&value.data))
        };
        let mut cell = Cell::new(b"vk");
        cell.u16(name.len() as u16).u32(size).u32(data).u32(value.kind);
        cell.u16(if is_latin_1 { VALUE_NAME_IS_LATIN_1 } else { 0 }).u16(0).bytes(&name);
        self.bins.add(&cell.0)
    }
}

/// What a list says of a name beside its offset.
fn hint(name: &str) -> [u8; 4] {
    let mut hint = [0; 4];
    if let (bytes, true) = stored_name(name) {
        hint.iter_mut().zip(bytes).for_each(|(to, from)| *to = from);
    }
    hint
}

/// Fields of a cell, appended.
struct Cell(Vec<u8>);

impl Cell {
    fn new(magic: &[u8; 2]) -> Cell {
        Cell(magic.to_vec())
    }

    fn u16(&mut self, field: u16) -> &mut Self {
        self.bytes(&field.to_le_bytes())
    }

    fn u32(&mut self, field: u32) -> &mut Self {
        self.bytes(&field.to_le_bytes())
    }

    fn u64(&mut self, field: u64) -> &mut Self {
        self.bytes(&field.to_le_bytes())
    }

    fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.extend_from_slice(bytes);
        self
    }
}

/// All bins. A cell that does not fit into the last one starts another.
#[derive(Default)]
struct Bins {
    bytes: Vec<u8>,
    /// Where the next cell goes.
    next: usize,
    /// Where bins start.
    starts: Vec<usize>,
}

impl Bins {
    /// A cell for `size_bytes`, zeros; its offset.
    fn allocate(&mut self, size_bytes: usize) -> u32 {
        let cell_bytes = (size_bytes + 4).next_multiple_of(8);
        if self.bytes.len() - self.next < cell_bytes {
            self.free_rest();
            let start = self.bytes.len();
            let bin_bytes = (BIN_HEADER_BYTES + cell_bytes).next_multiple_of(PAGE_BYTES);
            self.bytes.resize(start + bin_bytes, 0);
            self.next = start + BIN_HEADER_BYTES;
            self.starts.push(start);
        }
        let at = self.next;
        self.bytes[at..at + 4].copy_from_slice(&(-(cell_bytes as i32)).to_le_bytes());
        self.next += cell_bytes;
        at as u32
    }

    fn fill(&mut self, at: u32, content: &[u8]) {
        let start = at as usize + 4;
        self.bytes[start..start + content.len()].copy_from_slice(content);
    }

    fn add(&mut self, content: &[u8]) -> u32 {
        let at = self.allocate(content.len());
        self.fill(at, content);
        at
    }

    /// What no cell uses is a free cell.
    fn free_rest(&mut self) {
        let rest = (self.bytes.len() - self.next) as u32;
        if rest > 0 {
            self.bytes[self.next..self.next + 4].copy_from_slice(&rest.to_le_bytes());
        }
    }

    fn finish(mut self, written: FileTime) -> Vec<u8> {
        self.free_rest();
        let ends = self.starts.iter().skip(1).copied().chain([self.bytes.len()]);
        for (start, end) in self.starts.iter().copied().zip(ends.collect::<Vec<_>>()) {
            let mut header = Cell(b"hbin".to_vec());
            header.u32(start as u32).u32((end - start) as u32).u64(0);
            header.u64(if start == 0 { written.0 } else { 0 });
            self.bytes[start..start + header.0.len()].copy_from_slice(&header.0);
        }
        self.bytes
    }
}

fn base_block(root: u32, bins_bytes: usize, written: FileTime) -> Vec<u8> {
    let mut block = Cell(b"regf".to_vec());
    block.u32(1).u32(1).u64(written.0);
    // Version 1.3, a hive and no log, loaded as it is.
    block.u32(1).u32(3).u32(0).u32(1);
    block.u32(root).u32(bins_bytes as u32).u32(1);
    let mut bytes = block.0;
    bytes.resize(PAGE_BYTES, 0);
    let sum = checksum(&bytes);
    bytes[CHECKSUM_AT..CHECKSUM_AT + 4].copy_from_slice(&sum.to_le_bytes());
    bytes
}
