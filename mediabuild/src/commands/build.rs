//! `mediabuild build`: definitions → plan → jobs → results.

use std::path::{Path, PathBuf};
use std::time::Instant;

use mediabuild_store::{DiskStore, Output, Store};
use serde_json::json;

use super::disc_set;
use super::leftover;
use super::target::{self, Request};
use crate::cli::{Arguments, Build};
use crate::engine::{self, Built, Manner};
use crate::export::{Exported, Retired, export, is_in_place, retire};
use crate::failure::{Failure, FailureKind};
use crate::history::History;
use crate::parse_cache::ParsedFiles;
use crate::plan::{Plan, Target};
use crate::preflight::check_space;
use crate::progress::{Progress, print_failure};
use crate::project::Project;
use crate::realise::{How, Realised};
use crate::reason::Past;
use crate::schedule::{Outcome, Policy};
use crate::size::{counted, human};
use crate::survey::Standing;
use crate::timeline::Kind::{Export, Phase};
use crate::timeline::{self, Timeline};
use crate::{cancel, derivation, lock, open_store, secret};

/// Builds the targets and writes their results.
pub(super) fn run(
    build: &Build,
    arguments: &Arguments,
    progress: &Progress,
) -> Result<(), Failure> {
    engine::size_pool(build.jobs);
    let existing = open_store::existing(arguments.store.as_ref());
    let parsed = ParsedFiles::of(existing.as_ref().filter(|_| !build.paranoid));
    let mut request = target::resolve(&build.targets, arguments, &parsed, progress)?;
    request.project.offline = build.offline;
    if build.locked {
        request.project.refuse_drift(arguments.format, progress)?;
    }
    let made = open_store::or_made(&existing, arguments.store.as_ref(), progress)?;
    let store = existing.as_ref().or(made.as_ref()).expect("it is there, or was made");
    parsed.keep_in(store);
    lock::roots::remember(store, &request.project.lock)?;
    let key = store.secret_key()?;
    let plan = target::plan_of(&request, &|reference| secret::look_up(reference, &key))?;
    let out = result_folder(build, &request);
    refuse_inputs(&plan, &request, &out)?;
    cancel::listen();
    let history = History::load(store, &request.project.folder)?;
    let keys = derivation::keys(&plan.derivations);
    let past = Past { plan: &plan, keys: &keys, store, history: &history };
    let mut timeline = Timeline::new(progress.started());
    timeline.phase(Phase, "definitions and plan", progress.started(), 0);
    let survey_began = Instant::now();
    let manner = manner(build);
    let standings =
        engine::standings(past, manner, |recorded| are_in_place(&plan, recorded, store, &out))?;
    if !build.no_space_check {
        check_space(past, &standings, store.folder(), progress)?;
    }
    let mut built = engine::build(past, standings, manner, progress)?;
    timeline.phase_until(Phase, "survey", survey_began, built.surveyed);
    timeline.jobs(&plan, &built);
    let mut failed = (!built.outcome.failures.is_empty())
        .then(|| all_reported(&mut built.outcome, &plan, arguments, progress));
    if failed.is_none() || (build.keep_going && !cancel::is_cancelled()) {
        let exported = export_all(&plan, &built, store, &request, build, &mut timeline, progress);
        if let Err(failure) = exported {
            failed = Some(told(failed, failure, progress));
        } else {
            leftover::tell(store, &request.project, &out, progress)?;
            summarise(&built, &plan, progress);
        }
    }
    if let Some(path) = &build.timings {
        timeline.finish();
        write_timings(&timeline, path, &request.project.folder, progress)?;
    }
    failed.map_or(Ok(()), Err)
}

