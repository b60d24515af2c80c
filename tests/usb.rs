//! Disk images of bootable media: the same files as on the ISO by independent readers, on both
//! partition tables, without a second copy in the store; and what FAT32 cannot hold.

mod harness;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use harness::{Run, TestSpace, names, tool, tree};

/// BLAKE3 of the disk images of [`project`], beside the version of the builder that makes them: a
/// digest changes only together with it.
const PINNED_VERSION: u64 = 1;
const PINNED_DIGESTS: [(&str, &str); 2] = [
    ("mbr.img", "b8bb3d2d264ffdeac54720e944d23779e1c81c2398e8792e4a8a015038f62059"),
    ("gpt.img", "c1ec28b7cce03764fecf579b3f23d23acbf2a027f8d0ba5f8a1d5b8c115d634d"),
];

/// A tree with names of all planes, and a package large enough to lie on blocks.
fn write_files(space: &TestSpace) {
    space.write("base/Windows/System32/setup.exe", "not really");
    space.write("boot/efi/boot/bootx64.efi", [0xE0; 1024]);
    space.write("boot/efi/microsoft/boot/bcd", "not really");
    space.write("boot/boot/boot.sdi", [0x5D; 5000]);
    space.write("files/среда/中文 💾.bin", noise(3 << 20));
    space.write("files/a long name with dots.in.it.txt", "text");
    space.write("files/empty.txt", "");
}

/// With an ISO beside it.
const BOTH: &str = r#"output "mbr.iso"; usb "mbr.img""#;

fn project(usb: &str) -> String {
    format!(
        r#"project "p" epoch=(date-time)"2026-11-01T00:00:00Z"
        boot-image "pe" arch="amd64" {{ source "base"; boot-files {{ from "boot" }} }}
        package "p" {{ source "files" }}
        media "mbr" type="bootable" {{ boot-image "pe"; package "p"; {usb} }}
        media "gpt" type="bootable" {{
            boot-image "pe"; package "p"; usb "gpt.img" table="gpt" label="depot-11" size="160MiB"
        }}"#
    )
}

fn built(usb: &str) -> (TestSpace, Run) {
    let space = TestSpace::new();
    write_files(&space);
    space.write("mediabuild.kdl", project(usb));
    let run = space.build(&["mbr", "gpt"]);
    (space, run)
}

#[test]
fn both_disks_hold_what_the_iso_holds() {
    let (space, _) = built(BOTH);
    let wanted = iso_files(&space, "mbr.iso");
    assert!(wanted.contains_key("sources/boot.wim") && wanted.contains_key("mediabuild/medium.id"));
    assert_eq!(wanted["SMS/PKG/p/среда/中文 💾.bin"].len(), 3 << 20);
    for name in ["mbr.img", "gpt.img"] {
        let volume = volume_of(&space, name);
        fsck(&volume);
        if let Some(mut mcopy) = tool("mcopy") {
            let out = space.path().join(format!("mtools-{name}"));
            fs::create_dir_all(&out).expect("a folder");
            let mcopy = mcopy.env("LC_ALL", "C.UTF-8").env("MTOOLS_SKIP_CHECK", "1");
            Run::of(mcopy.args(["-s", "-i"]).arg(&volume).arg("::*").arg(&out)).expect(0);
            // mtools know characters of 16 bits only, and show others as two underscores.
            let shown =
                |(path, bytes): (&String, &Vec<u8>)| (path.replace('💾', "__"), bytes.clone());
            let wanted: BTreeMap<_, _> = wanted.iter().map(shown).collect();
            assert!(tree(&out) == wanted, "{name} by mtools");
        }
        if let Some(mut sevenzip) = tool("7zz") {
            let out = space.path().join(format!("7zz-{name}"));
            let to = format!("-o{}", out.display());
            Run::of(sevenzip.args(["x", "-tfat", "-y", &to]).arg(&volume)).expect(0);
            assert!(tree(&out) == wanted, "{name} by 7-Zip");
        }
    }
}

