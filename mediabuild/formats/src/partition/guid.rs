//! `Guid`: 16 bytes as they stand on a disk.

use std::fmt;

/// A GUID; its first three fields are little-endian on disk and big-endian in text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Guid(pub [u8; 16]);

impl Guid {
    /// EFI system partition. Windows gives such a partition no drive letter.
    pub const EFI_SYSTEM: Guid =
        Guid(*b"\x28\x73\x2A\xC1\x1F\xF8\xD2\x11\xBA\x4B\x00\xA0\xC9\x3E\xC9\x3B");
    /// Microsoft basic data.
    pub const BASIC_DATA: Guid =
        Guid(*b"\xA2\xA0\xD0\xEB\xE5\xB9\x33\x44\x87\xC0\x68\xB6\xB7\x26\x99\xC7");
    /// No partition.
    pub const UNUSED: Guid = Guid([0; 16]);

    /// A GUID out of 16 bytes that tell it from others, marked as version 8: "by a rule of our own"
    /// (RFC 9562).
    pub fn of_bytes(mut bytes: [u8; 16]) -> Guid {
        bytes[7] = bytes[7] & 0x0F | 0x80;
        bytes[8] = bytes[8] & 0x3F | 0x80;
        Guid(bytes)
    }
}

impl fmt::Display for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const ORDER: [usize; 16] = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];
        for (at, byte) in ORDER.into_iter().enumerate() {
            if matches!(at, 4 | 6 | 8 | 10) {
                f.write_str("-")?;
            }
            write!(f, "{:02X}", self.0[byte])?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Guid;

    #[test]
    fn guids_are_written_as_everybody_writes_them() {
        assert_eq!(Guid::EFI_SYSTEM.to_string(), "C12A7328-F81F-11D2-BA4B-00A0C93EC93B");
        assert_eq!(Guid::BASIC_DATA.to_string(), "EBD0A0A2-B9E5-4433-87C0-68B6B72699C7");
        assert_eq!(Guid::of_bytes([0xFF; 16]).to_string(), "FFFFFFFF-FFFF-8FFF-BFFF-FFFFFFFFFFFF");
    }
}
