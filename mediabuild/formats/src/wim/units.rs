//! `Units`: blobs in the order they lie in the file, cut into pieces of work for many threads.
//!
//! One thread at a time asks for the next unit, which reads its stored bytes: so a file is read from
//! its first byte to its last, each byte once. Then units are decoded by as many threads as there
//! are, while others read. A unit is a few small resources, some chunks of a large one, or one chunk
//! of a solid resource, however many blobs have bytes in that.

use std::sync::Arc;

use super::archive::Wim;
use super::blob::BlobEntry;
use super::chunk_list::ChunkList;
use super::error::Error;
use super::header::read_at;
use super::solid::solid_range;
use super::unit::{Sequence, Span, Unit, Work};
use crate::source::Source;

/// Uncompressed bytes of a unit, unless one chunk has more. Small enough to stay in a second-level
/// cache between decoding and hashing, large enough that handing out units costs nothing.
const UNIT_BYTES: u64 = 1 << 20;
/// Bytes that nobody wants and that are read over all the same.
const GAP_BYTES: u64 = 64 << 10;

/// Cuts blobs into units. An iterator in all but name: units are filled again and again, so that
/// their memory is.
#[derive(Debug)]
pub struct Units<'a, S> {
    wim: &'a Wim,
    source: S,
    /// What is wanted, the next one last.
    pending: Vec<Wanted<'a>>,
    /// The large resource or run that is being cut.
    current: Option<Cut>,
}

/// A blob that is wanted, by its position in what the caller wants.
#[derive(Debug, Clone, Copy)]
struct Wanted<'a> {
    blob: usize,
    entry: &'a BlobEntry,
    /// The run of solid resources that it is in.
    run: Option<usize>,
}

/// How far a sequence was cut.
#[derive(Debug)]
struct Cut {
    sequence: Arc<Sequence>,
    /// The first span with bytes from here on, and the next byte that is wanted.
    next_span: usize,
    position: u64,
}

impl Wim {
    /// Cuts blobs and metadata resources into units. Where several entries are of the same bytes,
    /// each is decoded on its own: ask for distinct ones.
    pub fn units<'a, S: Source>(&'a self, source: S, entries: &[&'a BlobEntry]) -> Units<'a, S> {
        let wanted = entries.iter().enumerate().map(|(blob, &entry)| {
            // An entry that is not of this file has no run, and fails when its turn comes.
            let run = entry.is_solid().then(|| self.run_of(entry).unwrap_or(usize::MAX));
            Wanted { blob, entry, run }
        });
        let mut pending: Vec<Wanted<'a>> = wanted.collect();
        pending.sort_by_key(|wanted| std::cmp::Reverse(self.place(wanted)));
        Units { wim: self, source, pending, current: None }
    }

    /// The order in the file: of a blob in solid resources, the place of the first of them.
    fn place(&self, wanted: &Wanted<'_>) -> (u64, usize, u64, u64) {
        let resource = &wanted.entry.resource;
        let Some(run) = wanted.run else {
            return (resource.offset_bytes, 0, 0, resource.stored_bytes);
        };
        let first = self.runs.get(run).and_then(|run| self.solid.get(run.resources.start));
        let run_offset = first.map_or(0, |first| first.resource.offset_bytes);
        (run_offset, run, resource.offset_bytes, resource.stored_bytes)
    }
}

impl<S: Source> Units<'_, S> {
    /// Fills `unit` with the next bytes; `false` at the end.
    pub fn next_into(&mut self, unit: &mut Unit) -> bool {
        unit.clear();
        loop {
            if let Some(cut) = self.current.take() {
                self.current = self.cut(cut, unit);
                return true;
            }
            let Some(first) = self.pending.pop() else { return false };
            self.begin(first, unit);
            if !unit.is_empty() {
                return true;
            }
        }
    }

    /// Takes what is wanted next: small resources into `unit`, anything else to be cut.
    fn begin(&mut self, first: Wanted<'_>, unit: &mut Unit) {
        let begun = match first.run {
            Some(run) => self.begin_run(first, run, unit),
            None => match self.wim.check_here(first.entry) {
                Ok(()) if is_small(first.entry) => {
                    self.read_small(first, unit);
                    return;
                }
                Ok(()) => self.begin_large(&first),
                Err(error) => Err(error),
            },
        };
        if let Err(error) = begun {
            unit.fail(&[(first.blob, first.entry)], error);
        }
    }

    /// A resource of many chunks.
    fn begin_large(&mut self, wanted: &Wanted<'_>) -> Result<(), Error> {
        let chunks = self.wim.chunks(&self.source, &wanted.entry.resource)?;
        let chunks = ChunkList::new(vec![chunks])?;
        let end = chunks.size_bytes();
        self.begin_cut(chunks, vec![Span { blob: wanted.blob, start: 0, end }]);
        Ok(())
    }

