//! `Error`: what can go wrong in a store, who must act, and what to do next.

use std::io;
use std::path::{Path, PathBuf};

use crate::{DerivationId, Digest, DirectoryError, Output};

/// Why a store could not do as asked. The text names the path or digest; [`Error::help`] the remedy.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The operating system refused.
    #[error("cannot {doing} `{}`: {cause}", path.display())]
    Io { doing: &'static str, path: PathBuf, cause: io::Error },

    /// No room, or no quota, for what was to be written.
    #[error("no room to write {size_bytes} bytes to `{}`: {cause}", path.display())]
    DiskFull { path: PathBuf, size_bytes: u64, cause: io::Error },

    /// The bytes that were to be stored could not be read.
    #[error("cannot read the bytes to store: {0}")]
    Source(io::Error),

    /// Stored bytes are not what their name says.
    #[error("{digest} is damaged in `{}`: {what}", path.display())]
    Corrupt { digest: Digest, path: PathBuf, what: String },

    /// Nothing of that name is in the store.
    #[error("{0} is not in the store")]
    Missing(Digest),

    /// A content is there, with another size than the caller said.
    #[error("{digest} has {found_bytes} bytes, not {named_bytes}")]
    SizeDiffers { digest: Digest, named_bytes: u64, found_bytes: u64 },

    /// A part lies outside its container.
    #[error("part {part} ends after its container {container}")]
    PartOutside { part: Digest, container: Digest },

    /// Recipes or directories are nested deeper than any real medium.
    #[error("{0} is nested too deep")]
    TooDeep(Digest),

    /// A derivation was realised twice, to different outputs.
    #[error("derivation {id} gave {second}, but gave {first} before")]
    Conflict { id: DerivationId, first: Box<Output>, second: Box<Output> },

    /// The caller asked to stop.
    #[error("stopped on request")]
    Cancelled,

    /// Another process held the store for too long.
    #[error("`{}` is locked by another process", path.display())]
    Locked { path: PathBuf },

    /// The folder or file is not a store's, or one of a newer version.
    #[error("`{}` {what}", path.display())]
    BadFormat { path: PathBuf, what: String },

    /// There is no index where one must be.
    #[error("the index `{}` is missing", path.display())]
    IndexLost { path: PathBuf },

    /// The index failed in a way of its own.
    #[error("index `{}`: {cause}", path.display())]
    Index { path: PathBuf, cause: rusqlite::Error },

    /// An earlier write of this batch failed, so the batch cannot be committed.
    #[error("an earlier write of this batch failed")]
    BatchFailed,

    /// Names that cannot lie in one directory.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
}

impl Error {
    /// Whether the environment is at fault (disk, permission, lock), not the data or the request.
    pub fn is_environment(&self) -> bool {
        match self {
            Error::Io { .. } | Error::DiskFull { .. } | Error::Source(_) => true,
            Error::Locked { .. } => true,
            Error::Index { cause, .. } => !is_damage(cause),
            _ => false,
        }
    }

    /// What the user can do about it.
    pub fn help(&self) -> Option<&'static str> {
        match self {
            Error::Io { .. } | Error::Source(_) => Some("check the path and its permissions"),
            Error::DiskFull { .. } => Some("free some space, or put the store on a larger disk"),
            Error::Corrupt { .. } => Some("`mediabuild store verify` lists all that is damaged"),
            Error::IndexLost { .. } => Some(REBUILD),
            Error::Index { cause, .. } if is_damage(cause) => Some(REBUILD),
            Error::Missing(_) => Some("build again what made it, or import it again"),
            Error::Conflict { .. } => Some(
                "the step gave other bytes than before, which it never should; to go on, name an \
                 empty folder with `--store`",
            ),
            Error::Locked { .. } => Some("wait for the other process, then run this again"),
            Error::BadFormat { .. } => Some("name another folder with `--store`"),
            _ => None,
        }
    }

    /// Takes a store error back out of the `io::Error` it travelled in; any other `io::Error` is
    /// [`Error::Source`]. A reader that wants to stop answers `Error::Cancelled.into()`.
    pub fn from_read(error: io::Error) -> Error {
        error.downcast::<Error>().unwrap_or_else(Error::Source)
    }

    /// For `map_err` on a call that does something with `path`.
    pub(crate) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
        move |cause| Error::Io { doing, path: path.to_owned(), cause }
    }

    /// For `map_err` on a write of `size_bytes` to `path`.
    pub(crate) fn write(path: &Path, size_bytes: u64) -> impl FnOnce(io::Error) -> Error {
        move |cause| match cause.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                Error::DiskFull { path: path.to_owned(), size_bytes, cause }
            }
            _ => Error::Io { doing: "write", path: path.to_owned(), cause },
        }
    }

    /// `id` was realised to `first`, and now to `second`.
    pub(crate) fn conflict(id: DerivationId, first: Output, second: Output) -> Error {
        Error::Conflict { id, first: Box::new(first), second: Box::new(second) }
    }

    /// The bytes in `path` are not `digest`.
    pub(crate) fn corrupt(digest: Digest, path: &Path, what: impl Into<String>) -> Error {
        Error::Corrupt { digest, path: path.to_owned(), what: what.into() }
    }
}

const REBUILD: &str = "`mediabuild store rebuild-index` makes it anew from the store's files";

/// Whether the index itself is broken.
fn is_damage(cause: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
    matches!(cause.sqlite_error_code(), Some(DatabaseCorrupt | NotADatabase))
}

impl From<Error> for io::Error {
    fn from(error: Error) -> io::Error {
        let kind = match &error {
            Error::Corrupt { .. } | Error::SizeDiffers { .. } => io::ErrorKind::InvalidData,
            Error::Missing(_) => io::ErrorKind::NotFound,
            Error::Io { cause, .. } | Error::DiskFull { cause, .. } => cause.kind(),
            _ => io::ErrorKind::Other,
        };
        io::Error::new(kind, error)
    }
}
