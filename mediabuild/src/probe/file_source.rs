//! A file on disk as a format's source, for commands and probes that look at files of the user.

use std::fs::File;
use std::io;
use std::path::Path;

use mediabuild_formats::source::Source;

/// An opened file.
pub(crate) struct FileSource {
    file: File,
    size_bytes: u64,
}

impl FileSource {
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let metadata = file.metadata()?;
        if metadata.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        Ok(FileSource { size_bytes: metadata.len(), file })
    }
}

impl Source for FileSource {
    fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    #[cfg(unix)]
    fn read_exact_at(&self, offset_bytes: u64, buffer: &mut [u8]) -> io::Result<()> {
        std::os::unix::fs::FileExt::read_exact_at(&self.file, buffer, offset_bytes)
    }

    #[cfg(windows)]
    fn read_exact_at(&self, mut offset_bytes: u64, mut buffer: &mut [u8]) -> io::Result<()> {
        while !buffer.is_empty() {
            match std::os::windows::fs::FileExt::seek_read(&self.file, buffer, offset_bytes)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                count => {
                    buffer = &mut buffer[count..];
                    offset_bytes += count as u64;
                }
            }
        }
        Ok(())
    }
}
