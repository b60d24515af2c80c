//! Walking a UDF tree: file entries and file identifiers.

use super::icb::{self, FileEntry, FileEntryRead};
use super::link;
use super::open::{Address, UdfVolume, expect_tag, long_ad_address};
use super::tag::{self, Tag};
use super::text::decode;
use crate::field::{bytes_at, u8_at, u16_at};
use crate::iso::listing::{Directory, Listing, Named};
use crate::iso::report::Report;
use crate::iso::sectors::Sectors;
use crate::source::Source;
use crate::volume::{Entry, FileExtent, ReadError};

const CHARACTERISTIC_DELETED: u8 = 4;
const CHARACTERISTIC_PARENT: u8 = 8;
const IDENTIFIER_SIZE_BYTES: usize = 38;

/// Lists all files and directories; what cannot be read goes to the report.
pub(in crate::iso) fn walk<S: Source + ?Sized>(
    sectors: Sectors<'_, S>,
    volume: &UdfVolume,
    report: &mut Report,
) -> Result<Vec<Entry>, ReadError> {
    let sectors = sectors.sized(volume.sector_size_bytes);
    let listing = Listing::of_disc(sectors.size_bytes);
    let mut walk = Walk { sectors, volume, report, listing };
    let mut waiting = vec![(Named::root(), volume.root)];
    while let Some((named, address)) = waiting.pop() {
        match walk.visit(&named, address) {
            Ok(children) => waiting.extend(children.into_iter().rev()),
            Err(error) => walk.fault(error)?,
        }
    }
    Ok(walk.listing.into_entries())
}

struct Walk<'a, 's, S: ?Sized> {
    sectors: Sectors<'s, S>,
    volume: &'a UdfVolume,
    report: &'a mut Report,
    listing: Listing,
}

impl<S: Source + ?Sized> Walk<'_, '_, S> {
    /// Lists one file or directory; gives what a directory names.
    fn visit(
        &mut self,
        named: &Named,
        address: Address,
    ) -> Result<Vec<(Named, Address)>, ReadError> {
        let file = FileEntry::at(self.sectors, self.volume, address)?;
        let FileEntry { offset_bytes, file_type, .. } = file;
        let is_directory = file_type == icb::FILE_TYPE_DIRECTORY;
        if named.depth == 0 && !is_directory {
            let (expected, found) = ("a directory as root", "a file".to_owned());
            return Err(ReadError::Damaged { offset_bytes, expected, found });
        }
        if !is_listed(file_type) {
            self.check_tag(&file.block, offset_bytes, address.block);
            return self.listing.trouble(offset_bytes).map(|()| Vec::new());
        }
        let read = file.read(self.sectors, self.volume, &mut self.listing)?;
        self.check_tag(&read.block, offset_bytes, address.block);
        if named.depth > 0 {
            let entry = self.entry(Entry::named(named.path()), &read)?;
            self.listing.push(entry);
        }
        if !is_directory {
            return Ok(Vec::new());
        }
        self.listing.enter(named.depth, offset_bytes, &read.extents)?;
        let data = self.sectors.gather(&read.extents)?;
        self.children(&named.directory(), &data, &read.extents, address.map)
    }

    /// What is listed of a file entry.
    fn entry(&mut self, entry: Entry, read: &FileEntryRead) -> Result<Entry, ReadError> {
        let entry = Entry { modified_seconds: read.modified_seconds, ..entry };
        Ok(match read.file_type {
            icb::FILE_TYPE_DIRECTORY => Entry { is_directory: true, ..entry },
            icb::FILE_TYPE_SYMBOLIC_LINK => {
                let link = link::read(self.sectors, read)?;
                // Many names may be of one link.
                self.listing.text(read.size_bytes.max(link.len() as u64), read.offset_bytes)?;
                Entry { link: Some(link), ..entry }
            }
            _ => Entry { size_bytes: read.size_bytes, extents: read.extents.clone(), ..entry },
        })
    }

