//! The writer's discs, seen by independent programs.

use std::path::Path;

use mediabuild_formats::iso::{BootEntry, Disc, Options, Tree, View, WriteError, write};
use mediabuild_formats::layout::{Extent, Layout};
use mediabuild_formats::volume::TreeError;

use crate::content::{Content, bytes, layout, options, tree};
use crate::images::peer::{Scratch, find, pycdlib, run};
use crate::images::to_file;

/// Names and sizes that matter: every kind of character set, sector ends, equal contents.
pub(crate) fn sample() -> Vec<(&'static str, Vec<u8>)> {
    let noise = |seed: u32, size: usize| -> Vec<u8> {
        let mut state = seed;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        };
        (0..size).map(|_| next()).collect()
    };
    vec![
        ("sources/boot.wim", noise(1, 3_000_001)),
        ("sources/install.wim", noise(2, 1 << 20)),
        ("boot/bcd", noise(3, 24_576)),
        ("boot/boot.sdi", noise(4, 2048)),
        ("boot/etfsboot.com", noise(5, 4096)),
        ("boot/fonts/Ségoe.ttf", noise(6, 2049)),
        ("efi/boot/bootx64.efi", noise(7, 1)),
        ("efi/microsoft/boot/efisys.bin", noise(8, 1_474_560)),
        ("bootmgr", noise(9, 400_000)),
        ("empty", Vec::new()),
        ("Ünïcode/Жук.txt", noise(10, 2047)),
        ("Ünïcode/💾 disk.txt", noise(11, 100)),
        ("drivers/a/net.sys", noise(12, 70_000)),
        ("drivers/b/net.sys", noise(12, 70_000)),
        ("drivers/c/NET.SYS", noise(12, 70_000)),
    ]
}

pub(crate) fn bootable() -> (Tree<Content>, Options<Content>) {
    let files = sample();
    let mut tree = tree(&files);
    tree.insert_directory("empty folder").unwrap();
    for index in 0..200 {
        let path = format!("many/a rather long name so that identifiers straddle blocks {index}");
        tree.insert(&path, Content::Bytes(vec![index as u8; index]), index as u64).unwrap();
    }
    let image = |path: &str| {
        let (_, bytes) = files.iter().find(|(other, _)| *other == path).expect("in the sample");
        BootEntry { content: Content::Bytes(bytes.clone()), size_bytes: bytes.len() as u64 }
    };
    let mut options = options("Win 11 Ä");
    options.bios = Some(image("boot/etfsboot.com"));
    options.uefi = Some(image("efi/microsoft/boot/efisys.bin"));
    (tree, options)
}

pub(crate) fn small() -> Vec<(&'static str, Tree<Content>, Options<Content>)> {
    let one = tree(&[("a/b/c.txt", b"hello".to_vec())]);
    let foreign = BootEntry { content: Content::Bytes(vec![0xEE; 5000]), size_bytes: 5000 };
    let mut empty_only = Tree::new();
    empty_only.insert("empty.txt", Content::Bytes(Vec::new()), 0).unwrap();
    let mut bios_only = options("BIOS");
    bios_only.bios = Some(foreign.clone());
    let mut uefi_only = options("UEFI");
    uefi_only.uefi = Some(foreign);
    vec![
        ("plain", one.clone(), options("PLAIN")),
        ("no label", one.clone(), options("")),
        ("nothing", Tree::new(), options("EMPTY")),
        ("empty file", empty_only.clone(), options("EMPTY")),
        ("bios", one.clone(), bios_only.clone()),
        ("uefi", one, uefi_only.clone()),
        ("bios and no data", empty_only, bios_only),
        ("uefi and nothing", Tree::new(), uefi_only),
    ]
}

/// As `options` say, with ISO 9660 and Joliet trees.
pub(crate) fn mirrored(options: &Options<Content>) -> Options<Content> {
    Options { is_mirrored: true, ..options.clone() }
}

#[test]
fn seven_zip_finds_no_error() {
    let Some(_) = find("7zz") else { return };
    let scratch = Scratch::new();
    let (tree, options) = bootable();
    for (name, tree, options) in small().into_iter().chain([("bootable", tree, options)]) {
        let disc = scratch.path("disc.iso");
        to_file(&layout(&tree, &options).0, &disc);
        let mut command = find("7zz").expect("found above");
        let told = run(command.args(["t", "-tudf"]).arg(&disc));
        let told = String::from_utf8_lossy(&told);
        assert!(told.contains("Everything is Ok") && !told.contains("WARNING"), "{name}: {told}");
    }
}

