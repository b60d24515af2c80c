//! Inputs, folders and disks that are not as they should be: an error that names the place and what
//! to do, an exit code that says who must act, and never half of anything.

mod harness;

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

use harness::{Run, TestSpace, names, root, shared, tree};
use sha1::{Digest, Sha1};

// --- base WIMs ---

#[test]
fn a_truncated_base_is_named_and_nothing_is_written() {
    let whole = fs::read(root().join("examples/quickstart/inputs/winpe.wim")).expect("an input");
    let base = BaseWim::new();
    for length in [0, 1, 7, 100, 207, 208, 209, 1000, whole.len() / 2, whole.len() - 1] {
        base.refused(&whole[..length], &format!("the first {length} bytes"));
    }
}

#[test]
fn a_flipped_byte_in_a_base_is_an_error_or_does_not_matter() {
    let whole = fs::read(root().join("examples/quickstart/inputs/winpe.wim")).expect("an input");
    let base = BaseWim::new();
    let mut refused = 0;
    for at in (0..whole.len()).step_by(71).chain([0, 8, 0x30, 0x38, 0x48, 0x60, 0x7c]) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x55;
        let run = base.build(&bytes);
        if run.code == Some(0) {
            base.space.run(&["verify", "result/boot-image/pe.wim"]).expect(0);
        } else {
            base.assert_refused(&run, &format!("byte {at} is flipped"));
            refused += 1;
        }
        base.forget_result();
    }
    assert!(refused > 100, "only {refused} flips were noticed");
}

#[test]
fn each_kind_of_damage_in_a_base_is_noticed() {
    let whole = fs::read(root().join("examples/quickstart/inputs/winpe.wim")).expect("an input");
    let header = |at: usize| u64_at(&whole, at) as usize;
    let base = BaseWim::new();
    let (table, xml, metadata) = (header(0x38), header(0x50), header(0x68));
    for (at, what) in [
        (0, "magic"),
        (8, "header size"),
        (table + 30 + 5, "a hash in the blob table"),
        (table + 8 + 6, "an offset in the blob table"),
        (xml + 2, "the XML's first character"),
        (metadata + 20, "metadata"),
        (208 + 3, "a resource"),
    ] {
        let mut bytes = whole.clone();
        bytes[at] ^= 0xff;
        base.refused(&bytes, what);
    }
}

#[test]
fn a_hostile_base_ends_in_an_error_within_its_memory() {
    let base = BaseWim::new();
    let wim = uncompressed_wim(&base.space);
    let huge = 1 << 52;
    base.accepted(&wim.bytes);
    let entry = |number: usize| wim.table + 50 * number;
    let compressed = |size: u64| size | 4 << 56;
    for (what, edits) in [
        ("blob table beyond the end", vec![(0x38, huge)]),
        ("blob table of 4 PiB", vec![(0x30, huge), (0x40, huge)]),
        ("compressed blob table of 4 PiB", vec![(0x30, compressed(500)), (0x40, huge)]),
        ("XML of 4 PiB", vec![(0x48, huge), (0x58, huge)]),
        ("compressed XML of 4 PiB", vec![(0x48, compressed(500)), (0x58, huge)]),
        ("2^32-1 images", vec![(0x28, u64_at(&wim.bytes, 0x28) | 0xffff_ffff << 32)]),
        ("resource beyond the end", vec![(entry(1) + 8, huge)]),
        ("resource that wraps around", vec![(entry(1) + 8, u64::MAX - 3)]),
        ("resource of 4 PiB", vec![(entry(1), huge), (entry(1) + 16, huge)]),
        ("compressed resource of 4 PiB", vec![(entry(1), compressed(9)), (entry(1) + 16, huge)]),
        ("metadata beyond the end", vec![(entry(wim.metadata) + 8, huge)]),
        (
            "compressed metadata of 4 PiB",
            vec![
                (entry(wim.metadata), u64_at(&wim.bytes, entry(wim.metadata)) | 4 << 56),
                (entry(wim.metadata) + 16, huge),
            ],
        ),
    ] {
        let mut bytes = wim.bytes.clone();
        for (at, value) in edits {
            bytes[at..at + 8].copy_from_slice(&value.to_le_bytes());
        }
        base.refused(&bytes, what);
    }
}

