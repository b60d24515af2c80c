//! `Geometry`: how a volume is divided. The number of clusters alone says which FAT it is.

use std::ops::RangeInclusive;

use super::error::WriteError;
use super::{FLOPPY_SIZE_BYTES, SECTOR_SIZE_BYTES};

/// Bytes of a directory entry.
pub(super) const ENTRY_SIZE_BYTES: u64 = 32;
/// Data areas start at multiples of this in the volume, so that contents can.
pub(super) const DATA_ALIGNMENT_BYTES: u64 = 4096;
/// Microsoft's specification asks to stay clear of the limits between the variants, because many
/// drivers are off by a few.
const LIMIT_MARGIN: u64 = 16;
/// FAT32 uses 28 bits of an entry; the highest values have meanings of their own.
const FAT32_CLUSTER_COUNT_MAX: u64 = 0x0FFF_FFF5;
/// The number of root entries of FAT12 and FAT16 that everybody writes.
const ROOT_ENTRY_COUNT: u64 = 512;
const FLOPPY_ROOT_ENTRY_COUNT: u64 = 224;
/// Room for the boot sector, FSInfo and the copies of both, as every FAT32 formatter leaves it.
const FAT32_RESERVED_SECTORS: u64 = 32;

/// Larger clusters are Windows NT's own.
const CLUSTER_MAX_BYTES: u64 = 32 << 10;

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

/// Which FAT.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Variant {
    /// Entries of 12 bits: floppy disks and small boot images.
    Fat12,
    /// Entries of 16 bits.
    Fat16,
    /// Entries of 32 bits, 28 of them used.
    Fat32,
}

impl Variant {
    /// What a volume of so many clusters is: the specification's only rule.
    pub(super) fn of(cluster_count: u64) -> Variant {
        match cluster_count {
            ..4085 => Variant::Fat12,
            4085..65525 => Variant::Fat16,
            _ => Variant::Fat32,
        }
    }

    /// Its name as people write it.
    pub fn name(self) -> &'static str {
        match self {
            Variant::Fat12 => "FAT12",
            Variant::Fat16 => "FAT16",
            Variant::Fat32 => "FAT32",
        }
    }

    /// How many clusters the writer gives it.
    fn cluster_counts(self) -> RangeInclusive<u64> {
        match self {
            Variant::Fat12 => 1..=4084 - LIMIT_MARGIN,
            Variant::Fat16 => 4085 + LIMIT_MARGIN..=65524 - LIMIT_MARGIN,
            Variant::Fat32 => 65525 + LIMIT_MARGIN..=FAT32_CLUSTER_COUNT_MAX - LIMIT_MARGIN,
        }
    }

    /// Volumes up to a size and the clusters that Microsoft documents its formatter to give them
    /// ("Default cluster size for NTFS, FAT, and exFAT"). That formatter makes no FAT32 above
    /// 32 GiB; 32 KiB there is from Microsoft's FAT specification.
    fn clusters_by_size(self) -> &'static [(u64, u64)] {
        match self {
            Variant::Fat12 => {
                &[(2 * MIB, 512), (4 * MIB, KIB), (8 * MIB, 2 * KIB), (16 * MIB, 4 * KIB)]
            }
            Variant::Fat16 => &[
                (32 * MIB, 512),
                (64 * MIB, KIB),
                (128 * MIB, 2 * KIB),
                (256 * MIB, 4 * KIB),
                (512 * MIB, 8 * KIB),
                (GIB, 16 * KIB),
                (2 * GIB, 32 * KIB),
            ],
            Variant::Fat32 => &[
                (64 * MIB, 512),
                (128 * MIB, KIB),
                (256 * MIB, 2 * KIB),
                (8 * GIB, 4 * KIB),
                (16 * GIB, 8 * KIB),
                (32 * GIB, 16 * KIB),
                // One sector less than what a field of 32 bits cannot count any more.
                (2048 * GIB - 512, 32 * KIB),
            ],
        }
    }

    /// The bytes of a FAT with so many entries.
    pub(super) fn fat_size_bytes(self, entry_count: u64) -> u64 {
        match self {
            Variant::Fat12 => (entry_count * 3).div_ceil(2),
            Variant::Fat16 => entry_count * 2,
            Variant::Fat32 => entry_count * 4,
        }
    }

    /// The entry of a chain's last cluster.
    pub(super) fn end_of_chain(self) -> u32 {
        match self {
            Variant::Fat12 => 0xFFF,
            Variant::Fat16 => 0xFFFF,
            Variant::Fat32 => 0x0FFF_FFFF,
        }
    }

    fn size_error(self, size_bytes: u64) -> WriteError {
        let clusters = self.clusters_by_size();
        let (smallest, largest) = (clusters[0].1, clusters[clusters.len() - 1].0);
        WriteError::VolumeSize {
            variant: self.name(),
            size_bytes,
            min_bytes: (self.cluster_counts().start() * smallest).next_multiple_of(MIB),
            max_bytes: largest,
        }
    }
}

