//! Registry hives and boot configuration stores: errors are fine; panics are bugs. What is read, is
//! written and read again: equal.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mediabuild_formats::{bcd, regf};

fuzz_target!(|data: &[u8]| {
    let sealed = sealed(data);
    if let Ok(hive) = regf::read(&sealed)
        && let Ok(bytes) = regf::write(&hive.root, hive.written)
    {
        let again = regf::read(&bytes).expect("our own hive");
        assert_eq!(regf::write(&again.root, again.written).as_ref(), Ok(&bytes));
    }
    if let Ok(store) = bcd::read(&sealed)
        && let Ok(bytes) = bcd::write(&store, mediabuild_formats::wim::FileTime(0))
    {
        let _ = bcd::dump(&store);
        assert_eq!(bcd::read(&bytes), Ok(store));
    }
});

/// The base block's checksum made right, so that mutations get past it.
fn sealed(data: &[u8]) -> Vec<u8> {
    let mut hive = data.to_vec();
    if hive.len() >= 0x200 {
        let words = hive[..0x1fc].as_chunks::<4>().0.iter();
        let sum = match words.fold(0, |sum, word| sum ^ u32::from_le_bytes(*word)) {
            0 => 1,
            u32::MAX => u32::MAX - 1,
            sum => sum,
        };
        hive[0x1fc..0x200].copy_from_slice(&sum.to_le_bytes());
    }
    hive
}
