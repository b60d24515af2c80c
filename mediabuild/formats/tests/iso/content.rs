//! Contents the tests put on discs, and discs as bytes.

use std::io::{self, Seek, SeekFrom, Write};

use mediabuild_formats::iso::{Options, Tree, Written, write};
use mediabuild_formats::layout::{Extent, Layout};
use mediabuild_formats::source::Source;

use crate::images::{self, Bytes};

/// 2026-11-01T00:00:00Z.
pub(crate) const EPOCH_SECONDS: i64 = 1_793_491_200;

/// A file's bytes: `Bytes` are all of them, `Marked` are zeros but for some places.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Content {
    Bytes(Vec<u8>),
    Marked(Vec<(u64, Vec<u8>)>),
}

/// Files by path, as a test lists them.
pub(crate) fn tree(files: &[(&str, Vec<u8>)]) -> Tree<Content> {
    let mut tree = Tree::new();
    for (path, bytes) in files {
        let size_bytes = bytes.len() as u64;
        tree.insert(path, Content::Bytes(bytes.clone()), size_bytes).expect("a good path");
    }
    tree
}

pub(crate) fn options(label: &str) -> Options<Content> {
    Options::new(label, EPOCH_SECONDS, *b"\x01\x23\x45\x67\x89\xAB\xCD\xEF")
}

pub(crate) fn layout(
    tree: &Tree<Content>,
    options: &Options<Content>,
) -> (Layout<Content>, Written) {
    let mut layout = Layout::default();
    let written = write(tree, options, &mut layout).expect("a writable tree");
    assert_eq!(written.size_bytes, layout.size_bytes);
    (layout, written)
}

/// The disc's bytes.
pub(crate) fn bytes(tree: &Tree<Content>, options: &Options<Content>) -> Vec<u8> {
    images::bytes(&layout(tree, options).0)
}

impl Bytes for Content {
    fn emit(&self, start: u64, out: &mut (impl Write + Seek)) -> io::Result<()> {
        match self {
            Content::Bytes(bytes) => out.write_all(bytes),
            Content::Marked(marks) => {
                for (offset_bytes, mark) in marks {
                    out.seek(SeekFrom::Start(start + offset_bytes))?;
                    out.write_all(mark)?;
                }
                Ok(())
            }
        }
    }
}

/// A layout as a source, so that discs of many gigabytes need neither disk nor memory.
pub(crate) struct LayoutSource<'a> {
    extents: Vec<(u64, &'a Extent<Content>)>,
    size_bytes: u64,
}

impl<'a> LayoutSource<'a> {
    pub(crate) fn of(layout: &'a Layout<Content>) -> Self {
        let mut offset_bytes = 0;
        let placed = layout.extents.iter().map(|extent| {
            let at = offset_bytes;
            offset_bytes += match extent {
                Extent::Literal(bytes) => bytes.len() as u64,
                Extent::Zeros(count_bytes) => *count_bytes,
                Extent::Content { size_bytes, .. } => *size_bytes,
            };
            (at, extent)
        });
        LayoutSource { extents: placed.collect(), size_bytes: layout.size_bytes }
    }
}

impl Source for LayoutSource<'_> {
    fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    fn read_exact_at(&self, offset_bytes: u64, buffer: &mut [u8]) -> io::Result<()> {
        let end = offset_bytes + buffer.len() as u64;
        if end > self.size_bytes {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        buffer.fill(0);
        let first = self.extents.partition_point(|(start, _)| *start <= offset_bytes);
        for (start, extent) in &self.extents[first.saturating_sub(1)..] {
            if *start >= end {
                break;
            }
            match extent {
                Extent::Literal(bytes) => overlay(buffer, offset_bytes, *start, bytes),
                Extent::Content { content: Content::Bytes(bytes), .. } => {
                    overlay(buffer, offset_bytes, *start, bytes);
                }
                Extent::Content { content: Content::Marked(marks), .. } => {
                    for (at, mark) in marks {
                        overlay(buffer, offset_bytes, start + at, mark);
                    }
                }
                Extent::Zeros(_) => {}
            }
        }
        Ok(())
    }
}

/// Copies what of `bytes`, which lie at `start`, falls into the buffer, which is of `offset_bytes`.
fn overlay(buffer: &mut [u8], offset_bytes: u64, start: u64, bytes: &[u8]) {
    let (end, bytes_end) = (offset_bytes + buffer.len() as u64, start + bytes.len() as u64);
    let (from, to) = (start.max(offset_bytes), end.min(bytes_end));
    if from < to {
        let wanted = &bytes[(from - start) as usize..(to - start) as usize];
        buffer[(from - offset_bytes) as usize..(to - offset_bytes) as usize]
            .copy_from_slice(wanted);
    }
}
