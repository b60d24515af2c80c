//! `wim`: an image in a WIM file, and what every kind of image shares.

use crate::def::{Lowering, compression, information, path_setting, source};
use crate::definition::{
    Arch, ImageBase, ImageOptions, ImageSelector, IsoImage, Source, Spanned, WimImage,
};
use crate::diagnostic::Diagnostic;
use crate::node::{Node, Value};
use crate::spec::{ArgumentSpec, Count, NodeSpec, PropertySpec};
use crate::value::ValueKind;
use crate::value::choice::Choice;
use crate::value::{path, text};

pub(crate) static WIM: NodeSpec = NodeSpec {
    name: "wim",
    doc: "The WIM file the image is made from. It is named by `index=`, `name=` or `edition=`; \
          none is needed when the file holds one image only. Of a split set one part is named; the \
          others lie beside it.",
    argument: Some(ArgumentSpec { name: "path", value: ValueKind::Path, count: Count::One }),
    properties: &[INDEX, NAME, EDITION],
    rule: Some(check),
    example: r#"wim "inputs/install.wim" index=3"#,
    ..NodeSpec::EMPTY
};

pub(crate) static ISO: NodeSpec = NodeSpec {
    name: "iso",
    doc: "The ISO file whose WIM the image is made from. The ISO is read in place: nothing of it is \
          unpacked or kept twice. Of several trees UDF is taken before Joliet, Rock Ridge and plain \
          ISO 9660, as Windows does.",
    argument: Some(ArgumentSpec { name: "path", value: ValueKind::Path, count: Count::One }),
    properties: &[
        PropertySpec {
            name: "wim",
            value: ValueKind::PathInImage,
            required: true,
            doc: "The WIM in the ISO.",
            example: r#"wim="sources/install.wim""#,
        },
        INDEX,
        NAME,
        EDITION,
    ],
    rule: Some(check),
    example: r#"iso "inputs/Win11.iso" wim="sources/install.wim" index=6"#,
    ..NodeSpec::EMPTY
};

/// What an image is made from: one of these children.
pub(crate) const BASES: &[&[&str]] = &[&["wim", "iso", "source"]];

pub(crate) const ARCH: PropertySpec = PropertySpec {
    name: "arch",
    value: ValueKind::Choice(&Choice {
        words: &["x86", "amd64", "arm64"],
        elsewhere: &[
            ("x64", "amd64"),
            ("x86_64", "amd64"),
            ("x86-64", "amd64"),
            ("i386", "x86"),
            ("i686", "x86"),
            ("ia32", "x86"),
            ("32-bit", "x86"),
            ("64-bit", "amd64"),
            ("aarch64", "arm64"),
        ],
        planned: &[],
    }),
    required: true,
    doc: "The processor architecture.",
    example: r#"arch="amd64""#,
};

pub(crate) const INDEX: PropertySpec = PropertySpec {
    name: "index",
    value: ValueKind::Index,
    required: false,
    doc: "The image's number in the WIM, from 1.",
    example: "index=1",
};

pub(crate) const NAME: PropertySpec = PropertySpec {
    name: "name",
    value: ValueKind::Text,
    required: false,
    doc: "The image's name in the WIM.",
    example: r#"name="Windows 11 Enterprise""#,
};

pub(crate) const EDITION: PropertySpec = PropertySpec {
    name: "edition",
    value: ValueKind::Text,
    required: false,
    doc: "The image's edition, as in the WIM's `EDITIONID` or `FLAGS`.",
    example: r#"edition="Enterprise""#,
};

fn check(node: Node<'_>, diagnostics: &mut Vec<Diagnostic>) {
    diagnostics.extend(conflicting_selectors(node));
}

/// An error if an image is named in more than one way.
pub(crate) fn conflicting_selectors(node: Node<'_>) -> Option<Diagnostic> {
    let names = ["index", "name", "edition"];
    let mut found = names.iter().filter_map(|name| node.property(name));
    let (first, second) = (found.next()?, found.next()?);
    let (one, other) = (first.key()?, second.key()?);
    let message = format!("an image is named by `{one}=` or `{other}=`, not both");
    let diagnostic = Diagnostic::error("conflicting-selector", second.key_span(), message)
        .label("second")
        .also(first.key_span(), "first")
        .help(format!("keep `{one}=` or `{other}=`"));
    Some(diagnostic)
}

/// Which image `index=`, `name=` or `edition=` names.
pub(crate) fn selector(node: Node<'_>) -> Option<Spanned<ImageSelector>> {
    if let Some(value) = node.property("index") {
        return Some(value.at(ImageSelector::Index(text::index(value).ok()?)));
    }
    if let Some(value) = node.property("name") {
        return Some(value.at(ImageSelector::Name(value.string()?.to_string())));
    }
    if let Some(value) = node.property("edition") {
        return Some(value.at(ImageSelector::Edition(value.string()?.to_string())));
    }
    Some(Spanned { value: ImageSelector::Only, span: node.span() })
}

/// The `wim`, `iso` or `source` of an image.
pub(crate) fn base(node: Node<'_>, lowering: Lowering<'_>) -> Option<ImageBase> {
    if let Some(wim) = node.child("wim") {
        let image = WimImage { wim: lowering.path(wim.argument()?)?, selector: selector(wim)? };
        return Some(ImageBase::Wim(image));
    }
    if let Some(iso) = node.child("iso") {
        return Some(ImageBase::Iso(IsoImage {
            iso: lowering.path(iso.argument()?)?,
            wim: path_in_image(iso, "wim")?,
            selector: selector(iso)?,
        }));
    }
    Some(ImageBase::Source(source::lower(node.child("source")?, lowering)?))
}

/// A property that is a path in an image or an ISO.
pub(crate) fn path_in_image(node: Node<'_>, key: &str) -> Option<Spanned<String>> {
    let value = node.property(key)?;
    Some(value.at(path::inside(value.string()?).ok()?))
}

/// The `overlay` children of an image.
pub(crate) fn overlays(node: Node<'_>, lowering: Lowering<'_>) -> Option<Vec<Source>> {
    node.children_named("overlay").map(|overlay| source::lower(overlay, lowering)).collect()
}

/// What an image says beside its content.
pub(crate) fn options(node: Node<'_>, lowering: Lowering<'_>) -> ImageOptions {
    ImageOptions {
        compression: compression::lower(node),
        information: information::lower(node),
        exclude: node.strings_of("exclude"),
        exclusions: path_setting::exclusions(node, lowering),
        settings: path_setting::lower(node),
    }
}

/// The `arch=` of an image.
pub(crate) fn arch(node: Node<'_>) -> Option<Spanned<Arch>> {
    let value = node.property("arch")?;
    Some(value.at(parse_arch(value)?))
}

fn parse_arch(value: Value<'_>) -> Option<Arch> {
    [Arch::X86, Arch::Amd64, Arch::Arm64].into_iter().find(|a| Some(a.name()) == value.string())
}
