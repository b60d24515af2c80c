//! `mediabuild store verify`: is everything as it was stored, and what to do if not.

use mediabuild_store::{DiskStore, Problem, ScrubOptions};
use serde_json::json;

use crate::cancel;
use crate::cli::StoreVerify;
use crate::failure::Failure;
use crate::progress::Progress;
use crate::size::{counted, human};

/// Reads the store, or a piece of it.
pub(super) fn run(
    options: &StoreVerify,
    store: &DiskStore,
    progress: &Progress,
) -> Result<(), Failure> {
    let job = progress.job("store verify", None);
    let mut seen_bytes = 0;
    let scrub = ScrubOptions {
        resume: options.resume,
        max_bytes: options.max,
        max_time: options.time.map(std::time::Duration::from_secs),
    };
    let report = store.scrub(&scrub, &mut |done_bytes, _| {
        job.advance(done_bytes.saturating_sub(seen_bytes));
        seen_bytes = done_bytes;
        !cancel::is_cancelled()
    })?;
    job.finish("read", false);
    let problems = report.problems;
    for problem in &problems {
        progress.json(json!({ "event": "problem", "message": problem.to_string() }));
        progress.result(&problem.to_string());
    }
    progress.json(json!({
        "event": "verified",
        "bytes": report.read_bytes,
        "problems": problems.len(),
        "complete": report.is_complete,
    }));
    if !problems.is_empty() {
        return match options.repair {
            true => quarantine(store, &problems, progress),
            false => {
                let message = format!("the store has {}", counted(problems.len(), "problem"));
                let help = match problems.iter().all(Problem::is_absence) {
                    true => {
                        "build again what needs it; `mediabuild store gc` removes what nobody needs"
                    }
                    false => "mediabuild store verify --repair",
                };
                Err(Failure::build(message).help(help))
            }
        };
    }
    let rest = match report.is_complete {
        true => "",
        false => "; `mediabuild store verify --resume` reads the rest",
    };
    let read = human(report.read_bytes);
    progress.result(&format!("{read} read, everything is as it was stored{rest}"));
    Ok(())
}

fn quarantine(store: &DiskStore, problems: &[Problem], progress: &Progress) -> Result<(), Failure> {
    let done = store.quarantine(problems)?;
    let (files, lost) = (done.files.len(), done.lost.len());
    progress.json(json!({
        "event": "repaired", "files": done.files, "saved": done.saved, "lost": lost,
    }));
    for file in &done.files {
        progress.result(&format!("moved aside: {}", file.display()));
    }
    progress.result(&format!(
        "{} moved aside, {} in them saved; the next build imports or makes {} anew",
        counted(files, "damaged file"),
        counted(done.saved, "good content"),
        counted(lost, "content"),
    ));
    Ok(())
}
