//! `Unit`: stored bytes of some blobs, decoded in one go by one thread.

use std::io;
use std::ops::Range;
use std::sync::Arc;

use super::blob::BlobEntry;
use super::chunk_list::ChunkList;
use super::chunks::{Chunks, Coding};
use super::error::Error;
use super::header::ResourceHeader;
use super::resource::sized;
use crate::source::Source;

/// Stored bytes and what they are; filled by [`Units::next_into`](super::Units::next_into).
#[derive(Debug, Default)]
pub struct Unit {
    pub(super) work: Work,
    failed: Vec<Failed>,
    /// File offset of the first stored byte.
    offset_bytes: u64,
    stored_size: usize,
    stored: Vec<u8>,
    output: Vec<u8>,
}

/// What is to be decoded.
#[derive(Debug, Default)]
pub(super) enum Work {
    #[default]
    Nothing,
    /// Whole resources.
    Small(Vec<(usize, ResourceHeader, Coding)>),
    /// Chunks of a sequence, and the first span that may have bytes in them.
    Chunks {
        sequence: Arc<Sequence>,
        chunks: Range<u64>,
        first_span: usize,
        /// Why their bytes could not be read.
        read: Option<Error>,
    },
}

/// Chunks, and the blobs that lie in them.
#[derive(Debug)]
pub(super) struct Sequence {
    pub(super) chunks: ChunkList,
    /// By their start.
    pub(super) spans: Vec<Span>,
}

/// A blob in the uncompressed bytes of chunks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    pub(super) blob: usize,
    pub(super) start: u64,
    pub(super) end: u64,
}

/// A blob that cannot be read at all.
#[derive(Debug)]
struct Failed {
    blob: usize,
    size_bytes: u64,
    error: Arc<Error>,
}

/// Uncompressed bytes of a blob. Pieces of a blob come in order within a unit, and units in the order
/// they were filled.
#[derive(Debug)]
pub struct Piece<'a> {
    /// Which one, as a position in what the caller wanted.
    pub blob: usize,
    /// Where in the blob the piece is.
    pub offset_bytes: u64,
    /// How many bytes of the blob it stands for.
    pub size_bytes: u64,
    /// Whether it is the blob's last one.
    pub is_last: bool,
    /// The bytes, or why there are none.
    pub bytes: Result<&'a [u8], &'a Error>,
}

impl Unit {
    /// How many bytes were read for it.
    pub fn stored_bytes(&self) -> u64 {
        self.stored_size as u64
    }

    pub(super) fn clear(&mut self) {
        (self.work, self.stored_size) = (Work::Nothing, 0);
        self.failed.clear();
    }

    pub(super) fn is_empty(&self) -> bool {
        matches!(self.work, Work::Nothing) && self.failed.is_empty()
    }

    /// Room for what is stored at an offset.
    pub(super) fn stored_mut(&mut self, offset_bytes: u64, size: usize) -> &mut [u8] {
        (self.offset_bytes, self.stored_size) = (offset_bytes, size);
        sized(&mut self.stored, size)
    }

    /// Says of whole blobs why they cannot be read.
    pub(super) fn fail(&mut self, blobs: &[(usize, &BlobEntry)], error: Error) {
        let error = Arc::new(error);
        self.failed.extend(blobs.iter().map(|(blob, entry)| Failed {
            blob: *blob,
            size_bytes: entry.size_bytes(),
            error: Arc::clone(&error),
        }));
    }

    /// Decodes everything, and hands it out piece by piece.
    pub fn decode(&mut self, mut each: impl FnMut(Piece<'_>)) {
        for Failed { blob, size_bytes, error } in &self.failed {
            let (blob, size_bytes) = (*blob, *size_bytes);
            each(Piece { blob, offset_bytes: 0, size_bytes, is_last: true, bytes: Err(error) });
        }
        let stored = Stored { start: self.offset_bytes, bytes: &self.stored[..self.stored_size] };
        match &self.work {
            Work::Nothing => {}
            Work::Small(small) => {
                for (blob, resource, coding) in small {
                    let bytes = decode_small(&stored, resource, *coding, &mut self.output);
                    let bytes = bytes.as_ref().map(|bytes| *bytes);
                    let (blob, size_bytes) = (*blob, resource.size_bytes);
                    each(Piece { blob, offset_bytes: 0, size_bytes, is_last: true, bytes });
                }
            }
            Work::Chunks { sequence, chunks, first_span, read } => {
                let Sequence { chunks: list, spans } = &**sequence;
                let decoded = Decoded::of(list, chunks, &stored, read.as_ref(), &mut self.output);
                decoded.pieces(&spans[*first_span..], each);
            }
        }
    }
}

/// A part of the file that is in memory.
struct Stored<'a> {
    start: u64,
    bytes: &'a [u8],
}