/// How a volume is divided. Sector numbers count from the volume's start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Geometry {
    pub(super) variant: Variant,
    /// Bytes of a sector: 512 in what is written.
    pub(super) sector_bytes: u64,
    pub(super) sector_count: u64,
    pub(super) cluster_sectors: u64,
    /// Sectors before the first FAT.
    pub(super) reserved_sectors: u64,
    pub(super) fat_count: u64,
    /// Sectors of one FAT.
    pub(super) fat_sectors: u64,
    /// Entries of the root directory before the data area; 0 with FAT32.
    pub(super) root_entry_count: u64,
    /// Clusters, which are numbered from 2.
    pub(super) cluster_count: u64,
}

impl Geometry {
    /// How a new volume of that size is divided.
    pub(super) fn of(variant: Variant, size_bytes: u64) -> Result<Geometry, WriteError> {
        let clusters = variant.clusters_by_size().iter();
        let mut clusters = clusters.filter(|(limit_bytes, _)| size_bytes <= *limit_bytes);
        let error = || variant.size_error(size_bytes);
        let mut cluster_bytes = clusters.next().ok_or_else(error)?.1;
        let counts = variant.cluster_counts();
        let mut is_doubled = false;
        // Near a limit of the table, its clusters can be too few or too many for the variant.
        loop {
            let it = Geometry::with(variant, size_bytes, cluster_bytes).ok_or_else(error)?;
            if counts.contains(&it.cluster_count) {
                return Ok(it);
            }
            let is_few = it.cluster_count < *counts.start();
            match is_few {
                true if cluster_bytes > SECTOR_SIZE_BYTES && !is_doubled => cluster_bytes /= 2,
                false if cluster_bytes < CLUSTER_MAX_BYTES => {
                    (cluster_bytes, is_doubled) = (cluster_bytes * 2, true);
                }
                _ => return Err(error()),
            }
        }
    }

    fn with(variant: Variant, size_bytes: u64, cluster_bytes: u64) -> Option<Geometry> {
        let sector_count = size_bytes / SECTOR_SIZE_BYTES;
        let cluster_sectors = cluster_bytes / SECTOR_SIZE_BYTES;
        let is_floppy = variant == Variant::Fat12 && size_bytes == FLOPPY_SIZE_BYTES;
        let mut reserved_sectors =
            if variant == Variant::Fat32 { FAT32_RESERVED_SECTORS } else { 1 };
        let mut root_entry_count = match variant {
            Variant::Fat32 => 0,
            _ if is_floppy => FLOPPY_ROOT_ENTRY_COUNT,
            _ => ROOT_ENTRY_COUNT,
        };
        // Room for every cluster there could be if the FATs themselves took none.
        let entry_count = sector_count.checked_sub(reserved_sectors)? / cluster_sectors + 2;
        let fat_sectors = variant.fat_size_bytes(entry_count).div_ceil(SECTOR_SIZE_BYTES);
        let head_sectors = |reserved: u64, root: u64| {
            reserved + 2 * fat_sectors + root * ENTRY_SIZE_BYTES / SECTOR_SIZE_BYTES
        };
        if !is_floppy {
            let alignment = DATA_ALIGNMENT_BYTES.max(cluster_bytes) / SECTOR_SIZE_BYTES;
            let head = head_sectors(reserved_sectors, root_entry_count);
            let missing = head.next_multiple_of(alignment) - head;
            match variant {
                Variant::Fat32 => reserved_sectors += missing,
                // These two have one reserved sector by definition.
                _ => root_entry_count += missing * SECTOR_SIZE_BYTES / ENTRY_SIZE_BYTES,
            }
        }
        let head = head_sectors(reserved_sectors, root_entry_count);
        let cluster_count = sector_count.checked_sub(head)? / cluster_sectors;
        Some(Geometry {
            variant,
            sector_bytes: SECTOR_SIZE_BYTES,
            sector_count,
            cluster_sectors,
            reserved_sectors,
            fat_count: 2,
            fat_sectors,
            root_entry_count,
            cluster_count,
        })
    }

