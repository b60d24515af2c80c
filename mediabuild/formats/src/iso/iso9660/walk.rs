//! Walking an ISO 9660 tree: directory records (ECMA-119 9.1).

use super::open::{Extent, IsoVolume, narrow, ucs2};
use super::rock_ridge::{self, Posix};
use super::{FLAG_ASSOCIATED, FLAG_DIRECTORY, FLAG_MULTI_EXTENT};
use crate::field::{bytes_at, u8_at, u16_at, u32_at, u32_be_at};
use crate::iso::SECTOR_SIZE_BYTES;
use crate::iso::disc::View;
use crate::iso::listing::{Directory, Listing, Named};
use crate::iso::report::Report;
use crate::iso::sectors::Sectors;
use crate::iso::time::iso_record_seconds;
use crate::source::Source;
use crate::volume::{Entry, FileExtent, ReadError};

const RECORD_HEAD_BYTES: usize = 33;

/// Lists all files and directories, and gives the sectors of the directories; what cannot be read
/// goes to the report.
pub(in crate::iso) fn walk<S: Source + ?Sized>(
    sectors: Sectors<'_, S>,
    volume: &IsoVolume,
    report: &mut Report,
) -> Result<(Vec<Entry>, Vec<u32>), ReadError> {
    let (listing, directories) = (Listing::of_disc(sectors.size_bytes), Vec::new());
    let mut walk = Walk { sectors, volume, report, listing, directories };
    let mut waiting = vec![Found::Directory(Named::root(), volume.root, About::default())];
    while let Some(found) = waiting.pop() {
        match walk.visit(found) {
            Ok(children) => waiting.extend(children.into_iter().rev()),
            Err(error) => walk.fault(error)?,
        }
    }
    Ok((walk.listing.into_entries(), walk.directories))
}

struct Walk<'a, 's, S: ?Sized> {
    sectors: Sectors<'s, S>,
    volume: &'a IsoVolume,
    report: &'a mut Report,
    listing: Listing,
    /// The sectors of the directories.
    directories: Vec<u32>,
}

/// What a directory names.
enum Found {
    Directory(Named, Extent, About),
    File(File),
}

/// A file as its records have it, so far without its path.
struct File {
    named: Named,
    entry: Entry,
}

/// What is known of a directory besides.
#[derive(Default)]
struct About {
    modified_seconds: Option<i64>,
    mode: Option<u32>,
}

impl<S: Source + ?Sized> Walk<'_, '_, S> {
    /// Lists one file or directory; gives what a directory names.
    fn visit(&mut self, found: Found) -> Result<Vec<Found>, ReadError> {
        let (named, extent, About { modified_seconds, mode }) = match found {
            Found::File(File { named, entry }) => {
                let path = named.path();
                self.listing.push(Entry { path, ..entry });
                return Ok(Vec::new());
            }
            Found::Directory(named, extent, about) => (named, extent, about),
        };
        let offset_bytes = u64::from(extent.sector) * SECTOR_SIZE_BYTES;
        if named.depth > 0 {
            let path = named.path();
            let entry = Entry { is_directory: true, modified_seconds, mode, ..Entry::named(path) };
            self.listing.push(entry);
        }
        let file_extent = file_extent(extent);
        self.listing.enter(named.depth, offset_bytes, &[file_extent])?;
        self.directories.push(extent.sector);
        let data = self.sectors.gather(&[file_extent])?;
        self.children(&named.directory(), &data, offset_bytes)
    }

    /// The records of a directory; none crosses a sector's end, zeros fill the rest of a sector.
    fn children(
        &mut self,
        directory: &Directory,
        data: &[u8],
        start_bytes: u64,
    ) -> Result<Vec<Found>, ReadError> {
        let mut children = Vec::new();
        let mut unfinished: Option<File> = None;
        for (index, sector) in (0..).zip(data.chunks(SECTOR_SIZE_BYTES as usize)) {
            let mut at = 0;
            while at < sector.len() && sector[at] != 0 {
                let offset_bytes = start_bytes + index * SECTOR_SIZE_BYTES + at as u64;
                let size = usize::from(sector[at]);
                let record = bytes_at(sector, at, size);
                check_record(record, size, offset_bytes)?;
                at += size;
                let is_open = unfinished.is_some();
                match self.child(directory, record, offset_bytes, unfinished.take()) {
                    Ok(Child::Ignored) if is_open => self.fault(cut(offset_bytes))?,
                    Ok(Child::Ignored) => {}
                    Ok(Child::Whole(found)) => children.push(found),
                    Ok(Child::Unfinished(file)) => unfinished = Some(file),
                    Err(error) => self.fault(error)?,
                }
            }
        }
        if unfinished.is_some() {
            self.fault(cut(start_bytes))?;
        }
        Ok(children)
    }

    /// Something that cannot be read, while the walk goes on elsewhere if all are collected.
    fn fault(&mut self, error: ReadError) -> Result<(), ReadError> {
        let offset_bytes = error.offset_bytes();
        self.report.error(error)?;
        self.listing.trouble(offset_bytes)
    }

