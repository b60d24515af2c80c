//! Metadata resource to `Image`: security descriptors, then lists of dentries.
//!
//! ```text
//! security data · root dentry · 8 zero bytes · for each folder: its dentries · 8 zero bytes
//! ```
//! Untrusted: every offset is checked, folders nest at most [`DEPTH_LIMIT`] deep, paths have at most
//! [`PATH_LIMIT_UNITS`], and all dentries together are no larger than the metadata, so lists that
//! contain each other end in an error and those that overlap take no more memory than the bytes
//! that are there.

use super::dentry::{Dentry, Image, NO_SECURITY, NamedStream, Reparse, attribute};
use super::error::Error;
use super::hash::Sha1;
use super::header::{array_at, u16_at, u32_at, u64_at};
use super::name::Name;
use super::time::FileTime;

/// Deepest nesting of folders. Windows paths end at 32767 units, real trees below 100 levels; the
/// limit keeps recursion over trees inside the stack of any thread.
pub(super) const DEPTH_LIMIT: usize = 1024;
/// Longest path from the root, separators included: Windows opens no longer one.
pub(super) const PATH_LIMIT_UNITS: usize = 32_767;
/// Fixed part of a dentry.
pub(super) const DENTRY_BYTES: usize = 102;
/// Fixed part of an extra stream entry.
pub(super) const STREAM_BYTES: usize = 38;

/// Parses an uncompressed metadata resource. Names that could leave their folder, and siblings
/// of one name, are errors: a tree is never silently changed, except that a security id without a
/// descriptor becomes [`NO_SECURITY`], as other readers take it.
pub fn decode_metadata(metadata: &[u8]) -> Result<Image, Error> {
    let bytes_left = metadata.len() as u64;
    let mut decoder = Decoder { metadata, security_count: 0, bytes_left };
    let (security, root_offset) = decoder.security()?;
    decoder.security_count = security.len();
    let Some((entry, _)) = decoder.dentry(root_offset)? else {
        return Err(Error::in_metadata(root_offset, "a root folder, found the end of a list"));
    };
    let mut root = entry.dentry;
    if !root.is_directory() {
        return Err(Error::in_metadata(root_offset, "a root that is a folder"));
    }
    root.children = decoder.children(entry.children_offset, 1, 0)?;
    Ok(Image { security, root })
}

struct Decoder<'a> {
    metadata: &'a [u8],
    /// How many security descriptors there are.
    security_count: usize,
    /// What all dentries that are still to come may have.
    bytes_left: u64,
}

/// A dentry and where its children are.
struct Entry {
    dentry: Dentry,
    /// 0: it has none.
    children_offset: u64,
}

/// An extra stream entry, or the main hash.
struct StreamEntry {
    name: Name,
    reserved: u64,
    sha1: Sha1,
}

