//! `Plan`: which directories, files and contents a disc has, in the order they will lie.

use std::collections::{BTreeMap, VecDeque};

use super::error::WriteError;
use super::options::{BootEntry, Options};
use super::tree::Tree;
use super::udf::file::FILE_MAX_BYTES;
use crate::volume::order::Order;
use crate::volume::path::join;
use crate::volume::{Directory, Node};

/// What a BIOS entry's 16-bit count of 512-byte sectors can say.
const BIOS_IMAGE_MAX_BYTES: u64 = u16::MAX as u64 * 512;

/// A tree put in order. Directories come level by level, each level in walk order, so the children
/// of one directory are neighbours and no list of children is needed.
pub(super) struct Plan<'a, C> {
    pub(super) directories: Vec<PlannedDirectory<'a, C>>,
    /// The files of all directories, in the order of the directories.
    pub(super) files: Vec<PlannedFile>,
    /// Each content once, in data order.
    pub(super) contents: Vec<PlannedContent<'a, C>>,
    /// How many of the first contents are boot images that no file shares.
    pub(super) unshared_count: usize,
    pub(super) bios: Option<PlannedFile>,
    pub(super) uefi: Option<PlannedFile>,
    pub(super) shared_file_count: u64,
    pub(super) shared_size_bytes: u64,
}

pub(super) struct PlannedDirectory<'a, C> {
    pub(super) path: String,
    pub(super) directory: &'a Directory<C>,
    /// Position of the directory it lies in; the root is its own parent.
    pub(super) parent: usize,
    /// Position of its first child directory, if it has any.
    pub(super) first_child: usize,
    /// Position of its first file, if it has any.
    pub(super) first_file: usize,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct PlannedFile {
    pub(super) size_bytes: u64,
    /// Position of its content; without meaning if it is empty.
    pub(super) content: usize,
}

pub(super) struct PlannedContent<'a, C> {
    pub(super) content: &'a C,
    pub(super) size_bytes: u64,
}

impl<'a, C: Ord> Plan<'a, C> {
    /// Orders `tree` and finds equal contents.
    pub(super) fn of(tree: &'a Tree<C>, options: &'a Options<C>) -> Result<Self, WriteError> {
        check_boot_image("BIOS", options.bios.as_ref(), BIOS_IMAGE_MAX_BYTES)?;
        check_boot_image("UEFI", options.uefi.as_ref(), FILE_MAX_BYTES)?;
        let order = Order::of(&options.order);
        let directories = directories(tree);
        let mut unplaced = unplaced_files(&directories, &order)?;
        let mut files = vec![PlannedFile { size_bytes: 0, content: 0 }; unplaced.len()];
        unplaced.sort_by_key(|file| (file.rank, file.position));

        let mut contents = Contents::default();
        for image in options.bios.iter().chain(&options.uefi) {
            let is_shared = |file: &UnplacedFile<'_, C>| {
                (file.content, file.size_bytes) == (&image.content, image.size_bytes)
            };
            if !unplaced.iter().any(is_shared) {
                contents.boot_image(image);
            }
        }
        let unshared_count = contents.list.len();
        // The shared ones come next: a firmware reads them before anything else.
        let bios = options.bios.as_ref().map(|image| contents.boot_image(image));
        let uefi = options.uefi.as_ref().map(|image| contents.boot_image(image));
        let (mut shared_file_count, mut shared_size_bytes) = (0, 0);
        for file in unplaced {
            let known = contents.list.len();
            let planned = contents.place(file.content, file.size_bytes);
            if file.size_bytes > 0 && contents.list.len() == known {
                shared_file_count += 1;
                shared_size_bytes += file.size_bytes;
            }
            files[file.position] = planned;
        }
        Ok(Plan {
            directories,
            files,
            contents: contents.list,
            unshared_count,
            bios,
            uefi,
            shared_file_count,
            shared_size_bytes,
        })
    }
}

/// A file whose data has no place yet.
struct UnplacedFile<'a, C> {
    rank: usize,
    position: usize,
    content: &'a C,
    size_bytes: u64,
}

/// The contents placed so far, and where each is in the list.
struct Contents<'a, C> {
    list: Vec<PlannedContent<'a, C>>,
    positions: BTreeMap<(&'a C, u64), usize>,
}

impl<C> Default for Contents<'_, C> {
    fn default() -> Self {
        Contents { list: Vec::new(), positions: BTreeMap::new() }
    }
}

impl<'a, C: Ord> Contents<'a, C> {
    /// The place of a content: that of an equal one if there is one, else the next.
    fn place(&mut self, content: &'a C, size_bytes: u64) -> PlannedFile {
        if size_bytes == 0 {
            return PlannedFile { size_bytes, content: 0 };
        }
        let next = self.list.len();
        let position = *self.positions.entry((content, size_bytes)).or_insert(next);
        if position == next {
            self.list.push(PlannedContent { content, size_bytes });
        }
        PlannedFile { size_bytes, content: position }
    }

    fn boot_image(&mut self, image: &'a BootEntry<C>) -> PlannedFile {
        self.place(&image.content, image.size_bytes)
    }
}

/// All directories, level by level.
fn directories<C>(tree: &Tree<C>) -> Vec<PlannedDirectory<'_, C>> {
    let mut planned: Vec<PlannedDirectory<'_, C>> = Vec::new();
    let mut waiting = VecDeque::from([(tree.root(), 0, String::new())]);
    let mut file_count = 0;
    while let Some((directory, parent, path)) = waiting.pop_front() {
        let position = planned.len();
        let (first_child, first_file) = (position + 1 + waiting.len(), file_count);
        for (name, node) in directory.entries() {
            match node {
                Node::Directory(child) => waiting.push_back((child, position, join(&path, name))),
                Node::File { .. } => file_count += 1,
            }
        }
        planned.push(PlannedDirectory { path, directory, parent, first_child, first_file });
    }
    planned
}

/// All files in the order of their directories, ranked.
fn unplaced_files<'a, C>(
    directories: &[PlannedDirectory<'a, C>],
    order: &Order,
) -> Result<Vec<UnplacedFile<'a, C>>, WriteError> {
    let mut files = Vec::new();
    for planned in directories {
        for (name, node) in planned.directory.entries() {
            let Node::File { content, size_bytes } = node else { continue };
            let (path, size_bytes) = (join(&planned.path, name), *size_bytes);
            let (rank, position) = (order.rank(&path), files.len());
            files.push(UnplacedFile { rank, position, content, size_bytes });
        }
    }
    Ok(files)
}

fn check_boot_image<C>(
    platform: &'static str,
    image: Option<&BootEntry<C>>,
    limit_bytes: u64,
) -> Result<(), WriteError> {
    match image.map(|image| image.size_bytes) {
        Some(size_bytes) if size_bytes == 0 || size_bytes > limit_bytes => {
            Err(WriteError::BootImageSize { platform, size_bytes, limit_bytes })
        }
        _ => Ok(()),
    }
}
