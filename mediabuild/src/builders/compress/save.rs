//! `Saver`: stored forms and memos into the store, thousands with one pack and one commit.

use mediabuild_formats::wim::ChunkTable;
use mediabuild_store::{Batch, Blobs, Content, RecipeBuilder};

use super::memo::Memos;
use super::plain::Plain;
use super::window::{Loaded, Window};
use super::{Form, Work};
use crate::failure::Failure;

/// After so much the batch is committed, so that a build that is stopped has not worked for
/// nothing: at ten megabytes a second that is some minutes of encoding for a flush.
const COMMIT_BYTES: u64 = 256 << 20;

pub(super) struct Saver<'a> {
    work: &'a Work<'a>,
    memos: Memos,
    batch: Box<dyn Batch + 'a>,
    /// Since the last commit.
    stored_bytes: u64,
    blobs: Blobs,
    large: Option<Large>,
    plain_bytes: u64,
    all_stored_bytes: u64,
}

/// The large content whose segments are being stored.
struct Large {
    table: ChunkTable,
    segments: Vec<Content>,
    hasher: Option<blake3::Hasher>,
}

/// A content of a window with its stored chunks.
struct Small<'a> {
    loaded: &'a Loaded,
    plain: &'a [u8],
    /// `None`: it does not become smaller.
    table: Option<Vec<u8>>,
    chunks: Vec<&'a [u8]>,
}

impl<'a> Saver<'a> {
    pub(super) fn new(work: &'a Work<'a>) -> Result<Self, Failure> {
        Ok(Saver {
            work,
            memos: Memos::new(work.coding),
            batch: work.context.store.batch()?,
            stored_bytes: 0,
            blobs: Blobs::default(),
            large: None,
            plain_bytes: 0,
            all_stored_bytes: 0,
        })
    }

    /// Stores what `window` holds; tells the forms of contents that are complete.
    pub(super) fn save(
        &mut self,
        window: &Window,
        forms: &mut [Option<Form>],
    ) -> Result<(), Failure> {
        let chunk_bytes = self.work.coding.chunk_bytes as usize;
        let mut encoded = window.encoded.chunks();
        let mut smalls = Vec::new();
        for (loaded, plain) in window.plains() {
            if let Some(known) = loaded.known {
                forms[loaded.unit.number] = Some(known);
                let content = loaded.content.expect("only whole contents are recalled");
                let subject = &self.work.plains[loaded.unit.number];
                self.memos.put(subject, &content.digest, &known, self.batch.as_mut())?;
                continue;
            }
            let chunks: Vec<&[u8]> =
                encoded.by_ref().take(plain.len().div_ceil(chunk_bytes)).collect();
            match loaded.unit.is_whole() {
                true => smalls.push(self.small(loaded, plain, chunks)?),
                false => self.segment(loaded, plain, &chunks, forms)?,
            }
        }
        self.save_small(&smalls, forms)?;
        self.commit_if_much()
    }