#[test]
fn a_folder_that_contains_itself_in_a_bases_metadata_is_an_error() {
    let base = BaseWim::new();
    let wim = uncompressed_wim(&base.space);
    let (root, folder) = (wim.dentry(""), wim.dentry("folder"));
    let children_of_root = u64_at(&wim.bytes, root + 0x10);
    for (what, target) in
        [("its parent", children_of_root), ("the root", (root - wim.start) as u64)]
    {
        let bytes = wim.with_metadata(folder + 0x10, target);
        base.refused(&bytes, &format!("a folder whose children are those of {what}"));
    }
    for (what, at, value) in [
        ("children beyond the metadata", folder + 0x10, 1 << 40),
        ("a dentry of 4 PiB", folder, 1 << 52),
        ("a dentry of 100 bytes", folder, 100),
    ] {
        base.refused(&wim.with_metadata(at, value), what);
    }
}

#[test]
fn a_part_of_a_split_base_is_refused_without_the_other_parts() {
    let Some(folder) = shared("data/wim") else { return };
    let base = BaseWim::new();
    let run = base.refused(&fs::read(folder.join("Split.swm")).expect("a sample"), "Split.swm");
    run.expect(2).says("it is part 1 of 2").says("put all parts of the set beside each other");
}

#[test]
fn an_image_that_a_base_does_not_have_is_refused_with_those_it_has() {
    let space = TestSpace::quickstart();
    let kdl = fs::read_to_string(space.project().join("mediabuild.kdl")).expect("definitions");
    for wrong in ["index=7", "name=\"Quickstart XP\"", "edition=\"Ultimate\"", ""] {
        space.write("mediabuild.kdl", kdl.replace("name=\"Quickstart PE\"", wrong));
        let run = space.run(&["build"]);
        run.expect(2)
            .says("inputs/winpe.wim")
            .says("mediabuild.kdl:")
            .says("index=2 (Quickstart PE");
        assert_nothing_built(&space);
    }
}

// --- source folders ---

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

// --- places to write to ---

#[test]
fn a_read_only_output_folder_is_an_error_of_the_environment() {
    let space = package_of(&[("a.txt", "")]);
    let out = space.path().join("out");
    let Some(_ro) = read_only(&out) else { return };
    let run = space.run(&["build", "package:p", "--out", out.to_str().expect("UTF-8")]);
    run.expect(3).says(out.to_str().expect("UTF-8")).says("help: change its permissions");
}

#[test]
fn a_read_only_store_is_an_error_of_the_environment() {
    let space = package_of(&[("a.txt", "")]);
    let Some(_ro) = read_only(&space.store()) else { return };
    space.run(PACKAGE).expect(3).says(space.store().to_str().expect("UTF-8")).says("help: ");
    assert_nothing_built(&space);
}

#[test]
fn a_folder_where_a_result_goes_is_never_removed() {
    let space = TestSpace::quickstart();
    space.write("result/factory.wim/precious.txt", "mine");
    space
        .run(&["build", "factory"])
        .expect(3)
        .says("factory.wim` is a folder")
        .says("help: move it");
    assert_eq!(tree(&space.project().join("result")).len(), 1);

    let space = package_of(&[("a.txt", "")]);
    space.write("result/package/p", "a file of mine");
    space.run(PACKAGE).expect(3).says("package/p` is a file").says("help: move it");
    assert_eq!(fs::read(space.result("package/p")).expect("still there"), b"a file of mine");
    fs::remove_dir_all(space.project().join("result")).expect("removed");
    space.write("result", "a file where the folder goes");
    space.run(PACKAGE).expect(3).says("result");
    assert!(space.project().join("result").is_file());
}

