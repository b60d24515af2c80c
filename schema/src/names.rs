//! `Names`: which definitions there are, so that references can be checked before lowering.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use crate::definition::{Kind, Spanned};
use crate::diagnostic::Diagnostic;
use crate::node::Node;
use crate::text::Span;

/// The names of all definitions and where each stands.
#[derive(Debug, Default)]
pub(crate) struct Names {
    /// By kind and name in lower case: names become folder names, and Windows ignores case there.
    places: BTreeMap<(Kind, String), Spanned<String>>,
    /// A file did not parse, so a name may be missing here that is defined there.
    pub(crate) incomplete: bool,
}

impl Names {
    /// The names of `nodes`; a name that is said twice is an error.
    pub(crate) fn collect(nodes: &[Node<'_>], diagnostics: &mut Vec<Diagnostic>) -> Self {
        let mut names = Names::default();
        for node in nodes {
            names.add(*node, diagnostics);
        }
        names
    }

    fn add(&mut self, node: Node<'_>, diagnostics: &mut Vec<Diagnostic>) {
        let kind = Kind::ALL.into_iter().find(|kind| kind.node_name() == node.name());
        let name = node.argument().and_then(|argument| argument.spanned());
        let (Some(kind), Some(name)) = (kind, name) else { return };
        match self.places.entry((kind, name.value.to_lowercase())) {
            Entry::Occupied(first) => diagnostics.push(duplicate(kind, &name, first.get().span)),
            Entry::Vacant(place) => {
                place.insert(name);
            }
        }
    }

    pub(crate) fn contains(&self, kind: Kind, name: &str) -> bool {
        let place = self.places.get(&(kind, name.to_lowercase()));
        place.is_some_and(|place| place.value == name)
    }

    /// The kinds that have a definition called `name`.
    pub(crate) fn kinds_of(&self, name: &str) -> Vec<Kind> {
        Kind::ALL.into_iter().filter(|kind| self.contains(*kind, name)).collect()
    }

    /// All names of one kind, sorted.
    pub(crate) fn of(&self, kind: Kind) -> Vec<&str> {
        let places = self.places.iter();
        places.filter(|((other, _), _)| *other == kind).map(|(_, n)| n.value.as_str()).collect()
    }
}

fn duplicate(kind: Kind, second: &Spanned<String>, first: Span) -> Diagnostic {
    let message = format!("two `{kind}` are called `{}`", second.value);
    Diagnostic::error("duplicate-name", second.span, message)
        .label("second")
        .also(first, "first")
        .help("give one of them another name; case alone does not tell names apart")
}
