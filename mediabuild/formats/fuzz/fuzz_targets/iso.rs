//! Disc images, everything a caller may do with them: errors are fine; panics are bugs. Extents lie
//! inside the disc, paths inside the folder they are extracted to.

#![no_main]

use std::io::Read;

use libfuzzer_sys::fuzz_target;
use mediabuild_formats::iso::Disc;
use mediabuild_formats::volume::{Entry, FileReader};
use mediabuild_formats::source::Source;
use mediabuild_fuzz::SparseDisc;

/// More only takes time.
const FILE_COUNT_MAX: usize = 64;
const FILE_READ_BYTES: u64 = 64 << 10;

fuzz_target!(|data: &[u8]| {
    let source = SparseDisc::decode(data);
    let Ok(disc) = Disc::open(&source) else { return };
    for view in disc.views() {
        assert!(disc.label(view).is_some());
        let entries = disc.walk(&source, view).unwrap_or_default();
        entries.iter().for_each(|entry| check_entry(&source, entry));
        let files = entries.iter().filter(|entry| !entry.is_directory);
        for file in files.take(FILE_COUNT_MAX) {
            let mut reader = FileReader::new(&source, file).take(FILE_READ_BYTES);
            let read = std::io::copy(&mut reader, &mut std::io::sink());
            assert_eq!(
                read.expect("extents inside the disc"),
                file.size_bytes.min(FILE_READ_BYTES)
            );
        }
    }
    let _ = disc.verify(&source);
    let _ = disc.dump(&source);
});

fn check_entry(source: &SparseDisc, entry: &Entry) {
    for extent in &entry.extents {
        let end = extent.offset_bytes.unwrap_or(0).checked_add(extent.size_bytes);
        let is_inside = end.is_some_and(|end| end <= source.size_bytes());
        assert!(extent.offset_bytes.is_none() || is_inside, "{entry:?}");
    }
    let sum = entry.extents.iter().fold(0, |sum: u64, it| sum.saturating_add(it.size_bytes));
    assert_eq!(sum, entry.size_bytes, "{entry:?}");
    for name in entry.path.split('/') {
        let is_name = !matches!(name, "" | "." | "..") && !name.contains(['\\', '\0']);
        assert!(is_name, "{entry:?}");
    }
}
