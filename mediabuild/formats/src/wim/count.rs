//! `Counts`: the totals of an image that its XML data states.

use super::dentry::Image;
use super::hash::Sha1;
use super::link::Links;

/// Totals of one image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Folders, the root included.
    pub directories: u64,
    /// All other names.
    pub files: u64,
    /// Sizes of all streams of all names.
    pub total_bytes: u64,
    /// Sizes of the streams of every name of a file but its first.
    pub hard_link_bytes: u64,
}

impl Counts {
    /// Counts `image`; blobs that `size_of` does not know count as empty.
    pub fn of(image: &Image, mut size_of: impl FnMut(&Sha1) -> Option<u64>) -> Counts {
        let links = Links::of(image);
        let mut counts = Counts::default();
        let mut seen = std::collections::BTreeSet::new();
        let mut walk = image.walk();
        while let Some((_, dentry)) = walk.next_in_place() {
            if dentry.has_children_list() {
                counts.directories += 1;
            } else {
                counts.files += 1;
            }
            let sizes = dentry.blobs().filter_map(|sha1| size_of(&sha1));
            // A damaged file declares any size.
            let bytes = sizes.fold(0, u64::saturating_add);
            counts.total_bytes = counts.total_bytes.saturating_add(bytes);
            let first = super::link::link_key(dentry).is_none_or(|key| seen.insert(key));
            if links.count(dentry) > 1 && !first {
                counts.hard_link_bytes = counts.hard_link_bytes.saturating_add(bytes);
            }
        }
        counts
    }
}
