//! ISO 9660 and Joliet trees of the same files that UDF has (ECMA-119 6.8, 9.1, 9.4; Joliet).
//!
//! Both say where the contents lie that UDF's file entries say too; a content is stored once. The
//! sizes of everything here are known before anything is placed.

use super::mangle::ShortNames;
use super::write::{record, record_size};
use super::{FLAG_DIRECTORY, FLAG_MULTI_EXTENT};
use crate::iso::SECTOR_SIZE_BYTES;
use crate::iso::error::WriteError;
use crate::iso::plan::{Plan, PlannedDirectory, PlannedFile};
use crate::iso::time::Time;
use crate::volume::Node;
use crate::volume::path::join;

/// The most bytes a record can say that are a whole number of sectors: 4 GiB less one sector.
const RECORD_MAX_BYTES: u64 = (1 << 32) - SECTOR_SIZE_BYTES;
/// Levels of directories, the root among them (ECMA-119 6.8.2.1).
const LEVEL_MAX: usize = 8;
/// A path table names a parent in 16 bits.
const DIRECTORY_MAX: usize = u16::MAX as usize;
/// Joliet: 128 bytes of a name.
const JOLIET_NAME_MAX_UNITS: usize = 64;

/// Which of the two trees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::iso) enum MirrorKind {
    /// 8.3 names.
    Iso9660,
    /// Unicode names.
    Joliet,
}

/// One of the trees, ready to be written.
pub(in crate::iso) struct Mirror {
    /// By the plan's position.
    directories: Vec<MirrorDirectory>,
    /// The plan's positions in the order of the path table.
    order: Vec<usize>,
}

struct MirrorDirectory {
    name: Vec<u8>,
    /// From 1, as path tables count.
    number: u16,
    /// Sorted by name.
    children: Vec<Child>,
    size_bytes: u64,
}

struct Child {
    name: Vec<u8>,
    of: ChildOf,
}

/// Positions in the plan.
#[derive(Clone, Copy)]
enum ChildOf {
    Directory(usize),
    File(usize),
}

/// Where things lie, in sectors of the disc.
#[derive(Debug, Clone, Default)]
pub(in crate::iso) struct MirrorPlaces {
    pub(in crate::iso) little_table: u32,
    pub(in crate::iso) big_table: u32,
    /// By the plan's position.
    pub(in crate::iso) directories: Vec<u32>,
}

impl Mirror {
    pub(in crate::iso) fn of<C>(
        plan: &Plan<'_, C>,
        kind: MirrorKind,
    ) -> Result<Mirror, WriteError> {
        if plan.directories.len() > DIRECTORY_MAX {
            let reason = "ISO 9660 counts 65535 folders at most: leave `mirror` out";
            return Err(WriteError::Mirror { path: String::new(), reason });
        }
        let mut directories: Vec<MirrorDirectory> = Vec::new();
        for planned in &plan.directories {
            directories.push(directory(plan, planned, kind)?);
        }
        let mut mirror = Mirror { directories, order: vec![0] };
        mirror.number();
        Ok(mirror)
    }

    /// Numbers directories level by level, in each by the parent's number, then by name.
    fn number(&mut self) {
        let mut at = 0;
        while let Some(&position) = self.order.get(at) {
            at += 1;
            self.directories[position].number = u16::try_from(at).expect("counted before");
            for child in 0..self.directories[position].children.len() {
                let child = &self.directories[position].children[child];
                if let ChildOf::Directory(below) = child.of {
                    let name = child.name.clone();
                    self.directories[below].name = name;
                    self.order.push(below);
                }
            }
        }
    }

    /// The plan's positions, in the order in which the directories are to be written.
    pub(in crate::iso) fn order(&self) -> &[usize] {
        &self.order
    }

    pub(in crate::iso) fn directory_size_bytes(&self, position: usize) -> u32 {
        u32::try_from(self.directories[position].size_bytes).unwrap_or(u32::MAX)
    }

    pub(in crate::iso) fn table_size_bytes(&self) -> u32 {
        let sizes = self.directories.iter().map(|it| table_record_size(it.name.len().max(1)));
        u32::try_from(sizes.sum::<usize>()).unwrap_or(u32::MAX)
    }

    /// A path table with little- or big-endian numbers.
    pub(in crate::iso) fn table<C>(
        &self,
        plan: &Plan<'_, C>,
        places: &MirrorPlaces,
        is_big_endian: bool,
    ) -> Vec<u8> {
        let mut table = Vec::with_capacity(self.table_size_bytes() as usize);
        for &position in &self.order {
            let parent = self.directories[plan.directories[position].parent].number;
            let name = match self.directories[position].name.as_slice() {
                [] => &[0],
                name => name,
            };
            table.extend([u8::try_from(name.len()).expect("names are short"), 0]);
            let sector = places.directories[position];
            if is_big_endian {
                table.extend(sector.to_be_bytes());
                table.extend(parent.to_be_bytes());
            } else {
                table.extend(sector.to_le_bytes());
                table.extend(parent.to_le_bytes());
            }
            table.extend(name);
            table.resize(table.len().next_multiple_of(2), 0);
        }
        table
    }

