//! A look at WIM headers: is it one, does it have the image.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use mediabuild_formats::wim::Wim;
use mediabuild_schema::Diagnostic;
use mediabuild_schema::definition::WimImage;

use super::{FileSource, selector_span};
use crate::builders::wim_content::{check_usable, choose};
use crate::failure::Failure;
use crate::git;
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
    pub(super) fn get(&self, path: &Path) -> Option<&Wim> {
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
