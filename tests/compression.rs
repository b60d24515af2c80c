//! Compression in the product: paid once, the same bytes whoever did it, accepted by wimlib and 7-Zip.

mod harness;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use harness::{Run, TestSpace, tool, tree};

type Tree = BTreeMap<String, Vec<u8>>;

/// Text that compresses, the same for the same seed.
fn text(seed: u64, lines: usize) -> String {
    let line = |at: usize| {
        let word = (seed + at as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
        format!("line {at} of file {seed} says {word:x}\r\n")
    };
    (0..lines).map(line).collect()
}

fn noise(seed: u64, size_bytes: usize) -> Vec<u8> {
    let mut bytes = vec![0; size_bytes];
    blake3::Hasher::new().update(&seed.to_le_bytes()).finalize_xof().fill(&mut bytes);
    bytes
}

/// Files of all kinds: empty, tiny, of a chunk, of many, incompressible, and larger than a window.
fn write_tree(space: &TestSpace) {
    space.write("tree/empty.txt", "");
    space.write("tree/tiny.txt", "x");
    space.write("tree/chunk.txt", &text(1, 2000)[..32768]);
    space.write("tree/just more.txt", &text(2, 2000)[..32769]);
    space.write("tree/noise.bin", noise(3, 100_000));
    space.write("tree/half noise.bin", [noise(4, 70_000), text(4, 3000).into_bytes()].concat());
    for seed in 10..60 {
        space.write(&format!("tree/many/{seed}.txt"), text(seed, seed as usize * 20));
    }
    space.write("tree/large.log", text(5, 500_000));
    space.write("tree/large.bin", noise(6, 17 << 20));
}

fn project(compression: &str) -> String {
    format!(
        "project \"p\" epoch=(date-time)\"2026-11-01T00:00:00Z\"\n\
         os-image \"os\" arch=\"amd64\" {{ source \"tree\"; {compression} }}\n"
    )
}

fn space(compression: &str) -> TestSpace {
    let space = TestSpace::new();
    write_tree(&space);
    space.write("mediabuild.kdl", project(compression));
    space
}

const OS: &str = "os-image/os.wim";

/// How many contents the build compressed.
fn compressed(run: &Run) -> usize {
    let lines = run.stderr.lines().filter_map(|line| line.split("compressing ").nth(1));
    let counts = lines.filter_map(|rest| rest.split(' ').next()?.parse::<usize>().ok());
    counts.sum()
}

fn build(space: &TestSpace, arguments: &[&str]) -> Run {
    let run = Run::of(space.command().args(["-v", "build", "os-image:os"]).args(arguments));
    run.expect(0);
    run
}

/// wimlib, 7-Zip and our own `verify` accept the result, and it has the files of `tree`.
#[track_caller]
fn accepted(space: &TestSpace) {
    let result = space.result(OS);
    space.run(&["verify", "result/os-image/os.wim"]).expect(0);
    if let Some(mut wimlib) = tool("wimlib-imagex") {
        Run::of(wimlib.arg("verify").arg(&result)).expect(0);
        let applied = apply(space, &result);
        let wanted = tree(&space.project().join("tree"));
        assert!(applied == wanted, "other files than {:?}", wanted.keys());
    }
    if let Some(mut seven_zip) = tool("7zz") {
        Run::of(seven_zip.arg("t").arg(&result)).expect(0).says("Everything is Ok");
    }
}

fn apply(space: &TestSpace, wim: &Path) -> Tree {
    let folder = space.path().join("applied");
    let _ = fs::remove_dir_all(&folder);
    let mut command = Command::new("wimlib-imagex");
    Run::of(command.arg("apply").arg(wim).arg("1").arg(&folder)).expect(0);
    tree(&folder)
}

#[test]
fn every_codec_and_level_is_accepted_and_holds_what_was_asked_for() {
    let plain = {
        let space = space("compression \"none\"");
        assert_eq!(compressed(&build(&space, &[])), 0);
        accepted(&space);
        fs::metadata(space.result(OS)).expect("a result").len()
    };
    for compression in [
        "",
        "compression \"lzx\" level=\"fast\"",
        "compression \"lzx\" level=\"max\"",
        "compression \"xpress\"",
        "compression \"xpress\" level=\"fast\" chunk=\"4KiB\"",
        "compression \"lzms\" level=\"fast\"",
    ] {
        let space = space(compression);
        build(&space, &[]);
        accepted(&space);
        let size = fs::metadata(space.result(OS)).expect("a result").len();
        assert!(size < plain * 2 / 3, "{compression}: {size} of {plain}");
    }
}

#[test]
fn neither_threads_nor_place_nor_history_change_a_byte() {
    let wanted = {
        let space = space("");
        build(&space, &["--jobs", "1"]);
        fs::read(space.result(OS)).expect("a result")
    };
    for jobs in ["2", "16"] {
        let space = space("");
        build(&space, &["--jobs", jobs]);
        assert!(fs::read(space.result(OS)).expect("a result") == wanted, "{jobs} jobs");
        // What is remembered gives what was computed, also what a larger image remembered.
        space.write("tree/more.txt", text(99, 4000));
        build(&space, &[]);
        fs::remove_file(space.project().join("tree/more.txt")).expect("removed");
        fs::write(space.project().join("mediabuild.kdl"), project("").replace("11-01", "11-02"))
            .expect("written");
        build(&space, &[]);
        fs::write(space.project().join("mediabuild.kdl"), project("")).expect("written");
        assert_eq!(compressed(&build(&space, &["--out", "again"])), 0);
        let again = space.project().join("again").join(OS);
        assert!(fs::read(again).expect("a result") == wanted, "with a history");
    }
}

#[test]
fn only_what_is_new_is_compressed() {
    let space = space("");
    // The files that are not empty, the incompressible large one judged by samples.
    assert_eq!(compressed(&build(&space, &[])), 56);
    space.write("tree/many/30.txt", "changed");
    assert_eq!(compressed(&build(&space, &[])), 1);
    space.write("tree/many/renamed.txt", text(31, 31 * 20));
    assert_eq!(compressed(&build(&space, &[])), 0, "known under another name");
    let other = project("").replace("\"os\" arch", "\"other\" arch");
    space.write("other/mediabuild.kdl", other.replace("\"tree\"", "\"files\""));
    harness::copy_tree(&space.project().join("tree"), &space.project().join("other/files"));
    let run = Run::of(space.command().args(["-v", "build", "other", "os-image:other"]));
    run.expect(0);
    assert_eq!(compressed(&run), 0, "another project of the store");
    space.write("mediabuild.kdl", project("compression \"lzx\" level=\"fast\""));
    assert!(compressed(&build(&space, &[])) >= 56, "another level is another form");
}

#[test]
fn a_second_computation_compresses_again_and_agrees() {
    let space = space("");
    build(&space, &[]);
    let run = Run::of(space.command().args(["-v", "build", "--check", "os-image:os"]));
    run.expect(0);
    assert_eq!(compressed(&run), 56);
}

#[test]
fn what_was_collected_is_compressed_again_and_what_is_needed_stays() {
    let space = space("");
    build(&space, &[]);
    let wanted = fs::read(space.result(OS)).expect("a result");
    space.run(&["store", "gc"]).expect(0);
    space.write("tree/new.txt", "new");
    assert_eq!(compressed(&build(&space, &[])), 1, "what the old result needs was kept");
    fs::remove_file(space.project().join("tree/new.txt")).expect("removed");
    fs::remove_dir_all(space.project().join("result")).expect("removed");
    space.run(&["store", "gc"]).expect(0);
    assert_eq!(compressed(&build(&space, &[])), 56, "nothing needed them any more");
    assert!(fs::read(space.result(OS)).expect("a result") == wanted);
    space.run(&["store", "verify"]).expect(0);
}

#[test]
fn bases_of_every_codec_are_coded_anew_once() {
    let Some(_) = tool("wimlib-imagex") else { return };
    a_base_is_coded_anew_once(&["--compress=XPRESS"]);
    a_base_is_coded_anew_once(&["--compress=LZX", "--chunk-size=64K"]);
    // LZMS chunks of 1 MiB, so that blobs lie across them.
    a_base_is_coded_anew_once(&["--solid", "--solid-chunk-size=1M"]);
    a_base_is_coded_anew_once(&["--compress=LZMS"]);
}

fn a_base_is_coded_anew_once(capture_as: &[&str]) {
    let space = TestSpace::new();
    write_tree(&space);
    fs::create_dir_all(space.project().join("inputs")).expect("a folder");
    let (folder, wim) = (space.project().join("tree"), space.project().join("inputs/base.wim"));
    let mut capture = Command::new("wimlib-imagex");
    Run::of(capture.arg("capture").args([&folder, &wim]).args(capture_as)).expect(0);
    let definition = |codec: &str| {
        project(codec).replace("source \"tree\"", "wim \"inputs/base.wim\"; overlay \"overlay\"")
    };
    space.write("overlay/added.txt", text(80, 500));
    space.write("mediabuild.kdl", definition("compression \"lzx\""));
    let first = compressed(&build(&space, &[]));
    assert!(first > 50, "{first}");
    fs::copy(space.project().join("overlay/added.txt"), folder.join("added.txt")).expect("copied");
    accepted(&space);
    space.write("overlay/added.txt", "other");
    assert_eq!(compressed(&build(&space, &[])), 1, "the base's contents are remembered");
    // Files of it, taken out.
    space.write(
        "mediabuild.kdl",
        "project \"p\"\npackage \"p\" { source wim=\"inputs/base.wim\" path=\"many\" }\n",
    );
    space.build(&["package:p"]);
    assert!(tree(&space.result("package/p")) == tree(&folder.join("many")));
    // The same files in a folder are known by what they are.
    fs::remove_file(folder.join("added.txt")).expect("removed");
    space.write("mediabuild.kdl", project("compression \"lzx\""));
    assert_eq!(compressed(&build(&space, &[])), 0, "known by content");
}

#[test]
fn what_nobody_asked_for_is_not_lzms() {
    let Some(mut wimlib) = tool("wimlib-imagex") else { return };
    let space = TestSpace::new();
    space.write("tree/Windows/explorer.exe", text(1, 900));
    fs::create_dir_all(space.project().join("inputs")).expect("a folder");
    let (folder, esd) = (space.project().join("tree"), space.project().join("inputs/os.esd"));
    Run::of(wimlib.arg("capture").args([&folder, &esd]).arg("--solid")).expect(0);
    space.write(
        "mediabuild.kdl",
        "project \"p\"\nos-image \"os\" arch=\"amd64\" { wim \"inputs/os.esd\" }\n\
         boot-image \"pe\" arch=\"amd64\" { wim \"inputs/os.esd\" }\n",
    );
    space.build(&["os-image:os", "boot-image:pe"]);
    accepted(&space);
    let info = space.run(&["inspect", "info", "result/boot-image/pe.wim"]);
    info.expect(0).says("LZX");
}

#[test]
fn a_solid_image_has_a_resource_for_each_layer_which_is_kept() {
    // Chunks of 256 KiB, so that contents lie across them.
    let solid = "compression \"lzms\" level=\"fast\" chunk=\"256KiB\" solid=#true";
    let mut wanted = None;
    for jobs in ["1", "16"] {
        let space = TestSpace::new();
        for seed in 10..40 {
            space.write(&format!("tree/many/{seed}.txt"), text(seed, seed as usize * 20));
            space.write(&format!("overlay/over/{seed}.txt"), text(seed + 100, 40));
        }
        space.write("tree/noise.bin", noise(3, 300_000));
        let layers = format!("{solid}; overlay \"overlay\"");
        space.write("mediabuild.kdl", project(&layers));
        let as_one = |run: &Run| run.stderr.matches(" contents as one").count();
        assert_eq!(as_one(&build(&space, &["--jobs", jobs])), 2);
        let bytes = fs::read(space.result(OS)).expect("a result");
        assert!(*wanted.get_or_insert_with(|| bytes.clone()) == bytes, "{jobs} jobs");
        space.write("overlay/many/30.txt", "changed");
        assert_eq!(as_one(&build(&space, &[])), 1, "the base is as it was");
        harness::copy_tree(&space.project().join("overlay"), &space.project().join("tree"));
        accepted(&space);
        fs::remove_file(space.project().join("tree/many/30.txt")).expect("removed");
    }
}

#[test]
fn the_example_gives_one_folder_in_three_forms() {
    let space = TestSpace::new();
    harness::copy_tree(&harness::root().join("examples/compression"), &space.project());
    space.build(&["os-image:fast", "os-image:small", "os-image:archive"]);
    let wanted = tree(&space.project().join("tree"));
    for name in ["fast", "small", "archive"] {
        let result = space.result(&format!("os-image/{name}.wim"));
        space.run(&["verify", result.to_str().expect("UTF-8")]).expect(0);
        if tool("wimlib-imagex").is_some() {
            assert!(apply(&space, &result) == wanted, "{name}");
        }
    }
}
