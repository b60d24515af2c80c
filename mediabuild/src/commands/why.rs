//! `mediabuild why`: why a target is to be built again, or was; and why it needs something.

use std::collections::{BTreeSet, VecDeque};
use std::path::Path;

use mediabuild_store::Store;
use serde_json::json;

use super::target;
use crate::cli::{Arguments, Targets, Why};
use crate::derivation::Fields;
use crate::engine::{self, Manner};
use crate::failure::Failure;
use crate::history::{self, History};
use crate::parse_cache::ParsedFiles;
use crate::plan::Plan;
use crate::progress::Progress;
use crate::reason::{Past, RebuildReason};
use crate::schedule::Policy;
use crate::survey::{self, Asked, Standing, survey};
use crate::{cancel, derivation, open_store, secret, size};

/// Explains.
pub(super) fn run(why: &Why, arguments: &Arguments, progress: &Progress) -> Result<(), Failure> {
    let targets = Targets { targets: targets(why) };
    let existing = open_store::existing(arguments.store.as_ref());
    let parsed = ParsedFiles::of(existing.as_ref());
    let request = target::resolve(&targets, arguments, &parsed, progress)?;
    if let Some(other) = &why.dependency {
        let plan = target::plan_of(&request, &target::unresolved)?;
        return explain_dependency(&plan, other, progress);
    }
    let made = open_store::or_made(&existing, arguments.store.as_ref(), progress)?;
    let store = existing.as_ref().or(made.as_ref()).expect("it is there, or was made");
    let key = store.secret_key()?;
    let plan = target::plan_of(&request, &|reference| secret::look_up(reference, &key))?;
    cancel::listen();
    let history = History::load(store, &request.project.folder)?;
    let keys = derivation::keys(&plan.derivations);
    let past = Past { plan: &plan, keys: &keys, store, history: &history };
    let standings = look(past, progress)?;
    for target in &plan.targets {
        let mut explanation = Explanation::new(past, &standings, progress);
        explanation.tell(target.derivation.0)?;
    }
    Ok(())
}

fn targets(why: &Why) -> Vec<String> {
    let project = why.project.iter().map(|project| project.display().to_string());
    project.chain(why.target.clone()).collect()
}

/// Where every step stands once all inputs have been looked at: one that changed is read now, so
/// that what is said of it is true.
fn look(past: Past<'_>, progress: &Progress) -> Result<Vec<Standing>, Failure> {
    let manner =
        Manner { jobs: None, policy: Policy::StopAtFailure, check: false, paranoid: false };
    let caches = engine::stat_caches(past, false)?;
    let standings = survey(past.plan, past.store, &caches, &[], Asked::Whole)?;
    let is_import = |at: &usize| past.plan.derivations[*at].builder.is_import();
    let imports: Vec<usize> = (0..standings.len()).filter(is_import).collect();
    let mut looked = engine::run(past, standings, &imports, manner, progress)?;
    match looked.outcome.failures.pop() {
        Some((_, failure)) => Err(failure),
        None => survey(past.plan, past.store, &caches, &looked.outcome.results, Asked::Whole),
    }
}

/// The reasons of one target, told from the target down.
struct Explanation<'a> {
    past: Past<'a>,
    standings: &'a [Standing],
    progress: &'a Progress,
    /// Steps that were told: a second time says nothing new.
    told: BTreeSet<String>,
}

impl<'a> Explanation<'a> {
    fn new(past: Past<'a>, standings: &'a [Standing], progress: &'a Progress) -> Self {
        Explanation { past, standings, progress, told: BTreeSet::new() }
    }

    fn tell(&mut self, at: usize) -> Result<(), Failure> {
        let step = &self.past.keys[at];
        let Standing::Known { id, .. } = &self.standings[at] else {
            self.headline(step, "to-build", "will be built");
            return self.reasons(at, 1);
        };
        match history::log(self.past.store, id)? {
            None => self.headline(step, "up-to-date", "is up to date"),
            Some(log) => {
                let words = format!(
                    "is up to date; built {} in {}",
                    size::time(log.ended_seconds),
                    size::duration_ms(log.took_ms)
                );
                self.headline(step, "up-to-date", &words);
                self.reasons(at, 1)?;
            }
        }
        Ok(())
    }

    fn headline(&self, step: &str, state: &str, words: &str) {
        self.progress.json(json!({ "event": "target", "step": step, "state": state }));
        self.progress.result(&format!("{step} {words}"));
    }

    /// Tells the reasons of a step, each followed by those that lie behind it.
    fn reasons(&mut self, at: usize, depth: usize) -> Result<(), Failure> {
        let step = self.past.keys[at].clone();
        if !self.told.insert(step.clone()) {
            return Ok(());
        }
        for reason in self.reasons_of(at)? {
            self.reason(at, &step, &reason, depth)?;
        }
        Ok(())
    }

