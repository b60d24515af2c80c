//! `Tree`: the files and directories of a volume, over contents the writer never reads.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::FILE_MAX_BYTES;
use super::error::WriteError;
use super::name;

/// Windows opens paths of 259 UTF-16 units, `X:\` included.
const PATH_MAX_UNITS: usize = 256;

/// What a volume holds. `C` is the caller's name of a content.
#[derive(Debug, Clone)]
pub struct Tree<C> {
    root: Directory<C>,
}

/// A directory: its entries ordered by their upper-cased UTF-16 units, no two of them one name.
#[derive(Debug, Clone)]
pub struct Directory<C> {
    entries: BTreeMap<Vec<u16>, Named<C>>,
}

/// A node with its name as it is written.
type Named<C> = (String, Node<C>);

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
        if size_bytes > FILE_MAX_BYTES {
            return Err(WriteError::FileTooLarge { path: path.to_owned(), size_bytes });
        }
        let (parents, last) = match path.rsplit_once('/') {
            Some((parents, last)) => (Some(parents), last),
            None => (None, path),
        };
        let directory = self.root.descend(parents, path)?;
        match directory.slot(last, path)? {
            Entry::Vacant(slot) => {
                slot.insert((last.to_owned(), Node::File { content, size_bytes }));
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
}

impl<C> Directory<C> {
    /// The entries in order.
    pub fn entries(&self) -> impl Iterator<Item = (&str, &Node<C>)> + Clone {
        self.entries.values().map(|(name, node)| (name.as_str(), node))
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
            let new = || (component.to_owned(), Node::Directory(Directory::default()));
            match &mut slot.or_insert_with(new).1 {
                Node::Directory(child) => directory = child,
                Node::File { .. } => {
                    let (path, file) = (path.to_owned(), component.to_owned());
                    return Err(WriteError::FileAsDirectory { path, file });
                }
            }
        }
        Ok(directory)
    }

    /// The map entry of `name`, unless there is one that differs by case.
    fn slot(
        &mut self,
        name: &str,
        path: &str,
    ) -> Result<Entry<'_, Vec<u16>, Named<C>>, WriteError> {
        name::check(name, path)?;
        let entry = self.entries.entry(name::key(name));
        match &entry {
            Entry::Occupied(there) if there.get().0 != name => Err(WriteError::CaseCollision {
                path: path.to_owned(),
                other: there.get().0.clone(),
            }),
            _ => Ok(entry),
        }
    }
}

fn check_path(path: &str) -> Result<(), WriteError> {
    if path.encode_utf16().count() <= PATH_MAX_UNITS {
        return Ok(());
    }
    let reason = "with a drive letter, Windows opens paths of 259 UTF-16 units: this may have 256";
    Err(WriteError::BadName { path: path.to_owned(), reason })
}
