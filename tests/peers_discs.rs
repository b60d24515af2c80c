//! Discs that other programs made, read by this one and by 7-Zip: every file of every tree.

mod harness;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use harness::{Run, TestSpace, tool, tree};

type Files = BTreeMap<String, Vec<u8>>;

/// Files in many folders, with names that only some trees can have.
fn sample(space: &TestSpace) -> PathBuf {
    let root = space.path().join("tree");
    let mut files: Files = BTreeMap::new();
    files.insert("a/b/c/d/e/f/g/eight.txt".into(), b"within eight levels".to_vec());
    files.insert("boot.bin".into(), vec![9; 2048]);
    files.insert("empty.txt".into(), Vec::new());
    files.insert("large.bin".into(), (0..3_000_000u32).map(|at| (at / 7) as u8).collect());
    files.insert("Größe und Жук 狐.txt".into(), b"names".to_vec());
    files.insert("beyond 16 bits 💾.txt".into(), b"a surrogate pair".to_vec());
    files.insert(format!("{}.text", "long name ".repeat(5)), b"long".to_vec());
    for at in 0..300 {
        files.insert(format!("many/file number {at}.dat"), vec![at as u8; at as usize * 7]);
    }
    for (path, bytes) in files {
        let path = root.join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("folders");
        fs::write(path, bytes).expect("written");
    }
    root
}

/// What this program extracts of a tree of a disc.
fn ours(space: &TestSpace, disc: &Path, view: &str) -> Files {
    let to = space.path().join(format!("ours {view}"));
    let mut command = space.command();
    command.arg("extract").arg(disc).args(["--view", view]).arg("--to").arg(&to);
    Run::of(&mut command).expect(0);
    tree(&to)
}

/// What 7-Zip extracts of a disc, opened as one kind: it takes the best tree of ISO 9660's.
fn sevenzip(space: &TestSpace, disc: &Path, kind: &str) -> Option<Files> {
    let to = space.path().join(format!("7zz {kind}"));
    let mut sevenzip = tool("7zz")?;
    Run::of(sevenzip.args(["x", "-y", kind, &format!("-o{}", to.display())]).arg(disc)).expect(0);
    let mut files = tree(&to);
    // Boot images that it makes up of El Torito's entries.
    files.retain(|path, _| !path.starts_with("[BOOT]"));
    Some(files)
}

#[track_caller]
fn assert_same(ours: &Files, theirs: &Files) {
    let names = |files: &Files| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(ours), names(theirs));
    let other = ours.iter().find(|(path, bytes)| theirs[*path] != **bytes);
    assert!(other.is_none(), "`{}` has other bytes", other.expect("some").0);
}

/// Makes a disc of the sample and compares one tree of it with 7-Zip's.
fn compare(space: &TestSpace, mut maker: Command, view: &str, kind: &str) {
    let (root, disc) = (space.path().join("tree"), space.path().join("disc.iso"));
    let _ = fs::remove_file(&disc);
    Run::of(maker.arg("-o").arg(&disc).arg(&root)).expect(0);
    let Some(theirs) = sevenzip(space, &disc, kind) else { return };
    let ours = ours(space, &disc, view);
    assert!(ours.len() > 300, "{}", ours.len());
    assert_same(&ours, &theirs);
    space.run(&["verify", &disc.to_string_lossy()]).expect(0);
}

fn maker(name: &str, arguments: &[&str]) -> Option<Command> {
    let mut maker = tool(name)?;
    if name == "xorriso" {
        maker.args(["-as", "mkisofs"]);
    }
    maker.arg("-quiet");
    // genisoimage has no UTF-8 for names of level 4: it leaves the bytes as they are.
    if name == "xorriso" || !arguments.contains(&"4") {
        maker.args(["-input-charset", "utf-8"]);
    }
    maker.args(arguments);
    Some(maker)
}

/// Tree, kind of 7-Zip's, and the options that make a disc with no better tree.
const GENISOIMAGE: [(&str, &str, &[&str]); 9] = [
    ("udf", "-tudf", &["-udf", "-J", "-joliet-long", "-R"]),
    ("joliet", "-tiso", &["-J", "-joliet-long"]),
    ("joliet", "-tiso", &["-J", "-joliet-long", "-R"]),
    ("rock-ridge", "-tiso", &["-R"]),
    ("iso9660", "-tiso", &["-iso-level", "1"]),
    ("iso9660", "-tiso", &["-iso-level", "3"]),
    ("iso9660", "-tiso", &["-iso-level", "4"]),
    ("rock-ridge", "-tiso", &["-R", "-iso-level", "4"]),
    ("joliet", "-tiso", &["-J", "-joliet-long", "-iso-level", "4"]),
];

