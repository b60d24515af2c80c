//! Large things on their way to a file of their own: hashed beside being copied, with the disk
//! busy from the first megabytes on.
//!
//! ```text
//! this thread   read 1 | write 1, read 2   | write 2, read 3   | ...
//! leaf pool            | BLAKE3, observe 1 | BLAKE3, observe 2 | ...
//! ```
//! What is hashed is the buffer that is written, so the file has exactly the bytes that its name
//! says, whatever happens to the source meanwhile. Memory: two pieces.

use std::io::{self, Read, Seek, SeekFrom, Write};

use tempfile::NamedTempFile;

use super::batch::LOOSE_BYTES_MIN;
use crate::store::Observe;
use crate::{Content, Digest, Error, os};

/// How much is hashed at a time: waking the pool for it costs a hundredth of hashing it.
const PIECE_BYTES: usize = 2 << 20;

/// How much is written before the disk is told to start: large enough to be one stretch there,
/// small enough that little is left to wait for at the flush, or when the user stops.
pub(super) const WRITE_BACK_BYTES: u64 = 16 << 20;

/// The two buffers of a stream; kept from one to the next.
#[derive(Default)]
pub(super) struct Pieces {
    current: Vec<u8>,
    filled: usize,
    next: Vec<u8>,
}

impl Pieces {
    /// Reads the start of `source`. Answers all of it if it is small.
    pub(super) fn begin(&mut self, source: &mut dyn Read) -> Result<Option<&[u8]>, Error> {
        // Only the first stream pays for the zeros; a small one never for those of the rest.
        self.current.resize(self.current.len().max(LOOSE_BYTES_MIN), 0);
        self.filled = fill(&mut self.current[..LOOSE_BYTES_MIN], source)?;
        match self.filled < LOOSE_BYTES_MIN {
            true => Ok(Some(&self.current[..self.filled])),
            false => Ok(None),
        }
    }

    /// Hands each piece to `write`, and hashes it beside that, until `source` ends.
    pub(super) fn stream(
        &mut self,
        source: &mut dyn Read,
        write: &mut dyn FnMut(&[u8]) -> Result<(), Error>,
        observe: &mut Observe<'_>,
    ) -> Result<Content, Error> {
        let (mut hasher, mut size_bytes) = (blake3::Hasher::new(), 0);
        self.current.resize(PIECE_BYTES, 0);
        self.next.resize(PIECE_BYTES, 0);
        while self.filled > 0 {
            let piece = &self.current[..self.filled];
            let next = &mut self.next;
            let mut go_on = true;
            let read = rayon::in_place_scope(|scope| {
                scope.spawn(|_| {
                    hasher.update_rayon(piece);
                });
                scope.spawn(|_| go_on = observe(piece));
                write(piece).and_then(|()| fill(next, source))
            });
            if !go_on {
                return Err(Error::Cancelled);
            }
            size_bytes += self.filled as u64;
            self.filled = read?;
            std::mem::swap(&mut self.current, &mut self.next);
        }
        Ok(Content { digest: Digest::from_bytes(hasher.finalize().into()), size_bytes })
    }
}

/// A file that grows piece by piece. A piece of zeros becomes a hole.
pub(super) struct LargeFile {
    file: NamedTempFile,
    size_bytes: u64,
    /// Up to here the disk was told to write.
    started_bytes: u64,
    ends_in_hole: bool,
}

impl LargeFile {
    pub(super) fn new(file: NamedTempFile) -> Self {
        LargeFile { file, size_bytes: 0, started_bytes: 0, ends_in_hole: false }
    }

    pub(super) fn write(&mut self, piece: &[u8]) -> Result<(), Error> {
        self.ends_in_hole = is_zeros(piece);
        let file = self.file.as_file_mut();
        let written = match self.ends_in_hole {
            true => file.seek(SeekFrom::Current(piece.len() as i64)).map(drop),
            false => file.write_all(piece),
        };
        written.map_err(Error::write(self.file.path(), piece.len() as u64))?;
        self.size_bytes += piece.len() as u64;
        if self.size_bytes - self.started_bytes >= WRITE_BACK_BYTES {
            os::start_write_back(self.file.as_file(), self.started_bytes..self.size_bytes);
            self.started_bytes = self.size_bytes;
        }
        Ok(())
    }

    /// The file with all its bytes, not yet durable.
    pub(super) fn finish(self) -> Result<NamedTempFile, Error> {
        if self.ends_in_hole {
            let grown = self.file.as_file().set_len(self.size_bytes);
            grown.map_err(Error::write(self.file.path(), 0))?;
        }
        Ok(self.file)
    }
}

/// Ends at the first byte that is not zero, so for nearly all data it costs nothing.
fn is_zeros(bytes: &[u8]) -> bool {
    const ZEROS: [u8; 4096] = [0; 4096];
    bytes.chunks(ZEROS.len()).all(|chunk| chunk == &ZEROS[..chunk.len()])
}

/// Reads until `buffer` is full or the source ends; answers how much.
fn fill(buffer: &mut [u8], source: &mut dyn Read) -> Result<usize, Error> {
    let mut filled = 0;
    while filled < buffer.len() {
        match source.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(Error::from_read(error)),
        }
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(pieces: &[&[u8]]) -> Vec<u8> {
        let mut file = LargeFile::new(NamedTempFile::new().unwrap());
        pieces.iter().for_each(|piece| file.write(piece).unwrap());
        std::fs::read(file.finish().unwrap().path()).unwrap()
    }

    #[test]
    fn holes_read_as_the_zeros_that_were_written() {
        let (zeros, data) = (vec![0; 100_000], vec![7; 5000]);
        assert_eq!(written(&[&zeros]), zeros);
        assert_eq!(written(&[&data, &zeros]), [&data[..], &zeros].concat());
        assert_eq!(written(&[&zeros, &data, &zeros]), [&zeros[..], &data, &zeros].concat());
        let almost = [&zeros[..], &[1]].concat();
        assert_eq!(written(&[&almost]), almost);
    }
}
