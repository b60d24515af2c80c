//! FAT: volumes of FAT12, FAT16 and FAT32 with long names, written and read.
//!
//! The writer lays every directory and every file out as one run of clusters, directories first,
//! so a volume is a list of literals, zeros and whole contents like a disc is.
//!
//! ```text
//! sector       content
//! 0            boot sector with the parameters of the volume; no boot code: it starts UEFI only
//! 1            FSInfo                                          (FAT32)
//! 6, 7         copies of both                                  (FAT32)
//! reserved     first FAT, second FAT
//!              root directory                                  (FAT12 and FAT16)
//! data         clusters: directories level by level, files by the order list, then in walk order
//! ```
//!
//! Not here: exFAT, volumes that change in place, code pages. Short names are ASCII.

mod boot_sector;
mod chain;
mod directory;
mod error;
mod geometry;
mod label;
mod options;
mod plan;
mod short_name;
mod table;
mod time;
mod tree;
mod verify;
mod volume;
mod walk;
mod write;

pub use error::WriteError;
pub use geometry::Variant;
pub use options::Options;
pub use tree::{Fat, Tree};
pub use volume::Volume;
pub use write::{Written, smallest_size_bytes, write};

/// Bytes of a sector of the volumes that are written.
pub const SECTOR_SIZE_BYTES: u64 = 512;
/// The largest file: its size is a field of 32 bits.
pub const FILE_MAX_BYTES: u64 = u32::MAX as u64;
/// The size of a 1.44 MB floppy disk, which gets the geometry of one, as Microsoft's `efisys.bin`.
pub const FLOPPY_SIZE_BYTES: u64 = 1_474_560;
