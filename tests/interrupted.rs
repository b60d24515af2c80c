//! A build that is stopped: by Ctrl-C, by a kill at any moment, by another build at the same time.
//! What was there stays, nothing is half, and the next build gives the same bytes.

mod harness;

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use harness::{Run, TestSpace, names, tree};

/// Large enough that a build is met in its middle.
const LARGE_BYTES: u64 = 300 << 20;

#[test]
fn ctrl_c_in_the_middle_of_an_import_leaves_the_old_result_and_no_rest() {
    let space = TestSpace::new();
    let old = build_small(&space);
    write_large(&space);
    let mut build = start(&space, &["build"]);
    let scratch = space.store().join("tmp");
    wait_for("an import to be under way", || bytes_below(&scratch) > 10 << 20);
    interrupted(&mut build);
    assert_eq!(tree(&space.project().join("result")), old);
    assert_eq!(names(&scratch), ["lock"]);
    space.run(&["store", "verify"]).expect(0);
}

#[test]
fn ctrl_c_in_the_middle_of_an_export_leaves_the_old_result_and_no_rest() {
    let space = TestSpace::new();
    let old = build_small(&space);
    write_large(&space);
    // Everything is built and known; only the copy is left to do.
    space.build(&["--out", "elsewhere"]);
    fs::remove_dir_all(space.project().join("elsewhere")).expect("removed");
    let result = space.project().join("result");
    let mut build = start(&space, &["build"]);
    wait_for("an export to be under way", || {
        parts(&result).iter().any(|part| size(part) > 1 << 20)
    });
    interrupted(&mut build);
    assert_eq!(tree(&result), old);
    assert_eq!(names(&result), ["factory.wim"]);
    space.build(&[]);
    assert_eq!(names(&result), ["factory.wim"]);
    assert!(size(&result.join("factory.wim")) > LARGE_BYTES);
}

/// A set of three discs and a disk image of the same packages.
fn space_of_discs() -> TestSpace {
    let space = TestSpace::new();
    space.write("base/Windows/System32/setup.exe", "old");
    space.write("boot/efi/boot/bootx64.efi", "a boot manager");
    for name in ["a", "b", "c"] {
        let mut bytes = vec![0; 60 << 20];
        blake3::Hasher::new().update(name.as_bytes()).finalize_xof().fill(&mut bytes);
        space.write(&format!("{name}/{name}.bin"), bytes);
    }
    space.write(
        "mediabuild.kdl",
        r#"project "p"
        boot-image "pe" arch="amd64" { source "base"; boot-files { from "boot" } }
        package "a" { source "a" }
        package "b" { source "b" }
        package "c" { source "c" }
        media "set" type="bootable" {
            boot-image "pe"; package "a" "b" "c"; output "set.iso" capacity="70MiB"
        }
        media "disk" type="bootable" { boot-image "pe"; package "a" "b" "c"; usb "disk.img" }"#,
    );
    space
}

#[test]
fn ctrl_c_while_a_set_or_a_disk_is_written_leaves_the_old_one_and_no_rest() {
    let space = space_of_discs();
    space.build(&[]);
    let result = space.project().join("result");
    let old = tree(&result);
    assert_eq!(old.keys().filter(|name| name.starts_with("set/set.")).count(), 4);
    space.write("base/Windows/System32/setup.exe", "new");
    space.build(&["--out", "elsewhere"]);
    for target in ["set", "disk"] {
        let mut build = start(&space, &["build", target]);
        wait_for("a result to be under way", || {
            parts(&result).iter().any(|part| bytes_below(part) > 1 << 20)
        });
        interrupted(&mut build);
        assert!(tree(&result) == old, "{target}");
        assert_eq!(names(&result), ["disk.img", "set"]);
    }
    // The same for files on their way out of what was built.
    for medium in ["disk.img", "set/set.1.iso"] {
        let medium = format!("elsewhere/{medium}");
        let mut extract = start(&space, &["extract", &medium, "SMS/PKG", "--to", "files"]);
        let files = space.project().join("files");
        wait_for("a file to be under way", || bytes_below(&files) > 1 << 20);
        interrupted(&mut extract);
        let left = tree(&files);
        assert!(left.values().all(|bytes| bytes.len() == 60 << 20), "{medium}: a half file");
        assert!(left.len() < 3, "{medium}: it was stopped");
        fs::remove_dir_all(&files).expect("removed");
    }
}

