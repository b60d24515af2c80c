//! `Entry`: a file or directory that was read, and where its bytes lie.

/// A run of a file's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileExtent {
    /// Where it lies in the volume's source; `None` for zeros that are not stored.
    pub offset_bytes: Option<u64>,
    /// Its size.
    pub size_bytes: u64,
}

/// A file or directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The path from the root, components separated by `/`; no component is `..` or has a
    /// backslash or NUL.
    pub path: String,
    /// Whether it is a directory.
    pub is_directory: bool,
    /// A file's size; 0 for a directory.
    pub size_bytes: u64,
    /// Seconds since 1970, UTC, if the volume says.
    pub modified_seconds: Option<i64>,
    /// Where a file's bytes are, in order; together they have `size_bytes`, all inside the source.
    pub extents: Vec<FileExtent>,
    /// Where a symbolic link leads, as the volume has it; then it is no directory and has no bytes.
    pub link: Option<String>,
    /// Kind and permissions as POSIX has them, where the volume says.
    pub mode: Option<u32>,
}

impl Entry {
    /// An entry without anything but its path.
    pub(crate) fn named(path: String) -> Entry {
        Entry {
            path,
            is_directory: false,
            size_bytes: 0,
            modified_seconds: None,
            extents: Vec::new(),
            link: None,
            mode: None,
        }
    }
}
