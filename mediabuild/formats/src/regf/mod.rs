//! Registry hives (`regf`): a tree of keys with values, and its file. For small hives such as boot
//! configuration stores: written in one go, read as a whole.
//!
//! ```text
//! +0x0000  base block   regf · sequence twice · time · version 1.3 · root at 0x20 · bins' size · checksum
//! +0x1000  bins         hbin · offset · size, then cells: i32 size (< 0: in use), content
//!            nk  a key: parent, lists of keys and values, security, name
//!            vk  a value: type, size, data (4 bytes and less are in place of its offset), name
//!            lf  keys in the order of their upper-case names      sk  a security descriptor
//! ```
//! Offsets in cells count from the first bin. Not here: transaction logs, security of single keys,
//! classes, changing a hive in place.

mod cells;
mod error;
mod key;
mod read;
mod value;
mod write;

pub use error::Error;
pub use key::Key;
pub use read::{Hive, read};
pub use value::{Value, value_kind};
pub use write::write;

/// The base block, and the unit of bins.
const PAGE_BYTES: usize = 4096;
/// In front of a bin's cells.
const BIN_HEADER_BYTES: usize = 32;
/// In place of the offset of something that is not there.
const NOWHERE: u32 = u32::MAX;
/// How deep Windows nests keys.
const DEPTH_MAX: usize = 512;
/// More than this, and since version 1.4, data is spread over several cells.
const DATA_CELL_MAX_BYTES: usize = 16_344;
/// The fixed part of a key's cell.
const KEY_BYTES: usize = 0x4c;
/// The fixed part of a value's cell.
const VALUE_BYTES: usize = 0x14;
/// Flag of a key whose name has one byte a character.
const KEY_NAME_IS_LATIN_1: u16 = 0x20;
/// The same of a value.
const VALUE_NAME_IS_LATIN_1: u16 = 0x01;
/// In a data size: the data itself is in place of its offset.
const DATA_IN_PLACE: u32 = 0x8000_0000;
/// Where the base block has its checksum: over all before it.
const CHECKSUM_AT: usize = 0x1fc;

/// XOR of the 32-bit words of a base block in front of the checksum; two values stand for errors and
/// are never used.
fn checksum(base_block: &[u8]) -> u32 {
    let (words, _) = base_block[..CHECKSUM_AT].as_chunks::<4>();
    match words.iter().fold(0, |sum, word| sum ^ u32::from_le_bytes(*word)) {
        0 => 1,
        u32::MAX => u32::MAX - 1,
        sum => sum,
    }
}
