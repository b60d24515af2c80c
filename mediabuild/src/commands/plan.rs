//! `mediabuild plan`: the steps of a build in order, which of them are known, which would run and
//! why, and how much that is.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::time::Duration;

use mediabuild_schema::definition::SecretReference;
use mediabuild_store::{MemoryStore, Store};
use serde_json::json;

use super::{disc_set, target};
use crate::builders::{BUILDERS, BuilderVersion};
use crate::cli::{Arguments, Plan as PlanArguments};
use crate::derivation::{self, Derivation};
use crate::engine::{self, Manner};
use crate::failure::Failure;
use crate::history::History;
use crate::parse_cache::ParsedFiles;
use crate::plan::Plan;
use crate::progress::Progress;
use crate::reason::{Past, RebuildReason};
use crate::schedule::Policy;
use crate::secret::{Secret, reference_text};
use crate::size::{counted, duration_ms, human};
use crate::survey::{self, Asked, Standing, survey};
use crate::{open_store, secret};

/// Prints the plan; builds nothing, reads no input, makes no store.
pub(super) fn run(
    arguments: &PlanArguments,
    global: &Arguments,
    progress: &Progress,
) -> Result<(), Failure> {
    for BuilderVersion { name, version } in BUILDERS {
        progress.json(json!({ "event": "builder", "name": name, "version": version }));
    }
    let existing = open_store::existing(global.store.as_ref());
    let parsed = ParsedFiles::of(existing.as_ref().filter(|_| !arguments.paranoid));
    let request = target::resolve(&arguments.targets, global, &parsed, progress)?;
    let empty = MemoryStore::default();
    let store: &dyn Store = existing.as_ref().map_or(&empty, |store| store);
    let secrets = Secrets::new(store)?;
    let plan = target::plan_of(&request, &|reference| secrets.look_up(reference))?;
    secrets.tell_unset(progress);
    let history = History::load(store, &request.project.folder)?;
    let keys = derivation::keys(&plan.derivations);
    let past = Past { plan: &plan, keys: &keys, store, history: &history };
    let caches = engine::stat_caches(past, arguments.paranoid)?;
    let standings = survey(&plan, store, &caches, &[], Asked::Whole)?;
    for at in 0..plan.derivations.len() {
        tell(past, at, &standings, global, progress)?;
    }
    tell_targets(&plan, &standings, store, progress);
    summarise(past, &standings, progress)
}

/// Secrets that are set count by their value. One that is not is no reason to show no plan.
struct Secrets {
    key: [u8; 32],
    unset: RefCell<BTreeSet<String>>,
}

impl Secrets {
    fn new(store: &dyn Store) -> Result<Self, Failure> {
        Ok(Secrets { key: store.secret_key()?, unset: RefCell::default() })
    }

    fn look_up(&self, reference: &SecretReference) -> Result<Secret, Failure> {
        Ok(secret::look_up(reference, &self.key).unwrap_or_else(|_| {
            let reference = reference_text(reference);
            self.unset.borrow_mut().insert(reference.clone());
            Secret::new(reference, String::new(), &self.key)
        }))
    }

    fn tell_unset(&self, progress: &Progress) {
        for reference in self.unset.borrow().iter() {
            progress.warning(&format!(
                "the secret `{reference}` is not set: what uses it is shown as if it had changed"
            ));
        }
    }
}

fn tell(
    past: Past<'_>,
    at: usize,
    standings: &[Standing],
    global: &Arguments,
    progress: &Progress,
) -> Result<(), Failure> {
    let derivation = &past.plan.derivations[at];
    let fields = survey::fields(derivation, standings);
    let reasons = match &standings[at] {
        Standing::Missing if !derivation.builder.is_import() => past.reasons(at, &fields, None)?,
        _ => Vec::new(),
    };
    let (state, words) = state(past, at, standings, &reasons);
    progress.json(json!({
        "event": "derivation",
        "derivation": at,
        "label": derivation.label,
        "builder": fields.builder,
        "version": fields.version,
        "options": fields.options,
        "inputs": derivation.inputs.iter().map(|input| json!({ "role": input.role, "from": input.from.0 })).collect::<Vec<_>>(),
        "state": state,
        "id": id_of(&standings[at]),
        "reasons": reasons,
    }));
    progress.result(&format!("{at:>4}   {}{}  {words}", derivation.label, after(derivation)));
    if global.verbose > 0 {
        progress.result(&format!("       {}", fields.options));
    }
    Ok(())
}

