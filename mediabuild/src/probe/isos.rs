//! A look at ISOs: are they readable, do they have the file that is named, and the image in it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use mediabuild_formats::iso::DiscFile;
use mediabuild_formats::volume::Entry;
use mediabuild_formats::wim::Wim;
use mediabuild_schema::Diagnostic;
use mediabuild_schema::definition::{InputPath, IsoImage, Spanned};

use super::FileSource;
use super::wims::{check_image as check_wim_image, told};
use crate::builders::iso_content::{entries, find};
use crate::failure::Failure;
use crate::git;

/// The trees of ISOs by path: hundreds of sources may be out of one, which is read once.
#[derive(Debug, Default)]
pub(crate) struct Isos {
    trees: BTreeMap<PathBuf, Result<Vec<Entry>, String>>,
}

impl Isos {
    fn tree(&mut self, path: &Path) -> Result<&[Entry], &str> {
        let tree = self.trees.entry(path.to_owned()).or_insert_with(|| {
            let source = FileSource::open(path).map_err(|error| error.to_string())?;
            entries(&source).map_err(|error| error.to_string())
        });
        tree.as_deref().map_err(|error| error.as_str())
    }

    /// All files and folders of one that was looked at before.
    pub(super) fn entries(&self, path: &Path) -> Option<&[Entry]> {
        self.trees.get(path)?.as_deref().ok()
    }

    /// The WIM that a definition means, if the ISO was looked at before and has it.
    pub(super) fn wim(&self, image: &IsoImage) -> Option<(Wim, DiscFile<FileSource>)> {
        let entries = self.trees.get(&image.iso.path)?.as_ref().ok()?;
        open_wim(&image.iso.path, find(entries, &image.wim.value).ok()?).ok()
    }
}

/// What is wrong with an ISO that exists, with its WIM, or with the image that is named.
pub(super) fn check_image(image: &IsoImage, isos: &mut Isos) -> Option<Diagnostic> {
    let entry = match look_up(&image.iso, Some(&image.wim), isos) {
        Ok(entry) => entry?,
        Err(diagnostic) => return Some(diagnostic),
    };
    let name = format!("{}//{}", image.iso.project_path, entry.path);
    let unreadable = |label: String| {
        let message = format!("`{name}` cannot be read as a WIM");
        Diagnostic::error("bad-wim", image.wim.span, message)
            .label(label)
            .help(format!("look into it: mediabuild verify {}", image.iso.project_path))
    };
    if entry.is_directory {
        return Some(unreadable("a folder".into()));
    }
    match open_wim(&image.iso.path, entry) {
        Ok((wim, _)) => check_wim_image(&wim, 1, &name, image.wim.span, &image.selector),
        Err(error) => Some(unreadable(error.to_string())),
    }
}

/// What is wrong with an ISO that exists, or with the file or folder that is named.
pub(super) fn check_part(
    iso: &InputPath,
    path: Option<&Spanned<String>>,
    isos: &mut Isos,
) -> Option<Diagnostic> {
    look_up(iso, path, isos).err()
}

/// The file or folder that is named; `None` if that is all of the ISO.
fn look_up<'a>(
    iso: &InputPath,
    path: Option<&Spanned<String>>,
    isos: &'a mut Isos,
) -> Result<Option<&'a Entry>, Diagnostic> {
    let name = &iso.project_path;
    let entries = isos.tree(&iso.path).map_err(|error| {
        if git::is_lfs_pointer_at(&iso.path) {
            let message = format!("`{name}` is a git-lfs pointer, not the file it points to");
            return Diagnostic::error("lfs-pointer", iso.span, message)
                .label("git-lfs has not fetched it")
                .help(git::lfs_help(name));
        }
        Diagnostic::error("bad-iso", iso.span, format!("`{name}` cannot be read as an ISO"))
            .label(error)
            .help(format!("look into it: mediabuild verify {name}"))
    })?;
    let Some(path) = path else { return Ok(None) };
    let found = find(entries, &path.value);
    found.map(Some).map_err(|failure| told("missing-in-iso", path.span, name, failure))
}

/// A WIM in an ISO on disk.
fn open_wim(iso: &Path, entry: &Entry) -> Result<(Wim, DiscFile<FileSource>), Failure> {
    let disc = FileSource::open(iso).map_err(|error| Failure::io("open", iso, &error))?;
    let file = DiscFile::new(disc, entry);
    Ok((Wim::open(&file)?, file))
}
