//! FAT volumes and partition tables, everything a caller may do with them: errors are fine; panics are
//! bugs. Extents lie inside the volume, partitions inside the disk.

#![no_main]

use std::io::Read;

use libfuzzer_sys::fuzz_target;
use mediabuild_formats::fat::Volume;
use mediabuild_formats::volume::FileReader;
use mediabuild_formats::partition::{Part, Table};
use mediabuild_formats::source::Source;
use mediabuild_fuzz::SparseDisc;

/// More only takes time.
const FILE_COUNT_MAX: usize = 64;
const FILE_READ_BYTES: u64 = 64 << 10;

fuzz_target!(|data: &[u8]| {
    let source = SparseDisc::decode(data);
    read_volume(&source);
    let Ok(table) = Table::read(&source) else { return };
    for partition in table.partitions {
        let end = partition.start_bytes.checked_add(partition.size_bytes);
        assert!(end.is_some_and(|end| end <= source.size_bytes()), "{partition:?}");
        read_volume(&Part::new(&source, partition.start_bytes, partition.size_bytes));
    }
});

fn read_volume<S: Source>(source: &S) {
    let Ok(volume) = Volume::open(source) else { return };
    let entries = volume.walk(source).unwrap_or_default();
    for entry in &entries {
        let sum: u64 = entry.extents.iter().map(|extent| extent.size_bytes).sum();
        assert_eq!(sum, entry.size_bytes, "{entry:?}");
        for name in entry.path.split('/') {
            let is_name = !matches!(name, "" | "." | "..") && !name.contains(['\\', '\0']);
            assert!(is_name, "{entry:?}");
        }
    }
    let files = entries.iter().filter(|entry| !entry.is_directory);
    for file in files.take(FILE_COUNT_MAX) {
        let mut reader = FileReader::new(source, file).take(FILE_READ_BYTES);
        let read = std::io::copy(&mut reader, &mut std::io::sink());
        assert_eq!(read.expect("extents inside the volume"), file.size_bytes.min(FILE_READ_BYTES));
    }
    let _ = volume.verify(source);
}