fn id_of(standing: &Standing) -> Option<String> {
    match standing {
        Standing::Known { id, .. } => Some(id.to_string()),
        _ => None,
    }
}

fn after(derivation: &Derivation) -> String {
    let from: Vec<String> =
        derivation.inputs.iter().map(|input| input.from.0.to_string()).collect();
    if from.is_empty() { String::new() } else { format!("  after {}", from.join(", ")) }
}

/// Where a step stands, as a word and as a phrase.
fn state(
    past: Past<'_>,
    at: usize,
    standings: &[Standing],
    reasons: &[RebuildReason],
) -> (&'static str, String) {
    let derivation = &past.plan.derivations[at];
    match &standings[at] {
        Standing::Known { .. } => ("known", "known".into()),
        Standing::Missing if derivation.builder.is_import() => {
            let bytes = derivation.builder.total_bytes();
            let size = bytes.map(|bytes| format!(", {}", human(bytes))).unwrap_or_default();
            let news = match past.history.last(&past.keys[at]) {
                Some(_) => "changed: will be read",
                None => "will be read",
            };
            ("read", format!("{news}{size}"))
        }
        Standing::Missing => {
            let reason = reasons.first().unwrap_or(&RebuildReason::OutputLost).sentence();
            let more = match reasons.len() {
                0 | 1 => String::new(),
                count => format!(" (and {})", counted(count - 1, "other reason")),
            };
            ("run", format!("will run: {reason}{more}"))
        }
        Standing::Waits => {
            let open = derivation.inputs.iter().filter(|i| standings[i.from.0].output().is_none());
            ("depends", format!("depends on {}", counted(open.count(), "step")))
        }
    }
}

fn tell_targets(plan: &Plan, standings: &[Standing], store: &dyn Store, progress: &Progress) {
    for target in &plan.targets {
        let at = target.derivation.0;
        let output = standings[at].output();
        let result = output.map_or(target.result.as_str(), |output| target.place(output));
        progress.json(json!({
            "event": "target",
            "target": format!("{}:{}", target.kind, target.name),
            "derivation": at,
            "result": result,
        }));
        progress.result(&format!("{at:>4} → {result}"));
        if let Some(output) = output {
            disc_set::tell(store, target, output, progress);
        }
    }
}

/// How much there is to do, and how long that may take.
fn summarise(past: Past<'_>, standings: &[Standing], progress: &Progress) -> Result<(), Failure> {
    let open = |at: &usize| standings[*at].output().is_none();
    let open: Vec<usize> = (0..standings.len()).filter(open).collect();
    let is_import = |at: &&usize| past.plan.derivations[**at].builder.is_import();
    let reads: Vec<u64> = open
        .iter()
        .filter(is_import)
        .map(|&at| past.plan.derivations[at].builder.total_bytes().unwrap_or(0))
        .collect();
    let (steps, bytes) = (open.len() - reads.len(), reads.iter().sum::<u64>());
    let known = standings.len() - open.len();
    let manner =
        Manner { jobs: None, policy: Policy::StopAtFailure, check: false, paranoid: false };
    let estimate: Duration = engine::estimate(past, standings, manner)?;
    progress.json(json!({
        "event": "summary", "known": known, "inputs-to-read": reads.len(), "bytes-to-read": bytes,
        "steps-to-run-at-most": steps, "estimate-ms": estimate.as_millis() as u64,
    }));
    progress.line(&format!(
        "{}: {known} known, {} to read ({}), at most {} to run; about {}",
        counted(standings.len(), "step"),
        counted(reads.len(), "input"),
        human(bytes),
        steps,
        duration_ms(estimate.as_millis() as u64)
    ));
    Ok(())
}
