//! ISO: disc images with UDF 1.02, ISO 9660 and El Torito.
//!
//! The writer makes what Windows media are: a UDF tree that holds every file, an ISO 9660 tree that
//! holds one text file, and boot entries for BIOS and UEFI. Why UDF: an ISO 9660 directory record
//! has a 32-bit length, `install.wim` does not.
//!
//! ```text
//! sector   content
//! 0-15     system area, zeros
//! 16       ISO 9660 primary volume descriptor
//! 17       El Torito boot record            (only if bootable; what follows moves up otherwise)
//! 18       volume descriptor set terminator
//! 19-21    BEA01 NSR02 TEA01
//! 22       boot catalog
//! 32-47    main volume descriptor sequence
//! 48-63    reserve volume descriptor sequence
//! 64-65    logical volume integrity descriptor, terminating descriptor
//! 66-69    ISO 9660 root directory, L path table, M path table, README.TXT
//! 256      anchor
//! 257      partition: file set descriptor, terminating descriptor, boot images that are no files,
//!          per directory its file entry and identifiers, one file entry per file, the files' data
//! last     anchor, at 288 or behind
//! ```
//!
//! With [`Options::is_mirrored`] Joliet's descriptor comes at 18 and moves what follows up by one,
//! and the partition has, behind its first terminating descriptor, the path tables and directories of ISO 9660
//! and of Joliet, which then show every file.
//!
//! The reader takes any disc image: UDF, Joliet, Rock Ridge and plain ISO 9660.

mod disc;
mod disc_file;
mod dump;
mod el_torito;
mod error;
mod iso9660;
mod listing;
mod options;
mod out;
mod places;
mod plan;
mod report;
mod sectors;
mod set;
mod time;
mod tree;
mod udf;
mod verify;
mod write;

pub use disc::{BootCatalog, BootImage, Disc, Finding, View};
pub use disc_file::DiscFile;
pub use error::WriteError;
pub use options::{BootEntry, Options};
pub use set::{SetError, SetFile, SetRequest, Share, distribute};
pub use tree::{Tree, Udf};
pub use write::{Written, measure, write};

/// Bytes of a sector of a disc, of a UDF logical block and of an ISO 9660 logical block.
pub const SECTOR_SIZE_BYTES: u64 = 2048;
