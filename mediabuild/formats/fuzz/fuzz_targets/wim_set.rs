//! Two WIM files read as one, as parts of a split set and as a delta with its base: errors are fine;
//! panics are bugs. An input is the size of the first file, in 16 bits, and both files.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mediabuild_formats::wim::{Detail, Joined, Wim, dump};
use mediabuild_fuzz::check_units;

/// A few bytes can stand for gigabytes: that is what compression is, and takes only time.
const DECODED_MAX_BYTES: u64 = 1 << 20;

fuzz_target!(|data: &[u8]| {
    let Some((size, files)) = data.split_first_chunk::<2>() else { return };
    let (first, second) = files.split_at(usize::from(u16::from_le_bytes(*size)).min(files.len()));
    for (files, part_count) in [(vec![first, second], 2), (vec![first, second], 1)] {
        let joined = Joined::new(files);
        let Ok(wim) = Wim::open_joined(&joined, part_count) else { continue };
        let _ = wim.check_layout();
        let _ = wim.distinct_resources();
        let _ = wim.integrity(&joined);
        for entry in wim.blobs.iter().chain(&wim.images) {
            assert!(wim.place_of(entry).0 < wim.file_count());
        }
        check_units(&wim, &joined, DECODED_MAX_BYTES);
        let size: u64 = wim.images.iter().fold(0, |sum, it| sum.saturating_add(it.size_bytes()));
        if size <= DECODED_MAX_BYTES {
            let _ = dump(&wim, &joined, Detail::Files);
        }
    }
});
