//! Results that no definition gives any more, such as a disk image under its earlier name. They are
//! only told: somebody may write sticks from them.

use std::path::{Path, PathBuf};

use mediabuild_store::{Root, Store};
use serde_json::Value;

use super::PREFIX;
use crate::failure::Failure;

/// What earlier builds of the project in the folder `project` put below `out`, and what lies at none
/// of `places` nor around one. All paths are absolute.
///
/// Another project may have the same result folder, so a result counts if its root names the project;
/// one that names none, if the folder is in the project.
pub(crate) fn leftovers(
    store: &dyn Store,
    out: &Path,
    project: &Path,
    places: &[PathBuf],
) -> Result<Vec<PathBuf>, Failure> {
    let roots = store.roots()?.into_iter();
    let ours = roots.filter(|root| is_of(root, out, project)).filter_map(|root| {
        let path = PathBuf::from(root.name.strip_prefix(PREFIX)?);
        (path.starts_with(out) && path.exists()).then_some(path)
    });
    let is_given = |path: &PathBuf| {
        places.iter().any(|place| place.starts_with(path) || path.starts_with(place))
    };
    Ok(ours.filter(|path| !is_given(path)).collect())
}

/// Whether a result at or below `place` is of the project; one whose root names none, if it lies in it.
pub(super) fn is_of(root: &Root, place: &Path, project: &Path) -> bool {
    match owner(root) {
        Some(owner) => owner == project.to_string_lossy(),
        None => place.starts_with(project),
    }
}

/// The folder of the project that a result is of.
fn owner(root: &Root) -> Option<String> {
    let detail: Value = serde_json::from_slice(&root.detail).ok()?;
    detail["project"].as_str().map(str::to_owned)
}
