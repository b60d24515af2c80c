//! `Disc`: a disc image of any origin, its trees and boot entries.

use std::io;

use super::error::ReadError;
use crate::source::Source;

/// One of the trees a disc may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum View {
    /// UDF.
    Udf,
    /// Joliet: ISO 9660 with Unicode names.
    Joliet,
    /// ISO 9660 with POSIX names.
    RockRidge,
    /// Plain ISO 9660.
    Iso9660,
}

/// A run of a file's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileExtent {
    /// Where it lies in the disc; nothing is stored of zeros.
    pub offset_bytes: Option<u64>,
    /// Its size.
    pub size_bytes: u64,
}

/// A file or directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The path from the root, components separated by `/`.
    pub path: String,
    /// Whether it is a directory.
    pub is_directory: bool,
    /// A file's size; 0 for a directory.
    pub size_bytes: u64,
    /// Seconds since 1970, UTC, if the disc says.
    pub modified_seconds: Option<i64>,
    /// Where a file's bytes are, in order.
    pub extents: Vec<FileExtent>,
}

/// What El Torito lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BootCatalog {
    /// The catalog's sector.
    pub lba: u32,
    /// All boot images in catalog order.
    pub images: Vec<BootImage>,
}

/// One boot entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BootImage {
    /// 0x00 BIOS, 0xEF UEFI.
    pub platform: u8,
    /// Whether the entry is marked bootable.
    pub is_bootable: bool,
    /// 0 no emulation, 1-3 floppies, 4 hard disk.
    pub media: u8,
    /// Where a BIOS loads it; 0 is 0x7C0.
    pub load_segment: u16,
    /// How many sectors of 512 bytes a BIOS loads.
    pub sector_count: u16,
    /// The image's sector.
    pub lba: u32,
}

/// Something wrong with a disc that still reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Where.
    pub offset_bytes: u64,
    /// What.
    pub message: String,
}

/// An opened disc image: what its volume descriptors say.
#[derive(Debug, Clone)]
pub struct Disc {}

impl Disc {
    /// Reads the volume descriptors of `source`.
    pub fn open<S: Source + ?Sized>(_source: &S) -> Result<Disc, ReadError> {
        todo!()
    }

    /// The trees this disc has, best first.
    pub fn views(&self) -> Vec<View> {
        todo!()
    }

    /// The label of one of its trees.
    pub fn label(&self, _view: View) -> Option<&str> {
        todo!()
    }

    /// The boot entries.
    pub fn boot(&self) -> Option<&BootCatalog> {
        todo!()
    }

    /// All files and directories of a tree, directories before what they hold, the root left out.
    pub fn walk<S: Source + ?Sized>(
        &self,
        _source: &S,
        _view: View,
    ) -> Result<Vec<Entry>, ReadError> {
        todo!()
    }

    /// Everything that is wrong with the disc's structures.
    pub fn verify<S: Source + ?Sized>(&self, _source: &S) -> Vec<Finding> {
        todo!()
    }

    /// The disc as text: volume descriptors, boot catalog, trees with sectors and sizes.
    pub fn dump<S: Source + ?Sized>(&self, _source: &S) -> Result<String, ReadError> {
        todo!()
    }
}

/// Reads a file's bytes.
pub struct FileReader<'a, S: ?Sized> {
    _source: &'a S,
}

impl<'a, S: Source + ?Sized> FileReader<'a, S> {
    /// Reads the file `entry` of the disc `source`.
    pub fn new(_source: &'a S, _entry: &'a Entry) -> Self {
        todo!()
    }
}

impl<S: Source + ?Sized> io::Read for FileReader<'_, S> {
    fn read(&mut self, _buffer: &mut [u8]) -> io::Result<usize> {
        todo!()
    }
}
