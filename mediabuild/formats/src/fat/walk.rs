//! Walking a FAT tree.

use super::boot_sector::BootSector;
use super::chain::Chains;
use super::directory::{
    ATTRIBUTE_DIRECTORY, ATTRIBUTE_LABEL, ATTRIBUTE_LONG, DIRECTORY_MAX_BYTES, ENTRY_BYTES,
    LongName,
};
use super::geometry::{ENTRY_SIZE_BYTES, Variant};
use super::short_name::{self, ShortName};
use super::time::seconds;
use crate::field::{bytes_at, u8_at, u16_at, u32_at};
use crate::source::Source;
use crate::volume::path::{check_name, join};
use crate::volume::read_error::{ReadError, read_bytes};
use crate::volume::{Entry, FileExtent, Finding};

/// Far more than Windows can open; bounds what a damaged volume makes of a few clusters.
const DEPTH_MAX: usize = 128;
const ENTRY_COUNT_MAX: u64 = 4 << 20;
const PATHS_MAX_BYTES: u64 = 1 << 30;
/// Of the attributes, those that tell what an entry is.
const ATTRIBUTE_MASK: u8 = 0x3F;
const DELETED: u8 = 0xE5;
/// Stands for a first byte that would mean "deleted".
const ESCAPED_DELETED: u8 = 0x05;

/// Lists everything; the first error ends.
pub(super) fn walk<S: Source + ?Sized>(
    boot: &BootSector,
    source: &S,
) -> Result<Vec<Entry>, ReadError> {
    let mut walk = Walk::new(boot, source, None);
    walk.all()?;
    Ok(walk.entries)
}

/// Lists everything that can be read, with what is wrong; the chains know which clusters are used.
pub(super) fn survey<'a, S: Source + ?Sized>(
    boot: &'a BootSector,
    source: &'a S,
) -> (Chains<'a, S>, Vec<Finding>) {
    let mut walk = Walk::new(boot, source, Some(Vec::new()));
    let mut findings = match walk.all() {
        Ok(()) => Vec::new(),
        Err(error) => vec![Finding::of(&error)],
    };
    findings.extend(walk.findings.take().unwrap_or_default());
    (walk.chains, findings)
}

struct Walk<'a, S: ?Sized> {
    boot: &'a BootSector,
    source: &'a S,
    chains: Chains<'a, S>,
    entries: Vec<Entry>,
    path_bytes: u64,
    /// Nothing is collected by a reader that ends at the first error.
    findings: Option<Vec<Finding>>,
}

/// A directory that is to be read.
struct Named {
    path: String,
    depth: usize,
    /// `None` is the root area of FAT12 and FAT16.
    cluster: Option<u32>,
    /// Where it was named.
    at_bytes: u64,
}

impl<'a, S: Source + ?Sized> Walk<'a, S> {
    fn new(boot: &'a BootSector, source: &'a S, findings: Option<Vec<Finding>>) -> Self {
        let chains = Chains::new(source, boot.geometry);
        Walk { boot, source, chains, entries: Vec::new(), path_bytes: 0, findings }
    }

    fn all(&mut self) -> Result<(), ReadError> {
        let is_fat32 = self.boot.geometry.variant == Variant::Fat32;
        let cluster = is_fat32.then_some(self.boot.root_cluster);
        let mut waiting = vec![Named { path: String::new(), depth: 0, cluster, at_bytes: 44 }];
        while let Some(directory) = waiting.pop() {
            match self.directory(&directory) {
                Ok(children) => waiting.extend(children.into_iter().rev()),
                Err(error) => self.error(error)?,
            }
        }
        Ok(())
    }

    /// Lists a directory and what it holds; gives the directories in it.
    fn directory(&mut self, directory: &Named) -> Result<Vec<Named>, ReadError> {
        if directory.depth > DEPTH_MAX {
            let (offset_bytes, limit) = (directory.at_bytes, DEPTH_MAX as u64);
            return Err(ReadError::Limit { offset_bytes, what: "levels of folders", limit });
        }
        let mut children = Vec::new();
        let mut long: Option<LongName> = None;
        for (start_bytes, data) in self.data(directory)? {
            for (at, entry) in (0..).zip(data.chunks_exact(ENTRY_BYTES)) {
                let offset_bytes = start_bytes + at * ENTRY_SIZE_BYTES;
                let (first, attributes) = (entry[0], entry[11] & ATTRIBUTE_MASK);
                if first == 0 {
                    return Ok(children);
                }
                if first != DELETED && attributes == ATTRIBUTE_LONG {
                    long = LongName::take(long.take(), entry);
                    if long.is_none() {
                        self.minor(offset_bytes, "a part of a long name without the others");
                    }
                    continue;
                }
                let long = long.take();
                if first == DELETED || attributes & ATTRIBUTE_LABEL != 0 || is_special(entry) {
                    continue;
                }
                match self.entry(directory, entry, long, offset_bytes) {
                    Ok(child) => children.extend(child),
                    Err(error) => self.error(error)?,
                }
            }
        }
        Ok(children)
    }

    /// The bytes of a directory with their offsets, a piece for each stretch of clusters.
    fn data(&mut self, directory: &Named) -> Result<Vec<(u64, Vec<u8>)>, ReadError> {
        let geometry = self.boot.geometry;
        let Some(cluster) = directory.cluster else {
            let (offset_bytes, size_bytes) =
                (geometry.root_offset_bytes(), geometry.root_entry_count * ENTRY_SIZE_BYTES);
            return Ok(vec![(offset_bytes, read_bytes(self.source, offset_bytes, size_bytes)?)]);
        };
        let count_max = DIRECTORY_MAX_BYTES.div_ceil(geometry.cluster_bytes());
        let (stretches, is_whole) = self.chains.follow(cluster, count_max, directory.at_bytes)?;
        if !is_whole {
            let (offset_bytes, limit) = (directory.at_bytes, DIRECTORY_MAX_BYTES);
            return Err(ReadError::Limit { offset_bytes, what: "bytes of one folder", limit });
        }
        let read = |it: super::chain::Stretch| {
            read_bytes(self.source, it.offset_bytes, it.size_bytes)
                .map(|data| (it.offset_bytes, data))
        };
        stretches.into_iter().map(read).collect()
    }

