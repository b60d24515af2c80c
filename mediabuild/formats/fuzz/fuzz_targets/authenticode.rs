//! Signatures and security versions of programs: errors are fine; panics are bugs. An input is a program, or the blob of a
//! signature that is put into the smallest program.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mediabuild_formats::authenticode::{security_versions, signatures};

fuzz_target!(|data: &[u8]| {
    match data {
        [0, blob @ ..] => drop(signatures(&with_certificate(blob))),
        _ => drop((signatures(data), security_versions(data, "V"))),
    }
});

/// Headers of PE32+ without a section, and one certificate.
fn with_certificate(blob: &[u8]) -> Vec<u8> {
    const HEADERS: usize = 0x40 + 24 + 112 + 16 * 8;
    let mut file = vec![0; HEADERS];
    file[..2].copy_from_slice(b"MZ");
    file[0x3c] = 0x40;
    file[0x40..0x44].copy_from_slice(b"PE\0\0");
    let optional = 0x40 + 24;
    file[optional..optional + 2].copy_from_slice(&[0x0b, 0x02]);
    file[optional + 108] = 16;
    let size = (blob.len() + 8) as u32;
    let directory = optional + 112 + 4 * 8;
    file[directory..directory + 4].copy_from_slice(&(HEADERS as u32).to_le_bytes());
    file[directory + 4..directory + 8].copy_from_slice(&size.to_le_bytes());
    file.extend(size.to_le_bytes());
    file.extend([0, 2, 2, 0]);
    file.extend(blob);
    file
}
