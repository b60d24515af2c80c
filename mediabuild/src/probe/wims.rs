//! A look at WIM headers: is it one, does it have the image.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use mediabuild_formats::wim::{JoinError, Joined, Wim};
use mediabuild_schema::definition::{ImageSelector, Spanned, WimImage};
use mediabuild_schema::{Diagnostic, Span};

use super::FileSource;
use crate::builders::split_set::siblings;
use crate::builders::wim_content::{check_usable, choose};
use crate::failure::Failure;
use crate::git;
use crate::plan::choice;

/// The WIMs of a project by path: hundreds of sources may be out of one, which is read once.
#[derive(Debug, Default)]
pub(crate) struct Wims {
    opened: BTreeMap<PathBuf, Result<Opened, Unopened>>,
}

/// A WIM, and the files that it is: itself, or the parts of its set.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) wim: Wim,
    files: Vec<PathBuf>,
}

impl Opened {
    /// Its files, opened once more.
    pub(super) fn source(&self) -> Option<Joined<FileSource>> {
        let sources = self.files.iter().map(|file| FileSource::open(file).ok());
        sources.collect::<Option<Vec<_>>>().map(Joined::new)
    }
}

/// Why there is no WIM.
#[derive(Debug)]
enum Unopened {
    /// The file cannot be opened.
    File(String),
    /// It is not a WIM, or a damaged one.
    Format(String),
    /// Another part of its set is missing, or is none.
    Part(String),
}

impl Wims {
    fn open(&mut self, path: &Path) -> Result<&Opened, &Unopened> {
        let opened = self.opened.entry(path.to_owned()).or_insert_with(|| open(path));
        opened.as_ref()
    }

    /// One that was opened before.
    pub(super) fn get(&self, path: &Path) -> Option<&Opened> {
        self.opened.get(path)?.as_ref().ok()
    }

    /// The files of a split set, one of which is at `path`, part 1 first.
    pub(super) fn set(&self, path: &Path) -> Option<&[PathBuf]> {
        self.get(path).map(|opened| &opened.files[..]).filter(|files| files.len() > 1)
    }
}

fn open(path: &Path) -> Result<Opened, Unopened> {
    let source = FileSource::open(path).map_err(|error| Unopened::File(error.to_string()))?;
    let wim = Wim::open(&source).map_err(|error| Unopened::Format(error.to_string()))?;
    if wim.header.part_count <= 1 {
        return Ok(Opened { wim, files: vec![path.to_owned()] });
    }
    let mut files = siblings(path, &wim);
    files.insert(usize::from(wim.header.part_number.max(1)) - 1, path.to_owned());
    let name = |file: &Path| file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let source = |file: &PathBuf| {
        FileSource::open(file).map_err(|error| {
            let (number, count) = (wim.header.part_number, wim.header.part_count);
            Unopened::Part(format!(
                "it is part {number} of {count}, and `{}` beside it cannot be opened: {error}",
                name(file)
            ))
        })
    };
    let sources = files.iter().map(source).collect::<Result<Vec<_>, _>>()?;
    let wim = Wim::open_joined(&Joined::new(sources), files.len());
    let wim = wim.map_err(|JoinError { file, error }| {
        Unopened::Part(format!("`{}` cannot be read with the others: {error}", name(&files[file])))
    })?;
    Ok(Opened { wim, files })
}

/// What is wrong with a WIM that exists, or with the image that is named.
pub(super) fn check(image: &WimImage, wims: &mut Wims) -> Option<Diagnostic> {
    let name = &image.wim.project_path;
    let opened = match wims.open(&image.wim.path) {
        Ok(opened) => opened,
        Err(Unopened::File(error)) => {
            let message = format!("cannot open `{name}`: {error}");
            return Some(Diagnostic::error("unreadable-input", image.wim.span, message));
        }
        Err(Unopened::Part(error)) => {
            let message = format!("`{name}` cannot be used: {error}");
            return Some(
                Diagnostic::error("incomplete-set", image.wim.span, message)
                    .label("a part of a split set")
                    .help("put all parts of the set beside each other, under their usual names"),
            );
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
    check_image(&opened.wim, opened.files.len(), name, image.wim.span, &image.selector)
}

/// What is wrong with an opened WIM, or with the image that is named.
pub(super) fn check_image(
    wim: &Wim,
    file_count: usize,
    name: &str,
    span: Span,
    selector: &Spanned<ImageSelector>,
) -> Option<Diagnostic> {
    if let Err(failure) = check_usable(wim, file_count) {
        return Some(told("unusable-wim", span, name, failure));
    }
    choose(wim, &choice(&selector.value))
        .err()
        .map(|failure| told("no-such-image", selector.span, name, failure))
}

/// A failure as a diagnostic about an input.
pub(super) fn told(code: &'static str, span: Span, name: &str, failure: Failure) -> Diagnostic {
    let diagnostic = Diagnostic::error(code, span, format!("`{name}` cannot be used: {failure}"));
    match failure.help {
        Some(help) => diagnostic.help(help),
        None => diagnostic,
    }
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
