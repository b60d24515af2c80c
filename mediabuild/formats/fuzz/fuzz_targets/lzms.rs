//! LZMS chunks: errors are fine; panics are bugs. The output does not depend on what was in it.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mediabuild_formats::codec::lzms;

fuzz_target!(|data: &[u8]| {
    let [order, low, high, input @ ..] = data else { return };
    // Sizes from 0 to half a megabyte; larger ones only take time.
    let size = usize::from(u16::from_le_bytes([*low, *high])) << (order % 4);
    let (mut first, mut second) = (vec![0; size], vec![0xff; size]);
    let decoded = lzms::decode(input, &mut first);
    assert_eq!(decoded, lzms::decode(input, &mut second));
    assert!(decoded.is_err() || first == second, "a decoder fills its output");
});
