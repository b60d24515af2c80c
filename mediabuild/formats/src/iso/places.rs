//! `Places`: where everything of a disc comes to lie.

use super::iso9660::mirror::MirrorPlaces;
use super::plan::Plan;

/// Where things lie: noted by the first run, read by the second. Blocks count from the partition's
/// start, sectors from the disc's.
pub(super) struct Places {
    /// The block of each directory's file entry.
    pub(super) directories: Vec<u32>,
    /// The block of the first file's file entry; those of the others follow.
    pub(super) first_file: u32,
    /// The block of each content.
    pub(super) contents: Vec<u32>,
    /// The anchor behind everything.
    pub(super) last_sector: u32,
    pub(super) size_bytes: u64,
    /// Of ISO 9660's and Joliet's trees, if there are any.
    pub(super) mirrors: Vec<MirrorPlaces>,
}

impl Places {
    pub(super) fn unknown<C>(plan: &Plan<'_, C>, mirror_count: usize) -> Places {
        let directories = vec![0; plan.directories.len()];
        let mirror = MirrorPlaces { directories: directories.clone(), ..MirrorPlaces::default() };
        Places {
            mirrors: vec![mirror; mirror_count],
            directories,
            first_file: 0,
            contents: vec![0; plan.contents.len()],
            last_sector: 0,
            size_bytes: 0,
        }
    }
}
