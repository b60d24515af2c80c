//! `Image` to metadata resource, in the placement of streams that current Windows accepts.
//!
//! One unnamed stream goes into the main hash; otherwise all streams are extra entries, reparse
//! data before unnamed data before named data, and the main hash is zero. Folders have no unnamed
//! data; the raw form of an encrypted file is its unnamed data. Siblings are sorted, hard links
//! numbered by first appearance: equal trees, equal bytes.

use std::collections::BTreeMap;

use super::dentry::{Dentry, Image, NO_SECURITY, attribute};
use super::error::Error;
use super::hash::Sha1;
use super::link::{LinkKey, Links, link_key};
use super::metadata_read::{
    DENTRY_BYTES, DEPTH_LIMIT, PATH_LIMIT_UNITS, STREAM_BYTES, name_problem, path_units_of,
};
use super::name::Name;

/// Ends a list of dentries.
const END_OF_LIST: [u8; 8] = [0; 8];

/// The uncompressed metadata resource of an image.
pub fn encode_metadata(image: &Image) -> Result<Vec<u8>, Error> {
    let mut encoder = Encoder {
        bytes: encode_security(&image.security)?,
        security_count: image.security.len(),
        links: Links::of(image),
        link_ids: BTreeMap::new(),
        trail: Vec::new(),
    };
    if !image.root.is_directory() {
        return Err(Error::path("", "the root is not a folder"));
    }
    let root = encoder.dentry(&image.root)?;
    encoder.bytes.extend_from_slice(&END_OF_LIST);
    encoder.children(&image.root, root, 0)?;
    Ok(encoder.bytes)
}

/// Sizes, then the descriptors, padded to 8 bytes.
fn encode_security(security: &[Vec<u8>]) -> Result<Vec<u8>, Error> {
    let size: usize = 8 + security.iter().map(|descriptor| 8 + descriptor.len()).sum::<usize>();
    let total = size.next_multiple_of(8);
    let (Ok(total_u32), Ok(count)) = (u32::try_from(total), u32::try_from(security.len())) else {
        let problem = format!("{total} bytes of security descriptors, at most {}", u32::MAX);
        return Err(Error::Output { problem });
    };
    let mut bytes = Vec::with_capacity(total);
    bytes.extend_from_slice(&total_u32.to_le_bytes());
    bytes.extend_from_slice(&count.to_le_bytes());
    for descriptor in security {
        bytes.extend_from_slice(&(descriptor.len() as u64).to_le_bytes());
    }
    for descriptor in security {
        bytes.extend_from_slice(descriptor);
    }
    bytes.resize(total, 0);
    Ok(bytes)
}

struct Encoder<'a> {
    bytes: Vec<u8>,
    security_count: usize,
    links: Links,
    link_ids: BTreeMap<LinkKey, u64>,
    /// The names from the root to what is written: a path is made of them for errors only.
    trail: Vec<&'a Name>,
}

impl<'a> Encoder<'a> {
    /// Writes the list of `folder`'s children, then the lists below them, and enters its offset
    /// into the folder's own dentry. The folder's path has `path_units`.
    fn children(
        &mut self,
        folder: &'a Dentry,
        folder_offset: usize,
        path_units: usize,
    ) -> Result<(), Error> {
        if folder.children.is_empty() && !folder.has_children_list() {
            return Ok(());
        }
        if self.trail.len() >= DEPTH_LIMIT {
            return Err(self.error(format!("folders nest at most {DEPTH_LIMIT} deep")));
        }
        let list_offset = self.bytes.len() as u64;
        self.put(folder_offset + 0x10, &list_offset.to_le_bytes());
        let children = folder.sorted_children();
        if let Some(pair) = children.windows(2).find(|pair| pair[0].name == pair[1].name) {
            self.trail.push(&pair[0].name);
            return Err(self.error("is there twice"));
        }
        let mut offsets = Vec::with_capacity(children.len());
        for child in &children {
            self.trail.push(&child.name);
            offsets.push(self.child(child, path_units)?);
            self.trail.pop();
        }
        self.bytes.extend_from_slice(&END_OF_LIST);
        for (child, offset) in children.into_iter().zip(offsets) {
            self.trail.push(&child.name);
            self.children(child, offset, path_units_of(path_units, &child.name))?;
            self.trail.pop();
        }
        Ok(())
    }

