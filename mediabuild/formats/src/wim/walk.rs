//! `Walk`: all dentries of an image in the order a writer meets them.

use super::dentry::{Dentry, Image};

/// Pre-order, siblings in NTFS order; the root comes first with an empty path.
#[derive(Debug)]
pub struct Walk<'a> {
    /// Where the walk starts, until it has: its name is in no path.
    start: Option<&'a Dentry>,
    /// What is still to come, the next one last, with the size of its folder's path. Only one path
    /// is held: those of all siblings would be many times the metadata.
    pending: Vec<(usize, &'a Dentry)>,
    /// The path of the last one.
    path: String,
}

impl Image {
    /// Every dentry with its path from the root, `/` between names.
    pub fn walk(&self) -> Walk<'_> {
        self.root.walk()
    }
}

impl Dentry {
    /// This dentry with an empty path, then everything below it with paths from here.
    pub fn walk(&self) -> Walk<'_> {
        Walk { start: Some(self), pending: Vec::new(), path: String::new() }
    }

    /// The children in NTFS order.
    pub(super) fn sorted_children(&self) -> Vec<&Dentry> {
        let mut children: Vec<&Dentry> = self.children.iter().collect();
        children.sort_by(|left, right| left.name.cmp(&right.name));
        children
    }
}

impl<'a> Walk<'a> {
    /// As the iterator does, with a path that is not copied: in time that follows the names, not
    /// the paths.
    pub fn next_in_place(&mut self) -> Option<(&str, &'a Dentry)> {
        let dentry = match self.start.take() {
            Some(start) => start,
            None => self.descend()?,
        };
        self.enter(dentry);
        Some((&self.path, dentry))
    }

    /// The next dentry below the start, with its path.
    fn descend(&mut self) -> Option<&'a Dentry> {
        let (folder_size, dentry) = self.pending.pop()?;
        self.path.truncate(folder_size);
        if !self.path.is_empty() {
            self.path.push('/');
        }
        self.path.push_str(&dentry.name.to_string());
        Some(dentry)
    }

    fn enter(&mut self, folder: &'a Dentry) {
        let children = folder.sorted_children().into_iter().rev();
        self.pending.extend(children.map(|child| (self.path.len(), child)));
    }
}

impl<'a> Iterator for Walk<'a> {
    type Item = (String, &'a Dentry);

    fn next(&mut self) -> Option<Self::Item> {
        self.next_in_place().map(|(path, dentry)| (path.to_owned(), dentry))
    }
}