impl<'a> Decoder<'a> {
    fn bytes(&self, offset: u64, size: u64, what: &str) -> Result<&'a [u8], Error> {
        let end = offset.checked_add(size).filter(|&end| end <= self.metadata.len() as u64);
        match end {
            Some(end) => Ok(&self.metadata[offset as usize..end as usize]),
            None => Err(Error::in_metadata(
                offset,
                format!("{what} of {size} bytes, found {} bytes in all", self.metadata.len()),
            )),
        }
    }

    /// The security descriptors, and the offset of the root dentry behind them.
    fn security(&self) -> Result<(Vec<Vec<u8>>, u64), Error> {
        let head = self.bytes(0, 8, "security data")?;
        // +0x00: size of the security data, 0 means 8
        // +0x04: how many descriptors
        let total = u64::from(u32_at(head, 0)).max(8);
        let count = u64::from(u32_at(head, 4));
        self.bytes(0, total, "security data")?;
        // +0x08: their sizes
        let sizes = self.bytes(8, count * 8, "sizes of security descriptors")?;
        let mut offset = 8 + count * 8;
        let mut security = Vec::with_capacity(sizes.len() / 8);
        for size in sizes.chunks_exact(8) {
            let descriptor = self.bytes(offset, u64_at(size, 0), "a security descriptor")?;
            security.push(descriptor.to_vec());
            offset += descriptor.len() as u64;
        }
        if offset > total {
            return Err(Error::in_metadata(
                0,
                format!("security data of {offset} bytes as its descriptors say, found {total}"),
            ));
        }
        Ok((security, total.next_multiple_of(8)))
    }

    /// The dentries of the list at `offset` with all that is below them; the path of their folder
    /// has `path_units`.
    fn children(
        &mut self,
        offset: u64,
        depth: usize,
        path_units: usize,
    ) -> Result<Vec<Dentry>, Error> {
        if offset == 0 {
            return Ok(Vec::new());
        }
        if depth > DEPTH_LIMIT {
            return Err(Error::in_metadata(
                offset,
                format!("at most {DEPTH_LIMIT} nested folders"),
            ));
        }
        let entries = self.list(offset)?;
        let mut children = Vec::with_capacity(entries.len());
        for (entry, position) in entries {
            let Entry { mut dentry, children_offset } = entry;
            if children_offset != 0 && !dentry.is_directory() {
                return Err(Error::in_metadata(position + 16, "no children of a file"));
            }
            let units = path_units_of(path_units, &dentry.name);
            if units > PATH_LIMIT_UNITS {
                let expected = format!("a path of at most {PATH_LIMIT_UNITS} units, found {units}");
                return Err(Error::in_metadata(position, expected));
            }
            dentry.children = self.children(children_offset, depth + 1, units)?;
            children.push(dentry);
        }
        Ok(children)
    }

    /// The entries of one list and their offsets, without what is below them.
    fn list(&mut self, first: u64) -> Result<Vec<(Entry, u64)>, Error> {
        let mut entries = Vec::new();
        let mut offset = first;
        while let Some((entry, next)) = self.dentry(offset)? {
            check_name(&entry.dentry.name, offset)?;
            entries.push((entry, offset));
            offset = next;
        }
        check_unique(&entries)?;
        Ok(entries)
    }

    /// The dentry at `offset` and the offset behind it; `None` at the end of a list.
    fn dentry(&mut self, offset: u64) -> Result<Option<(Entry, u64)>, Error> {
        // +0x00: size without extra streams, at most 8 at the end of a list
        let size = u64_at(self.bytes(offset, 8, "a dentry")?, 0);
        if size <= 8 {
            return Ok(None);
        }
        if size < DENTRY_BYTES as u64 {
            return Err(Error::in_metadata(
                offset,
                format!("a dentry of at least {DENTRY_BYTES} bytes, found {size}"),
            ));
        }
        let fixed = self.bytes(offset, size, "a dentry")?;
        let (name, short_name, names_end) = names(fixed, offset)?;
        let mut dentry = fixed_fields(fixed, name, short_name);
        dentry.security_id = self.security_id(dentry.security_id);
        dentry.tagged = fixed.get(names_end.next_multiple_of(8)..).unwrap_or_default().to_vec();
        // +0x60: how many extra stream entries follow
        let extra_count = u16_at(fixed, 0x60);
        let streams_offset = offset.saturating_add(size).next_multiple_of(8);
        let (extra, next) = self.extra_streams(streams_offset, extra_count)?;
        self.bytes_left = self.bytes_left.checked_sub(next - offset).ok_or_else(|| {
            Error::in_metadata(offset, "no more dentries than fit: folders contain each other")
        })?;
        // +0x40: main hash
        assign_streams(&mut dentry, Sha1(array_at(fixed, 0x40)), extra, offset)?;
        // +0x10: offset of the children's list
        let children_offset = u64_at(fixed, 0x10);
        Ok(Some((Entry { dentry, children_offset }, next)))
    }

    /// The id of a descriptor, or none.
    fn security_id(&self, id: i32) -> i32 {
        let known = usize::try_from(id).is_ok_and(|position| position < self.security_count);
        if known { id } else { NO_SECURITY }
    }

    /// `count` extra stream entries at `offset`, and the offset behind them.
    fn extra_streams(&self, mut offset: u64, count: u16) -> Result<(Vec<StreamEntry>, u64), Error> {
        let mut streams = Vec::new();
        for _ in 0..count {
            // +0x00: size with name and padding
            let size = u64_at(self.bytes(offset, 8, "a stream entry")?, 0);
            let entry = self.bytes(offset, size, "a stream entry")?;
            let name = (size >= STREAM_BYTES as u64)
                // +0x24: size of the name
                .then(|| entry.get(STREAM_BYTES..STREAM_BYTES + usize::from(u16_at(entry, 0x24))))
                .flatten()
                .ok_or_else(|| Error::in_metadata(offset, "a stream entry that holds its name"))?;
            streams.push(StreamEntry {
                name: decode_name(name, offset + 0x24)?,
                // +0x08: reserved
                reserved: u64_at(entry, 0x08),
                // +0x10: SHA-1
                sha1: Sha1(array_at(entry, 0x10)),
            });
            offset = offset.saturating_add(size).next_multiple_of(8);
        }
        Ok((streams, offset))
    }
}

/// Everything of a dentry that has a fixed place, except streams.
fn fixed_fields(fixed: &[u8], name: Name, short_name: Name) -> Dentry {
    // +0x08: attributes
    let attributes = u32_at(fixed, 0x08);
    // +0x58: reparse tag, reserved and flags, or a hard link id
    let is_reparse = attributes & attribute::REPARSE_POINT != 0;
    let reparse = is_reparse.then(|| Reparse {
        tag: u32_at(fixed, 0x58),
        reserved: u16_at(fixed, 0x5c),
        flags: u16_at(fixed, 0x5e),
        sha1: Sha1::ZERO,
    });
    Dentry {
        name,
        short_name,
        attributes,
        // +0x0c: security id
        security_id: u32_at(fixed, 0x0c) as i32,
        // +0x18: reserved, twice
        reserved: [u64_at(fixed, 0x18), u64_at(fixed, 0x20)],
        // +0x28: times
        creation: FileTime(u64_at(fixed, 0x28)),
        access: FileTime(u64_at(fixed, 0x30)),
        write: FileTime(u64_at(fixed, 0x38)),
        // +0x54: unknown
        unknown: u32_at(fixed, 0x54),
        hard_link: if is_reparse { 0 } else { u64_at(fixed, 0x58) },
        reparse,
        data: Sha1::ZERO,
        streams: Vec::new(),
        tagged: Vec::new(),
        children: Vec::new(),
    }
}

