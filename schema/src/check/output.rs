//! Files that media become, each by itself; `place.rs` holds them against each other.

use crate::definition::{Kind, Media, MediaOutput, MediaType};
use crate::diagnostic::Diagnostic;
use crate::text::Span;
use crate::value::label;

pub(crate) fn check(media: &[Media]) -> Vec<Diagnostic> {
    let outputs: Vec<Of<'_>> =
        media.iter().filter_map(|medium| Some((medium, medium.output.as_ref()?))).collect();
    let mut diagnostics: Vec<_> = outputs.iter().filter_map(wrong_extension).collect();
    diagnostics.extend(outputs.iter().filter_map(|(_, output)| reserved_folder(output)));
    diagnostics.extend(media.iter().flat_map(wim_only));
    diagnostics.extend(outputs.iter().flat_map(iso_only));
    diagnostics.extend(outputs.iter().filter_map(label_from_name));
    diagnostics
}

/// A medium that has an output, and that.
type Of<'a> = (&'a Media, &'a MediaOutput);

/// Results that are not media go to a folder of their kind, and a medium there would be in the way.
fn reserved_folder(output: &MediaOutput) -> Option<Diagnostic> {
    let file = &output.file;
    let (folder, help) = match file.value.split_once('/') {
        Some((folder, rest)) => (folder, format!("write `output \"{rest}\"`")),
        None if output.may_be_folder() => {
            let help = format!("write `output \"medium-{}\"`", file.value);
            (output.folder(), help)
        }
        None => return None,
    };
    let mut kinds = Kind::ALL.into_iter().filter(|kind| *kind != Kind::Media);
    let kind = kinds.find(|kind| kind.node_name().eq_ignore_ascii_case(folder))?;
    let message = format!("`{folder}` is the folder of {kind} results");
    Some(
        Diagnostic::error("reserved-folder", file.span, message)
            .label("cannot hold a medium")
            .help(help),
    )
}

/// The extension of the file, or of the parts, that a medium becomes.
fn extension((medium, output): &Of<'_>) -> &'static str {
    match output.wim.is_split() && medium.media_type.value == MediaType::Prestaged {
        true => "swm",
        false => medium.media_type.value.extension(),
    }
}

/// What is said of a WIM, of a medium that is none.
fn wim_only(medium: &Media) -> Vec<Diagnostic> {
    if medium.media_type.value == MediaType::Prestaged {
        return Vec::new();
    }
    let wim = medium.output.as_ref().map(|output| &output.wim);
    let said = [
        ("compression", medium.compression.as_ref().map(|it| it.span)),
        ("split=", wim.and_then(|wim| Some(wim.split_bytes.as_ref()?.span))),
        ("integrity=", wim.and_then(|wim| Some(wim.integrity.as_ref()?.span))),
    ];
    let media_type = medium.media_type.value.name();
    let diagnostic = |(what, span): (&str, Option<Span>)| {
        let message = format!("`{what}` is about WIMs, and a {media_type} medium is none");
        let help = format!("remove `{what}`; an image of this medium can say how it is compressed");
        Some(
            Diagnostic::error("not-a-wim", span?, message)
                .label("of no WIM")
                .also(medium.media_type.span, "because of this type")
                .help(help),
        )
    };
    said.into_iter().filter_map(diagnostic).collect()
}

/// A disc without `label=` is called like its medium, whose name may be longer than a label.
fn label_from_name((medium, output): &Of<'_>) -> Option<Diagnostic> {
    if medium.media_type.value != MediaType::Bootable || output.label.is_some() {
        return None;
    }
    let problem = label::check(&medium.name.value).err()?;
    let what = format!("{}: the label of the disc is the medium's name", problem.message);
    let help =
        problem.help.replace("write a shorter one, such as", "say one in its `output`, such as");
    Some(Diagnostic::error(problem.code, medium.name.span, what).label(problem.label).help(help))
}

/// What is said of a disc, of a medium that is none.
fn iso_only((medium, output): &Of<'_>) -> Vec<Diagnostic> {
    if medium.media_type.value == MediaType::Bootable {
        return Vec::new();
    }
    let said = [
        ("label=", output.label.as_ref().map(|it| it.span)),
        ("capacity=", output.capacity_bytes.as_ref().map(|it| it.span)),
        ("order=", output.order.as_ref().map(|it| it.span)),
        ("mirror=", output.mirror.as_ref().map(|it| it.span)),
    ];
    let media_type = medium.media_type.value.name();
    let diagnostic = |(what, span): (&str, Option<Span>)| {
        let message = format!("`{what}` is about discs, and a {media_type} medium is none");
        let help = match what {
            "capacity=" => "remove it; `split=` says how large a part of a WIM may be",
            _ => "remove it",
        };
        Some(
            Diagnostic::error("not-a-disc", span?, message)
                .label("of no disc")
                .also(medium.media_type.span, "because of this type")
                .help(help),
        )
    };
    said.into_iter().filter_map(diagnostic).collect()
}

fn wrong_extension(of @ (medium, output): &Of<'_>) -> Option<Diagnostic> {
    let file = &output.file;
    let wanted = extension(of);
    let name = file.value.rsplit('/').next().unwrap_or_default();
    let (stem, extension) = name.rsplit_once('.').unwrap_or((name, ""));
    if extension.eq_ignore_ascii_case(wanted) && !stem.is_empty() {
        return None;
    }
    let media_type = medium.media_type.value.name();
    let stem = if stem.is_empty() { &medium.name.value } else { stem };
    let split = if wanted == "swm" { "split " } else { "" };
    let message = format!("a {split}{media_type} medium becomes a `.{wanted}` file");
    let diagnostic = Diagnostic::error("wrong-extension", file.span, message)
        .label(format!("not `.{wanted}`"))
        .also(medium.media_type.span, "because of this type")
        .help(format!("write `output \"{stem}.{wanted}\"`"));
    Some(diagnostic)
}
