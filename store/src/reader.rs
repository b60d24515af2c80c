//! `Reader` and `RandomReader`: a content's bytes, wherever they lie.
//!
//! Opening resolves a content once into an [`Assembly`]: which stretch of which file makes which
//! bytes. Reading walks it with a [`Cursor`] and lets [`fill`] copy straight into the caller's
//! buffer: one system call for all stretches that are neighbours both here and on disk.
//! Memory is the assembly (about 60 bytes an extent) plus at most one buffer.

mod assembly;
mod cursor;
mod fill;
mod resolve;
mod source;
mod verifier;

use std::io::{self, Read};
use std::sync::Mutex;

use assembly::Assembly;
use cursor::Cursor;
use fill::{Filler, fill};
use verifier::Verifier;

pub(crate) use resolve::resolve;
pub(crate) use source::{OpenSource, Source};

use crate::Error;

/// How much is read at once: large enough that system calls cost nothing, small enough that the
/// bytes are still in the second-level cache when they are hashed.
const CHUNK_BYTES: usize = 1 << 20;

/// Smaller reads than this go through a buffer.
const DIRECT_BYTES_MIN: usize = 64 << 10;

/// Reads a content from its first byte to its last, and verifies each blob and part on the way.
///
/// Owns all it needs. Give it buffers of 1 MiB: it fills them without a copy of its own.
pub struct Reader {
    assembly: Assembly,
    cursor: Cursor,
    filler: Filler,
    verifier: Verifier,
    buffer: Vec<u8>,
    /// What of `buffer` is still to be handed out.
    buffered: std::ops::Range<usize>,
    /// Set by the first error: the bytes after it cannot be trusted.
    failed: bool,
}

impl Reader {
    pub(crate) fn new(assembly: Assembly) -> Self {
        Reader {
            cursor: Cursor::at_start(),
            filler: Filler::default(),
            verifier: Verifier::default(),
            buffer: Vec::new(),
            buffered: 0..0,
            failed: false,
            assembly,
        }
    }

    /// How many bytes there are from the first to the last.
    pub fn size_bytes(&self) -> u64 {
        self.assembly.size_bytes()
    }

    fn fill_verified(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.failed {
            return Err(io::Error::other("this reader failed before"));
        }
        let verifier = Some(&mut self.verifier);
        let filled = fill(&self.assembly, &mut self.cursor, &mut self.filler, verifier, out);
        self.failed = filled.is_err();
        Ok(filled?)
    }

    fn refill_buffer(&mut self) -> io::Result<()> {
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.resize(CHUNK_BYTES, 0);
        let filled = self.fill_verified(&mut buffer);
        self.buffer = buffer;
        self.buffered = 0..filled?;
        Ok(())
    }
}

impl Read for Reader {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.buffered.is_empty() {
            if out.len() >= DIRECT_BYTES_MIN {
                let size_bytes = out.len().min(CHUNK_BYTES);
                return self.fill_verified(&mut out[..size_bytes]);
            }
            self.refill_buffer()?;
        }
        let size_bytes = out.len().min(self.buffered.len());
        let start = self.buffered.start;
        out[..size_bytes].copy_from_slice(&self.buffer[start..start + size_bytes]);
        self.buffered.start += size_bytes;
        Ok(size_bytes)
    }
}

/// Random access to a content. Not verified; see [`crate::Store::open_at`].
pub struct RandomReader {
    assembly: Assembly,
    filler: Mutex<Filler>,
}

impl RandomReader {
    pub(crate) fn new(assembly: Assembly) -> Self {
        RandomReader { assembly, filler: Mutex::default() }
    }

    /// How many bytes there are in all.
    pub fn size_bytes(&self) -> u64 {
        self.assembly.size_bytes()
    }

    /// Fills `out` with the bytes from `offset_bytes` on; `UnexpectedEof` if there are too few.
    pub fn read_exact_at(&self, offset_bytes: u64, out: &mut [u8]) -> io::Result<()> {
        let size_bytes = out.len() as u64;
        let end_bytes = offset_bytes.checked_add(size_bytes);
        if end_bytes.is_none_or(|end_bytes| end_bytes > self.size_bytes()) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let mut cursor = Cursor::seek(&self.assembly, offset_bytes);
        let mut filler = self.take_filler();
        let filled = fill(&self.assembly, &mut cursor, &mut filler, None, out);
        *self.filler.lock().expect("no holder of this lock panics") = filler;
        debug_assert!(!filled.as_ref().is_ok_and(|filled| *filled != out.len()));
        filled?;
        Ok(())
    }

    /// Open files are worth keeping, but not worth waiting for: a second thread at the same time
    /// starts with none.
    fn take_filler(&self) -> Filler {
        std::mem::take(&mut *self.filler.lock().expect("no holder of this lock panics"))
    }
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader").field("size_bytes", &self.size_bytes()).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for RandomReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut debug = f.debug_struct("RandomReader");
        debug.field("size_bytes", &self.size_bytes()).finish_non_exhaustive()
    }
}

/// What a broken read becomes on its way through `std::io`.
fn ends_early(digest: crate::Digest, source: &Source) -> Error {
    Error::corrupt(digest, source.path(), "the file ends early")
}
