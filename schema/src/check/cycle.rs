//! Applications that depend on themselves.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use petgraph::algo::kosaraju_scc;
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::EdgeRef;

use crate::definition::{Application, Spanned};
use crate::diagnostic::Diagnostic;

/// An application depends on another, where the other is named.
type Graph<'a> = DiGraph<&'a Application, &'a Spanned<String>>;

/// One error per cycle.
pub(crate) fn check(applications: &[Application]) -> Vec<Diagnostic> {
    let graph = graph(applications);
    // Not Tarjan: petgraph's is recursive, and long chains would overflow the stack.
    let components = kosaraju_scc(&graph);
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
    let component: BTreeSet<NodeIndex> = component.iter().copied().collect();
    let mut arrived_by: BTreeMap<NodeIndex, (NodeIndex, &Spanned<String>)> = BTreeMap::new();
    let mut reached = VecDeque::from([start]);
    while let Some(from) = reached.pop_front() {
        // petgraph lists the newest edge first.
        let mut edges: Vec<_> = graph.edges(from).collect();
        edges.reverse();
        for edge in edges {
            // Outside the component no way leads back.
            if !component.contains(&edge.target()) || arrived_by.contains_key(&edge.target()) {
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

/// Names and labels of a cycle that are shown; longer ones would not be read.
const SHOWN_MAX: usize = 10;

fn diagnostic(cycle: &[&Spanned<String>]) -> Diagnostic {
    let last = cycle[cycle.len() - 1];
    let message = format!("applications depend on themselves: {}", path(cycle, &last.value));
    let first = cycle[0];
    let mut diagnostic = Diagnostic::error("dependency-cycle", first.span, message)
        .label(format!("`{}` needs `{}`", last.value, first.value));
    for pair in cycle.windows(2).take(SHOWN_MAX) {
        let text = format!("`{}` needs `{}`", pair[0].value, pair[1].value);
        diagnostic = diagnostic.also(pair[1].span, text);
    }
    diagnostic.help("remove one of these names from its `depends-on`")
}

/// `a → b → c → a`
fn path(cycle: &[&Spanned<String>], start: &str) -> String {
    let mut names = vec![start];
    if cycle.len() > SHOWN_MAX {
        names.extend(cycle.iter().take(SHOWN_MAX).map(|name| name.value.as_str()));
        names.extend(["…", start]);
    } else {
        names.extend(cycle.iter().map(|name| name.value.as_str()));
    }
    names.join(" → ")
}
