//! Descriptor tags (ECMA-167 3/7.2): every UDF structure's first 16 bytes.
//!
//! ```text
//! +0  u16 identifier   +4 u8 checksum of the tag   +8  u16 CRC          +12 u32 location
//! +2  u16 version      +6 u16 serial number        +10 u16 CRC length
//! ```

use crate::field::{put_u16, put_u32, u8_at, u16_at, u32_at};

/// The size of a tag; a CRC starts behind it.
pub(in crate::iso) const TAG_SIZE_BYTES: usize = 16;

pub(in crate::iso) const PRIMARY_VOLUME: u16 = 1;
pub(in crate::iso) const ANCHOR: u16 = 2;
pub(in crate::iso) const VOLUME_POINTER: u16 = 3;
pub(in crate::iso) const IMPLEMENTATION_USE_VOLUME: u16 = 4;
pub(in crate::iso) const PARTITION: u16 = 5;
pub(in crate::iso) const LOGICAL_VOLUME: u16 = 6;
pub(in crate::iso) const UNALLOCATED_SPACE: u16 = 7;
pub(in crate::iso) const TERMINATING: u16 = 8;
pub(in crate::iso) const INTEGRITY: u16 = 9;
pub(in crate::iso) const FILE_SET: u16 = 256;
pub(in crate::iso) const FILE_IDENTIFIER: u16 = 257;
pub(in crate::iso) const ALLOCATION_EXTENT: u16 = 258;
pub(in crate::iso) const FILE_ENTRY: u16 = 261;
pub(in crate::iso) const EXTENDED_FILE_ENTRY: u16 = 266;

/// NSR02 structures carry version 2.
const VERSION: u16 = 2;

/// Puts the tag on `descriptor`, the CRC over all of it.
pub(in crate::iso) fn seal(descriptor: &mut [u8], identifier: u16, location: u32) {
    let body = &descriptor[TAG_SIZE_BYTES..];
    let size = u16::try_from(body.len()).expect("descriptors fit a sector");
    let crc = crc16(body);
    put_u16(descriptor, 0, identifier);
    put_u16(descriptor, 2, VERSION);
    put_u16(descriptor, 8, crc);
    put_u16(descriptor, 10, size);
    put_u32(descriptor, 12, location);
    descriptor[4] = checksum(descriptor);
}

/// A tag as read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::iso) struct Tag {
    pub(in crate::iso) identifier: u16,
    pub(in crate::iso) location: u32,
    /// Whether the checksum over the tag itself is right.
    pub(in crate::iso) is_intact: bool,
}

impl Tag {
    /// The tag at the start of `descriptor`.
    pub(in crate::iso) fn of(descriptor: &[u8]) -> Tag {
        Tag {
            identifier: u16_at(descriptor, 0),
            location: u32_at(descriptor, 12),
            is_intact: descriptor.len() >= TAG_SIZE_BYTES
                && u8_at(descriptor, 4) == checksum(descriptor),
        }
    }
}

/// Whether the CRC that `descriptor` claims is that of its bytes; it may claim no CRC.
pub(in crate::iso) fn is_crc_right(descriptor: &[u8]) -> bool {
    let size = usize::from(u16_at(descriptor, 10));
    let body = descriptor.get(TAG_SIZE_BYTES..TAG_SIZE_BYTES + size);
    body.is_some_and(|body| crc16(body) == u16_at(descriptor, 8))
}

/// The sum of the tag's bytes without the checksum itself (ECMA-167 3/7.2.3).
fn checksum(descriptor: &[u8]) -> u8 {
    let summed = (0..TAG_SIZE_BYTES).filter(|&at| at != 4).map(|at| u8_at(descriptor, at));
    summed.fold(0, u8::wrapping_add)
}

/// CRC-16/XMODEM (ECMA-167 3/7.2.6): polynomial 0x1021, start 0, not reflected.
fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc: u16, &byte| {
        let index = usize::from((crc >> 8) as u8 ^ byte);
        (crc << 8) ^ CRC_TABLE[index]
    })
}

const CRC_TABLE: [u16; 256] = {
    let mut table = [0; 256];
    let mut index = 0;
    while index < 256 {
        let mut crc = (index as u16) << 8;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 0x8000 != 0 { (crc << 1) ^ 0x1021 } else { crc << 1 };
            bit += 1;
        }
        table[index] = crc;
        index += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;

    /// The check value of CRC-16/XMODEM, and the example in ECMA-167 3/7.2.6.
    #[test]
    fn crc_has_the_published_values() {
        assert_eq!(crc16(b"123456789"), 0x31C3);
        assert_eq!(crc16(&[0x70, 0x6A, 0x77]), 0x3299);
    }

    #[test]
    fn a_sealed_tag_reads_back() {
        let mut descriptor = [7; 64];
        seal(&mut descriptor, FILE_SET, 9);
        let tag = Tag { identifier: FILE_SET, location: 9, is_intact: true };
        assert_eq!(Tag::of(&descriptor), tag);
        assert!(is_crc_right(&descriptor));
        descriptor[63] ^= 1;
        assert!(!is_crc_right(&descriptor));
    }
}
