//! `boot-files`: what makes a medium boot.

use crate::def::Lowering;
use crate::definition::{BootFiles, BootFilesFrom, InputPath, Signer, Spanned};
use crate::diagnostic::Diagnostic;
use crate::node::Node;
use crate::spec::{ArgumentSpec, ChildSpec, Children, Count, NodeSpec, PropertySpec};
use crate::value::ValueKind;
use crate::value::choice::Choice;

pub(crate) static SPEC: NodeSpec = NodeSpec {
    name: "boot-files",
    doc: "Where a medium with this image takes its boot files from.",
    children: Children::Specs(&[
        ChildSpec::repeated(&FROM),
        ChildSpec::optional(&EL_TORITO),
        ChildSpec::optional(&SIGNER),
    ]),
    example: r#"boot-files {
    from "image"
    from "inputs/adk-media"
    from iso="inputs/Win11.iso"
    el-torito bios="inputs/etfsboot.com" uefi="inputs/efisys_noprompt.bin"
    signer "2023"
}"#,
    ..NodeSpec::EMPTY
};

static FROM: NodeSpec = NodeSpec {
    name: "from",
    doc: "A place to look in, in order: `\"image\"` is the boot image's own `Windows/Boot`, \
          anything else a folder laid out like a medium; or `iso=`.",
    argument: Some(ArgumentSpec {
        name: "place",
        value: ValueKind::ImageOrPath,
        count: Count::Optional,
    }),
    properties: &[PropertySpec {
        name: "iso",
        value: ValueKind::Path,
        required: false,
        doc: "A medium, such as one of Windows: only what starts it is taken, which is `bootmgr`, \
              `bootmgr.efi`, `boot` and `efi`.",
        example: r#"iso="inputs/Win11.iso""#,
    }],
    rule: Some(check_from),
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

static SIGNER: NodeSpec = NodeSpec {
    name: "signer",
    doc: "Which certificate every UEFI boot manager on the medium leads to: `2011` is Microsoft Windows \
          Production PCA 2011, `2023` Windows UEFI CA 2023, whose files in an image are called `…_EX`. \
          Without it, boot managers of both kinds on one medium are an error all the same.",
    argument: Some(ArgumentSpec {
        name: "year",
        value: ValueKind::Choice(&Choice {
            words: &["2011", "2023"],
            elsewhere: &[
                ("pca 2011", "2011"),
                ("pca2011", "2011"),
                ("ca 2023", "2023"),
                ("ca2023", "2023"),
                ("ex", "2023"),
            ],
            planned: &[],
        }),
        count: Count::One,
    }),
    example: r#"signer "2023""#,
    ..NodeSpec::EMPTY
};

fn check_from(node: Node<'_>, diagnostics: &mut Vec<Diagnostic>) {
    let (place, iso) = (node.argument(), node.property("iso"));
    let help = r#"write `from "image"`, `from "folder"` or `from iso="Win11.iso"`"#;
    match (place, iso) {
        (None, None) => diagnostics.push(
            Diagnostic::error("missing-argument", node.span(), "`from` names no place")
                .label("nothing to look in")
                .help(help),
        ),
        (Some(place), Some(iso)) => diagnostics.push(
            Diagnostic::error("surplus-argument", place.span(), "`from` names one place, not two")
                .label("one place")
                .also(iso.key_span(), "another")
                .help(help),
        ),
        _ => {}
    }
}

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
        from: places.map(|place| from(place, lowering)).collect::<Option<_>>()?,
        el_torito_bios: el_torito(node, "bios", lowering),
        el_torito_uefi: el_torito(node, "uefi", lowering),
        signer: signer(node),
        span: node.span(),
    })
}

fn signer(node: Node<'_>) -> Option<Spanned<Signer>> {
    let value = node.child("signer")?.argument()?;
    let signers = [Signer::Pca2011, Signer::Ca2023];
    let signer = signers.into_iter().find(|signer| Some(signer.name()) == value.string())?;
    Some(value.at(signer))
}

fn from(node: Node<'_>, lowering: Lowering<'_>) -> Option<BootFilesFrom> {
    if let Some(iso) = node.property("iso") {
        return Some(BootFilesFrom::Disc(lowering.path(iso)?));
    }
    let value = node.argument()?;
    match value.string()? {
        "image" => Some(BootFilesFrom::Image(value.span())),
        _ => Some(BootFilesFrom::Folder(lowering.path(value)?)),
    }
}

fn el_torito(node: Node<'_>, property: &str, lowering: Lowering<'_>) -> Option<InputPath> {
    lowering.path(node.child("el-torito")?.property(property)?)
}
