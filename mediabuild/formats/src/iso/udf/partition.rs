//! Partitions as partition maps make them: from a block to the bytes of the disc (ECMA-167 3/10.7,
//! OSTA UDF 2.60, 2.2.8 to 2.2.10).

use std::collections::BTreeMap;
use std::ops::Range;

use super::metadata_file::MetadataFile;
use super::open::Address;
use crate::volume::{FileExtent, ReadError};

/// More pieces than this, a run of blocks does not fall into on any disc.
const PIECE_COUNT_MAX: usize = 1 << 20;

/// What a partition map is about.
#[derive(Debug, Clone)]
pub(in crate::iso) struct Partition {
    /// Where the partition of the disc starts that this one is, or lies in.
    pub(in crate::iso) start_sector: u32,
    pub(in crate::iso) size_blocks: u32,
    pub(in crate::iso) block_size_bytes: u64,
    pub(in crate::iso) mapping: Mapping,
}

/// How blocks become sectors.
#[derive(Debug, Clone)]
pub(in crate::iso) enum Mapping {
    /// One after the other.
    Direct,
    /// Packets that went bad, by their first block, and the sectors in their place.
    Sparable { packet_blocks: u32, spared: BTreeMap<u32, u32> },
    /// Blocks of the partition around it, in the order of the virtual allocation table.
    Virtual(Vec<u32>),
    /// The extents of the metadata file.
    Metadata(MetadataFile),
}

impl Mapping {
    pub(in crate::iso) fn name(&self) -> &'static str {
        match self {
            Mapping::Direct => "direct",
            Mapping::Sparable { .. } => "sparable",
            Mapping::Virtual(_) => "virtual",
            Mapping::Metadata(_) => "metadata",
        }
    }
}

impl Partition {
    /// Whether it lies in another partition.
    pub(in crate::iso) fn is_inside(&self) -> bool {
        matches!(self.mapping, Mapping::Virtual(_) | Mapping::Metadata(_))
    }

    /// What [`Self::place`] costs: at most how many entries of its tables it looks at.
    pub(in crate::iso) fn step_count(&self, block: u32, size_bytes: u64) -> u64 {
        let block_count = size_bytes.div_ceil(self.block_size_bytes);
        match &self.mapping {
            Mapping::Direct => 1,
            Mapping::Sparable { packet_blocks, spared } => {
                let packet_count = block_count / u64::from(*packet_blocks) + 2;
                packet_count.min(spared.len() as u64 + 1)
            }
            Mapping::Virtual(_) => block_count,
            Mapping::Metadata(file) => file.extent_count(&self.range_bytes(block, size_bytes)),
        }
    }

    /// Where `size_bytes` bytes from a block on lie, in pieces that follow each other in the
    /// partition. All of them are inside the partition; whether in the disc is the caller's to ask.
    pub(in crate::iso) fn place(
        &self,
        block: u32,
        size_bytes: u64,
    ) -> Result<Vec<FileExtent>, ReadError> {
        let count = size_bytes.div_ceil(self.block_size_bytes).max(1);
        let end = u64::from(block) + count;
        if end > u64::from(self.size_blocks) {
            return Err(self.outside(block, end - 1));
        }
        let mut pieces = Pieces::default();
        match &self.mapping {
            Mapping::Direct => pieces.push(self.sector_bytes(block.into()), size_bytes),
            Mapping::Sparable { packet_blocks, spared } => {
                self.place_sparable(block, size_bytes, *packet_blocks, spared, &mut pieces);
            }
            Mapping::Virtual(table) => {
                let mut left = size_bytes;
                for &physical in &table[block as usize..end as usize] {
                    let size = left.min(self.block_size_bytes);
                    pieces.push(self.sector_bytes(physical.into()), size);
                    left -= size;
                }
            }
            Mapping::Metadata(file) => {
                file.place(self.range_bytes(block, size_bytes), &mut pieces)
                    .ok_or_else(|| self.outside(block, end - 1))?;
            }
        }
        if pieces.found.len() > PIECE_COUNT_MAX {
            let (what, limit) = ("pieces of one extent", PIECE_COUNT_MAX as u64);
            return Err(ReadError::Limit { offset_bytes: self.start_bytes(), what, limit });
        }
        Ok(pieces.found)
    }

    /// Runs of blocks that are where they were, between packets that are not.
    fn place_sparable(
        &self,
        block: u32,
        size_bytes: u64,
        packet_blocks: u32,
        spared: &BTreeMap<u32, u32>,
        pieces: &mut Pieces,
    ) {
        let end_bytes = u64::from(block) * self.block_size_bytes + size_bytes;
        let mut at = u64::from(block) * self.block_size_bytes;
        let first = block - block % packet_blocks;
        for (&packet, &sector) in spared.range(first..) {
            let packet_start = u64::from(packet) * self.block_size_bytes;
            let packet_end = packet_start + u64::from(packet_blocks) * self.block_size_bytes;
            if packet_start >= end_bytes {
                break;
            }
            if at < packet_start {
                pieces.push(self.start_bytes() + at, packet_start - at);
                at = packet_start;
            }
            let size = packet_end.min(end_bytes).saturating_sub(at);
            let start = u64::from(sector) * self.block_size_bytes + (at - packet_start);
            pieces.push(start, size);
            at += size;
        }
        pieces.push(self.start_bytes() + at, end_bytes.saturating_sub(at));
    }

