//! `DiskBatch`: writes to files in `tmp/` until commit.
//!
//! Small things (below [`LOOSE_BYTES_MIN`]) go to the batch's one pack, large ones to a file each.
//! What the store or the batch has already is not written again; what of it is damaged is, as far
//! as that is cheap to tell: encodings and blobs of up to [`COMPARED_BYTES_MAX`] that are in memory
//! are compared with what is stored. That costs, for each that is there already, to open and read
//! it: for 4 KB of a cached file about half of what hashing it and looking it up cost (6 µs to 15).
//! Of larger blobs only the file's length counts; `verify` finds what is wrong with them.

use std::collections::HashMap;
use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;

use tempfile::NamedTempFile;

use super::gate::Held;
use super::pack::{FinishedPack, PackWriter};
use super::publish::{self, NewMemo, NewRealisation, Pending};
use super::put_directories;
use super::scratch::ScratchFolder;
use super::{DiskStore, index::NewObject};
use crate::copy::{Copier, CopyError, Growing, PIECE_BYTES};
use crate::require::{self, Need};
use crate::shelf::{self, Found, Kind, Located, Shelf};
use crate::store::Observe;
use crate::{
    Batch, Blobs, Conflict, Content, DerivationId, Digest, Directory, Error, Output, Part, Recipe,
    os, part_table,
};

/// From this size on a blob is a file of its own, which export can clone and a link can share;
/// below, a flush for each would cost more than its bytes.
pub(super) const LOOSE_BYTES_MIN: usize = 1 << 20;

/// Up to this size a blob that is here already is read again.
const COMPARED_BYTES_MAX: usize = 1 << 20;

pub(super) struct DiskBatch<'a> {
    store: &'a DiskStore,
    /// Made by the first write, removed with the batch.
    folder: Option<ScratchFolder>,
    pack: Option<PackWriter>,
    pending: Pending,
    found: HashMap<Digest, Found>,
    /// Reused: holds a blob until it is known to be small, then the pieces of a large one.
    copier: Option<Copier>,
    failed: bool,
}

impl<'a> DiskBatch<'a> {
    pub(super) fn new(store: &'a DiskStore) -> Self {
        DiskBatch {
            store,
            folder: None,
            pack: None,
            pending: Pending::default(),
            found: HashMap::new(),
            copier: None,
            failed: false,
        }
    }

    /// Stores an encoding or a blob that is in memory, unless it is here already, unharmed.
    fn put(&mut self, kind: Kind, digest: Digest, bytes: &[u8], found: Found) -> Result<(), Error> {
        if self.holds(&digest) || self.is_stored(kind, &digest, bytes)? {
            return Ok(());
        }
        self.put_anew(kind, digest, bytes, found)
    }

    /// Stores it, whether or not it is here.
    pub(super) fn put_anew(
        &mut self,
        kind: Kind,
        digest: Digest,
        bytes: &[u8],
        found: Found,
    ) -> Result<(), Error> {
        let offset_bytes = match bytes.len() < LOOSE_BYTES_MIN {
            true => Some(self.write_packed(kind, &digest, bytes)?),
            false => {
                let mut file = self.create_loose()?;
                write(&mut file, bytes)?;
                self.keep_loose(kind, digest, file)?;
                None
            }
        };
        self.record(kind, digest, bytes.len() as u64, found, offset_bytes);
        Ok(())
    }

    pub(super) fn store(&self) -> &DiskStore {
        self.store
    }

    /// Whether this batch will add `digest`.
    pub(super) fn holds(&self, digest: &Digest) -> bool {
        self.found.contains_key(digest)
    }

    /// Commits copies: like any batch.
    pub(super) fn commit_copies(self) -> Result<(), Error> {
        Box::new(self).commit()
    }

    /// Commits inside a gate that the caller holds; answers the id of the batch's pack.
    pub(super) fn commit_within(mut self, held: &Held) -> Result<Option<Digest>, Error> {
        let (pack, pending) = self.finish()?;
        let id = pack.as_ref().map(|pack| pack.id);
        publish::publish(self.store, pack, pending, held)?;
        Ok(id)
    }

    /// Stores a part table, whether or not it is here; answers its digest.
    pub(super) fn put_table_anew(
        &mut self,
        container: &Digest,
        parts: &[Part],
    ) -> Result<Digest, Error> {
        let parts = part_table::sorted(parts);
        let bytes = part_table::encode(container, &parts);
        let table = part_table::digest_of_encoding(&bytes);
        let found = Found { kind: Kind::PartTable, size_bytes: bytes.len() as u64 };
        self.put_anew(Kind::PartTable, table, &bytes, found)?;
        self.pending.part_tables.push((*container, table, parts));
        Ok(table)
    }

