//! `StoredFile`: what the name of a file in `objects/` or `packs/` says.

use std::path::{Path, PathBuf};

use super::place::Place;
use crate::Digest;
use crate::shelf::Kind;

const DIGEST_DIGITS: usize = 64;

/// A file that holds stored bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum StoredFile {
    /// A pack, by its id.
    Pack(Digest),
    /// An object of its own.
    Object(Kind, Digest),
}

impl StoredFile {
    /// Where it lies.
    pub(super) fn path(&self, place: &Place) -> PathBuf {
        match self {
            StoredFile::Pack(id) => place.pack(id),
            StoredFile::Object(kind, digest) => place.object(*kind, digest),
        }
    }

    /// What lies at `path`; `None` if that is no place for stored bytes.
    pub(super) fn at(place: &Place, path: &Path) -> Option<StoredFile> {
        let (stem, suffix) = path.file_name()?.to_str()?.split_at_checked(DIGEST_DIGITS)?;
        let digest = stem.parse().ok()?;
        let kind = Kind::ALL.into_iter().find(|kind| suffix == Place::suffix(*kind))?;
        let candidates = [StoredFile::Pack(digest), StoredFile::Object(kind, digest)];
        candidates.into_iter().find(|file| file.path(place) == path)
    }
}
