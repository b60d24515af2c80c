//! What is on which disc of a set, for whoever asks: `build` when it made one, `plan` when it is known.

use std::io::Read;

use mediabuild_store::{Output, Store};
use serde_json::json;

use crate::plan::Target;
use crate::progress::Progress;
use crate::set_manifest::{BESIDE, SetManifest};
use crate::size::{counted, human};

/// A line for each disc, if the target became a set.
pub(super) fn tell(store: &dyn Store, target: &Target, output: &Output, progress: &Progress) {
    if target.folder.is_none() {
        return;
    }
    let Some((manifest, sizes)) = read(store, output) else { return };
    for disc in &manifest.discs {
        let packages = manifest.packages_of(disc.disc);
        let bytes =
            sizes.iter().find(|(name, _)| *name == disc.file).map_or(0, |(_, bytes)| *bytes);
        progress.json(json!({
            "event": "disc", "set": manifest.set, "disc": disc.disc, "total": manifest.total,
            "file": disc.file, "label": disc.label, "bytes": bytes, "packages": packages,
        }));
        let boots = if disc.disc == 1 { "boots; " } else { "" };
        let count = counted(packages.len(), "package");
        let names =
            if packages.is_empty() { String::new() } else { format!(": {}", packages.join(", ")) };
        progress.result(&format!(
            "  disc {} of {}  {}  {}  {boots}{count}{names}",
            disc.disc,
            manifest.total,
            human(bytes),
            disc.file
        ));
    }
}

/// The manifest beside the ISOs, and the sizes of all; `None` of what is no set.
fn read(store: &dyn Store, output: &Output) -> Option<(SetManifest, Vec<(String, u64)>)> {
    let Output::Directory(digest) = output else { return None };
    let files = mediabuild_store::walk(store, digest).ok()?;
    let (_, beside) = files.iter().find(|(name, _)| name == BESIDE)?;
    let mut text = Vec::new();
    store.open(&beside.digest).ok()?.read_to_end(&mut text).ok()?;
    let manifest = serde_json::from_slice(&text).ok()?;
    Some((manifest, files.into_iter().map(|(name, file)| (name, file.size_bytes)).collect()))
}
