//! `Disk`: a disk with one partition, as what comes before the partition and what comes behind it.

use super::SECTOR_SIZE_BYTES;
use super::gpt::{self, Header};
use super::guid::Guid;
use super::mbr::{self, Entry, TYPE_FAT32, TYPE_PROTECTIVE};
use crate::layout::Sink;

/// Where the partition starts: what every tool since Windows Vista does.
pub const PARTITION_START_BYTES: u64 = 1 << 20;
/// Room for the second header of a GPT, so that the disk is whole mebibytes too.
const GPT_TAIL_BYTES: u64 = 1 << 20;

/// Which table, with what tells the disk from others; the caller derives that from the contents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// One active partition of type 0x0C (FAT32).
    Mbr {
        /// The disk's id.
        disk_id: u32,
    },
    /// One partition of the type "basic data".
    Gpt {
        /// The disk's GUID.
        disk: Guid,
        /// The partition's own GUID.
        partition: Guid,
    },
}

/// A disk of one partition.
#[derive(Debug, Clone)]
pub struct Disk {
    /// The table.
    pub scheme: Scheme,
    /// The partition's size: whole mebibytes.
    pub partition_bytes: u64,
    /// The partition's name in a GPT.
    pub name: String,
}

impl Disk {
    /// What a table takes of a disk besides the partition.
    pub fn overhead_bytes(scheme: &Scheme) -> u64 {
        match scheme {
            Scheme::Mbr { .. } => PARTITION_START_BYTES,
            Scheme::Gpt { .. } => PARTITION_START_BYTES + GPT_TAIL_BYTES,
        }
    }

    /// The disk's size.
    pub fn size_bytes(&self) -> u64 {
        self.partition_bytes + Disk::overhead_bytes(&self.scheme)
    }

    /// Appends what comes before the partition.
    pub fn head<C>(&self, sink: &mut impl Sink<C>) {
        match self.scheme {
            Scheme::Mbr { disk_id } => sink.literal(&mbr::encode(&self.mbr_entry(), disk_id)),
            Scheme::Gpt { disk, partition } => {
                sink.literal(&mbr::encode(&self.protective_entry(), 0));
                let entries = self.gpt_entries(partition);
                sink.literal(&Header::both(self.sector_count(), disk, &entries)[0].encode());
                sink.literal(&entries);
            }
        }
        let position = match self.scheme {
            Scheme::Mbr { .. } => SECTOR_SIZE_BYTES,
            Scheme::Gpt { .. } => (2 + gpt::ENTRIES_SECTORS) * SECTOR_SIZE_BYTES,
        };
        sink.zeros(PARTITION_START_BYTES - position);
    }

    /// Appends what comes behind the partition.
    pub fn tail<C>(&self, sink: &mut impl Sink<C>) {
        let Scheme::Gpt { disk, partition } = self.scheme else { return };
        let entries = self.gpt_entries(partition);
        sink.zeros(GPT_TAIL_BYTES - (gpt::ENTRIES_SECTORS + 1) * SECTOR_SIZE_BYTES);
        sink.literal(&entries);
        sink.literal(&Header::both(self.sector_count(), disk, &entries)[1].encode());
    }

    fn mbr_entry(&self) -> Entry {
        Entry {
            is_active: true,
            kind: TYPE_FAT32,
            first_sector: sectors(PARTITION_START_BYTES),
            sector_count: sectors(self.partition_bytes),
        }
    }

    fn protective_entry(&self) -> Entry {
        let sector_count = sectors(self.size_bytes() - SECTOR_SIZE_BYTES);
        Entry { is_active: false, kind: TYPE_PROTECTIVE, first_sector: 1, sector_count }
    }

    fn gpt_entries(&self, id: Guid) -> Vec<u8> {
        let first_sector = PARTITION_START_BYTES / SECTOR_SIZE_BYTES;
        gpt::encode_entries(&gpt::Entry {
            // Not "EFI system": Windows gives such a partition no drive letter, so a boot image
            // would not find its medium. Firmware starts removable disks from any FAT partition.
            kind: Guid::BASIC_DATA,
            id,
            first_sector,
            last_sector: first_sector + self.partition_bytes / SECTOR_SIZE_BYTES - 1,
            name: self.name.clone(),
        })
    }

    fn sector_count(&self) -> u64 {
        self.size_bytes() / SECTOR_SIZE_BYTES
    }
}

/// A count of sectors that fits 32 bits; more stays at the last one, as a protective entry has it.
fn sectors(size_bytes: u64) -> u32 {
    u32::try_from(size_bytes / SECTOR_SIZE_BYTES).unwrap_or(u32::MAX)
}
