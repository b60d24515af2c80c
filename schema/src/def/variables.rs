//! `variables`: task-sequence variables, named for use by several media or inside one.

use std::collections::BTreeMap;

use crate::def::Lowering;
use crate::definition::{Variable, VariableValue, Variables};
use crate::diagnostic::Diagnostic;
use crate::node::{Node, Value};
use crate::spec::{ArgumentSpec, Children, Count, NodeSpec};
use crate::text::Span;
use crate::value::ValueKind;

pub(crate) static SPEC: NodeSpec = NodeSpec {
    name: "variables",
    doc: "Task-sequence variables that media take with `use`. A value is text, or a secret by \
          reference: `(secret)\"env:NAME\"` or `(secret)\"file:PATH\"`.",
    argument: Some(ArgumentSpec { name: "name", value: ValueKind::Name, count: Count::One }),
    children: Children::Named(&VARIABLE),
    rule: Some(check),
    example: r#"variables "common" {
    OSDTimeZone "UTC"
    OSDJoinPassword (secret)"env:JOIN_PASSWORD"
}"#,
    ..NodeSpec::EMPTY
};

/// `variables { … }` inside a medium.
pub(crate) static INLINE: NodeSpec = NodeSpec {
    name: "variables",
    doc: "The medium's own variables. They win over used ones.",
    children: Children::Named(&VARIABLE),
    rule: Some(check),
    example: r#"variables {
    OSDTimeZone "UTC"
}"#,
    ..NodeSpec::EMPTY
};

static VARIABLE: NodeSpec = NodeSpec {
    name: "a variable",
    doc: "The variable's name and its value.",
    argument: Some(ArgumentSpec {
        name: "value",
        value: ValueKind::VariableValue,
        count: Count::One,
    }),
    example: r#"OSDTimeZone "UTC""#,
    ..NodeSpec::EMPTY
};

fn check(node: Node<'_>, diagnostics: &mut Vec<Diagnostic>) {
    let mut places: BTreeMap<String, Span> = BTreeMap::new();
    for variable in node.children() {
        diagnostics.extend(check_name(variable));
        match places.get(&variable.name().to_lowercase()) {
            None => drop(places.insert(variable.name().to_lowercase(), variable.span())),
            Some(first) => diagnostics.push(duplicate(variable, *first)),
        }
    }
}

fn duplicate(variable: Node<'_>, first: Span) -> Diagnostic {
    let message = format!("the variable `{}` is set twice", variable.name());
    Diagnostic::error("duplicate-variable", variable.span(), message)
        .label("second")
        .also(first, "first")
        .help("keep one of them; case does not tell variables apart")
}

/// Task-sequence variables have letters, digits, `_` and `-`; those of the engine are read-only.
fn check_name(variable: Node<'_>) -> Option<Diagnostic> {
    let name = variable.name();
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    let starts_well = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if !starts_well || !name.chars().all(is_word) || name.len() > 256 {
        let message =
            "a variable's name has letters, digits, `_` and `-`, and begins with a letter";
        let diagnostic = Diagnostic::error("invalid-variable", variable.span(), message);
        return Some(diagnostic.label("not a name").help("write a name, such as `OSDTimeZone`"));
    }
    if name.to_ascii_lowercase().starts_with("_smsts") {
        let message = format!("`{name}` belongs to the task-sequence engine, which sets it itself");
        let diagnostic = Diagnostic::error("reserved-variable", variable.span(), message);
        let own = name.trim_start_matches('_');
        return Some(
            diagnostic.label("read-only").help(format!("choose a name without `_`: `{own}`")),
        );
    }
    None
}

/// The variables in the braces of `node`, in order.
pub(crate) fn lower_all(node: Node<'_>, lowering: Lowering<'_>) -> Option<Vec<Variable>> {
    node.children().map(|variable| lower_one(variable, lowering)).collect()
}

fn lower_one(node: Node<'_>, lowering: Lowering<'_>) -> Option<Variable> {
    let value = node.argument()?;
    Some(Variable { name: node.spanned_name(), value: value.at(lower_value(value, lowering)?) })
}

fn lower_value(value: Value<'_>, lowering: Lowering<'_>) -> Option<VariableValue> {
    Some(match value.annotation() {
        None => VariableValue::Text(value.string()?.to_string()),
        Some(_) => VariableValue::Secret(lowering.secret(value)?),
    })
}

pub(crate) fn lower(node: Node<'_>, lowering: Lowering<'_>) -> Option<Variables> {
    Some(Variables { name: node.argument()?.spanned()?, variables: lower_all(node, lowering)? })
}
