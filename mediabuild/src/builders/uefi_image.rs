//! The FAT image that UEFI firmware starts from a disc (`efisys.bin`), as the user supplies it: the boot
//! managers in it, and why there are none. It is written to the disc as it is, whatever is said here.

use std::io::Read;

use mediabuild_formats::fat::Volume;
use mediabuild_formats::source::Source;
use mediabuild_formats::volume::{Entry, FileReader};

use super::boot_signers::{PROGRAM_MAX_BYTES, is_boot_manager};
use crate::media_layout::is_uefi_loader;

/// More boot managers than this are not in a FAT image.
const PROGRAM_COUNT_MAX: usize = 16;

/// What was found in one.
#[derive(Debug, Default)]
pub(crate) struct UefiImage {
    /// Boot managers by their paths, with their bytes.
    pub(crate) programs: Vec<(String, Vec<u8>)>,
    /// Why it does not start a machine, or what of it cannot be looked at, with offsets.
    pub(crate) problems: Vec<String>,
}

impl UefiImage {
    /// Looks into it. Reads directories, and programs up to the size of any boot manager.
    pub(crate) fn of<S: Source + ?Sized>(source: &S) -> UefiImage {
        let volume = match Volume::open(source) {
            Ok(volume) => volume,
            Err(error) => return UefiImage::without(format!("is no FAT volume: {error}")),
        };
        match volume.walk(source) {
            Ok(entries) => UefiImage::of_entries(&entries, source),
            Err(error) => {
                let variant = volume.variant().name();
                UefiImage::without(format!("is a damaged {variant} volume: {error}"))
            }
        }
    }

    fn without(problem: String) -> UefiImage {
        UefiImage { programs: Vec::new(), problems: vec![problem] }
    }

    fn of_entries<S: Source + ?Sized>(entries: &[Entry], source: &S) -> UefiImage {
        let files = || entries.iter().filter(|entry| !entry.is_directory);
        let mut image = UefiImage::default();
        if !files().any(|entry| is_uefi_loader(&entry.path)) {
            let problem = "has no `efi/boot/boot*.efi`, which is all that firmware starts from it";
            image.problems.push(problem.into());
        }
        for entry in files().filter(|entry| is_boot_manager(&entry.path)).take(PROGRAM_COUNT_MAX) {
            match read(entry, source) {
                Ok(bytes) => image.programs.push((entry.path.clone(), bytes)),
                Err(problem) => image.problems.push(problem),
            }
        }
        image
    }
}

fn read<S: Source + ?Sized>(entry: &Entry, source: &S) -> Result<Vec<u8>, String> {
    let Entry { path, size_bytes, .. } = entry;
    if *size_bytes > PROGRAM_MAX_BYTES {
        return Err(format!("has `{path}` of {size_bytes} bytes, which is no boot manager"));
    }
    let mut bytes = Vec::new();
    let read = FileReader::new(source, entry).read_to_end(&mut bytes);
    read.map_err(|error| {
        let offset_bytes = entry.extents.first().and_then(|extent| extent.offset_bytes);
        let at = offset_bytes.map_or(String::new(), |offset_bytes| format!(", at {offset_bytes}"));
        format!("has `{path}`{at}, which cannot be read: {error}")
    })?;
    Ok(bytes)
}

/// What people call a program of it.
pub(crate) fn in_el_torito(path: &str) -> String {
    format!("{path} of the `uefi=` image")
}