    /// Everything written and durable, not yet visible.
    fn finish(&mut self) -> Result<(Option<FinishedPack>, Pending), Error> {
        if self.failed {
            return Err(Error::BatchFailed);
        }
        let pack = self.pack.take().map(PackWriter::finish).transpose()?;
        let mut pending = std::mem::take(&mut self.pending);
        publish::make_durable(self.store, pack.as_ref(), &mut pending)?;
        Ok((pack, pending))
    }

    pub(super) fn record(
        &mut self,
        kind: Kind,
        digest: Digest,
        stored_bytes: u64,
        found: Found,
        pack_offset_bytes: Option<u64>,
    ) {
        let size_bytes = found.size_bytes;
        let object = NewObject { digest, kind, size_bytes, stored_bytes, pack_offset_bytes };
        self.pending.objects.push(object);
        self.found.insert(digest, found);
    }

    fn has(&self, digest: &Digest) -> Result<bool, Error> {
        Ok(self.holds(digest) || self.store.present(digest)?.is_some())
    }

    /// Whether the store has `bytes` already, unharmed as far as we look.
    fn is_stored(&self, kind: Kind, digest: &Digest, bytes: &[u8]) -> Result<bool, Error> {
        let Some(located) = self.store.present(digest)? else { return Ok(false) };
        self.is_unharmed(kind, digest, &located, bytes)
    }

    fn is_unharmed(
        &self,
        kind: Kind,
        digest: &Digest,
        located: &Located,
        bytes: &[u8],
    ) -> Result<bool, Error> {
        if kind == Kind::Blob && bytes.len() > COMPARED_BYTES_MAX {
            return Ok(true);
        }
        let source = self.store.source(located.container)?;
        let is_whole = source.holds(digest, located, bytes)?;
        if !is_whole {
            tracing::warn!(%digest, path = %source.path().display(), "replacing what is damaged");
        }
        Ok(is_whole)
    }

    /// What the store or this batch holds of `digests`.
    pub(super) fn look_up(&self, digests: &[Digest]) -> Result<HashMap<Digest, Found>, Error> {
        let pending = |digest: &Digest| Some((*digest, *self.found.get(digest)?));
        let mut found: HashMap<_, _> = digests.iter().filter_map(pending).collect();
        let is_absent = |digest: &&Digest| !found.contains_key(*digest);
        let rest: Vec<Digest> = digests.iter().filter(is_absent).copied().collect();
        self.store.leases.hold(&rest)?;
        found.extend(shelf::look_up(self.store, &rest)?);
        Ok(found)
    }

    fn check(&self, needs: &[Need]) -> Result<(), Error> {
        require::check(needs, &self.look_up(&require::digests(needs))?)
    }

    fn folder(&mut self) -> Result<&ScratchFolder, Error> {
        match &mut self.folder {
            Some(folder) => Ok(folder),
            none => Ok(none.insert(self.store.scratch_folder()?)),
        }
    }

    /// After a write that failed half way, the pack's offsets mean nothing: the batch is over. So
    /// it is after a flush that failed.
    pub(super) fn write_packed(
        &mut self,
        kind: Kind,
        digest: &Digest,
        bytes: &[u8],
    ) -> Result<u64, Error> {
        if self.failed {
            return Err(Error::BatchFailed);
        }
        if self.pack.is_none() {
            self.pack = Some(PackWriter::create(self.folder()?.path())?);
        }
        let pack = self.pack.as_mut().expect("it was just made");
        let written = pack.append(kind, digest, bytes);
        self.failed = written.is_err();
        written
    }

    /// A file of its own for one large thing; gone when dropped, unless it is kept.
    pub(super) fn create_loose(&mut self) -> Result<NamedTempFile, Error> {
        let folder = self.folder()?.path();
        NamedTempFile::new_in(folder).map_err(Error::io("make a file in", folder))
    }

    pub(super) fn keep_loose(
        &mut self,
        kind: Kind,
        digest: Digest,
        file: NamedTempFile,
    ) -> Result<(), Error> {
        os::seal(file.as_file()).map_err(Error::io("make read-only", file.path()))?;
        let (file, path) = file.into_parts();
        self.pending.loose.push(publish::Loose { kind, digest, path, unflushed: Some(file) });
        let limited = publish::limit_open_files(self.store, &mut self.pending.loose);
        self.failed |= limited.is_err();
        limited
    }

