//! Errors of the disc writer; the reader has those of [`crate::volume`].

use crate::volume::TreeError;

/// Why a tree cannot be a disc.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum WriteError {
    /// A file that the tree cannot hold.
    #[error(transparent)]
    Tree(#[from] TreeError),
    /// A name or path that ISO 9660 or Joliet does not take, on a disc that has them as mirror.
    #[error("`{path}` cannot be on a disc: {reason}")]
    Mirror {
        /// The whole path; empty if it is about all of them.
        path: String,
        /// Why.
        reason: &'static str,
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
