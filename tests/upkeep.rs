//! Looking after the store, from outside: a store that was collected, damaged or robbed of its index
//! builds the same results.

mod harness;

use std::fs;

use harness::TestSpace;

/// A quickstart that is built, and what `build` said of its results.
fn built_space() -> (TestSpace, String) {
    let space = TestSpace::quickstart();
    let results = space.build(&[]).stdout;
    (space, results)
}

#[test]
fn a_collection_keeps_what_results_need() {
    let (space, results) = built_space();
    space.run(&["store", "gc"]).expect(0).says("freed");
    space.run(&["store", "verify"]).expect(0);
    let again = space.build(&[]);
    again.says("0 built");
    let again = again.stdout;
    assert_eq!(again.replace("  (unchanged)", ""), results);
    assert_eq!(again.matches("(unchanged)").count(), results.lines().count());
}

#[test]
fn without_its_results_the_store_becomes_empty_and_builds_the_same() {
    let (space, results) = built_space();
    fs::remove_dir_all(space.project().join("result")).unwrap();
    space.run(&["store", "gc", "--dry-run"]).expect(0).says("would be freed").says("gone: result:");
    space.run(&["store", "gc", "--keep", "1d"]).expect(0).says("0 B freed");
    space.run(&["store", "gc"]).expect(0).says("0 B left");
    assert_eq!(space.build(&[]).stdout, results);
}

#[test]
fn damage_is_repaired_by_the_next_build() {
    let (space, results) = built_space();
    let packs = fs::read_dir(space.store().join("packs")).unwrap();
    for pack in packs.map(|entry| entry.unwrap().path()) {
        let mut bytes = fs::read(&pack).unwrap();
        bytes[8] ^= 1;
        fs::remove_file(&pack).unwrap();
        fs::write(&pack, bytes).unwrap();
    }
    space.run(&["store", "verify"]).expect(1).says("store verify --repair");
    space.run(&["store", "verify", "--repair"]).expect(0).says("moved aside");
    fs::remove_dir_all(space.project().join("result")).unwrap();
    assert_eq!(space.build(&[]).stdout, results);
    space.run(&["store", "verify"]).expect(0);
}

#[test]
fn a_lost_index_is_made_anew() {
    let (space, _) = built_space();
    let known = space.build(&[]).stdout;
    fs::remove_file(space.store().join("index.sqlite")).unwrap();
    space.run(&["build"]).expect(1).says("rebuild-index");
    space.run(&["store", "rebuild-index"]).expect(0).says("there is no old index");
    space.run(&["store", "verify"]).expect(0);
    fs::remove_dir_all(space.project().join("result")).unwrap();
    assert_eq!(space.build(&[]).stdout, known.replace("  (unchanged)", ""));
}

#[test]
fn each_result_is_told_with_what_it_takes() {
    let (space, _) = built_space();
    let run = space.run(&["store", "du"]);
    run.expect(0).says("boot.iso").says("only it").says("would free");
    let run = space.run(&["store", "du", "--format", "json"]);
    assert!(run.stdout.lines().all(|line| line.starts_with('{')), "{}", run.stdout);
}

/// The digest of the one result, and what a pin keeps when the result is gone.
#[test]
fn a_pin_keeps_what_a_target_was_built_to() {
    let (space, results) = built_space();
    space.run(&["store", "pin", "golden", "factory"]).expect(0).says("pinned: pin:golden");
    space.run(&["store", "roots"]).expect(0).says("pin:golden");
    let digest = space.build(&[]).digest("boot.iso").to_owned();
    space.run(&["store", "pin", "iso", &digest]).expect(0);
    space.run(&["store", "pin", "file", "result/factory.wim"]).expect(0);
    fs::remove_dir_all(space.project().join("result")).unwrap();
    space.run(&["store", "gc"]).expect(0).says("gone: result:");
    let built = space.build(&[]);
    built.says("0 built");
    assert_eq!(built.stdout, results);
    space.run(&["store", "pin", "none", "nobody"]).expect(2);
    space.run(&["store", "pin", "none", &"ab".repeat(32)]).expect(1).says("not in the store");
    space.run(&["store", "unpin", "golden"]).expect(0);
    space.run(&["store", "unpin", "golden"]).expect(2).says("store roots");
    for name in ["iso", "file"] {
        space.run(&["store", "unpin", name]).expect(0);
    }
    fs::remove_dir_all(space.project().join("result")).unwrap();
    space.run(&["store", "gc"]).expect(0);
    space.run(&["store", "du"]).expect(0).says("0 B in all");
}

#[test]
fn results_that_are_too_much_lose_their_contents_and_come_back_the_same() {
    let (space, results) = built_space();
    let told = space.run(&["store", "gc", "--max", "1KiB", "--dry-run"]);
    told.expect(0).says("not kept any more: result:").says("factory.wim");
    space.run(&["store", "gc", "--keep", "1d"]).expect(0).says("0 B freed");
    space.run(&["store", "gc", "--max", "1KiB"]).expect(0).says("not kept any more: result:");
    space.run(&["store", "verify"]).expect(0);
    assert!(space.result("factory.wim").exists(), "results are the user's");
    assert_eq!(space.build(&[]).stdout, results);
}

#[test]
fn a_store_is_verified_piece_by_piece() {
    let (space, _) = built_space();
    space.run(&["store", "verify", "--max", "1"]).expect(0).says("--resume");
    space.run(&["store", "verify", "--resume"]).expect(0).says("as it was stored");
    let bytes = |run: &harness::Run| -> u64 {
        let line = run.stdout.lines().find(|line| line.contains("\"verified\"")).unwrap();
        let (_, rest) = line.split_once("\"bytes\":").unwrap();
        rest.split(|it: char| !it.is_ascii_digit()).next().unwrap().parse().unwrap()
    };
    let json = ["--format", "json"];
    let whole = bytes(space.run(&[&["store", "verify"][..], &json].concat()).expect(0));
    let half =
        bytes(space.run(&[&["store", "verify", "--max", "1"][..], &json].concat()).expect(0));
    let rest = bytes(space.run(&[&["store", "verify", "--resume"][..], &json].concat()).expect(0));
    assert!(half > 0 && half < whole);
    assert_eq!(half + rest, whole);
}

#[test]
fn a_size_or_age_that_is_none_is_a_mistake() {
    let space = TestSpace::new();
    space.run(&["store", "gc", "--max", "many"]).expect(2).says("50GiB");
    space.run(&["store", "gc", "--keep", "30"]).expect(2).says("30d");
}
