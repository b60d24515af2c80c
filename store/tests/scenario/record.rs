//! Batches, realisations, memos, roots, verification.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use mediabuild_store::{
    Conflict, Digest, Directory, Entry, EntryName, Error, Output, RecipeBuilder, Root, Store,
};

use super::{commit, id, noise, output, put, read};

pub(crate) fn nothing_is_visible_before_commit(store: &dyn Store) {
    let mut batch = store.batch().unwrap();
    let content = batch.put_bytes(&noise(1, 2 << 20)).unwrap();
    batch.put_memo("t", &content.digest, b"v").unwrap();
    batch.put_realisation(&id("a"), &output(content)).unwrap();
    assert_eq!(store.find(&content.digest).unwrap(), None);
    assert_eq!(store.memo("t", &content.digest).unwrap(), None);
    assert_eq!(store.realisation(&id("a")).unwrap(), None);
    batch.commit().unwrap();
    assert_eq!(store.find(&content.digest).unwrap(), Some(content));
    assert_eq!(store.memo("t", &content.digest).unwrap(), Some(b"v".to_vec()));
    assert_eq!(store.realisation(&id("a")).unwrap(), Some(output(content)));
}

pub(crate) fn a_dropped_batch_leaves_nothing(store: &dyn Store) {
    let mut batch = store.batch().unwrap();
    let small = batch.put_bytes(b"small").unwrap();
    let large = batch.put_bytes(&noise(1, 2 << 20)).unwrap();
    drop(batch);
    assert_eq!(store.find(&small.digest).unwrap(), None);
    assert_eq!(store.find(&large.digest).unwrap(), None);
    assert_eq!(put(store, b"small"), small);
}

pub(crate) fn a_realisation_is_remembered(store: &dyn Store) {
    let blob = put(store, b"x");
    let mut directory = Directory::new();
    directory.insert(EntryName::parse("a").unwrap(), Entry::File(blob)).unwrap();
    let mut builder = RecipeBuilder::new();
    builder.content(blob);
    let outputs = commit(store, |batch| {
        let recipe = batch.put_recipe(&builder.finish()).unwrap();
        let directory = batch.put_directory(&directory).unwrap();
        let outputs = [output(blob), output(recipe), Output::Directory(directory)];
        for (name, output) in ["blob", "recipe", "directory"].iter().zip(&outputs) {
            batch.put_realisation(&id(name), output).unwrap();
            batch.put_realisation(&id(name), output).unwrap();
        }
        outputs
    });
    for (name, output) in ["blob", "recipe", "directory"].iter().zip(outputs) {
        assert_eq!(store.realisation(&id(name)).unwrap(), Some(output));
    }
    assert_eq!(store.realisation(&id("never")).unwrap(), None);
}

/// Trees that share most of what they are made of, among ids that nobody knows.
pub(crate) fn realisations_are_found_many_at_once(store: &dyn Store) {
    let shared = put(store, b"shared");
    let name = |number: usize| format!("derivation {number}");
    let outputs: Vec<Output> = commit(store, |batch| {
        let mut inner = Directory::new();
        inner.insert(EntryName::parse("shared").unwrap(), Entry::File(shared)).unwrap();
        let inner = batch.put_directory(&inner).unwrap();
        let mut make = |number: usize| {
            let blob = batch.put_bytes(&noise(number as u64, 100)).unwrap();
            let mut outer = Directory::new();
            outer.insert(EntryName::parse("own").unwrap(), Entry::File(blob)).unwrap();
            outer.insert(EntryName::parse("inner").unwrap(), Entry::Directory(inner)).unwrap();
            let output = match number % 2 {
                0 => Output::Directory(batch.put_directory(&outer).unwrap()),
                _ => output(blob),
            };
            batch.put_realisation(&id(&name(number)), &output).unwrap();
            output
        };
        (0..600).map(&mut make).collect()
    });
    let ids: Vec<_> = (0..1200).rev().map(|number| id(&name(number))).collect();
    let mut expected: Vec<_> = outputs.into_iter().map(Some).collect();
    expected.resize(1200, None);
    expected.reverse();
    assert_eq!(store.realisations(&ids).unwrap(), expected);
    let absent = Output::Directory(Digest::of(b"absent"));
    let asked: Vec<Output> = expected.iter().map(|it| it.unwrap_or(absent)).collect();
    let whole: Vec<bool> = expected.iter().map(Option::is_some).collect();
    assert_eq!(store.are_whole(&asked).unwrap(), whole);
    assert_eq!(store.realisations(&[ids[900], ids[900]]).unwrap(), [expected[900]; 2]);
    assert_eq!(store.realisations(&[]).unwrap(), []);
}

