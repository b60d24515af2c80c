//! Errors of the disc writer and of the disc reader.

use std::io;

/// Why a tree cannot be a disc.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum WriteError {
    /// A name or path that UDF or Windows does not take.
    #[error("`{path}` cannot be on a disc: {reason}")]
    BadName {
        /// The whole path.
        path: String,
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
    /// A file with more extents than one file entry holds.
    #[error("`{path}` has {size_bytes} bytes, a file on a disc has at most {limit_bytes}")]
    FileTooLarge {
        /// The path.
        path: String,
        /// Its size.
        size_bytes: u64,
        /// The largest size.
        limit_bytes: u64,
    },
    /// More sectors than 32 bits count.
    #[error("the disc would have {size_bytes} bytes, the most is {limit_bytes}")]
    DiscTooLarge {
        /// Its size.
        size_bytes: u64,
        /// The largest size.
        limit_bytes: u64,
    },
    /// A boot image that El Torito cannot describe.
    #[error("the {platform} boot image has {size_bytes} bytes, it needs 1 to {limit_bytes}")]
    BootImageSize {
        /// `BIOS` or `UEFI`.
        platform: &'static str,
        /// Its size.
        size_bytes: u64,
        /// The largest size.
        limit_bytes: u64,
    },
    /// A label that does not fit.
    #[error("the label `{label}` does not fit: at most 126 Latin-1 characters, or 63 UTF-16 units")]
    Label {
        /// The label.
        label: String,
    },
    /// A time ISO 9660 cannot write.
    #[error("the time {epoch_seconds} s since 1970 is not between the years 1900 and 2155")]
    Time {
        /// The time.
        epoch_seconds: i64,
    },
}

/// Why bytes are not a disc that can be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The source failed or ended.
    #[error("cannot read {size_bytes} bytes at {offset_bytes}: {source}")]
    Source {
        /// Where.
        offset_bytes: u64,
        /// How many.
        size_bytes: u64,
        /// What the source said.
        source: io::Error,
    },
    /// Something else than the format says.
    #[error("at {offset_bytes}: expected {expected}, found {found}")]
    Damaged {
        /// Where.
        offset_bytes: u64,
        /// What belongs there.
        expected: &'static str,
        /// What is there.
        found: String,
    },
    /// A legal structure this reader does not follow.
    #[error("at {offset_bytes}: {what} is not supported")]
    Unsupported {
        /// Where.
        offset_bytes: u64,
        /// What.
        what: String,
    },
    /// More of something than a disc can need.
    #[error("at {offset_bytes}: more than {limit} {what}")]
    Limit {
        /// Where.
        offset_bytes: u64,
        /// What there is too much of.
        what: &'static str,
        /// How much is accepted.
        limit: u64,
    },
    /// Neither ISO 9660 nor UDF.
    #[error("no ISO 9660 or UDF volume in these {size_bytes} bytes")]
    NoVolume {
        /// How many bytes there are.
        size_bytes: u64,
    },
    /// A file system this disc does not have.
    #[error("this disc has no {view} tree")]
    NoView {
        /// Its name.
        view: &'static str,
    },
}

impl ReadError {
    /// Where in the disc it is; 0 if it is about all of it.
    pub fn offset_bytes(&self) -> u64 {
        match self {
            ReadError::Source { offset_bytes, .. }
            | ReadError::Damaged { offset_bytes, .. }
            | ReadError::Unsupported { offset_bytes, .. }
            | ReadError::Limit { offset_bytes, .. } => *offset_bytes,
            ReadError::NoVolume { .. } | ReadError::NoView { .. } => 0,
        }
    }
}