    /// Writes the dentry that the trail ends with.
    fn child(&mut self, child: &'a Dentry, folder_units: usize) -> Result<usize, Error> {
        if let Some(problem) = name_problem(&child.name) {
            return Err(self.error(problem));
        }
        if path_units_of(folder_units, &child.name) > PATH_LIMIT_UNITS {
            return Err(self.error(format!("has a path of more than {PATH_LIMIT_UNITS} units")));
        }
        if !child.is_directory() && !child.children.is_empty() {
            return Err(self.error("is a file and has children"));
        }
        self.dentry(child)
    }

    /// What is wrong with the dentry that the trail ends with.
    fn error(&self, problem: impl Into<String>) -> Error {
        let names: Vec<String> = self.trail.iter().map(|name| name.to_string()).collect();
        Error::path(names.join("/"), problem)
    }

    /// Writes one dentry with its streams; returns its offset.
    fn dentry(&mut self, dentry: &Dentry) -> Result<usize, Error> {
        check(dentry, self.security_count).map_err(|problem| self.error(problem))?;
        let offset = self.bytes.len();
        let (main, extra) = place_streams(dentry);
        let extra_count = u16::try_from(extra.len())
            .map_err(|_| self.error(format!("{} streams are too many", extra.len())))?;
        self.bytes.resize(offset + DENTRY_BYTES, 0);
        self.put(offset + 0x08, &dentry.attributes.to_le_bytes());
        self.put(offset + 0x0c, &dentry.security_id.to_le_bytes());
        // +0x10: offset of the children's list, entered when that is written
        self.put(offset + 0x18, &dentry.reserved[0].to_le_bytes());
        self.put(offset + 0x20, &dentry.reserved[1].to_le_bytes());
        self.put(offset + 0x28, &dentry.creation.0.to_le_bytes());
        self.put(offset + 0x30, &dentry.access.0.to_le_bytes());
        self.put(offset + 0x38, &dentry.write.0.to_le_bytes());
        self.put(offset + 0x40, &main.0);
        self.put(offset + 0x54, &dentry.unknown.to_le_bytes());
        let union = self.reparse_or_link(dentry);
        self.put(offset + 0x58, &union);
        self.put(offset + 0x60, &extra_count.to_le_bytes());
        self.put_name_size(offset + 0x62, &dentry.short_name)?;
        self.put_name_size(offset + 0x64, &dentry.name)?;
        self.name(&dentry.name);
        self.name(&dentry.short_name);
        self.pad_from(offset);
        self.bytes.extend_from_slice(&dentry.tagged);
        self.pad_from(offset);
        let size = (self.bytes.len() - offset) as u64;
        self.put(offset, &size.to_le_bytes());
        for stream in extra {
            self.extra_stream(stream)?;
        }
        Ok(offset)
    }

    fn extra_stream(&mut self, stream: ExtraStream) -> Result<(), Error> {
        let offset = self.bytes.len();
        self.bytes.resize(offset + STREAM_BYTES, 0);
        self.put(offset + 0x08, &stream.reserved.to_le_bytes());
        self.put(offset + 0x10, &stream.sha1.0);
        if let Some(name) = stream.name {
            self.put_name_size(offset + 0x24, name)?;
            self.name(name);
        }
        self.pad_from(offset);
        let size = (self.bytes.len() - offset) as u64;
        self.put(offset, &size.to_le_bytes());
        Ok(())
    }

