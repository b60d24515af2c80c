//! Copying large things: hashed beside being copied, with the disk busy from the first megabytes on.
//!
//! ```text
//! this thread   read 1 | write 1, read 2   | write 2, read 3   | ...
//! leaf pool            | BLAKE3, observe 1 | BLAKE3, observe 2 | ...
//! ```
//! That is for many copies at a time. One that is alone also writes by the pool, see [`Copier::copy`].
//!
//! What is hashed is the buffer that is written, so the file has exactly the bytes that the digest
//! says, whatever happens to the source meanwhile. Memory: two pieces.
//!
//! Whole pieces are written around the page cache, where that is known to be well: two thirds of
//! the processor time of a cached write is for pages that are to be found, filled and flushed, and
//! 20 GB of them would push everything else out. Who reads the file next reads it from the disk.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use crate::aligned::{AlignedBuffer, is_aligned};
use crate::store::Observe;
use crate::{Content, Digest, os};

/// How much is hashed at a time: waking the pool for it costs a hundredth of hashing it.
pub(crate) const PIECE_BYTES: usize = 2 << 20;

/// Waking the pool for less costs more than hashing it here.
const PARALLEL_BYTES_MIN: usize = 128 << 10;

/// How much is written before the disk is told to start: large enough to be one stretch there,
/// small enough that little is left to wait for at the flush, or when the user stops.
const WRITE_BACK_BYTES: u64 = 16 << 20;

/// Why a copy ended early.
#[derive(Debug)]
pub enum CopyError {
    /// The source failed.
    Read(io::Error),
    /// The file failed.
    Write(io::Error),
    /// The observer did not want to go on.
    Cancelled,
}

/// Copies, one thing after the other, with the same two buffers.
pub struct Copier {
    current: AlignedBuffer,
    next: AlignedBuffer,
}

impl Default for Copier {
    fn default() -> Self {
        let buffer = || AlignedBuffer::new(PIECE_BYTES);
        Copier { current: buffer(), next: buffer() }
    }
}

impl Copier {
    /// Writes all bytes of `source` to `file`, which is new; answers what they are called. Not yet
    /// durable. Long runs of zeros become holes.
    ///
    /// A piece is written by the leaf pool while this thread reads the next: the store's reader hashes
    /// what it reads, and the disk would wait for that. So it is for one copy at a time, when nothing
    /// else needs the pool.
    pub fn copy(
        &mut self,
        source: &mut dyn Read,
        file: &mut File,
        observe: &mut Observe<'_>,
    ) -> Result<Content, CopyError> {
        let (mut growing, mut hashing) = (Growing::default(), Hashing::default());
        self.read_first(source, PIECE_BYTES).map_err(CopyError::Read)?;
        while !self.current.filled().is_empty() {
            let (piece, next) = (self.current.filled(), &mut self.next);
            let (mut written, mut go_on) = (Ok(()), true);
            let (file, growing) = (&mut *file, &mut growing);
            let read = match piece.len() < PARALLEL_BYTES_MIN {
                true => {
                    written = growing.write(file, piece);
                    go_on = hashing.see(piece, observe);
                    next.read(source, PIECE_BYTES)
                }
                false => rayon::in_place_scope(|scope| {
                    scope.spawn(|_| written = growing.write(file, piece));
                    scope.spawn(|_| go_on = hashing.see(piece, observe));
                    next.read(source, PIECE_BYTES)
                }),
            };
            if !go_on {
                return Err(CopyError::Cancelled);
            }
            written.map_err(CopyError::Write)?;
            read.map_err(CopyError::Read)?;
            std::mem::swap(&mut self.current, &mut self.next);
        }
        growing.finish(file).map_err(CopyError::Write)?;
        Ok(hashing.content())
    }

    /// Reads the first `limit_bytes` of `source`, or all of it.
    pub(crate) fn read_first(
        &mut self,
        source: &mut dyn Read,
        limit_bytes: usize,
    ) -> io::Result<&[u8]> {
        self.current.read(source, limit_bytes)?;
        Ok(self.current.filled())
    }

    /// Hands each piece, from what was read first on, to `write`, and hashes it beside that, until
    /// `source` ends.
    pub(crate) fn stream(
        &mut self,
        source: &mut dyn Read,
        write: &mut dyn FnMut(&[u8]) -> io::Result<()>,
        observe: &mut Observe<'_>,
    ) -> Result<Content, CopyError> {
        let (mut hasher, mut size_bytes) = (blake3::Hasher::new(), 0);
        while !self.current.filled().is_empty() {
            let piece = self.current.filled();
            let next = &mut self.next;
            let mut forward = || {
                write(piece).map_err(CopyError::Write)?;
                next.read(source, PIECE_BYTES).map_err(CopyError::Read)
            };
            let mut go_on = true;
            let forwarded = match piece.len() < PARALLEL_BYTES_MIN {
                true => {
                    hasher.update(piece);
                    go_on = observe(piece);
                    forward()
                }
                false => rayon::in_place_scope(|scope| {
                    scope.spawn(|_| {
                        hasher.update_rayon(piece);
                    });
                    scope.spawn(|_| go_on = observe(piece));
                    forward()
                }),
            };
            if !go_on {
                return Err(CopyError::Cancelled);
            }
            forwarded?;
            size_bytes += piece.len() as u64;
            std::mem::swap(&mut self.current, &mut self.next);
        }
        Ok(Content { digest: Digest::from_bytes(hasher.finalize().into()), size_bytes })
    }
}