#[test]
fn a_disk_too_small_for_a_result_keeps_the_old_one() {
    let space = package_of(&[("a.bin", "small")]);
    let out = space.path().join("out");
    let Some(_disk) = Mount::tmpfs(&out, "size=8m") else { return };
    let build = ["build", "boot-image:i", "--out", out.to_str().expect("UTF-8")];
    space.write("mediabuild.kdl", IMAGE_OF_FILES);
    space.run(&build).expect(0);
    let old = fs::read(out.join("boot-image/i.wim")).expect("a result");
    space.write("files/a.bin", noise(12 << 20));
    let run = space.run(&build);
    run.expect(3).says(out.to_str().expect("UTF-8")).says("free").says("help: free space");
    assert_eq!(fs::read(out.join("boot-image/i.wim")).expect("a result"), old);
    space.write("files/a.bin", noise(3 << 20));
    space.run(&build).expect(0);
    assert_eq!(names(&out.join("boot-image")), ["i.wim"]);
}

/// 3000 files of 100 bytes need 12 MB on a file system with blocks: only the write itself can tell.
#[test]
fn a_disk_that_is_full_in_the_middle_of_a_result_keeps_the_old_one() {
    let space = package_of(&[("first.txt", "first")]);
    let out = space.path().join("out");
    let Some(_disk) = Mount::tmpfs(&out, "size=8m") else { return };
    let build = ["build", "package:p", "--out", out.to_str().expect("UTF-8")];
    space.run(&build).expect(0);
    for at in 0..3000 {
        space.write(&format!("files/many/{at}.txt"), format!("{at:100}"));
    }
    let run = space.run(&build);
    run.expect(3).says(out.to_str().expect("UTF-8")).says("help: free space");
    assert_eq!(tree(&out.join("package/p")).len(), 1, "the old result");
    assert_eq!(names(&out.join("package")), ["p"]);
    fs::remove_dir_all(space.project().join("files/many")).expect("removed");
    space.write("files/second.txt", "second");
    space.run(&build).expect(0);
    assert_eq!(tree(&out.join("package/p")).len(), 2);
    assert_eq!(names(&out.join("package")), ["p"]);
}

#[test]
fn a_full_store_is_an_error_of_the_environment_and_heals_with_space() {
    let space = package_of(&[("first.txt", "first")]);
    let Some(_disk) = Mount::tmpfs(&space.store(), "size=8m") else { return };
    space.run(PACKAGE).expect(0);
    space.write("files/large.bin", noise(12 << 20));
    let run = space.run(PACKAGE);
    run.expect(3).says(space.store().to_str().expect("UTF-8")).says("help: free");
    assert_eq!(tree(&space.result("package/p")).len(), 1, "the old result");
    space.write("files/large.bin", noise(2 << 20));
    space.run(PACKAGE).expect(0);
    space.run(&["store", "verify"]).expect(0);
    assert_eq!(names(&space.store().join("tmp")), ["lock"], "nothing is left in tmp/");
}

#[test]
fn inputs_that_have_no_room_are_refused_before_they_are_read() {
    let space = package_of(&[("huge.bin", "")]);
    let file = File::create(space.project().join("files/huge.bin")).expect("created");
    file.set_len(64 << 20).expect("sparse");
    let Some(_disk) = Mount::tmpfs(&space.store(), "size=8m") else { return };
    let run = space.run(PACKAGE);
    run.expect(3)
        .says("the inputs that are new to it need 67 MB")
        .says("help: mediabuild store gc");
    assert!(!run.stderr.contains("import files"), "nothing was begun: {}", run.stderr);
    let run = Run::of(space.command().args(PACKAGE).arg("--no-space-check"));
    // It is one hole, and a hole takes no room.
    run.expect(0);
}

