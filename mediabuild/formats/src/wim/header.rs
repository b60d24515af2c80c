//! The 208-byte header and the 24-byte resource headers.

use super::error::Error;
use crate::source::Source;

/// Size of the header.
pub const HEADER_BYTES: usize = 208;
/// Version of files without solid resources.
pub(super) const VERSION_DEFAULT: u32 = 0x10d00;
/// Version of files with solid resources or LZMS.
pub(super) const VERSION_SOLID: u32 = 0xe00;
/// Size of a resource header.
pub(super) const RESOURCE_HEADER_BYTES: usize = 24;

/// Header flags.
pub mod header_flag {
    /// Some resource may be compressed; one type bit says how.
    pub const COMPRESSION: u32 = 0x2;
    /// The file must not be changed.
    pub const READONLY: u32 = 0x4;
    /// The file is part of a split set.
    pub const SPANNED: u32 = 0x8;
    /// Holds file resources only.
    pub const RESOURCE_ONLY: u32 = 0x10;
    /// Holds metadata only.
    pub const METADATA_ONLY: u32 = 0x20;
    /// A writer did not finish.
    pub const WRITE_IN_PROGRESS: u32 = 0x40;
    /// Reparse points were made relative to the image's root.
    pub const RP_FIX: u32 = 0x80;
    /// XPRESS chunks.
    pub const COMPRESS_XPRESS: u32 = 0x20000;
    /// LZX chunks.
    pub const COMPRESS_LZX: u32 = 0x40000;
    /// LZMS chunks.
    pub const COMPRESS_LZMS: u32 = 0x80000;
}

/// Resource flags.
pub mod resource_flag {
    /// Unused space; never seen.
    pub const FREE: u8 = 0x01;
    /// An image's metadata, the blob table or the XML data.
    pub const METADATA: u8 = 0x02;
    /// Stored as chunks.
    pub const COMPRESSED: u8 = 0x04;
    /// Spans parts; never seen.
    pub const SPANNED: u8 = 0x08;
    /// A solid resource, or a blob inside one.
    pub const SOLID: u8 = 0x10;
}

/// How resources are compressed, with the numbers that solid resources call the codecs by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// Not at all.
    None = 0,
    /// XPRESS with Huffman codes, [MS-XCA].
    Xpress = 1,
    /// LZX, the WIM variant.
    Lzx = 2,
    /// LZMS, mostly of solid resources.
    Lzms = 3,
}

impl Compression {
    const ALL: [Compression; 4] =
        [Compression::None, Compression::Xpress, Compression::Lzx, Compression::Lzms];

    /// The number in the head of a solid resource.
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The codec of that number.
    pub(super) fn of_number(number: u32) -> Option<Compression> {
        Compression::ALL.into_iter().find(|codec| u32::from(codec.number()) == number)
    }
}

/// Where a resource is, and how it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ResourceHeader {
    /// Size in the file. For a blob in a solid resource: the blob's size.
    pub stored_bytes: u64,
    /// [`resource_flag`] bits.
    pub flags: u8,
    /// Offset in the file. For a blob in a solid resource: offset in its uncompressed bytes.
    pub offset_bytes: u64,
    /// Uncompressed size. Zero for a blob in a solid resource.
    pub size_bytes: u64,
}

impl ResourceHeader {
    /// Whether any of the given [`resource_flag`] bits is set.
    pub fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    /// The 24 bytes of a resource header.
    pub(super) fn decode(bytes: &[u8; RESOURCE_HEADER_BYTES]) -> ResourceHeader {
        let size_and_flags = u64_at(bytes, 0);
        ResourceHeader {
            // +0x00: stored size, 56 bits
            stored_bytes: size_and_flags & 0x00ff_ffff_ffff_ffff,
            // +0x07: flags
            flags: (size_and_flags >> 56) as u8,
            // +0x08: offset
            offset_bytes: u64_at(bytes, 8),
            // +0x10: uncompressed size
            size_bytes: u64_at(bytes, 16),
        }
    }

