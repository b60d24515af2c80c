//! ISO 9660 discs made by hand to cost their reader far more than their size: refused within bounds.

use mediabuild_formats::iso::{Disc, View};

const SECTOR: usize = 2048;
const DIRECTORY: u8 = 2;

/// A number as ISO 9660 has it: little-endian, then big-endian.
fn both(value: u32) -> [u8; 8] {
    (u64::from(value) | u64::from(value.swap_bytes()) << 32).to_le_bytes()
}

/// A directory record without system use.
fn record(name: &[u8], flags: u8, sector: usize, size_bytes: usize) -> Vec<u8> {
    let mut record = vec![0; (33 + name.len()).next_multiple_of(2)];
    record[0] = record.len() as u8;
    record[2..10].copy_from_slice(&both(sector as u32));
    record[10..18].copy_from_slice(&both(size_bytes as u32));
    (record[25], record[32]) = (flags, name.len() as u8);
    record[33..33 + name.len()].copy_from_slice(name);
    record
}

/// Records in whole sectors, of which none is crossed.
fn sectors(records: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for record in records {
        let left = bytes.len().next_multiple_of(SECTOR) - bytes.len();
        if left < record.len() {
            bytes.resize(bytes.len() + left, 0);
        }
        bytes.extend(record);
    }
    bytes.resize(bytes.len().next_multiple_of(SECTOR).max(SECTOR), 0);
    bytes
}

/// A volume descriptor of a kind with its root directory.
fn descriptor(kind: u8, root: (usize, usize)) -> Vec<u8> {
    let mut descriptor = vec![0; SECTOR];
    descriptor[0] = kind;
    descriptor[1..7].copy_from_slice(b"CD001\x01");
    if kind == 2 {
        descriptor[88..91].copy_from_slice(b"%/E");
    }
    descriptor[128..132].copy_from_slice(&[0, 8, 8, 0]);
    descriptor[158..166].copy_from_slice(&both(root.0 as u32));
    descriptor[166..174].copy_from_slice(&both(root.1 as u32));
    descriptor
}

/// A disc of these descriptors from sector 16 on, and what follows them.
fn disc(descriptors: &[Vec<u8>], behind: &[Vec<u8>]) -> Vec<u8> {
    let mut disc = vec![0; 16 * SECTOR];
    disc.extend(descriptors.concat());
    disc.extend(descriptor(255, (0, 0)));
    disc.extend(behind.concat());
    disc
}

fn walk_error(disc: &Vec<u8>, view: View) -> String {
    Disc::open(disc).unwrap().walk(disc, view).unwrap_err().to_string()
}

/// Folders in each other with as long names as there are, and short names in the last of them:
/// each has a path of 78 KB.
fn deep(file_count: usize) -> Vec<u8> {
    const FOLDER_COUNT: usize = 250;
    let first = 18;
    let name = [0x30, 0x42].repeat(104);
    let files = sectors(&vec![record(b"\0a", 0, 0, 0); file_count]);
    let mut folders: Vec<Vec<u8>> = (1..=FOLDER_COUNT)
        .map(|at| {
            let size = if at == FOLDER_COUNT { files.len() } else { SECTOR };
            sectors(&[record(&name, DIRECTORY, first + at, size)])
        })
        .collect();
    folders.push(files);
    disc(&[descriptor(2, (first, SECTOR))], &folders)
}

/// Paths of 4 GB for a disc of 2 MB were all made before they were counted.
#[test]
fn long_paths_of_many_short_names_are_refused_before_they_are_made() {
    let few = deep(100);
    let entries = Disc::open(&few).unwrap().walk(&few, View::Joliet).unwrap();
    assert_eq!(entries.len(), 350);
    assert_eq!(entries[349].path.len(), 250 * (104 * 3 + 1) + 1);
    let many = deep(50_000);
    assert!(many.len() < 3 << 20);
    let told = walk_error(&many, View::Joliet);
    assert!(told.ends_with("more than 268435456 bytes of paths"), "{told}");
    assert!(Disc::open(&many).unwrap().verify(&many).iter().any(|it| it.message == told));
}

