//! Bootable media judged by 7-Zip, pycdlib, udfinfo and xorriso: every name and every byte, with a
//! file above 4 GiB, names of all planes and deep folders.

mod harness;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::Command;

use harness::{Run, TestSpace, skip, tool, tree};

/// Above 4 GiB, where ISO 9660 ends, and above 4 extents of UDF.
const HUGE_BYTES: u64 = 5_000_000_000;
/// Store, result and what 7-Zip reads, with room to spare.
const NEEDED_BYTES: u64 = 20 << 30;
/// Where the huge file is not zero: both ends, and around 1, 2 and 4 GiB.
const MARKERS: [u64; 6] =
    [0, (1 << 30) - 8, (2 << 30) - 2048, (4 << 30) - 8, (4 << 30) + 5000, HUGE_BYTES - 16];

#[test]
fn an_iso_with_a_file_above_4_gib_holds_every_byte() {
    let space = TestSpace::new();
    if free_bytes(space.path()).is_none_or(|free| free < NEEDED_BYTES) {
        println!("skipped: not enough disk space");
        return;
    }
    write_huge(&space.write("files/huge.bin", ""));
    space.write("files/small.txt", "beside a giant");
    write_project(&space);
    space.build(&["medium"]);
    let iso = space.result("medium.iso");
    assert!(fs::metadata(&iso).expect("a result").len() > HUGE_BYTES);
    structures(&space, &iso);
    if let Some(mut sevenzip) = tool("7zz") {
        let run = Run::of(sevenzip.args(["t", "-tudf", "-scrcCRC32"]).arg(&iso).arg(HUGE));
        run.expect(0).says(&format!("Size:       {HUGE_BYTES}\n")).says(HUGE_CRC);
    }
    if let Some(found) = pycdlib(&iso, &[HUGE]) {
        assert_eq!(found[HUGE], format!("{HUGE_BYTES} {}", hex(&markers_of(&space))));
        let small = found["SMS/PKG/p/small.txt"].split(' ').nth(1).expect("bytes");
        assert_eq!(small, hex(b"beside a giant"));
    }
}

#[test]
fn names_of_all_planes_and_deep_folders_are_read_alike_by_everyone() {
    let space = TestSpace::new();
    write_names(&space);
    write_project(&space);
    space.build(&["medium"]);
    let iso = space.result("medium.iso");
    recognised(&space, &iso);
    let wanted = wanted(&space, &iso);
    assert_eq!(names_by_inspect(&space), wanted.keys().cloned().collect::<BTreeSet<_>>());
    for (name, bytes) in wanted.iter().filter(|(name, _)| name.starts_with("SMS/PKG")) {
        let found = Command::new(env!("CARGO_BIN_EXE_mediabuild"))
            .args(["inspect", "cat"])
            .arg(&iso)
            .arg(name)
            .output()
            .expect("runs");
        assert!(found.stdout == *bytes, "`{name}` by inspect");
    }
    if tool("7zz").is_some() {
        let out = space.path().join("extracted");
        let mut sevenzip = Command::new("7zz");
        let to = format!("-o{}", out.display());
        Run::of(sevenzip.args(["x", "-tudf", "-y", &to]).arg(&iso)).expect(0);
        assert_same(&wanted, &tree(&out));
    }
    if let Some(found) = pycdlib(&iso, &[]) {
        let shown = |bytes: &Vec<u8>| format!("{} {}", bytes.len(), hex(bytes));
        let wanted: BTreeMap<String, String> =
            wanted.iter().map(|(name, bytes)| (name.clone(), shown(bytes))).collect();
        assert_eq!(wanted.keys().collect::<Vec<_>>(), found.keys().collect::<Vec<_>>());
        assert!(wanted == found, "equal names, other bytes");
    }
}

#[test]
fn equal_files_are_stored_once() {
    let space = TestSpace::new();
    let noise = noise(3 << 20);
    for at in 0..5 {
        space.write(&format!("files/{at}/copy.bin"), &noise);
    }
    write_project(&space);
    space.build(&["medium"]);
    let iso = space.result("medium.iso");
    let size = fs::metadata(&iso).expect("a result").len();
    assert!(size < 5 << 20, "{size} bytes for 3 MiB and its copies");
    recognised(&space, &iso);
    if let Some(mut sevenzip) = tool("7zz") {
        let to = format!("-o{}", space.path().join("extracted").display());
        Run::of(sevenzip.args(["x", "-tudf", "-y", &to]).arg(&iso)).expect(0);
        let found = tree(&space.path().join("extracted"));
        for at in 0..5 {
            assert!(found[&format!("SMS/PKG/p/{at}/copy.bin")] == noise, "copy {at}");
        }
    }
}

