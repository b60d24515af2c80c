//! The same bytes on every machine: other folders, users' settings, times and processor counts, the
//! digests that are pinned, and where the one time that enters the bytes comes from.

mod harness;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, UNIX_EPOCH};

use harness::{Run, TestSpace, copy_tree, tree};
use mediabuild_formats::codec::{Codec, Level, encoder_version};

/// Every definition of the quickstart.
const ALL_TARGETS: [&str; 9] = [
    "boot",
    "factory",
    "winpe",
    "windows",
    "driver-package:demo-net",
    "application:runtime",
    "application:agent",
    "branding",
    "variables:common",
];

/// BLAKE3 of the quickstart's results, beside the versions of the builders that make them.
///
/// Any change of output bytes breaks these, which is the point: a digest changes only together with
/// the version of a builder that had a part in it.
const PINNED_DIGESTS: [(&str, &str); 4] = [
    ("boot.iso", "0e61850d051dc61119ca16dd126fbb3448792f303bf8e2618149e1059f04331c"),
    ("factory.wim", "4186bee0c521c604d981bea75e0bf1253e1b0c1b45f770010b9934a92febcb71"),
    ("boot-image/winpe.wim", "f439ebc3929df2794aa71bdd31b8f8b976d94876c760a4285d9026348bb7a8b1"),
    ("os-image/windows.wim", "063a073672219cc5a35c190a2859f8e27cc7915bf53ef6606c42d7a45c693454"),
];
const PINNED_VERSIONS: [(&str, u64); 11] = [
    ("boot-files", 2),
    ("boot-image", 3),
    ("bootable", 4),
    ("iso-part", 1),
    ("iso-wim", 1),
    ("os-image", 4),
    ("package", 1),
    ("prestaged", 4),
    ("usb", 1),
    ("variables", 1),
    ("wim-part", 1),
];
/// … and of the encoders: what is not compressed by a base is compressed by LZX at its default level.
const PINNED_ENCODERS: [(Codec, Level, u32); 3] =
    [(Codec::Lzx, Level::Fast, 4), (Codec::Lzx, Level::Default, 7), (Codec::Lzx, Level::Max, 8)];
/// `boot.iso` and `factory.wim`.
const PINNED_MEDIA: [&str; 2] = [PINNED_DIGESTS[0].1, PINNED_DIGESTS[1].1];

/// The quickstart's epoch, 2026-11-01T00:00:00Z.
const QUICKSTART_EPOCH: &str = "1793491200";
/// The time without any epoch, 2020-01-01T00:00:00Z.
const DEFAULT_EPOCH: &str = "1577836800";

/// What differs from machine to machine.
struct Machine<'a> {
    /// Project and store, below the test's folder.
    project: &'a str,
    store: &'a str,
    jobs: &'a str,
    umask: &'a str,
    environment: &'a [(&'a str, &'a str)],
}

impl Machine<'_> {
    /// The quickstart, copied to the project's folder.
    fn set_up(&self, space: &TestSpace) -> PathBuf {
        let project = space.path().join(self.project);
        fs::create_dir_all(&project).expect("a folder");
        copy_tree(&TestSpace::quickstart().project(), &project);
        project
    }

    /// Builds all targets; all result files by path.
    fn build(&self, space: &TestSpace) -> BTreeMap<String, Vec<u8>> {
        self.build_these(space, &ALL_TARGETS)
    }

    fn build_these(&self, space: &TestSpace, targets: &[&str]) -> BTreeMap<String, Vec<u8>> {
        let project = space.path().join(self.project);
        let script = format!("umask {}; exec \"$0\" \"$@\"", self.umask);
        let mut command = Command::new("sh");
        command.args(["-c", &script, env!("CARGO_BIN_EXE_mediabuild"), "build"]);
        command.args(["--jobs", self.jobs]).args(targets).current_dir(&project);
        command.env("MEDIABUILD_STORE", space.path().join(self.store));
        command.env_remove("SOURCE_DATE_EPOCH").envs(self.environment.iter().copied());
        Run::of(&mut command).expect(0);
        tree(&project.join("result"))
    }
}

/// Every file below a folder: another time, another mode.
fn set_times_and_modes(folder: &Path, unix_seconds: u64, mode: u32) {
    for name in tree(folder).keys() {
        let path = folder.join(name);
        let time = UNIX_EPOCH + Duration::from_secs(unix_seconds);
        let file = File::options().write(true).open(&path).expect("writable");
        file.set_times(fs::FileTimes::new().set_modified(time).set_accessed(time)).expect("times");
        fs::set_permissions(&path, Permissions::from_mode(mode)).expect("a mode");
    }
}

