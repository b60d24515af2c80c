//! A new index from the files.

use std::fs;
use std::path::Path;

use mediabuild_store::{
    Content, Digest, Directory, DiskStore, Entry, EntryName, Error, GcOptions, Output, Root, Store,
};

use crate::{Fixture, commit, files, fixture, id, noise, parts, problems, put, read, realise};

/// A store with something of every kind, and all its digests.
fn filled() -> (Fixture, Vec<Digest>) {
    let fixture = fixture();
    let store = &fixture.store;
    let small = put(store, b"small");
    let bytes = noise(1, 2 << 20);
    let large = put(store, &bytes);
    let outer = parts(&bytes, 100_000, 10);
    let inner = parts(&bytes, 1000, 50);
    let directory = commit(store, |batch| {
        batch.put_parts(&large.digest, &outer).unwrap();
        batch.put_parts(&outer[0].digest, &inner).unwrap();
        batch.put_memo("sha1", &small.digest, b"sha1").unwrap();
        let mut directory = Directory::new();
        directory.insert(EntryName::parse("a").unwrap(), Entry::File(small)).unwrap();
        let directory = batch.put_directory(&directory).unwrap();
        batch.put_realisation(&id("directory"), &Output::Directory(directory)).unwrap();
        directory
    });
    let nested = realise(store, "inner", &[small, inner[7].content()]);
    let recipe = realise(store, "outer", &[nested, large, outer[3].content()]);
    let huge = realise(store, &"x".repeat(2 << 20), &[recipe]);
    let output = Output::Content(recipe);
    store.set_root(&Root { name: "pin".to_owned(), output, detail: b"detail".to_vec() }).unwrap();
    let mut digests = vec![small.digest, large.digest, nested.digest, recipe.digest, huge.digest];
    digests.push(directory);
    digests.extend(outer.iter().chain(&inner).map(|part| part.digest));
    (fixture, digests)
}

/// All that look-ups say.
fn seen(path: &Path, digests: &[Digest]) -> impl PartialEq + std::fmt::Debug + use<> {
    let store = DiskStore::open(path).unwrap();
    let contents: Vec<Option<Content>> = digests.iter().map(|it| store.find(it).unwrap()).collect();
    let found = contents.iter().flatten();
    let bytes: Vec<Digest> = found.map(|it| Digest::of(&read(&store, &it.digest))).collect();
    let parts: Vec<_> = digests.iter().map(|it| store.parts(it).unwrap()).collect();
    let recipes: Vec<_> = digests.iter().map(|it| store.recipe(it).unwrap()).collect();
    let directories: Vec<_> = digests.iter().filter_map(|it| store.directory(it).ok()).collect();
    let outputs = ["inner", "outer", "directory"].map(|name| store.realisation(&id(name)).unwrap());
    let memo = store.memo("sha1", &digests[0]).unwrap();
    let roots = store.roots().unwrap();
    assert_eq!(problems(&store), []);
    (contents, bytes, parts, recipes, directories, (outputs, memo, roots))
}

#[test]
fn look_ups_say_the_same_as_before() {
    let (fixture, digests) = filled();
    let path = fixture.path.clone();
    drop(fixture.store);
    let before = seen(&path, &digests);
    let report = DiskStore::rebuild_index(&path).unwrap();
    assert_eq!(report.notes, [""; 0]);
    assert_eq!((report.parts, report.realisations, report.memos, report.roots), (60, 4, 1, 1));
    assert_eq!(seen(&path, &digests), before);
    assert_eq!(put(&DiskStore::open(&path).unwrap(), b"new").size_bytes, 3);
}

#[test]
fn a_lost_index_is_said_and_made_anew() {
    let (fixture, digests) = filled();
    let path = fixture.path.clone();
    drop(fixture.store);
    for file in files(&path).iter().filter(|it| it.to_string_lossy().contains("index.sqlite")) {
        fs::remove_file(file).unwrap();
    }
    let error = DiskStore::open(&path).err().unwrap();
    assert!(matches!(error, Error::IndexLost { .. }), "{error}");
    assert!(error.help().unwrap().contains("rebuild-index"));
    let report = DiskStore::rebuild_index(&path).unwrap();
    assert_eq!(report.notes.len(), 1);
    let store = DiskStore::open(&path).unwrap();
    assert_eq!(problems(&store), []);
    assert_eq!(digests.iter().filter(|it| store.find(it).unwrap().is_some()).count(), 65);
    assert_eq!(store.realisation(&id("outer")).unwrap(), None);
}

#[test]
fn a_damaged_index_gives_what_it_can() {
    let (fixture, digests) = filled();
    let path = fixture.path.clone();
    drop(fixture.store);
    let index = path.join("index.sqlite");
    let bytes = fs::read(&index).unwrap();
    for page in 0..bytes.len() / 4096 {
        let mut bytes = bytes.clone();
        bytes[page * 4096..][..4096].fill(0x5a);
        fs::write(&index, bytes).unwrap();
        let report = DiskStore::rebuild_index(&path).unwrap();
        assert!(report.objects >= 8, "{report:?}");
        let store = DiskStore::open(&path).unwrap();
        assert_eq!(problems(&store), []);
        assert!(digests.iter().take(5).all(|it| store.find(it).unwrap().is_some()));
    }
}

#[test]
fn a_store_in_use_is_left_alone() {
    let (fixture, _) = filled();
    let error = DiskStore::rebuild_index(&fixture.path).unwrap_err();
    assert!(matches!(error, Error::Locked { .. }), "{error}");
    let nothing = tempfile::tempdir().unwrap();
    let error = DiskStore::rebuild_index(nothing.path()).unwrap_err();
    assert!(matches!(error, Error::BadFormat { .. }), "{error}");
}

#[test]
fn garbage_whose_needs_are_gone_does_not_come_back() {
    let fixture = fixture();
    let path = fixture.path.clone();
    let large = put(&fixture.store, &noise(1, 2 << 20));
    let (live, dead) = commit(&fixture.store, |batch| {
        let live = batch.put_bytes(&noise(2, 10_000)).unwrap();
        let mut builder = mediabuild_store::RecipeBuilder::new();
        builder.content(large);
        (live, batch.put_recipe(&builder.finish()).unwrap())
    });
    let output = Output::Content(live);
    fixture.store.set_root(&Root { name: "pin".to_owned(), output, detail: Vec::new() }).unwrap();
    drop(fixture.store);
    let store = DiskStore::open(&path).unwrap();
    store.gc(&GcOptions::default(), &mut |_, _| true).unwrap();
    drop(store);
    DiskStore::rebuild_index(&path).unwrap();
    let store = DiskStore::open(&path).unwrap();
    assert_eq!(store.find(&dead.digest).unwrap(), None);
    assert_eq!(store.find(&live.digest).unwrap(), Some(live));
    assert_eq!(problems(&store), []);
}

#[test]
fn a_pack_without_a_table_goes_to_quarantine() {
    let (fixture, _) = filled();
    let path = fixture.path.clone();
    drop(fixture.store);
    let pack = files(&path.join("packs")).remove(0);
    let mut bytes = fs::read(&pack).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::remove_file(&pack).unwrap();
    fs::write(&pack, bytes).unwrap();
    let report = DiskStore::rebuild_index(&path).unwrap();
    assert_eq!(report.notes.len(), 1, "{report:?}");
    assert!(report.notes[0].contains("quarantine"));
    assert_eq!(files(&path.join("quarantine")).len(), 1);
    assert_eq!(problems(&DiskStore::open(&path).unwrap()), []);
}
