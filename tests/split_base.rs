//! Split sets as bases of images and sources of files: one part is named, the others lie beside it,
//! in a folder or on a disc.

mod harness;

use std::fs;

use harness::{TestSpace, names, tool, tree};

const PROJECT: &str = r#"project "p" epoch=(date-time)"2026-11-01T00:00:00Z"
"#;

/// A set of parts of at most 1 MiB, and the same WIM whole, as inputs.
fn inputs(space: &TestSpace) {
    let maker = TestSpace::new();
    for at in 0..8_u32 {
        let noise =
            (0..400_000_u32).map(|byte| (byte.wrapping_mul(2_654_435_761 + at) >> 13) as u8);
        maker.write(&format!("tree/Windows/noise{at}.bin"), noise.collect::<Vec<u8>>());
    }
    maker.write("tree/Windows/INF/a.inf", "an inf");
    let definitions = r#"
        os-image "install" arch="amd64" { source "tree"; compression "none"; output split="1MiB" }
        os-image "whole" arch="amd64" { source "tree"; compression "none" }
    "#;
    maker.write("mediabuild.kdl", format!("{PROJECT}{definitions}"));
    maker.build(&["install", "whole"]);
    harness::copy_tree(&maker.result("os-image/install"), &space.project().join("inputs"));
    space.write("inputs/whole.wim", fs::read(maker.result("os-image/whole.wim")).expect("a WIM"));
    let parts = names(&space.project().join("inputs"));
    assert!(parts.len() >= 4 && parts.contains(&"install3.swm".to_owned()), "{parts:?}");
}

fn define(space: &TestSpace, text: &str) {
    space.write("mediabuild.kdl", format!("{PROJECT}{text}"));
}

const IMAGES: &str = r#"
    os-image "os" arch="amd64" { wim "inputs/install.swm" index=1; information { name "N" } }
    boot-image "pe" arch="amd64" { wim "inputs/install2.swm"; information { name "N" } }
    package "inf" { source wim="inputs/install.swm" path="Windows/INF" }
"#;

#[test]
fn images_out_of_a_set_are_those_out_of_the_whole() {
    let space = TestSpace::new();
    inputs(&space);
    define(&space, IMAGES);
    space.run(&["check"]).expect(0);
    space.build(&["os", "pe", "inf"]);
    assert_eq!(tree(&space.result("package/inf"))["a.inf"], b"an inf");
    let split = fs::read(space.result("os-image/os.wim")).expect("a WIM");
    let boot = fs::read(space.result("boot-image/pe.wim")).expect("a WIM");
    assert_eq!(space.build(&["os", "pe", "inf"]).built_and_known().0, 0);
    space.run(&["verify", "result/os-image/os.wim"]).expect(0);
    if let Some(mut wimlib) = tool("wimlib-imagex") {
        harness::Run::of(wimlib.arg("verify").arg(space.result("os-image/os.wim"))).expect(0);
    }
    let whole = IMAGES.replace("install.swm", "whole.wim").replace("install2.swm", "whole.wim");
    define(&space, &whole);
    space.build(&["os", "pe"]);
    assert!(fs::read(space.result("os-image/os.wim")).expect("a WIM") == split);
    assert!(fs::read(space.result("boot-image/pe.wim")).expect("a WIM") == boot);
    space.run(&["store", "verify"]).expect(0);
}

/// A disc as other programs make it, with the set that wimlib splits the whole into; names as they
/// are in UDF, or of capitals as ISO 9660 has them. The number of parts.
fn disc(space: &TestSpace, maker: &[&str], but: Option<&str>) -> Option<usize> {
    let (mut wimlib, mut make) = (tool("wimlib-imagex")?, tool(maker[0])?);
    let root = space.path().join("disc");
    let _ = fs::remove_dir_all(&root);
    fs::create_dir_all(root.join("sources")).expect("folders");
    let whole = space.project().join("inputs/whole.wim");
    let parts = root.join("sources/install.swm");
    harness::Run::of(wimlib.arg("split").arg(whole).arg(&parts).arg("1")).expect(0);
    if let Some(but) = but {
        fs::remove_file(root.join("sources").join(but)).expect("a part");
    }
    let count = names(&root.join("sources")).len();
    let iso = space.project().join("inputs/win.iso");
    let _ = fs::remove_file(&iso);
    harness::Run::of(make.args(&maker[1..]).arg("-quiet").arg("-o").arg(iso).arg(root)).expect(0);
    Some(count)
}

const ON_DISC: &str = r#"
    os-image "os" arch="amd64" { iso "inputs/win.iso" wim="sources/install.swm" index=1; information { name "N" } }
    boot-image "pe" arch="amd64" { iso "inputs/win.iso" wim="sources/install2.swm"; information { name "N" } }
"#;

fn stored_bytes(space: &TestSpace) -> u64 {
    let files = walkdir::WalkDir::new(space.store()).into_iter().flatten();
    let files = files.filter(|entry| entry.file_type().is_file());
    files.map(|entry| entry.metadata().expect("a file").len()).sum()
}

