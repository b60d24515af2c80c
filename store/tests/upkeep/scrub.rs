//! Verification in pieces, and what it sees of packs.

use std::fs;

use mediabuild_store::{Digest, DiskStore, Error, ScrubOptions, ScrubReport};

use crate::gc::root;
use crate::{Fixture, commit, damage, files, fixture, noise, object, problems, put, read, realise};

/// Twenty files of their own, and twenty packs.
fn filled() -> Fixture {
    let fixture = fixture();
    for seed in 0..20 {
        put(&fixture.store, &noise(seed, 1 << 20));
        commit(&fixture.store, |batch| {
            for small in 0..10 {
                batch.put_bytes(&noise(1000 + 10 * seed + small, 900)).unwrap();
            }
        });
    }
    fixture
}

fn scrub(store: &DiskStore, resume: bool, max_bytes: Option<u64>) -> ScrubReport {
    let options = ScrubOptions { resume, max_bytes, max_time: None };
    store.scrub(&options, &mut |_, _| true).unwrap()
}

#[test]
fn pieces_read_what_one_pass_reads() {
    let fixture = filled();
    damage(&fixture.path.join("objects"), &noise(3, 64));
    damage(&fixture.path.join("packs"), &noise(1033, 900));
    let store = &fixture.store;
    let whole = scrub(store, false, None);
    assert!(whole.is_complete);
    assert_eq!(whole.problems.len(), 2);
    let mut pieces = vec![scrub(store, false, Some(5 << 20))];
    while !pieces.last().unwrap().is_complete {
        // Each in a process of its own.
        let store = DiskStore::open(&fixture.path).unwrap();
        pieces.push(scrub(&store, true, Some(5 << 20)));
    }
    assert!(pieces.len() >= 4, "{}", pieces.len());
    assert_eq!(pieces.iter().map(|piece| piece.read_bytes).sum::<u64>(), whole.read_bytes);
    let found: Vec<_> = pieces.into_iter().flat_map(|piece| piece.problems).collect();
    assert_eq!(found, whole.problems);
    // After the last piece, the next is the first again.
    assert_eq!(scrub(store, true, None).read_bytes, whole.read_bytes);
}

#[test]
fn a_pass_that_is_stopped_goes_on_where_it_was() {
    let fixture = filled();
    let store = &fixture.store;
    let whole = scrub(store, false, None).read_bytes;
    scrub(store, false, Some(8 << 20));
    let mut left = 0;
    let options = ScrubOptions { resume: true, ..ScrubOptions::default() };
    let stopped = store.scrub(&options, &mut |_, _| {
        left -= 1;
        left >= 0
    });
    assert!(matches!(stopped, Err(Error::Cancelled)));
    let rest = scrub(store, true, None);
    assert!(rest.is_complete && rest.read_bytes > 0 && rest.read_bytes + (8 << 20) <= whole);
    let quick = ScrubOptions { max_time: Some(std::time::Duration::ZERO), ..options };
    let report = store.scrub(&quick, &mut |_, _| true).unwrap();
    assert!(report.read_bytes == 0 && !report.is_complete);
}

/// Each byte of a pack's table and trailer: found, and put right without a gap.
#[test]
fn a_damaged_table_of_a_pack_is_found_and_written_anew() {
    let fixture = fixture();
    let contents = commit(&fixture.store, |batch| {
        [0, 1, 2].map(|seed| batch.put_bytes(&noise(seed, 700)).unwrap())
    });
    root(&fixture.store, "pin", realise(&fixture.store, "a", &contents));
    let pack = files(&fixture.path.join("packs"))
        .into_iter()
        .max_by_key(|path| path.metadata().unwrap().len())
        .unwrap();
    let good = fs::read(&pack).unwrap();
    let table = good.len() - 48 - 3 * 49;
    for at in (table..good.len()).step_by(5) {
        let mut bytes = good.clone();
        bytes[at] ^= 0x10;
        fs::remove_file(&pack).unwrap();
        fs::write(&pack, &bytes).unwrap();
        let found = problems(&fixture.store);
        assert_eq!(found.len(), 1, "byte {at}: {found:?}");
        assert!(found[0].what.contains("table") && found[0].path == pack, "{found:?}");
        let done = fixture.store.quarantine(&found).unwrap();
        assert_eq!((done.saved, done.lost.len(), done.files.len()), (3, 0, 1), "byte {at}");
        assert_eq!(problems(&fixture.store), []);
        assert_eq!(fs::read(&pack).unwrap(), good, "the same members make the same pack");
    }
    for (seed, content) in contents.iter().enumerate() {
        assert_eq!(read(&fixture.store, &content.digest), noise(seed as u64, 700));
    }
}

/// Bits of every kind of file, and files that end early: each is found and named.
#[test]
fn every_byte_counts() {
    let fixture = filled();
    let large = object(&fixture.path, &Digest::of(&noise(0, 1 << 20)));
    let pack = files(&fixture.path.join("packs")).remove(0);
    for path in [large, pack] {
        let good = fs::read(&path).unwrap();
        let last = good.len() - 1;
        let mut changed = vec![good[..last].to_vec(), good[..last / 2].to_vec(), Vec::new()];
        // The first eight bytes of a pack are its magic, which nobody reads.
        changed.extend([8, last / 3, last].map(|at| {
            let mut bytes = good.clone();
            bytes[at] ^= 1;
            bytes
        }));
        for bytes in changed {
            fs::remove_file(&path).unwrap();
            fs::write(&path, &bytes).unwrap();
            let found = problems(&fixture.store);
            assert!(!found.is_empty() && found.iter().all(|it| it.path == path), "{found:?}");
        }
        fs::remove_file(&path).unwrap();
        assert!(!problems(&fixture.store).is_empty());
        fs::write(&path, &good).unwrap();
        assert_eq!(problems(&fixture.store), []);
    }
}
