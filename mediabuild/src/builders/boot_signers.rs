//! Whether the UEFI boot managers of a medium go together: whose names their signatures lead to.
//!
//! Names only: nothing here is verified (see `formats::authenticode`). Fonts have no signature, so they
//! are held to the boot managers by where they come from: `media_layout::boot_files` names one set.

use std::collections::BTreeSet;

use mediabuild_formats::authenticode::{Authority, Error, FileDigest, Pe, Signature, signatures};
use mediabuild_store::Content;
use serde::Serialize;

use super::BuildContext;
use super::uefi_image::{UefiImage, in_el_torito};
use super::wim_content::ContentSource;
use crate::failure::Failure;
use crate::media_layout::{BootSet, is_uefi_loader, uefi_loader};

/// `signer "2023"`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) enum BootSigner {
    #[serde(rename = "2011")]
    Pca2011,
    #[serde(rename = "2023")]
    Ca2023,
}

impl BootSigner {
    pub(crate) fn authority(self) -> Authority {
        match self {
            BootSigner::Pca2011 => Authority::Pca2011,
            BootSigner::Ca2023 => Authority::Ca2023,
        }
    }

    /// Which names in an image are meant.
    pub(crate) fn set(signer: Option<BootSigner>) -> BootSet {
        match signer {
            Some(BootSigner::Ca2023) => BootSet::Ca2023,
            Some(BootSigner::Pca2011) | None => BootSet::Usual,
        }
    }
}

/// Boot managers have one to three megabytes.
pub(crate) const PROGRAM_MAX_BYTES: u64 = 16 << 20;

/// A boot manager and the authorities that its signatures name.
#[derive(Debug)]
pub(crate) struct SignedFile {
    pub(crate) path: String,
    pub(crate) authorities: BTreeSet<Authority>,
}

impl SignedFile {
    pub(crate) fn new(path: &str, signatures: &[Signature]) -> SignedFile {
        let authorities = signatures.iter().filter_map(Signature::authority).collect();
        SignedFile { path: path.to_owned(), authorities }
    }
}

/// Looks at the boot managers among files: an error if they do not go together, or are for another
/// machine. What is no program is not signed.
pub(crate) fn check<'a>(
    files: impl Iterator<Item = (&'a str, &'a Content)>,
    el_torito: Option<Content>,
    arch: &str,
    wanted: Option<BootSigner>,
    context: &BuildContext<'_>,
) -> Result<(), Failure> {
    let mut signed = Vec::new();
    for (path, content) in files.filter(|(path, _)| is_boot_manager(path)) {
        if content.size_bytes > PROGRAM_MAX_BYTES {
            let size_bytes = content.size_bytes;
            return Err(Failure::build(format!(
                "`{path}` has {size_bytes} bytes: no boot manager"
            )));
        }
        signed.push(look(path, path, &context.read_whole(content)?, arch, context)?);
    }
    if let Some(image) = el_torito {
        let source = ContentSource(context.store.open_at(&image.digest)?);
        let UefiImage { programs, problems } = UefiImage::of(&source);
        problems.iter().for_each(|problem| (context.warn)(&format!("the `uefi=` image {problem}")));
        for (path, bytes) in programs {
            signed.push(look(&path, &in_el_torito(&path), &bytes, arch, context)?);
        }
    }
    match problem(&signed, wanted) {
        None => Ok(()),
        Some(problem) => Err(Failure::build(problem).help(HELP)),
    }
}

/// One boot manager; `shown` is what people call it.
fn look(
    path: &str,
    shown: &str,
    bytes: &[u8],
    arch: &str,
    context: &BuildContext<'_>,
) -> Result<SignedFile, Failure> {
    refuse_other_machine(path, bytes, arch)?;
    let signatures = match signatures(bytes) {
        Ok(signatures) => signatures,
        Err(Error::NotPe { .. }) => Vec::new(),
        Err(error) => return Err(Failure::build(format!("the signatures of `{shown}`: {error}"))),
    };
    if signatures.iter().any(|signature| signature.file == FileDigest::Changed) {
        (context.warn)(&format!("`{shown}` {CHANGED}"));
    }
    Ok(SignedFile::new(shown, &signatures))
}

/// What is wrong with a boot manager whose digest is not the signed one.
pub(crate) const CHANGED: &str = "was changed after it was signed: Secure Boot refuses it";

/// A loader's name says which machine starts it, and so do its headers.
fn refuse_other_machine(path: &str, bytes: &[u8], arch: &str) -> Result<(), Failure> {
    let is_loader = path.eq_ignore_ascii_case(uefi_loader(arch));
    let Some(pe) = Pe::parse(bytes).ok().filter(|_| is_loader) else { return Ok(()) };
    if pe.machine == machine(arch) {
        return Ok(());
    }
    let message = format!("`{path}` is a program for machine {:#06x}, not for {arch}", pe.machine);
    Err(Failure::build(message).help("UEFI firmware starts programs of its own architecture only"))
}

