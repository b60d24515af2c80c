//! `Options`: what a volume is told besides its tree.

use super::geometry::Variant;
use crate::volume::BOOT_ORDER;

/// Everything that decides a volume's bytes besides its tree.
#[derive(Debug, Clone)]
pub struct Options {
    /// Which FAT.
    pub variant: Variant,
    /// The volume's size, a multiple of 512.
    pub size_bytes: u64,
    /// Where the volume starts on its disk: a multiple of 4096; 0 if it is no partition.
    pub start_bytes: u64,
    /// The label Windows shows: at most 11 ASCII characters, stored in upper case; empty for none.
    pub label: String,
    /// Tells this volume from others; the caller derives it from the contents.
    pub serial: u32,
    /// The one time of all files and directories, in seconds since 1970, UTC.
    pub epoch_seconds: i64,
    /// Paths whose data comes first, as a disc's options have them.
    pub order: Vec<String>,
}

impl Options {
    /// Options of a volume that starts at 0, without a label, with the boot files first.
    pub fn new(variant: Variant, size_bytes: u64, serial: u32, epoch_seconds: i64) -> Self {
        let (label, order) = (String::new(), BOOT_ORDER.map(str::to_owned).to_vec());
        Options { variant, size_bytes, start_bytes: 0, label, serial, epoch_seconds, order }
    }
}
