//! The table's types: what a node may hold. The table itself is the statics in `def`.
//!
//! One table drives validation, "did you mean", help and the reference, so they cannot disagree.

use crate::diagnostic::Diagnostic;
use crate::node::Node;
use crate::value::ValueKind;

/// One node kind.
#[derive(Debug)]
pub(crate) struct NodeSpec {
    pub(crate) name: &'static str,
    /// Markdown, full sentences.
    pub(crate) doc: &'static str,
    pub(crate) argument: Option<ArgumentSpec>,
    pub(crate) properties: &'static [PropertySpec],
    pub(crate) children: Children,
    /// Of each group exactly one child must be there.
    pub(crate) one_of: &'static [&'static [&'static str]],
    /// Children and properties of the language that are not built yet.
    pub(crate) planned: &'static [&'static str],
    /// Rules between the parts of one node.
    pub(crate) rule: Option<Rule>,
    /// KDL that parses. Its first line is shown as help where the node is missing.
    pub(crate) example: &'static str,
}

/// Adds what is wrong with one node that the table alone cannot say.
pub(crate) type Rule = fn(Node<'_>, &mut Vec<Diagnostic>);

impl NodeSpec {
    /// A node without anything, to fill in with struct update syntax.
    pub(crate) const EMPTY: NodeSpec = NodeSpec {
        name: "",
        doc: "",
        argument: None,
        properties: &[],
        children: Children::None,
        one_of: &[],
        planned: &[],
        rule: None,
        example: "",
    };

    /// The children by name; empty where the user chooses the names.
    pub(crate) fn child_specs(&self) -> &'static [ChildSpec] {
        match self.children {
            Children::Specs(specs) => specs,
            Children::None | Children::Named(_) => &[],
        }
    }
}

/// Which children a node may have.
#[derive(Debug)]
pub(crate) enum Children {
    None,
    Specs(&'static [ChildSpec]),
    /// Any name; the user chooses it.
    Named(&'static NodeSpec),
}

/// A child and how often it may stand.
#[derive(Debug)]
pub(crate) struct ChildSpec {
    pub(crate) node: &'static NodeSpec,
    pub(crate) occurs: Occurs,
}

impl ChildSpec {
    pub(crate) const fn required(node: &'static NodeSpec) -> Self {
        ChildSpec { node, occurs: Occurs::Required }
    }

    pub(crate) const fn optional(node: &'static NodeSpec) -> Self {
        ChildSpec { node, occurs: Occurs::Optional }
    }

    pub(crate) const fn repeated(node: &'static NodeSpec) -> Self {
        ChildSpec { node, occurs: Occurs::Repeated }
    }
}

/// How often a child may stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Occurs {
    /// Once.
    Required,
    /// At most once.
    Optional,
    /// Any number of times.
    Repeated,
}

/// The arguments of a node; all are of one kind.
#[derive(Debug)]
pub(crate) struct ArgumentSpec {
    /// What the reference calls it.
    pub(crate) name: &'static str,
    pub(crate) value: ValueKind,
    pub(crate) count: Count,
}

/// How many arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Count {
    One,
    Optional,
    OneOrMore,
}

/// One property.
#[derive(Debug)]
pub(crate) struct PropertySpec {
    pub(crate) name: &'static str,
    pub(crate) value: ValueKind,
    pub(crate) required: bool,
    pub(crate) doc: &'static str,
    /// As typed, such as `arch="amd64"`.
    pub(crate) example: &'static str,
}
