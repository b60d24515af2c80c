//! `Disc`: a disc image of any origin, its trees and boot entries.

use super::dump;
use super::el_torito;
use super::iso9660;
use super::iso9660::open::{Descriptors, IsoVolume};
use super::report::Report;
use super::sectors::Sectors;
use super::udf;
use super::udf::open::UdfVolume;
use super::verify;
use crate::source::Source;
use crate::volume::{Entry, ReadError};

/// One of the trees a disc may have. The order is that of preference, which is that of Windows.
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

impl View {
    /// All of them, best first.
    pub const ALL: [View; 4] = [View::Udf, View::Joliet, View::RockRidge, View::Iso9660];

    /// Its name as people write it.
    pub fn name(self) -> &'static str {
        match self {
            View::Udf => "UDF",
            View::Joliet => "Joliet",
            View::RockRidge => "Rock Ridge",
            View::Iso9660 => "ISO 9660",
        }
    }
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
    /// How many sectors of 512 bytes a BIOS loads; 0 or 1 for UEFI is "to the disc's end".
    pub sector_count: u16,
    /// The image's sector.
    pub lba: u32,
}

/// Something wrong with a disc, or worth a remark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Whether it is wrong. A remark is about what writers in the field do, and no reader minds.
    pub is_fault: bool,
    /// Where.
    pub offset_bytes: u64,
    /// What, the offset included.
    pub message: String,
}

/// An opened disc image: what its volume descriptors say.
#[derive(Debug, Clone)]
pub struct Disc {
    pub(super) size_bytes: u64,
    pub(super) udf: Option<UdfVolume>,
    /// Rock Ridge, plain and Joliet trees.
    pub(super) iso_volumes: Vec<IsoVolume>,
    pub(super) boot: Option<BootCatalog>,
    /// Parts that could not be opened, while others could.
    pub(super) findings: Vec<Finding>,
}

impl Disc {
    /// Reads the volume descriptors of `source`. A part that cannot be read is no error as long as
    /// some tree can be: [`Self::verify`] tells of it.
    pub fn open<S: Source + ?Sized>(source: &S) -> Result<Disc, ReadError> {
        let sectors = Sectors::of(source);
        let mut errors = Vec::new();
        let descriptors = keep(Descriptors::read(sectors), &mut errors).unwrap_or_default();
        let iso_volumes = descriptors.volumes(sectors, &mut errors);
        let udf = keep(udf::open::open(sectors), &mut errors).flatten();
        let boot = keep(read_boot_catalog(sectors, &descriptors), &mut errors).flatten();
        let size_bytes = sectors.size_bytes;
        if udf.is_none() && iso_volumes.is_empty() {
            return Err(errors.into_iter().next().unwrap_or(ReadError::NoVolume { size_bytes }));
        }
        let findings = errors.iter().map(Finding::of).collect();
        Ok(Disc { size_bytes, udf, iso_volumes, boot, findings })
    }

    /// The trees this disc has, best first.
    pub fn views(&self) -> Vec<View> {
        View::ALL.into_iter().filter(|&view| self.label(view).is_some()).collect()
    }

    /// The label that goes with a tree; `None` if the disc has no such tree.
    pub fn label(&self, view: View) -> Option<&str> {
        match view {
            View::Udf => self.udf.as_ref().map(|volume| volume.label.as_str()),
            _ => self.iso_volume(view).map(|volume| volume.label.as_str()),
        }
    }

    /// The boot entries.
    pub fn boot(&self) -> Option<&BootCatalog> {
        self.boot.as_ref()
    }

    /// All files and directories of a tree, directories before what they hold, the root left out.
    /// The first structure that cannot be read is an error.
    pub fn walk<S: Source + ?Sized>(
        &self,
        source: &S,
        view: View,
    ) -> Result<Vec<Entry>, ReadError> {
        let (sectors, mut report) = (Sectors::of(source), Report::ending());
        let no_view = || ReadError::NoView { view: view.name() };
        if view == View::Udf {
            let volume = self.udf.as_ref().ok_or_else(no_view)?;
            return udf::walk::walk(sectors, volume, &mut report);
        }
        let volume = self.iso_volume(view).ok_or_else(no_view)?;
        iso9660::walk::walk(sectors, volume, &mut report).map(|(entries, _)| entries)
    }

    /// Everything that is wrong with the disc's structures: checksums, addresses, copies that
    /// differ. The bytes of files have no check values.
    pub fn verify<S: Source + ?Sized>(&self, source: &S) -> Vec<Finding> {
        verify::verify(self, Sectors::of(source))
    }

    /// The disc as text: volume descriptors, boot catalog, trees with sectors and sizes.
    pub fn dump<S: Source + ?Sized>(&self, source: &S) -> Result<String, ReadError> {
        dump::dump(self, source)
    }

    fn iso_volume(&self, view: View) -> Option<&IsoVolume> {
        self.iso_volumes.iter().find(|volume| volume.view == view)
    }
}

impl Finding {
    pub(super) fn of(error: &ReadError) -> Finding {
        let (offset_bytes, message) = (error.offset_bytes(), error.to_string());
        Finding { is_fault: true, offset_bytes, message }
    }
}

fn read_boot_catalog<S: Source + ?Sized>(
    sectors: Sectors<'_, S>,
    descriptors: &Descriptors,
) -> Result<Option<BootCatalog>, ReadError> {
    let mut catalogs =
        descriptors.all.iter().filter_map(|(_, bytes)| el_torito::catalog_sector(bytes));
    let Some(sector) = catalogs.next() else { return Ok(None) };
    el_torito::decode(&sectors.read(sector.into())?, sector).map(Some)
}

/// The value, or nothing and one error more.
fn keep<T>(result: Result<T, ReadError>, errors: &mut Vec<ReadError>) -> Option<T> {
    result.map_err(|error| errors.push(error)).ok()
}
