//! Preflight: is there room for what a build will store? Better known before gigabytes are read than
//! after them.

use std::path::Path;

use crate::failure::Failure;
use crate::os::free_space;
use crate::progress::Progress;
use crate::reason::Past;
use crate::size::human;
use crate::survey::Standing;

/// Refuses a build whose inputs have no room in the store at `folder`. An input that was imported
/// before and changed is mostly there already, so for those it only warns.
pub(crate) fn check_space(
    past: Past<'_>,
    standings: &[Standing],
    folder: &Path,
    progress: &Progress,
) -> Result<(), Failure> {
    let Some(free_bytes) = free_space(folder) else { return Ok(()) };
    let (new_bytes, changed_bytes) = bytes_to_read(past, standings);
    if new_bytes > free_bytes {
        let message = format!(
            "the store `{}` has {} free, and the inputs that are new to it need {}",
            folder.display(),
            human(free_bytes),
            human(new_bytes)
        );
        return Err(Failure::environment(message).help(
            "mediabuild store gc, or another --store; --no-space-check if it has them by other names",
        ));
    }
    if changed_bytes > 0 && new_bytes + changed_bytes > free_bytes {
        progress.warning(&format!(
            "the store `{}` has {} free; should all of the changed inputs be new, {} are needed",
            folder.display(),
            human(free_bytes),
            human(new_bytes + changed_bytes)
        ));
    }
    Ok(())
}

/// Bytes of inputs that were never imported here, and of those that changed since.
fn bytes_to_read(past: Past<'_>, standings: &[Standing]) -> (u64, u64) {
    let (mut new_bytes, mut changed_bytes) = (0u64, 0u64);
    for (at, derivation) in past.plan.derivations.iter().enumerate() {
        if !derivation.builder.is_import() || standings[at].output().is_some() {
            continue;
        }
        let bytes = derivation.builder.stored_bytes().unwrap_or(0);
        let sum = match past.history.last(&past.keys[at]) {
            None => &mut new_bytes,
            Some(_) => &mut changed_bytes,
        };
        *sum = sum.saturating_add(bytes);
    }
    (new_bytes, changed_bytes)
}
