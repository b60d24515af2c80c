//! `DiscFile`: a file of a disc as a source of its own, such as a WIM inside an ISO.

use std::io;

use crate::source::Source;
use crate::volume::{Entry, FileExtent};

/// Random access to a file of a disc, across its extents.
pub struct DiscFile<S> {
    disc: S,
    extents: Vec<FileExtent>,
    /// Where in the file each extent ends.
    ends: Vec<u64>,
}

impl<S: Source> DiscFile<S> {
    /// The file `entry` of the disc `disc`.
    pub fn new(disc: S, entry: &Entry) -> Self {
        let mut end = 0;
        let ends = entry.extents.iter().map(|extent| {
            end += extent.size_bytes;
            end
        });
        DiscFile { disc, ends: ends.collect(), extents: entry.extents.clone() }
    }
}

impl<S: Source> Source for DiscFile<S> {
    fn size_bytes(&self) -> u64 {
        self.ends.last().copied().unwrap_or(0)
    }

    fn read_exact_at(&self, offset_bytes: u64, mut buffer: &mut [u8]) -> io::Result<()> {
        let end = offset_bytes.checked_add(buffer.len() as u64);
        if end.is_none_or(|end| end > self.size_bytes()) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let mut at = offset_bytes;
        let first = self.ends.partition_point(|end| *end <= at);
        for (extent, end) in self.extents.iter().zip(&self.ends).skip(first) {
            if buffer.is_empty() {
                break;
            }
            let count = (end - at).min(buffer.len() as u64);
            let (piece, rest) = buffer.split_at_mut(count as usize);
            let within = at - (end - extent.size_bytes);
            match extent.offset_bytes {
                Some(offset) => self.disc.read_exact_at(offset + within, piece)?,
                None => piece.fill(0),
            }
            (buffer, at) = (rest, at + count);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_cross_extents_and_never_the_end() {
        let disc: Vec<u8> = (0..100).collect();
        let extent = |offset_bytes, size_bytes| FileExtent { offset_bytes, size_bytes };
        let extents = vec![extent(Some(50), 10), extent(None, 5), extent(Some(0), 3)];
        let entry = Entry { size_bytes: 18, extents, ..Entry::named("f".into()) };
        let mut whole: Vec<u8> = (50..60).collect();
        whole.extend([0, 0, 0, 0, 0, 0, 1, 2]);
        let file = DiscFile::new(disc.as_slice(), &entry);
        assert_eq!(file.size_bytes(), 18);
        for start in 0..18 {
            for end in start..=18 {
                let mut buffer = vec![9; end - start];
                file.read_exact_at(start as u64, &mut buffer).expect("inside");
                assert_eq!(buffer, whole[start..end]);
            }
        }
        assert!(file.read_exact_at(18, &mut [0]).is_err());
        assert!(file.read_exact_at(u64::MAX, &mut [0]).is_err());
    }
}
