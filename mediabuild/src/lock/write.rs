//! Writing a lock: whole or not at all.

use std::io::Write;
use std::path::Path;

use crate::failure::Failure;
use crate::os::{shared_file, sync_folder};

/// Puts `text` at `path`, durably, in one step: a build beside it reads the old lock or the new one.
pub(crate) fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let failed = |doing| move |error: std::io::Error| Failure::io(doing, path, &error);
    let mut builder = tempfile::Builder::new();
    builder.prefix(".mediabuild.lock.");
    if let Some(permissions) = shared_file() {
        builder.permissions(permissions);
    }
    let mut file = builder.tempfile_in(folder).map_err(failed("write"))?;
    file.write_all(text.as_bytes()).map_err(failed("write"))?;
    file.as_file().sync_all().map_err(failed("make durable"))?;
    file.persist(path).map_err(|error| Failure::io("replace", path, &error.error))?;
    sync_folder(folder).map_err(failed("make durable"))
}
