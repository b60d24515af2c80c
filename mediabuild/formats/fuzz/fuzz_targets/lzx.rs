//! LZX chunks: errors are fine; panics are bugs. The output does not depend on what was in it.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mediabuild_formats::codec::lzx;

/// Larger outputs only take time.
const OUTPUT_MAX_BYTES: u32 = 1 << 19;

fuzz_target!(|data: &[u8]| {
    let [setting, low, high, input @ ..] = data else { return };
    let number = u16::from_le_bytes([*low, *high]);
    let window_bytes = match setting & 63 {
        63 => u32::from(number), // no window of the format
        order => 1 << (15 + order % 7),
    };
    let size = match setting >> 6 {
        0 => u32::from(number),
        1 => 1 << 15,
        2 => window_bytes.min(OUTPUT_MAX_BYTES),
        _ => u32::from(number % 64),
    } as usize;
    let (mut first, mut second) = (vec![0; size], vec![0xff; size]);
    let decoded = lzx::decode(input, &mut first, window_bytes);
    assert_eq!(decoded, lzx::decode(input, &mut second, window_bytes));
    assert!(decoded.is_err() || first == second, "a decoder fills its output");
});
