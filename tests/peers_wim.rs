//! Prestaged media made of WIMs that wimlib captured, judged by wimlib and 7-Zip: every byte, time,
//! attribute and hard link of what was asked for, and nothing compressed anew.

mod harness;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use harness::{Run, TestSpace, shared, skip, tool, tree};

/// Real code, freely licensed: what Debian's libwine installs.
const LIBWINE: &str = "/usr/lib/x86_64-linux-gnu/wine/x86_64-windows";
/// 2026-11-01T00:00:00Z, as the projects below say.
const EPOCH_SECONDS: u64 = 1_793_491_200;
/// How wimlib prints it.
const EPOCH_TEXT: &str = "Sun Nov 01 00:00:00 2026 UTC";

type Tree = BTreeMap<String, Vec<u8>>;

#[test]
fn a_prestaged_wim_of_lzx_bases_is_exactly_what_was_asked_for() {
    let Some(libraries) = peers().and_then(|()| libraries(60_000_000)) else { return };
    let space = TestSpace::new();
    let bases = write_bases(&space, &libraries);
    capture_both(&space, "LZX:20");
    write_project(&space);
    space.build(&["factory", "boot-image:pe"]);
    let (base, factory) = (space.project().join("inputs/base.wim"), space.result("factory.wim"));

    accepted(&space, "result/factory.wim");
    accepted(&space, "result/boot-image/pe.wim");
    let applied = apply(&space, &factory);
    let wanted = wanted_of_factory(&space, &bases.os, &applied);
    assert_same_trees(&wanted, &applied);
    assert_boot_image(&space, &bases.pe, &applied["sources/boot.wim"]);
    assert_descriptions(&base, &factory, &wanted);
    assert_hard_links(&space.path().join("applied"));
    assert_reused(&base, &factory);
    assert_reused_in_boot_image(&base, &space.result("boot-image/pe.wim"));
}

#[test]
fn a_winpeshl_with_a_task_sequence_shell_gets_one_line_and_keeps_its_own() {
    let Some(()) = peers() else { return };
    let space = TestSpace::new();
    let ini = "[LaunchApps]\r\n%SYSTEMDRIVE%\\sms\\bin\\x64\\TsBootShell.exe\r\n; the end\r\n";
    write_tree(
        &space.path().join("pe"),
        &[
            ("sms/bin/x64/TsBootShell.exe", b"shell"),
            ("Windows/System32/winpeshl.ini", ini.as_bytes()),
        ],
    );
    write_tree(&space.path().join("os"), &[("Windows/explorer.exe", b"explorer")]);
    capture_both(&space, "LZX:20");
    write_project(&space);
    space.build(&["boot-image:pe"]);
    let applied = apply(&space, &space.result("boot-image/pe.wim"));
    let text = |path: &str| String::from_utf8(applied[path].clone()).expect("text");

    let extended = text("Windows/System32/winpeshl.ini");
    let lines: Vec<&str> = extended.split_inclusive("\r\n").collect();
    assert_eq!(lines.len(), 4, "{extended}");
    assert_eq!(lines[0], "[LaunchApps]\r\n");
    assert!(lines[1].ends_with("startnet.cmd\r\n"), "{extended}");
    assert_eq!([lines[0], lines[2], lines[3]].concat(), ini);
    let script = text("Windows/System32/startnet.cmd");
    assert!(!script.contains("wpeinit"), "the shell runs it:\n{script}");
    assert!(script.contains("drvload") && script.contains("Drivers\\net"), "{script}");
    assert_eq!(applied["sms/bin/x64/TsBootShell.exe"], b"shell");
}

#[test]
fn uncompressed_and_xpress_bases_keep_their_codec() {
    let Some(libraries) = peers().and_then(|()| libraries(3_000_000)) else { return };
    for (codec, shown) in [("none", "None"), ("XPRESS", "XPRESS")] {
        let space = TestSpace::new();
        let bases = write_bases(&space, &libraries);
        capture_both(&space, codec);
        write_project(&space);
        space.build(&["factory"]);
        let factory = space.result("factory.wim");
        accepted(&space, "result/factory.wim");
        let applied = apply(&space, &factory);
        assert_same_trees(&wanted_of_factory(&space, &bases.os, &applied), &applied);
        wimlib(&["info"], &[&factory]).says(&format!("Compression:    {shown}"));
        assert_reused(&space.project().join("inputs/base.wim"), &factory);
    }
}

