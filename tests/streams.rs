//! What is around a run: readers who leave, a full stdout, names that are not UTF-8, Ctrl-C, and
//! pipes where a file is expected.
#![cfg(unix)]

mod harness;

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{Read, pipe};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use harness::{Run, TestSpace, copy_tree};
use serde_json::Value;

/// A pipe that nobody reads.
fn closed() -> Stdio {
    let (_, writer) = pipe().expect("a pipe");
    writer.into()
}

fn full() -> Stdio {
    File::options().write(true).open("/dev/full").expect("/dev/full").into()
}

/// Runs it with `stdout`; the rest of what it says is in the result.
fn run_into(space: &TestSpace, stdout: Stdio, arguments: &[&str]) -> Run {
    let mut command = space.command();
    command.args(arguments).stdout(stdout).stderr(Stdio::piped());
    let output = command.spawn().expect("it starts").wait_with_output().expect("it ends");
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    Run { code: output.status.code(), stdout: String::new(), stderr }
}

fn forget(space: &TestSpace) {
    for folder in [space.store(), space.project().join("result")] {
        let _ = fs::remove_dir_all(folder);
    }
}

#[track_caller]
fn assert_built(space: &TestSpace) {
    for name in ["boot.iso", "factory.wim"] {
        assert!(space.result(name).is_file(), "{name}");
    }
}

/// What only tells, and has nothing to do when nobody listens.
const TELLING: [&[&str]; 8] = [
    &["check"],
    &["check", "--format", "json"],
    &["plan"],
    &["plan", "--format", "json"],
    &["graph"],
    &["inspect", "info", "result/factory.wim"],
    &["inspect", "ls", "result/boot.iso"],
    &["inspect", "cat", "result/boot.iso", "sources/boot.wim"],
];

/// What works, and tells on the way.
const WORKING: [&[&str]; 7] = [
    &["build"],
    &["build", "--format", "json"],
    &["verify", "result/factory.wim", "result/boot.iso"],
    &["verify", "--format", "json", "result/boot.iso"],
    &["store", "verify"],
    &["store", "verify", "--format", "json"],
    &["store", "roots"],
];

// ---- stderr ----

#[test]
fn a_closed_stderr_is_no_panic() {
    let space = TestSpace::quickstart();
    for arguments in [&["build"][..], &["-vv", "build"], &["check"], &["-vv", "verify", "result"]] {
        let mut command = space.command();
        let status = command.args(arguments).stdout(Stdio::null()).stderr(closed()).status();
        let code = if arguments.contains(&"verify") { 2 } else { 0 };
        assert_eq!(status.expect("it starts").code(), Some(code), "{arguments:?}");
    }
    assert_built(&space);
    space.write("mediabuild.kdl", "project \"p\"\nbroken");
    let status = space.command().arg("check").stdout(closed()).stderr(closed()).status();
    assert_eq!(status.expect("it starts").code(), Some(2));
}

// ---- stdout ----

#[test]
fn work_is_done_when_nobody_listens() {
    let space = TestSpace::quickstart();
    for format in ["text", "json"] {
        forget(&space);
        let run = run_into(&space, closed(), &["build", "--format", format]);
        run.expect(0);
        assert!(!run.stderr.contains("stdout"), "{}", run.stderr);
        assert_built(&space);
    }
    for arguments in WORKING {
        run_into(&space, closed(), arguments).expect(0);
    }
}

#[test]
fn a_failure_stays_one_when_nobody_listens() {
    let space = TestSpace::quickstart();
    space.build(&[]);
    let mut bytes = fs::read(space.result("factory.wim")).expect("a WIM");
    bytes[300] ^= 1;
    space.write("damaged.wim", bytes);
    for format in ["text", "json"] {
        let verify = ["verify", "--format", format, "damaged.wim"];
        run_into(&space, closed(), &verify).expect(1);
        run_into(&space, closed(), &["inspect", "--format", format, "info", "none"]).expect(2);
        run_into(&space, closed(), &["build", "--format", format, "none"]).expect(2);
    }
}