/// The page, and beside it the trace.
fn write_timings(
    timeline: &Timeline,
    path: &Path,
    project: &Path,
    progress: &Progress,
) -> Result<(), Failure> {
    let project = std::path::absolute(project).unwrap_or_else(|_| project.to_owned());
    let title = project.file_name().map_or("build".into(), |name| name.to_string_lossy());
    let trace = path.with_extension("trace.json");
    for (path, text) in [
        (path, timeline::html::render(timeline, &title)),
        (&trace, timeline::trace::render(timeline)),
    ] {
        std::fs::write(path, text).map_err(|error| Failure::io("write", path, &error))?;
    }
    progress.line(&format!("timings: {} and {}", path.display(), trace.display()));
    Ok(())
}

fn manner(build: &Build) -> Manner {
    let policy = if build.keep_going { Policy::KeepGoing } else { Policy::StopAtFailure };
    Manner { jobs: build.jobs, policy, check: build.check, paranoid: build.paranoid }
}

/// Exports every target that was made. To keep going is to try them all; the first failure is
/// given, the others are told.
fn export_all(
    plan: &Plan,
    built: &Built,
    store: &DiskStore,
    request: &Request,
    build: &Build,
    timeline: &mut Timeline,
    progress: &Progress,
) -> Result<(), Failure> {
    let out = &result_folder(build, request);
    let mut failed = None;
    for target in &plan.targets {
        let Some(output) = built.output(target.derivation.0) else { continue };
        let began = Instant::now();
        match export_target(store, target, output, out, &request.project, progress) {
            Ok(exported) => {
                let written = if exported.unchanged { 0 } else { exported.size_bytes };
                let place = target.place(output);
                timeline.phase(Export, &format!("write {place}"), began, written);
                tell(target, &exported, progress);
                disc_set::tell(store, target, output, progress);
                retire_other(store, target, output, out, &request.project, progress)?;
            }
            Err(failure) if build.keep_going && failure.kind != FailureKind::Cancelled => {
                failed = Some(told(failed, failure, progress));
            }
            Err(failure) => return Err(failure),
        }
    }
    failed.map_or(Ok(()), Err)
}

/// Tells a failure that another follows; the last is told by who gets it.
fn told(earlier: Option<Failure>, failure: Failure, progress: &Progress) -> Failure {
    if let Some(earlier) = earlier {
        progress.failure(&earlier);
    }
    failure
}

