//! A WIM with all its places → the file or files that it is delivered in: whole or split, with or
//! without an integrity table.

use std::ops::Range;

use mediabuild_formats::layout::Sink;
use mediabuild_formats::wim::{INTEGRITY_PIECE_BYTES, Placed, Sha1, integrity_table, part_name};
use mediabuild_store::{Content, DirectoryBuilder, Output, RecipeBuilder};
use rayon::prelude::{IntoParallelRefIterator, ParallelIterator};
use serde::Serialize;

use super::BuildContext;
use super::wim_output::RecipeSink;
use crate::failure::Failure;

/// What a definition says of the files, as the derivation's identity has it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Delivery {
    pub(crate) split: Option<Split>,
    pub(crate) integrity: bool,
}

/// A folder of parts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Split {
    /// The file name of the first part; the others have a number in it.
    pub(crate) name: String,
    /// The largest size of a part.
    pub(crate) part_bytes: u64,
}

/// The file or files of a WIM.
pub(super) enum Files<'a> {
    Whole(Box<Placed<Content>>),
    Parts(&'a Split, Vec<Placed<Content>>),
}

impl Files<'_> {
    /// Stores the recipe of the file, or a folder of those of the parts.
    pub(super) fn deliver(&self, context: &BuildContext<'_>) -> Result<Output, Failure> {
        match self {
            Files::Whole(file) => deliver_file(file, context).map(Output::Content),
            Files::Parts(split, parts) => deliver_parts(split, parts, context),
        }
    }
}

/// One file of a WIM, with its integrity table if it has one.
fn deliver_file(file: &Placed<Content>, context: &BuildContext<'_>) -> Result<Content, Failure> {
    let mut sink = RecipeSink(RecipeBuilder::new());
    file.emit(&mut sink);
    if let Some(covered) = file.covered() {
        sink.literal(&hashes(file, covered, context)?);
    }
    context.put_recipe(&sink.0.finish())
}

fn deliver_parts(
    split: &Split,
    parts: &[Placed<Content>],
    context: &BuildContext<'_>,
) -> Result<Output, Failure> {
    let mut folder = DirectoryBuilder::default();
    for (number, part) in (1..).zip(parts) {
        folder.insert(&part_name(&split.name, number), deliver_file(part, context)?)?;
    }
    let mut batch = context.store.batch()?;
    let digest = folder.put(batch.as_mut())?;
    batch.commit()?;
    Ok(Output::Directory(digest))
}

/// The integrity table. Its hashes are of the file's bytes, so all of them are read, once.
fn hashes(
    placed: &Placed<Content>,
    covered: Range<u64>,
    context: &BuildContext<'_>,
) -> Result<Vec<u8>, Failure> {
    let mut pieces = Pieces::new(covered, context);
    placed.emit(&mut pieces);
    pieces.finish()
}

/// Pieces that are in memory before they are hashed, each by a thread; more are no faster than the
/// reading before it.
const PIECES_MAX: usize = 8;

/// Takes a file's bytes and hashes them piece by piece.
struct Pieces<'a> {
    covered: Range<u64>,
    context: &'a BuildContext<'a>,
    position_bytes: u64,
    full: Vec<Vec<u8>>,
    current: Vec<u8>,
    hashes: Vec<Sha1>,
    failure: Option<Failure>,
}

impl<'a> Pieces<'a> {
    fn new(covered: Range<u64>, context: &'a BuildContext<'a>) -> Self {
        Pieces {
            covered,
            context,
            position_bytes: 0,
            full: Vec::new(),
            current: Vec::new(),
            hashes: Vec::new(),
            failure: None,
        }
    }

    /// Takes the next bytes of the file, of which only the covered ones count.
    fn take(&mut self, bytes: &[u8]) {
        let here = self.position_bytes..self.position_bytes + bytes.len() as u64;
        self.position_bytes = here.end;
        let from = self.covered.start.clamp(here.start, here.end) - here.start;
        let to = self.covered.end.clamp(here.start, here.end) - here.start;
        let mut bytes = &bytes[from as usize..(to as usize).max(from as usize)];
        while !bytes.is_empty() {
            let room = INTEGRITY_PIECE_BYTES as usize - self.current.len();
            let (taken, rest) = bytes.split_at(bytes.len().min(room));
            self.current.extend_from_slice(taken);
            bytes = rest;
            if self.current.len() == INTEGRITY_PIECE_BYTES as usize {
                self.full.push(std::mem::take(&mut self.current));
                if self.full.len() == PIECES_MAX.min(rayon::current_num_threads()) {
                    self.hash();
                }
            }
        }
    }

    fn hash(&mut self) {
        self.hashes.extend(self.full.par_iter().map(|piece| Sha1::of(piece)).collect::<Vec<_>>());
        self.full.clear();
    }

    fn finish(mut self) -> Result<Vec<u8>, Failure> {
        if let Some(failure) = self.failure {
            return Err(failure);
        }
        if !self.current.is_empty() {
            self.full.push(std::mem::take(&mut self.current));
        }
        self.hash();
        Ok(integrity_table(&self.hashes))
    }
}

impl Sink<Content> for Pieces<'_> {
    fn literal(&mut self, bytes: &[u8]) {
        self.take(bytes);
    }

    fn zeros(&mut self, count_bytes: u64) {
        const ZEROS: [u8; 4096] = [0; 4096];
        let mut left = count_bytes;
        while left > 0 {
            let count = left.min(ZEROS.len() as u64);
            self.take(&ZEROS[..count as usize]);
            left -= count;
        }
    }

    fn content(&mut self, content: &Content, _: u64) {
        if self.failure.is_none() {
            let context = self.context;
            self.failure = context.read_pieces(content, |piece| self.take(piece)).err();
        }
    }

    fn position_bytes(&self) -> u64 {
        self.position_bytes
    }
}
