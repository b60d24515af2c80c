//! Where the boot files of a boot image's media come from, who signed them, and what of it cannot be,
//! as `check` tells it. Reads boot managers whole: a build does not call this.

use mediabuild_formats::authenticode::FileDigest;
use mediabuild_schema::Diagnostic;
use mediabuild_schema::definition::{BootFiles, BootImage, ImageBase};

use super::boot_place::Place;
use super::boot_program::BootProgram;
use super::{FileSource, Inputs};
use crate::builders::boot_files::ONE_ARCHITECTURE;
use crate::builders::boot_signers::{
    BootSigner, CHANGED, HELP, SignedFile, is_boot_manager, problem,
};
use crate::builders::uefi_image::{UefiImage, in_el_torito};
use crate::media_layout::{self, BootFile, Firmware, foreign_loaders, uefi_loader};
use crate::plan::boot_signer;

/// A boot file of a medium, and where it comes from.
pub(crate) struct BootFileFound {
    pub(crate) medium: String,
    pub(crate) firmware: &'static str,
    pub(crate) needed: bool,
    /// `None`: nobody has it.
    pub(crate) from: Option<String>,
    /// Of a UEFI program: what it says of itself.
    pub(crate) program: Option<BootProgram>,
}

/// The boot files of one boot image's media.
pub(crate) struct BootFilesFound {
    pub(crate) files: Vec<BootFileFound>,
    /// What cannot be built.
    pub(crate) problems: Vec<Diagnostic>,
}

impl BootFilesFound {
    /// Whether somebody has the boot file.
    pub(super) fn has(&self, medium: &str) -> bool {
        self.files.iter().any(|file| file.medium == medium && file.from.is_some())
    }
}

/// What `check` says of a store that a build makes.
const MADE: &str = "made by mediabuild: starts sources/boot.wim";

/// Where each boot file of a boot image's media comes from; `None` if it names none, or is made from a
/// WIM that is not here.
/// Overlays are not looked into: this is what the definition's own sources give.
pub(crate) fn boot_files(image: &BootImage, inputs: &Inputs) -> Option<BootFilesFound> {
    let declared = image.boot_files.as_ref()?;
    if declared.from.is_empty() {
        let (files, problems) = in_el_torito_image(declared);
        let is_said = !files.is_empty() || !problems.is_empty();
        return is_said.then_some(BootFilesFound { files, problems });
    }
    let container = match &image.base {
        ImageBase::Wim(base) => Some(&base.wim),
        ImageBase::Iso(base) => Some(&base.iso),
        ImageBase::Source(_) => None,
    };
    if container.is_some_and(|container| inputs.is_absent(&container.path)) {
        return None;
    }
    let places = declared.from.iter().filter_map(|from| Place::open(from, image, inputs));
    let places: Vec<Place<'_>> = places.collect();
    let arch = image.arch.value.name();
    let signer = declared.signer.as_ref().map(|signer| boot_signer(signer.value));
    let table = media_layout::boot_files(arch, BootSigner::set(signer));
    let loader = table.iter().find(|file| file.medium == uefi_loader(arch));
    let mut files: Vec<BootFileFound> =
        table.iter().map(|file| look(file, loader, &places)).collect();
    note_made_stores(arch, &mut files);
    let (in_image, mut problems) = in_el_torito_image(declared);
    files.extend(in_image);
    problems.extend(foreign(arch, declared, &places));
    problems.extend(torn_set(&table, &files, declared));
    problems.extend(unlike_signers(&files, signer, declared));
    problems.extend(changed(&files, declared));
    Some(BootFilesFound { files, problems })
}

