//! `Directory`: one level of a Merkle folder, names to contents and further directories.

mod builder;
mod codec;
mod name;
mod name_map;
mod walk;

pub use builder::DirectoryBuilder;
pub use name::{EntryName, NameError};
pub use walk::{walk, walk_differing};

use crate::{Content, Digest};
use name_map::NameMap;

/// The domain that directories are hashed in.
const DIRECTORY_CONTEXT: &str = "mediabuild store directory v1";

/// How deep directories nest at most: far beyond Windows' own limits, and safe to recurse into.
pub(crate) const DEPTH_MAX: usize = 256;

/// What a name in a directory stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    /// A file.
    File(Content),
    /// A folder.
    Directory(Digest),
}

/// Names that cannot lie in one directory.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DirectoryError {
    /// A name that no directory takes.
    #[error("`{name}` cannot be a name: {rule}")]
    Name { name: String, rule: NameError },
    /// Windows would see one file.
    #[error("`{first}` and `{second}` differ only in case")]
    CaseCollision { first: String, second: String },
    /// The same name again.
    #[error("`{0}` is there twice")]
    Duplicate(String),
    /// One name would be a file and a folder.
    #[error("`{0}` lies below a name that is no folder here")]
    BelowFile(String),
    /// More levels than any real medium has.
    #[error("`{0}` is nested too deep")]
    TooDeep(String),
}

/// One level of a folder: entries by name, sorted by the bytes of their names, unique ignoring
/// case. No times, no modes, no owners.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Directory {
    entries: NameMap<Entry>,
}

impl Directory {
    /// An empty directory.
    pub fn new() -> Self {
        Directory::default()
    }

    /// Adds an entry; refuses a name that is there already, in any case.
    pub fn insert(&mut self, name: EntryName, entry: Entry) -> Result<(), DirectoryError> {
        self.entries.insert(name, entry)
    }

    /// The entries, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&EntryName, &Entry)> {
        self.entries.iter()
    }

    /// The entry of exactly that name.
    pub fn get(&self, name: &str) -> Option<&Entry> {
        self.entries.get(name)
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The directory's identity: the digest of its encoding, in a domain of its own.
    pub fn digest(&self) -> Digest {
        Directory::digest_of_encoding(&self.encode())
    }

    pub(crate) fn hasher() -> blake3::Hasher {
        blake3::Hasher::new_derive_key(DIRECTORY_CONTEXT)
    }

    pub(crate) fn digest_of_encoding(bytes: &[u8]) -> Digest {
        Digest::derive(DIRECTORY_CONTEXT, bytes)
    }
}