#[test]
fn seven_zip_extracts_equal_bytes() {
    let Some(mut command) = find("7zz") else { return };
    let scratch = Scratch::new();
    let (disc, folder) = (scratch.path("disc.iso"), scratch.path("out"));
    let (tree, options) = bootable();
    to_file(&layout(&tree, &options).0, &disc);
    let mut target = std::ffi::OsString::from("-o");
    target.push(&folder);
    run(command.args(["x", "-tudf"]).arg(target).arg(&disc));
    for (path, expected) in sample() {
        assert!(std::fs::read(folder.join(path)).unwrap() == expected, "{path}");
    }
    assert!(folder.join("empty folder").is_dir());
    assert_eq!(std::fs::read_dir(folder.join("many")).unwrap().count(), 200);
}

#[test]
fn udfinfo_finds_a_whole_read_only_disc() {
    let Some(mut command) = find("udfinfo") else { return };
    let scratch = Scratch::new();
    let disc = scratch.path("disc.iso");
    let (tree, options) = bootable();
    let (layout, written) = layout(&tree, &options);
    to_file(&layout, &disc);
    let told = String::from_utf8(run(command.arg("--locale").arg(&disc))).unwrap();
    for line in [
        "label=Win 11 Ä".to_owned(),
        "udfrev=1.02".to_owned(),
        "integrity=closed".to_owned(),
        "accesstype=readonly".to_owned(),
        format!("numfiles={}", written.file_count),
        format!("numdirs={}", written.directory_count),
        "uuid=0123456789abcdef".to_owned(),
    ] {
        assert!(told.lines().any(|told| told == line), "no {line:?} in {told}");
    }
}

/// pycdlib takes a boot entry's 512 bytes for the size of the file that shares its sectors, so the
/// UEFI image is compared on a disc without that entry.
#[test]
fn pycdlib_walks_and_reads_equal_bytes() {
    let Some(_) = pycdlib() else { return };
    let (tree, options) = bootable();
    let without_uefi = Options { uefi: None, ..options.clone() };
    for (options, skipped) in [(without_uefi, ""), (options, "efi/microsoft/boot/efisys.bin")] {
        let scratch = Scratch::new();
        let (disc, folder) = (scratch.path("disc.iso"), scratch.path("out"));
        to_file(&layout(&tree, &options).0, &disc);
        std::fs::create_dir(&folder).unwrap();
        let mut command = pycdlib().expect("found above");
        run(command.args(["-c", PYCDLIB_EXTRACT]).arg(&disc).arg(&folder));
        for (path, expected) in sample().into_iter().filter(|(path, _)| *path != skipped) {
            assert!(std::fs::read(folder.join(path)).unwrap() == expected, "{path}");
        }
        let readme = std::fs::read_to_string(folder.join("readme")).unwrap();
        assert!(readme.contains("UDF"), "{readme}");
    }
}

const PYCDLIB_EXTRACT: &str = r"
import os, sys, pycdlib
disc, folder = sys.argv[1:]
iso = pycdlib.PyCdlib()
iso.open(disc)
for top, directories, files in iso.walk(udf_path='/'):
    os.makedirs(folder + top, exist_ok=True)
    for name in files:
        path = top.rstrip('/') + '/' + name
        with open(folder + path, 'wb') as out:
            iso.get_file_from_iso_fp(out, udf_path=path)
with open(folder + '/readme', 'wb') as out:
    iso.get_file_from_iso_fp(out, iso_path='/README.TXT;1')
";

#[test]
fn xorriso_lists_both_boot_entries() {
    let Some(mut command) = find("xorriso") else { return };
    let scratch = Scratch::new();
    let disc = scratch.path("disc.iso");
    let (tree, options) = bootable();
    to_file(&layout(&tree, &options).0, &disc);
    let told = run(command.arg("-indev").arg(&disc).args(["-report_el_torito", "plain"]));
    let told = String::from_utf8(told).unwrap();
    let entries: Vec<Vec<&str>> = told
        .lines()
        .filter_map(|line| line.strip_prefix("El Torito boot img :"))
        .map(|line| line.split_whitespace().collect())
        .collect();
    // Number, platform, bootable, emulation, load segment, heads-per-cylinder, load size.
    assert_eq!(entries[0][..7], ["1", "BIOS", "y", "none", "0x0000", "0x00", "8"], "{told}");
    assert_eq!(entries[1][..7], ["2", "UEFI", "y", "none", "0x0000", "0x00", "1"], "{told}");
    assert_eq!(entries.len(), 2);
}