#[test]
fn what_only_tells_leaves_with_its_reader() {
    let space = TestSpace::quickstart();
    space.build(&[]);
    for arguments in TELLING {
        let run = run_into(&space, closed(), arguments);
        assert_eq!((run.code, run.stderr.lines().count()), (Some(0), 0), "{arguments:?}: {run:?}");
    }
}

#[test]
fn a_full_stdout_is_a_failed_environment_after_the_work() {
    if !Path::new("/dev/full").exists() {
        return;
    }
    let space = TestSpace::quickstart();
    for format in ["text", "json"] {
        forget(&space);
        let run = run_into(&space, full(), &["build", "--format", format]);
        run.expect(3).says("cannot write to stdout: No space left on device");
        assert_eq!(run.stderr.matches("error:").count(), 1, "{}", run.stderr);
        assert_built(&space);
    }
    for arguments in TELLING.iter().chain(&WORKING) {
        let run = run_into(&space, full(), arguments);
        run.expect(3).says("cannot write").says("No space left on device");
        assert!(!run.stderr.contains("panicked"), "{arguments:?}: {run:?}");
    }
    // A failure that could not be said as JSON is said as text.
    let run = run_into(&space, full(), &["check", "--format", "json", "none"]);
    run.expect(3).says("`none` is not a project").says("cannot write to stdout");
}

// ---- names ----

#[test]
fn a_folder_whose_name_is_not_utf_8_is_as_good_as_any() {
    let space = TestSpace::quickstart();
    let folder = space.path().join(OsStr::from_bytes(b"caf\xe9"));
    if fs::create_dir(&folder).is_err() {
        return; // This file system has names in UTF-8 only.
    }
    copy_tree(&space.project(), &folder);
    for arguments in [
        &["check"][..],
        &["plan"],
        &["graph"],
        &["build"],
        &["build", "package:branding"],
        &["store", "roots"],
    ] {
        for format in ["json", "text"] {
            let mut command = space.command();
            command.current_dir(&folder).args(arguments).args(["--format", format]);
            let run = Run::of(&mut command);
            run.expect(0);
            if format == "json" {
                run.stdout.lines().for_each(|line| {
                    serde_json::from_str::<Value>(line).expect("an object");
                });
            }
        }
    }
    for format in ["json", "text"] {
        let mut command = space.command();
        command.args(["verify", "--format", format]).arg(folder.join("result/factory.wim"));
        Run::of(&mut command).expect(0).says("caf\u{fffd}");
        let mut command = space.command();
        command.args(["inspect", "info", "--format", format]);
        Run::of(command.arg(folder.join("result/boot.iso"))).expect(0);
    }
}

// ---- Ctrl-C ----

#[test]
fn ctrl_c_ends_what_only_tells_at_once() {
    let space = TestSpace::quickstart();
    space.write("packages/branding/large.bin", vec![7; 4 << 20]);
    space.build(&["factory"]);
    // Nobody takes its bytes: it waits, and looks at nothing.
    let mut command = space.command();
    command.args(["inspect", "cat", "result/factory.wim", "SMS/PKG/branding/large.bin"]);
    let mut child = command.stdout(Stdio::piped()).spawn().expect("it starts");
    child.stdout.as_mut().expect("a pipe").read_exact(&mut [0]).expect("a byte");
    assert_ends_by_ctrl_c(child);
}

#[test]
fn ctrl_c_ends_a_build_that_waits_for_a_secret_at_once() {
    let space = TestSpace::quickstart();
    let path = space.project().join("mediabuild.kdl");
    let kdl = fs::read_to_string(&path).expect("definitions");
    let password = "type=\"bootable\" {\n    password (secret)\"file:pipe\"";
    fs::write(&path, kdl.replace("type=\"bootable\" {", password)).expect("written");
    let named = space.project().join("pipe");
    assert!(Command::new("mkfifo").arg(&named).status().expect("mkfifo").success());
    let child = space.command().arg("build").stderr(Stdio::piped()).spawn().expect("it starts");
    // Waits until it reads, and then says nothing.
    let _writer = File::options().write(true).open(&named).expect("a pipe");
    assert_ends_by_ctrl_c(child);
}

