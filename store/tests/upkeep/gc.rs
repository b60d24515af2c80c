//! Collecting garbage: what is needed stays, the rest goes, whoever works meanwhile.

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use mediabuild_store::{
    Content, Digest, Directory, DiskStore, Entry, EntryName, Error, GcOptions, GcReport, Output,
    Root, Store,
};

use crate::{
    Fixture, commit, damage, files, fixture, id, noise, object, parts, problems, put, read, realise,
};

const ALL: GcOptions = GcOptions { keep_since: None, max_bytes: None, dry_run: false };

/// Collects through a handle of its own, so that the fixture's leases do not count.
pub(crate) fn collect(path: &Path) -> GcReport {
    DiskStore::open(path).unwrap().gc(&ALL, &mut |_, _| true).unwrap()
}

/// The store without leases of whoever filled it.
fn filled(fill: impl FnOnce(&DiskStore)) -> Fixture {
    let mut fixture = fixture();
    fill(&fixture.store);
    fixture.store = DiskStore::open(&fixture.path).unwrap();
    fixture
}

pub(crate) fn root(store: &dyn Store, name: &str, content: Content) {
    let output = Output::Content(content);
    store.set_root(&Root { name: name.to_owned(), output, detail: Vec::new() }).unwrap();
}

fn is_here(path: &Path, bytes: &[u8]) -> bool {
    DiskStore::open(path).unwrap().find(&Digest::of(bytes)).unwrap().is_some()
}

/// Everything in the folder but locks, leases and SQLite's own files.
fn contents(path: &Path) -> Vec<(String, u64)> {
    let stored = ["objects", "packs", "trash", "quarantine", "reserve", "tmp"];
    let stored = stored.iter().map(|name| path.join(name));
    let all = stored.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] });
    let mut all: Vec<_> = all
        .filter(|path| path.exists() && !path.ends_with("lock"))
        .map(|path| (path.display().to_string(), path.metadata().unwrap().len()))
        .collect();
    all.sort();
    all
}

fn disk_bytes(path: &Path) -> u64 {
    let stored = ["objects", "packs", "trash"].iter().flat_map(|name| files(&path.join(name)));
    stored.map(|path| path.metadata().unwrap().len()).sum()
}

#[test]
fn what_roots_reach_stays_and_the_rest_goes() {
    let fixture = filled(|store| {
        let small = put(store, b"small");
        let large = put(store, &noise(1, 2 << 20));
        let inner = realise(store, "inner", &[small, large]);
        let outer = realise(store, "outer", &[inner]);
        root(store, "pin", outer);
        let dead = put(store, &noise(2, 2 << 20));
        let dead = realise(store, "dead", &[dead, small]);
        commit(store, |batch| {
            batch.put_memo("sha1", &large.digest, b"kept").unwrap();
            batch.put_memo("sha1", &dead.digest, b"dropped").unwrap();
            batch.put_memo("stat", &Digest::of(b"a path"), b"kept").unwrap();
            for seed in 0..40 {
                batch.put_bytes(&noise(100 + seed, 5000)).unwrap();
            }
        });
    });
    let before = disk_bytes(&fixture.path);
    let report = collect(&fixture.path);
    assert_eq!(report.freed_bytes, before - disk_bytes(&fixture.path));
    assert_eq!(report.kept_bytes, disk_bytes(&fixture.path));
    assert_eq!((report.kept_objects, report.removed_objects), (4, 42));
    assert!(files(&fixture.path.join("trash")).iter().all(|path| path.ends_with("lock")));

    let store = &fixture.store;
    assert_eq!(problems(store), []);
    assert!(store.realisation(&id("outer")).unwrap().is_some());
    assert!(store.realisation(&id("inner")).unwrap().is_some());
    assert_eq!(store.realisation(&id("dead")).unwrap(), None);
    assert!(!is_here(&fixture.path, &noise(2, 2 << 20)));
    let memo = |topic, bytes: &[u8]| store.memo(topic, &Digest::of(bytes)).unwrap();
    assert_eq!(memo("sha1", &noise(1, 2 << 20)), Some(b"kept".to_vec()));
    assert_eq!(memo("stat", b"a path"), Some(b"kept".to_vec()));
    assert_eq!(collect(&fixture.path).freed_bytes, 0);
}

