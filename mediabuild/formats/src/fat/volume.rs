//! `Volume`: a FAT volume of any origin.

use super::boot_sector::{self, BootSector, SECTOR_BYTES};
use super::geometry::Variant;
use super::label::{NO_NAME, written};
use super::{verify, walk};
use crate::source::Source;
use crate::volume::read_error::{ReadError, read_bytes};
use crate::volume::{Entry, Finding};

/// An opened volume: what its boot sector says. It lies at the start of its source.
#[derive(Debug, Clone)]
pub struct Volume {
    pub(super) boot: BootSector,
}

impl Volume {
    /// Reads the boot sector of `source`.
    pub fn open<S: Source + ?Sized>(source: &S) -> Result<Volume, ReadError> {
        let sector = read_bytes(source, 0, SECTOR_BYTES as u64)?;
        boot_sector::decode(&sector, source.size_bytes()).map(|boot| Volume { boot })
    }

    /// Which FAT.
    pub fn variant(&self) -> Variant {
        self.boot.geometry.variant
    }

    /// The label of the boot sector; empty if there is none.
    pub fn label(&self) -> String {
        if &self.boot.label == NO_NAME { String::new() } else { written(&self.boot.label) }
    }

    /// The volume's serial number.
    pub fn serial(&self) -> u32 {
        self.boot.serial
    }

    /// The volume's size.
    pub fn size_bytes(&self) -> u64 {
        self.boot.geometry.size_bytes()
    }

    /// Bytes of a cluster.
    pub fn cluster_bytes(&self) -> u64 {
        self.boot.geometry.cluster_bytes()
    }

    /// All files and directories, directories before what they hold, the root left out; extents
    /// count from the volume's start. The first structure that cannot be read is an error.
    pub fn walk<S: Source + ?Sized>(&self, source: &S) -> Result<Vec<Entry>, ReadError> {
        walk::walk(&self.boot, source)
    }

    /// Everything that is wrong with the volume's structures. The bytes of files have no check
    /// values.
    pub fn verify<S: Source + ?Sized>(&self, source: &S) -> Vec<Finding> {
        verify::verify(&self.boot, source)
    }
}
