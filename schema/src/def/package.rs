//! `package`: files with no meaning of their own.

use crate::def::{Lowering, source};
use crate::definition::Package;
use crate::node::Node;
use crate::spec::{ArgumentSpec, ChildSpec, Children, Count, NodeSpec};
use crate::value::ValueKind;

pub(crate) static SPEC: NodeSpec = NodeSpec {
    name: "package",
    doc: "Files for a task sequence: scripts, tools, branding.",
    argument: Some(ArgumentSpec { name: "name", value: ValueKind::Name, count: Count::One }),
    children: Children::Specs(&[ChildSpec::required(&source::SPEC)]),
    planned: &["program"],
    example: r#"package "branding" {
    source "packages/branding"
}"#,
    ..NodeSpec::EMPTY
};

pub(crate) fn lower(node: Node<'_>, lowering: Lowering<'_>) -> Option<Package> {
    Some(Package {
        name: node.argument()?.spanned()?,
        source: source::lower(node.child("source")?, lowering)?,
    })
}
