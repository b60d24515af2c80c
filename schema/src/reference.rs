//! The language reference, rendered from the table that drives parsing.

use std::fmt::Write;

use crate::def::{DEFINITIONS, PLANNED};
use crate::nearest::quoted_list;
use crate::spec::{ArgumentSpec, ChildSpec, Children, Count, NodeSpec, Occurs, PropertySpec};

const INTRODUCTION: &str = "\
<!-- Rendered from the table in `schema/src/def`; UPDATE_REFERENCE=1 cargo test writes it anew. -->
# The definition language

A project is a folder with a file `mediabuild.kdl`, written in [KDL 2](https://kdl.dev). Definitions
are data: nothing is evaluated, and `/-` before a node disables it.

- A path is relative to the file that says it, is written with `/`, and stays inside the project.
- A name is unique among the definitions of its kind, whatever its case, and can be a folder name on
  Windows. A reference is a node of the kind's own name, such as `boot-image \"winpe-x64\"`.
- `(secret)\"env:NAME\"` and `(secret)\"file:PATH\"` say where a secret is. The secret itself never
  stands in a definition. Its file may lie outside the project.
- `(date-time)\"2026-11-01T00:00:00Z\"` has a zone: `Z`, or an offset such as `+01:00`.
";

/// The language reference as Markdown: every node, property and child, with an example of each
/// definition.
pub fn reference() -> String {
    let mut page = String::from(INTRODUCTION);
    for spec in DEFINITIONS {
        definition(&mut page, spec);
    }
    let planned = quoted_list(PLANNED);
    write_line(&mut page, &format!("\n## Planned\n\nNot built yet: {planned}."));
    page
}

fn definition(page: &mut String, spec: &NodeSpec) {
    write_line(page, &format!("\n## `{}`\n\n{}\n", spec.name, spec.doc));
    write_line(page, &format!("```kdl\n{}\n```\n", spec.example));
    contents(page, spec, 0);
    if !spec.planned.is_empty() {
        let planned: Vec<String> = spec.planned.iter().map(|name| format!("`{name}`")).collect();
        write_line(page, &format!("\nPlanned, not built yet: {}.", planned.join(", ")));
    }
}

/// Argument, properties and children of a node as a nested list.
fn contents(page: &mut String, spec: &NodeSpec, depth: usize) {
    if let Some(argument) = &spec.argument {
        item(page, depth, &argument_line(argument));
    }
    for property in spec.properties {
        item(page, depth, &property_line(property));
    }
    match &spec.children {
        Children::None => {}
        Children::Named(named) => {
            item(page, depth, &format!("child, any number: {} `{}`", named.doc, named.example));
        }
        Children::Specs(children) => {
            children.iter().for_each(|child| self::child(page, spec, child, depth));
        }
    }
}

fn argument_line(argument: &ArgumentSpec) -> String {
    let count = match argument.count {
        Count::One => "argument",
        Count::Optional => "argument, optional",
        Count::OneOrMore => "arguments, one or more",
    };
    let (name, value) = (argument.name, argument.value.describe());
    if value.ends_with(name) {
        format!("{count}: {value}")
    } else {
        format!("{count}: {name}, {value}")
    }
}

fn property_line(property: &PropertySpec) -> String {
    let required = if property.required { ", required" } else { "" };
    let (name, value) = (property.name, property.value.describe());
    format!("`{name}=`{required}: {value}. {} `{}`", property.doc, property.example)
}

fn child(page: &mut String, parent: &NodeSpec, child: &ChildSpec, depth: usize) {
    let name = child.node.name;
    let group = parent.one_of.iter().find(|group| group.contains(&name));
    let occurs = match (child.occurs, group) {
        (_, Some(group)) => format!("one of {}", quoted_list(group)),
        (Occurs::Required, None) => "required".into(),
        (Occurs::Optional, None) => "at most one".into(),
        (Occurs::Repeated, None) => "any number".into(),
    };
    item(page, depth, &format!("child `{name}`, {occurs}: {}", child.node.doc));
    let example = child.node.example.lines();
    let fence = "  ".repeat(depth + 1);
    write_line(page, &format!("\n{fence}```kdl"));
    example.for_each(|line| write_line(page, format!("{fence}{line}").trim_end()));
    write_line(page, &format!("{fence}```\n"));
    contents(page, child.node, depth + 1);
}

fn item(page: &mut String, depth: usize, text: &str) {
    write_line(page, &format!("{}- {text}", "  ".repeat(depth)));
}

fn write_line(page: &mut String, line: &str) {
    writeln!(page, "{line}").expect("writing to a string succeeds");
}
