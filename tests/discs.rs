//! Discs with a capacity: one ISO where all fits, a set of them where it does not, and what lies
//! where. Small discs; those of many gigabytes are tested in the formats.

mod harness;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use harness::{Run, TestSpace, names, tool, tree};

fn noise(seed: u64, size_bytes: usize) -> Vec<u8> {
    let mut bytes = vec![0; size_bytes];
    blake3::Hasher::new().update(&seed.to_le_bytes()).finalize_xof().fill(&mut bytes);
    bytes
}

const MIB: usize = 1 << 20;

/// A project of packages `NAME` with files of so many bytes, and one medium of all of them.
fn space(output: &str, packages: &[(&str, &[usize])]) -> TestSpace {
    let space = TestSpace::new();
    space.write("base/Windows/System32/setup.exe", "not really");
    space.write("bios.bin", [0xeb; 2048]);
    space.write("efi.img", [0xef; 8192]);
    for (name, sizes) in packages {
        for (at, size) in sizes.iter().enumerate() {
            let seed = name.bytes().map(u64::from).sum::<u64>() * 1000 + at as u64;
            space.write(&format!("{name}/{at:02}.bin"), noise(seed, *size));
        }
    }
    define(&space, output, packages.iter().map(|(name, _)| *name));
    space
}

fn define<'a>(space: &TestSpace, output: &str, packages: impl Iterator<Item = &'a str> + Clone) {
    let defined: String = packages
        .clone()
        .map(|name| format!("package \"{name}\" {{ source \"{name}\" }}\n"))
        .collect();
    let named: String = packages.map(|name| format!("    package \"{name}\"\n")).collect();
    space.write(
        "mediabuild.kdl",
        format!(
            "project \"p\" epoch=(date-time)\"2026-11-01T00:00:00Z\"\n\
             boot-image \"pe\" arch=\"amd64\" {{\n    source \"base\"\n    \
             boot-files {{ el-torito bios=\"bios.bin\" uefi=\"efi.img\" }}\n}}\n{defined}\
             media \"depot\" type=\"bootable\" {{\n    boot-image \"pe\"\n{named}    {output}\n}}\n"
        ),
    );
}

const SET: &str = r#"output "depot.iso" label="DEPOT" capacity="4MiB""#;

/// Two packages on the first disc, one over two discs, a small one in the gap.
fn set() -> TestSpace {
    let packages: [(&str, &[usize]); 4] = [
        ("first", &[MIB, MIB / 2]),
        ("large", &[MIB; 6]),
        ("third", &[MIB + 1, 1]),
        ("small", &[0, 2047, 2048, 2049]),
    ];
    space(SET, &packages)
}

