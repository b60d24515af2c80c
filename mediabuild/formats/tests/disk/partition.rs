//! Partition tables: written, read, damaged.

use mediabuild_formats::fat::{Variant, Volume, write};
use mediabuild_formats::layout::Layout;
use mediabuild_formats::partition::{Disk, Guid, PARTITION_START_BYTES, Part, Scheme, Table};

use crate::content::{MIB, expected, files, listing, options, tree};
use crate::images::bytes;

const VOLUME_BYTES: u64 = 40 * MIB;

/// A disk with our usual files.
pub(crate) fn disk(scheme: Scheme) -> Vec<u8> {
    let disk = Disk { scheme, partition_bytes: VOLUME_BYTES, name: "Depot ж".into() };
    let mut options = options(Variant::Fat32, VOLUME_BYTES);
    options.start_bytes = PARTITION_START_BYTES;
    let mut layout = Layout::default();
    disk.head(&mut layout);
    write(&tree(&files()), &options, &mut layout).expect("a volume");
    disk.tail(&mut layout);
    assert_eq!(layout.size_bytes, disk.size_bytes());
    bytes(&layout)
}

fn gpt() -> Scheme {
    Scheme::Gpt { disk: Guid::of_bytes([1; 16]), partition: Guid::of_bytes([2; 16]) }
}

#[test]
fn both_tables_lead_to_the_files() {
    for scheme in [Scheme::Mbr { disk_id: 0xDEAD_BEEF }, gpt()] {
        let bytes = disk(scheme);
        let table = Table::read(&bytes).expect("a table");
        assert_eq!(table.findings, []);
        let [partition] = table.partitions.as_slice() else { panic!("{table:?}") };
        assert_eq!((partition.start_bytes, partition.size_bytes), (MIB, VOLUME_BYTES));
        match scheme {
            Scheme::Mbr { .. } => {
                assert_eq!((table.scheme, table.disk_id.as_str()), ("MBR", "DEADBEEF"));
                assert_eq!((partition.kind.as_str(), partition.is_active), ("0C", true));
            }
            Scheme::Gpt { disk, .. } => {
                assert_eq!((table.scheme, table.disk_id), ("GPT", disk.to_string()));
                assert_eq!(partition.name, "Depot ж");
            }
        }
        let part = Part::new(&bytes, partition.start_bytes, partition.size_bytes);
        let volume = Volume::open(&part).expect("a volume");
        assert_eq!(volume.verify(&part), []);
        assert!(listing(&part, &volume) == expected(&files()));
    }
}

#[test]
fn a_damaged_gpt_is_read_from_its_backup() {
    let whole = disk(gpt());
    let read = Table::read(&whole).expect("a table");
    for at in [512, 512 + 60, 1024 + 40] {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        let table = Table::read(&bytes).expect("a backup");
        assert_eq!((&table.partitions, table.findings.len()), (&read.partitions, 1), "{at}");
        let backup = bytes.len() - 512;
        bytes[backup] ^= 1;
        Table::read(&bytes).expect_err("nothing left");
    }
    let mut bytes = whole.clone();
    let backup = bytes.len() - 512;
    bytes[backup + 8] ^= 1;
    assert_eq!(Table::read(&bytes).expect("a table").findings.len(), 1);
}

#[test]
fn what_is_no_table_is_refused() {
    assert!(Table::read(&vec![0; 4096]).is_err());
    assert!(Table::read(&vec![0xFF; 4096]).is_err());
    assert!(Table::read(&Vec::new()).is_err());
}

#[test]
fn partitions_that_leave_the_disk_or_overlap_are_found() {
    let mut bytes = disk(Scheme::Mbr { disk_id: 1 });
    bytes[446 + 12 + 3] = 0x7F;
    let table = Table::read(&bytes).expect("a table");
    assert_eq!((table.partitions.len(), table.findings.len()), (0, 1));
    let mut bytes = disk(Scheme::Mbr { disk_id: 1 });
    bytes.copy_within(446..462, 462);
    let table = Table::read(&bytes).expect("a table");
    assert_eq!((table.partitions.len(), table.findings.len()), (1, 1));
}