#[test]
fn a_result_that_is_gone_keeps_nothing() {
    let fixture = filled(|store| root(store, "result:/nowhere/boot.iso", put(store, b"small")));
    let here = fixture.path.join("format");
    root(&fixture.store, &format!("result:{}", here.display()), put(&fixture.store, b"other"));
    let store = DiskStore::open(&fixture.path).unwrap();
    drop(fixture.store);
    let report = store.gc(&ALL, &mut |_, _| true).unwrap();
    assert_eq!(report.removed_roots, ["result:/nowhere/boot.iso"]);
    assert_eq!(store.roots().unwrap().len(), 1);
    assert!(!is_here(&fixture.path, b"small"));
    assert!(is_here(&fixture.path, b"other"));
}

#[test]
fn what_a_living_process_uses_stays_with_all_it_needs() {
    let fixture = filled(|store| {
        let small = put(store, b"small");
        let large = put(store, &noise(1, 2 << 20));
        realise(store, "a", &[small, large]);
        let other = put(store, b"other");
        realise(store, "b", &[small, other]);
        commit(store, |batch| {
            for seed in 0..9 {
                batch.put_bytes(&noise(seed, 3000)).unwrap();
            }
        });
    });
    let user = DiskStore::open(&fixture.path).unwrap();
    let output = user.realisation(&id("a")).unwrap().unwrap();
    let reader = user.open_at(&output.digest()).unwrap();
    collect(&fixture.path);
    reader.read_exact_at(0, &mut vec![0; reader.size_bytes() as usize]).unwrap();
    assert_eq!(fixture.store.realisation(&id("b")).unwrap(), None);
    assert_eq!(problems(&fixture.store), []);

    drop((user, reader, fixture.store));
    collect(&fixture.path);
    assert_eq!(disk_bytes(&fixture.path), 0);
}

/// What a build makes on the way to its results: nothing names it, and it costs nothing.
#[test]
fn what_only_names_what_stays_stays_too() {
    let fixture = filled(|store| {
        let (kept, dropped) = (put(store, b"kept"), put(store, b"dropped"));
        let folder = |store: &DiskStore, contents: &[(&str, Content)]| {
            let mut directory = Directory::new();
            for (name, content) in contents {
                directory.insert(EntryName::parse(name).unwrap(), Entry::File(*content)).unwrap();
            }
            commit(store, |batch| {
                let inner = batch.put_directory(&directory).unwrap();
                let mut outer = Directory::new();
                outer.insert(EntryName::parse("inner").unwrap(), Entry::Directory(inner)).unwrap();
                Output::Directory(batch.put_directory(&outer).unwrap())
            })
        };
        let stays = folder(store, &[("a", kept)]);
        let goes = folder(store, &[("a", kept), ("b", dropped)]);
        let empty = folder(store, &[]);
        let result = realise(store, "result", &[kept]);
        root(store, "pin", result);
        commit(store, |batch| {
            for (name, output) in [("stays", stays), ("goes", goes), ("empty", empty)] {
                batch.put_realisation(&id(name), &output).unwrap();
                let key = Digest::of(name.as_bytes());
                batch.put_memo_about("stat", &key, &output.digest(), b"1").unwrap();
            }
        });
    });
    collect(&fixture.path);
    let store = DiskStore::open(&fixture.path).unwrap();
    for (name, is_kept) in [("stays", true), ("goes", false), ("empty", true), ("result", true)] {
        assert_eq!(store.realisation(&id(name)).unwrap().is_some(), is_kept, "{name}");
        let memo = store.memo("stat", &Digest::of(name.as_bytes())).unwrap();
        assert_eq!(memo.is_some(), is_kept && name != "result", "{name}");
    }
    assert_eq!(problems(&store), []);
    store.remove_root("pin").unwrap();
    drop((store, fixture.store));
    collect(&fixture.path);
    assert_eq!(disk_bytes(&fixture.path), 0);
}

