//! `usb`: a disk image of a bootable medium, beside its ISO or instead of one.

use crate::definition::{PartitionTable, Usb};
use crate::node::Node;
use crate::spec::{ArgumentSpec, Count, NodeSpec, PropertySpec};
use crate::value::ValueKind;
use crate::value::choice::Choice;
use crate::value::{output, size};

pub(crate) static SPEC: NodeSpec = NodeSpec {
    name: "usb",
    doc: "A disk image of the medium, for sticks and disks: one FAT32 partition with all files. With \
          `output` there is an ISO of the same files beside it, without it none. It starts machines by UEFI; the boot code that BIOS needs may not be given away. \
          WIMs that are too large for FAT32 become `.swm` parts, but for the boot image. Without it there is none.",
    argument: Some(ArgumentSpec { name: "file", value: ValueKind::Output, count: Count::One }),
    properties: &[
        PropertySpec {
            name: "table",
            value: ValueKind::Choice(&TABLES),
            required: false,
            doc: "The partition table: `mbr`, the default, as Windows' own tools write sticks, or `gpt`.",
            example: r#"table="gpt""#,
        },
        PropertySpec {
            name: "label",
            value: ValueKind::FatLabel,
            required: false,
            doc: "The volume label, at most 11 ASCII characters; without it what is left of the medium's \
                  name.",
            example: r#"label="DEPOT11""#,
        },
        PropertySpec {
            name: "size",
            value: ValueKind::Size,
            required: false,
            doc: "The size of the whole disk; without it the smallest that holds everything, in whole \
                  mebibytes. A stick sold as 16 GB has less than `16GiB`: write `14GiB`. What is unused \
                  is a hole in the file.",
            example: r#"size="14GiB""#,
        },
    ],
    rule: Some(crate::check::usb::check),
    example: r#"usb "depot.img" table="mbr" label="DEPOT11""#,
    ..NodeSpec::EMPTY
};

static TABLES: Choice =
    Choice { words: &["mbr", "gpt"], elsewhere: &[("msdos", "mbr"), ("dos", "mbr")], planned: &[] };

/// What a `usb` node says.
pub(crate) fn lower(node: Node<'_>) -> Option<Usb> {
    let file = node.argument()?;
    let table = node.property("table").and_then(|table| table.spanned());
    let size_bytes =
        node.property("size").and_then(|size| Some(size.at(size::bytes(size.string()?).ok()?)));
    Some(Usb {
        file: file.at(output::resolve(file.string()?).ok()?),
        table: match table.as_ref().map(|table| table.value.as_str()) {
            Some("gpt") => PartitionTable::Gpt,
            _ => PartitionTable::Mbr,
        },
        label: node.property("label").and_then(|label| label.spanned()),
        size_bytes,
    })
}
