//! Metadata resources: errors are fine; panics are bugs. What was decoded and can be encoded comes
//! back equal, but for what [`canonical`] names.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mediabuild_formats::wim::{Counts, decode_metadata, dump_image, encode_metadata};
use mediabuild_fuzz::canonical;

fuzz_target!(|data: &[u8]| {
    let Ok(image) = decode_metadata(data) else { return };
    let _ = Counts::of(&image, |_| Some(u64::MAX));
    let _ = dump_image(&image);
    let Ok(encoded) = encode_metadata(&image) else { return };
    let decoded = decode_metadata(&encoded).expect("own metadata");
    assert_eq!(decoded, canonical(&image));
    assert_eq!(encode_metadata(&decoded).expect("own metadata, decoded"), encoded);
});