const PLAIN: Machine<'_> = Machine {
    project: "a",
    store: "store-a",
    jobs: "1",
    umask: "022",
    environment: &[("TZ", "UTC"), ("LC_ALL", "C")],
};

const ODD: Machine<'_> = Machine {
    project: "b b/ü/a long way down/to the/project.d",
    store: "elsewhere/deep/store of b",
    jobs: "4",
    umask: "077",
    environment: &[
        ("TZ", "Pacific/Kiritimati"),
        ("LANG", "tr_TR.UTF-8"),
        ("LC_ALL", "tr_TR.UTF-8"),
        ("SOURCE_DATE_EPOCH", "86400"),
        ("USER", "somebody-else"),
        ("HOME", "/nonexistent"),
    ],
};

/// Compares without printing megabytes.
#[track_caller]
fn assert_same(one: &BTreeMap<String, Vec<u8>>, other: &BTreeMap<String, Vec<u8>>) {
    let names = |files: &BTreeMap<String, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(one), names(other));
    let differing = one.iter().filter(|(name, bytes)| other[*name] != **bytes);
    let differing: Vec<&String> = differing.map(|(name, _)| name).collect();
    assert!(differing.is_empty(), "other bytes in {differing:?}");
}

#[test]
fn two_machines_give_identical_bytes_of_every_target() {
    let space = TestSpace::new();
    let (plain, odd) = (PLAIN.set_up(&space), ODD.set_up(&space));
    set_times_and_modes(&plain, 915_148_800, 0o755);
    set_times_and_modes(&odd, 2_000_000_000, 0o600);
    let one = PLAIN.build(&space);
    assert_eq!(one.len(), 12, "{:?}", one.keys());
    assert_same(&one, &ODD.build(&space));
}

/// One of each kind of image beside the quickstart's: a set of three discs, a disc with every tree
/// that it can have, disks with both tables.
const IMAGES: &str = r#"
package "large" { source "large" }
media "depot" type="bootable" {
    boot-image "winpe"
    package "branding" "large"
    output "depot.iso" capacity="2200KiB" mirror="joliet" order="large/order.txt"
}
media "mirror" type="bootable" {
    boot-image "winpe"
    package "branding" "large"
    output "mirror.iso" label="MIRROR" mirror="joliet"
    usb "mbr.img" table="mbr" label="DEPOT11"
}
media "gpt" type="bootable" {
    boot-image "winpe"
    package "large"
    output "gpt.iso"
    usb "gpt.img" table="gpt" size="96MiB"
}
"#;

/// BLAKE3 of them, pinned as [`PINNED_DIGESTS`] are. A set has a file a disc, and its manifest.
const PINNED_IMAGES: [(&str, &str); 8] = [
    ("depot/depot.1.iso", "a07c30e2d53dc9696bde8f7f420fb35e8ffb48c195ad186167c901a43b09cfc3"),
    ("depot/depot.2.iso", "d6ab3c5305d84fa4e9c0b5e564a34de267e54509e3f3c3227ca0e65e86d99279"),
    ("depot/depot.3.iso", "d23bc6f01d75ccbee403547c6de8024b22d79c8ff63d762f212bd0d946ad3d46"),
    ("depot/set.json", "dec40b74389b3cc7fc0b9be72b0562e34e6cb15d1ae1254d987fffdccd1932bb"),
    ("gpt.img", "cb62c2f11a32f8b39755f4c594a6b0b146c88081001604a3a7d3760b665c4b3a"),
    ("gpt.iso", "789279cbd15cf83ffb37fb1df71cc763af1f49fec5fd5da13ec3bc80b6c7df12"),
    ("mbr.img", "219f9f75f08724f782ef78d3e62ffe061d5e25c973d997a7a2209d1996c7eb34"),
    ("mirror.iso", "83bf6a4043eebeb224182b2f3dcbae0a1b6f4933743b7bec660beb4c5487c76d"),
];

/// Adds [`IMAGES`]; the files of a package come into being in another order on another machine, so
/// that some file systems list them in another one too.
fn add_images(project: &Path, is_odd: bool) {
    let definitions = fs::read_to_string(project.join("mediabuild.kdl")).expect("readable");
    fs::write(project.join("mediabuild.kdl"), definitions + IMAGES).expect("written");
    fs::create_dir(project.join("large")).expect("a folder");
    fs::write(project.join("large/order.txt"), "SMS\\PKG\\branding\n").expect("written");
    for at in 0..20_u8 {
        let at = if is_odd { 19 - at } else { at };
        let bytes: Vec<u8> = (0..100_000_u32).map(|byte| (byte / 7) as u8 ^ at).collect();
        fs::write(project.join(format!("large/{at}.bin")), bytes).expect("written");
    }
}

