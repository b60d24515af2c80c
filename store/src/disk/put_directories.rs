//! Storing directories, thousands at once: one write of leases, one look at the index for them and
//! for all their entries, and what is here already is compared in the order it lies on disk.

use std::collections::{HashMap, HashSet};

use super::batch::DiskBatch;
use crate::reader::OpenSource;
use crate::require::{self, Need};
use crate::shelf::{Container, Found, Kind, Located, Shelf};
use crate::{Digest, Directory, Error};

/// A directory as it will be stored.
struct Encoded {
    digest: Digest,
    bytes: Vec<u8>,
}

impl Encoded {
    fn of(directory: &Directory) -> Self {
        let bytes = directory.encode();
        Encoded { digest: Directory::digest_of_encoding(&bytes), bytes }
    }

    fn found(&self) -> Found {
        Found { kind: Kind::Directory, size_bytes: self.bytes.len() as u64 }
    }
}

/// Stores `directories`, whose entries are in the store, in `batch` or before them in the list.
pub(super) fn put(batch: &mut DiskBatch<'_>, directories: &[Directory]) -> Result<(), Error> {
    let encoded: Vec<Encoded> = directories.iter().map(Encoded::of).collect();
    check(batch, directories, &encoded)?;
    let digests = encoded.iter().map(|it| it.digest);
    let new: Vec<Digest> = digests.filter(|digest| !batch.holds(digest)).collect();
    batch.store().leases.hold(&new)?;
    let here = batch.store().locate_here(&new)?;
    let unharmed = unharmed(batch, &encoded, &here)?;
    for it in encoded {
        // One that is twice in the list is in the batch the second time.
        if !unharmed.contains(&it.digest) && !batch.holds(&it.digest) {
            batch.put_anew(Kind::Directory, it.digest, &it.bytes, it.found())?;
        }
    }
    Ok(())
}

/// Refuses the first directory with an entry that is nowhere.
fn check(
    batch: &DiskBatch<'_>,
    directories: &[Directory],
    encoded: &[Encoded],
) -> Result<(), Error> {
    let needs: Vec<Vec<Need>> = directories.iter().map(require::of_directory).collect();
    let listed: HashSet<Digest> = encoded.iter().map(|it| it.digest).collect();
    let mut outside: Vec<Digest> =
        needs.iter().flatten().map(Need::digest).filter(|it| !listed.contains(it)).collect();
    outside.sort_unstable();
    outside.dedup();
    let mut found = batch.look_up(&outside)?;
    for (needs, it) in needs.iter().zip(encoded) {
        require::check(needs, &found)?;
        found.insert(it.digest, it.found());
    }
    Ok(())
}

/// Those of `encoded` whose bytes are in their places.
fn unharmed(
    batch: &DiskBatch<'_>,
    encoded: &[Encoded],
    here: &HashMap<Digest, Located>,
) -> Result<HashSet<Digest>, Error> {
    let mut placed: Vec<(&Located, &Encoded)> =
        encoded.iter().filter_map(|it| Some((here.get(&it.digest)?, it))).collect();
    placed.sort_unstable_by_key(|(located, _)| (located.container, located.offset_bytes));
    let mut unharmed = HashSet::with_capacity(placed.len());
    let mut open: Option<(Container, OpenSource)> = None;
    for (located, it) in placed {
        let source = match open.take() {
            Some((container, source)) if container == located.container => source,
            _ => match batch.store().source(located.container)?.open(&it.digest) {
                Err(Error::Corrupt { .. }) => continue,
                source => source?,
            },
        };
        match source.holds(located, &it.bytes) {
            true => drop(unharmed.insert(it.digest)),
            false => {
                let (digest, path) = (it.digest, source.path().display());
                tracing::warn!(%digest, %path, "replacing what is damaged");
            }
        }
        open = Some((located.container, source));
    }
    Ok(unharmed)
}
