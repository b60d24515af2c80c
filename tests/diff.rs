//! `diff`: what differs between two media, by content, and nothing else.

mod harness;

use std::fs;
use std::path::{Path, PathBuf};

use harness::{Run, TestSpace, shared, tool};
use serde_json::Value;

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

/// The lines of a comparison that found differences, or of one that found none.
#[track_caller]
fn diff(space: &TestSpace, arguments: &[&str]) -> Vec<String> {
    let run = space.run(&[&["diff"], arguments].concat());
    let lines: Vec<String> = run.stdout.lines().map(str::to_owned).collect();
    let same = lines.last().is_some_and(|line| line.starts_with("the same: "));
    run.expect(if same { 0 } else { 1 });
    assert_eq!(run.stderr, "");
    lines
}

fn capture(space: &TestSpace, tree: &str, wim: &str, options: &[&str]) -> Option<PathBuf> {
    let (tree, wim) = (space.path().join(tree), space.path().join(wim));
    let mut command = tool("wimlib-imagex")?;
    Run::of(command.arg("capture").args([&tree, &wim]).arg("one").args(options)).expect(0);
    Some(wim)
}

/// Two trees that differ in every way that content can.
fn write_trees(space: &TestSpace) {
    let write = |path: &str, bytes: &str| {
        let path = space.path().join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("folders");
        fs::write(path, bytes).expect("a file");
    };
    for tree in ["old", "new"] {
        write(&format!("{tree}/kept/same.txt"), "the same");
        write(&format!("{tree}/kept/empty.txt"), "");
    }
    write("old/changed.txt", "before");
    write("new/changed.txt", "after it");
    write("old/equal size.txt", "abc");
    write("new/equal size.txt", "abd");
    write("old/gone.txt", "only in the old one");
    write("new/sub/came.txt", "only in the new one, which is longer");
    write("old/drivers/a.sys", "a driver that moves");
    write("new/moved/a.sys", "a driver that moves");
    // Of two with one content those of one name belong together.
    write("old/x/one.dll", "two names");
    write("old/x/two.dll", "two names");
    write("new/y/two.dll", "two names");
    write("new/y/zero.dll", "two names");
    write("old/was a file", "file");
    write("new/was a file/now", "in a folder");
}

const EXPECTED: [&str; 14] = [
    "~ changed.txt  6 B -> 8 B",
    "- drivers/",
    "~ equal size.txt  3 B",
    "- gone.txt  19 B",
    "+ moved/",
    "> moved/a.sys <- drivers/a.sys  19 B",
    "+ sub/",
    "+ sub/came.txt  36 B",
    "~ was a file  4 B  kind file -> folder",
    "+ was a file/now  11 B",
    "- x/",
    "+ y/",
    "> y/two.dll <- x/two.dll  9 B",
    "> y/zero.dll <- x/one.dll  9 B",
];

#[test]
fn wims_and_folders_say_the_same_of_the_same_trees() {
    let space = TestSpace::new();
    write_trees(&space);
    let (old, new) = (space.path().join("old"), space.path().join("new"));
    let expected: Vec<String> = EXPECTED.map(str::to_owned).to_vec();
    let lines = diff(&space, &[text(&old), text(&new)]);
    let summary = "5 added (47 B), 3 removed (19 B), 3 changed (13 B -> 11 B), 3 renamed; 3 equal";
    let (last, changes) = lines.split_last().expect("a summary");
    assert_eq!((changes, last.as_str()), (&expected[..], summary));
    assert_eq!(diff(&space, &[text(&old), text(&old)]), ["the same: 12 names"]);

    let Some(old_wim) = capture(&space, "old", "old.wim", &["--compress=XPRESS"]) else { return };
    let new_wim = capture(&space, "new", "new.wim", &["--compress=LZX"]).expect("as before");
    let solid = capture(&space, "new", "new.esd", &["--solid"]).expect("as before");
    for new_wim in [&new_wim, &solid] {
        let lines = diff(&space, &[text(&old_wim), text(new_wim)]);
        let (last, changes) = lines.split_last().expect("a summary");
        // wimlib says `sparse` of files that take fewer blocks than they have.
        let changes: Vec<&String> = changes.iter().filter(|it| !it.starts_with("m ")).collect();
        assert_eq!(changes, expected.iter().collect::<Vec<_>>());
        assert!(last.starts_with("5 added (47 B), 3 removed (19 B), 3 changed"), "{last}");
    }
    assert_eq!(diff(&space, &[text(&new_wim), text(&solid)]), ["the same: 14 names"]);
    let verbose = diff(&space, &["-v", text(&old_wim), text(&new_wim)]);
    assert!(verbose.iter().any(|line| line.contains("CREATIONTIME")), "{verbose:?}");
    // A WIM of one image against the folder that it is of.
    let folder = diff(&space, &[text(&new_wim), text(&new)]);
    assert_eq!(folder, ["the same: 14 names"]);
}

