//! Damage, quarantine, and what is stored again.

use std::fs;

use mediabuild_store::{Digest, DiskStore, Output, Store};

use crate::{
    commit, damage, file_with, files, fixture, id, noise, object, parts, problems, put, read,
    realise,
};

#[test]
fn a_damaged_object_goes_aside_and_is_stored_again() {
    let fixture = fixture();
    let store = &fixture.store;
    let large = put(store, &noise(1, 2 << 20));
    damage(&fixture.path.join("objects"), &noise(1, 2 << 20)[5000..5100]);
    let found = problems(store);
    assert_eq!(found.len(), 1);

    let done = store.quarantine(&found).unwrap();
    assert_eq!((done.saved, done.lost.as_slice()), (0, &[large.digest][..]));
    assert_eq!(done.files, [fixture.path.join("quarantine").join(large.digest.to_string())]);
    assert!(done.files[0].exists(), "nothing is deleted");
    assert_eq!(store.find(&large.digest).unwrap(), None);
    assert_eq!(problems(store), []);

    put(store, &noise(1, 2 << 20));
    assert_eq!(read(store, &large.digest), noise(1, 2 << 20));
    assert_eq!(problems(store), []);
}

#[test]
fn of_a_damaged_pack_the_good_members_are_saved() {
    let fixture = fixture();
    let store = &fixture.store;
    let contents = commit(store, |batch| {
        (0..50).map(|seed| batch.put_bytes(&noise(seed, 1000)).unwrap()).collect::<Vec<_>>()
    });
    realise(store, "a", &contents[..5]);
    damage(&fixture.path.join("packs"), &noise(7, 1000));

    let done = store.quarantine(&problems(store)).unwrap();
    assert_eq!((done.saved, done.lost.as_slice()), (49, &[contents[7].digest][..]));
    assert_eq!(problems(store), []);
    for (seed, content) in contents.iter().enumerate().filter(|(seed, _)| *seed != 7) {
        assert_eq!(read(store, &content.digest), noise(seed as u64, 1000));
    }
    assert!(store.realisation(&id("a")).unwrap().is_some());
    put(store, &noise(7, 1000));
    assert_eq!(read(store, &contents[7].digest), noise(7, 1000));
}

#[test]
fn of_a_damaged_container_the_good_parts_are_saved() {
    let fixture = fixture();
    let store = &fixture.store;
    let bytes = noise(1, 4 << 20);
    let container = put(store, &bytes);
    let small = parts(&bytes, 1000, 10);
    // A large part that is damaged itself, with parts of its own.
    let large = parts(&bytes, 2 << 20, 2);
    commit(store, |batch| {
        batch.put_parts(&container.digest, &[large[1]]).unwrap();
        batch.put_parts(&container.digest, &[large[0]]).unwrap();
        batch.put_parts(&large[0].digest, &small).unwrap();
    });
    damage(&fixture.path.join("objects"), &bytes[3000..4000]);

    let done = store.quarantine(&problems(store)).unwrap();
    assert_eq!(done.saved, 1 + 9);
    assert_eq!(problems(store), []);
    for (index, part) in small.iter().enumerate() {
        assert_eq!(store.find(&part.digest).unwrap().is_some(), index != 3);
    }
    assert_eq!(read(store, &large[1].digest), bytes[2 << 20..]);

    put(store, &bytes);
    assert_eq!(read(store, &small[3].digest), bytes[3000..4000]);
    assert_eq!(store.parts(&large[0].digest).unwrap(), small);
}

#[test]
fn a_damaged_recipe_is_unknown_and_the_next_build_replaces_it() {
    let fixture = fixture();
    let content = put(&fixture.store, b"content");
    let recipe = realise(&fixture.store, "a literal to damage", &[content]);
    damage(&fixture.path.join("packs"), b"a literal to damage");

    let store = DiskStore::open(&fixture.path).unwrap();
    assert_eq!(store.realisation(&id("a literal to damage")).unwrap(), None);
    assert_eq!(realise(&store, "a literal to damage", &[content]), recipe);
    let known = store.realisation(&id("a literal to damage")).unwrap();
    assert_eq!(known, Some(Output::Content(recipe)));
    assert_eq!(problems(&store), []);
}

#[test]
fn a_damaged_part_table_is_written_anew() {
    let fixture = fixture();
    let store = &fixture.store;
    let bytes = noise(1, 2 << 20);
    let container = put(store, &bytes);
    let all = parts(&bytes, 1000, 2000);
    // Alone in its pack, so that the new pack has the name of the damaged one.
    commit(store, |batch| batch.put_parts(&container.digest, &all).unwrap());
    damage(&fixture.path.join("packs"), all[1].digest.as_bytes());
    let done = store.quarantine(&problems(store)).unwrap();
    assert_eq!((done.files.len(), done.saved, done.lost.len()), (1, 1, 0));
    assert_eq!(problems(store), []);
    assert_eq!(store.parts(&container.digest).unwrap(), all);
    assert_eq!(files(&fixture.path.join("packs")).len(), 1);
    assert_eq!(store.quarantine(&problems(store)).unwrap(), Default::default());
}

#[test]
fn what_was_healed_since_stays_where_it_is() {
    let fixture = fixture();
    let store = &fixture.store;
    let large = put(store, &noise(1, 2 << 20));
    damage(&fixture.path.join("objects"), &noise(1, 2 << 20)[..100]);
    let found = problems(store);
    fs::write(object(&fixture.path, &large.digest), noise(1, 2 << 20)).unwrap();

    assert_eq!(store.quarantine(&found).unwrap(), Default::default());
    assert_eq!(read(store, &large.digest), noise(1, 2 << 20));
}

#[test]
fn a_lost_file_leaves_no_row_and_damage_of_the_same_name_is_kept_twice() {
    let fixture = fixture();
    let store = &fixture.store;
    for round in 0..2 {
        put(store, b"small");
        damage(&fixture.path.join("packs"), b"small");
        store.quarantine(&problems(store)).unwrap();
        assert_eq!(files(&fixture.path.join("quarantine")).len(), round + 1);
    }
    put(store, b"small");
    fs::remove_file(file_with(&fixture.path.join("packs"), b"small")).unwrap();
    let done = store.quarantine(&problems(store)).unwrap();
    assert_eq!((done.files.len(), done.lost.len()), (0, 1));
    assert_eq!(store.find(&Digest::of(b"small")).unwrap(), None);
    assert_eq!(problems(store), []);
}
