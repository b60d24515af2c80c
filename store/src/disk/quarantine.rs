//! `quarantine`: damaged files go aside, so that what they held counts as absent and the next build
//! imports or makes it anew.
//!
//! Nothing is deleted, and what is good in a damaged file is never missing for a moment:
//!
//! ```text
//! 1 copy what is good          members of a pack, parts of a container: one batch, one commit
//! 2 rename the file            to quarantine/
//! 3 remove the damaged rows    one transaction
//! ```
//! Killed after 1, the file is still damaged and the next repair finds less to do; killed after 2,
//! rows name a file that is gone, which counts as absent. All of it happens with the gate held, so
//! no commit puts a good file to the place of the damaged one in between.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::batch::DiskBatch;
use super::gate::Held;
use super::place::create_folder;
use super::stored_file::StoredFile;
use super::{DiskStore, verify};
use crate::shelf::{Kind, Located, Shelf};
use crate::{Digest, Error, Part, Problem};

/// How deep damaged containers are searched for good parts; deeper ones than [`locate`] finds do
/// not exist.
///
/// [`locate`]: super::index
const DEPTH_MAX: usize = 8;

/// What a repair did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Quarantined {
    /// Where the damaged files are now.
    pub files: Vec<PathBuf>,
    /// How many good things were copied out of them.
    pub saved: usize,
    /// What is gone until it is imported or made anew.
    pub lost: Vec<Digest>,
}

impl DiskStore {
    /// Moves the files that `problems` (found by [`Store::verify`](crate::Store::verify)) are about
    /// to `quarantine/`, after copying what is good in them. Looks at each again first: a file that
    /// was healed since stays. The contents that were damaged count as absent afterwards.
    pub fn quarantine(&self, problems: &[Problem]) -> Result<Quarantined, Error> {
        let paths: BTreeSet<&Path> = problems.iter().map(|it| it.path.as_path()).collect();
        let mut done = Quarantined::default();
        let held = self.place.gate()?.exclusive()?;
        for path in paths {
            if let Some(file) = StoredFile::at(&self.place, path) {
                quarantine_file(self, &file, &held, &mut done)?;
            }
        }
        self.known_whole.clear();
        Ok(done)
    }
}

fn quarantine_file(
    store: &DiskStore,
    file: &StoredFile,
    held: &Held,
    done: &mut Quarantined,
) -> Result<(), Error> {
    let objects = store.index.objects_in(file)?;
    let damaged: BTreeSet<Digest> = verify::damaged(store, &objects)?.into_iter().collect();
    if damaged.is_empty() {
        return Ok(());
    }
    let path = file.path(&store.place);
    tracing::warn!(path = %path.display(), "moving a damaged file to quarantine");
    if path.exists() {
        done.saved += save(store, &objects, &damaged, held)?;
        done.files.push(set_aside(store, &path)?);
    }
    store.index.remove_objects(&damaged, file)?;
    done.lost.extend(damaged);
    Ok(())
}

/// Copies what is good of a file's objects; answers how many things that was.
fn save(
    store: &DiskStore,
    objects: &[(Digest, Located)],
    damaged: &BTreeSet<Digest>,
    held: &Held,
) -> Result<usize, Error> {
    let mut batch = DiskBatch::new(store);
    let mut saved = 0;
    for (digest, located) in objects {
        match damaged.contains(digest) {
            false => saved += usize::from(batch.copy(digest, located)?),
            true if located.kind == Kind::Blob => {
                saved += save_parts(store, &mut batch, digest, located, 0)?;
            }
            true => {}
        }
    }
    batch.commit_within(held)?;
    Ok(saved)
}

/// Copies the good parts of a damaged container, and those of its damaged parts.
fn save_parts(
    store: &DiskStore,
    batch: &mut DiskBatch<'_>,
    container: &Digest,
    located: &Located,
    depth: usize,
) -> Result<usize, Error> {
    let parts = store.index.parts_of(container)?;
    let digests: Vec<Digest> = parts.iter().map(|part| part.digest).collect();
    let elsewhere = store.locate(&digests)?;
    let lies_here = |part: &&Part| {
        elsewhere.get(&part.digest).is_none_or(|place| place.container == located.container)
    };
    let mut saved = 0;
    for part in parts.iter().filter(lies_here) {
        let place = located.part(part);
        if batch.copy(&part.digest, &place)? {
            saved += 1;
        } else if depth < DEPTH_MAX {
            saved += save_parts(store, batch, &part.digest, &place, depth + 1)?;
        }
    }
    Ok(saved)
}

/// Moves a file to `quarantine/`, under a name that is free.
fn set_aside(store: &DiskStore, path: &Path) -> Result<PathBuf, Error> {
    let folder = store.place.quarantine();
    create_folder(&folder)?;
    let name = path.file_name().expect("a stored file has a name").to_string_lossy();
    let numbered = (1..).map(|number| folder.join(format!("{name}.{number}")));
    let target = std::iter::once(folder.join(&*name)).chain(numbered).find(|it| !it.exists());
    let target = target.expect("one of endlessly many names is free");
    fs::rename(path, &target).map_err(Error::io("move aside", path))?;
    Ok(target)
}
