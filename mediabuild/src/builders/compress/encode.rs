//! Encoding chunks on all cores: an encoder for each thread that works, results in order.

use std::sync::{Mutex, PoisonError};

use mediabuild_formats::codec::Encoder;
use mediabuild_formats::wim::{ChunkTable, append_chunk};
use rayon::prelude::{IntoParallelRefIterator, ParallelIterator};

use crate::builders::coding::Coding;
use crate::cancel;
use crate::failure::Failure;

/// How much one thread encodes at a time: long beside taking an encoder, short beside a window, so
/// that no core waits for the last one, and so that Ctrl-C is heard.
const GROUP_BYTES: usize = 256 << 10;

/// Encoders that are not at work. Each has tables of a megabyte or more, so they are kept.
pub(crate) struct Encoders {
    coding: Coding,
    idle: Mutex<Vec<Encoder>>,
}

impl Encoders {
    pub(crate) fn new(coding: Coding) -> Self {
        Encoders { coding, idle: Mutex::default() }
    }

    pub(crate) fn coding(&self) -> Coding {
        self.coding
    }

    /// Whether there is an encoder at all. A base may have a codec that has none.
    pub(super) fn are_there(&self) -> bool {
        self.with(|_| ()).is_ok()
    }

    /// Lends an encoder to `work`.
    fn with<T>(&self, work: impl FnOnce(&mut Encoder) -> T) -> Result<T, Failure> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut encoder = match idle {
            Some(encoder) => encoder,
            None => self.coding.encoder()?,
        };
        let made = work(&mut encoder);
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(encoder);
        Ok(made)
    }

    /// The stored form of one chunk.
    pub(super) fn encode_one(&self, chunk: &[u8]) -> Result<Vec<u8>, Failure> {
        let mut stored = Vec::new();
        self.with(|encoder| append(chunk, &mut stored, encoder))?;
        Ok(stored)
    }

    /// The stored forms of `chunks`. `done` hears how many bytes were encoded.
    pub(super) fn encode(
        &self,
        chunks: &[&[u8]],
        done: &(dyn Fn(u64) + Sync),
    ) -> Result<Encoded, Failure> {
        let groups: Vec<&[&[u8]]> = groups(chunks);
        let encoded: Vec<_> =
            groups.par_iter().map(|group| self.encode_group(group, done)).collect();
        let groups = encoded.into_iter().collect::<Result<_, _>>()?;
        Ok(Encoded { groups })
    }

    fn encode_group(
        &self,
        chunks: &[&[u8]],
        done: &(dyn Fn(u64) + Sync),
    ) -> Result<Group, Failure> {
        cancel::check()?;
        let plain_bytes = chunks.iter().map(|chunk| chunk.len()).sum();
        let mut group = Group { bytes: Vec::with_capacity(plain_bytes), ends: Vec::new() };
        self.with(|encoder| {
            for chunk in chunks {
                group.add(chunk, encoder);
            }
        })?;
        done(plain_bytes as u64);
        Ok(group)
    }
}

/// Runs of chunks of about [`GROUP_BYTES`] each.
fn groups<'a, 'b>(chunks: &'b [&'a [u8]]) -> Vec<&'b [&'a [u8]]> {
    let mut sum_bytes = 0;
    let joins = |one: &&[u8], _: &&[u8]| {
        sum_bytes += one.len();
        let joins = sum_bytes < GROUP_BYTES;
        sum_bytes = if joins { sum_bytes } else { 0 };
        joins
    };
    chunks.chunk_by(joins).collect()
}

/// Stored chunks, in order.
#[derive(Default)]
pub(super) struct Encoded {
    groups: Vec<Group>,
}

/// The stored chunks that one thread made.
struct Group {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Group {
    fn add(&mut self, chunk: &[u8], encoder: &mut Encoder) {
        append(chunk, &mut self.bytes, encoder);
        self.ends.push(self.bytes.len());
    }
}

fn append(chunk: &[u8], stored: &mut Vec<u8>, encoder: &mut Encoder) {
    append_chunk(chunk, stored, &mut |plain, stored| encoder.encode(plain, stored));
}

impl Encoded {
    /// The stored chunks.
    pub(super) fn chunks(&self) -> impl Iterator<Item = &[u8]> {
        self.groups.iter().flat_map(|group| {
            let starts = std::iter::once(0).chain(group.ends.iter().copied());
            starts.zip(&group.ends).map(|(start, end)| &group.bytes[start..*end])
        })
    }
}

/// The stored form of `plain`, which is in memory; `None` if it does not become smaller.
pub(super) fn compress_bytes(
    plain: &[u8],
    encoders: &Encoders,
) -> Result<Option<Vec<u8>>, Failure> {
    if !encoders.are_there() {
        return Ok(None);
    }
    let coding = encoders.coding;
    let chunks: Vec<&[u8]> = plain.chunks(coding.chunk_bytes as usize).collect();
    let encoded = encoders.encode(&chunks, &|_| ())?;
    let mut table = ChunkTable::new(plain.len() as u64, coding.chunk_bytes)?;
    for chunk in encoded.chunks() {
        table.add(chunk.len())?;
    }
    Ok(table.finish()?.map(|mut stored| {
        encoded.chunks().for_each(|chunk| stored.extend_from_slice(chunk));
        stored
    }))
}