    fn small<'b>(
        &self,
        loaded: &'b Loaded,
        plain: &'b [u8],
        chunks: Vec<&'b [u8]>,
    ) -> Result<Small<'b>, Failure> {
        let mut table = ChunkTable::new(plain.len() as u64, self.work.coding.chunk_bytes)?;
        chunks.iter().try_for_each(|chunk| table.add(chunk.len()))?;
        Ok(Small { loaded, plain, table: table.finish()?, chunks })
    }

    fn save_small(
        &mut self,
        smalls: &[Small<'_>],
        forms: &mut [Option<Form>],
    ) -> Result<(), Failure> {
        let plains = self.work.plains;
        // A content of the store that stays raw is there already.
        let is_new = |small: &&Small<'_>| {
            small.table.is_some() || plains[small.loaded.unit.number].content().is_none()
        };
        let new: Vec<&Small<'_>> = smalls.iter().filter(is_new).collect();
        let sizes: Vec<usize> = new.iter().map(|small| small.stored_bytes()).collect();
        self.blobs.fill(&sizes, |number, bytes| -> Result<(), Failure> {
            new[number].write(bytes);
            Ok(())
        })?;
        self.batch.put_blobs(&self.blobs)?;
        self.count(sizes.iter().sum::<usize>() as u64);
        let mut stored = self.blobs.contents().iter();
        for small in smalls {
            let content = small.loaded.content.expect("a whole content");
            let form = match (&small.table, is_new(&small).then(|| stored.next()).flatten()) {
                (Some(_), Some(stored)) => Form::Compressed(*stored),
                _ => Form::Raw(content),
            };
            let subject = &plains[small.loaded.unit.number];
            self.memos.put(subject, &content.digest, &form, self.batch.as_mut())?;
            forms[small.loaded.unit.number] = Some(form);
            self.plain_bytes += small.plain.len() as u64;
        }
        Ok(())
    }

    /// Stores a segment; the last one makes the form.
    fn segment(
        &mut self,
        loaded: &Loaded,
        plain: &[u8],
        chunks: &[&[u8]],
        forms: &mut [Option<Form>],
    ) -> Result<(), Failure> {
        let subject = &self.work.plains[loaded.unit.number];
        let mut large = match self.large.take() {
            Some(large) => large,
            None => Large {
                table: ChunkTable::new(subject.size_bytes(), self.work.coding.chunk_bytes)?,
                segments: Vec::new(),
                hasher: subject.content().is_none().then(blake3::Hasher::new),
            },
        };
        chunks.iter().try_for_each(|chunk| large.table.add(chunk.len()))?;
        if let Some(hasher) = &mut large.hasher {
            hasher.update_rayon(plain);
        }
        let stored = self.batch.put_bytes(&chunks.concat())?;
        large.segments.push(stored);
        self.count(stored.size_bytes);
        self.plain_bytes += plain.len() as u64;
        if !loaded.unit.is_last {
            self.large = Some(large);
            return Ok(());
        }
        let form = self.finish_large(subject, &large)?;
        let digest = match (&large.hasher, subject.content()) {
            (Some(hasher), _) => mediabuild_store::Digest::from_bytes(hasher.finalize().into()),
            (None, content) => content.expect("what is not hashed is a content").digest,
        };
        self.memos.put(subject, &digest, &form, self.batch.as_mut())?;
        forms[loaded.unit.number] = Some(form);
        Ok(())
    }

    /// The table and the segments as one content; or what could be read all the time, if it did
    /// not become smaller.
    fn finish_large(&mut self, subject: &Plain<'_>, large: &Large) -> Result<Form, Failure> {
        let Some(table) = large.table.finish()? else {
            return Ok(Form::Raw(match subject {
                Plain::Content(content) => *content,
                Plain::Resource(resource) => {
                    let (wim, context) = (resource.wim, self.work.context);
                    wim.decoded(&resource.entry.sha1, context, self.batch.as_mut())?
                }
            }));
        };
        let mut recipe = RecipeBuilder::new();
        recipe.literal(&table);
        large.segments.iter().for_each(|segment| recipe.content(*segment));
        Ok(Form::Compressed(self.batch.put_recipe(&recipe.finish())?))
    }

    fn count(&mut self, stored_bytes: u64) {
        self.stored_bytes += stored_bytes;
        self.all_stored_bytes += stored_bytes;
    }

    fn commit_if_much(&mut self) -> Result<(), Failure> {
        if self.stored_bytes < COMMIT_BYTES {
            return Ok(());
        }
        let next = self.work.context.store.batch()?;
        std::mem::replace(&mut self.batch, next).commit()?;
        self.stored_bytes = 0;
        Ok(())
    }

    pub(super) fn finish(self) -> Result<(), Failure> {
        tracing::info!("compressed {} bytes to {}", self.plain_bytes, self.all_stored_bytes);
        Ok(self.batch.commit()?)
    }
}

impl Small<'_> {
    fn stored_bytes(&self) -> usize {
        match &self.table {
            Some(table) => table.len() + self.chunks.iter().map(|chunk| chunk.len()).sum::<usize>(),
            None => self.plain.len(),
        }
    }

    /// Fills `bytes` with the stored form.
    fn write(&self, bytes: &mut [u8]) {
        let Some(table) = &self.table else {
            bytes.copy_from_slice(self.plain);
            return;
        };
        let mut rest = bytes;
        for part in std::iter::once(table.as_slice()).chain(self.chunks.iter().copied()) {
            let (place, after) = rest.split_at_mut(part.len());
            place.copy_from_slice(part);
            rest = after;
        }
    }
}