#[test]
fn split_sets_in_folders_are_looked_into_once() {
    let space = TestSpace::new();
    write_trees(&space);
    for tree in ["old", "new"] {
        let noise: Vec<u8> =
            (0..3_000_000_u32).flat_map(|i| i.wrapping_mul(i).to_le_bytes()).collect();
        fs::write(space.path().join(tree).join("large"), &noise[..3_000_000]).expect("a file");
        let Some(wim) = capture(&space, tree, "a.wim", &["--compress=none"]) else { return };
        let (folder, mut wimlib) =
            (format!("{tree} set"), tool("wimlib-imagex").expect("as before"));
        fs::create_dir(space.path().join(&folder)).expect("a folder");
        let first = space.path().join(folder).join("install.swm");
        Run::of(wimlib.args(["split", text(&wim), text(&first), "1"])).expect(0);
        fs::remove_file(&wim).expect("the capture");
    }
    let (old, new) = (space.path().join("old set"), space.path().join("new set"));
    let lines = diff(&space, &[text(&old), text(&new)]);
    let added: Vec<&String> = lines.iter().filter(|line| line.contains("came.txt")).collect();
    assert_eq!(added, ["+ install.swm//sub/came.txt  36 B"]);
}

#[test]
fn images_attributes_and_properties_are_told() {
    let Some(path) = shared("data/wim/MultiImage.wim") else { return };
    let space = TestSpace::new();
    assert!(diff(&space, &[text(&path), text(&path)])[0].starts_with("the same: "));
    let Some(lzx) = shared("data/wim/LZX.wim") else { return };
    let lines = diff(&space, &[text(&path), text(&lzx)]);
    assert!(lines.iter().any(|line| line == "- image 2"), "{lines:?}");
    assert!(lines.iter().any(|line| line.starts_with("p image 1/NAME  value ")), "{lines:?}");
    let Some(xpress) = shared("data/wim/XPRESS.wim") else { return };
    let lines = diff(&space, &[text(&lzx), text(&xpress)]);
    assert!(!lines.iter().any(|line| line.starts_with('~')), "only the codec differs: {lines:?}");
}

#[test]
fn a_change_in_a_boot_image_on_an_iso_shows_as_that() {
    let space = TestSpace::quickstart();
    space.build(&[]);
    for (result, copy) in [("boot.iso", "old.iso"), ("factory.wim", "old.wim")] {
        fs::copy(space.result(result), space.path().join(copy)).expect("copied");
    }
    let boot_image = fs::read_to_string(space.project().join("mediabuild.kdl")).expect("a project");
    fs::create_dir_all(space.project().join("extra/Windows")).expect("folders");
    fs::write(space.project().join("extra/Windows/added by us.txt"), "added").expect("a file");
    let changed = boot_image.replacen("overlay \"", "overlay \"extra\"\n    overlay \"", 1);
    assert_ne!(changed, boot_image, "the quickstart has an overlay:\n{boot_image}");
    fs::write(space.project().join("mediabuild.kdl"), changed).expect("a project");
    space.build(&[]);
    for (old, new) in [("old.iso", "boot.iso"), ("old.wim", "factory.wim")] {
        let (old, new) = (space.path().join(old), space.result(new));
        let lines = diff(&space, &[text(&old), text(&new)]);
        let added: Vec<&String> = lines.iter().filter(|line| line.starts_with("+ ")).collect();
        assert_eq!(added, ["+ sources/boot.wim//Windows/added by us.txt  5 B"], "{lines:?}");
        assert!(lines.iter().any(|line| line.starts_with("~ sources/boot.wim  ")), "{lines:?}");
        let run = space.run(&["diff", "--format", "json", text(&old), text(&new)]);
        let events: Vec<Value> = run
            .expect(1)
            .stdout
            .lines()
            .map(|line| serde_json::from_str(line).expect("JSON"))
            .collect();
        let added = events.iter().find(|event| event["kind"] == "added").expect("the file");
        assert_eq!(
            (&added["in"], &added["path"]),
            (&"sources/boot.wim".into(), &"Windows/added by us.txt".into())
        );
        let last = events.last().expect("a summary");
        assert_eq!((&last["same"], &last["added"]), (&false.into(), &1.into()));
    }
}

