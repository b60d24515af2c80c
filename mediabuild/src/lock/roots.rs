//! Locks as gc roots: what a lock names stays in the store as long as the lock is there.
//!
//! A root an entry, named `lock:PATH#NAME`, so that the store needs to know nothing of locks. A root
//! may name what the store does not have (yet): when it comes, it stays. Every lock that a command
//! meets is remembered; before a collection all of them are read again, and one that is gone takes
//! its roots along.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use mediabuild_schema::LockEntry;
use mediabuild_store::{Root, Store};

use super::{Lock, Pin};
use crate::failure::Failure;

const PREFIX: &str = "lock:";

/// Makes the entries of `lock` roots, and no others under its path.
pub(crate) fn remember(store: &dyn Store, lock: &Lock) -> Result<(), Failure> {
    let Some(path) = absolute(lock.path())? else {
        tracing::warn!("{} is not UTF-8, so gc does not heed it", lock.path().display());
        return Ok(());
    };
    let known = known(store)?.remove(&path).unwrap_or_default();
    if known.is_empty() && lock.lines().is_empty() {
        return Ok(());
    }
    replace(store, &path, &known, lock)
}

/// Reads every remembered lock again. One that cannot be read keeps its roots: it is there.
pub(crate) fn refresh(store: &dyn Store) -> Result<(), Failure> {
    for (name, known) in known(store)? {
        let path = PathBuf::from(&name);
        match Lock::read(&path) {
            Some(lock) => replace(store, &name, &known, &lock)?,
            None if is_gone(&path) => {
                known.iter().try_for_each(|root| store.remove_root(&root.name))?;
            }
            None => tracing::warn!("{} cannot be read; what it named stays", path.display()),
        }
    }
    Ok(())
}

fn replace(store: &dyn Store, path: &str, known: &[Root], lock: &Lock) -> Result<(), Failure> {
    let wanted: Vec<Root> = lock.lines().iter().map(|line| root(path, &line.entry)).collect();
    for root in wanted.iter().filter(|root| !known.contains(root)) {
        store.set_root(root)?;
    }
    let names: BTreeSet<&str> = wanted.iter().map(|root| root.name.as_str()).collect();
    for root in known.iter().filter(|root| !names.contains(root.name.as_str())) {
        store.remove_root(&root.name)?;
    }
    Ok(())
}

/// One name may be pinned in several ways; the declaration tells them apart.
fn root(path: &str, entry: &LockEntry) -> Root {
    let pin = Pin { entry: entry.clone(), line: 0, strict: false };
    Root {
        name: format!("{PREFIX}{path}#{} ({})", entry.name, entry.declared),
        output: pin.output(),
        detail: path.as_bytes().to_vec(),
    }
}

/// The roots of locks that the store remembers, by the locks' paths.
fn known(store: &dyn Store) -> Result<BTreeMap<String, Vec<Root>>, Failure> {
    let mut known: BTreeMap<String, Vec<Root>> = BTreeMap::new();
    for root in store.roots()?.into_iter().filter(|root| root.name.starts_with(PREFIX)) {
        let path = String::from_utf8_lossy(&root.detail).into_owned();
        known.entry(path).or_default().push(root);
    }
    Ok(known)
}

/// The path that a lock has whoever looks from wherever.
fn absolute(path: &Path) -> Result<Option<String>, Failure> {
    let found = path.canonicalize().or_else(|_| std::path::absolute(path));
    let found = found.map_err(|error| Failure::io("resolve", path, &error))?;
    Ok(found.to_str().map(str::to_owned))
}

fn is_gone(path: &Path) -> bool {
    path.symlink_metadata().is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound)
}
