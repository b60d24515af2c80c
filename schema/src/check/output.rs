//! Files that media become.

use std::collections::BTreeMap;

use crate::definition::{Kind, Media};
use crate::diagnostic::Diagnostic;

pub(crate) fn check(media: &[Media]) -> Vec<Diagnostic> {
    let mut diagnostics: Vec<_> = media.iter().filter_map(wrong_extension).collect();
    diagnostics.extend(media.iter().filter_map(reserved_folder));
    let mut places: BTreeMap<String, &Media> = BTreeMap::new();
    for medium in media {
        // Results are copied to Windows machines, where case does not tell files apart.
        match places.get(&medium.output.file.value.to_lowercase()) {
            Some(first) => diagnostics.push(same_file(first, medium)),
            None => drop(places.insert(medium.output.file.value.to_lowercase(), medium)),
        }
    }
    diagnostics
}

/// Results that are not media go to a folder of their kind, and a medium there would be in the way.
fn reserved_folder(medium: &Media) -> Option<Diagnostic> {
    let file = &medium.output.file;
    let (folder, rest) = file.value.split_once('/')?;
    let mut kinds = Kind::ALL.into_iter().filter(|kind| *kind != Kind::Media);
    let kind = kinds.find(|kind| kind.node_name().eq_ignore_ascii_case(folder))?;
    let message = format!("`{folder}` is the folder of {kind} results");
    Some(
        Diagnostic::error("reserved-folder", file.span, message)
            .label("cannot hold a medium")
            .help(format!("write `output \"{rest}\"`")),
    )
}

fn wrong_extension(medium: &Media) -> Option<Diagnostic> {
    let file = &medium.output.file;
    let wanted = medium.media_type.value.extension();
    let name = file.value.rsplit('/').next().unwrap_or_default();
    let (stem, extension) = name.rsplit_once('.').unwrap_or((name, ""));
    if extension.eq_ignore_ascii_case(wanted) && !stem.is_empty() {
        return None;
    }
    let media_type = medium.media_type.value.name();
    let stem = if stem.is_empty() { &medium.name.value } else { stem };
    let message = format!("a {media_type} medium becomes a `.{wanted}` file");
    let diagnostic = Diagnostic::error("wrong-extension", file.span, message)
        .label(format!("not `.{wanted}`"))
        .also(medium.media_type.span, "because of this type")
        .help(format!("write `output \"{stem}.{wanted}\"`"));
    Some(diagnostic)
}

fn same_file(first: &Media, second: &Media) -> Diagnostic {
    let file = &second.output.file;
    let extension = second.media_type.value.extension();
    Diagnostic::error("same-output", file.span, format!("two media become `{}`", file.value))
        .label("second")
        .also(first.output.file.span, "first")
        .help(format!("give one another file: `output \"{}-2.{extension}\"`", second.name.value))
}
