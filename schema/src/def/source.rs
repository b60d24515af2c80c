//! `source` and `overlay`: where content comes from.

use crate::def::Lowering;
use crate::def::image::{EDITION, INDEX, NAME, conflicting_selectors, path_in_image, selector};
use crate::definition::{Filter, Source, UrlFile, WimImage};
use crate::diagnostic::Diagnostic;
use crate::node::{Node, Value};
use crate::spec::{ArgumentSpec, ChildSpec, Children, Count, NodeSpec, PropertySpec};
use crate::value::ValueKind;
use crate::value::choice::Choice;
use crate::value::url;

pub(crate) static SPEC: NodeSpec = NodeSpec {
    name: "source",
    doc: "Where content comes from: a file or folder of the project, with `wim=` a part of an \
          image in a WIM file, with `iso=` a part of an ISO file, or with `url=` a file that is fetched. `mediabuild lock` pins what \
          is fetched; without a pin nothing is built with it.",
    example: r#"source "drivers/intel-net" {
    include "**/*"
    exclude "**/*.pdb"
}"#,
    ..CONTENT
};

pub(crate) static OVERLAY: NodeSpec = NodeSpec {
    name: "overlay",
    doc: "Files laid over the image, named like a `source`. Overlays are laid in order; a later \
          one wins.",
    example: r#"overlay "overlay/winpe" {
    exclude "**/*.md"
}"#,
    ..CONTENT
};

const CONTENT: NodeSpec = NodeSpec {
    argument: Some(ArgumentSpec { name: "path", value: ValueKind::Path, count: Count::Optional }),
    properties: &[
        PropertySpec {
            name: "wim",
            value: ValueKind::Path,
            required: false,
            doc: "The WIM file, instead of a path.",
            example: r#"wim="inputs/install.wim""#,
        },
        INDEX,
        NAME,
        EDITION,
        PropertySpec {
            name: "iso",
            value: ValueKind::Path,
            required: false,
            doc: "The ISO file, instead of a path. Its files are used in place.",
            example: r#"iso="inputs/win11.iso""#,
        },
        PropertySpec {
            name: "path",
            value: ValueKind::PathInImage,
            required: false,
            doc: "A file or folder of the image or the ISO; all of it without.",
            example: r#"path="Windows/INF""#,
        },
        PropertySpec {
            name: "url",
            value: ValueKind::Url,
            required: false,
            doc: "Where a file is fetched from, instead of a path. It gives one file; archives \
                  are not unpacked.",
            example: r#"url="https://vendor.example/agent.msi""#,
        },
        PropertySpec {
            name: "file-name",
            value: ValueKind::FileName,
            required: false,
            doc: "What the fetched file is called; the last part of the URL without it.",
            example: r#"file-name="agent.msi""#,
        },
        PropertySpec {
            name: "sha256",
            value: ValueKind::Digest,
            required: false,
            doc: "The SHA-256 that the vendor publishes: a file with another one is refused.",
            example: r#"sha256="5b0bcb4a8cfb39bf10a1e9dbc7b4fbd9b3f7de04ee1aed5d2c32d6e3c7a25d8f""#,
        },
        PropertySpec {
            name: "blake3",
            value: ValueKind::Digest,
            required: false,
            doc: "Its BLAKE3, likewise.",
            example: r#"blake3="883609b337c65dedd3e8dfc45e73a9a85c7cdf396b0fd977d21cb90ff5f1be49""#,
        },
        PropertySpec {
            name: "authorization",
            value: ValueKind::Secret,
            required: false,
            doc: "The `Authorization` header for a server that wants one, such as `Bearer …`. It \
                  is looked up only when the file is fetched.",
            example: r#"authorization=(secret)"env:VENDOR_AUTHORIZATION""#,
        },
    ],
    children: Children::Specs(&[
        ChildSpec::repeated(&INCLUDE),
        ChildSpec::repeated(&EXCLUDE),
        ChildSpec::optional(&SYMLINKS),
    ]),
    planned: &["package", "from", "unpack"],
    rule: Some(check),
    ..NodeSpec::EMPTY
};