#[test]
fn two_machines_give_one_of_each_kind_of_image_as_it_is_pinned() {
    let space = TestSpace::new();
    let mut results = Vec::new();
    for (machine, is_odd) in [(PLAIN, false), (ODD, true)] {
        let project = machine.set_up(&space);
        add_images(&project, is_odd);
        set_times_and_modes(&project, 1_000_000_000 + u64::from(is_odd), 0o600);
        results.push(machine.build_these(&space, &["depot", "mirror", "gpt"]));
    }
    assert_same(&results[0], &results[1]);
    let digest = |bytes: &Vec<u8>| blake3::hash(bytes).to_hex().to_string();
    let digests = results[0].iter().map(|(name, bytes)| (name.clone(), digest(bytes)));
    let digests: Vec<(String, String)> = digests.collect();
    assert_eq!(digests, PINNED_IMAGES.map(|(name, pin)| (name.to_owned(), pin.to_owned())));
}

#[test]
fn a_store_with_a_history_gives_the_bytes_of_an_empty_one() {
    let space = TestSpace::quickstart();
    PLAIN.set_up(&space);
    let expected = PLAIN.build(&space);
    // Another medium of the same inputs, first in the store: other parts, other order.
    let edited = space.write("drivers/demo-net/extra.sys", "another driver's bytes");
    space.build(&["factory"]);
    fs::remove_file(edited).expect("removed");
    space.build(&ALL_TARGETS);
    assert_same(&expected, &tree(&space.project().join("result")));
}

#[test]
fn the_order_of_targets_changes_no_bytes() {
    let space = TestSpace::quickstart();
    space.build(&ALL_TARGETS);
    let forward = tree(&space.project().join("result"));
    let mut reversed = ALL_TARGETS;
    reversed.reverse();
    let other_store = space.path().join("store-2");
    let mut command = space.command();
    command
        .env("MEDIABUILD_STORE", other_store)
        .args(["build", "--out", "backward"])
        .args(reversed);
    Run::of(&mut command).expect(0);
    assert_same(&forward, &tree(&space.project().join("backward")));
}

#[test]
fn the_digests_are_pinned_together_with_builder_versions() {
    let space = TestSpace::quickstart();
    let run = space.build(&ALL_TARGETS);
    let digest = |file: &str| {
        let bytes = fs::read(space.result(file)).expect("a result");
        blake3::hash(&bytes).to_hex().to_string()
    };
    let digests = PINNED_DIGESTS.map(|(file, _)| (file, digest(file)));
    let pinned = PINNED_DIGESTS.map(|(file, digest)| (file, digest.to_owned()));
    let versions = builder_versions(&space);
    let pinned_versions = PINNED_VERSIONS.map(|(name, version)| (name.to_owned(), version));
    let encoders =
        PINNED_ENCODERS.map(|(codec, level, _)| (codec, level, encoder_version(codec, level)));
    assert_eq!((versions, encoders, digests), (pinned_versions.to_vec(), PINNED_ENCODERS, pinned));
    for (file, digest) in PINNED_DIGESTS {
        assert_eq!(run.digest(file), digest, "{file}: what was printed");
    }
}

/// Every builder with its version, as the plan says them.
fn builder_versions(space: &TestSpace) -> Vec<(String, u64)> {
    let run = space.run(&["plan", "--format", "json"]);
    let events = run.expect(0).stdout.lines().map(|line| serde_json::from_str(line).expect(line));
    let builders = events.filter(|event: &serde_json::Value| event["event"] == "builder");
    let version = |event: serde_json::Value| {
        let name = event["name"].as_str().expect("a name").to_owned();
        (name, event["version"].as_u64().expect("a number"))
    };
    builders.map(version).collect()
}

/// The encodings in which a name could stand in a WIM or an ISO.
fn encodings(text: &str) -> [Vec<u8>; 3] {
    [
        text.as_bytes().to_vec(),
        text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
    ]
}

fn contains(bytes: &[u8], text: &str) -> bool {
    let lower = bytes.to_ascii_lowercase();
    let encodings = encodings(&text.to_ascii_lowercase());
    encodings.iter().any(|needle| lower.windows(needle.len()).any(|window| window == needle))
}

/// Names of this machine that are long enough not to stand anywhere by chance.
fn names_of_this_machine() -> BTreeSet<String> {
    let ask = |program: &str, argument: &str| {
        let output = Command::new(program).arg(argument).output().ok();
        output.map_or(String::new(), |o| String::from_utf8_lossy(&o.stdout).trim().to_owned())
    };
    let names = [ask("uname", "-n"), ask("id", "-un")];
    names.into_iter().filter(|name| name.len() > 4).collect()
}

