//! Hard links: which dentries are names of one file, and new names.

use std::collections::BTreeMap;

use super::dentry::{Dentry, Image, attribute};
use super::error::Error;
use super::hash::Sha1;
use super::name::Name;
use super::time::FileTime;
use super::tree::split;

/// What the names of one file share. Windows 7 media hold equal ids with other contents: those are
/// different files.
pub(super) type LinkKey = (u64, Sha1);

/// How many names each file with several names has.
pub(super) struct Links(BTreeMap<LinkKey, u32>);

impl Links {
    pub(super) fn of(image: &Image) -> Links {
        let mut counts = BTreeMap::new();
        // A walk would sort siblings and make paths, and both take longer than this.
        let mut pending = vec![&image.root];
        while let Some(dentry) = pending.pop() {
            if let Some(key) = link_key(dentry) {
                *counts.entry(key).or_insert(0) += 1;
            }
            pending.extend(&dentry.children);
        }
        Links(counts)
    }

    /// How many names the file of this dentry has.
    pub(super) fn count(&self, dentry: &Dentry) -> u32 {
        link_key(dentry).and_then(|key| self.0.get(&key)).copied().unwrap_or(1)
    }
}

impl Dentry {
    /// What all names of its file have in common; `None` if it has no other name. Windows 7 media
    /// hold equal ids with other contents: those are different files.
    pub fn link_group(&self) -> Option<(u64, Sha1)> {
        link_key(self)
    }
}

/// The group a dentry may belong to; folders and reparse points have one name only.
pub(super) fn link_key(dentry: &Dentry) -> Option<LinkKey> {
    const SINGLE: u32 = attribute::DIRECTORY | attribute::REPARSE_POINT;
    let linked = dentry.hard_link != 0 && dentry.attributes & SINGLE == 0;
    linked.then_some((dentry.hard_link, dentry.data))
}

impl Image {
    /// Gives the file at `existing` another name, `path`; missing folders are made with `time`.
    /// Folders and reparse points have one name only.
    pub fn add_hard_link(
        &mut self,
        path: &str,
        existing: &str,
        time: FileTime,
    ) -> Result<(), Error> {
        let next_id = self.walk().map(|(_, dentry)| dentry.hard_link).max().unwrap_or(0) + 1;
        let Some(file) = self.lookup_mut(existing) else {
            return Err(Error::path(existing, "is not there, and cannot have another name"));
        };
        if file.is_directory() || file.reparse.is_some() {
            return Err(Error::path(existing, "is no file, and cannot have another name"));
        }
        if file.hard_link == 0 {
            file.hard_link = next_id;
        }
        let (parent, name) = split(path)?;
        let link = Dentry { name, short_name: Name::default(), ..file.clone() };
        self.make_folder(parent, time)?.add_child(path, link)
    }

    /// Changes what the file or folder at `path` is, under all its names.
    pub(super) fn change(
        &mut self,
        path: &str,
        mut change: impl FnMut(&mut Dentry) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let Some(dentry) = self.lookup_mut(path) else {
            return Err(Error::path(path, "is not in the image"));
        };
        let Some(key) = link_key(dentry) else { return change(dentry) };
        let mut pending = vec![&mut self.root];
        while let Some(dentry) = pending.pop() {
            if link_key(dentry) == Some(key) {
                change(dentry)?;
            }
            pending.extend(&mut dentry.children);
        }
        Ok(())
    }
}

impl Dentry {
    /// Puts a new child into this folder.
    pub(super) fn add_child(&mut self, path: &str, child: Dentry) -> Result<(), Error> {
        if self.child(&child.name).is_some() {
            return Err(Error::path(path, "is there already"));
        }
        self.children.push(child);
        Ok(())
    }
}
