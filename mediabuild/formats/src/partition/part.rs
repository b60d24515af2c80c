//! `Part`: a stretch of a source that is a source itself.

use std::io;

use crate::source::Source;

/// The bytes of a partition.
#[derive(Debug, Clone)]
pub struct Part<S> {
    source: S,
    start_bytes: u64,
    size_bytes: u64,
}

impl<S: Source> Part<S> {
    /// `size_bytes` of `source` from `start_bytes` on, as much of it as there is.
    pub fn new(source: S, start_bytes: u64, size_bytes: u64) -> Part<S> {
        let start_bytes = start_bytes.min(source.size_bytes());
        let size_bytes = size_bytes.min(source.size_bytes() - start_bytes);
        Part { source, start_bytes, size_bytes }
    }
}

impl<S: Source> Source for Part<S> {
    fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    fn read_exact_at(&self, offset_bytes: u64, buffer: &mut [u8]) -> io::Result<()> {
        match offset_bytes.checked_add(buffer.len() as u64) {
            Some(end) if end <= self.size_bytes => {
                self.source.read_exact_at(self.start_bytes + offset_bytes, buffer)
            }
            _ => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
}