    /// All records of a directory. `sector_of` tells where a file's content lies.
    pub(in crate::iso) fn records<C>(
        &self,
        plan: &Plan<'_, C>,
        position: usize,
        places: &MirrorPlaces,
        sector_of: impl Fn(PlannedFile) -> u32,
        time: Time,
    ) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut append = |record: Vec<u8>| {
            pad_for(&mut bytes, record.len());
            bytes.extend(record);
        };
        let directory = |name: &[u8], of: usize| {
            let size_bytes = self.directory_size_bytes(of);
            record(name, places.directories[of], size_bytes, FLAG_DIRECTORY, time)
        };
        append(directory(&[0], position));
        append(directory(&[1], plan.directories[position].parent));
        for child in &self.directories[position].children {
            match child.of {
                ChildOf::Directory(below) => append(directory(&child.name, below)),
                ChildOf::File(at) => {
                    let file = plan.files[at];
                    for (before, size, flags) in extents(file.size_bytes) {
                        let sectors = u32::try_from(before / SECTOR_SIZE_BYTES).unwrap_or(u32::MAX);
                        let sector = sector_of(file).saturating_add(sectors);
                        append(record(&child.name, sector, size, flags, time));
                    }
                }
            }
        }
        bytes
    }
}

/// One directory's children with their names, sorted, and its size.
fn directory<C>(
    plan: &Plan<'_, C>,
    planned: &PlannedDirectory<'_, C>,
    kind: MirrorKind,
) -> Result<MirrorDirectory, WriteError> {
    let level = if planned.path.is_empty() { 1 } else { 2 + planned.path.matches('/').count() };
    if kind == MirrorKind::Iso9660 && level > LEVEL_MAX {
        let reason = "ISO 9660 has 8 levels of folders: leave `mirror` out, or move it up";
        return Err(WriteError::Mirror { path: planned.path.clone(), reason });
    }
    let mut short = ShortNames::default();
    let (mut below, mut file) = (planned.first_child, planned.first_file);
    let mut children = Vec::new();
    for (name, node) in planned.directory.entries() {
        let is_directory = matches!(node, Node::Directory(_));
        let encoded = match (kind, is_directory) {
            (MirrorKind::Joliet, _) => joliet(&planned.path, name)?,
            (MirrorKind::Iso9660, true) => short.directory(name),
            (MirrorKind::Iso9660, false) => short.file(name),
        };
        let of = if is_directory {
            below += 1;
            ChildOf::Directory(below - 1)
        } else {
            file += 1;
            ChildOf::File(file - 1)
        };
        children.push(Child { name: encoded, of });
    }
    children.sort_by(|a, b| sort_key(kind, &a.name).cmp(&sort_key(kind, &b.name)));
    let mut size_bytes = 2 * record_size(1);
    for child in &children {
        let records = match child.of {
            ChildOf::Directory(_) => 1,
            ChildOf::File(at) => extents(plan.files[at].size_bytes).count(),
        };
        for _ in 0..records {
            size_bytes = padded_for(size_bytes, record_size(child.name.len()));
            size_bytes += record_size(child.name.len());
        }
    }
    let size_bytes = (size_bytes as u64).next_multiple_of(SECTOR_SIZE_BYTES);
    Ok(MirrorDirectory { name: Vec::new(), number: 0, children, size_bytes })
}

/// A name as Joliet has it: UTF-16, big-endian.
fn joliet(folder: &str, name: &str) -> Result<Vec<u8>, WriteError> {
    let path = || join(folder, name);
    if name.contains(';') {
        let reason = "Joliet takes no `;` in names: leave `mirror` out, or rename it";
        return Err(WriteError::Mirror { path: path(), reason });
    }
    let units: Vec<u16> = name.encode_utf16().collect();
    if units.len() > JOLIET_NAME_MAX_UNITS {
        let reason =
            "Joliet has names of at most 64 UTF-16 units: leave `mirror` out, or rename it";
        return Err(WriteError::Mirror { path: path(), reason });
    }
    Ok(units.into_iter().flat_map(u16::to_be_bytes).collect())
}

/// ECMA-119 9.3: by name, then by extension, the shorter first; versions are all one.
fn sort_key(kind: MirrorKind, name: &[u8]) -> (&[u8], &[u8]) {
    let version: &[u8] = match kind {
        MirrorKind::Iso9660 => b";1",
        MirrorKind::Joliet => &[0, b';', 0, b'1'],
    };
    let name = name.strip_suffix(version).unwrap_or(name);
    let dot = match kind {
        MirrorKind::Iso9660 => name.iter().rposition(|byte| *byte == b'.').map(|at| (at, 1)),
        MirrorKind::Joliet => {
            let units = name.len() / 2;
            let dot = (0..units).rev().find(|at| name[2 * at..2 * at + 2] == [0, b'.']);
            dot.map(|at| (2 * at, 2))
        }
    };
    match dot {
        Some((at, size)) => (&name[..at], &name[at + size..]),
        None => (name, &[]),
    }
}

/// Start, size and flags of each record of a file; an empty one has a record too.
fn extents(size_bytes: u64) -> impl Iterator<Item = (u64, u32, u8)> {
    let count = size_bytes.div_ceil(RECORD_MAX_BYTES).max(1);
    (0..count).map(move |at| {
        let before = at * RECORD_MAX_BYTES;
        let size = (size_bytes - before).min(RECORD_MAX_BYTES);
        let flags = if at + 1 < count { FLAG_MULTI_EXTENT } else { 0 };
        (before, u32::try_from(size).expect("less than 4 GiB"), flags)
    })
}

fn table_record_size(name_size: usize) -> usize {
    (8 + name_size).next_multiple_of(2)
}

/// No record crosses a sector's end.
fn padded_for(size: usize, record_size: usize) -> usize {
    let sector = SECTOR_SIZE_BYTES as usize;
    if size % sector + record_size > sector { size.next_multiple_of(sector) } else { size }
}

fn pad_for(bytes: &mut Vec<u8>, record_size: usize) {
    bytes.resize(padded_for(bytes.len(), record_size), 0);
}
