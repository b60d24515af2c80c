//! Writing a small file: whole or not at all. Results are `export.rs`.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use crate::failure::Failure;
use crate::os::{shared_file, sync_folder};

/// Puts `bytes` at `path`, durably, in one step: who reads it meanwhile reads the old or the new ones.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let failed = |doing| move |error: io::Error| Failure::io(doing, path, &error);
    let mut builder = tempfile::Builder::new();
    let prefix = format!(".{}.", path.file_name().unwrap_or_default().to_string_lossy());
    builder.prefix(&prefix);
    if let Some(permissions) = shared_file() {
        builder.permissions(permissions);
    }
    let mut file = builder.tempfile_in(folder).map_err(failed("write"))?;
    file.write_all(bytes).map_err(failed("write"))?;
    file.as_file().sync_all().map_err(failed("make durable"))?;
    file.persist(path).map_err(|error| Failure::io("replace", path, &error.error))?;
    sync_folder(folder).map_err(failed("make durable"))
}

/// The same for a path that somebody typed: what is no file there, such as a pipe, a device or a link
/// (`/dev/stdout` is one), is written to and stays what it is.
pub(crate) fn replace_or_write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    match path.symlink_metadata() {
        Ok(there) if !there.is_file() => {
            fs::write(path, bytes).map_err(|error| Failure::io("write", path, &error))
        }
        _ => replace(path, bytes),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{replace, replace_or_write};

    #[test]
    fn a_file_is_replaced_and_nothing_stays_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log.txt");
        let other = folder.path().join("other");
        for text in ["old", "new"] {
            replace_or_write(&path, text.as_bytes()).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
        // Who has the old one open keeps it.
        fs::hard_link(&path, &other).unwrap();
        replace(&path, b"newer").unwrap();
        assert_eq!(fs::read_to_string(&other).unwrap(), "new");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
        replace_or_write(folder.path(), b"x").expect_err("a folder");
    }

    #[cfg(unix)]
    #[test]
    fn a_link_is_written_through() {
        let folder = tempfile::tempdir().unwrap();
        let (path, link) = (folder.path().join("log.txt"), folder.path().join("link"));
        std::os::unix::fs::symlink(&path, &link).unwrap();
        replace_or_write(&link, b"new").unwrap();
        assert!(link.is_symlink());
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
    }
}