#[test]
fn descriptors_attributes_and_streams_of_windows_own_images_stay() {
    let (Some(()), Some(folder)) = (peers(), shared("data/wim")) else { return };
    for name in ["LZX.wim", "XPRESS.wim", "BootLZX.wim", "VerifySuccess.wim"] {
        let space = TestSpace::new();
        let base = folder.join(name);
        space.write("inputs/base.wim", fs::read(&base).expect("a sample"));
        space.write("overlay/added by us.txt", "added");
        space.write(
            "mediabuild.kdl",
            r#"project "sample" epoch=(date-time)"2026-11-01T00:00:00Z"
               os-image "os" arch="amd64" { wim "inputs/base.wim"; overlay "overlay" }"#,
        );
        space.build(&["os-image:os"]);
        let result = space.result("os-image/os.wim");
        accepted(&space, "result/os-image/os.wim");
        let (old, mut new) = (describe(&base, 1), describe(&result, 1));
        assert!(new.remove("/added by us.txt").is_some(), "{name}: the overlay is there");
        assert_eq!(old, new, "{name}");
    }
}

// --- the world the tests build in ---

/// `None`, said aloud, without the two programs that judge.
fn peers() -> Option<()> {
    tool("wimlib-imagex").and(tool("7zz")).map(|_| ())
}

/// Files of libwine of about `bytes` together.
fn libraries(bytes: u64) -> Option<Vec<PathBuf>> {
    let Ok(entries) = fs::read_dir(LIBWINE) else {
        skip("libwine");
        return None;
    };
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    files.sort();
    let mut left = bytes;
    files.retain(|file| {
        let size = fs::metadata(file).expect("a library").len();
        let taken = size <= left;
        left -= if taken { size } else { 0 };
        taken
    });
    Some(files)
}

struct Bases {
    pe: Tree,
    os: Tree,
}

/// Two folders to capture: a small Windows PE, and an OS with hard links, empty files and a name
/// whose case an overlay writes otherwise.
fn write_bases(space: &TestSpace, libraries: &[PathBuf]) -> Bases {
    let (pe, os) = (space.path().join("pe"), space.path().join("os"));
    write_tree(
        &pe,
        &[
            ("Windows/System32/startnet.cmd", b"wpeinit\r\n"),
            ("Windows/System32/empty.log", b""),
            ("Windows/Boot/PCAT/bootmgr", &[7; 70_000]),
            ("Windows/Boot/DVD/PCAT/BCD", b"bcd of the image"),
            ("Windows/Boot/DVD/PCAT/boot.sdi", &[3; 9000]),
        ],
    );
    write_tree(
        &os,
        &[
            ("Windows/empty.txt", b""),
            ("Program Files/Thing/also empty.dat", b""),
            ("Windows/System32/Drivers/ETC/Hosts", b"old hosts"),
            ("Windows/linked.txt", b"one file with three names"),
            ("Users/Public/\u{e4}rger \u{1f600}.txt", b"names beyond ASCII"),
        ],
    );
    for (at, library) in libraries.iter().enumerate() {
        let name = library.file_name().expect("a name");
        let folder =
            if at % 5 == 0 { pe.join("Windows/System32") } else { os.join("Windows/System32") };
        fs::create_dir_all(&folder).expect("a folder");
        fs::copy(library, folder.join(name)).expect("copied");
    }
    let biggest = fs::read_dir(os.join("Windows/System32")).expect("a folder").flatten();
    let biggest = biggest.filter(|entry| entry.path().is_file());
    let biggest =
        biggest.max_by_key(|entry| entry.metadata().expect("a stat").len()).expect("files");
    fs::create_dir_all(os.join("Windows/WinSxS")).expect("a folder");
    fs::hard_link(biggest.path(), os.join("Windows/WinSxS/linked.dll")).expect("a link");
    fs::hard_link(os.join("Windows/linked.txt"), os.join("Windows/WinSxS/a.txt")).expect("a link");
    fs::hard_link(os.join("Windows/linked.txt"), os.join("Users/Public/b.txt")).expect("a link");
    age(&pe);
    age(&os);
    Bases { pe: tree(&pe), os: tree(&os) }
}

fn write_tree(folder: &Path, files: &[(&str, &[u8])]) {
    for (path, bytes) in files {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("folders");
        fs::write(path, bytes).expect("written");
    }
}

