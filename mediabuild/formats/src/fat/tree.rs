//! `Fat`: what FAT with long names takes as names and files.

use super::FILE_MAX_BYTES;
use crate::volume::{self, Rules};

/// The files and directories of a FAT volume.
pub type Tree<C> = volume::Tree<C, Fat>;

/// Windows opens paths of 259 UTF-16 units, `X:\` included.
const PATH_MAX_UNITS: usize = 256;
/// The most UTF-16 units of a long name.
const NAME_MAX_UNITS: usize = 255;

/// FAT of any width.
#[derive(Debug, Clone)]
pub enum Fat {}

impl Rules for Fat {
    const PLACE: &'static str = "a FAT volume";
    const FILE_MAX_BYTES: u64 = FILE_MAX_BYTES;

    fn path_fault(path: &str) -> Option<&'static str> {
        (path.encode_utf16().count() > PATH_MAX_UNITS).then_some(
            "with a drive letter, Windows opens paths of 259 UTF-16 units: this may have 256",
        )
    }

    fn name_fault(name: &str) -> Option<&'static str> {
        (name.encode_utf16().count() > NAME_MAX_UNITS)
            .then_some("a name has at most 255 UTF-16 units")
    }
}
