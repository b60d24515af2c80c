//! Drift: where a lock and the definitions say different things.

use std::collections::BTreeSet;

use mediabuild_schema::{DeclaredInput, Definitions, Diagnostic, LockKind, LockLine};

use super::required::{Required, is_fetched};
use super::{Found, Lock, declared};
use crate::failure::Failure;

/// What no build may pass over: an entry whose definition says something else now, since building
/// with it would take old content for what is declared; and a file that is fetched without a pin.
pub(crate) fn stale(definitions: &Definitions, lock: &Lock) -> Vec<Diagnostic> {
    if lock.lines().is_empty() && !definitions.fetches() {
        return Vec::new();
    }
    let inputs = definitions.inputs();
    let orphans = orphans(&inputs, lock);
    let drift = |input: &DeclaredInput<'_>| match lock.find(&input.name, &input.declaration) {
        Found::Pinned(_) => None,
        Found::Other => {
            let orphan = orphans.iter().find(|line| line.entry.name == input.name);
            orphan.map(|orphan| declared_otherwise(input, orphan))
        }
        Found::Nothing => is_fetched(input).then(|| fetched_unpinned(input, &orphans)),
    };
    inputs.iter().filter_map(drift).collect()
}

fn declared_otherwise(input: &DeclaredInput<'_>, orphan: &LockLine) -> Diagnostic {
    let message = format!("`{}` is declared in another way than when it was pinned", input.name);
    Diagnostic::error("stale-pin", input.span(), message)
        .label("changed since")
        .also(orphan.span, "pinned here")
        .help("mediabuild lock pins what is declared now")
}

fn fetched_unpinned(input: &DeclaredInput<'_>, orphans: &[&LockLine]) -> Diagnostic {
    let message = format!("`{}` is fetched, and no lock pins it", input.name);
    let diagnostic = Diagnostic::error("not-pinned", input.span(), message)
        .label("may be anything")
        .help("mediabuild lock fetches and pins it");
    match orphans.iter().find(|line| line.entry.kind == LockKind::Url) {
        Some(orphan) => diagnostic.also(orphan.span, "this pins what nothing declares any more"),
        None => diagnostic,
    }
}

/// What `--locked` refuses besides: an input that must be pinned and is not, and an entry that
/// nothing declares.
pub(crate) fn loose(
    definitions: &Definitions,
    lock: &Lock,
    required: &Required,
) -> Result<Vec<Diagnostic>, Failure> {
    let mut diagnostics = Vec::new();
    let inputs = definitions.inputs();
    for input in &inputs {
        let is_pinned = matches!(lock.find(&input.name, &input.declaration), Found::Pinned(_));
        if is_pinned || !required.must_be_pinned(input)? {
            continue;
        }
        let message = format!("`{}` is not tracked by git, and no lock pins it", input.name);
        diagnostics.push(
            Diagnostic::error("not-pinned", input.span(), message)
                .label("may be anything")
                .help("mediabuild lock, and commit mediabuild.lock"),
        );
    }
    for line in orphans(&inputs, lock) {
        let message = format!("nothing declares `{}`", line.entry.name);
        diagnostics.push(
            Diagnostic::error("orphaned-pin", line.span, message)
                .label("pinned for nothing")
                .help("remove the line, or: mediabuild lock"),
        );
    }
    Ok(diagnostics)
}

/// The entries that are of no input as it is declared.
pub(crate) fn orphans<'a>(inputs: &[DeclaredInput<'_>], lock: &'a Lock) -> Vec<&'a LockLine> {
    let wanted: BTreeSet<(&str, String)> =
        inputs.iter().map(|input| (input.name.as_str(), declared(&input.declaration))).collect();
    let is_wanted = |line: &&LockLine| {
        wanted.contains(&(line.entry.name.as_str(), line.entry.declared.clone()))
    };
    lock.lines().iter().filter(|line| !is_wanted(line)).collect()
}
