//! Where resources lie: entries that share bytes are one resource, or the file is refused.

mod wim_support;

use std::collections::BTreeMap;
use std::fs;
use std::rc::Rc;

use mediabuild_formats::wim::{FileSpec, FileTime, Image, Sha1, Wim};
use wim_support::{Bytes, open, samples, write_raw};

/// A file with blobs of 10, 20 and 30 bytes: at 0xd0, 0xda and 0xee.
fn file() -> Vec<u8> {
    let mut image = Image::new(FileTime(0));
    let mut contents: BTreeMap<Sha1, Bytes> = BTreeMap::new();
    for (name, size) in [("a", 10), ("b", 20), ("c", 30)] {
        let content: Bytes = Rc::new(vec![size; size.into()]);
        let sha1 = Sha1::of(&content);
        contents.insert(sha1, content);
        image.insert_file(name, FileSpec::new(sha1, FileTime(0))).expect("a new file");
    }
    write_raw(&[&image], &contents)
}

/// Where the entries of the three blobs are: the metadata's comes first.
fn entry(bytes: &[u8], index: usize) -> usize {
    let table = Wim::open(&bytes.to_vec()).expect("a WIM").header.blob_table;
    table.offset_bytes as usize + 50 * (index + 1)
}

/// Puts a resource elsewhere.
fn moved(index: usize, offset_bytes: u64, size_bytes: u8) -> Vec<u8> {
    let mut bytes = file();
    let at = entry(&bytes, index);
    bytes[at] = size_bytes;
    bytes[at + 8..at + 16].copy_from_slice(&offset_bytes.to_le_bytes());
    bytes[at + 16] = size_bytes;
    bytes
}

fn refusal(bytes: &Vec<u8>) -> String {
    Wim::open(bytes).expect("a WIM").check_layout().expect_err("an overlap").to_string()
}

#[test]
fn files_of_writers_have_no_overlaps() {
    Wim::open(&file()).expect("a WIM").check_layout().expect("our own file");
    let Some(folder) = samples() else { return };
    for entry in fs::read_dir(folder).expect("the samples") {
        let path = entry.expect("a sample").path();
        if !path.extension().is_some_and(|extension| extension == "wim" || extension == "swm") {
            continue;
        }
        let wim = Wim::open(&fs::read(&path).expect("a sample")).expect("a WIM");
        wim.check_layout().unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        wim.distinct_resources().unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }
}

#[test]
fn overlapping_resources_are_refused() {
    assert_eq!(
        refusal(&moved(1, 0xd9, 20)),
        "file offset 0xd9: expected a resource behind the end of a resource at offset 0xd0, which \
         is 0xda"
    );
    // at one offset, of different sizes
    assert!(refusal(&moved(1, 0xd0, 20)).starts_with("file offset 0xd0: expected a resource "));
    // inside a larger one
    assert!(refusal(&moved(0, 0xf0, 10)).starts_with("file offset 0xf0: expected a resource "));
}

#[test]
fn resources_over_the_structures_are_refused() {
    assert_eq!(
        refusal(&moved(0, 0xcf, 10)),
        "file offset 0xcf: expected a resource behind the header of 208 bytes"
    );
    let header = Wim::open(&file()).expect("a WIM").header;
    let (table, xml) = (header.blob_table, header.xml);
    let error = refusal(&moved(0, table.offset_bytes + 7, 10));
    assert!(error.contains("behind the end of the blob table"), "{error}");
    // exactly the bytes of a structure are none of a resource
    let error = refusal(&moved(0, table.offset_bytes, table.stored_bytes as u8));
    assert!(error.contains("the blob table"), "{error}");
    let error = refusal(&moved(0, xml.offset_bytes + 1, 10));
    assert!(error.contains("a resource behind the end of the XML data"), "{error}");
}

#[test]
fn entries_of_one_resource_are_given_once() {
    let mut bytes = file();
    let (first, second) = (entry(&bytes, 0), entry(&bytes, 1));
    bytes.copy_within(first..first + 50, second);
    let opened = open(bytes);
    opened.wim.check_layout().expect("one resource");
    let distinct = opened.wim.distinct_resources().expect("one content");
    let offsets: Vec<u64> = distinct.iter().map(|entry| entry.resource.offset_bytes).collect();
    assert_eq!(opened.wim.blobs.len(), 3);
    assert_eq!(offsets, [0xd0, 0xee, opened.wim.images[0].resource.offset_bytes]);
}

#[test]
fn one_resource_has_one_hash() {
    let mut bytes = file();
    let (first, second) = (entry(&bytes, 0), entry(&bytes, 1));
    bytes.copy_within(first..first + 24, second);
    let wim = Wim::open(&bytes).expect("a WIM");
    wim.check_layout().expect("one resource");
    let error = wim.distinct_resources().expect_err("two contents").to_string();
    assert!(error.starts_with("file offset 0xd0: expected one content in 10 bytes"), "{error}");
}
