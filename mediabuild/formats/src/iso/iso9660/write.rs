//! ISO 9660 (ECMA-119) as the writer makes it: a tree of one text file, for readers without UDF.

use super::{FLAG_DIRECTORY, STANDARD_IDENTIFIER, TYPE_PRIMARY, TYPE_SUPPLEMENTARY};
use crate::field::{put, put_both_u16, put_both_u32, put_u32};
use crate::iso::time::Time;

/// The sectors of the tree; see the map in [`crate::iso`].
pub(in crate::iso) const ROOT_SECTOR: u32 = 66;
pub(in crate::iso) const PATH_TABLE_L_SECTOR: u32 = 67;
pub(in crate::iso) const PATH_TABLE_M_SECTOR: u32 = 68;
pub(in crate::iso) const README_SECTOR: u32 = 69;

/// What the one file says.
pub(in crate::iso) const README: &[u8] = b"The files of this disc are in its UDF file system.\r\n\
    A program or an operating system that reads UDF shows them.\r\n";

const SECTOR_SIZE: u16 = 2048;
const JOLIET_LABEL_MAX_UNITS: usize = 16;
const README_NAME: &[u8] = b"README.TXT;1";
/// The path table has one record: the root.
const PATH_TABLE_SIZE_BYTES: u32 = 10;

/// The first seven bytes of every volume descriptor (ECMA-119 8.1).
pub(in crate::iso) fn descriptor_head(descriptor_type: u8) -> [u8; 7] {
    let mut head = [descriptor_type; 7];
    put(&mut head, 1, STANDARD_IDENTIFIER);
    head[6] = 1;
    head
}

/// What a volume descriptor says of its volume.
#[derive(Debug, Clone, Copy)]
pub(in crate::iso) struct IsoRoot<'a> {
    pub(in crate::iso) label: &'a str,
    pub(in crate::iso) set_id: &'a str,
    pub(in crate::iso) size_sectors: u32,
    pub(in crate::iso) time: Time,
    /// The root directory's sector and size.
    pub(in crate::iso) root: (u32, u32),
    /// The sectors of the path tables, little- and big-endian, and the size of one.
    pub(in crate::iso) tables: (u32, u32, u32),
}

impl<'a> IsoRoot<'a> {
    /// Of the tree of one text file.
    pub(in crate::iso) fn of_readme(
        label: &'a str,
        set_id: &'a str,
        size_sectors: u32,
        time: Time,
    ) -> Self {
        let root = (ROOT_SECTOR, SECTOR_SIZE.into());
        let tables = (PATH_TABLE_L_SECTOR, PATH_TABLE_M_SECTOR, PATH_TABLE_SIZE_BYTES);
        IsoRoot { label, set_id, size_sectors, time, root, tables }
    }
}

/// The primary volume descriptor (ECMA-119 8.4).
pub(in crate::iso) fn primary(of: IsoRoot<'_>) -> [u8; 2048] {
    descriptor(TYPE_PRIMARY, of, &volume_id(of.label), put_text)
}

/// Joliet's supplementary volume descriptor (ECMA-119 8.5): UCS-2, level 3.
pub(in crate::iso) fn joliet(of: IsoRoot<'_>) -> [u8; 2048] {
    let mut label = String::new();
    for character in of.label.chars() {
        if label.encode_utf16().count() + character.len_utf16() > JOLIET_LABEL_MAX_UNITS {
            break;
        }
        label.push(character);
    }
    let mut descriptor = descriptor(TYPE_SUPPLEMENTARY, of, &label, put_ucs2);
    put(&mut descriptor, 88, b"%/E");
    descriptor
}

