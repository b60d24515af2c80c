//! `Options`: what a disc is told besides its tree.

use crate::volume::BOOT_ORDER;

/// A boot image: any content, in the tree or not.
#[derive(Debug, Clone)]
pub struct BootEntry<C> {
    /// The caller's name of its bytes.
    pub content: C,
    /// How many bytes it has.
    pub size_bytes: u64,
}

/// Everything that decides a disc's bytes besides its tree.
#[derive(Debug, Clone)]
pub struct Options<C> {
    /// The label Windows shows: at most 126 Latin-1 characters, or 63 UTF-16 units. The ISO 9660
    /// volume id is made from its first 32 characters: upper case, others than A-Z and 0-9 as `_`.
    pub label: String,
    /// The one time of all files, directories and volumes, in seconds since 1970, UTC.
    pub epoch_seconds: i64,
    /// Tells this disc's volume set from others; the caller derives it from the contents' digests,
    /// never from time or chance (OSTA UDF 1.02, 2.2.2.5 wants it unique).
    pub volume_set_id: [u8; 8],
    /// The image a BIOS loads as a whole and starts: `etfsboot.com`.
    pub bios: Option<BootEntry<C>>,
    /// The FAT image in which UEFI finds `EFI/BOOT/BOOTX64.EFI`: `efisys.bin`.
    pub uefi: Option<BootEntry<C>>,
    /// Paths whose data comes first, in this order; the rest follows in walk order. `*` and `?` stand
    /// for characters of one component, `**` for any components, a directory for all it holds; case
    /// does not matter. See [`BOOT_ORDER`].
    pub order: Vec<String>,
    /// Whether ISO 9660 (8.3 names) and Joliet trees say where the files are too, for readers
    /// without UDF. They take names of 64 UTF-16 units, and folders eight deep.
    pub is_mirrored: bool,
}

impl<C> Options<C> {
    /// Options without boot entries, with [`BOOT_ORDER`].
    pub fn new(label: impl Into<String>, epoch_seconds: i64, volume_set_id: [u8; 8]) -> Self {
        let order = BOOT_ORDER.map(str::to_owned).to_vec();
        let (bios, uefi, is_mirrored) = (None, None, false);
        let label = label.into();
        Options { label, epoch_seconds, volume_set_id, bios, uefi, order, is_mirrored }
    }
}