#[test]
fn ctrl_c_in_the_middle_of_a_large_resource_of_a_base_ends_the_build() {
    let space = TestSpace::new();
    write_large(&space);
    space.write(
        "mediabuild.kdl",
        "project \"p\"\nboot-image \"large\" arch=\"amd64\" { source \"files\"; compression \"none\" }\n",
    );
    space.build(&["boot-image:large", "--out", "inputs"]);
    space.write(
        "mediabuild.kdl",
        "project \"p\"\nos-image \"o\" arch=\"amd64\" { wim \"inputs/boot-image/large.wim\" }\n",
    );
    fs::remove_dir_all(space.store()).expect("removed");
    let mut build = start(&space, &["build", "os-image:o"]);
    let objects = space.store().join("objects");
    // The whole file is stored: now its one large resource is hashed.
    wait_for("the base to be stored", || bytes_below(&objects) > LARGE_BYTES);
    interrupted(&mut build);
    assert!(!space.project().join("result").exists());
    space.build(&["os-image:o"]);
}

#[test]
fn what_failed_before_ctrl_c_is_told_all_the_same() {
    let space = TestSpace::quickstart();
    let mut wim = fs::read(space.project().join("inputs/install.wim")).expect("readable");
    let middle = 208 + (wim.len() - 208) / 4;
    wim[middle..middle + 64].fill(0xa5);
    space.write("inputs/install.wim", wim);
    write_large(&space);
    let definitions = space.project().join("mediabuild.kdl");
    let text = fs::read_to_string(&definitions).expect("definitions");
    space.write("mediabuild.kdl", text + "package \"large\" { source \"files\" }\n");
    let targets = ["build", "-k", "-j2", "os-image:windows", "large"];
    // A fast disk may be done before the key is pressed: then once more.
    let said = (0..20).find_map(|_| stopped_in_the_large_import(&space, &targets));
    let said = said.expect("one of twenty builds is stopped in the middle");
    assert!(said.contains("error: import inputs/install.wim"), "{said}");
    assert!(said.contains("stopped") && !said.contains("panicked"), "{said}");
}