    /// Stores what `source` gives: in the pack if it is small.
    fn put_from(
        &mut self,
        copier: &mut Copier,
        source: &mut dyn Read,
        observe: &mut Observe<'_>,
    ) -> Result<Content, Error> {
        let first = copier.read_first(source, LOOSE_BYTES_MIN).map_err(Error::from_read)?;
        if first.len() < LOOSE_BYTES_MIN {
            if !first.is_empty() && !observe(first) {
                return Err(Error::Cancelled);
            }
            return self.put_bytes(first);
        }
        let mut file = self.create_loose()?;
        let mut growing = Growing::default();
        let mut write = |piece: &[u8]| growing.write(file.as_file_mut(), piece);
        let streamed = copier.stream(source, &mut write, observe);
        let content = streamed.map_err(|error| store_error(error, file.path()))?;
        growing.finish(file.as_file()).map_err(Error::write(file.path(), 0))?;
        self.put_finished(content, file)
    }

    /// Stores `file` as a clone that shares its bytes: hashed is the clone, which nobody changes.
    /// `None` where that cannot be.
    fn put_clone(
        &mut self,
        copier: &mut Copier,
        file: &File,
        observe: &mut Observe<'_>,
    ) -> Result<Option<Content>, Error> {
        if !file.metadata().is_ok_and(|it| it.len() >= LOOSE_BYTES_MIN as u64) {
            return Ok(None);
        }
        let clone = self.create_loose()?;
        if !os::clone_file(file, clone.as_file()) {
            return Ok(None);
        }
        let mut source = clone.as_file();
        let first = copier.read_first(&mut source, LOOSE_BYTES_MIN).map_err(Error::from_read)?;
        if first.len() < LOOSE_BYTES_MIN {
            // It was cut just now: small things go to the pack.
            return Ok(None);
        }
        let streamed = copier.stream(&mut source, &mut |_| Ok(()), observe);
        let content = streamed.map_err(|error| store_error(error, clone.path()))?;
        self.put_finished(content, clone).map(Some)
    }

    /// Keeps a large file, unless the same bytes are here already.
    fn put_finished(&mut self, content: Content, file: NamedTempFile) -> Result<Content, Error> {
        let Content { digest, size_bytes } = content;
        if !self.has(&digest)? {
            self.keep_loose(Kind::Blob, digest, file)?;
            let found = Found { kind: Kind::Blob, size_bytes };
            self.record(Kind::Blob, digest, size_bytes, found, None);
        }
        Ok(content)
    }
}

