//! `boot-files`: what makes a medium boot.

use crate::def::Lowering;
use crate::definition::{BootFiles, BootFilesFrom, InputPath};
use crate::diagnostic::Diagnostic;
use crate::node::{Node, Value};
use crate::spec::{ArgumentSpec, ChildSpec, Children, Count, NodeSpec, PropertySpec};
use crate::value::ValueKind;

pub(crate) static SPEC: NodeSpec = NodeSpec {
    name: "boot-files",
    doc: "Where a medium with this image takes its boot files from.",
    children: Children::Specs(&[ChildSpec::repeated(&FROM), ChildSpec::optional(&EL_TORITO)]),
    planned: &["signer"],
    example: r#"boot-files {
    from "image"
    from "inputs/adk-media"
    el-torito bios="inputs/etfsboot.com" uefi="inputs/efisys_noprompt.bin"
}"#,
    ..NodeSpec::EMPTY
};

static FROM: NodeSpec = NodeSpec {
    name: "from",
    doc: "A place to look in, in order: `\"image\"` is the boot image's own `Windows/Boot`, \
          anything else a folder laid out like a medium.",
    argument: Some(ArgumentSpec {
        name: "place",
        value: ValueKind::ImageOrPath,
        count: Count::One,
    }),
    example: r#"from "image""#,
    ..NodeSpec::EMPTY
};

static EL_TORITO: NodeSpec = NodeSpec {
    name: "el-torito",
    doc: "The boot programs of an ISO.",
    properties: &[
        PropertySpec {
            name: "bios",
            value: ValueKind::Path,
            required: false,
            doc: "The no-emulation boot program for BIOS, such as `etfsboot.com`.",
            example: r#"bios="inputs/etfsboot.com""#,
        },
        PropertySpec {
            name: "uefi",
            value: ValueKind::Path,
            required: false,
            doc: "The boot image for UEFI, such as `efisys.bin`.",
            example: r#"uefi="inputs/efisys_noprompt.bin""#,
        },
    ],
    rule: Some(check),
    example: r#"el-torito bios="inputs/etfsboot.com" uefi="inputs/efisys_noprompt.bin""#,
    ..NodeSpec::EMPTY
};

fn check(node: Node<'_>, diagnostics: &mut Vec<Diagnostic>) {
    if node.properties().next().is_none() {
        diagnostics.push(
            Diagnostic::error("missing-property", node.span(), "`el-torito` names no boot program")
                .label("no `bios=` and no `uefi=`")
                .help(format!("write `{}`", EL_TORITO.example)),
        );
    }
}

pub(crate) fn lower(node: Node<'_>, lowering: Lowering<'_>) -> Option<BootFiles> {
    let places = node.children_named("from");
    Some(BootFiles {
        from: places.map(|place| from(place.argument()?, lowering)).collect::<Option<_>>()?,
        el_torito_bios: el_torito(node, "bios", lowering),
        el_torito_uefi: el_torito(node, "uefi", lowering),
        span: node.span(),
    })
}

fn from(value: Value<'_>, lowering: Lowering<'_>) -> Option<BootFilesFrom> {
    match value.string()? {
        "image" => Some(BootFilesFrom::Image(value.span())),
        _ => Some(BootFilesFrom::Folder(lowering.path(value)?)),
    }
}

fn el_torito(node: Node<'_>, property: &str, lowering: Lowering<'_>) -> Option<InputPath> {
    lowering.path(node.child("el-torito")?.property(property)?)
}
