//! `mediabuild plan`: the steps of a build, in order, and what each waits for.

use serde_json::json;

use super::target;
use crate::builders::{BUILDERS, BuilderVersion};
use crate::cli::{Arguments, Plan};
use crate::derivation::{Derivation, Inputs, identity_fields};
use crate::failure::Failure;
use crate::open_store;
use crate::parse_cache::ParsedFiles;
use crate::progress::Progress;
use crate::size::{counted, human};

/// Prints the plan; builds nothing, reads no input, needs no secret.
pub(super) fn run(
    arguments: &Plan,
    global: &Arguments,
    progress: &Progress,
) -> Result<(), Failure> {
    for BuilderVersion { name, version } in BUILDERS {
        progress.json(json!({ "event": "builder", "name": name, "version": version }));
    }
    let store = open_store::existing(global.store.as_ref());
    let parsed = ParsedFiles::of(store.as_ref().filter(|_| !arguments.paranoid));
    let request = target::resolve(&arguments.targets, global, &parsed, progress)?;
    let plan = target::plan_of(&request, &target::unresolved)?;
    for (at, derivation) in plan.derivations.iter().enumerate() {
        tell(at, derivation, global, progress);
    }
    for target in &plan.targets {
        let at = target.derivation.0;
        progress.json(json!({
            "event": "target",
            "target": format!("{}:{}", target.kind, target.name),
            "derivation": at,
            "result": target.result,
        }));
        progress.result(&format!("{at:>4} → {}", target.result));
    }
    let (files, bytes) = request.project.inputs.total();
    progress.line(&format!(
        "{}, {} ({})",
        counted(plan.derivations.len(), "step"),
        counted(files, "input file"),
        human(bytes)
    ));
    Ok(())
}

fn tell(at: usize, derivation: &Derivation, global: &Arguments, progress: &Progress) {
    let from: Vec<usize> = derivation.inputs.iter().map(|input| input.from.0).collect();
    let fields = identity_fields(derivation.builder.as_ref(), &Inputs::default());
    progress.json(json!({
        "event": "derivation",
        "derivation": at,
        "label": derivation.label,
        "builder": fields["builder"],
        "version": fields["version"],
        "options": fields["options"],
        "inputs": derivation.inputs.iter().map(|input| json!({ "role": input.role, "from": input.from.0 })).collect::<Vec<_>>(),
    }));
    let from: Vec<String> = from.iter().map(usize::to_string).collect();
    let waits =
        if from.is_empty() { String::new() } else { format!("  after {}", from.join(", ")) };
    progress.result(&format!("{at:>4}   {}{waits}", derivation.label));
    if global.verbose > 0 {
        progress.result(&format!("       {}", fields["options"]));
    }
}
