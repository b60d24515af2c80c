//! Images and packages out of an ISO: read in place, stored once, named on the line that is wrong.

mod harness;

use std::fs;
use std::path::Path;

use harness::{Run, TestSpace, tool, tree};

/// What the images hold that no codec makes smaller.
const NOISE_BYTES: usize = 6 << 20;
/// What a store holds beside contents: index, recipes, tables, metadata.
const OVERHEAD_BYTES: u64 = 2 << 20;
/// The WIM on the ISO that is made here.
const WIM: &str = "SMS/PKG/windows/sources/install.wim";

const PROJECT: &str = r#"project "p" epoch=(date-time)"2026-11-01T00:00:00Z"
"#;

/// An ISO with UDF whose package has a WIM of two images, and that WIM; both made in a store of
/// their own.
fn medium(space: &TestSpace) {
    let maker = TestSpace::new();
    maker.write("tree/Windows/noise.bin", noise(NOISE_BYTES));
    maker.write("tree/Windows/text.txt", "one two three one two three ".repeat(999));
    maker.write("pe/Windows/System32/setup.exe", "not really");
    maker.write("sxs/a.cab", "a cabinet");
    maker.write("sxs/deeper/b.cab", noise(70_000));
    maker.write("sxs/empty.txt", "");
    let first = r#"
        os-image "install" arch="amd64" { source "tree"; information { name "Windows Ü" } }
    "#;
    maker.write("mediabuild.kdl", format!("{PROJECT}{first}"));
    maker.build(&["install"]);
    let wim = fs::read(maker.result("os-image/install.wim")).expect("a WIM");
    maker.write("windows/sources/install.wim", &wim);
    harness::copy_tree(&maker.project().join("sxs"), &maker.project().join("windows/sources/sxs"));
    let second = r#"
        boot-image "pe" arch="amd64" { source "pe" }
        package "windows" { source "windows" }
        media "medium" type="bootable" { boot-image "pe"; package "windows" }
    "#;
    maker.write("mediabuild.kdl", format!("{PROJECT}{second}"));
    maker.build(&["medium"]);
    space.write("inputs/win.iso", fs::read(maker.result("medium.iso")).expect("an ISO"));
    space.write("inputs/install.wim", wim);
}

fn noise(size: usize) -> Vec<u8> {
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    (0..size).map(|_| next()).collect()
}

fn define(space: &TestSpace, text: &str) {
    space.write("mediabuild.kdl", format!("{PROJECT}{text}"));
}

fn stored_bytes(space: &TestSpace) -> u64 {
    let files = walkdir::WalkDir::new(space.store()).into_iter().flatten();
    let files = files.filter(|entry| entry.file_type().is_file());
    files.map(|entry| entry.metadata().expect("a file").len()).sum()
}

/// What a store takes that has nothing but one small file: it holds some space in reserve.
fn empty_store_bytes(space: &TestSpace) -> u64 {
    space.write("tiny", "tiny");
    space.run(&["store", "add", "tiny"]).expect(0);
    stored_bytes(space)
}

fn size(path: &Path) -> u64 {
    fs::metadata(path).expect("a file").len()
}