static INCLUDE: NodeSpec = NodeSpec {
    name: "include",
    doc: "Takes only files that match a glob: `*` stays in one folder, `**` crosses folders, `?` is \
          one character. Without `include` every file is taken.",
    argument: Some(GLOBS),
    example: r#"include "**/*.inf" "**/*.sys""#,
    ..NodeSpec::EMPTY
};

static EXCLUDE: NodeSpec = NodeSpec {
    name: "exclude",
    doc: "Leaves out files that match a glob, also included ones.",
    argument: Some(GLOBS),
    example: r#"exclude "**/*.pdb""#,
    ..NodeSpec::EMPTY
};

const GLOBS: ArgumentSpec =
    ArgumentSpec { name: "glob", value: ValueKind::Glob, count: Count::OneOrMore };

static SYMLINKS: NodeSpec = NodeSpec {
    name: "symlinks",
    doc: "`\"follow\"` takes what symbolic links point to; without it a link is an error.",
    argument: Some(ArgumentSpec {
        name: "what to do",
        value: ValueKind::Choice(&Choice { words: &["follow"], elsewhere: &[], planned: &[] }),
        count: Count::One,
    }),
    example: r#"symlinks "follow""#,
    ..NodeSpec::EMPTY
};

fn check(node: Node<'_>, diagnostics: &mut Vec<Diagnostic>) {
    let (wim, iso, url) = (node.property("wim"), node.property("iso"), node.property("url"));
    let named: Vec<Value<'_>> = [node.argument(), wim, iso, url].into_iter().flatten().collect();
    match named.as_slice() {
        [] => diagnostics.push(missing(node)),
        [one, other, ..] => diagnostics.push(ambiguous(node, *one, *other)),
        [_] => {
            if url.is_none() {
                diagnostics.extend(url_only(node));
            }
            if wim.is_none() {
                diagnostics.extend(wim_only(node, iso.is_some(), url.is_some()));
            } else {
                diagnostics.extend(conflicting_selectors(node));
            }
            if wim.is_some() || iso.is_some() {
                diagnostics.extend(links_in_image(node, iso.is_some()));
            }
            if let Some(url) = url {
                diagnostics.extend(folder_only(node));
                diagnostics.extend(nameless(node, url));
            }
        }
    }
}

/// Two places at once.
fn ambiguous(node: Node<'_>, one: Value<'_>, other: Value<'_>) -> Diagnostic {
    let named =
        |value: Value<'_>| value.key().map_or("a path".to_owned(), |key| format!("`{key}=`"));
    let message = format!("`{}` takes {} or {}, not both", node.name(), named(one), named(other));
    let also = if one.key().is_none() { "a path".to_owned() } else { named(one) };
    let (label, help) = match other.key() {
        Some("wim") if one.key().is_none() => {
            ("and a WIM", "for a part of an image, write the part as `path=`")
        }
        Some("iso") if one.key().is_none() => {
            ("and an ISO", "for a part of an ISO, write the part as `path=`")
        }
        Some("iso") => {
            ("and an ISO", "for a WIM in an ISO, make an image of it: `iso` in `os-image`")
        }
        _ => ("and a URL", "content comes from one place: keep one of them"),
    };
    let first = if one.key().is_none() { one.span() } else { one.key_span() };
    Diagnostic::error("conflicting-source", other.key_span(), message)
        .label(label)
        .also(first, also)
        .help(help)
}

fn missing(node: Node<'_>) -> Diagnostic {
    let name = node.name();
    let message = format!("`{name}` needs a path, `wim=`, `iso=` or `url=`");
    Diagnostic::error("missing-argument", node.span(), message)
        .label("names nothing")
        .help(format!("write it like `{name} \"folder\"` or `{name} wim=\"inputs/install.wim\"`"))
}

/// Properties that say something about a WIM that is not there.
fn wim_only(node: Node<'_>, is_iso: bool, is_url: bool) -> Option<Diagnostic> {
    let names = ["index", "name", "edition", "path"];
    let names = if is_iso { &names[..3] } else { &names[..] };
    let value = names.iter().find_map(|name| node.property(name))?;
    let message = format!("`{}=` is about a WIM, and there is none", value.key()?);
    let path = node.argument().and_then(|argument| argument.string()).unwrap_or("x.wim");
    let help = match (is_iso, is_url) {
        (true, _) => "remove it: an ISO has files, and no images".to_owned(),
        (_, true) => "remove it: a fetched file is taken as it is".to_owned(),
        _ => format!("write `{} wim=\"{path}\"`", node.name()),
    };
    Some(
        Diagnostic::error("conflicting-source", value.key_span(), message)
            .label("no `wim=`")
            .help(help),
    )
}