/// The first place that has it; of a set, the place that has the set's loader.
fn look(file: &BootFile, loader: Option<&BootFile>, places: &[Place<'_>]) -> BootFileFound {
    let owner = |file: &BootFile| places.iter().find(|place| place.has(file));
    let place = match loader {
        Some(loader) if file.is_of_set => owner(loader).filter(|place| place.has(file)),
        _ => owner(file),
    };
    BootFileFound {
        medium: file.medium.to_owned(),
        firmware: file.firmware.name(),
        needed: file.needed,
        from: place.map(|place| place.name.to_owned()),
        program: place
            .filter(|_| is_boot_manager(file.medium))
            .map(|place| BootProgram::of(place.read(file))),
    }
}

/// The boot managers in the image that UEFI firmware starts from a disc, and what is odd about it.
fn in_el_torito_image(declared: &BootFiles) -> (Vec<BootFileFound>, Vec<Diagnostic>) {
    let Some(image) = &declared.el_torito_uefi else { return Default::default() };
    let Ok(source) = FileSource::open(&image.path) else { return Default::default() };
    let UefiImage { programs, problems } = UefiImage::of(&source);
    let found = |(path, bytes): (String, Vec<u8>)| BootFileFound {
        medium: in_el_torito(&path),
        firmware: Firmware::Uefi.name(),
        needed: false,
        from: Some(image.project_path.clone()),
        program: Some(BootProgram::of(Ok(bytes))),
    };
    let say = |problem: String| {
        let message = format!("`{}` {problem}", image.project_path);
        Diagnostic::warning("bad-uefi-image", image.span, message)
            .label("UEFI firmware starts a FAT image from a disc")
            .help("name one such as the ADK's `efisys.bin`, or leave `uefi=` out: then one is made")
    };
    (programs.into_iter().map(found).collect(), problems.into_iter().map(say).collect())
}

fn note_made_stores(arch: &str, found: &mut [BootFileFound]) {
    for made in media_layout::made_stores(arch) {
        let is_there = |file: &BootFileFound| file.from.is_some();
        let mut has = found.iter().filter(|file| is_there(file)).map(|file| &file.medium);
        if !has.any(|medium| medium == made.boot_manager) {
            continue;
        }
        let missing = found.iter_mut().find(|file| file.medium == made.medium && !is_there(file));
        if let Some(file) = missing {
            file.from = Some(MADE.into());
        }
    }
}

/// A loader of another architecture in any place: all of a place goes on the medium.
fn foreign(arch: &str, declared: &BootFiles, places: &[Place<'_>]) -> Option<Diagnostic> {
    let row = |medium| BootFile {
        medium,
        image: &[],
        firmware: Firmware::Uefi,
        needed: false,
        is_of_set: false,
    };
    let mut loaders = foreign_loaders(arch).map(|(other, medium)| (other, row(medium)));
    let (other, place, loader) = loaders.find_map(|(other, row)| {
        let place = places.iter().find(|place| place.has(&row))?;
        Some((other, place.name, row.medium))
    })?;
    let message = format!("`{place}` has `{loader}` for {other}, the boot image is for {arch}");
    Some(
        Diagnostic::error("two-architectures", declared.span, message)
            .label("on one medium")
            .help(ONE_ARCHITECTURE),
    )
}

/// A set that its place has not whole.
fn torn_set(
    table: &[BootFile],
    files: &[BootFileFound],
    declared: &BootFiles,
) -> Option<Diagnostic> {
    let signer = declared.signer.as_ref()?;
    let mut of_set = table.iter().zip(files).filter(|(row, _)| row.is_of_set);
    let (_, missing) = of_set.clone().find(|(_, file)| file.from.is_none())?;
    let (_, there) = of_set.find(|(_, file)| file.from.is_some())?;
    let from = there.from.as_deref().unwrap_or_default();
    let message = format!("`{from}` has `{}`, and no `{}`", there.medium, missing.medium);
    Some(
        Diagnostic::error("torn-set", signer.span, message)
            .label("the set is taken whole from one place, or not at all")
            .help("name a place before it that has all of the set"),
    )
}

fn unlike_signers(
    files: &[BootFileFound],
    signer: Option<BootSigner>,
    declared: &BootFiles,
) -> Option<Diagnostic> {
    let signed = files.iter().filter_map(|file| {
        Some(SignedFile::new(&file.medium, file.program.as_ref()?.known_signatures()))
    });
    let problem = problem(&signed.collect::<Vec<_>>(), signer)?;
    let span = declared.signer.as_ref().map_or(declared.span, |signer| signer.span);
    Some(Diagnostic::error("mixed-signers", span, problem).label("asked for here").help(HELP))
}

/// Boot managers that are not what was signed.
fn changed(files: &[BootFileFound], declared: &BootFiles) -> Vec<Diagnostic> {
    let is_changed = |file: &&BootFileFound| {
        let signatures = file.program.iter().flat_map(BootProgram::known_signatures);
        signatures.into_iter().any(|signature| signature.file == FileDigest::Changed)
    };
    let say = |file: &BootFileFound| {
        let message = format!("`{}` {CHANGED}", file.medium);
        Diagnostic::warning("changed-program", declared.span, message).label("taken from here")
    };
    files.iter().filter(is_changed).map(say).collect()
}
