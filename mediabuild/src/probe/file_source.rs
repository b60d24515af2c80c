//! A file on disk as a format's source, for commands and probes that look at files of the user.

use std::fs::File;
use std::io;
use std::path::Path;

use mediabuild_formats::source::Source;

use crate::os;

/// An opened file.
pub(crate) struct FileSource {
    file: File,
    size_bytes: u64,
}

impl FileSource {
    /// Opens a file; nothing else, for opening a pipe waits until somebody writes into it.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let metadata = std::fs::metadata(path)?;
        if metadata.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        if !metadata.is_file() {
            let what = "it is neither a file nor a folder";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, what));
        }
        let file = File::open(path)?;
        let metadata = file.metadata()?;
        Ok(FileSource { size_bytes: metadata.len(), file })
    }
}

impl Source for FileSource {
    fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    fn read_exact_at(&self, offset_bytes: u64, buffer: &mut [u8]) -> io::Result<()> {
        let end_bytes = offset_bytes.checked_add(buffer.len() as u64);
        if end_bytes.is_none_or(|end_bytes| end_bytes > self.size_bytes) {
            let ends = format!("the file ends after {} bytes", self.size_bytes);
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, ends));
        }
        os::read_exact_at(&self.file, offset_bytes, buffer)
    }
}
