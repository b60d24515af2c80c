//! `application`: what is installed on the running Windows.

use crate::def::{Lowering, source};
use crate::definition::{Application, Kind};
use crate::node::Node;
use crate::spec::{ArgumentSpec, ChildSpec, Children, Count, NodeSpec, PropertySpec};
use crate::value::ValueKind;

pub(crate) static SPEC: NodeSpec = NodeSpec {
    name: "application",
    doc: "An application: its files, how it is installed, and what must be installed before.",
    argument: Some(ArgumentSpec { name: "name", value: ValueKind::Name, count: Count::One }),
    properties: &[PropertySpec {
        name: "version",
        value: ValueKind::Text,
        required: false,
        doc: "The version, for people.",
        example: r#"version="4.2""#,
    }],
    children: Children::Specs(&[
        ChildSpec::required(&source::SPEC),
        ChildSpec::optional(&INSTALL),
        ChildSpec::repeated(&DEPENDS_ON),
    ]),
    planned: &["detect"],
    example: r#"application "agent" version="4.2" {
    source "apps/agent"
    install "msiexec /i agent.msi /qn"
    depends-on "vcredist"
}"#,
    ..NodeSpec::EMPTY
};

static INSTALL: NodeSpec = NodeSpec {
    name: "install",
    doc: "The command that installs it, run in the folder of its files.",
    argument: Some(ArgumentSpec { name: "command", value: ValueKind::Text, count: Count::One }),
    planned: &["success", "reboot"],
    example: r#"install "msiexec /i agent.msi /qn""#,
    ..NodeSpec::EMPTY
};

static DEPENDS_ON: NodeSpec = NodeSpec {
    name: "depends-on",
    doc: "Applications that must be installed before this one.",
    argument: Some(ArgumentSpec {
        name: "name",
        value: ValueKind::Reference(Kind::Application),
        count: Count::OneOrMore,
    }),
    example: r#"depends-on "vcredist" "dotnet""#,
    ..NodeSpec::EMPTY
};

pub(crate) fn lower(node: Node<'_>, lowering: Lowering<'_>) -> Option<Application> {
    Some(Application {
        name: node.argument()?.spanned()?,
        version: node.property("version").and_then(|version| version.spanned()),
        source: source::lower(node.child("source")?, lowering)?,
        install: node.child("install").and_then(|install| install.argument()?.spanned()),
        depends_on: node.strings_of("depends-on"),
    })
}
