//! Probe: a look at the inputs of a project, for `check`, `plan` and `build`: do they exist, are
//! they files or folders, do WIMs have the image that is named. Its diagnostics point to the
//! definition that names the input. Reads headers, never contents.

mod boot_files;
mod boot_place;
mod boot_program;
mod boot_starts;
mod contents;
mod discs;
mod file_source;
mod inputs;
mod isos;
mod refused;
mod start_files;
mod wims;

use std::io::ErrorKind;
use std::path::Path;

use mediabuild_schema::Diagnostic;
use mediabuild_schema::definition::{
    BootFilesFrom, BootImage, Definitions, ImageBase, InputPath, IsoImage, Source, Spanned,
    WimImage,
};

use crate::git;
use crate::lock::Lock;

pub(crate) use boot_files::{BootFileFound, BootFilesFound, boot_files};
pub(crate) use boot_program::{BootProgram, read_program};
pub(crate) use boot_starts::{nothing_starts, too_large_for_bios};
pub(crate) use contents::Contents;
pub(crate) use discs::{DiscContent, discs};
pub(crate) use file_source::FileSource;
pub(crate) use inputs::Inputs;
use inputs::Kind;
pub(crate) use refused::refused;

/// Looks at every input that the definitions name.
///
/// An input that is not here but pinned is taken for what `lock` says it was: the store may have it.
pub(crate) fn probe(
    definitions: &Definitions,
    lock: &Lock,
    diagnostics: &mut Vec<Diagnostic>,
) -> Inputs {
    let folder = &definitions.project.folder;
    let mut probe = Probe { inputs: Inputs::default(), folder, lock, diagnostics };
    probe.inputs.look_at_all(sources(definitions));
    for image in &definitions.boot_images {
        probe.base(&image.base);
        image.overlays.iter().for_each(|overlay| probe.folder_source(overlay));
        probe.boot_files(image);
    }
    for image in &definitions.os_images {
        probe.base(&image.base);
        image.overlays.iter().for_each(|overlay| probe.folder_source(overlay));
    }
    definitions.driver_packages.iter().for_each(|package| probe.source(&package.source));
    definitions.applications.iter().for_each(|package| probe.source(&package.source));
    definitions.packages.iter().for_each(|package| probe.source(&package.source));
    definitions
        .media
        .iter()
        .filter_map(|it| it.output.as_ref()?.order.as_ref())
        .for_each(|f| probe.file(f));
    probe.inputs
}

/// The paths that packages are made of: a project may have thousands.
fn sources(definitions: &Definitions) -> Vec<(&Path, bool)> {
    let drivers = definitions.driver_packages.iter().map(|package| &package.source);
    let applications = definitions.applications.iter().map(|application| &application.source);
    let packages = definitions.packages.iter().map(|package| &package.source);
    let path = |source| match source {
        &Source::Path { ref path, follow_symlinks, .. } => {
            Some((path.path.as_path(), follow_symlinks))
        }
        Source::WimPart { .. } | Source::IsoPart { .. } | Source::Url(_) => None,
    };
    drivers.chain(applications).chain(packages).filter_map(path).collect()
}

struct Probe<'a> {
    inputs: Inputs,
    folder: &'a Path,
    lock: &'a Lock,
    diagnostics: &'a mut Vec<Diagnostic>,
}

