//! Base WIMs that are damaged, hostile, or not the one that is meant.

use std::fs;
use std::process::Command;

use sha1::{Digest, Sha1};

use crate::harness::{Run, TestSpace, root, shared};
use crate::{IMAGE_OF_FILES, assert_nothing_built, noise};

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
