//! `split=` and `integrity=`: in which files a WIM comes.

use crate::definition::WimOutput;
use crate::diagnostic::Diagnostic;
use crate::node::Node;
use crate::spec::{NodeSpec, PropertySpec};
use crate::value::{ValueKind, size};

/// The `output` of an OS image; that of a medium has a file name too.
pub(crate) static SPEC: NodeSpec = NodeSpec {
    name: "output",
    doc: "In which files the image comes when it is built by itself: `os-image/win11.wim` without \
          it. On media it is always whole.",
    properties: &[SPLIT, INTEGRITY],
    rule: Some(check),
    example: r#"output split="3800MiB" integrity=#true"#,
    ..NodeSpec::EMPTY
};

pub(crate) const SPLIT: PropertySpec = PropertySpec {
    name: "split",
    value: ValueKind::Size,
    required: false,
    doc: "The largest size of a part of a WIM: it becomes a folder with `name.swm`, `name2.swm` and \
          so on. `3800MiB` fits a FAT32 stick. No file of the image is divided.",
    example: r#"split="3800MiB""#,
};

pub(crate) const INTEGRITY: PropertySpec = PropertySpec {
    name: "integrity",
    value: ValueKind::Flag,
    required: false,
    doc: "Whether a WIM has an integrity table, which DISM checks with `/CheckIntegrity`.",
    example: "integrity=#true",
};

fn check(node: Node<'_>, diagnostics: &mut Vec<Diagnostic>) {
    if node.properties().next().is_none() {
        diagnostics.push(
            Diagnostic::error("missing-property", node.span(), "`output` says nothing")
                .label("no `split=` and no `integrity=`")
                .help(format!("write `{}`, or remove it", SPEC.example)),
        );
    }
}

/// What an `output` node says.
pub(crate) fn lower(node: Option<Node<'_>>) -> WimOutput {
    let Some(node) = node else { return WimOutput::default() };
    let split_bytes =
        node.property("split").and_then(|split| Some(split.at(size::bytes(split.string()?).ok()?)));
    let integrity = node.property("integrity").and_then(|it| Some(it.at(it.flag()?)));
    WimOutput { split_bytes, integrity }
}
