//! `Tree`: the files and directories of a volume that is to be written, over contents the writer never
//! reads.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt::Debug;
use std::marker::PhantomData;

use super::name::Name;
use super::tree_error::TreeError;

/// What a file system takes, of what Windows takes.
pub trait Rules: Debug + Clone {
    /// The kind of volume in messages, with its article.
    const PLACE: &'static str;
    /// The largest file.
    const FILE_MAX_BYTES: u64;

    /// What is wrong with a path as a whole, components separated by `/`.
    fn path_fault(path: &str) -> Option<&'static str>;

    /// What is wrong with the length of one name.
    fn name_fault(name: &str) -> Option<&'static str>;
}

/// What a volume of the file system `R` holds. `C` is the caller's name of a content.
#[derive(Debug, Clone)]
pub struct Tree<C, R> {
    root: Directory<C>,
    rules: PhantomData<R>,
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

impl<C, R: Rules> Default for Tree<C, R> {
    fn default() -> Self {
        Tree { root: Directory::default(), rules: PhantomData }
    }
}

impl<C> Default for Directory<C> {
    fn default() -> Self {
        Directory { entries: BTreeMap::new() }
    }
}

impl<C, R: Rules> Tree<C, R> {
    /// A tree without entries.
    pub fn new() -> Self {
        Self::default()
    }

    /// The root directory.
    pub fn root(&self) -> &Directory<C> {
        &self.root
    }

    /// Adds the file `path`, components separated by `/`, and the directories it lies in.
    pub fn insert(&mut self, path: &str, content: C, size_bytes: u64) -> Result<(), TreeError> {
        check_path::<R>(path)?;
        if size_bytes > R::FILE_MAX_BYTES {
            let (path, place, limit_bytes) = (path.to_owned(), R::PLACE, R::FILE_MAX_BYTES);
            return Err(TreeError::FileTooLarge { path, size_bytes, place, limit_bytes });
        }
        let (parents, last) = split_last(path);
        let directory = self.root.descend::<R>(parents, path)?;
        match directory.slot::<R>(last, path)? {
            Entry::Vacant(slot) => {
                slot.insert(Node::File { content, size_bytes });
                Ok(())
            }
            Entry::Occupied(_) => Err(TreeError::Duplicate { path: path.to_owned() }),
        }
    }

    /// Adds the directory `path` and those it lies in; one that is already there is no error.
    pub fn insert_directory(&mut self, path: &str) -> Result<(), TreeError> {
        check_path::<R>(path)?;
        self.root.descend::<R>(Some(path), path).map(|_| ())
    }

    /// The node at `path`, compared exactly.
    pub fn get(&self, path: &str) -> Option<&Node<C>> {
        let (parents, last) = split_last(path);
        let mut directory = &self.root;
        for component in components(parents) {
            match directory.get(component)? {
                Node::Directory(child) => directory = child,
                Node::File { .. } => return None,
            }
        }
        directory.get(last)
    }
}

impl<C> Directory<C> {
    /// The entries in walk order: by upper-cased UTF-16 units.
    pub fn entries(&self) -> impl Iterator<Item = (&str, &Node<C>)> + Clone {
        self.entries.iter().map(|(name, node)| (name.as_str(), node))
    }

    /// How many entries there are.
    pub fn entry_count(&self) -> usize {
        self.entries.len()
    }

    /// The entry called `name`, compared exactly.
    pub fn get(&self, name: &str) -> Option<&Node<C>> {
        self.entries.get(&Name::parse(name).ok()?)
    }

    /// Walks down `parents`, creating what is missing; `path` is for the errors.
    fn descend<R: Rules>(
        &mut self,
        parents: Option<&str>,
        path: &str,
    ) -> Result<&mut Directory<C>, TreeError> {
        let mut directory = self;
        for component in components(parents) {
            let slot = directory.slot::<R>(component, path)?;
            match slot.or_insert_with(|| Node::Directory(Directory::default())) {
                Node::Directory(child) => directory = child,
                Node::File { .. } => {
                    let (path, file) = (path.to_owned(), component.to_owned());
                    return Err(TreeError::FileAsDirectory { path, file });
                }
            }
        }
        Ok(directory)
    }

    /// The map entry of `text`. A name that collides with it by case can only be a neighbour.
    fn slot<R: Rules>(
        &mut self,
        text: &str,
        path: &str,
    ) -> Result<Entry<'_, Name, Node<C>>, TreeError> {
        let name = Name::parse(text).map_err(|reason| bad::<R>(path, reason))?;
        if let Some(reason) = R::name_fault(text) {
            return Err(bad::<R>(path, reason));
        }
        let before = self.entries.range(..&name).next_back();
        let after = self.entries.range(&name..).find(|(other, _)| **other != name);
        for (other, _) in before.into_iter().chain(after) {
            if other.collides_with(&name) {
                let (path, other) = (path.to_owned(), other.as_str().to_owned());
                return Err(TreeError::CaseCollision { path, other });
            }
        }
        Ok(self.entries.entry(name))
    }
}

fn components(parents: Option<&str>) -> impl Iterator<Item = &str> {
    parents.into_iter().flat_map(|parents| parents.split('/'))
}

/// The directories of a path, if it has any, and its last component.
fn split_last(path: &str) -> (Option<&str>, &str) {
    match path.rsplit_once('/') {
        Some((parents, last)) => (Some(parents), last),
        None => (None, path),
    }
}

fn check_path<R: Rules>(path: &str) -> Result<(), TreeError> {
    R::path_fault(path).map_or(Ok(()), |reason| Err(bad::<R>(path, reason)))
}

fn bad<R: Rules>(path: &str, reason: &'static str) -> TreeError {
    TreeError::BadName { path: path.to_owned(), place: R::PLACE, reason }
}
