//! The reader: our own discs, those of other programs, damaged ones.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use mediabuild_formats::iso::{Disc, Options, View};
use mediabuild_formats::source::Source;
use mediabuild_formats::volume::{Entry, FileReader};

use crate::content::{EPOCH_SECONDS, bytes, options, tree};
use crate::images::FileSource;
use crate::images::peer::{Scratch, find, run};
use crate::write::{bootable, sample, small};

/// Files by path, directories with `None`.
pub(crate) type Listing = BTreeMap<String, Option<Vec<u8>>>;

pub(crate) fn listing<S: Source + ?Sized>(source: &S, entries: &[Entry]) -> Listing {
    let content = |entry: &Entry| {
        let mut bytes = Vec::new();
        FileReader::new(source, entry).read_to_end(&mut bytes).expect("extents are in the disc");
        assert_eq!(bytes.len() as u64, entry.size_bytes, "{}", entry.path);
        bytes
    };
    let pair = |entry: &Entry| (entry.path.clone(), (!entry.is_directory).then(|| content(entry)));
    entries.iter().map(pair).collect()
}

/// What lies in a folder, as `listing` tells a disc.
pub(crate) fn folder_listing(root: &Path) -> Listing {
    let (mut listing, mut waiting) = (Listing::new(), vec![root.to_owned()]);
    while let Some(folder) = waiting.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("readable").path();
            let is_folder = path.is_dir();
            let content = (!is_folder).then(|| std::fs::read(&path).expect("readable"));
            let name = path.strip_prefix(root).expect("it is below").to_str().expect("UTF-8");
            listing.insert(name.to_owned(), content);
            waiting.extend(is_folder.then_some(path));
        }
    }
    listing
}

fn no_findings<S: Source + ?Sized>(source: &S, name: &str) -> Disc {
    let disc = Disc::open(source).unwrap();
    assert_eq!(disc.verify(source), [], "{name}");
    disc
}

#[test]
fn our_discs_read_back_without_findings() {
    let (tree, options) = bootable();
    let bytes = bytes(&tree, &options);
    let disc = no_findings(&bytes, "bootable");
    assert_eq!(disc.views(), [View::Udf, View::Iso9660]);
    assert_eq!(disc.label(View::Udf), Some("Win 11 Ä"));
    assert_eq!(disc.label(View::Iso9660), Some("WIN_11__"));
    let entries = disc.walk(&bytes, View::Udf).unwrap();
    assert!(entries.iter().all(|entry| entry.modified_seconds == Some(EPOCH_SECONDS)));
    let listing = listing(&bytes, &entries);
    for (path, expected) in sample() {
        assert!(listing[path].as_ref() == Some(&expected), "{path}");
    }
    assert_eq!(listing["empty folder"], None);
    assert_eq!(listing.keys().filter(|path| path.starts_with("many/")).count(), 200);
    let iso = disc.walk(&bytes, View::Iso9660).unwrap();
    assert_eq!(iso[0].path, "README.TXT");
    assert_eq!(iso.len(), 1);
    let boot = disc.boot().unwrap();
    let told: Vec<_> =
        boot.images.iter().map(|image| (image.platform, image.sector_count)).collect();
    assert_eq!(told, [(0, 8), (0xEF, 1)]);
}

#[test]
fn small_discs_read_back_without_findings() {
    for (name, tree, options) in small() {
        let bytes = bytes(&tree, &options);
        let disc = no_findings(&bytes, name);
        assert_eq!(disc.walk(&bytes, View::Udf).unwrap().len(), count(tree.root()), "{name}");
    }
}

fn count<C>(directory: &mediabuild_formats::volume::Directory<C>) -> usize {
    use mediabuild_formats::volume::Node;
    let below = |node: &Node<C>| match node {
        Node::Directory(child) => 1 + count(child),
        Node::File { .. } => 1,
    };
    directory.entries().map(|(_, node)| below(node)).sum()
}

