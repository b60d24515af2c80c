//! Stores with files that are damaged, lost, or no store's.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::harness::{TestSpace, names};
use crate::{PACKAGE, assert_nothing_built, forget_results, noise, package_of};

#[test]
fn a_damaged_store_file_is_named_or_made_again_and_its_removal_heals_the_store() {
    // Small things that a build stores again are compared with what is there, and replaced; what is
    // left to be noticed is the large blob.
    let (noticed, of) = damage_one_after_another(flip);
    assert!(noticed >= 1, "{noticed} of {of} damaged files were noticed");
}

#[test]
fn a_lost_or_shortened_store_file_is_brought_again() {
    assert_eq!(damage_one_after_another(truncate).0, 0);
    assert_eq!(damage_one_after_another(remove).0, 0);
}

/// Damages every third file of a store, builds, removes the file, builds; gives how often the first
/// build failed, and of how many.
fn damage_one_after_another(damage: fn(&Path) -> std::io::Result<()>) -> (usize, usize) {
    let (mut noticed, mut times, mut files) = (0, 0, 1);
    while times * 3 < files {
        let space = TestSpace::quickstart();
        space.write("packages/branding/large.bin", noise(3 << 20));
        let digest = space.build(&["factory"]).digest("factory.wim").to_owned();
        forget_results(&space);
        let stored = stored_files(&space.store());
        files = stored.len();
        let file = &stored[times * 3];
        damage(file).expect("damaged");
        noticed += usize::from(damaged_is_noticed(&space, file, &digest));
        let _ = fs::remove_file(file);
        forget_results(&space);
        let healed = space.run(&["build", "factory"]);
        healed.expect(0);
        assert_eq!(healed.digest("factory.wim"), digest);
        times += 1;
    }
    (noticed, times)
}

/// Whether a build met the damage: then it fails, and `store verify` names the file. Otherwise the
/// file holds nothing that this result is made of, or was brought again.
fn damaged_is_noticed(space: &TestSpace, file: &Path, digest: &str) -> bool {
    let run = space.run(&["build", "factory"]);
    assert!(!run.stderr.contains("panicked"), "{}", run.stderr);
    let name = file.file_name().expect("a name").to_string_lossy().into_owned();
    let verified = space.run(&["store", "verify"]);
    if verified.code != Some(0) || run.code != Some(0) {
        verified.expect(1).says(&name).says("help: mediabuild store verify --repair");
    }
    if run.code == Some(0) {
        assert_eq!(run.digest("factory.wim"), digest);
        return false;
    }
    run.expect(1).says("store").says("help: ");
    assert_nothing_built(space);
    true
}

#[test]
fn a_store_that_is_no_store_is_left_alone() {
    let space = package_of(&[("a.txt", "")]);
    fs::create_dir_all(space.store()).expect("a folder");
    fs::write(space.store().join("thesis.doc"), "mine").expect("written");
    let run = space.run(PACKAGE);
    assert!(matches!(run.code, Some(1..=3)), "{run:?}");
    run.says(space.store().to_str().expect("UTF-8")).says("--store");
    assert_eq!(names(&space.store()), ["thesis.doc"]);
}

fn remove(path: &Path) -> std::io::Result<()> {
    fs::remove_file(path)
}

fn truncate(path: &Path) -> std::io::Result<()> {
    let file = writable(path)?;
    file.set_len(file.metadata()?.len() / 2)
}

fn flip(path: &Path) -> std::io::Result<()> {
    let file = writable(path)?;
    // In a pack the first members are contents, so that every build reads them.
    let mut byte = [0];
    for at in (8..file.metadata()?.len()).step_by(97) {
        file.read_exact_at(&mut byte, at)?;
        file.write_all_at(&[byte[0] ^ 0xff], at)?;
    }
    Ok(())
}

fn writable(path: &Path) -> std::io::Result<File> {
    fs::set_permissions(path, fs::Permissions::from_mode(0o644))?;
    OpenOptions::new().read(true).write(true).open(path)
}

/// Files that hold contents: large ones and packs.
fn stored_files(store: &Path) -> Vec<PathBuf> {
    let files = ["objects", "packs"].map(|folder| walkdir::WalkDir::new(store.join(folder)));
    let files = files.into_iter().flatten().map(|entry| entry.expect("readable"));
    let mut files: Vec<PathBuf> =
        files.filter(|entry| entry.file_type().is_file()).map(|entry| entry.into_path()).collect();
    files.sort();
    assert!(files.len() >= 2, "{files:?}");
    files
}