    /// All blobs of a run that are wanted; those that cannot be in it fail at once.
    fn begin_run(&mut self, first: Wanted<'_>, run: usize, unit: &mut Unit) -> Result<(), Error> {
        let mut blobs = vec![(first.blob, first.entry)];
        while let Some(next) = self.pending.pop_if(|next| next.run == Some(run)) {
            blobs.push((next.blob, next.entry));
        }
        let chunks = match self.wim.run_chunks(&self.source, run) {
            Ok(chunks) => chunks,
            Err(error) => {
                unit.fail(&blobs, error);
                return Ok(());
            }
        };
        let mut spans = Vec::with_capacity(blobs.len());
        for (blob, entry) in blobs {
            match solid_range(entry, &chunks) {
                Ok((start, end)) => spans.push(Span { blob, start, end }),
                Err(error) => unit.fail(&[(blob, entry)], error),
            }
        }
        self.begin_cut(chunks, spans);
        Ok(())
    }

    fn begin_cut(&mut self, chunks: ChunkList, spans: Vec<Span>) {
        self.current = spans.first().map(|span| span.start).map(|position| {
            let sequence = Arc::new(Sequence { chunks, spans });
            Cut { sequence, next_span: 0, position }
        });
    }

    /// Reads small resources that lie behind each other.
    fn read_small(&mut self, first: Wanted<'_>, unit: &mut Unit) {
        let mut small = vec![(first.blob, first.entry)];
        let start = first.entry.resource.offset_bytes;
        // What a table says of another part of the set was not held against that part's size.
        let end_of =
            |it: &BlobEntry| it.resource.offset_bytes.saturating_add(it.resource.stored_bytes);
        let mut end = end_of(first.entry);
        let mut size_bytes = first.entry.size_bytes();
        let wim = self.wim;
        let member = wim.member_at(start);
        while let Some(next) = self.pending.pop_if(|next| {
            let resource = &next.entry.resource;
            size_bytes = size_bytes.saturating_add(resource.size_bytes);
            next.run.is_none()
                && is_small(next.entry)
                && wim.check_here(next.entry).is_ok()
                && wim.member_at(resource.offset_bytes) == member
                && size_bytes <= UNIT_BYTES
                && resource.offset_bytes <= end.saturating_add(GAP_BYTES)
                && resource.offset_bytes - start <= UNIT_BYTES
        }) {
            end = end.max(end_of(next.entry));
            small.push((next.blob, next.entry));
        }
        match read_at(&self.source, start, unit.stored_mut(start, (end - start) as usize)) {
            Err(error) => unit.fail(&small, error),
            Ok(()) => {
                let coding = |resource| self.wim.coding(resource);
                let small = small
                    .iter()
                    .map(|(blob, entry)| (*blob, entry.resource, coding(&entry.resource)));
                unit.work = Work::Small(small.collect());
            }
        }
    }

    /// Reads the next chunks of a sequence; gives what is left of it.
    fn cut(&mut self, mut cut: Cut, unit: &mut Unit) -> Option<Cut> {
        let sequence = Arc::clone(&cut.sequence);
        let first_span = cut.next_span;
        let first = sequence.chunks.chunk_with(cut.position);
        let first_chunk = sequence.chunks.get(first);
        let (mut last, mut last_chunk) = (first, first_chunk);
        while cut.advance(last_chunk.end()) {
            let next = sequence.chunks.chunk_with(cut.position);
            let next_chunk = sequence.chunks.get(next);
            let is_next = next == last + 1 && next_chunk.follows(&last_chunk);
            if !is_next || next_chunk.end() - first_chunk.start > UNIT_BYTES {
                break;
            }
            (last, last_chunk) = (next, next_chunk);
        }
        let offset = first_chunk.chunk.offset_bytes;
        let end = last_chunk.chunk.offset_bytes + u64::from(last_chunk.chunk.stored_bytes);
        let stored = unit.stored_mut(offset, (end - offset) as usize);
        let read = read_at(&self.source, offset, stored).err();
        unit.work = Work::Chunks { sequence, chunks: first..last + 1, first_span, read };
        (cut.next_span < cut.sequence.spans.len()).then_some(cut)
    }
}

impl Cut {
    /// Goes on at an offset, or where the next blob begins; `false` if nothing is wanted there.
    fn advance(&mut self, offset: u64) -> bool {
        let spans = &self.sequence.spans;
        while spans.get(self.next_span).is_some_and(|span| span.end <= offset) {
            self.next_span += 1;
        }
        self.position = spans.get(self.next_span).map_or(offset, |span| span.start.max(offset));
        self.next_span < spans.len()
    }
}

/// Whether a resource is no more than a unit.
fn is_small(entry: &BlobEntry) -> bool {
    let resource = &entry.resource;
    resource.size_bytes <= UNIT_BYTES && resource.stored_bytes <= UNIT_BYTES
}
