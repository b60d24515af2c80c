//! A look at ISOs: are they readable, do they have the file that is named, and the image in it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use mediabuild_formats::iso::DiscFile;
use mediabuild_formats::volume::Entry;
use mediabuild_formats::wim::{JoinError, Joined, Wim};
use mediabuild_schema::Diagnostic;
use mediabuild_schema::definition::{InputPath, IsoImage, Spanned};

use super::FileSource;
use super::wims::{check_image as check_wim_image, told};
use crate::builders::iso_content::{entries, find};
use crate::builders::iso_wim;
use crate::failure::Failure;
use crate::git;

/// A WIM on a disc: one file, or the parts of its set.
type OnDisc = Joined<DiscFile<Arc<FileSource>>>;

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
    pub(super) fn wim(&self, image: &IsoImage) -> Option<(Wim, OnDisc)> {
        let entries = self.entries(&image.iso.path)?;
        let file = find(entries, &image.wim.value).ok()?;
        open_wim(&image.iso.path, entries, file).ok().map(|(wim, source, _)| (wim, source))
    }
}

/// What is wrong with an ISO that exists, with its WIM, or with the image that is named.
pub(super) fn check_image(image: &IsoImage, isos: &mut Isos) -> Option<Diagnostic> {
    let entry = match look_up(&image.iso, Some(&image.wim), isos) {
        Ok(entry) => entry?.clone(),
        Err(diagnostic) => return Some(diagnostic),
    };
    let entries = isos.entries(&image.iso.path)?;
    let name = format!("{}//{}", image.iso.project_path, entry.path);
    match open_wim(&image.iso.path, entries, &entry) {
        Ok((wim, _, file_count)) => {
            check_wim_image(&wim, file_count, &name, image.wim.span, &image.selector)
        }
        Err(failure) => {
            let message = format!("`{name}` cannot be read as a WIM");
            let look = || format!("look into it: mediabuild verify {}", image.iso.project_path);
            Some(
                Diagnostic::error("bad-wim", image.wim.span, message)
                    .label(failure.to_string())
                    .help(failure.help.clone().unwrap_or_else(look)),
            )
        }
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

/// A WIM in an ISO on disk, and of how many files it is.
fn open_wim(iso: &Path, entries: &[Entry], file: &Entry) -> Result<(Wim, OnDisc, usize), Failure> {
    let disc = FileSource::open(iso).map_err(|error| Failure::io("open", iso, &error))?;
    let files = iso_wim::files(&disc, entries, file)?;
    let disc = Arc::new(disc);
    let sources = files.iter().map(|file| DiscFile::new(Arc::clone(&disc), file));
    let source = Joined::new(sources.collect());
    let wim = match files[..] {
        [_] => Wim::open(&source)?,
        _ => Wim::open_joined(&source, files.len()).map_err(|JoinError { file, error }| {
            let path = &files[file].path;
            Failure::build(format!("`{path}` cannot be read with the others: {error}"))
        })?,
    };
    Ok((wim, source, files.len()))
}