pub(crate) fn one_at_a_time_builds_a_derivation(store: &dyn Store) {
    let held = store.try_lock_derivation(&id("a")).unwrap().unwrap();
    assert!(store.try_lock_derivation(&id("a")).unwrap().is_none());
    let other = store.try_lock_derivation(&id("b")).unwrap();
    assert!(other.is_some());
    let mut asked = 0;
    let stopped = store.lock_derivation(&id("a"), &mut || {
        asked += 1;
        asked < 3
    });
    assert!(matches!(stopped, Err(Error::Cancelled)));
    assert_eq!(asked, 3);
    drop(held);
    drop(store.lock_derivation(&id("a"), &mut || false).unwrap());

    // Eight builders who look again once they have the lock: one of them builds.
    let built = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let _held = store.lock_derivation(&id("c"), &mut || true).unwrap();
                if store.realisation(&id("c")).unwrap().is_none() {
                    built.fetch_add(1, Relaxed);
                    let blob = put(store, b"c");
                    commit(store, |it| it.put_realisation(&id("c"), &output(blob)).unwrap());
                }
            });
        }
    });
    assert_eq!(built.into_inner(), 1);
}

pub(crate) fn what_was_recorded_is_told_without_a_look_at_it(store: &dyn Store) {
    let (one, two) = (output(put(store, b"1")), output(put(store, b"2")));
    commit(store, |batch| {
        batch.put_realisation(&id("one"), &one).unwrap();
        batch.put_realisation(&id("two"), &two).unwrap();
    });
    let recorded = store.recorded(&[id("two"), id("never"), id("one"), id("two")]).unwrap();
    assert_eq!(recorded, [Some(two), None, Some(one), Some(two)]);
    assert_eq!(store.recorded(&[]).unwrap(), []);
}

pub(crate) fn a_root_is_found_by_its_name(store: &dyn Store) {
    let blob = output(put(store, b"x"));
    let root = |name: &str| Root { name: name.into(), output: blob, detail: name.into() };
    store.set_root(&root("a")).unwrap();
    store.set_root(&root("ab")).unwrap();
    assert_eq!(store.root("a").unwrap(), Some(root("a")));
    assert_eq!(store.root("b").unwrap(), None);
    store.remove_root("a").unwrap();
    assert_eq!(store.root("a").unwrap(), None);
}

pub(crate) fn a_second_output_is_a_conflict(store: &dyn Store) {
    let (one, two) = (output(put(store, b"1")), output(put(store, b"2")));
    let mut batch = store.batch().unwrap();
    batch.put_realisation(&id("a"), &one).unwrap();
    let in_batch = batch.put_realisation(&id("a"), &two).unwrap_err();
    batch.commit().unwrap();
    let in_store = store.batch().unwrap().put_realisation(&id("a"), &two).unwrap_err();
    for error in [in_batch, in_store] {
        assert!(error.help().is_some_and(|help| help.contains("`--store`")));
        let Error::Conflict { first, second, .. } = error else { panic!("{error}") };
        assert_eq!((*first, *second), (one, two));
    }
    let conflict = Conflict { id: id("a"), first: one, second: two };
    assert_eq!(store.conflicts().unwrap(), [conflict]);
    assert_eq!(store.realisation(&id("a")).unwrap(), Some(one));
}

pub(crate) fn a_conflict_found_at_commit_leaves_nothing(store: &dyn Store) {
    let (one, two) = (output(put(store, b"1")), output(put(store, b"2")));
    let (mut first, mut second) = (store.batch().unwrap(), store.batch().unwrap());
    first.put_realisation(&id("a"), &one).unwrap();
    second.put_realisation(&id("a"), &two).unwrap();
    let extra = second.put_bytes(b"extra").unwrap();
    first.commit().unwrap();
    assert!(matches!(second.commit(), Err(Error::Conflict { .. })));
    let conflict = Conflict { id: id("a"), first: one, second: two };
    assert_eq!(store.conflicts().unwrap(), [conflict]);
    assert_eq!(store.realisation(&id("a")).unwrap(), Some(one));
    assert_eq!(store.find(&extra.digest).unwrap(), None);
}

pub(crate) fn a_realisation_needs_its_output(store: &dyn Store) {
    let missing = Output::Directory(Digest::of(b"missing"));
    let error = store.batch().unwrap().put_realisation(&id("a"), &missing).unwrap_err();
    assert!(matches!(error, Error::Missing(_)), "{error}");
}

