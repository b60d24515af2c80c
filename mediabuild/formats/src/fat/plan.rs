//! `Plan`: which directories and files a volume has, in the order their clusters will lie.

use std::collections::VecDeque;

use super::directory::{DIRECTORY_MAX_BYTES, ENTRY_BYTES, entry_count};
use super::error::WriteError;
use super::short_name::{self, Short};
use super::tree::Tree;
use crate::volume::order::Order;
use crate::volume::path::join;
use crate::volume::{Directory, Node};

/// Contents of this size and more lie at multiples of [`ALIGNMENT_BYTES`], so that a file system
/// may share their blocks with the store's instead of copying them.
const ALIGNED_FROM_BYTES: u64 = 1 << 20;
const ALIGNMENT_BYTES: u64 = super::geometry::DATA_ALIGNMENT_BYTES;

/// A tree put in order. Directories come level by level, the root first.
pub(super) struct Plan<'a, C> {
    pub(super) directories: Vec<PlannedDirectory<'a, C>>,
    /// The files of all directories, in the order of the directories.
    pub(super) files: Vec<PlannedFile<'a, C>>,
    /// Positions of the files in the order of their data.
    pub(super) data_order: Vec<usize>,
}

pub(super) struct PlannedDirectory<'a, C> {
    pub(super) directory: &'a Directory<C>,
    /// The short names of its entries, in their order.
    pub(super) shorts: Vec<Short>,
    /// Position of the directory it lies in; the root is its own parent.
    pub(super) parent: usize,
    /// Position of its first child directory, if it has any.
    pub(super) first_child: usize,
    /// Position of its first file, if it has any.
    pub(super) first_file: usize,
    pub(super) size_bytes: u64,
}

pub(super) struct PlannedFile<'a, C> {
    pub(super) content: &'a C,
    pub(super) size_bytes: u64,
}

impl<'a, C> Plan<'a, C> {
    /// Orders `tree`; the root of a volume with a label has one entry more.
    pub(super) fn of(
        tree: &'a Tree<C>,
        has_label: bool,
        order: &[String],
    ) -> Result<Self, WriteError> {
        let order = Order::of(order);
        let (mut directories, mut files, mut ranks) = (Vec::new(), Vec::new(), Vec::new());
        let mut waiting = VecDeque::from([(tree.root(), 0, String::new())]);
        while let Some((directory, parent, path)) = waiting.pop_front() {
            let position = directories.len();
            let (first_child, first_file) = (position + 1 + waiting.len(), files.len());
            let shorts = short_name::of_directory(directory.entries().map(|(name, _)| name));
            let special = if position > 0 { 2 } else { u64::from(has_label) };
            let size_bytes = size_bytes(directory, &shorts, special, &path)?;
            for (name, node) in directory.entries() {
                let path = join(&path, name);
                match node {
                    Node::Directory(child) => waiting.push_back((child, position, path)),
                    Node::File { content, size_bytes } => {
                        ranks.push((order.rank(&path), files.len()));
                        files.push(PlannedFile { content, size_bytes: *size_bytes });
                    }
                }
            }
            let planned =
                PlannedDirectory { directory, shorts, parent, first_child, first_file, size_bytes };
            directories.push(planned);
        }
        ranks.sort_unstable();
        let data_order = ranks.into_iter().map(|(_, position)| position).collect();
        Ok(Plan { directories, files, data_order })
    }
}

/// A run of clusters; none has the number 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Run {
    pub(super) first: u32,
    pub(super) count: u64,
}

/// Where directories and files lie.
pub(super) struct Places {
    pub(super) directories: Vec<Run>,
    pub(super) files: Vec<Run>,
    /// Clusters up to the last that is used, with what alignment left free between.
    pub(super) cluster_count: u64,
    /// Clusters that are used.
    pub(super) used_count: u64,
}

impl Places {
    /// Gives out clusters of that size; the root directory takes none if it has an area of its own.
    /// Numbers past 32 bits stay at the last one: the writer refuses such a volume.
    pub(super) fn of<C>(plan: &Plan<'_, C>, cluster_bytes: u64, root_is_outside: bool) -> Places {
        let mut places = Places {
            directories: Vec::with_capacity(plan.directories.len()),
            files: vec![Run::default(); plan.files.len()],
            cluster_count: 0,
            used_count: 0,
        };
        for (position, directory) in plan.directories.iter().enumerate() {
            let run = match position {
                0 if root_is_outside => Run::default(),
                // An empty root still has a cluster.
                _ => places.take(directory.size_bytes.max(1), cluster_bytes),
            };
            places.directories.push(run);
        }
        for &position in &plan.data_order {
            let size_bytes = plan.files[position].size_bytes;
            if size_bytes >= ALIGNED_FROM_BYTES && cluster_bytes < ALIGNMENT_BYTES {
                places.cluster_count =
                    places.cluster_count.next_multiple_of(ALIGNMENT_BYTES / cluster_bytes);
            }
            places.files[position] = places.take(size_bytes, cluster_bytes);
        }
        places
    }

    fn take(&mut self, size_bytes: u64, cluster_bytes: u64) -> Run {
        if size_bytes == 0 {
            return Run::default();
        }
        let first = u32::try_from(self.cluster_count + 2).unwrap_or(u32::MAX);
        let run = Run { first, count: size_bytes.div_ceil(cluster_bytes) };
        self.cluster_count += run.count;
        self.used_count += run.count;
        run
    }
}

fn size_bytes<C>(
    directory: &Directory<C>,
    shorts: &[Short],
    special_count: u64,
    path: &str,
) -> Result<u64, WriteError> {
    let names = directory.entries().zip(shorts);
    let counts = names.map(|((name, _), short)| entry_count(name, short.needs_long));
    let entry_count = special_count + counts.sum::<u64>();
    let limit = DIRECTORY_MAX_BYTES / ENTRY_BYTES as u64;
    if entry_count > limit {
        return Err(WriteError::DirectoryTooLarge { path: path.to_owned(), entry_count, limit });
    }
    Ok(entry_count * ENTRY_BYTES as u64)
}
