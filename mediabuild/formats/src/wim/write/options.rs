//! `Options`: what a whole output has in common, and which of it the format has.

use crate::wim::blob::IMAGE_LIMIT;
use crate::wim::error::Error;
use crate::wim::header::{Compression, header_flag};

/// What a whole output has in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// The codec of every [`Resource::Stored`](super::Resource::Stored) and of metadata.
    pub compression: Compression,
    /// Its chunk size; ignored without a codec.
    pub chunk_bytes: u32,
    /// The image that boots, counted from 1; 0 for none.
    pub boot_index: u32,
    /// Whether reparse points were made relative to the image's root.
    pub rp_fix: bool,
    /// Whether an integrity table is to follow the XML data: see
    /// [`Placed::covered`](super::Placed::covered).
    pub integrity: bool,
}

impl Default for Options {
    /// Uncompressed, nothing boots, reparse points relative, no integrity table.
    fn default() -> Options {
        Options {
            compression: Compression::None,
            chunk_bytes: 0,
            boot_index: 0,
            rp_fix: true,
            integrity: false,
        }
    }
}

impl Options {
    pub(super) fn check(&self, image_count: usize, has_solid: bool) -> Result<(), Error> {
        let is_power = self.chunk_bytes.is_power_of_two();
        let has_size = |bits: std::ops::RangeInclusive<u32>| {
            is_power && bits.contains(&self.chunk_bytes.trailing_zeros())
        };
        let problem = match self.compression {
            // Microsoft's readers demand this size of LZX, and sizes like these of the others.
            Compression::Lzx if !has_size(15..=15) => "LZX chunks have 32768 bytes",
            Compression::Xpress if !has_size(12..=16) => "XPRESS chunks have 4096 to 65536 bytes",
            Compression::None if has_solid => "an output with solid resources has a codec",
            Compression::Lzms if !has_size(15..=26) => "LZMS chunks have 32768 to 67108864 bytes",
            _ if self.boot_index as usize > image_count => "the boot image is not in the output",
            _ if image_count > IMAGE_LIMIT => "more than 65535 images",
            _ => return Ok(()),
        };
        Err(Error::Output { problem: problem.to_owned() })
    }

    /// The [`header_flag`] bits.
    pub(super) fn flags(&self) -> u32 {
        let compression = match self.compression {
            Compression::None => 0,
            Compression::Xpress => header_flag::COMPRESSION | header_flag::COMPRESS_XPRESS,
            Compression::Lzx => header_flag::COMPRESSION | header_flag::COMPRESS_LZX,
            Compression::Lzms => header_flag::COMPRESSION | header_flag::COMPRESS_LZMS,
        };
        compression | if self.rp_fix { header_flag::RP_FIX } else { 0 }
    }

    /// The header's chunk size.
    pub(super) fn header_chunk_bytes(&self) -> u32 {
        if self.compression == Compression::None { 0 } else { self.chunk_bytes }
    }
}
