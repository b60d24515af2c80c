//! `Node` and `Value`: KDL nodes and entries that know which file they stand in.

use kdl::{KdlEntry, KdlNode, KdlValue};
use miette::SourceSpan;

use crate::definition::Spanned;
use crate::text::{Span, TextIdx};

/// A KDL node in a definition file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Node<'a> {
    kdl: &'a KdlNode,
    text: TextIdx,
}

impl<'a> Node<'a> {
    pub(crate) fn new(kdl: &'a KdlNode, text: TextIdx) -> Self {
        Node { kdl, text }
    }

    pub(crate) fn text(self) -> TextIdx {
        self.text
    }

    pub(crate) fn name(self) -> &'a str {
        self.kdl.name().value()
    }

    /// The place of the node's name: a label below a whole block would hide it.
    pub(crate) fn span(self) -> Span {
        span(self.text, self.kdl.name().span())
    }

    /// `(annotation)` before the node's name.
    pub(crate) fn annotation(self) -> Option<&'a str> {
        self.kdl.ty().map(|ty| ty.value())
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
        self.kdl.entries().iter().map(move |entry| Value { entry, text: self.text })
    }

    pub(crate) fn children(self) -> impl Iterator<Item = Node<'a>> {
        let document = self.kdl.children();
        let nodes = document.map_or(&[][..], |document| document.nodes());
        nodes.iter().map(move |kdl| Node { kdl, text: self.text })
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
    entry: &'a KdlEntry,
    text: TextIdx,
}

impl<'a> Value<'a> {
    pub(crate) fn text(self) -> TextIdx {
        self.text
    }

    /// The property's name; `None` for an argument.
    pub(crate) fn key(self) -> Option<&'a str> {
        self.entry.name().map(|name| name.value())
    }

    /// The place of the property's name, or of the argument.
    pub(crate) fn key_span(self) -> Span {
        self.entry.name().map_or_else(|| self.span(), |name| span(self.text, name.span()))
    }

    /// The place of the value alone. kdl's span of an entry starts at its key and annotation.
    pub(crate) fn span(self) -> Span {
        let whole = span(self.text, self.entry.span());
        let written = self.entry.format().map_or("", |format| format.value_repr.as_str());
        let size_bytes = written.len().min(whole.size_bytes);
        let offset_bytes = whole.offset_bytes + whole.size_bytes - size_bytes;
        Span { text: self.text, offset_bytes, size_bytes }
    }

    /// `(annotation)` before the value.
    pub(crate) fn annotation(self) -> Option<&'a str> {
        self.entry.ty().map(|ty| ty.value())
    }

    pub(crate) fn kdl(self) -> &'a KdlValue {
        self.entry.value()
    }

    pub(crate) fn string(self) -> Option<&'a str> {
        self.kdl().as_string()
    }

    pub(crate) fn spanned(self) -> Option<Spanned<String>> {
        self.string().map(|string| self.at(string.to_string()))
    }

    pub(crate) fn integer(self) -> Option<i128> {
        self.kdl().as_integer()
    }

    pub(crate) fn flag(self) -> Option<bool> {
        self.kdl().as_bool()
    }

    /// `value` with this value's place.
    pub(crate) fn at<T>(self, value: T) -> Spanned<T> {
        Spanned { value, span: self.span() }
    }
}

fn span(text: TextIdx, span: SourceSpan) -> Span {
    Span { text, offset_bytes: span.offset(), size_bytes: span.len() }
}
