//! Proofs that outputs are whole: they save reading, and never hide that something is gone.

use std::fs;

use mediabuild_store::{DiskStore, Output, Store};

use crate::gc::{collect, root};
use crate::{Fixture, damage, file_with, fixture, id, noise, put, realise};

/// A realisation whose proof is in the index, and no handle that knows more.
fn proven() -> (Fixture, Output) {
    let mut fixture = fixture();
    let large = put(&fixture.store, &noise(1, 2 << 20));
    let small = put(&fixture.store, b"a small one");
    let inner = realise(&fixture.store, "inner", &[large]);
    let outer = realise(&fixture.store, "outer", &[inner, small]);
    root(&fixture.store, "pin", outer);
    reopen(&mut fixture);
    assert!(fixture.store.realisation(&id("outer")).unwrap().is_some());
    reopen(&mut fixture);
    (fixture, Output::Content(outer))
}

fn reopen(fixture: &mut Fixture) {
    fixture.store = DiskStore::open(&fixture.path).unwrap();
}

/// Damage that keeps the file's inode, length and modification time: its change time tells.
#[cfg(unix)]
#[test]
fn damage_in_place_is_noticed_in_spite_of_a_proof() {
    let (mut fixture, output) = proven();
    let recipe = file_with(&fixture.path.join("packs"), b"inner");
    let modified = recipe.metadata().unwrap().modified().unwrap();
    let mut bytes = fs::read(&recipe).unwrap();
    let at = bytes.windows(5).position(|window| window == b"inner").unwrap();
    bytes[at] ^= 1;
    let mut permissions = recipe.metadata().unwrap().permissions();
    std::os::unix::fs::PermissionsExt::set_mode(&mut permissions, 0o644);
    fs::set_permissions(&recipe, permissions).unwrap();
    fs::write(&recipe, &bytes).unwrap();
    let file = fs::File::options().write(true).open(&recipe).unwrap();
    file.set_modified(modified).unwrap();
    assert_eq!(fixture.store.realisation(&id("outer")).unwrap(), None);
    bytes[at] ^= 1;
    fs::write(&recipe, &bytes).unwrap();
    reopen(&mut fixture);
    assert_eq!(fixture.store.realisation(&id("outer")).unwrap(), Some(output));
}

#[test]
fn damage_to_a_recipe_is_noticed_in_spite_of_a_proof() {
    let (mut fixture, output) = proven();
    assert_eq!(fixture.store.realisation(&id("outer")).unwrap(), Some(output));
    damage(&fixture.path.join("packs"), b"inner");
    reopen(&mut fixture);
    assert_eq!(fixture.store.realisation(&id("outer")).unwrap(), None);
}

#[test]
fn a_lost_or_shortened_file_is_noticed_in_spite_of_a_proof() {
    for shorten in [false, true] {
        let (fixture, output) = proven();
        assert_eq!(fixture.store.realisation(&id("outer")).unwrap(), Some(output));
        let large = file_with(&fixture.path.join("objects"), &noise(1, 64));
        fs::remove_file(&large).unwrap();
        if shorten {
            fs::write(&large, noise(1, 1 << 20)).unwrap();
        }
        assert_eq!(fixture.store.realisation(&id("outer")).unwrap(), None);
    }
}

#[test]
fn a_collection_ends_proofs() {
    let (mut fixture, output) = proven();
    put(&fixture.store, b"garbage");
    reopen(&mut fixture);
    assert_eq!(collect(&fixture.path).removed_objects, 1);
    assert_eq!(fixture.store.realisation(&id("outer")).unwrap(), Some(output));
    fixture.store.remove_root("pin").unwrap();
    reopen(&mut fixture);
    collect(&fixture.path);
    assert_eq!(fixture.store.realisation(&id("outer")).unwrap(), None);
}