#[track_caller]
fn assert_ends_by_ctrl_c(child: Child) {
    let kill = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(kill.expect("kill").success());
    let status = wait(child).status;
    assert_eq!((status.signal(), status.code()), (Some(2), None));
}

/// Ends it after a while, so that a test fails instead of waiting.
#[track_caller]
fn wait(mut child: Child) -> std::process::Output {
    let began = Instant::now();
    while child.try_wait().expect("a status").is_none() {
        if began.elapsed() > Duration::from_secs(20) {
            let _ = child.kill();
            panic!("it does not end: {:?}", child.wait_with_output());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    child.wait_with_output().expect("an end")
}

// ---- pipes and devices ----

#[track_caller]
fn run_shortly(space: &TestSpace, arguments: &[&str]) -> Run {
    let mut command = space.command();
    command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
    let output = wait(command.spawn().expect("it starts"));
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Run { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

#[test]
fn a_pipe_or_a_device_is_no_file() {
    let space = TestSpace::quickstart();
    let named = space.project().join("pipe");
    assert!(Command::new("mkfifo").arg(&named).status().expect("mkfifo").success());
    std::os::unix::fs::symlink("/dev/zero", space.project().join("device")).expect("a link");
    for name in ["pipe", "device"] {
        for verb in [&["verify"][..], &["inspect", "info"], &["inspect", "variables"]] {
            let run = run_shortly(&space, &[verb, &[name]].concat());
            run.expect(2).says(name).says("neither a file nor a folder");
        }
        space.write(
            "mediabuild.kdl",
            format!(
                "project \"p\"\n\
                 boot-image \"a\" arch=\"amd64\" {{ wim \"{name}\" index=1 }}\n\
                 os-image \"b\" arch=\"amd64\" {{ source \"{name}\" }}\n\
                 package \"c\" {{ source \"{name}\" }}\n"
            ),
        );
        for verb in ["check", "plan", "build"] {
            let run = run_shortly(&space, &[verb, "--format", "json"]);
            let codes = run.stdout.matches("\"code\":\"not-a-file\"").count();
            assert_eq!((run.code, codes), (Some(2), 3), "{verb}: {run:?}");
        }
        run_shortly(&space, &["check"]).expect(2).says("a pipe, a socket or a device");
    }
}

// ---- WIMs of many names ----

#[test]
fn hundreds_of_sources_out_of_one_wim_hold() {
    let space = TestSpace::quickstart();
    let mut kdl = String::from("project \"p\"\n");
    for at in 0..300 {
        kdl += &format!(
            "package \"p{at}\" {{ source wim=\"inputs/winpe.wim\" index=2 path=\"Windows\" }}\n"
        );
    }
    space.write("mediabuild.kdl", kdl);
    space.run(&["check"]).expect(0).says("300 definitions, 1 input (");
}

#[test]
fn resources_that_overlap_are_a_finding() {
    let space = TestSpace::quickstart();
    let mut bytes = fs::read(space.project().join("inputs/install.wim")).expect("a WIM");
    let u64_at = |bytes: &[u8], at: usize| {
        u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"))
    };
    let table = u64_at(&bytes, 0x38) as usize;
    let first = u64_at(&bytes, table + 8);
    bytes[table + 50 + 8..table + 50 + 16].copy_from_slice(&(first + 1).to_le_bytes());
    space.write("overlap.wim", bytes);
    let run = space.run(&["verify", "overlap.wim"]);
    run.expect(1).says("overlap.wim: ").says("behind the end of a resource");
}

/// Names come out of foreign media, and from whoever typed them.
#[test]
fn what_goes_wrong_says_nothing_that_a_terminal_obeys() {
    let space = TestSpace::quickstart();
    let run = space.run(&["inspect", "ls", "inputs/winpe.wim", "a\u{1b}[2Jb"]);
    assert_ne!(run.code, Some(0));
    assert!(
        run.stderr.contains(r"a\u{1b}[2Jb") && !run.stderr.contains('\u{1b}'),
        "{}",
        run.stderr
    );
}
