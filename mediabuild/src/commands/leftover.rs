//! What lies in the result folder and no definition gives any more, for `build`.

use std::path::{Path, PathBuf};

use mediabuild_store::Store;
use serde_json::json;

use super::build::{absolute, shortest};
use crate::export::leftovers;
use crate::failure::Failure;
use crate::plan::places;
use crate::progress::Progress;
use crate::project::Project;
use crate::size::counted;

/// So many are told by name.
const TOLD_MAX: usize = 10;

/// A warning for each old result below `out`, of whatever this build was asked for.
pub(super) fn tell(
    store: &dyn Store,
    project: &Project,
    out: &Path,
    progress: &Progress,
) -> Result<(), Failure> {
    let out = absolute(out)?;
    let places: Vec<PathBuf> =
        places(&project.definitions).iter().map(|place| out.join(place)).collect();
    let found = leftovers(store, &out, &absolute(&project.folder)?, &places)?;
    for path in &found {
        progress.json(json!({ "event": "old-result", "path": path.display().to_string() }));
    }
    for path in found.iter().take(TOLD_MAX) {
        progress.warning(&format!(
            "{} is an old result, which no definition gives any more: remove it if nobody needs it",
            shortest(path).display()
        ));
    }
    if found.len() > TOLD_MAX {
        let more = counted(found.len() - TOLD_MAX, "old result");
        progress.warning(&format!("{more} more, which no definition gives: see `store roots`"));
    }
    Ok(())
}
