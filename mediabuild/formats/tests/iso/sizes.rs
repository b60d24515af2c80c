//! Files of sizes around a sector, the longest extents of UDF and ISO 9660, 2^30 and 4 GiB in all
//! trees of one sparse disc, by our reader and by 7-Zip.

use std::path::Path;
use std::process::Stdio;

use mediabuild_formats::iso::{Disc, Tree, View};
use mediabuild_formats::source::Source;
use mediabuild_formats::volume::Entry;

use crate::content::{Content, layout, options};
use crate::images::peer::{Scratch, find, run, skip};
use crate::images::{FileSource, to_file};
use crate::large::{MARK, has_only_the_marks, has_room};
use crate::write::mirrored;

const GIB: u64 = 1 << 30;
const SIZES_BYTES: [u64; 14] = [
    2047,
    2048,
    2049,
    GIB - 2049,
    GIB - 2048,
    GIB - 2047,
    GIB - 1,
    GIB,
    GIB + 1,
    4 * GIB - 2049,
    4 * GIB - 2048,
    4 * GIB - 1,
    4 * GIB,
    4 * GIB + 1,
];

/// At the start, over the ends of extents, at the end; no two files have the same ones.
fn marks(size_bytes: u64) -> Vec<u64> {
    let size = MARK.len() as u64;
    let mut marks = vec![0, size_bytes - size];
    for limit in [GIB - 2048, GIB, 2 * GIB, 4 * GIB - 4096, 4 * GIB - 2048] {
        let at = limit - 7;
        marks.extend((at + size < size_bytes - size).then_some(at));
    }
    marks.sort_unstable();
    marks
}

/// A name that ISO 9660 takes as it is.
fn path(size_bytes: u64) -> String {
    let number = SIZES_BYTES.iter().position(|size| *size == size_bytes).expect("one of these");
    format!("sizes/{number}.bin")
}

fn disc(path_of_disc: &Path) {
    let mut tree = Tree::new();
    for size_bytes in SIZES_BYTES {
        let marks = marks(size_bytes).into_iter().map(|at| (at, MARK.to_vec()));
        tree.insert(&path(size_bytes), Content::Marked(marks.collect()), size_bytes).unwrap();
    }
    to_file(&layout(&tree, &mirrored(&options("SIZES"))).0, path_of_disc);
}

#[test]
fn files_of_every_size_around_a_limit_are_whole_in_every_tree() {
    let scratch = Scratch::new();
    if !has_room(&scratch.path("")) {
        let _: Option<()> = skip("12 GiB of free disk");
        return;
    }
    let file = scratch.path("sizes.iso");
    disc(&file);
    let source = FileSource(std::fs::File::open(&file).unwrap());
    let opened = Disc::open(&source).unwrap();
    assert_eq!(opened.verify(&source), []);
    for view in [View::Udf, View::Joliet, View::Iso9660] {
        let mut found = 0;
        for entry in opened.walk(&source, view).unwrap().iter().filter(|it| !it.is_directory) {
            let wanted = path(entry.size_bytes);
            assert_eq!(entry.path.to_lowercase(), wanted, "{}", view.name());
            for mark in marks(entry.size_bytes) {
                let near = mark.saturating_sub(9);
                let size_bytes = (mark - near + MARK.len() as u64 + 9).min(entry.size_bytes - near);
                let bytes = read(&source, entry, near, size_bytes as usize);
                let start = (mark - near) as usize;
                assert_eq!(bytes[start..start + MARK.len()], *MARK, "{wanted} at {mark}");
                let around = bytes[..start].iter().chain(&bytes[start + MARK.len()..]);
                assert_eq!(around.filter(|byte| **byte != 0).count(), 0, "{wanted} at {mark}");
            }
            found += 1;
        }
        assert_eq!(found, SIZES_BYTES.len(), "{}", view.name());
    }
    seven_zip_tells_the_same(&file);
}

/// Bytes of a file by its extents: reading all of them would take minutes.
fn read(source: &FileSource, entry: &Entry, at: u64, size: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut start = 0;
    for extent in &entry.extents {
        let from = (at + bytes.len() as u64).max(start);
        let to = (at + size as u64).min(start + extent.size_bytes);
        if bytes.len() < size && from < to {
            let mut piece = vec![0; (to - from) as usize];
            let offset_bytes = extent.offset_bytes.expect("no hole") + (from - start);
            source.read_exact_at(offset_bytes, &mut piece).unwrap();
            bytes.extend(piece);
        }
        start += extent.size_bytes;
    }
    assert_eq!(start, entry.size_bytes, "{}", entry.path);
    bytes
}

/// All sizes in both kinds of trees; the bytes of those files whose records and extents end in ways
/// of their own. A file of 5 GB in UDF is read in `large.rs`.
fn seven_zip_tells_the_same(disc: &Path) {
    for kind in ["-tudf", "-tiso"] {
        let Some(mut list) = find("7zz") else { return };
        let said = run(list.args(["l", "-slt", kind]).arg(disc));
        let said = String::from_utf8_lossy(&said).into_owned();
        for size_bytes in SIZES_BYTES {
            let lines = format!("Path = {}\nFolder = -\nSize = {size_bytes}\n", path(size_bytes));
            assert!(said.contains(&lines), "{kind}: no {lines} in {said}");
        }
    }
    let read = [("-tudf", GIB + 1), ("-tiso", 4 * GIB - 1), ("-tiso", 4 * GIB + 1)];
    std::thread::scope(|scope| {
        for (kind, size_bytes) in read {
            scope.spawn(move || {
                let mut command = find("7zz").expect("found above");
                command.args(["x", kind, "-so"]).arg(disc).arg(path(size_bytes));
                let streams = command.stdout(Stdio::piped()).stderr(Stdio::null());
                let mut child = streams.spawn().unwrap();
                let stream = child.stdout.take().expect("it is piped");
                has_only_the_marks(stream, size_bytes, &marks(size_bytes));
                assert!(child.wait().unwrap().success());
            });
        }
    });
}