/// Directories that overlap name the same records again and again.
#[test]
fn directories_that_overlap_are_refused() {
    let (first, count) = (18, 500);
    let files = sectors(&vec![record(b"A", 0, 0, 0); 1000 * 60]);
    let size = files.len();
    let root: Vec<_> = (0..count)
        .map(|at| {
            let start = first + 10 + at;
            record(format!("D{at:03}").as_bytes(), DIRECTORY, start, size - at * SECTOR)
        })
        .collect();
    let mut root = sectors(&root);
    assert!(root.len() <= 10 * SECTOR);
    root.resize(10 * SECTOR, 0);
    let disc = disc(&[descriptor(1, (first, 10 * SECTOR))], &[root, files]);
    let told = walk_error(&disc, View::Iso9660);
    assert!(
        told.ends_with(&format!("more than {} bytes of directories and tables", disc.len())),
        "{told}"
    );
}

/// The views of a disc, and what opening it told.
fn opened(disc: &Vec<u8>) -> (Vec<View>, String) {
    let opened = Disc::open(disc).unwrap();
    let findings = opened.verify(disc);
    (opened.views(), findings.first().map_or_else(String::new, |it| it.message.clone()))
}

#[test]
fn one_descriptor_of_each_kind_is_walked() {
    let root = |sector| (sector, SECTOR);
    let mut all = vec![descriptor(1, root(80)); 40];
    all.extend(vec![descriptor(2, root(80)); 20]);
    let mut disc = disc(&all, &[]);
    disc.resize(81 * SECTOR, 0);
    let text = Disc::open(&disc).unwrap().dump(&disc).unwrap();
    let volumes: Vec<&str> = text.lines().filter(|line| line.starts_with("volume")).collect();
    assert_eq!(volumes, ["volume ISO 9660 at sector 16", "volume Joliet at sector 56"]);
}

/// One bad descriptor took the good ones with it.
#[test]
fn a_bad_descriptor_keeps_no_other_from_being_read() {
    let (good, root) = (|kind| descriptor(kind, (19, SECTOR)), vec![0; SECTOR]);
    let bad = |kind| {
        let mut bad = good(kind);
        bad[128..132].copy_from_slice(&[0, 4, 4, 0]);
        bad
    };
    let told = |sector: usize| {
        let at = sector * SECTOR + 128;
        format!("at {at}: a logical block size of 1024 bytes is not supported")
    };
    let joliet_is_bad = disc(&[good(1), bad(2)], std::slice::from_ref(&root));
    assert_eq!(opened(&joliet_is_bad), (vec![View::Iso9660], told(17)));
    let primary_is_bad = disc(&[bad(1), good(2)], std::slice::from_ref(&root));
    assert_eq!(opened(&primary_is_bad), (vec![View::Joliet], told(16)));
    let error = Disc::open(&disc(&[bad(1), bad(2)], &[root])).unwrap_err().to_string();
    assert_eq!(error, told(16));
}

/// A record with entries of the System Use Sharing Protocol.
fn with_use(mut record: Vec<u8>, system_use: &[u8]) -> Vec<u8> {
    record.extend(system_use);
    record[0] = record.len() as u8;
    record
}

/// A `CE` entry: where the entries go on.
fn continuation(sector: usize) -> Vec<u8> {
    let place = [both(sector as u32), both(0), both(SECTOR as u32)].concat();
    [b"CE\x1c\x01".to_vec(), place].concat()
}

/// Records that are only there because of a relocated directory are not listed, and had their
/// continuation areas read all the same, without any count.
#[test]
fn continuation_areas_of_all_records_are_bounded() {
    const AREA_COUNT: usize = 60;
    let (root, root_sectors) = (18, 40);
    let first_area = root + root_sectors;
    let own = with_use(record(b"\0", DIRECTORY, root, SECTOR), b"SP\x07\x01\xBE\xEF\0");
    let of_chain = with_use(record(b"A", 0, 0, 0), &continuation(first_area));
    let disc_of = |count: usize| {
        let mut records = vec![own.clone()];
        records.extend(vec![of_chain.clone(); count]);
        let mut bytes = sectors(&records);
        bytes.resize(root_sectors * SECTOR, 0);
        for at in 1..=AREA_COUNT {
            let is_last = at == AREA_COUNT;
            let next = continuation(first_area + at);
            bytes.extend(if is_last { b"RE\x04\x01".to_vec() } else { next });
            bytes.resize(bytes.len().next_multiple_of(SECTOR), 0);
        }
        disc(&[descriptor(1, (root, root_sectors * SECTOR))], &[bytes])
    };
    let few = disc_of(1);
    assert_eq!(Disc::open(&few).unwrap().walk(&few, View::RockRidge).unwrap(), []);
    let many = disc_of(1000);
    let told = walk_error(&many, View::RockRidge);
    let expected = format!("more than {} bytes of directories and tables", many.len());
    assert!(told.ends_with(&expected), "{told}");
}
