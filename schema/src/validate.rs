//! Holds nodes against the table: everything that is wrong with one node and what it names.

use crate::def;
use crate::definition::Kind;
use crate::diagnostic::Diagnostic;
use crate::names::Names;
use crate::nearest::{nearest, quoted_list, suggestion};
use crate::node::{Node, Value};
use crate::spec::{ArgumentSpec, ChildSpec, Children, Count, NodeSpec, Occurs, PropertySpec};
use crate::text::Texts;
use crate::value::ValueKind;

/// What a node is held against, and what came of it.
pub(crate) struct Validation<'a> {
    pub(crate) texts: &'a Texts,
    pub(crate) names: &'a Names,
    pub(crate) diagnostics: Vec<Diagnostic>,
}

impl Validation<'_> {
    /// Adds everything that is wrong with a node of a definition file's top level.
    pub(crate) fn definition(&mut self, node: Node<'_>) {
        match def::spec(node.name()) {
            Some(spec) => self.node(spec, node),
            None => self.diagnostics.push(unknown_definition(node)),
        }
    }

    fn node(&mut self, spec: &NodeSpec, node: Node<'_>) {
        self.no_annotation(node);
        self.arguments(spec, node);
        self.properties(spec, node);
        self.children(spec, node);
        self.occurrences(spec, node);
        if let Some(rule) = spec.rule {
            rule(node, &mut self.diagnostics);
        }
    }

    fn no_annotation(&mut self, node: Node<'_>) {
        if let Some(annotation) = node.annotation() {
            let message = format!("`({annotation})` means nothing before a node");
            let diagnostic = Diagnostic::error("unknown-annotation", node.span(), message)
                .label("marked here")
                .help("leave the annotation out; values can carry one");
            self.diagnostics.push(diagnostic);
        }
    }

    fn arguments(&mut self, spec: &NodeSpec, node: Node<'_>) {
        let arguments: Vec<Value<'_>> = node.arguments().collect();
        let Some(argument) = &spec.argument else {
            self.surplus(spec, node, &arguments);
            return;
        };
        if arguments.is_empty() && argument.count != Count::Optional {
            self.diagnostics.push(missing_argument(spec, argument, node));
        }
        let allowed = if argument.count == Count::OneOrMore { arguments.len() } else { 1 };
        let (wanted, surplus) = arguments.split_at(allowed.min(arguments.len()));
        self.surplus(spec, node, surplus);
        for value in wanted {
            self.value(argument.value, *value);
        }
    }

    fn surplus(&mut self, spec: &NodeSpec, node: Node<'_>, values: &[Value<'_>]) {
        let Some(first) = values.first() else { return };
        let allowed = if spec.argument.is_some() { "one argument" } else { "no argument" };
        let message = format!("`{}` takes {allowed}", node.name());
        let diagnostic = Diagnostic::error("surplus-argument", first.span(), message)
            .label("one too many")
            .help(format!("write `{}`", first_line(spec)));
        self.diagnostics.push(diagnostic);
    }

    fn properties(&mut self, spec: &NodeSpec, node: Node<'_>) {
        let mut seen: Vec<Value<'_>> = Vec::new();
        for value in node.properties() {
            let key = value.key().unwrap_or_default();
            match spec.properties.iter().find(|property| property.name == key) {
                None => self.diagnostics.push(unknown_property(spec, node, value)),
                Some(property) => self.value(property.value, value),
            }
            match seen.iter().find(|earlier| earlier.key() == value.key()) {
                Some(first) => self.diagnostics.push(repeated_property(*first, value)),
                None => seen.push(value),
            }
        }
        for property in spec.properties.iter().filter(|property| property.required) {
            let written = node.properties().filter_map(Value::key);
            if node.property(property.name).is_none()
                && !is_misspelt(property.name, written, &property_names(spec))
            {
                self.diagnostics.push(missing_property(spec, property, node));
            }
        }
    }

    fn value(&mut self, kind: ValueKind, value: Value<'_>) {
        let file = &self.texts.get(value.text()).name;
        match kind.check(value, file) {
            Err(problem) => self.diagnostics.push(problem.at(value.span())),
            Ok(()) => self.reference(kind, value),
        }
    }

    fn reference(&mut self, kind: ValueKind, value: Value<'_>) {
        let (ValueKind::Reference(kind), Some(name)) = (kind, value.string()) else { return };
        if !self.names.contains(kind, name) && !self.names.incomplete {
            self.diagnostics.push(unknown_reference(self.names, kind, name, value));
        }
    }

    fn children(&mut self, spec: &NodeSpec, node: Node<'_>) {
        for child in node.children() {
            match &spec.children {
                Children::Named(named) => self.node(named, child),
                Children::None | Children::Specs(_) => self.child(spec, node, child),
            }
        }
    }

    fn child(&mut self, spec: &NodeSpec, parent: Node<'_>, child: Node<'_>) {
        let specs = spec.child_specs();
        match specs.iter().find(|child_spec| child_spec.node.name == child.name()) {
            Some(child_spec) => self.node(child_spec.node, child),
            None => self.diagnostics.push(unknown_child(spec, parent, child)),
        }
    }

    fn occurrences(&mut self, spec: &NodeSpec, node: Node<'_>) {
        for child in spec.child_specs() {
            self.occurrence(spec, child, node);
        }
        for group in spec.one_of {
            self.one_of(spec, group, node);
        }
    }

    fn occurrence(&mut self, spec: &NodeSpec, child: &ChildSpec, node: Node<'_>) {
        let mut found = node.children_named(child.node.name);
        let (first, second) = (found.next(), found.next());
        match (child.occurs, first, second) {
            (Occurs::Required, None, _) if !is_misspelt_child(child.node.name, spec, node) => {
                self.diagnostics.push(missing_child(spec, child.node, node));
            }
            (Occurs::Required | Occurs::Optional, Some(first), Some(second)) => {
                self.diagnostics.push(repeated_child(spec, first, second));
            }
            _ => {}
        }
    }

    fn one_of(&mut self, spec: &NodeSpec, group: &[&str], node: Node<'_>) {
        let mut found = node.children().filter(|child| group.contains(&child.name()));
        match (found.next(), found.next()) {
            (None, _) if group.iter().any(|name| is_misspelt_child(name, spec, node)) => {}
            (None, _) => self.diagnostics.push(missing_one_of(spec, group, node)),
            // Two of one name are reported as repeated.
            (Some(first), Some(second)) if first.name() != second.name() => {
                self.diagnostics.push(more_than_one_of(spec, group, first, second));
            }
            _ => {}
        }
    }
}

