//! `mediabuild store`: looking after the store.

use mediabuild_store::{DiskStore, Store};
use serde_json::json;

use crate::cli::{Arguments, StoreCommand};
use crate::derivation::output_name;
use crate::failure::Failure;
use crate::progress::Progress;
use crate::size::{counted, human};
use crate::{cancel, open_store};

/// Runs one of its verbs.
pub(super) fn run(
    command: &StoreCommand,
    arguments: &Arguments,
    progress: &Progress,
) -> Result<(), Failure> {
    let store = open_store::open(arguments.store.as_ref(), progress)?;
    match command {
        StoreCommand::Verify => verify(&store, progress),
        StoreCommand::Roots => roots(&store, progress),
    }
}

fn verify(store: &DiskStore, progress: &Progress) -> Result<(), Failure> {
    let job = progress.job("store verify", None);
    let mut seen_bytes = 0;
    let problems = store.verify(&mut |done_bytes, _| {
        job.advance(done_bytes.saturating_sub(seen_bytes));
        seen_bytes = done_bytes;
        !cancel::is_cancelled()
    })?;
    job.finish("read", false);
    for problem in &problems {
        progress.json(json!({ "event": "problem", "message": problem.to_string() }));
        progress.result(&problem.to_string());
    }
    progress.json(json!({ "event": "verified", "bytes": seen_bytes, "problems": problems.len() }));
    if problems.is_empty() {
        progress.result(&format!("{} read, everything is as it was stored", human(seen_bytes)));
        return Ok(());
    }
    Err(Failure::build(format!("the store has {}", counted(problems.len(), "problem")))
        .help("remove the named files: the next build imports or makes their contents anew"))
}

fn roots(store: &DiskStore, progress: &Progress) -> Result<(), Failure> {
    for root in store.roots()? {
        let output = output_name(&root.output);
        progress.json(json!({ "event": "root", "name": root.name, "output": output }));
        progress.result(&format!("{}  {output}", root.name));
    }
    Ok(())
}
