//! `mediabuild graph`: the plan as a picture for Graphviz, or as JSON.

use petgraph::dot::{Config, Dot};
use petgraph::graph::{DiGraph, NodeIndex};
use serde_json::json;

use super::{is_json, target};
use crate::cli::{Arguments, Graph};
use crate::failure::Failure;
use crate::open_store;
use crate::parse_cache::ParsedFiles;
use crate::plan::Plan;
use crate::progress::{Progress, print_line};

/// Prints `digraph { … }`; with `--format json` one object with nodes and edges.
pub(super) fn run(
    graph: &Graph,
    arguments: &Arguments,
    progress: &Progress,
) -> Result<(), Failure> {
    let store = open_store::existing(arguments.store.as_ref());
    let parsed = ParsedFiles::of(store.as_ref());
    let request = target::resolve(&graph.targets, arguments, &parsed, progress)?;
    let plan = target::plan_of(&request, &target::unresolved)?;
    print_line(&if is_json(arguments) { as_json(&plan) } else { as_dot(&plan) });
    Ok(())
}

fn as_dot(plan: &Plan) -> String {
    let mut graph: DiGraph<&str, &str> = DiGraph::new();
    for derivation in &plan.derivations {
        graph.add_node(&derivation.label);
    }
    for (at, derivation) in plan.derivations.iter().enumerate() {
        for input in &derivation.inputs {
            graph.add_edge(NodeIndex::new(input.from.0), NodeIndex::new(at), &input.role);
        }
    }
    let label = |_: &DiGraph<&str, &str>, (_, label): (NodeIndex, &&str)| {
        format!("label=\"{}\" shape=box", label.replace('\\', "\\\\").replace('"', "\\\""))
    };
    let config = [Config::NodeNoLabel, Config::EdgeNoLabel];
    let edge = |_: &DiGraph<&str, &str>, _: petgraph::graph::EdgeReference<'_, &str>| String::new();
    let dot = Dot::with_attr_getters(&graph, &config, &edge, &label);
    format!("{dot:?}").trim_end().to_owned()
}

fn as_json(plan: &Plan) -> String {
    let nodes: Vec<_> = plan
        .derivations
        .iter()
        .enumerate()
        .map(|(at, d)| json!({ "id": at, "label": d.label, "builder": d.builder.name() }))
        .collect();
    let mut edges = Vec::new();
    for (at, derivation) in plan.derivations.iter().enumerate() {
        for input in &derivation.inputs {
            edges.push(json!({ "from": input.from.0, "to": at, "role": input.role }));
        }
    }
    json!({ "nodes": nodes, "edges": edges }).to_string()
}
