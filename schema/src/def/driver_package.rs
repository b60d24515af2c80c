//! `driver-package`: drivers that belong together.

use crate::def::{Lowering, source};
use crate::definition::DriverPackage;
use crate::node::Node;
use crate::spec::{ArgumentSpec, ChildSpec, Children, Count, NodeSpec};
use crate::value::ValueKind;

pub(crate) static SPEC: NodeSpec = NodeSpec {
    name: "driver-package",
    doc: "Drivers that belong together: INF files and what they name.",
    argument: Some(ArgumentSpec { name: "name", value: ValueKind::Name, count: Count::One }),
    children: Children::Specs(&[ChildSpec::required(&source::SPEC)]),
    example: r#"driver-package "intel-net" {
    source "drivers/intel-net"
}"#,
    ..NodeSpec::EMPTY
};

pub(crate) fn lower(node: Node<'_>, lowering: Lowering<'_>) -> Option<DriverPackage> {
    Some(DriverPackage {
        name: node.argument()?.spanned()?,
        source: source::lower(node.child("source")?, lowering)?,
    })
}