/// What a build says that is stopped while it stores a large file; `None` if it was over before.
fn stopped_in_the_large_import(space: &TestSpace, arguments: &[&str]) -> Option<String> {
    forget(space);
    let mut build = start(space, arguments);
    let scratch = space.store().join("tmp");
    while bytes_below(&scratch) < LARGE_BYTES / 4 {
        if build.try_wait().expect("a child").is_some() {
            return None;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    let kill = Command::new("kill").args(["-INT", &build.id().to_string()]).status();
    kill.expect("kill");
    let run = ended(build);
    (run.code == Some(130)).then_some(run.stderr)
}

#[test]
fn a_build_killed_at_any_moment_is_finished_by_the_next() {
    let space = space_of_many_files();
    let wanted = digests(&space.build(&[]));
    let took = clean_build_time(&space);
    for round in 0..20 {
        forget(&space);
        let mut build = start(&space, &["build"]);
        std::thread::sleep(took * round / 20);
        build.kill().expect("killed or gone");
        build.wait().expect("ends");
        for name in ["boot.iso", "factory.wim"] {
            whole_or_absent(&space, name, &wanted);
        }
        let next = space.build(&[]);
        assert_eq!(digests(&next), wanted, "killed in round {round}");
        space.run(&["store", "verify"]).expect(0);
        assert_nothing_left(&space, round);
    }
}

/// Only the store survives a kill; results that were there before are replaced whole.
#[test]
fn a_kill_while_results_are_replaced_leaves_each_old_or_new() {
    let space = space_of_many_files();
    let old = digests(&space.build(&[]));
    let kdl = fs::read_to_string(space.project().join("mediabuild.kdl")).expect("definitions");
    let changed = kdl.replace("FACTORY-01", "FACTORY-02").replace("\"UTC\"", "\"CET\"");
    space.write("mediabuild.kdl", &changed);
    let new = digests(&space.build(&[]));
    assert!(old[0] != new[0] && old[1] != new[1]);
    for round in 0..20_u32 {
        let (before, now) = if round % 2 == 0 { (&new, &kdl) } else { (&old, &changed) };
        space.write("mediabuild.kdl", now);
        let mut build = start(&space, &["build"]);
        std::thread::sleep(Duration::from_millis(u64::from(round) * 4));
        build.kill().expect("killed or gone");
        build.wait().expect("ends");
        let after = if round % 2 == 0 { &old } else { &new };
        for (at, name) in ["boot.iso", "factory.wim"].into_iter().enumerate() {
            let found = b3(&space.result(name));
            assert!(found == before[at] || found == after[at], "{name} in round {round}");
        }
        // Back again: what is in its place already is not written, and still nothing may be left.
        space.write("mediabuild.kdl", if round % 2 == 0 { &changed } else { &kdl });
        assert_eq!(&digests(&space.build(&[])), before);
        assert_nothing_left(&space, round);
        space.write("mediabuild.kdl", now);
        assert_eq!(&digests(&space.build(&[])), after);
    }
}

#[test]
fn builds_at_the_same_time_on_one_store_give_equal_results() {
    let space = space_of_many_files();
    let wanted = digests(&space.build(&[]));
    for round in 0..4 {
        forget(&space);
        let outs = ["one", "two", "one", "three"];
        let builds = outs.map(|out| start(&space, &["build", "--out", out]));
        for build in builds {
            let run = ended(build);
            run.expect(0);
            assert_eq!(digests(&run), wanted, "round {round}");
        }
        for out in outs {
            let folder = space.project().join(out);
            assert_eq!(names(&folder), ["boot.iso", "factory.wim"]);
            assert_eq!(b3(&folder.join("factory.wim")), wanted[1]);
            let _ = fs::remove_dir_all(&folder);
            fs::create_dir_all(&folder).expect("a folder");
            space.build(&["--out", out]);
        }
        space.run(&["store", "verify"]).expect(0);
    }
}

#[test]
fn folders_exported_at_the_same_time_to_one_place_are_whole() {
    let space = TestSpace::quickstart();
    for round in 0..8 {
        // A new folder, an edited one and a changed one.
        match round % 3 {
            0 => forget(&space),
            1 => fs::remove_file(space.result("package/branding/name.txt")).expect("removed"),
            _ => drop(space.write("packages/branding/again.txt", format!("{round}"))),
        }
        let builds = [0; 4].map(|_| start(&space, &["build", "package:branding"]));
        for build in builds {
            ended(build).expect(0);
        }
        let wanted = tree(&space.project().join("packages/branding"));
        assert_eq!(tree(&space.result("package/branding")), wanted, "round {round}");
        assert_eq!(names(&space.result("package")), ["branding"], "round {round}");
    }
}

#[test]
fn a_folder_is_replaced_whole_whenever_the_build_is_killed() {
    let space = space_of_many_files();
    space.build(&["package:branding"]);
    for round in 0..16 {
        let old = tree(&space.result("package/branding"));
        space.write("packages/branding/again.txt", format!("{round}"));
        let new = tree(&space.project().join("packages/branding"));
        let mut build = start(&space, &["build", "package:branding"]);
        std::thread::sleep(Duration::from_millis(round * 12));
        build.kill().expect("killed or gone");
        build.wait().expect("ends");
        let found = tree(&space.result("package/branding"));
        assert!(found == old || found == new, "half in round {round}");
        space.build(&["package:branding"]);
        assert_eq!(tree(&space.result("package/branding")), new, "round {round}");
        assert_eq!(names(&space.result("package")), ["branding"], "round {round}");
    }
}

/// What is remembered of a result must be of the build that put it there.
#[test]
fn builds_of_different_definitions_to_one_place_do_not_confuse_the_next() {
    let space = TestSpace::new();
    let out = space.path().join("out");
    let projects = ["one", "other"].map(|name| {
        let project = space.path().join(name);
        fs::create_dir_all(project.join("files")).expect("a folder");
        fs::write(project.join("files/a.txt"), name).expect("written");
        fs::write(project.join("mediabuild.kdl"), IMAGE_OF_FILES).expect("written");
        project
    });
    let build = |project: &Path| {
        let mut command = space.command();
        command.current_dir(project).args(["build", "boot-image:i", "--out"]).arg(&out);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().expect("the program starts")
    };
    let wanted = projects.clone().map(|project| ended(build(&project)).digest("i.wim").to_owned());
    assert_ne!(wanted[0], wanted[1]);
    for round in 0..60 {
        let builds = [0, 1, 0, 1].map(|at| build(&projects[at]));
        for build in builds {
            ended(build).expect(0);
        }
        for at in [round % 2, 1 - round % 2] {
            let run = ended(build(&projects[at]));
            assert_eq!(run.digest("i.wim"), wanted[at], "round {round}");
            assert_eq!(b3(&out.join("boot-image/i.wim")), wanted[at], "round {round}");
        }
    }
}

const IMAGE_OF_FILES: &str =
    "project \"p\"\nboot-image \"i\" arch=\"amd64\" { source \"files\"; compression \"none\" }\n";

// --- what the tests share ---

/// A medium of one package; its first result.
fn build_small(space: &TestSpace) -> std::collections::BTreeMap<String, Vec<u8>> {
    space.write("files/small.txt", "small");
    space.write("base/Windows/explorer.exe", "explorer");
    space.write(
        "mediabuild.kdl",
        r#"project "p"
        boot-image "pe" arch="amd64" { source "base" }
        os-image "os" arch="amd64" { source "base" }
        package "files" { source "files" }
        media "factory" type="prestaged" {
            boot-image "pe"; os-image "os"; package "files"
            compression "none"
        }"#,
    );
    space.build(&[]);
    tree(&space.project().join("result"))
}

/// A file with a few bytes and much room.
fn write_large(space: &TestSpace) {
    let path = space.write("files/large.bin", "");
    let mut file = File::options().write(true).open(path).expect("opens");
    // No zeros: they would become a hole, which is made at once.
    let mut piece: Vec<u8> = (0..1u32 << 20).map(|at| (at % 251) as u8 + 1).collect();
    for at in 0..LARGE_BYTES >> 20 {
        piece[..8].copy_from_slice(&(at + 1).to_le_bytes());
        file.write_all(&piece).expect("written");
    }
}

/// The quickstart with a folder of many files and one that has a file of its own in the store.
fn space_of_many_files() -> TestSpace {
    let space = TestSpace::quickstart();
    for at in 0..300 {
        space
            .write(&format!("packages/branding/{}/{at}.txt", at % 7), format!("{at}\n").repeat(50));
    }
    let mut large = vec![0; 6 << 20];
    blake3::Hasher::new().finalize_xof().fill(&mut large);
    space.write("apps/runtime/large.bin", large);
    space
}

fn start(space: &TestSpace, arguments: &[&str]) -> Child {
    let mut command = space.command();
    command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().expect("the program starts")
}

fn ended(build: Child) -> Run {
    let output = build.wait_with_output().expect("ends");
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Run { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

/// Presses Ctrl-C; the build ends within a second and says so.
#[track_caller]
fn interrupted(build: &mut Child) -> String {
    let kill = Command::new("kill").args(["-INT", &build.id().to_string()]).status();
    assert!(kill.expect("kill").success(), "the build was over already");
    let pressed = Instant::now();
    let status = build.wait().expect("ends");
    let took = pressed.elapsed();
    assert_eq!(status.code(), Some(130));
    assert!(took < Duration::from_secs(1), "it took {took:?} to stop");
    let mut said = String::new();
    let stderr = build.stderr.as_mut().expect("piped");
    std::io::Read::read_to_string(stderr, &mut said).expect("text");
    assert!(said.contains("stopped") && !said.contains("panicked"), "{said}");
    said
}

fn wait_for(what: &str, reached: impl Fn() -> bool) {
    let began = Instant::now();
    while !reached() {
        assert!(began.elapsed() < Duration::from_secs(30), "no {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// How long a build takes that has to do everything.
fn clean_build_time(space: &TestSpace) -> Duration {
    forget(space);
    let began = Instant::now();
    space.build(&[]);
    began.elapsed()
}

fn forget(space: &TestSpace) {
    for folder in [space.store(), space.project().join("result")] {
        let _ = fs::remove_dir_all(folder);
    }
}

/// Of `boot.iso` and `factory.wim`.
fn digests(run: &Run) -> [String; 2] {
    ["boot.iso", "factory.wim"].map(|name| run.digest(name).to_owned())
}

fn b3(path: &Path) -> String {
    blake3::hash(&fs::read(path).expect("a result")).to_hex().to_string()
}

#[track_caller]
fn whole_or_absent(space: &TestSpace, name: &str, wanted: &[String; 2]) {
    let path = space.result(name);
    assert!(!path.exists() || wanted.contains(&b3(&path)), "{name} is half");
}

#[track_caller]
fn assert_nothing_left(space: &TestSpace, round: u32) {
    let result = space.project().join("result");
    assert_eq!(names(&result), ["boot.iso", "factory.wim"], "round {round}");
    assert_eq!(names(&space.store().join("tmp")), ["lock"], "round {round}");
}

fn parts(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder").flatten().map(|entry| entry.path());
    entries.filter(|path| path.extension().is_some_and(|end| end == "part")).collect()
}

fn size(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |metadata| metadata.len())
}

/// Files may come and go while they are counted.
fn bytes_below(folder: &Path) -> u64 {
    let entries = walkdir::WalkDir::new(folder).into_iter().flatten();
    entries.filter(|entry| entry.file_type().is_file()).map(|entry| size(entry.path())).sum()
}