/// Nothing is compressed in what the quickstart gives, so that what is in it is found.
fn uncompressed(project: &Path) {
    let file = project.join("mediabuild.kdl");
    let text = fs::read_to_string(&file).expect("definitions");
    let none = "compression \"none\"\n    ";
    let text = text.replace("    wim \"inputs/", &format!("    {none}wim \"inputs/"));
    let text =
        text.replace("    application \"agent\"\n", &format!("    {none}application \"agent\"\n"));
    fs::write(file, text).expect("written");
}

#[test]
fn nothing_of_the_folder_the_user_or_the_host_is_in_the_bytes() {
    let space = TestSpace::new();
    let machine = Machine {
        project: "trace-folder/project",
        store: "trace-store",
        environment: &[
            ("USER", "trace-user"),
            ("LOGNAME", "trace-user"),
            ("HOSTNAME", "trace-host"),
            ("HOME", "/tmp/trace-home"),
            ("TMPDIR", "/tmp"),
        ],
        ..PLAIN
    };
    uncompressed(&machine.set_up(&space));
    let results = machine.build(&space);
    assert!(contains(&results["boot.iso"], "quickstart"), "the search finds what is there");
    assert!(contains(&results["factory.wim"], "install.cmd"), "the search finds UTF-16 too");
    let mut traces = names_of_this_machine();
    traces.insert("trace-".to_owned());
    let random = space.path().file_name().expect("a name").to_string_lossy().into_owned();
    traces.insert(random.trim_start_matches('.').to_owned());
    for (name, bytes) in &results {
        for trace in &traces {
            assert!(!contains(bytes, trace), "`{trace}` is in {name}");
        }
    }
}

/// The quickstart without an epoch of its own.
fn without_epoch() -> TestSpace {
    let space = TestSpace::quickstart();
    let text = fs::read_to_string(space.project().join("mediabuild.kdl")).expect("definitions");
    let (before, after) = text.split_once(" epoch=").expect("an epoch");
    let (_, after) = after.split_once('\n').expect("a line");
    space.write("mediabuild.kdl", format!("{before}\n{after}"));
    space
}

/// Digests of all media, by file, built with `SOURCE_DATE_EPOCH`.
fn digests_at(space: &TestSpace, epoch: Option<&str>) -> Vec<String> {
    let mut command = space.command();
    command.arg("build");
    if let Some(epoch) = epoch {
        command.env("SOURCE_DATE_EPOCH", epoch);
    }
    let run = Run::of(&mut command);
    run.expect(0);
    ["boot.iso", "factory.wim"].map(|name| run.digest(name).to_owned()).to_vec()
}

#[test]
fn a_project_without_epoch_takes_source_date_epoch_or_else_a_constant() {
    let space = without_epoch();
    let constant = digests_at(&space, None);
    assert_eq!(digests_at(&space, Some(DEFAULT_EPOCH)), constant);
    let pinned = PINNED_MEDIA;
    assert_eq!(digests_at(&space, Some(QUICKSTART_EPOCH)), pinned);
    let other = digests_at(&space, Some("1000000000"));
    for at in 0..2 {
        assert_ne!(other[at], constant[at]);
        assert_ne!(other[at], pinned[at]);
    }
}

#[test]
fn another_epoch_of_the_project_gives_other_bytes() {
    let space = TestSpace::quickstart();
    let text = fs::read_to_string(space.project().join("mediabuild.kdl")).expect("definitions");
    // The same instant, in another zone.
    space
        .write("mediabuild.kdl", text.replace("2026-11-01T00:00:00Z", "2026-11-01T02:00:00+02:00"));
    let pinned = PINNED_MEDIA;
    assert_eq!(digests_at(&space, None), pinned);
    space.write("mediabuild.kdl", text.replace("2026-11-01T00:00:00Z", "2026-11-01T00:00:01Z"));
    let other = digests_at(&space, None);
    assert!(other[0] != pinned[0] && other[1] != pinned[1]);
}

#[test]
fn a_wrong_source_date_epoch_is_the_users_mistake_only_where_it_counts() {
    for wrong in ["yesterday", "", "-1", "99999999999999999999"] {
        let space = without_epoch();
        let run = Run::of(space.command().arg("build").env("SOURCE_DATE_EPOCH", wrong));
        run.expect(2).says("SOURCE_DATE_EPOCH");
    }
    let space = TestSpace::quickstart();
    assert_eq!(digests_at(&space, Some("yesterday")), PINNED_MEDIA);
}