// --- what is built ---

/// The huge file on the medium.
const HUGE: &str = "SMS/PKG/p/huge.bin";
/// Its CRC-32, as `7zz h` gives it for the source.
const HUGE_CRC: &str = "E20D54FC";

fn write_project(space: &TestSpace) {
    space.write("base/Windows/System32/setup.exe", "not really");
    space.write("bios.bin", [0xeb; 2048]);
    space.write("efi.img", [0xef; 8192]);
    space.write(
        "mediabuild.kdl",
        r#"project "p" epoch=(date-time)"2026-11-01T00:00:00Z"
        boot-image "pe" arch="amd64" {
            source "base"
            boot-files { el-torito bios="bios.bin" uefi="efi.img" }
        }
        package "p" { source "files" }
        media "medium" type="bootable" {
            boot-image "pe"
            package "p"
            output "medium.iso" label="PEERS"
        }"#,
    );
}

/// Zeros that need no room here, and markers.
fn write_huge(path: &Path) {
    let file = File::options().write(true).open(path).expect("opens");
    file.set_len(HUGE_BYTES).expect("grows");
    for (at, offset) in MARKERS.iter().enumerate() {
        file.write_all_at(&marker(at), *offset).expect("written");
    }
}

fn marker(at: usize) -> [u8; 16] {
    let mut bytes = *b"this is marker 0";
    bytes[15] += at as u8;
    bytes
}

/// 16 bytes at each marker, one after the other, as the source has them.
fn markers_of(space: &TestSpace) -> Vec<u8> {
    let file = File::open(space.project().join("files/huge.bin")).expect("opens");
    let read = |offset: &u64| {
        let mut bytes = [0; 16];
        file.read_exact_at(&mut bytes, *offset).expect("readable");
        bytes
    };
    MARKERS.iter().flat_map(read).collect()
}

/// Latin-1 (a byte a character on the disc), BMP and beyond (two bytes), and twelve folders deep.
fn write_names(space: &TestSpace) {
    for (name, content) in [
        ("plain.txt", "plain"),
        ("\u{c4}\u{d6}\u{dc} \u{e9}\u{ff}.txt", "Latin-1"),
        ("\u{17c}\u{f3}\u{142}\u{107}.txt", "Latin and beyond"),
        ("\u{65e5}\u{672c}\u{8a9e}/\u{30d5}\u{30a1}\u{30a4}\u{30eb}.txt", "Japanese"),
        ("\u{1f4bf} disc \u{1f600}.txt", "emoji"),
        ("combining e\u{301}.txt", "two characters, one letter"),
        ("spaces  and (brackets) [#] & 100%.txt", "punctuation"),
        ("empty.txt", ""),
        ("UPPER.TXT", "upper"),
        (".hidden", "dot"),
        ("no extension", "none"),
    ] {
        space.write(&format!("files/{name}"), content);
    }
    let deep: String = (1..=12).map(|at| format!("a rather long folder name {at}/")).collect();
    space.write(&format!("files/{deep}deep.txt"), "twelve folders down");
    space.write(&format!("files/{}.bin", "n".repeat(120)), noise(2049));
    for at in 0..200 {
        space.write(&format!("files/many/{at:03}.txt"), format!("{at}").repeat(at));
    }
}

/// Bytes that nothing compresses or shares.
fn noise(size: usize) -> Vec<u8> {
    let mut bytes = vec![0; size];
    blake3::Hasher::new().update(&size.to_le_bytes()).finalize_xof().fill(&mut bytes);
    bytes
}

// --- what must come out ---

/// The files the medium must have; boot image and variables as `inspect` reads them, for other
/// tests look into those.
fn wanted(space: &TestSpace, iso: &Path) -> BTreeMap<String, Vec<u8>> {
    let files = tree(&space.project().join("files")).into_iter();
    let mut wanted: BTreeMap<String, Vec<u8>> =
        files.map(|(name, bytes)| (format!("SMS/PKG/p/{name}"), bytes)).collect();
    for made in ["sources/boot.wim", "SMS/data/variables.dat", "mediabuild/medium.id"] {
        let mut cat = Command::new(env!("CARGO_BIN_EXE_mediabuild"));
        let output = cat.args(["inspect", "cat"]).arg(iso).arg(made).output().expect("runs");
        assert!(output.status.success() && !output.stdout.is_empty(), "{made}");
        wanted.insert(made.into(), output.stdout);
    }
    wanted
}

fn names_by_inspect(space: &TestSpace) -> BTreeSet<String> {
    let listing = space.run(&["inspect", "ls", "result/medium.iso"]);
    listing.expect(0);
    let files = listing.stdout.lines().filter(|line| !line.ends_with('/'));
    files.map(str::to_owned).collect()
}

