//! `project`: the one node that says what the project is called and which files belong to it.

use std::path::Path;

use crate::definition::Project;
use crate::node::Node;
use crate::spec::{ArgumentSpec, ChildSpec, Children, Count, NodeSpec, PropertySpec};
use crate::value::ValueKind;
use crate::value::time;

pub(crate) static SPEC: NodeSpec = NodeSpec {
    name: "project",
    doc: "Names the project. It stands once, in `mediabuild.kdl`.",
    argument: Some(ArgumentSpec { name: "name", value: ValueKind::Name, count: Count::One }),
    properties: &[PropertySpec {
        name: "epoch",
        value: ValueKind::DateTime,
        required: false,
        doc: "The time that every generated file gets, with a zone. Media are the same bytes \
              everywhere, so the clock never enters them.",
        example: r#"epoch=(date-time)"2026-11-01T00:00:00Z""#,
    }],
    children: Children::Specs(&[ChildSpec::repeated(&INCLUDE)]),
    planned: &["release", "created-by", "cache", "policy"],
    example: r#"project "contoso" epoch=(date-time)"2026-11-01T00:00:00Z" {
    include "drivers/*.kdl" "apps/*.kdl"
}"#,
    ..NodeSpec::EMPTY
};

static INCLUDE: NodeSpec = NodeSpec {
    name: "include",
    doc: "Reads further definition files, named by paths or globs relative to this file. Files are \
          read in sorted order, each once. Folders whose name starts with a dot are passed over.",
    argument: Some(ArgumentSpec {
        name: "path or glob",
        value: ValueKind::DefinitionFiles,
        count: Count::OneOrMore,
    }),
    planned: &["git", "ref", "path"],
    example: r#"include "drivers/*.kdl""#,
    ..NodeSpec::EMPTY
};

pub(crate) fn lower(node: Node<'_>, folder: &Path) -> Option<Project> {
    let epoch_seconds = match node.property("epoch") {
        None => None,
        Some(value) => Some(value.at(time::seconds(value.string()?).ok()?)),
    };
    let name = node.argument()?.spanned()?;
    Some(Project { name, epoch_seconds, folder: folder.to_path_buf() })
}
