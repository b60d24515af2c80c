//! A look at WIM headers: is it one, does it have the image, what would media boot with.

use mediabuild_formats::wim::Wim;
use mediabuild_schema::Diagnostic;
use mediabuild_schema::definition::{BootFilesFrom, BootImage, ImageBase, WimImage};

use super::{FileSource, selector_span};
use crate::builders::boot_files::find;
use crate::builders::wim_content::{check_bootable, check_usable, choose};
use crate::failure::Failure;
use crate::media_layout;
use crate::plan::choice;

/// What a WIM is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// The base of a boot image.
    BootImage,
    /// The base of an OS image, or a source of files.
    Content,
}

/// What is wrong with a WIM that exists, or with the image that is named.
pub(super) fn check(image: &WimImage, use_: Use) -> Option<Diagnostic> {
    let name = &image.wim.project_path;
    let source = match FileSource::open(&image.wim.path) {
        Ok(source) => source,
        Err(error) => {
            let message = format!("cannot open `{name}`: {error}");
            return Some(Diagnostic::error("unreadable-input", image.wim.span, message));
        }
    };
    let wim = match Wim::open(&source) {
        Ok(wim) => wim,
        Err(error) => {
            let message = format!("`{name}` cannot be read as a WIM");
            return Some(
                Diagnostic::error("bad-wim", image.wim.span, message)
                    .label(error.to_string())
                    .help(format!("look into it: mediabuild verify {name}")),
            );
        }
    };
    let usable = check_usable(&wim).and_then(|()| match use_ {
        Use::BootImage => check_bootable(&wim),
        Use::Content => Ok(()),
    });
    if let Err(failure) = usable {
        return Some(told("unusable-wim", image.wim.span, name, failure));
    }
    choose(&wim, &choice(&image.selector.value))
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

/// Where each boot file of a boot image's media comes from; `None` if it names no boot files.
/// Overlays are not looked into: this is what the definition's own sources give.
pub(crate) fn boot_files(image: &BootImage) -> Option<Vec<BootFileFound>> {
    let files = image.boot_files.as_ref().filter(|files| !files.from.is_empty())?;
    let base = base_image(&image.base);
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
    Some(found.collect())
}

fn base_image(base: &ImageBase) -> Option<mediabuild_formats::wim::Image> {
    let ImageBase::Wim(image) = base else { return None };
    let source = FileSource::open(&image.wim.path).ok()?;
    let wim = Wim::open(&source).ok()?;
    let index = choose(&wim, &choice(&image.selector.value)).ok()?;
    wim.image(&source, index).ok()
}

/// Whether a folder laid out like a medium has a file, ignoring case.
fn in_folder(folder: &std::path::Path, medium: &str) -> bool {
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