/// Gives each file and folder an old time of its own, so that a time that is lost shows.
fn age(folder: &Path) {
    for (at, entry) in walkdir::WalkDir::new(folder).contents_first(true).into_iter().enumerate() {
        let entry = entry.expect("readable");
        let time = UNIX_EPOCH + Duration::new(1_000_000_000 + at as u64 * 86_461, 123_456_700);
        fs::File::open(entry.path()).expect("opens").set_modified(time).expect("a time");
    }
}

/// Captures `pe` and appends `os` to `inputs/base.wim`.
fn capture_both(space: &TestSpace, codec: &str) {
    let wim = space.project().join("inputs/base.wim");
    fs::create_dir_all(wim.parent().expect("a parent")).expect("a folder");
    let compress = format!("--compress={codec}");
    let (pe, os) = (space.path().join("pe"), space.path().join("os"));
    let boot = ["capture", "--boot", &compress];
    wimlib(&boot, &[&pe, &wim, Path::new("Base PE")]);
    wimlib(&["append"], &[&os, &wim, Path::new("Base OS")]);
}

/// Two drivers, an application that needs another, packages, one of them out of the WIM.
fn write_project(space: &TestSpace) {
    space.write("overlay/windows/SYSTEM32/drivers/etc/hosts", "127.0.0.1 factory\r\n");
    space.write("overlay/windows/new.txt", "brought by the overlay");
    space.write("overlay/windows/empty too.txt", "");
    space.write("drivers/net/net.inf", "[Version]\r\n");
    space.write("drivers/net/x64/net.sys", [0x5a; 40_000]);
    space.write("apps/runtime/install.cmd", "exit /b 0\r\n");
    space.write("apps/agent/agent.msi", [0x33; 123_457]);
    space.write("packages/branding/logo.bmp", [0x11; 5000]);
    space.write("mediabuild.kdl", PROJECT);
}

const PROJECT: &str = r#"
project "peers" epoch=(date-time)"2026-11-01T00:00:00Z"
boot-image "pe" arch="amd64" {
    wim "inputs/base.wim" index=1
    driver-package "net"
    start "cmd /c go.cmd"
    boot-files { from "image" }
}
os-image "os" arch="amd64" {
    wim "inputs/base.wim" name="Base OS"
    overlay "overlay"
}
driver-package "net" { source "drivers/net" }
application "runtime" { source "apps/runtime"; install "install.cmd" }
application "agent" {
    source "apps/agent"
    install "msiexec /i agent.msi /qn"
    depends-on "runtime"
}
package "branding" { source "packages/branding" }
package "users" { source wim="inputs/base.wim" index=2 path="users/PUBLIC" }
media "factory" type="prestaged" {
    boot-image "pe"
    os-image "os"
    application "agent"
    package "branding" "users"
    driver-package "net"
    variables { OSDComputerName "FACTORY-01" }
    output "factory.wim"
}
"#;

// --- what must come out ---

/// The tree that `factory` asks for. The variables and the boot image are taken as they are: other
/// tests look into them.
fn wanted_of_factory(space: &TestSpace, os: &Tree, applied: &Tree) -> Tree {
    let mut wanted = os.clone();
    // An existing file keeps the name it has; Windows does not tell the two apart.
    let hosts = "Windows/System32/Drivers/ETC/Hosts";
    wanted.insert(hosts.into(), b"127.0.0.1 factory\r\n".to_vec());
    wanted.insert("Windows/new.txt".into(), b"brought by the overlay".to_vec());
    wanted.insert("Windows/empty too.txt".into(), Vec::new());
    for (folder, name) in [
        ("drivers/net", "net"),
        ("apps/runtime", "runtime"),
        ("apps/agent", "agent"),
        ("packages/branding", "branding"),
    ] {
        for (path, bytes) in tree(&space.project().join(folder)) {
            wanted.insert(format!("SMS/PKG/{name}/{path}"), bytes);
        }
    }
    for (path, bytes) in os.iter().filter(|(path, _)| path.starts_with("Users/Public/")) {
        wanted.insert(path.replace("Users/Public", "SMS/PKG/users"), bytes.clone());
    }
    for (path, from) in [
        ("bootmgr", "Windows/Boot/PCAT/bootmgr"),
        ("boot/bcd", "Windows/Boot/DVD/PCAT/BCD"),
        ("boot/boot.sdi", "Windows/Boot/DVD/PCAT/boot.sdi"),
        ("sources/boot.sdi", "Windows/Boot/DVD/PCAT/boot.sdi"),
    ] {
        let from = fs::read(space.path().join("pe").join(from)).expect("a boot file");
        wanted.insert(path.into(), from);
    }
    for made in ["SMS/data/variables.dat", "sources/boot.wim"] {
        wanted.insert(made.into(), applied[made].clone());
    }
    wanted
}