/// What a program's headers call an architecture.
fn machine(arch: &str) -> u16 {
    match arch {
        "x86" => 0x014c,
        "arm64" => 0xaa64,
        _ => 0x8664,
    }
}

/// Whether a path of a medium, in any case, is a program that firmware starts.
pub(crate) fn is_boot_manager(path: &str) -> bool {
    let path = path.to_lowercase();
    let others =
        ["bootmgr.efi", "efi/microsoft/boot/bootmgfw.efi", "efi/microsoft/boot/bootmgr.efi"];
    is_uefi_loader(&path) || others.contains(&path.as_str())
}

/// Why they do not go together, or are not what is `wanted`. Programs that are not signed by either
/// authority, such as GRUB, go with everything, unless one is wanted.
pub(crate) fn problem(files: &[SignedFile], wanted: Option<BootSigner>) -> Option<String> {
    if let Some(wanted) = wanted.map(BootSigner::authority) {
        let other = files.iter().find(|file| !file.authorities.contains(&wanted))?;
        let year = wanted.year();
        return Some(format!("`signer \"{year}\"`, but `{}` {}", other.path, says(other)));
    }
    // Of two authorities none is everybody's only if two files have none in common.
    let signed = || files.iter().filter(|file| !file.authorities.is_empty());
    let (one, other) = signed().find_map(|one| {
        let mut others = signed();
        Some((one, others.find(|other| other.authorities.is_disjoint(&one.authorities))?))
    })?;
    let (one_says, other_says) = (says(one), says(other));
    let (one, other) = (&one.path, &other.path);
    Some(format!("boot managers of two sets: `{one}` {one_says}, `{other}` {other_says}"))
}

/// What to do about it.
pub(crate) const HELP: &str = "take all boot files from one place: with `signer \"2023\"`, `from \"image\"` takes the \
                               image's files called `…_EX`";

fn says(file: &SignedFile) -> String {
    let years: Vec<&str> = file.authorities.iter().map(|authority| authority.year()).collect();
    match years.as_slice() {
        [] => "is signed for neither".into(),
        years => format!("is signed for {}", years.join(" and ")),
    }
}

#[cfg(test)]
mod tests {
    use super::{Authority, BootSigner, SignedFile, is_boot_manager, problem};

    const OLD: Authority = Authority::Pca2011;
    const NEW: Authority = Authority::Ca2023;

    fn files(all: &[&[Authority]]) -> Vec<SignedFile> {
        let file = |(at, authorities): (usize, &&[Authority])| SignedFile {
            path: format!("{at}.efi"),
            authorities: authorities.iter().copied().collect(),
        };
        all.iter().enumerate().map(file).collect()
    }

    #[test]
    fn sets_that_go_together() {
        let good: [&[&[Authority]]; 4] =
            [&[], &[&[OLD], &[OLD]], &[&[OLD, NEW], &[NEW]], &[&[NEW], &[]]];
        for good in good {
            assert_eq!(problem(&files(good), None), None);
        }
        assert_eq!(problem(&files(&[&[OLD, NEW], &[NEW]]), Some(BootSigner::Ca2023)), None);
    }

    #[test]
    fn sets_that_do_not() {
        let mixed = problem(&files(&[&[OLD], &[NEW]]), None).expect("a problem");
        assert_eq!(
            mixed,
            "boot managers of two sets: `0.efi` is signed for 2011, `1.efi` is signed for 2023"
        );
        // The first file goes with either; the others do not go with each other.
        let mixed = problem(&files(&[&[OLD, NEW], &[OLD], &[NEW]]), None).expect("a problem");
        assert_eq!(
            mixed,
            "boot managers of two sets: `1.efi` is signed for 2011, `2.efi` is signed for 2023"
        );
        let wanted =
            problem(&files(&[&[NEW], &[OLD]]), Some(BootSigner::Ca2023)).expect("a problem");
        assert_eq!(wanted, "`signer \"2023\"`, but `1.efi` is signed for 2011");
        let unsigned = problem(&files(&[&[]]), Some(BootSigner::Ca2023)).expect("a problem");
        assert!(unsigned.ends_with("is signed for neither"));
    }

    #[test]
    fn what_firmware_starts() {
        for path in ["EFI/Boot/bootx64.efi", "bootmgr.efi", "efi/microsoft/boot/BOOTMGFW.EFI"] {
            assert!(is_boot_manager(path), "{path}");
        }
        for path in ["efi/boot/grub.cfg", "bootmgr", "efi/microsoft/boot/memtest.efi"] {
            assert!(!is_boot_manager(path), "{path}");
        }
    }
}
