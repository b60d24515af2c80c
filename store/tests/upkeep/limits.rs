//! Limits of a collection: which results go though they are there, by when they were used.

use std::time::{SystemTime, UNIX_EPOCH};

use mediabuild_store::{Content, Digest, DiskStore, GcOptions, GcReport, Store};

use crate::gc::root;
use crate::{Fixture, fixture, noise, problems, put, realise};

const DAY: i64 = 86_400;

fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() as i64
}

/// Results of a mebibyte each and a pin as large, used so many days ago (in the future: less than
/// none); what keeps them is in the index only.
fn used(days: &[i64]) -> (Fixture, Vec<String>) {
    let mut fixture = fixture();
    let made = |name: &str, seed: u64| -> Content {
        realise(&fixture.store, name, &[put(&fixture.store, &noise(seed, 1 << 20))])
    };
    let mut names = Vec::new();
    for (seed, _) in days.iter().enumerate() {
        let path = fixture.path.parent().unwrap().join(format!("result {seed}"));
        std::fs::write(&path, "").unwrap();
        names.push(format!("result:{}", path.display()));
        root(&fixture.store, &names[seed], made(&names[seed], seed as u64));
    }
    root(&fixture.store, "pin:old", made("pin", 99));
    let index = rusqlite::Connection::open(fixture.path.join("index.sqlite")).unwrap();
    let mut set = index.prepare("UPDATE root SET used_at = ? WHERE name = ?").unwrap();
    for (name, days) in names.iter().zip(days) {
        set.execute(rusqlite::params![now() - days * DAY, name]).unwrap();
    }
    set.execute(rusqlite::params![0, "pin:old"]).unwrap();
    fixture.store = DiskStore::open(&fixture.path).unwrap();
    (fixture, names)
}

fn gc(fixture: &Fixture, options: GcOptions) -> GcReport {
    let store = DiskStore::open(&fixture.path).unwrap();
    let told = store.gc(&GcOptions { dry_run: true, ..options }, &mut |_, _| true).unwrap();
    let done = store.gc(&options, &mut |_, _| true).unwrap();
    assert_eq!(told.evicted_roots, done.evicted_roots);
    assert_eq!(problems(&store), []);
    done
}

fn left(fixture: &Fixture) -> Vec<u64> {
    let store = DiskStore::open(&fixture.path).unwrap();
    let is_here = |seed: &u64| store.find(&Digest::of(&noise(*seed, 1 << 20))).unwrap().is_some();
    (0..5).chain([99]).filter(is_here).collect()
}

#[test]
fn what_was_not_used_for_long_goes_and_a_pin_stays() {
    let (fixture, names) = used(&[40, 1, 35, 0]);
    assert_eq!(gc(&fixture, GcOptions::default()).evicted_roots, [""; 0]);
    // Young contents stay by their own age, so what goes is told by the roots.
    let options = GcOptions { keep_since: Some(now() - 30 * DAY), ..GcOptions::default() };
    let report = gc(&fixture, options);
    assert_eq!(report.evicted_roots, [names[0].clone(), names[2].clone()]);
    assert_eq!(fixture.store.roots().unwrap().len(), 3);
    gc(&fixture, GcOptions::default());
    assert_eq!(left(&fixture), [1, 3, 99]);
}

#[test]
fn what_is_too_much_goes_and_what_was_used_last_stays() {
    let (fixture, names) = used(&[3, 1, 4, 2]);
    let options = GcOptions { max_bytes: Some((7 << 20) / 2), ..GcOptions::default() };
    let report = gc(&fixture, options);
    assert_eq!(report.evicted_roots, [names[0].clone(), names[2].clone()]);
    assert!(report.kept_bytes <= (7 << 20) / 2, "{report:?}");
    assert_eq!(left(&fixture), [1, 3, 99]);
    // No room at all, and still the pin stays.
    gc(&fixture, GcOptions { max_bytes: Some(0), ..GcOptions::default() });
    assert_eq!(left(&fixture), [99]);
}

/// Times from a clock that went back since are in the future: what has one counts as just used,
/// and the next use says when that is.
#[test]
fn a_clock_that_went_back_loses_nothing() {
    let (fixture, names) = used(&[-400, 40]);
    fixture.store.touch_root(&names[0]);
    fixture.store.touch_root("nobody");
    let options = GcOptions { keep_since: Some(now() - 30 * DAY), ..GcOptions::default() };
    assert_eq!(gc(&fixture, options).evicted_roots, [names[1].clone()]);
    let index = rusqlite::Connection::open(fixture.path.join("index.sqlite")).unwrap();
    let used_at: i64 = index
        .query_row("SELECT used_at FROM root WHERE name = ?", [&names[0]], |row| row.get(0))
        .unwrap();
    assert!(now().abs_diff(used_at) < 100, "{used_at}");
    // A collector whose own clock is far in the past keeps all that is young for it.
    let options = GcOptions { keep_since: Some(-DAY), ..GcOptions::default() };
    assert_eq!(gc(&fixture, options).evicted_roots, [""; 0]);
}

/// A store of the time before leases: brought up to date, with all that is in it.
#[test]
fn an_older_store_is_brought_up_to_date() {
    let (fixture, names) = used(&[0]);
    let path = fixture.path.clone();
    drop(fixture.store);
    let index = rusqlite::Connection::open(path.join("index.sqlite")).unwrap();
    index
        .execute_batch(
            "INSERT INTO memo VALUES ('kept', zeroblob(32), x'0102', NULL);
             DROP TABLE conflict; DROP TABLE whole; DROP TABLE state;
             ALTER TABLE realisation DROP COLUMN inputs;
             ALTER TABLE realisation DROP COLUMN made_at;
             ALTER TABLE realisation DROP COLUMN generation;
             ALTER TABLE realisation DROP COLUMN proof;
             ALTER TABLE memo DROP COLUMN about;
             ALTER TABLE root DROP COLUMN used_at;
             PRAGMA user_version = 1;",
        )
        .unwrap();
    drop(index);
    std::fs::write(path.join("format"), "mediabuild store 1\n").unwrap();
    let store = DiskStore::open(&path).unwrap();
    assert_eq!(std::fs::read_to_string(path.join("format")).unwrap(), "mediabuild store 2\n");
    assert!(store.realisation(&crate::id(&names[0])).unwrap().is_some());
    assert_eq!(store.roots().unwrap().len(), 2);
    let memo = store.memo("kept", &Digest::from_bytes([0; 32])).unwrap();
    assert_eq!(memo.as_deref(), Some(&[1, 2][..]));
    assert_eq!(problems(&store), []);
    assert_eq!(store.conflicts().unwrap(), []);
    drop(store);
    let options = GcOptions { keep_since: Some(now() - DAY), ..GcOptions::default() };
    let store = DiskStore::open(&path).unwrap();
    assert_eq!(store.gc(&options, &mut |_, _| true).unwrap().evicted_roots, [""; 0]);
}
