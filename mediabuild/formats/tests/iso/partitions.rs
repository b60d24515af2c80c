//! Partitions of rewritable discs and hard disks: our own disc, its partition maps changed.

use mediabuild_formats::iso::{Disc, View};

use crate::content::{bytes, options, tree};
use crate::read::{Listing, listing};

pub(crate) const SECTOR: usize = 2048;
/// Where our discs have the logical volume descriptors, partition descriptors, and the partition.
const LOGICAL: [usize; 2] = [35, 51];
const PARTITION: [usize; 2] = [34, 50];
pub(crate) const START: usize = 257;

const SPARABLE: &[u8] = b"*UDF Sparable Partition";
pub(crate) const VIRTUAL: &[u8] = b"*UDF Virtual Partition";
const METADATA: &[u8] = b"*UDF Metadata Partition";

pub(crate) fn sample() -> Vec<u8> {
    let noise: Vec<u8> = (0..200_000u32).map(|at| (at.wrapping_mul(at) / 5) as u8).collect();
    let many = (0..100).map(|at| (format!("many/file {at}"), vec![at; 300]));
    let mut files: Vec<(String, Vec<u8>)> = many.collect();
    files.push(("noise".into(), noise));
    files.push(("d/f.txt".into(), b"hello".to_vec()));
    let files: Vec<(&str, Vec<u8>)> =
        files.iter().map(|(path, bytes)| (path.as_str(), bytes.clone())).collect();
    bytes(&tree(&files), &options("X"))
}

/// Puts the right checksums on a descriptor with so many bytes.
pub(crate) fn seal(descriptor: &mut [u8], size: usize) {
    let crc = descriptor[16..size].iter().fold(0u16, |crc, &byte| {
        (0..8).fold(crc ^ u16::from(byte) << 8, |crc, _| {
            if crc & 0x8000 != 0 { crc << 1 ^ 0x1021 } else { crc << 1 }
        })
    });
    descriptor[8..10].copy_from_slice(&crc.to_le_bytes());
    descriptor[10..12].copy_from_slice(&(size as u16 - 16).to_le_bytes());
    descriptor[4] = 0;
    descriptor[4] = descriptor[..16].iter().fold(0, |sum: u8, &byte| sum.wrapping_add(byte));
}

/// A partition map of type 2 about partition 0.
pub(crate) fn map(identifier: &[u8]) -> Vec<u8> {
    let mut map = vec![0; 64];
    (map[0], map[1]) = (2, 64);
    map[5..5 + identifier.len()].copy_from_slice(identifier);
    map[36] = 1;
    map
}

/// Gives the disc these partition maps, and a file set and root in the last of them.
pub(crate) fn with_maps(disc: &mut [u8], maps: &[Vec<u8>]) {
    let all = maps.concat();
    let last = maps.len() as u8 - 1;
    for sector in LOGICAL {
        let logical = &mut disc[sector * SECTOR..][..SECTOR];
        logical[264..268].copy_from_slice(&(all.len() as u32).to_le_bytes());
        logical[268..272].copy_from_slice(&(maps.len() as u32).to_le_bytes());
        logical[440..440 + all.len()].copy_from_slice(&all);
        logical[248 + 8] = last;
        seal(logical, 440 + all.len());
    }
    let file_set = &mut disc[START * SECTOR..][..SECTOR];
    file_set[400 + 8] = last;
    seal(file_set, 512);
}

pub(crate) const PHYSICAL: [u8; 6] = [1, 6, 1, 0, 0, 0];

/// Adds sectors at the end, which belong to the partition; gives the block of the first.
pub(crate) fn append(disc: &mut Vec<u8>, bytes: &[u8]) -> u32 {
    let block = (disc.len() / SECTOR - START) as u32;
    disc.extend_from_slice(bytes);
    disc.resize(disc.len().next_multiple_of(SECTOR), 0);
    let size = ((disc.len() / SECTOR) - START) as u32;
    for sector in PARTITION {
        let partition = &mut disc[sector * SECTOR..][..SECTOR];
        partition[192..196].copy_from_slice(&size.to_le_bytes());
        seal(partition, 512);
    }
    block
}

