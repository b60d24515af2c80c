//! A file of more than 4 GiB: the reason for UDF. The disc is a sparse file.

use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};

use mediabuild_formats::iso::{Disc, Tree, View};
use mediabuild_formats::source::Source;
use mediabuild_formats::volume::FileReader;

use crate::content::{Content, layout, options};
use crate::images::peer::{Scratch, find, pycdlib, run, skip};
use crate::images::{FileSource, to_file};

const SIZE_BYTES: u64 = 5_000_000_001;
pub(crate) const MARK: &[u8] = b"MARK AT AN INTERESTING PLACE";
/// What the disc may take if holes are not kept, twice.
const NEEDED_KIBIBYTES: u64 = 12 << 20;

/// The start, extents' ends, the place where 32 bits end, the end.
fn marks() -> Vec<u64> {
    let extent = (1 << 30) - 2048;
    let size = MARK.len() as u64;
    vec![0, extent - 7, 2 * extent - 7, 4 * extent, (1 << 32) - 5, SIZE_BYTES - size]
}

fn content() -> Content {
    Content::Marked(marks().into_iter().map(|at| (at, MARK.to_vec())).collect())
}

pub(crate) fn has_room(folder: &Path) -> bool {
    let Ok(output) = Command::new("df").args(["-Pk"]).arg(folder).output() else { return false };
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    let free = told.lines().nth(1).and_then(|line| line.split_whitespace().nth(3));
    free.and_then(|free| free.parse::<u64>().ok()).is_some_and(|free| free > NEEDED_KIBIBYTES)
}

#[test]
fn a_file_of_5_gigabytes_reads_back_everywhere() {
    let scratch = Scratch::new();
    if !has_room(&scratch.path("")) {
        let _: Option<()> = skip("12 GiB of free disk");
        return;
    }
    let mut tree = Tree::new();
    tree.insert("sources/install.wim", content(), SIZE_BYTES).unwrap();
    tree.insert("sources/same.wim", content(), SIZE_BYTES).unwrap();
    tree.insert("after.txt", Content::Bytes(b"behind it".to_vec()), 9).unwrap();
    let (layout, written) = layout(&tree, &options("LARGE"));
    assert_eq!(written.shared_size_bytes, SIZE_BYTES);
    assert!(layout.size_bytes < SIZE_BYTES + (1 << 20));
    let disc = scratch.path("large.iso");
    to_file(&layout, &disc);

    our_reader_gives_the_marks(&disc);
    pycdlib_gives_the_marks(&disc);
    seven_zip_gives_the_marks(&disc);
}

fn our_reader_gives_the_marks(path: &Path) {
    let source = FileSource(std::fs::File::open(path).unwrap());
    let disc = Disc::open(&source).unwrap();
    assert_eq!(disc.verify(&source), []);
    let entries = disc.walk(&source, View::Udf).unwrap();
    let entry = entries.iter().find(|entry| entry.path == "sources/install.wim").unwrap();
    assert_eq!((entry.size_bytes, entry.extents.len()), (SIZE_BYTES, 5));
    let start = entry.extents[0].offset_bytes.unwrap();
    assert!(start.is_multiple_of(4096));
    for mark in marks() {
        let mut bytes = vec![0; MARK.len()];
        source.read_exact_at(start + mark, &mut bytes).unwrap();
        assert_eq!(bytes, MARK);
    }
    has_only_the_marks(FileReader::new(&source, entry), SIZE_BYTES, &marks());
}

/// Reads a stream to its end: the marks where they belong, zeros elsewhere.
pub(crate) fn has_only_the_marks(mut stream: impl Read, is_bytes: u64, marks: &[u64]) {
    let zeros = vec![0; 1 << 20];
    let (mut block, mut size_bytes, mut found) = (vec![0; 1 << 20], 0, Vec::new());
    loop {
        let count = stream.read(&mut block).unwrap();
        if count == 0 {
            break;
        }
        if block[..count] != zeros[..count] {
            let nonzero = (0..count).filter(|&at| block[at] != 0);
            found.extend(nonzero.map(|at| (size_bytes + at as u64, block[at])));
        }
        size_bytes += count as u64;
    }
    let mark = |at: u64| (at..).zip(MARK.iter().copied());
    let expected: Vec<(u64, u8)> = marks.iter().copied().flat_map(mark).collect();
    assert_eq!(size_bytes, is_bytes);
    assert!(found == expected, "{} marked bytes, {} expected", found.len(), expected.len());
}

fn pycdlib_gives_the_marks(disc: &Path) {
    let Some(mut command) = pycdlib() else { return };
    let script = r"
import sys, pycdlib
disc, mark, *places = sys.argv[1:]
iso = pycdlib.PyCdlib()
iso.open(disc)
for path in ('/sources/install.wim', '/sources/same.wim'):
    with iso.open_file_from_iso(udf_path=path) as file:
        assert file.length() == 5000000001, file.length()
        for place in places:
            file.seek(int(place))
            assert file.read(len(mark)) == mark.encode(), place
";
    let places = marks().into_iter().map(|place| place.to_string());
    let mark = String::from_utf8_lossy(MARK).into_owned();
    run(command.args(["-c", script]).arg(disc).arg(mark).args(places));
}

fn seven_zip_gives_the_marks(disc: &Path) {
    let Some(mut command) = find("7zz") else { return };
    command.args(["x", "-tudf", "-so"]).arg(disc).arg("sources/install.wim");
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    has_only_the_marks(child.stdout.take().expect("it is piped"), SIZE_BYTES, &marks());
    assert!(child.wait().unwrap().success());
}
