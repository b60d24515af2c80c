//! Many files at once: a folder's names are looked up in an index, not one after the other.
//!
//! The index lives as long as nobody else can change the tree: the children of a [`Dentry`] are a
//! plain list, in which anyone may rename them.

use std::collections::BTreeMap;

use super::dentry::{Dentry, Image};
use super::error::Error;
use super::name::Name;
use super::time::FileTime;
use super::tree::{FileSpec, check_new_folder, names_of, split};

impl Image {
    /// Puts files at their paths in their order, each as [`Image::insert_file`] does, in time that
    /// hardly depends on how many files a folder has. Ends at the first error; what was put before
    /// stays.
    pub fn insert_files<P: AsRef<str>>(
        &mut self,
        files: impl IntoIterator<Item = (P, FileSpec)>,
    ) -> Result<(), Error> {
        let mut index = Index::of(&self.root);
        for (path, file) in files {
            let path = path.as_ref();
            let (parent, name) = split(path)?;
            let (folder, index) = index.make_folder(&mut self.root, parent, file.write)?;
            match index.names.position(&folder.children, &name) {
                Some(position) => folder.children[position].replace(path, &file)?,
                None => index.names.push(&mut folder.children, file.dentry(name)),
            }
        }
        Ok(())
    }
}

/// The names in a folder, and those in the folders in it that were entered.
struct Index {
    names: Names,
    /// By position.
    folders: BTreeMap<usize, Index>,
}

impl Index {
    fn of(folder: &Dentry) -> Index {
        Index { names: Names::of(&folder.children), folders: BTreeMap::new() }
    }

    /// As [`Image::make_folder`], with the folder's index.
    fn make_folder<'a>(
        &'a mut self,
        root: &'a mut Dentry,
        path: &str,
        time: FileTime,
    ) -> Result<(&'a mut Dentry, &'a mut Index), Error> {
        let (mut folder, mut index) = (root, self);
        for (depth, name) in names_of(path).enumerate() {
            check_new_folder(path, depth, &name)?;
            let position = index.names.position(&folder.children, &name).unwrap_or_else(|| {
                index.names.push(&mut folder.children, Dentry::folder(name, time));
                folder.children.len() - 1
            });
            folder = folder.children[position].expect_folder(path)?;
            index = index.folders.entry(position).or_insert_with(|| Index::of(folder));
        }
        Ok((folder, index))
    }
}

/// Where names are in a list of children that is only changed through this.
pub(super) struct Names {
    /// Positions, ascending, by upcased units.
    by_upcased: BTreeMap<Box<[u16]>, Vec<usize>>,
}

impl Names {
    pub(super) fn of(children: &[Dentry]) -> Names {
        let mut by_upcased: BTreeMap<Box<[u16]>, Vec<usize>> = BTreeMap::new();
        for (position, child) in children.iter().enumerate() {
            by_upcased.entry(child.name.upcased()).or_default().push(position);
        }
        Names { by_upcased }
    }

    /// As [`Dentry::child`]: the exact name, else the first one that ignores case.
    pub(super) fn position(&self, children: &[Dentry], name: &Name) -> Option<usize> {
        let similar = self.by_upcased.get(&name.upcased())?;
        let exact = similar.iter().find(|&&position| children[position].name == *name);
        exact.or(similar.first()).copied()
    }

    pub(super) fn push(&mut self, children: &mut Vec<Dentry>, child: Dentry) {
        self.by_upcased.entry(child.name.upcased()).or_default().push(children.len());
        children.push(child);
    }
}
