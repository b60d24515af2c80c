//! `TreeError`: why a file cannot be where it is to be on a volume.

/// Why a tree does not take a file or directory.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum TreeError {
    /// A name or path that the file system or Windows does not take.
    #[error("`{path}` cannot be on {place}: {reason}")]
    BadName {
        /// The whole path.
        path: String,
        /// The kind of volume, with its article.
        place: &'static str,
        /// Why.
        reason: &'static str,
    },
    /// Two names that Windows takes for one.
    #[error("`{path}` and its neighbour `{other}` differ only by case")]
    CaseCollision {
        /// The path that was to be added.
        path: String,
        /// The name that is there already.
        other: String,
    },
    /// One path twice.
    #[error("`{path}` is in the tree already")]
    Duplicate {
        /// The path.
        path: String,
    },
    /// A file where a directory is needed.
    #[error("`{path}` needs `{file}` to be a directory, but it is a file")]
    FileAsDirectory {
        /// The path that was to be added.
        path: String,
        /// The component that is a file.
        file: String,
    },
    /// A file that is larger than the file system can say.
    #[error(
        "`{path}` has {size_bytes} bytes, and a file on {place} has at most {limit_bytes}: divide it \
         into smaller files"
    )]
    FileTooLarge {
        /// The path.
        path: String,
        /// Its size.
        size_bytes: u64,
        /// The kind of volume, with its article.
        place: &'static str,
        /// The largest size.
        limit_bytes: u64,
    },
}
