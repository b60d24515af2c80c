//! `mediabuild.lock` through the command line: what must be pinned, what differs and which line to
//! change, inputs that are not here, and locks as gc roots.

mod harness;

use std::fs;
use std::path::Path;
use std::process::Command;

use harness::{Run, TestSpace, tool};

/// A project in git with one tracked folder, one untracked and ignored file, and nothing built yet.
const DEFINITIONS: &str = r#"project "locked" epoch=(date-time)"2026-11-01T00:00:00Z"

package "licensed" {
    source "inputs/setup.exe"
}

package "scripts" {
    source "scripts" {
        exclude "**/*.md"
    }
}

os-image "windows" arch="amd64" {
    wim "inputs/install.wim" index=2
}
"#;

fn git(space: &TestSpace, arguments: &[&str]) {
    let mut git = Command::new("git");
    git.args(["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "init.defaultBranch=m"]);
    Run::of(git.args(arguments).current_dir(space.project())).expect(0);
}

/// The project of [`DEFINITIONS`]; `None` without git.
fn space() -> Option<TestSpace> {
    tool("git")?;
    let space = unversioned();
    space.write(".gitignore", "result/\n\ninputs/\n");
    git(&space, &["init", "-q"]);
    git(&space, &["add", "-A"]);
    git(&space, &["commit", "-qm", "first"]);
    Some(space)
}

/// The same, in no repository.
fn unversioned() -> TestSpace {
    let space = TestSpace::new();
    space.write("mediabuild.kdl", DEFINITIONS);
    space.write("inputs/setup.exe", "licensed bytes");
    space.write("scripts/a.cmd", "echo a");
    space.write("scripts/readme.md", "not taken");
    let wim = harness::root().join("examples/quickstart/inputs/install.wim");
    fs::copy(wim, space.project().join("inputs/install.wim")).expect("copied");
    space
}

fn lock_text(space: &TestSpace) -> String {
    fs::read_to_string(space.project().join("mediabuild.lock")).expect("a lock")
}

/// The line of an input.
fn line(space: &TestSpace, name: &str) -> String {
    let text = lock_text(space);
    let line = text.lines().find(|line| line.contains(&format!("\"{name}\"")));
    line.unwrap_or_else(|| panic!("no line of {name} in\n{text}")).to_owned()
}

fn b3(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex().to_string()
}

const TARGETS: [&str; 3] = ["licensed", "scripts", "windows"];

#[test]
fn what_git_does_not_bring_is_pinned_and_nothing_else() {
    let Some(space) = space() else { return };
    space.run(&["lock"]).expect(0).says("2 pinned inputs, written");
    let text = lock_text(&space);
    assert!(text.starts_with("// made by mediabuild lock\n"), "{text}");
    let digest = b3(b"licensed bytes");
    let setup = line(&space, "inputs/setup.exe");
    let expected =
        format!("file \"inputs/setup.exe\" digest=\"blake3:{digest}\" size=14 declared=\"");
    assert!(setup.starts_with(&expected), "{setup}");
    assert!(!text.contains("scripts"), "git tracks them: {text}");
    space.run(&["lock"]).expect(0).says("nothing changed");
    assert_eq!(lock_text(&space), text);
    space.build(&TARGETS);
    space.build(&[&TARGETS[..], &["--locked"]].concat());
}

#[test]
fn a_folder_with_one_untracked_file_is_pinned_as_a_whole() {
    let Some(space) = space() else { return };
    space.write("scripts/later.cmd", "echo later");
    space.run(&["build", "scripts", "--locked"]).expect(2).says("`scripts` is not tracked by git");
    space.run(&["lock"]).expect(0).says("3 pinned inputs");
    let pinned = line(&space, "scripts");
    assert!(pinned.starts_with("folder \"scripts\" digest=\"directory:"), "{pinned}");
    assert!(pinned.contains(" size=16 "), "6 and 10 bytes, without what is excluded: {pinned}");
    space.run(&["build", "scripts", "--locked"]).expect(0);
    space.write("scripts/notes.md", "excluded, so it makes no difference");
    space.run(&["build", "scripts", "--locked"]).expect(0);
    git(&space, &["add", "scripts"]);
    space.run(&["lock"]).expect(0).says("dropped").says("2 pinned inputs");
}

#[test]
fn a_file_that_is_not_what_is_pinned_is_refused_with_the_line_to_change() {
    let Some(space) = space() else { return };
    space.run(&["lock"]).expect(0);
    let (before, number) = (lock_text(&space), line_number(&space, "inputs/setup.exe"));
    space.write("inputs/setup.exe", "other bytes, and more");
    let run = space.run(&["build", "licensed"]);
    run.expect(1).says(&format!("`inputs/setup.exe` is not what mediabuild.lock:{number} pins"));
    run.says(&format!("pinned: blake3:{}, 14 bytes", b3(b"licensed bytes")));
    run.says(&format!("found:  blake3:{}, 21 bytes", b3(b"other bytes, and more")));
    run.says("mediabuild lock --update 'inputs/setup.exe'");
    assert!(!space.project().join("result").exists());
    space.run(&["build", "licensed", "--locked"]).expect(2).says("is not what mediabuild.lock");
    assert_eq!(lock_text(&space), before, "a build writes no lock");
    space.run(&["lock"]).expect(0).says("nothing changed");

    space.run(&["lock", "--update", "inputs/setup.exe"]).expect(0).says("pinned anew");
    let now = line(&space, "inputs/setup.exe");
    run.says(&now);
    assert!(!before.contains(&now));
    space.run(&["build", "licensed", "--locked"]).expect(0);
}

fn line_number(space: &TestSpace, name: &str) -> usize {
    let text = lock_text(space);
    1 + text.lines().position(|line| line.contains(&format!("\"{name}\""))).expect("a line")
}

#[test]
fn a_changed_declaration_is_never_built_from_what_was_pinned_for_the_old_one() {
    let Some(space) = space() else { return };
    space.write("scripts/later.cmd", "echo later");
    space.run(&["lock"]).expect(0);
    let changed = DEFINITIONS.replace("**/*.md", "**/*.txt");
    space.write("mediabuild.kdl", changed);
    let run = space.run(&["build", "licensed"]);
    run.expect(2).says("stale-pin").says("`scripts` is declared in another way");
    run.says("pinned here").says("mediabuild lock");
    space.run(&["lock"]).expect(0).says("pinned anew");
    space.run(&["build", "scripts", "--locked"]).expect(0);
}

#[test]
fn locked_refuses_what_is_pinned_for_nothing_or_not_pinned() {
    let Some(space) = space() else { return };
    space.run(&["build", "licensed", "--locked"]).expect(2).says("not-pinned");
    space.run(&["build", "licensed"]).expect(0);
    space.run(&["lock"]).expect(0);
    space.write("mediabuild.kdl", DEFINITIONS.replace("inputs/setup.exe", "inputs/setup2.exe"));
    space.write("inputs/setup2.exe", "a second version");
    let run = space.run(&["build", "licensed", "--locked"]);
    run.expect(2).says("orphaned-pin").says("not-pinned").says("inputs/setup2.exe");
    space.run(&["lock"]).expect(0).says("dropped");
    space.run(&["build", "licensed", "--locked"]).expect(0);
    assert!(!lock_text(&space).contains("inputs/setup.exe"));
}

#[test]
fn update_takes_targets_and_all_their_inputs() {
    let Some(space) = space() else { return };
    space.run(&["lock"]).expect(0);
    space.write("inputs/setup.exe", "new");
    space.run(&["lock", "--update", "windows"]).expect(0).says("nothing changed");
    space.run(&["lock", "--update", "package:licensed"]).expect(0).says("pinned anew");
    space.write("inputs/setup.exe", "newer");
    space.run(&["lock", "--update"]).expect(0).says("pinned anew");
    space.run(&["lock", "--update", "scripts"]).expect(0).says("git tracks it");
    space.run(&["lock", "--update", "licenced"]).expect(2).says("there is no target `licenced`");
    space.run(&["build", "licensed", "--locked"]).expect(0);
}

#[test]
fn outside_of_a_repository_nothing_must_be_pinned_and_pins_hold() {
    let space = unversioned();
    space.run(&["lock"]).expect(0).says("0 pinned inputs");
    assert!(!space.project().join("mediabuild.lock").exists());
    space.run(&["build", "licensed", "--locked"]).expect(0);
    space.run(&["lock", "--update", "inputs/setup.exe"]).expect(0).says("1 pinned input");
    space.run(&["lock"]).expect(0).says("1 pinned input, nothing changed");
    space.write("inputs/setup.exe", "other");
    space.run(&["build", "licensed"]).expect(1).says("is not what mediabuild.lock:");
}

#[test]
fn links_and_submodules_are_told_from_files() {
    let Some(space) = space() else { return };
    let outside = space.path().join("outside.bin");
    fs::write(&outside, "elsewhere").expect("written");
    #[cfg(unix)]
    std::os::unix::fs::symlink(&outside, space.project().join("linked.bin")).expect("a link");
    space.write(
        "mediabuild.kdl",
        "project \"links\"\npackage \"linked\" {\n    source \"linked.bin\"\n}\n",
    );
    git(&space, &["add", "-A"]);
    let run = space.run(&["build", "linked", "--locked"]);
    run.expect(2).says("`linked.bin` is not tracked by git");
    space.run(&["lock"]).expect(0).says("1 pinned input");
}

#[test]
fn an_input_that_is_not_here_is_taken_from_the_store_by_its_pin() {
    let Some(space) = space() else { return };
    space.run(&["lock"]).expect(0);
    let first = space.build(&["licensed", "windows"]);
    let digest = first.digest("windows.wim").to_owned();
    fs::remove_dir_all(space.project().join("inputs")).expect("removed");
    fs::remove_dir_all(space.project().join("result")).expect("removed");
    space.run(&["check"]).expect(0).says("not here, to be found in the store: inputs/install.wim");
    let run = space.run(&["build", "licensed", "windows", "--locked"]);
    assert_eq!(run.expect(0).digest("windows.wim"), digest);

    let other = space.path().join("other-store");
    let store = other.to_str().expect("UTF-8");
    let run = space.run(&["build", "licensed", "--store", store]);
    run.expect(1)
        .says("`inputs/setup.exe` is not tracked by git (ignored by .gitignore:3) and not here");
    run.says(&format!("store add --expect blake3:{} FILE", b3(b"licensed bytes")));
    space.run(&["lock", "--update"]).expect(1).says("is not here, so it cannot be pinned anew");
}

#[test]
fn a_missing_input_says_what_git_knows_of_it() {
    let Some(space) = space() else { return };
    fs::remove_dir_all(space.project().join("inputs")).expect("removed");
    let run = space.run(&["check"]);
    run.expect(2);
    run.says("`inputs/setup.exe` is not tracked by git (ignored by .gitignore:3) and not here");
    run.says("put it at").says("mediabuild lock");
    space.write("mediabuild.kdl", DEFINITIONS.replace("inputs/setup.exe", "scripts/a.cmd"));
    fs::remove_dir_all(space.project().join("scripts")).expect("removed");
    let run = space.run(&["check"]);
    run.expect(2).says("`scripts/a.cmd` is tracked by git and was removed here");
    // Without a repository there is nothing to say of git, and the nearest name comes first.
    let space = unversioned();
    fs::rename(space.project().join("inputs/setup.exe"), space.project().join("inputs/Setup.exe"))
        .expect("renamed");
    space.run(&["check"]).expect(2).says("it is called `Setup.exe`");
}

#[test]
fn a_pointer_of_git_lfs_is_not_taken_for_the_file() {
    let space = unversioned();
    let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n";
    space.write("inputs/setup.exe", pointer);
    let said = "is a git-lfs pointer";
    space.run(&["build", "licensed"]).expect(1).says(said).says("git lfs pull");
    space.run(&["lock", "--update", "inputs/setup.exe"]).expect(1).says(said);
    space.write("inputs/setup.exe", "the file");
    space.write("scripts/b.cmd", pointer);
    space.run(&["build", "scripts"]).expect(1).says("scripts/b.cmd").says(said);
    space.write("inputs/install.wim", pointer);
    let run = space.run(&["build", "windows"]);
    run.expect(2).says("lfs-pointer").says("git lfs pull --include \"inputs/install.wim\"");
}

#[test]
fn a_lock_that_cannot_be_read_is_shown() {
    let Some(space) = space() else { return };
    space.run(&["lock"]).expect(0);
    let good = lock_text(&space);
    for (bad, said) in [
        (good.replace("size=14", "size=\"14\""), "needs `size=` and a number of bytes"),
        (good.replace("lock version=1", "lock version=9"), "of a version that"),
        (format!("{good}<<<<<<< ours\n"), "left by a merge"),
        (format!("{good}{}\n", line(&space, "inputs/setup.exe")), "is pinned twice"),
    ] {
        space.write("mediabuild.lock", &bad);
        space.run(&["build", "licensed"]).expect(2).says(said).says("mediabuild.lock");
        space.run(&["lock"]).expect(2).says(said);
    }
    let edited = good.replace("\nfile", "\n\n// by hand\nfile");
    space.write("mediabuild.lock", edited);
    space.run(&["build", "licensed", "--locked"]).expect(0);
    space.run(&["lock"]).expect(0);
    assert_eq!(lock_text(&space), good, "it is written canonically");
}

#[test]
fn what_a_lock_names_outlives_a_collection_as_long_as_the_lock_is_there() {
    let Some(space) = space() else { return };
    space.run(&["lock"]).expect(0);
    let (inputs, kept) = (space.project().join("inputs"), space.path().join("kept"));
    fs::rename(&inputs, &kept).expect("moved");
    space.run(&["store", "roots"]).expect(0).says("mediabuild.lock#inputs/setup.exe");
    space.run(&["store", "gc"]).expect(0);
    space.run(&["store", "verify"]).expect(0);
    space.run(&["build", "licensed", "windows"]).expect(0);
    fs::remove_dir_all(space.project().join("result")).expect("removed");

    // A line that goes takes its root along, at the latest with the next collection.
    let pinned =
        lock_text(&space).replace(&format!("{}\n", line(&space, "inputs/install.wim")), "");
    space.write("mediabuild.lock", &pinned);
    space.run(&["store", "gc"]).expect(0);
    let roots = space.run(&["store", "roots"]);
    assert!(roots.says("#inputs/setup.exe").stdout.lines().count() == 1, "{}", roots.stdout);
    fs::create_dir(&inputs).expect("a folder");
    fs::copy(kept.join("install.wim"), inputs.join("install.wim")).expect("copied");
    space.run(&["build", "licensed"]).expect(0);
    fs::remove_dir_all(space.project().join("result")).expect("removed");

    fs::remove_file(space.project().join("mediabuild.lock")).expect("removed");
    space.run(&["store", "gc"]).expect(0);
    assert_eq!(space.run(&["store", "roots"]).stdout, "");
    space.write("mediabuild.lock", pinned);
    space.run(&["build", "licensed"]).expect(1).says("the store does not have what");
}

#[test]
fn a_lock_that_cannot_be_read_keeps_what_it_named() {
    let Some(space) = space() else { return };
    space.run(&["lock"]).expect(0);
    let good = lock_text(&space);
    space.write("mediabuild.lock", "<<<<<<< in the middle of a merge");
    space.run(&["store", "gc"]).expect(0);
    space.write("mediabuild.lock", good);
    fs::remove_dir_all(space.project().join("inputs")).expect("removed");
    space.run(&["build", "licensed", "windows"]).expect(0);
}

/// Nothing but a lock, `--locked` and an error asks git.
#[test]
fn a_build_that_succeeds_starts_no_git() {
    let Some(space) = space() else { return };
    space.run(&["lock"]).expect(0);
    let mut build = space.command();
    build.args(["build", "licensed", "scripts"]).env("PATH", Path::new("/nonexistent"));
    Run::of(&mut build).expect(0);
    let mut locked = space.command();
    locked.args(["build", "licensed", "--locked"]).env("PATH", Path::new("/nonexistent"));
    Run::of(&mut locked).expect(3).says("cannot run git");
}

// ---- store add ----

#[test]
fn a_file_added_to_the_store_is_built_with_where_the_project_lacks_it() {
    let Some(space) = space() else { return };
    space.run(&["lock"]).expect(0);
    let digest = b3(b"licensed bytes");
    fs::remove_dir_all(space.project().join("inputs")).expect("removed");
    let store = space.path().join("other-store");
    let store = store.to_str().expect("UTF-8");
    let elsewhere = space.path().join("Downloads-setup.exe");
    fs::write(&elsewhere, "licensed bytes").expect("written");
    let file = elsewhere.to_str().expect("UTF-8");
    space.run(&["build", "licensed", "--store", store]).expect(1);
    let expect = format!("blake3:{digest}");
    let run = space.run(&["store", "add", "--expect", &expect, file, "--store", store]);
    run.expect(0).says(&format!("{expect}  14 bytes")).says("mediabuild.lock names it");
    run.says(&line(&space, "inputs/setup.exe"));
    // Nothing but the lock, which `add` has seen, keeps it.
    space.run(&["store", "gc", "--store", store]).expect(0);
    space.run(&["build", "licensed", "--locked", "--store", store]).expect(0);
}

#[test]
fn a_file_that_is_not_as_expected_is_not_stored() {
    let space = TestSpace::new();
    let file = space.write("setup.exe", "licensed bytes");
    let file = file.to_str().expect("UTF-8");
    let found = b3(b"licensed bytes");
    let other = b3(b"other");
    let expect = format!("blake3:{other}");
    let run = space.run(&["store", "add", "--expect", &expect, file]);
    run.expect(1).says(&expect).says(&format!("blake3:{found}, 14 bytes"));
    assert_eq!(stored_files(&space), 0);

    // printf 'licensed bytes' | sha256sum
    let sha256 = "sha256:5b0bcb4a8cfb39bf10a1e9dbc7b4fbd9b3f7de04ee1aed5d2c32d6e3c7a25d8f";
    let run = space.run(&["store", "add", "--expect", sha256, file]);
    run.expect(1).says(sha256).says("found:    sha256:");
    assert_eq!(stored_files(&space), 0);
    let said = run.stderr.split("found:    ").nth(1).expect("a digest");
    let right = said.split(',').next().expect("a digest");
    if let Some(mut sha256sum) = tool("sha256sum") {
        let peer = Run::of(sha256sum.arg(file));
        assert_eq!(Some(right.trim_start_matches("sha256:")), peer.stdout.split(' ').next());
    }
    space.run(&["store", "add", "--expect", right, file]).expect(0).says(&found);
    assert_eq!(stored_files(&space), 1);
    for wrong in ["md5:00", "blake3:00", &found] {
        space.run(&["store", "add", "--expect", wrong, file]).expect(2).says("blake3:DIGEST");
    }
    space.run(&["store", "add", "--expect", right, file, file]).expect(2).says("one by one");
    space.run(&["store", "add", "."]).expect(2).says("is no file");
    space.run(&["store", "add", "absent"]).expect(3).says("absent");
}

/// Files in the store that hold bytes of contents.
fn stored_files(space: &TestSpace) -> usize {
    let files = harness::tree(&space.store());
    files.keys().filter(|name| name.starts_with("objects/") || name.starts_with("packs/")).count()
}

#[test]
fn adding_a_file_gives_its_line_and_that_line_works() {
    let space = unversioned();
    let file = space.path().join("setup.exe");
    fs::rename(space.project().join("inputs/setup.exe"), &file).expect("moved");
    let run = space.run(&["store", "add", file.to_str().expect("UTF-8")]);
    run.expect(0).says("its line in mediabuild.lock");
    let line = run.stdout.lines().find(|line| line.trim_start().starts_with("file "));
    let line = line.expect("a line").trim();
    space.run(&["build", "licensed"]).expect(2).says("missing-input");
    space.write("mediabuild.lock", format!("lock version=1\n{line}\n"));
    space.run(&["build", "licensed"]).expect(0);
    space.run(&["store", "gc"]).expect(0);
    fs::remove_dir_all(space.project().join("result")).expect("removed");
    space.run(&["build", "licensed", "--locked"]).expect(0);

    let stray = space.path().join("stray.bin");
    fs::write(&stray, "of no project").expect("written");
    let run = space.run(&["store", "add", stray.to_str().expect("UTF-8")]);
    run.expect(0).says("no project here names it");
}
