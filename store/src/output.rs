//! What a derivation became, what is kept for it, and what `verify` finds.

use std::fmt;
use std::path::PathBuf;

use crate::{Content, Digest};

/// The content identity of a derivation. How it is computed is the caller's business.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DerivationId(pub Digest);

impl fmt::Display for DerivationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The one output of a derivation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Output {
    /// One file: a blob, a part or a recipe.
    Content(Content),
    /// A folder of contents.
    Directory(Digest),
}

impl Output {
    /// The digest that names the output.
    pub fn digest(&self) -> Digest {
        match self {
            Output::Content(content) => content.digest,
            Output::Directory(digest) => *digest,
        }
    }
}

impl fmt::Display for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Output::Content(content) => write!(f, "{}", content.digest),
            Output::Directory(digest) => write!(f, "directory {digest}"),
        }
    }
}

/// A derivation that was realised twice, to different outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Conflict {
    pub id: DerivationId,
    /// What stayed.
    pub first: Output,
    /// What was made later.
    pub second: Output,
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "derivation {} gave {}, then {}", self.id, self.first, self.second)
    }
}

/// A gc root: what it names, and all it needs, stays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Root {
    /// Unique among the roots; for a result, its absolute path.
    pub name: String,
    /// What stays.
    pub output: Output,
    /// The caller's own note, such as the result file's stat. The store never looks inside.
    pub detail: Vec<u8>,
}

/// Something `verify` found that is not as its name says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The blob, part, recipe or directory concerned.
    pub digest: Digest,
    /// The file that should hold it.
    pub path: PathBuf,
    /// What is wrong, such as `missing`.
    pub what: String,
}

impl Problem {
    /// Something is needed that is not here: nothing is damaged, and the next build that needs it
    /// brings it. Repairing changes nothing about it.
    pub fn is_absence(&self) -> bool {
        self.what.starts_with(ABSENT)
    }
}

/// How the text starts of a problem that is an absence.
pub(crate) const ABSENT: &str = "missing, but ";

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in `{}`: {}", self.digest, self.path.display(), self.what)
    }
}
