//! ISO 9660 (ECMA-119): the writer's tree of one text file, its mirrors of all files, and reading of plain, Joliet and Rock
//! Ridge trees.

mod mangle;
pub(super) mod mirror;
pub(super) mod open;
pub(super) mod path_table;
pub(super) mod rock_ridge;
pub(super) mod walk;
pub(super) mod write;

/// Volume descriptor types (8.1.1).
pub(super) const TYPE_BOOT: u8 = 0;
pub(super) const TYPE_PRIMARY: u8 = 1;
pub(super) const TYPE_SUPPLEMENTARY: u8 = 2;
pub(super) const TYPE_TERMINATOR: u8 = 255;
/// 8.1.2.
pub(super) const STANDARD_IDENTIFIER: &[u8; 5] = b"CD001";
/// The flag of a directory record that is a directory's (9.1.6).
pub(super) const FLAG_DIRECTORY: u8 = 2;
/// More records of the same file follow (9.1.6).
pub(super) const FLAG_MULTI_EXTENT: u8 = 0x80;
/// … of another fork of the file that has the same name.
const FLAG_ASSOCIATED: u8 = 4;