/// Long name, short name, and where they end in the dentry.
fn names(fixed: &[u8], offset: u64) -> Result<(Name, Name, usize), Error> {
    // +0x62: size of the short name; +0x64: size of the long name
    let short_bytes = usize::from(u16_at(fixed, 0x62));
    let long_bytes = usize::from(u16_at(fixed, 0x64));
    // +0x66: long name, then short name, each with a terminator that is not counted
    let long_end = DENTRY_BYTES + long_bytes;
    let short_start = if long_bytes == 0 { DENTRY_BYTES } else { long_end + 2 };
    let short_end = short_start + short_bytes;
    let end = if short_bytes == 0 { short_start } else { short_end + 2 };
    if end > fixed.len() {
        return Err(Error::in_metadata(
            offset,
            format!("a dentry of at least {end} bytes for its names, found {}", fixed.len()),
        ));
    }
    let long = decode_name(&fixed[DENTRY_BYTES..long_end], offset + 0x64)?;
    let short = decode_name(&fixed[short_start.min(short_end)..short_end], offset + 0x62)?;
    Ok((long, short, end))
}

fn decode_name(bytes: &[u8], size_offset: u64) -> Result<Name, Error> {
    if !bytes.len().is_multiple_of(2) {
        return Err(Error::in_metadata(size_offset, "a name of whole UTF-16 units"));
    }
    let units: Vec<u16> = bytes.chunks_exact(2).map(|unit| u16_at(unit, 0)).collect();
    Ok(Name::from_units(units))
}

/// UTF-16 units of the path of `name` in a folder whose path has `folder_units`, 0 for the root.
pub(super) fn path_units_of(folder_units: usize, name: &Name) -> usize {
    folder_units + usize::from(folder_units > 0) + name.units().len()
}

/// What is wrong with a name that an extracting program could be led astray by.
pub(super) fn name_problem(name: &Name) -> Option<&'static str> {
    const DOT: u16 = b'.' as u16;
    match name.units() {
        [] => Some("a name is empty"),
        [DOT] | [DOT, DOT] => Some("a name is `.` or `..`"),
        units if units.iter().any(|&unit| matches!(unit, 0 | 0x2f | 0x5c)) => {
            Some("a name contains `/`, `\\` or NUL")
        }
        _ => None,
    }
}

fn check_name(name: &Name, offset: u64) -> Result<(), Error> {
    match name_problem(name) {
        None => Ok(()),
        Some(problem) => {
            let text = name.to_string();
            let text = text.escape_debug();
            Err(Error::in_metadata(offset, format!("a usable name, found `{text}`: {problem}")))
        }
    }
}

/// Names that differ by case only are legal in NTFS; equal ones are not.
fn check_unique(entries: &[(Entry, u64)]) -> Result<(), Error> {
    let mut names: Vec<(&[u16], u64)> =
        entries.iter().map(|(entry, offset)| (entry.dentry.name.units(), *offset)).collect();
    names.sort_unstable();
    match names.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        None => Ok(()),
        Some(pair) => Err(Error::in_metadata(
            pair[1].1,
            format!("one file `{}` per folder, found two", String::from_utf16_lossy(pair[1].0)),
        )),
    }
}

/// Tells reparse data, unnamed data and named data apart, in the placement of current writers
/// (one unnamed stream in the main hash, or everything in extra entries, reparse data first) and
/// of older ones (main hash and extra entries mixed).
fn assign_streams(
    dentry: &mut Dentry,
    main: Sha1,
    extra: Vec<StreamEntry>,
    offset: u64,
) -> Result<(), Error> {
    let in_extra = extra.iter().filter(|stream| stream.name.is_empty()).map(|stream| stream.sha1);
    let mut unnamed = [main].into_iter().chain(in_extra).filter(|&sha1| sha1 != Sha1::ZERO);
    if let Some(reparse) = &mut dentry.reparse {
        reparse.sha1 = unnamed.next().unwrap_or(Sha1::ZERO);
    }
    dentry.data = unnamed.next().unwrap_or(Sha1::ZERO);
    if unnamed.any(|sha1| sha1 != dentry.data) {
        return Err(Error::in_metadata(offset, "at most one unnamed data stream"));
    }
    dentry.streams = extra
        .into_iter()
        .filter(|stream| !stream.name.is_empty())
        .map(|StreamEntry { name, reserved, sha1 }| NamedStream { name, reserved, sha1 })
        .collect();
    Ok(())
}
