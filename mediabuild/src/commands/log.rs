//! `mediabuild log`: how the steps of a target were made last.

use mediabuild_store::{DerivationId, MemoryStore, Store};
use serde_json::json;

use super::target;
use crate::cli::{Arguments, LogArguments};
use crate::failure::Failure;
use crate::history::{self, History, Log};
use crate::parse_cache::ParsedFiles;
use crate::progress::Progress;
use crate::size::{duration_ms, human, time};
use crate::{derivation, open_store};

/// Prints when each step was made, how long it took, why, and what it warned of.
pub(super) fn run(
    log: &LogArguments,
    arguments: &Arguments,
    progress: &Progress,
) -> Result<(), Failure> {
    let existing = open_store::existing(arguments.store.as_ref());
    let parsed = ParsedFiles::of(existing.as_ref());
    let request = target::resolve(&log.targets, arguments, &parsed, progress)?;
    let plan = target::plan_of(&request, &target::unresolved)?;
    let empty = MemoryStore::default();
    let store: &dyn Store = existing.as_ref().map_or(&empty, |store| store);
    let history = History::load(store, &request.project.folder)?;
    for key in derivation::keys(&plan.derivations) {
        let id = history.last(&key);
        let log = id.map(|id| history::log(store, &id)).transpose()?.flatten();
        match (id, log) {
            (Some(id), Some(log)) => tell(&key, &id, &log, progress),
            (Some(_), None) => tell_unknown(&key, "its log is gone", progress),
            (None, _) => tell_unknown(&key, "was not built here yet", progress),
        }
    }
    Ok(())
}

fn tell(key: &str, id: &DerivationId, log: &Log, progress: &Progress) {
    progress.json(json!({ "event": "log", "step": key, "id": id.to_string(), "log": log }));
    progress.result(&format!(
        "{key}: {} {} in {}, {}",
        log.how,
        time(log.ended_seconds),
        duration_ms(log.took_ms),
        human(log.bytes)
    ));
    for reason in &log.reasons {
        progress.result(&format!("    {}", reason.sentence()));
    }
    for warning in &log.warnings {
        progress.result(&format!("    warning: {warning}"));
    }
}

fn tell_unknown(key: &str, words: &str, progress: &Progress) {
    progress.json(json!({ "event": "log", "step": key, "log": null }));
    progress.result(&format!("{key}: {words}"));
}