impl Batch for DiskBatch<'_> {
    fn put_blob(
        &mut self,
        source: &mut dyn Read,
        observe: &mut Observe<'_>,
    ) -> Result<Content, Error> {
        let mut copier = self.copier.take().unwrap_or_default();
        let content = self.put_from(&mut copier, source, observe);
        self.copier = Some(copier);
        content
    }

    fn put_file(&mut self, file: &mut File, observe: &mut Observe<'_>) -> Result<Content, Error> {
        let mut copier = self.copier.take().unwrap_or_default();
        let cloned = self.put_clone(&mut copier, file, observe);
        self.copier = Some(copier);
        match cloned? {
            Some(content) => Ok(content),
            None => self.put_blob(file, observe),
        }
    }

    fn put_blobs(&mut self, blobs: &Blobs) -> Result<(), Error> {
        let digests = blobs.contents().iter().map(|content| content.digest);
        let new: Vec<Digest> = digests.filter(|digest| !self.holds(digest)).collect();
        self.store.leases.hold(&new)?;
        let here = self.store.locate_here(&new)?;
        for (Content { digest, size_bytes }, bytes) in blobs.iter() {
            let is_stored = match here.get(&digest) {
                _ if self.holds(&digest) => true,
                Some(located) => self.is_unharmed(Kind::Blob, &digest, located, bytes)?,
                None => false,
            };
            if !is_stored {
                let found = Found { kind: Kind::Blob, size_bytes };
                self.put_anew(Kind::Blob, digest, bytes, found)?;
            }
        }
        Ok(())
    }

    fn put_bytes(&mut self, bytes: &[u8]) -> Result<Content, Error> {
        let content = Content { digest: Digest::of(bytes), size_bytes: bytes.len() as u64 };
        let found = Found { kind: Kind::Blob, size_bytes: content.size_bytes };
        self.put(Kind::Blob, content.digest, bytes, found)?;
        Ok(content)
    }

    fn put_parts(&mut self, container: &Digest, parts: &[Part]) -> Result<(), Error> {
        require::check_parts(container, self.look_up(&[*container])?.get(container), parts)?;
        let parts = part_table::sorted(parts);
        let bytes = part_table::encode(container, &parts);
        let table = part_table::digest_of_encoding(&bytes);
        let found = Found { kind: Kind::PartTable, size_bytes: bytes.len() as u64 };
        self.put(Kind::PartTable, table, &bytes, found)?;
        for part in &parts {
            let found = Found { kind: Kind::Blob, size_bytes: part.size_bytes };
            self.found.entry(part.digest).or_insert(found);
        }
        self.pending.part_tables.push((*container, table, parts));
        Ok(())
    }

    fn put_recipe(&mut self, recipe: &Recipe) -> Result<Content, Error> {
        self.check(&require::of_recipe(recipe))?;
        let bytes = recipe.encode();
        let digest = Recipe::digest_of_encoding(&bytes);
        let found = Found { kind: Kind::Recipe, size_bytes: recipe.size_bytes() };
        self.put(Kind::Recipe, digest, &bytes, found)?;
        Ok(Content { digest, size_bytes: recipe.size_bytes() })
    }

    fn put_directory(&mut self, directory: &Directory) -> Result<Digest, Error> {
        self.check(&require::of_directory(directory))?;
        let bytes = directory.encode();
        let digest = Directory::digest_of_encoding(&bytes);
        let found = Found { kind: Kind::Directory, size_bytes: bytes.len() as u64 };
        self.put(Kind::Directory, digest, &bytes, found)?;
        Ok(digest)
    }

    fn put_directories(&mut self, directories: &[Directory]) -> Result<(), Error> {
        put_directories::put(self, directories)
    }

    fn put_memo(&mut self, table: &str, key: &Digest, value: &[u8]) -> Result<(), Error> {
        self.put_memo_about(table, key, key, value)
    }

    fn put_memo_about(
        &mut self,
        table: &str,
        key: &Digest,
        about: &Digest,
        value: &[u8],
    ) -> Result<(), Error> {
        let (topic, value) = (table.to_owned(), value.to_vec());
        self.pending.memos.push(NewMemo { topic, key: *key, about: *about, value });
        Ok(())
    }

    fn put_realisation(&mut self, id: &DerivationId, output: &Output) -> Result<(), Error> {
        self.check(&require::of_output(output))?;
        let pending = self.pending.realisations.iter().find(|it| it.id == *id);
        let first = match pending {
            Some(first) => Some(first.output),
            None => self.store.index.realisation(id)?,
        };
        match first {
            Some(first) if first != *output => {
                self.store.index.add_conflict(&Conflict { id: *id, first, second: *output })?;
                Err(Error::conflict(*id, first, *output))
            }
            // Again, even if it is there: a collection may be about to remove it.
            _ => {
                let realisation = NewRealisation { id: *id, output: *output, inputs: Vec::new() };
                self.pending.realisations.push(realisation);
                Ok(())
            }
        }
    }

    fn put_inputs(&mut self, id: &DerivationId, inputs: &[Output]) -> Result<(), Error> {
        let mut digests: Vec<Digest> = inputs.iter().map(Output::digest).collect();
        digests.sort_unstable();
        digests.dedup();
        let realisations = self.pending.realisations.iter_mut().filter(|it| it.id == *id);
        realisations.for_each(|it| it.inputs.clone_from(&digests));
        Ok(())
    }

    fn commit(mut self: Box<Self>) -> Result<(), Error> {
        let (pack, pending) = self.finish()?;
        let held = self.store.place.gate()?.shared()?;
        publish::publish(self.store, pack, pending, &held)
    }
}

fn write(file: &mut NamedTempFile, bytes: &[u8]) -> Result<(), Error> {
    let written = file.as_file_mut().write_all(bytes);
    written.map_err(Error::write(file.path(), bytes.len() as u64))
}

fn store_error(error: CopyError, path: &Path) -> Error {
    match error {
        CopyError::Read(cause) => Error::from_read(cause),
        CopyError::Write(cause) => Error::write(path, PIECE_BYTES as u64)(cause),
        CopyError::Cancelled => Error::Cancelled,
    }
}