/// A file of a disc, by the program's own reader.
fn cat(iso: &Path, path: &str) -> Vec<u8> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mediabuild"));
    let output = command.args(["inspect", "cat"]).arg(iso).arg(path).output().expect("runs");
    assert!(output.status.success(), "{path}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// All files of a disc.
fn files(space: &TestSpace, iso: &Path) -> BTreeMap<String, Vec<u8>> {
    let to = space.path().join("extracted");
    let _ = fs::remove_dir_all(&to);
    let mut command = Command::new(env!("CARGO_BIN_EXE_mediabuild"));
    Run::of(command.arg("extract").arg(iso).arg("--to").arg(&to)).expect(0);
    tree(&to)
}

fn manifest(bytes: &[u8]) -> serde_json::Value {
    serde_json::from_slice(bytes).expect("JSON")
}

fn discs(space: &TestSpace) -> Vec<PathBuf> {
    let folder = space.result("depot");
    let names = names(&folder).into_iter().filter(|name| name.ends_with(".iso"));
    names.map(|name| folder.join(name)).collect()
}

#[test]
fn what_does_not_fit_becomes_a_set_each_disc_of_which_is_readable_alone() {
    let space = set();
    let run = space.build(&["depot"]);
    let folder = space.result("depot");
    assert_eq!(names(&folder), ["depot.1.iso", "depot.2.iso", "depot.3.iso", "set.json"]);
    assert!(!space.result("depot.iso").exists());
    run.says("disc 1 of 3").says("boots; 3 packages: first, third, small");
    run.says("disc 2 of 3").says("1 package: large+").says("disc 3 of 3");

    let mut met = BTreeMap::new();
    for (at, iso) in discs(&space).iter().enumerate() {
        assert!(fs::metadata(iso).expect("a disc").len() <= 4 << 20);
        Run::of(Command::new(env!("CARGO_BIN_EXE_mediabuild")).arg("verify").arg(iso)).expect(0);
        let mut files = files(&space, iso);
        let told = manifest(&files.remove("mediabuild/set.json").expect("a manifest"));
        assert_eq!((&told["disc"], &told["total"]), (&(at + 1).into(), &3.into()));
        let next = ["depot.2.iso", "depot.3.iso"]
            .get(at)
            .map_or(serde_json::Value::Null, |it| (*it).into());
        assert_eq!(told["next"]["file"], next);
        assert_eq!(told["packages"][1], serde_json::json!({ "name": "large", "discs": [2, 3] }));
        assert_eq!(files.contains_key("sources/boot.wim"), at == 0);
        let info = Command::new(env!("CARGO_BIN_EXE_mediabuild"))
            .args(["inspect", "info"])
            .arg(iso)
            .output();
        let info = String::from_utf8(info.expect("runs").stdout).expect("text");
        assert!(info.contains(&format!("DEPOT {}", at + 1)), "{info}");
        let before = met.len() + files.len();
        met.extend(files);
        assert_eq!(met.len(), before, "nothing is on two discs");
    }
    met.retain(|path, _| path.starts_with("SMS/PKG/"));
    for package in ["first", "large", "third", "small"] {
        for (name, bytes) in tree(&space.project().join(package)) {
            let found = met.remove(&format!("SMS/PKG/{package}/{name}"));
            assert!(found.as_ref() == Some(&bytes), "{package}/{name}");
        }
    }
    assert!(met.is_empty(), "{:?}", met.keys());
    let beside = manifest(&fs::read(folder.join("set.json")).expect("readable"));
    assert_eq!(
        (&beside["disc"], beside["set"].as_str().map(str::len)),
        (&serde_json::Value::Null, Some(32))
    );

    // Files this young are not trusted to be as they were.
    std::thread::sleep(std::time::Duration::from_millis(2_300));
    let again = space.build(&["depot"]);
    assert_eq!(again.says("(unchanged)").says("disc 1 of 3").built_and_known().0, 0);
    space.run(&["plan", "depot"]).expect(0).says("disc 3 of 3").says("→ depot\n");
}

#[test]
fn one_disc_where_all_fits_is_the_disc_without_a_capacity() {
    let packages: [(&str, &[usize]); 1] = [("first", &[MIB])];
    let with = space(SET, &packages);
    let without = space(r#"output "depot.iso" label="DEPOT""#, &packages);
    let digest = with.build(&["depot"]).digest("depot.iso").to_owned();
    assert_eq!(without.build(&["depot"]).digest("depot.iso"), digest);
    assert!(!with.result("depot").exists());
}

#[test]
fn a_set_is_the_same_whatever_was_built_before() {
    let (one, other) = (set(), set());
    one.build(&["depot"]);
    other.build(&["boot-image:pe", "package:third"]);
    other.build(&["depot", "--jobs", "1"]);
    assert!(tree(&one.result("depot")) == tree(&other.result("depot")));
}

/// BLAKE3 of the set's files. Like those of the quickstart they change only together with the version
/// of a builder that had a part in it; the boot image is not compressed, so no encoder has.
const PINNED: [[&str; 4]; 2] = [
    [
        "71019708eb4353a59655507e9c4b0bfdb13fd3027e82c4fa5c549f3abc174478",
        "a33a5e2eccfebdda980c7170b2bab76e03699ed5c3571ce1de11ecf4d25b1fec",
        "2f3cff378c374a777737c8c6e68108ac5a792c16bb307d2e714c635b3d1c559a",
        "25f73ce0060eeb0f89bf028fc3b40baf02c1b57c8d7df059c7a83853515aa8b4",
    ],
    [
        "a9067087f6f1c58142f59ebc614083d89013e7334c1dd07e9ce2a56476eaad81",
        "1cf289bb2e0a5663682c73fd2b3563c6ade5e4eeed115363d8a79b4e54d6269a",
        "490d7d6fa06bdf09c8ec2e050db482356dcd6a2ec383558091876ff950fd8956",
        "25f73ce0060eeb0f89bf028fc3b40baf02c1b57c8d7df059c7a83853515aa8b4",
    ],
];

#[test]
fn the_bytes_of_a_set_are_pinned() {
    for (output, pinned) in [SET.to_owned(), format!("{SET} mirror=\"joliet\"")].iter().zip(PINNED)
    {
        let packages: [(&str, &[usize]); 2] = [("first", &[MIB, 3]), ("large", &[MIB; 6])];
        let space = space(output, &packages);
        let path = space.project().join("mediabuild.kdl");
        let text = fs::read_to_string(&path).expect("readable");
        let text = text.replace("source \"base\"", "source \"base\"\n    compression \"none\"");
        fs::write(&path, text).expect("writable");
        space.build(&["depot"]);
        let files = tree(&space.result("depot"));
        let digests = files.values().map(|bytes| blake3::hash(bytes).to_hex().to_string());
        assert_eq!(digests.collect::<Vec<_>>(), pinned);
    }
}

#[test]
fn an_edit_in_a_package_changes_no_disc_without_it() {
    let space = set();
    space.build(&["depot"]);
    let before = tree(&space.result("depot"));
    space.write("third/00.bin", noise(77, MIB + 1));
    space.build(&["depot"]);
    let after = tree(&space.result("depot"));
    // The set's id is in every manifest, so discs differ, but by that alone.
    assert_eq!(before.keys().collect::<Vec<_>>(), after.keys().collect::<Vec<_>>());
    let differing = |name: &str| {
        let pairs = before[name].chunks(2048).zip(after[name].chunks(2048));
        pairs.filter(|(before, after)| before != after).count()
    };
    assert!(differing("depot.1.iso") > 500, "{}", differing("depot.1.iso"));
    assert!(differing("depot.2.iso") < 12, "{}", differing("depot.2.iso"));
}

#[test]
fn a_set_is_replaced_as_a_whole() {
    let space = set();
    space.build(&["depot"]);
    fs::remove_file(space.project().join("large/00.bin")).expect("removed");
    fs::remove_file(space.project().join("large/01.bin")).expect("removed");
    fs::remove_file(space.project().join("large/02.bin")).expect("removed");
    space.build(&["depot"]).says("disc 2 of 2");
    assert_eq!(names(&space.result("depot")), ["depot.1.iso", "depot.2.iso", "set.json"]);

    // Then all of it fits one disc, and later no longer.
    fs::remove_dir_all(space.project().join("large")).expect("removed");
    space.write("large/x", "small now");
    space.build(&["depot"]).says("removed the old result result/depot\n");
    assert_eq!(names(&space.project().join("result")), ["depot.iso"]);
    space.write("large/x", noise(5, 3 * MIB));
    space.build(&["depot"]).says("removed the old result result/depot.iso");
    assert_eq!(names(&space.project().join("result")), ["depot"]);
    // A definition that says no more of sets leaves none behind either.
    let packages = ["first", "large", "third", "small"];
    define(&space, r#"output "depot.iso""#, packages.into_iter());
    space.build(&["depot"]).says("removed the old result result/depot\n");
    assert_eq!(names(&space.project().join("result")), ["depot.iso"]);
    // What no build made is not looked at.
    space.write("result/depot/notes.txt", "mine");
    assert!(!space.build(&["depot"]).stderr.contains("warning: result/depot"));
}

#[test]
fn an_old_result_that_somebody_changed_stays_and_is_told() {
    let space = set();
    space.write("result/depot.iso", "not ours");
    space.build(&["depot"]).says("warning: result/depot.iso").says("remove it");
    assert_eq!(fs::read(space.result("depot.iso")).expect("there"), b"not ours");
    let before = tree(&space.result("depot"));
    space.write("result/depot/notes.txt", "mine");
    space.write("third/00.bin", noise(78, MIB + 1));
    space.run(&["build", "depot"]).expect(3).says("notes.txt");
    let mut after = tree(&space.result("depot"));
    assert!(after.remove("notes.txt").is_some());
    assert!(after == before);
}

#[test]
fn the_set_of_another_project_in_the_same_folder_stays() {
    let space = set();
    let out = space.path().join("shared").display().to_string();
    space.build(&["depot", "--out", &out]);
    let others = tree(&space.path().join("shared"));
    let project = space.path().join("another");
    harness::copy_tree(&space.project(), &project);
    define(&space, r#"output "depot.iso""#, ["small"].into_iter());
    fs::rename(space.project().join("mediabuild.kdl"), project.join("mediabuild.kdl"))
        .expect("moved");
    let run =
        Run::of(space.command().args(["build", "depot", "--out", &out]).current_dir(&project));
    run.expect(0);
    let mut after = tree(&space.path().join("shared"));
    assert!(after.remove("depot.iso").is_some());
    assert!(after == others, "{:?}", after.keys());
}

/// A project that is moved, or built from another store, has results that no store knows.
#[test]
fn a_set_of_another_place_or_store_is_replaced() {
    let space = set();
    space.build(&["depot"]);
    assert!(space.result("depot/depot.3.iso").exists());
    let old = tree(&space.project().join("result"));
    fs::remove_dir_all(space.store()).expect("removed");
    space.write("third/00.bin", noise(79, 3 * MIB));
    define(&space, SET, ["first", "third"].into_iter());
    space.build(&["depot"]);
    let new = tree(&space.project().join("result"));
    assert!(new.len() < old.len(), "{:?}", new.keys());
    // A file that no set names is somebody's.
    fs::remove_dir_all(space.store()).expect("removed");
    space.write("result/depot/depot.9.iso", "mine");
    space.run(&["build", "depot"]).expect(3).says("depot.9.iso").says("no build put there");
}

#[test]
fn an_export_that_fails_leaves_the_old_set_whole() {
    let space = set();
    space.build(&["depot"]);
    let before = tree(&space.project().join("result"));
    // What lies on the last disc, so that those before it are written already.
    space.write("large/05.bin", noise(90, MIB));
    space.build(&["depot", "--out", "elsewhere"]);
    damage(&space.store().join("objects"), &noise(90, MIB));
    let run = space.run(&["build", "depot"]);
    assert_ne!(run.code, Some(0), "{run:?}");
    assert!(tree(&space.project().join("result")) == before);
    assert_eq!(names(&space.project().join("result")), ["depot"]);
}

#[test]
fn what_is_in_a_results_place_is_named_and_left_alone() {
    let space = set();
    space.build(&["depot", "--out", "elsewhere"]);
    let out = space.project().join("out");
    let refused = |says: &str| {
        space.run(&["build", "depot", "--out", "out"]).expect(3).says(says);
    };
    fs::write(&out, "a file").expect("written");
    refused("is no folder");
    fs::remove_file(&out).expect("removed");
    fs::create_dir_all(out.join("real")).expect("a folder");
    std::os::unix::fs::symlink("real", out.join("depot")).expect("a link");
    refused("is a symbolic link and in the way");
    fs::remove_file(out.join("depot")).expect("removed");
    fs::write(out.join("depot"), "a file").expect("written");
    refused("is a file and in the way");
    assert_eq!(names(&out), ["depot", "real"]);
    // One disc is a file, which replaces files alone.
    define(&space, r#"output "depot.iso""#, ["first"].into_iter());
    let place = out.join("depot.iso");
    fs::create_dir(&place).expect("a folder");
    refused("is a folder and in the way");
    fs::remove_dir(&place).expect("removed");
    std::os::unix::fs::symlink("real", &place).expect("a link");
    refused("is a link to a folder and in the way");
    fs::remove_file(&place).expect("removed");
    let _socket = std::os::unix::net::UnixListener::bind(&place).expect("a socket");
    refused("a device, a pipe or a socket and in the way");
    assert_eq!(names(&out), ["depot", "depot.iso", "real"]);
}

/// Overwrites the middle of `content` in whatever file of the store has it.
fn damage(folder: &Path, content: &[u8]) {
    for entry in walkdir::WalkDir::new(folder).into_iter().flatten() {
        let Ok(mut bytes) = fs::read(entry.path()) else { continue };
        let start = bytes.windows(64).position(|window| window == &content[..64]);
        if let Some(start) = start {
            bytes[start + content.len() / 2] ^= 0xff;
            let mut permissions = fs::metadata(entry.path()).expect("there").permissions();
            #[allow(clippy::permissions_set_readonly_false, reason = "a file of a test")]
            permissions.set_readonly(false);
            fs::set_permissions(entry.path(), permissions).expect("ours");
            fs::write(entry.path(), bytes).expect("writable");
            return;
        }
    }
    panic!("the store has no such content");
}

#[test]
fn what_fits_no_disc_is_an_error_that_names_it_and_the_way_out() {
    let space = space(SET, &[("a", &[MIB]), ("b", &[10, 4 * MIB])]);
    let run = space.run(&["build", "depot"]);
    run.expect(1).says("`SMS/PKG/b/01.bin` has 4194304 bytes and fits no disc");
    run.says("say a larger `capacity=`");
    assert!(!space.result("depot").exists());
    define(&space, &SET.replace("4MiB", "1MiB"), ["a"].into_iter());
    space.write("base/large.bin", noise(1, 2 * MIB));
    space.run(&["build", "depot"]).expect(1).says("`sources/boot.wim`").says("`capacity=`");
}

#[test]
fn a_mirror_shows_the_same_files_and_names_what_it_does_not_take() {
    let space = space(r#"output "depot.iso" mirror="joliet""#, &[("a", &[10, MIB])]);
    space.write("a/sub folder/a name that is no 8.3 name.txt", "found");
    space.build(&["depot"]);
    let iso = space.result("depot.iso");
    Run::of(Command::new(env!("CARGO_BIN_EXE_mediabuild")).arg("verify").arg(&iso)).expect(0);
    if let Some(mut sevenzip) = tool("7zz") {
        let to = space.path().join("joliet");
        let out = format!("-o{}", to.display());
        Run::of(sevenzip.args(["x", "-tiso", "-y", &out]).arg(&iso)).expect(0);
        let mut found = tree(&to);
        found.retain(|path, _| !path.starts_with("[BOOT]"));
        assert!(found == files(&space, &iso));
    }
    let long = "x".repeat(80);
    space.write(&format!("a/{long}"), "");
    let run = space.run(&["build", "depot"]);
    run.expect(1)
        .says(&format!("`SMS/PKG/a/{long}` cannot be on a disc"))
        .says("leave `mirror` out");
    define(&space, r#"output "depot.iso""#, ["a"].into_iter());
    space.build(&["depot"]);
}

#[test]
fn every_disc_of_a_set_is_taken_by_every_validator() {
    for output in [SET.to_owned(), format!("{SET} mirror=\"joliet\"")] {
        let space = space(&output, &[("first", &[MIB, MIB / 2]), ("large", &[MIB; 6])]);
        space.build(&["depot"]);
        let discs = discs(&space);
        assert_eq!(discs.len(), 3);
        for iso in &discs {
            if let Some(mut sevenzip) = tool("7zz") {
                Run::of(sevenzip.args(["t", "-tudf"]).arg(iso)).expect(0).says("Everything is Ok");
            }
            if let Some(mut udfinfo) = tool("udfinfo") {
                Run::of(udfinfo.arg(iso)).expect(0).says("udfrev=1.02").says("integrity=closed");
            }
            if let Some(mut xorriso) = tool("xorriso") {
                Run::of(xorriso.arg("-indev").arg(iso)).expect(0);
            }
            if let Some(mut isovfy) = tool("isovfy") {
                Run::of(isovfy.arg(iso)).expect(0).says("No errors found");
            }
        }
    }
}

#[test]
fn what_no_disc_takes_is_told_by_check_on_its_line() {
    let space = space(SET, &[("a", &[10]), ("b", &[5 * MIB])]);
    let run = space.run(&["check"]);
    run.expect(2).says("`SMS/PKG/b/00.bin` has 5242880 bytes, and a disc holds 4194304");
    run.says("package \"b\" { source \"b\" }").says("to be on this medium");
    space.write("b/00.bin", noise(1, 3 * MIB));
    space.write("a/more.bin", noise(2, 3 * MIB));
    space.run(&["check"]).expect(0).says("a set of about 2 discs of 4.2 MB");
    space.write("a/File.txt", "one");
    space.write("a/file.TXT", "other");
    space.write(&format!("a/{}", "deep folder/".repeat(90) + "x"), "too long a path");
    let run = space.run(&["check"]);
    run.expect(2).says("differ only in case").says("a path has at most 1023 bytes");
    fs::remove_dir_all(space.project().join("a")).expect("removed");
    space.write(&format!("a/{}.txt", "long".repeat(20)), "");
    space.run(&["check"]).expect(0);
    define(&space, &format!("{SET} mirror=\"joliet\""), ["a", "b"].into_iter());
    space.run(&["check"]).expect(2).says("64 UTF-16 units").says("leave `mirror=` out");
}

#[test]
fn an_order_file_says_what_lies_first() {
    let space = space(r#"output "depot.iso" order="order.txt""#, &[("a", &[10, 11]), ("b", &[12])]);
    space.write("order.txt", "SMS\\PKG\\b\r\nsms\\pkg\\A\\01.bin\r\nno\\such.file\r\n");
    let run = space.build(&["depot"]);
    run.says("line 3 of the order file: nothing on the medium is `no/such.file`");
    let iso = fs::read(space.result("depot.iso")).expect("there");
    let at = |content: &[u8]| {
        iso.windows(content.len()).position(|window| window == content).expect("on the disc")
    };
    let of = |name: &str| at(&fs::read(space.project().join(name)).expect("there"));
    let boot_wim = at(&cat(&space.result("depot.iso"), "sources/boot.wim"));
    assert!(of("b/00.bin") < of("a/01.bin") && of("a/01.bin") < boot_wim);
    assert!(boot_wim < of("a/00.bin"));
    space.write("order.txt", "");
    assert_ne!(space.build(&["depot"]).built(), Vec::<String>::new());
    let iso = fs::read(space.result("depot.iso")).expect("there");
    let wim = cat(&space.result("depot.iso"), "sources/boot.wim");
    let first = iso.windows(wim.len()).position(|window| window == wim).expect("on the disc");
    let later = fs::read(space.project().join("a/01.bin")).expect("there");
    assert!(iso.windows(later.len()).position(|window| window == later).expect("there") > first);
    let lines: Vec<String> = (0..13).map(|at| format!("no/such{at}.file\n")).collect();
    space.write("order.txt", lines.concat());
    space.build(&["depot"]).says("3 more lines of the order file name nothing");
    let utf16: Vec<u8> = "SMS\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    space.write("order.txt", utf16);
    space.run(&["build", "depot"]).expect(1).says("no text: line 1").says("save it as UTF-8");
}

/// What the README of `examples/discs` tells users to do, but for the virtual machines.
#[test]
fn the_example_gives_a_disc_or_a_set_and_two_sticks() {
    let space = TestSpace::new();
    harness::copy_tree(&harness::root().join("examples/discs"), &space.project());
    space.run(&["check"]).expect(0).says("inputs/boot-files").says("packages on depot");
    space.build(&[]);
    let on_disc = files(&space, &space.result("depot.iso"));
    assert!(on_disc.contains_key("SMS/PKG/manuals/manual.txt"));
    let listed = |image: &str, more: &[&str]| {
        let image = space.result(image).display().to_string();
        let run = space.run(&[&["inspect", "ls", &image][..], more].concat());
        run.expect(0).stdout.to_lowercase()
    };
    for listing in [listed("depot.iso", &["--view", "joliet"]), listed("depot.img", &[])] {
        for path in on_disc.keys() {
            assert!(listing.contains(&path.to_lowercase()), "{path} in:\n{listing}");
        }
    }
    assert!(listed("stick.img", &[]).contains("efi/boot/bootx64.efi"));
    let definitions = fs::read_to_string(space.project().join("mediabuild.kdl")).expect("there");
    // One sector less than all of it takes.
    let capacity_kib = fs::metadata(space.result("depot.iso")).expect("there").len() / 1024 - 2;
    let smaller = format!("capacity=\"{capacity_kib}KiB\"");
    space.write("mediabuild.kdl", definitions.replace("capacity=\"dvd\"", &smaller));
    space.build(&["depot"]);
    assert_eq!(discs(&space).len(), 2);
}

/// A split WIM whose parts no single disc holds: what is on a disc is checked there, and damage shows
/// in whichever part it is.
#[test]
fn a_split_wim_over_two_discs_is_verified_on_each() {
    let maker = TestSpace::new();
    (0..6).for_each(|at| drop(maker.write(&format!("tree/{at}.bin"), noise(at, 780_000))));
    maker.write(
        "mediabuild.kdl",
        "project \"p\" epoch=(date-time)\"2026-11-01T00:00:00Z\"\n\
         os-image \"install\" arch=\"amd64\" {\n    source \"tree\"\n    compression \"none\"\n    \
         output split=\"1MiB\"\n}\n",
    );
    maker.build(&["install"]);
    let parts = maker.result("os-image/install");
    assert_eq!(names(&parts).len(), 6);
    let space = space(r#"output "depot.iso" label="DEPOT" capacity="3MiB""#, &[("os", &[])]);
    harness::copy_tree(&parts, &space.project().join("os"));
    space.build(&["depot"]);

    let discs = discs(&space);
    let [_, second, third] = &discs[..] else { panic!("{discs:?}") };
    let verify = |iso: &Path| space.run(&["verify", iso.to_str().expect("UTF-8")]);
    verify(second).expect(0).says("remark: ").says("`SMS/PKG/os/install4.swm` is not on this disc");
    verify(third).expect(0).says("remark: ").says("`SMS/PKG/os/install.swm` is not on this disc");
    for (iso, part, at) in [(second, "install2.swm", 1), (third, "install6.swm", 5)] {
        let (mut bytes, content) = (fs::read(iso).expect("a disc"), noise(at, 780_000));
        let place = bytes.windows(64).position(|window| window == &content[..64]);
        bytes[place.unwrap_or_else(|| panic!("{part} is there")) + 1000] ^= 1;
        let damaged = space.write("damaged.iso", bytes);
        let run = verify(&damaged);
        run.expect(1).says(&format!("SMS/PKG/os/{part}: resource at offset"));
        run.says("the first part says what uses it");
    }

    // Of no set, what is not there is missing; what is there is checked all the same.
    let Some(mut xorriso) = tool("xorriso") else { return };
    fs::remove_file(space.project().join("os/install3.swm")).expect("a part");
    let iso = space.project().join("alone.iso");
    xorriso.args(["-as", "mkisofs", "-quiet", "-R", "-J", "-o"]).arg(&iso);
    Run::of(xorriso.arg(space.project().join("os"))).expect(0);
    verify(&iso)
        .expect(1)
        .says("alone.iso: install.swm: the other part `install3.swm` is not there");
}
