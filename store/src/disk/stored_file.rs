//! `StoredFile`: what the name of a file in `objects/` or `packs/` says.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::place::Place;
use crate::shelf::Kind;
use crate::{Digest, Error};

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

    /// All files there are, in no order, with their lengths. A name that says nothing is left out.
    pub(super) fn list(place: &Place) -> Result<Vec<(StoredFile, u64)>, Error> {
        let mut files = Vec::new();
        list_into(place, &place.packs(), &mut files)?;
        for shard in entries(&place.objects())? {
            list_into(place, &shard, &mut files)?;
        }
        Ok(files)
    }
}

fn list_into(
    place: &Place,
    folder: &Path,
    files: &mut Vec<(StoredFile, u64)>,
) -> Result<(), Error> {
    for path in entries(folder)? {
        let Some(file) = StoredFile::at(place, &path) else { continue };
        match path.symlink_metadata() {
            Ok(metadata) => files.push((file, metadata.len())),
            // It was collected or moved aside just now.
            Err(cause) if is_absence(&cause) => {}
            Err(cause) => return Err(Error::io("look at", &path)(cause)),
        }
    }
    Ok(())
}

/// The paths in `folder`; none if it is not there.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let list = || fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect();
    match list() {
        Err(cause) if is_absence(&cause) => Ok(Vec::new()),
        listed => listed.map_err(Error::io("list", folder)),
    }
}

fn is_absence(cause: &io::Error) -> bool {
    matches!(cause.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}
