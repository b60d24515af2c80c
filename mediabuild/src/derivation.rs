//! `Derivation`: one pure step of a plan, and the identity that decides whether it runs.

use std::collections::HashMap;

use mediabuild_store::{DerivationId, Digest, Output};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::builders::Builder;
use crate::builders::sha1::Sha1Wanted;

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
    /// Whether something that is made of its output wants the SHA-1 of contents. Only a matter of
    /// speed, so no part of the identity.
    pub(crate) sha1: Sha1Wanted,
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
/// stamp, never an absolute path. What `plan -v` and `why` show are these same fields.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Fields {
    pub(crate) builder: String,
    pub(crate) version: u32,
    pub(crate) options: Value,
    pub(crate) inputs: Vec<InputField>,
    /// Of an import: what was found. It has no inputs that could tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) found: Option<String>,
}

/// One input in an identity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct InputField {
    pub(crate) role: String,
    /// [`output_name`]; `None` as long as that is not known.
    pub(crate) output: Option<String>,
}

impl Fields {
    /// The fields of a step; of its inputs, as far as their outputs are known.
    pub(crate) fn of(builder: &dyn Builder, inputs: Vec<InputField>) -> Self {
        Fields {
            builder: builder.name().to_owned(),
            version: builder.version(),
            options: builder.options(),
            inputs,
            found: None,
        }
    }

    /// The fields of a step whose inputs all exist.
    pub(crate) fn with_inputs(builder: &dyn Builder, inputs: &Inputs) -> Self {
        let field = |(role, output): &(String, Output)| InputField {
            role: role.clone(),
            output: Some(output_name(output)),
        };
        Self::of(builder, inputs.inputs.iter().map(field).collect())
    }

    /// The fields of an import that found `output`.
    pub(crate) fn of_import(builder: &dyn Builder, output: &Output) -> Self {
        Fields { found: Some(output_name(output)), ..Self::of(builder, Vec::new()) }
    }

    /// The identity: a digest of these fields in canonical JSON (fields as above, the keys of options
    /// sorted, no spaces).
    pub(crate) fn id(&self) -> DerivationId {
        let fields = serde_json::to_vec(self).expect("plain data is JSON");
        DerivationId(Digest::derive("mediabuild 2026-11 derivation", &fields))
    }
}

/// `content:DIGEST:SIZE` or `directory:DIGEST`.
pub(crate) fn output_name(output: &Output) -> String {
    match output {
        Output::Content(content) => format!("content:{}:{}", content.digest, content.size_bytes),
        Output::Directory(digest) => format!("directory:{digest}"),
    }
}

/// A name for each step that stays the same from build to build: its label, numbered where several
/// steps share one.
pub(crate) fn keys(derivations: &[Derivation]) -> Vec<String> {
    let mut seen: HashMap<&str, usize> = HashMap::with_capacity(derivations.len());
    let key = |derivation: &'_ Derivation, count: usize| match count {
        1 => derivation.label.clone(),
        count => format!("{} ({count})", derivation.label),
    };
    derivations
        .iter()
        .map(|derivation| {
            let count = seen.entry(&derivation.label).or_default();
            *count += 1;
            key(derivation, *count)
        })
        .collect()
}
