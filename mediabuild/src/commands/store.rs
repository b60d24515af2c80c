//! `mediabuild store`: looking after the store.

mod add;
mod pin;
mod verify;

use std::time::{SystemTime, UNIX_EPOCH};

use mediabuild_store::{DiskStore, GcOptions, Store};
use serde_json::json;

use crate::cli::{Arguments, StoreCommand, StoreGc};
use crate::derivation::output_name;
use crate::failure::Failure;
use crate::progress::Progress;
use crate::size::{counted, human};
use crate::{cancel, lock, open_store};

/// Runs one of its verbs.
pub(super) fn run(
    command: &StoreCommand,
    arguments: &Arguments,
    progress: &Progress,
) -> Result<(), Failure> {
    if matches!(command, StoreCommand::RebuildIndex) {
        return rebuild_index(arguments, progress);
    }
    let store = open_store::open(arguments.store.as_ref(), progress)?;
    match command {
        StoreCommand::Add(options) => add::run(options, &store, progress),
        StoreCommand::Verify(options) => verify::run(options, &store, progress),
        StoreCommand::Pin(options) => pin::pin(options, &store, arguments, progress),
        StoreCommand::Unpin(options) => pin::unpin(&options.name, &store, progress),
        StoreCommand::Roots => roots(&store, progress),
        StoreCommand::Gc(options) => gc(&store, options, progress),
        StoreCommand::Du => du(&store, progress),
        StoreCommand::RebuildIndex => unreachable!("it needs no index, so no open store"),
    }
}

fn gc(store: &DiskStore, options: &StoreGc, progress: &Progress) -> Result<(), Failure> {
    lock::roots::refresh(store)?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let keep_since = options.keep.map(|age| now.saturating_sub(age) as i64);
    let dry_run = options.dry_run;
    let job = progress.job("store gc", None);
    let mut seen_bytes = 0;
    let report = store.gc(
        &GcOptions { keep_since, max_bytes: options.max, dry_run },
        &mut |done_bytes, _| {
            job.advance(done_bytes.saturating_sub(seen_bytes));
            seen_bytes = done_bytes;
            !cancel::is_cancelled()
        },
    )?;
    job.finish("collected", false);
    progress.json(json!({
        "event": "collected",
        "dry_run": dry_run,
        "freed_bytes": report.freed_bytes,
        "kept_bytes": report.kept_bytes,
        "removed": report.removed_objects,
        "kept": report.kept_objects,
        "roots": report.removed_roots,
        "evicted": report.evicted_roots,
    }));
    for root in &report.removed_roots {
        progress.result(&format!("gone: {root}"));
    }
    for root in &report.evicted_roots {
        progress.result(&format!("not kept any more: {root}"));
    }
    progress.result(&format!(
        "{} {} of {}; {} left",
        human(report.freed_bytes),
        if dry_run { "would be freed" } else { "freed" },
        counted(report.removed_objects, "object"),
        human(report.kept_bytes),
    ));
    Ok(())
}

fn du(store: &DiskStore, progress: &Progress) -> Result<(), Failure> {
    let usage = store.usage(&store.roots()?)?;
    progress.result("    total  only it  shared");
    for root in &usage.roots {
        progress.json(json!({
            "event": "usage",
            "name": root.name,
            "total_bytes": root.total_bytes,
            "exclusive_bytes": root.exclusive_bytes,
            "shared_bytes": root.shared_bytes,
        }));
        progress.result(&format!(
            "{:>9} {:>8} {:>7}  {}",
            human(root.total_bytes),
            human(root.exclusive_bytes),
            human(root.shared_bytes),
            root.name,
        ));
    }
    let (all_bytes, dead_bytes) = (usage.all_bytes, usage.dead_bytes);
    progress.json(json!({ "event": "used", "bytes": all_bytes, "dead_bytes": dead_bytes }));
    progress.result(&format!(
        "{} in all; `mediabuild store gc` would free {}",
        human(all_bytes),
        human(dead_bytes),
    ));
    Ok(())
}

fn rebuild_index(arguments: &Arguments, progress: &Progress) -> Result<(), Failure> {
    let folder = open_store::folder(arguments.store.as_ref())?;
    let job = progress.job("store rebuild-index", None);
    let report = DiskStore::rebuild_index(&folder)?;
    job.finish("rebuilt", false);
    report.notes.iter().for_each(|note| progress.warning(note));
    progress.json(json!({
        "event": "rebuilt",
        "objects": report.objects,
        "parts": report.parts,
        "realisations": report.realisations,
        "memos": report.memos,
        "roots": report.roots,
    }));
    progress.result(&format!(
        "{}, {}, {}, {}",
        counted(report.objects, "object"),
        counted(report.parts, "part"),
        counted(report.realisations, "realisation"),
        counted(report.roots, "root"),
    ));
    Ok(())
}

fn roots(store: &DiskStore, progress: &Progress) -> Result<(), Failure> {
    for root in store.roots()? {
        let output = output_name(&root.output);
        progress.json(json!({ "event": "root", "name": root.name, "output": output }));
        progress.result(&format!("{}  {output}", root.name));
    }
    Ok(())
}