    /// Lists a file or directory; gives a directory.
    fn entry(
        &mut self,
        parent: &Named,
        entry: &[u8],
        long: Option<LongName>,
        offset_bytes: u64,
    ) -> Result<Option<Named>, ReadError> {
        let name = match &long {
            None => short(entry),
            Some(long) => long.of(entry).unwrap_or_else(|| {
                self.minor(offset_bytes, "a long name that belongs to another short one");
                short(entry)
            }),
        };
        check_name(&name, offset_bytes)?;
        let path = join(&parent.path, &name);
        let is_directory = entry[11] & ATTRIBUTE_DIRECTORY != 0;
        let high = if self.boot.geometry.variant == Variant::Fat32 { u16_at(entry, 20) } else { 0 };
        let cluster = u32::from(high) << 16 | u32::from(u16_at(entry, 26));
        let size_bytes = if is_directory { 0 } else { u64::from(u32_at(entry, 28)) };
        let extents = match is_directory {
            true => Vec::new(),
            false => self.extents(cluster, size_bytes, offset_bytes)?,
        };
        let modified_seconds = seconds(u16_at(entry, 24), u16_at(entry, 22));
        let listed = Entry {
            is_directory,
            size_bytes,
            modified_seconds,
            extents,
            ..Entry::named(path.clone())
        };
        self.push(listed, offset_bytes)?;
        let (depth, cluster) = (parent.depth + 1, Some(cluster));
        Ok(is_directory.then_some(Named { path, depth, cluster, at_bytes: offset_bytes }))
    }

    /// Where the bytes of a file are.
    fn extents(
        &mut self,
        cluster: u32,
        size_bytes: u64,
        offset_bytes: u64,
    ) -> Result<Vec<FileExtent>, ReadError> {
        if size_bytes == 0 {
            if cluster != 0 {
                self.minor(offset_bytes, "an empty file that has a cluster");
            }
            return Ok(Vec::new());
        }
        let count = size_bytes.div_ceil(self.boot.geometry.cluster_bytes());
        let (stretches, is_whole) = self.chains.follow(cluster, count, offset_bytes)?;
        let room_bytes: u64 = stretches.iter().map(|stretch| stretch.size_bytes).sum();
        if room_bytes < size_bytes {
            return Err(ReadError::Damaged {
                offset_bytes,
                expected: "clusters for all bytes of a file",
                found: format!("{room_bytes} bytes for {size_bytes}"),
            });
        }
        if !is_whole {
            self.minor(offset_bytes, "a file with more clusters than its size needs");
        }
        let mut left_bytes = size_bytes;
        let extent = |stretch: super::chain::Stretch| {
            let size_bytes = stretch.size_bytes.min(left_bytes);
            left_bytes -= size_bytes;
            FileExtent { offset_bytes: Some(stretch.offset_bytes), size_bytes }
        };
        Ok(stretches.into_iter().map(extent).collect())
    }

    fn push(&mut self, entry: Entry, offset_bytes: u64) -> Result<(), ReadError> {
        self.path_bytes += entry.path.len() as u64;
        let count = self.entries.len() as u64 + 1;
        for (what, is, limit) in [
            ("entries", count, ENTRY_COUNT_MAX),
            ("bytes of paths", self.path_bytes, PATHS_MAX_BYTES),
        ] {
            if is > limit {
                return Err(ReadError::Limit { offset_bytes, what, limit });
            }
        }
        self.entries.push(entry);
        Ok(())
    }

    /// Something that cannot be read: `Ok` if reading goes on elsewhere.
    fn error(&mut self, error: ReadError) -> Result<(), ReadError> {
        match &mut self.findings {
            None => Err(error),
            Some(_) if self.entries.len() as u64 >= ENTRY_COUNT_MAX => Err(error),
            Some(findings) => {
                push(findings, Finding::of(&error));
                Ok(())
            }
        }
    }

    /// Something wrong that does not keep a reader from reading.
    fn minor(&mut self, offset_bytes: u64, what: &str) {
        if let Some(findings) = &mut self.findings {
            push(findings, Finding::at(offset_bytes, what));
        }
    }
}

fn push(findings: &mut Vec<Finding>, finding: Finding) {
    /// More findings than this tell nobody anything.
    const FINDING_COUNT_MAX: usize = 10_000;
    if findings.len() < FINDING_COUNT_MAX {
        findings.push(finding);
    }
}

/// The directory itself, or its parent.
fn is_special(entry: &[u8]) -> bool {
    matches!(bytes_at(entry, 0, 11), b".          " | b"..         ")
}

/// The short name, in the case that Windows NT's flags say.
fn short(entry: &[u8]) -> String {
    const LOWER_BASE: u8 = 0x08;
    const LOWER_EXTENSION: u8 = 0x10;
    let mut name: ShortName = [b' '; 11];
    name.copy_from_slice(bytes_at(entry, 0, 11));
    if name[0] == ESCAPED_DELETED {
        name[0] = DELETED;
    }
    let flags = u8_at(entry, 12);
    if flags & LOWER_BASE != 0 {
        name[..8].make_ascii_lowercase();
    }
    if flags & LOWER_EXTENSION != 0 {
        name[8..].make_ascii_lowercase();
    }
    short_name::written(&name)
}
