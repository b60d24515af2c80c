//! `mediabuild build`: definitions → plan → jobs → results.

use std::path::{Path, PathBuf};

use mediabuild_store::{DiskStore, Output, Store};
use serde_json::json;

use super::target::{self, Request};
use crate::builders::import_recall::StatCaches;
use crate::cli::{Arguments, Build};
use crate::derivation::Inputs;
use crate::export::{Exported, export};
use crate::failure::{Failure, FailureKind};
use crate::parse_cache::ParsedFiles;
use crate::plan::{Plan, Target};
use crate::progress::{Progress, print_failure};
use crate::realise::{How, Realised, realise};
use crate::size::{counted, human};
use crate::{cancel, lock, open_store, schedule, secret};

/// Builds the targets and writes their results.
pub(super) fn run(
    build: &Build,
    arguments: &Arguments,
    progress: &Progress,
) -> Result<(), Failure> {
    let existing = open_store::existing(arguments.store.as_ref());
    let parsed = ParsedFiles::of(existing.as_ref().filter(|_| !build.paranoid));
    let mut request = target::resolve(&build.targets, arguments, &parsed, progress)?;
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
    let realised = realise_all(&plan, build, arguments, store, progress)?;
    for target in &plan.targets {
        let output = &realised[target.derivation.0].as_ref().expect("targets are realised").output;
        let exported = export_target(store, target, output, &out, progress)?;
        tell(target, &exported, progress);
    }
    summarise(&realised, progress);
    Ok(())
}

fn result_folder(build: &Build, request: &Request) -> PathBuf {
    build.out.clone().unwrap_or_else(|| request.project.folder.join("result"))
}

/// A result never replaces an input, nor a folder with inputs in it.
fn refuse_inputs(plan: &Plan, request: &Request, out: &Path) -> Result<(), Failure> {
    let absolute = |path: &Path| {
        std::path::absolute(path).map_err(|error| Failure::io("resolve", path, &error))
    };
    for target in &plan.targets {
        let result = absolute(&out.join(&target.result))?;
        for input in request.project.inputs.paths() {
            let input = absolute(input)?;
            if input.starts_with(&result) {
                let message = format!("the result `{}` would replace an input", result.display());
                return Err(Failure::usage(message).help("choose another place with `--out`"));
            }
        }
    }
    Ok(())
}

fn realise_all(
    plan: &Plan,
    build: &Build,
    arguments: &Arguments,
    store: &DiskStore,
    progress: &Progress,
) -> Result<Vec<Option<Realised>>, Failure> {
    let jobs = build.jobs.map_or_else(processors, usize::from);
    schedule::size_leaf_pool(jobs);
    let inputs: Vec<Vec<usize>> = plan
        .derivations
        .iter()
        .map(|d| d.inputs.iter().map(|input| input.from.0).collect())
        .collect();
    let caches = match build.paranoid {
        true => StatCaches::default(),
        false => StatCaches::load(store, plan.derivations.iter().map(|d| d.builder.as_ref()))?,
    };
    let wanted: Vec<usize> = plan.targets.iter().map(|target| target.derivation.0).collect();
    let realised = schedule::run(&inputs, &wanted, jobs, |at, outputs: &[Realised]| {
        let derivation = &plan.derivations[at];
        let roles = derivation.inputs.iter().map(|input| input.role.clone());
        let outputs = outputs.iter().map(|realised| realised.output);
        let inputs = Inputs::new(roles.zip(outputs).collect());
        realise(derivation, &inputs, store, progress, &caches, build.paranoid)
    });
    realised.map_err(|failures| all_reported(failures, arguments))
}

/// Prints every failure and gives the one whose exit code counts.
fn all_reported(failures: Vec<Failure>, arguments: &Arguments) -> Failure {
    let cancelled = failures.iter().any(|failure| failure.kind == FailureKind::Cancelled);
    if cancelled || cancel::is_cancelled() {
        return Failure::cancelled();
    }
    for failure in &failures {
        print_failure(arguments.format, failure);
    }
    let worst = failures.into_iter().max_by_key(|failure| failure.kind == FailureKind::Environment);
    worst.expect("there is a failure").already_printed()
}

fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn export_target(
    store: &DiskStore,
    target: &Target,
    output: &Output,
    out: &Path,
    progress: &Progress,
) -> Result<Exported, Failure> {
    export(store, output, &out.join(&target.result), progress)
        .map_err(|failure| failure.while_doing(format!("writing {} {}", target.kind, target.name)))
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
fn shortest(path: &Path) -> &Path {
    let here = std::env::current_dir().ok();
    here.as_deref().and_then(|here| path.strip_prefix(here).ok()).unwrap_or(path)
}

fn summarise(realised: &[Option<Realised>], progress: &Progress) {
    let count = |how| realised.iter().flatten().filter(|realised| realised.how == how).count();
    let (built, known, imported) = (count(How::Built), count(How::Known), count(How::Imported));
    let seconds = progress.elapsed().as_secs_f64();
    progress.json(json!({
        "event": "summary", "built": built, "known": known, "inputs": imported, "seconds": seconds,
    }));
    progress.line(&format!(
        "{built} built, {known} known already, {} in {seconds:.1} s",
        counted(imported, "input")
    ));
}