/// What a result was made from stays, to the imports; what made an equal result before does not.
#[test]
fn inputs_of_what_is_live_stay() {
    let fixture = filled(|store| {
        let result = put(store, b"result");
        let [old, import, middle] = ["old", "import", "middle"].map(|it| put(store, it.as_bytes()));
        let made = |name: &str, output: Content, input: Content| {
            commit(store, |batch| {
                batch.put_realisation(&id(name), &Output::Content(output)).unwrap();
                batch.put_inputs(&id(name), &[Output::Content(input)]).unwrap();
            });
        };
        made("before", result, old);
        std::thread::sleep(Duration::from_millis(1100));
        made("last", result, middle);
        made("middle", middle, import);
        root(store, "pin", result);
    });
    collect(&fixture.path);
    let kept = [("result", true), ("middle", true), ("import", true), ("old", false)];
    for (bytes, is_kept) in kept {
        assert_eq!(is_here(&fixture.path, bytes.as_bytes()), is_kept, "{bytes}");
    }
    fixture.store.remove_root("pin").unwrap();
    drop(fixture.store);
    collect(&fixture.path);
    assert_eq!(disk_bytes(&fixture.path), 0);
}

#[test]
fn many_small_packs_become_one() {
    let fixture = filled(|store| {
        let contents: Vec<Content> = (0..100).map(|seed| put(store, &noise(seed, 500))).collect();
        root(store, "pin", realise(store, "a", &contents));
    });
    let report = collect(&fixture.path);
    assert!(report.copied_bytes > 50_000, "{report:?}");
    assert_eq!(files(&fixture.path.join("packs")).len(), 1);
    assert_eq!(problems(&fixture.store), []);
    for seed in 0..100 {
        assert!(is_here(&fixture.path, &noise(seed, 500)));
    }
    assert_eq!(collect(&fixture.path).copied_bytes, 0);
}

/// Two containers have the part, and the file of one is gone: the other one stays.
#[test]
fn a_part_keeps_a_container_that_is_there() {
    let (one, two) = (noise(1, 2 << 20), [noise(1, 1 << 20), noise(2, 2 << 20)].concat());
    let part = parts(&one, 1 << 20, 1)[0];
    for lost in [&one, &two] {
        let fixture = filled(|store| {
            for bytes in [&one, &two] {
                let container = put(store, bytes);
                commit(store, |it| it.put_parts(&container.digest, &[part]).unwrap());
            }
            root(store, "pin", realise(store, "a", &[part.content()]));
        });
        fs::remove_file(object(&fixture.path, &Digest::of(lost))).unwrap();
        collect(&fixture.path);
        assert_eq!(read(&fixture.store, &part.digest), one[..1 << 20]);
        assert_eq!(problems(&fixture.store), []);
    }
}

#[test]
fn an_index_that_is_mostly_free_shrinks() {
    let fixture = filled(|store| {
        commit(store, |batch| {
            for number in 0..20_000u64 {
                batch.put_bytes(&number.to_le_bytes()).unwrap();
            }
        });
    });
    let index_bytes = || fixture.path.join("index.sqlite").metadata().unwrap().len();
    let store = DiskStore::open(&fixture.path).unwrap();
    store.gc(&GcOptions { dry_run: true, ..ALL }, &mut |_, _| true).unwrap();
    store.gc(&ALL, &mut |_, _| true).unwrap();
    assert!(index_bytes() < 200_000, "{}", index_bytes());
    assert_eq!(put(&store, b"new").size_bytes, 3);
    assert_eq!(problems(&store), []);
}

#[test]
fn a_lease_of_a_dead_process_keeps_nothing() {
    let fixture = filled(|store| {
        put(store, b"small");
    });
    let lease = fixture.path.join("leases/1-dead");
    fs::write(&lease, Digest::of(b"small").as_bytes()).unwrap();
    collect(&fixture.path);
    assert!(!lease.exists());
    assert!(!is_here(&fixture.path, b"small"));
}