#[test]
fn the_tables_are_what_others_read() {
    let (space, _) = built(r#"usb "mbr.img" table="mbr""#);
    if let Some(mut sfdisk) = tool("sfdisk") {
        let mbr = Run::of(sfdisk.arg("-J").arg(space.result("mbr.img")));
        mbr.expect(0).says(r#""label": "dos""#).says(r#""type": "c""#).says(r#""bootable": true"#);
        let gpt = Run::of(Command::new("sfdisk").arg("-J").arg(space.result("gpt.img")));
        gpt.expect(0).says(r#""label": "gpt""#).says("EBD0A0A2-B9E5-4433-87C0-68B6B72699C7");
        assert!(gpt.stderr.is_empty() && mbr.stderr.is_empty());
    }
    if let Some(mut sgdisk) = tool("sgdisk") {
        Run::of(sgdisk.arg("-v").arg(space.result("gpt.img"))).expect(0).says("No problems found");
    }
    if let Some(mut sevenzip) = tool("7zz") {
        Run::of(sevenzip.arg("t").arg(space.result("mbr.img"))).expect(0);
        Run::of(Command::new("7zz").arg("t").arg(space.result("gpt.img"))).expect(0);
    }
    assert_eq!(fs::metadata(space.result("gpt.img")).expect("a result").len(), 160 << 20);
}

#[test]
fn the_bytes_are_pinned_and_holes_are_kept() {
    let (space, run) = built(r#"usb "mbr.img""#);
    let found = PINNED_DIGESTS.map(|(name, _)| (name, run.digest(name).to_owned()));
    let pinned = PINNED_DIGESTS.map(|(name, digest)| (name, digest.to_owned()));
    assert_eq!(found, pinned, "change the version of `usb` together with its digests");
    let plan = space.run(&["plan", "--format", "json", "-v", "mbr"]);
    plan.expect(0).says(&format!("\"version\":{PINNED_VERSION}"));
    let gpt = fs::metadata(space.result("gpt.img")).expect("a result");
    assert!(gpt.blocks() * 512 < 24 << 20, "{} blocks of a sparse disk", gpt.blocks());
}

#[test]
fn an_iso_and_a_disk_take_the_store_once() {
    let space = TestSpace::new();
    write_files(&space);
    space.write("mediabuild.kdl", project(""));
    space.build(&["mbr"]);
    let before = bytes_below(&space.store());
    space.write("mediabuild.kdl", project(BOTH));
    let run = space.build(&["mbr"]);
    assert!(run.built().contains(&"usb mbr".to_owned()), "{run:?}");
    let more = bytes_below(&space.store()).saturating_sub(before);
    assert!(more < 1 << 20, "{more} bytes more for a disk of 3 MiB of content");
    assert!(space.result("mbr.iso").exists() && space.result("mbr.img").exists());
    let nothing = space.build(&["mbr"]);
    assert_eq!(nothing.built(), Vec::<String>::new());
}

/// Who writes sticks wants no ISO; the disk is the same as beside one.
#[test]
fn a_disk_alone_is_built_without_an_iso() {
    let (space, run) = built(r#"usb "mbr.img""#);
    assert_eq!(names(&space.project().join("result")), ["gpt.img", "mbr.img"]);
    assert!(!run.built().contains(&"media mbr".to_owned()), "{run:?}");
    assert_eq!(run.digest("mbr.img"), PINNED_DIGESTS[0].1);
    space.write("mediabuild.kdl", project(BOTH));
    let beside = space.build(&["mbr"]);
    assert_eq!(beside.digest("mbr.img"), PINNED_DIGESTS[0].1);
    assert_eq!(beside.built(), ["media mbr"]);
    space.write("mediabuild.kdl", project(r#"usb "mbr.img""#));
    space.run(&["plan", "mbr"]).expect(0).says("usb mbr");
    space.run(&["why", "mbr"]).expect(0).says("usb mbr is up to date");
    space.run(&["why", "mbr", "package:p"]).expect(0).says("usb mbr");
    space.run(&["check"]).expect(0);
}

#[test]
fn a_pin_of_a_medium_keeps_all_its_images() {
    let (space, run) = built(BOTH);
    let (iso, disk) = (run.digest("mbr.iso").to_owned(), run.digest("mbr.img").to_owned());
    space
        .run(&["store", "pin", "rel", "mbr"])
        .expect(0)
        .says("pinned: pin:rel ")
        .says("pinned: pin:rel/mbr.img ");
    space.run(&["store", "pin", "rel/mbr.img", "gpt"]).expect(2).says("the pin `rel` keeps");
    space.run(&["store", "pin", "other/mbr.img", "gpt"]).expect(0);
    space.run(&["store", "pin", "other", "mbr"]).expect(2).says("such a pin already");
    space.run(&["store", "unpin", "other/mbr.img"]).expect(0);
    fs::remove_dir_all(space.project().join("result")).expect("removed");
    space.run(&["store", "gc"]).expect(0);
    let again = space.build(&["mbr"]);
    assert_eq!((again.built(), again.digest("mbr.iso")), (Vec::new(), iso.as_str()));
    assert_eq!(again.digest("mbr.img"), disk);
    // The same name for less: what it no longer means goes.
    let one = space.run(&["store", "pin", "rel", "result/mbr.iso"]);
    one.expect(0).says("pinned: pin:rel ").says("unpinned: pin:rel/mbr.img ");
    space.run(&["store", "pin", "rel", "mbr"]).expect(0);
    let gone = space.run(&["store", "unpin", "rel"]);
    gone.expect(0).says("unpinned: pin:rel ").says("unpinned: pin:rel/mbr.img ");
    assert!(!space.run(&["store", "roots"]).stdout.contains("pin:"));
}

/// Somebody may write sticks from it: it is never removed.
#[test]
fn an_old_result_is_told_until_it_is_gone() {
    let (space, run) = built(BOTH);
    assert!(!run.stderr.contains("old result"), "{}", run.stderr);
    space.write("mediabuild.kdl", project(r#"usb "sticks/mbr.img""#));
    let renamed = space.build(&["gpt"]);
    renamed.says("result/mbr.img is an old result").says("result/mbr.iso is an old result");
    assert!(space.result("mbr.img").exists() && space.result("mbr.iso").exists());
    let json = space.run(&["build", "mbr", "--format", "json"]);
    json.expect(0).says(r#""event":"old-result","path":""#);
    fs::remove_file(space.result("mbr.iso")).expect("removed");
    let rest = space.build(&["mbr"]);
    assert_eq!(rest.stderr.matches("is an old result").count(), 1, "{}", rest.stderr);

    // What another project puts there is its own.
    space.write("other/files/a.txt", "a");
    space.write("other/mediabuild.kdl", r#"project "o"; package "q" { source "files" }"#);
    let other = space.build(&["other", "package:q", "--out", "result"]);
    assert!(!other.stderr.contains("old result"), "{}", other.stderr);
    space.write("mediabuild.kdl", project(BOTH));
    let back = space.build(&["mbr"]);
    assert_eq!(back.stderr.matches("is an old result").count(), 1, "{}", back.stderr);
    back.says("result/sticks/mbr.img is an old result");
    fs::remove_dir_all(space.result("sticks")).expect("removed");
    assert!(!space.build(&["mbr"]).stderr.contains("old result"));
}

#[test]
fn a_disk_of_100_gibibytes_is_built_where_there_is_no_room_for_it() {
    let (space, _) = built(r#"usb "mbr.img" size="100GiB""#);
    let disk = fs::metadata(space.result("mbr.img")).expect("a result");
    assert_eq!(disk.len(), 100 << 30);
    assert!(disk.blocks() * 512 < 100 << 20, "{} blocks", disk.blocks());
}

#[test]
fn what_fat32_cannot_hold_is_told_with_a_way_out() {
    let space = TestSpace::new();
    write_files(&space);
    let huge = File::create(space.write("files/huge.bin", "")).expect("a file");
    huge.set_len(1 << 32).expect("a hole");
    for (usb, way_out) in [(BOTH, "leave out `usb`"), (r#"usb "mbr.img""#, "say `output` for")] {
        space.write("mediabuild.kdl", project(usb));
        let run = space.run(&["check"]);
        run.expect(2).says("`SMS/PKG/p/huge.bin` has 4294967296 bytes").says(way_out);
    }
}

#[test]
fn a_disk_that_is_too_small_says_what_would_do() {
    let space = TestSpace::new();
    write_files(&space);
    space.write("files/large.bin", noise(80 << 20));
    space.write("mediabuild.kdl", project(r#"usb "mbr.img" size="64MiB""#));
    let run = space.run(&["build", "mbr"]);
    run.expect(1).says("the disk has 64MiB").says("write `size=\"85MiB\"` or more");
}

#[test]
fn mistakes_are_found_by_check() {
    let space = TestSpace::new();
    write_files(&space);
    for (usb, said) in [
        (r#"usb "mbr.iso""#, "becomes an `.img` file"),
        (r#"usb "gpt.img""#, "two disk images become `gpt.img`"),
        (r#"usb "GPT.img""#, "two disk images become `gpt.img`"),
        (r#"output "d.iso" capacity="dvd"; usb "D/d.1.img""#, "`d` is the folder that media `mbr`"),
        (r#"usb "boot-image/x.img""#, "is the folder of boot-image results"),
        (r#"usb "mbr.img" table="apm""#, "cannot be `apm`"),
        (r#"usb "mbr.img" label="TWELVE CHARS""#, "has 11 characters at most"),
        (r#"usb "mbr.img" label="a.b""#, "cannot have this label"),
        (r#"usb "mbr.img" size="12MiB""#, "64MiB to 2TiB"),
        (r#"usb "mbr.img" size="100000001B""#, "in whole mebibytes"),
    ] {
        space.write("mediabuild.kdl", project(usb));
        space.run(&["check"]).expect(2).says(said);
    }
}

#[test]
fn an_iso_without_a_boot_image_starts_uefi_by_one_of_ours() {
    let (space, run) = built(BOTH);
    assert!(!run.stderr.contains("does not boot"), "{}", run.stderr);
    let facts = space.run(&["inspect", "info", "--format", "json", "result/mbr.iso"]);
    let facts: serde_json::Value =
        serde_json::from_str(facts.expect(0).stdout.trim()).expect("JSON");
    let entry = &facts["boot-entries"][0];
    assert_eq!((&entry["firmware"], &entry["sector-count"]), (&"UEFI".into(), &1.into()));
    let iso = fs::read(space.result("mbr.iso")).expect("a result");
    let start = entry["lba"].as_u64().expect("a sector") as usize * 2048;
    let image = space.path().join("efi.img");
    fs::write(&image, &iso[start..start + 1_474_560]).expect("written");
    fsck(&image);
    if let Some(mut mcopy) = tool("mcopy") {
        let loader = space.path().join("loader");
        let from = "::EFI/BOOT/BOOTX64.EFI";
        Run::of(mcopy.arg("-i").arg(&image).arg(from).arg(&loader)).expect(0);
        assert!(fs::read(loader).expect("copied") == [0xE0; 1024]);
    }
    if let Some(mut sevenzip) = tool("7zz") {
        Run::of(sevenzip.args(["t", "-tudf"]).arg(space.result("mbr.iso"))).expect(0);
    }
}

#[test]
fn disks_are_looked_into_like_discs() {
    let (space, _) = built(BOTH);
    let wanted = iso_files(&space, "mbr.iso");
    for name in ["result/mbr.img", "result/gpt.img"] {
        let facts = space.run(&["inspect", "info", "--format", "json", name]);
        let facts: serde_json::Value =
            serde_json::from_str(facts.expect(0).stdout.trim()).expect("JSON");
        assert_eq!(
            (&facts["format"], &facts["volumes"][0]["file-system"]),
            (&"disk".into(), &"FAT32".into())
        );
        space.run(&["inspect", "ls", name]).expect(0).says("SMS/PKG/p/среда/中文 💾.bin");
        space
            .run(&["inspect", "cat", name, "sms/pkg/p/a long name with dots.in.it.txt"])
            .expect(0)
            .says("text");
        space
            .run(&["inspect", "ls", &format!("{name}//sources/boot.wim")])
            .expect(0)
            .says("setup.exe");
        space.run(&["verify", name]).expect(0).says("ok");
        let out = space.path().join(format!("extracted-{}", &name[7..]));
        let to = out.to_string_lossy().into_owned();
        space.run(&["extract", name, "--to", &to]).expect(0);
        assert!(tree(&out) == wanted, "{name} by extract");
        space.run(&["diff", "result/mbr.iso", name]).expect(0);
    }
    let view = space.run(&["inspect", "ls", "result/mbr.img", "--view", "joliet"]);
    view.expect(2).says("only an ISO has several trees");
    for look in ["ls", "signers"] {
        let image = space.run(&["inspect", look, "result/mbr.img", "--image", "1"]);
        image.expect(2).says("a disc has no images");
    }
    let listed = space.run(&["inspect", "ls", "result/mbr.img"]).stdout;
    let paths: Vec<String> = listed.lines().map(str::to_lowercase).collect();
    let mut sorted = paths.clone();
    sorted.sort_by_cached_key(|path| {
        path.trim_end_matches('/').split('/').map(str::to_owned).collect::<Vec<_>>()
    });
    assert_eq!(paths, sorted, "a folder's files follow it");
    let mut damaged = fs::read(space.result("mbr.img")).expect("a result");
    // The entry of a cluster in the second FAT.
    let second = (1 << 20) + damaged_fat(&damaged[1 << 20..]);
    damaged[second + 20] ^= 1;
    fs::write(space.path().join("damaged.img"), damaged).expect("written");
    let run = Run::of(space.command().arg("verify").arg(space.path().join("damaged.img")));
    run.expect(1).says("partition 1, at ").says("FAT 2 differs from the first");
}

#[test]
fn a_disk_image_that_was_cut_is_told_from_what_is_none() {
    let (space, _) = built(r#"usb "mbr.img""#);
    for name in ["mbr.img", "gpt.img"] {
        let mut disk = fs::read(space.result(name)).expect("a result");
        disk.truncate(disk.len() / 2);
        space.write("cut.img", disk);
        for verb in [&["verify"][..], &["inspect", "ls"], &["inspect", "info"]] {
            let run = space.run(&[verb, &["cut.img"]].concat());
            run.expect(1).says("`cut.img` is a damaged disk image: at ").says(" on a disk of ");
        }
        // Neither a machine nor a stick is given half of a disk.
        let boot = space.run(&["boot-test", "cut.img", "--marker", "X", "--time", "1s"]);
        boot.expect(1).says("`cut.img` is a damaged disk image: at ");
        if cfg!(target_os = "linux") {
            let write = space.run(&["usb", "write", "cut.img", "/dev/null"]);
            write.expect(1).says("`cut.img` is a damaged disk image: at ");
        }
    }
    let refused = space.run(&["usb", "write", "result/mbr.img", "cut.img"]);
    if cfg!(target_os = "linux") {
        refused.expect(2).says("`cut.img` is a file, not a disk");
    }
}

/// Where the second FAT of a volume starts.
fn damaged_fat(volume: &[u8]) -> usize {
    let reserved = u16::from_le_bytes([volume[14], volume[15]]);
    let sectors = u32::from_le_bytes([volume[36], volume[37], volume[38], volume[39]]);
    (usize::from(reserved) + sectors as usize) * 512
}

// --- what is looked at ---

/// The files of an ISO, by our own reader, which `peers_iso` compares with others.
fn iso_files(space: &TestSpace, name: &str) -> BTreeMap<String, Vec<u8>> {
    let out = space.path().join("iso");
    let mut command = space.command();
    Run::of(command.arg("extract").arg(space.result(name)).arg("--to").arg(&out)).expect(0);
    tree(&out)
}

/// The partition of a disk as a file of its own.
fn volume_of(space: &TestSpace, name: &str) -> PathBuf {
    let disk = fs::read(space.result(name)).expect("a result");
    let end = if name == "gpt.img" { disk.len() - (1 << 20) } else { disk.len() };
    let path = space.path().join(format!("volume-{name}"));
    fs::write(&path, &disk[1 << 20..end]).expect("written");
    path
}

fn fsck(volume: &Path) {
    if let Some(mut fsck) = tool("fsck.fat") {
        let run = Run::of(fsck.arg("-n").arg(volume));
        run.expect(0);
        assert_eq!(run.stdout.lines().count(), 2, "{}", run.stdout);
    }
}

fn bytes_below(folder: &Path) -> u64 {
    let files = walkdir::WalkDir::new(folder).into_iter().map(|entry| entry.expect("readable"));
    files.filter_map(|entry| entry.metadata().ok()).map(|it| it.blocks() * 512).sum()
}

fn noise(size: usize) -> Vec<u8> {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    std::iter::repeat_with(next).take(size).collect()
}
