//! Partition tables: MBR and GPT, of the disks with one partition that we write, and of any disk
//! that is read.
//!
//! ```text
//! sector        content
//! 0             MBR: one active partition of type 0x0C, or the protective one of a GPT
//! 1, 2-33       GPT: header, 128 entries
//! 2048          the partition
//! last 33       GPT: entries, header                 (a mebibyte is kept for them)
//! ```
//!
//! Not here: logical partitions of extended ones, other sectors than 512 bytes.

mod crc32;
mod gpt;
mod guid;
mod mbr;
mod part;
mod read;
mod write;

pub use crate::volume::ReadError;
pub use guid::Guid;
pub use part::Part;
pub use read::{Partition, Table};
pub use write::{Disk, PARTITION_START_BYTES, Scheme};

/// Bytes of a sector.
pub const SECTOR_SIZE_BYTES: u64 = 512;
