//! `Sections`: where the parts of a program that are loaded lie in its file, and its resources.

use std::ops::Range;

use super::error::Error;
use super::pe::{FILE_HEADER_BYTES, Pe, damaged, u16_at, u32_at};

/// A section's header.
struct Section {
    name: [u8; 8],
    /// Where it is loaded, from the program's start.
    loaded_at: usize,
    /// Its bytes in the file.
    file: Range<usize>,
}

/// All section headers of a program.
pub(super) struct Sections(Vec<Section>);

const HEADER_BYTES: usize = 40;
/// Windows loads no more.
const SECTION_COUNT_MAX: usize = 96;
/// The resources' number among the directories.
const RESOURCE_TABLE: usize = 2;
/// Types, names, languages.
const LEVEL_COUNT: usize = 3;
/// Far more than any boot program has.
const ENTRY_COUNT_MAX: usize = 4096;
/// In front of a resource directory's entries.
const DIRECTORY_HEADER_BYTES: usize = 16;
/// In an entry: its name is text; what it leads to is a directory.
const HIGH_BIT: u32 = 1 << 31;

impl Sections {
    /// Reads the section headers.
    pub(super) fn parse(pe: &Pe, bytes: &[u8]) -> Result<Sections, Error> {
        let count = usize::from(u16_at(bytes, pe.headers + 6)?);
        let optional_bytes = usize::from(u16_at(bytes, pe.headers + 20)?);
        if count > SECTION_COUNT_MAX {
            let (what, limit) = ("sections", SECTION_COUNT_MAX);
            return Err(Error::Limit { offset_bytes: pe.headers as u64 + 6, what, limit });
        }
        let start = pe.headers + FILE_HEADER_BYTES + optional_bytes;
        (0..count)
            .map(|at| section(bytes, start + at * HEADER_BYTES))
            .collect::<Result<_, _>>()
            .map(Sections)
    }

    /// The bytes of the section of that name.
    pub(super) fn named<'a>(&self, name: &[u8; 8], bytes: &'a [u8]) -> Option<&'a [u8]> {
        let section = self.0.iter().find(|section| section.name == *name)?;
        bytes.get(section.file.clone())
    }

    /// Where in the file something lies that is loaded at `address`.
    fn place(&self, address: usize) -> Option<usize> {
        self.0.iter().find_map(|section| {
            let within = address.checked_sub(section.loaded_at)?;
            (within < section.file.len()).then(|| section.file.start + within)
        })
    }

    /// The first resource that is called `name` on any level.
    pub(super) fn resource<'a>(
        &self,
        name: &str,
        pe: &Pe,
        bytes: &'a [u8],
    ) -> Result<Option<&'a [u8]>, Error> {
        let (directories, count) = pe.directories;
        if count <= RESOURCE_TABLE {
            return Ok(None);
        }
        let entry = directories + RESOURCE_TABLE * 8;
        let address = u32_at(bytes, entry)? as usize;
        if address == 0 {
            return Ok(None);
        }
        let root = self.place(address).ok_or_else(|| {
            damaged(entry, "resources inside a section", format!("address {address:#x}"))
        })?;
        let mut search = Search { bytes, root, name, entry_count: 0 };
        let Some(data) = search.below(root, LEVEL_COUNT, false)? else { return Ok(None) };
        let (address, size) = (u32_at(bytes, data)? as usize, u32_at(bytes, data + 4)? as usize);
        let place =
            self.place(address).and_then(|start| bytes.get(start..start.checked_add(size)?));
        let resource = place.ok_or_else(|| {
            damaged(data, "a resource inside a section", format!("{size:#x} bytes at {address:#x}"))
        })?;
        Ok(Some(resource))
    }
}

fn section(bytes: &[u8], at: usize) -> Result<Section, Error> {
    let (size, start) = (u32_at(bytes, at + 16)? as usize, u32_at(bytes, at + 20)? as usize);
    let mut name = [0; 8];
    name.copy_from_slice(&bytes[at..at + 8]);
    let end = start.saturating_add(size).min(bytes.len());
    let file = start.min(end)..end;
    Ok(Section { name, loaded_at: u32_at(bytes, at + 12)? as usize, file })
}

/// A way through the tree of resources.
struct Search<'a> {
    bytes: &'a [u8],
    /// Where offsets of the tree count from.
    root: usize,
    name: &'a str,
    /// How many entries were looked at: a tree that leads into itself ends.
    entry_count: usize,
}

impl Search<'_> {
    /// The description of the first resource below the directory at `at` that has the name, or any if
    /// the name was met above.
    fn below(&mut self, at: usize, levels: usize, is_met: bool) -> Result<Option<usize>, Error> {
        let count =
            usize::from(u16_at(self.bytes, at + 12)?) + usize::from(u16_at(self.bytes, at + 14)?);
        for number in 0..count {
            self.entry_count += 1;
            if self.entry_count > ENTRY_COUNT_MAX {
                let (what, limit) = ("resources", ENTRY_COUNT_MAX);
                return Err(Error::Limit { offset_bytes: at as u64, what, limit });
            }
            let entry = at + DIRECTORY_HEADER_BYTES + number * 8;
            let leads_to = u32_at(self.bytes, entry + 4)?;
            let is_met = is_met || self.is_named(entry)?;
            let target = self.root + (leads_to & !HIGH_BIT) as usize;
            match leads_to & HIGH_BIT != 0 {
                false if is_met => return Ok(Some(target)),
                true if levels > 1 => {
                    if let Some(found) = self.below(target, levels - 1, is_met)? {
                        return Ok(Some(found));
                    }
                }
                _ => {}
            }
        }
        Ok(None)
    }

    fn is_named(&self, entry: usize) -> Result<bool, Error> {
        let name = u32_at(self.bytes, entry)?;
        if name & HIGH_BIT == 0 {
            return Ok(false);
        }
        let at = self.root + (name & !HIGH_BIT) as usize;
        let count = usize::from(u16_at(self.bytes, at)?);
        let units = self.bytes.get(at + 2..at + 2 + 2 * count).unwrap_or_default();
        let (units, _) = units.as_chunks::<2>();
        Ok(self.name.encode_utf16().eq(units.iter().map(|unit| u16::from_le_bytes(*unit))))
    }
}