/// A primary or supplementary volume descriptor, its texts put by `put_text`.
fn descriptor(
    descriptor_type: u8,
    of: IsoRoot<'_>,
    label: &str,
    put_text: fn(&mut [u8], usize, usize, &str),
) -> [u8; 2048] {
    let IsoRoot { set_id, size_sectors, time, .. } = of;
    let (little_table, big_table, table_size_bytes) = of.tables;
    let mut descriptor = [0; 2048];
    put(&mut descriptor, 0, &descriptor_head(descriptor_type));
    put_text(&mut descriptor, 8, 32, ""); // system
    put_text(&mut descriptor, 40, 32, label);
    put_both_u32(&mut descriptor, 80, size_sectors);
    put_both_u16(&mut descriptor, 120, 1); // volume set size
    put_both_u16(&mut descriptor, 124, 1); // volume sequence number
    put_both_u16(&mut descriptor, 128, SECTOR_SIZE);
    put_both_u32(&mut descriptor, 132, table_size_bytes);
    put_u32(&mut descriptor, 140, little_table);
    put(&mut descriptor, 148, &big_table.to_be_bytes());
    put(&mut descriptor, 156, &record(&[0], of.root.0, of.root.1, FLAG_DIRECTORY, time));
    put_text(&mut descriptor, 190, 128, set_id);
    put_text(&mut descriptor, 318, 128, ""); // publisher
    put_text(&mut descriptor, 446, 128, ""); // data preparer
    put_text(&mut descriptor, 574, 128, "MEDIABUILD"); // application
    for at in [702, 739, 776] {
        put_text(&mut descriptor, at, 37, ""); // copyright, abstract, bibliographic files
    }
    put(&mut descriptor, 813, &time.iso_volume()); // created
    put(&mut descriptor, 830, &time.iso_volume()); // modified
    put(&mut descriptor, 847, b"0000000000000000\0"); // expires: not given
    put(&mut descriptor, 864, &time.iso_volume()); // effective
    descriptor[881] = 1; // file structure version
    descriptor
}

/// The root directory: itself, its parent, the text file.
pub(in crate::iso) fn root_directory(time: Time) -> Vec<u8> {
    let mut records = root_record(&[0], time);
    records.extend(root_record(&[1], time));
    let readme_size = u32::try_from(README.len()).expect("a short text");
    records.extend(record(README_NAME, README_SECTOR, readme_size, 0, time));
    records
}

/// A path table of the root alone (ECMA-119 9.4), with little- or big-endian numbers.
pub(in crate::iso) fn path_table(is_big_endian: bool) -> [u8; PATH_TABLE_SIZE_BYTES as usize] {
    let mut table = [0; PATH_TABLE_SIZE_BYTES as usize];
    table[0] = 1; // size of the name
    if is_big_endian {
        put(&mut table, 2, &ROOT_SECTOR.to_be_bytes());
        put(&mut table, 6, &1u16.to_be_bytes());
    } else {
        put(&mut table, 2, &ROOT_SECTOR.to_le_bytes());
        put(&mut table, 6, &1u16.to_le_bytes());
    }
    table
}

/// A label in the characters ISO 9660 allows there (d-characters, ECMA-119 7.4.1).
pub(in crate::iso) fn volume_id(label: &str) -> String {
    let allowed = |character: char| match character.to_ascii_uppercase() {
        character @ ('A'..='Z' | '0'..='9') => character,
        _ => '_',
    };
    label.chars().take(32).map(allowed).collect()
}

fn root_record(name: &[u8], time: Time) -> Vec<u8> {
    record(name, ROOT_SECTOR, SECTOR_SIZE.into(), FLAG_DIRECTORY, time)
}

/// The size of a directory record with a name of that size.
pub(super) fn record_size(name_size: usize) -> usize {
    (33 + name_size).next_multiple_of(2)
}

/// A directory record (ECMA-119 9.1).
pub(super) fn record(name: &[u8], sector: u32, size_bytes: u32, flags: u8, time: Time) -> Vec<u8> {
    let mut record = vec![0; record_size(name.len())];
    record[0] = u8::try_from(record.len()).expect("names are short");
    put_both_u32(&mut record, 2, sector);
    put_both_u32(&mut record, 10, size_bytes);
    put(&mut record, 18, &time.iso_record());
    record[25] = flags;
    put_both_u16(&mut record, 28, 1); // volume sequence number
    record[32] = u8::try_from(name.len()).expect("names are short");
    put(&mut record, 33, name);
    record
}

fn put_text(descriptor: &mut [u8], at: usize, size: usize, text: &str) {
    descriptor[at..at + size].fill(b' ');
    put(descriptor, at, text.as_bytes());
}

/// UCS-2, big-endian, filled up with spaces; an odd byte at the end stays 0.
fn put_ucs2(descriptor: &mut [u8], at: usize, size: usize, text: &str) {
    let spaces = std::iter::repeat(u16::from(b' '));
    let units = text.encode_utf16().chain(spaces).take(size / 2);
    let bytes: Vec<u8> = units.flat_map(u16::to_be_bytes).collect();
    put(descriptor, at, &bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn volume_ids_have_32_allowed_characters() {
        assert_eq!(volume_id("Win 11é-x64"), "WIN_11__X64");
        assert_eq!(volume_id(&"a".repeat(40)), "A".repeat(32));
    }

    #[test]
    fn tree_fits_its_sectors() {
        let time = Time::of(0).unwrap();
        assert!(root_directory(time).len() <= 2048 && README.len() <= 2048);
        assert_eq!(root_directory(time).len(), 34 + 34 + 46);
    }
}
