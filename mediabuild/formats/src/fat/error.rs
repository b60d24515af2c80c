//! Errors of the FAT writer; the reader has those of [`crate::volume`].

use crate::volume::TreeError;

/// Why a tree cannot be a FAT volume.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum WriteError {
    /// A file that the tree cannot hold.
    #[error(transparent)]
    Tree(#[from] TreeError),
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
