//! `DirectoryBuilder`: nested directories from paths.

use super::name_map::NameMap;
use super::{DEPTH_MAX, DirectoryError, Entry, EntryName};
use crate::{Batch, Content, Digest, Directory, Error};

/// Collects files by path, then stores every directory, the innermost first.
#[derive(Debug, Default)]
pub struct DirectoryBuilder {
    nodes: NameMap<Node>,
}

#[derive(Debug)]
enum Node {
    Entry(Entry),
    Folder(DirectoryBuilder),
}

impl DirectoryBuilder {
    /// A builder of an empty directory.
    pub fn new() -> Self {
        DirectoryBuilder::default()
    }

    /// Adds a file at `path`, such as `a/b/c`; the folders above it come to be.
    pub fn insert(&mut self, path: &str, content: Content) -> Result<(), DirectoryError> {
        self.insert_node(path, Node::Entry(Entry::File(content)))
    }

    /// Adds a stored directory at `path`. Nothing else can be added below it.
    pub fn insert_directory(&mut self, path: &str, digest: Digest) -> Result<(), DirectoryError> {
        self.insert_node(path, Node::Entry(Entry::Directory(digest)))
    }

    /// Stores all directories and answers the outermost one's digest.
    pub fn put(self, batch: &mut dyn Batch) -> Result<Digest, Error> {
        let mut directories = Vec::new();
        let outermost = self.finish(&mut directories)?;
        batch.put_directories(&directories)?;
        Ok(outermost)
    }

    /// Adds all directories to `finished`, the innermost first; answers the outermost one's digest.
    fn finish(self, finished: &mut Vec<Directory>) -> Result<Digest, Error> {
        let entries = self.nodes.try_map(|node| match node {
            Node::Entry(entry) => Ok(entry),
            Node::Folder(folder) => folder.finish(finished).map(Entry::Directory),
        });
        let directory = Directory { entries: entries? };
        let digest = directory.digest();
        finished.push(directory);
        Ok(digest)
    }

    fn insert_node(&mut self, path: &str, node: Node) -> Result<(), DirectoryError> {
        if path.split('/').count() > DEPTH_MAX {
            return Err(DirectoryError::TooDeep(path.to_owned()));
        }
        let mut components = path.split('/');
        let name = components.next_back().expect("a split has at least one piece");
        let mut folder = self;
        for component in components {
            folder = folder.subfolder(component, path)?;
        }
        folder.nodes.insert(parse_name(name, path)?, node).map_err(|error| in_path(error, path))
    }

    fn subfolder(
        &mut self,
        name: &str,
        path: &str,
    ) -> Result<&mut DirectoryBuilder, DirectoryError> {
        if self.nodes.get(name).is_none() {
            let folder = Node::Folder(DirectoryBuilder::new());
            let inserted = self.nodes.insert(parse_name(name, path)?, folder);
            inserted.map_err(|error| in_path(error, path))?;
        }
        match self.nodes.get_mut(name) {
            Some(Node::Folder(folder)) => Ok(folder),
            _ => Err(DirectoryError::BelowFile(path.to_owned())),
        }
    }
}

fn parse_name(name: &str, path: &str) -> Result<EntryName, DirectoryError> {
    EntryName::parse(name).map_err(|rule| DirectoryError::Name { name: path.to_owned(), rule })
}

/// Says the whole path where the directory knew only a name.
fn in_path(error: DirectoryError, path: &str) -> DirectoryError {
    match error {
        DirectoryError::CaseCollision { first, .. } => {
            DirectoryError::CaseCollision { first, second: path.to_owned() }
        }
        DirectoryError::Duplicate(_) => DirectoryError::Duplicate(path.to_owned()),
        other => other,
    }
}
