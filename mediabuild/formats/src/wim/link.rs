//! Hard links: which dentries are names of one file.

use std::collections::BTreeMap;

use super::dentry::{Dentry, Image, attribute};
use super::hash::Sha1;

/// What the names of one file share. Windows 7 media hold equal ids with other contents: those are
/// different files.
pub(super) type LinkKey = (u64, Sha1);

/// How many names each file with several names has.
pub(super) struct Links(BTreeMap<LinkKey, u32>);

impl Links {
    pub(super) fn of(image: &Image) -> Links {
        let mut counts = BTreeMap::new();
        let mut walk = image.walk();
        while let Some((_, dentry)) = walk.next_in_place() {
            if let Some(key) = link_key(dentry) {
                *counts.entry(key).or_insert(0) += 1;
            }
        }
        Links(counts)
    }

    /// How many names the file of this dentry has.
    pub(super) fn count(&self, dentry: &Dentry) -> u32 {
        link_key(dentry).and_then(|key| self.0.get(&key)).copied().unwrap_or(1)
    }
}

/// The group a dentry may belong to; folders and reparse points have one name only.
pub(super) fn link_key(dentry: &Dentry) -> Option<LinkKey> {
    const SINGLE: u32 = attribute::DIRECTORY | attribute::REPARSE_POINT;
    let linked = dentry.hard_link != 0 && dentry.attributes & SINGLE == 0;
    linked.then_some((dentry.hard_link, dentry.data))
}