fn child_names(spec: &NodeSpec) -> Vec<&'static str> {
    spec.child_specs().iter().map(|child| child.node.name).collect()
}

fn property_names(spec: &NodeSpec) -> Vec<&'static str> {
    spec.properties.iter().map(|property| property.name).collect()
}

/// Whether one of the `written` names is unknown and most likely was meant to be `name`: that is
/// said already, and saying that `name` is missing would be one mistake told twice.
fn is_misspelt<'a>(
    name: &str,
    mut written: impl Iterator<Item = &'a str>,
    names: &[&'static str],
) -> bool {
    written.any(|w| !names.contains(&w) && nearest(w, names.iter().copied()) == Some(name))
}

fn is_misspelt_child(name: &str, spec: &NodeSpec, node: Node<'_>) -> bool {
    is_misspelt(name, node.children().map(Node::name), &child_names(spec))
}

fn first_line(spec: &NodeSpec) -> &'static str {
    spec.example.lines().next().unwrap_or_default().trim_end_matches([' ', '{'])
}

fn unknown_definition(node: Node<'_>) -> Diagnostic {
    let name = node.name();
    let help = if def::PLANNED.contains(&name) {
        format!("`{name}` is planned, not built yet")
    } else {
        suggestion(name, &def::names(), "a definition file holds")
    };
    let message = format!("there is no definition of kind `{name}`");
    Diagnostic::error("unknown-node", node.span(), message).label("unknown kind").help(help)
}

fn unknown_child(spec: &NodeSpec, parent: Node<'_>, child: Node<'_>) -> Diagnostic {
    let name = child.name();
    let names = child_names(spec);
    let help = if spec.planned.contains(&name) {
        format!("`{name}` is planned, not built yet")
    } else if spec.properties.iter().any(|property| property.name == name) {
        format!(
            "`{name}` is a property: write `{}` on the line of `{}`",
            example_of(spec, name),
            spec.name
        )
    } else if let Some((holder, held)) = held_by_child(spec, name) {
        format!("write it in `{}`: `{} {{ {} }}`", holder.name, holder.name, first_line(held))
    } else if names.is_empty() {
        format!("write `{}` without a block", first_line(spec))
    } else {
        suggestion(name, &names, &format!("`{}` can hold", spec.name))
    };
    let message = format!("`{}` cannot hold `{name}`", parent.name());
    Diagnostic::error("unknown-node", child.span(), message).label("unknown node").help(help)
}