#[test]
fn isoinfo_shows_the_text_file() {
    let Some(mut command) = find("isoinfo") else { return };
    let scratch = Scratch::new();
    let disc = scratch.path("disc.iso");
    let (tree, options) = bootable();
    to_file(&layout(&tree, &options).0, &disc);
    let told = String::from_utf8(run(command.args(["-f", "-i"]).arg(&disc))).unwrap();
    assert_eq!(told.trim(), "/README.TXT;1");
}

/// Where a content lies, in the order of the layout.
fn placed(layout: &Layout<Content>) -> Vec<(u64, Content)> {
    let mut offset_bytes = 0;
    let mut placed = Vec::new();
    for extent in &layout.extents {
        offset_bytes += match extent {
            Extent::Literal(bytes) => bytes.len() as u64,
            Extent::Zeros(count_bytes) => *count_bytes,
            Extent::Content { content, size_bytes } => {
                placed.push((offset_bytes, content.clone()));
                *size_bytes
            }
        };
    }
    placed
}

#[test]
fn equal_contents_are_stored_once() {
    let (tree, options) = bootable();
    let (layout, written) = layout(&tree, &options);
    let mut contents: Vec<Content> =
        placed(&layout).into_iter().map(|(_, content)| content).collect();
    let count = contents.len();
    contents.sort();
    contents.dedup();
    assert_eq!(contents.len(), count);
    // Two of the three drivers and both boot images.
    assert_eq!(written.shared_file_count, 4);
    assert_eq!(written.shared_size_bytes, 2 * 70_000 + 4096 + 1_474_560);
}

#[test]
fn large_contents_are_aligned() {
    let (tree, options) = bootable();
    let (layout, _) = layout(&tree, &options);
    for (offset_bytes, content) in placed(&layout) {
        let Content::Bytes(bytes) = content else { unreachable!("the sample has bytes") };
        let alignment = if bytes.len() >= 1 << 20 { 4096 } else { 2048 };
        assert!(offset_bytes.is_multiple_of(alignment), "{} at {offset_bytes}", bytes.len());
    }
}

#[test]
fn boot_files_come_first() {
    let files = ["a", "zz", "sources/boot.wim", "efi/x/y", "boot/bcd"];
    let mut tree = Tree::new();
    for path in files {
        tree.insert(path, Content::Bytes(path.as_bytes().to_vec()), path.len() as u64).unwrap();
    }
    let (layout, _) = layout(&tree, &options("ORDER"));
    let order: Vec<Content> = placed(&layout).into_iter().map(|(_, content)| content).collect();
    let expected = ["boot/bcd", "efi/x/y", "sources/boot.wim", "a", "zz"];
    assert_eq!(order, expected.map(|path| Content::Bytes(path.as_bytes().to_vec())));
}

#[test]
fn bytes_do_not_depend_on_insertion_order() {
    let files = sample();
    let reversed: Vec<_> = files.iter().rev().cloned().collect();
    assert!(bytes(&tree(&files), &options("X")) == bytes(&tree(&reversed), &options("X")));
}

#[test]
fn a_sink_that_is_not_empty_gets_the_same_disc() {
    use mediabuild_formats::layout::Sink;
    let (tree, options) = bootable();
    let (alone, _) = layout(&tree, &options);
    let mut behind: Layout<Content> = Layout::default();
    behind.content(&Content::Bytes(vec![1, 2, 3]), 3);
    write(&tree, &options, &mut behind).unwrap();
    assert!(behind.extents[1..] == alone.extents[..]);
}

#[test]
fn bad_trees_are_refused() {
    let mut tree: Tree<u8> = Tree::new();
    tree.insert("a/File.txt", 0, 1).unwrap();
    let mut told = |path: &str| tree.insert(path, 0, 1).unwrap_err().to_string();
    assert_eq!(told("a/File.txt"), "`a/File.txt` is in the tree already");
    assert_eq!(told("a"), "`a` is in the tree already");
    assert_eq!(told("a/fILE.TXT"), "`a/fILE.TXT` and its neighbour `File.txt` differ only by case");
    assert_eq!(told("A/x"), "`A/x` and its neighbour `a` differ only by case");
    assert_eq!(
        told("a/File.txt/x"),
        "`a/File.txt/x` needs `File.txt` to be a directory, but it is a file"
    );
    for path in ["", "/a", "a/", "a//b", "..", "a/./b", "a\0b", "a\\b", "a:b", "b.", "b "] {
        let refused = matches!(tree.insert(path, 0, 1), Err(TreeError::BadName { .. }));
        assert!(refused, "{path:?}");
    }
    assert!(tree.insert(&"x".repeat(254), 0, 1).is_ok());
    assert!(tree.insert(&"x".repeat(255), 0, 1).is_err());
    assert!(tree.insert(&"Ж".repeat(127), 0, 1).is_ok());
    assert!(tree.insert(&"Ж".repeat(128), 0, 1).is_err());
    assert!(tree.insert(&vec!["d"; 257].join("/"), 0, 1).is_err());
}