/// A file entry of some type with extents in its own partition.
pub(crate) fn file_entry(file_type: u8, size_bytes: u64, extents: &[(u32, u32)]) -> Vec<u8> {
    let mut entry = vec![0; SECTOR];
    entry[..4].copy_from_slice(&[5, 1, 2, 0]);
    (entry[20], entry[27]) = (4, file_type);
    entry[56..64].copy_from_slice(&size_bytes.to_le_bytes());
    entry[172..176].copy_from_slice(&(extents.len() as u32 * 8).to_le_bytes());
    for (at, (size, block)) in extents.iter().enumerate() {
        entry[176 + 8 * at..][..4].copy_from_slice(&size.to_le_bytes());
        entry[180 + 8 * at..][..4].copy_from_slice(&block.to_le_bytes());
    }
    seal(&mut entry, 176 + 8 * extents.len());
    entry
}

fn files(disc: &Vec<u8>) -> Listing {
    let opened = Disc::open(disc).unwrap();
    assert_eq!(opened.views()[0], View::Udf, "{:?}", opened.verify(disc));
    listing(disc, &opened.walk(disc, View::Udf).unwrap())
}

/// What opening says that is wrong with UDF.
pub(crate) fn error(disc: &Vec<u8>) -> String {
    let opened = Disc::open(disc).unwrap();
    assert_eq!(opened.views(), [View::Iso9660]);
    opened.verify(disc)[0].message.clone()
}

/// A disc whose directories and file entries are in a metadata partition of two extents; gives the
/// block of the metadata file and of its mirror.
pub(crate) fn metadata() -> (Vec<u8>, [u32; 2]) {
    let mut disc = sample();
    let blocks = (disc.len() / SECTOR - START) as u32;
    let size = u64::from(blocks) * SECTOR as u64;
    let extents = [(5 * SECTOR as u32, 0), ((blocks - 5) * SECTOR as u32, 5)];
    let main = append(&mut disc, &file_entry(250, size, &extents));
    let mirror = append(&mut disc, &file_entry(251, size, &extents));
    let mut map = map(METADATA);
    map[40..44].copy_from_slice(&main.to_le_bytes());
    map[44..48].copy_from_slice(&mirror.to_le_bytes());
    with_maps(&mut disc, &[PHYSICAL.to_vec(), map]);
    (disc, [main, mirror])
}

#[test]
fn metadata_partitions_are_read_from_their_file_or_its_mirror() {
    let expected = files(&sample());
    let (mut disc, [main, mirror]) = metadata();
    assert!(files(&disc) == expected);
    let place = |block: u32| (START + block as usize) * SECTOR;
    disc[place(main)] ^= 1;
    assert!(files(&disc) == expected, "the mirror");
    disc[place(mirror) + 27] = 5;
    seal(&mut disc[place(mirror)..], 192);
    let told = format!("at {}: expected a file entry, found tag 260", place(main));
    assert_eq!(error(&disc), told);
}

#[test]
fn a_metadata_file_in_itself_is_refused() {
    let (mut disc, [main, _]) = metadata();
    // Both maps are the metadata partition.
    let mut map = map(METADATA);
    map[40..44].copy_from_slice(&main.to_le_bytes());
    with_maps(&mut disc, &[map.clone(), map]);
    let told =
        "expected a partition map that it lies in, found *UDF Metadata Partition without one";
    assert_eq!(error(&disc), format!("at {}: {told}", LOGICAL[0] * SECTOR));
}

