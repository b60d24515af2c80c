//! `FileReader`: a file's bytes, extent after extent.

use std::io::{self, Read};

use super::entry::{Entry, FileExtent};
use crate::source::Source;

/// Reads a file of a volume from its first byte to its last.
pub struct FileReader<'a, S: ?Sized> {
    source: &'a S,
    /// What is left: the current extent shrinks from its front.
    extents: std::slice::Iter<'a, FileExtent>,
    current: FileExtent,
}

impl<'a, S: Source + ?Sized> FileReader<'a, S> {
    /// Reads the file `entry` of the volume `source`.
    pub fn new(source: &'a S, entry: &'a Entry) -> Self {
        let current = FileExtent { offset_bytes: None, size_bytes: 0 };
        FileReader { source, extents: entry.extents.iter(), current }
    }
}

impl<S: Source + ?Sized> Read for FileReader<'_, S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.current.size_bytes == 0 {
            match self.extents.next() {
                Some(extent) => self.current = *extent,
                None => return Ok(0),
            }
        }
        let size = buffer.len().min(usize::try_from(self.current.size_bytes).unwrap_or(usize::MAX));
        let buffer = &mut buffer[..size];
        match &mut self.current.offset_bytes {
            Some(offset_bytes) => {
                self.source.read_exact_at(*offset_bytes, buffer)?;
                *offset_bytes += size as u64;
            }
            None => buffer.fill(0),
        }
        self.current.size_bytes -= size as u64;
        Ok(size)
    }
}
