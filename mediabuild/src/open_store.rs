//! Opening the store: the place that was asked for, or the user's data folder.

use std::path::PathBuf;

use mediabuild_store::DiskStore;

use crate::failure::Failure;
use crate::progress::Progress;

/// Opens the store at `asked`, or the default one, and creates it when there is none.
pub(crate) fn open(asked: Option<&PathBuf>, progress: &Progress) -> Result<DiskStore, Failure> {
    let folder = folder(asked)?;
    let store = DiskStore::open(&folder).map_err(|error| {
        Failure::from(error).while_doing(format!("opening the store `{}`", folder.display()))
    })?;
    warn(&store, progress);
    Ok(store)
}

/// The store, if there is one: nothing is made, and nothing said of one that does not open.
pub(crate) fn existing(asked: Option<&PathBuf>) -> Option<DiskStore> {
    let folder = folder(asked).ok()?;
    DiskStore::is_in(&folder).then(|| DiskStore::open(&folder).ok())?
}

/// The store that [`existing`] did not find, made now.
pub(crate) fn or_made(
    existing: &Option<DiskStore>,
    asked: Option<&PathBuf>,
    progress: &Progress,
) -> Result<Option<DiskStore>, Failure> {
    match existing {
        Some(store) => {
            warn(store, progress);
            Ok(None)
        }
        None => open(asked, progress).map(Some),
    }
}

fn warn(store: &DiskStore, progress: &Progress) {
    if let Some(warning) = store.warning() {
        progress.warning(&warning);
    }
}

/// The folder that was asked for, or the default one.
pub(crate) fn folder(asked: Option<&PathBuf>) -> Result<PathBuf, Failure> {
    match asked {
        Some(folder) if folder.as_os_str().is_empty() => {
            Err(Failure::usage("`--store` or `MEDIABUILD_STORE` is empty"))
        }
        Some(folder) => Ok(folder.clone()),
        None => default_folder(),
    }
}

/// `mediabuild/store` in the user's *data* folder: cleaners empty cache folders, and files that a
/// user supplied by hand cannot be fetched again.
fn default_folder() -> Result<PathBuf, Failure> {
    let variable =
        |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|p| p.is_absolute());
    let data = if cfg!(windows) {
        variable("LOCALAPPDATA")
    } else if cfg!(target_os = "macos") {
        variable("HOME").map(|home| home.join("Library/Application Support"))
    } else {
        variable("XDG_DATA_HOME").or_else(|| variable("HOME").map(|home| home.join(".local/share")))
    };
    data.map(|data| data.join("mediabuild").join("store")).ok_or_else(|| {
        Failure::environment("there is no home folder to keep a store in")
            .help("mediabuild --store DIR …")
    })
}