/// Whichever write is the first without room: the pack, a large file, the index or its log.
#[test]
fn a_store_that_fills_up_anywhere_stays_whole() {
    let space = TestSpace::quickstart();
    let wanted = space.build(&[]);
    fs::remove_dir_all(space.store()).expect("removed");
    let Some(_disk) = Mount::tmpfs(&space.store(), "size=4m") else { return };
    let mut failed = 0;
    for free_kib in (0..1600).step_by(40) {
        forget_results(&space);
        fs::remove_dir_all(space.store()).unwrap_or_default();
        let ballast = fill_but(&space.store(), free_kib << 10);
        let run = space.run(&["build"]);
        if run.code != Some(0) {
            failed += 1;
            run.expect(3).says(space.store().to_str().expect("UTF-8")).says("help: ");
        }
        ballast.set_len(0).expect("shrinks");
        let healed = space.run(&["build"]);
        healed.expect(0);
        for name in ["boot.iso", "factory.wim"] {
            assert_eq!(healed.digest(name), wanted.digest(name), "{free_kib} KiB were free");
        }
        space.run(&["store", "verify"]).expect(0);
    }
    assert!((5..40).contains(&failed), "{failed} of 40 builds failed");
}

/// Fills a store's file system with a file that a store may hold, up to some free bytes.
fn fill_but(store: &Path, free_bytes: u64) -> File {
    let path = store.join("tmp/lock");
    fs::create_dir_all(path.parent().expect("tmp")).expect("a folder");
    let mut file = File::create(path).expect("created");
    let chunk = [0xb5; 4096];
    while file.write_all(&chunk).is_ok() {}
    let size = file.metadata().expect("a stat").len();
    file.set_len(size.saturating_sub(free_bytes)).expect("shrinks");
    file
}

// --- the store ---

#[test]
fn a_damaged_store_file_is_named_or_made_again_and_its_removal_heals_the_store() {
    // Small things that a build stores again are compared with what is there, and replaced; what is
    // left to be noticed is the large blob.
    let (noticed, of) = damage_one_after_another(flip);
    assert!(noticed >= 1, "{noticed} of {of} damaged files were noticed");
}

#[test]
fn a_lost_or_shortened_store_file_is_brought_again() {
    assert_eq!(damage_one_after_another(truncate).0, 0);
    assert_eq!(damage_one_after_another(remove).0, 0);
}

/// Damages every third file of a store, builds, removes the file, builds; gives how often the first
/// build failed, and of how many.
fn damage_one_after_another(damage: fn(&Path) -> std::io::Result<()>) -> (usize, usize) {
    let (mut noticed, mut times, mut files) = (0, 0, 1);
    while times * 3 < files {
        let space = TestSpace::quickstart();
        space.write("packages/branding/large.bin", noise(3 << 20));
        let digest = space.build(&["factory"]).digest("factory.wim").to_owned();
        forget_results(&space);
        let stored = stored_files(&space.store());
        files = stored.len();
        let file = &stored[times * 3];
        damage(file).expect("damaged");
        noticed += usize::from(damaged_is_noticed(&space, file, &digest));
        let _ = fs::remove_file(file);
        forget_results(&space);
        let healed = space.run(&["build", "factory"]);
        healed.expect(0);
        assert_eq!(healed.digest("factory.wim"), digest);
        times += 1;
    }
    (noticed, times)
}

/// Whether a build met the damage: then it fails, and `store verify` names the file. Otherwise the
/// file holds nothing that this result is made of, or was brought again.
fn damaged_is_noticed(space: &TestSpace, file: &Path, digest: &str) -> bool {
    let run = space.run(&["build", "factory"]);
    assert!(!run.stderr.contains("panicked"), "{}", run.stderr);
    let name = file.file_name().expect("a name").to_string_lossy().into_owned();
    let verified = space.run(&["store", "verify"]);
    if verified.code != Some(0) || run.code != Some(0) {
        verified.expect(1).says(&name).says("help: mediabuild store verify --repair");
    }
    if run.code == Some(0) {
        assert_eq!(run.digest("factory.wim"), digest);
        return false;
    }
    run.expect(1).says("store").says("help: ");
    assert_nothing_built(space);
    true
}

fn forget_results(space: &TestSpace) {
    let _ = fs::remove_dir_all(space.project().join("result"));
}

#[test]
fn a_store_that_is_no_store_is_left_alone() {
    let space = package_of(&[("a.txt", "")]);
    fs::create_dir_all(space.store()).expect("a folder");
    fs::write(space.store().join("thesis.doc"), "mine").expect("written");
    let run = space.run(PACKAGE);
    assert!(matches!(run.code, Some(1..=3)), "{run:?}");
    run.says(space.store().to_str().expect("UTF-8")).says("--store");
    assert_eq!(names(&space.store()), ["thesis.doc"]);
}

