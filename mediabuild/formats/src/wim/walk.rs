//! `Walk`: all dentries of an image in the order a writer meets them.

use super::dentry::{Dentry, Image};

/// Pre-order, siblings in NTFS order; the root comes first with an empty path.
#[derive(Debug)]
pub struct Walk<'a> {
    /// What is still to come, the next one last.
    pending: Vec<(String, &'a Dentry)>,
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
        Walk { pending: vec![(String::new(), self)] }
    }

    /// The children in NTFS order.
    pub(super) fn sorted_children(&self) -> Vec<&Dentry> {
        let mut children: Vec<&Dentry> = self.children.iter().collect();
        children.sort_by(|left, right| left.name.cmp(&right.name));
        children
    }
}

impl<'a> Iterator for Walk<'a> {
    type Item = (String, &'a Dentry);

    fn next(&mut self) -> Option<Self::Item> {
        let (path, dentry) = self.pending.pop()?;
        for child in dentry.sorted_children().into_iter().rev() {
            let separator = if path.is_empty() { "" } else { "/" };
            self.pending.push((format!("{path}{separator}{}", child.name), child));
        }
        Some((path, dentry))
    }
}
