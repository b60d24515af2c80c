//! `Derivation`: one pure step of a plan, and the identity that decides whether it runs.

use mediabuild_store::{DerivationId, Digest, Output};
use serde_json::{Value, json};

use crate::builders::Builder;

/// A derivation's position in a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct DerivationIdx(pub(crate) usize);

/// One step: a builder with all its options, and the derivations whose outputs it takes.
pub(crate) struct Derivation {
    /// For people: `driver-package intel-net`, `import drivers/intel-net`.
    pub(crate) label: String,
    /// The complete request.
    pub(crate) builder: Box<dyn Builder>,
    /// What it takes, by role; in the order the builder wants them.
    pub(crate) inputs: Vec<Input>,
}

/// One input of a derivation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Input {
    /// The builder's name for it, such as `base` or `overlay`.
    pub(crate) role: String,
    /// Who makes it.
    pub(crate) from: DerivationIdx,
}

/// Inputs with their outputs: what a builder gets.
#[derive(Debug, Clone, Default)]
pub(crate) struct Inputs {
    inputs: Vec<(String, Output)>,
}

impl Inputs {
    pub(crate) fn new(inputs: Vec<(String, Output)>) -> Self {
        Inputs { inputs }
    }

    /// The one input of that role.
    pub(crate) fn get(&self, role: &str) -> Option<&Output> {
        self.inputs.iter().find(|(name, _)| name == role).map(|(_, output)| output)
    }

    /// All of them, in order.
    pub(crate) fn outputs(&self) -> Vec<Output> {
        self.inputs.iter().map(|(_, output)| *output).collect()
    }

    /// All inputs whose role is `prefix` + something, with that something, in order.
    pub(crate) fn under<'a>(
        &'a self,
        prefix: &'a str,
    ) -> impl Iterator<Item = (&'a str, &'a Output)> {
        self.inputs
            .iter()
            .filter_map(move |(role, output)| Some((role.strip_prefix(prefix)?, output)))
    }
}

/// The fields a derivation's identity is made of: builder, version, options and **the outputs of
/// its inputs**, so that an input rebuilt to equal bytes stops the rebuild there. Never a time
/// stamp, never an absolute path. `plan -v` prints these same fields.
pub(crate) fn identity_fields(builder: &dyn Builder, inputs: &Inputs) -> Value {
    let inputs: Vec<Value> = inputs
        .inputs
        .iter()
        .map(|(role, output)| json!({ "role": role, "output": output_name(output) }))
        .collect();
    json!({
        "builder": builder.name(),
        "version": builder.version(),
        "options": builder.options(),
        "inputs": inputs,
    })
}

/// The identity: a digest of [`identity_fields`] in canonical JSON (sorted keys, no spaces).
pub(crate) fn identity(builder: &dyn Builder, inputs: &Inputs) -> DerivationId {
    let fields = identity_fields(builder, inputs).to_string();
    DerivationId(Digest::derive("mediabuild 2026-11 derivation", fields.as_bytes()))
}

/// `content:DIGEST:SIZE` or `directory:DIGEST`.
pub(crate) fn output_name(output: &Output) -> String {
    match output {
        Output::Content(content) => format!("content:{}:{}", content.digest, content.size_bytes),
        Output::Directory(digest) => format!("directory:{digest}"),
    }
}