/// Whether the results of all targets are where an earlier build put them.
fn are_in_place(
    plan: &Plan,
    standings: &[Standing],
    store: &DiskStore,
    out: &Path,
) -> Result<bool, Failure> {
    for target in &plan.targets {
        let Some(output) = standings[target.derivation.0].output() else { return Ok(false) };
        if !is_in_place(store, output, &out.join(target.place(output)))? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn result_folder(build: &Build, request: &Request) -> PathBuf {
    build.out.clone().unwrap_or_else(|| request.project.folder.join("result"))
}

/// A result never replaces an input, nor a folder with inputs in it.
fn refuse_inputs(plan: &Plan, request: &Request, out: &Path) -> Result<(), Failure> {
    let inputs: Result<Vec<PathBuf>, Failure> =
        request.project.inputs.paths().map(absolute).collect();
    let inputs = inputs?;
    for target in &plan.targets {
        for place in target.places() {
            let result = absolute(&out.join(place))?;
            if inputs.iter().any(|input| input.starts_with(&result)) {
                let message = format!("the result `{}` would replace an input", result.display());
                return Err(Failure::usage(message).help("choose another place with `--out`"));
            }
        }
    }
    Ok(())
}

/// A path from the root, as it is written.
pub(super) fn absolute(path: &Path) -> Result<PathBuf, Failure> {
    std::path::absolute(path).map_err(|error| Failure::io("resolve", path, &error))
}

/// Prints every failure and what was left undone, and gives the one whose exit code counts.
fn all_reported(
    outcome: &mut Outcome<Realised>,
    plan: &Plan,
    arguments: &Arguments,
    progress: &Progress,
) -> Failure {
    let failures = std::mem::take(&mut outcome.failures);
    // What failed before Ctrl-C is told all the same.
    let is_stop = |failure: &Failure| failure.kind == FailureKind::Cancelled;
    for (_, failure) in failures.iter().filter(|(_, failure)| !is_stop(failure)) {
        print_failure(arguments.format, failure);
    }
    if failures.iter().any(|(_, failure)| is_stop(failure)) || cancel::is_cancelled() {
        return Failure::cancelled();
    }
    for (job, failed) in &outcome.skipped {
        let (job, failed) = (&plan.derivations[*job].label, &plan.derivations[*failed].label);
        progress.json(json!({ "event": "skipped", "job": job, "failed": failed }));
        progress.line(&format!("  skipped {job}: it needs {failed}"));
    }
    let failures = failures.into_iter().map(|(_, failure)| failure);
    let worst = failures.max_by_key(|failure| failure.kind == FailureKind::Environment);
    worst.expect("there is a failure").already_printed()
}

fn export_target(
    store: &DiskStore,
    target: &Target,
    output: &Output,
    out: &Path,
    project: &Project,
    progress: &Progress,
) -> Result<Exported, Failure> {
    let project = absolute(&project.folder)?;
    export(store, output, &out.join(target.place(output)), &project, progress)
        .map_err(|failure| failure.while_doing(format!("writing {} {}", target.kind, target.name)))
}

/// One disc that became several, or several that became one: the old result must not stay beside
/// the new one, where it would be taken for it.
fn retire_other(
    store: &DiskStore,
    target: &Target,
    output: &Output,
    out: &Path,
    project: &Project,
    progress: &Progress,
) -> Result<(), Failure> {
    let Some(other) = target.other_place(output) else { return Ok(()) };
    let other = out.join(other);
    let shown = shortest(&other).display().to_string();
    match retire(store, &other, &absolute(&project.folder)?)? {
        Retired::Nothing => {}
        Retired::Removed => progress.line(&format!("removed the old result {shown}")),
        Retired::Changed => progress.warning(&format!(
            "{shown} is an old result, and it was changed since: remove it, or it may be taken for \
             the new one"
        )),
        // A folder that is called like an ISO is nobody's concern.
        Retired::Foreign if target.folder.is_none() => {}
        Retired::Foreign => progress.warning(&format!(
            "{shown} is not of this build: remove it, or it may be taken for the result"
        )),
    }
    Ok(())
}

fn tell(target: &Target, exported: &Exported, progress: &Progress) {
    let path = shortest(&exported.path);
    progress.json(json!({
        "event": "result",
        "target": format!("{}:{}", target.kind, target.name),
        "path": exported.path.display().to_string(),
        "bytes": exported.size_bytes,
        "blake3": exported.digest,
        "unchanged": exported.unchanged,
    }));
    let size = human(exported.size_bytes);
    let note = if exported.unchanged { "  (unchanged)" } else { "" };
    progress.result(&format!("{}  {size}  {}{note}", exported.digest, path.display()));
}

/// Relative to the working folder, where it lies below it.
pub(super) fn shortest(path: &Path) -> &Path {
    let here = std::env::current_dir().ok();
    here.as_deref().and_then(|here| path.strip_prefix(here).ok()).unwrap_or(path)
}

fn summarise(built: &Built, plan: &Plan, progress: &Progress) {
    let is_import = |at: &usize| plan.derivations[*at].builder.is_import();
    let exists = |at: &usize| built.output(*at).is_some();
    let all = || (0..plan.derivations.len()).filter(exists);
    let imported = all().filter(is_import).count();
    let ran = built.count(How::Built);
    let known = all().count() - imported - ran;
    let seconds = progress.elapsed().as_secs_f64();
    progress.json(json!({
        "event": "summary", "built": ran, "known": known, "inputs": imported, "seconds": seconds,
    }));
    progress.line(&format!(
        "{ran} built, {known} known already, {} in {seconds:.1} s",
        counted(imported, "input")
    ));
}