    /// The sizes for which the variant has each of its cluster sizes.
    pub(super) fn steps(variant: Variant) -> impl Iterator<Item = (RangeInclusive<u64>, u64)> {
        let limits = variant.clusters_by_size();
        let starts =
            std::iter::once(0).chain(limits.iter().map(|(limit_bytes, _)| limit_bytes + 1));
        starts
            .zip(limits)
            .map(|(start, (limit_bytes, cluster_bytes))| (start..=*limit_bytes, *cluster_bytes))
    }

    pub(super) fn too_large(variant: Variant, size_bytes: u64) -> WriteError {
        variant.size_error(size_bytes)
    }

    pub(super) fn cluster_bytes(&self) -> u64 {
        self.cluster_sectors * self.sector_bytes
    }

    pub(super) fn fat_offset_bytes(&self, fat: u64) -> u64 {
        (self.reserved_sectors + fat * self.fat_sectors) * self.sector_bytes
    }

    pub(super) fn root_offset_bytes(&self) -> u64 {
        self.fat_offset_bytes(self.fat_count)
    }

    pub(super) fn data_offset_bytes(&self) -> u64 {
        let root_bytes = self.root_entry_count * ENTRY_SIZE_BYTES;
        self.root_offset_bytes() + root_bytes.next_multiple_of(self.sector_bytes)
    }

    /// Where a cluster lies, for a number that [`Self::is_cluster`] takes.
    pub(super) fn cluster_offset_bytes(&self, cluster: u32) -> u64 {
        self.data_offset_bytes() + (u64::from(cluster) - 2) * self.cluster_bytes()
    }

    pub(super) fn is_cluster(&self, cluster: u32) -> bool {
        cluster >= 2 && u64::from(cluster) - 2 < self.cluster_count
    }

    pub(super) fn size_bytes(&self) -> u64 {
        self.sector_count * self.sector_bytes
    }

    pub(super) fn is_floppy(&self) -> bool {
        self.variant == Variant::Fat12 && self.size_bytes() == FLOPPY_SIZE_BYTES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cluster_kib(size_bytes: u64) -> u64 {
        Geometry::of(Variant::Fat32, size_bytes).expect("a size").cluster_bytes() / KIB
    }

    #[test]
    fn clusters_are_those_of_microsofts_formatter() {
        assert_eq!(cluster_kib(300 * MIB), 4);
        assert_eq!(cluster_kib(8 * GIB), 4);
        assert_eq!(cluster_kib(8 * GIB + MIB), 8);
        assert_eq!(cluster_kib(32 * GIB), 16);
        assert_eq!(cluster_kib(32 * GIB + MIB), 32);
        assert_eq!(cluster_kib(2048 * GIB - MIB), 32);
    }

    #[test]
    fn every_size_is_a_volume_of_its_variant_or_refused() {
        for (variant, sizes) in
            [(Variant::Fat12, 1..16), (Variant::Fat16, 1..300), (Variant::Fat32, 30..600)]
        {
            for size_bytes in sizes.map(|mib| mib * MIB) {
                let Ok(it) = Geometry::of(variant, size_bytes) else { continue };
                assert_eq!(Variant::of(it.cluster_count), variant, "{it:?}");
                let entries = it.cluster_count + 2;
                assert!(variant.fat_size_bytes(entries) <= it.fat_sectors * 512, "{it:?}");
                assert!(it.data_offset_bytes() % DATA_ALIGNMENT_BYTES == 0, "{it:?}");
                assert!(
                    it.cluster_offset_bytes(2) + it.cluster_count * it.cluster_bytes()
                        <= size_bytes
                );
            }
        }
        assert!(Geometry::of(Variant::Fat32, 32 * MIB).is_err());
        assert!(Geometry::of(Variant::Fat32, 34 * MIB).is_ok());
        assert!(Geometry::of(Variant::Fat32, 2048 * GIB + MIB).is_err());
        assert!(Geometry::of(Variant::Fat16, 2 * MIB).is_err());
    }

    #[test]
    fn a_floppy_is_divided_as_every_floppy() {
        let it = Geometry::of(Variant::Fat12, FLOPPY_SIZE_BYTES).expect("a floppy");
        assert_eq!((it.fat_sectors, it.root_entry_count, it.cluster_count), (9, 224, 2847));
    }
}
