//! UDF discs made by hand to cost their reader far more than their size: refused within bounds.

use mediabuild_formats::iso::{Disc, View};

use crate::partitions::{
    PHYSICAL, SECTOR, START, VIRTUAL, append, error, file_entry, map, sample, seal, with_maps,
};

/// The block of our discs' root directory.
const ROOT: usize = START + 2;
const DEVICE: u8 = 6;
const REGULAR: u8 = 5;
const UNSPECIFIED: u8 = 0;
const NEW_TABLE: u8 = 248;

/// A file identifier of the name `a`.
fn identifier(block: u32, map: u8) -> Vec<u8> {
    let mut identifier = vec![0; 40];
    identifier[..4].copy_from_slice(&[1, 1, 2, 0]);
    (identifier[16], identifier[19]) = (1, 2);
    identifier[20..24].copy_from_slice(&(SECTOR as u32).to_le_bytes());
    identifier[24..28].copy_from_slice(&block.to_le_bytes());
    identifier[28] = map;
    identifier[38..].copy_from_slice(&[8, b'a']);
    seal(&mut identifier, 40);
    identifier
}

/// Our sample, its root a directory that names one file entry again and again.
fn many_names(entry: &[u8], map: u8, count: usize) -> Vec<u8> {
    let mut disc = sample();
    let block = append(&mut disc, entry);
    let identifiers = identifier(block, map).repeat(count);
    let block = append(&mut disc, &identifiers);
    let size = identifiers.len() as u32;
    let root = file_entry(4, size.into(), &[(size, block)]);
    disc[ROOT * SECTOR..][..SECTOR].copy_from_slice(&root);
    disc
}

fn walk_error(disc: &Vec<u8>) -> String {
    let read = Disc::open(disc).unwrap().walk(disc, View::Udf);
    read.map(|entries| entries.len()).unwrap_err().to_string()
}

/// Each name of a device made its reader go through all of the device's extents.
#[test]
fn devices_are_left_out_unread_and_bounded() {
    // No extent of it is in the disc.
    let device = file_entry(DEVICE, 200 << 20, &[(1 << 20, 9_999_999); 200]);
    let few = many_names(&device, 0, 9);
    assert_eq!(Disc::open(&few).unwrap().walk(&few, View::Udf).unwrap(), []);
    let many = many_names(&device, 0, 66_000);
    let told = walk_error(&many);
    let expected = "more than 65536 blocks of allocation descriptors and entries that are no files";
    assert!(told.ends_with(expected), "{told}");
}

/// A short extent list may be of many blocks, each found in a table.
#[test]
fn looks_into_the_tables_of_partitions_are_bounded() {
    let blocks = (sample().len() / SECTOR - START) as u32;
    let size = blocks * SECTOR as u32;
    let file = file_entry(REGULAR, u64::from(size) * 200, &[(size, 0); 200]);
    let mut disc = many_names(&file, 1, 1200);
    let count = (disc.len() / SECTOR - START) as u32;
    let mut table = vec![0; 152];
    table[0] = 152;
    table.extend((0..count).flat_map(u32::to_le_bytes));
    let block = append(&mut disc, &table);
    let extent = (table.len() as u32, block);
    append(&mut disc, &file_entry(NEW_TABLE, table.len() as u64, &[extent]));
    with_maps(&mut disc, &[PHYSICAL.to_vec(), map(VIRTUAL)]);
    let told = walk_error(&disc);
    assert!(told.ends_with("more than 67108864 entries of partitions' tables"), "{told}");
}

/// Every file entry at the end of the disc was read as a table, as large as it says.
#[test]
fn candidates_for_the_virtual_table_are_bounded_together() {
    // Nothing of it is recorded.
    let hole = 1 << 30 | 60 << 20;
    let candidate = file_entry(UNSPECIFIED, 60 << 20, &[(hole, 0)]);
    let mut disc = sample();
    append(&mut disc, &candidate.repeat(200));
    with_maps(&mut disc, &[PHYSICAL.to_vec(), map(VIRTUAL)]);
    let told = error(&disc);
    let expected = format!("more than {} bytes of directories and tables", disc.len());
    assert!(told.ends_with(&expected), "{told}");
}

#[test]
fn a_second_virtual_map_is_refused() {
    let mut disc = sample();
    with_maps(&mut disc, &[PHYSICAL.to_vec(), map(VIRTUAL), map(VIRTUAL)]);
    let told = error(&disc);
    assert!(told.ends_with("more than 1 virtual partition maps"), "{told}");
}