#[test]
fn an_image_out_of_an_iso_is_stored_nowhere_but_in_it() {
    let space = TestSpace::new();
    medium(&space);
    define(
        &space,
        &format!(
            r#"
        os-image "os" arch="amd64" {{ iso "inputs/win.iso" wim="{WIM}" index=1 }}
        boot-image "pe" arch="amd64" {{ iso "inputs/win.iso" wim="sources/boot.wim" }}
        media "factory" type="prestaged" {{ boot-image "pe"; os-image "os" }}
    "#
        ),
    );
    space.run(&["check"]).expect(0);
    // Only the ISO itself: what every build needs.
    let empty = empty_store_bytes(&space);
    space.run(&["store", "add", "inputs/win.iso"]).expect(0);
    let before = stored_bytes(&space) - empty;
    let iso = size(&space.project().join("inputs/win.iso"));
    assert!(before >= iso && before < iso + OVERHEAD_BYTES, "{before} for an ISO of {iso}");
    space.build(&["os", "pe", "factory"]);
    let after = stored_bytes(&space) - empty;
    println!("an ISO of {iso} bytes: {before} stored, after building {after}");
    assert!(after < before + OVERHEAD_BYTES, "{before} bytes became {after}");
    space.run(&["store", "verify"]).expect(0);
    assert_eq!(space.build(&["os", "pe", "factory"]).built_and_known().0, 0);

    // The same image out of the WIM itself is the same file.
    let from_iso = fs::read(space.result("os-image/os.wim")).expect("a WIM");
    define(&space, r#"os-image "os" arch="amd64" { wim "inputs/install.wim" index=1 }"#);
    space.build(&["os"]);
    assert!(fs::read(space.result("os-image/os.wim")).expect("a WIM") == from_iso);
    if let Some(mut wimlib) = tool("wimlib-imagex") {
        Run::of(wimlib.arg("verify").arg(space.result("os-image/os.wim"))).expect(0);
    }
}

#[test]
fn parts_of_an_iso_are_taken_in_place_and_survive_a_collection() {
    let space = TestSpace::new();
    medium(&space);
    let iso = size(&space.project().join("inputs/win.iso"));
    define(
        &space,
        r#"
        package "sxs" { source iso="inputs/win.iso" path="sms/pkg/WINDOWS/sources/sxs" { exclude "*.txt" } }
        package "cab" { source iso="inputs/win.iso" path="SMS/PKG/windows/sources/sxs/a.cab" }
        package "all" { source iso="inputs/win.iso" }
    "#,
    );
    space.run(&["check"]).expect(0);
    let empty = empty_store_bytes(&space);
    space.build(&["sxs", "cab", "all"]);
    let after = stored_bytes(&space) - empty;
    assert!(after < iso + OVERHEAD_BYTES, "{after} bytes for an ISO of {iso}");
    let sxs = tree(&space.result("package/sxs"));
    assert_eq!(sxs.keys().collect::<Vec<_>>(), ["a.cab", "deeper/b.cab"]);
    assert_eq!(sxs["deeper/b.cab"], noise(70_000));
    assert_eq!(tree(&space.result("package/cab"))["a.cab"], b"a cabinet");
    let all = tree(&space.result("package/all"));
    assert_eq!(all["SMS/PKG/windows/sources/sxs/empty.txt"], b"");
    assert!(all[WIM] == fs::read(space.project().join("inputs/install.wim")).expect("a WIM"));
    fs::remove_dir_all(space.result("package/all")).expect("removed");
    space.run(&["store", "gc"]).expect(0);
    space.run(&["store", "verify"]).expect(0);
    space.build(&["sxs", "cab"]);
    assert_eq!(tree(&space.result("package/sxs")), sxs);
}

#[test]
fn every_mistake_is_told_on_its_line_with_what_may_be_meant() {
    let space = TestSpace::new();
    medium(&space);
    space.write("inputs/no.iso", vec![0; 100_000]);
    define(
        &space,
        r#"
        os-image "a" arch="amd64" { iso "inputs/win.iso" wim="SMS/PKG/windows/sources/instal.wim" }
        os-image "b" arch="amd64" { iso "inputs/win.iso" wim="install.wim" }
        os-image "c" arch="amd64" { iso "inputs/win.iso" wim="SMS/PKG/windows/sources/install.wim" index=7 }
        os-image "d" arch="amd64" { iso "inputs/win.iso" wim="SMS/PKG/windows/sources/sxs/a.cab" }
        os-image "e" arch="amd64" { iso "inputs/win.iso" wim="SMS/PKG" }
        os-image "f" arch="amd64" { iso "inputs/no.iso" wim="sources/install.wim" }
        os-image "g" arch="amd64" { iso "inputs/wim.iso" wim="sources/install.wim" }
        package "h" { source iso="inputs/win.iso" path="SMS/PKG/windows/source/sxs" }
    "#,
    );
    let run = space.run(&["check"]);
    run.expect(2);
    run.says("did you mean `SMS/PKG/windows/sources/install.wim`?");
    run.says("has no image 7").says("index=1 (Windows Ü");
    run.says("`inputs/win.iso//SMS/PKG/windows/sources/sxs/a.cab` cannot be read as a WIM");
    run.says("`inputs/win.iso//SMS/PKG` cannot be read as a WIM");
    run.says("`inputs/no.iso` cannot be read as an ISO");
    run.says("did you mean `win.iso`?");
    run.says("did you mean `SMS/PKG/windows/sources/sxs`?");
    for line in 3..=10 {
        run.says(&format!("mediabuild.kdl:{line}:"));
    }
}

#[test]
fn damage_in_a_wim_on_an_iso_is_found_when_it_enters() {
    let space = TestSpace::new();
    medium(&space);
    let mut iso = fs::read(space.project().join("inputs/win.iso")).expect("an ISO");
    // In the middle of the WIM, far from structures.
    let at = iso.len() / 2;
    iso[at] ^= 1;
    space.write("inputs/win.iso", iso);
    define(
        &space,
        &format!(r#"os-image "os" arch="amd64" {{ iso "inputs/win.iso" wim="{WIM}" }}"#),
    );
    let run = space.run(&["build", "os"]);
    run.expect(1);
    run.says("install.wim").says("undamaged copy");
}

#[test]
fn a_pinned_iso_is_taken_from_the_store() {
    let space = TestSpace::new();
    medium(&space);
    define(
        &space,
        &format!(
            r#"
        os-image "os" arch="amd64" {{ iso "inputs/win.iso" wim="{WIM}" }}
        package "sxs" {{ source iso="inputs/win.iso" path="SMS/PKG/windows/sources/sxs" }}
    "#
        ),
    );
    if tool("git").is_none() {
        return;
    }
    let git = |arguments: &[&str]| {
        let mut git = tool("git").expect("found before");
        Run::of(git.args(arguments).current_dir(space.project())).expect(0);
    };
    git(&["init", "-q"]);
    space.write(".gitignore", "inputs/\nresult/\n");
    space.run(&["lock"]).expect(0).says("inputs/win.iso");
    space.build(&["os", "sxs"]);
    fs::remove_file(space.project().join("inputs/win.iso")).expect("removed");
    fs::remove_dir_all(space.project().join("result")).expect("removed");
    space.run(&["check"]).expect(0);
    space.build(&["os", "sxs"]);
    assert!(space.result("os-image/os.wim").exists());
}
