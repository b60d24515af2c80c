//! UDF volumes of other makers with files in them: mkudffs or newfs_udf makes one, udfclient puts a
//! tree into it, our reader and 7-Zip tell what is there.
//!
//! udfclient 0.8.11 changes neither volumes with a virtual allocation table (CD-R, DVD-R, worm) nor
//! those with a metadata partition (UDF 2.50 on), and newfs_udf makes none: of those only the empty
//! ones of `foreign.rs` are read. On blocks of 4096 bytes it may never end. It writes no names of 16 bits: genisoimage's have them, in `read.rs`.

use std::ffi::OsStr;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use mediabuild_formats::iso::{Disc, View};

use crate::images::FileSource;
use crate::images::peer::{Scratch, find, find_first, told};
use crate::read::{Listing, folder_listing, listing};

const SET_ID: &str = "0123456789abcdef";
/// What UDF 1.50 has in the root of a volume with spare blocks (OSTA UDF 1.50, 2.3.13).
const SPARE_FILE: &str = "Non-Allocatable Space";
const HOLE: &str = "hole.bin";
const GROWN: &str = "grown.bin";
const LATIN: &str = "Äéß.bin";

struct Kind {
    /// For mkudffs; `None` is newfs_udf, which makes hard disks of UDF 2.01.
    media_and_revision: Option<(&'static str, &'static str)>,
    block_bytes: u64,
}

/// What differs on disc: version 2 and 3 of ECMA-167, sizes of blocks, spare blocks.
const KINDS: [Kind; 15] = [
    mkudffs("hd", "1.02", 512),
    mkudffs("hd", "1.02", 2048),
    mkudffs("hd", "1.50", 2048),
    mkudffs("hd", "2.00", 2048),
    mkudffs("hd", "2.01", 512),
    mkudffs("hd", "2.01", 1024),
    mkudffs("hd", "2.01", 2048),
    mkudffs("dvd", "1.02", 2048),
    mkudffs("dvdram", "2.00", 2048),
    mkudffs("cdrw", "1.50", 2048),
    mkudffs("cdrw", "2.01", 512),
    mkudffs("dvdrw", "2.00", 2048),
    newfs(512),
    newfs(1024),
    newfs(2048),
];

const fn mkudffs(media: &'static str, revision: &'static str, block_bytes: u64) -> Kind {
    Kind { media_and_revision: Some((media, revision)), block_bytes }
}

const fn newfs(block_bytes: u64) -> Kind {
    Kind { media_and_revision: None, block_bytes }
}

impl Kind {
    fn name(&self) -> String {
        match self.media_and_revision {
            Some((media, revision)) => format!("{media}-{revision}-{}", self.block_bytes),
            None => format!("newfs-{}", self.block_bytes),
        }
    }

    fn has_spare_blocks(&self) -> bool {
        self.media_and_revision.is_some_and(|(media, _)| media.ends_with("rw"))
    }

    /// 7-Zip knows neither spare blocks nor other sizes of blocks.
    fn is_known_to_seven_zip(&self) -> bool {
        !self.has_spare_blocks() && matches!(self.block_bytes, 512 | 2048)
    }

    /// udfclient takes a share of a volume for each file: hundreds need a large one. It is sparse.
    fn size_bytes(&self) -> u64 {
        self.block_bytes.max(1024) << 20
    }

    /// Makes the empty volume; the directory that udfclient shows it as.
    fn make(&self, disc: &Path) -> Option<String> {
        let Some((media, revision)) = self.media_and_revision else {
            let mut newfs = find("newfs_udf")?;
            newfs.args(["-b", &self.block_bytes.to_string()]);
            newfs.args(["-s", &(self.size_bytes() / self.block_bytes).to_string()]);
            done(newfs.args(["-S", SET_ID, "-P", "primary", "-L", "PUT"]).arg(disc));
            return Some(format!("{SET_ID}:primary:PUT:fileset"));
        };
        let mut mkudffs = find_first(&["mkudffs", "/usr/sbin/mkudffs"])?;
        std::fs::File::create(disc).unwrap().set_len(self.size_bytes()).unwrap();
        // The kind of media comes first.
        mkudffs.args(["--media-type", media, "--udfrev", revision, "--label=PUT"]);
        let uuid = format!("--uuid={SET_ID}");
        done(mkudffs.args([&uuid, "--blocksize", &self.block_bytes.to_string()]).arg(disc));
        Some(format!("{SET_ID}LinuxUDF:PUT:PUT:LinuxUDF"))
    }
}

fn done(command: &mut Command) {
    let output = command.output().expect("the program was found");
    assert!(output.status.success(), "{command:?}: {}", told(&output));
}

fn sample() -> Vec<(String, Vec<u8>)> {
    let mut files = vec![
        ("a/b/c/d/e/f/g/h/i/j/deep.txt".to_owned(), b"deep".to_vec()),
        ("empty.txt".to_owned(), Vec::new()),
        ("large.bin".to_owned(), (0..1_000_000u32).map(|index| (index / 7) as u8).collect()),
        ("block.bin".to_owned(), vec![7; 2048]),
        ("A rather long name with spaces.text".to_owned(), b"long".to_vec()),
        ("a/Жук💾.txt".to_owned(), b"as recorded: bytes".to_vec()),
        ("gone.txt".to_owned(), b"removed later".to_vec()),
    ];
    // Of a few bytes: they lie in their file entries; of more: in blocks.
    let size = |index: u16| usize::from(index) * 20;
    let many =
        (0..300).map(|index| (format!("many/file {index}.dat"), vec![index as u8; size(index)]));
    files.extend(many);
    files
}

