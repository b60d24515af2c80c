//! Files that no row names: a commit that was cut short left them, or one of our removals.
//!
//! While the gate is held exclusively no commit is between its renames and its rows, so a file
//! without a row is nobody's, however young it is.

use super::mark::Marks;
use crate::Error;
use crate::disk::stored_file::StoredFile;
use crate::disk::{DiskStore, pack};

/// Those of `files` that the snapshot has no row for.
pub(super) fn candidates(marks: &Marks<'_>, files: &[(StoredFile, u64)]) -> Vec<StoredFile> {
    let snapshot = marks.snapshot;
    let packs: std::collections::HashSet<_> = snapshot.packs.values().map(|it| it.id).collect();
    let is_orphan = |file: &StoredFile| match file {
        StoredFile::Pack(id) => !packs.contains(id),
        StoredFile::Object(kind, digest) => !snapshot.object(digest).is_some_and(|object| {
            snapshot.pack(object).is_none() && snapshot.kind(object) == *kind
        }),
    };
    files.iter().map(|(file, _)| *file).filter(is_orphan).collect()
}

/// Whether `file` has no row now either, and nobody is reading it. Call it with the gate held
/// exclusively.
pub(super) fn is_orphan(
    store: &DiskStore,
    marks: &Marks<'_>,
    file: &StoredFile,
) -> Result<bool, Error> {
    match file {
        StoredFile::Pack(id) => Ok(!store.index.has_pack(id)? && !is_read(store, marks, file)?),
        StoredFile::Object(_, digest) => {
            Ok(store.index.objects_in(file)?.is_empty() && !marks.is_held(digest))
        }
    }
}

/// Whether a living process may have found one of its members in that pack, before they moved.
pub(super) fn is_read(
    store: &DiskStore,
    marks: &Marks<'_>,
    file: &StoredFile,
) -> Result<bool, Error> {
    let members = pack::read_table(&file.path(&store.place))?.unwrap_or_default();
    Ok(members.iter().any(|member| marks.is_held(&member.digest)))
}
