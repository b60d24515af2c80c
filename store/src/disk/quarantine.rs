//! `quarantine`: damaged files go aside, so that what they held counts as absent and the next build
//! imports or makes it anew.
//!
//! Nothing is deleted, and what is good in a damaged file is never missing for a moment:
//!
//! ```text
//! 1 link the file              into quarantine/
//! 2 copy what is good          members of a pack, parts of a container, and part tables, which
//!                              the index can tell: one batch, one commit
//! 3 remove its old name        unless 2 put a good file there, of the same members
//! 4 remove the damaged rows    one transaction
//! ```
//! Killed before 3, the file is still damaged and the next repair finds less to do; killed after 3,
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
        self.known_places.clear();
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
    let mut damaged: BTreeSet<Digest> = verify::damaged(store, &objects)?.into_iter().collect();
    if damaged.is_empty() {
        return Ok(());
    }
    if let StoredFile::Pack(id) = file {
        // A table: the members are good, or damaged by themselves.
        damaged.remove(id);
    }
    let path = file.path(&store.place);
    tracing::warn!(path = %path.display(), "moving a damaged file to quarantine");
    let is_there = path.exists();
    if is_there {
        done.files.push(link_aside(store, &path)?);
    }
    let mut saving = Saving { store, batch: DiskBatch::new(store), saved: 0 };
    saving.objects(&objects, &damaged)?;
    done.saved += saving.saved;
    let lost: BTreeSet<Digest> =
        damaged.into_iter().filter(|digest| !saving.batch.holds(digest)).collect();
    let pack = saving.batch.commit_within(held)?;
    let is_replaced = match file {
        StoredFile::Pack(id) => pack == Some(*id),
        StoredFile::Object(_, digest) => !lost.contains(digest),
    };
    if is_there && !is_replaced {
        fs::remove_file(&path).map_err(Error::io("remove", &path))?;
    }
    store.index.remove_objects(&lost, file)?;
    done.lost.extend(lost);
    Ok(())
}

/// Copies what is good in a damaged file.
struct Saving<'a> {
    store: &'a DiskStore,
    batch: DiskBatch<'a>,
    saved: usize,
}

impl Saving<'_> {
    fn objects(
        &mut self,
        objects: &[(Digest, Located)],
        damaged: &BTreeSet<Digest>,
    ) -> Result<(), Error> {
        for (digest, located) in objects {
            match (damaged.contains(digest), located.kind) {
                (false, _) => self.saved += usize::from(self.batch.copy(digest, located)?),
                (true, Kind::Blob) => self.parts(digest, located, 0)?,
                (true, Kind::PartTable) => self.table(digest)?,
                (true, Kind::Recipe | Kind::Directory) => {}
            }
        }
        Ok(())
    }

    /// Copies the good parts of a damaged container, and those of its damaged parts.
    fn parts(&mut self, container: &Digest, located: &Located, depth: usize) -> Result<(), Error> {
        let parts = self.store.index.parts_of(container)?;
        let digests: Vec<Digest> = parts.iter().map(|part| part.digest).collect();
        let elsewhere = self.store.locate(&digests)?;
        let lies_here = |part: &&Part| {
            elsewhere.get(&part.digest).is_none_or(|place| place.container == located.container)
        };
        for part in parts.iter().filter(lies_here) {
            let place = located.part(part);
            if self.batch.copy(&part.digest, &place)? {
                self.saved += 1;
            } else if depth < DEPTH_MAX {
                self.parts(&part.digest, &place, depth + 1)?;
            }
        }
        Ok(())
    }

    /// Writes the part table of a container anew: its parts are in the index.
    fn table(&mut self, table: &Digest) -> Result<(), Error> {
        for container in self.store.index.containers_listed_by(table)? {
            self.batch.put_table_anew(&container, &self.store.index.parts_of(&container)?)?;
            self.saved += 1;
        }
        Ok(())
    }
}

/// Gives a file a second name in `quarantine/`, one that is free.
fn link_aside(store: &DiskStore, path: &Path) -> Result<PathBuf, Error> {
    let folder = store.place.quarantine();
    create_folder(&folder)?;
    let name = path.file_name().expect("a stored file has a name").to_string_lossy();
    let numbered = (1..).map(|number| folder.join(format!("{name}.{number}")));
    let target = std::iter::once(folder.join(&*name)).chain(numbered).find(|it| !it.exists());
    let target = target.expect("one of endlessly many names is free");
    fs::hard_link(path, &target)
        .or_else(|_| fs::copy(path, &target).map(drop))
        .map_err(Error::io("keep in quarantine", path))?;
    Ok(target)
}