#[track_caller]
fn assert_same_trees(wanted: &Tree, found: &Tree) {
    let names = |tree: &Tree| tree.keys().cloned().collect::<BTreeSet<_>>();
    assert_eq!(names(wanted), names(found));
    for (path, bytes) in wanted {
        assert!(bytes == &found[path], "`{path}` has other bytes");
    }
}

/// The boot image on the medium: the exported one, bootable, and the base plus what was asked for.
fn assert_boot_image(space: &TestSpace, pe: &Tree, on_medium: &[u8]) {
    let exported = space.result("boot-image/pe.wim");
    assert!(on_medium == fs::read(&exported).expect("exported"), "two different boot images");
    let info = wimlib(&["info"], &[&exported]);
    info.says("Boot Index:     1").says("Image Count:    1");
    let applied = apply(space, &exported);
    let mut wanted = pe.clone();
    let script = b"@echo off\r\nrem Generated by mediabuild.\r\n\
        for /r \"%SystemDrive%\\Drivers\\net\" %%i in (*.inf) do drvload \"%%i\"\r\n\
        wpeinit\r\ncmd /c go.cmd\r\n";
    wanted.insert("Windows/System32/startnet.cmd".into(), script.to_vec());
    for (path, bytes) in tree(&space.project().join("drivers/net")) {
        wanted.insert(format!("Drivers/net/{path}"), bytes);
    }
    assert_same_trees(&wanted, &applied);
    apply(space, &space.result("factory.wim"));
}

/// Base files are described as in the base, new ones with the epoch and no attribute.
fn assert_descriptions(base: &Path, factory: &Path, wanted: &Tree) {
    let (old, new) = (describe(base, 2), describe(factory, 1));
    let replaced = "/Windows/System32/Drivers/ETC/Hosts";
    for (path, description) in &old {
        if path != replaced {
            assert_eq!(description, &new[path], "{path}");
        }
    }
    let added = wanted.keys().map(|path| format!("/{path}"));
    let added: Vec<String> = added.filter(|path| !old.contains_key(path)).collect();
    assert!(added.len() > 10, "{added:?}");
    for path in added.iter().map(String::as_str).chain([replaced]) {
        let description = &new[path];
        assert!(description.contains("Attributes          = 0x00000080"), "{path}\n{description}");
        let times = description.lines().filter(|line| line.contains(" Time "));
        let at_epoch = times.filter(|line| line.ends_with(EPOCH_TEXT)).count();
        assert_eq!(at_epoch, 3, "{path}\n{description}");
    }
}

/// Three names of one text and two of one library, and times to a fraction of a second.
fn assert_hard_links(applied: &Path) {
    let stat = |path: &str| fs::metadata(applied.join(path)).expect("applied");
    let inode = |path: &str| stat(path).ino();
    assert_eq!(inode("Windows/linked.txt"), inode("Windows/WinSxS/a.txt"));
    assert_eq!(inode("Windows/linked.txt"), inode("Users/Public/b.txt"));
    assert_eq!(stat("Windows/linked.txt").nlink(), 3);
    assert_eq!(stat("Windows/WinSxS/linked.dll").nlink(), 2);
    assert_eq!(stat("Windows/empty.txt").mtime_nsec(), 123_456_700);
    let new = stat("Windows/new.txt").modified().expect("a time");
    assert_eq!(new, SystemTime::UNIX_EPOCH + Duration::from_secs(EPOCH_SECONDS));
}

/// The OS image's blobs lie in the result byte by byte as in the base, and nothing else takes room
/// but what was added. (Boot files are of another image: they are decoded.)
fn assert_reused(base: &Path, factory: &Path) {
    let (old, new) = (blobs(base), blobs(factory));
    let (old_bytes, new_bytes) = (fs::read(base).expect("read"), fs::read(factory).expect("read"));
    let os = describe(base, 2).into_values().collect::<String>();
    let reused: Vec<&String> =
        new.keys().filter(|sha1| old.contains_key(*sha1) && os.contains(*sha1)).collect();
    assert!(reused.len() >= 5, "{} blobs are shared", reused.len());
    for sha1 in &reused {
        let (old, new) = (old[*sha1].stored(&old_bytes), new[*sha1].stored(&new_bytes));
        assert!(old == new, "blob {sha1} is stored otherwise");
    }
    let stored: usize = new.values().map(|blob| blob.stored_bytes).sum();
    let tables = 50 * (new.len() + 1) + 208;
    let rest = new_bytes.len() - stored - tables;
    assert!(rest < 40_000, "{rest} bytes are neither resources nor tables, metadata and XML");
}

