//! Places that cannot be written to: read-only, taken, full.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use crate::harness::{Run, TestSpace, names, tree};
use crate::{
    IMAGE_OF_FILES, Mount, PACKAGE, assert_nothing_built, forget_results, noise, package_of,
    read_only,
};

#[test]
fn a_read_only_output_folder_is_an_error_of_the_environment() {
    let space = package_of(&[("a.txt", "")]);
    let out = space.path().join("out");
    let Some(_ro) = read_only(&out) else { return };
    let run = space.run(&["build", "package:p", "--out", out.to_str().expect("UTF-8")]);
    run.expect(3).says(out.to_str().expect("UTF-8")).says("help: change its permissions");
}

#[test]
fn a_read_only_store_is_an_error_of_the_environment() {
    let space = package_of(&[("a.txt", "")]);
    let Some(_ro) = read_only(&space.store()) else { return };
    space.run(PACKAGE).expect(3).says(space.store().to_str().expect("UTF-8")).says("help: ");
    assert_nothing_built(&space);
}

#[test]
fn a_folder_where_a_result_goes_is_never_removed() {
    let space = TestSpace::quickstart();
    space.write("result/factory.wim/precious.txt", "mine");
    space
        .run(&["build", "factory"])
        .expect(3)
        .says("factory.wim` is a folder")
        .says("help: move it");
    assert_eq!(tree(&space.project().join("result")).len(), 1);

    let space = package_of(&[("a.txt", "")]);
    space.write("result/package/p", "a file of mine");
    space.run(PACKAGE).expect(3).says("package/p` is a file").says("help: move it");
    assert_eq!(fs::read(space.result("package/p")).expect("still there"), b"a file of mine");
    fs::remove_dir_all(space.project().join("result")).expect("removed");
    space.write("result", "a file where the folder goes");
    space.run(PACKAGE).expect(3).says("result");
    assert!(space.project().join("result").is_file());
}

#[test]
fn a_disk_too_small_for_a_result_keeps_the_old_one() {
    let space = package_of(&[("a.bin", "small")]);
    let out = space.path().join("out");
    let Some(_disk) = Mount::tmpfs(&out, "size=8m") else { return };
    let build = ["build", "boot-image:i", "--out", out.to_str().expect("UTF-8")];
    space.write("mediabuild.kdl", IMAGE_OF_FILES);
    space.run(&build).expect(0);
    let old = fs::read(out.join("boot-image/i.wim")).expect("a result");
    space.write("files/a.bin", noise(12 << 20));
    let run = space.run(&build);
    run.expect(3).says(out.to_str().expect("UTF-8")).says("free").says("help: free space");
    assert_eq!(fs::read(out.join("boot-image/i.wim")).expect("a result"), old);
    space.write("files/a.bin", noise(3 << 20));
    space.run(&build).expect(0);
    assert_eq!(names(&out.join("boot-image")), ["i.wim"]);
}

/// 3000 files of 100 bytes need 12 MB on a file system with blocks: only the write itself can tell.
#[test]
fn a_disk_that_is_full_in_the_middle_of_a_result_keeps_the_old_one() {
    let space = package_of(&[("first.txt", "first")]);
    let out = space.path().join("out");
    let Some(_disk) = Mount::tmpfs(&out, "size=8m") else { return };
    let build = ["build", "package:p", "--out", out.to_str().expect("UTF-8")];
    space.run(&build).expect(0);
    for at in 0..3000 {
        space.write(&format!("files/many/{at}.txt"), format!("{at:100}"));
    }
    let run = space.run(&build);
    run.expect(3).says(out.to_str().expect("UTF-8")).says("help: free space");
    assert_eq!(tree(&out.join("package/p")).len(), 1, "the old result");
    assert_eq!(names(&out.join("package")), ["p"]);
    fs::remove_dir_all(space.project().join("files/many")).expect("removed");
    space.write("files/second.txt", "second");
    space.run(&build).expect(0);
    assert_eq!(tree(&out.join("package/p")).len(), 2);
    assert_eq!(names(&out.join("package")), ["p"]);
}

#[test]
fn a_full_store_is_an_error_of_the_environment_and_heals_with_space() {
    let space = package_of(&[("first.txt", "first")]);
    let Some(_disk) = Mount::tmpfs(&space.store(), "size=8m") else { return };
    space.run(PACKAGE).expect(0);
    space.write("files/large.bin", noise(12 << 20));
    let run = space.run(PACKAGE);
    run.expect(3).says(space.store().to_str().expect("UTF-8")).says("help: free");
    assert_eq!(tree(&space.result("package/p")).len(), 1, "the old result");
    space.write("files/large.bin", noise(2 << 20));
    space.run(PACKAGE).expect(0);
    space.run(&["store", "verify"]).expect(0);
    assert_eq!(names(&space.store().join("tmp")), ["lock"], "nothing is left in tmp/");
}

#[test]
fn inputs_that_have_no_room_are_refused_before_they_are_read() {
    let space = package_of(&[("huge.bin", "")]);
    let file = File::create(space.project().join("files/huge.bin")).expect("created");
    file.set_len(64 << 20).expect("sparse");
    let Some(_disk) = Mount::tmpfs(&space.store(), "size=8m") else { return };
    let run = space.run(PACKAGE);
    run.expect(3)
        .says("the inputs that are new to it need 67 MB")
        .says("help: mediabuild store gc");
    assert!(!run.stderr.contains("import files"), "nothing was begun: {}", run.stderr);
    let run = Run::of(space.command().args(PACKAGE).arg("--no-space-check"));
    // It is one hole, and a hole takes no room.
    run.expect(0);
}

/// Whichever write is the first without room: the pack, a large file, the index or its log.
#[test]
fn a_store_that_fills_up_anywhere_stays_whole() {
    let space = TestSpace::quickstart();
    let wanted = space.build(&[]);
    fs::remove_dir_all(space.store()).expect("removed");
    let Some(_disk) = Mount::tmpfs(&space.store(), "size=4m") else { return };
    let mut failed = 0;
    for free_kib in (0..1600).step_by(40) {
        forget_results(&space);
        fs::remove_dir_all(space.store()).unwrap_or_default();
        let ballast = fill_but(&space.store(), free_kib << 10);
        let run = space.run(&["build"]);
        if run.code != Some(0) {
            failed += 1;
            run.expect(3).says(space.store().to_str().expect("UTF-8")).says("help: ");
        }
        ballast.set_len(0).expect("shrinks");
        let healed = space.run(&["build"]);
        healed.expect(0);
        for name in ["boot.iso", "factory.wim"] {
            assert_eq!(healed.digest(name), wanted.digest(name), "{free_kib} KiB were free");
        }
        space.run(&["store", "verify"]).expect(0);
    }
    assert!((5..40).contains(&failed), "{failed} of 40 builds failed");
}

/// Fills a store's file system with a file that a store may hold, up to some free bytes.
fn fill_but(store: &Path, free_bytes: u64) -> File {
    let path = store.join("tmp/lock");
    fs::create_dir_all(path.parent().expect("tmp")).expect("a folder");
    let mut file = File::create(path).expect("created");
    let chunk = [0xb5; 4096];
    while file.write_all(&chunk).is_ok() {}
    let size = file.metadata().expect("a stat").len();
    file.set_len(size.saturating_sub(free_bytes)).expect("shrinks");
    file
}
