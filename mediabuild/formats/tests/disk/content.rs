//! Trees of bytes, and what they are read as.

use std::collections::BTreeMap;
use std::io::Read;

use mediabuild_formats::fat::{Options, Tree, Variant, Volume, write};
use mediabuild_formats::layout::Layout;
use mediabuild_formats::source::Source;
use mediabuild_formats::volume::{Entry, FileReader};

/// 2026-11-01T00:00:00Z.
pub(crate) const EPOCH_SECONDS: i64 = 1_793_491_200;
pub(crate) const MIB: u64 = 1 << 20;

/// Files by path; directories have no bytes.
pub(crate) type Listing = BTreeMap<String, Option<Vec<u8>>>;

pub(crate) fn options(variant: Variant, size_bytes: u64) -> Options {
    let mut options = Options::new(variant, size_bytes, 0x1234_5678, EPOCH_SECONDS);
    options.label = "DEPOT11".into();
    options
}

pub(crate) fn tree(files: &[(&str, Vec<u8>)]) -> Tree<Vec<u8>> {
    let mut tree = Tree::new();
    for (path, bytes) in files {
        tree.insert(path, bytes.clone(), bytes.len() as u64).expect("a good path");
    }
    tree
}

/// Names of all kinds, sizes around clusters and the alignment.
pub(crate) fn files() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("EFI/BOOT/BOOTX64.EFI", vec![0xE0; 1024]),
        ("sources/boot.wim", noise(MIB as usize + 1, 1)),
        ("boot/bcd", noise(511, 2)),
        ("boot/boot.sdi", noise(4096, 3)),
        ("empty.txt", Vec::new()),
        ("A long name with spaces.and.dots.txt", noise(513, 4)),
        ("A long name with spaces.and.dots.text", noise(4097, 5)),
        ("среда/中文/💾 disk.bin", noise(2 * MIB as usize, 6)),
        ("deep/a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p/q/file", noise(10, 7)),
        ("lower.txt", noise(1, 8)),
        ("UPPER.TXT/Mixed.Txt", noise(100, 9)),
    ]
}

/// The same bytes on every run.
pub(crate) fn noise(size: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    std::iter::repeat_with(next).take(size).collect()
}

/// What a tree of these files is read as.
pub(crate) fn expected(files: &[(&str, Vec<u8>)]) -> Listing {
    let mut listing = Listing::new();
    for (path, bytes) in files {
        for (at, _) in path.match_indices('/') {
            listing.insert(path[..at].to_owned(), None);
        }
        listing.insert((*path).to_owned(), Some(bytes.clone()));
    }
    listing
}

pub(crate) fn layout(tree: &Tree<Vec<u8>>, options: &Options) -> Layout<Vec<u8>> {
    let mut layout = Layout::default();
    let written = write(tree, options, &mut layout).expect("a writable tree");
    assert_eq!((written.size_bytes, layout.size_bytes), (options.size_bytes, options.size_bytes));
    layout
}

/// Everything on a volume.
pub(crate) fn listing<S: Source>(source: &S, volume: &Volume) -> Listing {
    let entries = volume.walk(source).expect("a readable volume");
    entries.iter().map(|entry| (entry.path.clone(), content(source, entry))).collect()
}

fn content<S: Source>(source: &S, entry: &Entry) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    FileReader::new(source, entry).read_to_end(&mut bytes).expect("extents inside");
    (!entry.is_directory).then_some(bytes)
}