#[test]
fn a_mostly_dead_pack_is_written_anew_and_a_mostly_live_one_stays() {
    let fixture = filled(|store| {
        for start in [0, 100] {
            let contents: Vec<Content> = commit(store, |batch| {
                let put = |seed| batch.put_bytes(&noise(seed, 2000)).unwrap();
                (start..start + 100).map(put).collect()
            });
            let live = if start == 0 { 10 } else { 90 };
            root(
                store,
                &format!("{start}"),
                realise(store, &format!("{start}"), &contents[..live]),
            );
        }
    });
    let report = collect(&fixture.path);
    assert!(report.copied_bytes >= 20_000 && report.copied_bytes < 30_000, "{report:?}");
    assert!(disk_bytes(&fixture.path) < 250_000);
    assert_eq!(problems(&fixture.store), []);
    for seed in (0..10).chain(100..190) {
        let bytes = noise(seed, 2000);
        assert_eq!(read(&fixture.store, &Digest::of(&bytes)), bytes);
    }
    let bytes = noise(50, 2000);
    assert_eq!(fixture.store.find(&Digest::of(&bytes)).unwrap(), None);
    drop(fixture.store);
    let again = collect(&fixture.path);
    assert_eq!((again.copied_bytes, again.freed_bytes), (0, 0));
}

/// A container of which so many thousand-byte parts, and nothing else, are needed.
fn container(live: usize) -> (Fixture, Vec<u8>) {
    let bytes = noise(1, 2_000_000);
    let fixture = filled(|store| {
        let outer = put(store, &bytes);
        let inner = parts(&bytes, 1_000_000, 2)[0];
        let all = parts(&bytes, 1000, 1000);
        commit(store, |batch| {
            batch.put_parts(&outer.digest, &[inner]).unwrap();
            batch.put_parts(&inner.digest, &all).unwrap();
            batch.put_parts(&outer.digest, &parts(&bytes, 1000, 2000)[1000..]).unwrap();
        });
        let all = parts(&bytes, 1000, live);
        let contents: Vec<Content> = all.iter().map(|part| part.content()).collect();
        root(store, "pin", realise(store, "a", &contents));
    });
    (fixture, bytes)
}

#[test]
fn parts_keep_their_container_unless_it_is_mostly_dead() {
    for (live, moved) in [(1500, false), (3, true)] {
        let (fixture, bytes) = container(live);
        let report = collect(&fixture.path);
        assert_eq!(report.copied_bytes, if moved { 3000 } else { 0 });
        assert_eq!(object(&fixture.path, &Digest::of(&bytes)).exists(), !moved);
        let store = DiskStore::open(&fixture.path).unwrap();
        for part in parts(&bytes, 1000, live) {
            let start = part.offset_bytes as usize;
            assert_eq!(read(&store, &part.digest), bytes[start..start + 1000]);
        }
        assert_eq!(is_here(&fixture.path, &bytes[4000..5000]), !moved);
        assert_eq!(store.parts(&Digest::of(&bytes)).unwrap().is_empty(), moved);
        assert_eq!(problems(&store), []);
        assert!(store.realisation(&id("a")).unwrap().is_some());
        drop((store, fixture.store));
        assert_eq!(collect(&fixture.path).freed_bytes, 0);
    }
}

#[test]
fn a_container_in_use_is_not_emptied() {
    let (fixture, bytes) = container(3);
    let reader = fixture.store.open_at(&Digest::of(&bytes[..1000])).unwrap();
    collect(&fixture.path);
    reader.read_exact_at(0, &mut [0; 1000]).unwrap();
    assert!(object(&fixture.path, &Digest::of(&bytes)).exists());
}

#[test]
fn a_dry_run_tells_and_changes_nothing() {
    let (fixture, _) = container(3);
    put(&DiskStore::open(&fixture.path).unwrap(), &noise(5, 2 << 20));
    root(&fixture.store, "result:/nowhere", put(&fixture.store, b"small"));
    let path = fixture.path.clone();
    drop(fixture.store);
    let before = contents(&path);
    let store = DiskStore::open(&path).unwrap();
    let told = store.gc(&GcOptions { dry_run: true, ..ALL }, &mut |_, _| true).unwrap();
    assert_eq!(contents(&path), before);
    assert_eq!(store.roots().unwrap().len(), 2);
    let done = store.gc(&ALL, &mut |_, _| true).unwrap();
    assert_eq!(told.removed_roots, done.removed_roots);
    assert_eq!(told.removed_objects, done.removed_objects);
    // The pack's table is not foretold.
    assert!(told.freed_bytes.abs_diff(done.freed_bytes) < 1000, "{told:?} {done:?}");
}

