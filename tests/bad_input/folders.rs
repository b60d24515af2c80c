//! Folders and files with names that nothing takes, and such that change while they are read.

use std::ffi::OsStr;
use std::fs::{self, OpenOptions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, PermissionsExt, symlink};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::harness::tree;
use crate::{PACKAGE, assert_nothing_built, definition, is_root, package_of};

#[test]
fn names_that_windows_cannot_tell_apart_or_read_are_errors() {
    for (one, two) in [("Readme.txt", "README.TXT"), ("A/one", "a/two"), ("\u{e4}", "\u{c4}")] {
        let space = package_of(&[(one, "one"), (two, "two")]);
        space.run(PACKAGE).expect(1).says("differ only in case").says("help: rename it");
        assert_nothing_built(&space);
    }
    let space = package_of(&[("good.txt", "")]);
    let name = OsStr::from_bytes(b"caf\xe9.txt");
    fs::write(space.project().join("files").join(name), "Latin-1").expect("written");
    space.run(PACKAGE).expect(1).says(".txt` has a name that is not UTF-8").says("help: rename it");
    assert_nothing_built(&space);
}

#[test]
fn names_that_windows_does_not_allow_are_errors() {
    for name in ["a:b", "what?", "bell\u{7}", "back\\slash", "trailing.", "trailing "] {
        let space = package_of(&[("good.txt", ""), (name, "")]);
        let run = space.run(PACKAGE);
        run.expect(1).says("files").says("help: rename it");
        assert_nothing_built(&space);
    }
}

#[test]
fn a_link_is_an_error_unless_it_is_followed() {
    let space = package_of(&[("real.txt", "content")]);
    let files = space.project().join("files");
    symlink("real.txt", files.join("link.txt")).expect("a link");
    space.run(PACKAGE).expect(1).says("link.txt` is a symbolic link").says("symlinks \"follow\"");
    assert_nothing_built(&space);
    space.write("mediabuild.kdl", definition("source \"files\" { symlinks \"follow\" }"));
    space.run(PACKAGE).expect(0);
    let built = tree(&space.result("package/p"));
    assert_eq!(built["link.txt"], b"content");

    symlink("nowhere", files.join("dangling")).expect("a link");
    space.run(PACKAGE).expect(1).says("files/dangling").says("help: remove");
    fs::remove_file(files.join("dangling")).expect("removed");
    symlink(".", files.join("loop")).expect("a link");
    space.run(PACKAGE).expect(1).says("files/loop").says("help: remove the link");
    assert_eq!(tree(&space.result("package/p")), built, "the earlier result stays");
}

#[test]
fn a_path_of_another_case_is_an_error_that_says_the_right_one() {
    let space = package_of(&[("a.txt", "")]);
    space.write("mediabuild.kdl", definition("source \"Files\""));
    let run = space.run(PACKAGE);
    run.expect(2).says("`Files` does not exist").says("it is called `files`");
}

#[test]
fn what_is_neither_a_file_nor_a_folder_is_an_error() {
    let space = package_of(&[("a.txt", "")]);
    let socket = space.project().join("files/socket");
    let _listener = std::os::unix::net::UnixListener::bind(&socket).expect("a socket");
    space.run(PACKAGE).expect(1).says("files/socket").says("help: remove it");
}

#[test]
fn an_unreadable_file_is_an_error_of_the_environment() {
    if is_root() {
        println!("skipped: permission bits do not bind root");
        return;
    }
    let space = package_of(&[("a.txt", ""), ("secret.txt", "no")]);
    let path = space.project().join("files/secret.txt");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).expect("permissions");
    space.run(PACKAGE).expect(3).says("files/secret.txt").says("help: change its permissions");
    assert_nothing_built(&space);
}

/// The writer overwrites piece after piece with the round's number and never changes the size. At
/// any moment the first pieces are of a round and the others of the one before; a read that the
/// writer overtakes, or the other way round, sees something else.
#[test]
fn a_file_that_is_rewritten_all_the_time_is_of_one_moment_or_an_error() {
    let space = package_of(&[]);
    let path = space.write("files/busy.bin", vec![0; PIECES * PIECE_BYTES]);
    let stop = AtomicBool::new(false);
    let (mut whole, mut refused) = (0, 0);
    std::thread::scope(|scope| {
        let _stop = StopAtEnd(&stop);
        scope.spawn(|| rewrite(&path, &stop));
        for _ in 0..40 {
            let run = space.run(PACKAGE);
            if run.code == Some(0) {
                whole += 1;
                let bytes = fs::read(space.result("package/p/busy.bin")).expect("exported");
                assert_of_one_moment(&bytes);
            } else {
                refused += 1;
                run.expect(1).says("changed while it was read").says("help: let whatever writes");
            }
        }
    });
    assert!(whole > 0 && refused > 0, "{whole} whole, {refused} refused");
    space.run(PACKAGE).expect(0);
    assert_eq!(fs::read(space.result("package/p/busy.bin")).ok(), fs::read(&path).ok());
}

const PIECES: usize = 32;
const PIECE_BYTES: usize = 128 << 10;

fn assert_of_one_moment(bytes: &[u8]) {
    assert_eq!(bytes.len(), PIECES * PIECE_BYTES);
    let rounds: Vec<u8> = bytes.iter().step_by(PIECE_BYTES / 8).copied().collect();
    let steps: Vec<u8> = rounds.windows(2).map(|pair| pair[0].wrapping_sub(pair[1])).collect();
    let backwards = steps.iter().filter(|step| **step != 0).collect::<Vec<_>>();
    assert!(matches!(backwards[..], [] | [1]), "of several moments: {rounds:?}");
}

/// Rewrites a file in place, slowly, with a pause after each third round.
fn rewrite(path: &Path, stop: &AtomicBool) {
    let file = OpenOptions::new().write(true).open(path).expect("opens");
    for round in (0..=u8::MAX).cycle().skip(1) {
        for piece in 0..PIECES {
            if stop.load(Ordering::Relaxed) {
                return;
            }
            let bytes = vec![round; PIECE_BYTES];
            file.write_all_at(&bytes, (piece * PIECE_BYTES) as u64).expect("written");
            std::thread::sleep(std::time::Duration::from_micros(300));
        }
        if round % 3 == 0 {
            std::thread::sleep(std::time::Duration::from_millis(150));
        }
    }
}

/// Ends the other thread also when the test fails.
struct StopAtEnd<'a>(&'a AtomicBool);

impl Drop for StopAtEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn files_that_come_and_go_give_one_moments_folder_or_an_error() {
    let space = package_of(&[("stays.txt", "here"), ("pair/one.txt", ""), ("pair/two.txt", "")]);
    let files = space.project().join("files");
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let _stop = StopAtEnd(&stop);
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                let _ = fs::rename(files.join("pair"), files.join("moved"));
                std::thread::sleep(std::time::Duration::from_millis(3));
                let _ = fs::rename(files.join("moved"), files.join("pair"));
                std::thread::sleep(std::time::Duration::from_millis(2));
            }
        });
        for _ in 0..60 {
            let run = space.run(PACKAGE);
            if run.code == Some(0) {
                let built = tree(&space.result("package/p"));
                let names: Vec<&String> = built.keys().collect();
                let pair = ["pair/one.txt", "pair/two.txt", "stays.txt"];
                let moved = ["moved/one.txt", "moved/two.txt", "stays.txt"];
                assert!(names == pair || names == moved, "{names:?}");
            } else {
                assert!(matches!(run.code, Some(1 | 3)), "{run:?}");
                run.says("files").says("help: ");
            }
        }
    });
}
