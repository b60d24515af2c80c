//! `MemoryBatch`: collects writes in shelves of its own until commit.

use std::collections::HashMap;
use std::io::Read;

use super::{MemoryStore, Shelves};
use crate::require::{self, Need};
use crate::shelf::{self, Found, Kind};
use crate::store::Observe;
use crate::{
    Batch, Content, DerivationId, Digest, Directory, Error, Output, Part, Recipe, part_table,
};

/// How much is read from a source at once.
const PIECE_BYTES: usize = 1 << 20;

pub(super) struct MemoryBatch<'a> {
    store: &'a MemoryStore,
    pending: Shelves,
}

impl<'a> MemoryBatch<'a> {
    pub(super) fn new(store: &'a MemoryStore) -> Self {
        MemoryBatch { store, pending: Shelves::default() }
    }

    /// What the store or this batch holds of `digests`.
    fn look_up(&self, digests: &[Digest]) -> Result<HashMap<Digest, Found>, Error> {
        let mut found = shelf::look_up(self.store, digests)?;
        let pending = |digest: &Digest| Some((*digest, self.pending.locate(digest)?.found()));
        found.extend(digests.iter().filter_map(pending));
        Ok(found)
    }

    fn check(&self, needs: &[Need]) -> Result<(), Error> {
        require::check(needs, &self.look_up(&require::digests(needs))?)
    }
}

impl Batch for MemoryBatch<'_> {
    fn put_blob(
        &mut self,
        source: &mut dyn Read,
        observe: &mut Observe<'_>,
    ) -> Result<Content, Error> {
        let mut bytes = Vec::new();
        loop {
            let start = bytes.len();
            let piece = source.take(PIECE_BYTES as u64).read_to_end(&mut bytes);
            if piece.map_err(Error::from_read)? == 0 {
                return self.put_bytes(&bytes);
            }
            if !observe(&bytes[start..]) {
                return Err(Error::Cancelled);
            }
        }
    }

    fn put_bytes(&mut self, bytes: &[u8]) -> Result<Content, Error> {
        let content = Content { digest: Digest::of(bytes), size_bytes: bytes.len() as u64 };
        self.pending.add(content.digest, Kind::Blob, content.size_bytes, bytes.to_vec());
        Ok(content)
    }

    fn put_parts(&mut self, container: &Digest, parts: &[Part]) -> Result<(), Error> {
        require::check_parts(container, self.look_up(&[*container])?.get(container), parts)?;
        self.pending.add_parts(container, &part_table::sorted(parts));
        Ok(())
    }

    fn put_recipe(&mut self, recipe: &Recipe) -> Result<Content, Error> {
        self.check(&require::of_recipe(recipe))?;
        let content = recipe.content();
        self.pending.add(content.digest, Kind::Recipe, content.size_bytes, recipe.encode());
        Ok(content)
    }

    fn put_directory(&mut self, directory: &Directory) -> Result<Digest, Error> {
        self.check(&require::of_directory(directory))?;
        let (digest, bytes) = (directory.digest(), directory.encode());
        self.pending.add(digest, Kind::Directory, bytes.len() as u64, bytes);
        Ok(digest)
    }

    fn put_memo(&mut self, table: &str, key: &Digest, value: &[u8]) -> Result<(), Error> {
        self.pending.set_memo(table, key, value);
        Ok(())
    }

    fn put_memo_about(
        &mut self,
        table: &str,
        key: &Digest,
        _about: &Digest,
        value: &[u8],
    ) -> Result<(), Error> {
        self.put_memo(table, key, value)
    }

    fn put_realisation(&mut self, id: &DerivationId, output: &Output) -> Result<(), Error> {
        self.check(&require::of_output(output))?;
        let pending = self.pending.realisation(id);
        match pending.or_else(|| self.store.lock().realisation(id)) {
            Some(first) if first != *output => {
                self.store.lock().add_conflict(*id, first, *output);
                Err(Error::conflict(*id, first, *output))
            }
            _ => {
                self.pending.set_realisation(id, output);
                Ok(())
            }
        }
    }

    /// Nothing is ever collected here.
    fn put_inputs(&mut self, _id: &DerivationId, _inputs: &[Output]) -> Result<(), Error> {
        Ok(())
    }

    fn commit(self: Box<Self>) -> Result<(), Error> {
        self.store.lock().absorb(self.pending)
    }
}
