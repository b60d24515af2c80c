//! `Udf`: what UDF takes as names and files.

use super::udf::file::FILE_MAX_BYTES;
use super::udf::text::characters_size_bytes;
use crate::volume::{self, Rules};

/// The files and directories of a disc.
pub type Tree<C> = volume::Tree<C, Udf>;

/// The deepest a file or directory may lie; the reader has the same limit.
pub(super) const DEPTH_MAX: usize = 256;
/// The most bytes of a path (OSTA UDF 1.02, 2: basic restrictions, maximum path size).
const PATH_MAX_BYTES: usize = 1023;
/// The most bytes a UDF file identifier has, its compression id excluded (OSTA UDF 1.02, 2.3.4.3).
const NAME_MAX_BYTES: usize = 254;

/// UDF, as discs have it.
#[derive(Debug, Clone)]
pub enum Udf {}

impl Rules for Udf {
    const PLACE: &'static str = "a disc";
    const FILE_MAX_BYTES: u64 = FILE_MAX_BYTES;

    fn path_fault(path: &str) -> Option<&'static str> {
        if path.split('/').count() > DEPTH_MAX {
            return Some("a path has at most 256 components");
        }
        (characters_size_bytes(path) > PATH_MAX_BYTES)
            .then_some("a path has at most 1023 bytes: Latin-1 characters, else UTF-16 units")
    }

    fn name_fault(name: &str) -> Option<&'static str> {
        (characters_size_bytes(name) > NAME_MAX_BYTES)
            .then_some("a name has at most 254 bytes: Latin-1 characters, else UTF-16 units")
    }
}