    fn child(
        &mut self,
        directory: &Directory,
        record: &[u8],
        offset_bytes: u64,
        unfinished: Option<File>,
    ) -> Result<Child, ReadError> {
        let flags = record[25];
        if matches!(record[RECORD_HEAD_BYTES..], [0 | 1, ..]) && record[32] == 1 {
            return Ok(Child::Ignored);
        }
        self.check_halves(record, offset_bytes);
        let posix = self.posix(record, offset_bytes)?;
        if posix.is_relocated || posix.is_special() || flags & FLAG_ASSOCIATED != 0 {
            return Ok(Child::Ignored);
        }
        let is_directory = flags & FLAG_DIRECTORY != 0;
        let name = posix.name.clone().unwrap_or_else(|| self.plain_name(record, is_directory));
        let recorded = iso_record_seconds(bytes_at(record, 18, 7));
        let about =
            About { modified_seconds: posix.modified_seconds.or(recorded), mode: posix.mode };
        let extent = match posix.child_sector {
            Some(sector) => self.relocated(sector, offset_bytes)?,
            None => Extent {
                sector: u32_at(record, 2).saturating_add(record[1].into()),
                size_bytes: u32_at(record, 10),
            },
        };
        if is_directory || posix.child_sector.is_some() {
            if unfinished.is_some() {
                return Err(cut(offset_bytes));
            }
            let named = self.listing.name(directory, name, offset_bytes)?;
            return Ok(Child::Whole(Found::Directory(named, extent, about)));
        }
        if u16_at(record, 26) != 0 {
            let what = format!("the interleaved file `{}`", name.escape_debug());
            return Err(ReadError::Unsupported { offset_bytes, what });
        }
        let About { modified_seconds, mode } = about;
        let mut file = match unfinished {
            Some(file) if file.named.name() == name => file,
            Some(_) => return Err(cut(offset_bytes)),
            None => {
                let named = self.listing.name(directory, name, offset_bytes)?;
                let entry = Entry::named(String::new());
                let entry = Entry { modified_seconds, mode, link: posix.link, ..entry };
                File { named, entry }
            }
        };
        let entry = &mut file.entry;
        if extent.size_bytes > 0 && entry.link.is_none() {
            let extent = file_extent(extent);
            self.sectors.check(extent.offset_bytes.unwrap_or(0), extent.size_bytes)?;
            self.listing.extent(offset_bytes)?;
            entry.size_bytes += extent.size_bytes;
            entry.extents.push(extent);
        }
        if flags & FLAG_MULTI_EXTENT != 0 {
            return Ok(Child::Unfinished(file));
        }
        Ok(Child::Whole(Found::File(file)))
    }

    fn posix(&mut self, record: &[u8], offset_bytes: u64) -> Result<Posix, ReadError> {
        if self.volume.view != View::RockRidge {
            return Ok(Posix::default());
        }
        let skip = self.volume.system_use_skip;
        rock_ridge::read(self.sectors, record, skip, offset_bytes, &mut self.listing)
    }

    /// Where a directory is that was too deep for its place: its own first record tells its size.
    fn relocated(&self, sector: u32, offset_bytes: u64) -> Result<Extent, ReadError> {
        let directory = self.sectors.read(sector.into())?;
        if u32_at(&directory, 2) != sector || u8_at(&directory, 32) != 1 {
            let found = format!("something else at sector {sector}");
            let expected = "a directory that was relocated";
            return Err(ReadError::Damaged { offset_bytes, expected, found });
        }
        Ok(Extent { sector, size_bytes: u32_at(&directory, 10) })
    }

    fn plain_name(&self, record: &[u8], is_directory: bool) -> String {
        let identifier = bytes_at(record, RECORD_HEAD_BYTES, record[32].into());
        let text = match self.volume.view {
            View::Joliet => ucs2(identifier),
            _ => narrow(identifier),
        };
        if is_directory { text } else { without_version(&text).to_owned() }
    }

    /// Reports numbers whose little- and big-endian halves differ.
    fn check_halves(&mut self, record: &[u8], offset_bytes: u64) {
        for (at, what) in [(2, "the sector"), (10, "the size")] {
            let (little, big) = (u32_at(record, at), u32_be_at(record, at + 4));
            if little != big {
                let message = || format!("{what} in a directory record is {little} or {big}");
                self.report.minor(offset_bytes + at as u64, message);
            }
        }
    }
}

/// What a directory record is.
enum Child {
    /// The directory itself, its parent, or what is no file: devices, and other forks of a file.
    Ignored,
    Whole(Found),
    /// A file with more records to follow.
    Unfinished(File),
}

/// A file of several records, of which one does not follow.
fn cut(offset_bytes: u64) -> ReadError {
    ReadError::Damaged {
        offset_bytes,
        expected: "the next record of a file of several",
        found: "none".to_owned(),
    }
}

fn check_record(record: &[u8], size: usize, offset_bytes: u64) -> Result<(), ReadError> {
    let name_end = RECORD_HEAD_BYTES + usize::from(u8_at(record, 32));
    if record.len() == size && size > RECORD_HEAD_BYTES && name_end <= size {
        return Ok(());
    }
    Err(ReadError::Damaged {
        offset_bytes,
        expected: "a directory record inside its sector",
        found: format!("{size} bytes with a name of {}", u8_at(record, 32)),
    })
}

/// ISO 9660 ends file names in `;1`, and in a dot if they have no extension.
fn without_version(name: &str) -> &str {
    let name = name.rsplit_once(';').map_or(name, |(name, _)| name);
    name.strip_suffix('.').unwrap_or(name)
}

fn file_extent(extent: Extent) -> FileExtent {
    let offset_bytes = Some(u64::from(extent.sector) * SECTOR_SIZE_BYTES);
    FileExtent { offset_bytes, size_bytes: extent.size_bytes.into() }
}