#[track_caller]
fn assert_same(wanted: &BTreeMap<String, Vec<u8>>, found: &BTreeMap<String, Vec<u8>>) {
    assert_eq!(wanted.keys().collect::<Vec<_>>(), found.keys().collect::<Vec<_>>());
    for (name, bytes) in wanted {
        assert!(*bytes == found[name], "`{name}` has other bytes");
    }
}

// --- what the judges say ---

/// Structures, and every file can be read.
fn recognised(space: &TestSpace, iso: &Path) {
    structures(space, iso);
    if let Some(mut sevenzip) = tool("7zz") {
        Run::of(sevenzip.args(["t", "-tudf"]).arg(iso)).expect(0).says("Everything is Ok");
    }
}

/// Descriptors, label and boot entries.
fn structures(space: &TestSpace, iso: &Path) {
    space.run(&["verify", "result/medium.iso"]).expect(0).says("ok");
    if let Some(mut udfinfo) = tool("udfinfo") {
        let run = Run::of(udfinfo.arg(iso));
        run.expect(0).says("label=PEERS").says("udfrev=1.02").says("integrity=closed");
        let size = fs::metadata(iso).expect("a result").len();
        run.says(&format!("blocks={}\n", size / 2048)).says("blocksize=2048");
    }
    if let Some(mut xorriso) = tool("xorriso") {
        xorriso.arg("-indev").arg(iso).args(["-report_el_torito", "plain"]);
        let run = Run::of(&mut xorriso);
        run.expect(0).says("El Torito boot img :   1  BIOS  y   none").says("2  UEFI  y   none");
        boot_images_are_there(&run.stdout, iso);
    }
}

/// The sectors that the boot catalog names hold the boot programs.
fn boot_images_are_there(report: &str, iso: &Path) {
    let lines = report.lines().filter(|line| line.starts_with("El Torito boot img :"));
    let sectors: Vec<u64> = lines
        .map(|line| {
            line.split_whitespace().next_back().expect("a sector").parse().expect("a number")
        })
        .collect();
    let file = File::open(iso).expect("opens");
    for (sector, byte) in sectors.iter().zip([0xeb, 0xef]) {
        let mut bytes = [0; 2048];
        file.read_exact_at(&mut bytes, sector * 2048).expect("readable");
        assert_eq!(bytes, [byte; 2048], "the boot image at sector {sector}");
    }
    assert_eq!(sectors.len(), 2);
}

/// Prints `path NUL size NUL hex` for each file: the bytes of it, or of a sparse one 16 bytes at
/// each marker. (Its own `walk` takes all names of a path for one encoding.)
const WALK: &str = r#"
import sys, pycdlib
iso = pycdlib.PyCdlib()
iso.open(sys.argv[1])
markers, sparse = [int(m) for m in sys.argv[2].split(",")], sys.argv[3:]

def show(path):
    with iso.open_file_from_iso(udf_path="/" + path) as file:
        size = file.seek(0, 2)
        picked = b""
        for at in (markers if path in sparse else [0]):
            file.seek(at)
            picked += file.read(16 if path in sparse else size) if size else b""
    sys.stdout.buffer.write("\0".join([path, str(size), picked.hex() + "\n"]).encode("utf-8"))

def walk(folder, path):
    for child in folder.fi_descs:
        if not child.is_parent():
            below = path + child.fi.decode(child.encoding)
            walk(child.file_entry, below + "/") if child.is_dir() else show(below)

walk(iso.udf_root, "")
"#;

/// Each file's size and bytes by path; `None`, said aloud, without pycdlib.
fn pycdlib(iso: &Path, sparse: &[&str]) -> Option<BTreeMap<String, String>> {
    let python = || Command::new("/usr/bin/python3");
    let has = python().args(["-c", "import pycdlib"]).output();
    if !has.is_ok_and(|output| output.status.success()) {
        skip("pycdlib");
        return None;
    }
    let markers = MARKERS.map(|marker| marker.to_string()).join(",");
    let run = Run::of(python().args(["-c", WALK]).arg(iso).arg(markers).args(sparse));
    run.expect(0);
    let entry = |line: &str| {
        let (path, rest) = line.split_once('\0').expect("a path");
        (path.to_owned(), rest.replace('\0', " "))
    };
    Some(run.stdout.lines().map(entry).collect())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What `df` says is free.
fn free_bytes(folder: &Path) -> Option<u64> {
    let df =
        Command::new("df").args(["--output=avail", "--block-size=1"]).arg(folder).output().ok()?;
    String::from_utf8(df.stdout).ok()?.lines().nth(1)?.trim().parse().ok()
}