/// The lines about the media themselves, without their values.
fn properties(lines: &[String]) -> Vec<&str> {
    let told = lines.iter().filter_map(|line| line.strip_prefix("p "));
    told.map(|line| line.split("  value ").next().expect("a name")).collect()
}

/// A copy of an ISO with the last of so many bytes of a boot image changed.
fn with_other_boot_image(space: &TestSpace, iso: &Path, entry: usize, bytes: usize) -> PathBuf {
    let run = space.run(&["inspect", "info", "--format", "json", text(iso)]);
    let info: Value = serde_json::from_str(&run.expect(0).stdout).expect("JSON");
    let lba = info["boot-entries"][entry]["lba"].as_u64().expect("a boot entry");
    let mut copy = fs::read(iso).expect("an ISO");
    copy[usize::try_from(lba).expect("small") * 2048 + bytes - 1] ^= 1;
    space.write(&format!("other-{entry}.iso"), copy)
}

#[test]
fn discs_that_start_other_programs_differ() {
    let space = TestSpace::quickstart();
    space.build(&[]);
    let iso = space.result("boot.iso");
    let bios_bytes = fs::metadata(space.project().join("inputs/boot.bin")).expect("an input").len();
    let bios_bytes = usize::try_from(bios_bytes).expect("small");
    // Of the FAT volume far more is compared than the one sector that its entry counts.
    for (entry, bytes) in [(0, bios_bytes), (1, 64 << 10)] {
        let other = with_other_boot_image(&space, &iso, entry, bytes);
        let lines = diff(&space, &[text(&iso), text(&other)]);
        assert_eq!(properties(&lines), [format!("boot entry {}", entry + 1)], "{lines:?}");
    }
    let copy = space.path().join("copy.iso");
    fs::copy(&iso, &copy).expect("copied");
    assert!(diff(&space, &[text(&iso), text(&copy)])[0].starts_with("the same: "));
}

#[test]
fn disks_of_other_partitions_and_labels_differ() {
    let space = TestSpace::new();
    space.write("base/Windows/System32/setup.exe", "not really");
    space.write("boot/efi/boot/bootx64.efi", [0xE0; 1024]);
    space.write("boot/efi/microsoft/boot/bcd", "not really");
    space.write("boot/boot/boot.sdi", [0x5D; 5000]);
    let built = |usb: &str, copy: &str| {
        let definitions = format!(
            r#"project "p" epoch=(date-time)"2026-11-01T00:00:00Z"
            boot-image "pe" arch="amd64" {{ source "base"; boot-files {{ from "boot" }} }}
            media "m" type="bootable" {{ boot-image "pe"; usb "m.img" {usb} }}"#
        );
        space.write("mediabuild.kdl", definitions);
        space.build(&[]);
        let copy = space.path().join(copy);
        fs::copy(space.result("m.img"), &copy).expect("copied");
        copy
    };
    let mbr = built(r#"size="64MiB""#, "mbr.img");
    let gpt = built(r#"size="80MiB" table="gpt" label="OTHER""#, "gpt.img");
    let lines = diff(&space, &[text(&mbr), text(&gpt)]);
    let told = ["label of volume 1", "partition 1", "partition table"];
    for name in told {
        assert!(properties(&lines).contains(&name), "{name} in {lines:?}");
    }
    let table = "p partition table  value MBR -> GPT";
    assert!(lines.iter().any(|line| line == table), "{lines:?}");
    let mut other = fs::read(&mbr).expect("a disk");
    // The volume's serial number, in its boot sector; see fat/boot_sector.rs.
    other[(1 << 20) + 67] ^= 1;
    let other = space.write("serial.img", other);
    assert_eq!(properties(&diff(&space, &[text(&mbr), text(&other)])), ["serial of volume 1"]);
    assert!(diff(&space, &[text(&mbr), text(&mbr)])[0].starts_with("the same: "));
}
