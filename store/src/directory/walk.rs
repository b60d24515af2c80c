//! `walk`: all files below a stored directory.
//!
//! Directories are loaded level by level, all of a level at once: a tree of a thousand folders costs
//! a look-up for each level, not for each folder.

use std::collections::{BTreeSet, HashMap};

use super::{DEPTH_MAX, Directory, Entry};
use crate::{Content, Digest, Error, Store};

/// Every file below `root` with its path (`a/b/c`), directory by directory in order of names.
pub fn walk(store: &dyn Store, root: &Digest) -> Result<Vec<(String, Content)>, Error> {
    let directories = load_all(store, root)?;
    let mut files = Vec::new();
    walk_into(&directories, root, "", 0, &mut files)?;
    Ok(files)
}

/// Every directory from `root` down, each once.
fn load_all(store: &dyn Store, root: &Digest) -> Result<HashMap<Digest, Directory>, Error> {
    let mut loaded: HashMap<Digest, Directory> = HashMap::new();
    let mut level = vec![*root];
    for _ in 0..=DEPTH_MAX {
        if level.is_empty() {
            break;
        }
        let directories = store.directories(&level)?;
        let inner = directories.iter().flat_map(|directory| directory.iter());
        let inner = inner.filter_map(|(_, entry)| match entry {
            Entry::File(_) => None,
            Entry::Directory(digest) => Some(*digest),
        });
        let next: BTreeSet<Digest> = inner.collect();
        loaded.extend(level.into_iter().zip(directories));
        // What is below a directory that was met before is or will be loaded from there.
        level = next.into_iter().filter(|digest| !loaded.contains_key(digest)).collect();
    }
    Ok(loaded)
}

fn walk_into(
    directories: &HashMap<Digest, Directory>,
    digest: &Digest,
    prefix: &str,
    depth: usize,
    files: &mut Vec<(String, Content)>,
) -> Result<(), Error> {
    if depth > DEPTH_MAX {
        return Err(Error::TooDeep(*digest));
    }
    let directory = directories.get(digest).ok_or(Error::TooDeep(*digest))?;
    for (name, entry) in directory.iter() {
        let path = format!("{prefix}{name}");
        match entry {
            Entry::File(content) => files.push((path, *content)),
            Entry::Directory(inner) => {
                walk_into(directories, inner, &format!("{path}/"), depth + 1, files)?
            }
        }
    }
    Ok(())
}