#[test]
fn a_set_on_a_disc_is_read_in_place() {
    for maker in [&["genisoimage", "-udf"][..], &["xorriso", "-as", "mkisofs", "--norock"]] {
        let space = TestSpace::new();
        inputs(&space);
        let Some(count) = disc(&space, maker, None) else { return };
        assert!(count >= 3, "{count}");
        define(&space, ON_DISC);
        space.run(&["check"]).expect(0);
        space.run(&["store", "add", "inputs/win.iso"]).expect(0);
        let before = stored_bytes(&space);
        space.build(&["os", "pe"]);
        // Nothing of 3 MB is stored again.
        let added = stored_bytes(&space) - before;
        assert!(added < 1 << 20, "{added}");
        let built = fs::read(space.result("os-image/os.wim")).expect("a WIM");
        let boot = fs::read(space.result("boot-image/pe.wim")).expect("a WIM");
        assert_eq!(space.build(&["os", "pe"]).built_and_known().0, 0);
        space.run(&["store", "verify"]).expect(0);
        // The same images out of the WIM itself are the same files.
        let whole = r#"wim "inputs/whole.wim""#;
        let text = ON_DISC.replace(r#"iso "inputs/win.iso" wim="sources/install.swm""#, whole);
        define(&space, &text.replace(r#"iso "inputs/win.iso" wim="sources/install2.swm""#, whole));
        space.build(&["os", "pe"]);
        assert!(fs::read(space.result("os-image/os.wim")).expect("a WIM") == built);
        assert!(fs::read(space.result("boot-image/pe.wim")).expect("a WIM") == boot);
    }
}

#[test]
fn a_part_that_is_missing_on_a_disc_is_named_on_its_line() {
    let space = TestSpace::new();
    inputs(&space);
    if disc(&space, &["genisoimage", "-udf"], Some("install3.swm")).is_none() {
        return;
    }
    define(&space, ON_DISC);
    let run = space.run(&["check"]);
    run.expect(2).says("mediabuild.kdl:3:").says("and there is no `sources/install3.swm`");
    run.says("all parts of the set in one folder");
}

#[test]
fn damage_in_a_part_on_a_disc_is_found_when_it_enters() {
    let space = TestSpace::new();
    inputs(&space);
    if disc(&space, &["genisoimage", "-udf"], None).is_none() {
        return;
    }
    define(&space, ON_DISC);
    let iso = space.project().join("inputs/win.iso");
    let part = fs::read(space.path().join("disc/sources/install2.swm")).expect("a part");
    let mut bytes = fs::read(&iso).expect("an ISO");
    let start = bytes.windows(64).position(|window| window == &part[..64]).expect("on the disc");
    bytes[start + part.len() / 2] ^= 1;
    fs::write(&iso, bytes).expect("written");
    space.run(&["check"]).expect(0);
    space.run(&["build", "os"]).expect(1).says("damaged").says("reading `sources/install.swm`");
}

#[test]
fn a_part_that_is_missing_or_of_another_set_is_named_on_its_line() {
    let space = TestSpace::new();
    inputs(&space);
    define(&space, IMAGES);
    let part = space.project().join("inputs/install3.swm");
    let bytes = fs::read(&part).expect("a part");
    fs::remove_file(&part).expect("removed");
    let run = space.run(&["check"]);
    run.expect(2).says("mediabuild.kdl:3:").says("it is part 1 of 4, and `install3.swm`");
    let mut other = bytes.clone();
    // The GUID of the set.
    other[0x18] ^= 1;
    fs::write(&part, other).expect("written");
    space.run(&["check"]).expect(2).says("`install3.swm` cannot be read with the others");
    fs::write(&part, bytes).expect("written");
    space.run(&["check"]).expect(0);
}

#[test]
fn damage_in_another_part_is_found_when_it_enters() {
    let space = TestSpace::new();
    inputs(&space);
    define(&space, IMAGES);
    space.build(&["os"]);
    let part = space.project().join("inputs/install3.swm");
    let mut bytes = fs::read(&part).expect("a part");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&part, bytes).expect("written");
    space.run(&["build", "os"]).expect(1).says("damaged").says("undamaged copy");
}

#[test]
fn a_pinned_set_is_held_with_all_its_parts() {
    let space = TestSpace::new();
    inputs(&space);
    define(&space, IMAGES);
    if tool("git").is_none() {
        return;
    }
    let git = |arguments: &[&str]| {
        let mut git = tool("git").expect("found before");
        harness::Run::of(git.args(arguments).current_dir(space.project())).expect(0);
    };
    git(&["init", "-q"]);
    space.write(".gitignore", "inputs/\nresult/\n");
    space.run(&["lock"]).expect(0).says("inputs/install.swm");
    space.build(&["os", "inf"]);
    // Another part is missing from the machine, then all of them are.
    let parts = names(&space.project().join("inputs"));
    fs::remove_dir_all(space.project().join("inputs")).expect("removed");
    fs::remove_dir_all(space.project().join("result")).expect("removed");
    assert!(parts.len() >= 4);
    space.run(&["check"]).expect(0);
    space.build(&["os", "inf"]);
    assert!(space.result("os-image/os.wim").exists());
}