    pub(super) fn encode(&self) -> [u8; RESOURCE_HEADER_BYTES] {
        let mut bytes = [0; RESOURCE_HEADER_BYTES];
        let size_and_flags = self.stored_bytes | u64::from(self.flags) << 56;
        bytes[..8].copy_from_slice(&size_and_flags.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.offset_bytes.to_le_bytes());
        bytes[16..].copy_from_slice(&self.size_bytes.to_le_bytes());
        bytes
    }

    /// An error unless the stored bytes lie inside a file of `file_bytes`.
    pub(super) fn check_range(&self, what: &str, file_bytes: u64) -> Result<(), Error> {
        match self.offset_bytes.checked_add(self.stored_bytes) {
            Some(end) if end <= file_bytes => Ok(()),
            _ => Err(Error::in_file(
                self.offset_bytes,
                format!(
                    "{what} of {} bytes inside the file of {file_bytes} bytes",
                    self.stored_bytes
                ),
            )),
        }
    }
}

/// The header of a WIM, field by field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Format version.
    pub version: u32,
    /// [`header_flag`] bits.
    pub flags: u32,
    /// Uncompressed bytes per chunk of non-solid resources; 0 if uncompressed.
    pub chunk_bytes: u32,
    /// Identity of the file, the same in all parts of a split set.
    pub guid: [u8; 16],
    /// Counted from 1.
    pub part_number: u16,
    /// 1 if not split.
    pub part_count: u16,
    /// Images of the whole set.
    pub image_count: u32,
    /// Where the blob table is.
    pub blob_table: ResourceHeader,
    /// Where the XML data is.
    pub xml: ResourceHeader,
    /// The boot image's metadata, zeros if there is none.
    pub boot_metadata: ResourceHeader,
    /// The boot image counted from 1, 0 if there is none.
    pub boot_index: u32,
    /// Where the integrity table is, zeros if there is none.
    pub integrity: ResourceHeader,
}

impl Header {
    /// Reads the header of `source`, and whether that is a pipable file: its first header was written
    /// before anything was known, and its last one counts.
    pub(super) fn read<S: Source + ?Sized>(source: &S) -> Result<(Header, bool), Error> {
        let is_pipable = is_pipable(source)?;
        let mut bytes = [0; HEADER_BYTES];
        read_at(source, 0, &mut bytes)?;
        if is_pipable {
            let end_bytes = source.size_bytes().saturating_sub(HEADER_BYTES as u64);
            read_at(source, end_bytes, &mut bytes)?;
            if !bytes.starts_with(PIPABLE_MAGIC) {
                let expected = "`WLPWM` in front of the last header of a pipable WIM";
                return Err(Error::in_file(end_bytes, expected));
            }
        }
        Ok((Header::decode(&bytes)?, is_pipable))
    }

    fn decode(bytes: &[u8; HEADER_BYTES]) -> Result<Header, Error> {
        // +0x08: header size
        let header_bytes = u32_at(bytes, 0x08);
        if header_bytes != HEADER_BYTES as u32 {
            return Err(Error::in_file(
                8,
                format!(
                    "a header of {HEADER_BYTES} bytes, found {header_bytes} (a pre-release WIM?)"
                ),
            ));
        }
        Ok(Header {
            version: u32_at(bytes, 0x0c),
            flags: u32_at(bytes, 0x10),
            chunk_bytes: u32_at(bytes, 0x14),
            guid: array_at(bytes, 0x18),
            part_number: u16_at(bytes, 0x28),
            part_count: u16_at(bytes, 0x2a),
            image_count: u32_at(bytes, 0x2c),
            blob_table: ResourceHeader::decode(&array_at(bytes, 0x30)),
            xml: ResourceHeader::decode(&array_at(bytes, 0x48)),
            boot_metadata: ResourceHeader::decode(&array_at(bytes, 0x60)),
            boot_index: u32_at(bytes, 0x78),
            // +0x7c: only 4-aligned
            integrity: ResourceHeader::decode(&array_at(bytes, 0x7c)),
            // +0x94: 60 reserved bytes
        })
    }