pub(crate) fn many_memos_come_in_the_order_they_were_asked_for(store: &dyn Store) {
    let keys: Vec<Digest> = (0..1000u32).map(|at| Digest::of(&at.to_le_bytes())).collect();
    commit(store, |batch| {
        for (at, key) in keys.iter().enumerate().filter(|(at, _)| at % 3 == 0) {
            batch.put_memo("t", key, &at.to_le_bytes()).unwrap();
        }
        batch.put_memo("other", &keys[1], b"not this").unwrap();
    });
    let found = store.memos("t", &keys).unwrap();
    for (at, memo) in found.into_iter().enumerate() {
        assert_eq!(memo, (at % 3 == 0).then(|| at.to_le_bytes().to_vec()), "{at}");
    }
    let twice = store.memos("t", &[keys[3], keys[1], keys[3]]).unwrap();
    assert!(twice[0] == twice[2] && twice[0].is_some() && twice[1].is_none());
    assert_eq!(store.memos("t", &[]).unwrap(), Vec::<Option<Vec<u8>>>::new());
}

pub(crate) fn an_output_is_whole_with_all_it_names(store: &dyn Store) {
    let blob = put(store, b"x");
    let mut directory = Directory::new();
    directory.insert(EntryName::parse("a").unwrap(), Entry::File(blob)).unwrap();
    let digest = commit(store, |batch| batch.put_directory(&directory).unwrap());
    assert!(store.is_whole(&output(blob)).unwrap());
    assert!(store.is_whole(&Output::Directory(digest)).unwrap());
    assert!(!store.is_whole(&Output::Directory(Digest::of(b"never"))).unwrap());
    let longer = mediabuild_store::Content { size_bytes: 2, ..blob };
    assert!(!store.is_whole(&output(longer)).unwrap());
}

pub(crate) fn memos_are_kept_by_table(store: &dyn Store) {
    let key = Digest::of(b"key");
    commit(store, |batch| {
        batch.put_memo("sha1", &key, b"one").unwrap();
        batch.put_memo("size", &key, b"").unwrap();
        batch.put_memo("sha1", &key, b"two").unwrap();
    });
    assert_eq!(store.memo("sha1", &key).unwrap(), Some(b"two".to_vec()));
    assert_eq!(store.memo("size", &key).unwrap(), Some(Vec::new()));
    assert_eq!(store.memo("other", &key).unwrap(), None);
}

pub(crate) fn roots_come_and_go(store: &dyn Store) {
    let root = |name: &str, detail: &[u8]| Root {
        name: name.to_owned(),
        output: output(put(store, b"x")),
        detail: detail.to_vec(),
    };
    store.set_root(&root("/b", b"1")).unwrap();
    store.set_root(&root("/a", b"2")).unwrap();
    store.set_root(&root("/b", b"3")).unwrap();
    assert_eq!(store.roots().unwrap(), [root("/a", b"2"), root("/b", b"3")]);
    store.remove_root("/a").unwrap();
    store.remove_root("/nobody").unwrap();
    assert_eq!(store.roots().unwrap(), [root("/b", b"3")]);
}

pub(crate) fn the_secret_key_stays(store: &dyn Store) {
    let key = store.secret_key().unwrap();
    assert_ne!(key, [0; 32]);
    assert_eq!(store.secret_key().unwrap(), key);
}

pub(crate) fn a_good_store_has_no_problems(store: &dyn Store) {
    let large = put(store, &noise(1, 5 << 20));
    put(store, b"");
    commit(store, |batch| {
        let small = batch.put_bytes(b"small").unwrap();
        let mut builder = RecipeBuilder::new();
        builder.content(large);
        builder.content(small);
        batch.put_recipe(&builder.finish()).unwrap();
        batch.put_directory(&Directory::new()).unwrap()
    });
    let mut heard = Vec::new();
    let mut progress = |done, all| {
        heard.push((done, all));
        true
    };
    assert_eq!(store.verify(&mut progress).unwrap(), []);
    assert!(heard.is_sorted() && heard.last().is_some_and(|(done, all)| done == all));
}

pub(crate) fn verify_stops_on_request(store: &dyn Store) {
    put(store, b"x");
    assert!(matches!(store.verify(&mut |_, _| false), Err(Error::Cancelled)));
}

pub(crate) fn threads_may_store_the_same_things(store: &dyn Store) {
    std::thread::scope(|scope| {
        for thread in 0..4u64 {
            scope.spawn(move || {
                for round in 0..5 {
                    commit(store, |batch| {
                        for seed in 0..20 {
                            batch.put_bytes(&noise(seed + round, 3000)).unwrap();
                        }
                        batch.put_bytes(&noise(round, 1 << 20)).unwrap();
                        let own = batch.put_bytes(&noise(1000 + thread, 100)).unwrap();
                        batch.put_realisation(&id(&format!("{thread}")), &output(own)).unwrap();
                    });
                }
            });
        }
    });
    for seed in 0..24 {
        assert_eq!(read(store, &Digest::of(&noise(seed, 3000))), noise(seed, 3000));
    }
    assert_eq!(store.verify(&mut |_, _| true).unwrap(), []);
}
