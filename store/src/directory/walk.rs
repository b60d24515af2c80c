//! `walk`: all files below a stored directory.

use super::{DEPTH_MAX, Entry};
use crate::{Content, Digest, Error, Store};

/// Every file below `root` with its path (`a/b/c`), directory by directory in order of names.
pub fn walk(store: &dyn Store, root: &Digest) -> Result<Vec<(String, Content)>, Error> {
    let mut files = Vec::new();
    walk_into(store, root, "", 0, &mut files)?;
    Ok(files)
}

fn walk_into(
    store: &dyn Store,
    digest: &Digest,
    prefix: &str,
    depth: usize,
    files: &mut Vec<(String, Content)>,
) -> Result<(), Error> {
    if depth > DEPTH_MAX {
        return Err(Error::TooDeep(*digest));
    }
    for (name, entry) in store.directory(digest)?.iter() {
        let path = format!("{prefix}{name}");
        match entry {
            Entry::File(content) => files.push((path, *content)),
            Entry::Directory(inner) => {
                walk_into(store, inner, &format!("{path}/"), depth + 1, files)?
            }
        }
    }
    Ok(())
}