    /// The identifiers in a directory's data (ECMA-167 4/14.4).
    fn children(
        &mut self,
        directory: &Directory,
        data: &[u8],
        extents: &[FileExtent],
        map: u16,
    ) -> Result<Vec<(Named, Address)>, ReadError> {
        let mut children = Vec::new();
        let mut at = 0;
        let mut places = Places { extents, before_bytes: 0 };
        while at < data.len() {
            let offset_bytes = places.offset_of(at as u64);
            let rest = &data[at..];
            let expected = "a file identifier descriptor";
            expect_tag(rest, offset_bytes, tag::FILE_IDENTIFIER, expected)?;
            let implementation_use = usize::from(u16_at(rest, 36));
            let name_size = usize::from(u8_at(rest, 19));
            let end = IDENTIFIER_SIZE_BYTES + implementation_use + name_size;
            let name = bytes_at(rest, IDENTIFIER_SIZE_BYTES + implementation_use, name_size);
            if end > rest.len() {
                let found = format!("{end} bytes, the directory has {}", rest.len());
                let expected = "a file identifier inside its directory";
                return Err(ReadError::Damaged { offset_bytes, expected, found });
            }
            if let Some(block) = self.block_of(map, offset_bytes) {
                self.check_tag(rest, offset_bytes, block);
            }
            if u8_at(rest, 18) & (CHARACTERISTIC_DELETED | CHARACTERISTIC_PARENT) == 0 {
                match self.child(directory, name, offset_bytes) {
                    Ok(named) => children.push((named, long_ad_address(rest, 20))),
                    Err(error) => self.fault(error)?,
                }
            }
            at += end.next_multiple_of(4);
        }
        Ok(children)
    }

    fn child(
        &mut self,
        directory: &Directory,
        name: &[u8],
        offset_bytes: u64,
    ) -> Result<Named, ReadError> {
        let text = decode(name).ok_or_else(|| ReadError::Damaged {
            offset_bytes,
            expected: "a name in OSTA compressed Unicode",
            found: format!("compression id {:?}", name.first()),
        })?;
        self.listing.name(directory, text, offset_bytes)
    }

    /// Something that cannot be read, while the walk goes on elsewhere if all are collected.
    fn fault(&mut self, error: ReadError) -> Result<(), ReadError> {
        let offset_bytes = error.offset_bytes();
        self.report.error(error)?;
        self.listing.trouble(offset_bytes)
    }

    /// Checks what does not keep the descriptor from being read.
    fn check_tag(&mut self, descriptor: &[u8], offset_bytes: u64, block: u32) {
        if !self.report.is_collecting() {
            return;
        }
        let Tag { identifier, location, .. } = Tag::of(descriptor);
        if !tag::is_crc_right(descriptor) {
            self.report.minor(offset_bytes, || format!("tag {identifier} has a wrong CRC"));
        }
        if location != block {
            let message = || format!("tag {identifier} says block {location}, it is in {block}");
            self.report.minor(offset_bytes, message);
        }
    }

    /// The block of an offset in a partition, where it can be told and somebody asks.
    fn block_of(&self, map: u16, offset_bytes: u64) -> Option<u32> {
        let partition = self.volume.partitions.get(usize::from(map));
        partition.filter(|_| self.report.is_collecting())?.block_at(offset_bytes)
    }
}

/// Whether files of a type are listed: devices and the like are not.
fn is_listed(file_type: u8) -> bool {
    matches!(
        file_type,
        icb::FILE_TYPE_DIRECTORY
            | icb::FILE_TYPE_UNSPECIFIED
            | icb::FILE_TYPE_REGULAR
            | icb::FILE_TYPE_REAL_TIME
            | icb::FILE_TYPE_SYMBOLIC_LINK
    )
}

/// Where the bytes of a file lie in the disc, from the first to the last.
struct Places<'a> {
    /// Those that do not lie before what was asked for last.
    extents: &'a [FileExtent],
    before_bytes: u64,
}

impl Places<'_> {
    /// Where byte `at` lies, which is not before the one asked for last.
    fn offset_of(&mut self, at: u64) -> u64 {
        while let Some((extent, rest)) = self.extents.split_first() {
            if at < self.before_bytes + extent.size_bytes {
                return extent.offset_bytes.unwrap_or(0) + (at - self.before_bytes);
            }
            self.before_bytes += extent.size_bytes;
            self.extents = rest;
        }
        0
    }
}

#[cfg(test)]
mod tests {
    use super::{FileExtent, Places};

    /// Looking at all extents for each identifier took minutes.
    #[test]
    fn places_are_found_in_one_pass() {
        let extent = |index: u64| FileExtent { offset_bytes: Some(index * 100), size_bytes: 50 };
        let extents: Vec<FileExtent> = (0..1_000_000).map(extent).collect();
        let mut places = Places { extents: &extents, before_bytes: 0 };
        for at in (0..50_000_000).step_by(25) {
            assert_eq!(places.offset_of(at), at / 50 * 100 + at % 50);
        }
        assert_eq!(places.offset_of(50_000_000), 0);
    }
}
