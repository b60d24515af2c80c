//! `walk`: all files below a stored directory.
//!
//! Directories are loaded level by level, all of a level at once: a tree of a thousand folders costs
//! a look-up for each level, not for each folder.

use std::collections::{BTreeMap, BTreeSet, HashMap};

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

/// A directory's place, and the directory there in each of two trees.
type Pair = (String, [Option<Digest>; 2]);

/// The files of `before` and those of `after`, by path, without what lies in directories that both have
/// at the same path: two trees of thousands of folders that differ in one cost a handful of them.
pub fn walk_differing(
    store: &dyn Store,
    before: &Digest,
    after: &Digest,
) -> Result<[BTreeMap<String, Content>; 2], Error> {
    let mut files = [BTreeMap::new(), BTreeMap::new()];
    let mut level: Vec<Pair> = vec![(String::new(), [Some(*before), Some(*after)])];
    for _ in 0..=DEPTH_MAX {
        level.retain(|(_, [before, after])| before != after);
        if level.is_empty() {
            break;
        }
        let digests = level.iter().flat_map(|(_, pair)| pair).copied().flatten();
        let digests: Vec<Digest> = digests.collect::<BTreeSet<_>>().into_iter().collect();
        let directories = store.directories(&digests)?;
        let loaded: HashMap<Digest, Directory> = digests.into_iter().zip(directories).collect();
        level = inner(&level, &loaded, &mut files);
    }
    Ok(files)
}

/// The pairs in those of `level`; their files go to `files`.
fn inner(
    level: &[Pair],
    loaded: &HashMap<Digest, Directory>,
    files: &mut [BTreeMap<String, Content>; 2],
) -> Vec<Pair> {
    let mut pairs: BTreeMap<String, [Option<Digest>; 2]> = BTreeMap::new();
    for (prefix, pair) in level {
        for (side, digest) in pair.iter().enumerate() {
            let directory = digest.and_then(|digest| loaded.get(&digest));
            for (name, entry) in directory.iter().flat_map(|directory| directory.iter()) {
                match entry {
                    Entry::File(content) => {
                        files[side].insert(format!("{prefix}{name}"), *content);
                    }
                    Entry::Directory(digest) => {
                        let pair = pairs.entry(format!("{prefix}{name}/")).or_default();
                        pair[side] = Some(*digest);
                    }
                }
            }
        }
    }
    pairs.into_iter().collect()
}