/// What was seen so far is called.
#[derive(Default)]
struct Hashing {
    hasher: blake3::Hasher,
    size_bytes: u64,
}

impl Hashing {
    /// Hashes the next piece; answers whether the observer wants to go on.
    fn see(&mut self, piece: &[u8], observe: &mut Observe<'_>) -> bool {
        self.size_bytes += piece.len() as u64;
        match piece.len() < PARALLEL_BYTES_MIN {
            true => drop(self.hasher.update(piece)),
            false => drop(self.hasher.update_rayon(piece)),
        }
        observe(piece)
    }

    fn content(&self) -> Content {
        let digest = Digest::from_bytes(self.hasher.finalize().into());
        Content { digest, size_bytes: self.size_bytes }
    }
}

/// A new file that grows piece by piece. A piece of zeros becomes a hole.
#[derive(Default)]
pub(crate) struct Growing {
    size_bytes: u64,
    /// Up to here the disk was told to write.
    started_bytes: u64,
    ends_in_hole: bool,
}

impl Growing {
    pub(crate) fn write(&mut self, file: &mut File, piece: &[u8]) -> io::Result<()> {
        self.ends_in_hole = is_zeros(piece);
        let direct = is_aligned(piece, self.size_bytes);
        match self.ends_in_hole {
            true => file.seek(SeekFrom::Current(piece.len() as i64)).map(drop)?,
            false => os::write_all(file, piece, direct)?,
        };
        self.size_bytes += piece.len() as u64;
        if !direct && self.size_bytes - self.started_bytes >= WRITE_BACK_BYTES {
            os::start_write_back(file, self.started_bytes..self.size_bytes);
            self.started_bytes = self.size_bytes;
        }
        Ok(())
    }

    /// To be called when all is written.
    pub(crate) fn finish(self, file: &File) -> io::Result<()> {
        crate::os::end_direct(file);
        if self.ends_in_hole { file.set_len(self.size_bytes) } else { Ok(()) }
    }
}

/// Ends at the first byte that is not zero, so for nearly all data it costs nothing.
fn is_zeros(bytes: &[u8]) -> bool {
    const ZEROS: [u8; 4096] = [0; 4096];
    bytes.chunks(ZEROS.len()).all(|chunk| chunk == &ZEROS[..chunk.len()])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(pieces: &[&[u8]]) -> Vec<u8> {
        let mut file = tempfile::tempfile().unwrap();
        let mut growing = Growing::default();
        pieces.iter().for_each(|piece| growing.write(&mut file, piece).unwrap());
        growing.finish(&file).unwrap();
        contents(file)
    }

    fn contents(mut file: File) -> Vec<u8> {
        let mut bytes = Vec::new();
        file.rewind().unwrap();
        file.read_to_end(&mut bytes).unwrap();
        bytes
    }

    #[test]
    fn holes_read_as_the_zeros_that_were_written() {
        let (zeros, data) = (vec![0; 100_000], vec![7; 5000]);
        let almost = [&zeros[..], &[1]].concat();
        assert_eq!(written(&[&zeros]), zeros);
        assert_eq!(written(&[&data, &zeros]), [&data[..], &zeros].concat());
        assert_eq!(written(&[&zeros, &data, &zeros]), [&zeros[..], &data, &zeros].concat());
        assert_eq!(written(&[&almost]), almost);
    }

    #[test]
    fn direct_and_cached_writes_mix() {
        let mut buffer = AlignedBuffer::new(16384);
        buffer.take(&[5; 16384]);
        let (aligned, zeros, odd) = (buffer.filled(), [0; 8192], [6; 4097]);
        let pieces = [aligned, &zeros, aligned, &odd, aligned, &odd[1..], &zeros];
        assert_eq!(written(&pieces), pieces.concat());
    }

    #[test]
    fn a_copy_has_the_bytes_and_their_digest() {
        let mut copier = Copier::default();
        for size_bytes in [0, 1, PIECE_BYTES - 1, PIECE_BYTES, 2 * PIECE_BYTES + 5] {
            let bytes: Vec<u8> = (0..size_bytes).map(|at| (at % 251) as u8).collect();
            let mut file = tempfile::tempfile().unwrap();
            let mut seen = Vec::new();
            let mut observe = |piece: &[u8]| {
                seen.extend_from_slice(piece);
                true
            };
            let content = copier.copy(&mut &bytes[..], &mut file, &mut observe).unwrap();
            assert_eq!(content.digest, Digest::of(&bytes));
            assert_eq!((content.size_bytes, seen), (size_bytes as u64, bytes.clone()));
            assert_eq!(contents(file), bytes);
        }
    }
}