    fn reason(
        &mut self,
        at: usize,
        step: &str,
        reason: &RebuildReason,
        depth: usize,
    ) -> Result<(), Failure> {
        let behind = reason.behind().and_then(|step| self.position(at, step));
        // What an import found is told as what its one user's files did.
        if let Some(import) =
            behind.filter(|&at| self.past.plan.derivations[at].builder.is_import())
        {
            let found = self.reasons_of(import)?;
            if !found.is_empty() && !found.contains(&RebuildReason::NeverBuilt) {
                for reason in &found {
                    self.line(step, reason, depth);
                }
                return Ok(());
            }
        }
        self.line(step, reason, depth);
        match behind {
            Some(behind) => self.reasons(behind, depth + 1),
            None => Ok(()),
        }
    }

    /// Why a step is not what it was at the last build; of one that is, why that build made it.
    fn reasons_of(&self, at: usize) -> Result<Vec<RebuildReason>, Failure> {
        let Standing::Known { id, output } = &self.standings[at] else {
            let reasons = self.past.reasons(at, &self.fields(at), None)?;
            return Ok(if reasons.is_empty() { vec![RebuildReason::OutputLost] } else { reasons });
        };
        match self.past.history.last(&self.past.keys[at]) {
            Some(last) if last == *id => {
                let log = history::log(self.past.store, id)?;
                Ok(log.map(|log| log.reasons).unwrap_or_default())
            }
            Some(_) => self.past.reasons(at, &self.fields(at), Some(output)),
            // Another project has made it, for reasons of its own.
            None => Ok(Vec::new()),
        }
    }

    fn fields(&self, at: usize) -> Fields {
        let derivation = &self.past.plan.derivations[at];
        match self.standings[at].output() {
            Some(found) if derivation.builder.is_import() => {
                Fields::of_import(derivation.builder.as_ref(), found)
            }
            _ => survey::fields(derivation, self.standings),
        }
    }

    /// The input of `at` that is called `step`.
    fn position(&self, at: usize, step: &str) -> Option<usize> {
        let mut inputs = self.past.plan.derivations[at].inputs.iter().map(|input| input.from.0);
        inputs.find(|&input| self.past.keys[input] == step)
    }

    fn line(&self, step: &str, reason: &RebuildReason, depth: usize) {
        let sentence = reason.sentence();
        self.progress.json(json!({
            "event": "reason", "step": step, "depth": depth, "reason": reason, "sentence": sentence,
        }));
        self.progress.result(&format!("{:width$}{step}: {sentence}", "", width = 2 * depth));
    }
}

/// `why A B`: the shortest way from A down to B.
fn explain_dependency(plan: &Plan, other: &str, progress: &Progress) -> Result<(), Failure> {
    let target = plan.targets.first().expect("one target was asked for").derivation.0;
    let keys = derivation::keys(&plan.derivations);
    let is_meant =
        |at: usize| at != target && names(&keys[at], plan.derivations[at].builder.reads(), other);
    let Some(way) = shortest_way(plan, target, &is_meant) else {
        progress.json(json!({ "event": "way", "steps": [] }));
        let message = format!("{} does not depend on `{other}`", keys[target]);
        return Err(Failure::build(message).help("mediabuild graph shows what it depends on"));
    };
    progress.json(json!({
        "event": "way",
        "steps": way.iter().map(|(at, role)| json!({ "step": keys[*at], "as": role })).collect::<Vec<_>>(),
    }));
    for (depth, (at, role)) in way.iter().enumerate() {
        let role = role.as_ref().map(|role| format!(" (as {role})")).unwrap_or_default();
        progress.result(&format!("{:width$}{}{role}", "", keys[*at], width = 2 * depth));
    }
    Ok(())
}

/// Whether a user who types `text` may mean the step `key`: its whole name, its name without the
/// kind (`kind:name` and `name`), or a file or folder in what an import `reads` (the end of its path
/// is enough).
fn names(key: &str, reads: Option<&str>, text: &str) -> bool {
    let (kind, name) = key.split_once(' ').unwrap_or(("", key));
    if key == text || name == text || text.split_once(':') == Some((kind, name)) {
        return true;
    }
    reads.is_some_and(|path| Path::new(text).starts_with(path) || Path::new(path).ends_with(text))
}

/// The steps from `from` to the nearest that `is_meant`, each with the role it fills above.
fn shortest_way(
    plan: &Plan,
    from: usize,
    is_meant: &dyn Fn(usize) -> bool,
) -> Option<Vec<(usize, Option<String>)>> {
    let mut above: Vec<Option<(usize, String)>> = vec![None; plan.derivations.len()];
    let mut queue = VecDeque::from([from]);
    let mut seen = BTreeSet::from([from]);
    while let Some(at) = queue.pop_front() {
        if is_meant(at) {
            let mut way = Vec::new();
            let mut next = Some(at);
            while let Some(at) = next {
                let role = above[at].as_ref().map(|(_, role)| role.clone());
                way.push((at, role));
                next = above[at].as_ref().map(|(parent, _)| *parent);
            }
            way.reverse();
            return Some(way);
        }
        for input in &plan.derivations[at].inputs {
            if seen.insert(input.from.0) {
                above[input.from.0] = Some((at, input.role.clone()));
                queue.push_back(input.from.0);
            }
        }
    }
    None
}
