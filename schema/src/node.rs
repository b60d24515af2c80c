//! `Node` and `Value`: KDL nodes and entries that know which file they stand in.

use crate::definition::Spanned;
use crate::text::{Span, TextIdx};
use crate::tree::{At, Tree, TreeEntry, TreeValue};

/// A KDL node in a definition file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Node<'a> {
    tree: &'a Tree,
    position: usize,
    text: TextIdx,
}

impl<'a> Node<'a> {
    /// The nodes of a file's top level.
    pub(crate) fn all(tree: &'a Tree, text: TextIdx) -> impl Iterator<Item = Node<'a>> {
        tree.roots().map(move |position| Node { tree, position, text })
    }

    pub(crate) fn text(self) -> TextIdx {
        self.text
    }

    pub(crate) fn name(self) -> &'a str {
        self.tree.name(self.position)
    }

    /// The place of the node's name: a label below a whole block would hide it.
    pub(crate) fn span(self) -> Span {
        span(self.text, self.tree.name_at(self.position))
    }

    /// `(annotation)` before the node's name.
    pub(crate) fn annotation(self) -> Option<&'a str> {
        self.tree.annotation(self.position)
    }

    /// The name as a value, for nodes whose name the user chooses.
    pub(crate) fn spanned_name(self) -> Spanned<String> {
        Spanned { value: self.name().to_string(), span: self.span() }
    }

    pub(crate) fn arguments(self) -> impl Iterator<Item = Value<'a>> {
        self.entries().filter(|value| value.key().is_none())
    }

    pub(crate) fn argument(self) -> Option<Value<'a>> {
        self.arguments().next()
    }

    pub(crate) fn properties(self) -> impl Iterator<Item = Value<'a>> {
        self.entries().filter(|value| value.key().is_some())
    }

    pub(crate) fn property(self, key: &str) -> Option<Value<'a>> {
        self.properties().find(|value| value.key() == Some(key))
    }

    fn entries(self) -> impl Iterator<Item = Value<'a>> {
        let Node { tree, text, .. } = self;
        tree.entries(self.position).iter().map(move |entry| Value { tree, entry, text })
    }

    pub(crate) fn children(self) -> impl Iterator<Item = Node<'a>> {
        let Node { tree, text, .. } = self;
        tree.children(self.position).map(move |position| Node { tree, position, text })
    }

    pub(crate) fn children_named(self, name: &'static str) -> impl Iterator<Item = Node<'a>> {
        self.children().filter(move |child| child.name() == name)
    }

    pub(crate) fn child(self, name: &'static str) -> Option<Node<'a>> {
        self.children_named(name).next()
    }

    /// The strings of all arguments of all children called `name`.
    pub(crate) fn strings_of(self, name: &'static str) -> Vec<Spanned<String>> {
        self.children_named(name).flat_map(Node::strings).collect()
    }

    /// The strings of all arguments.
    pub(crate) fn strings(self) -> Vec<Spanned<String>> {
        self.arguments().filter_map(Value::spanned).collect()
    }
}

/// An argument or a property's value.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Value<'a> {
    tree: &'a Tree,
    entry: &'a TreeEntry,
    text: TextIdx,
}

impl<'a> Value<'a> {
    pub(crate) fn text(self) -> TextIdx {
        self.text
    }

    /// The property's name; `None` for an argument.
    pub(crate) fn key(self) -> Option<&'a str> {
        self.entry.key(self.tree)
    }

    /// The place of the property's name, or of the argument.
    pub(crate) fn key_span(self) -> Span {
        span(self.text, self.entry.key_at().unwrap_or(self.entry.at()))
    }

    /// The place of the value alone.
    pub(crate) fn span(self) -> Span {
        span(self.text, self.entry.at())
    }

    /// `(annotation)` before the value.
    pub(crate) fn annotation(self) -> Option<&'a str> {
        self.entry.annotation(self.tree)
    }

    pub(crate) fn kind(self) -> TreeValue {
        self.entry.value()
    }

    pub(crate) fn string(self) -> Option<&'a str> {
        match self.kind() {
            TreeValue::String(string) => Some(self.tree.text(string)),
            _ => None,
        }
    }

    pub(crate) fn spanned(self) -> Option<Spanned<String>> {
        self.string().map(|string| self.at(string.to_string()))
    }

    pub(crate) fn integer(self) -> Option<i128> {
        match self.kind() {
            TreeValue::Integer(integer) => Some(integer),
            _ => None,
        }
    }

    pub(crate) fn flag(self) -> Option<bool> {
        match self.kind() {
            TreeValue::Bool(flag) => Some(flag),
            _ => None,
        }
    }

    /// The value as it would stand in quotes: without the `#` of keywords.
    pub(crate) fn plain(self) -> String {
        match self.kind() {
            TreeValue::String(string) | TreeValue::Float(string) => {
                self.tree.text(string).trim_start_matches('#').to_string()
            }
            TreeValue::Integer(integer) => integer.to_string(),
            TreeValue::Bool(flag) => flag.to_string(),
            TreeValue::Null => "null".to_string(),
        }
    }

    /// `value` with this value's place.
    pub(crate) fn at<T>(self, value: T) -> Spanned<T> {
        Spanned { value, span: self.span() }
    }
}

fn span(text: TextIdx, at: At) -> Span {
    let At { offset_bytes, size_bytes } = at;
    Span { text, offset_bytes: offset_bytes as usize, size_bytes: size_bytes as usize }
}