    /// The 208 bytes of the header.
    pub(super) fn encode(&self) -> [u8; HEADER_BYTES] {
        let mut bytes = [0; HEADER_BYTES];
        let mut put = |offset: usize, field: &[u8]| {
            bytes[offset..offset + field.len()].copy_from_slice(field);
        };
        put(0x00, MAGIC);
        put(0x08, &(HEADER_BYTES as u32).to_le_bytes());
        put(0x0c, &self.version.to_le_bytes());
        put(0x10, &self.flags.to_le_bytes());
        put(0x14, &self.chunk_bytes.to_le_bytes());
        put(0x18, &self.guid);
        put(0x28, &self.part_number.to_le_bytes());
        put(0x2a, &self.part_count.to_le_bytes());
        put(0x2c, &self.image_count.to_le_bytes());
        put(0x30, &self.blob_table.encode());
        put(0x48, &self.xml.encode());
        put(0x60, &self.boot_metadata.encode());
        put(0x78, &self.boot_index.to_le_bytes());
        put(0x7c, &self.integrity.encode());
        bytes
    }

    /// The codec of the file's compressed, non-solid resources.
    pub fn compression(&self) -> Compression {
        match self.flags {
            flags if flags & header_flag::COMPRESSION == 0 => Compression::None,
            flags if flags & header_flag::COMPRESS_LZX != 0 => Compression::Lzx,
            flags if flags & header_flag::COMPRESS_XPRESS != 0 => Compression::Xpress,
            flags if flags & header_flag::COMPRESS_LZMS != 0 => Compression::Lzms,
            _ => Compression::None,
        }
    }
}

const MAGIC: &[u8; 8] = b"MSWIM\0\0\0";
const PIPABLE_MAGIC: &[u8; 8] = b"WLPWM\0\0\0";

/// Tells a WIM from everything else, also from files that are shorter than a header.
fn is_pipable<S: Source + ?Sized>(source: &S) -> Result<bool, Error> {
    let mut magic = [0; 8];
    let present = source.size_bytes().min(8) as usize;
    read_at(source, 0, &mut magic[..present])?;
    match &magic {
        MAGIC => Ok(false),
        PIPABLE_MAGIC => Ok(true),
        _ => {
            let found = match present {
                0 => "an empty file".to_owned(),
                _ => format!("`{}`", magic[..present].escape_ascii()),
            };
            Err(Error::NotWim { found })
        }
    }
}

/// Reads exactly `buffer` at an offset.
pub(super) fn read_at<S: Source + ?Sized>(
    source: &S,
    offset_bytes: u64,
    buffer: &mut [u8],
) -> Result<(), Error> {
    source
        .read_exact_at(offset_bytes, buffer)
        .map_err(|source| Error::Read { offset_bytes, source })
}

/// `N` bytes of a fixed-size structure; the caller's offsets are constants inside it.
pub(super) fn array_at<const N: usize>(bytes: &[u8], offset: usize) -> [u8; N] {
    let mut array = [0; N];
    array.copy_from_slice(&bytes[offset..offset + N]);
    array
}

pub(super) fn u16_at(bytes: &[u8], offset: usize) -> u16 {
    u16::from_le_bytes(array_at(bytes, offset))
}

pub(super) fn u32_at(bytes: &[u8], offset: usize) -> u32 {
    u32::from_le_bytes(array_at(bytes, offset))
}

pub(super) fn u64_at(bytes: &[u8], offset: usize) -> u64 {
    u64::from_le_bytes(array_at(bytes, offset))
}

#[cfg(test)]
mod tests {
    use super::{Header, ResourceHeader};

    #[test]
    fn a_header_round_trips_field_by_field() {
        let mut resource = 0;
        let mut next = || {
            resource += 1;
            ResourceHeader { stored_bytes: resource, flags: 2, offset_bytes: 7, size_bytes: 9 }
        };
        let header = Header {
            version: 0x10d00,
            flags: 0x40082,
            chunk_bytes: 32768,
            guid: [7; 16],
            part_number: 1,
            part_count: 2,
            image_count: 3,
            blob_table: next(),
            xml: next(),
            boot_metadata: next(),
            boot_index: 3,
            integrity: next(),
        };
        assert_eq!(Header::decode(&header.encode()).expect("own header"), header);
    }
}
