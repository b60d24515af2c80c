//! Leases: who looks something up says so first.

use std::collections::HashSet;
use std::fs;

use mediabuild_store::{Digest, DiskStore, Store};

use crate::{files, fixture, id, noise, put, realise};

fn leased(fixture: &crate::Fixture) -> HashSet<Digest> {
    let bytes: Vec<u8> = files(&fixture.path.join("leases"))
        .iter()
        .flat_map(|path| fs::read(path).unwrap())
        .collect();
    assert_eq!(bytes.len() % 32, 0);
    bytes.chunks(32).map(|digest| Digest::from_bytes(digest.try_into().unwrap())).collect()
}

#[test]
fn whatever_is_looked_up_or_stored_is_leased_whether_found_or_not() {
    let fixture = fixture();
    let content = put(&fixture.store, b"small");
    let large = put(&fixture.store, &noise(1, 2 << 20));
    let recipe = realise(&fixture.store, "a", &[content]);
    let expected = [content.digest, large.digest, recipe.digest];
    assert!(leased(&fixture).is_superset(&HashSet::from(expected)));

    let absent = Digest::of(b"absent");
    assert_eq!(fixture.store.find(&absent).unwrap(), None);
    assert!(leased(&fixture).contains(&absent));

    let other = DiskStore::open(&fixture.path).unwrap();
    assert_eq!(files(&fixture.path.join("leases")).len(), 2);
    drop(fixture.store);
    assert_eq!(files(&fixture.path.join("leases")).len(), 1);
    other.realisation(&id("a")).unwrap();
    let bytes = fs::read(&files(&fixture.path.join("leases"))[0]).unwrap();
    assert_eq!(bytes, recipe.digest.as_bytes());
}

#[test]
fn a_digest_is_appended_once() {
    let fixture = fixture();
    for _ in 0..10 {
        put(&fixture.store, b"small");
        fixture.store.find(&Digest::of(b"small")).unwrap();
    }
    let files = files(&fixture.path.join("leases"));
    assert_eq!(files.len(), 1);
    assert_eq!(fs::metadata(&files[0]).unwrap().len(), 32);
    let name = files[0].file_name().unwrap().to_str().unwrap();
    assert!(name.starts_with(&format!("{}-", std::process::id())), "{name}");
}
