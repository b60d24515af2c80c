//! Places in the result folder that media take: no two are one place, and none lies in another. Case
//! does not tell them apart, for results are copied to Windows machines.

use std::collections::BTreeMap;

use crate::definition::{Media, Spanned};
use crate::diagnostic::Diagnostic;

/// Something that a medium becomes, or may become.
#[derive(Debug)]
struct Place<'a> {
    media: &'a Media,
    /// Where it is said.
    file: &'a Spanned<String>,
    path: &'a str,
    /// The same as Windows compares it.
    key: String,
    what: What,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    /// The medium's file.
    Output,
    /// The folder of a split WIM, or of a set of discs that it may become.
    Folder,
    /// `usb`
    DiskImage,
}

/// Everything that is in the way of something else, told once where it is said.
pub(crate) fn check(media: &[Media]) -> Vec<Diagnostic> {
    let mut diagnostics: Vec<Diagnostic> = Vec::new();
    let mut taken: BTreeMap<String, Place<'_>> = BTreeMap::new();
    for place in media.iter().flat_map(places) {
        match in_the_way(&taken, &place.key) {
            // A file without an extension is called like its folder; that is told of the extension.
            Some(first) if is_same_node(first, &place) => {}
            Some(first) => {
                let diagnostic = conflict(first, &place);
                if !diagnostics.iter().any(|told| told.labels[0] == diagnostic.labels[0]) {
                    diagnostics.push(diagnostic);
                }
            }
            None => drop(taken.insert(place.key.clone(), place)),
        }
    }
    diagnostics
}

/// The places of a medium; of a set of discs both, for which one it is shows when it is built.
fn places(media: &Media) -> impl Iterator<Item = Place<'_>> {
    let output = media.output.as_ref();
    let file = output.filter(|output| !output.wim.is_split());
    let file = file.map(|output| (&output.file, output.file.value.as_str()));
    let folder = output.filter(|output| output.may_be_folder());
    let folder = folder.map(|output| (&output.file, output.folder()));
    let disk_image = media.usb.as_ref().map(|usb| (&usb.file, usb.file.value.as_str()));
    let all = [(file, What::Output), (folder, What::Folder), (disk_image, What::DiskImage)];
    all.into_iter().filter_map(move |(said, what)| {
        said.map(|(file, path)| Place { media, file, path, key: path.to_lowercase(), what })
    })
}

fn is_same_node(one: &Place<'_>, other: &Place<'_>) -> bool {
    one.file.span == other.file.span
}

/// What lies at `key`, above it, or below it.
fn in_the_way<'a, 'm>(taken: &'a BTreeMap<String, Place<'m>>, key: &str) -> Option<&'a Place<'m>> {
    let above = key.match_indices('/').map(|(at, _)| &key[..at]);
    let at_or_above = above.chain([key]).find_map(|path| taken.get(path));
    at_or_above.or_else(|| {
        let folder = format!("{key}/");
        let (path, first) = taken.range(folder.clone()..).next()?;
        path.starts_with(&folder).then_some(first)
    })
}

/// Told where the inner one is said; of two at one place, the second, or what is not a folder.
fn conflict(first: &Place<'_>, second: &Place<'_>) -> Diagnostic {
    if first.file.value.to_lowercase() == second.file.value.to_lowercase() {
        return same_file(first, second);
    }
    let is_first_inner = match first.key == second.key {
        true => second.what == What::Folder && first.what != What::Folder,
        false => first.key.starts_with(&second.key),
    };
    let (outer, inner) = if is_first_inner { (second, first) } else { (first, second) };
    match outer.what {
        What::Folder => in_a_folder(outer, inner),
        What::Output | What::DiskImage => below_a_file(outer, inner),
    }
}

fn in_a_folder(outer: &Place<'_>, inner: &Place<'_>) -> Diagnostic {
    let (folder, media) = (outer.path, &outer.media.name.value);
    let message = format!("`{folder}` is the folder that media `{media}` may become");
    let is_same = outer.key == inner.key && inner.what != What::Folder;
    Diagnostic::error("same-output", inner.file.span, message)
        .label(if is_same { "at that place" } else { "in that folder" })
        .also(outer.file.span, "may become a folder")
        .help("give one of them another place")
}

fn below_a_file(outer: &Place<'_>, inner: &Place<'_>) -> Diagnostic {
    let message = format!("`{}` is a file, and no folder that others lie in", outer.path);
    Diagnostic::error("same-output", inner.file.span, message)
        .label("in that folder")
        .also(outer.file.span, "becomes a file")
        .help("give one of them another place")
}

fn same_file(first: &Place<'_>, second: &Place<'_>) -> Diagnostic {
    let file = &second.file.value;
    let (message, help) = match (first.what, second.what) {
        (What::DiskImage, What::DiskImage) => {
            (format!("two disk images become `{file}`"), "give one of them another file".to_owned())
        }
        (What::DiskImage, _) | (_, What::DiskImage) => (
            format!("a medium and a disk image become `{file}`"),
            "give one of them another file".to_owned(),
        ),
        _ => {
            let extension = file.rsplit_once('.').map_or("", |(_, extension)| extension);
            let extension = extension.to_lowercase();
            let name = &second.media.name.value;
            (
                format!("two media become `{file}`"),
                format!("give one another file: `output \"{name}-2.{extension}\"`"),
            )
        }
    };
    Diagnostic::error("same-output", second.file.span, message)
        .label("second")
        .also(first.file.span, "first")
        .help(help)
}
