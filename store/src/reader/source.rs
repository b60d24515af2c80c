//! `Source`: a file or buffer that stored bytes lie in, and the few files a reader keeps open.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::cursor::StoredPiece;
use crate::shelf::Located;
use crate::{Digest, Error, os};

/// How many files a reader holds open: enough for a medium made of a few packs and images, few
/// enough that a hundred readers stay below the usual limit of 1024.
const OPEN_FILES_MAX: usize = 8;

#[derive(Clone)]
pub(crate) enum Source {
    File(PathBuf),
    Memory(Arc<[u8]>),
}

impl Source {
    /// The file's path, for errors.
    pub(crate) fn path(&self) -> &Path {
        match self {
            Source::File(path) => path,
            Source::Memory(_) => Path::new("(memory)"),
        }
    }

    /// Whether `bytes` are at `located`. What cannot be read there is not.
    pub(crate) fn holds(
        &self,
        digest: &Digest,
        located: &Located,
        bytes: &[u8],
    ) -> Result<bool, Error> {
        match self.clone().open(digest) {
            Ok(source) => Ok(source.holds(located, bytes)),
            Err(Error::Corrupt { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Opens it for reading more than once; `digest` is what will be read first.
    pub(crate) fn open(self, digest: &Digest) -> Result<OpenSource, Error> {
        let file = match &self {
            Source::Memory(_) => None,
            Source::File(path) => Some(open(path, digest)?),
        };
        Ok(OpenSource { source: self, file })
    }

    /// The stored bytes at `located`, compared with their name.
    pub(crate) fn read_verified(
        &self,
        digest: &Digest,
        located: &Located,
    ) -> Result<Vec<u8>, Error> {
        self.clone().open(digest)?.read_verified(digest, located)
    }

    /// The same, piece by piece: `see` gets each, and learns only from the answer whether they
    /// were what their name says.
    pub(crate) fn stream_verified(
        &self,
        digest: &Digest,
        located: &Located,
        piece_bytes: usize,
        see: &mut dyn FnMut(&[u8]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let Source::File(path) = self else { return see(&self.read_verified(digest, located)?) };
        let file = open(path, digest)?;
        let mut hasher = located.kind.hasher();
        let mut buffer = vec![0; piece_bytes];
        let mut done_bytes = 0;
        while done_bytes < located.stored_bytes {
            let left_bytes = located.stored_bytes - done_bytes;
            let piece = &mut buffer[..left_bytes.min(piece_bytes as u64) as usize];
            if !read_from(&file, path, located.offset_bytes + done_bytes, piece)? {
                return Err(super::ends_early(*digest, self));
            }
            hasher.update_rayon(piece);
            see(piece)?;
            done_bytes += piece.len() as u64;
        }
        match Digest::from_bytes(hasher.finalize().into()) == *digest {
            true => Ok(()),
            false => Err(Error::corrupt(*digest, path, "its bytes have another digest")),
        }
    }
}

/// A source that is open.
pub(crate) struct OpenSource {
    source: Source,
    /// `None` if the source is memory.
    file: Option<File>,
}

impl OpenSource {
    pub(crate) fn path(&self) -> &Path {
        self.source.path()
    }

    /// Whether `bytes` are at `located`. What cannot be read there is not.
    pub(crate) fn holds(&self, located: &Located, bytes: &[u8]) -> bool {
        if located.stored_bytes != bytes.len() as u64 {
            return false;
        }
        let mut stored = vec![0; bytes.len()];
        let is_read = match (&self.source, &self.file) {
            (Source::Memory(memory), _) => copy_from(memory, located.offset_bytes, &mut stored),
            (Source::File(_), file) => file.as_ref().is_some_and(|file| {
                os::read_exact_at(file, located.offset_bytes, &mut stored).is_ok()
            }),
        };
        is_read && stored == bytes
    }

    /// The stored bytes at `located`, compared with their name.
    pub(crate) fn read_verified(
        &self,
        digest: &Digest,
        located: &Located,
    ) -> Result<Vec<u8>, Error> {
        let mut bytes = vec![0; located.stored_bytes as usize];
        let whole = match (&self.source, &self.file) {
            (Source::Memory(memory), _) => copy_from(memory, located.offset_bytes, &mut bytes),
            (Source::File(path), Some(file)) => {
                read_from(file, path, located.offset_bytes, &mut bytes)?
            }
            (Source::File(_), None) => unreachable!("a file is opened with its source"),
        };
        match whole && located.kind.digest_of(&bytes) == *digest {
            true => Ok(bytes),
            false => Err(Error::corrupt(*digest, self.path(), "its bytes have another digest")),
        }
    }
}

/// The files a reader used last, the latest at the end.
#[derive(Default)]
pub(super) struct OpenFiles {
    files: Vec<(usize, File)>,
}

impl OpenFiles {
    /// Fills `out` from `sources[source]`, from the start of `piece` on. Answers `false` if the
    /// file ends before.
    pub(super) fn read(
        &mut self,
        sources: &[Source],
        source: usize,
        piece: &StoredPiece,
        out: &mut [u8],
    ) -> Result<bool, Error> {
        match &sources[source] {
            Source::Memory(memory) => Ok(copy_from(memory, piece.offset_bytes, out)),
            Source::File(path) => {
                let file = self.get(source, path, &piece.stored.digest)?;
                read_from(file, path, piece.offset_bytes, out)
            }
        }
    }

    fn get(&mut self, source: usize, path: &Path, digest: &Digest) -> Result<&File, Error> {
        match self.files.iter().position(|(position, _)| *position == source) {
            Some(index) => self.files[index..].rotate_left(1),
            None => {
                if self.files.len() == OPEN_FILES_MAX {
                    self.files.remove(0);
                }
                self.files.push((source, open(path, digest)?));
            }
        }
        Ok(&self.files.last().expect("one was just put there").1)
    }
}

fn open(path: &Path, digest: &Digest) -> Result<File, Error> {
    File::open(path).map_err(|cause| match cause.kind() {
        io::ErrorKind::NotFound => Error::corrupt(*digest, path, "the file is missing"),
        _ => Error::io("open", path)(cause),
    })
}

fn read_from(file: &File, path: &Path, offset_bytes: u64, out: &mut [u8]) -> Result<bool, Error> {
    match os::read_exact_at(file, offset_bytes, out) {
        Ok(()) => Ok(true),
        Err(cause) if cause.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(cause) => Err(Error::io("read", path)(cause)),
    }
}

fn copy_from(memory: &[u8], offset_bytes: u64, out: &mut [u8]) -> bool {
    let bytes = memory.get(offset_bytes as usize..).and_then(|rest| rest.get(..out.len()));
    match bytes {
        Some(bytes) => out.copy_from_slice(bytes),
        None => return false,
    }
    true
}