/// The boot image grew by its drivers and its script only.
fn assert_reused_in_boot_image(base: &Path, boot: &Path) {
    let (old, new) = (blobs(base), blobs(boot));
    let pe = describe(base, 1).into_values().collect::<String>();
    let of_base: usize =
        old.iter().filter(|(sha1, _)| pe.contains(*sha1)).map(|(_, blob)| blob.stored_bytes).sum();
    let added: usize = new
        .iter()
        .filter(|(sha1, _)| !old.contains_key(*sha1))
        .map(|(_, blob)| blob.stored_bytes)
        .sum();
    let size = fs::metadata(boot).expect("a boot image").len() as usize;
    assert!(size < of_base + added + 40_000, "{size} > {of_base} + {added}");
}

// --- what wimlib and 7-Zip say ---

#[track_caller]
fn wimlib(arguments: &[&str], paths: &[&Path]) -> Run {
    let mut wimlib = Command::new("wimlib-imagex");
    let run = Run::of(wimlib.arg(arguments[0]).args(paths).args(&arguments[1..]));
    run.expect(0);
    run
}

/// wimlib, 7-Zip and our own `verify` find nothing wrong with a file of the project.
#[track_caller]
fn accepted(space: &TestSpace, file: &str) {
    let path = space.project().join(file);
    wimlib(&["verify"], &[&path]);
    Run::of(Command::new("7zz").arg("t").arg(&path)).expect(0).says("Everything is Ok");
    space.run(&["verify", file]).expect(0).says("ok");
}

/// Applies the only image; gives its files.
fn apply(space: &TestSpace, wim: &Path) -> Tree {
    let folder = space.path().join("applied");
    let _ = fs::remove_dir_all(&folder);
    wimlib(&["apply"], &[wim, Path::new("1"), &folder]);
    tree(&folder)
}

/// Each file's name, attributes, descriptor, times, links and hashes, without places in the WIM.
fn describe(wim: &Path, image: usize) -> BTreeMap<String, String> {
    let listing = wimlib(&["dir", "--detailed"], &[wim, Path::new(&image.to_string())]).stdout;
    let mut found = BTreeMap::new();
    for entry in listing.split(&"-".repeat(76)).filter(|entry| !entry.trim().is_empty()) {
        let path = entry.split("Full Path           = \"").nth(1).expect("a path");
        let path = path.split("\"\n").next().expect("an end").to_owned();
        let places = ["Offset in WIM", "Link Group ID", "Reference Count"];
        let lines =
            entry.lines().filter(|line| !places.iter().any(|place| line.starts_with(place)));
        found.insert(path, lines.map(|line| format!("{line}\n")).collect::<String>());
    }
    found
}

#[derive(Default)]
struct Blob {
    offset: usize,
    stored_bytes: usize,
    flags: String,
}

impl Blob {
    fn stored<'a>(&self, wim: &'a [u8]) -> (&'a [u8], bool) {
        let bytes = &wim[self.offset..self.offset + self.stored_bytes];
        (bytes, self.flags.contains("COMPRESSED"))
    }
}

/// The blob table by SHA-1, without metadata.
fn blobs(wim: &Path) -> BTreeMap<String, Blob> {
    let mut found: BTreeMap<String, Blob> = BTreeMap::new();
    for entry in wimlib(&["info", "--blobs"], &[wim]).stdout.split("Hash ").skip(1) {
        let field = |name: &str| {
            let line = entry.lines().find(|line| line.starts_with(name));
            line.and_then(|line| line.split("= ").nth(1)).unwrap_or_default().to_owned()
        };
        let number = |name: &str| field(name).split(' ').next().and_then(|n| n.parse().ok());
        let flags = field("Flags");
        if flags.contains("METADATA") {
            continue;
        }
        let sha1 = entry.lines().next().expect("a hash").trim_start_matches(['=', ' ']).to_owned();
        let offset = number("Offset in WIM").expect("an offset");
        let stored_bytes = number("Compressed size").expect("a size");
        found.insert(sha1, Blob { offset, stored_bytes, flags });
    }
    found
}