impl<'a> Stored<'a> {
    /// Bytes at an offset of the file, which must be here.
    fn at(&self, offset_bytes: u64, size: usize) -> io::Result<&'a [u8]> {
        let start = offset_bytes.checked_sub(self.start).map(|start| start as usize);
        let range = start.and_then(|start| self.bytes.get(start..start.checked_add(size)?));
        range.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }
}

impl Source for Stored<'_> {
    fn size_bytes(&self) -> u64 {
        self.start + self.bytes.len() as u64
    }

    fn read_exact_at(&self, offset_bytes: u64, buffer: &mut [u8]) -> io::Result<()> {
        buffer.copy_from_slice(self.at(offset_bytes, buffer.len())?);
        Ok(())
    }
}

/// All bytes of a small resource: those that are stored if they are plain, else in `output`.
fn decode_small<'a>(
    stored: &Stored<'a>,
    resource: &ResourceHeader,
    coding: Coding,
    output: &'a mut Vec<u8>,
) -> Result<&'a [u8], Error> {
    let chunks = Chunks::read(stored, resource, coding)?;
    let read = |source| Error::Read { offset_bytes: resource.offset_bytes, source };
    let size = chunks.size_bytes() as usize;
    if chunks.is_plain() {
        return stored.at(resource.offset_bytes, size).map_err(read);
    }
    let output = sized(output, size);
    for (index, output) in (0..).zip(output.chunks_mut(chunks.chunk_bytes() as usize)) {
        let chunk = chunks.chunk(index);
        let bytes = stored.at(chunk.offset_bytes, chunk.stored_bytes as usize).map_err(read)?;
        chunks.decode(index, bytes, output)?;
    }
    Ok(output)
}

/// Uncompressed bytes of consecutive chunks, some of which may be missing.
struct Decoded<'a> {
    start: u64,
    end: u64,
    bytes: &'a [u8],
    /// What is missing, and why.
    errors: Vec<(Range<u64>, Error)>,
    /// Why nothing is there.
    read: Option<&'a Error>,
}

impl<'a> Decoded<'a> {
    fn of(
        list: &ChunkList,
        chunks: &Range<u64>,
        stored: &Stored<'a>,
        read: Option<&'a Error>,
        output: &'a mut Vec<u8>,
    ) -> Decoded<'a> {
        let (start, end) = (list.get(chunks.start).start, list.get(chunks.end - 1).end());
        let mut decoded = Decoded { start, end, bytes: &[], errors: Vec::new(), read };
        if read.is_some() {
            return decoded;
        }
        if list.get(chunks.start).is_plain() {
            decoded.bytes = stored.bytes;
            return decoded;
        }
        let output = sized(output, (end - start) as usize);
        let mut rest = &mut *output;
        for chunk in chunks.clone().map(|index| list.get(index)) {
            let (piece, tail) = rest.split_at_mut(chunk.chunk.size_bytes as usize);
            rest = tail;
            let offset_bytes = chunk.chunk.offset_bytes;
            let result = stored
                .at(offset_bytes, chunk.chunk.stored_bytes as usize)
                .map_err(|source| Error::Read { offset_bytes, source })
                .and_then(|bytes| chunk.decode(bytes, piece));
            if let Err(error) = result {
                decoded.errors.push((chunk.start..chunk.end(), error));
            }
        }
        decoded.bytes = output;
        decoded
    }

    /// Hands out what blobs have of it; `spans` begin with the first that may.
    fn pieces(&self, spans: &[Span], mut each: impl FnMut(Piece<'_>)) {
        for span in spans.iter().take_while(|span| span.start < self.end) {
            let (start, end) = (span.start.max(self.start), span.end.min(self.end));
            if start >= end {
                continue;
            }
            let range = (start - self.start) as usize..(end - self.start) as usize;
            each(Piece {
                blob: span.blob,
                offset_bytes: start - span.start,
                size_bytes: end - start,
                is_last: end == span.end,
                bytes: self.error_in(start, end).map_or_else(|| Ok(&self.bytes[range]), Err),
            });
        }
    }

    /// Why some of these bytes are missing.
    fn error_in(&self, start: u64, end: u64) -> Option<&Error> {
        let mut errors = self.errors.iter();
        let found = errors.find(|(range, _)| range.start < end && start < range.end);
        self.read.or(found.map(|(_, error)| error))
    }
}
