//! `AlignedBuffer`: bytes at an address that direct writes can start from.

use std::io::{self, Read};

/// What direct writes are multiples of, in memory and in the file: at least a block of any disk
/// and file system that is common.
const ALIGNMENT_BYTES: usize = 4096;

/// A buffer of a fixed size that is filled from its start. What is never filled costs no memory.
pub(crate) struct AlignedBuffer {
    /// Never grows, so it stays where it is.
    bytes: Vec<u8>,
    start: usize,
    filled: usize,
}

impl AlignedBuffer {
    /// Of `capacity_bytes`, a multiple of the alignment.
    pub(crate) fn new(capacity_bytes: usize) -> Self {
        debug_assert!(capacity_bytes.is_multiple_of(ALIGNMENT_BYTES));
        let bytes = vec![0; capacity_bytes + ALIGNMENT_BYTES];
        let start = bytes.as_ptr().align_offset(ALIGNMENT_BYTES);
        AlignedBuffer { bytes, start, filled: 0 }
    }

    fn capacity(&self) -> usize {
        self.bytes.len() - ALIGNMENT_BYTES
    }

    /// Takes as much of `bytes` as fits; answers the rest.
    pub(crate) fn take<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let fits = bytes.len().min(self.capacity() - self.filled);
        let (taken, rest) = bytes.split_at(fits);
        let end = self.start + self.filled;
        self.bytes[end..end + fits].copy_from_slice(taken);
        self.filled += fits;
        rest
    }

    /// Replaces what it holds by the next `limit_bytes` of `source`, as far as they fit; by less
    /// only where that ends.
    pub(crate) fn read(&mut self, source: &mut dyn Read, limit_bytes: usize) -> io::Result<()> {
        self.filled = 0;
        let limit_bytes = limit_bytes.min(self.capacity());
        while self.filled < limit_bytes {
            let space = &mut self.bytes[self.start + self.filled..self.start + limit_bytes];
            match source.read(space) {
                Ok(0) => break,
                Ok(read) => self.filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    pub(crate) fn is_full(&self) -> bool {
        self.filled == self.capacity()
    }

    pub(crate) fn filled(&self) -> &[u8] {
        &self.bytes[self.start..self.start + self.filled]
    }

    pub(crate) fn clear(&mut self) {
        self.filled = 0;
    }
}

/// Whether `bytes` can be written directly, to an aligned position.
pub(crate) fn is_aligned(bytes: &[u8], position_bytes: u64) -> bool {
    let is_multiple = |number: u64| number.is_multiple_of(ALIGNMENT_BYTES as u64);
    is_multiple(bytes.as_ptr().addr() as u64)
        && is_multiple(bytes.len() as u64)
        && is_multiple(position_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_and_read_is_there_and_aligned() {
        let mut buffer = AlignedBuffer::new(8192);
        assert_eq!(buffer.take(&[1; 8000]), []);
        assert!(!buffer.is_full());
        assert_eq!(buffer.take(&[2; 200]), [2; 8]);
        assert!(buffer.is_full());
        assert_eq!(buffer.filled()[7999..8002], [1, 2, 2]);
        assert!(is_aligned(buffer.filled(), 4096));
        assert!(!is_aligned(buffer.filled(), 4095));
        buffer.clear();
        assert_eq!(buffer.filled(), []);
        let mut source = &[3; 9000][..];
        buffer.read(&mut source, 100).unwrap();
        assert_eq!((buffer.filled(), source.len()), (&[3; 100][..], 8900));
        buffer.read(&mut source, usize::MAX).unwrap();
        assert_eq!((buffer.filled().len(), source.len()), (8192, 708));
        buffer.read(&mut source, usize::MAX).unwrap();
        assert_eq!(buffer.filled().len(), 708);
        assert!(!is_aligned(buffer.filled(), 0));
    }
}
