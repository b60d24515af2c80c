//! `os-image`: the Windows that is put on a disk.

use crate::def::{Lowering, compression, image, information, path_setting, source, wim_output};
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
        ChildSpec::optional(&image::ISO),
        ChildSpec::optional(&source::SPEC),
        ChildSpec::repeated(&source::OVERLAY),
        ChildSpec::optional(&compression::SPEC),
        ChildSpec::optional(&information::SPEC),
        ChildSpec::repeated(&path_setting::EXCLUDE),
        ChildSpec::repeated(&path_setting::EXCLUSIONS),
        ChildSpec::repeated(&path_setting::ATTRIBUTES),
        ChildSpec::repeated(&path_setting::SHORT_NAME),
        ChildSpec::repeated(&path_setting::SECURITY),
        ChildSpec::optional(&wim_output::SPEC),
    ]),
    one_of: image::BASES,
    planned: &["unattend", "language-pack"],
    example: r#"os-image "win11" arch="amd64" {
    wim "inputs/install.wim" edition="Enterprise"
    overlay "overlay/os"
    compression "lzx" level="max"
}"#,
    ..NodeSpec::EMPTY
};

pub(crate) fn lower(node: Node<'_>, lowering: Lowering<'_>) -> Option<OsImage> {
    Some(OsImage {
        name: node.argument()?.spanned()?,
        arch: image::arch(node)?,
        base: image::base(node, lowering)?,
        overlays: image::overlays(node, lowering)?,
        options: image::options(node, lowering),
        output: wim_output::lower(node.child("output")),
    })
}
