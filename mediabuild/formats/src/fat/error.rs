//! Errors of the FAT writer; the reader has those of [`crate::read_error`].

/// Why a tree cannot be a FAT volume.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum WriteError {
    /// A name or path that FAT or Windows does not take.
    #[error("`{path}` cannot be on a FAT volume: {reason}")]
    BadName {
        /// The whole path.
        path: String,
        /// Why.
        reason: &'static str,
    },
    /// Two names that FAT takes for one.
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
    /// A file whose size does not fit 32 bits.
    #[error(
        "`{path}` has {size_bytes} bytes, and a file on a FAT volume has at most 4294967295: divide \
         it into smaller files, or keep it to an ISO"
    )]
    FileTooLarge {
        /// The path.
        path: String,
        /// Its size.
        size_bytes: u64,
    },
    /// A directory with more entries than FAT allows.
    #[error(
        "the folder `{path}` needs {entry_count} entries (a long name takes several), and a folder on \
         FAT has at most {limit}: divide it into several folders"
    )]
    DirectoryTooLarge {
        /// The directory; empty for the root.
        path: String,
        /// What it needs.
        entry_count: u64,
        /// The most there may be.
        limit: u64,
    },
    /// A label that does not fit.
    #[error("the label `{label}` cannot be that of a FAT volume: {reason}")]
    Label {
        /// The label.
        label: String,
        /// Why.
        reason: &'static str,
    },
    /// A time that FAT cannot write.
    #[error("the time {epoch_seconds} s since 1970 is after the year 2107, where FAT ends")]
    Time {
        /// The time.
        epoch_seconds: i64,
    },
    /// A size that makes no volume of the variant.
    #[error("a {variant} volume cannot have {size_bytes} bytes: {min_bytes} to {max_bytes}")]
    VolumeSize {
        /// `FAT12`, `FAT16` or `FAT32`.
        variant: &'static str,
        /// The size.
        size_bytes: u64,
        /// About the smallest.
        min_bytes: u64,
        /// About the largest.
        max_bytes: u64,
    },
    /// More content than the volume has room for.
    #[error("the files need {needed_bytes} bytes of clusters, and the volume has {room_bytes}")]
    VolumeFull {
        /// What files and directories take.
        needed_bytes: u64,
        /// What there is.
        room_bytes: u64,
    },
}
