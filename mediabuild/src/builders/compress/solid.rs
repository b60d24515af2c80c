//! Solid resources: many contents compressed as one.
//!
//! One for each layer of the input, with everything that the layer brings, so that a layer that did
//! not change is not compressed again, whatever is laid over it. It is remembered by the ordered list
//! of its contents. Each chunk is a content of its own, so that memory is bounded; chunks are encoded
//! by several threads, as many as their memory allows.

use mediabuild_formats::wim::{ChunkTable, Sha1, SolidResource};
use mediabuild_store::{Batch, Content, Digest, Output, RecipeBuilder};
use rayon::prelude::{IntoParallelRefIterator, ParallelIterator};

use super::memo::{COMPRESSED_MEMO, Memos, decode_content, encode_content};
use super::plain::Plain;
use super::window::{OrderedReader, Unit};
use super::{Encoders, Work};
use crate::builders::BuildContext;
use crate::cancel;
use crate::failure::Failure;

/// Plain bytes that are encoded at a time: an encoder takes some times its chunk, so four of
/// 64 MiB are about a gigabyte.
const PARALLEL_BYTES: usize = 256 << 20;

/// The solid resource of `blobs`, in this order; `None` of none.
pub(crate) fn solid(
    blobs: &[(Sha1, Plain<'_>)],
    encoders: &Encoders,
    context: &BuildContext<'_>,
) -> Result<Option<SolidResource<Content>>, Failure> {
    if blobs.is_empty() {
        return Ok(None);
    }
    let plains: Vec<Plain<'_>> = blobs.iter().map(|(_, plain)| *plain).collect();
    let key = Memos::new(encoders.coding()).list_key(&plains);
    let content = match recall(&key, context)? {
        Some(content) => content,
        None => {
            tracing::info!("compressing {} contents as one", plains.len());
            let work = Work { plains: &plains, coding: encoders.coding(), encoders, context };
            let mut batch = context.store.batch()?;
            let content = work.solid(batch.as_mut())?;
            let value = encode_content(&content);
            batch.put_memo_about(COMPRESSED_MEMO, &key, &content.digest, &value)?;
            batch.commit()?;
            content
        }
    };
    let sizes: Vec<(Sha1, u64)> =
        blobs.iter().map(|(sha1, plain)| (*sha1, plain.size_bytes())).collect();
    Ok(Some(SolidResource::new(content, content.size_bytes, &sizes)))
}

/// What is remembered and whole.
fn recall(key: &Digest, context: &BuildContext<'_>) -> Result<Option<Content>, Failure> {
    let memo = context.store.memo(COMPRESSED_MEMO, key)?;
    let Some(content) = memo.and_then(|memo| decode_content(&memo)) else { return Ok(None) };
    let is_whole = context.store.find(&content.digest)? == Some(content)
        && context.store.is_whole(&Output::Content(content))?;
    Ok(is_whole.then_some(content))
}

impl Work<'_> {
    /// Head, chunk sizes and chunks as one content.
    fn solid(&self, batch: &mut dyn Batch) -> Result<Content, Failure> {
        let size_bytes = self.plains.iter().map(Plain::size_bytes).sum();
        let chunk_bytes = self.coding.chunk_bytes;
        let mut table = ChunkTable::solid(size_bytes, self.coding.compression(), chunk_bytes)?;
        let mut stream = Stream::new(self);
        let mut chunks = Vec::new();
        let width = (PARALLEL_BYTES / chunk_bytes as usize).max(1);
        let width = width.min(rayon::current_num_threads().max(1));
        let mut plain = vec![Vec::new(); width];
        loop {
            for buffer in &mut plain {
                stream.fill(buffer, chunk_bytes as usize)?;
            }
            plain.retain(|chunk| !chunk.is_empty());
            if plain.is_empty() {
                break;
            }
            for stored in self.encode_all(&plain)? {
                table.add(stored.len())?;
                chunks.push(batch.put_bytes(&stored)?);
            }
        }
        let mut recipe = RecipeBuilder::new();
        recipe.literal(&table.finish()?.unwrap_or_default());
        chunks.iter().for_each(|chunk| recipe.content(*chunk));
        Ok(batch.put_recipe(&recipe.finish())?)
    }

    fn encode_all(&self, plain: &[Vec<u8>]) -> Result<Vec<Vec<u8>>, Failure> {
        let stored: Vec<_> = plain
            .par_iter()
            .map(|chunk| {
                cancel::check()?;
                let stored = self.encoders.encode_one(chunk)?;
                self.context.advance(chunk.len() as u64)?;
                Ok(stored)
            })
            .collect();
        stored.into_iter().collect()
    }
}

/// All contents, one behind the other.
struct Stream<'a, 'b> {
    work: &'b Work<'a>,
    ordered: OrderedReader<'a>,
    number: usize,
    /// Of the content that is being read.
    offset_bytes: u64,
}

impl<'a, 'b> Stream<'a, 'b> {
    fn new(work: &'b Work<'a>) -> Self {
        Stream { work, ordered: OrderedReader::default(), number: 0, offset_bytes: 0 }
    }

    /// Fills `buffer` with the next `limit_bytes`, fewer at the end.
    fn fill(&mut self, buffer: &mut Vec<u8>, limit_bytes: usize) -> Result<(), Failure> {
        buffer.clear();
        while let Some(plain) = self.work.plains.get(self.number)
            && buffer.len() < limit_bytes
        {
            let left_bytes = plain.size_bytes() - self.offset_bytes;
            let count = left_bytes.min((limit_bytes - buffer.len()) as u64) as usize;
            let start = buffer.len();
            buffer.resize(start + count, 0);
            let is_last = count as u64 == left_bytes;
            let (number, offset_bytes) = (self.number, self.offset_bytes);
            let unit = Unit { number, offset_bytes, size_bytes: count, is_last };
            self.ordered.read(&unit, &mut buffer[start..], self.work)?;
            self.offset_bytes += count as u64;
            if is_last {
                (self.number, self.offset_bytes) = (self.number + 1, 0);
            }
        }
        Ok(())
    }
}
