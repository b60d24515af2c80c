//! What is said of a medium's disk image.

use super::Spanned;

/// `usb "depot.img" table="mbr" label="DEPOT11"`
#[derive(Debug, Clone)]
pub struct Usb {
    /// Relative to the result folder, with `/`; never leaves it.
    pub file: Spanned<String>,
    /// The partition table.
    pub table: PartitionTable,
    /// The volume label; made of the medium's name without it.
    pub label: Option<Spanned<String>>,
    /// The size of the disk; the smallest without it.
    pub size_bytes: Option<Spanned<u64>>,
}

/// How a disk is divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum PartitionTable {
    /// `mbr`
    #[default]
    Mbr,
    /// `gpt`
    Gpt,
}

impl PartitionTable {
    /// The word in definitions.
    pub const fn name(self) -> &'static str {
        match self {
            PartitionTable::Mbr => "mbr",
            PartitionTable::Gpt => "gpt",
        }
    }
}
