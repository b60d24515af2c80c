//! Builders and collectors over one store, each with a handle of its own, as processes have.

use std::collections::HashSet;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use mediabuild_store::{Content, DiskStore, Output, Store};

use crate::gc::{collect, root};
use crate::{commit, id, noise, problems, put, read, realise};

/// Builders in several handles put, realise and read; collectors run all the time.
#[test]
fn builders_and_collectors_work_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    DiskStore::open(&path).unwrap();
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let builders: Vec<_> = (0..3u64)
            .map(|builder| {
                let path = &path;
                scope.spawn(move || (0..15).for_each(|round| build(path, builder, round)))
            })
            .collect();
        let collectors: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    let mut count = 0;
                    while !over.load(Ordering::Relaxed) {
                        collect(&path);
                        count += 1;
                    }
                    count
                })
            })
            .collect();
        builders.into_iter().for_each(|builder| builder.join().unwrap());
        over.store(true, Ordering::Relaxed);
        let count: usize = collectors.into_iter().map(|it| it.join().unwrap()).sum();
        assert!(count > 2, "{count} collections");
    });
    let store = DiskStore::open(&path).unwrap();
    assert_eq!(problems(&store), []);
    for root in store.roots().unwrap() {
        read(&store, &root.output.digest());
    }
    drop(store);
    collect(&path);
    assert_eq!(problems(&DiskStore::open(&path).unwrap()), []);
}

/// One build in a process of its own: half of its contents are everybody's, and what it made
/// before is known or made anew.
fn build(path: &Path, builder: u64, round: u64) {
    let store = DiskStore::open(path).unwrap();
    let name = format!("{}", round % 3);
    let output = match store.realisation(&id(&name)).unwrap() {
        Some(output) => output,
        None => Output::Content(realise(&store, &name, &contents_of(&store, round % 3))),
    };
    read(&store, &output.digest());
    let own = contents_of(&store, 10 + builder);
    let own = realise(&store, &format!("own {builder} {round}"), &own);
    root(&store, &format!("{builder}"), own);
    drop(store);
    let other = DiskStore::open(path).unwrap();
    read(&other, &own.digest);
}

fn contents_of(store: &DiskStore, seed: u64) -> Vec<Content> {
    let mut contents: Vec<Content> = commit(store, |batch| {
        (0..20).map(|at| batch.put_bytes(&noise(seed * 10 + at, 1500)).unwrap()).collect()
    });
    contents.push(put(store, &noise(1000 + seed, 1 << 20)));
    let distinct: HashSet<_> = contents.iter().map(|content| content.digest).collect();
    assert_eq!(distinct.len(), contents.len());
    contents
}
