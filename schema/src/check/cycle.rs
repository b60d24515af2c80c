//! Applications that depend on themselves.

use std::collections::BTreeMap;

use petgraph::algo::tarjan_scc;
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::EdgeRef;

use crate::definition::{Application, Spanned};
use crate::diagnostic::Diagnostic;

/// An application depends on another, where the other is named.
type Graph<'a> = DiGraph<&'a Application, &'a Spanned<String>>;

/// One error per cycle.
pub(crate) fn check(applications: &[Application]) -> Vec<Diagnostic> {
    let graph = graph(applications);
    let components = tarjan_scc(&graph);
    let mut cycles: Vec<_> = components.iter().filter_map(|set| cycle(&graph, set)).collect();
    cycles.sort_by_key(|cycle| cycle[0].span);
    cycles.iter().map(|cycle| diagnostic(cycle)).collect()
}

fn graph(applications: &[Application]) -> Graph<'_> {
    let mut graph = Graph::new();
    let mut positions = BTreeMap::new();
    for application in applications {
        positions.insert(application.name.value.as_str(), graph.add_node(application));
    }
    for (from, application) in graph.node_indices().zip(applications) {
        for dependency in &application.depends_on {
            if let Some(to) = positions.get(dependency.value.as_str()) {
                graph.add_edge(from, *to, dependency);
            }
        }
    }
    graph
}

/// The shortest way from the first application of `component` back to itself, as the names in
/// `depends-on` that lead there; `None` if there is none.
fn cycle<'a>(graph: &Graph<'a>, component: &[NodeIndex]) -> Option<Vec<&'a Spanned<String>>> {
    let start = *component.iter().min()?;
    let mut arrived_by: BTreeMap<NodeIndex, (NodeIndex, &Spanned<String>)> = BTreeMap::new();
    let mut reached = std::collections::VecDeque::from([start]);
    while let Some(from) = reached.pop_front() {
        // petgraph lists the newest edge first.
        let mut edges: Vec<_> = graph.edges(from).collect();
        edges.reverse();
        for edge in edges {
            if arrived_by.contains_key(&edge.target()) {
                continue;
            }
            arrived_by.insert(edge.target(), (from, *edge.weight()));
            if edge.target() == start {
                return Some(way_back(&arrived_by, start));
            }
            reached.push_back(edge.target());
        }
    }
    None
}

fn way_back<'a>(
    arrived_by: &BTreeMap<NodeIndex, (NodeIndex, &'a Spanned<String>)>,
    start: NodeIndex,
) -> Vec<&'a Spanned<String>> {
    let mut names = Vec::new();
    let mut at = start;
    loop {
        let (from, name) = arrived_by[&at];
        names.push(name);
        at = from;
        if at == start {
            names.reverse();
            return names;
        }
    }
}

fn diagnostic(cycle: &[&Spanned<String>]) -> Diagnostic {
    let last = cycle[cycle.len() - 1];
    let path: Vec<&str> =
        std::iter::once(last).chain(cycle.iter().copied()).map(|n| n.value.as_str()).collect();
    let message = format!("applications depend on themselves: {}", path.join(" → "));
    let first = cycle[0];
    let mut diagnostic = Diagnostic::error("dependency-cycle", first.span, message)
        .label(format!("`{}` needs `{}`", last.value, first.value));
    for pair in cycle.windows(2) {
        diagnostic =
            diagnostic.also(pair[1].span, format!("`{}` needs `{}`", pair[0].value, pair[1].value));
    }
    diagnostic.help("remove one of these names from its `depends-on`")
}