/// A disc whose blocks are found by a virtual allocation table; `is_new`: as of UDF 2.00.
pub(crate) fn virtual_disc(is_new: bool) -> Vec<u8> {
    let mut disc = sample();
    let blocks = (disc.len() / SECTOR - START) as u32;
    // Two blocks changed places; the file set stays.
    let mut table: Vec<u32> = (0..blocks).collect();
    table.swap(2, 3);
    let (a, b) = ((START + 2) * SECTOR, (START + 3) * SECTOR);
    let moved = disc[a..a + SECTOR].to_vec();
    disc.copy_within(b..b + SECTOR, a);
    disc[b..b + SECTOR].copy_from_slice(&moved);
    let mut bytes: Vec<u8> = if is_new { vec![0; 152] } else { Vec::new() };
    if is_new {
        bytes[0] = 152;
    }
    bytes.extend(table.iter().flat_map(|block| block.to_le_bytes()));
    if !is_new {
        let mut trailer = vec![0; 36];
        trailer[1..1 + 22].copy_from_slice(b"*UDF Virtual Alloc Tbl");
        bytes.extend(trailer);
    }
    let size = bytes.len();
    let block = append(&mut disc, &bytes);
    let file_type = if is_new { 248 } else { 0 };
    append(&mut disc, &file_entry(file_type, size as u64, &[(size as u32, block)]));
    with_maps(&mut disc, &[PHYSICAL.to_vec(), map(VIRTUAL)]);
    disc
}

#[test]
fn virtual_partitions_are_read_by_their_table() {
    let expected = files(&sample());
    for is_new in [false, true] {
        let mut disc = virtual_disc(is_new);
        assert!(files(&disc) == expected, "{is_new}");
        // Images are padded at times.
        disc.resize(disc.len() + 1500 * SECTOR, 0);
        assert!(files(&disc) == expected, "{is_new}, padded");
        disc.resize(disc.len() + (64 << 20), 0);
        assert!(
            error(&disc).contains("expected a virtual allocation table at the end, found none")
        );
    }
}

/// A disc one packet of which is elsewhere; gives the sector of its first sparing table.
pub(crate) fn sparable() -> (Vec<u8>, usize) {
    let mut disc = sample();
    let packet = (START + 32) * SECTOR..(START + 64) * SECTOR;
    let good = disc[packet.clone()].to_vec();
    disc[packet].fill(0xEE);
    let spare = append(&mut disc, &good) + START as u32;
    let mut table = vec![0; SECTOR];
    table[2] = 2;
    table[17..17 + 18].copy_from_slice(b"*UDF Sparing Table");
    table[48] = 2;
    table[56..60].copy_from_slice(&32_u32.to_le_bytes());
    table[60..64].copy_from_slice(&spare.to_le_bytes());
    table[64..72].copy_from_slice(&[0xFF; 8]);
    seal(&mut table, 72);
    let tables = [append(&mut disc, &table), append(&mut disc, &table)];
    let tables = tables.map(|block| block + START as u32);
    let mut map = map(SPARABLE);
    (map[40], map[42]) = (32, 2);
    map[44..48].copy_from_slice(&(SECTOR as u32).to_le_bytes());
    map[48..52].copy_from_slice(&tables[0].to_le_bytes());
    map[52..56].copy_from_slice(&tables[1].to_le_bytes());
    with_maps(&mut disc, &[map]);
    (disc, tables[0] as usize)
}

#[test]
fn packets_that_went_bad_are_read_from_their_spares() {
    let expected = files(&sample());
    let (mut disc, table) = sparable();
    assert!(files(&disc) == expected);
    disc[table * SECTOR + 17] = b'X';
    assert!(files(&disc) == expected, "the second table");
    disc[(table + 1) * SECTOR + 17] = b'X';
    let told = format!("at {}: expected a sparing table", table * SECTOR);
    assert!(error(&disc).starts_with(&told), "{}", error(&disc));
}

#[test]
fn unknown_and_cut_partition_maps_are_refused() {
    let place = LOGICAL[0] * SECTOR;
    let mut disc = sample();
    with_maps(&mut disc, &[map(b"*Another")]);
    assert_eq!(error(&disc), format!("at {place}: the partition map `*Another` is not supported"));
    with_maps(&mut disc, &[map(METADATA)[..30].to_vec()]);
    assert!(error(&disc).contains("expected a partition map of its size"), "{}", error(&disc));
    let mut other = PHYSICAL;
    other[4] = 7;
    with_maps(&mut disc, &[other.to_vec()]);
    assert!(error(&disc).contains("found partition 7 in a map"), "{}", error(&disc));
}
