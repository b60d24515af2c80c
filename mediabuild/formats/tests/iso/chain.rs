//! Chains of allocation descriptors, which our writer does not make: followed once, and not for ever.

use mediabuild_formats::iso::{Disc, View};
use mediabuild_formats::volume::Entry;

use crate::content::{bytes, options, tree};

const SECTOR: usize = 2048;

/// A disc of one file of `block_count` blocks, `a`, and `count` further ones.
fn disc(block_count: usize, count: usize) -> (Vec<u8>, Vec<Entry>) {
    let mut files = vec![("a".to_owned(), vec![1; block_count * SECTOR])];
    files.extend((0..count).map(|index| (format!("b{index:03}"), vec![2; SECTOR])));
    let files: Vec<_> = files.iter().map(|(path, it)| (path.as_str(), it.clone())).collect();
    let bytes = bytes(&tree(&files), &options("X"));
    let entries = Disc::open(&bytes).unwrap().walk(&bytes, View::Udf).unwrap();
    (bytes, entries)
}

/// Where a file is.
fn content(entries: &[Entry], path: &str) -> usize {
    let entry = entries.iter().find(|entry| entry.path == path).unwrap();
    entry.extents[0].offset_bytes.unwrap() as usize
}

/// A short_ad that says where further descriptors are.
fn link(block: usize) -> [u8; 8] {
    let sector = (block / SECTOR - 257) as u32;
    let mut link = [0; 8];
    link[..4].copy_from_slice(&(3 << 30 | SECTOR as u32).to_le_bytes());
    link[4..].copy_from_slice(&sector.to_le_bytes());
    link
}

/// Makes a block one of descriptors.
fn put_descriptors(bytes: &mut [u8], block: usize, descriptors: &[u8]) {
    let block = &mut bytes[block..block + SECTOR];
    block.fill(0);
    block[..4].copy_from_slice(&[2, 1, 2, 0]);
    block[20..24].copy_from_slice(&(descriptors.len() as u32).to_le_bytes());
    block[24..24 + descriptors.len()].copy_from_slice(descriptors);
    block[4] = block[..16].iter().fold(0, |sum: u8, &byte| sum.wrapping_add(byte));
}

/// Changes the descriptor of every file whose content is at one of `contents`.
fn relink(bytes: &mut [u8], contents: &[usize], descriptor: [u8; 8]) {
    let starts: Vec<[u8; 4]> =
        contents.iter().map(|at| ((at / SECTOR - 257) as u32).to_le_bytes()).collect();
    let mut changed = 0;
    for sector in bytes.chunks_exact_mut(SECTOR) {
        let is_file = sector[..2] == [5, 1] && sector[27] == 5;
        if is_file && starts.iter().any(|start| sector[180..184] == *start) {
            sector[176..184].copy_from_slice(&descriptor);
            changed += 1;
        }
    }
    assert_eq!(changed, contents.len());
}

#[test]
fn a_chain_is_followed() {
    let (mut bytes, entries) = disc(3, 1);
    let (blocks, file) = (content(&entries, "a"), content(&entries, "b000"));
    relink(&mut bytes, &[file], link(blocks));
    put_descriptors(&mut bytes, blocks, &link(blocks + SECTOR));
    let mut last = link(file);
    last[3] = 0;
    put_descriptors(&mut bytes, blocks + SECTOR, &last);
    let read = Disc::open(&bytes).unwrap().walk(&bytes, View::Udf).unwrap();
    assert_eq!(read, entries);
}

#[test]
fn a_chain_that_comes_back_is_refused() {
    let (mut bytes, entries) = disc(3, 1);
    let blocks = content(&entries, "a");
    relink(&mut bytes, &[content(&entries, "b000")], link(blocks));
    put_descriptors(&mut bytes, blocks, &link(blocks + SECTOR));
    put_descriptors(&mut bytes, blocks + SECTOR, &link(blocks));
    let error = Disc::open(&bytes).unwrap().walk(&bytes, View::Udf).unwrap_err().to_string();
    let told = "expected a block of allocation descriptors that is once in its file, found one \
                that was met before";
    assert_eq!(error, format!("at {blocks}: {told}"));
}

/// Each file may have as many blocks; all files together may not.
#[test]
fn chains_are_bounded_for_the_whole_disc() {
    let (mut bytes, entries) = disc(1026, 70);
    let blocks = content(&entries, "a");
    let files: Vec<usize> =
        entries.iter().filter(|it| it.path != "a").map(|it| content(&entries, &it.path)).collect();
    relink(&mut bytes, &files, link(blocks));
    for at in (0..1025).map(|index| blocks + index * SECTOR) {
        put_descriptors(&mut bytes, at, &link(at + SECTOR));
    }
    let findings = Disc::open(&bytes).unwrap().verify(&bytes);
    let told: Vec<&str> = findings.iter().map(|finding| finding.message.as_str()).collect();
    let of_one = "more than 1024 blocks of allocation descriptors";
    let of_all = "more than 65536 blocks of allocation descriptors and entries that are no files";
    assert_eq!(told.iter().filter(|told| told.ends_with(of_one)).count(), 63, "{told:?}");
    assert!(told[63].ends_with(of_all), "{told:?}");
}