#[test]
fn genisoimage_discs_are_read_as_7zip_reads_them() {
    for (view, kind, arguments) in GENISOIMAGE {
        let space = TestSpace::new();
        sample(&space);
        let Some(maker) = maker("genisoimage", arguments) else { return };
        println!("{view} {arguments:?}");
        compare(&space, maker, view, kind);
    }
}

const XORRISO: [(&str, &str, &[&str]); 7] = [
    ("joliet", "-tiso", &["-J", "-joliet-long"]),
    ("rock-ridge", "-tiso", &["-R"]),
    ("rock-ridge", "-tiso", &["-R", "-iso-level", "3"]),
    ("iso9660", "-tiso", &["--norock", "-iso-level", "1"]),
    ("iso9660", "-tiso", &["--norock", "-iso-level", "3"]),
    ("iso9660", "-tiso", &["--norock", "-iso-level", "4"]),
    ("rock-ridge", "-tiso", &["-R", "-iso-level", "4"]),
];

#[test]
fn xorriso_discs_are_read_as_7zip_reads_them() {
    for (view, kind, arguments) in XORRISO {
        let space = TestSpace::new();
        sample(&space);
        let Some(maker) = maker("xorriso", arguments) else { return };
        println!("{view} {arguments:?}");
        compare(&space, maker, view, kind);
    }
}

/// Directories below the eighth level are elsewhere on the disc; symbolic links are no files.
#[test]
fn relocated_directories_are_where_they_were() {
    let space = TestSpace::new();
    let root = sample(&space);
    let deep = root.join("a/b/c/d/e/f/g/h/i/j/k");
    fs::create_dir_all(&deep).expect("folders");
    fs::write(deep.join("deep.txt"), "deep").expect("written");
    let name = "n".repeat(240);
    fs::write(root.join(&name), "a name that needs a continuation area").expect("written");
    std::os::unix::fs::symlink("../../large.bin", root.join("many/link")).expect("a link");
    let mut wanted = tree(&root);
    wanted.remove("many/link");
    for program in ["genisoimage", "xorriso"] {
        let Some(mut maker) = maker(program, &["-R", "-V", "DEEP"]) else { continue };
        if program == "xorriso" {
            maker.arg("-disallow_lower_than_eight");
        }
        let disc = space.path().join(format!("{program}.iso"));
        let made = maker.arg("-o").arg(&disc).arg(&root).output().expect("runs");
        if !made.status.success() {
            // Not every version relocates.
            println!("skipped: {program} does not relocate");
            continue;
        }
        let found = ours(&space, &disc, "rock-ridge");
        fs::remove_dir_all(space.path().join("ours rock-ridge")).expect("removed");
        assert_same(&wanted, &found);
        let path = disc.to_string_lossy().into_owned();
        space.run(&["inspect", "ls", &path]).expect(0).says("many/link").says("k/deep.txt");
        space.run(&["verify", &path]).expect(0);
    }
}

#[test]
fn a_tree_that_a_disc_does_not_have_is_told_with_those_it_has() {
    let space = TestSpace::new();
    let root = sample(&space);
    let Some(mut maker) = maker("genisoimage", &["-R", "-J", "-joliet-long"]) else { return };
    let disc = space.path().join("disc.iso");
    Run::of(maker.arg("-o").arg(&disc).arg(&root)).expect(0);
    let disc = disc.to_string_lossy().into_owned();
    let run = space.run(&["inspect", "ls", &disc, "--view", "udf"]);
    run.expect(2).says("has no UDF tree").says("Joliet, Rock Ridge, ISO 9660");
    // Without a choice it is Joliet's, which has the names as they are.
    space.run(&["inspect", "ls", &disc]).expect(0).says("many/file number 7.dat");
    space.run(&["inspect", "ls", &disc, "--view", "iso9660"]).expect(0).says("MANY/");
    let cat = space.run(&["inspect", "cat", &disc, "BOOT.BIN", "--view", "iso9660"]);
    assert_eq!(cat.expect(0).stdout.len(), 2048);
}
