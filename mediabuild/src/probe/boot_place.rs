//! `Place`: one of the places where boot files are looked for, as it lies on disk.

use std::borrow::Cow;
use std::io::Read;
use std::path::{Path, PathBuf};

use mediabuild_formats::iso::Disc;
use mediabuild_formats::source::Source as FormatSource;
use mediabuild_formats::volume::{Entry, FileReader};
use mediabuild_formats::wim::{Image, Wim};
use mediabuild_schema::definition::{BootFilesFrom, BootImage, ImageBase, ImageSelector, Source};

use super::boot_program::read_program;
use super::{FileSource, Inputs};
use crate::builders::boot_files::find;
use crate::builders::boot_signers::PROGRAM_MAX_BYTES;
use crate::builders::wim_content::choose;
use crate::media_layout::BootFile;
use crate::plan::choice;

/// A place that is there.
pub(super) struct Place<'a> {
    /// What people call it.
    pub(super) name: &'a str,
    files: Files<'a>,
}

enum Files<'a> {
    /// An image of a WIM.
    Image { wim: Box<Cow<'a, Wim>>, source: Box<dyn FormatSource>, image: Box<Image> },
    /// A folder that an image is made of.
    Tree(&'a Path),
    /// A folder laid out like a medium.
    Folder(&'a Path),
    /// A medium.
    Disc { source: FileSource, entries: Vec<Entry> },
}

impl<'a> Place<'a> {
    /// `None` for one that is not here, or cannot be read: the probe has said so.
    pub(super) fn open(
        from: &'a BootFilesFrom,
        image: &'a BootImage,
        inputs: &'a Inputs,
    ) -> Option<Place<'a>> {
        let (name, files) = match from {
            BootFilesFrom::Image(_) => ("the boot image", Files::of_base(&image.base, inputs)?),
            BootFilesFrom::Folder(folder) => {
                (folder.project_path.as_str(), Files::Folder(&folder.path))
            }
            BootFilesFrom::Disc(iso) => (iso.project_path.as_str(), Files::of_disc(&iso.path)?),
        };
        Some(Place { name, files })
    }

    /// Whether it has a file, or any of these.
    pub(super) fn has(&self, file: &BootFile) -> bool {
        match &self.files {
            Files::Image { image, .. } => !find(image, file).is_empty(),
            Files::Tree(folder) => {
                file.image.iter().any(|candidate| in_folder(folder, candidate).is_some())
            }
            Files::Folder(folder) => in_folder(folder, file.medium).is_some(),
            Files::Disc { entries, .. } => {
                entries.iter().any(|entry| !entry.is_directory && file.is_at(&entry.path))
            }
        }
    }

    /// A program's bytes.
    pub(super) fn read(&self, file: &BootFile) -> Result<Vec<u8>, String> {
        let gone = || "it cannot be read".to_owned();
        match &self.files {
            Files::Image { wim, source, image } => {
                let found = find(image, file);
                let (_, dentry) = found.first().ok_or_else(gone)?;
                let entry = wim.blob(&dentry.data).ok_or_else(gone)?;
                let reader = wim.blob_reader(source, entry).map_err(|error| error.to_string())?;
                boot_manager(reader)
            }
            Files::Tree(folder) => {
                let mut candidates = file.image.iter();
                let found = candidates.find_map(|candidate| in_folder(folder, candidate));
                read_file(&found.ok_or_else(gone)?)
            }
            Files::Folder(folder) => read_file(&in_folder(folder, file.medium).ok_or_else(gone)?),
            Files::Disc { source, entries } => {
                let entry = entries.iter().find(|entry| file.is_at(&entry.path));
                boot_manager(FileReader::new(source, entry.ok_or_else(gone)?))
            }
        }
    }
}

impl<'a> Files<'a> {
    fn of_base(base: &'a ImageBase, inputs: &'a Inputs) -> Option<Files<'a>> {
        match base {
            ImageBase::Wim(image) => {
                let opened = inputs.wims.get(&image.wim.path)?;
                let (wim, source) = (Cow::Borrowed(&opened.wim), Box::new(opened.source()?));
                Files::of_image(wim, source, &image.selector.value)
            }
            ImageBase::Iso(image) => {
                let (wim, source) = inputs.isos.wim(image)?;
                Files::of_image(Cow::Owned(wim), Box::new(source), &image.selector.value)
            }
            ImageBase::Source(Source::Path { path, .. }) => Some(Files::Tree(&path.path)),
            ImageBase::Source(_) => None,
        }
    }

    fn of_image(
        wim: Cow<'a, Wim>,
        source: Box<dyn FormatSource>,
        selector: &ImageSelector,
    ) -> Option<Files<'a>> {
        let index = choose(&wim, &choice(selector)).ok()?;
        let image = Box::new(wim.image(&source, index).ok()?);
        Some(Files::Image { wim: Box::new(wim), source, image })
    }

    fn of_disc(path: &Path) -> Option<Files<'a>> {
        let source = FileSource::open(path).ok()?;
        let disc = Disc::open(&source).ok()?;
        let entries = disc.walk(&source, *disc.views().first()?).ok()?;
        Some(Files::Disc { source, entries })
    }
}

/// All of a program: more than any has is no program.
fn boot_manager(reader: impl Read) -> Result<Vec<u8>, String> {
    let too_large = || format!("it has more than {PROGRAM_MAX_BYTES} bytes: no boot manager");
    read_program(reader)?.ok_or_else(too_large)
}

fn read_file(path: &Path) -> Result<Vec<u8>, String> {
    boot_manager(std::fs::File::open(path).map_err(|error| error.to_string())?)
}

/// A file of a folder, ignoring case; for a `*`, any.
fn in_folder(folder: &Path, path: &str) -> Option<PathBuf> {
    let mut at = vec![folder.to_owned()];
    for name in path.split('/') {
        let matches = |entry: &std::fs::DirEntry| {
            name == "*" || entry.file_name().to_string_lossy().eq_ignore_ascii_case(name)
        };
        let entries = at.iter().filter_map(|folder| std::fs::read_dir(folder).ok()).flatten();
        at = entries.flatten().filter(matches).map(|entry| entry.path()).collect();
    }
    at.into_iter().next()
}
