//! `Tree`: the files and directories of a disc, over contents the writer never reads.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::error::WriteError;
use super::name::{Name, cs0_size_bytes};

/// The deepest a file or directory may lie; the reader has the same limit.
pub(super) const DEPTH_MAX: usize = 256;

/// The most bytes of a path (OSTA UDF 1.02, 2: basic restrictions, maximum path size).
const PATH_MAX_BYTES: usize = 1023;

/// What a disc holds. `C` is the caller's name of a content.
#[derive(Debug, Clone)]
pub struct Tree<C> {
    root: Directory<C>,
}

/// A directory: its entries in walk order, no two of them one name to Windows.
#[derive(Debug, Clone)]
pub struct Directory<C> {
    entries: BTreeMap<Name, Node<C>>,
}

/// One entry of a directory.
#[derive(Debug, Clone)]
pub enum Node<C> {
    /// A directory.
    Directory(Directory<C>),
    /// A file.
    File {
        /// The caller's name of its bytes.
        content: C,
        /// How many bytes it has.
        size_bytes: u64,
    },
}

impl<C> Default for Tree<C> {
    fn default() -> Self {
        Tree { root: Directory::default() }
    }
}

impl<C> Default for Directory<C> {
    fn default() -> Self {
        Directory { entries: BTreeMap::new() }
    }
}

impl<C> Tree<C> {
    /// A tree without entries.
    pub fn new() -> Self {
        Self::default()
    }

    /// The root directory.
    pub fn root(&self) -> &Directory<C> {
        &self.root
    }

    /// Adds the file `path`, components separated by `/`, and the directories it lies in.
    pub fn insert(&mut self, path: &str, content: C, size_bytes: u64) -> Result<(), WriteError> {
        check_path(path)?;
        let (parents, last) = split_last(path);
        let directory = self.root.descend(parents, path)?;
        match directory.slot(last, path)? {
            Entry::Vacant(slot) => {
                slot.insert(Node::File { content, size_bytes });
                Ok(())
            }
            Entry::Occupied(_) => Err(WriteError::Duplicate { path: path.to_owned() }),
        }
    }

    /// Adds the directory `path` and those it lies in; one that is already there is no error.
    pub fn insert_directory(&mut self, path: &str) -> Result<(), WriteError> {
        check_path(path)?;
        self.root.descend(Some(path), path).map(|_| ())
    }

    /// The node at `path`, compared exactly.
    pub fn get(&self, path: &str) -> Option<&Node<C>> {
        let (parents, last) = split_last(path);
        let mut directory = &self.root;
        for component in parents.into_iter().flat_map(|parents| parents.split('/')) {
            match directory.get(component)? {
                Node::Directory(child) => directory = child,
                Node::File { .. } => return None,
            }
        }
        directory.get(last)
    }
}

impl<C> Directory<C> {
    /// The entries in walk order: by upper-cased UTF-16 units, then by bytes.
    pub fn entries(&self) -> impl Iterator<Item = (&str, &Node<C>)> {
        self.entries.iter().map(|(name, node)| (name.as_str(), node))
    }

    /// How many entries there are.
    pub fn entry_count(&self) -> usize {
        self.entries.len()
    }

    /// The entry called `name`, compared exactly.
    pub fn get(&self, name: &str) -> Option<&Node<C>> {
        self.entries.get(&Name::parse(name, name).ok()?)
    }

    /// Walks down `parents`, creating what is missing; `path` is for the errors.
    fn descend(
        &mut self,
        parents: Option<&str>,
        path: &str,
    ) -> Result<&mut Directory<C>, WriteError> {
        let mut directory = self;
        for component in parents.into_iter().flat_map(|parents| parents.split('/')) {
            let slot = directory.slot(component, path)?;
            match slot.or_insert_with(|| Node::Directory(Directory::default())) {
                Node::Directory(child) => directory = child,
                Node::File { .. } => {
                    let (path, file) = (path.to_owned(), component.to_owned());
                    return Err(WriteError::FileAsDirectory { path, file });
                }
            }
        }
        Ok(directory)
    }

    /// The map entry of `text`. A name that collides with it by case can only be a neighbour.
    fn slot(&mut self, text: &str, path: &str) -> Result<Entry<'_, Name, Node<C>>, WriteError> {
        let name = Name::parse(text, path)?;
        let before = self.entries.range(..&name).next_back();
        let after = self.entries.range(&name..).find(|(other, _)| **other != name);
        for (other, _) in before.into_iter().chain(after) {
            if other.collides_with(&name) {
                let (path, other) = (path.to_owned(), other.as_str().to_owned());
                return Err(WriteError::CaseCollision { path, other });
            }
        }
        Ok(self.entries.entry(name))
    }
}

/// The directories of a path, if it has any, and its last component.
fn split_last(path: &str) -> (Option<&str>, &str) {
    match path.rsplit_once('/') {
        Some((parents, last)) => (Some(parents), last),
        None => (None, path),
    }
}

fn check_path(path: &str) -> Result<(), WriteError> {
    if path.split('/').count() > DEPTH_MAX {
        return Err(WriteError::BadName {
            path: path.to_owned(),
            reason: "a path has at most 256 components",
        });
    }
    if cs0_size_bytes(path) > PATH_MAX_BYTES {
        return Err(WriteError::BadName {
            path: path.to_owned(),
            reason: "a path has at most 1023 bytes: Latin-1 characters, else UTF-16 units",
        });
    }
    Ok(())
}