#[test]
fn what_does_not_fit_is_refused() {
    let refused = |size_bytes: u64, change: &dyn Fn(&mut Options<u8>)| {
        let mut tree: Tree<u8> = Tree::new();
        tree.insert("d/f", 0, size_bytes).unwrap();
        let mut options = Options::new("L", 0, [0; 8]);
        change(&mut options);
        let mut layout: Layout<u8> = Layout::default();
        write(&tree, &options, &mut layout).unwrap_err().to_string()
    };
    let image = |size_bytes| Some(BootEntry { content: 9, size_bytes });
    assert_eq!(
        Tree::new().insert("d/f", 0, 251_255_107_585).unwrap_err().to_string(),
        "`d/f` has 251255107585 bytes, and a file on a disc has at most 251255107584: divide it into \
         smaller files"
    );
    assert_eq!(
        refused(1, &|options| options.bios = image(65535 * 512 + 1)),
        "the BIOS boot image has 33553921 bytes, it needs 1 to 33553920"
    );
    assert_eq!(
        refused(1, &|options| options.uefi = image(0)),
        "the UEFI boot image has 0 bytes, it needs 1 to 251255107584"
    );
    assert!(refused(1, &|options| options.label = "x".repeat(127)).starts_with("the label"));
    assert!(refused(1, &|options| options.epoch_seconds = i64::MAX).starts_with("the time"));
    assert!(refused(1, &|options| options.epoch_seconds = -3_000_000_000).starts_with("the time"));
}

#[test]
fn a_disc_has_at_most_32_bit_sectors() {
    let mut tree: Tree<u32> = Tree::new();
    for index in 0..36 {
        tree.insert(&format!("f{index}"), index, 250_000_000_000).unwrap();
    }
    let mut layout: Layout<u32> = Layout::default();
    let error = write(&tree, &Options::new("L", 0, [0; 8]), &mut layout).unwrap_err();
    assert!(matches!(error, WriteError::DiscTooLarge { .. }), "{error}");
    assert_eq!(layout.size_bytes, 0);
}

/// As many files as a driver collection has: one directory's identifiers fill a thousand blocks.
#[test]
fn twenty_thousand_files_are_written_and_read() {
    let mut tree = Tree::new();
    for index in 0..20_000u32 {
        let path = format!("drivers/a file of a driver package, number {index}.sys");
        tree.insert(&path, Content::Bytes(index.to_le_bytes().to_vec()), 4).unwrap();
    }
    let bytes = bytes(&tree, &options("MANY"));
    let disc = Disc::open(&bytes).unwrap();
    assert_eq!(disc.verify(&bytes), []);
    let entries = disc.walk(&bytes, View::Udf).unwrap();
    let paths: Vec<&str> = entries.iter().map(|entry| entry.path.as_str()).collect();
    assert_eq!(paths.len(), 20_001);
    assert_eq!(paths[2], "drivers/a file of a driver package, number 1.sys");
    assert_eq!(paths[3], "drivers/a file of a driver package, number 10.sys");
}

/// Any change of the writer's bytes breaks this, which is the point.
#[test]
fn metadata_bytes_are_pinned() {
    let (tree, options) = bootable();
    let (layout, _) = layout(&tree, &options);
    let literals: Vec<u8> = layout
        .extents
        .iter()
        .filter_map(|extent| match extent {
            Extent::Literal(bytes) => Some(bytes.as_slice()),
            _ => None,
        })
        .collect::<Vec<_>>()
        .concat();
    let Some(mut command) = find("sha256sum") else { return };
    let scratch = Scratch::new();
    let path: &Path = &scratch.path("literals");
    std::fs::write(path, literals).unwrap();
    let told = String::from_utf8(run(command.arg(path))).unwrap();
    let pinned = "4acf23a7ac841e2887952b9c3be28842f5479d3e6ede4da35355475ffd1b91f0";
    assert_eq!((layout.size_bytes, &told[..64]), (7_499_776, pinned));
}