    /// The block that lies at an offset in the disc, where that can be told.
    pub(in crate::iso) fn block_at(&self, offset_bytes: u64) -> Option<u32> {
        let block = match &self.mapping {
            Mapping::Direct => {
                offset_bytes.checked_sub(self.start_bytes())? / self.block_size_bytes
            }
            Mapping::Metadata(file) => file.byte_at(offset_bytes)? / self.block_size_bytes,
            Mapping::Sparable { .. } | Mapping::Virtual(_) => return None,
        };
        u32::try_from(block).ok().filter(|&block| block < self.size_blocks)
    }

    pub(in crate::iso) fn start_bytes(&self) -> u64 {
        u64::from(self.start_sector) * self.block_size_bytes
    }

    /// Bytes from a block on, as those of the file that the partition is.
    fn range_bytes(&self, block: u32, size_bytes: u64) -> Range<u64> {
        let start = u64::from(block) * self.block_size_bytes;
        start..start + size_bytes
    }

    fn sector_bytes(&self, block: u64) -> u64 {
        self.start_bytes() + block * self.block_size_bytes
    }

    fn outside(&self, block: u32, last: u64) -> ReadError {
        let found = match u64::from(block) == last {
            true => format!("block {block} of the {} one", self.mapping.name()),
            false => format!("blocks {block} to {last} of the {} one", self.mapping.name()),
        };
        ReadError::Damaged {
            offset_bytes: self.start_bytes(),
            expected: "a block inside a partition",
            found,
        }
    }
}

/// Pieces, those that touch made one.
#[derive(Default)]
pub(super) struct Pieces {
    pub(super) found: Vec<FileExtent>,
}

impl Pieces {
    pub(super) fn push(&mut self, offset_bytes: u64, size_bytes: u64) {
        if size_bytes == 0 && !self.found.is_empty() {
            return;
        }
        if let Some(last) = self.found.last_mut()
            && last.offset_bytes.is_some_and(|offset| offset + last.size_bytes == offset_bytes)
        {
            last.size_bytes += size_bytes;
            return;
        }
        self.found.push(FileExtent { offset_bytes: Some(offset_bytes), size_bytes });
    }
}

/// The partition of an address.
pub(in crate::iso) fn partition_of(
    partitions: &[Partition],
    address: Address,
) -> Result<&Partition, ReadError> {
    partitions.get(usize::from(address.map)).ok_or_else(|| ReadError::Damaged {
        offset_bytes: partitions.first().map_or(0, Partition::start_bytes),
        expected: "a block inside a partition",
        found: format!("block {} of partition map {}", address.block, address.map),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn partition(mapping: Mapping) -> Partition {
        Partition { start_sector: 100, size_blocks: 1000, block_size_bytes: 10, mapping }
    }

    fn extent(offset_bytes: u64, size_bytes: u64) -> FileExtent {
        FileExtent { offset_bytes: Some(offset_bytes), size_bytes }
    }

    #[test]
    fn direct_blocks_follow_each_other() {
        let direct = partition(Mapping::Direct);
        assert_eq!(direct.place(5, 33).unwrap(), [extent(1050, 33)]);
        assert_eq!(direct.place(999, 10).unwrap(), [extent(10990, 10)]);
        assert_eq!(direct.block_at(1057), Some(5));
        assert!(direct.place(999, 11).is_err() && direct.place(u32::MAX, 1).is_err());
        assert!(direct.place(1, u64::MAX / 2).is_err());
        assert_eq!((direct.block_at(999), direct.block_at(11000)), (None, None));
    }

    #[test]
    fn spared_packets_are_elsewhere() {
        let spared = BTreeMap::from([(4, 7000), (12, 8000)]);
        let sparable = partition(Mapping::Sparable { packet_blocks: 4, spared });
        assert_eq!(sparable.place(0, 40).unwrap(), [extent(1000, 40)]);
        let whole = [extent(1000, 40), extent(70000, 40), extent(1080, 40), extent(80000, 15)];
        assert_eq!(sparable.place(0, 135).unwrap(), whole);
        assert_eq!(sparable.place(6, 5).unwrap(), [extent(70020, 5)]);
        assert_eq!(sparable.place(13, 40).unwrap(), [extent(80010, 30), extent(1160, 10)]);
    }

    #[test]
    fn virtual_blocks_are_where_the_table_says() {
        let mut table = partition(Mapping::Virtual(vec![9, 3, 4, 0]));
        table.size_blocks = 4;
        assert_eq!(table.place(1, 20).unwrap(), [extent(1030, 20)]);
        assert_eq!(table.place(0, 25).unwrap(), [extent(1090, 10), extent(1030, 15)]);
        assert!(table.place(4, 1).is_err() && table.place(3, 11).is_err());
    }

    #[test]
    fn metadata_is_in_the_extents_of_its_file() {
        let hole = FileExtent { offset_bytes: None, size_bytes: 20 };
        let metadata = partition(Mapping::Metadata(MetadataFile::new(vec![
            extent(5000, 30),
            hole,
            extent(2000, 50),
        ])));
        assert_eq!(metadata.place(1, 10).unwrap(), [extent(5010, 10)]);
        assert_eq!(metadata.place(5, 45).unwrap(), [extent(2000, 45)]);
        assert!(metadata.place(2, 20).is_err() && metadata.place(9, 11).is_err());
        assert_eq!((metadata.block_at(2015), metadata.block_at(5000)), (Some(6), Some(0)));
        assert_eq!(metadata.block_at(4999), None);
    }
}