/// The child that can hold a node of that name, and what that node is there.
fn held_by_child(spec: &NodeSpec, name: &str) -> Option<(&'static NodeSpec, &'static NodeSpec)> {
    spec.child_specs().iter().find_map(|holder| {
        let held = holder.node.child_specs().iter().find(|held| held.node.name == name)?;
        Some((holder.node, held.node))
    })
}

fn example_of(spec: &NodeSpec, property: &str) -> &'static str {
    spec.properties.iter().find(|p| p.name == property).map_or("", |p| p.example)
}

fn unknown_property(spec: &NodeSpec, node: Node<'_>, value: Value<'_>) -> Diagnostic {
    let key = value.key().unwrap_or_default();
    let names = property_names(spec);
    let child = spec.child_specs().iter().find(|child| child.node.name == key);
    let help = if spec.planned.contains(&key) {
        format!("`{key}=` is planned, not built yet")
    } else if let Some(child) = child {
        format!("`{key}` stands inside the braces: `{}`", first_line(child.node))
    } else if names.is_empty() {
        format!("write `{}`", first_line(spec))
    } else {
        suggestion(key, &names, &format!("`{}` has", spec.name))
    };
    let message = format!("`{}` has no property `{key}`", node.name());
    Diagnostic::error("unknown-property", value.key_span(), message)
        .label("unknown property")
        .help(help)
}

fn repeated_property(first: Value<'_>, second: Value<'_>) -> Diagnostic {
    let message = format!("`{}=` is said twice", second.key().unwrap_or_default());
    Diagnostic::error("repeated-property", second.key_span(), message)
        .label("second")
        .also(first.key_span(), "first")
        .help("keep one of them")
}

fn missing_argument(spec: &NodeSpec, argument: &ArgumentSpec, node: Node<'_>) -> Diagnostic {
    let message = format!("`{}` needs {}", node.name(), argument.value.describe());
    Diagnostic::error("missing-argument", node.span(), message)
        .label(format!("no {}", argument.name))
        .help(format!("write it like `{}`", first_line(spec)))
}

fn missing_property(spec: &NodeSpec, property: &PropertySpec, node: Node<'_>) -> Diagnostic {
    let message = format!("`{}` needs the property `{}`", spec.name, property.name);
    Diagnostic::error("missing-property", node.span(), message)
        .label(format!("no `{}=`", property.name))
        .help(format!("add `{}` to this line", property.example))
}

fn missing_child(spec: &NodeSpec, child: &NodeSpec, node: Node<'_>) -> Diagnostic {
    let message = format!("`{}` needs `{}`", spec.name, child.name);
    Diagnostic::error("missing-child", node.span(), message)
        .label(format!("no `{}` in its braces", child.name))
        .help(format!("add `{}` inside its braces", first_line(child)))
}

fn repeated_child(spec: &NodeSpec, first: Node<'_>, second: Node<'_>) -> Diagnostic {
    let message = format!("`{}` can hold one `{}` only", spec.name, second.name());
    Diagnostic::error("repeated-child", second.span(), message)
        .label("second")
        .also(first.span(), "first")
        .help("keep one of them")
}

fn missing_one_of(spec: &NodeSpec, group: &[&str], node: Node<'_>) -> Diagnostic {
    let message = format!("`{}` needs one of {}", spec.name, quoted_list(group));
    let child = spec.child_specs().iter().find(|child| group.contains(&child.node.name));
    let example = child.map_or("", |child| first_line(child.node));
    Diagnostic::error("missing-child", node.span(), message)
        .label("has none of them")
        .help(format!("add `{example}` inside its braces"))
}

fn more_than_one_of(
    spec: &NodeSpec,
    group: &[&str],
    first: Node<'_>,
    second: Node<'_>,
) -> Diagnostic {
    let message = format!("`{}` takes one of {}, not several", spec.name, quoted_list(group));
    Diagnostic::error("repeated-child", second.span(), message)
        .label("second")
        .also(first.span(), "first")
        .help(format!("keep `{}` or `{}`", first.name(), second.name()))
}

fn unknown_reference(names: &Names, kind: Kind, name: &str, value: Value<'_>) -> Diagnostic {
    let others = names.kinds_of(name);
    let help = match others.first() {
        Some(other) => format!("`{name}` is defined as `{other}`; write `{other} \"{name}\"`"),
        None if names.of(kind).is_empty() => format!("define one: `{kind} \"{name}\"`"),
        None => suggestion(name, &names.of(kind), &format!("every `{kind}` there is:")),
    };
    Diagnostic::error(
        "unknown-reference",
        value.span(),
        format!("there is no `{kind}` called `{name}`"),
    )
    .label("not defined")
    .help(help)
}
