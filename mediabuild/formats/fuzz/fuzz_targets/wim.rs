//! WIM files, everything a caller may do with them: errors are fine; panics are bugs.

#![no_main]

use std::io::Read;

use libfuzzer_sys::fuzz_target;
use mediabuild_formats::wim::{BlobEntry, Detail, Wim, dump};
use mediabuild_fuzz::check_units;

/// A few bytes can stand for gigabytes: that is what compression is, and takes only time.
const DECODED_MAX_BYTES: u64 = 4 << 20;
const METADATA_MAX_BYTES: u64 = 1 << 20;

fuzz_target!(|data: &[u8]| {
    let Ok(wim) = Wim::open(data) else { return };
    let _ = wim.integrity(data);
    let _ = wim.check_layout();
    let _ = wim.distinct_resources();
    let _ = wim.distinct_solid_blobs();
    let mut left = DECODED_MAX_BYTES;
    for entry in wim.blobs.iter().chain(&wim.images).chain(&wim.solid) {
        left = left.saturating_sub(look(&wim, data, entry, left));
    }
    check_units(&wim, &data, DECODED_MAX_BYTES);
    assert!(wim.blobs.iter().all(|entry| wim.blob(&entry.sha1).is_some()));
    let metadata_bytes =
        wim.images.iter().fold(0, |sum: u64, it| sum.saturating_add(it.size_bytes()));
    if metadata_bytes <= METADATA_MAX_BYTES {
        for index in 0..=wim.images.len() + 1 {
            if let Ok(image) = wim.image(data, index) {
                let uses = image.walk().flat_map(|(_, dentry)| dentry.blobs());
                let _ = uses.filter_map(|sha1| wim.size_of(&sha1)).fold(0, u64::saturating_add);
            }
        }
        let _ = dump(&wim, data, Detail::Chunks);
    }
});

/// Checks a blob, or reads its first bytes if it is too large; gives how many bytes that took.
fn look(wim: &Wim, data: &[u8], entry: &BlobEntry, left: u64) -> u64 {
    if entry.size_bytes() <= left {
        let _ = wim.check(data, entry);
        return entry.size_bytes();
    }
    let Ok(reader) = wim.blob_reader(data, entry) else { return 0 };
    let _ = std::io::copy(&mut reader.take(left), &mut std::io::sink());
    left
}
