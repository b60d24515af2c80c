//! `MetadataFile`: what blocks of a metadata partition are in (OSTA UDF 2.60, 2.2.10). Not how the
//! file is found: that is in `maps`.

use std::ops::Range;

use super::partition::Pieces;
use crate::volume::FileExtent;

/// The extents of a metadata file. Every block of the partition is looked up here, so that no look
/// goes through all of them.
#[derive(Debug, Clone)]
pub(in crate::iso) struct MetadataFile {
    extents: Vec<FileExtent>,
    /// Where in the file each extent ends.
    ends_bytes: Vec<u64>,
    /// The recorded extents in the order in which they lie in the disc: its offset, the position.
    on_disc: Vec<(u64, usize)>,
}

impl MetadataFile {
    pub(super) fn new(extents: Vec<FileExtent>) -> MetadataFile {
        let end = |before: &mut u64, extent: &FileExtent| {
            *before = before.saturating_add(extent.size_bytes);
            Some(*before)
        };
        let ends_bytes = extents.iter().scan(0, end).collect();
        let placed =
            (0..).zip(&extents).filter_map(|(at, extent)| Some((extent.offset_bytes?, at)));
        let mut on_disc: Vec<(u64, usize)> = placed.collect();
        on_disc.sort_unstable();
        MetadataFile { extents, ends_bytes, on_disc }
    }

    /// How many extents a range of bytes lies in.
    pub(super) fn extent_count(&self, range: &Range<u64>) -> u64 {
        let last = self.ends_bytes.partition_point(|&end| end < range.end);
        (last + 1).saturating_sub(self.first(range.start)) as u64
    }

    /// Where a range of bytes lies in the disc; `None` if some of them are not recorded.
    pub(super) fn place(&self, range: Range<u64>, pieces: &mut Pieces) -> Option<()> {
        let (first, mut at) = (self.first(range.start), range.start);
        for (extent, &extent_end) in self.extents[first..].iter().zip(&self.ends_bytes[first..]) {
            let size = range.end.min(extent_end) - at;
            let left = extent_end - at;
            pieces.push(extent.offset_bytes? + (extent.size_bytes - left), size);
            at += size;
            if at == range.end {
                return Some(());
            }
        }
        None
    }

    /// Which byte of the file lies at an offset in the disc.
    pub(super) fn byte_at(&self, offset_bytes: u64) -> Option<u64> {
        let behind = self.on_disc.partition_point(|&(start, _)| start <= offset_bytes);
        let (start, at) = self.on_disc[behind.checked_sub(1)?];
        let (size_bytes, within) = (self.extents[at].size_bytes, offset_bytes - start);
        (within < size_bytes).then(|| self.ends_bytes[at] - size_bytes + within)
    }

    /// The position of the extent that byte `at` is in.
    fn first(&self, at: u64) -> usize {
        self.ends_bytes.partition_point(|&end| end <= at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Going through all extents for each block took seconds.
    #[test]
    fn bytes_are_found_both_ways() {
        let extent = |at: u64| {
            let offset_bytes = (!at.is_multiple_of(5)).then_some((1000 - at) * 100);
            FileExtent { offset_bytes, size_bytes: 50 }
        };
        let file = MetadataFile::new((0..1000).map(extent).collect());
        for at in 0..1000 {
            let mut pieces = Pieces::default();
            let byte = at * 50 + 7;
            let place = file.place(byte..byte + 1, &mut pieces);
            assert_eq!(file.extent_count(&(byte..byte + 1)), 1);
            if at.is_multiple_of(5) {
                assert_eq!(place, None);
                continue;
            }
            let offset_bytes = (1000 - at) * 100 + 7;
            let piece = FileExtent { offset_bytes: Some(offset_bytes), size_bytes: 1 };
            assert_eq!((place, pieces.found), (Some(()), vec![piece]));
            assert_eq!(file.byte_at(offset_bytes), Some(byte));
            assert_eq!(file.byte_at(offset_bytes + 43), None);
        }
        assert_eq!(file.byte_at(99), None);
        assert_eq!(file.extent_count(&(50..200)), 3);
        assert_eq!(file.place(49_999..50_001, &mut Pieces::default()), None);
    }
}