#[test]
fn it_may_be_stopped_at_every_step() {
    let mut steps = 0;
    loop {
        let (fixture, bytes) = container(3);
        put(&DiskStore::open(&fixture.path).unwrap(), &noise(5, 2 << 20));
        drop(fixture.store);
        let store = DiskStore::open(&fixture.path).unwrap();
        let mut left = steps;
        let done = store.gc(&ALL, &mut |_, _| {
            left -= 1;
            left >= 0
        });
        assert_eq!(problems(&store), []);
        assert!(store.realisation(&id("a")).unwrap().is_some());
        assert_eq!(read(&store, &Digest::of(&bytes[..1000])), bytes[..1000]);
        match done {
            Ok(_) => break,
            Err(error) => assert!(matches!(error, Error::Cancelled), "{error}"),
        }
        drop(store);
        collect(&fixture.path);
        let kept = disk_bytes(&fixture.path);
        assert!(kept < 10_000, "{kept} bytes after stopping at step {steps}");
        steps += 1;
    }
    assert!(steps > 5, "{steps}");
}

#[test]
fn files_that_no_row_names_go() {
    let fixture = filled(|store| root(store, "pin", put(store, b"small")));
    let stray = object(&fixture.path, &Digest::of(b"stray"));
    fs::create_dir_all(stray.parent().unwrap()).unwrap();
    fs::write(&stray, "stray").unwrap();
    let pack = fixture.path.join("packs").join(Digest::of(b"pack").to_string());
    fs::write(&pack, "half a pack").unwrap();
    fs::create_dir_all(fixture.path.join("trash/cut-short")).unwrap();
    fs::write(fixture.path.join("trash/cut-short/0"), "").unwrap();
    let report = collect(&fixture.path);
    assert_eq!(report.freed_bytes, 5 + 11);
    assert!(!stray.exists() && !pack.exists());
    assert!(!fixture.path.join("trash/cut-short").exists());
    assert!(is_here(&fixture.path, b"small"));
}

#[test]
fn the_young_stay_and_the_youngest_as_long_as_there_is_room() {
    let fixture = filled(|store| {
        for seed in 0..4 {
            put(store, &noise(seed, 1 << 20));
        }
    });
    let now = SystemTime::now();
    for seed in 0..4 {
        let path = object(&fixture.path, &Digest::of(&noise(seed, 1 << 20)));
        let age = Duration::from_secs(1000 * seed);
        fs::File::open(path).unwrap().set_modified(now - age).unwrap();
    }
    let left = || -> Vec<u64> {
        (0..4).filter(|seed| is_here(&fixture.path, &noise(*seed, 1 << 20))).collect()
    };
    let store = DiskStore::open(&fixture.path).unwrap();
    let gc = |options| store.gc(&options, &mut |_, _| true).unwrap();
    let seconds = now.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs() as i64;
    gc(GcOptions { max_bytes: Some(100 << 20), ..ALL });
    assert_eq!(left(), [0, 1, 2, 3]);
    gc(GcOptions { keep_since: Some(seconds - 2500), ..ALL });
    assert_eq!(left(), [0, 1, 2]);
    gc(GcOptions { max_bytes: Some(2 << 20), keep_since: Some(0), dry_run: false });
    assert_eq!(left(), [0, 1]);
    gc(ALL);
    assert_eq!(left(), [0u64; 0]);
}

#[test]
fn damage_below_a_root_stops_it() {
    let fixture = filled(|store| {
        let small = put(store, b"small");
        root(store, "pin", realise(store, "a literal to damage", &[small]));
    });
    damage(&fixture.path.join("packs"), b"a literal to damage");
    let store = DiskStore::open(&fixture.path).unwrap();
    let error = store.gc(&ALL, &mut |_, _| true).unwrap_err();
    assert!(matches!(error, Error::Corrupt { .. }), "{error}");
    assert!(is_here(&fixture.path, b"small"));
}

#[test]
fn the_reserve_is_there_again_afterwards() {
    let fixture = fixture();
    let reserve = fixture.path.join("reserve");
    assert_eq!(reserve.metadata().unwrap().len(), 8 << 20);
    fs::File::options().write(true).open(&reserve).unwrap().set_len(0).unwrap();
    collect(&fixture.path);
    assert_eq!(reserve.metadata().unwrap().len(), 8 << 20);
}
