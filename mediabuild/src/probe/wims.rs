//! A look at WIM headers: is it one, does it have the image, what would media boot with.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use mediabuild_formats::wim::Wim;
use mediabuild_schema::Diagnostic;
use mediabuild_schema::definition::{BootFilesFrom, BootImage, ImageBase, WimImage};

use super::{FileSource, Inputs, selector_span};
use crate::builders::boot_files::find;
use crate::builders::wim_content::{check_usable, choose};
use crate::failure::Failure;
use crate::git;
use crate::media_layout;
use crate::plan::choice;

/// The WIMs of a project by path: hundreds of sources may be out of one, which is read once.
#[derive(Debug, Default)]
pub(crate) struct Wims {
    opened: BTreeMap<PathBuf, Result<Wim, Unopened>>,
}

/// Why there is no WIM.
#[derive(Debug)]
enum Unopened {
    /// The file cannot be opened.
    File(String),
    /// It is not a WIM, or a damaged one.
    Format(String),
}

impl Wims {
    fn open(&mut self, path: &Path) -> Result<&Wim, &Unopened> {
        let opened = self.opened.entry(path.to_owned()).or_insert_with(|| {
            let source =
                FileSource::open(path).map_err(|error| Unopened::File(error.to_string()))?;
            Wim::open(&source).map_err(|error| Unopened::Format(error.to_string()))
        });
        opened.as_ref()
    }

    /// One that was opened before.
    fn get(&self, path: &Path) -> Option<&Wim> {
        self.opened.get(path)?.as_ref().ok()
    }
}

/// What is wrong with a WIM that exists, or with the image that is named.
pub(super) fn check(image: &WimImage, wims: &mut Wims) -> Option<Diagnostic> {
    let name = &image.wim.project_path;
    let wim = match wims.open(&image.wim.path) {
        Ok(wim) => wim,
        Err(Unopened::File(error)) => {
            let message = format!("cannot open `{name}`: {error}");
            return Some(Diagnostic::error("unreadable-input", image.wim.span, message));
        }
        Err(Unopened::Format(_)) if git::is_lfs_pointer_at(&image.wim.path) => {
            let message = format!("`{name}` is a git-lfs pointer, not the file it points to");
            return Some(
                Diagnostic::error("lfs-pointer", image.wim.span, message)
                    .label("git-lfs has not fetched it")
                    .help(git::lfs_help(name)),
            );
        }
        Err(Unopened::Format(error)) => {
            let message = format!("`{name}` cannot be read as a WIM");
            return Some(
                Diagnostic::error("bad-wim", image.wim.span, message)
                    .label(error.clone())
                    .help(format!("look into it: mediabuild verify {name}")),
            );
        }
    };
    if let Err(failure) = check_usable(wim) {
        return Some(told("unusable-wim", image.wim.span, name, failure));
    }
    choose(wim, &choice(&image.selector.value))
        .err()
        .map(|failure| told("no-such-image", selector_span(image), name, failure))
}

fn told(
    code: &'static str,
    span: mediabuild_schema::Span,
    name: &str,
    failure: Failure,
) -> Diagnostic {
    let diagnostic = Diagnostic::error(code, span, format!("`{name}` cannot be used: {failure}"));
    match failure.help {
        Some(help) => diagnostic.help(help),
        None => diagnostic,
    }
}

/// A boot file of a medium, and where it comes from.
pub(crate) struct BootFileFound {
    pub(crate) medium: String,
    pub(crate) firmware: &'static str,
    pub(crate) needed: bool,
    /// `None`: nobody has it.
    pub(crate) from: Option<String>,
}

/// Where each boot file of a boot image's media comes from; `None` if it names no boot files,
/// or is made from a WIM that is not here.
/// Overlays are not looked into: this is what the definition's own sources give.
pub(crate) fn boot_files(image: &BootImage, inputs: &Inputs) -> Option<Vec<BootFileFound>> {
    let files = image.boot_files.as_ref().filter(|files| !files.from.is_empty())?;
    if matches!(&image.base, ImageBase::Wim(base) if inputs.is_absent(&base.wim.path)) {
        return None;
    }
    let base = base_image(&image.base, &inputs.wims);
    let place = |file: &media_layout::BootFile| {
        files.from.iter().find_map(|from| match from {
            BootFilesFrom::Image(_) => {
                let found = find(base.as_ref()?, file);
                (!found.is_empty()).then(|| "the boot image".to_owned())
            }
            BootFilesFrom::Folder(folder) => {
                in_folder(&folder.path, file.medium).then(|| folder.project_path.clone())
            }
        })
    };
    let table = media_layout::boot_files(image.arch.value.name());
    let found = table.iter().map(|file| BootFileFound {
        medium: file.medium.to_owned(),
        firmware: file.firmware.name(),
        needed: file.needed,
        from: place(file),
    });
    let mut found: Vec<BootFileFound> = found.collect();
    note_made_stores(image.arch.value.name(), &mut found);
    Some(found)
}

/// What `check` says of a store that a build makes.
const MADE: &str = "made by mediabuild: starts sources/boot.wim";

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

fn base_image(base: &ImageBase, wims: &Wims) -> Option<mediabuild_formats::wim::Image> {
    let ImageBase::Wim(image) = base else { return None };
    let wim = wims.get(&image.wim.path)?;
    let index = choose(wim, &choice(&image.selector.value)).ok()?;
    wim.image(&FileSource::open(&image.wim.path).ok()?, index).ok()
}

/// Whether a folder laid out like a medium has a file, ignoring case.
fn in_folder(folder: &Path, medium: &str) -> bool {
    let mut at = vec![folder.to_owned()];
    for name in medium.split('/') {
        let matches = |entry: &std::fs::DirEntry| {
            name == "*" || entry.file_name().to_string_lossy().eq_ignore_ascii_case(name)
        };
        let entries = at.iter().filter_map(|folder| std::fs::read_dir(folder).ok()).flatten();
        at = entries.flatten().filter(matches).map(|entry| entry.path()).collect();
    }
    !at.is_empty()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::Wims;

    #[test]
    fn a_wim_is_opened_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("winpe.wim");
        let sample =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/quickstart/inputs/winpe.wim");
        std::fs::copy(sample, &path).expect("copied");
        let mut wims = Wims::default();
        assert!(wims.get(&path).is_none());
        assert!(wims.open(&path).is_ok());
        std::fs::remove_file(&path).expect("removed");
        assert!(wims.open(&path).is_ok() && wims.get(&path).is_some());
        let other = folder.path().join("other.wim");
        assert!(wims.open(&other).is_err() && wims.get(&other).is_none());
    }
}