fn folder(scratch: &Scratch) -> PathBuf {
    let root = scratch.path("tree");
    for (path, bytes) in sample() {
        let path = root.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    std::fs::create_dir(root.join("empty folder")).unwrap();
    // Its commands are of 7 bits: others come by a folder.
    let latin: Vec<u8> = LATIN.chars().map(|c| c as u8).collect();
    std::fs::create_dir(root.join("latin")).unwrap();
    std::fs::write(root.join("latin").join(OsStr::from_bytes(&latin)), "Latin-1").unwrap();
    root
}

/// Puts the tree in, then takes a file out and lets two grow by what is not recorded.
fn fill(disc: &Path, kind: &Kind, volume: &str, tree: &Path) {
    let entries = std::fs::read_dir(tree).unwrap().map(|entry| entry.unwrap().file_name());
    let quoted: Vec<_> = entries.map(|name| format!("\"{}\"", name.to_str().unwrap())).collect();
    let commands = format!(
        "cd \"{volume}\"\nmput {}\nrm gone.txt\nput empty.txt {HOLE}\ntrunc {HOLE} 100000\n\
         put large.bin {GROWN}\ntrunc {GROWN} 1500000\nquit\n",
        quoted.join(" ")
    );
    // It is of 2021 and has threads of its own: one that never ends would be told nobody.
    let mut udfclient = Command::new("timeout");
    udfclient.args(["100", "udfclient", "-W", "-b", &kind.block_bytes.to_string()]);
    udfclient.arg(disc).current_dir(tree);
    let streams = udfclient.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = streams.spawn().expect("it starts");
    child.stdin.take().expect("it is piped").write_all(commands.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = told(&output);
    assert!(output.status.success(), "{}: {said}", kind.name());
    for trouble in ["couldn't", "While writing", "Can't"] {
        assert!(!said.contains(trouble), "{}: {said}", kind.name());
    }
}

/// udfclient takes a name's bytes for Latin-1, whatever the locale says.
fn recorded(name: &str) -> String {
    name.bytes().map(char::from).collect()
}

fn expected() -> Listing {
    let files = sample().into_iter().filter(|(path, _)| path != "gone.txt");
    let mut listing: Listing = files.map(|(path, bytes)| (recorded(&path), Some(bytes))).collect();
    for end in 1..=10 {
        listing.insert(["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"][..end].join("/"), None);
    }
    listing.insert("many".to_owned(), None);
    listing.insert("empty folder".to_owned(), None);
    listing.insert("latin".to_owned(), None);
    listing.insert(format!("latin/{LATIN}"), Some(b"Latin-1".to_vec()));
    listing.insert(HOLE.to_owned(), Some(vec![0; 100_000]));
    let mut grown = listing["large.bin"].clone().expect("a file");
    grown.resize(1_500_000, 0);
    listing.insert(GROWN.to_owned(), Some(grown));
    listing
}

#[test]
fn what_udfclient_put_into_volumes_is_what_we_and_7_zip_read() {
    let (Some(_), Some(_)) = (find("udfclient"), find("newfs_udf")) else { return };
    let scratch = Scratch::new();
    let tree = folder(&scratch);
    // udfclient mostly waits for its own threads.
    std::thread::scope(|scope| {
        for kind in &KINDS {
            scope.spawn(|| put_and_read(kind, &scratch.path(&kind.name()), &tree));
        }
    });
}

fn put_and_read(kind: &Kind, scratch: &Path, tree: &Path) {
    let name = kind.name();
    std::fs::create_dir(scratch).unwrap();
    let disc = scratch.join("disc.udf");
    let Some(volume) = kind.make(&disc) else { return };
    fill(&disc, kind, &volume, tree);
    let source = FileSource(std::fs::File::open(&disc).unwrap());
    let opened = Disc::open(&source).unwrap();
    let faults: Vec<_> = opened.verify(&source).into_iter().filter(|it| it.is_fault).collect();
    assert_eq!(faults, [], "{name}");
    let mut read = listing(&source, &opened.walk(&source, View::Udf).unwrap());
    let is_told = kind.has_spare_blocks() && name.contains("1.50");
    assert_eq!(read.remove(SPARE_FILE).is_some(), is_told, "{name}");
    assert_eq!(differences(&read, &expected()), "", "{name}");
    if kind.is_known_to_seven_zip() {
        seven_zip_reads_the_same(&disc, &scratch.join("7zz"), &name, read);
    }
    std::fs::remove_file(&disc).unwrap();
}

/// What only one listing has, or both with other bytes.
fn differences(found: &Listing, wanted: &Listing) -> String {
    let paths = found.keys().chain(wanted.keys().filter(|path| !found.contains_key(*path)));
    let other = paths.filter(|path| found.get(*path) != wanted.get(*path));
    let told = other.map(|path| match (found.get(path), wanted.get(path)) {
        (None, _) => format!("{path} is missing"),
        (_, None) => format!("{path} is too much"),
        _ => format!("{path} is another"),
    });
    told.collect::<Vec<_>>().join(", ")
}

/// 7-Zip does not know extents that are not recorded, and complains of what lies behind newfs_udf's
/// structures: what it extracts counts.
fn seven_zip_reads_the_same(disc: &Path, out: &Path, name: &str, mut read: Listing) {
    let Some(mut command) = find("7zz") else { return };
    let to = format!("-o{}", out.display());
    let holes = [HOLE, GROWN].map(|path| format!("-x!{path}"));
    let output = command.args(["x", "-y", "-tudf", &to]).args(holes).arg(disc).output().unwrap();
    read.retain(|path, _| path != HOLE && path != GROWN);
    assert_eq!(differences(&folder_listing(out), &read), "", "{name}: {}", told(&output));
}
