//! Whether anything starts a medium, as far as its definitions tell: a disc by its boot entries, a disk
//! by the program that UEFI firmware looks for. Builders see the medium itself and warn too.

use mediabuild_formats::source::Source;
use mediabuild_schema::Diagnostic;
use mediabuild_schema::definition::{BootFiles, BootFilesFrom, BootImage, ImageBase, Media};

use super::FileSource;
use super::boot_files::BootFilesFound;
use crate::media_layout::uefi_loader;
use crate::size::human;

/// BIOS loads a boot program from 0x7C00 on, below 640 KiB less what BIOS has there itself.
const BIOS_PROGRAM_MAX_BYTES: u64 = 0x9_FC00 - 0x7C00;

/// Warns of a bootable medium that nothing starts; `found` is what its boot image has, if that could be
/// looked at.
pub(crate) fn nothing_starts(
    media: &Media,
    image: &BootImage,
    found: Option<&BootFilesFound>,
) -> Option<Diagnostic> {
    let declared = image.boot_files.as_ref();
    let entries =
        |files: &BootFiles| files.el_torito_bios.is_some() || files.el_torito_uefi.is_some();
    let has_entry = media.output.is_some() && declared.is_some_and(entries);
    let loader = uefi_loader(image.arch.value.name());
    let has_loader = found.is_some_and(|found| found.has(loader));
    if has_entry && media.usb.is_none() || has_loader || is_unknown(image, found) {
        return None;
    }
    let what = match has_entry {
        true => "its disk image starts no machine",
        false => "it starts no machine",
    };
    let message = format!("media `{}`: {what}: no `{loader}` was found", media.name.value);
    Some(
        Diagnostic::warning("starts-nothing", media.boot_image.span, message)
            .label("this boot image brings no boot manager for UEFI")
            .help(format!(
                "say where it is in boot-image `{}`: `boot-files {{ from \"image\"; from \"inputs/adk-media\" }}`",
                image.name.value
            )),
    )
}

/// A base that is not here, or files laid over it, may have what was not found.
fn is_unknown(image: &BootImage, found: Option<&BootFilesFound>) -> bool {
    let Some(declared) = &image.boot_files else { return false };
    let from_image = declared.from.iter().any(|from| matches!(from, BootFilesFrom::Image(_)));
    let is_listed = found.is_some() || declared.from.is_empty();
    let is_whole = image.overlays.is_empty() && !matches!(image.base, ImageBase::Source(_));
    !is_listed || from_image && !is_whole
}

/// Warns of a boot program for BIOS that no BIOS has room for: often it is the image for UEFI.
pub(crate) fn too_large_for_bios(image: &BootImage) -> Option<Diagnostic> {
    let program = image.boot_files.as_ref()?.el_torito_bios.as_ref()?;
    let source = FileSource::open(&program.path).ok()?;
    let size_bytes = source.size_bytes();
    if size_bytes <= BIOS_PROGRAM_MAX_BYTES {
        return None;
    }
    let message = format!(
        "`{}` has {}, and BIOS has room for {} of a boot program",
        program.project_path,
        human(size_bytes),
        human(BIOS_PROGRAM_MAX_BYTES)
    );
    Some(
        Diagnostic::warning("bad-bios-program", program.span, message)
            .label("BIOS loads all of it below 640 KiB")
            .help("name one such as the ADK's `etfsboot.com`; a FAT image such as `efisys.bin` is named by `uefi=`"),
    )
}