/// Properties that say something about a URL that is not there.
fn url_only(node: Node<'_>) -> Option<Diagnostic> {
    let names = ["file-name", "sha256", "blake3", "authorization"];
    let value = names.iter().find_map(|name| node.property(name))?;
    let message = format!("`{}=` is about a URL, and there is none", value.key()?);
    Some(
        Diagnostic::error("conflicting-source", value.key_span(), message)
            .label("no `url=`")
            .help("remove it: `mediabuild lock` pins files of the project"),
    )
}

/// Children that choose among the files of a folder.
fn folder_only(node: Node<'_>) -> Option<Diagnostic> {
    let child = ["include", "exclude", "symlinks"].into_iter().find_map(|name| node.child(name))?;
    let message = format!("`{}` is about folders, and a URL gives one file", child.name());
    let diagnostic = Diagnostic::error("conflicting-source", child.span(), message);
    Some(diagnostic.label("of a URL").help("remove it"))
}

/// A URL that says no name for its file.
fn nameless(node: Node<'_>, url: Value<'_>) -> Option<Diagnostic> {
    let parsed = url::parse(url.string()?).ok()?;
    if node.property("file-name").is_some() || parsed.file_name().is_some() {
        return None;
    }
    let message = "the last part of the URL is no name for a file on Windows";
    let diagnostic = Diagnostic::error("missing-property", url.span(), message);
    Some(diagnostic.label("no name").help("say what it is called: `file-name=\"agent.msi\"`"))
}

fn links_in_image(node: Node<'_>, is_iso: bool) -> Option<Diagnostic> {
    let symlinks = node.child("symlinks")?;
    let (message, label, help) = match is_iso {
        true => (
            "`symlinks` is about folders of the project, not about ISOs",
            "of an ISO",
            "remove it: links are no files of an ISO",
        ),
        false => (
            "`symlinks` is about folders of the project, not about WIM images",
            "of a WIM",
            "remove it: links in an image stay links",
        ),
    };
    let diagnostic = Diagnostic::error("conflicting-source", symlinks.span(), message);
    Some(diagnostic.label(label).help(help))
}

/// A `source` or `overlay` node as a [`Source`].
pub(crate) fn lower(node: Node<'_>, lowering: Lowering<'_>) -> Option<Source> {
    let filter =
        Filter { include: node.strings_of("include"), exclude: node.strings_of("exclude") };
    if let Some(url) = node.property("url") {
        return Some(Source::Url(Box::new(url_file(node, url, lowering)?)));
    }
    if let Some(iso) = node.property("iso") {
        let (iso, path) = (lowering.path(iso)?, path_in_image(node, "path"));
        return Some(Source::IsoPart { iso, path, filter });
    }
    let Some(wim) = node.property("wim") else {
        let path = lowering.path(node.argument()?)?;
        let follow_symlinks = node.child("symlinks").is_some();
        return Some(Source::Path { path, filter, follow_symlinks });
    };
    let image = WimImage { wim: lowering.path(wim)?, selector: selector(node)? };
    Some(Source::WimPart { image, path: path_in_image(node, "path"), filter })
}

fn url_file(node: Node<'_>, url: Value<'_>, lowering: Lowering<'_>) -> Option<UrlFile> {
    let url = url.at(url::parse(url.string()?).ok()?);
    let named = node.property("file-name").and_then(|name| name.string()).map(str::to_owned);
    let digest = |key: &str| {
        let value = node.property(key)?;
        Some(value.at(url::digest(value.string()?).ok()?))
    };
    Some(UrlFile {
        file_name: named.or_else(|| url.value.file_name())?,
        sha256: digest("sha256"),
        blake3: digest("blake3"),
        authorization: node.property("authorization").and_then(|value| lowering.secret(value)),
        url,
    })
}
