//! WIMs in parts, and with integrity tables.

mod harness;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use harness::{Run, TestSpace, names, tool, tree};

const PART_BYTES: u64 = 1 << 20;

fn noise(seed: u64, size_bytes: usize) -> Vec<u8> {
    let mut bytes = vec![0; size_bytes];
    blake3::Hasher::new().update(&seed.to_le_bytes()).finalize_xof().fill(&mut bytes);
    bytes
}

/// A project with an OS image and a prestaged medium, each with `output`s.
fn space(os: &str, medium: &str) -> TestSpace {
    let space = TestSpace::new();
    for seed in 0..40 {
        space.write(&format!("tree/{}/{seed}.bin", seed % 5), noise(seed, 100_000));
    }
    space.write("pe/Windows/System32/winload.exe", noise(99, 50_000));
    let definitions = format!(
        "project \"p\" epoch=(date-time)\"2026-11-01T00:00:00Z\"\n\
         boot-image \"pe\" arch=\"amd64\" {{ source \"pe\" }}\n\
         os-image \"os\" arch=\"amd64\" {{ source \"tree\"; {os} }}\n\
         media \"factory\" type=\"prestaged\" {{ boot-image \"pe\"; os-image \"os\"; {medium} }}\n"
    );
    space.write("mediabuild.kdl", definitions);
    space
}

fn apply(space: &TestSpace, first: &Path, parts: Option<&str>) -> BTreeMap<String, Vec<u8>> {
    let folder = space.path().join("applied");
    let _ = fs::remove_dir_all(&folder);
    let mut command = Command::new("wimlib-imagex");
    command.arg("apply").arg(first).arg("1").arg(&folder).arg("--check");
    command.args(parts.map(|parts| format!("--ref={parts}")));
    Run::of(&mut command).expect(0);
    tree(&folder)
}

#[test]
fn a_split_image_is_a_folder_of_parts_that_are_a_whole() {
    let space = space("output split=\"1MiB\"", "output \"factory.wim\"");
    space.build(&["os-image:os"]);
    let folder = space.result("os-image/os");
    assert_eq!(names(&folder), ["os.swm", "os2.swm", "os3.swm", "os4.swm"]);
    for part in tree(&folder).values() {
        assert!(part.len() as u64 <= PART_BYTES, "{}", part.len());
    }
    let first = folder.join("os.swm");
    if tool("wimlib-imagex").is_some() {
        let applied = apply(&space, &first, Some(&format!("{}/os*.swm", folder.display())));
        assert!(applied == tree(&space.project().join("tree")), "{:?}", applied.keys());
    }
    if let Some(mut seven_zip) = tool("7zz") {
        Run::of(seven_zip.arg("t").arg(&first)).expect(0).says("Everything is Ok");
    }
    // A medium takes the image as it is, whole.
    space.build(&["factory"]);
    assert!(fs::metadata(space.result("factory.wim")).expect("a result").len() > PART_BYTES * 3);
    assert_eq!(space.build(&["os-image:os", "factory"]).built_and_known().0, 0, "nothing to do");
}

#[test]
fn a_split_medium_with_integrity_is_accepted_part_by_part() {
    let space = space("", "output \"media/factory.swm\" split=\"1MiB\" integrity=#true");
    space.build(&["factory"]);
    let folder = space.result("media/factory");
    assert!(names(&folder).contains(&"factory2.swm".to_owned()), "{:?}", names(&folder));
    if tool("wimlib-imagex").is_some() {
        let parts = format!("{}/factory*.swm", folder.display());
        let applied = apply(&space, &folder.join("factory.swm"), Some(&parts));
        assert_eq!(applied["0/5.bin"], noise(5, 100_000));
        assert!(applied.contains_key("sources/boot.wim"));
    }
    if let Some(mut seven_zip) = tool("7zz") {
        let run = Run::of(seven_zip.arg("t").arg(folder.join("factory.swm")));
        run.expect(0).says("Everything is Ok");
    }
    // A part that is damaged is found by its table.
    let part = folder.join("factory2.swm");
    let mut bytes = fs::read(&part).expect("a part");
    bytes[300_000] ^= 1;
    fs::write(&part, bytes).expect("written");
    space.run(&["verify", part.to_str().expect("UTF-8")]).expect(1).says("integrity");
}

#[test]
fn an_integrity_table_covers_what_it_says_and_threads_do_not_change_it() {
    let mut results = Vec::new();
    for jobs in ["1", "2", "16"] {
        let space = space("output integrity=#true", "output \"factory.wim\"");
        // More than one piece of the table.
        space.write("tree/large.bin", noise(7, 25 << 20));
        Run::of(space.command().args(["build", "--jobs", jobs, "os-image:os"])).expect(0);
        let result = space.result("os-image/os.wim");
        space.run(&["verify", "result/os-image/os.wim"]).expect(0);
        if let Some(mut wimlib) = tool("wimlib-imagex") {
            let applied = apply(&space, &result, None);
            assert!(applied == tree(&space.project().join("tree")));
            let info = Run::of(wimlib.arg("info").arg(&result).arg("--header"));
            info.expect(0).says("Integrity");
        }
        results.push(fs::read(result).expect("a result"));
    }
    assert!(results.windows(2).all(|pair| pair[0] == pair[1]));
}

#[test]
fn a_file_that_no_part_can_hold_is_named() {
    let space = space("output split=\"1MiB\"", "output \"factory.wim\"");
    space.write("tree/3/too large.bin", noise(50, 3 << 20));
    let run = space.run(&["build", "os-image:os"]);
    run.expect(1).says("too large.bin");
}