fn remove(path: &Path) -> std::io::Result<()> {
    fs::remove_file(path)
}

fn truncate(path: &Path) -> std::io::Result<()> {
    let file = writable(path)?;
    file.set_len(file.metadata()?.len() / 2)
}

fn flip(path: &Path) -> std::io::Result<()> {
    let file = writable(path)?;
    // In a pack the first members are contents, so that every build reads them.
    let mut byte = [0];
    for at in (8..file.metadata()?.len()).step_by(97) {
        file.read_exact_at(&mut byte, at)?;
        file.write_all_at(&[byte[0] ^ 0xff], at)?;
    }
    Ok(())
}

fn writable(path: &Path) -> std::io::Result<File> {
    fs::set_permissions(path, fs::Permissions::from_mode(0o644))?;
    OpenOptions::new().read(true).write(true).open(path)
}

/// Files that hold contents: large ones and packs.
fn stored_files(store: &Path) -> Vec<PathBuf> {
    let files = ["objects", "packs"].map(|folder| walkdir::WalkDir::new(store.join(folder)));
    let files = files.into_iter().flatten().map(|entry| entry.expect("readable"));
    let mut files: Vec<PathBuf> =
        files.filter(|entry| entry.file_type().is_file()).map(|entry| entry.into_path()).collect();
    files.sort();
    assert!(files.len() >= 2, "{files:?}");
    files
}

// --- what the tests share ---

const PACKAGE: &[&str] = &["build", "package:p"];

const IMAGE_OF_FILES: &str = r#"project "p"
boot-image "i" arch="amd64" { source "files"; compression "none" }"#;

fn definition(source: &str) -> String {
    format!("project \"p\"\npackage \"p\" {{ {source} }}\n")
}

/// A project whose package `p` has these files.
fn package_of(files: &[(&str, &str)]) -> TestSpace {
    let space = TestSpace::new();
    space.write("mediabuild.kdl", definition("source \"files\""));
    for (name, content) in files {
        space.write(&format!("files/{name}"), content);
    }
    space
}

#[track_caller]
fn assert_nothing_built(space: &TestSpace) {
    let result = space.project().join("result");
    assert!(!result.exists() || tree(&result).is_empty(), "something was written");
}

/// Bytes that nothing compresses or shares.
fn noise(size: usize) -> Vec<u8> {
    let mut bytes = vec![0; size];
    blake3::Hasher::new().update(&size.to_le_bytes()).finalize_xof().fill(&mut bytes);
    bytes
}

fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}

/// A folder that cannot be written to, for root too.
fn read_only(folder: &Path) -> Option<Option<Mount>> {
    if is_root() {
        return Mount::tmpfs(folder, "ro").map(Some);
    }
    fs::create_dir_all(folder).expect("a folder");
    fs::set_permissions(folder, fs::Permissions::from_mode(0o555)).expect("permissions");
    Some(None)
}

/// A file system in memory, gone when dropped.
struct Mount(PathBuf);

