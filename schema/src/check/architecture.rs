//! Boot images and OS images that cannot go together.

use crate::check::Lowered;
use crate::definition::{Arch, BootImage, Media, OsImage};
use crate::diagnostic::Diagnostic;

pub(crate) fn check(lowered: &Lowered<'_>) -> Vec<Diagnostic> {
    lowered.media.iter().filter_map(|medium| check_medium(medium, lowered)).collect()
}

fn check_medium(medium: &Media, lowered: &Lowered<'_>) -> Option<Diagnostic> {
    let os_name = medium.os_image.as_ref()?;
    let os = lowered.os_images.iter().find(|os| os.name.value == os_name.value)?;
    let boot = lowered.boot_images.iter().find(|b| b.name.value == medium.boot_image.value)?;
    if !can_start(boot.arch.value, os.arch.value) {
        return Some(mismatch(medium, boot, os));
    }
    uefi_mismatch(medium, boot, os)
}

/// A boot image puts down an OS of its own architecture; x86 WinPE also puts down amd64, on BIOS.
fn can_start(boot: Arch, os: Arch) -> bool {
    boot == os || (boot, os) == (Arch::X86, Arch::Amd64)
}

fn mismatch(medium: &Media, boot: &BootImage, os: &OsImage) -> Diagnostic {
    let (boot_arch, os_arch) = (boot.arch.value.name(), os.arch.value.name());
    let message = format!("an {boot_arch} boot image cannot put down an {os_arch} OS image",);
    Diagnostic::error("architecture-mismatch", medium.boot_image.span, message)
        .label(format!("`{}` on this medium", boot.name.value))
        .also(boot.arch.span, format!("the boot image is {boot_arch}"))
        .also(os.arch.span, format!("the OS image is {os_arch}"))
        .help(format!("name a boot image with `arch=\"{os_arch}\"`"))
}

/// UEFI firmware starts programs of its own architecture only.
fn uefi_mismatch(medium: &Media, boot: &BootImage, os: &OsImage) -> Option<Diagnostic> {
    let uefi = boot.boot_files.as_ref()?.el_torito_uefi.as_ref()?;
    if boot.arch.value != Arch::X86 || os.arch.value != Arch::Amd64 {
        return None;
    }
    let diagnostic = Diagnostic::error(
        "architecture-mismatch",
        medium.boot_image.span,
        "UEFI x64 needs an x64 boot image",
    );
    Some(
        diagnostic
            .label(format!("`{}` is x86", boot.name.value))
            .also(uefi.span, "boots by UEFI")
            .also(os.arch.span, "the OS image is amd64")
            .help(
                "name a boot image with `arch=\"amd64\"`, or remove `uefi=` to boot by BIOS only",
            ),
    )
}
