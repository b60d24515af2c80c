//! `MemoryStore`: a store that lives and dies with the process, for tests of builders.

mod batch;
mod shelves;

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard};

use batch::MemoryBatch;
use shelves::Shelves;

use crate::reader::{Source, resolve};
use crate::shelf::{self, Container, Kind, Located, Shelf};
use crate::whole::{KnownWhole, whole};
use crate::{
    Batch, Conflict, Content, DerivationId, DerivationLock, Digest, Directory, Error, Output, Part,
    Problem, RandomReader, Reader, Recipe, Root, Store,
};

/// A store in memory. Its secret key is a constant: it keeps no secret from anybody.
#[derive(Default)]
pub struct MemoryStore {
    shelves: Mutex<Shelves>,
    /// Derivations that somebody builds.
    locked: Mutex<HashSet<DerivationId>>,
}

/// A derivation's lock.
struct Locked<'a> {
    store: &'a MemoryStore,
    id: DerivationId,
}

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        self.store.locked().remove(&self.id);
    }
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        MemoryStore::default()
    }

    fn lock(&self) -> MutexGuard<'_, Shelves> {
        self.shelves.lock().expect("no holder of this lock panics")
    }

    fn locked(&self) -> MutexGuard<'_, HashSet<DerivationId>> {
        self.locked.lock().expect("no holder of this lock panics")
    }

    fn located(&self, digest: &Digest, kind: Kind) -> Result<Option<Located>, Error> {
        Ok(shelf::locate_one(self, digest)?.filter(|located| located.kind == kind))
    }
}

impl Shelf for MemoryStore {
    fn locate(&self, digests: &[Digest]) -> Result<HashMap<Digest, Located>, Error> {
        let shelves = self.lock();
        let locate = |digest: &Digest| Some((*digest, shelves.locate(digest)?));
        Ok(digests.iter().filter_map(locate).collect())
    }

    fn locate_here(&self, digests: &[Digest]) -> Result<HashMap<Digest, Located>, Error> {
        self.locate(digests)
    }

    fn source(&self, container: Container) -> Result<Source, Error> {
        match container {
            Container::Object(_, digest) => {
                self.lock().bytes(&digest).map(Source::Memory).ok_or(Error::Missing(digest))
            }
            Container::Pack(_) => unreachable!("there are no packs in memory"),
        }
    }
}

impl Store for MemoryStore {
    fn find(&self, digest: &Digest) -> Result<Option<Content>, Error> {
        Ok(shelf::locate_one(self, digest)?.and_then(|located| located.content(*digest)))
    }

    fn open(&self, digest: &Digest) -> Result<Reader, Error> {
        resolve(self, digest).map(Reader::new)
    }

    fn open_at(&self, digest: &Digest) -> Result<RandomReader, Error> {
        resolve(self, digest).map(RandomReader::new)
    }

    fn recipe(&self, digest: &Digest) -> Result<Option<Recipe>, Error> {
        let located = self.located(digest, Kind::Recipe)?;
        located.map(|located| shelf::load_recipe(self, digest, &located)).transpose()
    }

    fn parts(&self, container: &Digest) -> Result<Vec<Part>, Error> {
        Ok(self.lock().parts(container))
    }

    fn directory(&self, digest: &Digest) -> Result<Directory, Error> {
        let located = self.located(digest, Kind::Directory)?.ok_or(Error::Missing(*digest))?;
        shelf::load_directory(self, digest, &located)
    }

    fn realisation(&self, id: &DerivationId) -> Result<Option<Output>, Error> {
        let Some(output) = self.lock().realisation(id) else { return Ok(None) };
        Ok(self.is_whole(&output)?.then_some(output))
    }

    fn recorded(&self, ids: &[DerivationId]) -> Result<Vec<Option<Output>>, Error> {
        let shelves = self.lock();
        Ok(ids.iter().map(|id| shelves.realisation(id)).collect())
    }

    fn try_lock_derivation(&self, id: &DerivationId) -> Result<Option<DerivationLock<'_>>, Error> {
        let is_free = self.locked().insert(*id);
        Ok(is_free.then(|| DerivationLock::new(Locked { store: self, id: *id })))
    }

    fn conflicts(&self) -> Result<Vec<Conflict>, Error> {
        Ok(self.lock().conflicts())
    }

    fn is_whole(&self, output: &Output) -> Result<bool, Error> {
        let whole = whole(self, &[*output], &KnownWhole::default())?;
        Ok(whole[0].is_some())
    }

    fn memo(&self, table: &str, key: &Digest) -> Result<Option<Vec<u8>>, Error> {
        Ok(self.lock().memo(table, key))
    }

    fn memos(&self, table: &str, keys: &[Digest]) -> Result<Vec<Option<Vec<u8>>>, Error> {
        let shelves = self.lock();
        Ok(keys.iter().map(|key| shelves.memo(table, key)).collect())
    }

    fn batch(&self) -> Result<Box<dyn Batch + '_>, Error> {
        Ok(Box::new(MemoryBatch::new(self)))
    }

    fn root(&self, name: &str) -> Result<Option<Root>, Error> {
        Ok(self.lock().root(name))
    }

    fn roots(&self) -> Result<Vec<Root>, Error> {
        Ok(self.lock().roots())
    }

    fn set_root(&self, root: &Root) -> Result<(), Error> {
        self.lock().set_root(root);
        Ok(())
    }

    /// Nothing is ever collected here.
    fn touch_root(&self, _name: &str) {}

    fn remove_root(&self, name: &str) -> Result<(), Error> {
        self.lock().remove_root(name);
        Ok(())
    }

    fn verify(&self, progress: &mut dyn FnMut(u64, u64) -> bool) -> Result<Vec<Problem>, Error> {
        self.lock().verify(progress)
    }

    fn secret_key(&self) -> Result<[u8; 32], Error> {
        Ok([0x6d; 32])
    }
}