    /// +0x58: reparse tag, reserved and flags, or a hard link id.
    fn reparse_or_link(&mut self, dentry: &Dentry) -> [u8; 8] {
        match &dentry.reparse {
            Some(reparse) => {
                let flags = u64::from(reparse.flags) << 48;
                let reserved = u64::from(reparse.reserved) << 32;
                (flags | reserved | u64::from(reparse.tag)).to_le_bytes()
            }
            None => self.link_id(dentry).to_le_bytes(),
        }
    }

    /// 0 for the only name of a file, else the number of its file in order of appearance.
    fn link_id(&mut self, dentry: &Dentry) -> u64 {
        match link_key(dentry) {
            Some(key) if self.links.count(dentry) > 1 => {
                let next = self.link_ids.len() as u64 + 1;
                *self.link_ids.entry(key).or_insert(next)
            }
            _ => 0,
        }
    }

    fn put_name_size(&mut self, offset: usize, name: &Name) -> Result<(), Error> {
        let size = name.size_bytes();
        let field = u16::try_from(size)
            .map_err(|_| self.error(format!("a name of {size} bytes is too long")))?;
        self.put(offset, &field.to_le_bytes());
        Ok(())
    }

    /// A name and its terminator, or nothing.
    fn name(&mut self, name: &Name) {
        if !name.is_empty() {
            self.bytes.extend(name.units().iter().flat_map(|unit| unit.to_le_bytes()));
            self.bytes.extend_from_slice(&[0; 2]);
        }
    }

    /// Pads what began at `offset` to a multiple of 8 bytes.
    fn pad_from(&mut self, offset: usize) {
        let size = self.bytes.len() - offset;
        self.bytes.resize(offset + size.next_multiple_of(8), 0);
    }

    fn put(&mut self, offset: usize, field: &[u8]) {
        self.bytes[offset..offset + field.len()].copy_from_slice(field);
    }
}

/// A stream in an extra entry; no name for reparse data and unnamed data.
struct ExtraStream<'a> {
    name: Option<&'a Name>,
    reserved: u64,
    sha1: Sha1,
}

/// The main hash and the extra entries.
fn place_streams(dentry: &Dentry) -> (Sha1, Vec<ExtraStream<'_>>) {
    let unnamed = |sha1| ExtraStream { name: None, reserved: 0, sha1: stored(sha1) };
    let mut streams = Vec::new();
    streams.extend(dentry.reparse.iter().map(|reparse| unnamed(reparse.sha1)));
    if !dentry.is_directory() || !dentry.data.is_empty_stream() {
        streams.push(unnamed(dentry.data));
    }
    streams.extend(dentry.streams.iter().map(|stream| ExtraStream {
        name: Some(&stream.name),
        reserved: stream.reserved,
        sha1: stored(stream.sha1),
    }));
    match streams.as_slice() {
        [] => (Sha1::ZERO, streams),
        [ExtraStream { name: None, sha1, .. }] => (*sha1, Vec::new()),
        _ => (Sha1::ZERO, streams),
    }
}

/// The hash field of a stream: zeros if it is empty.
fn stored(sha1: Sha1) -> Sha1 {
    if sha1.is_empty_stream() { Sha1::ZERO } else { sha1 }
}

/// What the format cannot express.
fn check(dentry: &Dentry, security_count: usize) -> Result<(), String> {
    let is_reparse = dentry.attributes & attribute::REPARSE_POINT != 0;
    if is_reparse != dentry.reparse.is_some() {
        return Err("its reparse attribute and reparse data disagree".to_owned());
    }
    // Readers take the first unnamed stream that is not empty for the reparse data.
    if dentry.reparse.is_some_and(|reparse| reparse.sha1.is_empty_stream())
        && !dentry.data.is_empty_stream()
    {
        return Err("has data and empty reparse data".to_owned());
    }
    if dentry.streams.iter().any(|stream| stream.name.is_empty()) {
        return Err("a named stream has no name".to_owned());
    }
    let known = usize::try_from(dentry.security_id).is_ok_and(|id| id < security_count);
    if dentry.security_id != NO_SECURITY && !known {
        return Err(format!("no security descriptor {}", dentry.security_id));
    }
    Ok(())
}
