//! `source` and `overlay`: where content comes from.

use crate::def::Lowering;
use crate::def::image::{EDITION, INDEX, NAME, selector};
use crate::definition::{Filter, Source, Spanned, WimImage};
use crate::diagnostic::Diagnostic;
use crate::node::Node;
use crate::spec::{ArgumentSpec, ChildSpec, Children, Count, NodeSpec, PropertySpec};
use crate::value::ValueKind;
use crate::value::choice::Choice;
use crate::value::path;

pub(crate) static SPEC: NodeSpec = NodeSpec {
    name: "source",
    doc: "Where content comes from: a file or folder of the project, or with `wim=` a part of an \
          image in a WIM file.",
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
            name: "path",
            value: ValueKind::PathInImage,
            required: false,
            doc: "A file or folder of the image; the whole image without it.",
            example: r#"path="Windows/INF""#,
        },
    ],
    children: Children::Specs(&[
        ChildSpec::repeated(&INCLUDE),
        ChildSpec::repeated(&EXCLUDE),
        ChildSpec::optional(&SYMLINKS),
    ]),
    planned: &["url", "iso", "package", "from", "unpack"],
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
    match (node.argument(), node.property("wim")) {
        (Some(argument), Some(wim)) => {
            let message = format!("`{}` takes a path or `wim=`, not both", node.name());
            diagnostics.push(
                Diagnostic::error("conflicting-source", wim.key_span(), message)
                    .label("and a WIM")
                    .also(argument.span(), "a path")
                    .help("for a part of an image, write the part as `path=`"),
            );
        }
        (None, None) => diagnostics.push(missing(node)),
        (Some(_), None) => diagnostics.extend(wim_only(node)),
        (None, Some(_)) => {
            diagnostics.extend(crate::def::image::conflicting_selectors(node));
            diagnostics.extend(links_in_image(node));
        }
    }
}

fn missing(node: Node<'_>) -> Diagnostic {
    let name = node.name();
    Diagnostic::error("missing-argument", node.span(), format!("`{name}` needs a path or `wim=`"))
        .label("names nothing")
        .help(format!("write it like `{name} \"folder\"` or `{name} wim=\"inputs/install.wim\"`"))
}

/// Properties that say something about a WIM that is not there.
fn wim_only(node: Node<'_>) -> Option<Diagnostic> {
    let names = ["index", "name", "edition", "path"];
    let value = names.iter().find_map(|name| node.property(name))?;
    let message = format!("`{}=` is about a WIM, and there is none", value.key()?);
    let path = node.argument().and_then(|argument| argument.string()).unwrap_or("x.wim");
    let help = format!("write `{} wim=\"{path}\"`", node.name());
    Some(
        Diagnostic::error("conflicting-source", value.key_span(), message)
            .label("no `wim=`")
            .help(help),
    )
}

fn links_in_image(node: Node<'_>) -> Option<Diagnostic> {
    let symlinks = node.child("symlinks")?;
    let message = "`symlinks` is about folders of the project, not about WIM images";
    let help = "remove it: links in an image stay links";
    let diagnostic = Diagnostic::error("conflicting-source", symlinks.span(), message);
    Some(diagnostic.label("of a WIM").help(help))
}

/// A `source` or `overlay` node as a [`Source`].
pub(crate) fn lower(node: Node<'_>, lowering: Lowering<'_>) -> Option<Source> {
    let filter =
        Filter { include: node.strings_of("include"), exclude: node.strings_of("exclude") };
    let Some(wim) = node.property("wim") else {
        let path = lowering.path(node.argument()?)?;
        let follow_symlinks = node.child("symlinks").is_some();
        return Some(Source::Path { path, filter, follow_symlinks });
    };
    let image = WimImage { wim: lowering.path(wim)?, selector: selector(node)? };
    Some(Source::WimPart { image, path: path_in_image(node), filter })
}

fn path_in_image(node: Node<'_>) -> Option<Spanned<String>> {
    let value = node.property("path")?;
    Some(value.at(path::inside(value.string()?).ok()?))
}
