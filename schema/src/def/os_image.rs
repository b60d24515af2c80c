//! `os-image`: the Windows that is put on a disk.

use crate::def::{Lowering, image, source};
use crate::definition::OsImage;
use crate::node::Node;
use crate::spec::{ArgumentSpec, ChildSpec, Children, Count, NodeSpec};
use crate::value::ValueKind;

pub(crate) static SPEC: NodeSpec = NodeSpec {
    name: "os-image",
    doc: "An operating system image: the Windows that is put on a disk.",
    argument: Some(ArgumentSpec { name: "name", value: ValueKind::Name, count: Count::One }),
    properties: &[image::ARCH],
    children: Children::Specs(&[
        ChildSpec::optional(&image::WIM),
        ChildSpec::optional(&source::SPEC),
        ChildSpec::repeated(&source::OVERLAY),
    ]),
    one_of: image::BASES,
    planned: &["iso", "unattend", "language-pack", "compression"],
    example: r#"os-image "win11" arch="amd64" {
    wim "inputs/install.wim" edition="Enterprise"
    overlay "overlay/os"
}"#,
    ..NodeSpec::EMPTY
};

pub(crate) fn lower(node: Node<'_>, lowering: Lowering<'_>) -> Option<OsImage> {
    Some(OsImage {
        name: node.argument()?.spanned()?,
        arch: image::arch(node)?,
        base: image::base(node, lowering)?,
        overlays: image::overlays(node, lowering)?,
    })
}
