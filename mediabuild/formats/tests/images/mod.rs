//! What the tests of discs and of disks share: layouts made into bytes and files, files as sources, and
//! foreign programs.

pub(crate) mod peer;

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use mediabuild_formats::layout::{Extent, Layout};
use mediabuild_formats::source::Source;

/// A content of a test's tree, which can be written.
pub(crate) trait Bytes {
    /// Writes what is not zero; `out` stands at the content's start, `start`.
    fn emit(&self, start: u64, out: &mut (impl Write + Seek)) -> io::Result<()>;
}

impl Bytes for Vec<u8> {
    fn emit(&self, _: u64, out: &mut (impl Write + Seek)) -> io::Result<()> {
        out.write_all(self)
    }
}

/// The bytes of an image.
pub(crate) fn bytes<C: Bytes>(layout: &Layout<C>) -> Vec<u8> {
    let mut bytes = io::Cursor::new(Vec::new());
    emit(layout, &mut bytes).expect("memory takes all");
    let mut bytes = bytes.into_inner();
    bytes.resize(layout.size_bytes as usize, 0);
    bytes
}

/// Writes an image to a file; zeros become holes.
pub(crate) fn to_file<C: Bytes>(layout: &Layout<C>, path: &Path) {
    let mut file = File::create(path).expect("a writable folder");
    emit(layout, &mut file).expect("a writable file");
    file.set_len(layout.size_bytes).expect("a writable file");
}

fn emit<C: Bytes>(layout: &Layout<C>, out: &mut (impl Write + Seek)) -> io::Result<()> {
    let mut offset_bytes = 0;
    for extent in &layout.extents {
        out.seek(SeekFrom::Start(offset_bytes))?;
        match extent {
            Extent::Literal(bytes) => {
                out.write_all(bytes)?;
                offset_bytes += bytes.len() as u64;
            }
            Extent::Zeros(count_bytes) => offset_bytes += count_bytes,
            Extent::Content { content, size_bytes } => {
                content.emit(offset_bytes, out)?;
                offset_bytes += size_bytes;
            }
        }
    }
    Ok(())
}

/// A file as a source, read by one thread.
pub(crate) struct FileSource(pub(crate) File);

impl Source for FileSource {
    fn size_bytes(&self) -> u64 {
        self.0.metadata().expect("an open file").len()
    }

    fn read_exact_at(&self, offset_bytes: u64, buffer: &mut [u8]) -> io::Result<()> {
        let mut file = &self.0;
        file.seek(SeekFrom::Start(offset_bytes))?;
        file.read_exact(buffer)
    }
}