impl Mount {
    /// `None`, said aloud, where that is not allowed.
    fn tmpfs(folder: &Path, options: &str) -> Option<Self> {
        fs::create_dir_all(folder).expect("a folder");
        let mount =
            Command::new("mount").args(["-t", "tmpfs", "-o", options, "none"]).arg(folder).output();
        if mount.is_ok_and(|output| output.status.success()) {
            return Some(Mount(folder.to_owned()));
        }
        println!("skipped: no right to mount");
        None
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

/// A project with a boot image out of `inputs/base.wim`.
struct BaseWim {
    space: TestSpace,
}

impl BaseWim {
    fn new() -> Self {
        let space = TestSpace::new();
        space.write(
            "mediabuild.kdl",
            "project \"p\"\n\
             boot-image \"pe\" arch=\"amd64\" { wim \"inputs/base.wim\" index=1; start \"x\" }\n",
        );
        BaseWim { space }
    }

    /// Builds with 4 GB of address space.
    fn build(&self, bytes: &[u8]) -> Run {
        self.space.write("inputs/base.wim", bytes);
        let mut limited = Command::new("sh");
        limited.args([
            "-c",
            "ulimit -v 4194304; exec \"$@\"",
            "sh",
            env!("CARGO_BIN_EXE_mediabuild"),
        ]);
        limited.args(["build", "boot-image:pe"]).current_dir(self.space.project());
        limited.env("MEDIABUILD_STORE", self.space.store()).env("NO_COLOR", "1");
        Run::of(&mut limited)
    }

    #[track_caller]
    fn accepted(&self, bytes: &[u8]) {
        self.build(bytes).expect(0);
        self.forget_result();
    }

    #[track_caller]
    fn refused(&self, bytes: &[u8], what: &str) -> Run {
        let run = self.build(bytes);
        self.assert_refused(&run, what);
        run
    }

    #[track_caller]
    fn assert_refused(&self, run: &Run, what: &str) {
        assert!(matches!(run.code, Some(1 | 2)), "{what}: {run:?}");
        assert!(run.stderr.contains("inputs/base.wim"), "{what} is not named:\n{}", run.stderr);
        assert!(run.stderr.contains("help: "), "{what}: what to do?\n{}", run.stderr);
        for bug in ["panicked", "internal error", "memory allocation"] {
            assert!(!run.stderr.contains(bug), "{what}:\n{}", run.stderr);
        }
        assert!(!self.space.project().join("result").exists(), "{what}");
    }

    fn forget_result(&self) {
        let _ = fs::remove_dir_all(self.space.project().join("result"));
    }
}

/// An uncompressed WIM with one folder and two files, to be edited.
struct Edited {
    bytes: Vec<u8>,
    /// Offset of the blob table.
    table: usize,
    /// Position of the metadata in the blob table.
    metadata: usize,
    /// Offset of the metadata, and its size.
    start: usize,
    size: usize,
}

fn uncompressed_wim(space: &TestSpace) -> Edited {
    let kdl = fs::read(space.project().join("mediabuild.kdl")).expect("definitions");
    space.write("files/folder/inside.txt", noise(5000));
    space.write("files/outside.txt", noise(7000));
    space.write("mediabuild.kdl", IMAGE_OF_FILES);
    space.build(&["boot-image:i"]);
    let bytes = fs::read(space.result("boot-image/i.wim")).expect("a WIM");
    fs::remove_dir_all(space.project().join("result")).expect("removed");
    space.write("mediabuild.kdl", kdl);
    let table = u64_at(&bytes, 0x38) as usize;
    let metadata = (0..).find(|number| bytes[table + 50 * number + 7] & 2 != 0).expect("metadata");
    let start = u64_at(&bytes, table + 50 * metadata + 8) as usize;
    let size = u64_at(&bytes, table + 50 * metadata + 16) as usize;
    Edited { bytes, table, metadata, start, size }
}

impl Edited {
    /// File offset of the dentry of a file of the root, or of the root for an empty name.
    fn dentry(&self, name: &str) -> usize {
        let security = u64_at(&self.bytes, self.start) as usize & 0xffff_ffff;
        let root = self.start + security.max(8).next_multiple_of(8);
        if name.is_empty() {
            return root;
        }
        let name: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let metadata = &self.bytes[self.start..self.start + self.size];
        let at = metadata.windows(name.len()).position(|window| window == name).expect("its name");
        self.start + at - 102
    }

    /// With a field of the metadata changed, and the hash that covers it.
    fn with_metadata(&self, at: usize, value: u64) -> Vec<u8> {
        let mut bytes = self.bytes.clone();
        bytes[at..at + 8].copy_from_slice(&value.to_le_bytes());
        let sha1 = Sha1::digest(&bytes[self.start..self.start + self.size]);
        let entry = self.table + 50 * self.metadata;
        bytes[entry + 30..entry + 50].copy_from_slice(&sha1);
        bytes
    }
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"))
}
