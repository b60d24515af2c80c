//! What a medium of one type must and must not hold.

use std::collections::BTreeMap;

use crate::def::media::media_type;
use crate::definition::{MediaType, Spanned};
use crate::diagnostic::Diagnostic;
use crate::node::Node;
use crate::text::Span;

/// The rule of the `media` node.
pub(crate) fn check(node: Node<'_>, diagnostics: &mut Vec<Diagnostic>) {
    for kind in ["application", "package", "driver-package", "use"] {
        diagnostics.extend(named_twice(&node.strings_of(kind)));
    }
    let Some(media_type) = media_type(node) else { return };
    let os_images = node.strings_of("os-image");
    match media_type.value {
        MediaType::Prestaged => {
            diagnostics.extend(not_one_os_image(node, &os_images));
            diagnostics.extend(usb_on_prestaged(node, media_type.span));
        }
        MediaType::Bootable => {
            diagnostics.extend(os_image_on_bootable(&os_images, media_type.span));
        }
    }
}

fn not_one_os_image(node: Node<'_>, os_images: &[Spanned<String>]) -> Option<Diagnostic> {
    match os_images {
        [_] => None,
        // An `os-image` without a name was reported as such.
        [] if node.child("os-image").is_some() => None,
        [] => Some(
            Diagnostic::error(
                "missing-child",
                node.span(),
                "a prestaged medium needs one `os-image`",
            )
            .label("no `os-image` in its braces")
            .help("add `os-image \"win11\"`, or write `type=\"bootable\"`"),
        ),
        [first, second, ..] => Some(
            Diagnostic::error(
                "repeated-child",
                second.span,
                "a prestaged medium holds one OS image only",
            )
            .label("second")
            .also(first.span, "first")
            .help(
                "define another `media` for it; `type=\"stand-alone\"`, planned, will hold several",
            ),
        ),
    }
}

fn os_image_on_bootable(os_images: &[Spanned<String>], media_type: Span) -> Option<Diagnostic> {
    let first = os_images.first()?;
    let diagnostic =
        Diagnostic::error("surplus-child", first.span, "a bootable medium holds no OS image")
            .label("not on this medium")
            .also(media_type, "because of this type")
            .help("write `type=\"prestaged\"`, or remove the `os-image`");
    Some(diagnostic)
}

fn usb_on_prestaged(node: Node<'_>, media_type: Span) -> Option<Diagnostic> {
    let usb = node.child("usb")?;
    Some(
        Diagnostic::error("surplus-child", usb.span(), "a prestaged medium is applied to a disk")
            .label("not a medium that starts")
            .also(media_type, "because of this type")
            .help("write `type=\"bootable\"`, or remove the `usb`"),
    )
}

fn named_twice(names: &[Spanned<String>]) -> Vec<Diagnostic> {
    let mut places: BTreeMap<&str, Span> = BTreeMap::new();
    let mut diagnostics = Vec::new();
    for name in names {
        match places.get(name.value.as_str()) {
            None => drop(places.insert(&name.value, name.span)),
            Some(first) => diagnostics.push(
                Diagnostic::error(
                    "repeated-reference",
                    name.span,
                    format!("`{}` is named twice", name.value),
                )
                .label("second")
                .also(*first, "first")
                .help("remove one of them"),
            ),
        }
    }
    diagnostics
}
