//! XPRESS chunks: errors are fine; panics are bugs. The output does not depend on what was in it.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mediabuild_formats::codec::xpress;

fuzz_target!(|data: &[u8]| {
    let [low, high, input @ ..] = data else { return };
    let size = usize::from(u16::from_le_bytes([*low, *high])) + 1;
    let (mut first, mut second) = (vec![0; size], vec![0xff; size]);
    let decoded = xpress::decode(input, &mut first);
    assert_eq!(decoded, xpress::decode(input, &mut second));
    assert!(decoded.is_err() || first == second, "a decoder fills its output");
});
