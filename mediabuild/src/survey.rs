//! Survey: what of a plan is known before anything runs.
//!
//! Goes through the plan level by level: a step whose inputs are all known has an identity, and all
//! identities of a level are looked up at once. So a build in which nothing changed starts no
//! thread, and `plan` and `why` say of every step where it stands.

use mediabuild_store::{DerivationId, Output, Store};

use crate::builders::import_recall::StatCaches;
use crate::derivation::{Derivation, Fields, Input, InputField, Inputs, output_name};
use crate::failure::Failure;
use crate::plan::Plan;
use crate::realise::Realised;

/// Where a step stands.
#[derive(Debug, Clone)]
pub(crate) enum Standing {
    /// Its output exists.
    Known { id: DerivationId, output: Output },
    /// Its inputs exist, its output does not: it will run.
    Missing,
    /// It depends on steps that will run; whether it must run itself shows after them.
    Waits,
}

impl Standing {
    /// The output, if it exists.
    pub(crate) fn output(&self) -> Option<&Output> {
        match self {
            Standing::Known { output, .. } => Some(output),
            _ => None,
        }
    }
}

/// What is asked of a known output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    /// That it was made once: enough where nobody will read it.
    Recorded,
    /// That all of it is still in the store.
    Whole,
}

/// A step whose identity is to be looked up.
struct Candidate {
    at: usize,
    id: DerivationId,
    /// What an import gives, by the stats of its files.
    recalled: Option<Output>,
}

/// Where every step of `plan` stands. `caches` are what imports gave before; `found` are steps that
/// were realised a moment ago, by position.
pub(crate) fn survey(
    plan: &Plan,
    store: &dyn Store,
    caches: &StatCaches,
    found: &[Option<Realised>],
    asked: Asked,
) -> Result<Vec<Standing>, Failure> {
    let mut standings: Vec<Standing> = plan.derivations.iter().map(|_| Standing::Waits).collect();
    for level in levels(plan) {
        let mut candidates = Vec::new();
        for at in level {
            if let Some(Some(realised)) = found.get(at) {
                standings[at] = Standing::Known { id: realised.id, output: realised.output };
                continue;
            }
            let derivation = &plan.derivations[at];
            match candidate(at, derivation, caches, &standings) {
                Some(candidate) => candidates.push(candidate),
                None if derivation.inputs.is_empty() => standings[at] = Standing::Missing,
                None => {}
            }
        }
        look_up(plan, store, &candidates, asked, &mut standings)?;
    }
    Ok(standings)
}

/// Positions by their distance from steps without inputs.
fn levels(plan: &Plan) -> Vec<Vec<usize>> {
    let mut depths: Vec<usize> = Vec::with_capacity(plan.derivations.len());
    let mut levels: Vec<Vec<usize>> = Vec::new();
    for (at, derivation) in plan.derivations.iter().enumerate() {
        let below = derivation.inputs.iter().map(|input| depths[input.from.0] + 1).max();
        let depth = below.unwrap_or(0);
        depths.push(depth);
        if levels.len() <= depth {
            levels.resize_with(depth + 1, Vec::new);
        }
        levels[depth].push(at);
    }
    levels
}

/// The step with its identity, if all its inputs are known, or all its files are as they were.
fn candidate(
    at: usize,
    derivation: &Derivation,
    caches: &StatCaches,
    standings: &[Standing],
) -> Option<Candidate> {
    let builder = derivation.builder.as_ref();
    if builder.is_import() {
        let output = builder.recall(caches)?;
        let id = Fields::of_import(builder, &output).id();
        return Some(Candidate { at, id, recalled: Some(output) });
    }
    let input = |input: &Input| Some((input.role.clone(), *standings[input.from.0].output()?));
    let inputs = derivation.inputs.iter().map(input).collect::<Option<Vec<_>>>()?;
    let id = Fields::with_inputs(builder, &Inputs::new(inputs)).id();
    Some(Candidate { at, id, recalled: None })
}

/// Looks all candidates up at once.
fn look_up(
    plan: &Plan,
    store: &dyn Store,
    candidates: &[Candidate],
    asked: Asked,
    standings: &mut [Standing],
) -> Result<(), Failure> {
    let ids: Vec<DerivationId> = candidates.iter().map(|candidate| candidate.id).collect();
    let outputs = match asked {
        Asked::Recorded => store.recorded(&ids)?,
        Asked::Whole => store.realisations(&ids)?,
    };
    for (Candidate { at, id, recalled }, output) in candidates.iter().zip(outputs) {
        standings[*at] = match output {
            Some(output) if recalled.is_none_or(|recalled| recalled == output) => {
                let label = &plan.derivations[*at].label;
                tracing::info!("known {label}: {id} → {}", output_name(&output));
                Standing::Known { id: *id, output }
            }
            _ => Standing::Missing,
        };
    }
    Ok(())
}

/// The fields of a step as far as they are known: those of inputs that must run first are open.
pub(crate) fn fields(derivation: &Derivation, standings: &[Standing]) -> Fields {
    let input = |input: &Input| InputField {
        role: input.role.clone(),
        output: standings[input.from.0].output().map(output_name),
    };
    let inputs = derivation.inputs.iter().map(input).collect();
    Fields::of(derivation.builder.as_ref(), inputs)
}