/// Without a BIOS entry the validation entry's platform is UEFI.
#[test]
fn an_uefi_only_disc_has_one_entry() {
    let (tree, options) = bootable();
    let options = Options { bios: None, ..options };
    let bytes = bytes(&tree, &options);
    let boot = no_findings(&bytes, "UEFI").boot().cloned().unwrap();
    assert_eq!(bytes[22 * 2048 + 1], 0xEF);
    let told: Vec<_> =
        boot.images.iter().map(|image| (image.platform, image.sector_count)).collect();
    assert_eq!(told, [(0xEF, 1)]);
}

#[test]
fn a_dump_tells_the_whole_disc() {
    let mut options = options("Tiny");
    options.bios = Some(mediabuild_formats::iso::BootEntry {
        content: crate::content::Content::Bytes(vec![1; 2048]),
        size_bytes: 2048,
    });
    let tree = tree(&[("b/Жук.txt", vec![2; 3000]), ("a.txt", vec![3; 1]), ("empty", vec![])]);
    let bytes = bytes(&tree, &options);
    let text = Disc::open(&bytes).unwrap().dump(&bytes).unwrap();
    insta::assert_snapshot!(text, @r#"
    disc 591872 bytes, 289 sectors
    volume ISO 9660 at sector 16
      label "TINY"
      set "0123456789ABCDEF"
      application "MEDIABUILD"
      created 2026-11-01T00:00:00Z
      size 289 sectors
      root at sector 66, 2048 bytes
      path tables at sectors 67 and 68, 10 bytes
    volume UDF 1.02
      label "Tiny"
      set "0123456789ABCDEF"
      recorded 2026-11-01T00:00:00Z
      anchor at sector 256: sequences at 32 and 48
      anchor at sector 288: sequences at 32 and 48
      integrity at sector 64
      partition at sector 257, 31 blocks
      file set at block 0, root at block 3
    boot catalog at sector 22
      BIOS bootable, media 0, segment 0x0, at sector 259, 4 x 512 bytes
    tree UDF
      2026-11-01T00:00:00Z a.txt 1 at 267
      2026-11-01T00:00:00Z b/
      2026-11-01T00:00:00Z b/Жук.txt 3000 at 268
      2026-11-01T00:00:00Z empty 0 at nowhere
    tree ISO 9660
      2026-11-01T00:00:00Z README.TXT 113 at 69
    "#);
}

/// A folder of files as other programs take it.
pub(crate) fn folder(scratch: &Scratch) -> std::path::PathBuf {
    let root = scratch.path("tree");
    for (path, bytes) in peer_sample() {
        let path = root.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    std::fs::create_dir(root.join("empty folder")).unwrap();
    root
}

fn peer_sample() -> Vec<(String, Vec<u8>)> {
    let mut files = vec![
        ("a/b/c/deep.txt".to_owned(), b"deep".to_vec()),
        ("boot.bin".to_owned(), vec![9; 2048]),
        ("empty.txt".to_owned(), Vec::new()),
        ("large.bin".to_owned(), (0..1_000_000u32).map(|index| (index / 7) as u8).collect()),
        ("A rather long name with spaces.text".to_owned(), b"long".to_vec()),
        ("Ä é ß.txt".to_owned(), b"Latin-1".to_vec()),
        ("Жук 日本.txt".to_owned(), b"UTF-16".to_vec()),
    ];
    // Enough that a directory has several sectors.
    let many = (0..150).map(|index| (format!("many/file number {index}.dat"), vec![index; 5]));
    files.extend(many);
    files
}

fn expected() -> Listing {
    let mut listing: Listing =
        peer_sample().into_iter().map(|(path, it)| (path, Some(it))).collect();
    for directory in ["a", "a/b", "a/b/c", "many", "empty folder"] {
        listing.insert(directory.to_owned(), None);
    }
    listing
}

/// Reads a tree of a disc that has nothing wrong but what `known` says.
fn read_all(path: &Path, view: View, known: &[&str]) -> Listing {
    let source = FileSource(std::fs::File::open(path).unwrap());
    let disc = Disc::open(&source).unwrap();
    let messages: Vec<String> = disc.verify(&source).into_iter().map(|it| it.message).collect();
    assert_eq!(messages, known, "{}", view.name());
    listing(&source, &disc.walk(&source, view).unwrap())
}

#[test]
fn genisoimage_discs_read_equal() {
    let Some(mut command) = find("genisoimage") else { return };
    let scratch = Scratch::new();
    let (tree, disc) = (folder(&scratch), scratch.path("disc.iso"));
    command.args([
        "-quiet",
        "-input-charset",
        "utf-8",
        "-udf",
        "-J",
        "-joliet-long",
        "-R",
        "-V",
        "GENISO",
        "-b",
        "boot.bin",
    ]);
    command.args(["-no-emul-boot", "-boot-load-size", "4", "-c", "boot.cat", "-o"]);
    run(command.arg(&disc).arg(&tree));
    for view in [View::Udf, View::Joliet, View::RockRidge] {
        // genisoimage draws another random volume set id for the reserve sequence.
        let known = "at 98304: the reserve sequence has another volume set id than the main one";
        let mut listing = read_all(&disc, view, &[known]);
        assert!(listing.remove("boot.cat").is_some());
        assert!(listing == expected(), "{}", view.name());
    }
    let source = FileSource(std::fs::File::open(&disc).unwrap());
    let opened = Disc::open(&source).unwrap();
    assert!(opened.verify(&source).iter().all(|finding| !finding.is_fault), "a remark");
    assert_eq!(opened.label(View::Udf), Some("GENISO"));
    assert_eq!(opened.boot().unwrap().images[0].sector_count, 4);
    let plain = opened.walk(&source, View::Iso9660).unwrap();
    assert!(plain.iter().any(|entry| entry.path == "A/B/C/DEEP.TXT"));
}

#[test]
fn xorriso_discs_read_equal() {
    let Some(mut command) = find("xorriso") else { return };
    let scratch = Scratch::new();
    let (tree, disc) = (folder(&scratch), scratch.path("disc.iso"));
    command.args([
        "-as",
        "mkisofs",
        "-quiet",
        "-input-charset",
        "utf-8",
        "-J",
        "-joliet-long",
        "-R",
        "-V",
        "XORRISO",
    ]);
    command.args(["-b", "boot.bin", "-no-emul-boot", "-boot-load-size", "4", "-c", "boot.cat"]);
    command.args(["-eltorito-alt-boot", "-e", "large.bin", "-no-emul-boot", "-o"]);
    run(command.arg(&disc).arg(&tree));
    for view in [View::Joliet, View::RockRidge] {
        let mut listing = read_all(&disc, view, &[]);
        assert!(listing.remove("boot.cat").is_some());
        assert!(listing == expected(), "{}", view.name());
    }
    let source = FileSource(std::fs::File::open(&disc).unwrap());
    let boot = Disc::open(&source).unwrap().boot().cloned().unwrap();
    assert_eq!(boot.images.iter().map(|image| image.platform).collect::<Vec<_>>(), [0, 0xEF]);
}

#[test]
fn files_of_several_iso_9660_records_are_one() {
    let bytes = damaged(|bytes| {
        // The text file's record becomes two: sector 69 as a whole, then 5 bytes of it.
        let record = 66 * 2048 + 68;
        let mut second = bytes[record..record + 46].to_vec();
        second[10..18].copy_from_slice(&[5, 0, 0, 0, 0, 0, 0, 5]);
        bytes[record + 46..record + 92].copy_from_slice(&second);
        bytes[record + 10..record + 18].copy_from_slice(&[0, 8, 0, 0, 0, 0, 8, 0]);
        bytes[record + 25] = 0x80;
    });
    let disc = Disc::open(&bytes).unwrap();
    let entries = disc.walk(&bytes, View::Iso9660).unwrap();
    assert_eq!((entries.len(), entries[0].size_bytes), (1, 2053));
    let listing = listing(&bytes, &entries);
    let content = listing["README.TXT"].as_ref().unwrap();
    assert_eq!(content[..5], content[2048..]);
}

#[test]
fn a_file_whose_further_records_are_missing_is_an_error() {
    let bytes = damaged(|bytes| bytes[66 * 2048 + 68 + 25] = 0x80);
    let error = Disc::open(&bytes).unwrap().walk(&bytes, View::Iso9660).unwrap_err();
    let told = "at 135168: expected the next record of a file of several, found none";
    assert_eq!(error.to_string(), told);
}

/// Offsets in a disc of one file: where things are that the tests damage.
const FILE_SET: usize = 257 * 2048;
const ROOT_ENTRY: usize = 259 * 2048;
const ROOT_IDENTIFIERS: usize = 260 * 2048;

/// A disc with one file in a directory, changed in place.
fn damaged(change: impl FnOnce(&mut [u8])) -> Vec<u8> {
    let mut bytes = bytes(&tree(&[("d/f.txt", b"hello".to_vec())]), &options("X"));
    change(&mut bytes);
    bytes
}

fn findings(bytes: &Vec<u8>) -> Vec<String> {
    let disc = Disc::open(bytes).unwrap();
    disc.verify(bytes).into_iter().map(|finding| finding.message).collect()
}

/// Puts the right checksum on a changed tag.
fn reseal(tag: &mut [u8]) {
    tag[4] = 0;
    tag[4] = tag[..16].iter().fold(0, |sum: u8, &byte| sum.wrapping_add(byte));
}

#[test]
fn a_wrong_crc_is_found() {
    let bytes = damaged(|bytes| bytes[ROOT_ENTRY + 72] ^= 1);
    assert_eq!(findings(&bytes), ["at 530432: tag 261 has a wrong CRC"]);
    let disc = Disc::open(&bytes).unwrap();
    assert_eq!(disc.walk(&bytes, View::Udf).unwrap().len(), 2);
}

#[test]
fn a_wrong_tag_is_an_error_with_its_place() {
    let bytes = damaged(|bytes| bytes[ROOT_ENTRY + 12] ^= 1);
    let error = Disc::open(&bytes).unwrap().walk(&bytes, View::Udf).unwrap_err();
    let told = "at 530432: expected a tag with a right checksum, found tag 261 with another";
    assert_eq!(error.to_string(), told);
    let bytes = damaged(|bytes| {
        bytes[ROOT_ENTRY + 12] ^= 1;
        reseal(&mut bytes[ROOT_ENTRY..]);
    });
    assert_eq!(findings(&bytes), ["at 530432: tag 261 says block 3, it is in 2"]);
}

#[test]
fn a_directory_in_itself_is_an_error() {
    // The second identifier's ICB: the root's own block.
    let bytes = damaged(|bytes| bytes[ROOT_IDENTIFIERS + 40 + 24] = 2);
    let error = Disc::open(&bytes).unwrap().walk(&bytes, View::Udf).unwrap_err();
    let told = "at 530432: expected a directory that is in one place of the tree, found one that \
                was met before";
    assert_eq!(error.to_string(), told);
}

#[test]
fn names_that_lead_elsewhere_are_errors() {
    for name in [*b"..", *b"a/", *b"\0a", *b"a\\"] {
        let mut bytes = bytes(&tree(&[("dd", b"hello".to_vec())]), &options("X"));
        bytes[ROOT_IDENTIFIERS + 40 + 39..][..2].copy_from_slice(&name);
        let error = Disc::open(&bytes).unwrap().walk(&bytes, View::Udf).unwrap_err();
        let told = error.to_string();
        assert!(told.starts_with("at 532520: expected a name: one path component"), "{told}");
    }
}

#[test]
fn declared_sizes_are_not_believed() {
    let bytes = damaged(|bytes| bytes[ROOT_ENTRY + 56 + 7] = 0x7F);
    let error = Disc::open(&bytes).unwrap().walk(&bytes, View::Udf).unwrap_err();
    assert!(error.to_string().contains("expected extents for all of the file"), "{error}");
    // 1 GiB of a short_ad and of the size.
    let bytes = damaged(|bytes| {
        bytes[ROOT_ENTRY + 56..][..8].copy_from_slice(&0x3FFF_FFFFu64.to_le_bytes());
        bytes[ROOT_ENTRY + 176..][..4].copy_from_slice(&0x3FFF_FFFFu32.to_le_bytes());
    });
    let error = Disc::open(&bytes).unwrap().walk(&bytes, View::Udf).unwrap_err();
    assert!(error.to_string().contains("expected a block inside a partition"), "{error}");
}

#[test]
fn the_reserve_sequence_serves_when_the_main_one_is_damaged() {
    let bytes = damaged(|bytes| bytes[35 * 2048..36 * 2048].fill(0xFF));
    let disc = Disc::open(&bytes).unwrap();
    assert_eq!(disc.walk(&bytes, View::Udf).unwrap().len(), 2);
    assert!(!disc.verify(&bytes).is_empty());
}

#[test]
fn one_anchor_is_enough_and_is_told() {
    let bytes = damaged(|bytes| bytes[256 * 2048..257 * 2048].fill(0));
    assert_eq!(findings(&bytes).len(), 1, "{:?}", findings(&bytes));
    assert!(findings(&bytes)[0].ends_with("there is only one anchor"));
}

/// Who changes a volume appends a descriptor as it opens it and one as it closes it.
#[test]
fn the_last_integrity_descriptor_counts() {
    let bytes = damaged(|bytes| {
        let first = bytes[64 * 2048..65 * 2048].to_vec();
        bytes[65 * 2048..66 * 2048].copy_from_slice(&first);
        bytes[65 * 2048 + 12] = 65;
        reseal(&mut bytes[65 * 2048..]);
        // Open, and of no files.
        bytes[64 * 2048 + 28] = 0;
        bytes[64 * 2048 + 120] = 0;
    });
    assert_eq!(findings(&bytes), [""; 0]);
    // One that says the next is in its own sector is read no more often than any sequence.
    let bytes = damaged(|bytes| {
        bytes[64 * 2048 + 32..][..8].copy_from_slice(&[0, 8, 0, 0, 64, 0, 0, 0]);
    });
    assert_eq!(findings(&bytes), ["at 131072: tag 9 has a wrong CRC"]);
}

#[test]
fn a_disc_whose_udf_is_broken_still_shows_iso_9660() {
    let bytes = damaged(|bytes| bytes[FILE_SET + 1] = 0);
    let disc = Disc::open(&bytes).unwrap();
    assert_eq!(disc.views(), [View::Iso9660]);
    let told = &disc.verify(&bytes)[0].message;
    assert_eq!(told, "at 526336: expected a file set descriptor, found tag 0");
}

#[test]
fn what_is_no_disc_is_said_to_be_none() {
    let told = |bytes: &[u8]| Disc::open(bytes).unwrap_err().to_string();
    assert_eq!(told(b""), "no ISO 9660 or UDF volume in these 0 bytes");
    assert_eq!(told(&[0; 100_000]), "no ISO 9660 or UDF volume in these 100000 bytes");
}

#[test]
fn path_tables_are_compared_with_the_tree() {
    let bytes = damaged(|bytes| bytes[67 * 2048 + 2] = 99);
    let told = findings(&bytes);
    assert_eq!(told[0], "at 137216: the two path tables differ");
    assert_eq!(told[1], "at 137216: the directory at sector 66 is only in the tree");
}