impl Probe<'_> {
    fn base(&mut self, base: &ImageBase) {
        match base {
            ImageBase::Wim(image) => self.wim(image),
            ImageBase::Iso(image) => self.iso_image(image),
            ImageBase::Source(source) => self.folder_source(source),
        }
    }

    fn source(&mut self, source: &Source) {
        match source {
            Source::Path { path, follow_symlinks, .. } => {
                self.exists(path, *follow_symlinks);
            }
            Source::WimPart { image, .. } => self.wim(image),
            Source::IsoPart { iso, path, .. } => self.iso_part(iso, path.as_ref()),
            Source::Url(_) => {}
        }
    }

    /// A source that must be a folder: a tree to lay over an image.
    fn folder_source(&mut self, source: &Source) {
        self.source(source);
        if let Source::Url(file) = source {
            let message = format!("`{}` gives one file", file.url.value.shown());
            self.say(
                Diagnostic::error("not-a-folder", file.url.span, message)
                    .label("a folder is needed here")
                    .help("fetched archives are not unpacked: unpack it, and name the folder"),
            );
        }
        if let Source::Path { path, .. } = source
            && self.inputs.is_file(&path.path)
        {
            self.say(
                Diagnostic::error(
                    "not-a-folder",
                    path.span,
                    format!("`{}` is a file", path.project_path),
                )
                .label("a folder is needed here")
                .help("name the folder that is laid over the image's root"),
            );
        }
    }

    fn boot_files(&mut self, image: &BootImage) {
        let Some(files) = &image.boot_files else { return };
        for from in &files.from {
            match from {
                BootFilesFrom::Image(_) => {}
                BootFilesFrom::Folder(folder) if is_slip_of_image(folder) => {
                    self.say(slip_of_image(folder));
                }
                BootFilesFrom::Folder(folder) => self.folder(folder),
                BootFilesFrom::Disc(iso) => self.iso_part(iso, None),
            }
        }
        [&files.el_torito_bios, &files.el_torito_uefi]
            .into_iter()
            .flatten()
            .for_each(|f| self.file(f));
    }

    fn folder(&mut self, input: &InputPath) {
        if self.exists(input, false) && self.inputs.is_file(&input.path) {
            self.say(
                Diagnostic::error(
                    "not-a-folder",
                    input.span,
                    format!("`{}` is a file", input.project_path),
                )
                .label("a folder is needed here")
                .help("name the folder that is laid out like a medium"),
            );
        }
    }

    fn file(&mut self, input: &InputPath) {
        if self.exists(input, false) && !self.inputs.is_file(&input.path) {
            self.say(
                Diagnostic::error(
                    "not-a-file",
                    input.span,
                    format!("`{}` is a folder", input.project_path),
                )
                .label("a file is needed here")
                .help("name a file in it"),
            );
        }
    }

    fn wim(&mut self, image: &WimImage) {
        if self.is_readable(&image.wim) {
            self.diagnostics.extend(wims::check(image, &mut self.inputs.wims));
        }
    }

    fn iso_image(&mut self, image: &IsoImage) {
        if self.is_readable(&image.iso) {
            self.diagnostics.extend(isos::check_image(image, &mut self.inputs.isos));
        }
    }

    fn iso_part(&mut self, iso: &InputPath, path: Option<&Spanned<String>>) {
        if self.is_readable(iso) {
            self.diagnostics.extend(isos::check_part(iso, path, &mut self.inputs.isos));
        }
    }

    /// Whether a file is here and can be looked into; says so if it cannot.
    fn is_readable(&mut self, input: &InputPath) -> bool {
        if !self.exists(input, false) || self.inputs.is_absent(&input.path) {
            return false;
        }
        self.file(input);
        self.inputs.is_file(&input.path)
    }

    /// Notes an input; says so if it is not there, or if it cannot be one.
    fn exists(&mut self, input: &InputPath, follow_symlinks: bool) -> bool {
        let diagnostic = match self.inputs.look(&input.path, follow_symlinks) {
            Ok(Kind::File | Kind::Folder) => return true,
            Ok(Kind::Special) => special(input),
            Err(error) if error.kind() == ErrorKind::NotFound && self.is_pinned(input) => {
                return true;
            }
            Err(error) => missing(input, self.folder, &error),
        };
        self.say(diagnostic);
        false
    }

    /// Whether the lock knows an input that is not here; then it is noted as what it was.
    fn is_pinned(&mut self, input: &InputPath) -> bool {
        let shape = self.lock.shape(&input.project_path);
        if let Some((kind, bytes)) = shape {
            self.inputs.note_absent(&input.path, kind, bytes);
        }
        shape.is_some()
    }

    fn say(&mut self, diagnostic: Diagnostic) {
        if !self.diagnostics.contains(&diagnostic) {
            self.diagnostics.push(diagnostic);
        }
    }
}

/// `from "imagee"`: a folder that is not there, called almost like the word for the image itself.
fn is_slip_of_image(folder: &InputPath) -> bool {
    strsim::jaro_winkler(&folder.project_path, "image") > 0.85 && !folder.path.exists()
}

fn slip_of_image(folder: &InputPath) -> Diagnostic {
    let message = format!("`{}` does not exist", folder.project_path);
    Diagnostic::error("missing-input", folder.span, message)
        .label("no such folder")
        .help("did you mean `from \"image\"`, the boot image's own files?")
}

fn special(input: &InputPath) -> Diagnostic {
    let message = format!("`{}` is neither a file nor a folder", input.project_path);
    Diagnostic::error("not-a-file", input.span, message)
        .label("a pipe, a socket or a device")
        .help("copy what it gives to a file, and name that")
}

fn missing(input: &InputPath, folder: &Path, error: &std::io::Error) -> Diagnostic {
    let name = &input.project_path;
    if error.kind() != ErrorKind::NotFound {
        let message = format!("cannot look at `{name}`: {error}");
        return Diagnostic::error("unreadable-input", input.span, message).label("named here");
    }
    let near = near(&input.path);
    let absence = if near.is_none() { git::absence(folder, name) } else { None };
    let message = absence.clone().unwrap_or_else(|| "does not exist".into());
    let diagnostic = Diagnostic::error("missing-input", input.span, format!("`{name}` {message}"));
    if absence.is_some() {
        return diagnostic
            .label("no such file or folder")
            .help(format!("put it at `{}`, and pin it: mediabuild lock", input.path.display()));
    }
    match near {
        Some((found, true)) => diagnostic.label("the case differs").help(format!(
            "it is called `{found}`; write it like that, for Linux tells them apart"
        )),
        Some((found, false)) => {
            diagnostic.label("no such file or folder").help(format!("did you mean `{found}`?"))
        }
        None => diagnostic
            .label("no such file or folder")
            .help(format!("put it at `{}`, or name another one", input.path.display())),
    }
}

/// The sibling with the nearest name, where the parent exists; `true` if only the case differs.
fn near(path: &Path) -> Option<(String, bool)> {
    let mut at = path;
    while !at.parent()?.is_dir() {
        at = at.parent()?;
    }
    let name = at.file_name()?.to_str()?;
    let siblings: Vec<String> = std::fs::read_dir(at.parent()?)
        .ok()?
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    if let Some(same) =
        siblings.iter().find(|sibling| sibling.to_lowercase() == name.to_lowercase())
    {
        return Some((same.clone(), true));
    }
    let score = |sibling: &String| strsim::jaro_winkler(sibling, name);
    let best = siblings.into_iter().max_by(|a, b| score(a).total_cmp(&score(b)))?;
    (score(&best) > 0.85).then_some((best, false))
}
